"""Arrays that stay where they are, kernels compiled once, launches replayed.

A step of a recurrent net is a few launches, products and elementwise kernels, and on a GPU each takes less time than
Python needs to ask for it. So the second time that a loop runs over the same arrays its launches are recorded as a CUDA
graph, and from the third time on the GPU is handed the whole loop at once. That wants arrays that stay where they are:
a `Run` owns all that one sequence needs, and goes back to a shelf when nothing refers to its numbers any more.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar, NamedTuple

import cupy as cp
from cupy.cublas import gemm

from minigrad_cuda import Argument, Kernel, Multiply, Plan

Array = Any

THREADS = 128  # of a block; a number of a row is one thread


@cache
def function(text: str, name: str) -> Any:
    """Returns a kernel, compiled when it is first asked for."""
    return _module(text).get_function(name)


@cache
def _module(text: str) -> Any:
    return cp.RawModule(code=text, options=("--std=c++14",))


class Replayed:
    """Launches over arrays that stay where they are; a call runs them.

    The first time as written, the second time it records them, and from then on it replays what was recorded.
    """

    def __init__(self) -> None:
        self.warm = False  # libraries want to have been used once before they are recorded
        self.graph: Any = None

    def __call__(self, launches: Callable[[], None]) -> None:
        """Runs the launches, every time the same ones."""
        if not self.warm:
            self.warm = True
            launches()
            return
        if self.graph is None:
            self.graph = _recorded(launches)
        self.graph.launch()


def _recorded(launches: Callable[[], None]) -> Any:
    """The launches as a CUDA graph; recording runs nothing."""
    stream = cp.cuda.Stream(non_blocking=True)  # the default stream cannot be recorded
    with stream:
        stream.begin_capture()
        try:
            launches()
        finally:
            graph = stream.end_capture()
    return graph


class Shape(NamedTuple):
    """The key of a run: two sequences with the same one can have the same run, one after the other.

    Attributes:
        plan: the cell's kernels, and the order of its launches; told apart by its text.
        dtype: of all arrays.
        options: the numbers that kernels are handed.
        time: the number of steps.
        batch: the number of rows.
        sizes: (width, number).
        matrices: (matrix, rows and columns) of those that a step multiplies.
        masked: whether there is a mask.
    """

    plan: Plan
    dtype: str
    options: tuple[tuple[str, float], ...]
    time: int
    batch: int
    sizes: tuple[tuple[str, int], ...]
    matrices: tuple[tuple[str, tuple[int, int]], ...]
    masked: bool

    @property
    def key(self) -> tuple[Any, ...]:
        """The shape as a key of a dictionary."""
        return (self.plan.text, *self[1:])


class Run:
    """The arrays of one sequence, and the two loops over them.

    Attributes:
        arrays: those of the plan, by name.
        matrices: those that a step multiplies, this sequence's copies.
        mask: (time, batch) of bools; None where there is none.
    """

    _shelf: ClassVar[dict[tuple[Any, ...], list[Run]]] = {}

    def __init__(self, of: Shape) -> None:
        self.of, self.size = of, dict(of.sizes)
        T, B = of.time, of.batch
        rows = {"steps": (T, B), "states": (T + 1, B), "two": (2, B), "one": (B,)}
        self.arrays: dict[str, Array] = {}
        for array in of.plan.arrays.values():
            shape = (*rows.get(array.time, ()), sum(self.size[w] for w in array.widths))
            self.arrays[array.name] = cp.empty(shape, of.dtype)
        for _, dz in of.plan.products:
            self.arrays[dz][...] = 0  # where a column has no gradient, it stays so
        self.matrices = {name: cp.empty(shape, of.dtype) for name, shape in of.matrices}
        self.mask = cp.empty((of.time, of.batch), bool) if of.masked else None
        real = getattr(cp, of.dtype)
        self._numbers = {name: real(value) for name, value in of.options}
        self._forth, self._back = Replayed(), Replayed()

    def forward(self) -> None:
        """Runs the loop from the first step to the last."""
        self._forth(lambda: self._launch(self.of.plan.forward, range(self.of.time)))

    def backward(self) -> None:
        """Runs the loop from the last step to the first."""
        self._back(lambda: self._launch(self.of.plan.backward, reversed(range(self.of.time))))

    def _launch(self, steps: tuple[Kernel | Multiply, ...], times: Iterable[int]) -> None:
        for t in times:
            for step in steps:
                if isinstance(step, Kernel):
                    self._kernel(step, t)
                else:
                    a, out = self._at(step.a, t), self._at(step.out, t)
                    way, beta = "T" if step.transposed else "N", 1.0 if step.adds else 0.0
                    gemm("N", way, a, self.matrices[step.matrix], out=out, beta=beta)

    def _kernel(self, kernel: Kernel, t: int) -> None:
        """One elementwise kernel over all numbers of all rows."""
        count = self.of.batch * self.size[kernel.width]
        arrays = [self._at(argument, t) for argument in kernel.arguments]
        options = [self._numbers[name] for name in kernel.options]
        sizes = [cp.int32(n) for n in (self.of.batch, *(self.size[w] for w in kernel.widths))]
        mask = None if self.mask is None else self.mask[t]
        launch = function(self.of.plan.text, kernel.name)
        launch((-(-count // THREADS),), (THREADS,), (*arrays, *options, mask, *sizes))

    def _at(self, argument: Argument, t: int) -> Array:
        array, time = self.arrays[argument.array], self.of.plan.arrays[argument.array].time
        if time in ("one", "weight"):
            return array
        return array[(t + argument.step) % 2 if time == "two" else t + argument.step]

    @classmethod
    def taken(cls, of: Shape) -> Run:
        """Returns a run from the shelf, or a new one; if need be, in the place of those that lie idle."""
        shelf = cls._shelf.setdefault(of.key, [])
        with suppress(cp.cuda.memory.OutOfMemoryError):
            return shelf.pop() if shelf else cls(of)
        cls.clear_shelf()
        return cls(of)

    @classmethod
    def clear_shelf(cls) -> None:
        """Gives the memory of all that lie idle back."""
        cls._shelf.clear()


class Kept:
    """The cache of a sequence. While it lives, the run is its own; afterwards the run goes back to its shelf.

    Attributes:
        run: the arrays.
        silent: (time, batch) of bools, True where an output is the constant 0; None where none is.
    """

    def __init__(self, run: Run, silent: Array | None) -> None:
        self.run, self.silent = run, silent
        weakref.finalize(self, Run._shelf.setdefault(run.of.key, []).append, run)
