"""Watching: the arrays of one run of a cell, recorded for `mg.trace`.

It costs nothing without a trace: the loop over time reads `watching` once a sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from minigrad.engine.flow import FlowStack
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.masks import Masked
from minigrad.recurrent.protocol import Cache, State, Weights
from minigrad.recurrent.step import Step
from minigrad.recurrent.truncation import added


class StepGradients(NamedTuple):
    """Gradients of one time step.

    Attributes:
        dnew: ∂loss/∂(new state), the gradient of the step's output included; 0 in masked rows.
        dmasked: the same in the masked rows, which passes the step unchanged; None without a mask.
        dz: in the form that `gather` takes.
        dstate: ∂loss/∂(state before).
        drepeated: ∂loss/∂(output before) in the masked rows, which repeat it; None if no row repeats an output.
    """

    dnew: State
    dmasked: State | None
    dz: Any
    dstate: State
    drepeated: Array | None = None


class Watched(Step):
    """A step around another, which shows the gradients of each step.

    Args:
        step: the step, which may be a `Masked` one.
        show: called with t and the gradients of step t.
    """

    def __init__(self, step: Step, show: Callable[[int, StepGradients], None]) -> None:
        self.inner_step, self.output, self.show = step, step.output, show

    def step_backward(self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Return dz and ∂loss/∂state of the step; the cache is (t, the step's cache)."""
        t, cache = cache
        dz, dbefore = self.inner_step.step_backward(xp, dstate, cache, state, weights)
        if isinstance(self.inner_step, Masked):
            drepeated = None if self.inner_step.zero_output else dbefore[-1]
            self.show(t, StepGradients(*self.inner_step.split(xp, dstate, cache[1]), dz, dbefore[:-1], drepeated))
        else:
            self.show(t, StepGradients(dstate, None, dz, dbefore))
        return dz, dbefore


class Watch:
    """Record of one run of one cell over one sequence, in the backend's arrays.

    Attributes:
        xp: the array namespace; None before the run.
        step: the cell's step.
        weights: the cell's weights.
        x: (time, batch, features).
        outputs: (time, batch, units).
        final: the state after the last step.
        cache: the cache of the loop: for each step the state before it, the gates, the row of the mask.
        steps: for each t the gradients of the step; empty before the backward pass.
        dx: ∂loss/∂x; None before the backward pass.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.xp: Xp = None
        self.weights: Weights = ()
        self.x: Array = None
        self.outputs: Array = None
        self.final: State = ()
        self.cache: Any = Cache([], [])
        self.steps: dict[int, StepGradients] = {}
        self.dx: Array | None = None

    def record_forward(self, xp: Xp, x: Array, outputs: Array, final: State, weights: Weights, cache: Any) -> None:
        """Record the forward pass; not one of Tensors, which is a second run for second derivatives."""
        if not hasattr(xp, "to_numpy"):
            return
        self.xp, self.x, self.outputs, self.final, self.weights, self.cache = xp, x, outputs, final, weights, cache
        self.steps, self.dx = {}, None

    def recorder(self, xp: Xp) -> Callable[[int, StepGradients], None] | None:
        """Return the function that records a step; None under `create_graph`, where gradients are Tensors."""
        if xp is not self.xp:
            return None
        self.steps = {}
        return self._record_step

    def _record_step(self, t: int, gradients: StepGradients) -> None:
        before = self.steps.get(t)
        self.steps[t] = gradients if before is None else StepGradients(*map(added, before, gradients))

    def record_backward(self, xp: Xp, dx: Array | None) -> None:
        """Record the result of the backward pass."""
        if xp is self.xp:
            self.dx = dx


watching: FlowStack[dict[int, list[Watch]]] = FlowStack("mg.trace")
"""In each flow of control: for each watched cell, by its id, its runs so far."""


def is_watched(cells: Iterable[Any]) -> bool:
    """Return whether one of these cells is watched."""
    blocks = watching.entries()
    return bool(blocks) and any(id(cell) in runs for cell in cells for runs in blocks)


def watch_of(cell: Any, step: Step) -> Watch | None:
    """Return the record for the run of a cell that is about to begin; None if the cell is not watched."""
    for block in watching.entries():
        runs = block.get(id(cell))
        if runs is not None:
            runs.append(Watch(step))
            return runs[-1]
    return None
