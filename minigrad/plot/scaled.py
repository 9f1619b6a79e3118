"""Text that scales with its axes, so that a drawing looks the same in any size."""

from __future__ import annotations

from functools import cache
from typing import Any


def write(ax: Any, x: float, y: float, text: str, height: float, **options: Any) -> Any:
    """Write a text whose size is in the units of the axes.

    Args:
        ax: matplotlib axes with an equal aspect.
        x: the horizontal place.
        y: the vertical place.
        text: the text.
        height: the height of the font, in units of the axes.
        **options: options of matplotlib's Text.

    Returns:
        The text.
    """
    written = _kind()(x, y, text, height=height, transform=ax.transData, **options)
    written.set_in_layout(False)  # it is within the limits of the axes at any size
    return ax.add_artist(written)


@cache
def _kind() -> Any:
    """The class, made by the first drawing: matplotlib may not be installed."""
    from matplotlib.text import Text

    class Scaled(Text):
        """A text that computes its size in points when it is drawn."""

        def __init__(self, *arguments: Any, height: float, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.height = height

        def draw(self, renderer: Any) -> None:
            ax: Any = self.axes
            (_, low), (_, high) = ax.transData.transform(((0, 0), (0, self.height)))
            self.set_fontsize((high - low) * 72 / ax.figure.dpi)
            super().draw(renderer)

    return Scaled
