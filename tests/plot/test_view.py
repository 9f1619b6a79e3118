"""Sources of pictures: traces, tracers, plain arrays; their rows and units."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import plot
from minigrad.engine.errors import DTypeError, IndexRangeError, MinigradError, ShapeError, UnknownNameError
from minigrad.plot import cell_state, gates
from minigrad.plot.view import View, by_name, letter_of, trace_of
from tool_errors import DRAWN_AXES, NO_TRACES, PICTURE, UNITS_FROM_0


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
    assert np.isnan(view.unmasked(seen.f)[3:5]).all()
    assert np.isfinite(np.delete(view.unmasked(seen.f), [3, 4], 0)).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"row": 3}, "gates: expected `row` from 0 to 2, got 3."),
        ({"row": -1}, "gates: expected `row` from 0 to 2, got -1."),
        ({"units": 4}, f"gates: {UNITS_FROM_0}3, got 4."),
        ({"units": [0, 9]}, f"gates: {UNITS_FROM_0}3, got 9."),
        ({"units": []}, f"gates: {UNITS_FROM_0}3, got none."),
        ({"units": [1.5]}, f"gates: {UNITS_FROM_0}3, got 1.5."),
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
    with pytest.raises(
        MinigradError, match=r"gates: `source`: expected one layer, got a tracer of lstm\w*, gru\w*\. Pass tracer\["
    ):
        gates(two)
    with pytest.raises(ShapeError, match=r"expected an array \(T, batch, units\), \(T, units\) or \(T,\), got"):
        gates({"f": 3.0})
    with pytest.raises(ShapeError, match=r"arrays of one shape, got f \(2, 1, 1\), i \(3, 1, 1\)"):
        gates({"f": [1, 2], "i": [1, 2, 3]})
    assert [line.get_label() for line in gates(seen, ["o", "f"]).lines] == ["output gate o", "forget gate f"]
    with pytest.raises(UnknownNameError, match="'q'"):
        gates(seen, "q")
    with pytest.raises(UnknownNameError, match="cell_state: `letter`"):
        cell_state(seen, "f")
    with pytest.raises(MinigradError, match="at least one"):
        by_name({}, "here")


def test_the_first_generations_letters():
    assert letter_of("here", "h", {"m": 0, "c": 0}) == "m"
    assert letter_of("here", "g", {"j": 0}) == "j"
    assert letter_of("here", "h", {"h": 0}) == "h"


TRACED = [plot.gates, plot.gate_heatmap, plot.cell_state, plot.gradient_flow, plot.gradient_ledger, plot.cell_diagram]
TRACED += [plot.jacobian_norms, plot.saturation, plot.saliency, plot.tbptt_band]


@pytest.mark.parametrize("draw", TRACED, ids=lambda draw: draw.__name__)
def test_the_layer_in_place_of_its_trace(draw):
    with pytest.raises(
        DTypeError, match=rf"{draw.__name__}: `\w+`: expected a trace, or an array of numbers, got <LSTM .*trace"
    ):
        draw(mg.keras.layers.LSTM(2))


@pytest.mark.parametrize("draw", [plot.jacobian_norms, plot.saliency])
@pytest.mark.parametrize("norms", [3.0, []])
def test_norms_of_no_steps(draw, norms):
    with pytest.raises(ShapeError, match=rf"{draw.__name__}: expected `\w+`, norms \(T"):
        draw(norms)


@pytest.mark.parametrize(
    ("draw", "given", "says"),
    [
        (
            plot.compare_generations,
            [1.0],
            "compare_generations: expected `traces` by name, {'first': seen_1, …}, got [1.0].",
        ),
        (plot.animate, [1.0], "animate: expected `traces` by name, {'first': seen_1, …}, got [1.0]."),
        (plot.animate, {}, f"animate: expected {NO_TRACES}."),
        (plot.graph, 2.0, "graph: expected `output`, a tensor, such as a loss, got 2.0."),
        (plot.alt_text, [], f"alt_text: expected {PICTURE}, got []."),
        (
            plot.svg,
            "gates",
            f"svg: expected `ax`, {DRAWN_AXES}, got 'gates'.",
        ),
        (
            lambda given: plot.report(given, "a run"),
            None,
            "report: expected `seen` of `with mg.trace(model) as seen:`, got None.",
        ),
        (
            lambda given: plot.learning_curve([1, 2], given),
            [0.5],
            "learning_curve: expected as many `losses` as `steps`, (steps,), got shapes (2,) and (1,).",
        ),
    ],
)
def test_what_cannot_be_drawn(draw, given, says):
    with pytest.raises(MinigradError) as error:
        draw(given)
    assert str(error.value) == says


@pytest.mark.parametrize("draw", [plot.gate_heatmap, plot.gradient_ledger])
def test_a_run_that_became_nan_is_drawn_and_said(draw):
    assert "nothing" in plot.alt_text(draw(np.full((4, 2), np.nan)))
