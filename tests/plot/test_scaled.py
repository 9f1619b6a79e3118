"""Text in units of the axes."""

from __future__ import annotations

import pytest

from drawn import png
from minigrad.plot import style
from minigrad.plot.scaled import write


@pytest.mark.parametrize("size", [(2.0, 2.0), (8.0, 8.0)])
def test_a_text_is_as_high_as_said(size: tuple[float, float]) -> None:
    ax = style.figure(size).add_subplot()
    ax.set(xlim=(0, 10), ylim=(0, 10), aspect="equal")
    text = write(ax, 5, 5, "H", 1.0, ha="center")
    assert png(ax)
    unit = ax.transData.transform((0, 1))[1] - ax.transData.transform((0, 0))[1]
    assert text.get_fontsize() / 72 * ax.figure.dpi == pytest.approx(unit)
    assert text in ax.texts
    assert not text.get_in_layout()
