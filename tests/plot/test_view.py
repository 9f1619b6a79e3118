"""What can be drawn: traces, tracers, plain arrays; which row and units."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import IndexRangeError, MinigradError, ShapeError, UnknownNameError
from minigrad.plot import cell_state, gates
from minigrad.plot.view import View, by_name, letter_of, trace_of


def test_tracers_traces_and_arrays_show_the_same(seen):
    trace = seen[seen.names[0]]
    for source in (seen, trace, trace.gates):
        np.testing.assert_array_equal(trace_of(source, "gates").f, seen.f)


@pytest.mark.parametrize("shape", [(5,), (5, 2), (5, 3, 2)])
def test_arrays_that_lack_a_batch_or_units(shape):
    trace = trace_of(np.zeros(shape), "gates")
    assert trace.f.shape == (5, shape[1] if len(shape) == 3 else 1, shape[-1] if len(shape) > 1 else 1)


def test_states_have_one_entry_more():
    assert len(trace_of(np.zeros((6, 2)), "cell_state", "states", "c").outputs) == 5


def test_row_and_units(seen):
    view = View(seen[seen.names[0]], "here", 1, [0, 2])
    np.testing.assert_array_equal(view.of(seen.f), seen.f[:, 1, [0, 2]])
    view = View(seen[seen.names[0]], "here", 0)
    assert np.isnan(view.awake(seen.f)[3:5]).all()
    assert np.isfinite(np.delete(view.awake(seen.f), [3, 4], 0)).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"row": 3}, "gates: expected `row` from 0 to 2, got 3."),
        ({"row": -1}, "gates: expected `row` from 0 to 2, got -1."),
        ({"units": 4}, "gates: expected `units` from 0 to 3, got 4."),
        ({"units": [0, 9]}, "gates: expected `units` from 0 to 3, got 9."),
        ({"units": []}, "gates: expected `units` from 0 to 3, got none."),
        ({"units": [1.5]}, "gates: expected `units` from 0 to 3, got 1.5."),
    ],
)
def test_out_of_range(seen, options, says):
    with pytest.raises(IndexRangeError) as error:
        gates(seen, **options)
    assert str(error.value) == says


def test_other_mistakes(seen):
    model = mg.keras.Sequential([mg.keras.layers.LSTM(2, return_sequences=True), mg.keras.layers.GRU(2)])
    with mg.trace(model) as two:
        model(mg.ones((1, 3, 2)))
    with pytest.raises(MinigradError, match=r"gates: of which layer\? There are lstm\w*, gru\w*: give it tracer\["):
        gates(two)
    with pytest.raises(ShapeError, match=r"expected an array \(T, batch, units\), \(T, units\) or \(T,\), got"):
        gates({"f": 3.0})
    with pytest.raises(ShapeError, match=r"arrays of one shape, got f \(2, 1, 1\), i \(3, 1, 1\)"):
        gates({"f": [1, 2], "i": [1, 2, 3]})
    assert [line.get_label() for line in gates(seen, ["o", "f"]).lines] == ["output gate o", "forget gate f"]
    with pytest.raises(UnknownNameError, match="'q'"):
        gates(seen, "q")
    with pytest.raises(UnknownNameError, match="cell_state: letter"):
        cell_state(seen, "f")
    with pytest.raises(MinigradError, match="at least one"):
        by_name({}, "here")


def test_the_first_generations_letters():
    assert letter_of("here", "h", {"m": 0, "c": 0}) == "m"
    assert letter_of("here", "g", {"j": 0}) == "j"
    assert letter_of("here", "h", {"h": 0}) == "h"
