"""Causes of the difference between the outputs of two cells, such as two of the same name in two API generations.

Each cell becomes a `ParametricCell`, in which every convention is a parameter. Then the second cell is aligned with the
first, one convention at a time: each alone, and one after the other. The change of max |Δh| is the effect of a
convention. With all conventions aligned, max |Δh| is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.convert.difference.conventions import Convention, conventions
from minigrad.convert.difference.inspected_cell import InspectedCell, inspect_cell
from minigrad.convert.difference.no_effect import rows_without_effect
from minigrad.convert.difference.parametric_cell import largest
from minigrad.convert.difference.table import Difference, Row
from minigrad.convert.gates import to_numpy
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.foreign import naming
from minigrad.engine.protocol import Array
from minigrad.keras.storage.errors import ConversionError

BATCH, TIME = 4, 6  # of inputs drawn at random
State = tuple[Array, Array]  # h and c


def explain_difference(cell_a: Any, cell_b: Any, inputs: Any = None, state: Any = None) -> Difference:
    """Compare two cells: list the conventions in which they differ, and the effect of each on the output.

    Args:
        cell_a: a built LSTM, GRU or simple recurrent cell of any API generation, or a recurrent layer around one.
        cell_b: another of the same kind and sizes.
        inputs: (batch, features), or a sequence (batch, time, features); 4 rows of 6 steps drawn at random by default.
        state: the state before the first step. An LSTMStateTuple(c, h) is passed to each cell in the cell's order. A
            plain pair is passed to both unchanged: the first generation reads it as (c, h), Keras as [h, c]. By
            default random numbers, the same for both. A zero state would hide the forget gate of the first step.

    Returns:
        The rows; ``print`` them, or display them in a notebook.

    Raises:
        ConversionError: an argument is not a cell or has no weights yet, or the two cells are of different kinds.
        ShapeError: the cells are of different sizes, or `inputs` or `state` does not fit.

    >>> import minigrad as tf
    >>> one, two = tf.compat.v1.keras.layers.LSTMCell(2), tf.keras.layers.LSTMCell(2)
    >>> for cell in (one, two):
    ...     cell.build((None, 3))
    >>> two.set_weights(one.get_weights())
    >>> explain_difference(one, two).causes
    ['recurrent_activation']
    """
    a, b = inspect_cell("explain_difference: cell_a", cell_a), inspect_cell("explain_difference: cell_b", cell_b)
    _compare_sizes(a, b)
    x = _sequence(inputs, a)
    state_a, state_b = _states(state, a, b, x.shape[1])
    h_a, c_a = a.parametric.run(x, *state_a)
    h_b, c_b = b.parametric.run(x, *state_b)
    for cell, h, given in ((a, h_a, state_a), (b, h_b, state_b)):
        _check_parametric(cell, h, x, given)

    found, weights_same = conventions(a, b)
    if a.cell_first != b.cell_first:
        found.append(_state_order(a, b, has_effect=state_a is not state_b))

    def remaining(aligned: list[Convention]) -> float:
        cell = b.parametric
        for convention in aligned:
            cell = convention.align(cell)
        start = state_a if any(convention.of_state for convention in aligned) else state_b
        return largest(cell.run(x, *start)[0] - h_a)

    rows = [Row(k.name, *k.values, remaining([k]), remaining(found[: n + 1]), k.note) for n, k in enumerate(found)]
    return Difference(
        a=a.title,
        b=b.title,
        rows=tuple(rows + rows_without_effect(a, b)),
        max_h=largest(h_b - h_a),
        max_c=largest(c_b - c_a) if a.kind == "LSTM" else None,
        rest=remaining(found),
        weights_same=weights_same,
        tolerance=max(a.tolerance, b.tolerance),
        inputs=f"over {_count(x.shape[1], 'row')} of {_count(x.shape[0], 'step')}{_drawn(inputs, state)}",
    )


# --- the two cells ----------------------------------------------------------------------------------------------------


def _compare_sizes(a: InspectedCell, b: InspectedCell) -> None:
    if a.kind != b.kind:
        raise ConversionError(
            f"explain_difference: expected two cells of one kind, got {_article(a.kind)} ({a.title}) and "
            f"{_article(b.kind)} ({b.title}): they compute different things, and no convention makes them equal."
        )
    for size in ("features", "units", "outputs"):
        one, other = getattr(a.parametric, size), getattr(b.parametric, size)
        if one != other:
            raise ShapeError(
                f"explain_difference: expected two cells of the same sizes, got {one} and {other} {size} "
                f"({a.title} and {b.title})."
            )


def _article(kind: str) -> str:
    return f"a{'n' * (kind == 'LSTM')} {kind}"


def _check_parametric(cell: InspectedCell, h: Array, x: Array, given: State) -> None:
    """Check that the cell computes the equations of its options: a subclass may compute others."""
    if not np.isfinite(h).all():
        raise ConversionError(
            f"explain_difference: {cell.title} outputs NaN or infinite numbers, which cannot be compared. "
            "Check its weights and the inputs."
        )
    off = largest(h - cell.call(x, *given))
    if not off <= cell.tolerance * max(1.0, largest(h)):
        raise ConversionError(
            f"explain_difference: {cell.title} does not compute the equations of its options: its outputs differ by "
            f"{off:.3g}. {type(cell.cell).__name__} may override `call`; pass a cell of minigrad's classes."
        )


def _state_order(a: InspectedCell, b: InspectedCell, has_effect: bool) -> Convention:
    orders = ("(c, h)", "[h, c]") if a.cell_first else ("[h, c]", "(c, h)")
    return Convention(
        "state order", orders, note="" if has_effect else "no effect: both start from the same", of_state=True
    )


# --- inputs and states ------------------------------------------------------------------------------------------------


def _array(name: str, value: Any) -> Array:
    with naming(f"explain_difference: {name}"):
        array = to_numpy(value)
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"explain_difference: expected {name} of real numbers, got {array.dtype}.")
    return array.astype(np.float64)


def _sequence(inputs: Any, a: InspectedCell) -> Array:
    """The inputs of shape (time, batch, features)."""
    features = a.parametric.features
    if inputs is None:
        return np.random.default_rng(0).normal(size=(TIME, BATCH, features))
    x = _array("`inputs`", inputs)
    if x.ndim not in (2, 3) or x.shape[-1] != features or 0 in x.shape:
        raise ShapeError(
            f"explain_difference: expected `inputs` of shape (batch, {features}) or (batch, time, {features}), got "
            f"{x.shape}."
        )
    return x[None] if x.ndim == 2 else x.swapaxes(0, 1)


def _states(state: Any, a: InspectedCell, b: InspectedCell, batch: int) -> tuple[State, State]:
    """h and c as each cell reads the state; the same object twice if both read it in the same order."""
    shape_h, shape_c = (batch, a.parametric.outputs), (batch, a.parametric.units)
    if state is None:
        numbers = np.random.default_rng(1)
        start = numbers.normal(size=shape_h), numbers.normal(size=shape_c)
        return start, start
    if a.kind != "LSTM":
        h = _array("`state`", state[0] if isinstance(state, (list, tuple)) and len(state) == 1 else state)
        start = _checked((h, h), shape_h, shape_c)
        return start, start
    if hasattr(state, "c") and hasattr(state, "h"):
        start = _checked((_array("`state.h`", state.h), _array("`state.c`", state.c)), shape_h, shape_c)
        return start, start
    if not isinstance(state, (list, tuple)) or len(state) != 2:
        raise ShapeError(
            "explain_difference: expected `state` as LSTMStateTuple(c, h), or a pair that both cells get unchanged, "
            f"got {type(state).__name__}."
        )
    pair = _array("`state[0]`", state[0]), _array("`state[1]`", state[1])
    first = _checked(pair[::-1] if a.cell_first else pair, shape_h, shape_c)
    same_order = a.cell_first == b.cell_first or np.array_equal(*first)
    return first, (first if same_order else _checked(first[::-1], shape_h, shape_c))


def _checked(state: Any, shape_h: tuple[int, int], shape_c: tuple[int, int]) -> State:
    h, c = state
    if (h.shape, c.shape) != (shape_h, shape_c):
        raise ShapeError(
            f"explain_difference: expected a `state` of h {shape_h} and c {shape_c}, got {h.shape} and {c.shape}. "
            "Pass LSTMStateTuple(c=…, h=…), which names both."
        )
    return h, c


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def _drawn(inputs: Any, state: Any) -> str:
    drawn = [name for name, value in (("inputs", inputs), ("state", state)) if value is None]
    return f", {' and '.join(drawn)} drawn at random" if drawn else ""
