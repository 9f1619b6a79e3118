"""Types of the engine: the functions that a backend offers, and the methods that a tensor has. No code.

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
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, SupportsIndex, TypeAlias, TypeVar

Array: TypeAlias = Any
"""An array of the current backend; in a rule run under `create_graph`, a Tensor."""

Xp: TypeAlias = Any
"""An array namespace: a backend module, or `minigrad.functional`."""

BackendModule: TypeAlias = ModuleType
Axis: TypeAlias = int | tuple[int, ...] | None
ShapeLike: TypeAlias = SupportsIndex | Sequence[int]

TensorLike: TypeAlias = Any
"""A Tensor, a NumPy array, a Python scalar, or nested lists of them."""


class Backend(Protocol):
    """The functions that a backend module offers. Shapes are tuples of ints, dtypes names such as ``"float32"``."""

    name: str  # the name for `mg.use`

    # --- in and out ---------------------------------------------------------------------------------------------
    def asarray(self, data: Any, dtype: Any = None, copy: bool = False) -> Array:
        """An array of this backend from host data (nested lists, NumPy arrays) or its own arrays."""

    def to_numpy(self, x: Array) -> Any:
        """A copy of x on the host, as a NumPy array; no other function leaves the backend."""

    def is_array(self, x: object) -> bool:
        """True if x is an array (or a scalar with a dtype) of this backend."""

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
        """x cut into equal parts along an axis."""

    def unstack(self, x: Array, axis: int = 0) -> tuple[Array, ...]:
        """The slices of x along one axis, a tuple: the inverse of `stack`."""

    def flip(self, x: Array, axis: Axis = None) -> Array: ...
    def pad(self, x: Array, widths: Sequence[tuple[int, int]]) -> Array:
        """x with zeros around it, `(before, after)` for each axis."""

    # --- indexing -----------------------------------------------------------------------------------------------
    def getitem(self, x: Array, index: Any) -> Array:
        """x[index], with slices, integers, `...`, None, integer arrays and masks as NumPy has them."""

    def setitem(self, x: Array, index: Any, values: Any) -> Array:
        """A copy of x with `values` at `index`."""

    def scatter_add(self, x: Array, index: Any, values: Array) -> Array:
        """A copy of x in which `values` are added at `index`; a place named twice gets both."""

    def take(self, x: Array, indices: Array, axis: int = 0) -> Array: ...


REQUIRED: tuple[str, ...] = tuple(name for name in vars(Backend) if not name.startswith("_"))
"""The names of the functions above: what the registry looks for."""


class Recorded(Protocol):
    """A tensor as the tape needs it: an array, and the node that computed it as its result number `index`."""

    array: Array
    node: Any
    index: int


TensorT = TypeVar("TensorT")


class TensorMethods(Generic[TensorT]):
    """Methods of a tensor besides arithmetic. They are functions of `functional` and `host`: see `methods.py`.

    Attributes:
        functional: `minigrad.functional`, the operations on Tensors by NumPy's names.
        host: `minigrad.engine.host`, values in and out, and checks of what users pass.
    """

    __slots__ = ()
    __hash__ = object.__hash__  # by identity: == compares numbers

    functional: ClassVar[Xp]
    host: ClassVar[Any]
    __array_ufunc__: ClassVar[Any]
    __array_function__: ClassVar[Any]
    array: Array
    backend: BackendModule

    if TYPE_CHECKING:

        @property
        def shape(self) -> tuple[int, ...]:
            """The length of each axis."""

        @property
        def ndim(self) -> int:
            """The number of axes."""

        @property
        def dtype(self) -> Any:
            """The backend's dtype; compares equal to names such as ``"float32"`` on NumPy and CuPy."""

        @property
        def size(self) -> int:
            """The number of elements."""

        # --- to the host, and to other backends ---------------------------------------------------------------------
        def numpy(self) -> Any:
            """Return a copy on the host, a NumPy array."""

        def item(self) -> Any:
            """Return the only number in self as Python's."""

        def tolist(self) -> Any:
            """Return nested lists of Python numbers."""

        def to(self, backend: str | BackendModule) -> TensorT:
            """Return self if it lives on that backend, else a copy there, a new leaf.

            Raises:
                GradientError: self was computed from others, and no gradient passes from one backend to another.
            """

        def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any: ...
        def __getstate__(self) -> dict[str, Any]: ...
        def __setstate__(self, state: dict[str, Any]) -> None: ...
        def __deepcopy__(self, memo: dict[int, Any]) -> Any: ...
        def __len__(self) -> int: ...
        def __float__(self) -> float: ...
        def __int__(self) -> int: ...
        def __index__(self) -> int: ...
        def __bool__(self) -> bool: ...
        def __format__(self, spec: str) -> str: ...
        def __repr__(self) -> str: ...

        # --- reductions and shapes ----------------------------------------------------------------------------------
        def sum(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
            """Return Σ self over the axes."""

        def mean(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
            """Return the mean over the axes."""

        def var(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
            """Return the mean squared distance from the mean over the axes."""

        def max(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
            """Return the largest over the axes."""

        def min(self, axis: Axis = None, keepdims: bool = False) -> TensorT:
            """Return the smallest over the axes."""

        def argmax(self, axis: int | None = None) -> TensorT:
            """Return the position of the largest."""

        def reshape(self, *new_shape: Any) -> TensorT:
            """Return the same numbers in another shape, as in NumPy: one axis may be −1."""

        def transpose(self, *axes: Any) -> TensorT:
            """Return the axes in another order; all reversed by default."""

        @property
        def T(self) -> TensorT:  # noqa: N802  (NumPy's name)
            """All axes reversed."""

        def astype(self, dtype: Any) -> TensorT:
            """Return the same numbers in another dtype."""

        # --- indexing -----------------------------------------------------------------------------------------------
        def __getitem__(self, index: Any) -> TensorT: ...
        def __setitem__(self, index: Any, value: TensorLike) -> None: ...
        def __iter__(self) -> Iterator[TensorT]: ...

        # --- operators; those that compare give tensors of bools, through which no gradient passes --------------------
        def __abs__(self) -> TensorT: ...
        def __pow__(self, other: TensorLike) -> TensorT: ...
        def __rpow__(self, other: TensorLike) -> TensorT: ...
        def __lt__(self, other: TensorLike) -> TensorT: ...
        def __le__(self, other: TensorLike) -> TensorT: ...
        def __gt__(self, other: TensorLike) -> TensorT: ...
        def __ge__(self, other: TensorLike) -> TensorT: ...
        def __eq__(self, other: TensorLike) -> TensorT: ...  # type: ignore[override]  # not a bool
        def __ne__(self, other: TensorLike) -> TensorT: ...  # type: ignore[override]
        def __and__(self, other: TensorLike) -> TensorT: ...
        def __rand__(self, other: TensorLike) -> TensorT: ...
        def __or__(self, other: TensorLike) -> TensorT: ...
        def __ror__(self, other: TensorLike) -> TensorT: ...
        def __invert__(self) -> TensorT: ...
