"""The widths of a cell as numbers, told from the arrays that a loop is handed; and the shapes of these, checked.

Compiled loops do not look where they write, so a wrong shape is an error before they run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from minigrad_numba.places import UNITS, RefusedError, Room
from minigrad_numba.thinned import Thinned

Array = Any
Shape = tuple[int, ...]
Shapes = list[Shape]
MOST = 256  # shapes that are kept


class Sizes:
    """The numbers that a cell's widths stand for.

    Args:
        of: the cell, with its dropout masks shared out.
        widths: the names of the widths.
        given: those whose number is known.
        rooms: arrays to be made, by kind.

    Attributes:
        whole: True if no weight is cut into its columns.

    Raises:
        RefusedError: the number of a width can be told neither from a state nor from a weight.
    """

    def __init__(
        self, of: Thinned, widths: Sequence[str], given: Mapping[str, int], rooms: Mapping[str, Sequence[Room]]
    ) -> None:
        self._of, self._widths, self._rooms, self._checked = of, widths, rooms, set[Any]()
        self._width = dict(of.d.widths)
        self._from = [self._source(width, given) for width in widths]
        self.whole = all(piece.at is None for piece in of.weights)
        self._shapes: dict[Any, Shapes] = {}
        self._states = [widths.index(self._width.get(s, UNITS)) for s in of.d.states]

    def __call__(self, x: Array, state: Sequence[Array], weights: Sequence[Array]) -> Shape:
        """Returns the number of each width.

        Raises:
            ValueError: the shapes of the arrays contradict it.
        """
        arrays = (*state, *weights)
        sizes = tuple([number or arrays[k].shape[-1] // divisor for number, k, divisor in self._from])
        key = (x.shape[1:], *[array.shape for array in arrays])
        if key not in self._checked:
            self._check(sizes, x.shape, [s.shape for s in state], [w.shape for w in weights])
            if len(self._checked) < MOST:
                self._checked.add(key)
        return sizes

    def _source(self, width: str, given: Mapping[str, int]) -> tuple[int, int, int]:
        """A number; or which array's last axis tells it, and the divisor."""
        d, first = self._of.d, len(self._of.d.states)
        for k, s in enumerate(d.states):
            if self._width.get(s, UNITS) == width:
                return 0, k, 1
        if width in given:
            return given[width], 0, 1
        for i in d.inner:
            if self._width.get(i.v, UNITS) == width:
                return 0, first + self._piece(i.matrix).weight, 1
        for p in d.products:
            if {self._width.get(c, UNITS) for c in p.columns} == {width}:
                piece = self._piece(p.terms[0].matrix)
                if {self._width.get(c, UNITS) for c in piece.columns} == {width}:
                    return 0, first + piece.weight, len(piece.columns)
        raise RefusedError(f"the width {width} is known of no state")

    def _piece(self, weight: str) -> Any:
        return self._of.weights[self._of.d.weights.index(weight)]

    # --- shapes -------------------------------------------------------------------------------------------------------

    def rooms(self, kind: str, x: Array, n: int, sizes: Shape) -> Shapes:
        """Returns the shapes of the arrays of this kind, for these inputs, blocks of n steps, and these widths."""
        T, B, _ = x.shape
        key = kind, T, B, n, sizes
        if key not in self._shapes:
            time = {"steps": (T, B), "states": (T + 1, B), "block": (n, B), "": (B,)}
            self._keep(key, [(*time[room.time], self._columns(room, sizes)) for room in self._rooms[kind]])
        return self._shapes[key]

    def _columns(self, room: Room, sizes: Shape) -> int:
        return sum([sizes[self._widths.index(w)] for w in room.widths])

    def _keep(self, key: Any, shapes: Shapes) -> None:
        if len(self._shapes) >= MOST:
            self._shapes.clear()
        self._shapes[key] = shapes

    def weights(self, features: int, sizes: Shape) -> Iterator[tuple[Any, Shape, slice | None]]:
        """Yields for each weight where it comes from, the shape of that, and which of its columns it is."""
        size = dict(zip(self._widths, sizes, strict=True))
        of = {name: size[self._width.get(name, UNITS)] for name in (*self._of.d.columns, *self._of.d.states)}
        rows = {"x": features} | {s: of[s] for s in self._of.d.states}
        shapes: dict[str, Shape] = {}
        for p in self._of.d.products:
            shapes |= {t.matrix: (rows[t.source],) for t in p.terms} | ({p.bias: ()} if p.bias else {})
        for i in self._of.d.inner:
            shapes[i.matrix] = size[self._inner_width(i.source)], size[self._inner_width(i.v)]
        for name, piece in zip(self._of.d.weights, self._of.weights, strict=True):
            if name in self._of.d.parameters:
                yield piece, (size[UNITS],), None
            elif not piece.columns:
                yield piece, shapes[name], None
            else:
                counts = [of.get(c) or size[self._width.get(c, UNITS)] for c in piece.columns]
                at, start = piece.at, sum(counts[: piece.at or 0])
                yield piece, (*shapes[name], sum(counts)), None if at is None else slice(start, start + counts[at])

    def _inner_width(self, name: str) -> str:
        width = self._width.get(name, UNITS)
        return UNITS if width in self._of.d.shared else width

    def cut(self, weights: Sequence[Array], features: int, sizes: Shape) -> list[Array]:
        """Returns the weights of the description, some of them columns of the cell's."""
        if self.whole:
            return [weights[piece.weight] for piece in self._of.weights]
        found = []
        for piece, _, columns in self.weights(features, sizes):
            w = weights[piece.weight]
            found.append(w if columns is None else w[..., columns])
        return found

    def pieces(self, features: int, sizes: Shape) -> Shapes:
        """Returns the shapes of the weights of the description."""
        key = features, sizes
        if key not in self._shapes:
            whole = self.weights(features, sizes)
            self._keep(key, [s if at is None else (*s[:-1], at.stop - at.start) for _, s, at in whole])
        return self._shapes[key]

    def _check(self, sizes: Shape, x: Shape, states: Shapes, weights: Shapes) -> None:
        title = self._of.d.name.rpartition(".")[2]
        for name, shape, k in zip(self._of.d.states, states, self._states, strict=True):
            if shape != (x[1], sizes[k]):
                raise ValueError(f"{title}: expected the state {name} of shape {(x[1], sizes[k])}, got {shape}.")
        for piece, shape, _ in self.weights(x[2], sizes):
            if weights[piece.weight] != shape:
                name = self._of.d.weights[self._of.weights.index(piece)]
                raise ValueError(f"{title}: expected the weight {name} of shape {shape}, got {weights[piece.weight]}.")
        size = dict(zip(self._widths, sizes, strict=True))
        uneven = [w for w in self._of.d.shared if not size[w] or size[UNITS] % size[w]]
        if uneven:
            raise ValueError(f"{title}: expected {uneven[0]} to divide {size[UNITS]} units, got {size[uneven[0]]}.")
