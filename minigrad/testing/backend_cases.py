"""Cases for `check_backend`: calls on a backend with the results of NumPy."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from math import erf
from typing import Any

import numpy as np

Case = tuple[str, Callable[[Any], Any], Any]
"""Name, a function of the backend, and NumPy's result."""

A = np.array([[[0.5, -1.5, 2.0], [1.0, 0.25, -3.0]], [[0.0, 4.0, -0.5], [2.0, 2.0, 1.5]]], "float32")
B = np.array([[1.0], [-2.0]], "float32")  # broadcasts against A
M = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], "float32")  # the product A M is defined
I = np.array([1, 0, 1])
TRUE = A > 0.3


def backend_cases() -> Iterator[Case]:
    """Yield every case: functions by name with arguments, operators, then conversions."""
    for name, arguments, expected in (*_elementwise(), *_reductions(), *_shapes(), *_indexing()):
        yield f"{name}{_shown(arguments)}", _call(name, arguments), expected
    for sign, function in _OPERATORS.items():
        for a, b in ((A, B), (A, 2.0), (2.0, B)) if sign != "@" else ((A, M), (M[0], M[1]), (A, M[:, 0])):
            yield f"operator {sign}", _call(function, (a, b)), function(a, b)
    for sign, logical in (("&", operator.and_), ("|", operator.or_), ("==", operator.eq)):
        yield f"operator {sign}", _call(logical, (TRUE, A < 1.0)), logical(TRUE, A < 1.0)
    yield "operator ~", _call(operator.invert, (TRUE,)), ~TRUE
    yield "unary -", _call(operator.neg, (A,)), -A
    yield from _conversions()


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "@": operator.matmul,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip

Call = tuple[str, tuple[Any, ...], Any]
"""Name of a function, its arguments, and NumPy's result."""


def _call(function: str | Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    """Return a call on the backend, with the host's arrays converted to its own."""

    def on(xp: Any, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            return xp.asarray(x.copy())
        return type(x)([on(xp, part) for part in x]) if isinstance(x, (tuple, list)) else x

    def run(xp: Any) -> Any:
        called = getattr(xp, function) if isinstance(function, str) else function
        return called(*[on(xp, x) for x in arguments])

    return run


def _shown(x: Any) -> str:
    """Return arguments as a line of text."""
    if isinstance(x, np.ndarray):
        return f"array {x.shape}"
    return f"({', '.join(map(_shown, x))})" if isinstance(x, (tuple, list)) else repr(x)


def _elementwise() -> Iterator[Call]:
    for name in ("abs", "sign", "exp", "expm1", "sin", "cos", "tanh", "floor"):
        yield name, (A,), getattr(np, name)(A)
    for name in ("log", "log1p", "sqrt"):
        yield name, (np.abs(A) + 1,), getattr(np, name)(np.abs(A) + 1)
    yield "erf", (B,), np.array([[erf(b) for b in row] for row in B.tolist()], "float32")
    odd = np.array([1.0, np.inf, -np.inf, np.nan], "float32")
    yield "isfinite", (odd,), np.isfinite(odd)
    for other in (B, 0.0):
        yield "maximum", (A, other), np.maximum(A, other)
        yield "minimum", (A, other), np.minimum(A, other)
        yield "where", (TRUE, A, other), np.where(TRUE, A, other)
        yield "where", (TRUE, other, A), np.where(TRUE, other, A)
    yield "clip", (A, -1.0, 1.0), np.clip(A, -1.0, 1.0)
    yield "astype", (A, "float64"), A.astype("float64")
    yield "astype", (TRUE, "float32"), TRUE.astype("float32")
    yield "astype", (A, "int64"), A.astype("int64")


def _reductions() -> Iterator[Call]:
    for name in ("sum", "prod", "max", "min", "all", "any"):
        x = TRUE if name in ("all", "any") else A
        for axis, keepdims in ((None, False), (-1, True), ((0, 2), False), ((0, 1), True), (1, False)):
            yield name, (x, axis, keepdims), getattr(np, name)(x, axis, keepdims=keepdims)
    yield "sum", (A, ()), A
    yield "argmax", (A,), np.argmax(A)
    yield "argmax", (A, -1), np.argmax(A, -1)
    yield "cumsum", (A, 1), np.cumsum(A, 1)
    yield "cumsum", (A, -1), np.cumsum(A, -1)
    for a, b in ((A, M), (M[0], M[1]), (A, M[:, 0]), (A[0, 0], M), (A, A.transpose(0, 2, 1))):
        yield "matmul", (a, b), np.matmul(a, b)


def _shapes() -> Iterator[Call]:
    yield "reshape", (A, (3, 4)), A.reshape(3, 4)
    yield "reshape", (A, (-1, 2)), A.reshape(-1, 2)
    yield "transpose", (A,), A.transpose()
    yield "transpose", (A, (1, 0, 2)), A.transpose(1, 0, 2)
    yield "expand_dims", (A, 1), A[:, None]
    yield "expand_dims", (A, -1), A[..., None]
    yield "squeeze", (B[None],), B[:, 0]
    yield "squeeze", (B[None], 0), B
    yield "squeeze", (B[None], (0, 2)), B[:, 0]
    yield "broadcast_to", (B, (3, 2, 4)), np.broadcast_to(B, (3, 2, 4))
    for axis in (0, -1):
        yield "concat", ([A, A + 1], axis), np.concatenate([A, A + 1], axis)
        yield "stack", ([A, A + 1], axis), np.stack([A, A + 1], axis)
        yield "unstack", (A, axis), tuple(np.moveaxis(A, axis, 0))
        yield "flip", (A, axis), np.flip(A, axis)
    yield "flip", (A,), np.flip(A)
    yield "flip", (A, (0, 2)), np.flip(A, (0, 2))
    yield "split", (A, 3, -1), tuple(np.split(A, 3, -1))
    yield "pad", (M, ((1, 0), (0, 2))), np.pad(M, ((1, 0), (0, 2)))


def _indexing() -> Iterator[Call]:
    every = slice(None)
    indices: list[Any] = [0, -1, (0, 1), (every, slice(0, 1)), (Ellipsis, 0), (None, 1), (0, slice(None, None, -1))]
    for index in [*indices, I, TRUE, (I, I), (every, I)]:
        picked = A[index]
        added = A.copy()
        np.add.at(added, index, picked)
        yield "getitem", (A, index), picked
        yield "scatter_add", (A, index, picked), added
        written = A.copy()
        written[index] = 7.0
        yield "setitem", (A, index, 7.0), written
    yield "setitem", (A, 0, B), np.stack([np.broadcast_to(B, (2, 3)), A[1]])
    yield "take", (M, I), M[I]
    yield "take", (M, np.array([[2, 0], [1, 1]])), M[[[2, 0], [1, 1]]]
    yield "take", (A, I, -1), A[:, :, I]


def _conversions() -> Iterator[Case]:
    for dtype in ("float32", "float64", "int32", "int64", "bool"):
        for name in ("zeros", "ones"):
            yield f"{name}((2, 0, 1), {dtype!r})", _call(name, ((2, 0, 1), dtype)), getattr(np, name)((2, 0, 1), dtype)
        yield f"asarray([[0, 1]], {dtype!r})", _call("asarray", ([[0, 1]], dtype)), np.array([[0, 1]], dtype)
    yield "zeros((2,))", _call("zeros", ((2,),)), np.zeros(2, "float32")
    yield "zeros of another's dtype", lambda xp: xp.zeros((2,), xp.asarray(A).dtype), np.zeros(2, "float32")
    yield "full((2,), 3)", _call("full", ((2,), 3)), np.full(2, 3, "float32")
    yield "arange(3)", _call("arange", (3,)), np.arange(3)
    yield "arange(3, 'float64')", lambda xp: xp.arange(3, dtype="float64"), np.arange(3, dtype="float64")

    def recognized(xp: Any) -> Any:
        return xp.asarray([xp.is_array(xp.asarray(A)), xp.is_array([1.0])], "bool")

    def copied(xp: Any) -> Any:
        host = A.copy()
        x = xp.asarray(host, copy=True)
        host[:] = 0
        xp.to_numpy(x)[:] = 0
        xp.setitem(xp.asarray(x, copy=True), 0, 9.0)
        xp.setitem(x, 0, 9.0)
        xp.scatter_add(x, 0, x[0, :, :])
        return x

    yield "is_array", recognized, np.array([True, False])
    yield "asarray(copy=True), to_numpy, setitem and scatter_add", copied, A
