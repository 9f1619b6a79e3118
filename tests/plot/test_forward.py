"""Gates, states and saturation, checked in the axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from drawn import B, T, U, lines, png, spans
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.plot import alt_text, cell_state, compare_generations, gate_heatmap, gates, saturation, style
from tool_errors import ONE_TOKEN_EACH


def test_gates_are_the_means_of_the_units(seen: Any) -> None:
    ax = gates(seen, row=1)
    assert ax.get_ylabel() == "activation (mean of 4 units)"
    assert ax.get_title() == f"{seen.names[0]}, row 1 of 3"
    drawn = lines(ax)
    assert list(drawn) == ["input gate i", "forget gate f", "candidate g", "output gate o"]
    np.testing.assert_allclose(drawn["forget gate f"], seen.f[:, 1].mean(axis=1))
    assert not ax.collections  # bands of four gates would hide one another


def test_one_gate_has_its_band(seen: Any) -> None:
    ax = gates(seen, "f", row=1)
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    low, high = np.percentile(seen.f[:, 1], (10, 90), axis=1)
    assert heights.min() == pytest.approx(low.min())
    assert heights.max() == pytest.approx(high.max())
    assert not gates(seen, "f", units=2).collections


def test_masked_steps_are_hatched_and_left_out(seen: Any) -> None:
    ax = gates(seen, "f", units=2)
    assert spans(ax) == [(2.5, 4.5)]
    assert np.flatnonzero(np.isnan(ax.lines[0].get_ydata())).tolist() == [3, 4]
    assert "2 of them masked" in alt_text(ax)
    assert len(spans(gates(seen, row=2))) == 1
    assert not spans(gates(seen, row=1))


def test_every_nth_step_stands_where_it_was() -> None:
    lstm = mg.keras.layers.LSTM(2)
    with mg.trace(lstm, every=3) as some:
        lstm(mg.ones((1, 10, 2)))
    ax = gates(some, tokens=list("abcdefghij"))
    assert ax.lines[0].get_xdata().tolist() == [0, 3, 6, 9]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "d", "g", "j"]
    assert "over 10 time steps, one in 3 of them drawn, " in alt_text(ax)
    states = cell_state(some).lines[1]
    assert states.get_xdata().tolist() == [2, 5, 8, 9], "what was before steps 3, 6, 9, and at the end"
    np.testing.assert_array_equal(states.get_ydata(), some.c[1:, 0, 0])


def test_a_layer_that_goes_backwards_is_drawn_where_it_reads(make: Any) -> None:
    """A layer that reads backward: the hole in the mask stays at steps 3 and 4, and the axis names the direction."""
    seen = make(masked=True, go_backwards=True)
    ax = gates(seen, "f", units=2, tokens=list("abcdefgh"))
    assert ax.lines[0].get_xdata().tolist() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert ax.get_xlim() == (-0.5, 7.5)
    assert ax.get_xlabel() == "time step t (token read), read from right to left"
    assert {label.get_text(): tick for label, tick in zip(ax.get_xticklabels(), ax.get_xticks(), strict=True)}["h"] == 7
    assert spans(ax) == [(2.5, 4.5)]
    assert "read from the last to the first" in alt_text(ax)
    (image,) = gate_heatmap(seen, "f").images
    assert image.get_extent()[:2] == [7.5, -0.5], "the first column, what was read first, is at the right"
    size = np.abs(seen.c[1:, 0]).max(axis=1)
    assert f"is reached after step {7 - size.argmax()}." in alt_text(cell_state(seen))


def test_a_letter_of_several_characters(make: Any) -> None:
    assert list(lines(gates(make("SimpleRNN"), "h_new"))) == ["new state h"]


def test_alt_text_counts(make: Any, seen: Any) -> None:
    assert "row 0 of 3 over 8 time steps, 1 unit, " in alt_text(cell_state(make(), units=2, row=0)).replace("  ", " ")
    assert "for each of 4 units of" in alt_text(saturation(seen))
    assert "of row 1. On the mean" in alt_text(saturation(seen, row=1))
    assert alt_text(gates(make("SimpleRNN"))).startswith("Lines: activations of simple_rnn")
    assert "with the band that holds 80 % of them" in alt_text(gates(seen, "f"))
    with pytest.raises(ShapeError, match=f"gates: {ONE_TOKEN_EACH}1"):
        gates(seen, tokens=["a"])


def test_tokens(seen: Any) -> None:
    ax = gates(seen, tokens=list("ab cdefg"))
    assert "".join(label.get_text() for label in ax.get_xticklabels()) == "ab␣cdefg"
    assert ax.get_xlabel() == "time step t (token read)"


def test_heat_map(seen: Any) -> None:
    ax = gate_heatmap(seen, "f")
    (image,) = ax.images
    assert image.get_array().shape == (U, T)
    np.testing.assert_allclose(image.get_array()[:, 0], seen.f[0, 0])
    assert np.ma.getmaskarray(image.get_array())[:, 3:5].all()
    assert image.get_clim() == (0, 1)
    assert ax.figure.axes[-1].get_ylabel() == "forget gate f\n(0 forgets, 1 keeps)"
    assert gate_heatmap(seen, "g").images[0].get_clim() == (-1, 1)
    assert png(ax)


def test_heat_map_in_words() -> None:
    said = alt_text(gate_heatmap([[0.95, 0.05], [0.99, 0.5]]))
    assert said.startswith("Heat map: forget gate f over 2 time steps, 2 units, from 0.05 to 0.99")
    assert "50% of it is above 0.9, 25% below 0.1." in said


def test_states_of_few_units(seen: Any) -> None:
    ax = cell_state(seen, row=0, units=[0, 3])
    drawn = lines(ax)
    np.testing.assert_allclose(drawn["unit 3"], seen.c[1:, 0, 3])
    assert ax.get_ylabel() == "cell state c"
    assert spans(ax) == [(2.5, 4.5)]
    assert ax.get_xlabel() == "after time step t"


def test_states_of_many_units() -> None:
    c = np.random.default_rng(0).standard_normal((6, 2, 40))
    ax = cell_state(c, row=1)
    np.testing.assert_allclose(lines(ax)["mean of 40 units"], c[1:, 1].mean(axis=1))
    assert len(ax.lines) == 1 + 40 + 1  # the line at 0
    at = np.abs(c[1:, 1]).max(axis=1).argmax()
    assert f"is reached after step {at}." in alt_text(ax)


def test_saturation_counts_the_steps_that_are_not_masked(seen: Any) -> None:
    values = np.array([[0.05, 0.95], [0.5, 0.95], [0.02, 0.95], [0.03, 0.2]])
    ax = saturation(values)
    assert ax.collections[0].get_offsets().tolist() == [[0.75, 0.0], [0.0, 0.75]]
    assert "forget gate f: 38% below, 38% above" in alt_text(ax)
    labels = [c.get_label() for c in saturation(seen, low=0.4, high=0.6).collections]
    assert labels == ["input gate i", "forget gate f", "output gate o"]
    awake = np.concatenate([seen.f[:3, 0], seen.f[5:, 0], seen.f[:, 1]])
    drawn = saturation(seen, "f", high=0.7).collections[0].get_offsets()
    np.testing.assert_allclose(drawn[:, 1], (awake > 0.7).mean(axis=0))


def test_saturation_of_what_has_none(seen: Any, make: Any) -> None:
    with pytest.raises(MinigradError, match=r"expected `letters` of gates between 0 and 1, got none of simple_rnn"):
        saturation(make("SimpleRNN"))
    with pytest.raises(MinigradError, match="expected `row` with unmasked steps, got row 2"):
        saturation(seen, row=2)


def test_generations_and_their_difference() -> None:
    x = mg.random.normal((B, T, 3))
    third, second = mg.keras.layers.LSTM(U), mg.compat.v1.keras.layers.LSTM(U)
    third(x), second(x)
    second.set_weights(third.get_weights())
    traces = {}
    for name, layer in (("third", third), ("second", second)):
        with mg.trace(layer) as traces[name]:
            layer(x)
    ax = compare_generations(traces, row=1, units=[0, 2])
    below = ax.figure.axes[-1]
    picked = {name: t.c[1:, 1, [0, 2]] for name, t in traces.items()}
    np.testing.assert_allclose(lines(ax)["second"], picked["second"].mean(axis=1))
    gap = np.abs(picked["third"] - picked["second"]).max(axis=1)
    np.testing.assert_allclose(below.lines[0].get_ydata(), gap)
    assert f"second differs by {gap.max():.2g} at most, at step {gap.argmax()}" in alt_text(ax)
    assert below.get_ylabel() == "|difference|\nfrom third"
    assert png(ax)


def test_generations_must_be_of_one_length(seen: Any, make: Any) -> None:
    with pytest.raises(MinigradError, match="`traces`, two or more of equal"):
        compare_generations({"alone": seen})
    with pytest.raises(MinigradError, match=r"one \(8, 1\), other \(2, 1\)"):
        compare_generations({"one": seen, "other": {"c": [1, 2]}}, letter="c")
    with pytest.raises(MinigradError, match="expected `ax` from fig"):
        compare_generations({"a": seen, "b": seen}, ax=style.figure().add_axes((0, 0, 1, 1)))
