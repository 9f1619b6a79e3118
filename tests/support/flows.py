"""Flows of control whose steps are interleaved in any order: threads, asyncio tasks, contexts of `contextvars`.

An actor is a generator function; each `yield` is a place where the others may go on.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from queue import SimpleQueue
from threading import Thread
from typing import Any

Actor = Callable[[], Iterator[Any]]
Runner = Callable[[Sequence[Actor], Sequence[int]], None]


def orders(first: int, second: int) -> list[list[int]]:
    """Return all orders that interleave the steps of actor 0 with those of actor 1."""
    places = range(first + second)
    return [[0 if k in own else 1 for k in places] for own in combinations(places, first)]


class _Worker(Thread):
    """A thread that makes one step of its actor at each request."""

    def __init__(self, actor: Actor) -> None:
        super().__init__(daemon=True)
        self.actor, self.asked, self.answered = actor, SimpleQueue[bool](), SimpleQueue[Any]()

    def run(self) -> None:
        steps = self.actor()
        while self.asked.get():
            try:
                next(steps, None)
                self.answered.put(None)
            except BaseException as error:  # noqa: BLE001  (raised again by `step`)
                self.answered.put(error)

    def step(self) -> None:
        self.asked.put(True)
        error = self.answered.get(timeout=60)
        if error is not None:
            raise error


def in_threads(actors: Sequence[Actor], order: Sequence[int]) -> None:
    """Run the actors in new threads, a step each as `order` says."""
    workers = [_Worker(actor) for actor in actors]
    for worker in workers:
        worker.start()
    try:
        for k in order:
            workers[k].step()
    finally:
        for worker in workers:
            worker.asked.put(False)
            worker.join()


def in_contexts(actors: Sequence[Actor], order: Sequence[int]) -> None:
    """Run the actors in this thread, each in a copy of its context."""
    contexts = [contextvars.copy_context() for _ in actors]
    steps = [context.run(actor) for context, actor in zip(contexts, actors, strict=True)]
    for k in order:
        contexts[k].run(next, steps[k], None)


def in_tasks(actors: Sequence[Actor], order: Sequence[int]) -> None:
    """Run the actors as asyncio tasks that await between their steps."""

    async def main() -> None:
        turns = [asyncio.Event() for _ in order]

        async def task(mine: int, actor: Actor) -> None:
            steps = actor()
            for place in [k for k, who in enumerate(order) if who == mine]:
                await turns[place].wait()
                try:
                    next(steps, None)
                finally:
                    if place + 1 < len(turns):
                        turns[place + 1].set()

        turns[0].set()
        await asyncio.gather(*[task(k, actor) for k, actor in enumerate(actors)])

    asyncio.run(main())


RUNNERS: dict[str, Runner] = {"threads": in_threads, "tasks": in_tasks, "contexts": in_contexts}
