"""Values from outside, checked and converted to arrays of a backend: Python numbers, lists, arrays of any library."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from minigrad.engine import registry
from minigrad.engine.dtypes import FLOATING, always_fits, dtype_name, fits
from minigrad.engine.errors import DTypeError, GradientError, MinigradError, ShapeError, shown
from minigrad.engine.protocol import Array, BackendModule, TensorLike
from minigrad.engine.tensor import Tensor

DEEPEST = 64  # lists in lists: the number of axes that NumPy's arrays may have


def constant(x: TensorLike, backend: BackendModule, what: str = "tensor") -> Tensor:
    """Return x, which messages call `what`, as a tensor without a gradient."""
    return Tensor(array_from(x, None, backend, what), backend)


def array_from(data: Any, dtype: Any, backend: BackendModule, what: str = "tensor") -> Array:
    """Return a new array of the backend, Python floats as float32. Raise as `mg.tensor`; messages begin with `what`."""
    name = None if dtype is None else dtype_name(dtype)
    if isinstance(data, Tensor):
        data = data.array if data.backend is backend else data.numpy()
    else:
        _refuse(data, what)
    has_dtype = hasattr(data, "dtype")
    xp = backend
    if not getattr(backend, "on_host", False):  # values from the host are checked there, without a transfer
        host = registry.resolve("numpy")
        xp = host if host.is_array(data) or not backend.is_array(data) else backend
    try:
        # Without the dtype first: with it, NumPy reads numbers from strings, NaN from None, and drops imaginary parts.
        plain = data if has_dtype and xp.is_array(data) else _as_array(data, xp, what)
        given = _checked_dtype(data, plain.dtype, what)
        if name is None:
            name = "float32" if given == "float64" and not hasattr(_first(data), "dtype") else given
        if given != name:
            _refuse_misfit(xp, plain, given, name, what)
        array = backend.asarray(plain, dtype=name, copy=has_dtype)
    except (ValueError, OverflowError, RuntimeError, TypeError) as error:
        if isinstance(error, MinigradError):
            raise
        if has_dtype:
            raise DTypeError(f"{what}: the backend {backend.name!r} takes no {data.dtype}: {error}.") from error
        raise ShapeError(f"{what}: the data are not one regular array of numbers: {error}") from error
    return array if _has_native_order(array.dtype, name) else backend.astype(array, name)


def _as_array(data: Any, xp: BackendModule, what: str) -> Array:
    """Return data of another type as an array; an object's `__array__` and its entries may raise anything."""
    try:
        return xp.asarray(data)
    except (ValueError, OverflowError, RuntimeError, TypeError, MemoryError):
        raise
    except Exception as error:
        raise ShapeError(f"{what}: expected numbers, got {shown(data)}, which cannot be converted: {error}") from error


@lru_cache(maxsize=None, typed=True)
def _has_native_order(dtype: Any, name: str) -> bool:
    """Return whether the numbers of a dtype are in the machine's byte order."""
    return str(dtype).endswith(name)


def _refuse_misfit(xp: BackendModule, x: Array, given: str, name: str, what: str) -> None:
    """Raise DTypeError if numbers of one dtype do not fit another: too large, or with fractions for integers.

    Rounding to fewer digits is allowed, and any number may become a bool.
    """
    if always_fits(given, name) or 0 in x.shape:
        return
    low, high = (xp.to_numpy(f(x)).item() for f in (xp.min, xp.max))
    if name in FLOATING and not (fits(low, name) and fits(high, name)):  # infinities and NaN fit
        x = xp.where(xp.isfinite(x), x, 0)
        low, high = (xp.to_numpy(f(x)).item() for f in (xp.min, xp.max))
    wrong = high if fits(low, name) else low
    if not fits(wrong, name):
        hint = "a wider dtype" if wrong == wrong else "numpy.nan_to_num, or a floating dtype"
        raise DTypeError(f"{what}: the dtype {name} cannot hold {wrong}. Use {hint}.")
    if given in FLOATING and name not in FLOATING and not bool(xp.to_numpy(xp.all(xp.floor(x) == x))):
        raise DTypeError(f"{what}: the dtype {name} cannot hold fractions. Round first: numpy.rint(x).")


def _checked_dtype(data: Any, dtype: Any, what: str) -> str:
    """Return the name of the data's dtype, or raise DTypeError for data that are not numbers."""
    try:
        return dtype_name(dtype)
    except MinigradError as error:
        raise DTypeError(f"{what}: expected numbers, got {type(data).__name__} data of dtype {dtype}.") from error


def _refuse(data: Any, what: str, depth: int = 0) -> None:
    """Raise an error for data that would lose their history (a list of tensors) or their mask (a masked array)."""
    if isinstance(data, (list, tuple)):
        for part in data if depth < DEEPEST else ():
            if type(part) not in (float, int):
                _refuse_part(part, what, depth + 1)
    elif hasattr(data, "filled") and hasattr(data, "mask"):
        raise DTypeError(
            f"{what}: got a masked array, and its mask would be lost. Fill the masked places, x.filled(0), and "
            "pass the mask separately, ~np.ma.getmaskarray(x)."
        )


def _refuse_part(part: Any, what: str, depth: int) -> None:
    if isinstance(part, Tensor):
        raise GradientError(
            f"{what}: got a list of tensors, and their history would be lost. Use mg.stack([...]) or mg.concat([...])."
        )
    _refuse(part, what, depth)


def _first(data: Any) -> Any:
    """Return the first element in nested lists that is not a list."""
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return data
