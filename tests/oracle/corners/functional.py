"""Models made from symbols, and the layers that merge and rearrange what they join."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import MASK, X, corner, error_of, fill, given, is_ours, with_gradients

IDS = np.array([[1, 2, 0], [3, 0, 0]])
ROWS = np.linspace(-1, 1, 8).reshape(2, 4).astype("float32")


def report(tf: Any, model: Any, *inputs: Any) -> list[Any]:
    """The order of layers and weights, the shapes, and the numbers of a model, its weights set."""
    for layer in model.layers:
        fill(layer)
    x = [given(tf, array) for array in inputs]
    return [
        [layer.name for layer in model.layers],
        [w.name for w in model.weights],
        model.count_params(),
        model(x if len(x) > 1 else x[0]),
    ]


@corner()
def a_chain(tf: Any) -> Any:
    k = tf.keras
    x = k.Input((None, 4), name="x")
    y = k.layers.Dense(2, name="last")(k.layers.LSTM(3, name="lstm")(x))
    model = k.Model(x, y, name="chain")
    return [model.name, list(model.input_shape), list(model.output_shape), *report(tf, model, X)]


@corner()
def two_inputs_and_outputs(tf: Any) -> Any:
    k = tf.keras
    a, b = k.Input((None, 4), name="a"), k.Input((4,), name="b")
    h = k.layers.LSTM(3, name="lstm")(a)
    both = k.layers.Concatenate(name="both")([h, k.layers.Dense(2, name="d1")(b)])
    model = k.Model([a, b], [k.layers.Dense(1, name="y1")(both), k.layers.Dense(2, name="y2")(h)])
    return [list(map(list, model.input_shape)), list(map(list, model.output_shape)), *report(tf, model, X, ROWS)]


@corner()
def a_shared_layer(tf: Any) -> Any:
    k = tf.keras
    a, b = k.Input((3, 4), name="a"), k.Input((3, 4), name="b")
    shared = k.layers.GRU(2, name="shared")
    model = k.Model([b, a], k.layers.Dot(axes=1, name="dot")([shared(a), shared(b)]))
    return report(tf, model, X, X[::-1].copy())


@corner()
def masks_from_an_embedding(tf: Any) -> Any:
    k = tf.keras
    x = k.Input((None,), dtype="int32", name="x")
    e = k.layers.Embedding(5, 4, mask_zero=True, name="e")(x)
    y = k.layers.Bidirectional(k.layers.LSTM(2), name="bi")(e)
    return report(tf, k.Model(x, y), IDS)


@corner()
def an_encoder_and_a_decoder(tf: Any) -> Any:
    k = tf.keras
    a, b = k.Input((None, 4), name="a"), k.Input((None, 4), name="b")
    _, h, c = k.layers.LSTM(3, return_state=True, name="encoder")(a)
    y, _, _ = k.layers.LSTM(3, return_sequences=True, return_state=True, name="decoder")(b, initial_state=[h, c])
    y = k.layers.TimeDistributed(k.layers.Dense(2), name="words")(y)
    whole = k.Model([a, b], y)
    found = report(tf, whole, X, X[:, ::-1].copy())
    encoder = k.Model(a, [h, c])
    return [*found, encoder(given(tf, X)), [layer.name for layer in encoder.layers]]


@corner()
def a_model_inside_a_model(tf: Any) -> Any:
    k = tf.keras
    x = k.Input((4,), name="x")
    inner = k.Model(x, k.layers.Dense(3, activation="tanh", name="d")(x), name="inner")
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    y = k.layers.Subtract(name="s")([inner(a), inner(b)])
    return report(tf, k.Model([a, b], y), ROWS, ROWS + 1)


@corner()
def a_dictionary_of_inputs(tf: Any) -> Any:
    k = tf.keras
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    model = k.Model({"b": b, "a": a}, {"sum": k.layers.Add(name="add")([a, b]), "a": k.layers.Dense(2, name="d")(a)})
    for layer in model.layers:
        fill(layer)
    found = model({"a": given(tf, ROWS), "b": given(tf, ROWS + 1)})
    return [found["sum"], found["a"], sorted(found), [layer.name for layer in model.layers]]


@corner()
def a_look_inside(tf: Any) -> Any:
    k = tf.keras
    x = k.Input((3, 4), name="x")
    h = k.layers.LSTM(3, return_sequences=True, name="lstm")(x)
    model = k.Model(x, k.layers.Dense(2, name="d")(h))
    for layer in model.layers:
        fill(layer)
    return [
        k.Model(model.inputs, model.get_layer("lstm").output)(given(tf, X)),
        k.Model(model.input, model.layers[1].output)(given(tf, X)),
        list(model.get_layer("d").input_shape), list(model.get_layer("d").output_shape),
    ]  # fmt: skip


@corner()
def an_order_by_depth(tf: Any) -> Any:
    k = tf.keras
    x = k.Input((4,), name="x")
    long = k.layers.Dense(3, name="l2")(k.layers.Dense(3, name="l1")(x))
    short = k.layers.Dense(3, name="s1")(x)
    y = k.layers.Add(name="add")([short, long])
    z = k.layers.Dense(1, name="z")(k.layers.Dense(3, name="s0")(x))
    return [report(tf, k.Model(x, [y, z]), ROWS), report(tf, k.Model(x, [z, y]), ROWS)]


@corner()
def arithmetic_of_symbols(tf: Any) -> Any:
    k = tf.keras
    x = k.Input((3, 4))
    y = (2.0 * x + 1.0) / (x * x + 3.0) - x[:, :1] ** 2
    y = -abs(y - 0.5)
    return [list(y.shape), k.Model(x, y)(given(tf, X))]


@corner()
def training_a_model_of_symbols(tf: Any) -> Any:
    k = tf.keras
    a, b = k.Input((None, 4), name="a"), k.Input((4,), name="b")
    h = k.layers.LSTM(3, name="lstm")(a)
    y = k.layers.Dense(1, name="y")(k.layers.Concatenate(name="c")([h, b]))
    model = k.Model([a, b], [y, k.layers.Dense(2, name="z")(h)])
    for layer in model.layers:
        fill(layer)
    model.compile(k.optimizers.SGD(0.1), ["mse", "mae"], loss_weights=[1.0, 0.5])
    targets = [np.ones((2, 1), "float32"), np.zeros((2, 2), "float32")]
    losses = [[float(f"{n:.6g}") for n in model.train_on_batch([X, ROWS], targets)] for _ in range(3)]
    return [losses, [np.asarray(w) for w in model.get_weights()]]


@corner(
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate",
)  # fmt: skip
def merged(tf: Any, name: str) -> Any:
    layer = getattr(tf.keras.layers, name)()
    return with_gradients(tf, lambda a, b: layer([a, b]), X, X[::-1] ** 2 - 0.3)


@corner("Add", "Multiply", "Average", "Maximum")
def merged_with_fewer_axes(tf: Any, name: str) -> Any:
    layer = getattr(tf.keras.layers, name)()
    return with_gradients(tf, lambda a, b: layer([a, b]), X, ROWS)


@corner((1, False), (2, False), ((1, 1), True), (-1, True), ((2, 1), False))
def inner_products(tf: Any, case: Any) -> Any:
    axes, normalize = case
    other = X[::-1] ** 2 - 0.3
    if axes == (2, 1):
        other = other.transpose(0, 2, 1).copy()
    layer = tf.keras.layers.Dot(axes=axes, normalize=normalize)
    return with_gradients(tf, lambda a, b: layer([a, b]), X, other)


@corner(False, True)
def inner_products_of_rows(tf: Any, normalize: bool) -> Any:
    layer = tf.keras.layers.Dot(axes=1, normalize=normalize)
    return with_gradients(tf, lambda a, b: layer([a, b]), ROWS, ROWS[::-1] + 0.2)


LAYERS: dict[str, Any] = {
    "Flatten": lambda k: k.Flatten(),
    "Reshape": lambda k: k.Reshape((2, -1)),
    "Permute": lambda k: k.Permute((2, 1)),
    "GlobalMaxPooling1D": lambda k: k.GlobalMaxPooling1D(),
    "GlobalMaxPooling1D, axis kept": lambda k: k.GlobalMaxPooling1D(keepdims=True),
    "GlobalAveragePooling1D": lambda k: k.GlobalAveragePooling1D(),
    "Lambda": lambda k: k.Lambda(lambda x: x * x + 1.0),
    "LayerNormalization": lambda k: k.LayerNormalization(),
    "LayerNormalization over two axes": lambda k: k.LayerNormalization(axis=[1, 2], epsilon=0.1),
    "LayerNormalization without γ": lambda k: k.LayerNormalization(scale=False),
}


@corner(*LAYERS)
def rearranged(tf: Any, name: str) -> Any:
    layer = LAYERS[name](tf.keras.layers)
    layer(given(tf, X))
    fill(layer)
    return [with_gradients(tf, layer, np.sin(X * 7)), [list(w.shape) for w in layer.weights]]


@corner()
def repeated(tf: Any) -> Any:
    return with_gradients(tf, tf.keras.layers.RepeatVector(3), ROWS)


@corner("Add", "Concatenate", "Concatenate over time", "GlobalAveragePooling1D", "Lambda", "Permute", "Flatten")
def masked(tf: Any, name: str) -> Any:
    k = tf.keras.layers
    x = k.Masking()(given(tf, X * MASK[..., None]))
    other = k.Masking()(given(tf, X * MASK[:, ::-1, None]))
    act = {
        "Add": lambda: k.Add()([x, other]),
        "Concatenate": lambda: k.Concatenate()([x, given(tf, X)]),
        "Concatenate over time": lambda: k.Concatenate(axis=1)([x, other]),
        "GlobalAveragePooling1D": lambda: k.GlobalAveragePooling1D()(x),
        "Lambda": lambda: k.Lambda(lambda x, mask: x + 1.0, mask=lambda x, mask: mask)(x),
        "Permute": lambda: k.Permute((2, 1))(x),
        "Flatten": lambda: k.Flatten()(x),
    }[name]
    kind = error_of(act)
    if kind != "none":
        return kind
    y = act()
    mask = getattr(y, "_keras_mask", None)
    return [y, "none" if mask is None else mask]


@corner("from_config", "clone_model")
def a_copy_by_its_configuration(tf: Any, way: str) -> Any:
    k = tf.keras
    a, b = k.Input((None, 4), name="a"), k.Input((4,), name="b")
    shared = k.layers.Dense(3, name="shared")
    h = k.layers.LSTM(3, name="lstm")(shared(a))
    model = k.Model([a, b], [k.layers.Add(name="add")([h, shared(b)]), h * 2.0])
    copied = k.Model.from_config(model.get_config()) if way == "from_config" else k.models.clone_model(model)
    for layer in copied.layers:
        fill(layer)
    return [copied([given(tf, X), given(tf, ROWS)]), [w.name for w in copied.weights], copied.name == model.name]


@corner()
def two_layers_of_one_name(tf: Any) -> Any:
    k = tf.keras
    x = k.Input((4,))
    y = k.layers.Dense(4, name="d")(k.layers.Dense(4, name="d")(x))
    return error_of(lambda: k.Model(x, y))


@corner()
def errors_of_graphs(tf: Any) -> Any:
    k = tf.keras
    x, other = k.Input((4,)), k.Input((4,))
    y = k.layers.Dense(2)(x)
    return [
        error_of(lambda: k.Model(other, y)),
        error_of(lambda: k.layers.Dense(2)(k.Input((None,)))),
        error_of(lambda: k.layers.Add()([k.Input((3,)), k.Input((4,))])),
        error_of(lambda: k.layers.Reshape((3,))(x)),
        error_of(lambda: k.layers.RepeatVector(2)(k.Input((3, 4)))),
        error_of(lambda: bool(x)) if is_ours(tf) else "TypeError",
        error_of(lambda: float(x)),
        error_of(lambda: k.Model(x, y)(given(tf, np.zeros((2, 3), "float32")))),
    ]


SHAPES: dict[str, Any] = {
    "Dense": (lambda k: k.Dense(3), (None, 4)),
    "Dense on sequences": (lambda k: k.Dense(3), (None, None, 4)),
    "LSTM": (lambda k: k.LSTM(3), (None, 5, 4)),
    "LSTM with sequences": (lambda k: k.LSTM(3, return_sequences=True), (2, None, 4)),
    "GRU with state": (lambda k: k.GRU(3, return_state=True), (2, 5, 4)),
    "Bidirectional": (lambda k: k.Bidirectional(k.LSTM(3, return_sequences=True)), (None, 5, 4)),
    "TimeDistributed": (lambda k: k.TimeDistributed(k.Dense(2)), (None, 5, 4)),
    "Embedding": (lambda k: k.Embedding(7, 3), (None, None)),
    "RNN": (lambda k: k.RNN([k.GRUCell(2), k.LSTMCell(3)]), (None, 5, 4)),
    "Concatenate": (lambda k: k.Concatenate(1), [(None, 2, 3), (None, 4, 3)]),
    "Dot": (lambda k: k.Dot(1), [(None, 2, 3), (None, 2, 4)]),
    "Flatten": (lambda k: k.Flatten(), (None, 2, 3)),
    "Reshape": (lambda k: k.Reshape((3, -1)), (None, 2, 3)),
    "Permute": (lambda k: k.Permute((2, 1)), (None, None, 3)),
    "RepeatVector": (lambda k: k.RepeatVector(4), (None, 3)),
    "GlobalMaxPooling1D": (lambda k: k.GlobalMaxPooling1D(), (None, None, 3)),
    "Dropout": (lambda k: k.Dropout(0.5), (None, 3)),
    "LayerNormalization": (lambda k: k.LayerNormalization(), (None, 3)),
}


def sizes(found: Any) -> Any:
    """Shapes as lists."""
    if isinstance(found, list) or (isinstance(found, tuple) and found and isinstance(found[0], (list, tuple))):
        return [sizes(part) for part in found]
    return list(found)


@corner(*SHAPES)
def output_shapes(tf: Any, name: str) -> Any:
    make, shape = SHAPES[name]
    layer = make(tf.keras.layers)
    return [sizes(layer.compute_output_shape(shape)), len(layer.weights) if is_ours(tf) else 0]
