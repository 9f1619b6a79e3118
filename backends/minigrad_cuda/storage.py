"""The arrays of a cell, the location of each value in them, and the stage at which it is computed.

A *stage* is the computation between two inner products: a value of stage 1 depends on a product of values of stage 0.
A forward value that the backward pass reads is cached: in a column that is not read again, or in a separate array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from minigrad_cuda.dropout import WithDropout
from minigrad_cuda.expressions import Names, names_of
from minigrad_cuda.program import UNITS, Argument, ArraySpec


class Location(NamedTuple):
    """A column of an array at a step.

    Attributes:
        array: the name of the array.
        step: 0 at t, 1 at t + 1.
        column: the index of the column.
        first: True if only the first unit of each block reads it.
        dropout_mask: the array of the recurrent dropout mask that multiplies a value when it is stored or loaded.
    """

    array: str
    step: int = 0
    column: int = 0
    first: bool = False
    dropout_mask: str = ""

    @property
    def argument(self) -> Argument:
        """The array at the step."""
        return Argument(self.array, self.step)


class Storage:
    """The arrays of a cell, and the location of each value.

    Args:
        cell: the cell, with its recurrent dropout masks assigned.

    Attributes:
        names: the source of names that are free in all kernels.
        arrays: the arrays, by name.
        after: the names of the arrays of states at step t + 1.
        forward: the stage of each value of the forward lines.
        backward: the stage of each value of the backward lines.
        forward_reads: the locations of values that a forward kernel may read.
        backward_reads: the locations of values that a backward kernel may read.
        forward_stores: the locations in which a forward value is stored.
        backward_stores: the locations in which a backward value is stored.
        dropout_masks: the array of each recurrent dropout mask.
        dropped: the array of the output after each mask.
        d_dropped: the array of the gradient of each of these.
    """

    def __init__(self, cell: WithDropout) -> None:
        d, self.cell = cell.d, cell
        self.d, self.width, self.names = d, dict(d.widths), Names()
        self.variable = {w: self.names.fresh(w) for w in dict.fromkeys([UNITS, *self.width.values()])}
        self.arrays: dict[str, ArraySpec] = {}
        self.after: dict[str, str] = {}
        self.forward, self.backward = stages(d.forward), stages(d.backward)
        self.products = [self._product(p) for p in d.products]
        self.states = {s: self._state(s) for s in d.states}
        self.dropout_masks = self._dropout_arrays("dropout", (*cell.products, *cell.inner), "one")
        self.dropped = self._dropout_arrays("dropped", cell.products, "steps")
        self.d_dropped = self._dropout_arrays("d_dropped", cell.products, "one")
        self.weights = {p: self._array(f"weight_{p}", [UNITS], "weight") for p in d.parameters}
        gradients = dict(d.gradients)
        self.sums = {p: self._array(f"sum_{p}", [UNITS], "one") for p in d.parameters if p in gradients}
        self.shares = {c: self._array(f"share_{c}", [UNITS], "one") for c in gradients if self.width.get(c) in d.shared}
        self.forward_reads, self.forward_stores = self._argument_locations(), dict[str, list[Location]]()
        self._locate_forward()
        self.backward_reads, self.backward_stores = (
            self._argument_locations() | self.cache,
            dict[str, list[Location]](),
        )
        self._locate_backward()
        self.per = {w: self.names.fresh(f"per_{w}") for w in d.shared}
        self.blocks = {w: self.names.fresh(f"of_{w}") for w in d.shared}
        self.rows = {name: self.names.fresh(f"{name}_row") for name in self.arrays}

    def _argument_locations(self) -> dict[str, Location]:
        """Return the locations of the arguments of a body: columns, states and parameters."""
        columns = {c: Location(z, 0, j) for p, (z, _) in self._with_products() for j, c in enumerate(p.columns)}
        states = {s: Location(state) for s, (state, _) in self.states.items()}
        return columns | states | {p: Location(w) for p, w in self.weights.items()}

    def _locate_forward(self) -> None:
        """Locate the values of the forward lines that another stage or the backward pass reads."""
        d = self.d
        self.sources = [self._inner(i, n) for i, n in zip(d.inner, self.cell.inner, strict=True)]
        self.cache = {name: self.forward_reads.get(name) or self._cache_location(name) for name in d.cache}
        self._carry(d.forward, self.forward, self.forward_reads, self.forward_stores)

    def _locate_backward(self) -> None:
        """Locate the gradients of states, columns and inner products, and the values that a later stage reads."""
        d = self.d
        self.dz = {c: Location(dz, 0, j) for p, (_, dz) in self._with_products() for j, c in enumerate(p.columns)}
        for s, upstream in zip(d.states, d.upstream, strict=True):
            self.backward_reads[upstream] = Location(self.states[s][1], 1, 0, self.width.get(s) in d.shared)
        self.dv = [self._inner_back(i, n) for i, n in zip(d.inner, self.cell.inner, strict=True)]
        self._carry(d.backward, self.backward, self.backward_reads, self.backward_stores)

    def body(self, name: str) -> str:
        """Return the width of a value inside a body, where a value shared by a block of units is broadcast to them."""
        width = self.width.get(name, UNITS)
        return UNITS if width in self.d.shared else width

    def c_names(self) -> dict[str, str]:
        """Return the C name of each value."""
        d = self.d
        lines = [line.name for line in (*d.forward, *d.backward)]
        values = (*d.columns, *d.states, *d.parameters, *d.options, *lines, *d.upstream)
        return {name: self.names.fresh(name) for name in dict.fromkeys(values)}

    # --- arrays -------------------------------------------------------------------------------------------------------

    def _array(self, wanted: str, widths: Sequence[str], time: str) -> str:
        name = self.names.fresh(wanted)
        self.arrays[name] = ArraySpec(name, tuple(widths), time)
        return name

    def _product(self, p: Any) -> tuple[str, str]:
        heads = {c.partition("_")[0] for c in p.columns}
        prefix = p.columns[0] if len(p.columns) == 1 else heads.pop() if len(heads) == 1 else ""
        widths = [self.width.get(c, UNITS) for c in p.columns]
        name = self._array(f"{prefix}_all" if prefix else "all", widths, "steps")
        return name, self._array(f"d_{name}", widths, "steps")

    def _with_products(self) -> Iterable[tuple[Any, tuple[str, str]]]:
        return zip(self.d.products, self.products, strict=True)

    def _state(self, s: str) -> tuple[str, str]:
        width = [self.width.get(s, UNITS)]
        state = self._array(f"state_{s}", width, "states")
        gradient = self._array(f"d_state_{s}", width, "states" if s == self.d.output else "two")
        self.after[state], self.after[gradient] = self.names.fresh(f"next_{s}"), self.names.fresh(f"d_next_{s}")
        return state, gradient

    def _dropout_arrays(self, wanted: str, numbers: Iterable[int | None], time: str) -> dict[int, str]:
        """Add an array for each recurrent dropout mask, as wide as the output; return their names."""
        h, found = self.d.output, [n for n in dict.fromkeys(numbers) if n is not None]
        many = len({*self.cell.products, *self.cell.inner} - {None}) > 1
        width = [self.width.get(h, UNITS)]
        return {n: self._array(f"{wanted}_{h}_{n}" if many else f"{wanted}_{h}", width, time) for n in found}

    def _inner(self, i: Any, number: int | None) -> Argument:
        """Add the array of an inner product; return the array of its source."""
        d, width = self.d, self.width.get(i.source)
        source: Location | None = self.forward_reads.get(i.source)
        dropout_mask = "" if number is None else self.dropout_masks[number]
        if source is None or dropout_mask or i.source in d.columns or width in d.shared:
            location = Location(
                self._array(f"source_{i.source}", [self.body(i.source)], "steps"), dropout_mask=dropout_mask
            )
            self.forward_stores.setdefault(i.source, []).append(location)
            if source is None and not dropout_mask:
                self.forward_reads[i.source] = location
            source = location
        outlives_step = i.v in d.cache or i.v in {other.source for other in d.inner}
        self.forward_reads[i.v] = Location(
            self._array(f"product_{i.v}", [self.body(i.v)], "steps" if outlives_step else "one")
        )
        return source.argument

    def _inner_back(self, i: Any, number: int | None) -> Argument:
        """Add the array of ∂loss/∂source; return the array of ∂loss/∂(inner product)."""
        made = [line.name for line in self.d.backward if line.text == f"{i.dv} @ {i.matrix}.T"]
        dv = Location(self._array(f"cache_{i.dv}", [self.body(i.v)], "steps"))
        self.backward_stores.setdefault(i.dv, []).append(dv)
        if i.dv in self.backward:
            self.backward_reads.setdefault(i.dv, dv)
        dropout_mask = "" if number is None else self.dropout_masks[number]
        for ds in made:  # none if no gradient flows to the source
            self.backward_reads[ds] = Location(
                self._array(f"product_{ds}", [self.body(i.source)], "one"), dropout_mask=dropout_mask
            )
        return dv.argument

    # --- cached values ------------------------------------------------------------------------------------------------

    def _cache_location(self, name: str) -> Location:
        """Locate a forward value that the backward pass reads."""
        for s, new in zip(self.d.states, self.d.new, strict=True):
            if name == new and self.width.get(s) not in self.d.shared:
                self.forward_reads[name] = Location(self.states[s][0], 1)
                return self.forward_reads[name]
        location = self._free_column(name) or Location(self._array(f"cache_{name}", [self.body(name)], "steps"))
        self.forward_stores.setdefault(name, []).append(location)
        self.forward_reads[name] = location
        return location

    def _free_column(self, name: str) -> Location | None:
        """Return a column that is not read after the value is computed; preferably one that the value depends on."""
        d, used = self.d, {at for stored in self.forward_stores.values() for at in stored}
        text = next(line.text for line in d.forward if line.name == name)
        read = [c for c in names_of(text) if c in d.columns]
        for column in (*read, *d.columns):
            fits = self.width.get(column, UNITS) == self.body(name) and column not in d.cache
            readers = [line for line in d.forward if column in names_of(line.text)]
            last = max((self.forward[line.name] for line in readers), default=0)
            if fits and last <= self.forward[name] and self.forward_reads[column] not in used:
                return self.forward_reads[column]
        return None

    def _carry(
        self, lines: Sequence[Any], stage: Mapping[str, int], at: dict[str, Location], stores: dict[str, list[Location]]
    ) -> None:
        """Locate the values that a later stage reads."""
        for line in lines:
            for name in names_of(line.text):
                if name in stage and stage[name] < stage[line.name] and name not in at:
                    at[name] = Location(self._array(f"carry_{name}", [self.body(name)], "one"))
                    stores.setdefault(name, []).append(at[name])


def stages(lines: Sequence[Any]) -> dict[str, int]:
    """Return the stage of each value of the lines.

    It is the earliest possible stage; a value that depends on no other line moves to the stage of its first reader.

    >>> from types import SimpleNamespace
    >>> stages([SimpleNamespace(name=n, text=t) for n, t in (("k", "r * h"), ("v", "k @ P"), ("g", "phi(v + k)"))])
    {'k': 0, 'v': 1, 'g': 1}
    """
    found: dict[str, int] = {}
    for line in lines:
        source, product, _ = line.text.partition(" @ ")
        latest = max((found.get(name, 0) for name in names_of(source)), default=0)
        found[line.name] = latest + bool(product)
    for line in reversed(lines):
        readers = [found[r.name] - (" @ " in r.text) for r in lines if line.name in names_of(r.text)]
        if readers and not found.keys() & set(names_of(line.text)):
            found[line.name] = max(found[line.name], min(readers))
    return found
