"""The widths of a cell as numbers, derived from the shapes of a loop's arguments, which are checked.

Compiled loops write without bounds checks, so a wrong shape is an error before they run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from minigrad_numba.dropout import WithDropout
from minigrad_numba.locations import UNITS, ArraySpec, UnsupportedError
from minigrad_numpy.loops import PRODUCT_ROWS, steps_in

Array = Any
Shape = tuple[int, ...]
Shapes = list[Shape]
MAX_ENTRIES = 256  # of each cache of shapes


class Layout(NamedTuple):
    """The arrays that a loop allocates for inputs of one shape.

    Attributes:
        block: the number of steps in one product, beyond which it is no faster.
        cached: the shapes of the cached arrays.
        forward: the shapes of the buffers of the forward pass.
        backward: the shapes of those of the backward pass.
        weights: the shapes of the weights of the description.
    """

    block: int
    cached: Shapes
    forward: Shapes
    backward: Shapes
    weights: Shapes


class Sizes:
    """The widths of a cell, as numbers.

    Args:
        cell: the cell, with its dropout masks assigned.
        widths: the names of the widths.
        given: the widths that are known.
        specs: the arrays to allocate, by kind.

    Attributes:
        whole: True if no weight is split into its columns.

    Raises:
        UnsupportedError: neither a state nor a weight determines a width.
    """

    def __init__(
        self,
        cell: WithDropout,
        widths: Sequence[str],
        given: Mapping[str, int],
        specs: Mapping[str, Sequence[ArraySpec]],
    ) -> None:
        self._cell, self._widths, self._specs = cell, widths, specs
        self._checked: dict[Any, tuple[Shape, int]] = {}
        self._width = dict(cell.d.widths)
        self._from = [self._source(width, given) for width in widths]
        self.whole = all(part.at is None for part in cell.weights)
        self._layouts: dict[Any, Layout] = {}
        self._states = [widths.index(self._width.get(s, UNITS)) for s in cell.d.states]

    def __call__(self, x: Array, state: Sequence[Array], weights: Sequence[Array]) -> tuple[Shape, int]:
        """Return the number of each width, and how many numbers the weights hold.

        Raises:
            ValueError: the shapes of the arrays contradict each other.
        """
        arrays = (*state, *weights)
        key = (x.shape[1:], *[array.shape for array in arrays])
        found = self._checked.get(key)
        if found is None:
            sizes = tuple([number or arrays[k].shape[-1] // divisor for number, k, divisor in self._from])
            self._check(sizes, x.shape, [s.shape for s in state], [w.shape for w in weights])
            found = sizes, sum([w.size for w in weights])
            if len(self._checked) < MAX_ENTRIES:
                self._checked[key] = found
        return found

    def _source(self, width: str, given: Mapping[str, int]) -> tuple[int, int, int]:
        """Return the width if given; else 0, the index of the array whose last axis determines it, and the divisor."""
        d, first = self._cell.d, len(self._cell.d.states)
        for k, s in enumerate(d.states):
            if self._width.get(s, UNITS) == width:
                return 0, k, 1
        if width in given:
            return given[width], 0, 1
        for i in d.inner:
            if self._width.get(i.v, UNITS) == width:
                return 0, first + self._part(i.matrix).weight, 1
        for p in d.products:
            if {self._width.get(c, UNITS) for c in p.columns} == {width}:
                part = self._part(p.terms[0].matrix)
                if {self._width.get(c, UNITS) for c in part.columns} == {width}:
                    return 0, first + part.weight, len(part.columns)
        raise UnsupportedError(f"no array determines the width {width}")

    def _part(self, weight: str) -> Any:
        return self._cell.weights[self._cell.d.weights.index(weight)]

    # --- shapes -------------------------------------------------------------------------------------------------------

    def layout(self, x: Array, sizes: Shape) -> Layout:
        """Return the layout for inputs of the shape of x, (time, batch, features), and these widths."""
        key = x.shape, sizes
        found = self._layouts.get(key)
        if found is None:
            found = self._new_layout(x.shape, sizes)
            if len(self._layouts) >= MAX_ENTRIES:
                self._layouts.clear()
            self._layouts[key] = found
        return found

    def _new_layout(self, x: Shape, sizes: Shape) -> Layout:
        T, B, features = x
        n = steps_in(PRODUCT_ROWS, B, T)
        time = {"steps": (T, B), "states": (T + 1, B), "block": (n, B), "": (B,)}
        arrays = {
            kind: [(*time[spec.time], self._columns(spec, sizes)) for spec in specs]
            for kind, specs in self._specs.items()
        }
        whole = self.weights(features, sizes)
        weights = [shape if at is None else (*shape[:-1], at.stop - at.start) for _, shape, at in whole]
        return Layout(block=n, weights=weights, **arrays)

    def _columns(self, spec: ArraySpec, sizes: Shape) -> int:
        return sum([sizes[self._widths.index(w)] for w in spec.widths])

    def weights(self, features: int, sizes: Shape) -> Iterator[tuple[Any, Shape, slice | None]]:
        """Yield, for each weight, the whole weight it is part of, that weight's shape, and the slice of its columns."""
        size = dict(zip(self._widths, sizes, strict=True))
        length = {name: size[self._width.get(name, UNITS)] for name in (*self._cell.d.columns, *self._cell.d.states)}
        rows = {"x": features} | {s: length[s] for s in self._cell.d.states}
        shapes: dict[str, Shape] = {}
        for p in self._cell.d.products:
            shapes |= {t.matrix: (rows[t.source],) for t in p.terms} | ({p.bias: ()} if p.bias else {})
        for i in self._cell.d.inner:
            shapes[i.matrix] = size[self._inner_width(i.source)], size[self._inner_width(i.v)]
        for name, part in zip(self._cell.d.weights, self._cell.weights, strict=True):
            if name in self._cell.d.parameters:
                yield part, (size[UNITS],), None
            elif not part.columns:
                yield part, shapes[name], None
            else:
                counts = [length.get(c) or size[self._width.get(c, UNITS)] for c in part.columns]
                at, start = part.at, sum(counts[: part.at or 0])
                yield part, (*shapes[name], sum(counts)), None if at is None else slice(start, start + counts[at])

    def _inner_width(self, name: str) -> str:
        width = self._width.get(name, UNITS)
        return UNITS if width in self._cell.d.shared else width

    def split_weights(self, weights: Sequence[Array], features: int, sizes: Shape) -> list[Array]:
        """Return the weights of the description, some of which are columns of the cell's weights."""
        if self.whole:
            return [weights[part.weight] for part in self._cell.weights]
        found = []
        for part, _, columns in self.weights(features, sizes):
            w = weights[part.weight]
            found.append(w if columns is None else w[..., columns])
        return found

    def _check(self, sizes: Shape, x: Shape, states: Shapes, weights: Shapes) -> None:
        title = self._cell.d.name.rpartition(".")[2]
        for name, shape, k in zip(self._cell.d.states, states, self._states, strict=True):
            if shape != (x[1], sizes[k]):
                raise ValueError(f"{title}: expected the state {name} of shape {(x[1], sizes[k])}, got {shape}.")
        for part, shape, _ in self.weights(x[2], sizes):
            if weights[part.weight] != shape:
                name = self._cell.d.weights[self._cell.weights.index(part)]
                raise ValueError(f"{title}: expected the weight {name} of shape {shape}, got {weights[part.weight]}.")
        size = dict(zip(self._widths, sizes, strict=True))
        uneven = [w for w in self._cell.d.shared if not size[w] or size[UNITS] % size[w]]
        if uneven:
            w = uneven[0]
            raise ValueError(f"{title}: expected {w} to divide {size[UNITS]} units, got {size[w]}. Choose a divisor.")
