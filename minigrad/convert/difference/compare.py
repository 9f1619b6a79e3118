"""Why two cells with the same name, or of two API generations, do not give the same numbers.

Both cells are read into one formula (`minigrad.convert.difference.formulas`) with the conventions as parameters. Then
the second's conventions are made the first's: each alone, and one after the other. What becomes of max |Δh| says what
each of them does, and at the end nothing is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.convert.difference.cells import Reading, read
from minigrad.convert.difference.conventions import Convention, conventions, silent
from minigrad.convert.difference.formulas import largest
from minigrad.convert.difference.table import Difference, Row
from minigrad.convert.errors import ConversionError
from minigrad.convert.gates import on_the_host
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.engine.protocol import Array

BATCH, TIME = 4, 6  # of inputs drawn at random
State = tuple[Array, Array]  # h and c


def explain_difference(cell_a: Any, cell_b: Any, inputs: Any = None, state: Any = None) -> Difference:
    """Says in what two cells differ, by how much their outputs do, and which convention causes it.

    Args:
        cell_a: a built LSTM, GRU or simple recurrent cell of any API generation, or a layer, which stands for its cell.
        cell_b: another of the same kind and sizes.
        inputs: (batch, features), or a sequence (batch, time, features); 4 rows of 6 steps drawn at random by default.
        state: the state before the first step. An LSTMStateTuple(c, h) is handed to each cell in its own order. A plain
            pair is handed to both as it is, the first generation reading it as (c, h) and Keras as [h, c]. By default
            random numbers, the same to both: from zeros, the forget gate has nothing to forget at the first step.

    Returns:
        The rows; ``print`` it, or let a notebook show it.

    Raises:
        ConversionError: something is not a cell, has no weights yet, or the two are of different kinds.
        ShapeError: they are of different sizes, or inputs or state do not fit.

    >>> import minigrad as tf
    >>> one, two = tf.compat.v1.keras.layers.LSTMCell(2), tf.keras.layers.LSTMCell(2)
    >>> for cell in (one, two):
    ...     cell.build((None, 3))
    >>> two.set_weights(one.get_weights())
    >>> explain_difference(one, two).causes
    ['recurrent_activation']
    """
    a, b = read("explain_difference: cell_a", cell_a), read("explain_difference: cell_b", cell_b)
    _compare_sizes(a, b)
    x = _sequence(inputs, a)
    state_a, state_b = _states(state, a, b, x.shape[1])
    h_a, c_a = a.formula.run(x, *state_a)
    h_b, c_b = b.formula.run(x, *state_b)
    for reading, h, given in ((a, h_a, state_a), (b, h_b, state_b)):
        _check_formula(reading, h, x, given)

    found, weights_same = conventions(a, b)
    if a.cell_first != b.cell_first:
        found.append(_state_order(a, b, moved=state_a is not state_b))

    def left(aligned: list[Convention]) -> float:
        formula = b.formula
        for convention in aligned:
            formula = convention.align(formula)
        start = state_a if any(convention.of_state for convention in aligned) else state_b
        return largest(formula.run(x, *start)[0] - h_a)

    rows = [Row(k.name, *k.said, left([k]), left(found[: n + 1]), k.note) for n, k in enumerate(found)]
    return Difference(
        a=a.title,
        b=b.title,
        rows=tuple(rows + silent(a, b)),
        max_h=largest(h_b - h_a),
        max_c=largest(c_b - c_a) if a.kind == "LSTM" else None,
        rest=left(found),
        weights_same=weights_same,
        tolerance=max(a.tolerance, b.tolerance),
        inputs=f"over {_count(x.shape[1], 'row')} of {_count(x.shape[0], 'step')}{_drawn(inputs, state)}",
    )


# --- the two cells ----------------------------------------------------------------------------------------------------


def _compare_sizes(a: Reading, b: Reading) -> None:
    if a.kind != b.kind:
        raise ConversionError(
            f"explain_difference: expected two cells of one kind, got {_article(a.kind)} ({a.title}) and "
            f"{_article(b.kind)} ({b.title}): they compute different things, and no convention makes them equal."
        )
    for size in ("features", "units", "outputs"):
        one, other = getattr(a.formula, size), getattr(b.formula, size)
        if one != other:
            raise ShapeError(
                f"explain_difference: expected two cells of the same sizes, got {one} and {other} {size} "
                f"({a.title} and {b.title})."
            )


def _article(kind: str) -> str:
    return f"a{'n' * (kind == 'LSTM')} {kind}"


def _check_formula(reading: Reading, h: Array, x: Array, given: State) -> None:
    """A class of one's own may compute something else than its base class: then nothing here would be true."""
    if not np.isfinite(h).all():
        raise ConversionError(
            f"explain_difference: {reading.title} puts out NaN or infinite numbers, and there is no telling those "
            "apart. Look at its weights and at the inputs."
        )
    off = largest(h - reading.call(x, *given))
    if not off <= reading.tolerance * max(1.0, largest(h)):
        raise ConversionError(
            f"explain_difference: {reading.title} does not compute what its options say (off by {off:.3g}). "
            f"{type(reading.cell).__name__} may have a call of its own; hand over a cell of minigrad's classes."
        )


def _state_order(a: Reading, b: Reading, moved: bool) -> Convention:
    orders = ("(c, h)", "[h, c]") if a.cell_first else ("[h, c]", "(c, h)")
    return Convention("state order", orders, note="" if moved else "no harm: both start from the same", of_state=True)


# --- inputs and states ------------------------------------------------------------------------------------------------


def _array(what: str, value: Any) -> Array:
    array = on_the_host(value)
    if array.dtype.kind not in "fiub":
        raise DTypeError(f"explain_difference: expected {what} of real numbers, got {array.dtype}.")
    return array.astype(np.float64)


def _sequence(inputs: Any, a: Reading) -> Array:
    """(time, batch, features)."""
    features = a.formula.features
    if inputs is None:
        return np.random.default_rng(0).normal(size=(TIME, BATCH, features))
    x = _array("`inputs`", inputs)
    if x.ndim not in (2, 3) or x.shape[-1] != features or 0 in x.shape:
        raise ShapeError(
            f"explain_difference: expected `inputs` of shape (batch, {features}) or (batch, time, {features}), got "
            f"{x.shape}."
        )
    return x[None] if x.ndim == 2 else x.swapaxes(0, 1)


def _states(state: Any, a: Reading, b: Reading, batch: int) -> tuple[State, State]:
    """h and c as each cell reads the state; one and the same object where both read it alike."""
    shape_h, shape_c = (batch, a.formula.outputs), (batch, a.formula.units)
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
            "explain_difference: expected `state` as LSTMStateTuple(c, h), or a pair to hand to both cells as it is, "
            f"got {type(state).__name__}."
        )
    pair = _array("`state[0]`", state[0]), _array("`state[1]`", state[1])
    first = _checked(pair[::-1] if a.cell_first else pair, shape_h, shape_c)
    alike = a.cell_first == b.cell_first or np.array_equal(*first)
    return first, (first if alike else _checked(first[::-1], shape_h, shape_c))


def _checked(state: Any, shape_h: tuple[int, int], shape_c: tuple[int, int]) -> State:
    h, c = state
    if (h.shape, c.shape) != (shape_h, shape_c):
        raise ShapeError(
            f"explain_difference: expected a `state` of h {shape_h} and c {shape_c}, got {h.shape} and {c.shape}. "
            "LSTMStateTuple(c=…, h=…) says which is which."
        )
    return h, c


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'s' * (n != 1)}"


def _drawn(inputs: Any, state: Any) -> str:
    drawn = [name for name, value in (("inputs", inputs), ("state", state)) if value is None]
    return f", {' and '.join(drawn)} drawn at random" if drawn else ""
