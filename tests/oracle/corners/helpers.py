"""Helpers of scripts: losses and metrics, sequences, texts, windows of a series."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from oracle.corners import corner, error_of, fill, given, with_gradients

TEXTS = ["The cat sat on the mat.", "A dog & the CAT!", "mat, mat;\tmat", ""]
SERIES = np.arange(20, dtype="float32") ** 2
Y = np.array([[0.5, 2.0, -1.0], [1.5, 0.0, 3.0]], "float32")
P = np.array([[0.7, 1.0, 0.4], [-0.3, 0.2, 2.5]], "float32")
LOSSES = ("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "LogCosh")
NAMES = {"MeanAbsolutePercentageError": "mape", "MeanSquaredLogarithmicError": "msle", "LogCosh": "log_cosh"}


@corner(*LOSSES)
def losses(tf: Any, name: str) -> Any:
    loss = getattr(tf.keras.losses, name)
    function = getattr(tf.keras.losses, NAMES[name])
    weights = given(tf, np.array([2.0, 0.5], "float32"))
    return [
        with_gradients(tf, lambda p: function(given(tf, Y), p), P),
        with_gradients(tf, lambda p: loss(reduction="sum")(given(tf, Y), p), P),
        with_gradients(tf, lambda p: loss()(given(tf, Y), p, sample_weight=weights), P),
        loss().name, loss().get_config()["name"], tf.keras.losses.get(NAMES[name]) is function,
    ]  # fmt: skip


@corner("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "LogCoshError")
def metrics(tf: Any, name: str) -> Any:
    metric = getattr(tf.keras.metrics, name)()
    found = [metric.name]
    for rows in (slice(0, 1), slice(1, 2)):
        metric.update_state(given(tf, Y[rows]), given(tf, P[rows]))
        found.append(metric.result())
    metric.reset_state()
    metric.update_state(given(tf, Y), given(tf, P), sample_weight=given(tf, np.array([2.0, 0.5], "float32")))
    return [*found, metric.result()]


@corner("mape", "msle", "log_cosh", "mean_absolute_percentage_error", "mean_squared_logarithmic_error")
def losses_by_name(tf: Any, name: str) -> Any:
    layer = tf.keras.layers.Dense(3, input_shape=(3,))
    model = tf.keras.Sequential([layer])
    fill(layer)
    model.compile(tf.keras.optimizers.SGD(0.01), name, metrics=[name])
    found = [[float(f"{number:.6g}") for number in model.train_on_batch(P, Y)] for _ in range(3)]
    return [found, model.metrics_names, [np.asarray(w) for w in layer.get_weights()]]


PADDED: dict[str, Any] = {
    "plain": {}, "post": {"padding": "post"}, "cut": {"maxlen": 2}, "cut after": {"maxlen": 2, "truncating": "post"},
    "longer": {"maxlen": 5, "value": -1.0, "dtype": "float32"},
    "post, cut": {"maxlen": 3, "padding": "post", "truncating": "post", "dtype": "int64"},
}  # fmt: skip


@corner(*PADDED)
def padded(tf: Any, name: str) -> Any:
    sequences = [[1], [2, 3, 4, 5], [], [6, 7]]
    k = tf.keras
    one = k.preprocessing.sequence.pad_sequences(sequences, **PADDED[name])
    return [np.asarray(one), np.array_equal(one, k.utils.pad_sequences(sequences, **PADDED[name]))]


@corner()
def classes(tf: Any) -> Any:
    to = tf.keras.utils.to_categorical
    return [to([2, 0]), to([[1], [0]], 3), to(np.array([[0, 1], [1, 1]])), to([1], num_classes=2, dtype="float64")]


GENERATORS: dict[str, Any] = {
    "plain": {"length": 3, "batch_size": 4},
    "sampled": {"length": 6, "sampling_rate": 2, "batch_size": 4},
    "with strides": {"length": 3, "stride": 3, "batch_size": 2},
    "a part": {"length": 2, "start_index": 5, "end_index": 11, "batch_size": 3},
    "reversed": {"length": 3, "reverse": True, "batch_size": 8},
}


@corner(*GENERATORS)
def generators_of_windows(tf: Any, name: str) -> Any:
    make = tf.keras.preprocessing.sequence.TimeseriesGenerator
    rows = make(np.stack([SERIES, -SERIES], -1), SERIES + 0.5, **GENERATORS[name])
    config = rows.get_config()
    whole = json.loads(rows.to_json())
    return [len(rows), [list(batch) for batch in rows], {**config}["length"], config["end_index"], whole["class_name"]]


@corner()
def generators_that_do_not_fit(tf: Any) -> Any:
    make = tf.keras.preprocessing.sequence.TimeseriesGenerator
    return [
        error_of(lambda: make(SERIES, SERIES[1:], length=3)), error_of(lambda: make(SERIES, SERIES, length=20)),
        error_of(lambda: make(SERIES, SERIES, length=19)),
    ]  # fmt: skip


WINDOWS: dict[str, Any] = {
    "plain": ({"sequence_length": 4, "batch_size": 5}, True),
    "without targets": ({"sequence_length": 4}, False),
    "with strides": ({"sequence_length": 3, "sequence_stride": 4, "batch_size": 2}, True),
    "sampled": ({"sequence_length": 3, "sampling_rate": 3, "batch_size": 100}, True),
    "a part": ({"sequence_length": 2, "start_index": 4, "end_index": 12, "batch_size": 3}, True),
    "single": ({"sequence_length": 18, "batch_size": None}, True),
}


@corner(*WINDOWS)
def windows_of_a_series(tf: Any, name: str) -> Any:
    arguments, with_targets = WINDOWS[name]
    targets = SERIES[3:] if with_targets else None
    k = tf.keras
    makers = (k.utils.timeseries_dataset_from_array, k.preprocessing.timeseries_dataset_from_array)
    found = [list(make(SERIES, targets, **arguments)) for make in makers]
    first = list(tf.keras.utils.timeseries_dataset_from_array(SERIES, targets, **arguments).take(1))
    return [len(found[0]), *found, len(first)]


TOKENIZERS: dict[str, Any] = {
    "plain": {}, "five words": {"num_words": 5}, "unknown": {"oov_token": "?"}, "letters": {"char_level": True},
    "unknown, three words": {"num_words": 3, "oov_token": "?"}, "as written": {"lower": False, "filters": ".&"},
    "split": {"split": "t", "filters": ""},
}  # fmt: skip


@corner(*TOKENIZERS)
def tokenizers(tf: Any, name: str) -> Any:
    text = tf.keras.preprocessing.text
    tokenizer = text.Tokenizer(**TOKENIZERS[name])
    tokenizer.fit_on_texts(TEXTS[:2])
    tokenizer.fit_on_texts(TEXTS[2:])
    sequences = tokenizer.texts_to_sequences(["the bird on the mat", "Cat & dog"])
    read = text.tokenizer_from_json(tokenizer.to_json())
    return [
        [list(pair) for pair in tokenizer.word_index.items()], sequences, tokenizer.sequences_to_texts(sequences),
        [list(pair) for pair in tokenizer.word_counts.items()], sorted(map(list, tokenizer.word_docs.items())),
        [list(pair) for pair in sorted(tokenizer.index_docs.items())], tokenizer.document_count,
        *(tokenizer.texts_to_matrix(TEXTS[:3], mode) for mode in ("binary", "count", "tfidf", "freq")),
        read.texts_to_sequences(TEXTS), read.word_index == tokenizer.word_index,
        read.index_word == tokenizer.index_word,
    ]  # fmt: skip


@corner()
def tokenizers_of_lists_and_numbers(tf: Any) -> Any:
    text = tf.keras.preprocessing.text
    words = text.Tokenizer(oov_token="x")
    words.fit_on_texts([["A", "b", "b"], ["C"]])
    numbers = text.Tokenizer(num_words=6)
    numbers.fit_on_sequences([[1, 2, 2], [3], [2, 5]])
    return [
        words.texts_to_sequences([["c", "q", "B"]]), numbers.sequences_to_matrix([[1, 2, 2, 9], [5]], "tfidf"),
        text.text_to_word_sequence("One, two;\n three!"), error_of(lambda: words.texts_to_matrix([["a"]], "mean")),
        error_of(lambda: text.Tokenizer().sequences_to_matrix([[1]])),
        error_of(lambda: text.Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf")),
    ]  # fmt: skip


def batches(tf: Any) -> Any:
    class Batches(tf.keras.utils.Sequence):
        epochs = 0

        def __len__(self) -> int:
            return 3

        def __getitem__(self, k: int) -> Any:
            return P + k, Y * k

        def on_epoch_end(self) -> None:
            self.epochs += 1

    return Batches()


@corner("a Sequence", "a generator", "fit_generator", "windows", "generators of windows")
def trained_on_batches(tf: Any, kind: str) -> Any:
    k = tf.keras
    source = batches(tf)
    layers = [k.layers.Dense(3, input_shape=(3,))]
    if "windows" in kind:
        layers = [k.layers.Reshape((4, 1), input_shape=(4,)), k.layers.LSTM(2), k.layers.Dense(1)]
    model = k.Sequential(layers)
    for layer in layers:
        fill(layer)
    model.compile(k.optimizers.SGD(0.01), "mse")
    small = SERIES / 400
    if kind == "a Sequence":
        history = model.fit(source, epochs=2, shuffle=False, verbose=0, validation_data=source)
    elif kind == "a generator":
        history = model.fit((source[n % 3] for n in range(6)), steps_per_epoch=3, epochs=2, verbose=0)
    elif kind == "fit_generator":
        history = model.fit_generator((source[n % 3] for n in range(6)), steps_per_epoch=3, epochs=2, verbose=0)
    elif kind == "windows":
        windows = k.utils.timeseries_dataset_from_array(small, small[4:, None], 4, batch_size=6)
        history = model.fit(windows, epochs=2, verbose=0)
    else:
        rows = k.preprocessing.sequence.TimeseriesGenerator(small, small, 4, batch_size=6)
        history = model.fit(rows, epochs=2, verbose=0, shuffle=False)
    values = {name: [float(f"{n:.6g}") for n in numbers] for name, numbers in history.history.items()}
    return [[list(pair) for pair in values.items()], [np.asarray(w) for w in model.get_weights()], source.epochs]


@corner("learning rate", "plateau")
def schedules_of_callbacks(tf: Any, kind: str) -> Any:
    k = tf.keras
    layer = k.layers.Dense(3, input_shape=(3,))
    model = k.Sequential([layer])
    fill(layer)
    model.compile(k.optimizers.SGD(0.1), "mse")
    one = {
        "learning rate": lambda: k.callbacks.LearningRateScheduler(lambda epoch, lr: lr * 0.5 if epoch else lr),
        "plateau": lambda: k.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.2, min_lr=0.01),
    }[kind]()
    rates: list[float] = []
    log = k.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append(float(f"{float(model.optimizer.learning_rate):.6g}"))
    )
    history = model.fit(P, Y, epochs=6, verbose=0, callbacks=[one, log])
    return [rates, [float(f"{n:.6g}") for n in history.history["loss"]]]
