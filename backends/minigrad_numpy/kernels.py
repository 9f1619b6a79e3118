"""What the recurrent layers ask a backend's fused kernels: can you run this step, and then run it.

`kernels` maps the name of a step to its kernel. A kernel has three functions:

    refuses(step, weights)                                       → why it cannot, in a few words; "" if it can
    forward(step, x, state, weights, mask, zero_output)          → outputs, final state, kept
    backward(step, doutputs, dstate, x, weights, kept, needs_dx) → dx, ∂loss/∂(initial state), ∂loss/∂weights

`step` is the layer's own object and only its attributes are read here: nothing is imported from minigrad. `weights` are
W, U and the biases, then the dropout masks of the inputs and of h; any but W and U can be None.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad_numpy import gru, lstm, simple_rnn

Array = Any

GATES = {"Sigmoid": "sigmoid", "HardSigmoid": "hard_sigmoid"}
DTYPES = ("float32", "float64")


class Kept(NamedTuple):
    """What a kernel's `backward` wants to see again."""

    x: Array  # as the loop saw it: thinned by dropout
    loop: Any


class Kernel:
    """A fused loop over time: tanh with a logistic or hard sigmoid for the gates, any mask, dropout of the inputs.

    Attributes:
        loop: the module with the loop's `forward` and `backward`.
        resets_before: does the loop know the GRU whose reset gate acts before the product h U?
    """

    resets_before = False

    def __init__(self, loop: Any) -> None:
        self.loop = loop

    def refuses(self, step: Any, weights: tuple[Any, ...]) -> str:
        """Says why the kernel cannot run this step."""
        *_, x_masks, h_masks = weights
        gate = getattr(step, "recurrent_activation", None)
        if gate and gate.__name__ not in GATES:
            return f"the kernel knows sigmoid and hard_sigmoid for the gates, not {gate.__name__}"
        if not (self.resets_before or getattr(step, "reset_after", True)):
            return "the kernel knows reset_after=True alone"
        if h_masks is not None:
            return "the kernel knows no recurrent dropout"
        if x_masks is not None and x_masks.shape[0] != 1:
            return "the kernel knows one dropout mask, not one for each gate"
        return self.refuses_activation(step) or self.refuses_dtype(weights)

    def refuses_activation(self, step: Any) -> str:
        """Says so if the step's activation is another than tanh."""
        name = step.activation.__name__
        return "" if name == "Tanh" else f"the kernel knows tanh as activation, not {name}"

    def refuses_dtype(self, weights: tuple[Any, ...]) -> str:
        """Says so if it knows nothing of the weights' dtype."""
        dtype = weights[0].dtype
        return "" if dtype in DTYPES else f"the kernel knows no {dtype}"

    def apart(self, weights: tuple[Any, ...]) -> tuple[Any, ...]:
        """The weights that the loop takes, those that its way back takes, and the inputs' dropout masks."""
        *matrices, x_masks, _ = weights
        return matrices, matrices[:2], x_masks

    def options(self, step: Any) -> dict[str, Any]:
        """What of the step's attributes the loop takes as arguments."""
        gate = getattr(step, "recurrent_activation", None)
        return {"recurrent_activation": GATES[gate.__name__]} if gate else {}

    def forward(
        self, step: Any, x: Array, state: tuple[Array, ...], weights: tuple[Any, ...], mask: Any, zero_output: bool
    ) -> tuple[Array, tuple[Array, ...], Kept]:
        """Runs the sequence."""
        matrices, _, x_masks = self.apart(weights)
        x = x if x_masks is None else x * x_masks[0]
        y, *state_T, kept = self.loop.forward(x, *state, *matrices, mask, zero_output=zero_output, **self.options(step))
        return y, tuple(state_T), Kept(x, kept)

    def backward(
        self,
        step: Any,
        doutputs: Array,
        dstate: tuple[Array, ...],
        x: Array,
        weights: tuple[Any, ...],
        kept: Kept,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, ...], tuple[Any, ...]]:
        """Walks back through the sequence."""
        _, matrices, x_masks = self.apart(weights)
        dx, *rest = self.loop.backward(doutputs, *dstate, kept.loop, kept.x, *matrices, needs_dx=needs_dx)
        dx = dx if dx is None or x_masks is None else dx * x_masks[0]
        d_initial, dweights = rest[: len(dstate)], rest[len(dstate) :]
        return dx, tuple(d_initial), tuple(None if w is None else d for w, d in zip(weights, dweights, strict=False))


kernels = {"lstm": Kernel(lstm), "gru": Kernel(gru), "simple_rnn": Kernel(simple_rnn)}
