"""All pictures of a run in one page."""

from __future__ import annotations

import re
from typing import Any

import pytest

import minigrad as mg
from drawn import T
from html_pages import Reader
from minigrad.engine.errors import GradientError
from minigrad.plot import report

PICTURES = {"lstm": 10, "gru": 9, "simple_rnn": 7}  # a simple net has no gate to map, and none that saturates


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_every_picture_and_every_number(make: Any, kind: str) -> None:
    seen = make(kind)
    page = report(seen, "what happened", list("abcd efg"), row=1)
    reader = Reader(page.html())
    pictures = reader.all("svg")
    assert len(pictures) == PICTURES[seen[seen.names[0]].kind]
    assert all(picture["aria-label"] for picture in pictures)
    assert len(reader.all("tr")) == 1 + T
    assert reader.foreign() == []
    ids = re.findall(r'\bid="([^"]+)"', page.html())
    assert len(ids) == len(set(ids))
    first = seen.gates[next(iter(seen.gates))][0, 1].mean()
    assert f"{first:.4g}" in reader.words


def test_a_section_for_each_layer_and_no_jacobians_where_they_take_long(monkeypatch: Any) -> None:
    monkeypatch.setattr("minigrad.plot.reports.MAX_QUICK_COST", 4 * 3**3 - 1)
    model = mg.keras.Sequential([mg.keras.layers.LSTM(3, return_sequences=True), mg.keras.layers.GRU(2)])
    with mg.trace(model) as seen:
        model(mg.ones((1, 4, 2))).sum().backward()
    page = report(seen, "two layers")
    assert page.html().count("<h2>") == 2
    assert "3 units over 4 steps take too long" in page.html()
    assert "2 units over 4 steps take too long" not in page.html()


def test_some_steps_of_both_directions() -> None:
    """A trace of every n-th step: pictures of all steps are left out, and a backward layer's rows are its steps."""
    model, tokens = mg.keras.layers.Bidirectional(mg.keras.layers.LSTM(2)), list("abcde")
    with mg.trace(model, every=2) as seen:
        x = mg.tensor([[[1.0], [2.0], [3.0], [4.0], [5.0]]], requires_grad=True)
        model(x).sum().backward()
    page = report(seen, "some steps", tokens).html()
    assert page.count("numbers of each step") == 2
    assert "The last step of unit 0" not in page
    rows = re.findall(r"<tr><td>(\d)</td><td>(\w)</td>", page)
    assert rows == [("0", "a"), ("2", "c"), ("4", "e"), ("4", "e"), ("2", "c"), ("0", "a")]
    assert "‖c‖ before" in page


def test_before_the_way_back(make: Any) -> None:
    with pytest.raises(GradientError, match=r"Call loss\.backward\(\)"):
        report(make(back=False), "too early")
