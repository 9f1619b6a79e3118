"""The border between tensors and the host: numbers in (`array_from`), numbers out (`Interop`, a Tensor's base class).

A tensor meets Python and NumPy here and nowhere else. It leaves the device by one exit, the backend's `to_numpy`.
"""

from __future__ import annotations

import operator
from copy import deepcopy
from math import prod
from typing import Any, Self, cast

from minigrad.engine import registry
from minigrad.engine.dtypes import FLOATING, always_fits, dtype_name, fits
from minigrad.engine.errors import DTypeError, GradientError, MinigradError, ShapeError
from minigrad.engine.numpy_calls import NumpyCalls
from minigrad.engine.protocol import Array, BackendModule


class Interop(NumpyCalls):
    """What Python and NumPy see of a tensor."""

    __slots__ = ("array", "backend")

    array: Array
    backend: BackendModule
    requires_grad: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return cast(tuple[int, ...], self.array.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return cast(int, self.array.ndim)

    @property
    def dtype(self) -> Any:
        """The backend's dtype; compares equal to names such as ``"float32"`` on NumPy and CuPy."""
        return self.array.dtype

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    def numpy(self) -> Any:
        """Returns a copy on the host, a NumPy array."""
        return self.backend.to_numpy(self.array)

    def item(self) -> Any:
        """Returns the one number in self as Python's."""
        if self.size != 1:
            raise ShapeError(f"item: expected a tensor with one element, got shape {self.shape}. Reduce it first.")
        return self.numpy().item()

    def tolist(self) -> Any:
        """Returns nested lists of Python numbers."""
        return self.numpy().tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if copy is False:
            raise ValueError("np.asarray: a tensor's numbers always leave it as a copy, so copy=False cannot be had.")
        return self.numpy() if dtype is None else self.numpy().astype(dtype, copy=False)

    def __getstate__(self) -> dict[str, Any]:
        """The attributes, for `pickle` and `copy`: the numbers on the host, the backend by its name."""
        return {**self._parts(), "array": self.numpy(), "backend": self.backend.name}

    def __setstate__(self, state: dict[str, Any]) -> None:
        backend = registry.resolve(state["backend"])
        for name, value in {**state, "array": backend.asarray(state["array"]), "backend": backend}.items():
            setattr(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self)] = new = object.__new__(type(self))
        for name, value in self._parts().items():
            setattr(new, name, value if name == "backend" else deepcopy(value, memo))
        return new

    def _parts(self) -> dict[str, Any]:
        """The attributes of a leaf by name."""
        if getattr(self, "node", None) is not None:
            raise GradientError(
                "copy, pickle: this tensor was computed from others, so a copy has no gradient. Copy x.detach()."
            )
        return cast(dict[str, Any], cast(Any, super().__getstate__())[1])  # of a class with __slots__, a pair

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ShapeError("len: a tensor of shape () has no first axis.")
        return self.shape[0]

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return operator.index(self.item())

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(f"bool: a tensor of shape {self.shape} is neither true nor false. Use mg.any or mg.all.")
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        text = repr(self.numpy()).replace("\n", "\n ").removeprefix("array").removesuffix(")")
        where = "" if self.backend.name == "numpy" else f", backend={self.backend.name}"
        return f"Tensor{text}{where}{', requires_grad=True' if self.requires_grad else ''})"


def array_from(data: Any, dtype: Any, backend: BackendModule, what: str = "tensor") -> Array:
    """Returns a fresh array of the backend, Python floats as float32. Raises as `mg.tensor`; messages say `what`."""
    name = None if dtype is None else dtype_name(dtype)
    if isinstance(data, Interop):
        data = data.array if data.backend is backend else data.numpy()
    else:
        _refuse(data, what)
    typed = hasattr(data, "dtype")
    xp = backend
    if not getattr(backend, "on_host", False):  # what comes from the host is looked at there, without a transfer
        host = registry.resolve("numpy")
        xp = host if host.is_array(data) or not backend.is_array(data) else backend
    try:
        # Without the dtype first, or NumPy would read numbers out of strings, NaN out of None, drop imaginary parts.
        plain = data if typed and xp.is_array(data) else xp.asarray(data)
        came = _checked_dtype(data, plain.dtype, what)
        if name is None:
            name = "float32" if came == "float64" and not hasattr(_first(data), "dtype") else came
        if came != name:
            _refuse_misfit(xp, plain, came, name, what)
        array = backend.asarray(plain, dtype=name, copy=typed)
    except (ValueError, OverflowError, RuntimeError, TypeError) as error:
        if isinstance(error, MinigradError):
            raise
        if typed:
            raise DTypeError(f"{what}: the backend {backend.name!r} takes no {data.dtype}: {error}.") from error
        raise ShapeError(f"{what}: the data are not one regular array of numbers: {error}") from error
    return array if str(array.dtype).endswith(name) else backend.astype(array, name)  # in the machine's byte order


def _refuse_misfit(xp: BackendModule, x: Array, came: str, name: str, what: str) -> None:
    """Raises DTypeError if numbers of one dtype do not fit another: too large, or with fractions for integers.

    Rounding to fewer digits is no misfit, nor is a number's truth as a bool.
    """
    if always_fits(came, name) or 0 in x.shape:
        return
    low, high = (xp.to_numpy(f(x)).item() for f in (xp.min, xp.max))
    if name in FLOATING and not (fits(low, name) and fits(high, name)):  # infinities and NaN fit
        x = xp.where(xp.isfinite(x), x, 0)
        low, high = (xp.to_numpy(f(x)).item() for f in (xp.min, xp.max))
    wrong = high if fits(low, name) else low
    if not fits(wrong, name):
        hint = "a wider dtype" if wrong == wrong else "numpy.nan_to_num, or a floating dtype"
        raise DTypeError(f"{what}: the dtype {name} cannot hold {wrong}. Use {hint}.")
    if came in FLOATING and name not in FLOATING and not bool(xp.to_numpy(xp.all(xp.floor(x) == x))):
        raise DTypeError(f"{what}: the dtype {name} cannot hold fractions. Round first: numpy.rint(x).")


def _checked_dtype(data: Any, dtype: Any, what: str) -> str:
    """The name of the dtype that the data have."""
    try:
        return dtype_name(dtype)
    except MinigradError as error:
        raise DTypeError(f"{what}: expected numbers, got {type(data).__name__} data of dtype {dtype}.") from error


def _refuse(data: Any, what: str) -> None:
    """Raises GradientError or DTypeError for what would lose its history, or its mask, anywhere in nested lists."""
    if isinstance(data, (list, tuple)):
        for part in data:
            if type(part) is not float:
                _refuse_part(part, what)
    elif hasattr(data, "filled") and hasattr(data, "mask"):
        raise DTypeError(
            f"{what}: got a masked array, and its mask would be lost. Say what stands in its place, x.filled(0), and "
            "hand the mask on by itself, ~np.ma.getmaskarray(x)."
        )


def _refuse_part(part: Any, what: str) -> None:
    if isinstance(part, Interop):
        raise GradientError(
            f"{what}: got a list of tensors, and their history would be lost. Use mg.stack([...]) or mg.concat([...])."
        )
    _refuse(part, what)


def _first(data: Any) -> Any:
    """The first thing in nested lists that is not a list."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return data
