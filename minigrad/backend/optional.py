"""What a backend may offer besides the functions of `minigrad.backend.protocol`.

- ``probe()`` returns None, or the reason why the device does not answer and the command that mends it; asked once, when
  the backend is first chosen by name.
- ``on_host = True``, if looking at a number costs no transfer.
- ``shortage(error)`` returns None, or, of a MemoryError that says that the device is full, three numbers of bytes: what
  was asked for, what is in use, and what can be had in all. Memory that lies idle is given back before it is counted.
- ``kernels``, fused recurrent loops by the name of the step whose formulas they replace (``"lstm"``, …), each a
  `Kernel`; ``fused``, other operations, ``"softmax_cross_entropy"`` and ``"adam"``. What is not there the formulas do.
"""

from __future__ import annotations

from typing import Any, Protocol

from minigrad.backend.protocol import Array


class Kernel(Protocol):
    """A loop over time in one piece: the numbers of `minigrad.recurrent.bptt`'s, forward and every gradient.

    Arrays are (time, batch, …). `step` is the layer's own `minigrad.recurrent.Step`, of which a kernel reads the
    attributes (``step.activation.__name__``, ``step.cell_clip``, …); `state` and `weights` are tuples in the step's
    order. What a kernel may rely on:

    - `refuses` is asked before each `forward`. If it gives a reason, the formulas run and the reason stands in
      ``layer.path``: a dtype, an activation or a dropout that a kernel has not learnt it refuses, and never guesses.
      Truncation, tracing and ``create_graph`` are no kernel's business: there the formulas run, unasked.
    - x, the state and the weights are this backend's arrays, of one dtype; they may be views, and read-only. Of the
      weights, biases, peepholes and dropout masks may be None. `mask` is (time, batch) of bools, or None.
    - What it returns belongs to the caller, who may keep it or write into it; what it was handed belongs to the caller
      too, and is not written into. `kept` belongs to the kernel alone: nobody looks into it or hands it on, `backward`
      gets it back, once, several times or never, and it dies with the graph.
    - `doutputs`, and any of `dstate`, may be None, which stands for zeros: the loss does not see that output. With
      ``needs_dx=False`` the first answer of `backward` is not looked at and may be None.
    """

    def refuses(self, step: Any, weights: tuple[Any, ...]) -> str:
        """Why it cannot run this step with these weights, in a few words; "" if it can."""

    def forward(
        self, step: Any, x: Array, state: tuple[Array, ...], weights: tuple[Any, ...], mask: Any, zero_output: bool
    ) -> tuple[Array, tuple[Array, ...], Any]:
        """Returns the outputs (time, batch, units), the final state, and what `backward` wants to see again."""

    def backward(
        self,
        step: Any,
        doutputs: Array | None,
        dstate: tuple[Array | None, ...],
        x: Array,
        weights: tuple[Any, ...],
        kept: Any,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, ...], tuple[Any, ...]]:
        """Returns dx, ∂loss/∂(initial state), and ∂loss/∂weights: None for those that are None, masks left out."""
