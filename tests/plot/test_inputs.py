"""Saliency and the band of truncated BPTT."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from drawn import T, png, spans
from minigrad.engine.errors import GradientError, MinigradError, ShapeError
from minigrad.plot import alt_text, input_gradients, saliency, tbptt_band
from tool_errors import AFTER_BACKWARD, ONE_TOKEN_EACH


def test_bars(seen: Any) -> None:
    ax = saliency(seen, row=0)
    np.testing.assert_allclose([bar.get_height() for bar in ax.containers[0]], seen.saliency()[:, 0])
    assert spans(ax) == [(2.5, 4.5)]
    most = seen.saliency()[:, 0].argmax()
    assert f"Most depends on the inputs at steps {most}, " in alt_text(ax)


def test_text_is_wrapped_and_coloured() -> None:
    values = np.arange(1.0, 51.0)
    ax = saliency(values, tokens=list("abcde" * 9 + "\n $\tx"))
    cells = ax.images[0].get_array()
    assert cells.shape == (2, 40)
    assert cells[1, 9] == 50
    assert np.ma.getmaskarray(cells)[1, 10:].all()
    written = {text.get_position(): text.get_text() for text in ax.texts}
    assert [written[k, 1] for k in range(5, 10)] == ["↵", "␣", r"\$", "⇥", "x"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "40"]
    assert "steps 49 ('x'), 48 ('\\t'), 47 ('$')" in alt_text(ax)
    assert png(ax)


def test_saliency_before_the_way_back(seen: Any, make: Any) -> None:
    with pytest.raises(GradientError, match=f"`dx`{AFTER_BACKWARD}. Call loss.backward()"):
        saliency(make(back=False))
    with pytest.raises(ShapeError, match=f"saliency: {ONE_TOKEN_EACH}2"):
        saliency(seen, tokens=["a", "b"])


def test_a_text_read_backwards_stands_as_it_was_written(make: Any) -> None:
    seen, tokens = make(go_backwards=True), list("abcdefgh")
    cells = saliency(seen, tokens, row=1).images[0].get_array()[0, :T]
    np.testing.assert_allclose(cells, seen.saliency()[::-1, 1])
    assert [text.get_text() for text in saliency(seen, tokens).texts] == tokens
    most = T - 1 - int(seen.saliency()[:, 1].argmax())
    assert f"at steps {most} ({tokens[most]!r})" in alt_text(saliency(seen, tokens, row=1))


@pytest.mark.parametrize(("tbptt", "reach"), [(None, T), ((1, 3), 3)])
def test_the_band_of_a_truncated_layer(tbptt: Any, reach: int) -> None:
    layer = mg.keras.layers.SimpleRNN(4, return_sequences=True, tbptt=tbptt)
    band = input_gradients(layer, mg.random.normal((2, T, 3)).numpy())
    t, u = np.indices((T, T))
    np.testing.assert_array_equal(band > 0, (u <= t) & (t - u < reach))
    ax = tbptt_band(band, window=reach)
    assert f"reaches back {reach} steps at most" in alt_text(ax)
    (border,) = ax.lines
    assert border.get_xydata()[:2].tolist() == [[0.5 - reach, -0.5], [0.5 - reach, 0.5]]
    assert np.ma.getmaskarray(ax.images[0].get_array()).tolist() == (band == 0).tolist()
    assert ax.images[0].norm.vmax == pytest.approx(band.max())
    assert png(ax)


def test_bands_that_are_none() -> None:
    with pytest.raises(ShapeError, match=r"expected `band`, a matrix \(T, T\), got shape \(2, 3\)"):
        tbptt_band(np.ones((2, 3)))
    with pytest.raises(MinigradError, match="expected `band` with gradients above 0, got 0 everywhere"):
        tbptt_band(np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="return_sequences=True"):
        input_gradients(mg.keras.layers.LSTM(2), np.ones((1, 3, 2)))
