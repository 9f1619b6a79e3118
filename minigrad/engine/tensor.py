"""Tensor: an array, the backend it lives on, and the node that made it.

`apply` is where the three meet: it takes the arrays out of the tensors, runs an op's forward in their backend, and
writes a node on the tape if anything among the inputs requires a gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NoReturn, cast, overload

from minigrad.engine import registry
from minigrad.engine.arguments import flag
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import DTypeError, GradientError, IndexRangeError, MinigradError, ShapeError
from minigrad.engine.flow import new_lock
from minigrad.engine.indices import mixed_backends_error, normalize_index
from minigrad.engine.interop import Interop, array_from
from minigrad.engine.memory import out_of_memory
from minigrad.engine.ops import arithmetic, indexing, logic, reduction, shape
from minigrad.engine.ops.op import MultiOp, Op
from minigrad.engine.protocol import Array, Axis, BackendModule, Xp
from minigrad.engine.tape import Cotangents, Node, propagate, recording
from minigrad.engine.tape import state as tape_state

__all__ = [
    "Tensor",
    "TensorLike",
    "apply",
    "array_from",
    "constant",
    "gradients",
    "mixed_backends_error",
    "normalize_index",
    "recording",
]

_adding = new_lock()  # to the gradients of leaves, which threads may share

TensorLike = Any  # a Tensor, a NumPy array, a Python scalar or nested lists of them


def _binary(op: type[Op]) -> tuple[Callable[[Tensor, TensorLike], Tensor], Callable[[Tensor, TensorLike], Tensor]]:
    """An operator and its reflection, as in a + b and b + a."""
    return lambda self, other: apply(op, self, other), lambda self, other: apply(op, other, self)


def _starred(sizes: tuple[Any, ...]) -> Any:
    """What x.reshape(2, 3) and x.reshape((2, 3)) have in common."""
    return sizes[0] if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


class Tensor(Interop):
    """An n-dimensional array that remembers how it was made. Create one with `minigrad.engine.tensor`.

    Attributes:
        array: the numbers, an array of the backend. Treat it as read-only.
        backend: the backend's module.
        grad: after `backward()`, ∂loss/∂self as a Tensor, if self is a leaf; else None.
        node: the tape's record of the operation that made self; None for a leaf.
        index: which of the node's outputs self is.
        tracked: what `requires_grad` shows and checks.
    """

    __slots__ = ("__weakref__", "_keras_mask", "grad", "index", "node", "tracked")
    __hash__ = object.__hash__

    functional: ClassVar[Xp]  # `minigrad.functional`: the rules' xp under create_graph; set by `autograd`

    def __init__(self, array: Array, backend: BackendModule, node: Node | None = None, index: int = 0) -> None:
        self.array = array
        self.backend = backend
        self.node = node
        self.index = index
        self.tracked = node is not None
        self.grad: Tensor | None = None

    @property
    def requires_grad(self) -> bool:
        """Is the gradient with respect to this tensor wanted, or needed on the way to another?

        Set it on leaves of a floating dtype; what is made from them follows.
        """
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        wanted = flag("requires_grad", wanted)
        if wanted and not is_floating(self.dtype):
            raise DTypeError(
                f"requires_grad = True: the dtype is {self.dtype}, and a gradient is defined for real numbers only. "
                "Make the tensor with dtype='float32' or 'float64'."
            )
        if not wanted and self.node is not None:
            raise GradientError("requires_grad = False: this tensor was computed from others. Use x.detach().")
        self.tracked = wanted

    def detach(self) -> Tensor:
        """Returns the same numbers without their history: no gradient passes."""
        return Tensor(self.array, self.backend)

    def to(self, backend: str | BackendModule) -> Tensor:
        """Returns self if it lives on that backend, else a copy there, a new leaf.

        Raises:
            GradientError: self was computed from others, and no gradient passes from one backend to another.
        """
        module = registry.resolve(backend)
        if module is self.backend:
            return self
        if self.node is not None:
            raise GradientError(
                f"to: no gradient passes from {self.backend.name!r} to {module.name!r}. Move the leaves before the "
                "computation, or move x.detach()."
            )
        moved = Tensor(module.asarray(self.numpy()), module)
        moved.tracked = self.tracked
        return moved

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
        create_graph = flag("backward: `create_graph`", create_graph)
        for leaf, dx in gradients([self], [gradient], create_graph, free=not create_graph).at_leaves():
            with _adding:
                if create_graph:
                    leaf.grad = dx if leaf.grad is None else leaf.grad + dx
                else:
                    leaf.grad = Tensor(dx if leaf.grad is None else leaf.grad.array + dx, leaf.backend)

    # --- methods that are operations ----------------------------------------------------------------------------------

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Σ self over the axes."""
        return apply(reduction.Sum, self, axis=axis, keepdims=flag("sum: `keepdims`", keepdims))

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The mean over the axes."""
        return cast(Tensor, self.functional.mean(self, axis, keepdims))

    def var(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The mean squared distance from the mean over the axes."""
        return cast(Tensor, self.functional.var(self, axis, keepdims))

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest over the axes."""
        return cast(Tensor, self.functional.max(self, axis, keepdims))

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest over the axes."""
        return cast(Tensor, self.functional.min(self, axis, keepdims))

    def argmax(self, axis: int | None = None) -> Tensor:
        """The position of the largest."""
        return cast(Tensor, self.functional.argmax(self, axis))

    def reshape(self, *new_shape: Any) -> Tensor:
        """The same numbers in another shape, as in NumPy: one axis may be −1."""
        return cast(Tensor, self.functional.reshape(self, _starred(new_shape)))

    def transpose(self, *axes: Any) -> Tensor:
        """The axes in another order; all reversed by default."""
        return cast(Tensor, self.functional.transpose(self, _starred(axes) or None))

    @property
    def T(self) -> Tensor:  # noqa: N802  (NumPy's name)
        """All axes reversed."""
        return self.transpose()

    def astype(self, dtype: Any) -> Tensor:
        """The same numbers in another dtype."""
        return cast(Tensor, self.functional.astype(self, dtype))

    def __getitem__(self, index: Any) -> Tensor:
        return apply(indexing.GetItem, self, index=normalize_index(index, self.backend, self.array.shape))

    def __setitem__(self, index: Any, value: TensorLike) -> None:
        if self.node is not None or (tape_state().on and (self.tracked or getattr(value, "tracked", False))):
            raise GradientError(
                "x[…] = …: a tensor that a gradient passes through cannot be written to in place, for the tape may "
                "need its old numbers. Make a new one: mg.where(mask, new, x), or mg.stack / mg.concat of the parts. A "
                "leaf can be written to under mg.no_grad()."
            )
        if isinstance(value, Tensor) and value.backend is not self.backend:
            raise mixed_backends_error("x[…] = …", self.backend, value.backend)
        numbers = array_from(value, self.dtype, self.backend, "x[…] = …")
        # A new array: whoever saw the old one still has it, and the tape notices.
        try:
            self.array = self.backend.setitem(self.array, normalize_index(index, self.backend, self.shape), numbers)
        except (ValueError, TypeError, IndexError, OverflowError) as error:
            raise _explained("x[…] = …", [self.array, numbers], error, self.backend) from error

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

    # --- comparisons: tensors of bools, through which no gradient passes ----------------------------------------------

    __lt__, __gt__ = _binary(logic.Less)[0], _binary(logic.Greater)[0]
    __le__, __ge__ = _binary(logic.LessEqual)[0], _binary(logic.GreaterEqual)[0]
    __eq__, __ne__ = _binary(logic.Equal)[0], _binary(logic.NotEqual)[0]  # type: ignore[assignment]  # not bools
    __and__, __rand__ = _binary(logic.And)
    __or__, __ror__ = _binary(logic.Or)

    def __invert__(self) -> Tensor:
        return apply(logic.Not, self)


# --- applying operations ----------------------------------------------------------------------------------------------

SCALARS = (float, int, bool, type(None))  # what an op is handed as it is


@overload
def apply(op: type[MultiOp], *inputs: TensorLike, **params: Any) -> tuple[Tensor, ...]: ...
@overload
def apply(op: type[Op], *inputs: TensorLike, **params: Any) -> Tensor: ...
def apply(op: type[Op], *inputs: TensorLike, **params: Any) -> Any:
    """Runs an operation on tensors, and records it if a gradient is to pass.

    Args:
        op: the operation.
        inputs: Tensors; Python scalars and None stay what they are, any other array becomes a constant Tensor.
        params: what the op takes beside arrays, such as ``axis``.

    Returns:
        A Tensor, or a tuple of Tensors where the op's forward returns a tuple.

    Raises:
        BackendError: the tensors are of two backends.
        ShapeError: the shapes do not fit the operation.
        DTypeError: the dtypes do not.
    """
    arrays: list[Any] = []
    needs: list[bool] = []
    backend: Any = None
    for x in inputs:
        if isinstance(x, Tensor):
            arrays.append(x.array)
            needs.append(x.tracked)
            if x.backend is not backend:
                backend = _the_one(op, backend, x.backend)
        elif type(x) in SCALARS:
            arrays.append(_no_array(op, x) if op.of_arrays else x)
            needs.append(False)
        else:
            return apply(op, *_with_tensors(op, inputs), **params)
    if backend is None:
        return apply(op, *_all_tensors(op, inputs), **params)
    try:
        y = op.formula(backend, *arrays, **params)
    except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
        raise _explained(op.__name__, arrays, error, backend) from error
    if op.caches:
        y, params["cache"] = y
    node = None
    if True in needs and (state := tape_state()).on and op.passes_gradient:
        node = Node(op, inputs, arrays, needs, y, params, state.observers)
    if type(y) is tuple:
        return tuple([Tensor(part, backend, node, k) for k, part in enumerate(y)])
    return Tensor(y, backend, node)


def _no_array(op: type[Op], x: Any) -> NoReturn:
    raise ShapeError(f"{op.__name__}: expected arrays with one axis or more, got {x!r}. Use * for a number.")


def _the_one(op: type[Op], one: BackendModule | None, other: BackendModule) -> BackendModule:
    """The backend of all the inputs."""
    if one is not None:
        raise mixed_backends_error(op.__name__, one, other)
    return other


def constant(x: TensorLike, backend: BackendModule, what: str = "tensor") -> Tensor:
    """Returns x, which messages call `what`, as a tensor without a gradient."""
    return Tensor(array_from(x, None, backend, what), backend)


def _with_tensors(op: type[Op], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs with every array made a constant tensor, on the backend of the tensors among them."""
    backend = next((x.backend for x in inputs if isinstance(x, Tensor)), None) or registry.current()
    what = op.__name__
    if op in (arithmetic.Multiply, arithmetic.Power) and any(type(x).__name__ == "matrix" for x in inputs):
        raise DTypeError(
            f"{what}: got an np.matrix, whose * and ** are those of matrices, while a Tensor's go element by element. "
            "Use x @ m, or np.asarray(m)."
        )
    return tuple([x if isinstance(x, Tensor) or type(x) in SCALARS else constant(x, backend, what) for x in inputs])


def _all_tensors(op: type[Op], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Python scalars, with no tensor among them that could say where they belong, as tensors."""
    if not inputs:
        raise ShapeError(f"{op.__name__}: expected at least one tensor, got none.")
    return tuple([constant(x, registry.current(), op.__name__) for x in inputs])


def _explained(what: str, arrays: list[Any], error: Exception, backend: BackendModule) -> Exception:
    """The backend's complaint, with the operation's name and what it was given."""
    if isinstance(error, MinigradError):
        return error
    if isinstance(error, MemoryError):
        return out_of_memory(what, backend, error)
    given = ", ".join(f"{a.dtype} {a.shape}" if hasattr(a, "shape") else repr(a) for a in arrays)
    kind: type[MinigradError] = ShapeError if isinstance(error, ValueError) else IndexRangeError
    # NumPy has a ValueError for 2 ** -1, and an OverflowError for 300 as a uint8 and for an index of 2 ** 70.
    if isinstance(error, TypeError) or str(error).startswith(("Integers", "Python integer")):
        kind = DTypeError
    return kind(f"{what}: cannot be applied to {given}: {error}")


# --- gradients --------------------------------------------------------------------------------------------------------


def gradients(
    ys: Sequence[Tensor],
    seeds: Sequence[TensorLike],
    create_graph: bool = False,
    free: bool = False,
    wanted: Sequence[Tensor] = (),
    since: int = 0,
) -> Cotangents:
    """Runs the tape back from the ys. What arrives is Tensors under `create_graph`, else arrays.

    Args:
        ys: the tensors to start from, those that require a gradient among them.
        seeds: ∂loss/∂y for each; None stands for 1, where y is a single number.
        create_graph: record the gradient.
        free: forget the graph, once all went well.
        wanted: the tensors that the gradient is asked for, beside leaves.
        since: older nodes, those with a higher serial, are not passed through.
    """
    tracked = [(y, seed) for y, seed in zip(ys, seeds, strict=True) if y.tracked]
    if not tracked:
        raise GradientError(
            "backward: nothing that this tensor was made from requires a gradient (or it was made under no_grad). "
            "Create a leaf with mg.tensor(…, requires_grad=True)."
        )
    targets = [y for y, _ in tracked]
    backend = targets[0].backend
    for y in targets:
        if y.backend is not backend:
            raise mixed_backends_error("backward", backend, y.backend)
    cotangents = [_seed(y, seed) for y, seed in tracked]
    if not create_graph:
        arrays = [c.array for c in cotangents]
        try:
            return propagate(targets, arrays, backend, free=free, wanted=wanted, since=since)
        except MemoryError as error:
            raise out_of_memory("backward", backend, error) from error
    with registry.using(backend), recording(True):
        xp = Tensor.functional
        return propagate(targets, cotangents, xp, on_tensors=True, free=free, wanted=wanted, since=since)


def _seed(y: Tensor, seed: TensorLike) -> Tensor:
    """∂loss/∂y as a tensor of y's shape and dtype, on y's backend."""
    if seed is None:
        if y.size != 1:
            raise ShapeError(
                f"backward: a tensor of shape {y.shape} has no one gradient. Reduce it to a number, "
                "y.sum().backward(), or pass ∂loss/∂y as `gradient`."
            )
        return Tensor(y.backend.ones(y.shape, y.dtype), y.backend)
    dy: Tensor = seed if isinstance(seed, Tensor) else Tensor(array_from(seed, y.dtype, y.backend), y.backend)
    if dy.backend is not y.backend:
        raise mixed_backends_error("backward", y.backend, dy.backend)
    if dy.shape != y.shape:
        raise ShapeError(f"backward: expected `gradient` of shape {y.shape}, got {dy.shape}.")
    return dy if dy.dtype == y.dtype else dy.astype(y.dtype)
