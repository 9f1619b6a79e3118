"""Optional functions of a backend, besides those of `minigrad.engine.protocol`.

- ``probe()`` returns None, or the reason why the device does not answer and the command that repairs it. It is called
  once, when the backend is first chosen by name.
- ``on_host = True`` if reading a number needs no transfer.
- ``shortage(error)`` returns None or, for a MemoryError of a full device, three numbers of bytes: requested, in use,
  and in all. Unused memory is released before it is counted.
- ``compile(description, dtype, options)`` returns a recurrent cell's loop over time, a `Loop`, or in a few words the
  reason why it cannot. In the latter case the formulas run, and ``layer.path`` shows the reason.
- ``fused``: other operations by name, ``"softmax_cross_entropy"`` and ``"adam"``. The formulas compute the others.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from minigrad.engine.protocol import Array


class LoopOptions(NamedTuple):
    """Options that a loop is compiled for, besides the cell's description and the dtype; tuples, strings and numbers.

    Attributes:
        sigma: σ, a `minigrad.recurrent.description.Rule`: its lines forward and backward, elementwise.
        phi: φ, likewise.
        values: (name, number) of the description's options.
        sizes: (name, number) of the widths other than `units`, and of `units` if there are such widths.
        x_masks: the number of dropout masks of x that the loop gets, (x_masks, batch, features): 0, 1 for all columns,
            or one for each column whose product reads x, in their order.
        h_masks: likewise for the output state; the `recurrent` inner products follow the columns.
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
    of ``description.weights``, followed by the dropout masks that `options` counts. A loop may rely on the following:

    - x, the state and the weights are this backend's arrays, of the one dtype it was compiled for; they may be views,
      and read-only. None of the weights is None: the description leaves out what is absent. `mask` is (time, batch) of
      bools, or None.
    - At a masked step a row keeps its state and repeats its previous output; before its first unmasked step, or with
      `zero_output`, its output is zero. With truncation, tracing or ``create_graph`` the formulas run
      instead of a loop.
    - An array of weights is never written to after it was passed: an update puts a new array in its place. So a packed
      or transposed copy of a weight stays valid as long as the array object lives.
    - The results belong to the caller, who may keep them or write into them. The arguments belong to the caller too:
      a loop does not write into them. The cache belongs to the loop alone: `backward` gets it once, several times or
      never, and it is released with the graph.
    - With the attribute ``single_steps = False``, a layer leaves a sequence of one time step without a mask to the
      formulas: a loop's buffers and copies may cost more than they save.
    - `dy`, and any of `dstate`, may be None, which stands for zeros. With ``needs_dx=False`` the first result of
      `backward` is ignored and may be None.
    """

    def forward(
        self, x: Array, state: tuple[Array, ...], weights: tuple[Array, ...], mask: Array | None, zero_output: bool
    ) -> tuple[Array, tuple[Array, ...], Any]:
        """Return the outputs (time, batch, width of the output), the final state, and the cache."""

    def backward(
        self,
        dy: Array | None,
        dstate: tuple[Array | None, ...],
        x: Array,
        weights: tuple[Array, ...],
        cache: Any,
        needs_dx: bool,
    ) -> tuple[Array | None, tuple[Array, ...], tuple[Array, ...]]:
        """Return dx, ∂loss/∂(initial state), and ∂loss/∂weights in the order of ``description.weights``."""
