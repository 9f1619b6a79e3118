"""A `with` block holds in the thread, task or context that entered it; a decorator restores at each pause."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import pickle
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import combinations_with_replacement
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("array_api_strict", reason="needs array-api-strict: pip install -e '.[test]'")

import minigrad as mg
import strict_backend
from flows import RUNNERS, in_threads, orders
from minigrad.compat import v1
from minigrad.engine import recording
from minigrad.engine.flow import FlowAttribute, FlowStack
from minigrad.keras import layers as L
from minigrad.layers.call_context import inside, scoped
from minigrad.recurrent.watch import is_watched

X = mg.tensor(2.0, requires_grad=True)
LSTM = L.LSTM(2)


class Told(L.Layer):
    """Return whether it is called in training, as a number: None is −1."""

    def call(self, inputs: Any, training: Any = None) -> Any:
        return inputs * (-1.0 if training is None else float(training))


TOLD = Told()
ONE = mg.tensor(1.0)


def seen() -> dict[str, Any]:
    """Everything that a block may change, as a user would notice it."""
    return {
        "records": (X * X).requires_grad,
        "backend": mg.tensor(1.0).backend.name,
        "observers": len(recording.state().observers),
        "traced": is_watched([LSTM.cell]),
        "training": TOLD(ONE).item(),
        "weights": scoped("w"),
        "variables": v1.get_variable_scope().name,
    }


DEFAULT = seen()
Block = tuple[Callable[[], AbstractContextManager[Any]], dict[str, Any]]
SHARED, SHARED_USING, SHARED_SCOPE = mg.no_grad(), mg.using(strict_backend), v1.variable_scope("shared")
BLOCKS: dict[str, Block] = {
    "no_grad": (mg.no_grad, {"records": False}),
    "one no_grad for all": (lambda: SHARED, {"records": False}),
    "recording": (lambda: recording.recording(True), {}),
    "observing": (lambda: recording.observing(lambda node: None), {"observers": 1}),
    "GradientTape": (mg.GradientTape, {"observers": 1}),
    "stop_recording": (mg.GradientTape().stop_recording, {"records": False}),
    "using": (lambda: mg.using(strict_backend), {"backend": "strict"}),
    "one using for all": (lambda: SHARED_USING, {"backend": "strict"}),
    "trace": (lambda: mg.trace(LSTM), {"traced": True}),
    "a call in training": (lambda: inside(LSTM, "lstm", True), {"training": 1.0, "weights": "lstm/w"}),
    "a call": (lambda: inside(LSTM, "", False), {"training": 0.0}),
    "variable_scope": (lambda: v1.variable_scope("a"), {"variables": "a"}),
    "one variable_scope for all": (lambda: SHARED_SCOPE, {"variables": "shared"}),
}


def actor(block: Block) -> Callable[[], Iterator[None]]:
    """Enters the block, waits, leaves it; and sees at each step just what it did itself."""
    make, change = block

    def steps() -> Iterator[None]:
        with make():
            assert seen() == DEFAULT | change
            yield
            assert seen() == DEFAULT | change
            yield
        assert seen() == DEFAULT

    return steps


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize(("one", "other"), list(combinations_with_replacement(BLOCKS, 2)))
def test_no_flow_sees_the_blocks_of_another(one: str, other: str, runner: str) -> None:
    for order in orders(3, 3):
        RUNNERS[runner]([actor(BLOCKS[one]), actor(BLOCKS[other])], order)
        assert seen() == DEFAULT


@pytest.mark.parametrize("name", BLOCKS)
def test_a_new_thread_starts_from_the_defaults(name: str) -> None:
    make, change = BLOCKS[name]
    with make(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(seen).result() == DEFAULT
        inherited = contextvars.copy_context()
        assert pool.submit(inherited.run, seen).result() == DEFAULT | change
        assert asyncio.run(asyncio.to_thread(seen)) == DEFAULT | change


@pytest.mark.parametrize("name", ["no_grad", "using", "a call in training", "variable_scope"])
def test_a_task_starts_from_where_it_was_created_and_keeps_it(name: str) -> None:
    make, change = BLOCKS[name]

    async def later() -> dict[str, Any]:
        await asyncio.sleep(0)
        return seen()

    async def main() -> None:
        with make():
            task = asyncio.create_task(later())
        assert seen() == DEFAULT
        assert await task == DEFAULT | change
        assert seen() == DEFAULT

    asyncio.run(main())


@pytest.mark.parametrize("name", ["observing", "GradientTape", "trace"])
def test_what_looks_on_is_over_for_tasks_too(name: str) -> None:
    w = mg.tensor(3.0, requires_grad=True)

    async def late(opened: asyncio.Event) -> None:
        await opened.wait()
        w * w
        LSTM(mg.ones((1, 2, 3)))

    async def main() -> None:
        closed = asyncio.Event()
        with mg.GradientTape() as gradients, mg.trace(LSTM) as traced:
            task = asyncio.create_task(late(closed))
        closed.set()
        await task
        assert gradients.watched_variables() == ()
        assert not any(traced._watches.values())

    asyncio.run(main())


# --- one object, many times -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["one no_grad for all", "one using for all", "one variable_scope for all"])
def test_one_object_nests_in_itself_and_serves_again(name: str) -> None:
    make, _ = BLOCKS[name]
    block = make()
    for _ in range(2):
        with block:
            inside = seen()
            with block, block:
                pass
            assert seen() == inside != DEFAULT
            with pytest.raises(ZeroDivisionError), block:
                raise ZeroDivisionError
            assert seen() == inside
        assert seen() == DEFAULT


def test_blocks_may_be_left_in_any_order() -> None:
    blocks = [mg.no_grad(), recording.recording(True), mg.no_grad(), recording.observing(lambda node: None)]
    for block in blocks:
        block.__enter__()
    blocks[2].__exit__(None, None, None)
    assert seen() == DEFAULT | {"observers": 1}
    blocks[1].__exit__(None, None, None)
    assert seen() == DEFAULT | {"records": False, "observers": 1}
    blocks[0].__exit__(None, None, None)
    assert seen() == DEFAULT | {"observers": 1}
    blocks[3].__exit__(None, None, None)
    assert seen() == DEFAULT
    blocks[3].__exit__(None, None, None)  # not inside: nothing to leave
    assert seen() == DEFAULT


def test_use_holds_at_once_for_all_threads_and_ends_the_blocks_it_stands_in() -> None:
    def steps() -> Iterator[None]:
        yield
        assert seen() == DEFAULT | {"backend": "strict"}
        yield

    def user() -> Iterator[None]:
        with mg.using("numpy"):
            mg.use(strict_backend)
            assert seen() == DEFAULT | {"backend": "strict"}
            yield
        assert seen() == DEFAULT | {"backend": "strict"}

    try:
        with mg.using("numpy"):
            in_threads([steps, user], [0, 1, 0, 1])
            assert seen() == DEFAULT  # this block goes on
        assert seen() == DEFAULT | {"backend": "strict"}
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(seen).result() == DEFAULT | {"backend": "strict"}
    finally:
        mg.use("numpy")


# --- generators: a block is shared with the caller, a decorator is not ------------------------------------------------


def test_a_generator_suspended_in_a_block_shares_it_with_its_caller() -> None:
    def steps() -> Iterator[int]:
        with mg.no_grad():
            yield 1

    suspended = steps()
    next(suspended)
    assert not seen()["records"]  # as documented: nothing can be done about it here
    with mg.no_grad(), mg.using(strict_backend):
        suspended.close()  # leaves its own block, not the one entered last
        assert seen() == DEFAULT | {"records": False, "backend": "strict"}
    assert seen() == DEFAULT


def test_a_generator_that_ends_in_another_thread_takes_nothing_from_it() -> None:
    def steps() -> Iterator[int]:
        with mg.no_grad():
            yield 1

    suspended: list[Iterator[int]] = []

    def start() -> None:
        suspended.append(steps())
        next(suspended[0])

    thread = Thread(target=start)
    thread.start()
    thread.join()
    with mg.no_grad():
        assert next(suspended[0], "ended") == "ended"
        assert not seen()["records"]
    assert seen() == DEFAULT


INSIDE = DEFAULT | {"records": False}
DECORATORS = {
    "no_grad": (mg.no_grad(), INSIDE),
    "recording": (recording.recording(False), INSIDE),
    "using": (mg.using(strict_backend), DEFAULT | {"backend": "strict"}),
    "stop_recording": (mg.GradientTape().stop_recording(), INSIDE),
}


@pytest.mark.parametrize("name", DECORATORS)
def test_decorated_functions(name: str) -> None:
    decorate, inside = DECORATORS[name]

    @decorate
    def factorial(n: int, *, wrong: bool = False) -> int:
        """Say."""
        assert seen() == inside
        if wrong:
            raise ZeroDivisionError
        return 1 if n == 0 else n * factorial(n - 1)

    assert factorial(4) == 24
    assert (factorial.__name__, factorial.__doc__) == ("factorial", "Say.")
    with pytest.raises(ZeroDivisionError):
        factorial(1, wrong=True)
    assert seen() == DEFAULT
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(factorial, range(6))) == [1, 1, 2, 6, 24, 120]


@pytest.mark.parametrize("name", DECORATORS)
def test_decorated_generators_restore_at_each_yield(name: str) -> None:
    decorate, inside = DECORATORS[name]
    ended: list[str] = []

    @decorate
    def steps(start: int) -> Any:
        got = start
        try:
            while got is not None:
                assert seen() == inside
                try:
                    got = yield got * 2
                except KeyError:
                    got = 100
                assert seen() == inside
            return "returned"
        finally:
            assert seen() == inside
            ended.append("ended")

    running, other = steps(1), steps(5)
    assert next(running) == 2
    assert seen() == DEFAULT
    assert next(other) == 10
    assert running.send(3) == 6
    assert running.throw(KeyError("x")) == 200
    assert seen() == DEFAULT
    with pytest.raises(StopIteration) as stop:
        next(running)
    assert stop.value.value == "returned"
    with pytest.raises(ZeroDivisionError):
        other.throw(ZeroDivisionError())
    left = steps(1)
    next(left)
    left.close()
    forgotten = steps(1)
    next(forgotten)
    del forgotten
    gc.collect()
    assert len(ended) == 4
    assert seen() == DEFAULT

    def outer() -> Any:
        return (yield from steps(7))

    delegating = outer()
    assert next(delegating) == 14
    assert seen() == DEFAULT
    assert delegating.send(1) == 2


@pytest.mark.parametrize("name", DECORATORS)
def test_decorated_coroutines_restore_at_each_await(name: str) -> None:
    decorate, inside = DECORATORS[name]

    @decorate
    async def waits(n: int) -> int:
        assert seen() == inside
        for _ in range(n):
            await asyncio.sleep(0)
            assert seen() == inside
        if n == 3:
            raise ZeroDivisionError
        return n

    async def main() -> None:
        assert await waits(2) == 2
        assert seen() == DEFAULT
        assert await asyncio.gather(*map(waits, (5, 1, 4, 0))) == [5, 1, 4, 0]
        with pytest.raises(ZeroDivisionError):
            await waits(3)
        cancelled = asyncio.create_task(waits(1000))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert seen() == DEFAULT

    asyncio.run(main())
    by_hand = waits(1)  # the driver of a coroutine shares its context
    assert by_hand.send(None) is None
    assert seen() == DEFAULT
    with pytest.raises(StopIteration):
        by_hand.send(None)


@pytest.mark.parametrize("name", DECORATORS)
def test_decorated_asynchronous_generators_restore_at_each_yield_and_await(name: str) -> None:
    decorate, inside = DECORATORS[name]
    ended: list[str] = []

    @decorate
    async def steps(n: int) -> AsyncIterator[int]:
        try:
            for k in range(n):
                assert seen() == inside
                await asyncio.sleep(0)
                assert seen() == inside
                try:
                    yield k
                except KeyError:
                    assert seen() == inside
        finally:
            assert seen() == inside
            ended.append("ended")

    async def main() -> None:
        found = []
        async for k in steps(3):
            assert seen() == DEFAULT
            found.append(k)
        assert found == [0, 1, 2]
        running: Any = steps(5)
        assert await running.__anext__() == 0
        assert await running.asend(None) == 1
        assert await running.athrow(KeyError("x")) == 2
        await running.aclose()
        broken: Any = steps(2)
        await broken.__anext__()
        with pytest.raises(ZeroDivisionError):
            await broken.athrow(ZeroDivisionError())
        assert seen() == DEFAULT

    asyncio.run(main())
    assert len(ended) == 3


# --- the pieces -------------------------------------------------------------------------------------------------------


def test_stack() -> None:
    stack: FlowStack[list[int]] = FlowStack("a test's")
    FlowStack.everywhere.remove(stack)
    one, equal = [1], [1]
    stack.push(one)
    stack.push(equal)
    stack.push(one)
    stack.drop(equal)
    assert [entry is one for entry in stack] == [True, True]
    stack.drop(equal)
    assert len(stack) == 2
    stack.clear()
    assert not stack


class Holder:
    """Something with an attribute of each flow."""

    value = FlowAttribute[Any]("none")


def test_flow_attribute() -> None:
    a, b = Holder(), Holder()
    a.value = 1
    assert (a.value, b.value) == (1, "none")
    assert (copy.copy(a).value, pickle.loads(pickle.dumps(a)).value) == ("none", "none")

    def steps(n: int) -> Callable[[], Iterator[None]]:
        def run() -> Iterator[None]:
            before = a.value
            a.value = n
            yield
            assert a.value == n
            del a.value
            yield
            assert a.value == "none"
            assert before in ("none", 1)

        return run

    for runner in RUNNERS.values():
        for order in orders(3, 3):
            runner([steps(2), steps(3)], order)
    assert a.value == 1
    del a.value, b.value
    assert a.value == "none"


def test_flow_attribute_holds_nothing_alive() -> None:
    holder = Holder()
    holder.value = mg.ones(2)
    gone = weakref.ref(holder)
    del holder
    gc.collect()
    assert gone() is None
