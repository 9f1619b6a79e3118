"""Cells drawn as circuits, with the numbers of a step."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("matplotlib", reason="needs matplotlib: pip install -e '.[test]'")

import numpy as np
from matplotlib.transforms import Bbox

import minigrad as mg
from drawn import png
from minigrad.compat.v1 import nn, reset_default_graph
from minigrad.engine.errors import IndexRangeError, MinigradError, UnknownNameError
from minigrad.plot import alt_text, cell_diagram, style
from minigrad.plot.circuits import CIRCUIT_OF_KIND, CIRCUITS
from minigrad.tracing.trace import Trace


def texts(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def first_generation(**options: Any) -> Any:
    reset_default_graph()
    cell = nn.rnn_cell.LSTMCell(3, dtype="float64", **options)
    x = mg.tensor(np.random.default_rng(0).standard_normal((2, 4, 2)), requires_grad=True)
    with mg.trace(cell) as seen:
        nn.dynamic_rnn(cell, x, dtype="float64")[0].sum().backward()
    reset_default_graph()
    return seen


def shown(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


@pytest.mark.parametrize("name", CIRCUITS)
def test_every_picture_without_numbers(name: str) -> None:
    ax = cell_diagram(name)
    assert ax.get_title() == CIRCUITS[name].title
    written = texts(ax)
    assert set(CIRCUITS[name].ends) <= set(written)
    assert not any("=" in text and any(c.isdigit() for c in text.split("=")[-1]) for text in written[:-1])
    assert alt_text(ax).endswith(".")
    assert png(ax)


def test_the_numbers_of_a_step(make: Any) -> None:
    seen = make()
    ax = cell_diagram(seen, step=3, row=1, unit=2)
    written = texts(ax)
    at = (3, 1, 2)
    for letter in "ifgo":
        assert f"{letter} = {shown(getattr(seen, letter)[at])}" in written
        assert f"∂: {shown(seen.dgates[letter][at])}" in written
    assert f"c = {shown(seen.c[at])}" in written
    assert f"c_new = {shown(seen.c[4, 1, 2])}" in written
    assert f"∂: {shown(seen.dc[4, 1, 2])}" in written
    sums = next(text for text in written if text.startswith("c_new = f·c"))
    f, c, i, g = (getattr(seen, k)[at] for k in "fcig")
    assert sums.splitlines()[0].endswith(f"= {shown(f * c + i * g)}")
    assert "h_new = o·a = " in sums


@pytest.mark.parametrize("kind", ["GRU", "SimpleRNN"])
def test_other_cells(make: Any, kind: str) -> None:
    seen = make(kind)
    written = texts(cell_diagram(seen, 2))
    assert f"h_new = {shown(seen.h[3, 0, 0])}" in written
    assert f"∂: {shown(seen.dh[3, 0, 0])}" in written


def test_the_first_generation() -> None:
    seen = first_generation(use_peepholes=True)
    ax = cell_diagram(seen, 1)
    assert any(text.startswith("c_new = f·c + i·j = ") for text in texts(ax))
    assert "P" not in texts(ax)
    assert [line.get_linestyle() for line in ax.lines].count("--") == 3
    assert "--" not in [line.get_linestyle() for line in cell_diagram(seen, 1, peepholes=False).lines]
    projected = texts(cell_diagram(first_generation(num_proj=2), 1))
    assert "P" in projected
    assert any("m_new = (o ∘ a) P" in text for text in projected)


def test_a_clipped_state_is_no_equation() -> None:
    clipped = first_generation(cell_clip=0.01)
    assert any(", clipped to " in text for text in texts(cell_diagram(clipped, 2)))


def test_the_second_generation_has_another_sigma(make: Any) -> None:
    assert "hard σ" in texts(cell_diagram(make(), generation="second"))


def test_a_masked_step_is_labelled(seen: Any) -> None:
    ax = cell_diagram(seen, 3)
    assert "masked: the state is held" in ax.get_title()
    assert not any("f·c" in text for text in texts(ax))


@pytest.mark.parametrize("size", [(3.5, 2), (16, 7)])
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_no_text_lies_on_another_whatever_the_size(make: Any, kind: str, size: tuple[float, float]) -> None:
    ax = cell_diagram(make(kind), 3, ax=style.figure(size).add_subplot())
    png(ax)
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert len(boxes) > 4
    for n, box in enumerate(boxes):
        assert not [other for other in boxes[:n] if overlap(box, other) > 0.2], ax.texts[n].get_text()
        assert box.x0 > 0
        assert box.x1 < ax.figure.bbox.width


def overlap(a: Any, b: Any) -> float:
    """The overlap of two boxes as a share of the smaller one."""
    both = Bbox.intersection(a, b)
    return 0.0 if both is None else both.width * both.height / min(a.width * a.height, b.width * b.height)


def test_numbers_by_letter() -> None:
    numbers = {"i": [0.5], "f": [0.5], "g": [0.2], "o": [0.4], "c": [2.0], "c_new": [1.1]}
    ax = cell_diagram(numbers, generation="third")
    assert ax.get_title() == "LSTM, third generation: unit 0, row 0, time step 0"
    assert "c_new = f·c + i·g = 0.5·2 + 0.5·0.2 = 1.1" in alt_text(ax)


def test_zero_has_no_sign(make: Any) -> None:
    ax = cell_diagram(make(), 0)
    assert not [text for text in texts(ax) if text.endswith("−0")]
    assert "-0" not in alt_text(ax).replace("-0.", "")
    assert "f 0" in alt_text(ax)
    assert "(gradient of the pre-activation " in alt_text(ax)


def test_mistakes(make: Any) -> None:
    seen = make()
    with pytest.raises(IndexRangeError, match="cell_diagram: expected `step` from 0 to 7, got 8"):
        cell_diagram(seen, 8)
    with pytest.raises(IndexRangeError, match="`units` from 0 to 3, got 4"):
        cell_diagram(seen, 0, unit=4)
    with pytest.raises(UnknownNameError, match="Did you mean 'third'"):
        cell_diagram("thrid")
    lstm = mg.keras.layers.LSTM(2)
    with mg.trace(lstm, every=2) as some:
        lstm(mg.ones((1, 4, 2)))
    with pytest.raises(MinigradError, match="Trace with every=1"):
        cell_diagram(some)


def test_every_kind_of_trace_has_a_picture() -> None:
    assert set(CIRCUIT_OF_KIND.values()) <= set(CIRCUITS)
    assert all(f'``"{kind}"``' in (Trace.__doc__ or "") for kind in CIRCUIT_OF_KIND)
