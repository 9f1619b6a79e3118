"""Backpropagation through time: one loop forward, one loop backward.

This is the page to print. `forward` runs a cell over a sequence and keeps what the way back will need; `backward` walks
the same steps in reverse, each line one term of the chain rule. Both are pure functions of arrays and serve every cell
that offers the four functions of `minigrad.recurrent.step`.

At a step where a row is masked, the row keeps its state and repeats its previous output. So on the way back,

- ∂loss/∂state passes that step untouched, and nothing of it enters the gates;
- ∂loss/∂output goes to the step whose output was repeated; before any output there was only a constant 0, which owes
  nobody anything.

Pad with numbers: a NaN in x at a masked step reaches no output, but as in TensorFlow the weights' gradients, 0 · NaN.

Truncation, `tbptt=(k1, k2)`: after every k1 steps the loss of those steps is sent back through at most k2 steps. With
k1 = 1, ∂loss_t/∂x_u is exact for t − u < k2 and 0 beyond.

Source: Werbos, 1990, "Backpropagation Through Time: What It Does and How to Do It"; the truncation is that of Williams
and Peng, 1990.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from minigrad.engine.errors import DTypeError, MinigradError, ShapeError
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.step import Same, State, Step, Weights


class Kept(NamedTuple):
    """What the way back needs, a list with one entry for each time step."""

    states: list[State]  # the state before the step
    steps: Sequence[Any]  # what the step kept, its gates for example
    rows: list[Array | None]  # (batch, 1), True where the step counts; None where all do
    zero_output: bool = False  # the output at masked steps was zero instead of repeated


class Recomputed(Sequence[Any]):
    """What each step kept, where the cell says that z is less: the step is run again whenever somebody asks."""

    def __init__(self, xp: Xp, cell: Step, z: Sequence[Array], states: list[State], weights: Weights) -> None:
        self.xp, self.cell, self.z, self.states, self.weights = xp, cell, z, states, weights

    def __len__(self) -> int:
        return len(self.z)

    def __getitem__(self, t: Any) -> Any:
        return self.cell.step(self.xp, self.z[t], self.states[t], self.weights)[1]


class Gradients(NamedTuple):
    """What the way back returns."""

    x: Array  # (time, batch, features)
    state: State  # of the initial state, each (batch, size)
    weights: Weights


class StepBack(NamedTuple):
    """One step of the way back.

    Attributes:
        dnew: ∂loss/∂(new state), the output's share included; 0 in rows that are masked.
        dskipped: the same in the rows that are masked, which passes the step untouched; None without a mask.
        dz: in whatever form `gather` takes it.
        dstate: ∂loss/∂(state before).
        drepeated: ∂loss/∂(output before), as far as it was repeated; None if it was not.
    """

    dnew: State
    dskipped: State | None
    dz: Any
    dstate: State
    drepeated: Array | None


def forward(
    xp: Xp, cell: Step, x: Array, state: State, weights: Weights, mask: Array | None = None, zero_output: bool = False
) -> tuple[Array, State, Kept]:
    """Runs a cell over a sequence.

    Args:
        xp: the array namespace.
        cell: the step and its gradient.
        x: (time, batch, features).
        state: the initial state, each (batch, size).
        weights: the cell's weights.
        mask: (time, batch) of bools; where False, the row keeps its state and repeats its output.
        zero_output: at masked steps the output is zero instead of repeated.

    Returns:
        The outputs, (time, batch, units), the final state, and what `backward` needs.

    Raises:
        ShapeError: x, the states and the mask do not fit together: x may be (batch, time, features).

    >>> import numpy as np, minigrad_numpy as xp
    >>> from minigrad.recurrent import LSTM, Formulas, bptt
    >>> cell = Formulas(LSTM)
    >>> weights = cell.Weights(W=np.ones((2, 4)), U=np.zeros((1, 4)), b=np.zeros(4))
    >>> x, zero = np.zeros((3, 1, 2)), np.zeros((1, 1))
    >>> h, (h_T, c_T), kept = bptt.forward(xp, cell, x, (zero, zero + 1.0), weights)
    >>> c_T  # half of it forgotten at each of three steps
    array([[0.125]])
    """
    _check_forward(x, state, mask)
    z = xp.unstack(cell.project(xp, x, weights))
    rows = [None] * len(z) if mask is None else [xp.expand_dims(row, -1) for row in xp.unstack(mask)]
    states: list[State] = []
    kept: list[Any] = []
    outputs: list[Array] = []
    output: Array = 0.0
    for z_t, row in zip(z, rows, strict=True):
        states.append(state)
        state_new, kept_t = cell.step(xp, z_t, state, weights)
        if not outputs:
            _check("forward: the states", [s.shape for s in state], [s.shape for s in state_new])
        output_new = state_new[cell.output]
        if row is not None:
            output_new = xp.where(row, output_new, 0.0 if zero_output else output)
            state_new = tuple(xp.where(row, new, old) for new, old in zip(state_new, state, strict=True))
        state, output = state_new, output_new
        outputs.append(output)
        kept += [] if cell.recomputes else [kept_t]
    steps = kept or Recomputed(xp, cell, z, states, weights)
    return xp.stack(outputs), state, Kept(states, steps, rows, zero_output)


def _check_forward(x: Array, state: State, mask: Array | None) -> None:
    """Raises where a sequence cannot be run; that x is batch-first shows only where batch and time differ."""
    if not x.shape or not x.shape[0] or x.shape[1:2] != state[0].shape[:1]:
        raise ShapeError(
            "bptt.forward: expected x of shape (time, batch, features) with a step at least, and states (batch, size), "
            f"got {x.shape}, states of shapes {[s.shape for s in state]}."
        )
    if mask is not None:
        _check("forward: mask", [x.shape[:2]], [mask.shape])
        if "bool" not in str(mask.dtype):
            raise DTypeError(f"bptt.forward: expected a mask of bools, got {mask.dtype}. True is what counts.")


def _check(what: str, expected: list[Any], came: list[Any]) -> None:
    if came != expected:
        shapes = (", ".join(str(tuple(shape)) for shape in several) for several in (expected, came))
        raise ShapeError("bptt.{}: expected {}, got {}. Time comes first, then the batch.".format(what, *shapes))


def backward(
    xp: Xp,
    cell: Step,
    doutputs: Array,
    dstate: State,
    x: Array,
    weights: Weights,
    kept: Kept,
    tbptt: tuple[int, int] | None = None,
    watch: Callable[[int, StepBack], None] | None = None,
) -> Gradients:
    """Walks back through the sequence.

    Args:
        xp: the array namespace.
        cell: the step and its gradient.
        doutputs: ∂loss/∂outputs, (time, batch, units).
        dstate: ∂loss/∂(final state), each (batch, size).
        x: (time, batch, features), as `forward` had it.
        weights: the cell's weights.
        kept: what `forward` kept.
        tbptt: (k1, k2), or None for the whole way back.
        watch: is shown each step, with its t; more than once where the windows of a truncation overlap.

    Returns:
        ∂loss/∂x, ∂loss/∂(initial state) and ∂loss/∂weights.

    Raises:
        ShapeError: a gradient has not the shape of what it is the gradient of, or x is not `forward`'s.
    """
    state = [s.shape for s in kept.states[0]]
    _check("backward: dstate", state, [ds.shape for ds in dstate])
    _check("backward: doutputs", [(len(kept.states), *state[cell.output])], [doutputs.shape])
    _check("backward: x", [(len(kept.states), *state[0][:1])], [x.shape[:2]])
    d = xp.unstack(doutputs)
    T, zero = len(d), xp.zeros(d[0].shape, d[0].dtype)
    dz: list[Any] = [None] * T
    dstate_0 = nothing = tuple(xp.zeros(ds.shape, ds.dtype) for ds in dstate)
    for start, stop, earliest in windows(T, tbptt):
        dthis = dstate if stop == T else nothing  # what comes from beyond the sequence enters at its end
        drepeated = None
        for t in reversed(range(earliest, stop)):
            doutput = d[t] if t >= start else zero
            doutput = doutput if drepeated is None else doutput + drepeated
            back = step_back(xp, cell, doutput, dthis, t, weights, kept)
            dthis, drepeated = back.dstate, back.drepeated
            dz[t] = added(dz[t], back.dz)
            if watch is not None:
                watch(t, back)
        if earliest == 0:
            dstate_0 = tuple(a + b for a, b in zip(dstate_0, dthis, strict=True))
    dx, dweights = cell.gather(xp, x, kept.states, kept.steps, dz, weights)
    return Gradients(dx, dstate_0, dweights)


def step_back(xp: Xp, cell: Step, doutput: Array, dstate: State, t: int, weights: Weights, kept: Kept) -> StepBack:
    """Walks back through step t: ∂loss/∂output and ∂loss/∂state of this step in, those of the step before out."""
    row = kept.rows[t]
    dskipped = drepeated = None
    if row is not None:
        drepeated = None if kept.zero_output else xp.where(row, 0.0, doutput)
        doutput = xp.where(row, doutput, 0.0)
        dskipped = tuple(xp.where(row, 0.0, ds) for ds in dstate)
        dstate = tuple(xp.where(row, ds, 0.0) for ds in dstate)
    k = cell.output
    dnew = (*dstate[:k], dstate[k] + doutput, *dstate[k + 1 :])
    dz, dstate = cell.step_backward(xp, dnew, kept.steps[t], kept.states[t], weights)
    if dskipped is not None:
        dstate = tuple(through + around for through, around in zip(dstate, dskipped, strict=True))
    return StepBack(dnew, dskipped, dz, dstate, drepeated)


def windows(T: int, tbptt: Any) -> Iterator[tuple[int, int, int]]:
    """Yields (start, stop, earliest): the loss of the steps start … stop − 1 goes back as far as `earliest`.

    >>> list(windows(5, None))
    [(0, 5, 0)]
    >>> list(windows(5, (2, 3)))
    [(0, 2, 0), (2, 4, 1), (4, 5, 2)]
    """
    k1, k2 = (T, T) if tbptt is None else tbptt if isinstance(tbptt, tuple) and len(tbptt) == 2 else (0, 0)
    if not 1 <= k1 <= k2:
        raise MinigradError(f"bptt: expected tbptt = (k1, k2) with 1 ≤ k1 ≤ k2, got {tbptt!r}.")
    for start in range(0, T, k1):
        stop = min(start + k1, T)
        yield start, stop, max(0, stop - k2)


def added(a: Any, b: Any) -> Any:
    """Returns the sum of two gradients that are arrays, tuples of arrays, or None; of `Same` the one."""
    if a is None or b is None or isinstance(a, Same):
        return b if a is None else a
    if not isinstance(a, tuple):
        return a + b
    parts = [added(x, y) for x, y in zip(a, b, strict=True)]
    return type(a)(*parts) if hasattr(a, "_fields") else tuple(parts)
