"""The location of each backward value of a cell while its loop runs, and the values that each stage stores."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from minigrad_numba.forward_storage import ForwardStorage
from minigrad_numba.locations import UNITS, ArraySpec, Location, Names, UnsupportedError, extent, read_in, stages_of
from minigrad_numba.row_functions import Read, Write


class BackwardStorage:
    """The locations of all values of the backward lines.

    Attributes:
        stages: the stages of the backward lines.
        inner: the inner product after each stage but the last.
        upstream: for each state, the array of its gradient.
        products: for each product, the array of its columns' gradients, for the steps of a block.
        dv: for each inner product, the location of its gradient, for the steps of a block.
        source: the locations of the left factors of inner products that are recomputed, by name.
        recomputed: the lines that recompute them.
        at: the location of a value that passes from one stage to a later one.
        buffers: the arrays for a step or a block.
    """

    def __init__(
        self, d: Any, names: Names, variable: dict[str, str], forward: ForwardStorage, dweights: dict[str, str]
    ) -> None:
        self.d, self._names, self._variable, self._width = d, names, variable, dict(d.widths)
        self.forward, self._dweights = forward, dweights
        self.stages = stages_of(d.backward)
        self.buffers: list[ArraySpec] = []
        self.at: dict[str, Location] = {}
        self.upstream = {s: names.fresh(f"_{u}") for s, u in zip(d.states, d.upstream, strict=True)}
        matrices = [line.text.partition(" @ ")[2].removesuffix(".T") for line in d.backward if "@" in line.text]
        self.inner = [next(i for i in d.inner if i.matrix == m) for m in matrices]
        self.stage_of = {n: k for k, stage in enumerate(self.stages) for n, _ in stage.lines}
        self._gradient = dict(d.gradients)
        self.products = self._columns()
        self.dv = [self._block(i.dv, forward.body(i.dv)) for i in d.inner]
        self._recompute()
        self._crossing()

    def _columns(self) -> list[str]:
        many, arrays = len(self.d.products) > 1, []
        self._of_columns: list[tuple[str, Location]] = []
        for k, p in enumerate(self.d.products):
            widths = tuple(self._width.get(c, UNITS) for c in p.columns)
            array = self._names.fresh(f"_dz{k}" if many else "_dz")
            self.buffers.append(ArraySpec(array, "block", widths, not all(c in self._gradient for c in p.columns)))
            for j, c in enumerate(p.columns):
                location = Location(array, "_at", extent(widths, j, self._variable), widths[j])
                if c in self._gradient:
                    self._of_columns.append((self._gradient[c], location))
            arrays.append(array)
        return arrays

    def _block(self, name: str, width: str) -> Location:
        array = self._names.fresh(f"_{name}")
        self.buffers.append(ArraySpec(array, "block", (width,)))
        return Location(array, "_at", "", width)

    def _step(self, name: str) -> Location:
        array, width = self._names.fresh(f"_{name}"), self.forward.body(name)
        self.buffers.append(ArraySpec(array, "", (width,)))
        return Location(array, "", "", width)

    def _recompute(self) -> None:
        """Prepare the recomputed lines; a forward name that the backward lines use too is renamed."""
        backward = {line.name for line in self.d.backward} | set(self.d.upstream)
        self._forward_name: dict[str, str] = {}
        self.recomputed: list[tuple[str, ast.expr]] = []
        self.source = {line.name: self._block(line.name, self.forward.body(line.name)) for line in self.d.again}

        def renamed(name: str) -> str:
            if name not in backward:
                return name
            self._forward_name.setdefault(f"{name}_of_forward", name)
            return f"{name}_of_forward"

        for line in self.d.again:
            e = ast.parse(line.text, mode="eval").body
            for node in ast.walk(e):
                if isinstance(node, ast.Name):
                    node.id = renamed(node.id)
            self.recomputed.append((renamed(line.name), e))

    def _crossing(self) -> None:
        """Locate the values that pass from one stage to a later one."""
        last_read = {n: k for k, stage in enumerate(self.stages) for _, e in stage.lines for n in read_in(e)}
        final = len(self.stages) - 1
        last_read |= dict.fromkeys([g for _, g in self.d.gradients], final)
        for k, i in enumerate(self.inner):
            last_read[i.dv] = max(last_read.get(i.dv, 0), k)
        locations = {i.dv: location for i, location in zip(self.d.inner, self.dv, strict=True)}
        for name, location in self._of_columns:
            if location.width not in self.d.shared:
                locations.setdefault(name, location)
        for name, stage in self.stage_of.items():
            if last_read.get(name, stage) > stage:
                self.at[name] = locations.get(name) or self._step(name)
        for before in self.stages[:-1]:
            self.at[before.product] = self._step(before.product)

    # --- reads and writes of a stage ----------------------------------------------------------------------------------

    def value(self, name: str) -> Read:
        """Return the location that a value is read from."""
        d = self.d
        if name in self.at:
            return Read(self.at[name])
        if name in d.upstream:
            s = d.states[d.upstream.index(name)]
            width = self._width.get(s, UNITS)
            plus = Location("_dy", "_t", "", width) if s == d.output else None
            return Read(Location(self.upstream[s], "", "", width), plus, width in d.shared)
        name = self._forward_name.get(name, name)
        if name not in self.forward.cached_at:
            raise UnsupportedError(f"an operation mixes {name} with values of another width")
        return Read(self.forward.cached_at[name])

    def writes(self, k: int) -> Iterator[Write]:
        """Yield the values that stage k stores."""
        d, own, last = self.d, {n for n, _ in self.stages[k].lines}, k == len(self.stages) - 1
        locations: list[Write] = []
        for j, i in enumerate(d.inner):
            after = self._stage_before(i)
            if i.dv in own or (after == k and i.dv not in self.stage_of):
                locations.append(Write(i.dv, self.dv[j]))
        locations += [Write(n, p) for n, p in self._of_columns if n in own or (last and n not in self.stage_of)]
        locations += [Write(n, p) for n, p in self.at.items() if n in own]
        if last:
            locations += self._last()
        yield from dict.fromkeys(locations)

    def _last(self) -> Iterator[Write]:
        """Yield the other stores of the last stage: the gradients of states, which earlier stages may read."""
        d = self.d
        for s in d.states:
            yield Write(self._gradient.get(s, ""), Location(self.upstream[s], "", "", self._width.get(s, UNITS)))
        for n in d.parameters:
            if n in self._gradient:
                yield Write(self._gradient[n], Location(self._dweights[n], "", "", UNITS, False), True)
        for (name, _), line in zip(self.recomputed, d.again, strict=True):
            yield Write(name, self.source[line.name])

    def _stage_before(self, inner: Any) -> int:
        """Return the stage before an inner product; the last stage if no gradient flows through it, as with `stop`."""
        return self.inner.index(inner) if inner in self.inner else len(self.stages) - 1

    def masked_lines(self, k: int) -> Iterator[str]:
        """Yield the lines for a masked row: gradients that enter products are 0, the output's passes through."""
        for j, i in enumerate(self.d.inner):
            if self._stage_before(i) == k:
                yield f"{self.dv[j].row()} = 0"
        if k == len(self.stages) - 1:
            yield f"add_row(_dy[_t, _row], {self.upstream[self.d.output]}[_row])"
            for array in self.products:
                yield f"{array}[_at, _row] = 0"
            for location in self.source.values():
                yield f"{location.row()} = 0"
