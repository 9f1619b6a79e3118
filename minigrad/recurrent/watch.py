"""Looking on while a sequence runs: what a step kept, and what came back to it, written down as the backend's arrays.

It costs nothing where nobody looks: the loop over time asks `watching` once a sequence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minigrad.engine.flow import Stack
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent import bptt
from minigrad.recurrent.bptt import StepBack
from minigrad.recurrent.step import State, Step, Weights


class Watch:
    """What happened in one run of one cell over one sequence.

    Attributes:
        xp: the array namespace; None before the run.
        step: the cell's step.
        weights: the cell's weights.
        x: (time, batch, features).
        outputs: (time, batch, units).
        final: the state after the last step.
        kept: what the way back needs: the state before each step, the gates, the mask.
        steps: for each t what came back to it; empty before the way back.
        dx: ∂loss/∂x; None before the way back.
    """

    def __init__(self, step: Step) -> None:
        self.step = step
        self.xp: Xp = None
        self.weights: Weights = ()
        self.x: Array = None
        self.outputs: Array = None
        self.final: State = ()
        self.kept = bptt.Kept([], [], [])
        self.steps: dict[int, StepBack] = {}
        self.dx: Array | None = None

    def went_forward(self, xp: Xp, x: Array, outputs: Array, final: State, weights: Weights, kept: bptt.Kept) -> None:
        """Writes down the way forward; not of Tensors, which are run again for second derivatives."""
        if not hasattr(xp, "to_numpy"):
            return
        self.xp, self.x, self.outputs, self.final, self.weights, self.kept = xp, x, outputs, final, weights, kept
        self.steps, self.dx = {}, None

    def step_back_in(self, xp: Xp) -> Callable[[int, StepBack], None] | None:
        """What is to be shown each step of a way back; under `create_graph` the way is made of Tensors: no numbers."""
        if xp is not self.xp:
            return None
        self.steps = {}
        return self._came_back

    def _came_back(self, t: int, back: StepBack) -> None:
        before = self.steps.get(t)
        self.steps[t] = back if before is None else StepBack(*map(bptt.added, before, back))

    def went_back(self, xp: Xp, dx: Array | None) -> None:
        """Writes down the end of the way back."""
        if xp is self.xp:
            self.dx = dx


watching: Stack[dict[int, list[Watch]]] = Stack("mg.trace")
"""In each flow of control: for each cell that is looked at, by its id, its runs so far."""


def is_watched(cells: Iterable[Any]) -> bool:
    """Returns whether somebody looks at one of these cells."""
    blocks = watching.entries()
    return bool(blocks) and any(id(cell) in runs for cell in cells for runs in blocks)


def watch_of(cell: Any, step: Step) -> Watch | None:
    """Returns where the run of a cell that is about to begin is to be written down; None if nobody looks."""
    for block in watching.entries():
        runs = block.get(id(cell))
        if runs is not None:
            runs.append(Watch(step))
            return runs[-1]
    return None
