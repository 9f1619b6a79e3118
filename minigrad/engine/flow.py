"""State of one flow of control: a thread, an asyncio task, or anything else with its own `contextvars.Context`.

A change by a `with` block (recording, the backend in use, the layer being called) holds in the flow that entered the
block. Other threads do not see it. A new thread starts from the defaults of the process; a task starts from the state
of the flow that created it. All state is immutable values in context variables, so no lock is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from threading import RLock
from types import TracebackType, coroutine
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
Lock = AbstractContextManager[bool]


def new_lock() -> Lock:
    """Return a re-entrant lock for state that all threads share; a fork waits for it, so it is free in the child."""
    lock = RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


class FlowStack(Generic[T]):
    """Stack of the blocks around a flow of control, outermost first.

    Entries are removed by identity, not by position: a generator that is suspended inside a block may leave it before a
    block that was entered later, or in another thread.

    Attributes:
        entries: a function that returns the blocks, a tuple.
        replace: a function that sets that tuple: `push` and `drop` at the cost of one call, for the calls of layers.
        everywhere: all stacks of the process.
    """

    everywhere: list[FlowStack[Any]] = []  # noqa: RUF012  (a ClassVar may not mention T)

    def __init__(self, name: str) -> None:
        self.name = name
        self._entries: ContextVar[tuple[T, ...]] = ContextVar(name, default=())
        self.entries, self.replace = self._entries.get, self._entries.set
        self.everywhere.append(self)

    def push(self, entry: T) -> None:
        """Enter a block."""
        self._entries.set((*self.entries(), entry))

    def drop(self, entry: T) -> None:
        """Leave the block entered last with this very entry, if this flow is in one."""
        entries = self.entries()
        if entries and entries[-1] is entry:
            self._entries.set(entries[:-1])
            return
        for k in reversed(range(len(entries))):
            if entries[k] is entry:
                self._entries.set(entries[:k] + entries[k + 1 :])
                return

    def clear(self) -> None:
        """Leave all blocks."""
        self._entries.set(())

    def __len__(self) -> int:
        return len(self.entries())

    def __iter__(self) -> Iterator[T]:
        return iter(self.entries())


class FlowBlock(AbstractContextManager[T]):
    """Base class of changes that hold in one flow of control, inside a `with` block or a decorated function.

    One object may be entered any number of times, also while it is entered, and by several threads. As a decorator of a
    generator, a coroutine or an asynchronous generator it holds while their code runs, not while they are suspended.
    """

    def __enter__(self) -> T:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def __call__(self, function: F) -> F:
        """Decorate a function."""
        wrapped: Callable[..., Any]
        if isasyncgenfunction(function):

            def wrapped(*args: Any, **kwargs: Any) -> Any:
                return self._asynchronous_steps(function(*args, **kwargs))

        elif iscoroutinefunction(function):

            async def wrapped(*args: Any, **kwargs: Any) -> Any:
                return await self._awaited(function(*args, **kwargs))

        elif isgeneratorfunction(function):

            def wrapped(*args: Any, **kwargs: Any) -> Any:
                return self._steps(function(*args, **kwargs))

        else:

            def wrapped(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

        return cast(F, wraps(function)(wrapped))

    def _steps(self, inner: Any) -> Generator[Any, Any, Any]:
        """Run a generator, inside the block from each resumption to the next `yield` only."""
        resume, value = inner.send, None
        while True:
            with self:
                try:
                    item = resume(value)
                except StopIteration as end:
                    return end.value
            try:
                value = yield item
                resume = inner.send
            except GeneratorExit:
                with self:
                    inner.close()
                raise
            except BaseException as error:  # noqa: BLE001  (the generator handles it)
                resume, value = inner.throw, error

    async def _awaited(self, awaitable: Any) -> Any:
        """Await inside the block, between suspensions only: the caller that drives a coroutine shares its context."""
        return await coroutine(self._steps)(awaitable.__await__())

    async def _asynchronous_steps(self, inner: Any) -> Any:
        """Run an asynchronous generator as `_steps` does a plain one."""
        resume, value = inner.asend, None
        while True:
            try:
                item = await self._awaited(resume(value))
            except StopAsyncIteration:
                return
            try:
                value = yield item
                resume = inner.asend
            except GeneratorExit:
                await self._awaited(inner.aclose())
                raise
            except BaseException as error:  # noqa: BLE001  (likewise)
                resume, value = inner.athrow, error


class FlowAttribute(Generic[T]):
    """Attribute with a separate value in each flow of control.

    Values are released with their object, and neither copied nor pickled.

    Args:
        default: the value in flows that set none.
    """

    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._values: ContextVar[WeakKeyDictionary[Any, T] | None] = ContextVar(
            f"{owner.__name__}.{name}", default=None
        )
        self.values = self._values.get  # by object; None or empty where no object has a value in this flow

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        values = self._values.get()
        return self.default if not values else values.get(instance, self.default)

    def __set__(self, instance: Any, value: T) -> None:
        old = self._values.get()
        values = WeakKeyDictionary() if old is None else old.copy()  # tasks may share the old one
        values[instance] = value
        self._values.set(values)

    def __delete__(self, instance: Any) -> None:
        old = self._values.get()
        if old and instance in old:
            values = old.copy()
            values.pop(instance, None)
            self._values.set(values)
