"""An operation: two pure functions of arrays, forward and backward.

    forward(xp, *inputs, **params)          → y
    backward(xp, dy, y, *inputs, **params)  → dx, one for each input

`dy` is ∂loss/∂y, the upstream gradient, and has the shape of y; `dx` is ∂loss/∂x and has the shape of x. Where forward
returns a tuple, y and dy are tuples. An operation without `backward`, such as a comparison, passes no gradient.

`xp` is the namespace that the rules compute in: a backend's functions of arrays, or `minigrad.functional`, which has
the same names on Tensors. On Tensors, backward gives a gradient that can be differentiated again.

A rule may call another operation, as in ``Sigmoid.forward(xp, x)``. On Tensors that call is one operation with its own
backward, not the pieces of the formula: the pieces, such as e^(−|x|), may have kinks where σ has none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar


class Op:
    """A differentiable operation. The class is never instantiated: forward and backward are plain functions.

    Attributes:
        accepts_none: True if backward takes None as the dy of a result that no operation read, instead of zeros.
        broadcasts: True if the inputs broadcast as in NumPy. The caller sums each dx to the shape of its input.
        of_arrays: True if the inputs must have axes: a plain number is refused.
        caches: True if forward returns ``(y, cache)``; backward gets the cache as the keyword `cache`.
        from_output: True if dx follows from dy and y alone, as in tanh′ = 1 − y². Then backward accepts None for x.
        passes_gradient: True if there is a backward. Read from the class, as the next two are.
        selective: True if backward has the keyword `needs`: for each input, whether its dx is needed, or may be None.
        formula: forward as written, for arrays and for Tensors.
        functional: `minigrad.functional`, and `apply` is `tensor.apply`; `minigrad.engine.methods` sets both.
    """

    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]
    accepts_none: ClassVar[bool] = False
    broadcasts: ClassVar[bool] = False
    of_arrays: ClassVar[bool] = False
    caches: ClassVar[bool] = False
    from_output: ClassVar[bool] = False
    passes_gradient: ClassVar[bool] = False
    selective: ClassVar[bool] = False
    formula: ClassVar[Callable[..., Any]]
    functional: ClassVar[Any] = None
    apply: ClassVar[Callable[..., Any]]

    def __init_subclass__(cls) -> None:
        """Make the two rules static functions, and set the attributes that are read from them."""
        if "forward" in vars(cls):
            cls.formula = cls.forward = staticmethod(vars(cls)["forward"])
        if "backward" in vars(cls):
            code = vars(cls)["backward"].__code__
            cls.selective = "needs" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            cls.backward = staticmethod(vars(cls)["backward"])
        cls.passes_gradient = hasattr(cls, "backward")
        if cls.passes_gradient and hasattr(cls, "formula") and not cls.caches:
            cls.forward = staticmethod(_on_arrays_or_tensors(cls))


def _on_arrays_or_tensors(op: type[Op]) -> Callable[..., Any]:
    """Return the forward of `op`: its formula on arrays, one operation with its own backward on Tensors."""
    formula = op.formula

    @wraps(formula)
    def forward(xp: Any, *inputs: Any, **params: Any) -> Any:
        return Op.apply(op, *inputs, **params) if xp is Op.functional else formula(xp, *inputs, **params)

    return forward


class MultiOp(Op):
    """An operation with several results: y and dy are tuples."""
