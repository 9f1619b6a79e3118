"""The arrays of a cell, the place of each value in them, and the stage at which it is made.

A *stage* is what lies between two inner products: a value of stage 1 waits for a product of values of stage 0. What
`backward` reads of `forward` is kept: where a column stood that has been read for the last time, or in its own array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from minigrad_cuda.expressions import Names, names_of
from minigrad_cuda.plan import UNITS, Argument, Array
from minigrad_cuda.thinned import Thinned


class Place(NamedTuple):
    """A column of an array at a step.

    Attributes:
        array: its name.
        step: 0 at t, 1 at t + 1.
        column: which of its columns.
        first: True where it counts for the first unit of each block alone.
        thinned: the array of the recurrent dropout mask that a value is multiplied by on its way there, or from there.
    """

    array: str
    step: int = 0
    column: int = 0
    first: bool = False
    thinned: str = ""

    @property
    def argument(self) -> Argument:
        """The array at the step."""
        return Argument(self.array, self.step)


class Layout:
    """The arrays of a cell.

    Args:
        cell: the cell, its recurrent dropout masks shared out.

    Attributes:
        names: gives names that are free in all kernels.
        arrays: the arrays, by name.
        after: for arrays of states, what kernels call them at step t + 1.
        forward: the stage of each value that is made forward; `backward` likewise.
        at: where values stand that a forward kernel may read.
        back: where values stand that a backward kernel may read.
        keeps: where a value is stored once it is made forward; `carries` the same backward.
        mask: the array of each recurrent dropout mask; `thin` of the thinned output, `d_thin` of its gradient.
    """

    def __init__(self, cell: Thinned) -> None:
        d, self.cell = cell.d, cell
        self.d, self.width, self.names = d, dict(d.widths), Names()
        self.variable = {w: self.names.fresh(w) for w in dict.fromkeys([UNITS, *self.width.values()])}
        self.arrays: dict[str, Array] = {}
        self.after: dict[str, str] = {}
        self.forward, self.backward = stages(d.forward), stages(d.backward)
        self.products = [self._product(p) for p in d.products]
        self.states = {s: self._state(s) for s in d.states}
        self.mask = self._of_masks("dropout", (*cell.products, *cell.inner), "one")
        self.thin = self._of_masks("thin", cell.products, "steps")
        self.d_thin = self._of_masks("d_thin", cell.products, "one")
        self.weights = {p: self._array(f"weight_{p}", [UNITS], "weight") for p in d.parameters}
        gradients = dict(d.gradients)
        self.sums = {p: self._array(f"sum_{p}", [UNITS], "one") for p in d.parameters if p in gradients}
        self.shares = {c: self._array(f"share_{c}", [UNITS], "one") for c in gradients if self.width.get(c) in d.shared}
        self.at, self.keeps = self._given(), dict[str, list[Place]]()
        self._place_forward()
        self.back, self.carries = self._given() | self.cache, dict[str, list[Place]]()
        self._place_backward()
        self.per = {w: self.names.fresh(f"per_{w}") for w in d.shared}
        self.blocks = {w: self.names.fresh(f"of_{w}") for w in d.shared}
        self.rows = {name: self.names.fresh(f"{name}_row") for name in self.arrays}

    def _given(self) -> dict[str, Place]:
        """The places of what a body is given: columns, states and parameters."""
        columns = {c: Place(z, 0, j) for p, (z, _) in self._with_products() for j, c in enumerate(p.columns)}
        states = {s: Place(state) for s, (state, _) in self.states.items()}
        return columns | states | {p: Place(w) for p, w in self.weights.items()}

    def _place_forward(self) -> None:
        """Finds the places of what the forward lines make, and another line reads."""
        d = self.d
        self.sources = [self._inner(i, n) for i, n in zip(d.inner, self.cell.inner, strict=True)]
        self.cache = {name: self.at.get(name) or self._kept(name) for name in d.cache}
        self._carry(d.forward, self.forward, self.at, self.keeps)

    def _place_backward(self) -> None:
        """Finds the places of gradients: of states, columns and inner products, and of what a later stage reads."""
        d = self.d
        self.dz = {c: Place(dz, 0, j) for p, (_, dz) in self._with_products() for j, c in enumerate(p.columns)}
        for s, arrived in zip(d.states, d.upstream, strict=True):
            self.back[arrived] = Place(self.states[s][1], 1, 0, self.width.get(s) in d.shared)
        self.dv = [self._inner_back(i, n) for i, n in zip(d.inner, self.cell.inner, strict=True)]
        self._carry(d.backward, self.backward, self.back, self.carries)

    def body(self, name: str) -> str:
        """Returns the width of a value inside a body: there what units share is spread over them."""
        width = self.width.get(name, UNITS)
        return UNITS if width in self.d.shared else width

    def called(self) -> dict[str, str]:
        """Returns what each value is called in C."""
        d = self.d
        lines = [line.name for line in (*d.forward, *d.backward)]
        values = (*d.columns, *d.states, *d.parameters, *d.options, *lines, *d.upstream)
        return {name: self.names.fresh(name) for name in dict.fromkeys(values)}

    # --- arrays -------------------------------------------------------------------------------------------------------

    def _array(self, wanted: str, widths: Sequence[str], time: str) -> str:
        name = self.names.fresh(wanted)
        self.arrays[name] = Array(name, tuple(widths), time)
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

    def _of_masks(self, wanted: str, numbers: Iterable[int | None], time: str) -> dict[int, str]:
        """An array for each recurrent dropout mask, as wide as the output."""
        h, found = self.d.output, [n for n in dict.fromkeys(numbers) if n is not None]
        many = len({*self.cell.products, *self.cell.inner} - {None}) > 1
        width = [self.width.get(h, UNITS)]
        return {n: self._array(f"{wanted}_{h}_{n}" if many else f"{wanted}_{h}", width, time) for n in found}

    def _inner(self, i: Any, number: int | None) -> Argument:
        """Makes the array of an inner product; returns where its source stands."""
        d, width = self.d, self.width.get(i.source)
        source: Place | None = self.at.get(i.source)
        thinned = "" if number is None else self.mask[number]
        if source is None or thinned or i.source in d.columns or width in d.shared:
            place = Place(self._array(f"source_{i.source}", [self.body(i.source)], "steps"), thinned=thinned)
            self.keeps.setdefault(i.source, []).append(place)
            if source is None and not thinned:
                self.at[i.source] = place
            source = place
        lasts = i.v in d.cache or i.v in {other.source for other in d.inner}
        self.at[i.v] = Place(self._array(f"product_{i.v}", [self.body(i.v)], "steps" if lasts else "one"))
        return source.argument

    def _inner_back(self, i: Any, number: int | None) -> Argument:
        """Makes the array of ∂loss/∂source; returns where ∂loss/∂(inner product) stands."""
        made = [line.name for line in self.d.backward if line.text == f"{i.dv} @ {i.matrix}.T"]
        dv = Place(self._array(f"kept_{i.dv}", [self.body(i.v)], "steps"))
        self.carries.setdefault(i.dv, []).append(dv)
        if i.dv in self.backward:
            self.back.setdefault(i.dv, dv)
        thinned = "" if number is None else self.mask[number]
        for ds in made:  # none, where the source is stopped
            self.back[ds] = Place(self._array(f"product_{ds}", [self.body(i.source)], "one"), thinned=thinned)
        return dv.argument

    # --- what is kept -------------------------------------------------------------------------------------------------

    def _kept(self, name: str) -> Place:
        """Finds a place for a value of `forward` that `backward` reads."""
        for s, new in zip(self.d.states, self.d.new, strict=True):
            if name == new and self.width.get(s) not in self.d.shared:
                self.at[name] = Place(self.states[s][0], 1)
                return self.at[name]
        place = self._free_column(name) or Place(self._array(f"kept_{name}", [self.body(name)], "steps"))
        self.keeps.setdefault(name, []).append(place)
        self.at[name] = place
        return place

    def _free_column(self, name: str) -> Place | None:
        """The place of a column that is not read after the value is made; best, of one that the value is made of."""
        d, used = self.d, {place for places in self.keeps.values() for place in places}
        text = next(line.text for line in d.forward if line.name == name)
        read = [c for c in names_of(text) if c in d.columns]
        for column in (*read, *d.columns):
            fits = self.width.get(column, UNITS) == self.body(name) and column not in d.cache
            readers = [line for line in d.forward if column in names_of(line.text)]
            last = max((self.forward[line.name] for line in readers), default=0)
            if fits and last <= self.forward[name] and self.at[column] not in used:
                return self.at[column]
        return None

    def _carry(
        self, lines: Sequence[Any], stage: Mapping[str, int], at: dict[str, Place], stores: dict[str, list[Place]]
    ) -> None:
        """Finds places for values that a later stage reads."""
        for line in lines:
            for name in names_of(line.text):
                if name in stage and stage[name] < stage[line.name] and name not in at:
                    at[name] = Place(self._array(f"carry_{name}", [self.body(name)], "one"))
                    stores.setdefault(name, []).append(at[name])


def stages(lines: Sequence[Any]) -> dict[str, int]:
    """Returns the stage of each value that the lines make.

    It is the first possible one, and the stage of its first reader for a value that waits for none of the others.

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
