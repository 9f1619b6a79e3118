"""Locations of values in arrays, the arrays themselves, names for the printed text, and stages of lines."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

UNITS = "units"


class UnsupportedError(Exception):
    """Raised for a cell that cannot be written as a loop; the message gives the reason in a few words."""


class Location(NamedTuple):
    """The location of a value.

    Attributes:
        array: the name of the array.
        time: the text of the index of the step; "" if the array holds one step, or a parameter.
        columns: the text of the slice of its columns, "" for all.
        width: the number of columns, by name.
        by_row: False for a parameter of the cell, which all rows share.
    """

    array: str
    time: str
    columns: str
    width: str
    by_row: bool = True

    def row(self) -> str:
        """Return the text of one row."""
        at = [part for part in (self.time, "_row", self.columns) if part]
        return f"{self.array}[{', '.join(at)}]" if self.by_row else self.array

    def step(self) -> str:
        """Return the text of all rows at this step."""
        return f"{self.array}[{self.time}]" if self.time else self.array

    def block(self) -> str:
        """Return the text of all rows at the steps of a block."""
        of_block = {"_t": "_start:_stop", "_t + 1": "_start + 1 : _stop + 1", "_at": ": _stop - _start"}
        return f"{self.array}[{of_block[self.time]}]"


class ArraySpec(NamedTuple):
    """An array that is allocated before a loop is called.

    Attributes:
        name: the name of the array.
        time: "steps", "states" (one step more), "block", or "" for a single step.
        widths: the widths of its columns.
        zeros: whether it is initialized with zeros.
    """

    name: str
    time: str
    widths: tuple[str, ...]
    zeros: bool = False


class Stage(NamedTuple):
    """Lines that are computed in one loop over the rows; an inner product follows every stage but the last."""

    lines: list[tuple[str, ast.expr]]
    product: str  # the result of the product that follows; "" in the last stage


class Names:
    """A source of unique names for the text.

    Names of the printer begin with _, which no name of the equations does. A value keeps its name in the equations,
    unless Python or the text uses that name: `len` becomes `len_`.
    """

    def __init__(self, d: Any) -> None:
        own = {
            "_n", "_t", "_at", "_row", "_unit", "_start", "_stop", "_masked", "_batch", "_dropout_masks", "_dropped",
            "_dy",
        }  # fmt: skip
        self._taken = {"real", "np", "sigma", "phi", "dsigma", "dphi", *dir(builtins), *own, "forward", "backward"}
        self._scalars: dict[str, str] = {}
        lines = (*d.forward, *d.backward)
        self._known = {*d.columns, *d.states, *d.parameters, *d.options, *d.upstream, *(line.name for line in lines)}

    def import_(self, names: Iterable[str]) -> None:
        """Reserve names that the text imports."""
        self._taken |= set(names)

    def fresh(self, name: str) -> str:
        """Return this name, or a similar one that is free, and reserve it."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def scalar(self, name: str) -> str:
        """Return the name of a value of the equations."""
        if name not in self._scalars:
            new = name
            while new in self._taken or (new != name and new in self._known):
                new += "_"
            self._scalars[name] = new
            self._taken.add(new)
        return self._scalars[name]


def stages_of(lines: Sequence[Any]) -> list[Stage]:
    """Split lines into stages at their inner products."""
    found, now = [], list[tuple[str, ast.expr]]()
    for line in lines:
        if "@" in line.text:
            found.append(Stage(now, line.name))
            now = []
        else:
            now.append((line.name, ast.parse(line.text, mode="eval").body))
    return [*found, Stage(now, "")]


def read_in(e: ast.expr) -> list[str]:
    """Return the names of values in an expression, in order."""
    functions = {id(n.func) for n in ast.walk(e) if isinstance(n, ast.Call)}
    return list(dict.fromkeys(n.id for n in ast.walk(e) if isinstance(n, ast.Name) and id(n) not in functions))


def extent(widths: Sequence[str], at: int, variable: dict[str, str]) -> str:
    """Return the slice of the columns of the at-th of several concatenated values, such as ``_units : 2 * _units``."""
    if len(widths) == 1:
        return ""
    first, last = _total(widths[:at], variable), _total(widths[: at + 1], variable)
    if at == len(widths) - 1:
        return f"{first}:" if first.isidentifier() else f"{first} :"
    return f"{first} : {last}" if at else f":{last}" if last.isidentifier() else f": {last}"


def _total(widths: Sequence[str], variable: dict[str, str]) -> str:
    counts = {w: widths.count(w) for w in widths}
    return " + ".join(variable[w] if n == 1 else f"{n} * {variable[w]}" for w, n in counts.items())
