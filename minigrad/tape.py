"""The tape: which operation made what from what, and the chain rule that runs it backwards. Nothing else.

One can

- record an operation: `Node(op, inputs, arrays, y, params, kept)`;
- run backwards from some tensors to everything they were made of: `propagate`.

The tape knows no array functions of its own: they come from the tensors' backend, or, when the gradient is itself to
be recorded, from `minigrad.functional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from minigrad.backend.protocol import Array, Xp
from minigrad.errors import GradientError

if TYPE_CHECKING:
    from minigrad.ops.op import Op
    from minigrad.tensor import Tensor

_serial = count().__next__


class Node:
    """One operation that was run: what it read and what it made.

    Attributes:
        op: the operation; None once the graph was freed.
        inputs: what it was given: Tensors, Python scalars.
        arrays: the same as arrays, as they were at that time.
        y: the array that it made, or a tuple of them.
        params: its keyword arguments, such as ``axis``.
        kept: what forward put aside for backward (`Op.keeps`).
        serial: the count of nodes before it. A node is made after all that it reads, so descending serial numbers
            are an order in which no node comes before one that reads from it.
    """

    __slots__ = ("arrays", "inputs", "kept", "op", "params", "serial", "y")

    op: type[Op] | None

    def __init__(
        self, op: type[Op], inputs: tuple[Any, ...], arrays: Sequence[Any], y: Any, params: dict[str, Any], kept: Any
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.arrays = arrays
        self.y = y
        self.params = params
        self.kept = kept
        self.serial = _serial()

    def free(self) -> None:
        """Forgets everything, so that the arrays can go."""
        self.op = None
        self.inputs = self.arrays = ()
        self.y = self.kept = None


class Cotangents:
    """What has arrived so far: ∂loss/∂x for tensors x, each contribution added to the ones before."""

    def __init__(self) -> None:
        self.of_nodes: dict[Node, list[Array | None]] = {}  # one place for each output of a node
        self.of_leaves: dict[int, tuple[Tensor, Array]] = {}

    def add(self, x: Tensor, dx: Array) -> None:
        """Adds one contribution. Sums are made anew, for dx may be shared with another tensor."""
        node = x.node
        if node is None:
            before = self.of_leaves.get(id(x))
            self.of_leaves[id(x)] = (x, dx if before is None else before[1] + dx)
            return
        places = self.of_nodes.get(node)
        if places is None:
            places = self.of_nodes[node] = [None] * (len(node.y) if type(node.y) is tuple else 1)
        so_far = places[x.index]
        places[x.index] = dx if so_far is None else so_far + dx

    def get(self, x: Tensor) -> Array | None:
        """Returns what has arrived at x, or None."""
        if x.node is not None:
            return self.of_nodes.get(x.node, [None] * (x.index + 1))[x.index]
        leaf = self.of_leaves.get(id(x))
        return None if leaf is None else leaf[1]


def order(targets: Sequence[Tensor]) -> list[Node]:
    """Returns every node that the targets were made by, each before those that it reads from."""
    found: set[Node] = set()
    waiting = [t.node for t in targets if t.node is not None]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [x.node for x in node.inputs if getattr(x, "node", None) is not None]
    return sorted(found, key=lambda node: node.serial, reverse=True)


def propagate(
    targets: Sequence[Tensor], seeds: Sequence[Array], xp: Xp, *, on_tensors: bool = False, free: bool = False
) -> Cotangents:
    """Runs the chain rule from the targets back to the leaves.

        dx = Σ over the nodes that read x of  op.backward(dy, y, *inputs)

    Args:
        targets: the tensors to start from.
        seeds: ∂loss/∂target for each, of its shape.
        xp: the array namespace in which the rules run.
        on_tensors: the rules get the Tensors themselves and not their arrays, so that the gradient is recorded too.
            Then xp is `minigrad.functional`.
        free: forget each node once it is done.

    Returns:
        What arrived at each tensor.

    Raises:
        GradientError: the graph was freed before, or a tensor on it was written to since.
    """
    cotangents = Cotangents()
    nodes = order(targets)  # before the first seed: the walk is what finds a freed graph
    for target, seed in zip(targets, seeds, strict=True):
        cotangents.add(target, seed)
    for node in nodes:
        dys = cotangents.of_nodes.get(node)
        if dys is None:  # made on the way, but nothing of it reached the targets
            continue
        _step_back(node, dys, xp, cotangents, on_tensors)
        if free:
            node.free()
    return cotangents


def _step_back(node: Node, dys: list[Array | None], xp: Xp, cotangents: Cotangents, on_tensors: bool) -> None:
    """The chain rule through one node: from the cotangents of its outputs to those of its inputs."""
    op, inputs = node.op, node.inputs
    if op is None:
        raise GradientError(
            "backward: this graph was freed by an earlier backward(). Run the forward computation again, or ask for "
            "backward(create_graph=True), which keeps the graph."
        )
    needs = tuple([getattr(x, "requires_grad", False) for x in inputs])
    for x, array in zip(inputs, node.arrays, strict=True):
        if getattr(x, "array", array) is not array:
            raise GradientError(
                f"backward: an input of {op.__name__}, of shape {x.shape}, was written to after the tape recorded it, "
                "so its gradient would belong to other numbers. Write after backward(), or to a copy."
            )
    arrays, y, kept = (node.arrays, node.y, node.kept) if not on_tensors else _as_tensors(op, node, xp)
    if type(y) is tuple:
        dy: Any = tuple([xp.zeros(a.shape, a.dtype) if d is None else d for d, a in zip(dys, y, strict=True)])
    else:
        dy = dys[0]
    keywords = node.params
    if op.selective:
        keywords = {**keywords, "needs": needs}
    if op.keeps:
        keywords = {**keywords, "kept": kept}
    dxs = op.backward(xp, dy, y, *arrays, **keywords)
    for x, dx, needed in zip(inputs, dxs if type(dxs) is tuple else (dxs,), needs, strict=True):
        if needed:
            if op.broadcasts and dx.shape != x.shape:
                dx = summed_to(xp, dx, x.shape)
            cotangents.add(x, dx if dx.dtype == x.dtype else xp.astype(dx, x.dtype))


def _as_tensors(op: type[Op], node: Node, xp: Xp) -> tuple[Any, Any, Any]:
    """The node's inputs, output and kept values as Tensors on the tape, for a gradient that is to be recorded.

    What an op kept (gates, say) is on no tape, so such an op is run again, on Tensors.
    """
    if op.keeps:
        y, kept = op.forward(xp, *node.inputs, **node.params)
        return node.inputs, y, kept
    return node.inputs, xp.outputs_of(node), None


def summed_to(xp: Xp, dx: Array, shape: tuple[int, ...]) -> Array:
    """Undoes broadcasting: sums dx over the axes along which an array of this shape was copied.

    A number that was used n times has n contributions to its gradient.
    """
    extra = dx.ndim - len(shape)
    copied = tuple([k + extra for k, n in enumerate(shape) if n == 1 and dx.shape[k + extra] != 1])
    return xp.reshape(xp.sum(dx, (*range(extra), *copied)), shape)
