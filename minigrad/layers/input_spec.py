"""The shape that a layer expects of its inputs."""

from __future__ import annotations

from typing import NamedTuple


class InputSpec(NamedTuple):
    """The shape that a layer expects of its input.

    Attributes:
        ndim: the number of axes.
        min_ndim: the least number of axes.
        axes: the size that an axis must have, by the axis.
    """

    ndim: int | None = None
    min_ndim: int | None = None
    axes: dict[int, int] | None = None

    def admits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an input of this shape fits."""
        n = len(shape)
        if (self.ndim is not None and n != self.ndim) or n < (self.min_ndim or 0):
            return False
        return self.axes is None or all(-n <= k < n and size in (shape[k], None) for k, size in self.axes.items())

    def __str__(self) -> str:
        n = max([self.ndim or self.min_ndim or 1, *(max(axis + 1, -axis) for axis in self.axes or {})])
        names = ["batch", "time", "features"] if n == 3 else ["batch", *["…"] * (n - 2), "features"][:n]
        for axis, size in (self.axes or {}).items():
            names[axis] = str(size)
        return f"({', '.join(names)}{',' if n == 1 else ''})" + ("" if self.ndim else " or with more axes in between")
