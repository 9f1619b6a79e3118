"""Functions over the units of one row: each loads numbers, computes the lines of a stage, and stores the results.

The arguments do not overlap in memory, and `noalias` declares that to the compiler, which then vectorizes the loop over
the units. A stage whose lines have values of two widths becomes two functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from minigrad_numba.locations import UNITS, Location, Names, UnsupportedError, read_in
from minigrad_numba.rules import number_text


class Write(NamedTuple):
    """A value that is stored.

    Attributes:
        name: the name of the value; "" for 0.
        location: the location that it is written to.
        adds: whether it is added to the location, which all rows share.
    """

    name: str
    location: Location
    adds: bool = False


class Read(NamedTuple):
    """The location that a value is read from, and an addend: the upstream gradient of the output."""

    location: Location
    plus: Location | None = None
    first: bool = False  # True for the gradient of a state that a block of units shares: only the first unit reads it


class RowFunctions:
    """The writer of row functions.

    Args:
        d: the description.
        names: the names of the text.
        body: returns the width of a value inside the body.
        variable: the variable of each width.
        per: for each shared width, the variable for the number of units that share a number.

    Attributes:
        text: the functions written so far.
    """

    def __init__(
        self, d: Any, names: Names, body: Callable[[str], str], variable: dict[str, str], per: dict[str, str]
    ) -> None:
        self.d, self.names, self.body, self.variable, self.per = d, names, body, variable, per
        self.text: list[str] = []

    def write(
        self,
        kind: tuple[str, str],
        lines: list[tuple[str, ast.expr]],
        writes: Iterable[Write],
        value: Callable[[str], Read],
    ) -> list[str]:
        """Write the functions of a stage; return their calls.

        Args:
            kind: the name of the functions, and their docstring.
            lines: (name, expression) of the stage.
            writes: the values to store.
            value: returns the location of a value that the lines do not compute.
        """
        writes, calls = list(writes), []
        width = {name: self.body(name) for name, _ in lines}
        of_write = [width.get(w.name) or self._width_of(w.location) for w in writes]
        for group in dict.fromkeys([*width.values(), *of_write]):
            computed = [(n, e) for n, e in lines if width[n] == group]
            stored = [w for w, g in zip(writes, of_write, strict=True) if g == group]
            if stored:
                name = self.names.fresh(kind[0] if group == UNITS else f"{kind[0]}_{group}")
                calls.append(_RowFunction(self, group, value).write(name, kind[1], computed, stored))
        return calls

    def _width_of(self, location: Location) -> str:
        return UNITS if location.width in self.d.shared else location.width


class _RowFunction:
    """The writer of one function: loads, lines and stores for each unit of a width."""

    def __init__(self, printer: RowFunctions, width: str, value: Callable[[str], Read]) -> None:
        self.printer, self.width, self.value, self.names = printer, width, value, printer.names
        self.arguments: dict[str, str] = {}  # text of a row: name of the argument
        self.scalars: dict[str, None] = {}  # arguments that are scalars
        self._taken: set[str] = {"_unit", printer.variable[width], *printer.per.values()}

    def write(self, name: str, comment: str, lines: list[tuple[str, ast.expr]], writes: list[Write]) -> str:
        """Write the function; return its call."""
        made = {n for n, _ in lines}
        wanted = [*(n for _, e in lines for n in read_in(e)), *(w.name for w in writes if w.name)]
        loads = [n for n in dict.fromkeys(wanted) if n not in made]
        body = [self._load(n) for n in loads if n not in self.printer.d.options]
        for n in loads:
            if n in self.printer.d.options:
                self.scalars[self.names.scalar(n)] = None
        body += [f"{self.names.scalar(n)} = {number_text(self._named(e))}" for n, e in lines]
        for w in writes:
            body += self._store(w)
        size = self.printer.variable[self.width]
        arguments = ", ".join([*self.arguments.values(), size, *self.scalars])
        self.printer.text += ["", "", "@noalias", f"def {name}({arguments}):", f'    """{comment}"""']
        self.printer.text += [f"    for _unit in range({size}):"]
        self.printer.text += ["        " + line for line in body]
        return f"{name}({', '.join([*self.arguments, size, *self.scalars])})"

    def _load(self, name: str) -> str:
        value = self.value(name)
        if self.printer._width_of(value.location) != self.width:
            raise UnsupportedError(f"an operation mixes {name} with values of another width")
        text = self._at(value.location, name)
        if value.plus is not None:
            text += f" + {self._at(value.plus, 'dy')}"
        if value.first:
            text = f"{text} if {self._first(value.location)} else real(0)"
        return f"{self.names.scalar(name)} = {text}"

    def _store(self, w: Write) -> list[str]:
        value = self.names.scalar(w.name) if w.name else "real(0)"
        at = self._at(w.location, w.name or "zero")
        if w.adds:
            return [f"{at} += {value}"]
        if not self._shared(w.location):
            return [f"{at} = {value}"]
        return [f"{at} = {value} if {self._first(w.location)} else {self._rest(w, at, value)}"]

    def _rest(self, w: Write, at: str, value: str) -> str:
        """Return the value that a block's other units write to a shared location: gradients add up, a state stays."""
        return at if w.name in self.printer.d.new else f"{at} + {value}"

    def _shared(self, location: Location) -> bool:
        return location.width in self.printer.d.shared

    def _first(self, location: Location) -> str:
        return f"_unit % {self._per(location)} == 0"

    def _per(self, location: Location) -> str:
        per = self.printer.per[location.width]
        self.scalars[per] = None
        return per

    def _at(self, location: Location, name: str) -> str:
        text = location.row()
        if text not in self.arguments:
            argument = f"_{name}"
            while argument in {*self.arguments.values(), *self._taken}:
                argument += "_"
            self.arguments[text] = argument
        return (
            f"{self.arguments[text]}[_unit // {self._per(location)}]"
            if self._shared(location)
            else f"{self.arguments[text]}[_unit]"
        )

    def _named(self, e: ast.expr) -> ast.expr:
        """Return the expression with the names of its values in the text."""
        renamed: ast.expr = _Renamed(self.names).visit(ast.parse(ast.unparse(e), mode="eval").body)
        return renamed


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Names) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.scalar(node.id), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return ast.Call(node.func, [self.visit(a) for a in node.args], [])
