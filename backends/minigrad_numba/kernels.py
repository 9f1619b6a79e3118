"""What the recurrent layers ask this backend's kernels; `minigrad_numpy.kernels` says what that is."""

from __future__ import annotations

from typing import Any

from minigrad_numba import gru, lstm, lstmp, simple_rnn
from minigrad_numpy.kernels import DTYPES, Kernel

Array = Any


class CompiledKernel(Kernel):
    """A compiled loop over time: all that the NumPy backend's kernels know, and the GRU in both its variants."""

    resets_before = True

    def options(self, step: Any) -> dict[str, Any]:
        """What of the step's attributes the loop takes as arguments."""
        variant = {"reset_after": step.reset_after} if hasattr(step, "reset_after") else {}
        return {**super().options(step), **variant}


class FirstGenerationKernel:
    """The compiled loop of the first generation's LSTM: peepholes, projection and clips, any mask.

    Attributes:
        loop: with the loop's `forward` and `backward`.
    """

    def __init__(self, loop: Any) -> None:
        self.loop = loop

    def refuses(self, step: Any, weights: tuple[Any, ...]) -> str:
        """Says why the kernel cannot run this step."""
        if step.activation.__name__ != "Tanh":
            return f"the kernel knows tanh as activation, not {step.activation.__name__}"
        dtype = weights[0].dtype
        return "" if dtype in DTYPES else f"the kernel knows no {dtype}"

    def forward(
        self, step: Any, x: Array, state: tuple[Array, ...], weights: tuple[Any, ...], mask: Any, zero_output: bool
    ) -> tuple[Array, tuple[Array, ...], Any]:
        """Runs the sequence."""
        options = {name: getattr(step, name) for name in ("forget_bias", "cell_clip", "proj_clip")}
        y, *state_T, kept = self.loop.forward(x, *state, *weights, mask, zero_output=zero_output, **options)
        return y, tuple(state_T), kept

    def backward(
        self,
        step: Any,
        doutputs: Array,
        dstate: tuple[Array, ...],
        x: Array,
        weights: tuple[Any, ...],
        kept: Any,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, ...], tuple[Any, ...]]:
        """Walks back through the sequence."""
        dx, *rest = self.loop.backward(doutputs, *dstate, kept, x, *weights, needs_dx=needs_dx)
        return dx, tuple(rest[: len(dstate)]), tuple(rest[len(dstate) :])


kernels: dict[str, Any] = {
    "lstm": CompiledKernel(lstm.loop),
    "gru": CompiledKernel(gru.loop),
    "simple_rnn": CompiledKernel(simple_rnn.loop),
    "lstmp": FirstGenerationKernel(lstmp.loop),
}
