"""Tensor: an array, the backend that computes on it, and the node that recorded how it was computed.

`apply` brings these together: it takes the arrays out of the tensors, runs an operation's formula in their backend, and
records a node if a gradient is to pass. Every operator and every function of `minigrad.functional` calls it.

Two modules that are built on this one are read through the class, as ``Tensor.host`` and ``Tensor.functional``:
`minigrad.engine.host`, which converts and checks what users pass, and `minigrad.functional`. `minigrad.engine.methods`
sets both when minigrad is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from minigrad.engine.errors import mixed_backends_error
from minigrad.engine.ops import arithmetic
from minigrad.engine.ops.op import MultiOp, Op
from minigrad.engine.protocol import Array, BackendModule, TensorLike, TensorMethods
from minigrad.engine.tape import Cotangents, Node, observers, propagate

__all__ = ["Tensor", "TensorLike", "apply", "gradients"]

SCALARS = (float, int, bool, type(None))  # passed to an operation as they are

Operator = Callable[["Tensor", TensorLike], "Tensor"]


def _operator(op: type[Op]) -> tuple[Operator, Operator]:
    """Return an operator and its reflection, as in a − b and b − a."""
    return lambda self, other: apply(op, self, other), lambda self, other: apply(op, other, self)


class Tensor(TensorMethods["Tensor"]):
    """An n-dimensional array that remembers how it was computed. Create one with `minigrad.tensor`.

    Its other methods, declared in `TensorMethods`, call `minigrad.functional` or convert to Python and NumPy.

    Attributes:
        array: the values, an array of the backend. Treat it as read-only.
        backend: the backend's module.
        grad: after `backward()`, ∂loss/∂self as a Tensor, if self is a leaf; else None.
        node: the recorded operation that computed self; None for a leaf.
        index: the number of self among the results of that operation.
        tracked: the value of `requires_grad`, without its checks.
    """

    __slots__ = ("__weakref__", "_keras_mask", "array", "backend", "grad", "index", "node", "tracked")

    def __init__(self, array: Array, backend: BackendModule, node: Node | None = None, index: int = 0) -> None:
        self.array = array
        self.backend = backend
        self.node = node
        self.index = index
        self.tracked = node is not None
        self.grad: Tensor | None = None

    @property
    def requires_grad(self) -> bool:
        """Whether the gradient with respect to this tensor, or to one that it was computed from, is wanted.

        Set it on leaves of a floating dtype; what is computed from them follows.
        """
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        self.tracked = self.host.checked_requires_grad(self, wanted)

    def detach(self) -> Tensor:
        """Return the same values without their history: no gradient passes."""
        return Tensor(self.array, self.backend)

    def backward(self, gradient: TensorLike = None, create_graph: bool = False) -> None:
        """Add ∂self/∂leaf to `.grad` of every leaf that self was computed from and that requires a gradient.

        The graph is freed, so a second call without a new forward computation is an error.

        Args:
            gradient: ∂loss/∂self, of the shape of self. May be left out where self is a single number: 1.
            create_graph: whether to record the gradient too, so that it can be differentiated again; keeps the graph.

        Raises:
            GradientError: nothing requires a gradient, the graph was freed, or a tensor on it was overwritten.
            ShapeError: `gradient` is missing for a self of many numbers, or has another shape.
        """
        create_graph = self.host.flag("backward: `create_graph`", create_graph)
        for leaf, dx in gradients([self], [gradient], create_graph, free=not create_graph).at_leaves():
            with self.host.accumulating:  # one thread at a time
                if create_graph:
                    leaf.grad = dx if leaf.grad is None else leaf.grad + dx
                else:
                    leaf.grad = Tensor(dx if leaf.grad is None else leaf.grad.array + dx, leaf.backend)

    # NumPy arrays and Python scalars mix in on either side.
    __add__, __radd__ = _operator(arithmetic.Add)
    __sub__, __rsub__ = _operator(arithmetic.Subtract)
    __mul__, __rmul__ = _operator(arithmetic.Multiply)
    __truediv__, __rtruediv__ = _operator(arithmetic.Divide)
    __matmul__, __rmatmul__ = _operator(arithmetic.MatMul)

    def __neg__(self) -> Tensor:
        return apply(arithmetic.Negative, self)

    def __pos__(self) -> Tensor:
        return self


@overload
def apply(op: type[MultiOp], *inputs: TensorLike, **params: Any) -> tuple[Tensor, ...]: ...
@overload
def apply(op: type[Op], *inputs: TensorLike, **params: Any) -> Tensor: ...
def apply(op: type[Op], *inputs: TensorLike, **params: Any) -> Any:
    """Run an operation on tensors, and record it if a gradient is to pass.

    Args:
        op: the operation.
        inputs: Tensors; Python scalars and None stay as they are, any other array becomes a constant Tensor.
        params: parameters of the operation that are not arrays, such as ``axis``.

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
            backend = backend or x.backend
            if x.backend is not backend:
                raise mixed_backends_error(op.__name__, backend, x.backend)
        elif type(x) in SCALARS and not op.of_arrays:
            arrays.append(x)
            needs.append(False)
        else:
            return apply(op, *Tensor.host.as_tensors(op, inputs), **params)
    if backend is None:
        return apply(op, *Tensor.host.as_tensors(op, inputs), **params)
    try:
        y = op.formula(backend, *arrays, **params)
    except (ValueError, TypeError, IndexError, OverflowError, MemoryError) as error:
        raise Tensor.host.explained(op, arrays, error, backend, params) from error
    if op.caches:
        y, params["cache"] = y
    node = None
    if True in needs and op.passes_gradient and (called := observers()) is not None:
        node = Node(op, inputs, arrays, needs, y, params, called)
    if type(y) is tuple:
        return tuple([Tensor(part, backend, node, k) for k, part in enumerate(y)])
    return Tensor(y, backend, node)


def gradients(
    ys: Sequence[Tensor],
    seeds: Sequence[TensorLike],
    create_graph: bool = False,
    free: bool = False,
    into: Cotangents | None = None,
) -> Cotangents:
    """Run the tape backward from the ys, on Tensors under `create_graph`, else on arrays.

    Args:
        ys: the tensors to start from; those that require no gradient are skipped.
        seeds: ∂loss/∂y for each; None stands for 1, where y is a single number.
        create_graph: whether to record the gradient.
        free: whether to forget the graph after a run without an error.
        into: collects the gradients; by default those of the leaves alone.
    """
    into = Cotangents() if into is None else into
    starts = Tensor.host.checked_seeds(ys, seeds)
    backend = starts[0][0].backend
    for y, dy in starts:
        into.add(y, dy if create_graph else dy.array)
    if create_graph:
        with Tensor.host.recording_on(backend):
            return propagate(into, Tensor.functional, free)
    try:
        return propagate(into, backend, free)
    except MemoryError as error:
        raise Tensor.host.explained("backward", [], error, backend) from error
