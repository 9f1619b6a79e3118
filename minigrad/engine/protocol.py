"""Types of the engine: the functions that a backend offers, and the methods that a tensor has.

A backend is a module with the functions of `Backend`. These are NumPy's own names (and the array API standard's, where
the two differ), so for NumPy and CuPy most of them are one line. Backends import nothing from minigrad;
`minigrad.testing.check_backend(module)` checks every function against numbers.

The arrays themselves have Python's operators (``+ - * / ** @ < <= > >= == != ~ & |``, unary minus), NumPy's
broadcasting, and the attributes ``shape``, ``ndim`` and ``dtype``. Python scalars mix in without changing a float
dtype.

`minigrad.functional` offers the same names on Tensors, so one gradient rule serves both.

A backend may offer five things more, described in `minigrad.engine.optional`: `probe`, `on_host`, `shortage`, fused
`kernels` of the recurrent loops, and other operations `fused`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from operator import index
from types import ModuleType
from typing import Any, ClassVar, Generic, Protocol, SupportsIndex, TypeAlias, TypeVar

Array: TypeAlias = Any
"""An array of the backend at hand; in a rule run under `create_graph`, a Tensor."""

Xp: TypeAlias = Any
"""An array namespace: a backend module, or `minigrad.functional`."""

BackendModule: TypeAlias = ModuleType
Axis: TypeAlias = int | tuple[int, ...] | None
ShapeLike: TypeAlias = SupportsIndex | Sequence[int]

TensorLike: TypeAlias = Any
"""A Tensor, a NumPy array, a Python scalar, or nested lists of them."""


class Backend(Protocol):
    """The functions that a backend module offers. Shapes are tuples of ints, dtypes names such as ``"float32"``."""

    name: str  # what `mg.use` calls it

    # --- in and out ---------------------------------------------------------------------------------------------
    def asarray(self, data: Any, dtype: Any = None, copy: bool = False) -> Array:
        """An array of this backend from host data (nested lists, NumPy arrays) or its own arrays."""

    def to_numpy(self, x: Array) -> Any:
        """A copy of x on the host, as a NumPy array: the one exit."""

    def is_array(self, x: object) -> bool:
        """Whether x is an array (or a scalar with a dtype) of this backend."""

    def astype(self, x: Array, dtype: Any) -> Array:
        """x with another dtype."""

    def zeros(self, shape: tuple[int, ...], dtype: Any = "float32") -> Array: ...
    def ones(self, shape: tuple[int, ...], dtype: Any = "float32") -> Array: ...
    def full(self, shape: tuple[int, ...], value: Any, dtype: Any = "float32") -> Array: ...
    def arange(self, stop: int, dtype: Any = "int64") -> Array: ...

    # --- elementwise --------------------------------------------------------------------------------------------
    def abs(self, x: Array) -> Array: ...
    def sign(self, x: Array) -> Array: ...
    def exp(self, x: Array) -> Array: ...
    def expm1(self, x: Array) -> Array: ...
    def log(self, x: Array) -> Array: ...
    def log1p(self, x: Array) -> Array: ...
    def sqrt(self, x: Array) -> Array: ...
    def sin(self, x: Array) -> Array: ...
    def cos(self, x: Array) -> Array: ...
    def tanh(self, x: Array) -> Array: ...
    def erf(self, x: Array) -> Array: ...
    def floor(self, x: Array) -> Array: ...
    def isfinite(self, x: Array) -> Array: ...
    def maximum(self, a: Array, b: Array) -> Array: ...
    def minimum(self, a: Array, b: Array) -> Array: ...
    def clip(self, x: Array, low: Any, high: Any) -> Array: ...
    def where(self, condition: Array, a: Array, b: Array) -> Array: ...

    # --- products and reductions --------------------------------------------------------------------------------
    def matmul(self, a: Array, b: Array) -> Array: ...
    def sum(self, x: Array, axis: Axis = None, keepdims: bool = False) -> Array: ...
    def prod(self, x: Array, axis: Axis = None, keepdims: bool = False) -> Array: ...
    def max(self, x: Array, axis: Axis = None, keepdims: bool = False) -> Array: ...
    def min(self, x: Array, axis: Axis = None, keepdims: bool = False) -> Array: ...
    def all(self, x: Array, axis: Axis = None, keepdims: bool = False) -> Array: ...
    def any(self, x: Array, axis: Axis = None, keepdims: bool = False) -> Array: ...
    def argmax(self, x: Array, axis: int | None = None) -> Array: ...
    def cumsum(self, x: Array, axis: int) -> Array: ...

    # --- shape --------------------------------------------------------------------------------------------------
    def reshape(self, x: Array, shape: tuple[int, ...]) -> Array: ...
    def transpose(self, x: Array, axes: tuple[int, ...] | None = None) -> Array: ...
    def expand_dims(self, x: Array, axis: int) -> Array: ...
    def squeeze(self, x: Array, axis: Axis = None) -> Array: ...
    def broadcast_to(self, x: Array, shape: tuple[int, ...]) -> Array: ...
    def concat(self, xs: Sequence[Array], axis: int = 0) -> Array: ...
    def stack(self, xs: Sequence[Array], axis: int = 0) -> Array: ...
    def split(self, x: Array, sections: int, axis: int = 0) -> tuple[Array, ...]:
        """x cut into so many equal parts along an axis."""

    def unstack(self, x: Array, axis: int = 0) -> tuple[Array, ...]:
        """The slices of x along one axis, a tuple: the inverse of `stack`."""

    def flip(self, x: Array, axis: Axis = None) -> Array: ...
    def pad(self, x: Array, widths: Sequence[tuple[int, int]]) -> Array:
        """x with zeros around it, `(before, after)` for each axis."""

    # --- indexing -----------------------------------------------------------------------------------------------
    def getitem(self, x: Array, index: Any) -> Array:
        """x[index], with slices, integers, `...`, None, integer arrays and masks as NumPy has them."""

    def setitem(self, x: Array, index: Any, values: Any) -> Array:
        """A copy of x in which `values` stand at `index`."""

    def scatter_add(self, x: Array, index: Any, values: Array) -> Array:
        """A copy of x in which `values` are added at `index`; a place named twice gets both."""

    def take(self, x: Array, indices: Array, axis: int = 0) -> Array: ...


REQUIRED: tuple[str, ...] = tuple(name for name in vars(Backend) if not name.startswith("_"))
"""The names of the functions above: what the registry looks for."""


def missing(module: object) -> list[str]:
    """Return the names that `module` lacks or that cannot be called: empty for a whole backend."""
    absent = [name for name in REQUIRED if not callable(getattr(module, name, None))]
    return absent if isinstance(getattr(module, "name", None), str) else ["name", *absent]


class Recorded(Protocol):
    """A tensor as the tape needs it: an array, and the node that computed it as its result number `index`."""

    array: Array
    node: Any
    index: int


TensorT = TypeVar("TensorT")


class TensorMethods(Generic[TensorT]):
    """Methods of a tensor besides arithmetic, declared here and defined in `functional` and `host`.

    Attributes:
        functional: `minigrad.functional`, the operations on Tensors by NumPy's names.
        host: `minigrad.engine.host`, values in and out, and checks of what users pass.
    """

    __slots__ = ()
    __hash__ = object.__hash__  # by identity: == compares numbers

    functional: ClassVar[Xp]
    host: ClassVar[Any]
    __array_ufunc__: ClassVar[Any]  # these two are set by `host`
    __array_function__: ClassVar[Any]
    array: Array
    backend: BackendModule

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.array.ndim

    @property
    def dtype(self) -> Any:
        """The backend's dtype; compares equal to names such as ``"float32"`` on NumPy and CuPy."""
        return self.array.dtype

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    # --- to the host, and to other backends ---------------------------------------------------------------------
    def numpy(self) -> Any:
        """Return a copy on the host, a NumPy array."""
        return self.backend.to_numpy(self.array)

    def item(self) -> Any:
        """Return the only number in self as Python's."""
        return self.host.item(self)

    def tolist(self) -> Any:
        """Return nested lists of Python numbers."""
        return self.numpy().tolist()

    def to(self, backend: str | BackendModule) -> TensorT:
        """Return self if it lives on that backend, else a copy there, a new leaf.

        Raises:
            GradientError: self was computed from others, and no gradient passes from one backend to another.
        """
        return self.host.moved(self, backend)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.host.as_array(self, dtype, copy)

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, for `pickle` and `copy`: the numbers on the host, the backend by its name."""
        return self.host.state(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.host.set_state(self, state)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.host.deep_copy(self, memo)

    def __len__(self) -> int:
        return self.host.length(self)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return index(self.item())

    def __bool__(self) -> bool:
        return self.host.truth(self)

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __repr__(self) -> str:
        return self.host.representation(self)

    # --- reductions and shapes ----------------------------------------------------------------------------------
    def sum(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
        """Return Σ self over the axes."""
        return self.functional.sum(self, axis, keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
        """Return the mean over the axes."""
        return self.functional.mean(self, axis, keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
        """Return the mean squared distance from the mean over the axes."""
        return self.functional.var(self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
        """Return the largest over the axes."""
        return self.functional.max(self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
        """Return the smallest over the axes."""
        return self.functional.min(self, axis, keepdims)

    def argmax(self, axis: int | None = None) -> TensorT:
        """Return the position of the largest."""
        return self.functional.argmax(self, axis)

    def reshape(self, *new_shape: Any) -> TensorT:
        """Return the same numbers in another shape, as in NumPy: one axis may be −1."""
        return self.functional.reshape(self, self.host.unstarred(new_shape))

    def transpose(self, *axes: Any) -> TensorT:
        """Return the axes in another order; all reversed by default."""
        return self.functional.transpose(self, self.host.unstarred(axes) or None)

    @property
    def T(self) -> TensorT:  # noqa: N802  (NumPy's name)
        """All axes reversed."""
        return self.transpose()

    def astype(self, dtype: Any) -> TensorT:
        """Return the same numbers in another dtype."""
        return self.functional.astype(self, dtype)

    # --- indexing -----------------------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> TensorT:
        return self.functional.getitem(self, index)

    def __setitem__(self, index: Any, value: TensorLike) -> None:
        self.host.set_item(self, index, value)

    def __iter__(self) -> Iterator[TensorT]:
        return self.host.iterator(self)

    # --- operators; those that compare give tensors of bools, through which no gradient passes --------------------
    def __abs__(self) -> TensorT:
        return self.functional.abs(self)

    def __lt__(self, other: TensorLike) -> TensorT:
        return self.functional.less(self, other)

    def __le__(self, other: TensorLike) -> TensorT:
        return self.functional.less_equal(self, other)

    def __gt__(self, other: TensorLike) -> TensorT:
        return self.functional.greater(self, other)

    def __ge__(self, other: TensorLike) -> TensorT:
        return self.functional.greater_equal(self, other)

    def __eq__(self, other: TensorLike) -> TensorT:  # type: ignore[override]  # not a bool
        return self.functional.equal(self, other)

    def __ne__(self, other: TensorLike) -> TensorT:  # type: ignore[override]
        return self.functional.not_equal(self, other)

    def __and__(self, other: TensorLike) -> TensorT:
        return self.host.logical_and(self, other)

    def __rand__(self, other: TensorLike) -> TensorT:
        return self.host.logical_and(other, self)

    def __or__(self, other: TensorLike) -> TensorT:
        return self.host.logical_or(self, other)

    def __ror__(self, other: TensorLike) -> TensorT:
        return self.host.logical_or(other, self)

    def __invert__(self) -> TensorT:
        return self.host.logical_not(self)
