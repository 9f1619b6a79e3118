"""Activations by name, by function, or any callable; and the hand-derived rule of each.

With a name, the function of that name here, or None (no activation), a recurrent layer can run its explicit gradient.
Any other callable on tensors works too, on the tape.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine.arguments import among, function
from minigrad.engine.errors import MinigradError, OptionError, ShapeError, shown, unknown_name
from minigrad.engine.foreign import attempted, with_name
from minigrad.engine.ops import pointwise
from minigrad.engine.ops.op import Op
from minigrad.engine.ops.reduction import Softmax
from minigrad.engine.tensor import Tensor
from minigrad.layers import custom_objects
from minigrad.layers.options import Kind
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.formulas import Formulas

Activation = Callable[[Any], Tensor]

_KNOWN: dict[str, tuple[Activation, type[Op]]] = {
    "elu": (F.elu, pointwise.Elu), "exponential": (F.exp, pointwise.Exp), "gelu": (F.gelu, pointwise.Gelu),
    "hard_sigmoid": (F.hard_sigmoid, pointwise.HardSigmoid), "linear": (F.linear, pointwise.Linear),
    "mish": (F.mish, pointwise.Mish), "relu": (F.relu, pointwise.Relu), "selu": (F.selu, pointwise.Selu),
    "sigmoid": (F.sigmoid, pointwise.Sigmoid), "softmax": (F.softmax, Softmax),
    "softplus": (F.softplus, pointwise.Softplus), "softsign": (F.softsign, pointwise.Softsign),
    "swish": (F.swish, pointwise.Swish), "tanh": (F.tanh, pointwise.Tanh),
}  # fmt: skip
_RULES = dict(_KNOWN.values())
_OF_ARRAYS = ("numpy", "math", "cupy", "scipy", "torch")  # libraries whose functions do not take tensors


def get(identifier: str | Activation | None) -> Activation:
    """Return the activation for a name, a callable, or None, which stands for `linear`.

    Raises:
        UnknownNameError: there is none of that name.

    >>> get("tanh") is F.tanh
    True
    """
    return _read("activations.get: `identifier`", identifier)


deserialize = get


def serialize(activation: Activation) -> str:
    """Return the activation's name; for a custom callable, the name of the callable."""
    function("activations.serialize: `activation`", activation)
    known = next((name for name, (known, _) in _KNOWN.items() if known is activation), None)
    return known or custom_objects.get_registered_name(activation)


def rule(activation: Activation) -> type[Op] | None:
    """Return the pair of formulas of an activation, or None for a custom callable."""
    return attempted(_RULES.get, activation)  # type: ignore[no-any-return]  # it may have no hash


def bind(equations: type[Equations], sigma: Activation, phi: Activation, separate: bool, **values: Any) -> Formulas:
    """Return a cell's formulas with these activations; the same object for the same arguments.

    Args:
        equations: the cell.
        sigma: σ.
        phi: φ.
        separate: one small product for each column rather than one large one.
        values: the cell's options and widths.
    """
    known: Any = (equations, rule(sigma), rule(phi))
    if all(known):
        return _bound(*known, separate, tuple(values.items()))
    return Formulas(equations, rule_or_call(sigma, "recurrent_activation"), rule_or_call(phi), separate, **values)


@cache
def _bound(
    equations: type[Equations], sigma: type[Op], phi: type[Op], separate: bool, values: tuple[tuple[str, Any], ...]
) -> Formulas:
    return Formulas(equations, sigma, phi, separate, **dict(values))


formulas = bind  # the earlier name


def rule_or_call(activation: Activation, argument: str = "activation") -> type[Op]:
    """Return the rule, or an op whose forward calls a custom callable: for the tape, without a backward."""
    known = rule(activation)
    return (
        known if known is not None else type("Call", (Op,), {"forward": lambda xp, x: called(activation, x, argument)})
    )


def called(activation: Activation, x: Tensor, argument: str = "activation") -> Tensor:
    """Return activation(x), x itself for `linear`. A custom callable, given as `argument`, must keep the shape."""
    if activation is F.linear:
        return x
    try:
        y = activation(x)
    except MinigradError as error:
        raise with_name(error, f"`{argument}` {_name(activation)!r}") from error.__cause__
    if getattr(y, "shape", None) != x.shape:
        raise ShapeError(f"`{argument}` {_name(activation)!r}: expected a tensor of shape {x.shape}, got {shown(y)}.")
    return y


def _name(activation: Any) -> str:
    return str(getattr(activation, "__name__", type(activation).__name__))


def _read(where: str, identifier: Any) -> Activation:
    if identifier is None:
        return F.linear
    if callable(identifier):
        home = (getattr(identifier, "__module__", None) or type(identifier).__module__).partition(".")[0]
        if home in _OF_ARRAYS:
            ours = f"activation={_name(identifier)!r}" if _name(identifier) in _KNOWN else "one of mg.functional"
            raise OptionError(f"{where}: {home}'s {_name(identifier)} gives arrays without a gradient. Use {ours}.")
        return identifier  # type: ignore[no-any-return]
    name: Any = identifier.get("config") if isinstance(identifier, dict) else identifier
    if among(name, _KNOWN):
        return _KNOWN[name][0]
    found = custom_objects.find(name)
    if not callable(found):
        raise unknown_name(where, name, _KNOWN, "Or pass a function of a tensor.")
    return _read(where, found)


option = Kind(_read, serialize)
