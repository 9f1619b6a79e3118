"""Blocks that turn recording off and on, or observe it: `no_grad`, `recording`, `observing`.

A block holds in the thread or task that enters it. The innermost one decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import ContextVar

from minigrad.engine import tape
from minigrad.engine.flow import FlowBlock

Observer = Callable[[tape.Node], None]


class State:
    """The blocks around one flow of control, and their effect. Replaced, never changed.

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


_state: ContextVar[State] = ContextVar("minigrad.engine.recording", default=State())  # noqa: B039  (never changed)
state = _state.get


def set_state(new: State) -> None:
    """Put a state in place of the current one, in this flow of control."""
    _state.set(new)
    tape.set_observers(new.observers if new.on else None)


def enabled() -> bool:
    """Return whether operations are recorded here."""
    return tape.observers() is not None


def blocks() -> Iterator[_Block]:
    """Yield the blocks that this flow of control is in, from the innermost out."""
    inner: State | None = state()
    while inner is not None and inner.block is not None:
        yield inner.block
        inner = inner.outer


class _Block(FlowBlock[None]):
    """A change of the recording in one flow of control."""

    on: bool | None = None
    observer: Observer | None = None

    def __enter__(self) -> None:
        set_state(self.inside(state()))

    def __exit__(self, *error: object) -> None:
        set_state(self.left(state()))

    def inside(self, outer: State) -> State:
        """Return the state inside the block."""
        on = outer.on if self.on is None else self.on
        observers = outer.observers if self.observer is None else (*outer.observers, self.observer)
        return State(on, observers, self, outer)

    def left(self, inner: State) -> State:
        """Return a state without this block, which a suspended generator may leave before one that it entered later."""
        if inner.block is self and inner.outer is not None:
            return inner.outer
        if inner.block is None or inner.outer is None:
            return inner
        return inner.block.inside(self.left(inner.outer))


class recording(_Block):  # noqa: N801  (a `with` statement reads it as a word)
    """Turn recording on or off inside a `with` block, or in a function that it decorates."""

    def __init__(self, on: bool) -> None:
        self.on = on


def no_grad() -> recording:
    """Record nothing inside the `with` block; what is made there requires no gradient.

    It holds in the thread or task that enters the block. A generator shares the context of its caller: suspended inside
    the block, it leaves the caller without a tape. Decorate it instead, ``@mg.no_grad()``: then nothing is recorded
    while the generator runs, and at each `yield` the caller has its own state back. Functions, coroutines and
    asynchronous generators may be decorated too.

    >>> import minigrad as mg
    >>> x = mg.tensor(3.0, requires_grad=True)
    >>> with mg.no_grad():
    ...     (x * x).requires_grad
    False
    """
    return recording(False)


class observing(_Block):  # noqa: N801
    """Call `observer` with every node that is made inside a `with` block.

    Args:
        observer: the function.
        on: whether to turn recording on or off too; None leaves it as it is.
    """

    def __init__(self, observer: Observer, on: bool | None = None) -> None:
        self.observer, self.on = observer, on
