"""The place of each value of a cell while its loop runs: which array, which row, which columns.

The columns of a product with x lie in one array for all steps, and so does each state. What the backward pass needs is
kept in as little memory as possible: a column that is not read any more makes room for a gate, of the same width, that
is kept. Whatever only goes from one pass over the rows to the next has an array for a single step.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

UNITS = "units"


class RefusedError(Exception):
    """A cell cannot be written as a loop; the message says why, in a few words."""


class Place(NamedTuple):
    """The place of a value.

    Attributes:
        array: the array's name.
        time: the text of the index of the step; "" where the array is for one step, or for no row either.
        columns: the text of its columns, "" for all.
        width: how many there are, by name.
        by_row: False for a parameter of the cell, which all rows share.
    """

    array: str
    time: str
    columns: str
    width: str
    by_row: bool = True

    def row(self) -> str:
        """Returns the text of one row's piece."""
        at = [part for part in (self.time, "_row", self.columns) if part]
        return f"{self.array}[{', '.join(at)}]" if self.by_row else self.array

    def step(self) -> str:
        """Returns the text of all rows at this step."""
        return f"{self.array}[{self.time}]" if self.time else self.array

    def block(self) -> str:
        """Returns the text of all rows at the steps of a block."""
        of_block = {"_t": "_start:_stop", "_t + 1": "_start + 1 : _stop + 1", "_at": ": _stop - _start"}
        return f"{self.array}[{of_block[self.time]}]"


class Room(NamedTuple):
    """An array to be made before a loop is called.

    Attributes:
        name: of the array.
        time: "steps", "states" (one more), "block" or "".
        widths: of its columns.
        zeros: True if it is to begin with zeros.
    """

    name: str
    time: str
    widths: tuple[str, ...]
    zeros: bool = False


class Stage(NamedTuple):
    """Lines that make one pass over the rows; after all stages but the last comes an inner product."""

    lines: list[tuple[str, ast.expr]]
    product: str  # what the product after it makes; "" after the last


class Names:
    """Names for the text, none of which means two things.

    The printer's own begin with _, which no name of the equations does. A value keeps the name that it has there,
    unless Python or the text knows it: `len` becomes `len_`.
    """

    def __init__(self, d: Any) -> None:
        own = {"_n", "_t", "_at", "_row", "_unit", "_start", "_stop", "_rests", "_batch", "_masks", "_thinned", "_dy"}
        self._taken = {"real", "np", "sigma", "phi", "dsigma", "dphi", *dir(builtins), *own, "forward", "backward"}
        self._scalars: dict[str, str] = {}
        lines = (*d.forward, *d.backward)
        self._known = {*d.columns, *d.states, *d.parameters, *d.options, *d.upstream, *(line.name for line in lines)}

    def import_(self, names: Iterable[str]) -> None:
        """Reserves names that the text imports."""
        self._taken |= set(names)

    def fresh(self, name: str) -> str:
        """Returns this name, or one like it that is not taken, and takes it."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def scalar(self, name: str) -> str:
        """Returns the name of a value of the equations."""
        if name not in self._scalars:
            new = name
            while new in self._taken or (new != name and new in self._known):
                new += "_"
            self._scalars[name] = new
            self._taken.add(new)
        return self._scalars[name]


def stages_of(lines: Sequence[Any]) -> list[Stage]:
    """Cuts lines at their inner products."""
    found, now = [], list[tuple[str, ast.expr]]()
    for line in lines:
        if "@" in line.text:
            found.append(Stage(now, line.name))
            now = []
        else:
            now.append((line.name, ast.parse(line.text, mode="eval").body))
    return [*found, Stage(now, "")]


def read_in(e: ast.expr) -> list[str]:
    """Returns the names of values in an expression, in order."""
    words = {id(n.func) for n in ast.walk(e) if isinstance(n, ast.Call)}
    return list(dict.fromkeys(n.id for n in ast.walk(e) if isinstance(n, ast.Name) and id(n) not in words))


def extent(widths: Sequence[str], at: int, variable: dict[str, str]) -> str:
    """Returns the text of the columns of the at-th of several values side by side, ``_units : 2 * _units``."""
    if len(widths) == 1:
        return ""
    first, last = _total(widths[:at], variable), _total(widths[: at + 1], variable)
    if at == len(widths) - 1:
        return f"{first}:" if first.isidentifier() else f"{first} :"
    return f"{first} : {last}" if at else f":{last}" if last.isidentifier() else f": {last}"


def _total(widths: Sequence[str], variable: dict[str, str]) -> str:
    counts = {w: widths.count(w) for w in widths}
    return " + ".join(variable[w] if n == 1 else f"{n} * {variable[w]}" for w, n in counts.items())


class ForwardPlaces:
    """The places of all values of the forward lines.

    Attributes:
        stages: of the forward lines.
        at: the place in which a value is read forward.
        kept: the place in which the backward pass finds it.
        stores: all places that a value is written to when it is made.
        products: for each product, the place of its columns as a whole.
        source: for each inner product, what is multiplied.
        cached: the arrays that the backward pass needs, the states' last; `room`: those for one step.
    """

    def __init__(self, d: Any, names: Names, variable: dict[str, str], width: dict[str, str]) -> None:
        self.d, self._names, self._variable, self._width = d, names, variable, width
        self.stages = stages_of(d.forward)
        self.at: dict[str, Place] = {}
        self.kept: dict[str, Place] = {}
        self.stores: dict[str, list[Place]] = {}
        self.cached: list[Room] = []
        self.room: list[Room] = []
        self.made = {n: k for k, stage in enumerate(self.stages) for n, _ in stage.lines}
        self.made |= {stage.product: k + 1 for k, stage in enumerate(self.stages) if stage.product}
        self.last_read = {n: k for k, stage in enumerate(self.stages) for _, e in stage.lines for n in read_in(e)}
        self.inner_sources = {i.source for i in d.inner}
        self._states()
        self._columns()
        self._inner()
        self._others()

    def body(self, name: str) -> str:
        """Returns the width that a value has inside the body, where a shared one is spread."""
        width = self._width.get(name, UNITS)
        return UNITS if width in self.d.shared else width

    def _states(self) -> None:
        d = self.d
        self.states = {s: self._names.fresh(f"_{s}") for s in d.states}
        for s, new in zip(d.states, d.new, strict=True):
            width = self._width.get(s, UNITS)
            self.at[s] = self.kept[s] = Place(self.states[s], "_t", "", width)
            place = Place(self.states[s], "_t + 1", "", width)
            self.stores.setdefault(new, []).append(place)
            self.at.setdefault(new, place)
            self.kept.setdefault(new, place)
        for p in d.parameters:
            self.at[p] = self.kept[p] = Place(self._names.fresh(f"_{p}"), "", "", UNITS, by_row=False)

    def _columns(self) -> None:
        """The products' columns; one alone lies where the new state will, if nothing stands against it."""
        self.products: list[Place] = []
        self.free: list[tuple[str, Place]] = []
        many = len(self.d.products) > 1
        for k, p in enumerate(self.d.products):
            with_x = any(t.source == "x" for t in p.terms)
            state = self._state_for(p) if with_x else None
            widths = tuple(self._width.get(c, UNITS) for c in p.columns)
            if state is None:
                name = self._names.fresh(f"_z{k}" if many else "_z")
                (self.cached if with_x else self.room).append(Room(name, "steps" if with_x else "", widths))
            array, time = (name, "_t" if with_x else "") if state is None else (state.array, state.time)
            self.products.append(Place(array, time, "", ""))
            for j, c in enumerate(p.columns):
                self.at[c] = Place(array, time, extent(widths, j, self._variable), widths[j])
                if with_x and c in self.d.cache:
                    self.kept[c] = self.at[c]
                elif with_x and state is None and widths[j] not in self.d.shared:
                    self.free.append((c, self.at[c]))

    def _state_for(self, p: Any) -> Place | None:
        if len(self.stages) > 1 or len(p.columns) > 1 or p.columns[0] in {*self.d.cache, *self._aliased()}:
            return None
        width, taken = self._width.get(p.columns[0], UNITS), {place.array for place in self.products}
        new = [self.stores[n][0] for n in dict.fromkeys(self.d.new) if len(self.stores[n]) == 1]
        fits = [place for place in new if place.width == width not in self.d.shared and place.array not in taken]
        return fits[0] if fits else None

    def _aliased(self) -> set[str]:
        return {n for n in self.d.new if self.d.new.count(n) > 1}

    def _inner(self) -> None:
        """Products inside the body, and what is multiplied there, have arrays of their own."""
        self.source: list[Place] = []
        for i in self.d.inner:
            if i.source in self.d.parameters:
                raise RefusedError(f"the inner product {i.source} @ {i.matrix} multiplies a parameter")
            if {self._width.get(n) for n in (i.v, i.source)} & set(self.d.shared):
                raise RefusedError(f"the inner product {i.source} @ {i.matrix} is of a shared width")
            whole = not self.at[i.source].columns if i.source in self.at else False
            if i.source in self.at and whole and self.at[i.source].time in ("_t", "_t + 1"):
                self.source.append(self.at[i.source])
            else:
                self.source.append(self._own(i.source, i.source in self.d.cache))
                self.at.setdefault(i.source, self.source[-1])
                if i.source in self.d.cache:
                    self.kept.setdefault(i.source, self.source[-1])
            if i.v not in self.at:
                self.at[i.v] = self._own(i.v, i.v in self.d.cache, store=False)
                self.kept[i.v] = self.at[i.v]

    def _own(self, name: str, cached: bool, store: bool = True) -> Place:
        """An array for one value."""
        array, width = self._names.fresh(f"_{name}"), self.body(name)
        (self.cached if cached else self.room).append(Room(array, "steps" if cached else "", (width,)))
        place = Place(array, "_t" if cached else "", "", width)
        if store:
            self.stores.setdefault(name, []).append(place)
        return place

    def _others(self) -> None:
        """Finds places for the other values that are kept, or go from stage to stage."""
        for name in self.d.cache:
            if name not in self.kept:
                place = self._freed(name)
                if place is None:
                    place = self._own(name, True)
                else:
                    self.stores.setdefault(name, []).append(place)
                self.kept[name] = place
                self.at.setdefault(name, place)
        for name, stage in self.made.items():
            if name not in self.at and self.last_read.get(name, stage) > stage:
                self.at[name] = self._own(name, False)

    def _freed(self, name: str) -> Place | None:
        """The place of a column of the same width that is read no more once the value is made."""
        made, reads = self.made.get(name, 0), self._made_of(name)
        fits = [
            (c, place)
            for c, place in self.free
            if place.width == self.body(name) and self.last_read.get(c, 0) <= made and c not in self.inner_sources
        ]
        fits.sort(key=lambda found: found[0] not in reads)
        if not fits or name in self.d.columns:
            return None
        self.free.remove(fits[0])
        return fits[0][1]

    def _made_of(self, name: str) -> Collection[str]:
        return next((read_in(e) for stage in self.stages for n, e in stage.lines if n == name), [])
