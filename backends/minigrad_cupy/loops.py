"""What the fused recurrent loops share: arrays that stay where they are, kernels compiled once, launches replayed.

A step of a recurrent net is two launches, a product and an elementwise kernel, and on a GPU each takes less time than
Python needs to ask for it. So the second time that a loop runs over the same arrays its launches are recorded as a CUDA
graph, and from the third time on the GPU is handed the whole loop at once. That wants arrays that stay where they are:
a `Run` owns all that one sequence needs, and goes back to a shelf when nothing refers to its numbers any more.
"""

from __future__ import annotations

import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any, ClassVar

import cupy as cp
from cupy.cublas import gemm

from minigrad_cupy.source import PRELUDE

Array = Any

THREADS = 128  # of a block; a unit of a row is one thread
REAL = {"float32": "float", "float64": "double"}


@cache
def kernel(source: str, name: str, dtype: str, recurrent_activation: str) -> Any:
    """A kernel, compiled when it is first asked for."""
    hard = ("-DHARD",) if recurrent_activation == "hard_sigmoid" else ()
    module = cp.RawModule(code=PRELUDE + source, options=("--std=c++14", f"-Dreal={REAL[dtype]}", *hard))
    return module.get_function(name)


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


class Run(ABC):
    """The arrays of one sequence. A subclass adds its own, and the two loops over them.

    Attributes:
        h: (time + 1, batch, units): h₀ … h_T.
        dh: (time + 1, batch, units): ∂loss/∂h₀ … ∂loss/∂h_T.
        ds: (time, batch, gates · units): the gradients of what the gates' activations were given.
        U: (units, gates · units), this sequence's copy.
        live: (time, batch) of bools: the mask; and None for `rows` where there is none.
    """

    source: ClassVar[str]
    gates: ClassVar[int]

    _shelf: ClassVar[dict[tuple[Any, ...], list[Run]]] = {}

    def __init__(self, T: int, B: int, H: int, dtype: str, masked: bool, recurrent_activation: str) -> None:
        self.T, self.B, self.H, self.dtype = T, B, H, dtype
        G = self.gates * H
        self.h, self.dh = cp.empty((T + 1, B, H), dtype), cp.empty((T + 1, B, H), dtype)
        self.z, self.ds, self.U = cp.empty((T, B, G), dtype), cp.empty((T, B, G), dtype), cp.empty((H, G), dtype)
        self.live = cp.empty((T, B), bool) if masked else None
        self.rows = [None] * T if self.live is None else list(self.live)
        self.kernels = [kernel(self.source, name, dtype, recurrent_activation) for name in ("forward", "backward")]
        self._forth, self._back = Replayed(), Replayed()

    def forward(self) -> None:
        """The loop from the first step to the last."""
        self._forth(self._forward)

    def backward(self) -> None:
        """The loop from the last step to the first."""
        self._back(self._backward)

    @abstractmethod
    def _forward(self) -> None:
        """The launches of the loop forward."""

    @abstractmethod
    def _backward(self) -> None:
        """The launches of the loop backward."""

    def launch(self, which: int, *arrays: Array | None) -> None:
        """One elementwise kernel over all rows and units: 0 is forward's, 1 backward's."""
        n = self.B * self.H
        self.kernels[which]((-(-n // THREADS),), (THREADS,), (*arrays, cp.int32(self.B), cp.int32(self.H)))

    def add_product(self, a: Array, b: Array, out: Array, transposed: bool = False) -> None:
        """out += a b, or a bᵀ, in place."""
        gemm("N", "T" if transposed else "N", a, b, out=out, beta=1.0)

    @classmethod
    def taken(cls, *shape: Any) -> Any:
        """A run of that shape from the shelf, or a new one; if need be, in the place of those that lie idle."""
        shelf = cls._shelf.setdefault((cls, *shape), [])
        with suppress(cp.cuda.memory.OutOfMemoryError):
            return shelf.pop() if shelf else cls(*shape)
        cls.clear_shelf()
        return cls(*shape)

    @classmethod
    def clear_shelf(cls) -> None:
        """Gives the memory of all that lie idle back."""
        cls._shelf.clear()


class Kept:
    """What the way back needs. While it lives, the run is its own; afterwards the run goes back to its shelf."""

    def __init__(self, run: Run, shape: tuple[Any, ...], mask: Array | None, silent: Array | None) -> None:
        self.run, self.mask, self.silent = run, mask, silent
        weakref.finalize(self, Run._shelf.setdefault((type(run), *shape), []).append, run)


def silence(mask: Array | None, zero_output: bool) -> Array | None:
    """Where a row's output is a constant zero, (time, batch) of bools; None without a mask.

    A masked step repeats the output of the step before, which is the state h that the row keeps; but before the first
    step of its own a row has put out nothing, whatever h₀ is, and then the output is zero.
    """
    if mask is None:
        return None
    return ~mask if zero_output else cp.cumsum(mask, axis=0) == 0


def begin(
    kind: type[Any], x: Array, h0: Array, U: Array, mask: Array | None, zero_output: bool, recurrent_activation: str
) -> tuple[Any, Kept]:
    """A run for this sequence with h₀, U and the mask in their places, and what holds it."""
    (T, B, _), H = x.shape, len(U)
    shape = (T, B, H, str(x.dtype), mask is not None, recurrent_activation)
    run = kind.taken(*shape)
    run.h[0], run.U[...] = h0, U
    if mask is not None:
        run.live[...] = mask
    return run, Kept(run, shape, mask, silence(mask, zero_output))


def product_of_all_steps(x: Array, W: Array, b: Array | None, out: Array) -> None:
    """out = x W + b for all steps at once: one product, whatever the number of steps."""
    T, B, I = x.shape
    if b is not None:
        out[...] = b
    x2, out2 = cp.ascontiguousarray(x).reshape(T * B, I), out.reshape(T * B, -1)
    gemm("N", "N", x2, cp.ascontiguousarray(W), out=out2, beta=0.0 if b is None else 1.0)


def outputs(kept: Kept) -> Array:
    """y, (time, batch, units), the caller's own."""
    h = kept.run.h[1:]
    return h.copy() if kept.silent is None else cp.where(kept.silent[:, :, None], 0, h)


def begin_backward(kept: Kept, dy: Array | None, dh_T: Array | None) -> None:
    """Puts what the loss says of the outputs and of h_T in their places."""
    dh = kept.run.dh
    dh[0] = 0
    if dy is None:
        dh[1:] = 0
    else:
        dh[1:] = dy if kept.silent is None else cp.where(kept.silent[:, :, None], 0, dy)
    if dh_T is not None:
        dh[-1] += dh_T


def gathered(
    x: Array, h: Array, W: Array, ds: Array, d_state: Array, needs_dx: bool
) -> tuple[Array | None, Array, Array, Array, Array]:
    """dx, dW, dU and both biases' gradients: one product each for all steps.

    Args:
        x: (time, batch, features).
        h: (time, batch, units), the state before each step.
        W: (features, gates · units).
        ds: (time, batch, gates · units), what x W sees of the gradient.
        d_state: the same, what h U sees.
        needs_dx: is dx wanted?
    """
    T, B, I = x.shape
    x2, h2 = x.reshape(T * B, I), h.reshape(T * B, -1)
    ds2, d_state2 = ds.reshape(T * B, -1), d_state.reshape(T * B, -1)
    dx = (ds2 @ W.T).reshape(T, B, I) if needs_dx else None
    return dx, x2.T @ ds2, h2.T @ d_state2, ds2.sum(0), d_state2.sum(0)
