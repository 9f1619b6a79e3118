"""NumPy's own functions called with a Tensor: np.exp(x), np.sum(x), and array + x, which is np.add(array, x)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.errors import DTypeError, GradientError
from minigrad.engine.tensor import Tensor

# NumPy's ufuncs that minigrad has; these are recorded.
ON_TAPE = {
    **{
        name: name
        for name in (
            "add", "cos", "divide", "equal", "exp", "expm1", "floor", "greater", "greater_equal", "isfinite", "less",
            "less_equal", "log", "log1p", "matmul", "maximum", "minimum", "multiply", "negative", "not_equal", "power",
            "sign", "sin", "sqrt", "square", "subtract", "tanh",
        )
    },
    "absolute": "abs",
}  # fmt: skip
BY_OPERATOR = {
    "bitwise_and": ("__and__", "__rand__"),
    "bitwise_or": ("__or__", "__ror__"),
    "invert": ("__invert__", ""),
}
# NumPy's names for functions that have another name here, for messages.
OTHER_NAMES = {
    "amax": "max", "amin": "min", "average": "mean", "cumulative_sum": "cumsum", "dot": "matmul", "hstack": "concat",
    "moveaxis": "transpose", "permute_dims": "transpose", "ravel": "reshape", "tensordot": "einsum", "vstack": "concat",
}  # fmt: skip
WRITERS = ("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask")


class ArrayUfunc:
    """Descriptor for `__array_ufunc__`: a function of the class, None of an instance.

    NumPy reads the attribute of the class. A masked array reads that of the instance, and runs its own operator where
    that is None.
    """

    def __get__(self, instance: Any, owner: type) -> Callable[..., Any] | None:
        return None if instance is not None else _ufunc


def array_function(self: Tensor, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Call one of NumPy's functions with the numbers, unless a gradient would be lost silently."""
    if kwargs.get("out") is not None or (function.__name__ in WRITERS and isinstance(_first(args, kwargs), Tensor)):
        raise _write_error(_named(function))
    return _by_numpy(function, _named(function), function.__name__, args, kwargs)


def _by_numpy(function: Any, named: str, name: str, args: Any, kwargs: Any) -> Any:
    """Return the result of a NumPy function on the numbers."""
    name_here = OTHER_NAMES.get(name, name)
    known = hasattr(Tensor.functional, name_here)
    remedy = f"Use mg.{name_here}, or" if known else "minigrad has no function of that name:"
    return function(*_on_host(args, named, remedy), **_on_host(kwargs, named, remedy))


def _ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Run minigrad's operation of that name; without one, NumPy's function on the numbers."""
    name = ufunc.__name__
    named = f"np.{name}" if method == "__call__" else f"np.{name}.{method}"
    if "out" in kwargs or (method == "at" and isinstance(inputs[0], Tensor)):
        raise _write_error(named)
    if method == "__call__" and not kwargs:
        if name in ON_TAPE:
            return getattr(self.functional, ON_TAPE[name])(*inputs)
        if name in BY_OPERATOR:
            forward, reflected = BY_OPERATOR[name]
            first, *rest = inputs
            return getattr(first, forward)(*rest) if first is self else getattr(self, reflected)(first)
    return _by_numpy(getattr(ufunc, method), named, ON_TAPE.get(name, name), inputs, kwargs)


def _named(function: Any) -> str:
    """Return the name of one of NumPy's functions, as users write it."""
    return f"{(function.__module__ or 'np').replace('numpy', 'np', 1)}.{function.__name__}"


def _first(args: Any, kwargs: Any) -> Any:
    """Return the first argument, given by position or by name."""
    return args[0] if args else next((kwargs[name] for name in ("dst", "a", "arr") if name in kwargs), None)


def _write_error(named: str) -> DTypeError:
    return DTypeError(
        f"{named}: NumPy can write neither to a Tensor nor, as in array += tensor, from one. Use array += x.numpy(), "
        "or x[…] = … under mg.no_grad()."
    )


def _on_host(x: Any, named: str, remedy: str) -> Any:
    """Return arguments of a NumPy function with each tensor among them replaced by its numbers."""
    if isinstance(x, Tensor):
        if x.requires_grad:
            raise GradientError(
                f"{named}: NumPy would lose the gradient of this tensor. {remedy} say x.numpy() or x.detach()."
            )
        return x.numpy()
    if isinstance(x, dict):
        return {key: _on_host(value, named, remedy) for key, value in x.items()}
    if type(x) in (list, tuple):
        return type(x)(_on_host(part, named, remedy) for part in x)
    return x
