"""`check_cell` and `on_tape`: a cell's hand-written gradient against two others that are found by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.engine import registry, tree
from minigrad.engine.errors import GradientCheckError, MinigradError
from minigrad.layers import cell_protocol
from minigrad.layers.equation_cell import EquationCell
from minigrad.layers.layer import Layer
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.on_tape import OnTape
from minigrad.recurrent.reader import describe

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

    One step from random states with random weights, a random gradient at every new state, in float64; each gradient is
    compared: of the columns, the states, the parameters and the inner matrices. A cell without `backward` is derived
    already, and passes.

    Args:
        equations: the cell.
        activation: φ.
        recurrent_activation: σ.
        rtol: the error allowed, relative to the largest number of a gradient.
        seed: of the random numbers.
        values: the cell's options and widths, as `EquationCell` takes them. Without them shared widths are 2, and
            options that have no default 0.5.

    Raises:
        GradientCheckError: says for which argument the two differ, where, and by how much.
        EquationsError: the equations cannot be read.

    >>> from minigrad.recurrent import LSTM
    >>> check_cell(LSTM)
    """
    whole = describe(equations)
    defaults = equations.forward.__kwdefaults__ or {}
    missing = {o: 0.5 for o in whole.options if o not in defaults} | dict.fromkeys(whole.shared, BLOCKS)
    derived = type(equations.__name__, (equations,), {"backward": None, "__module__": "minigrad.testing"})
    found = []
    for one in (equations, derived):
        options = {"dtype": "float64", **missing, **values}
        cell = EquationCell(one, UNITS, activation, recurrent_activation, **options)
        found.append(_gradients(cell, np.random.default_rng(seed)))
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
    """The gradient of each argument of `forward`, by name."""
    cell.build((BATCH, FEATURES))
    xp, d, step = registry.resolve("numpy"), cell.description, cell.formulas()
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


def on_tape(layer: Any) -> OnTape:
    """Run recurrent layers operation by operation on the tape inside a `with` block.

    The `forward` body of each cell is run on Tensors, so the tape finds the gradient by itself: the independent road to
    what `backward` was derived for by hand. The numbers are the same, and it is some twenty times slower.

    Args:
        layer: a recurrent layer or cell, or a model or layer that holds some.

    Raises:
        MinigradError: there is no recurrent cell in it.

    >>> import minigrad as mg
    >>> lstm = mg.keras.layers.LSTM(3)
    >>> with mg.testing.on_tape(lstm):
    ...     y = lstm(mg.ones((2, 5, 4)))
    >>> lstm.path
    'tape, op by op: mg.testing.on_tape'
    """
    cells = list(_cells(layer))
    if not cells:
        raise MinigradError(f"on_tape: expected a recurrent layer or cell, or a model that holds some, got {layer!r}.")
    return OnTape(cells)


def _cells(layer: Any) -> Iterator[Any]:
    cell = getattr(layer, "cell", None)
    if cell is None and hasattr(layer, "state_size"):
        cell = layer
    if cell is not None:
        yield from cell_protocol.innermost(cell)
    elif isinstance(layer, Layer):
        for part in layer._sublayers():
            yield from _cells(part)
