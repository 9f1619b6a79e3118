"""Workspaces: arrays at fixed addresses, kernels compiled once, launches replayed as CUDA graphs.

A step of a recurrent network is a few launches, products and elementwise kernels. On a GPU each takes less time than
Python needs to launch it. So the second call of a loop over the same arrays records its launches as a CUDA graph, and
later calls launch the graph of the whole loop at once. A graph needs arrays at fixed addresses: a `Workspace` owns all
arrays of one sequence, and returns to a pool when its cache is deleted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar, NamedTuple

import cupy as cp
from cupy.cublas import gemm

from minigrad_cuda import Argument, Gemm, KernelLaunch, Program

Array = Any

THREADS = 128  # threads of a block; each computes one number of a row


@cache
def kernel_function(text: str, name: str) -> Any:
    """Return a kernel; the first call compiles it."""
    return _module(text).get_function(name)


@cache
def _module(text: str) -> Any:
    return cp.RawModule(code=text, options=("--std=c++14",))


class LaunchGraph:
    """A sequence of launches over arrays at fixed addresses.

    The first call runs them one by one, the second records them as a CUDA graph, and later calls replay the graph.
    """

    def __init__(self) -> None:
        self.warm = False  # libraries must have been used once before a recording
        self.graph: Any = None

    def __call__(self, launches: Callable[[], None]) -> None:
        """Run the launches, the same at each call."""
        if not self.warm:
            self.warm = True
            launches()
            return
        if self.graph is None:
            self.graph = _record(launches)
        self.graph.launch()


def _record(launches: Callable[[], None]) -> Any:
    """Record the launches as a CUDA graph, without running them."""
    stream = cp.cuda.Stream(non_blocking=True)  # the default stream cannot be recorded
    with stream:
        stream.begin_capture()
        try:
            launches()
        finally:
            graph = stream.end_capture()
    return graph


class WorkspaceSpec(NamedTuple):
    """The specification of a workspace; sequences with equal specifications can reuse one, one after the other.

    Attributes:
        program: the cell's kernels and launches, identified by its text.
        dtype: the dtype of all arrays.
        options: (name, number) of the kernels' arguments.
        time: the number of steps.
        batch: the number of rows.
        sizes: (width, number).
        matrices: (name, shape) of the matrices that a step multiplies by.
        masked: whether there is a mask.
    """

    program: Program
    dtype: str
    options: tuple[tuple[str, float], ...]
    time: int
    batch: int
    sizes: tuple[tuple[str, int], ...]
    matrices: tuple[tuple[str, tuple[int, int]], ...]
    masked: bool

    @property
    def key(self) -> tuple[Any, ...]:
        """The specification as a key of a dictionary."""
        return (self.program.text, *self[1:])


class Workspace:
    """The arrays of one sequence, and the two loops over them.

    Attributes:
        arrays: the arrays of the program, by name.
        matrices: copies of the matrices that a step multiplies by.
        mask: (time, batch) of bools; None where there is none.
    """

    _pool: ClassVar[dict[tuple[Any, ...], list[Workspace]]] = {}

    def __init__(self, spec: WorkspaceSpec) -> None:
        self.spec, self.size = spec, dict(spec.sizes)
        T, B = spec.time, spec.batch
        rows = {"steps": (T, B), "states": (T + 1, B), "two": (2, B), "one": (B,)}
        self.arrays: dict[str, Array] = {}
        for array in spec.program.arrays.values():
            shape = (*rows.get(array.time, ()), sum(self.size[w] for w in array.widths))
            self.arrays[array.name] = cp.empty(shape, spec.dtype)
        for _, dz in spec.program.products:
            self.arrays[dz][...] = 0  # a column without a gradient stays 0
        self.matrices = {name: cp.empty(shape, spec.dtype) for name, shape in spec.matrices}
        self.mask = cp.empty((spec.time, spec.batch), bool) if spec.masked else None
        real = getattr(cp, spec.dtype)
        self._numbers = {name: real(value) for name, value in spec.options}
        self._forward_graph, self._backward_graph = LaunchGraph(), LaunchGraph()

    def forward(self) -> None:
        """Run the loop from the first step to the last."""
        self._forward_graph(lambda: self._launch(self.spec.program.forward, range(self.spec.time)))

    def backward(self) -> None:
        """Run the loop from the last step to the first."""
        self._backward_graph(lambda: self._launch(self.spec.program.backward, reversed(range(self.spec.time))))

    def _launch(self, launches: tuple[KernelLaunch | Gemm, ...], times: Iterable[int]) -> None:
        for t in times:
            for launch in launches:
                if isinstance(launch, KernelLaunch):
                    self._kernel(launch, t)
                else:
                    a, out = self._at(launch.a, t), self._at(launch.out, t)
                    transpose, beta = "T" if launch.transposed else "N", 1.0 if launch.adds else 0.0
                    gemm("N", transpose, a, self.matrices[launch.matrix], out=out, beta=beta)

    def _kernel(self, kernel: KernelLaunch, t: int) -> None:
        """Launch an elementwise kernel over all numbers of all rows."""
        count = self.spec.batch * self.size[kernel.width]
        arrays = [self._at(argument, t) for argument in kernel.arguments]
        options = [self._numbers[name] for name in kernel.options]
        sizes = [cp.int32(n) for n in (self.spec.batch, *(self.size[w] for w in kernel.widths))]
        mask = None if self.mask is None else self.mask[t]
        launch = kernel_function(self.spec.program.text, kernel.name)
        launch((-(-count // THREADS),), (THREADS,), (*arrays, *options, mask, *sizes))

    def _at(self, argument: Argument, t: int) -> Array:
        array, time = self.arrays[argument.array], self.spec.program.arrays[argument.array].time
        if time in ("one", "weight"):
            return array
        return array[(t + argument.step) % 2 if time == "two" else t + argument.step]

    @classmethod
    def acquire(cls, spec: WorkspaceSpec) -> Workspace:
        """Return a workspace from the pool, or a new one; if memory is short, free the unused ones first."""
        pool = cls._pool.setdefault(spec.key, [])
        with suppress(cp.cuda.memory.OutOfMemoryError):
            return pool.pop() if pool else cls(spec)
        cls.clear_pool()
        return cls(spec)

    @classmethod
    def clear_pool(cls) -> None:
        """Free the memory of all unused workspaces."""
        cls._pool.clear()


class Cache:
    """The cache of a sequence: it owns a workspace, which returns to the pool when the cache is deleted.

    Attributes:
        workspace: the arrays.
        zeroed: (time, batch) of bools, True where an output is the constant 0; None where none is.
    """

    def __init__(self, workspace: Workspace, zeroed: Array | None) -> None:
        self.workspace, self.zeroed = workspace, zeroed
        weakref.finalize(self, Workspace._pool.setdefault(workspace.spec.key, []).append, workspace)
