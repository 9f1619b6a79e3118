"""The location of each forward value of a cell while its loop runs: its array, its row, its columns.

The columns of a product with x are in one array for all steps, and so is each state. The cache is kept small: a column
that is not read again is overwritten by a gate of the same width that the backward pass reads. A value that only passes
from one stage to a later one has an array for a single step.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from minigrad_numba.locations import UNITS, ArraySpec, Location, Names, UnsupportedError, extent, read_in, stages_of


class ForwardStorage:
    """The locations of all values of the forward lines.

    Attributes:
        stages: the stages of the forward lines.
        at: the location that a value is read from in the forward pass.
        cached_at: the location that the backward pass reads it from.
        stores: all locations that a value is written to.
        products: for each product, the location of all its columns.
        source: for each inner product, the location of its left factor.
        cached: the arrays that the backward pass reads; those of the states come last.
        buffers: the arrays for one step.
    """

    def __init__(self, d: Any, names: Names, variable: dict[str, str], width: dict[str, str]) -> None:
        self.d, self._names, self._variable, self._width = d, names, variable, width
        self.stages = stages_of(d.forward)
        self.at: dict[str, Location] = {}
        self.cached_at: dict[str, Location] = {}
        self.stores: dict[str, list[Location]] = {}
        self.cached: list[ArraySpec] = []
        self.buffers: list[ArraySpec] = []
        self.stage_of = {n: k for k, stage in enumerate(self.stages) for n, _ in stage.lines}
        self.stage_of |= {stage.product: k + 1 for k, stage in enumerate(self.stages) if stage.product}
        self.last_read = {n: k for k, stage in enumerate(self.stages) for _, e in stage.lines for n in read_in(e)}
        self.inner_sources = {i.source for i in d.inner}
        self._states()
        self._columns()
        self._inner()
        self._cached_and_crossing()

    def body(self, name: str) -> str:
        """Return the width of a value inside the body, where a shared value is broadcast to its units."""
        width = self._width.get(name, UNITS)
        return UNITS if width in self.d.shared else width

    def _states(self) -> None:
        d = self.d
        self.states = {s: self._names.fresh(f"_{s}") for s in d.states}
        for s, new in zip(d.states, d.new, strict=True):
            width = self._width.get(s, UNITS)
            self.at[s] = self.cached_at[s] = Location(self.states[s], "_t", "", width)
            location = Location(self.states[s], "_t + 1", "", width)
            self.stores.setdefault(new, []).append(location)
            self.at.setdefault(new, location)
            self.cached_at.setdefault(new, location)
        for p in d.parameters:
            self.at[p] = self.cached_at[p] = Location(self._names.fresh(f"_{p}"), "", "", UNITS, by_row=False)

    def _columns(self) -> None:
        """Locate the products' columns; a single column shares the array of the new state if possible."""
        self.products: list[Location] = []
        self.free: list[tuple[str, Location]] = []
        many = len(self.d.products) > 1
        for k, p in enumerate(self.d.products):
            with_x = any(t.source == "x" for t in p.terms)
            state = self._state_for(p) if with_x else None
            widths = tuple(self._width.get(c, UNITS) for c in p.columns)
            if state is None:
                name = self._names.fresh(f"_z{k}" if many else "_z")
                (self.cached if with_x else self.buffers).append(ArraySpec(name, "steps" if with_x else "", widths))
            array, time = (name, "_t" if with_x else "") if state is None else (state.array, state.time)
            self.products.append(Location(array, time, "", ""))
            for j, c in enumerate(p.columns):
                self.at[c] = Location(array, time, extent(widths, j, self._variable), widths[j])
                if with_x and c in self.d.cache:
                    self.cached_at[c] = self.at[c]
                elif with_x and state is None and widths[j] not in self.d.shared:
                    self.free.append((c, self.at[c]))

    def _state_for(self, p: Any) -> Location | None:
        if len(self.stages) > 1 or len(p.columns) > 1 or p.columns[0] in {*self.d.cache, *self._aliased()}:
            return None
        width, taken = self._width.get(p.columns[0], UNITS), {location.array for location in self.products}
        new = [self.stores[n][0] for n in dict.fromkeys(self.d.new) if len(self.stores[n]) == 1]
        candidates = [
            location for location in new if location.width == width not in self.d.shared and location.array not in taken
        ]
        return candidates[0] if candidates else None

    def _aliased(self) -> set[str]:
        return {n for n in self.d.new if self.d.new.count(n) > 1}

    def _inner(self) -> None:
        """Locate the inner products and their left factors, each in a separate array."""
        self.source: list[Location] = []
        for i in self.d.inner:
            if i.source in self.d.parameters:
                raise UnsupportedError(f"the inner product {i.source} @ {i.matrix} multiplies a parameter")
            if {self._width.get(n) for n in (i.v, i.source)} & set(self.d.shared):
                raise UnsupportedError(f"the inner product {i.source} @ {i.matrix} is of a shared width")
            whole = not self.at[i.source].columns if i.source in self.at else False
            if i.source in self.at and whole and self.at[i.source].time in ("_t", "_t + 1"):
                self.source.append(self.at[i.source])
            else:
                self.source.append(self._new_array(i.source, i.source in self.d.cache))
                self.at.setdefault(i.source, self.source[-1])
                if i.source in self.d.cache:
                    self.cached_at.setdefault(i.source, self.source[-1])
            if i.v not in self.at:
                self.at[i.v] = self._new_array(i.v, i.v in self.d.cache, store=False)
                self.cached_at[i.v] = self.at[i.v]

    def _new_array(self, name: str, cached: bool, store: bool = True) -> Location:
        """Add an array for one value; return its location."""
        array, width = self._names.fresh(f"_{name}"), self.body(name)
        (self.cached if cached else self.buffers).append(ArraySpec(array, "steps" if cached else "", (width,)))
        location = Location(array, "_t" if cached else "", "", width)
        if store:
            self.stores.setdefault(name, []).append(location)
        return location

    def _cached_and_crossing(self) -> None:
        """Locate the other values that are cached, or pass from stage to stage."""
        for name in self.d.cache:
            if name not in self.cached_at:
                location = self._overwritten_column(name)
                if location is None:
                    location = self._new_array(name, True)
                else:
                    self.stores.setdefault(name, []).append(location)
                self.cached_at[name] = location
                self.at.setdefault(name, location)
        for name, stage in self.stage_of.items():
            if name not in self.at and self.last_read.get(name, stage) > stage:
                self.at[name] = self._new_array(name, False)

    def _overwritten_column(self, name: str) -> Location | None:
        """Return the location of a column of the same width that is not read after the value is computed."""
        made, reads = self.stage_of.get(name, 0), self._read_by(name)
        candidates = [
            (c, location)
            for c, location in self.free
            if location.width == self.body(name) and self.last_read.get(c, 0) <= made and c not in self.inner_sources
        ]
        candidates.sort(key=lambda found: found[0] not in reads)
        if not candidates or name in self.d.columns:
            return None
        self.free.remove(candidates[0])
        return candidates[0][1]

    def _read_by(self, name: str) -> Collection[str]:
        return next((read_in(e) for stage in self.stages for n, e in stage.lines if n == name), [])
