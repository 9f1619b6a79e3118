"""The widths of a cell as numbers, derived from the shapes of its states and weights, which are checked.

Kernels write without bounds checks, so a wrong shape is an error before they run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

UNITS = "units"


class _Axis(NamedTuple):
    """An axis of an array, and the widths whose sum is its length."""

    array: str
    axis: int
    widths: tuple[str, ...]


class Sizes:
    """The widths of a cell, as numbers.

    Args:
        d: `minigrad.recurrent.description.Description`.
        given: the widths that are known.

    Attributes:
        unknown: a width that no array determines, or "".
    """

    def __init__(self, d: Any, given: Mapping[str, int]) -> None:
        self.d, self.given, self.width = d, given, dict(d.widths)
        self._axes = list(self._all())
        self._order: list[_Axis] = []  # each determines one more width, given those before it
        known = set(given)
        while found := next((a for a in self._axes if len(set(a.widths) - known) == 1), None):
            self._order.append(found)
            known.update(found.widths)
        wanted = [UNITS, *self.width.values()]
        self.unknown = next((w for w in wanted if w not in known and any(w in a.widths for a in self._axes)), "")

    def __call__(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        """Return the number of each width.

        Args:
            shapes: the shapes of the states and weights, by name.

        Raises:
            ValueError: the shapes contradict each other.
        """
        sizes = dict(self.given)
        for array, axis, widths in self._order:
            (new,) = set(widths) - set(sizes)
            rest = shapes[array][axis] - sum(sizes.get(w, 0) for w in widths)
            sizes[new] = rest // widths.count(new)
        title = self.d.name.rpartition(".")[2]
        for array, axis, widths in self._axes:
            expected, got = sum(sizes[w] for w in widths), shapes[array][axis]
            if expected != got:
                raise ValueError(
                    f"{title}: expected {array} of length {expected} along axis {axis}, got {got}. Pass states and "
                    "weights of matching sizes."
                )
        for w in self.d.shared:
            if not sizes[w] or sizes[UNITS] % sizes[w]:
                raise ValueError(
                    f"{title}: expected {w} to divide {sizes[UNITS]} units, got {sizes[w]}. Choose a divisor."
                )
        return sizes

    def _all(self) -> Iterator[_Axis]:
        d, width = self.d, self.width
        for s in d.states:
            yield _Axis(s, 1, (width.get(s, UNITS),))
        for p in d.products:
            columns = tuple(width.get(c, UNITS) for c in p.columns)
            for term in p.terms:
                yield _Axis(term.matrix, 1, columns)
                if term.source != "x":
                    yield _Axis(term.matrix, 0, (width.get(term.source, UNITS),))
            if p.bias:
                yield _Axis(p.bias, 0, columns)
        for inner in d.inner:
            yield _Axis(inner.matrix, 0, (self._in_body(inner.source),))
            yield _Axis(inner.matrix, 1, (self._in_body(inner.v),))
        for parameter in d.parameters:
            yield _Axis(parameter, 0, (UNITS,))

    def _in_body(self, name: str) -> str:
        width: str = self.width.get(name, UNITS)
        return UNITS if width in self.d.shared else width
