"""What a backend may offer besides the functions of `minigrad.engine.protocol`.

- ``probe()`` returns None, or the reason why the device does not answer and the command that mends it; asked once, when
  the backend is first chosen by name.
- ``on_host = True``, if looking at a number costs no transfer.
- ``shortage(error)`` returns None, or, of a MemoryError that says that the device is full, three numbers of bytes: what
  was asked for, what is in use, and what can be had in all. Memory that lies idle is given back before it is counted.
- ``compile(description, dtype, options)`` returns a recurrent cell's loop over time, a `Loop`, or in a few words why it
  cannot; then the formulas run, and the words stand in ``layer.path``.
- ``fused``: other operations by name, ``"softmax_cross_entropy"`` and ``"adam"``. What is not there the formulas do.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from minigrad.engine.protocol import Array


class LoopOptions(NamedTuple):
    """What a loop is compiled for, besides the cell's description and the dtype; tuples, strings and numbers.

    Attributes:
        sigma: σ, a `minigrad.recurrent.description.Rule`: its lines forward and backward, elementwise.
        phi: φ, likewise.
        values: (name, number) of the description's options.
        sizes: (name, number) of the widths other than `units`; `units` itself where there are others.
        x_masks: how many dropout masks of x the loop is handed, (x_masks, batch, features): 0, 1 for all columns, or
            one for each column whose product reads x, in their order.
        h_masks: likewise of the output state; there the inner products that are `recurrent` follow the columns.
    """

    sigma: Any
    phi: Any
    values: tuple[tuple[str, float], ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    x_masks: int = 0
    h_masks: int = 0


class Loop(Protocol):
    """A loop over time in one piece: the numbers of `minigrad.recurrent.bptt`'s, forward and every gradient.

    Arrays are (time, batch, …). `state` is a tuple in the order of ``description.states``, `weights` one in the order
    of ``description.weights``, followed by the dropout masks that `options` counts. What a loop may rely on:

    - x, the state and the weights are this backend's arrays, of the one dtype it was compiled for; they may be views,
      and read-only. None of the weights is None: the description leaves out what is absent. `mask` is (time, batch) of
      bools, or None.
    - At a masked step a row keeps its state and repeats its previous output; before its first step of its own, or with
      `zero_output`, its output is zero. Truncation, tracing and ``create_graph`` are no loop's business: there the
      formulas run, unasked.
    - An array of weights is never written to once it was handed over: an update puts a new array in its place. So what
      is made of a weight (packed, transposed) can be kept as long as the array object lives.
    - What it returns belongs to the caller, who may keep it or write into it; what it was handed belongs to the caller
      too, and is not written into. The cache belongs to the loop alone: `backward` gets it back, once, several times or
      never, and it dies with the graph.
    - `doutputs`, and any of `dstate`, may be None, which stands for zeros. With ``needs_dx=False`` the first answer of
      `backward` is not looked at and may be None.
    """

    def forward(
        self, x: Array, state: tuple[Array, ...], weights: tuple[Array, ...], mask: Array | None, zero_output: bool
    ) -> tuple[Array, tuple[Array, ...], Any]:
        """Returns the outputs (time, batch, width of the output), the final state, and the cache."""

    def backward(
        self,
        doutputs: Array | None,
        dstate: tuple[Array | None, ...],
        x: Array,
        weights: tuple[Array, ...],
        cache: Any,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, ...], tuple[Array, ...]]:
        """Returns dx, ∂loss/∂(initial state), and ∂loss/∂weights in the order of ``description.weights``."""
