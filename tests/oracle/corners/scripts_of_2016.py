"""Whole scripts in the manner of 2016, and one with a tape: rows of digits, a language model, attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import corner, face
from oracle.corners.graphs import filled, in_graph


def digits(count: int, seed: int) -> tuple[Any, Any]:
    """Noisy pictures of three shapes, 6 rows of 6 pixels, and their classes, one-hot."""
    draw = np.random.default_rng(seed)
    shapes = np.zeros((3, 6, 6), "float32")
    shapes[0, :, 2:4] = 1.0
    shapes[1, [0, 5]] = shapes[1, :, [0, 5]] = 1.0
    shapes[2] = np.eye(6)
    classes = draw.integers(0, 3, count)
    pictures = shapes[classes] + 0.1 * draw.normal(size=(count, 6, 6))
    return pictures.astype("float32"), np.eye(3, dtype="float32")[classes]


@corner("static", "dynamic", "bidirectional")
@in_graph
def rows_of_digits(tf: Any, sess: Any, way: str) -> Any:
    """Pictures read row by row; the last output tells the class."""
    n_steps, n_input, n_hidden, n_classes, batch_size = 6, 6, 5, 3, 8
    x = tf.placeholder("float", [None, n_steps, n_input])
    y = tf.placeholder("float", [None, n_classes])
    wide = 2 * n_hidden if way == "bidirectional" else n_hidden
    weights = {"out": tf.Variable(tf.random_normal([wide, n_classes]))}
    biases = {"out": tf.Variable(tf.random_normal([n_classes]))}

    if way == "static":
        cell = tf.nn.rnn_cell.BasicLSTMCell(n_hidden, forget_bias=1.0)
        outputs, _ = tf.nn.static_rnn(cell, tf.unstack(x, n_steps, 1), dtype=tf.float32)
        last = outputs[-1]
    elif way == "dynamic":
        outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.GRUCell(n_hidden), x, dtype=tf.float32)
        last = tf.transpose(outputs, [1, 0, 2])[-1]
    else:
        cells = [tf.nn.rnn_cell.LSTMCell(n_hidden, use_peepholes=True) for _ in range(2)]
        outputs, _ = tf.nn.bidirectional_dynamic_rnn(*cells, x, dtype=tf.float32)
        last = tf.reduce_mean(tf.concat(outputs, 2), axis=1)
    pred = tf.matmul(last, weights["out"]) + biases["out"]

    cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=pred, labels=y))
    optimizer = tf.train.AdamOptimizer(learning_rate=0.02).minimize(cost)
    correct = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1))
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))

    sess.run(tf.global_variables_initializer())
    filled(tf, sess)
    pictures, labels = digits(64, 0)
    history = []
    for step in range(24):
        rows = slice(step % 8 * batch_size, step % 8 * batch_size + batch_size)
        batch = {x: pictures[rows], y: labels[rows]}
        sess.run(optimizer, feed_dict=batch)
        if step % 6 == 0:
            history.append(sess.run([cost, accuracy], feed_dict=batch))
    test, truth = digits(20, 1)
    return [
        history,
        sess.run([accuracy, cost], feed_dict={x: test, y: truth}),
        [v.name for v in tf.trainable_variables()],
    ]


@corner()
@in_graph
def a_language_model_that_carries_its_state(tf: Any, sess: Any) -> Any:
    """Truncated backpropagation: the final state of one batch is fed as the initial state of the next."""
    batch_size, num_steps, vocabulary, size, layers = 2, 4, 5, 3, 2
    text = np.tile([0, 1, 2, 3, 4, 3, 2, 1], 9)[:66].reshape(batch_size, 33)
    inputs = tf.placeholder(tf.int32, [batch_size, num_steps])
    targets = tf.placeholder(tf.int32, [batch_size, num_steps])
    keep_prob, rate = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    with tf.variable_scope("model", initializer=tf.random_uniform_initializer(-0.1, 0.1)):
        embedding = tf.get_variable("embedding", [vocabulary, size])
        cells = [
            tf.nn.rnn_cell.DropoutWrapper(
                tf.nn.rnn_cell.BasicLSTMCell(size, forget_bias=0.0), output_keep_prob=keep_prob
            )
            for _ in range(layers)
        ]
        cell = tf.nn.rnn_cell.MultiRNNCell(cells)
        initial = cell.zero_state(batch_size, tf.float32)
        outputs, final = tf.nn.dynamic_rnn(cell, tf.nn.embedding_lookup(embedding, inputs), initial_state=initial)
        flat = tf.reshape(outputs, [-1, size])
        logits = tf.matmul(flat, tf.get_variable("w", [size, vocabulary])) + tf.get_variable("b", [vocabulary])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(targets, [-1]), logits=logits)
        cost = tf.reduce_sum(losses) / batch_size
        variables = tf.trainable_variables()
        grads, norm = tf.clip_by_global_norm([tf.convert_to_tensor(g) for g in tf.gradients(cost, variables)], 1.0)
        train = tf.train.GradientDescentOptimizer(rate).apply_gradients(zip(grads, variables, strict=True))
    sess.run(tf.global_variables_initializer())
    filled(tf, sess)
    history = []
    for epoch in range(2):
        state = sess.run(initial)
        total = 0.0
        for k in range(8):
            feed = {inputs: text[:, 4 * k : 4 * k + 4], targets: text[:, 4 * k + 1 : 4 * k + 5], keep_prob: 1.0}
            feed[rate] = 0.5 * 0.5**epoch
            for (c, h), (c_now, h_now) in zip(initial, state, strict=True):
                feed[c], feed[h] = c_now, h_now
            loss, state, length, _ = sess.run([cost, final, norm, train], feed)
            total += float(loss)
        history.append([float(f"{np.exp(total / 32):.6g}"), length])
    return [history, state[1].c, state[1].h, [v.name for v in variables]]


@corner()
def additive_attention_by_tensorflows_names(tf: Any) -> Any:
    """Additive attention between an encoder and a decoder that reverse sequences, trained with a tape."""
    tf = face(tf)
    layers, units, words = tf.keras.layers, 4, 6
    embedding, encoder = layers.Embedding(words, 3), layers.GRU(units, return_sequences=True, return_state=True)
    decoder, out = layers.GRUCell(units), layers.Dense(words)
    query, key, score = layers.Dense(units), layers.Dense(units), layers.Dense(1)
    parts = [embedding, encoder, decoder, out, query, key, score]

    def attend(h: Any, memory: Any) -> Any:
        scores = score(tf.nn.tanh(tf.expand_dims(query(h), 1) + key(memory)))
        weights = tf.nn.softmax(scores, axis=1)
        return tf.reduce_sum(weights * memory, axis=1), weights

    def loss_of(source: Any, target: Any) -> Any:
        memory, h = encoder(embedding(source))
        loss, before = 0.0, tf.zeros([tf.shape(source)[0]], dtype=tf.int32)
        for t in range(target.shape[1]):
            context, weights = attend(h, memory)
            y, h = decoder(tf.concat([context, embedding(before)], axis=-1), h)
            h = h[0] if isinstance(h, (list, tuple)) else h
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target[:, t], logits=out(y))
            loss += tf.reduce_mean(losses)
            before = target[:, t]
        return loss / float(target.shape[1]), weights

    source = np.array([[1, 2, 3, 4], [5, 4, 2, 1], [3, 3, 1, 5]], "int32")
    source, target = tf.constant(source), tf.constant(source[:, ::-1].copy())
    loss_of(source, target)
    variables = [v for part in parts for v in part.trainable_variables]
    for k, v in enumerate(variables):
        v.assign((0.4 * np.cos(np.arange(np.prod(v.shape)) + k)).reshape(tuple(v.shape)).astype("float32"))
    optimizer = tf.keras.optimizers.Adam(0.05)
    history = []
    for _ in range(8):
        with tf.GradientTape() as tape:
            loss, weights = loss_of(source, target)
        gradients = [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]
        gradients, norm = tf.clip_by_global_norm(gradients, 2.0)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        history.append([loss, norm])
    return [history, tf.squeeze(weights, -1), [list(v.shape) for v in variables]]
