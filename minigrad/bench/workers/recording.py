"""A record of the work of NumPy and of compiled loops in a run: each call, its kind, and when it began and ended.

The arrays of a recorded run are of the class `Recorded`, to which NumPy hands every call: of a ufunc, an operator, a
function, a method. Within `recording()`, arrays that the backends create are of this class, and so are all arrays that
are computed from them. Compiled loops of Numba are recorded as one call each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

PRODUCTS, COMPILED, ELEMENTWISE, COPIES = "products", "compiled", "elementwise", "copies"
KINDS = PRODUCTS, COMPILED, ELEMENTWISE, COPIES

PRODUCT_NAMES = {"dot", "einsum", "inner", "matmul", "matvec", "outer", "tensordot", "vdot", "vecdot", "vecmat"}
COPY_NAMES = {
    "append", "array", "ascontiguousarray", "asfortranarray", "astype", "concatenate", "copy", "copyto", "delete",
    "fill", "flatten", "full", "full_like", "hstack", "insert", "ones", "ones_like", "pad", "place", "put", "ravel",
    "repeat", "require", "resize", "roll", "stack", "take", "take_along_axis", "tile", "vstack", "zeros", "zeros_like",
}  # fmt: skip
VIEW_NAMES = {
    "asarray", "array_split", "broadcast_arrays", "broadcast_to", "can_cast", "empty", "empty_like", "expand_dims",
    "flip", "may_share_memory", "moveaxis", "ndim", "reshape", "result_type", "shape", "shares_memory", "size", "split",
    "squeeze", "swapaxes", "transpose",
}  # fmt: skip
CREATORS = (
    "arange", "array", "asarray", "ascontiguousarray", "asfortranarray", "empty", "frombuffer", "full", "ones", "zeros"
)  # fmt: skip
METHODS = ("argsort", "astype", "copy", "cumsum", "dot", "fill", "flatten", "nonzero", "repeat", "searchsorted", "take")


class Record:
    """The calls of a run.

    Attributes:
        spans: kind → (start, end) of each call, in seconds.
        products: the matrix products, as functions with their arguments, if `keep` is set.
    """

    def __init__(self, keep: bool = False) -> None:
        self.spans: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
        self.products: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self._keep = keep

    def call(self, kind: str | None, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Call a function with plain arrays and record it; no kind: it moves no numbers and is not recorded."""
        args, kwargs = _plain(args), _plain(kwargs)
        start = time.perf_counter()
        result = function(*args, **kwargs)
        end = time.perf_counter()
        if kind is not None:
            self.spans[kind].append((start, end))
        if kind == PRODUCTS and self._keep:
            self.products.append((function, args, kwargs))
        return _recorded(result)

    def seconds(self, *kinds: str) -> float:
        """Return the time in which a call of these kinds was running; calls in two threads at once count once."""
        spans = sorted(span for kind in kinds for span in self.spans[kind])
        total, until = 0.0, float("-inf")
        for start, end in spans:
            total += max(0.0, end - max(start, until))
            until = max(until, end)
        return max(0.0, total - len(spans) * CLOCK)


def _clock() -> float:
    """Return the seconds between two readings of the clock."""
    readings = [time.perf_counter() for _ in range(1001)]
    return (readings[-1] - readings[0]) / 1000


CLOCK = _clock()
_record: Record | None = None  # of the run in progress


class _LooksAlike(type):
    """Metaclass under which every array is an instance of the class, as of np.ndarray, which it replaces."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, np.ndarray)


class Recorded(np.ndarray, metaclass=_LooksAlike):
    """An array whose use is recorded."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        function = ufunc if method == "__call__" else getattr(ufunc, method)
        kind = PRODUCTS if ufunc.__name__ in PRODUCT_NAMES else ELEMENTWISE
        if out is None:
            return _call(kind, function, inputs, kwargs)
        if method == "__call__":  # by position, as the backends write it: a third of a microsecond faster
            _call(kind, function, (*inputs, *out), kwargs)
        else:
            _call(kind, function, inputs, {**kwargs, "out": out})
        return out[0] if len(out) == 1 else out

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return _call(_kind(function.__name__), function, args, kwargs)

    def __setitem__(self, index: Any, values: Any) -> None:
        _call(COPIES, np.ndarray.__setitem__, (self, index, values), {})

    def __getitem__(self, index: Any) -> Any:
        parts = index if isinstance(index, tuple) else (index,)
        copies = any(isinstance(part, (np.ndarray, list)) for part in parts)
        return _call(COPIES if copies else None, np.ndarray.__getitem__, (self, index), {})


def _method(name: str) -> Callable[..., Any]:
    function = getattr(np.ndarray, name)
    return lambda self, *args, **kwargs: _call(_kind(name), function, (self, *args), kwargs)


for _name in METHODS:
    setattr(Recorded, _name, _method(_name))


def _kind(name: str) -> str | None:
    """Return the kind of a function of NumPy's; None for views."""
    if name in PRODUCT_NAMES:
        return PRODUCTS
    return COPIES if name in COPY_NAMES else None if name in VIEW_NAMES else ELEMENTWISE


def _call(kind: str | None, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    if _record is None:
        return function(*_plain(args), **_plain(kwargs))
    return _record.call(kind, function, args, kwargs)


def _plain(value: Any) -> Any:
    """Return a value with plain arrays in place of recorded ones."""
    kind = type(value)
    if kind is Recorded:
        return value.view(np.ndarray)
    if kind is tuple or kind is list:
        return kind([_plain(part) for part in value])
    return {k: _plain(part) for k, part in value.items()} if kind is dict else value


def _recorded(value: Any) -> Any:
    """Return a result with recorded arrays in place of plain ones."""
    if type(value) is np.ndarray:
        return value.view(Recorded)
    return type(value)([_recorded(part) for part in value]) if type(value) in (tuple, list) else value


# --- the arrays that backends create ----------------------------------------------------------------------------------


@contextmanager
def recording(keep: bool = False) -> Iterator[Record]:
    """Record the calls of this process until the block ends, and let the backends create recorded arrays.

    Args:
        keep: whether to keep the matrix products with their arguments.
    """
    global _record
    replaced = _replaced()
    with _compiled_calls():
        for module, name, value in replaced:
            setattr(module, name, _in_place_of(value))
        _record = Record(keep)
        try:
            yield _record
        finally:
            _record = None
            for module, name, value in replaced:
                setattr(module, name, value)


def _replaced() -> list[tuple[ModuleType, str, Any]]:
    """Return the names by which modules of the backends and of minigrad create arrays, and their values."""
    creators = {id(getattr(np, name)) for name in CREATORS} | {id(np)} | {id(f) for f in _threaded()}
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("minigrad")]
    own = sys.modules[__name__]
    return [
        (module, name, value)
        for module in modules
        if module is not own
        for name, value in list(vars(module).items())
        if id(value) in creators
    ]


def _threaded() -> list[Any]:
    """Return Numba's product, which is one call here, though it runs NumPy's on several threads."""
    module = sys.modules.get("minigrad_numba.threads")
    return [] if module is None else [module.matmul]


def _in_place_of(value: Any) -> Any:
    if value is np:
        return _numpy()
    kind = _kind(value.__name__)
    return lambda *args, **kwargs: _call(kind, value, args, kwargs)


@cache
def _numpy() -> ModuleType:
    """Return NumPy with functions that create recorded arrays."""
    module = ModuleType("numpy")
    vars(module).update({name: getattr(np, name) for name in dir(np) if not name.startswith("__")})
    vars(module).update({name: _in_place_of(getattr(np, name)) for name in CREATORS})
    module.__dict__["ndarray"] = Recorded
    return module


@contextmanager
def _compiled_calls() -> Iterator[None]:
    """Record the calls of Numba's compiled functions from Python."""
    dispatcher = sys.modules.get("numba.core.dispatcher")
    if dispatcher is None:
        yield
        return
    call = dispatcher.Dispatcher.__call__
    dispatcher.Dispatcher.__call__ = lambda self, *args: _call(COMPILED, call, (self, *args), {})
    try:
        yield
    finally:
        del dispatcher.Dispatcher.__call__
