"""What the recurrent layers ask this backend's kernels; `minigrad_numpy.kernels` says what that is."""

from __future__ import annotations

from typing import Any

from minigrad_numba import gru, lstm, lstmp, simple_rnn
from minigrad_numpy.kernels import Kernel


class CompiledKernel(Kernel):
    """A compiled loop over time: all that the NumPy backend's kernels know, and the GRU in both its variants."""

    resets_before = True

    def options(self, step: Any) -> dict[str, Any]:
        """What of the step's attributes the loop takes as arguments."""
        variant = {"reset_after": step.reset_after} if hasattr(step, "reset_after") else {}
        return {**super().options(step), **variant}


class FirstGenerationKernel(Kernel):
    """The compiled loop of the first generation's LSTM: peepholes, projection and clips, any mask."""

    def refuses(self, step: Any, weights: tuple[Any, ...]) -> str:
        """Says why the kernel cannot run this step."""
        return self.refuses_activation(step) or self.refuses_dtype(weights)

    def options(self, step: Any) -> dict[str, Any]:
        """What of the step's attributes the loop takes as arguments."""
        return {name: getattr(step, name) for name in ("forget_bias", "cell_clip", "proj_clip")}

    def apart(self, weights: tuple[Any, ...]) -> tuple[Any, ...]:
        """All the weights, which the way back wants too, and no dropout mask."""
        return weights, weights, None


kernels: dict[str, Any] = {
    "lstm": CompiledKernel(lstm.loop),
    "gru": CompiledKernel(gru.loop),
    "simple_rnn": CompiledKernel(simple_rnn.loop),
    "lstmp": FirstGenerationKernel(lstmp.loop),
}
