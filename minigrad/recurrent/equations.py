"""A recurrent cell as its equations, and the functions that they may call, the words.

A cell is data: names, and two plain functions of numbers. It has no layers, no arrays and no backend, so everything
that runs it, draws it or checks it is made from the same few lines:

    states      the names of the arrays that one step passes to the next
    products    the matrix products of a step: ``columns = source matrix + source matrix + bias``
    forward     the elementwise rest: from the columns and the states to the new states
    backward    its gradient, from ∂loss/∂(each new state) to ∂loss/∂(each argument of forward)

Read `lstm.py` next, then `reader.py`, which reads a cell. `words.py` has the words for clips and stopped gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, ClassVar
from unicodedata import normalize

from minigrad.engine.ops.op import Op

EQUATIONS: dict[str, type[Equations]] = {}
"""Every cell that has been defined, by ``"module:Class"``: the names that a saved configuration can hold."""


class Equations:
    """The equations of one time step. A subclass is read, never instantiated.

    Attributes:
        states: names of the states, in the order in which `forward` returns the new ones.
        output: the name of the state that is the cell's output; the first, unless given.
        products: one string for each matrix product of a step, or a tuple of them. The left side lists the columns of
            the product, each of `units` numbers. The right side lists the sources, `x` or a state, each with its
            matrix, and at most one bias. ``stop(h) U`` passes no gradient to h.
        direct: the name of the gradient's path from state to state around the products.

    A column or a state may have another width: ``z_i:blocks`` stands for `blocks` numbers, each of which is shared by
    ``units / blocks`` units.

    `forward(columns and states …, *, options and inner matrices)` takes the values that it needs by name. A positional
    argument that is neither column nor state is a parameter of the cell, one number for each unit. ``v @ P`` multiplies
    by an inner matrix. `backward` takes ∂loss/∂(each new state) and then, by name, any values of `forward`: these names
    are its cache. It returns one gradient for each positional argument of `forward`. Where there is no `backward`, or a
    subclass changes `forward` alone, it is derived.
    """

    states: ClassVar[Any] = ("h",)
    output: ClassVar[str] = ""
    products: ClassVar[Any] = ()
    direct: ClassVar[str] = "direct"
    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any] | None] = None

    def __init_subclass__(cls) -> None:
        """Make both bodies static functions, and register the cell."""
        own = vars(cls)
        for body in ("forward", "backward"):
            if isinstance(own.get(body), FunctionType):
                setattr(cls, body, staticmethod(own[body]))
        if ("forward" in own and "backward" not in own) or not _is_pair(cls):
            cls.backward = None
        for name in ("states", "products", "output"):
            given = _normal(getattr(cls, name))
            setattr(cls, name, (given,) if isinstance(given, str) and name != "output" else given)
        EQUATIONS[f"{cls.__module__}:{cls.__qualname__}"] = cls


def _is_pair(cls: type[Equations]) -> bool:
    """Return whether the backward of a class was written for its forward; either may come from a base or a mixin."""
    order = list(cls.__mro__)
    forward, backward = (next((c for c in order if body in vars(c)), Equations) for body in ("forward", "backward"))
    if hasattr(backward, "forward"):
        return backward.forward is cls.forward
    return order.index(backward) <= order.index(forward)


def _normal(given: Any) -> Any:
    """Return text in NFKC, as Python normalises names: µ, or a letter with an accent, has several codes."""
    if isinstance(given, (tuple, list)):
        return tuple(_normal(text) for text in given)
    return normalize("NFKC", given) if isinstance(given, str) else given


# --- the words of a body, as they act on tensors and numbers with the usual activations -------------------------------


def sigma(z: Any) -> Any:
    """σ(z), the gates' activation; here the logistic function, in a cell the activation that it was given."""
    return Op.functional.sigmoid(z)


def phi(z: Any) -> Any:
    """φ(z), the other activation; here tanh, in a cell the activation that it was given."""
    return Op.functional.tanh(z)


def dsigma(dy: Any, y: Any) -> Any:
    """The gradient of z, where y = σ(z) and dy is the upstream gradient: σ's own derivative rule."""
    return dy * (y * (1.0 - y))


def dphi(dy: Any, y: Any) -> Any:
    """The gradient of z, where y = φ(z) and dy is the upstream gradient: φ's own derivative rule."""
    return dy * (1.0 - y * y)
