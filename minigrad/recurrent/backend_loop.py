"""A cell's loop over time, compiled once by a backend that can compile it, and cached.

`minigrad.engine.optional` says what a backend may offer: ``compile(description, dtype, options)``.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.optional import LoopOptions
from minigrad.engine.protocol import Array, BackendModule
from minigrad.recurrent.description import Description
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.multiplied import H_MASKS, X_MASKS
from minigrad.recurrent.protocol import State, Weights
from minigrad.recurrent.rules import rule_of
from minigrad.recurrent.step import Step
from minigrad.recurrent.syntax import reading


class BackendLoop:
    """A backend's loop, called with all weights of a cell, the absent ones among them.

    Args:
        loop: what the backend returned.
        places: the indices of the loop's weights, and then of its dropout masks, among the cell's.
        count: how many weights, masks left out, the loop returns gradients of.
    """

    def __init__(self, loop: Any, places: list[int], count: int) -> None:
        self.loop, self.places, self.count = loop, places, count

    def forward(
        self, x: Array, state: State, weights: Weights, mask: Array | None, zero_output: bool
    ) -> tuple[Array, State, Any]:
        """Return the outputs (time, batch, units), the final state, and the cache."""
        found: tuple[Array, State, Any] = self.loop.forward(x, state, self._own(weights), mask, zero_output)
        return found

    def backward(
        self, dy: Array | None, dstate: State, x: Array, weights: Weights, cache: Any, needs_dx: bool
    ) -> tuple[Array | None, State, Weights]:
        """Return dx, ∂loss/∂(initial state), and one gradient for each weight, None for absent ones and masks."""
        dx, dstate, dweights = self.loop.backward(dy, dstate, x, self._own(weights), cache, needs_dx)
        whole: list[Array | None] = [None] * len(weights)
        for k, d in zip(self.places, dweights, strict=False):
            whole[k] = d
        return dx, dstate, tuple(whole)

    def _own(self, weights: Weights) -> Weights:
        return tuple([weights[k] for k in self.places])


def backend_loop(backend: BackendModule, cell: Step, weights: Weights, dtype: str) -> BackendLoop | str:
    """Return the backend's loop for a cell with these weights, or the reason why there is none.

    Args:
        backend: the backend in use.
        cell: the step.
        weights: in the step's order; only which are absent, and how many dropout masks there are, counts.
        dtype: of the inputs and weights.
    """
    offered = getattr(backend, "compile", None)
    if type(cell) is not Formulas:  # a subclass may compute something that the equations do not say
        return "a custom step method"
    if offered is None:
        return f"the {backend.name} backend compiles no loops"
    masks = (_count(cell, weights, X_MASKS), _count(cell, weights, H_MASKS))
    key = (id(backend), dtype, masks, *[w is None for w in weights])
    if key not in cell.compiled:
        cell.compiled[key] = backend, _asked(offered, cell, weights, dtype, masks)  # it is kept, and with it its id
    found: BackendLoop | str = cell.compiled[key][1]
    return found


def _count(cell: Formulas, weights: Weights, name: str) -> int:
    k = cell.Weights._fields.index(name)
    masks = weights[k] if k < len(weights) else None
    return 0 if masks is None else masks.shape[0]


def options_of(cell: Formulas, description: Description, masks: tuple[int, int]) -> LoopOptions | str:
    """Return the options that a loop is compiled for, or the reason why there is none.

    Args:
        cell: the step.
        description: the cell with the weights that there are.
        masks: how many dropout masks there are of x and of the output.
    """
    sigma: Any = cell.recurrent_activation
    phi: Any = cell.activation
    for word, op in (("sigma", sigma), ("phi", phi)):
        if rule_of(op) is None:
            return f"{word}, {op.__name__.lower()}, is not elementwise"
    values = tuple((name, float(cell.options[name])) for name in description.options)
    sizes = tuple(cell.sizes.items())
    return LoopOptions(rule_of(sigma), rule_of(phi), values, sizes, *masks)


def _asked(offered: Any, cell: Formulas, weights: Weights, dtype: str, masks: tuple[int, int]) -> BackendLoop | str:
    description = cell.description(weights)
    options = options_of(cell, description, masks)
    if isinstance(options, str):
        return options
    with reading:
        loop = offered(description, dtype, options)
    if isinstance(loop, str):
        return loop
    names = cell.Weights._fields
    own = [*description.weights, *(name for name, n in zip((X_MASKS, H_MASKS), masks, strict=True) if n)]
    return BackendLoop(loop, [names.index(name) for name in own], len(description.weights))
