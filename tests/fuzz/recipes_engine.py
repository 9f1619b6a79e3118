"""Valid calls of the engine: functions, tensors, gradients, random numbers, backends."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from fuzz.recipe import Recipe
from minigrad import functional as F

X = np.array([[0.5, 0.25, 1.0], [1.0, 0.75, 0.5]], "float32")
UNARY = [
    "abs",
    "ceil",
    "cos",
    "elu",
    "erf",
    "exp",
    "expm1",
    "floor",
    "gelu",
    "hard_sigmoid",
    "isfinite",
    "linear",
    "log",
    "log1p",
    "mish",
    "negative",
    "ones_like",
    "relu",
    "selu",
    "sigmoid",
    "sign",
    "sin",
    "softplus",
    "softsign",
    "sqrt",
    "square",
    "stop_gradient",
    "swish",
    "tanh",
    "transpose",
    "unstack",
    "zeros_like",
    "flip",
    "squeeze",
    "argmax",
    "cumsum",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "softmax",
    "sum",
    "var",
    "all",
    "any",
]
BINARY = [
    "add",
    "divide",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "maximum",
    "minimum",
    "multiply",
    "not_equal",
    "power",
    "subtract",
]


def x() -> mg.Tensor:
    """Return a tensor that a gradient is wanted for."""
    return mg.tensor(X, requires_grad=True)


def with_x(**further: Any) -> Callable[[], dict[str, Any]]:
    """Return a maker of arguments: x, and these."""
    return lambda: {"x": x(), **further}


def method(name: str, /, **given: Any) -> Recipe:
    """Return the recipe of a method of a tensor."""
    return Recipe(getattr(mg.Tensor, name), lambda: {"self": x(), **given})


def gradient(**given: Any) -> dict[str, Any]:
    """Return arguments for `mg.grad`."""
    leaf = x()
    return {"outputs": (leaf * leaf).sum(), "inputs": leaf, **given}


def recorded() -> tuple[Any, Any, Any]:
    """Return a tape, a leaf that it watches, and a result."""
    leaf = x()
    with mg.GradientTape(persistent=True) as tape:
        tape.watch(leaf)
        y = (leaf * leaf).sum()
    return tape, leaf, y


def tape_gradient() -> dict[str, Any]:
    """Return arguments for `GradientTape.gradient`."""
    tape, leaf, y = recorded()
    return {"self": tape, "target": y, "sources": leaf}


def entered(block: Any) -> None:
    """Enter and leave a context manager."""
    with block:
        mg.exp(X)


def operation(name: str) -> Recipe:
    """Return the recipe of an operator on a tensor and another value."""
    function = getattr(operator, name)

    def operate(b: Any) -> Any:
        return function(x(), b)

    return Recipe(operate, lambda: {"b": X.T if name == "matmul" else X})


def assigned(index: Any, value: Any) -> Any:
    """Write to a tensor."""
    y = mg.tensor(X)
    y[index] = value
    return y


def read(index: Any) -> Any:
    """Read from a tensor."""
    return x()[index]


def grad_set(requires_grad: Any) -> None:
    """Set `.requires_grad`."""
    x().requires_grad = requires_grad


ENGINE: dict[str, Recipe] = {
    **{f"functional.{name}": Recipe(getattr(F, name), with_x()) for name in UNARY if hasattr(F, name)},
    **{f"functional.{name}": Recipe(getattr(F, name), lambda: {"a": x(), "b": X}) for name in BINARY},
    **{f"x {name}": operation(name) for name in ("add", "sub", "mul", "truediv", "pow", "matmul", "eq", "lt", "ge")},
    "x[index]": Recipe(read, lambda: {"index": 0}),
    "x[index] = value": Recipe(assigned, lambda: {"index": 0, "value": 1.0}),
    "x.requires_grad = value": Recipe(grad_set, lambda: {"requires_grad": True}),
    "functional.arange": Recipe(F.arange, lambda: {"start": 0, "stop": 4, "step": 2}),
    "functional.astype": Recipe(F.astype, with_x(dtype="float64")),
    "functional.binary_cross_entropy": Recipe(F.binary_cross_entropy, lambda: {"logits": x(), "targets": X}),
    "functional.broadcast_to": Recipe(F.broadcast_to, with_x(shape=(4, 2, 3))),
    "functional.clip": Recipe(F.clip, with_x(low=0.0, high=1.0)),
    "functional.concat": Recipe(F.concat, lambda: {"xs": [x(), X]}),
    "functional.einsum": Recipe(F.einsum, lambda: {"subscripts": "ij,kj->ik", "*": [x(), X]}),
    "functional.expand_dims": Recipe(F.expand_dims, with_x(axis=0)),
    "functional.full": Recipe(F.full, lambda: {"shape": (2, 3), "value": 0.5}),
    "functional.getitem": Recipe(F.getitem, with_x(index=0)),
    "functional.matmul": Recipe(F.matmul, lambda: {"a": x(), "b": X.T}),
    "functional.mean_squared_error": Recipe(F.mean_squared_error, lambda: {"predictions": x(), "targets": X}),
    "functional.one_hot": Recipe(F.one_hot, lambda: {"indices": [0, 2], "depth": 3}),
    "functional.ones": Recipe(F.ones, lambda: {"shape": (2, 3)}),
    "functional.outputs_of": Recipe(F.outputs_of, lambda: {"node": (x() * 2.0).node}, fixed=("node",)),
    "functional.pad": Recipe(F.pad, with_x(widths=((1, 0), (0, 2)))),
    "functional.reduced": Recipe(F.reduced, lambda: {"losses": x()}),
    "functional.reshape": Recipe(F.reshape, with_x(shape=(3, 2))),
    "functional.scatter_add": Recipe(F.scatter_add, with_x(index=0, values=X[0])),
    "functional.softmax_cross_entropy": Recipe(F.softmax_cross_entropy, lambda: {"logits": x(), "labels": [0, 2]}),
    "functional.split": Recipe(F.split, with_x(sections=2)),
    "functional.stack": Recipe(F.stack, lambda: {"xs": [x(), X]}),
    "functional.swapaxes": Recipe(F.swapaxes, with_x(a=0, b=1)),
    "functional.take": Recipe(F.take, with_x(indices=[0, 1])),
    "functional.where": Recipe(F.where, lambda: {"condition": X > 0.5, "a": x(), "b": X}),
    "functional.zeros": Recipe(F.zeros, lambda: {"shape": (2, 3)}),
    "GradientTape": Recipe(mg.GradientTape, then=entered),
    "GradientTape.gradient": Recipe(mg.GradientTape.gradient, tape_gradient),
    "GradientTape.watch": Recipe(mg.GradientTape.watch, lambda: {"self": recorded()[0], "tensor": x()}),
    "GradientTape.reset": Recipe(mg.GradientTape.reset, lambda: {"self": mg.GradientTape().__enter__()}),
    "GradientTape.stop_recording": Recipe(
        mg.GradientTape.stop_recording, lambda: {"self": mg.GradientTape().__enter__()}, entered
    ),
    "GradientTape.watched_variables": Recipe(mg.GradientTape.watched_variables, lambda: {"self": recorded()[0]}),
    "Module": Recipe(mg.Module, then=lambda module: (module.name, module.weights)),
    "Tensor": Recipe(
        mg.Tensor, lambda: {"array": X, "backend": x().backend}, fixed=("array", "backend", "node", "index")
    ),
    "Tensor.argmax": method("argmax"),
    "Tensor.astype": method("astype", dtype="float64"),
    "Tensor.backward": Recipe(mg.Tensor.backward, lambda: {"self": (x() * 2.0).sum()}),
    "Tensor.detach": method("detach"),
    "Tensor.item": Recipe(mg.Tensor.item, lambda: {"self": x().sum()}),
    **{f"Tensor.{name}": method(name) for name in ("max", "mean", "min", "sum", "var", "numpy", "tolist")},
    "Tensor.reshape": method("reshape", **{"*": [3, 2]}),
    "Tensor.to": method("to", backend="numpy"),
    "Tensor.transpose": method("transpose", **{"*": [1, 0]}),
    "backends": Recipe(mg.backends),
    "grad": Recipe(mg.grad, gradient),
    "no_grad": Recipe(mg.no_grad, then=entered),
    "tensor": Recipe(mg.tensor, lambda: {"data": X}),
    "use": Recipe(mg.use, lambda: {"backend": "numpy"}),
    "using": Recipe(mg.using, lambda: {"backend": "numpy"}, entered),
    "random.bernoulli": Recipe(mg.random.bernoulli, lambda: {"shape": (2, 3), "p": 0.5}),
    "random.dropout_mask": Recipe(mg.random.dropout_mask, lambda: {"shape": (2, 3), "rate": 0.5}),
    "random.generator": Recipe(mg.random.generator),
    "random.generator_for": Recipe(mg.random.generator_for, lambda: {"seed": 1}),
    "random.get_state": Recipe(mg.random.get_state),
    "random.integers": Recipe(mg.random.integers, lambda: {"low": 0, "high": 4}),
    "random.normal": Recipe(mg.random.normal),
    "random.seed": Recipe(mg.random.seed, lambda: {"n": 1}),
    "random.set_state": Recipe(mg.random.set_state, lambda: {"state": mg.random.get_state()}),
    "random.truncated_normal": Recipe(mg.random.truncated_normal),
    "random.uniform": Recipe(mg.random.uniform),
}
