"""The tape: which operation made what from what, and the chain rule that runs it backwards. Nothing else.

One can

- record an operation: `Node(op, inputs, arrays, needs, y, params, kept)`;
- run backwards from some tensors to everything they were made of: `propagate`;
- turn the recording off and on: `recording`.

The tape knows no array functions of its own: they come from the tensors' backend, or, when the gradient is itself to
be recorded, from `minigrad.functional`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from minigrad.backend.protocol import Array, Xp
from minigrad.errors import GradientError, ShapeError

if TYPE_CHECKING:
    from minigrad.ops.op import Op
    from minigrad.tensor import Tensor

# Read by `minigrad.tensor.apply`:
enabled = True  # is what tensors do written down? Set by `recording`
observers: list[Callable[[Node], None]] = []  # who is told of every node as it is made? Set by `observing`

next_serial = count(0, -1).__next__


@contextmanager
def recording(on: bool) -> Iterator[None]:
    """Turns the tape on or off inside a `with` block."""
    global enabled
    before, enabled = enabled, on
    try:
        yield
    finally:
        enabled = before


@contextmanager
def observing(observer: Callable[[Node], None]) -> Iterator[None]:
    """Calls `observer` with every node that is made inside a `with` block."""
    observers.append(observer)
    try:
        yield
    finally:
        observers.remove(observer)


class Node:
    """One operation that was run: what it read and what it made.

    Attributes:
        op: the operation; None once the graph was freed.
        inputs: what it was given: Tensors, Python scalars.
        arrays: the same as arrays, as they were at that time.
        needs: for which inputs a gradient is wanted.
        y: the array that it made, or a tuple of them.
        params: its keyword arguments, such as ``axis``.
        kept: what forward put aside for backward (`Op.keeps`).
        serial: 0, −1, −2, … A node is made after all that it reads, so whoever takes the lowest number first never
            comes to a node before those that read from it.
    """

    __slots__ = ("arrays", "inputs", "kept", "needs", "op", "params", "serial", "y")

    op: type[Op] | None

    def __init__(
        self,
        op: type[Op],
        inputs: tuple[Any, ...],
        arrays: Sequence[Any],
        needs: Sequence[bool],
        y: Any,
        params: dict[str, Any],
        kept: Any,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.arrays = arrays
        self.needs = needs
        self.y = y
        self.params = params
        self.kept = kept
        self.serial = next_serial()

    def free(self) -> None:
        """Forgets everything, so that the arrays can go."""
        self.op = None
        self.inputs = self.arrays = self.needs = ()
        self.y = self.kept = None


class Cotangents:
    """What has arrived so far, ∂loss/∂x for tensors x, and the nodes that it is to pass through next.

    Args:
        wanted: the tensors to `get` in the end. Leaves are kept in any case, all others let go as soon as they can.
        since: nodes with a higher serial, which are older, are not passed through.
    """

    def __init__(self, wanted: Sequence[Tensor] = (), since: int = 0) -> None:
        self.of_leaves: dict[int, tuple[Tensor, Array]] = {}
        self._of_nodes: dict[int, list[Array | None]] = {}  # by serial; one place for each output of the node
        self._wanted = {x.node.serial for x in wanted if x.node is not None}
        self._since = since
        self._ahead: dict[int, Node] = {}
        self._heap: list[int] = []  # the serials of the nodes ahead

    def add(self, x: Tensor, dx: Array) -> None:
        """Adds one contribution. Sums are made anew, for dx may be shared with another tensor."""
        node = x.node
        if node is None:
            leaf = self.of_leaves.get(id(x))
            self.of_leaves[id(x)] = (x, dx if leaf is None else leaf[1] + dx)
            return
        dys = self._of_nodes.get(node.serial)
        if dys is None:
            dys = self._of_nodes[node.serial] = self._reach(node)
        dy = dys[x.index]
        dys[x.index] = dx if dy is None else dy + dx

    def _reach(self, node: Node) -> list[Array | None]:
        """Notes that a node lies ahead, and returns empty places for the cotangents of its outputs."""
        if node.serial <= self._since:
            if node.op is None:
                raise GradientError(
                    "backward: this graph was freed by an earlier backward(). Run the forward computation again, or "
                    "ask for backward(create_graph=True), which keeps the graph."
                )
            self._ahead[node.serial] = node
            heappush(self._heap, node.serial)
        return [None] * (len(node.y) if type(node.y) is tuple else 1)

    def __iter__(self) -> Iterator[tuple[Node, list[Array | None]]]:
        """The nodes ahead with ∂loss/∂y of their outputs, the latest first: all that reads from it was there before."""
        while self._heap:
            serial = heappop(self._heap)
            dys = self._of_nodes[serial] if serial in self._wanted else self._of_nodes.pop(serial)
            yield self._ahead.pop(serial), dys

    def get(self, x: Tensor) -> Array | None:
        """Returns what has arrived at x, or None."""
        if x.node is not None:
            dys = self._of_nodes.get(x.node.serial)
            return None if dys is None else dys[x.index]
        leaf = self.of_leaves.get(id(x))
        return None if leaf is None else leaf[1]


def propagate(
    targets: Sequence[Tensor],
    seeds: Sequence[Array],
    xp: Xp,
    *,
    on_tensors: bool = False,
    free: bool = False,
    wanted: Sequence[Tensor] = (),
    since: int = 0,
) -> Cotangents:
    """Runs the chain rule from the targets back to the leaves.

        dx = Σ over the nodes that read x of  op.backward(dy, y, *inputs)

    Args:
        targets: the tensors to start from.
        seeds: ∂loss/∂target for each, of its shape.
        xp: the array namespace in which the rules run.
        on_tensors: the rules get the Tensors themselves and not their arrays, so that the gradient is recorded too.
            Then xp is `minigrad.functional`.
        free: forget the graph, once all went well.
        wanted: the tensors to `get` from what is returned, beside leaves.
        since: older nodes, those with a higher serial, are not passed through.

    Returns:
        What arrived at the leaves and at the wanted tensors.

    Raises:
        GradientError: the graph was freed before, or a tensor on it was written to since.
    """
    cotangents = Cotangents(wanted, since)
    for target, seed in zip(targets, seeds, strict=True):
        cotangents.add(target, seed)
    done = []
    for node, dys in cotangents:
        _step_back(node, dys, xp, cotangents, on_tensors)
        done.append(node)
    if free:
        for node in done:
            node.free()
    return cotangents


def _step_back(node: Node, dys: list[Array | None], xp: Xp, cotangents: Cotangents, on_tensors: bool) -> None:
    """The chain rule through one node: from the cotangents of its outputs to those of its inputs."""
    op: Any = node.op
    arrays, y, params = node.arrays, node.y, node.params
    for x, array in zip(node.inputs, arrays, strict=True):
        if x is not array and x.array is not array:
            raise GradientError(
                f"backward: an input of {op.__name__}, of shape {x.shape}, was written to after the tape recorded it, "
                "so its gradient would belong to other numbers. Write after backward(), or to a copy."
            )
    if op.selective:
        params = {**params, "needs": node.needs}
    if op.keeps:
        params = {**params, "kept": node.kept}
    if on_tensors:
        arrays, y, params = _as_tensors(op, node, xp, params)
    dy = dys[0] if type(y) is not tuple else _with_zeros(xp, dys, y)
    dxs = op.backward(xp, dy, y, *arrays, **params)
    for x, array, dx, needed in zip(
        node.inputs, node.arrays, dxs if type(dxs) is tuple else (dxs,), node.needs, strict=True
    ):
        if needed and dx is not None:
            if dx.shape != array.shape:
                dx = _unbroadcast(xp, op, dx, array.shape)
            cotangents.add(x, dx if dx.dtype == array.dtype else xp.astype(dx, array.dtype))


def _as_tensors(op: type[Op], node: Node, xp: Xp, params: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """The node's inputs, output and parameters with Tensors on the tape, for a gradient that is to be recorded.

    What an op kept (gates, say) is on no tape, so such an op is run again, on Tensors.
    """
    if not op.keeps:
        return node.inputs, xp.outputs_of(node), params
    y, kept = op.forward(xp, *node.inputs, **node.params)
    return node.inputs, y, {**params, "kept": kept}


def _with_zeros(xp: Xp, dys: list[Array | None], y: tuple[Array, ...]) -> tuple[Array, ...]:
    """The cotangents of many outputs; nothing arrived at those that nobody read."""
    return tuple([xp.zeros(part.shape, part.dtype) if dy is None else dy for dy, part in zip(dys, y, strict=True)])


def _unbroadcast(xp: Xp, op: type[Op], dx: Array, shape: tuple[int, ...]) -> Array:
    """Sums dx over the axes along which an array of this shape was copied.

    A number that was used n times has n contributions to its gradient.
    """
    extra = dx.ndim - len(shape)
    if not op.broadcasts or extra < 0:
        raise ShapeError(f"{op.__name__}.backward: expected dx of shape {shape}, as its input has, got {dx.shape}.")
    copied = [k + extra for k, n in enumerate(shape) if n == 1]
    return xp.reshape(xp.sum(dx, (*range(extra), *copied)), shape)
