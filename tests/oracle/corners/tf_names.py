"""TensorFlow's functions by name, with values and gradients: ``import tensorflow as tf`` and `minigrad.tf`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from oracle.corners import X, corner, error_of, face, with_gradients

V = np.sin(X * 7)  # (2, 3, 4), both signs
W = np.cos(X * 3)
P = X[0] + 0.1  # (3, 4), positive
Q = np.linspace(-1, 1, 12).reshape(3, 4).astype("float32")
IDS = [[1, 2], [0, 2], [1, 1]]

ONE: dict[str, Any] = {
    "abs": lambda tf, x: tf.abs(x),
    "ceil": lambda tf, x: tf.math.ceil(x * 3.0),
    "cos": lambda tf, x: tf.cos(x),
    "cumsum": lambda tf, x: tf.cumsum(x),
    "cumsum, options": lambda tf, x: tf.math.cumsum(x, axis=1, exclusive=True, reverse=True),
    "erf": lambda tf, x: tf.math.erf(x),
    "exp": lambda tf, x: tf.exp(x),
    "expm1": lambda tf, x: tf.math.expm1(x),
    "floor": lambda tf, x: tf.floor(x * 3.0),
    "is_finite": lambda tf, x: tf.math.is_finite(tf.concat([x[0, 0], [np.inf, -np.inf, np.nan]], 0)),
    "is_inf": lambda tf, x: tf.math.is_inf(tf.concat([x[0, 0], [np.inf, -np.inf, np.nan]], 0)),
    "is_nan": lambda tf, x: tf.math.is_nan(tf.concat([x[0, 0], [np.inf, -np.inf, np.nan]], 0)),
    "l2_normalize": lambda tf, x: tf.math.l2_normalize(x, 1),
    "l2_normalize of all": lambda tf, x: tf.nn.l2_normalize(x) + tf.linalg.l2_normalize(x, [1, 2]),
    "log": lambda tf, x: tf.math.log(tf.abs(x) + 0.5),
    "log1p": lambda tf, x: tf.math.log1p(x * x),
    "negative": lambda tf, x: tf.negative(x),
    "pow": lambda tf, x: tf.pow(x, 3.0) + tf.math.pow(2.0, x),
    "reciprocal": lambda tf, x: tf.math.reciprocal(x + 2.0),
    "round": lambda tf, x: tf.round(x * 4.0),
    "round halves": lambda tf, x: tf.round(tf.constant([0.5, 1.5, -0.5, -1.5, 2.4])) + 0.0,
    "rsqrt": lambda tf, x: tf.math.rsqrt(x * x + 1.0),
    "sign": lambda tf, x: tf.sign(x),
    "sin": lambda tf, x: tf.sin(x),
    "sqrt": lambda tf, x: tf.sqrt(x * x + 1.0),
    "square": lambda tf, x: tf.square(x),
    "tan": lambda tf, x: tf.tan(x),
    "tanh": lambda tf, x: tf.tanh(x) + tf.math.tanh(2.0 * x),
    "sigmoid": lambda tf, x: tf.sigmoid(x) + tf.math.sigmoid(2.0 * x),
    "logical": lambda tf, x: tf.logical_and(x > 0.0, tf.logical_not(tf.logical_or(x < -0.5, x > 0.5))),
    "reduce_sum": lambda tf, x: tf.reduce_sum(x, axis=[0, 2]),
    "reduce_mean": lambda tf, x: tf.reduce_mean(x, 1, keepdims=True),
    "reduce_max": lambda tf, x: tf.reduce_max(x, axis=-1),
    "reduce_min": lambda tf, x: tf.reduce_min(x),
    "reduce_prod": lambda tf, x: tf.reduce_prod(x, axis=1),
    "reduce_all": lambda tf, x: tf.reduce_all(x > -0.9, axis=0),
    "reduce_any": lambda tf, x: tf.reduce_any(x > 0.9, axis=0),
    "reduce_logsumexp": lambda tf, x: tf.reduce_logsumexp(x, axis=1),
    "reduce_std": lambda tf, x: tf.math.reduce_std(x, axis=1),
    "reduce_variance": lambda tf, x: tf.math.reduce_variance(x, axis=[1, 2]),
    "moments": lambda tf, x: list(tf.nn.moments(x, [0, 1])),
    "argmax": lambda tf, x: [tf.argmax(x), tf.argmax(x, axis=-1, output_type=tf.int32)],
    "argmin": lambda tf, x: [tf.argmin(x), tf.math.argmin(x, 2)],
    "count_nonzero": lambda tf, x: [tf.math.count_nonzero(tf.nn.relu(x), axis=1), tf.math.count_nonzero(x)],
    "norm": lambda tf, x: tf.norm(x, axis=2) + tf.linalg.norm(x, ord=1, axis=2),
    "global_norm": lambda tf, x: tf.linalg.global_norm([x, 2.0 * x]),
    "clip_by_value": lambda tf, x: tf.clip_by_value(x, -0.3, 0.4),
    "clip_by_norm": lambda tf, x: [
        tf.clip_by_norm(x, 1.0),
        tf.clip_by_norm(x, 100.0),
        tf.clip_by_norm(x, 0.5, axes=[2]),
    ],
    "clip_by_global_norm": lambda tf, x: list(tf.clip_by_global_norm([x, x * x], 1.0)[0]),
    "clip_by_global_norm, large": lambda tf, x: tf.clip_by_global_norm([x, None], 100.0)[1],
    "reshape": lambda tf, x: tf.reshape(x, [-1, 6]),
    "reshape by a tensor": lambda tf, x: tf.reshape(x, tf.stack([tf.shape(x)[0], 12])),
    "transpose": lambda tf, x: [tf.transpose(x), tf.transpose(x, perm=[1, 0, 2])],
    "expand_dims": lambda tf, x: tf.expand_dims(x, axis=1),
    "squeeze": lambda tf, x: [tf.squeeze(tf.expand_dims(x, 0)), tf.squeeze(x[:, :1], axis=[1])],
    "concat": lambda tf, x: tf.concat([x, x[:, :1]], axis=1),
    "stack": lambda tf, x: tf.stack([x, 2.0 * x], axis=-1),
    "unstack": lambda tf, x: tf.unstack(x, 3, 1),
    "split by sizes": lambda tf, x: tf.split(x, [1, 3], 2) + tf.split(x, [-1, 1], axis=1),
    "split in equal parts": lambda tf, x: tf.split(x, 2, axis=-1) + tf.split(x, num_or_size_splits=2),
    "tile": lambda tf, x: tf.tile(x, [1, 2, 1]),
    "repeat": lambda tf, x: [tf.repeat(x, 2, axis=1), tf.repeat(x, [2, 1], axis=0), tf.repeat(x[0, 0], 3)],
    "pad": lambda tf, x: [
        tf.pad(x, [[0, 0], [1, 2], [0, 1]]),
        tf.pad(x, [[1, 0], [0, 0], [0, 0]], constant_values=5.0),
    ],
    "reverse": lambda tf, x: tf.reverse(x, axis=[0, 2]),
    "reverse_sequence": lambda tf, x: tf.reverse_sequence(x, [3, 2], seq_axis=1, batch_axis=0),
    "broadcast_to": lambda tf, x: tf.broadcast_to(x[:1], [2, 3, 4]),
    "slice": lambda tf, x: tf.slice(x, [0, 1, 0], [2, -1, 3]),
    "gather": lambda tf, x: [
        tf.gather(x, [1, 0, 1]),
        tf.gather(x, [[3, 0]], axis=2),
        tf.gather(x, [[2], [0]], batch_dims=1),
    ],
    "gather_nd": lambda tf, x: tf.gather_nd(x, [[0, 2], [1, 1]]),
    "boolean_mask": lambda tf, x: tf.boolean_mask(x, [[True, False, True], [False, False, True]]),
    "where": lambda tf, x: tf.where(x > 0.0, x, -2.0 * x),
    "identity": lambda tf, x: tf.identity(x) * 3.0,
    "stop_gradient": lambda tf, x: x * tf.stop_gradient(x),
    "cast": lambda tf, x: [
        tf.cast(x * 10.0, tf.int32),
        tf.cast(tf.cast(x, tf.float64) * x64(tf), tf.float32),
        tf.dtypes.cast(x > 0.0, tf.float32),
    ],
    "shape": lambda tf, x: [tf.shape(x), tf.size(x), tf.rank(x), tf.shape(x, out_type=tf.int64)],
    "zeros_like": lambda tf, x: [tf.zeros_like(x), tf.ones_like(x, dtype=tf.int32)],
    "convert_to_tensor": lambda tf, x: tf.convert_to_tensor(x, tf.float32),
    "add_n": lambda tf, x: tf.add_n([x, x * x, x]),
    "relu": lambda tf, x: tf.nn.relu(x),
    "relu6": lambda tf, x: tf.nn.relu6(x * 10.0),
    "leaky_relu": lambda tf, x: [tf.nn.leaky_relu(x), tf.nn.leaky_relu(x, alpha=0.3)],
    "elu": lambda tf, x: tf.nn.elu(x),
    "selu": lambda tf, x: tf.nn.selu(x),
    "softplus": lambda tf, x: tf.nn.softplus(x) + tf.math.softplus(x),
    "softsign": lambda tf, x: tf.nn.softsign(x) + tf.math.softsign(x),
    "silu": lambda tf, x: [tf.nn.silu(x), tf.nn.swish(x, beta=2.0)],
    "gelu": lambda tf, x: [tf.nn.gelu(x), tf.nn.gelu(x, approximate=True)],
    "nn.tanh": lambda tf, x: tf.nn.tanh(x) * tf.nn.sigmoid(x),
    "softmax": lambda tf, x: [tf.nn.softmax(x), tf.nn.softmax(x, axis=1), tf.math.softmax(x)],
    "log_softmax": lambda tf, x: [tf.nn.log_softmax(x), tf.math.log_softmax(x, axis=1)],
    "l2_loss": lambda tf, x: tf.nn.l2_loss(x),
    "bias_add": lambda tf, x: tf.nn.bias_add(x, tf.constant([1.0, 2.0, 3.0, 4.0])),
    "embedding_lookup": lambda tf, x: tf.nn.embedding_lookup(x[0], tf.constant(IDS)),
    "dropout of nothing": lambda tf, x: tf.nn.dropout(x, rate=0.0),
    "in_top_k": lambda tf, x: [tf.math.in_top_k([0, 3, 2], x[0], k=2), tf.nn.in_top_k([1, 1, 1], x[1], 3)],
    "sparse cross-entropy": lambda tf, x: tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=[[0, 1, 2], [3, 3, 3]], logits=x
    ),
    "scan": lambda tf, x: tf.scan(lambda a, b: 0.5 * a + b, x),
    "scan, options": lambda tf, x: tf.scan(lambda a, b: a * b + 1.0, x, initializer=tf.zeros([3, 4]), reverse=True),
    "map_fn": lambda tf, x: tf.map_fn(lambda row: row * row, x),
    "map_fn to two": lambda tf, x: list(
        tf.map_fn(lambda row: (row, -row), x, fn_output_signature=(tf.float32, tf.float32))
    ),
    "foldl": lambda tf, x: tf.foldl(lambda a, b: a * 2.0 + b, x),
    "while_loop": lambda tf, x: list(
        tf.while_loop(lambda k, a: k < 3, lambda k, a: (k + 1, a * x), [tf.constant(0), x])
    ),
    "while_loop, limited": lambda tf, x: list(
        tf.while_loop(lambda a: tf.reduce_sum(a) < 1e9, lambda a: [a * 2.0], [x], maximum_iterations=4)
    ),
    "cond": lambda tf, x: [
        tf.cond(tf.reduce_sum(x) > 0.0, lambda: x * 2.0, lambda: x),
        tf.cond(False, lambda: x, lambda: x * x),
    ],
    "einsum": lambda tf, x: tf.einsum(
        "bti,ij->btj", x, tf.constant(np.float32(Q[:, :3].T[:3].repeat(1, 0)[[0, 1, 2, 0]]))
    ),
    "logical in math": lambda tf, x: [
        tf.math.logical_and(x > 0.0, x < 0.5),
        tf.math.logical_or(x > 0.9, x < 0.0),
        tf.math.logical_not(x > 0.0),
    ],
}

TWO: dict[str, Any] = {
    "add": lambda tf, x, y: tf.add(x, y) + tf.math.add(x, 1),
    "subtract": lambda tf, x, y: tf.subtract(x, y),
    "multiply": lambda tf, x, y: tf.multiply(x, y),
    "divide": lambda tf, x, y: tf.divide(x, y + 3.0),
    "divide_no_nan": lambda tf, x, y: tf.math.divide_no_nan(x, tf.nn.relu(y)),
    "floordiv": lambda tf, x, y: tf.math.floordiv(x, y + 3.0),
    "floormod": lambda tf, x, y: tf.math.floormod(x, y + 3.0) + tf.math.mod(x, 0.3),
    "maximum": lambda tf, x, y: tf.maximum(x, y),
    "minimum": lambda tf, x, y: tf.minimum(x, y) + tf.math.minimum(x, 0.1),
    "at a tie": lambda tf, x, y: tf.maximum(x, x + 0.0 * y) + tf.math.maximum(0.0 * x, 0.0 * y),
    "squared_difference": lambda tf, x, y: tf.math.squared_difference(x, y),
    "comparisons": lambda tf, x, y: [
        tf.equal(x, x),
        tf.not_equal(x, y),
        tf.less(x, y),
        tf.less_equal(x, y),
        tf.greater(x, y),
        tf.greater_equal(x, y),
    ],
    "comparisons in math": lambda tf, x, y: [
        tf.math.equal(x, x),
        tf.math.not_equal(x, y),
        tf.math.less(x, y),
        tf.math.less_equal(x, y),
        tf.math.greater(x, y),
        tf.math.greater_equal(x, y),
    ],
    "matmul": lambda tf, x, y: tf.matmul(x, y, transpose_b=True),
    "linalg.matmul": lambda tf, x, y: tf.linalg.matmul(x, y, transpose_a=True),
    "matvec": lambda tf, x, y: tf.linalg.matvec(x, y[:, 0]),
    "tensordot": lambda tf, x, y: tf.tensordot(x, y, axes=[[0, 2], [0, 2]]),
    "tensordot over one": lambda tf, x, y: tf.linalg.tensordot(x, tf.transpose(y[0]), 1),
    "linalg.einsum": lambda tf, x, y: tf.linalg.einsum("bti,bsi->bts", x, y),
    "cross-entropy": lambda tf, x, y: tf.nn.softmax_cross_entropy_with_logits(labels=tf.nn.softmax(y), logits=x),
    "sigmoid cross-entropy": lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(
        labels=tf.sigmoid(y), logits=x * 20.0
    ),
    "weighted cross-entropy": lambda tf, x, y: tf.nn.weighted_cross_entropy_with_logits(
        labels=tf.sigmoid(y), logits=x, pos_weight=2.0
    ),
    "in math": lambda tf, x, y: tf.math.multiply(
        tf.math.subtract(x, y), tf.math.divide(tf.math.square(x), tf.math.sqrt(tf.math.exp(y)))
    ),
    "in math, others": lambda tf, x, y: (
        tf.math.abs(tf.math.negative(x))
        + tf.math.sin(y) * tf.math.cos(x)
        - tf.math.tan(x)
        + tf.math.add_n([x, y])
        + tf.math.sign(x)
        + tf.math.floor(x)
        + tf.math.round(y)
    ),
    "reductions in math": lambda tf, x, y: [
        tf.math.reduce_sum(x, 0),
        tf.math.reduce_mean(x, 0),
        tf.math.reduce_max(x, 0),
        tf.math.reduce_min(x, 0),
        tf.math.reduce_prod(y, 0),
        tf.math.reduce_all(x > y, 0),
        tf.math.reduce_any(x > y, 0),
        tf.math.reduce_logsumexp(x, 0),
        tf.math.argmax(y, 0),
    ],
}

NONE: dict[str, Any] = {
    "constant": lambda tf: [
        tf.constant(3),
        tf.constant([1, 2]),
        tf.constant(2.5),
        tf.constant([[1, 2], [3, 4.5]]),
        tf.constant(True),
    ],
    "constant, options": lambda tf: [
        tf.constant(3, tf.float32),
        tf.constant([1, 2], dtype="int64"),
        tf.constant(7, shape=[2, 2]),
        tf.constant([1, 2, 3, 4], shape=(2, 2)),
        tf.constant(np.float64(2.0)),
        tf.constant(np.arange(3)),
    ],
    "zeros and ones": lambda tf: [
        tf.zeros([2, 3]),
        tf.ones([2], tf.int32),
        tf.zeros(3, "float64"),
        tf.fill([2, 2], 9),
        tf.fill([1], 2.5),
    ],
    "range": lambda tf: [
        tf.range(5),
        tf.range(2, 8, 3),
        tf.range(0.0, 1.0, 0.25),
        tf.range(3, dtype=tf.float32),
        tf.range(tf.constant(3, tf.int64)),
    ],
    "linspace and eye": lambda tf: [tf.linspace(0.0, 1.0, 5), tf.eye(2), tf.eye(2, 3), tf.linalg.eye(1)],
    "one_hot": lambda tf: [
        tf.one_hot([0, 2, -1, 5], 3),
        tf.one_hot([1, 0], 2, on_value=5.0, off_value=-1.0),
        tf.one_hot([0, 1, 1], 2, axis=0),
        tf.one_hot([1], 3, dtype=tf.int32),
    ],
    "sequence_mask": lambda tf: [
        tf.sequence_mask([1, 3, 2]),
        tf.sequence_mask([1, 3], 5),
        tf.sequence_mask([[1], [2]], maxlen=2, dtype=tf.float32),
    ],
    "whole numbers": lambda tf: [
        tf.divide(7, 2),
        tf.math.floordiv(tf.constant([-7, 7]), 2),
        tf.math.floormod(tf.constant([-7, 7]), 3),
        tf.reduce_mean(tf.constant([1, 2, 4])),
        tf.reduce_sum(tf.constant([1, 2])),
        tf.reduce_prod(tf.constant([3, 4])),
    ],
    "dtypes": lambda tf: [
        tf.float32.is_floating,
        tf.int64.is_integer,
        tf.bool.is_bool,
        tf.float64.name,
        tf.half == tf.float16,
        tf.double == "float64",
        tf.as_dtype("float32") == tf.float32,
        tf.dtypes.as_dtype(np.int32) == tf.int32,
        tf.constant(1.0).dtype == tf.float32,
        tf.int8.size,
        tf.uint8.size,
        tf.int16.size,
        tf.uint16.size,
        tf.uint32.size,
        tf.uint64.size,
        isinstance(tf.float32, tf.DType),
        tf.float32.as_numpy_dtype is np.float32,
        tf.float32.base_dtype == tf.float32,
    ],
    "a variable": lambda tf: [a_variable(tf)],
    "nest": lambda tf: [
        tf.nest.flatten({"b": 1, "a": (2, [3])}),
        tf.nest.map_structure(lambda a, b: a + b, [1, (2,)], [3, (4,)]),
        tf.nest.pack_sequence_as([0, (0, 0)], [5, 6, 7]),
        tf.nest.is_nested([1]),
        error_of(lambda: tf.nest.assert_same_structure([1], [1, 2])),
    ],
    "TensorShape": lambda tf: [
        tf.TensorShape([2, None]),
        tf.TensorShape([2, 3]).num_elements(),
        tf.TensorShape([None, 3]).as_list(),
    ],
    "newaxis": lambda tf: tf.constant([1, 2])[:, tf.newaxis],
    "draws": lambda tf: [
        tf.random.normal([2, 3]).shape,
        tf.random.uniform([2], 0, 5, tf.int32).dtype == tf.int32,
        tf.random.truncated_normal([4]).shape,
        bool(tf.reduce_all(tf.abs(tf.random.truncated_normal([99])) <= 2.0)),
        tf.random.categorical([[0.0, -1e9], [-1e9, 0.0]], 3),
        tf.reduce_sum(tf.random.shuffle(tf.range(5))),
        tf.random.set_seed(1),
    ],
    "function": lambda tf: [decorated(tf)],
    "a TensorArray": lambda tf: (
        tf.TensorArray(tf.float32, size=2).write(0, tf.constant([1.0])).write(1, tf.constant([2.0])).stack()
    ),
    "errors": lambda tf: [
        error_of(lambda: tf.convert_to_tensor(tf.constant(1.0), tf.int32)),
        error_of(lambda: tf.data_of_no_kind),
    ],
    "a spec": lambda tf: [list(tf.TensorSpec([2, 3], tf.float32).shape), tf.TensorSpec([], "int32", name="n").name],
}


def x64(tf: Any) -> Any:
    return tf.constant(3.0, tf.float64)


def a_variable(tf: Any) -> Any:
    v = tf.Variable([1.0, 2.0], name="v")
    found = [v.assign_add([1.0, 1.0]).numpy(), v.assign_sub([0.5, 0.5]).numpy(), v.name, v.trainable, list(v.shape)]
    n = tf.Variable(3)
    found += [
        n.dtype == tf.int32,
        v.assign([7.0, 8.0]).numpy(),
        v.read_value(),
        v.value() * 2.0,
        n.assign_add(2).numpy(),
    ]
    with tf.GradientTape() as tape:
        y = tf.reduce_sum(v * v) * 2.0
    return [*found, tape.gradient(y, v), isinstance(v, tf.Variable), isinstance(y, tf.Tensor)]


def decorated(tf: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")

        @tf.function
        def double(x: Any) -> Any:
            return x * 2.0

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)], reduce_retracing=True)
        def triple(x: Any) -> Any:
            return x * 3.0

        return [double(tf.constant([1.0, 2.0])), triple(tf.constant([1.0]))]


@corner(*ONE)
def of_one_tensor(tf: Any, name: str) -> Any:
    tf = face(tf)
    return with_gradients(tf, lambda x: [ONE[name](tf, x), x * 1.0], V)


@corner(*TWO)
def of_two_tensors(tf: Any, name: str) -> Any:
    tf = face(tf)
    return with_gradients(tf, lambda x, y: [TWO[name](tf, x, y), x * 1.0], V, W)


@corner(*NONE)
def of_numbers(tf: Any, name: str) -> Any:
    tf = face(tf)
    return listed(tf, NONE[name](tf))


def listed(tf: Any, found: Any) -> Any:
    """Shapes and dtypes as plain values."""
    if isinstance(found, (list, tuple)) and not isinstance(found, tf.TensorShape):
        return [listed(tf, part) for part in found]
    return bool(found) if isinstance(found, np.bool_) else found
