"""`check_cell`: the hand-written gradient of a cell against the derived one."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine import arguments, registry, tree
from minigrad.engine.errors import GradientCheckError
from minigrad.engine.random import generator_for
from minigrad.layers.equation_cell import EquationCell, read_equations
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.equations import Equations

BATCH, FEATURES, UNITS, BLOCKS = 3, 3, 4, 2
HostArray = Any


def check_cell(
    equations: type[Equations],
    activation: Any = "tanh",
    recurrent_activation: Any = "sigmoid",
    rtol: float = 1e-9,
    seed: int = 0,
    **values: Any,
) -> None:
    """Compare the hand-written `backward` of a cell with the one that is derived from its `forward`.

    The cell runs one step in float64, from random states with random weights and a random gradient of every new state.
    All gradients are compared: those of the columns, the states, the parameters and the inner matrices. A cell without
    `backward` uses the derived one, and passes.

    Args:
        equations: the cell.
        activation: φ.
        recurrent_activation: σ.
        rtol: the largest error, relative to the largest number of a gradient.
        seed: the seed of the random numbers.
        values: the cell's options and widths, as for `EquationCell`. By default shared widths are 2, and options
            without a default 0.5.

    Raises:
        GradientCheckError: two gradients differ. The message names the argument, the index, and the difference.
        EquationsError: the equations cannot be read.

    >>> from minigrad.recurrent import LSTM
    >>> check_cell(LSTM)
    """
    rtol = arguments.non_negative("check_cell: `rtol`", rtol)
    seed = arguments.whole("check_cell: `seed`", seed)
    whole = describe(read_equations("check_cell: `equations`", equations))
    defaults = equations.forward.__kwdefaults__ or {}
    missing = {o: 0.5 for o in whole.options if o not in defaults} | dict.fromkeys(whole.shared, BLOCKS)
    derived = type(equations.__name__, (equations,), {"backward": None, "__module__": "minigrad.testing"})
    found = []
    for one in (equations, derived):
        options = {"dtype": "float64", **missing, **values}
        cell = EquationCell(one, UNITS, activation, recurrent_activation, **options)
        found.append(_gradients(cell, generator_for(seed)))
    for name, by_hand in found[0].items():
        other = found[1][name]
        error, scale = np.abs(by_hand - other), max(1.0, float(np.abs(other).max(initial=0.0)))
        if not (error <= rtol * scale).all():
            at = np.unravel_index(int(np.argmax(np.nan_to_num(error, nan=np.inf))), error.shape)
            raise GradientCheckError(
                f"check_cell: {equations.__qualname__}.backward: ∂loss/∂{name}: at {tuple(map(int, at))} it returns "
                f"{by_hand[at]:.10g}, the derived gradient is {other[at]:.10g}; they differ by {error[at]:.3g} "
                f"(allowed: {rtol * scale:.2g})."
            )


def _gradients(cell: EquationCell, random: np.random.Generator) -> dict[str, HostArray]:
    """Return the gradient of each argument of `forward`, by name."""
    cell.build((BATCH, FEATURES))
    xp, d, step = registry.resolve("numpy"), cell.description, cell.time_step()
    shapes = {letter: w.shape for letter, w in cell.by_letter.items()}
    weights = tuple(random.normal(0, 0.8, shapes[n]) if n in shapes else None for n in cell.whole.weights)
    state = tuple(random.standard_normal((BATCH, size)) for size in tree.leaves(cell.state_size))
    z = step.project(xp, random.standard_normal((BATCH, FEATURES)), weights)
    new, cache = step.step(xp, z, state, weights)
    dz, dstate = step.step_backward(xp, tuple(random.standard_normal(s.shape) for s in new), cache, state, weights)
    named: dict[str, HostArray] = {}
    for product, of_product in zip(d.products, dz, strict=False):
        ends = np.cumsum([cell.size_of(c) for c in product.columns])[:-1]
        named |= dict(zip(product.columns, np.split(of_product, ends, -1), strict=True))
    named |= dict(zip(d.states, dstate, strict=True))
    rest, n = dz[len(d.products) :], len(d.inner)
    for inner, dv, source in zip(d.inner, rest[:n], rest[n:], strict=False):
        named[inner.matrix] = source.value.T @ dv
    return named | dict(zip(d.parameters, rest[2 * n :], strict=True))
