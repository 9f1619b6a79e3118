"""Text that grows and shrinks with its axes, so that a drawing looks the same in any size."""

from __future__ import annotations

from functools import cache
from typing import Any


def write(ax: Any, x: float, y: float, text: str, height: float, **options: Any) -> Any:
    """Writes a text whose size is measured as places are.

    Args:
        ax: matplotlib axes with an equal aspect.
        x: place.
        y: place.
        text: what to write.
        height: of the font, in units of the axes.
        **options: of matplotlib's Text.

    Returns:
        The text.
    """
    written = _kind()(x, y, text, height=height, transform=ax.transData, **options)
    written.set_in_layout(False)  # it lies within the limits of the axes, whatever its size is now
    return ax.add_artist(written)


@cache
def _kind() -> Any:
    """The class; made when something is drawn, because matplotlib may be missing."""
    from matplotlib.text import Text

    class Scaled(Text):
        """A text that looks up its size in points when it is drawn."""

        def __init__(self, *arguments: Any, height: float, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self.height = height

        def draw(self, renderer: Any) -> None:
            ax: Any = self.axes
            (_, low), (_, high) = ax.transData.transform(((0, 0), (0, self.height)))
            self.set_fontsize((high - low) * 72 / ax.figure.dpi)
            super().draw(renderer)

    return Scaled
