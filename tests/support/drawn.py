"""Shared code of the tests of pictures: the sizes of the drawn trace, and the contents of axes."""

from __future__ import annotations

from typing import Any

import numpy as np

T, B, U = 8, 3, 4
MASK = np.ones((B, T), bool)
MASK[0, 3:5] = False
MASK[2] = False


def lines(ax: Any) -> dict[str, Any]:
    """Return label → heights of the lines in some axes."""
    return {str(line.get_label()): np.asarray(line.get_ydata()) for line in ax.lines}


def spans(ax: Any) -> list[tuple[float, float]]:
    """Return the hatched intervals of some axes, which mark masked steps."""
    return [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches if p.get_hatch() == "//"]


def png(picture: Any) -> bytes:
    """Return a picture as a PNG file, which shows that it can be drawn."""
    import io

    picture.figure.savefig(file := io.BytesIO(), dpi=40)
    return file.getvalue()
