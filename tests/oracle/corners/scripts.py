"""Whole scripts in the manner of public ones: data, model, training, use. TensorFlow ran each in full when recorded.

The weights start from numbers that follow from their shapes, so that both train the same model.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import corner, fill, given


def start(model: Any) -> None:
    """Give each layer its first weights."""
    for layer in model.layers:
        if layer.weights:
            fill(layer)


def rounded(numbers: Any) -> Any:
    return [float(f"{float(n):.6g}") for n in numbers]


def array(x: Any) -> Any:
    return np.asarray(x.numpy() if hasattr(x, "numpy") else x)


@corner()
def forecast_of_passengers(tf: Any) -> Any:
    """Monthly passengers, scaled to [0, 1], windows of three months, a forecast of the next year step by step."""
    months = np.arange(72)
    passengers = 110 + 2.5 * months + (8 + 0.3 * months) * np.sin(2 * np.pi * months / 12)
    low, high = passengers.min(), passengers.max()
    scaled = ((passengers - low) / (high - low)).astype("float32")
    look_back = 3

    def windows(series: Any) -> Any:
        rows = len(series) - look_back
        x = np.array([series[k : k + look_back] for k in range(rows)])
        return x.reshape(rows, look_back, 1), series[look_back:]

    train, test = scaled[:48], scaled[48 - look_back :]
    x_train, y_train = windows(train)
    x_test, y_test = windows(test)
    model = tf.keras.Sequential()
    model.add(tf.keras.layers.LSTM(4, input_shape=(look_back, 1)))
    model.add(tf.keras.layers.Dense(1))
    start(model)
    model.compile(loss="mean_squared_error", optimizer="adam")
    history = model.fit(x_train, y_train, epochs=4, batch_size=5, shuffle=False, verbose=0)
    fitted = model.predict(x_test, verbose=0)[:, 0]
    error = np.sqrt(np.mean((fitted - y_test) ** 2)) * (high - low)
    window = list(scaled[-look_back:])
    for _ in range(12):
        x = np.array(window[-look_back:], "float32").reshape(1, look_back, 1)
        window.append(float(model.predict(x, verbose=0)[0, 0]))
    return [rounded(history.history["loss"]), fitted, float(error), rounded(window[look_back:])]


@corner()
def forecast_with_a_dataset_of_windows(tf: Any) -> Any:
    """The same kind of task with windows from Keras' helper, two features, and early stopping on a validation."""
    t = np.arange(60, dtype="float32")
    data = np.stack([np.sin(t / 5), np.cos(t / 7)], -1).astype("float32")
    make = tf.keras.utils.timeseries_dataset_from_array
    train = make(data[:40], data[6:40, :1], sequence_length=6, batch_size=8)
    valid = make(data[40:], data[46:, :1], sequence_length=6, batch_size=8)
    inputs = tf.keras.Input((6, 2))
    hidden = tf.keras.layers.GRU(5)(inputs)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(1)(hidden))
    start(model)
    model.compile(optimizer=tf.keras.optimizers.SGD(0.05), loss="mse", metrics=["mae"])
    stop = tf.keras.callbacks.EarlyStopping(monitor="val_loss", patience=2, restore_best_weights=True)
    history = model.fit(train, epochs=20, validation_data=valid, callbacks=[stop], verbose=0)
    for x, y in valid.take(1):
        found = [model.predict(x, verbose=0), array(y)]
    return [[[name, rounded(numbers)] for name, numbers in sorted(history.history.items())], *found]


@corner()
def characters(tf: Any) -> Any:
    """A text as one-hot windows, the next letter as the target, and a text drawn with a temperature."""
    text = "the cat sat on the mat and the rat sat on the cat "
    letters = sorted(set(text))
    number = {letter: k for k, letter in enumerate(letters)}
    maxlen, step = 8, 2
    starts = range(0, len(text) - maxlen, step)
    x = np.zeros((len(starts), maxlen, len(letters)), "float32")
    y = np.zeros((len(starts), len(letters)), "float32")
    for row, first in enumerate(starts):
        for place in range(maxlen):
            x[row, place, number[text[first + place]]] = 1
        y[row, number[text[first + maxlen]]] = 1
    k = tf.keras
    model = k.Sequential([k.layers.LSTM(16, input_shape=(maxlen, len(letters))), k.layers.Dense(len(letters))])
    model.add(k.layers.Activation("softmax"))
    start(model)
    model.compile(loss="categorical_crossentropy", optimizer=k.optimizers.RMSprop(learning_rate=0.01))
    history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    draw = np.random.RandomState(0)
    sentence = text[:maxlen]
    drawn = ""
    for _ in range(12):
        seen = np.zeros((1, maxlen, len(letters)), "float32")
        for place, letter in enumerate(sentence):
            seen[0, place, number[letter]] = 1.0
        chances = model.predict(seen, verbose=0)[0].astype("float64")
        chances = np.exp(np.log(chances) / 0.5)
        following = letters[int(np.searchsorted(np.cumsum(chances / chances.sum()), draw.uniform()))]
        drawn, sentence = drawn + following, sentence[1:] + following
    return [rounded(history.history["loss"]), drawn, model.predict(x[:3], verbose=0)]


@corner()
def addition_of_numbers_as_texts(tf: Any) -> Any:
    """``"12+7"`` to ``"19"``: an encoder, its output repeated, a decoder with a softmax at every step."""
    letters = "0123456789+ "
    number = {letter: k for k, letter in enumerate(letters)}
    draw = np.random.RandomState(1)
    pairs = [(int(draw.randint(100)), int(draw.randint(100))) for _ in range(24)]
    questions = [f"{a}+{b}".ljust(5)[::-1] for a, b in pairs]
    answers = [str(a + b).ljust(3) for a, b in pairs]

    def encoded(texts: Any) -> Any:
        return np.eye(len(letters), dtype="float32")[[[number[letter] for letter in text] for text in texts]]

    L = tf.keras.layers
    model = tf.keras.models.Sequential()
    model.add(L.LSTM(12, input_shape=(5, len(letters))))
    model.add(L.RepeatVector(3))
    for _ in range(1):
        model.add(L.LSTM(12, return_sequences=True))
    model.add(L.TimeDistributed(L.Dense(len(letters), activation="softmax")))
    start(model)
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    x, y = encoded(questions), encoded(answers)
    history = model.fit(
        x[:20], y[:20], batch_size=5, epochs=3, shuffle=False, verbose=0, validation_data=(x[20:], y[20:])
    )
    guesses = np.argmax(model.predict(x[20:], verbose=0), axis=-1)
    return [
        [[name, rounded(numbers)] for name, numbers in sorted(history.history.items())],
        ["".join(letters[k] for k in row) for row in guesses],
        model.count_params(),
    ]


@corner()
def translation_with_states(tf: Any) -> Any:
    """An encoder whose states start a decoder; two models for its use, one step at a time."""
    pairs = [("go", "va"), ("run", "cours"), ("stop", "arrete"), ("wait", "attends")]
    sources, targets = [s for s, _ in pairs], [f"\t{t}\n" for _, t in pairs]
    known = [sorted({" ", *"".join(texts)}) for texts in (sources, targets)]
    longest = [max(map(len, texts)) for texts in (sources, targets)]

    def encoded(texts: Any, letters: Any, length: int, shift: int = 0) -> Any:
        found = np.zeros((len(texts), length, len(letters)), "float32")
        for row, text in enumerate(texts):
            for place, letter in enumerate(text[shift:].ljust(length)):
                found[row, place, letters.index(letter)] = 1
        return found

    encoder_data, decoder_data = (encoded(t, l, n) for t, l, n in zip((sources, targets), known, longest, strict=True))
    target_data = encoded(targets, known[1], longest[1], 1)
    L, units = tf.keras.layers, 8
    encoder_inputs = tf.keras.Input(shape=(None, len(known[0])))
    encoder = L.LSTM(units, return_state=True)
    _, state_h, state_c = encoder(encoder_inputs)
    states = [state_h, state_c]
    decoder_inputs = tf.keras.Input(shape=(None, len(known[1])))
    decoder_lstm = L.LSTM(units, return_sequences=True, return_state=True)
    outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=states)
    dense = L.Dense(len(known[1]), activation="softmax")
    outputs = dense(outputs)
    model = tf.keras.Model([encoder_inputs, decoder_inputs], outputs)
    start(model)
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    history = model.fit([encoder_data, decoder_data], target_data, batch_size=2, epochs=4, shuffle=False, verbose=0)

    encoder_model = tf.keras.Model(encoder_inputs, states)
    given_states = [tf.keras.Input(shape=(units,)), tf.keras.Input(shape=(units,))]
    outputs, h, c = decoder_lstm(decoder_inputs, initial_state=given_states)
    decoder_model = tf.keras.Model([decoder_inputs, *given_states], [dense(outputs), h, c])

    texts = []
    for row in range(2):
        values = encoder_model.predict(encoder_data[row : row + 1], verbose=0)
        step = np.zeros((1, 1, len(known[1])), "float32")
        step[0, 0, known[1].index("\t")] = 1.0
        text = ""
        while len(text) < 6:
            tokens, h, c = decoder_model.predict([step, *values], verbose=0)
            best = int(np.argmax(tokens[0, -1, :]))
            text += known[1][best]
            step = np.zeros((1, 1, len(known[1])), "float32")
            step[0, 0, best] = 1.0
            values = [h, c]
        texts.append(text)
    numbers = [[name, rounded(values)] for name, values in sorted(history.history.items())]
    return [numbers, texts, tokens, *encoder_model.predict(encoder_data, verbose=0)]


@corner()
def attention_with_a_tape(tf: Any) -> Any:
    """A training loop by hand: an encoder's sequence, the last state as the query, weights by a softmax."""
    k = tf.keras
    words, lengths = 7, [5, 3, 4]
    ids = np.array(
        [[(3 * r + 2 * t) % (words - 1) + 1 if t < n else 0 for t in range(5)] for r, n in enumerate(lengths)]
    )
    labels = np.array([0, 1, 1])
    embedding = k.layers.Embedding(words, 4, mask_zero=True)
    gru = k.layers.GRU(4, return_sequences=True, return_state=True)
    dot, softmax = k.layers.Dot(axes=(2, 1)), k.layers.Activation("softmax")
    context, out = k.layers.Dot(axes=1), k.layers.Dense(2)
    join = k.layers.Concatenate()

    def run() -> Any:
        sequence, query = gru(embedding(ids))
        weights = softmax(dot([sequence, query]))
        return out(join([context([weights, sequence]), query])), weights

    run()
    layers = [embedding, gru, out]
    for layer in layers:
        fill(layer)
    loss_of = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = k.optimizers.SGD(0.2, momentum=0.9)
    losses = []
    variables = [w for layer in layers for w in layer.trainable_variables]
    for _ in range(5):
        with tf.GradientTape() as tape:
            logits, weights = run()
            loss = loss_of(given(tf, labels), logits)
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        losses.append(float(loss))
    return [rounded(losses), array(weights), array(logits)]


@corner()
def sentiment_with_masks(tf: Any) -> Any:
    """Texts by a Tokenizer, padded; an Embedding that masks the padding; a Bidirectional LSTM; a class."""
    texts = ["a very good film", "good good acting", "a bad film", "very very bad acting and a bad end", "not good"]
    labels = np.array([1, 1, 0, 0, 0], "float32")
    k = tf.keras
    tokenizer = k.preprocessing.text.Tokenizer(num_words=10, oov_token="<unknown>")
    tokenizer.fit_on_texts(texts)
    x = k.preprocessing.sequence.pad_sequences(tokenizer.texts_to_sequences(texts), maxlen=6, padding="post")
    model = k.Sequential(
        [
            k.layers.Embedding(10, 4, input_length=6, mask_zero=True),
            k.layers.Bidirectional(k.layers.LSTM(3, return_sequences=True)),
            k.layers.Bidirectional(k.layers.GRU(3)),
            k.layers.Dense(1, activation="sigmoid"),
        ]
    )
    start(model)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x, labels, epochs=4, batch_size=2, shuffle=False, class_weight={0: 1.0, 1: 1.5}, verbose=0)
    new = k.preprocessing.sequence.pad_sequences(
        tokenizer.texts_to_sequences(["good end", "bad bad unseen film"]), maxlen=6, padding="post"
    )
    found = [[name, rounded(numbers)] for name, numbers in sorted(history.history.items())]
    return [x, found, model.predict(new, verbose=0), model.evaluate(x, labels, verbose=0)]


@corner()
def stateful_sine(tf: Any) -> Any:
    """A sine in pieces, the state carried from batch to batch and reset between epochs."""
    wave = np.sin(np.arange(49) / 4).astype("float32")
    x, y = wave[:-1].reshape(6, 8, 1), wave[1:].reshape(6, 8, 1)
    L = tf.keras.layers
    model = tf.keras.Sequential()
    model.add(L.LSTM(5, batch_input_shape=(1, 8, 1), return_sequences=True, stateful=True))
    model.add(L.LSTM(4, return_sequences=True, stateful=True))
    model.add(L.TimeDistributed(L.Dense(1)))
    start(model)
    model.compile(loss="mse", optimizer=tf.keras.optimizers.Adam(0.02))
    losses = []
    for _ in range(3):
        history = model.fit(x, y, epochs=1, batch_size=1, shuffle=False, verbose=0)
        losses += history.history["loss"]
        model.reset_states()
    whole = model.predict(x, batch_size=1, verbose=0)
    again = model.predict(x, batch_size=1, verbose=0)
    model.reset_states()
    fresh = model.predict(x, batch_size=1, verbose=0)
    return [rounded(losses), whole[-1], bool(np.allclose(whole, again)), bool(np.allclose(whole, fresh, atol=1e-6))]


@corner()
def cells_of_the_guide(tf: Any) -> Any:
    """A custom cell with two inputs and two states, in nested structures, trained by `fit`."""
    k = tf.keras

    class NestedCell(k.layers.Layer):
        def __init__(self, first: int, second: int, **kwargs: Any) -> None:
            self.first, self.second = first, second
            self.state_size = [first, second]
            self.output_size = [first, second]
            super().__init__(**kwargs)

        def build(self, input_shapes: Any) -> None:
            one, other = input_shapes
            self.kernel_1 = self.add_weight(shape=(one[-1], self.first), initializer="uniform", name="kernel_1")
            self.kernel_2 = self.add_weight(shape=(other[-1], self.second), initializer="uniform", name="kernel_2")
            self.built = True

        def call(self, inputs: Any, states: Any) -> Any:
            one, other = inputs
            a, b = states
            new = [one @ self.kernel_1 + 0.5 * a, other @ self.kernel_2 - 0.25 * b]
            return new, new

        def get_config(self) -> Any:
            return {**super().get_config(), "first": self.first, "second": self.second}

    x1 = np.sin(np.arange(30, dtype="float32")).reshape(2, 5, 3)
    x2 = np.cos(np.arange(20, dtype="float32")).reshape(2, 5, 2)
    rnn = k.layers.RNN(NestedCell(4, 2), return_sequences=True)
    one, other = k.Input((None, 3)), k.Input((None, 2))
    a, b = rnn((one, other))
    model = k.Model([one, other], [a, b])
    fill(rnn)
    model.compile("sgd", "mse")
    targets = [np.ones((2, 5, 4), "float32"), np.zeros((2, 5, 2), "float32")]
    history = model.fit([x1, x2], targets, epochs=3, verbose=0, shuffle=False)
    losses = [[name, rounded(numbers)] for name, numbers in sorted(history.history.items()) if name == "loss"]
    return [losses, *model.predict([x1, x2], verbose=0), [array(w) for w in rnn.get_weights()]]
