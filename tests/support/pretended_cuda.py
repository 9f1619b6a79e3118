"""CuPy's part that `minigrad_cupy` uses, pretended on the CPU: arrays are NumPy's, kernels are compiled by g++.

The CUDA C of a kernel is also C++, but for a few words, so the source for NVRTC is compiled and run here, thread after
thread. Recording a graph keeps the launches, and launching it repeats them. This tests the arithmetic of the kernels,
their indices, and the order of the launches without a GPU. With a GPU, other tests compile the source by NVRTC and
measure its speed.
"""

from __future__ import annotations

import ctypes
import itertools
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Self

import numpy as np

HEADER = """
#include <cmath>
using namespace std;
#define __device__ static inline
#define __global__
struct Index { int x; };
extern "C" { Index blockIdx, blockDim, threadIdx; }
"""

MODULES = ("cupy", "cupy.cublas", "cupyx", "cupyx.scipy", "cupyx.scipy.special")


class OutOfMemoryError(MemoryError):
    """Error with the name and message of CuPy's."""


class Pool:
    """The pretended device's memory: as large as `size`, filled by Python's allocations since `limited`."""

    def __init__(self) -> None:
        self.size: int | None = None

    @contextmanager
    def limited(self, size: int) -> Iterator[None]:
        """Limit the memory to `size` bytes inside a `with` block."""
        tracemalloc.start()
        self.size = size
        try:
            yield
        finally:
            self.size = None
            tracemalloc.stop()

    def used_bytes(self) -> int:
        return tracemalloc.get_traced_memory()[0]

    def free_bytes(self) -> int:
        return (self.size or 0) - self.used_bytes()

    def get_limit(self) -> int:
        return self.size or 0


class Cuda:
    """The pretended device: its launches, and the open recording."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pool = Pool()
        self.log: list[str] = []  # the requests of the host, one by one
        self.recording: list[Callable[[], None]] | None = None
        self.last_first = False  # the threads of a launch run from the last to the first
        self._serial = itertools.count()
        self._together: dict[str, tuple[ctypes.CDLL, str]] = {}  # sources compiled together: library, prefix

    def empty(self, shape: Any, dtype: Any = float) -> Any:
        """Return an array, if there is room for it."""
        size = np.dtype(dtype).itemsize * int(np.prod(shape))
        if self.pool.size is not None and size > self.pool.free_bytes():
            raise OutOfMemoryError(f"Out of memory allocating {size:,} bytes (allocated so far: … bytes).")
        return np.empty(shape, dtype)

    def run(self, what: str, action: Callable[[], None]) -> None:
        """Launch a kernel: at once, or when a recording is launched."""
        if self.recording is not None:
            self.recording.append(action)
            return
        self.log.append(what)
        action()

    def compile_together(self, codes: Iterable[str]) -> None:
        """Compile many sources at once, which takes much less time than one by one."""
        texts = []
        for k, code in enumerate(codes := [code for code in dict.fromkeys(codes) if code not in self._together]):
            named = re.sub(r'(extern "C" __global__ void )(\w+)', rf"\1k{k}_\2", code)
            texts.append(f"namespace k{k} {{\n{named}\n}}\n")
        library = self._library("".join(texts))
        self._together |= {code: (library, f"k{k}_") for k, code in enumerate(codes)}

    def compiled(self, code: str) -> tuple[ctypes.CDLL, str]:
        """Return the source as a library, and the prefix of its kernels' names."""
        return self._together.get(code) or (self._library(code), "")

    def _library(self, code: str) -> ctypes.CDLL:
        source = self.folder / f"kernel{next(self._serial)}.cpp"
        source.write_text(HEADER + code, "utf-8")
        library = source.with_suffix(".so")
        subprocess.run(["g++", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
        return ctypes.CDLL(str(library))


def _module(cuda: Cuda, code: str, options: tuple[str, ...]) -> Any:
    assert options == ("--std=c++14",)
    library, prefix = cuda.compiled(code)

    def get_function(name: str) -> Callable[..., None]:
        function = getattr(library, prefix + name)

        def launch(grid: tuple[int], block: tuple[int], arguments: tuple[Any, ...]) -> None:
            threads = list(itertools.product(range(grid[0]), range(block[0])))[:: -1 if cuda.last_first else 1]
            cuda.run(name, lambda: _every_thread(library, function, block[0], threads, arguments))

        return launch

    return SimpleNamespace(get_function=get_function)


def _every_thread(
    library: ctypes.CDLL, function: Any, size: int, order: list[tuple[int, int]], arguments: tuple[Any, ...]
) -> None:
    block, block_size, thread = (ctypes.c_int.in_dll(library, n) for n in ("blockIdx", "blockDim", "threadIdx"))
    block_size.value = size
    given = [_argument(a) for a in arguments]
    for block.value, thread.value in order:
        function(*given)


REALS = {"float32": ctypes.c_float, "float64": ctypes.c_double}


def _argument(value: Any) -> Any:
    if value is None:
        return ctypes.c_void_p(None)
    if isinstance(value, np.ndarray):
        assert value.flags.c_contiguous, "a kernel was handed a strided array"
        return ctypes.c_void_p(value.ctypes.data)
    assert isinstance(value, np.number), "a kernel takes numbers of a fixed size"
    return REALS[str(value.dtype)](value) if isinstance(value, np.floating) else ctypes.c_int(int(value))


def _gemm(cuda: Cuda) -> Callable[..., Any]:
    def gemm(transa: str, transb: str, a: Any, b: Any, out: Any, alpha: float = 1.0, beta: float = 0.0) -> Any:
        assert out.flags.c_contiguous, "cuBLAS would have to copy the result"

        def action() -> None:
            product = (a if transa == "N" else a.T) @ (b if transb == "N" else b.T)
            out[...] = alpha * product + (beta * out if beta else 0.0)

        cuda.run("gemm", action)
        return out

    return gemm


def _stream(cuda: Cuda) -> Any:
    class Graph:
        def __init__(self, actions: list[Callable[[], None]]) -> None:
            self.actions = actions

        def launch(self) -> None:
            cuda.log.append("graph")
            for action in self.actions:
                action()

    class Stream:
        def __init__(self, non_blocking: bool = False) -> None:
            assert non_blocking, "the default stream's work would be recorded too"

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *error: object) -> None:
            assert cuda.recording is None, "a recording was left open"

        def begin_capture(self) -> None:
            cuda.recording = []

        def end_capture(self) -> Graph:
            actions, cuda.recording = cuda.recording or [], None
            return Graph(actions)

    return Stream


def _cupy(cuda: Cuda) -> dict[str, ModuleType]:
    """Return the modules by name."""
    modules = {name: ModuleType(name) for name in MODULES}
    cupy = modules["cupy"]
    vars(cupy).update({name: getattr(np, name) for name in dir(np) if not name.startswith("_")})
    cupy.asnumpy = np.array  # type: ignore[attr-defined]
    cupy.RawModule = lambda code, options: _module(cuda, code, options)  # type: ignore[attr-defined]
    cupy.empty = cuda.empty  # type: ignore[attr-defined]
    cupy.get_default_memory_pool = lambda: cuda.pool  # type: ignore[attr-defined]
    memory = SimpleNamespace(OutOfMemoryError=OutOfMemoryError)
    device = SimpleNamespace(synchronize=lambda: None)
    runtime = SimpleNamespace(memGetInfo=lambda: (0, 0))
    cupy.cuda = SimpleNamespace(  # type: ignore[attr-defined]
        Stream=_stream(cuda), Device=lambda: device, memory=memory, runtime=runtime
    )
    modules["cupy.cublas"].gemm = _gemm(cuda)  # type: ignore[attr-defined]
    import minigrad_numpy

    modules["cupyx.scipy.special"].erf = minigrad_numpy.erf  # type: ignore[attr-defined]
    return modules


@contextmanager
def pretended(folder: Path) -> Iterator[tuple[ModuleType, Cuda]]:
    """Import `minigrad_cupy` with the pretended CuPy; give it and the device, which lists its launches."""
    cuda = Cuda(folder)
    ours = [name for name in sys.modules if name.split(".")[0] in ("minigrad_cupy", "cupy", "cupyx")]
    before = {name: sys.modules.pop(name) for name in ours}
    sys.modules.update(_cupy(cuda))
    try:
        yield import_module("minigrad_cupy"), cuda
    finally:
        for name in [n for n in sys.modules if n.split(".")[0] in ("minigrad_cupy", "cupy", "cupyx")]:
            del sys.modules[name]
        sys.modules.update(before)
