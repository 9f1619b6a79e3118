"""What the recurrent layers ask a backend's fused kernels: can you run this step, and then run it.

`kernels` maps the name of a step to its kernel. A kernel has three functions:

    refuses(step, weights)                                       → why it cannot, in a few words; "" if it can
    forward(step, x, state, weights, mask, zero_output)          → outputs, final state, kept
    backward(step, doutputs, dstate, x, weights, kept, needs_dx) → dx, ∂loss/∂(initial state), ∂loss/∂weights

`step` is the layer's own object and only its attributes are read here: nothing is imported from minigrad.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad_numpy import lstm

Array = Any

GATES = {"Sigmoid": "sigmoid", "HardSigmoid": "hard_sigmoid"}
DTYPES = ("float32", "float64")


class _Kept(NamedTuple):
    x: Array  # as the loop saw it: thinned by dropout
    loop: lstm.Kept


class LSTM:
    """The kernel of `LSTMStep`: tanh with a logistic or hard sigmoid, any mask, dropout of the inputs."""

    @staticmethod
    def refuses(step: Any, weights: Any) -> str:
        """Says why the kernel cannot run this step."""
        if step.activation.__name__ != "Tanh":
            return f"the kernel knows tanh as activation, not {step.activation.__name__}"
        if step.recurrent_activation.__name__ not in GATES:
            return f"the kernel knows sigmoid and hard_sigmoid for the gates, not {step.recurrent_activation.__name__}"
        if weights.h_masks is not None:
            return "the kernel knows no recurrent dropout"
        if weights.x_masks is not None and weights.x_masks.shape[0] != 1:
            return "the kernel knows one dropout mask, not one for each gate"
        return "" if str(weights.W.dtype) in DTYPES else f"the kernel knows no {weights.W.dtype}"

    @staticmethod
    def forward(
        step: Any, x: Array, state: tuple[Array, ...], weights: tuple[Any, ...], mask: Array | None, zero_output: bool
    ) -> tuple[Array, tuple[Array, Array], _Kept]:
        """Runs the sequence."""
        W, U, b, x_masks, _ = weights
        x = x if x_masks is None else x * x_masks[0]
        h, c = state
        gate = GATES[step.recurrent_activation.__name__]
        y, h_T, c_T, loop = lstm.forward(x, h, c, W, U, b, mask, zero_output=zero_output, recurrent_activation=gate)
        return y, (h_T, c_T), _Kept(x, loop)

    @staticmethod
    def backward(
        step: Any,
        doutputs: Array,
        dstate: tuple[Array, ...],
        x: Array,
        weights: tuple[Any, ...],
        kept: _Kept,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, Array], tuple[Any, ...]]:
        """Walks back through the sequence."""
        W, U, b, x_masks, _ = weights
        dh_T, dc_T = dstate
        dx, dh, dc, dW, dU, db = lstm.backward(doutputs, dh_T, dc_T, kept.loop, kept.x, W, U, needs_dx=needs_dx)
        dx = dx if dx is None or x_masks is None else dx * x_masks[0]
        return dx, (dh, dc), (dW, dU, None if b is None else db)


kernels = {"lstm": LSTM}
