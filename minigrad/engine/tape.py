"""The tape: which operation computed what from what, and the chain rule that runs it backward.

`minigrad.engine.tensor.apply` appends a `Node` for each operation; `propagate` visits the nodes in reverse order. The
tape has no array functions: they come from the tensors' backend or, where the gradient itself is recorded, from
`minigrad.functional`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from heapq import heappop, heappush
from itertools import count
from typing import Any

from minigrad.engine.errors import ShapeError, freed_error, overwritten_error
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Recorded, Xp


def propagate(cotangents: Cotangents, xp: Xp, free: bool = False) -> Cotangents:
    """Run the chain rule backward, from the tensors that have a gradient in `cotangents` to the leaves.

        dx = Σ over the nodes that read x of  op.backward(dy, y, *inputs)

    Args:
        cotangents: ∂loss/∂y for the tensors to start from. The gradients of leaves are added to it.
        xp: the namespace that the rules compute in: a backend, or `minigrad.functional` to record the gradient too.
        free: whether to forget the graph after a run without an error.

    Raises:
        GradientError: the graph was freed before, or an input was written to after it was recorded.
    """
    done = []
    for node, dy in cotangents:
        for x, array, needed, dx in zip(node.inputs, node.arrays, node.needs, node.backward(xp, dy), strict=True):
            if x is not array and x.array is not array:
                raise overwritten_error(node.op.__name__, x.array.shape)
            if needed and dx is not None:
                if dx.shape != array.shape:
                    dx = _unbroadcast(xp, node.op, dx, array.shape)
                cotangents.add(x, dx if dx.dtype == array.dtype else xp.astype(dx, array.dtype))
        done.append(node)
    if free:
        for node in done:
            node.free()
    return cotangents


class Node:
    """One recorded operation.

    Attributes:
        op: the operation; None after the graph was freed.
        inputs: its inputs: Tensors, Python scalars, None.
        arrays: the same inputs as arrays, as they were when the operation ran.
        needs: for each input, whether its gradient is needed.
        y: the resulting array, or a tuple of them.
        params: keyword arguments of backward: those of forward, and `needs` and `cache` for operations that have them.
        serial: 0, −1, −2, … in the order of recording, so a node has a higher number than the nodes that read its y.
    """

    __slots__ = ("arrays", "inputs", "needs", "op", "params", "serial", "y")

    def __init__(
        self, op: type[Op], inputs: Any, arrays: Any, needs: Sequence[bool], y: Any, params: Any, observers: Any = ()
    ) -> None:
        self.op: Any = op
        self.inputs, self.arrays, self.needs, self.y, self.params = inputs, arrays, needs, y, params
        self.serial = next_serial()
        if op.selective:
            params["needs"] = needs
        for observer in observers:
            observer(self)

    def backward(self, xp: Xp, dy: Any) -> tuple[Array | None, ...]:
        """Return dx for each input, from dy, the gradient of the result."""
        inputs, y, params = self.arrays, self.y, self.params
        if xp is Op.functional:  # then the rule gets Tensors
            inputs, y, params = xp.as_tensors(self)
        if type(y) is tuple and not self.op.accepts_none:  # results that no operation read have gradient 0
            dy = tuple([xp.zeros(part.shape, part.dtype) if d is None else d for d, part in zip(dy, y, strict=True)])
        dxs = self.op.backward(xp, dy, y, *inputs, **params)
        return dxs if type(dxs) is tuple else (dxs,)

    def free(self) -> None:
        """Forget everything, so that the arrays can be released."""
        self.op = self.y = self.params = None
        self.inputs = self.arrays = self.needs = ()


next_serial = count(0, -1).__next__
_observers: ContextVar[tuple[Callable[[Node], None], ...] | None] = ContextVar("minigrad.engine.tape", default=())
# Functions to call with each new node in this thread or task; None where recording is off.
observers, set_observers = _observers.get, _observers.set


class Cotangents:
    """Gradients ∂loss/∂x that have reached tensors x so far, and the nodes that they pass through next.

    Args:
        wanted: tensors whose gradients are kept for `get`. Those of leaves are kept too, all others as long as needed.
    """

    def __init__(self, wanted: Sequence[Recorded] = ()) -> None:
        self._gradients: dict[Any, Array] = {}
        self._leaves: list[Recorded] = []
        self._wanted = {_key(x) for x in wanted}
        self._heap: list[int] = []  # serials of the nodes to visit
        self._nodes: dict[int, Node] = {}  # those nodes by serial

    def add(self, x: Recorded, dx: Array) -> None:
        """Add one contribution to ∂loss/∂x, out of place: dx may be shared with another tensor."""
        key = id(x) if x.node is None else (x.node.serial, x.index)  # `_key` without the time of a call
        if (before := self._gradients.get(key)) is not None:
            dx = before + dx
        elif x.node is None:
            self._leaves.append(x)
        elif x.node.serial not in self._nodes:
            self.visit(x.node)
        self._gradients[key] = dx

    def visit(self, node: Node) -> None:
        """Put a node among those that the gradient passes through."""
        if node.op is None:
            raise freed_error()
        self._nodes[node.serial] = node
        heappush(self._heap, node.serial)

    def __iter__(self) -> Iterator[tuple[Node, Any]]:
        """Yield nodes, each after those that read its results, and the gradients of their results."""
        while self._heap:
            node = self._nodes.pop(heappop(self._heap))
            if type(node.y) is tuple:
                yield node, tuple([self._taken((node.serial, k)) for k in range(len(node.y))])
            else:
                yield node, self._taken((node.serial, 0))

    def _taken(self, key: Any) -> Array | None:
        return self._gradients.get(key) if key in self._wanted else self._gradients.pop(key, None)

    def get(self, x: Recorded) -> Array | None:
        """Return ∂loss/∂x, or None if no gradient reached x."""
        return self._gradients.get(_key(x))

    def at_leaves(self) -> Iterator[tuple[Any, Array]]:
        """Yield each leaf that was reached, with its gradient."""
        for x in self._leaves:
            yield x, self._gradients[_key(x)]


def _key(x: Recorded) -> Any:
    """Return the key of a tensor: a leaf's id, any other's node and place among its results."""
    return id(x) if x.node is None else (x.node.serial, x.index)


def _unbroadcast(xp: Xp, op: type[Op], dx: Array, shape: tuple[int, ...]) -> Array:
    """Return dx summed over the axes along which an array of this shape was copied.

    A number that was used n times has n contributions to its gradient.
    """
    extra = dx.ndim - len(shape)
    if not op.broadcasts or extra < 0:
        raise ShapeError(f"{op.__name__}.backward: expected dx of shape {shape}, as its input has, got {dx.shape}.")
    copied = [k + extra for k, n in enumerate(shape) if n == 1]
    return xp.reshape(xp.sum(dx, (*range(extra), *copied)), shape)
