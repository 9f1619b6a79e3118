"""The tape: which operation made what from what, and the chain rule that runs it backwards. Nothing else.

One can

- record an operation: `Node(op, inputs, arrays, needs, y, params)`;
- run backwards from some tensors to everything they were made of: `propagate`;
- turn the recording off and on: `recording`.

The tape knows no array functions of its own: they come from the tensors' backend, or, when the gradient is itself to
be recorded, from `minigrad.functional`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any

from minigrad.engine.errors import GradientError, ShapeError
from minigrad.engine.flow import Override
from minigrad.engine.protocol import Array, Xp

if TYPE_CHECKING:
    from minigrad.engine.ops.op import Op
    from minigrad.engine.tensor import Tensor

Observer = Callable[["Node"], None]
Place = int | tuple[int, int]

next_serial = count(0, -1).__next__


class State:
    """What holds in one flow of control, and the block that made it so. Never changed, only replaced.

    Attributes:
        on: whether operations are recorded.
        observers: functions that are called with every new node.
        block: the innermost `with` block; None outside of all.
        outer: the state around that block.
    """

    __slots__ = ("block", "observers", "on", "outer")

    def __init__(
        self,
        on: bool = True,
        observers: tuple[Observer, ...] = (),
        block: _Block | None = None,
        outer: State | None = None,
    ) -> None:
        self.on, self.observers, self.block, self.outer = on, observers, block, outer


_state: ContextVar[State] = ContextVar("minigrad.engine.tape", default=State())  # noqa: B039  (never changed)
state = _state.get  # read by `minigrad.engine.tensor.apply` for each operation, so it is a single look-up


def enabled() -> bool:
    """Return whether operations are recorded here."""
    return state().on


def blocks() -> Iterator[_Block]:
    """Yield the blocks that this flow of control is in, from the innermost out."""
    inner: State | None = state()
    while inner is not None and inner.block is not None:
        yield inner.block
        inner = inner.outer


class _Block(Override[None]):
    """A change of the tape's state in one flow of control."""

    on: bool | None = None
    observer: Observer | None = None

    def __enter__(self) -> None:
        _state.set(self.inside(state()))

    def __exit__(self, *error: object) -> None:
        _state.set(self.left(state()))

    def inside(self, outer: State) -> State:
        """Return the state inside the block."""
        on = outer.on if self.on is None else self.on
        observers = outer.observers if self.observer is None else (*outer.observers, self.observer)
        return State(on, observers, self, outer)

    def left(self, inner: State) -> State:
        """Return a state without the block, which a suspended generator may leave before one entered later."""
        if inner.block is self and inner.outer is not None:
            return inner.outer
        if inner.block is None or inner.outer is None:
            return inner
        return inner.block.inside(self.left(inner.outer))


class recording(_Block):  # noqa: N801  (a `with` statement reads it as a word)
    """Turn the tape on or off inside a `with` block, or in a function that it decorates."""

    def __init__(self, on: bool) -> None:
        self.on = on


class observing(_Block):  # noqa: N801
    """Call `observer` with every node that is made inside a `with` block.

    Args:
        observer: the function.
        on: whether to turn the tape on or off too; None leaves it as it is.
    """

    def __init__(self, observer: Observer, on: bool | None = None) -> None:
        self.observer, self.on = observer, on


class Node:
    """One operation that was run: what it read and what it made.

    Attributes:
        op: the operation; None once the graph was freed.
        inputs: what it was given: Tensors, Python scalars, None.
        arrays: the same as arrays, as they were at that time.
        needs: for which inputs a gradient is wanted.
        y: the array that it made, or a tuple of them.
        params: what backward takes besides: the operation's keyword arguments, and `needs` or `kept` if it asks for
            them.
        serial: 0, −1, −2, … A node is made after all that it reads, so whoever takes the lowest number first never
            comes to a node before those that read from it.
    """

    __slots__ = ("arrays", "inputs", "needs", "op", "params", "serial", "y")

    op: type[Op] | None

    def __init__(
        self,
        op: type[Op],
        inputs: Sequence[Any],
        arrays: Sequence[Any],
        needs: Sequence[bool],
        y: Any,
        params: Any,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.arrays = arrays
        self.needs = needs
        self.y = y
        self.params = params
        self.serial = next_serial()
        if op.selective:
            params["needs"] = needs
        for observer in observers:
            observer(self)

    def free(self) -> None:
        """Forgets everything, so that the arrays can go."""
        self.op = self.y = self.params = None
        self.inputs = self.arrays = self.needs = ()


class Cotangents:
    """What has arrived so far, ∂loss/∂x for tensors x, and the nodes that it is to pass through next.

    Each tensor has a place: a leaf its id, any other the serial of its node, with its index where that is not 0.

    Args:
        wanted: the tensors to `get` in the end. Leaves are kept in any case, all others let go as soon as they can.
        since: nodes with a higher serial, which are older, are not passed through.
    """

    def __init__(self, wanted: Sequence[Tensor] = (), since: int = 0) -> None:
        self._leaves: dict[int, Tensor] = {}
        self._arrived: dict[Place, Array] = {}
        self._wanted = {_place(x) for x in wanted}
        self._since = since
        self._ahead: dict[int, Node] = {}
        self._heap: list[int] = []  # the serials of the nodes ahead

    def add(self, x: Tensor, dx: Array) -> None:
        """Adds one contribution. Sums are made anew, for dx may be shared with another tensor."""
        node = x.node
        place: Place = id(x) if node is None else (node.serial, x.index) if x.index else node.serial
        before = self._arrived.get(place)
        if before is not None:
            dx = before + dx
        elif node is None:
            self._leaves[id(x)] = x
        elif node.serial not in self._ahead:
            self._reach(node)
        self._arrived[place] = dx

    def _reach(self, node: Node) -> None:
        """Notes that a node lies ahead."""
        if node.serial > self._since:
            return
        if node.op is None:
            raise GradientError(
                "backward: this graph was freed by an earlier backward(). Run the forward computation again, or ask "
                "for backward(create_graph=True), which keeps the graph."
            )
        self._ahead[node.serial] = node
        heappush(self._heap, node.serial)

    def __iter__(self) -> Iterator[tuple[Node, Any]]:
        """Yields the nodes ahead with the cotangents of their outputs, the latest first: its readers were before it."""
        while self._heap:
            serial = heappop(self._heap)
            node = self._ahead.pop(serial)
            if type(node.y) is tuple:
                rest = [self._taken((serial, k)) for k in range(1, len(node.y))]
                yield node, (self._taken(serial), *rest)
            else:
                yield node, self._taken(serial)

    def _taken(self, place: Place) -> Array | None:
        return self._arrived.get(place) if place in self._wanted else self._arrived.pop(place, None)

    def get(self, x: Tensor) -> Array | None:
        """Returns what has arrived at x, or None."""
        return self._arrived.get(_place(x))

    def at_leaves(self) -> Iterator[tuple[Tensor, Array]]:
        """Yields each leaf that was reached, and what has arrived there."""
        for place, x in self._leaves.items():
            yield x, self._arrived[place]


def _place(x: Tensor) -> Place:
    if x.node is None:
        return id(x)
    return (x.node.serial, x.index) if x.index else x.node.serial


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
    for node, dy in cotangents:
        _step_back(node, dy, xp, cotangents, on_tensors)
        done.append(node)
    if free:
        for node in done:
            node.free()
    return cotangents


def _step_back(node: Node, dy: Any, xp: Xp, cotangents: Cotangents, on_tensors: bool) -> None:
    """The chain rule through one node: from the cotangent of its output to those of its inputs."""
    op: Any = node.op
    arrays, y, params = (node.arrays, node.y, node.params) if not on_tensors else _as_tensors(op, node, xp)
    if type(y) is tuple:  # nothing arrived at the outputs that nobody read
        dy = tuple([xp.zeros(part.shape, part.dtype) if d is None else d for d, part in zip(dy, y, strict=True)])
    dxs = op.backward(xp, dy, y, *arrays, **params)
    if type(dxs) is not tuple:
        dxs = (dxs,)
    for x, array, needed, dx in zip(node.inputs, node.arrays, node.needs, dxs, strict=True):
        if x is not array and x.array is not array:
            raise GradientError(
                f"backward: an input of {op.__name__}, of shape {x.shape}, was written to after the tape recorded it, "
                "so its gradient would belong to other numbers. Write after backward(), or to a copy; what one batch "
                "hands to the next, detach()."
            )
        if needed and dx is not None:
            if dx.shape != array.shape:
                dx = _unbroadcast(xp, op, dx, array.shape)
            cotangents.add(x, dx if dx.dtype == array.dtype else xp.astype(dx, array.dtype))


def _as_tensors(op: type[Op], node: Node, xp: Xp) -> tuple[Any, Any, dict[str, Any]]:
    """The node's inputs, output and parameters with Tensors on the tape, for a gradient that is to be recorded.

    What an op kept (gates, say) is on no tape, so such an op is run again, on Tensors.
    """
    if not op.caches:
        return node.inputs, xp.outputs_of(node), node.params
    y, cache = op.forward(xp, *node.inputs, **{k: v for k, v in node.params.items() if k not in ("cache", "needs")})
    return node.inputs, y, {**node.params, "cache": cache}


def _unbroadcast(xp: Xp, op: type[Op], dx: Array, shape: tuple[int, ...]) -> Array:
    """Sums dx over the axes along which an array of this shape was copied.

    A number that was used n times has n contributions to its gradient.
    """
    extra = dx.ndim - len(shape)
    if not op.broadcasts or extra < 0:
        raise ShapeError(f"{op.__name__}.backward: expected dx of shape {shape}, as its input has, got {dx.shape}.")
    copied = [k + extra for k, n in enumerate(shape) if n == 1]
    return xp.reshape(xp.sum(dx, (*range(extra), *copied)), shape)
