"""Activations by name, by function, or any callable; and the hand-derived rule behind each.

A name, the function of that name here, and None (no activation) are known: a recurrent layer can then run its explicit
gradient. Any other callable on tensors works too, on the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.errors import unknown_name
from minigrad.functional import (
    elu,
    gelu,
    hard_sigmoid,
    linear,
    mish,
    relu,
    selu,
    sigmoid,
    softmax,
    softplus,
    softsign,
    swish,
    tanh,
)
from minigrad.functional import exp as exponential
from minigrad.layers.options import Kind
from minigrad.ops import pointwise
from minigrad.ops.op import Op
from minigrad.ops.reduction import Softmax
from minigrad.tensor import Tensor

Activation = Callable[[Any], Tensor]

_FUNCTIONS: dict[str, Activation] = {
    "elu": elu, "exponential": exponential, "gelu": gelu, "hard_sigmoid": hard_sigmoid, "linear": linear, "mish": mish,
    "relu": relu, "selu": selu, "sigmoid": sigmoid, "softmax": softmax, "softplus": softplus, "softsign": softsign,
    "swish": swish, "tanh": tanh,
}  # fmt: skip
_RULES: dict[Activation, type[Op]] = {
    elu: pointwise.Elu, exponential: pointwise.Exp, gelu: pointwise.Gelu, hard_sigmoid: pointwise.HardSigmoid,
    linear: pointwise.Linear, mish: pointwise.Mish, relu: pointwise.Relu, selu: pointwise.Selu,
    sigmoid: pointwise.Sigmoid, softmax: Softmax, softplus: pointwise.Softplus, softsign: pointwise.Softsign,
    swish: pointwise.Swish,
    tanh: pointwise.Tanh,
}  # fmt: skip


def get(identifier: str | Activation | None) -> Activation:
    """Returns the activation for a name, a callable, or None, which stands for `linear`.

    Raises:
        UnknownNameError: there is none of that name.

    >>> get("tanh") is tanh
    True
    """
    return _read("activations.get", identifier)


def serialize(activation: Activation) -> str:
    """Returns the activation's name; for a callable of one's own, the callable's."""
    return next((name for name, known in _FUNCTIONS.items() if known is activation), _name(activation))


def deserialize(name: str) -> Activation:
    """Returns the activation of a name."""
    return get(name)


def rule(activation: Activation) -> type[Op] | None:
    """Returns the pair of formulas behind an activation, or None for a callable of one's own."""
    return _RULES.get(activation)


def rule_or_call(activation: Activation) -> type[Op]:
    """Returns the rule, or an op whose forward calls a callable of one's own: good for the tape, without a backward."""
    known = rule(activation)
    return known if known is not None else type("Call", (Op,), {"forward": lambda xp, x: activation(x)})


def _name(activation: Any) -> str:
    return str(getattr(activation, "__name__", type(activation).__name__))


def _read(where: str, identifier: Any) -> Activation:
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier  # type: ignore[no-any-return]
    if identifier not in _FUNCTIONS:
        raise unknown_name(where, identifier, _FUNCTIONS, "A function of a tensor will do as well.")
    return _FUNCTIONS[identifier]


option = Kind(_read, serialize)
