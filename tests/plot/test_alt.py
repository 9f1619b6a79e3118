"""Alt texts of pictures."""

from __future__ import annotations

import pytest

from minigrad import plot
from minigrad.engine.errors import MinigradError
from minigrad.plot import alt_text, gates, learning_curve, style
from minigrad.plot.alt import add_alt_text, join_words, range_text, step_of_largest
from tool_errors import PICTURE


def test_of_axes_and_of_a_figure():
    figure = style.figure()
    left, right = figure.subplots(1, 2)
    gates({"f": [0.25, 0.75]}, ax=left)
    learning_curve([1, 2], [2.0, 1.0], ax=right)
    assert alt_text(left) == "Lines: gates over 2 time steps, unit 0. forget gate f from 0.25 to 0.75, mean 0.5."
    assert alt_text(figure) == f"{alt_text(left)} {alt_text(right)}"


FROM_A_TRACE = ("gates", "gate_heatmap", "cell_state", "saturation", "gradient_flow", "gradient_ledger", "saliency")


@pytest.mark.parametrize("name", [*FROM_A_TRACE, "jacobian_norms", "cell_diagram", "compare_generations"])
def test_every_function_draws_into_axes_returns_them_and_has_words(seen, name):
    """Pictures of a tracer, and of a trace if it holds all that is drawn."""
    sources = [seen, seen[seen.names[0]]] if name != "jacobian_norms" else [seen]
    for source in sources:
        ax = style.axes(None)
        given = {"one": source, "other": source} if name == "compare_generations" else source
        assert getattr(plot, name)(given, ax=ax) is ax
        assert len(alt_text(ax).split()) > 8
        if name != "cell_diagram":
            assert all(one.get_ylabel() for one in ax.figure.axes)
            assert ax.figure.axes[-1].get_xlabel() or ax.get_xlabel()


def test_what_is_drawn_twice_is_said_twice():
    ax = style.axes(None)
    add_alt_text(add_alt_text(ax, "One."), "Two.", "Three.")
    assert alt_text(ax) == "One. Two. Three."


@pytest.mark.parametrize("picture", [None, 3])
def test_what_is_not_ours(picture):
    with pytest.raises(MinigradError, match=rf"alt_text: expected {PICTURE}"):
        alt_text(style.axes(None) if picture is None else style.figure())


def test_numbers_in_words():
    assert range_text([2, 2]) == "2 throughout"
    assert range_text([float("nan")]) == "nothing"
    assert join_words(["a"]) == "a"
    assert step_of_largest([1, float("nan"), 3, 2], [0, 10, 20, 30]) == 20
