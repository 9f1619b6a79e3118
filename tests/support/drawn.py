"""What the tests of pictures share: the sizes of the trace that is drawn, and what is in axes."""

from __future__ import annotations

from typing import Any

import numpy as np

T, B, U = 8, 3, 4
MASK = np.ones((B, T), bool)
MASK[0, 3:5] = False
MASK[2] = False


def lines(ax: Any) -> dict[str, Any]:
    """What the lines of some axes are called, and their heights."""
    return {str(line.get_label()): np.asarray(line.get_ydata()) for line in ax.lines}


def spans(ax: Any) -> list[tuple[float, float]]:
    """Where the axes are hatched for resting steps."""
    return [(p.get_x(), p.get_x() + p.get_width()) for p in ax.patches if p.get_hatch() == "//"]


def png(picture: Any) -> bytes:
    """The picture as it is saved: that it can be drawn at all."""
    import io

    picture.figure.savefig(file := io.BytesIO(), dpi=40)
    return file.getvalue()
