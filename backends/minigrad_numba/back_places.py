"""The place of each value of a cell's backward lines, and what a pass over the rows stores."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from minigrad_numba.passes import Value, Write
from minigrad_numba.places import UNITS, ForwardPlaces, Names, Place, RefusedError, Room, extent, read_in, stages_of


class BackPlaces:
    """The places of all values of the backward lines.

    Attributes:
        stages: of the backward lines.
        inner: the inner product after each stage but the last.
        upstream: by state, the array of its gradient.
        products: for each product, the array of its columns' gradients, for the steps of a block.
        dv: for each inner product, the place of its gradient, likewise.
        source: where what is multiplied is computed again, by name.
        again: these lines.
        at: the place in which a value goes from one stage to a later one.
        room: all arrays that are needed besides, for a step or a block.
    """

    def __init__(
        self, d: Any, names: Names, variable: dict[str, str], forward: ForwardPlaces, dweights: dict[str, str]
    ) -> None:
        self.d, self._names, self._variable, self._width = d, names, variable, dict(d.widths)
        self.forward, self._dweights = forward, dweights
        self.stages = stages_of(d.backward)
        self.room: list[Room] = []
        self.at: dict[str, Place] = {}
        self.upstream = {s: names.fresh(f"_{u}") for s, u in zip(d.states, d.upstream, strict=True)}
        matrices = [line.text.partition(" @ ")[2].removesuffix(".T") for line in d.backward if "@" in line.text]
        self.inner = [next(i for i in d.inner if i.matrix == m) for m in matrices]
        self.made = {n: k for k, stage in enumerate(self.stages) for n, _ in stage.lines}
        self._gradient = dict(d.gradients)
        self.products = self._columns()
        self.dv = [self._block(i.dv, forward.body(i.dv)) for i in d.inner]
        self._again()
        self._crossing()

    def _columns(self) -> list[str]:
        many, arrays = len(self.d.products) > 1, []
        self._of_columns: list[tuple[str, Place]] = []
        for k, p in enumerate(self.d.products):
            widths = tuple(self._width.get(c, UNITS) for c in p.columns)
            array = self._names.fresh(f"_dz{k}" if many else "_dz")
            self.room.append(Room(array, "block", widths, not all(c in self._gradient for c in p.columns)))
            for j, c in enumerate(p.columns):
                place = Place(array, "_at", extent(widths, j, self._variable), widths[j])
                if c in self._gradient:
                    self._of_columns.append((self._gradient[c], place))
            arrays.append(array)
        return arrays

    def _block(self, name: str, width: str) -> Place:
        array = self._names.fresh(f"_{name}")
        self.room.append(Room(array, "block", (width,)))
        return Place(array, "_at", "", width)

    def _step(self, name: str) -> Place:
        array, width = self._names.fresh(f"_{name}"), self.forward.body(name)
        self.room.append(Room(array, "", (width,)))
        return Place(array, "", "", width)

    def _again(self) -> None:
        """Names of forward that the backward lines have too get others here."""
        backward = {line.name for line in self.d.backward} | set(self.d.upstream)
        self._forward_name: dict[str, str] = {}
        self.again: list[tuple[str, ast.expr]] = []
        self.source = {line.name: self._block(line.name, self.forward.body(line.name)) for line in self.d.again}

        def own(name: str) -> str:
            if name not in backward:
                return name
            self._forward_name.setdefault(f"{name}_of_forward", name)
            return f"{name}_of_forward"

        for line in self.d.again:
            e = ast.parse(line.text, mode="eval").body
            for node in ast.walk(e):
                if isinstance(node, ast.Name):
                    node.id = own(node.id)
            self.again.append((own(line.name), e))

    def _crossing(self) -> None:
        """Finds places for the values that go from one stage to a later one."""
        last_read = {n: k for k, stage in enumerate(self.stages) for _, e in stage.lines for n in read_in(e)}
        final = len(self.stages) - 1
        last_read |= dict.fromkeys([g for _, g in self.d.gradients], final)
        for k, i in enumerate(self.inner):
            last_read[i.dv] = max(last_read.get(i.dv, 0), k)
        places = {i.dv: place for i, place in zip(self.d.inner, self.dv, strict=True)}
        for name, place in self._of_columns:
            if place.width not in self.d.shared:
                places.setdefault(name, place)
        for name, stage in self.made.items():
            if last_read.get(name, stage) > stage:
                self.at[name] = places.get(name) or self._step(name)
        for before in self.stages[:-1]:
            self.at[before.product] = self._step(before.product)

    # --- what the passes need -----------------------------------------------------------------------------------------

    def value(self, name: str) -> Value:
        """Returns where a value is read."""
        d = self.d
        if name in self.at:
            return Value(self.at[name])
        if name in d.upstream:
            s = d.states[d.upstream.index(name)]
            width = self._width.get(s, UNITS)
            plus = Place("_dy", "_t", "", width) if s == d.output else None
            return Value(Place(self.upstream[s], "", "", width), plus, width in d.shared)
        name = self._forward_name.get(name, name)
        if name not in self.forward.kept:
            raise RefusedError(f"{name} meets values of another width")
        return Value(self.forward.kept[name])

    def writes(self, k: int) -> Iterator[Write]:
        """Yields what the pass of stage k stores."""
        d, own, last = self.d, {n for n, _ in self.stages[k].lines}, k == len(self.stages) - 1
        places: list[Write] = []
        for j, i in enumerate(d.inner):
            after = self._stage_of(i)
            if i.dv in own or (after == k and i.dv not in self.made):
                places.append(Write(i.dv, self.dv[j]))
        places += [Write(n, p) for n, p in self._of_columns if n in own or (last and n not in self.made)]
        places += [Write(n, p) for n, p in self.at.items() if n in own]
        if last:
            places += self._last()
        yield from dict.fromkeys(places)

    def _last(self) -> Iterator[Write]:
        """The last pass's other stores: the states' gradients, which other stages may have read until then."""
        d = self.d
        for s in d.states:
            yield Write(self._gradient.get(s, ""), Place(self.upstream[s], "", "", self._width.get(s, UNITS)))
        for n in d.parameters:
            if n in self._gradient:
                yield Write(self._gradient[n], Place(self._dweights[n], "", "", UNITS, False), True)
        for (name, _), line in zip(self.again, d.again, strict=True):
            yield Write(name, self.source[line.name])

    def _stage_of(self, inner: Any) -> int:
        """The stage before an inner product; the last where nothing flows back through it, as through `stop`."""
        return self.inner.index(inner) if inner in self.inner else len(self.stages) - 1

    def resting(self, k: int) -> Iterator[str]:
        """Yields what happens to a row that rests: what leads to products is 0, the output's gradient stays."""
        for j, i in enumerate(self.d.inner):
            if self._stage_of(i) == k:
                yield f"{self.dv[j].row()} = 0"
        if k == len(self.stages) - 1:
            yield f"{self.upstream[self.d.output]}[_row] += _dy[_t, _row]"
            for array in self.products:
                yield f"{array}[_at, _row] = 0"
            for place in self.source.values():
                yield f"{place.row()} = 0"
