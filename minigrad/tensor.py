"""Tensor: an array, the backend it lives on, and the node that made it.

`apply` is where the three meet: it takes the arrays out of the tensors, runs an op's forward in their backend, and
writes a node on the tape if anything among the inputs requires a gradient.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, cast, overload

from minigrad.backend import registry
from minigrad.backend.protocol import Array, Axis, BackendModule, Xp
from minigrad.errors import BackendError, DTypeError, GradientError, ShapeError
from minigrad.ops import arithmetic, indexing, reduction, shape
from minigrad.ops.op import MultiOp, Op
from minigrad.tape import Cotangents, Node, propagate

TensorLike = Any  # a Tensor, a NumPy array, a Python scalar or nested lists of them


def _binary(op: type[Op]) -> tuple[Callable[[Tensor, TensorLike], Tensor], Callable[[Tensor, TensorLike], Tensor]]:
    """An operator and its reflection, as in a + b and b + a."""
    return lambda self, other: apply(op, self, other), lambda self, other: apply(op, other, self)


def _untracked(function: Callable[[Any, Any], Any]) -> Callable[[Tensor, TensorLike], Tensor]:
    """A comparison: its result is True or False, and no gradient passes."""

    def compare(self: Tensor, other: TensorLike) -> Tensor:
        if not isinstance(other, (Tensor, float, int)):
            other = constant(other, self.backend)
        return Tensor(function(self.array, getattr(other, "array", other)), self.backend)

    return compare


class Tensor:
    """An n-dimensional array that remembers how it was made. Create one with `minigrad.tensor`.

    Attributes:
        array: the numbers, an array of the backend. Treat it as read-only.
        backend: the backend's module.
        requires_grad: is the gradient with respect to this tensor wanted, or needed on the way to another?
        grad: after `backward()`, ∂loss/∂self as a Tensor, if self is a leaf; else None.
        node: the tape's record of the operation that made self; None for a leaf.
        index: which of the node's outputs self is.
    """

    __slots__ = ("__weakref__", "_keras_mask", "array", "backend", "grad", "index", "node", "requires_grad")
    __array_ufunc__ = None  # so that ndarray + Tensor asks the Tensor
    __hash__ = object.__hash__

    functional: ClassVar[Xp]  # `minigrad.functional`, which puts itself here: the rules' xp under create_graph

    def __init__(self, array: Array, backend: BackendModule, node: Node | None = None, index: int = 0) -> None:
        self.array = array
        self.backend = backend
        self.node = node
        self.index = index
        self.requires_grad = node is not None
        self.grad: Tensor | None = None

    # --- what it is -------------------------------------------------------------------------------------------------

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
        return math.prod(self.shape)

    @property
    def T(self) -> Tensor:  # noqa: N802  (NumPy's name)
        """All axes reversed."""
        return self.transpose()

    def __len__(self) -> int:
        if self.ndim == 0:
            raise ShapeError("len: a tensor of shape () has no first axis.")
        return self.shape[0]

    def __repr__(self) -> str:
        text = repr(self.numpy()).replace("\n", "\n ").removeprefix("array").removesuffix(")")
        where = "" if self.backend.name == "numpy" else f", backend={self.backend.name}"
        return f"Tensor{text}{where}{', requires_grad=True' if self.requires_grad else ''})"

    # --- to the host and between backends -----------------------------------------------------------------------------

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

    def detach(self) -> Tensor:
        """Returns the same numbers without their history: no gradient passes."""
        return Tensor(self.array, self.backend)

    def to(self, backend: str | BackendModule) -> Tensor:
        """Returns a copy on another backend, a new leaf: no gradient passes."""
        module = registry.resolve(backend)
        moved = Tensor(module.asarray(self.numpy()), module)
        moved.requires_grad = self.requires_grad
        return moved

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """NumPy's functions get the numbers, unless a gradient would be lost without a word."""
        return function(*_on_host(args, function), **_on_host(kwargs, function))

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

    # --- gradients ----------------------------------------------------------------------------------------------------

    def backward(self, gradient: TensorLike = None, create_graph: bool = False) -> None:
        """Adds ∂self/∂leaf to `.grad` of every leaf that self was made from and that requires a gradient.

        The graph is freed, so that a second call without a new forward computation is an error.

        Args:
            gradient: ∂loss/∂self, of self's shape. May be left out where self is a single number: 1.
            create_graph: record the gradient too, so that it can be differentiated again; keeps the graph.

        Raises:
            GradientError: nothing requires a gradient, the graph was freed, or a tensor on it was overwritten.
            ShapeError: `gradient` is missing for a self of many numbers, or has another shape.
        """
        for leaf, dx in gradients([self], [gradient], create_graph, free=not create_graph).of_leaves.values():
            dleaf = dx if create_graph else Tensor(dx, leaf.backend)
            leaf.grad = dleaf if leaf.grad is None else leaf.grad + dleaf

    # --- methods that are operations ----------------------------------------------------------------------------------

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Σ self over the axes."""
        return apply(reduction.Sum, self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The mean over the axes."""
        return cast(Tensor, self.functional.mean(self, axis, keepdims))

    def var(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The mean squared distance from the mean over the axes."""
        return cast(Tensor, self.functional.var(self, axis, keepdims))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest over the axes."""
        return apply(reduction.Max, self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest over the axes."""
        return apply(reduction.Min, self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: int | None = None) -> Tensor:
        """The position of the largest."""
        return cast(Tensor, self.functional.argmax(self, axis))

    def reshape(self, *new_shape: Any) -> Tensor:
        """The same numbers in another shape, as in NumPy: one axis may be −1."""
        sizes = new_shape[0] if len(new_shape) == 1 and isinstance(new_shape[0], (tuple, list)) else new_shape
        return apply(shape.Reshape, self, shape=tuple(map(int, sizes)))

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order; all reversed by default."""
        return cast(Tensor, self.functional.transpose(self, axes[0] if len(axes) == 1 else axes or None))

    def astype(self, dtype: Any) -> Tensor:
        """The same numbers in another dtype."""
        return cast(Tensor, self.functional.astype(self, dtype))

    def __getitem__(self, index: Any) -> Tensor:
        return apply(indexing.GetItem, self, index=_plain(index))

    def __setitem__(self, index: Any, value: TensorLike) -> None:
        if self.requires_grad or getattr(value, "requires_grad", False):
            raise GradientError(
                "x[…] = …: a tensor that a gradient passes through cannot be written to in place, for the tape may "
                "need its old numbers. Make a new one: mg.where(mask, new, x), or mg.stack / mg.concat of the parts."
            )
        value = value.array if isinstance(value, Tensor) else value
        array = self.backend.asarray(self.array, copy=True)
        array[_plain(index)] = value
        self.array = array  # a new array: whoever saw the old one still has it, and the tape notices

    def __iter__(self) -> Iterator[Tensor]:
        len(self)
        return iter(apply(shape.Unstack, self, axis=0))

    # NumPy arrays and Python scalars mix in on either side.
    __add__, __radd__ = _binary(arithmetic.Add)
    __sub__, __rsub__ = _binary(arithmetic.Subtract)
    __mul__, __rmul__ = _binary(arithmetic.Multiply)
    __truediv__, __rtruediv__ = _binary(arithmetic.Divide)
    __pow__, __rpow__ = _binary(arithmetic.Power)
    __matmul__, __rmatmul__ = _binary(arithmetic.MatMul)

    def __neg__(self) -> Tensor:
        return apply(arithmetic.Negative, self)

    def __pos__(self) -> Tensor:
        return self

    def __abs__(self) -> Tensor:
        return cast(Tensor, self.functional.abs(self))

    # --- comparisons: tensors of bools, through which no gradient passes ------------------------------------------------

    __lt__, __le__ = _untracked(operator.lt), _untracked(operator.le)
    __gt__, __ge__ = _untracked(operator.gt), _untracked(operator.ge)
    __eq__, __ne__ = _untracked(operator.eq), _untracked(operator.ne)  # type: ignore[assignment]  # not bools
    __and__, __or__ = _untracked(operator.and_), _untracked(operator.or_)
    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Tensor:
        return Tensor(~self.array, self.backend)


# --- applying operations ------------------------------------------------------------------------------------------------

_recording = True


@contextmanager
def recording(on: bool) -> Iterator[None]:
    """Turns the tape on or off inside a `with` block."""
    global _recording
    before, _recording = _recording, on
    try:
        yield
    finally:
        _recording = before


@overload
def apply(op: type[MultiOp], *inputs: TensorLike, **params: Any) -> tuple[Tensor, ...]: ...
@overload
def apply(op: type[Op], *inputs: TensorLike, **params: Any) -> Tensor: ...
def apply(op: type[Op], *inputs: TensorLike, **params: Any) -> Any:
    """Runs an operation on tensors, and records it if a gradient is to pass.

    Args:
        op: the operation.
        inputs: Tensors; Python scalars stay what they are, any other array becomes a constant Tensor.
        params: what the op takes beside arrays, such as ``axis``.

    Returns:
        A Tensor, or a tuple of Tensors where the op's forward returns a tuple.

    Raises:
        BackendError: the tensors are of two backends.
        ShapeError: the shapes do not fit the operation.
    """
    arrays: list[Any] = []
    backend: Any = None
    tracked = False
    for x in inputs:
        if isinstance(x, Tensor):
            arrays.append(x.array)
            if backend is None:
                backend = x.backend
            elif x.backend is not backend:
                raise _mixed(op, backend, x.backend)
            tracked = tracked or x.requires_grad
        elif x is None or type(x) is float or type(x) is int or type(x) is bool:
            arrays.append(x)
        else:
            return apply(op, *_with_tensors(inputs), **params)
    if backend is None:
        return apply(op, *[constant(x, registry.current()) for x in inputs], **params)
    try:
        y = op.forward(backend, *arrays, **params)
    except (ValueError, IndexError) as error:
        raise _explained(op, arrays, error) from error
    kept = None
    if op.keeps:
        y, kept = y
    node = Node(op, inputs, arrays, y, params, kept) if tracked and _recording else None
    if type(y) is tuple:
        return tuple([Tensor(part, backend, node, k) for k, part in enumerate(y)])
    return Tensor(y, backend, node)


def _with_tensors(inputs: tuple[Any, ...]) -> list[Any]:
    """The inputs with every array made a constant tensor, on the backend of the tensors among them."""
    backend = next((x.backend for x in inputs if isinstance(x, Tensor)), None) or registry.current()
    return [x if isinstance(x, Tensor) or x is None or type(x) in (float, int, bool) else constant(x, backend) for x in inputs]


def constant(x: TensorLike, backend: BackendModule) -> Tensor:
    """Returns x as a tensor without a gradient."""
    return Tensor(array_from(x, None, backend), backend)


def array_from(data: TensorLike, dtype: Any, backend: BackendModule) -> Array:
    """Returns a fresh array of the backend; Python floats become float32. See `minigrad.tensor` for what it raises."""
    first = data
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    if isinstance(first, Tensor) and first is not data:
        raise GradientError(
            "tensor: got a list of tensors, and their history would be lost. Use mg.stack([...]) or mg.concat([...])."
        )
    if isinstance(data, Tensor):
        data = data.array if data.backend is backend else data.numpy()
    try:
        array = backend.asarray(data, dtype=dtype, copy=True)
    except (ValueError, TypeError) as error:
        raise ShapeError(f"tensor: the data are not one regular array of numbers: {error}") from error
    if dtype is None and not hasattr(data, "dtype") and str(array.dtype) == "float64":
        array = backend.astype(array, "float32")
    if not any(kind in str(array.dtype) for kind in ("float", "int", "bool")):
        raise DTypeError(f"tensor: expected numbers, got {type(data).__name__} data of dtype {array.dtype}.")
    return array


def _mixed(op: type[Op], a: BackendModule, b: BackendModule) -> BackendError:
    return BackendError(
        f"{op.__name__}: one tensor lives on {a.name!r}, another on {b.name!r}. Nothing moves by itself; bring one over "
        f"with x.to({a.name!r})."
    )


def _explained(op: type[Op], arrays: list[Any], error: Exception) -> Exception:
    shapes = ", ".join(str(a.shape) for a in arrays if hasattr(a, "shape"))
    kind = IndexError if isinstance(error, IndexError) else ShapeError
    return kind(f"{op.__name__}: cannot be applied to shapes {shapes}: {error}")


def _plain(index: Any) -> Any:
    """An index with arrays in place of tensors."""
    if isinstance(index, tuple):
        return tuple(_plain(part) for part in index)
    return index.array if isinstance(index, Tensor) else index


def _on_host(x: Any, function: Any) -> Any:
    """Arguments of a NumPy function with the numbers of each Tensor among them."""
    if isinstance(x, Tensor):
        if x.requires_grad and _recording:
            raise GradientError(
                f"np.{function.__name__}: NumPy would lose the gradient of this tensor. Use minigrad's function of that "
                "name, or say x.numpy() or x.detach()."
            )
        return x.numpy()
    if isinstance(x, dict):
        return {key: _on_host(value, function) for key, value in x.items()}
    return type(x)(_on_host(part, function) for part in x) if isinstance(x, (list, tuple)) else x


# --- gradients ----------------------------------------------------------------------------------------------------------


def gradients(ys: Sequence[Tensor], seeds: Sequence[TensorLike], create_graph: bool, free: bool) -> Cotangents:
    """Runs the tape back from the ys. What arrives is Tensors under `create_graph`, else arrays.

    Args:
        ys: the tensors to start from, those that require a gradient among them.
        seeds: ∂loss/∂y for each; None stands for 1, where y is a single number.
        create_graph: record the gradient.
        free: forget the graph.
    """
    tracked = [(y, seed) for y, seed in zip(ys, seeds, strict=True) if y.requires_grad]
    if not tracked:
        raise GradientError(
            "backward: nothing that this tensor was made from requires a gradient (or it was made under no_grad). "
            "Create a leaf with mg.tensor(…, requires_grad=True)."
        )
    targets = [y for y, _ in tracked]
    backend = targets[0].backend
    cotangents = [_seed(y, seed) for y, seed in tracked]
    if not create_graph:
        return propagate(targets, [c.array for c in cotangents], backend, free=free)
    with registry.using(backend):
        return propagate(targets, cotangents, Tensor.functional, on_tensors=True)


def _seed(y: Tensor, seed: TensorLike) -> Tensor:
    """∂loss/∂y as a tensor of y's shape and dtype."""
    if seed is None:
        if y.size != 1:
            raise ShapeError(
                f"backward: a tensor of shape {y.shape} has no one gradient. Reduce it to a number, y.sum().backward(), "
                "or pass ∂loss/∂y as `gradient`."
            )
        return Tensor(y.backend.ones(y.shape, y.dtype), y.backend)
    if not isinstance(seed, Tensor):
        seed = Tensor(y.backend.asarray(seed, dtype=y.dtype, copy=True), y.backend)
    if seed.shape != y.shape:
        raise ShapeError(f"backward: expected `gradient` of shape {y.shape}, got {seed.shape}.")
    return cast(Tensor, seed)
