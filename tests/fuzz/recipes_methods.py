# ruff: noqa: E501, PLW0108  (a table)
"""Recipes beyond constructors: methods of public classes, hooks of callbacks, operators, and calls in a wrong order."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from fuzz.recipe import Recipe
from fuzz.recipes_keras import P, T, X, applied, trained
from fuzz.recipes_layers import ROWS, SEQUENCE, STATE
from minigrad import plot
from minigrad.compat import v1
from minigrad.keras import callbacks, metrics, optimizers
from minigrad.keras import layers as L

K = mg.keras
D = np.ones((2, 3))  # float64


def method(make: Callable[[], Any], name: str, /, **given: Any) -> Recipe:
    """Return the recipe of a method of a fresh object."""

    def call(**arguments: Any) -> Any:
        return getattr(make(), name)(**arguments)

    return Recipe(call, lambda: {n: value() if callable(value) else value for n, value in given.items()})


def operation(function: Callable[..., Any], dtype: str, reflected: bool = False) -> Recipe:
    """Return the recipe of an operator on a tensor of a dtype and another value, on either side."""

    def operate(b: Any) -> Any:
        x = mg.tensor(np.ones((2, 2)), dtype=dtype, requires_grad=dtype.startswith("float"))
        y = function(b, x) if reflected else function(x, b)
        return y.sum().backward() if isinstance(y, mg.Tensor) and y.tracked else y

    return Recipe(
        operate, lambda: {"b": np.ones((2, 2), dtype)}, words={"b": ("a",)}
    )  # NumPy's arrays come first on the left


def read(make: Callable[[], Any]) -> Recipe:
    """Return the recipe of reading a tensor at an index."""
    return Recipe(lambda index: make()[index], lambda: {"index": 0})


def built() -> Any:
    """Return a layer with weights."""
    layer = L.LSTM(2, stateful=True)
    layer(SEQUENCE)
    return layer


def dense() -> Any:
    """Return a layer with weights."""
    layer = L.Dense(2)
    layer(ROWS)
    return layer


def prepared(callback: Any) -> Any:
    """Return a callback in a training that has begun."""
    model = trained()
    model.compile("sgd", "mse")
    callback.set_params({"epochs": 2, "steps": 1, "verbose": 0})
    callback.set_model(model)
    callback.on_train_begin()
    return callback


def tape(persistent: bool = True) -> tuple[Any, Any, Any]:
    """Return a tape, a tensor that it watches, and a result of several numbers."""
    x = mg.tensor(D, requires_grad=True)
    with mg.GradientTape(persistent=persistent) as found:
        y = x * x
    return found, x, y


def by_tape(**given: Any) -> Any:
    """Return the gradient by a tape."""
    found, x, y = tape()
    return found.gradient(**{"target": y, "sources": x, **given})


def stateful_model() -> Any:
    """Return a stateful model without weights."""
    return K.Sequential([L.LSTM(2, stateful=True), L.Dense(1)])


OPERATORS: dict[str, Recipe] = {
    f"{kind} {dtype} {name}": operation(getattr(operator, name), dtype, kind == "b ∘ x")
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul", "lt", "eq", "and_")
    for dtype in ("float32", "float64", "int64", "bool")
    for kind in ("x ∘ b", "b ∘ x")
    if (name != "and_" or dtype == "bool")
    and (dtype != "bool" or name in ("and_", "eq"))
    and (name, kind) != ("eq", "b ∘ x")
}
TENSORS: dict[str, Recipe] = {
    f"{dtype} {name}": method(lambda dtype=dtype: mg.tensor(np.ones((2, 3)), dtype=dtype), name, **given)
    for dtype in ("float64", "int64")
    for name, given in {
        "sum": {"axis": 0, "keepdims": False}, "mean": {"axis": 0}, "max": {"axis": 0}, "var": {"axis": 0},
        "argmax": {"axis": 0}, "astype": {"dtype": "float32"}, "to": {"backend": "numpy"},
        "reshape": {"shape": (3, 2)},
    }.items()
    if name != "reshape"
}  # fmt: skip
LAYERS: dict[str, Recipe] = {
    "built LSTM.set_weights": method(built, "set_weights", weights=lambda: built().get_weights()),
    "built Dense.set_weights": method(dense, "set_weights", weights=lambda: dense().get_weights()),
    "built LSTM.reset_states": method(built, "reset_states", states=lambda: [STATE, STATE]),
    "built LSTM.build": method(built, "build", input_shape=(2, None, 3)),
    "built LSTM.compute_mask": method(built, "compute_mask", inputs=SEQUENCE, mask=None),
    "built LSTM.add_loss": method(built, "add_loss", losses=1.0),
    "built LSTM.get_initial_state": method(built, "get_initial_state", inputs=SEQUENCE),
    "Masking.compute_mask": method(L.Masking, "compute_mask", inputs=SEQUENCE, mask=None),
    "Embedding.compute_mask": method(lambda: L.Embedding(4, 2, mask_zero=True), "compute_mask", inputs=np.array([[1]])),
    "Bidirectional.compute_mask": method(
        lambda: L.Bidirectional(L.LSTM(2)), "compute_mask", inputs=SEQUENCE, mask=None
    ),
    "TimeDistributed.compute_mask": method(
        lambda: L.TimeDistributed(L.Dense(2)), "compute_mask", inputs=SEQUENCE, mask=None
    ),
    "layer.states = value": Recipe(lambda states: setattr(built(), "states", states), lambda: {"states": [STATE, STATE]}),
    "layer.trainable = value": Recipe(lambda trainable: setattr(dense(), "trainable", trainable), lambda: {"trainable": 1}),
    "weight.assign": method(lambda: dense().kernel, "assign", value=lambda: np.ones((3, 2))),
    **{
        f"Layer.add_weight {name}": method(lambda: L.Dense(2), "add_weight", **{"name": "w", "shape": (2, 2), name: value})
        for name, value in {"initializer": "zeros", "regularizer": None, "constraint": None, "dtype": None, "trainable": True}.items()
    },
}  # fmt: skip
TAPES: dict[str, Recipe] = {
    "tape.gradient": Recipe(
        by_tape, lambda: {"output_gradients": None, "unconnected_gradients": "none"},
    ),
    "tape.watch float64": Recipe(lambda tensor: tape()[0].watch(tensor), lambda: {"tensor": mg.tensor(D)}),
    "x.backward": Recipe(
        lambda gradient=None, create_graph=False: (mg.tensor(D, requires_grad=True) * 2.0).backward(gradient, create_graph),
        lambda: {"gradient": D},
    ),
    "x.grad = value": Recipe(lambda grad: setattr(mg.tensor(D, requires_grad=True), "grad", grad), lambda: {"grad": None}),
}  # fmt: skip
MODELS: dict[str, Recipe] = {
    f"Model.{name} {kind}": method(trained, name, **given)
    for kind, data in {"float64": X.astype("float64"), "lists": X.tolist()}.items()
    for name, given in {
        "fit": {"x": data, "y": data, "verbose": 0, "validation_split": 0.5, "sample_weight": None},
        "evaluate": {"x": data, "y": data, "verbose": 0, "sample_weight": None, "batch_size": 2},
        "predict": {"x": data, "verbose": 0, "batch_size": 2},
        "train_on_batch": {"x": data, "y": data, "sample_weight": None},
    }.items()
}
WRONG_ORDER: dict[str, Callable[[], Any]] = {
    "fit before compile": lambda: K.Sequential([L.Dense(2)]).fit(X, X),
    "evaluate before compile": lambda: K.Sequential([L.Dense(2)]).evaluate(X, X),
    "train_on_batch before compile": lambda: K.Sequential([L.Dense(2)]).train_on_batch(X, X),
    "test_on_batch before compile": lambda: K.Sequential([L.Dense(2)]).test_on_batch(X, X),
    "fit without data": lambda: trained().fit(),
    "fit of an empty model": lambda: K.Sequential().fit(X, X),
    "predict of an empty model": lambda: K.Sequential().predict(X),
    "compile of nothing": lambda: K.Sequential([L.Dense(2)]).compile(),
    "summary before build": lambda: K.Sequential([L.Dense(2)]).summary(),
    "count_params before build": lambda: K.Sequential([L.Dense(2)]).count_params(),
    "save_weights before build": lambda: K.Sequential([L.Dense(2)]).save_weights("w.npz"),
    "load_weights before build": lambda: K.Sequential([L.Dense(2)]).load_weights("absent.npz"),
    "set_weights before build": lambda: K.Sequential([L.Dense(2)]).set_weights([X]),
    "get_config before build": lambda: K.Sequential([L.Dense(2)]).get_config(),
    "pop of an empty model": lambda: K.Sequential().pop(),
    "get_layer of nothing": lambda: trained().get_layer(),
    "reset_states before build": lambda: L.LSTM(2, stateful=True).reset_states(),
    "reset_states with states before build": lambda: L.LSTM(2, stateful=True).reset_states([STATE, STATE]),
    "reset_states of a stateless layer": lambda: L.LSTM(2).reset_states(),
    "states before build": lambda: L.LSTM(2, stateful=True).states,
    "states set before build": lambda: setattr(L.LSTM(2, stateful=True), "states", [STATE, STATE]),
    "predict on an unbuilt stateful model": lambda: stateful_model().predict(SEQUENCE, verbose=0),
    "another batch on a stateful layer": lambda: built()(SEQUENCE[:1]),
    "call of a cell before build": lambda: L.LSTMCell(2).call(mg.tensor(ROWS), [STATE, STATE]),
    "call of a layer before build": lambda: L.LSTM(2).call(mg.tensor(SEQUENCE)),
    "dense call before build": lambda: L.Dense(2).call(mg.tensor(ROWS)),
    "build twice": lambda: dense().build((None, 5)),
    "another width": lambda: dense()(np.ones((2, 7), "float32")),
    "get_weights before build": lambda: L.Dense(2).get_weights(),
    "a cell without states": lambda: L.LSTMCell(2)(ROWS),
    "a cell with None states": lambda: L.LSTMCell(2)(ROWS, None),
    "an RNN without arguments": lambda: L.RNN(),
    "optimizer.get_weights before build": lambda: optimizers.Adam().get_weights(),
    "optimizer.set_weights before build": lambda: optimizers.Adam().set_weights([X]),
    "optimizer.set_state before build": lambda: optimizers.Adam().set_state({}),
    "apply_gradients without gradients": lambda: optimizers.Adam().apply_gradients([]),
    "apply_gradients of None": lambda: optimizers.Adam().apply_gradients([(None, dense().kernel)]),
    "minimize of a number": lambda: optimizers.SGD().minimize(1.0, [dense().kernel]),
    "result before update_state": lambda: metrics.BinaryAccuracy().result(),
    "reset_state before update_state": lambda: metrics.BinaryAccuracy().reset_state(),
    "a callback's hook before set_model": lambda: callbacks.EarlyStopping().on_epoch_end(0, {"val_loss": 1.0}),
    "ReduceLROnPlateau before set_model": lambda: callbacks.ReduceLROnPlateau().on_epoch_end(0, {"val_loss": 1.0}),
    "ModelCheckpoint before set_model": lambda: callbacks.ModelCheckpoint("c.npz").on_epoch_end(0, {}),
    "CSVLogger before on_train_begin": lambda: callbacks.CSVLogger("log.csv").on_epoch_end(0, {"loss": 1.0}),
    "LearningRateScheduler before set_model": lambda: callbacks.LearningRateScheduler(lambda e: 0.1).on_epoch_begin(0),
    "TerminateOnNaN before set_model": lambda: callbacks.TerminateOnNaN().on_batch_end(0, {"loss": float("nan")}),
    "backward without a graph": lambda: mg.tensor(1.0).backward(),
    "backward twice": lambda: [y.backward() for y in [(mg.tensor(1.0, requires_grad=True) * 2.0)] * 2],
    "gradient twice": lambda: [found[0].gradient(found[2], found[1]) for found in [tape(persistent=False)] * 2],
    "gradient inside the block": lambda: mg.GradientTape().__enter__().gradient(mg.tensor(1.0), mg.tensor(1.0)),
    "a tape entered twice": lambda: [found.__enter__() for found in [mg.GradientTape()] * 2],
    "a tape left before it is entered": lambda: mg.GradientTape().__exit__(None, None, None),
    "TensorArray.stack before write": lambda: v1.TensorArray("float32", 2).stack(),
    "TensorArray.read before write": lambda: v1.TensorArray("float32", 2).read(0),
    "TensorArray.read twice": lambda: [array.read(0) for array in [v1.TensorArray("float32", 1).write(0, 1.0)] * 2],
    "TensorArray.write twice": lambda: v1.TensorArray("float32", 1).write(0, 1.0).write(0, 1.0),
    "get_variable twice": lambda: [v1.get_variable("w", (2,)) for _ in range(2)],
    "get_variable without a shape": lambda: v1.get_variable("w"),
    "a first-generation cell before build": lambda: v1.nn.rnn_cell.LSTMCell(2).call(mg.tensor(ROWS), (STATE, STATE)),
    "zero_state of a base class": lambda: v1.nn.rnn_cell.RNNCell().zero_state(2, "float32"),
    "a metric of nothing": lambda: metrics.Mean().result(),
    "a trace without a call": lambda: plot.gates(mg.trace(L.LSTM(2)).__enter__()),
    "a trace without a backward pass": lambda: plot.gradient_flow(traced()),
    "a layer in two models": lambda: K.Sequential([dense(), dense()]).get_config(),
}


def traced() -> Any:
    """Return a trace of a call without a backward pass."""
    layer = L.LSTM(2)
    with mg.trace(layer) as found:
        layer(SEQUENCE)
    return found


OTHERS: dict[str, Recipe] = {
    "applied Optimizer.apply_gradients": method(applied, "apply_gradients", grads_and_vars=list),
    "applied Optimizer.build": method(applied, "build", var_list=lambda: [dense().kernel]),
    **{
        f"{name}.update_state float64": method(
            getattr(metrics, name), "update_state", y_true=T.astype("float64"), y_pred=P.astype("float64"), sample_weight=None
        )
        for name in ("MeanSquaredError", "BinaryAccuracy", "CategoricalAccuracy", "MeanAbsoluteError")
        if hasattr(metrics, name)
    },
    **{
        f"{name}.{hook}": method(lambda make=make: prepared(make()), hook, **given)
        for name, make in {
            "EarlyStopping": callbacks.EarlyStopping, "History": callbacks.History,
            "ReduceLROnPlateau": callbacks.ReduceLROnPlateau, "TerminateOnNaN": callbacks.TerminateOnNaN,
            "LearningRateScheduler": lambda: callbacks.LearningRateScheduler(lambda epoch: 0.1),
            "Callback": callbacks.Callback,
        }.items()
        for hook, given in {
            "on_epoch_end": {"epoch": 0, "logs": {"loss": 1.0, "val_loss": 1.0}},
            "on_epoch_begin": {"epoch": 0, "logs": None}, "on_train_begin": {"logs": None},
            "on_batch_end": {"batch": 0, "logs": {"loss": 1.0}}, "set_params": {"params": {"epochs": 1}},
        }.items()
        if hasattr(callbacks.Callback, hook)
    },
    "TensorArray.write float64": method(lambda: v1.TensorArray("float64", 2), "write", index=0, value=1.0),
    "Page.heading": method(lambda: plot.Page("title"), "heading", text="text", level=2),
    "Page.text": method(lambda: plot.Page("title"), "text", text="text"),
    "Page.picture": method(
        lambda: plot.Page("title"), "picture", drawing=lambda: plot.Drawing("<svg></svg>", "nothing"), caption=""
    ),
    "Page.table": method(lambda: plot.Page("title"), "table", columns=["a"], rows=[[1.0]], caption=""),
    "Page.save": method(lambda: plot.Page("title"), "save", file="page.html"),
    "Drawing.save": method(lambda: plot.Drawing("<svg></svg>", "nothing"), "save", file="drawing.svg"),
}  # fmt: skip

METHODS: dict[str, Recipe] = {
    **OPERATORS, **TENSORS, **LAYERS, **TAPES, **MODELS, **OTHERS,
    "x float64[index]": read(lambda: mg.tensor(D)),
    "x int64[index]": read(lambda: mg.tensor(D.astype("int64"))),
}  # fmt: skip
