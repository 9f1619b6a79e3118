"""Conversion of tensors to Python and NumPy and back, and checks of what users pass.

`Tensor.host` is this module. A tensor leaves the device only through the backend's `to_numpy`.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import lru_cache
from inspect import Parameter, signature
from math import prod
from typing import Any

from minigrad.engine import functional, registry
from minigrad.engine.arguments import flag as flag
from minigrad.engine.conversion import array_from, constant
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import (
    DTypeError,
    GradientError,
    IndexRangeError,
    MinigradError,
    ShapeError,
    mixed_backends_error,
    shown,
)  # fmt: skip
from minigrad.engine.flow import new_lock
from minigrad.engine.indices import normalize_index
from minigrad.engine.memory import out_of_memory
from minigrad.engine.ops import arithmetic, logic
from minigrad.engine.ops import shape as shape_ops
from minigrad.engine.ops.op import Op
from minigrad.engine.ops.power import Power
from minigrad.engine.protocol import BackendModule, TensorLike
from minigrad.engine.recording import enabled, recording
from minigrad.engine.tensor import SCALARS, Tensor, apply

NONE: dict[str, Any] = {}  # no parameters
accumulating = new_lock()  # held while a gradient is added to that of a leaf, because threads may share the leaf


# --- values out -------------------------------------------------------------------------------------------------------


def size(x: Tensor) -> int:
    """Return the number of elements."""
    return prod(x.array.shape)


def numpy(x: Tensor) -> Any:
    """Return a copy on the host, a NumPy array."""
    return x.backend.to_numpy(x.array)


def tolist(x: Tensor) -> Any:
    """Return nested lists of Python numbers."""
    return x.numpy().tolist()


def item(x: Tensor) -> Any:
    """Return the only number in x as Python's."""
    if x.size != 1:
        raise ShapeError(f"item: expected a tensor with one element, got shape {x.shape}. Reduce it first.")
    return x.numpy().item()


def truth(x: Tensor) -> bool:
    """Return the truth of the only number in x."""
    if x.size != 1:
        raise ShapeError(f"bool: a tensor of shape {x.shape} is neither true nor false. Use mg.any or mg.all.")
    return bool(x.item())


def as_float(x: Tensor) -> float:
    """Return the only number in x as a float."""
    return float(x.item())


def as_int(x: Tensor) -> int:
    """Return the only number in x as an int."""
    return int(x.item())


def as_index(x: Tensor) -> int:
    """Return the only number in x, a whole one, as an index."""
    return operator.index(x.item())


def formatted(x: Tensor, spec: str) -> str:
    """Return the only number in x in a format; without one, the text of any tensor."""
    return format(x.item(), spec) if spec else str(x)


def length(x: Tensor) -> int:
    """Return the length of the first axis."""
    if x.ndim == 0:
        raise ShapeError("len: a tensor of shape () has no first axis.")
    return x.shape[0]


def iterator(x: Tensor) -> Iterator[Tensor]:
    """Return an iterator over the first axis."""
    len(x)  # an error without a first axis
    return iter(apply(shape_ops.Unstack, x, axis=0))


def as_array(x: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    """Return a NumPy array, for ``np.asarray``."""
    if copy is False:
        raise ValueError("np.asarray: a tensor returns its numbers as a copy only. Leave copy=False out.")
    return x.numpy() if dtype is None else x.numpy().astype(dtype, copy=False)


def representation(x: Tensor) -> str:
    """Return the text that `repr` shows."""
    text = repr(x.numpy()).replace("\n", "\n ").removeprefix("array").removesuffix(")")
    where = "" if x.backend.name == "numpy" else f", backend={x.backend.name}"
    return f"Tensor{text}{where}{', requires_grad=True' if x.requires_grad else ''})"


def moved(x: Tensor, backend: str | BackendModule) -> Tensor:
    """Return x on a backend: itself if it lives there, else a copy, a new leaf."""
    module = registry.resolve(backend)
    if module is x.backend:
        return x
    if x.node is not None:
        raise GradientError(
            f"to: no gradient passes from {x.backend.name!r} to {module.name!r}. Move the leaves before the "
            "computation, or move x.detach()."
        )
    copied = Tensor(module.asarray(x.numpy()), module)
    copied.tracked = x.tracked
    return copied


# --- copies and pickles -----------------------------------------------------------------------------------------------


def state(x: Tensor) -> dict[str, Any]:
    """Return the attributes by name: the numbers on the host, the backend by its name."""
    return {**_attributes(x), "array": x.numpy(), "backend": x.backend.name}


def set_state(x: Tensor, given: dict[str, Any]) -> None:
    """Set the attributes that `state` returned."""
    backend = registry.resolve(given["backend"])
    for name, value in {**given, "array": backend.asarray(given["array"]), "backend": backend}.items():
        setattr(x, name, value)


def deep_copy(x: Tensor, memo: dict[int, Any]) -> Tensor:
    """Return a copy whose array and gradient are copies too."""
    memo[id(x)] = new = object.__new__(type(x))
    for name, value in _attributes(x).items():
        setattr(new, name, value if name == "backend" else deepcopy(value, memo))
    return new


def _attributes(x: Tensor) -> dict[str, Any]:
    if getattr(x, "node", None) is not None:
        raise GradientError(
            "copy, pickle: this tensor was computed from others, so a copy has no gradient. Copy x.detach()."
        )
    slots: dict[str, Any] = object.__getstate__(x)[1]  # type: ignore[index]  # of a class with __slots__, a pair
    return slots


# --- values in --------------------------------------------------------------------------------------------------------


def as_tensors(op: type[Op], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the inputs of an operation with arrays converted to tensors on the backend of the tensors among them.

    Python scalars stay unchanged, unless all inputs are scalars. An object with a method `__tensor__` stands for the
    tensor that it returns.
    """
    if not inputs:
        raise ShapeError(f"{op.__name__}: expected at least one tensor, got none.")
    inputs = tuple([x.__tensor__() if hasattr(x, "__tensor__") else x for x in inputs])
    backend, arrays = None, False
    for k, x in enumerate(inputs):
        if type(x) not in SCALARS:  # by exact type: np.float64 is a float too
            arrays = True
            backend = x.backend if backend is None and isinstance(x, Tensor) else backend
        elif op.of_arrays:
            name = operands(op, len(inputs))[k]
            raise ShapeError(f"{op.__name__}: `{name}`: expected one axis or more, got {shown(x)}. Use * for a number.")
    if op in (arithmetic.Multiply, Power) and any(type(x).__name__ == "matrix" for x in inputs):
        raise DTypeError(
            f"{op.__name__}: got `a` or `b`, an np.matrix, whose * and ** are those of matrices, while a Tensor's go "
            "element by element. Use x @ m, or np.asarray(m)."
        )
    backend = backend or registry.current()
    kept = SCALARS if arrays else ()
    return tuple(
        x if isinstance(x, Tensor) or type(x) in kept else constant(x, backend, f"{op.__name__}: `{name}`")
        for name, x in zip(operands(op, len(inputs)), inputs, strict=True)
    )


def operands(op: type[Op], count: int) -> list[str]:
    """Return the names of an operation's inputs, as its formula has them; of ``*xs``, ``"xs[0]"`` and so on."""
    names, further = _parameters(op)  # type: ignore[arg-type]  # a class is hashable
    return names[:count] + [f"{further}[{k}]" for k in range(count - len(names))]


@lru_cache(maxsize=512)
def _parameters(op: type[Op]) -> tuple[list[str], str]:
    """Return the names of a formula's positional parameters but xp, and that of the starred one."""
    try:
        _, *parameters = signature(op.formula).parameters.values()
    except (TypeError, ValueError):  # of a callable without a signature
        parameters = []
    kinds = Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD
    starred = [p.name for p in parameters if p.kind is Parameter.VAR_POSITIONAL]
    return [p.name for p in parameters if p.kind in kinds], (starred or ["inputs"])[0]


def set_item(x: Tensor, index: Any, value: TensorLike) -> None:
    """Set values at an index in a new array; other references keep the old one, and the tape detects the change."""
    if x.node is not None or (enabled() and (x.tracked or getattr(value, "tracked", False))):
        raise GradientError(
            "x[index] = value: a tensor that a gradient passes through cannot be written to in place, because the tape "
            "may need its old numbers. Make a new one: mg.where(mask, new, x), or mg.stack / mg.concat of the parts. A "
            "leaf can be written to under mg.no_grad()."
        )
    if isinstance(value, Tensor) and value.backend is not x.backend:
        raise mixed_backends_error("x[index] = value", x.backend, value.backend)
    numbers = array_from(value, x.dtype, x.backend, "x[index] = value")
    try:
        x.array = x.backend.setitem(x.array, normalize_index(index, x.backend, x.shape), numbers)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise explained("x[index] = value", [x.array, numbers], error, x.backend) from error


def reshape(x: Tensor, *shape: Any) -> Tensor:
    """Return x in another shape: x.reshape(2, 3) or x.reshape((2, 3))."""
    return functional.reshape(x, _unstarred(shape))


def transpose(x: Tensor, *axes: Any) -> Tensor:
    """Return x with its axes in another order: x.transpose(1, 0) or x.transpose((1, 0))."""
    return functional.transpose(x, _unstarred(axes) or None)


def _unstarred(sizes: tuple[Any, ...]) -> Any:
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


def checked_requires_grad(x: Tensor, value: Any) -> bool:
    """Return whether the gradient with respect to x is wanted.

    Raises:
        OptionError: the value is neither True nor False.
        DTypeError: it is wanted for integers or bools.
        GradientError: it is not wanted, for a tensor that was computed from others.
    """
    wanted = flag("requires_grad", value)
    if wanted and not is_floating(x.dtype):
        raise DTypeError(
            f"requires_grad = True: the dtype is {x.dtype}, and a gradient is defined for real numbers only. "
            "Make the tensor with dtype='float32' or 'float64'."
        )
    if not wanted and x.node is not None:
        raise GradientError("requires_grad = False: this tensor was computed from others. Use x.detach().")
    return wanted


# --- the backward pass ------------------------------------------------------------------------------------------------


BACKWARD = ("backward", "this tensor", "gradient")  # the call, its tensors and its argument for seeds, for messages


def checked_seeds(
    ys: Sequence[Tensor], seeds: Sequence[TensorLike], names: tuple[str, str, str] = BACKWARD
) -> list[tuple[Tensor, Tensor]]:
    """Return the ys that require a gradient, each with ∂loss/∂y as a tensor of its shape, dtype and backend.

    Args:
        ys: the tensors to start from.
        seeds: ∂loss/∂y for each; None stands for 1.
        names: the call, its tensors and its argument for the seeds, for messages.

    Raises:
        GradientError: no y requires a gradient.
        BackendError: they live on several backends.
        ShapeError: a seed is missing, or has another shape than its y.
    """
    where, given, _ = names
    tracked = [(y, seed) for y, seed in zip(ys, seeds, strict=True) if y.tracked]
    if not tracked:
        raise GradientError(
            f"{where}: no input of {given} requires a gradient (or it was made under no_grad). "
            "Create a leaf with mg.tensor(…, requires_grad=True)."
        )
    backend = tracked[0][0].backend
    for y, _ in tracked:
        if y.backend is not backend:
            raise mixed_backends_error(where, backend, y.backend)
    return [(y, _seed(y, seed, names)) for y, seed in tracked]


def _seed(y: Tensor, seed: TensorLike, names: tuple[str, str, str]) -> Tensor:
    where, given, name = names
    if seed is None:
        if y.size != 1:
            raise ShapeError(
                f"{where}: {given} of shape {y.shape} has no one gradient. Reduce it to a number, "
                f"y.sum(), or pass ∂loss/∂y as `{name}`."
            )
        return Tensor(y.backend.ones(y.shape, y.dtype), y.backend)
    dy: Tensor = (
        seed
        if isinstance(seed, Tensor)
        else Tensor(array_from(seed, y.dtype, y.backend, f"{where}: `{name}`"), y.backend)
    )
    if dy.backend is not y.backend:
        raise mixed_backends_error(where, y.backend, dy.backend)
    if dy.shape != y.shape:
        raise ShapeError(f"{where}: expected `{name}` of shape {y.shape}, got {dy.shape}.")
    return dy if dy.dtype == y.dtype else dy.astype(y.dtype)


@contextmanager
def recording_on(backend: BackendModule) -> Iterator[None]:
    """Record, with new tensors on a backend, inside the `with` block."""
    with registry.using(backend), recording(True):
        yield


# --- operators without a public function ------------------------------------------------------------------------


def logical_and(a: TensorLike, b: TensorLike) -> Tensor:
    """a and b, for bools"""
    return apply(logic.And, a, b)


def logical_or(a: TensorLike, b: TensorLike) -> Tensor:
    """a or b, for bools"""
    return apply(logic.Or, a, b)


def logical_not(x: TensorLike) -> Tensor:
    """not x, for bools"""
    return apply(logic.Not, x)


# --- messages ---------------------------------------------------------------------------------------------------------


def explained(
    what: type[Op] | str, arrays: list[Any], error: Exception, backend: BackendModule, params: dict[str, Any] = NONE
) -> Exception:
    """Return a backend's error as minigrad's, with the operation's name and its inputs and parameters by name."""
    if isinstance(error, MinigradError) and not str(error).startswith("item: "):  # of a tensor given as a parameter
        return error
    names = [""] * len(arrays) if isinstance(what, str) else [f"{n} = " for n in operands(what, len(arrays))]
    what = what if isinstance(what, str) else what.__name__
    if isinstance(error, MemoryError):
        return out_of_memory(what, backend, error)
    given = ", ".join(
        f"{name}{a.dtype} {a.shape}" if hasattr(a, "shape") else f"{name}{shown(a)}"
        for name, a in zip(names, arrays, strict=True)
    )
    how = ", ".join(f"{name} = {shown(value)}" for name, value in params.items())
    given += f", with {how}" if how else ""
    kind: type[MinigradError] = ShapeError if isinstance(error, ValueError) else IndexRangeError
    # NumPy raises a ValueError for 2 ** -1, and an OverflowError for 300 as a uint8 and for an index of 2 ** 70.
    if isinstance(error, TypeError) or str(error).startswith(("Integers", "Python integer")):
        kind = DTypeError
    return kind(f"{what}: cannot be applied to {given}: {error}")
