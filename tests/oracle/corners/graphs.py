"""Programs of TensorFlow 1: graphs, placeholders and sessions."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import X, corner, error_of

ROWS = X.reshape(6, 4)
LABELS = np.array([0, 2, 2, 2, 2, 1])


def filled(v1: Any, sess: Any) -> None:
    """Give all trainable variables numbers that follow from their shapes."""
    for k, v in enumerate(v1.trainable_variables()):
        size = int(np.prod([int(n) for n in v.shape]))
        v.load(0.5 * np.cos(np.arange(size) + k).reshape([int(n) for n in v.shape]).astype("float32"), sess)


def in_graph(program: Any) -> Any:
    """Run a program in a graph with a session."""

    def run(tf: Any, *case: Any) -> Any:
        v1 = tf.compat.v1
        with v1.Graph().as_default(), v1.Session() as sess:
            return program(v1, sess, *case)

    run.__name__ = program.__name__
    run.__module__ = program.__module__
    return run


@corner()
@in_graph
def a_placeholder_and_nested_fetches(tf: Any, sess: Any) -> Any:
    x = tf.placeholder("float", [None, 4], name="x")
    y = tf.reduce_sum(x * 2.0 + 1.0, 1)
    found = sess.run({"a": [y, x], "b": (tf.shape(x), y[0])}, {x: ROWS})
    return [found["a"], list(found["b"]), list(x.shape), x.get_shape().as_list(), sess.run("x:0", {"x:0": ROWS[:1]})]


@corner()
@in_graph
def placeholders_of_all_kinds(tf: Any, sess: Any) -> Any:
    a = tf.placeholder(tf.float32)
    n = tf.placeholder(tf.int32, [])
    b = tf.placeholder_with_default(tf.constant([1.0, 2.0]), [None])
    flag = tf.placeholder(tf.bool)
    y = tf.cond(flag, lambda: b * 2.0, lambda: b + 1.0)
    z = tf.zeros([n, 2]) + a
    return [sess.run(a * 2.0, {a: [[1.0], [2.0]]}), sess.run(z, {n: 3, a: 0.5}), sess.run(y, {flag: True}),
            sess.run(y, {flag: False, b: [5.0]}), sess.run(b)]  # fmt: skip


@corner()
@in_graph
def eval_and_run_in_the_default_session(tf: Any, sess: Any) -> Any:
    x = tf.placeholder(tf.float32, [2])
    v = tf.Variable([1.0, 1.0], name="v")
    tf.global_variables_initializer().run()
    add = tf.assign_add(v, x)
    found = [(x * v).eval({x: [1.0, 2.0]}), v.eval()]
    add.op.run({x: [1.0, 2.0]})
    return [*found, v.eval(), v.name]


@corner()
@in_graph
def fetches_see_the_variables_before_the_updates(tf: Any, sess: Any) -> Any:
    v = tf.Variable(1.0)
    y = v * 10.0
    train = tf.train.GradientDescentOptimizer(0.1).minimize(v * v)
    sess.run(tf.global_variables_initializer())
    return [sess.run([y, train]), sess.run([train, y])[1], sess.run(y)]


@corner()
@in_graph
def control_dependencies_give_an_order(tf: Any, sess: Any) -> Any:
    v = tf.Variable(1.0)
    add = tf.assign_add(v, 2.0)
    with tf.control_dependencies([add]):
        after = v.read_value() * 10.0
        both = tf.group(tf.assign(v, v.read_value() * 3.0))
    sess.run(tf.global_variables_initializer())
    found = [sess.run(after)]
    sess.run(both)
    return [*found, sess.run(v), sess.run(tf.no_op())]


OPTIMIZERS: dict[str, Any] = {
    "GradientDescent": lambda t: t.GradientDescentOptimizer(0.1),
    "Momentum": lambda t: t.MomentumOptimizer(0.1, 0.9),
    "Nesterov": lambda t: t.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "Adagrad": lambda t: t.AdagradOptimizer(0.1),
    "Adam": lambda t: t.AdamOptimizer(0.01),
    "RMSProp": lambda t: t.RMSPropOptimizer(0.01),
    "RMSProp, options": lambda t: t.RMSPropOptimizer(0.01, decay=0.8, momentum=0.5, centered=True),
}


@corner(*OPTIMIZERS)
@in_graph
def optimizers_step(tf: Any, sess: Any, name: str) -> Any:
    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.int64, [None])
    w, b = tf.Variable(tf.ones([4, 3]) * 0.1, name="w"), tf.get_variable("b", [3], initializer=tf.zeros_initializer())
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=tf.matmul(x, w) + b))
    step = tf.train.get_or_create_global_step()
    train = OPTIMIZERS[name](tf.train).minimize(loss, global_step=step)
    sess.run(tf.global_variables_initializer())
    found = [sess.run([train, loss], {x: np.sin(ROWS * 7), y: LABELS})[1] for _ in range(4)]
    return [found, sess.run([w, b]), int(sess.run(step)), [v.name for v in tf.trainable_variables()]]


@corner()
@in_graph
def gradients_clipped_by_their_norm(tf: Any, sess: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 4])
    w = tf.get_variable("w", [4, 2], initializer=tf.constant_initializer(0.3))
    unused = tf.get_variable("unused", [1], initializer=tf.zeros_initializer())
    hidden = tf.tanh(tf.matmul(x, w))
    loss = tf.reduce_sum(hidden * hidden) + tf.nn.l2_loss(w)
    rate = tf.placeholder(tf.float32, [])
    optimizer = tf.train.GradientDescentOptimizer(rate)
    grads, names = zip(*optimizer.compute_gradients(loss), strict=True)
    clipped, norm = tf.clip_by_global_norm(grads, 1.0)
    train = optimizer.apply_gradients(zip(clipped, names, strict=True))
    sess.run(tf.global_variables_initializer())
    dw, dh, dx = tf.gradients(loss, [w, hidden, x])
    found = sess.run([dw, dh, dx, norm, train], {x: ROWS, rate: 0.5})[:4]
    return [found, sess.run(w), tf.gradients(loss, unused)[0] is None, grads[1] is None]


@corner()
@in_graph
def a_gradient_of_a_gradient(tf: Any, sess: Any) -> Any:
    x = tf.placeholder(tf.float32, [3])
    y = x * x * x
    dx = tf.gradients(y, x)[0]
    ddx = tf.gradients(dx, [x])
    return sess.run([y, dx, ddx, tf.gradients(y, x, grad_ys=tf.constant([1.0, 2.0, 3.0]))], {x: [1.0, 2.0, -1.0]})


@corner()
@in_graph
def a_loop_and_a_decaying_rate(tf: Any, sess: Any) -> Any:
    x = tf.placeholder(tf.float32, [None])
    n = tf.placeholder(tf.int32, [])
    _, y = tf.while_loop(lambda k, _: k < n, lambda k, a: (k + 1, a + x), [tf.constant(0), tf.zeros_like(x)])
    step = tf.Variable(0, trainable=False)
    rate = tf.train.exponential_decay(0.1, step, 2, 0.5, staircase=True)
    v = tf.Variable(1.0)
    train = tf.train.GradientDescentOptimizer(rate).minimize(v * v, global_step=step)
    sess.run(tf.global_variables_initializer())
    rates = [sess.run([rate, train])[0] for _ in range(5)]
    return [
        sess.run(y, {x: [1.0, 2.0], n: 3}),
        rates,
        sess.run(v),
        sess.run(tf.scan(lambda a, b: a + b, x), {x: [1.0, 2.0]}),
    ]


@corner("keep", "forget")
@in_graph
def an_option_is_a_placeholder(tf: Any, sess: Any, which: str) -> Any:
    x = tf.placeholder(tf.float32, [None, 3, 4])
    option = tf.placeholder(tf.float32, [])
    cell = tf.nn.rnn_cell.LSTMCell(2, forget_bias=option if which == "forget" else 1.0)
    if which == "keep":
        cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=option)
    y, state = tf.nn.dynamic_rnn(cell, x, dtype=tf.float32)
    sess.run(tf.global_variables_initializer())
    filled(tf, sess)
    found = sess.run([y, state.h], {x: X, option: 1.0})
    other = sess.run(y, {x: X, option: 0.5})
    zeros_or_doubled = np.isclose(other, 0) | np.isclose(other, 2 * found[0])
    return [found, bool(zeros_or_doubled.all()) if which == "keep" else other]


@corner()
@in_graph
def layers_and_losses(tf: Any, sess: Any) -> Any:
    x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(tf.float32, [None, 2])
    training, weights = tf.placeholder(tf.bool, []), tf.placeholder(tf.float32, [None, 1])
    classes = tf.placeholder(tf.int64, [None])
    h = tf.layers.dense(x, 3, activation=tf.nn.tanh, name="one")
    h = tf.layers.dropout(h, 0.5, training=training)
    out = tf.layers.dense(h, 2, kernel_initializer=tf.zeros_initializer())
    again = tf.layers.dense(x, 3, tf.nn.tanh, name="one", reuse=True)
    sess.run(tf.global_variables_initializer())
    filled(tf, sess)
    target, each = ROWS[:, :2], np.array([1.0, 0.0, 2.0, 1.0, 0.0, 1.0], "float32")[:, None]
    labels = (ROWS[:, :2] > 1.0).astype("float32")
    found = [
        tf.losses.mean_squared_error(y, out), tf.losses.mean_squared_error(y, out, weights=weights),
        tf.losses.absolute_difference(y, out), tf.losses.huber_loss(y, out, delta=0.3), tf.losses.hinge_loss(y, out),
        tf.losses.sigmoid_cross_entropy(y, out, label_smoothing=0.1), tf.losses.softmax_cross_entropy(y, out),
        tf.losses.sparse_softmax_cross_entropy(classes, out), tf.losses.log_loss(y, tf.sigmoid(out)),
    ]  # fmt: skip
    numbers = sess.run(found, {x: ROWS, y: labels, training: False, weights: each, classes: LABELS % 2})
    mse = sess.run(found[0], {x: ROWS, y: target, training: False})
    names = [v.name for v in tf.trainable_variables()]
    return [numbers, mse, names, sess.run(again, {x: ROWS}), sess.run(tf.layers.flatten(tf.constant(X)))]


@corner()
@in_graph
def a_second_initialization_and_a_file(tf: Any, sess: Any) -> Any:
    import tempfile

    v, w = tf.Variable([1.0, 2.0], name="v"), tf.get_variable("w", initializer=tf.constant(3.0))
    init, saver = tf.global_variables_initializer(), tf.train.Saver()
    sess.run(init)
    sess.run([tf.assign(v, [5.0, 6.0]), tf.assign(w, 7.0)])
    with tempfile.TemporaryDirectory() as folder:
        path = saver.save(sess, f"{folder}/model", global_step=3)
        sess.run(init)
        found = sess.run([v, w])
        saver.restore(sess, path)
        latest = tf.train.latest_checkpoint(folder) == path
    return [found, sess.run([v, w]), latest, [x.name for x in tf.global_variables()]]


@corner()
def graphs_apart(tf: Any) -> Any:
    v1 = tf.compat.v1
    one, two = v1.Graph(), v1.Graph()
    with one.as_default():
        a = v1.get_variable("v", [2], initializer=v1.ones_initializer())
        y = a * 2.0
        init = v1.global_variables_initializer()
    with two.as_default():
        v1.get_variable("v", [1], initializer=v1.zeros_initializer())
        names = [v.name for v in v1.global_variables()]
    with v1.Session(graph=one) as sess:
        sess.run(init)
        found = sess.run(y)
        kind = error_of(lambda: sess.run(two_times(v1, two)))
    return [found, names, kind]


def two_times(v1: Any, graph: Any) -> Any:
    with graph.as_default():
        return v1.constant(1.0) * 2.0


@corner()
@in_graph
def mistakes_in_graphs(tf: Any, sess: Any) -> Any:
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    y = x * 2.0

    def branch() -> None:
        if y:
            pass

    return [
        error_of(branch), error_of(lambda: float(y)), error_of(lambda: sess.run(y, {x: np.zeros((2, 4))})),
        error_of(lambda: sess.run(3)), error_of(lambda: tf.matmul(x, tf.zeros([4, 2]))), error_of(lambda: list(y)),
    ]  # fmt: skip


@corner()
def an_interactive_session(tf: Any) -> Any:
    v1 = tf.compat.v1
    with v1.Graph().as_default():
        sess = v1.InteractiveSession()
        found = (v1.constant([1.0, 2.0]) * 3.0).eval()
        same = v1.get_default_session() is sess
        sess.close()
    return [found, same]
