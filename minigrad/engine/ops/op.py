"""What an operation is: two pure functions of arrays.

    forward(xp, *inputs, **params)          → y
    backward(xp, dy, y, *inputs, **params)  → dx, one for each input

`xp` is the array namespace: a backend's functions on its arrays, or `minigrad.functional` on Tensors. Run on arrays, a
backward rule gives the gradient; run on Tensors, it records the gradient as it goes, and so can be differentiated
again. An op has never heard of tensors, of the tape, or of NumPy.

A rule may be built from other ops: ``Sigmoid.forward(xp, x)``. On Tensors that is one node on the tape, differentiated
by Sigmoid's own rule, and not the pieces of its formula. The pieces, such as e^(−|x|), may have kinks where σ has none.

`dy` is ∂loss/∂y and has y's shape; `dx` is ∂loss/∂x. Where forward returns a tuple, y and dy are tuples. An op without
`backward`, such as a comparison, passes no gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar


class Op:
    """A differentiable operation, a class that is never instantiated: forward and backward are plain functions.

    Attributes:
        broadcasts: the inputs broadcast against each other as NumPy's do. Then backward may leave dx in the shape of
            y, and the tape sums it down to the shape of x, in one place for all.
        of_arrays: the inputs are arrays with axes; a number or None is refused before the formula.
        keeps: forward returns ``(y, kept)``, where `kept` is whatever backward wants to see again; it is handed to
            backward as the keyword `kept`.
        passes_gradient: True if there is a backward. Set by writing it.
        selective: backward takes the keyword `needs`, a sequence that says for which inputs a gradient is wanted, and
            may return None for the rest. Set by writing the parameter.
        from_output: the derivative can be told from y alone, as in tanh′ = 1 − y²: a recurrent cell, which keeps y
            alone, passes None for x.
        formula: forward as it is written, on arrays and on Tensors alike.
        functional: the namespace of Tensors, `minigrad.functional`; set by `minigrad.engine.autograd`, as is `apply`.
        apply: runs an op on Tensors and records it, as one node.
    """

    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]  # absent where no gradient passes
    formula: ClassVar[Callable[..., Any]]
    functional: ClassVar[Any] = None
    apply: ClassVar[Callable[..., Any]]
    broadcasts: ClassVar[bool] = False
    of_arrays: ClassVar[bool] = False
    caches: ClassVar[bool] = False
    passes_gradient: ClassVar[bool] = False
    selective: ClassVar[bool] = False
    from_output: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """Makes forward and backward static, so that an op reads as the pair of formulas it is."""
        for rule in ("forward", "backward"):
            if rule in vars(cls):
                setattr(cls, rule, staticmethod(vars(cls)[rule]))
        cls.passes_gradient = hasattr(cls, "backward")
        if "backward" in vars(cls):
            code = vars(cls)["backward"].__func__.__code__
            cls.selective = "needs" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if "forward" in vars(cls):
            cls.formula = vars(cls)["forward"]
        if hasattr(cls, "formula") and hasattr(cls, "backward") and not cls.caches:
            cls.forward = staticmethod(_one_node_on_tensors(cls))


def _one_node_on_tensors(op: type[Op]) -> Callable[..., Any]:
    """Return op's forward: its formula on arrays, one node with op's own backward on Tensors."""
    formula = op.formula

    @wraps(formula)
    def forward(xp: Any, *inputs: Any, **params: Any) -> Any:
        return Op.apply(op, *inputs, **params) if xp is Op.functional else formula(xp, *inputs, **params)

    return forward


class MultiOp(Op):
    """An operation that makes several arrays: y and dy are tuples."""
