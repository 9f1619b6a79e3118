"""One pass over a row's units: a function that loads numbers, computes the lines of a stage, and stores numbers.

No two of its arguments overlap in memory, and it tells the compiler so (`apart`), without which it would not dare to
compute several units at once. A stage whose lines have values of two widths is two such functions.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from minigrad_numba.places import UNITS, Names, Place, RefusedError, read_in
from minigrad_numba.rules import number_text


class Write(NamedTuple):
    """A value that is stored.

    Attributes:
        name: of the value; "" for 0.
        place: where it goes.
        adds: True if it is added to what is there, which all rows share.
    """

    name: str
    place: Place
    adds: bool = False


class Value(NamedTuple):
    """The place at which a value is read, and the addend there: the upstream gradient of the output."""

    place: Place
    plus: Place | None = None
    first: bool = False  # a state that a block of units shares: its gradient enters at the first of them


class Pass:
    """Writes passes.

    Args:
        d: the description.
        names: of the text.
        body: tells the width of a value inside the body.
        variable: the variable of each width.
        per: by shared width, the variable that says how many units share a number.

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
        value: Callable[[str], Value],
    ) -> list[str]:
        """Writes the functions of a stage, and returns the calls.

        Args:
            kind: what the functions are called, and what is said of them.
            lines: (name, expression) of the stage.
            writes: what is stored.
            value: tells where a value is read that the lines do not make.
        """
        writes, calls = list(writes), []
        width = {name: self.body(name) for name, _ in lines}
        of_write = [width.get(w.name) or self._width_of_place(w.place) for w in writes]
        for group in dict.fromkeys([*width.values(), *of_write]):
            own = [(n, e) for n, e in lines if width[n] == group]
            stored = [w for w, g in zip(writes, of_write, strict=True) if g == group]
            if stored:
                name = self.names.fresh(kind[0] if group == UNITS else f"{kind[0]}_{group}")
                calls.append(_One(self, group, value).write(name, kind[1], own, stored))
        return calls

    def _width_of_place(self, place: Place) -> str:
        return UNITS if place.width in self.d.shared else place.width


class _One:
    """One function: for each unit of a width, loads, lines, stores."""

    def __init__(self, of: Pass, width: str, value: Callable[[str], Value]) -> None:
        self.of, self.width, self.value, self.names = of, width, value, of.names
        self.pieces: dict[str, str] = {}  # the text of a row's piece: its name as an argument
        self.others: dict[str, None] = {}  # arguments that are numbers
        self._taken: set[str] = {"_unit", of.variable[width], *of.per.values()}

    def write(self, name: str, said: str, lines: list[tuple[str, ast.expr]], writes: list[Write]) -> str:
        """Writes the function, and returns the call."""
        made = {n for n, _ in lines}
        wanted = [*(n for _, e in lines for n in read_in(e)), *(w.name for w in writes if w.name)]
        loads = [n for n in dict.fromkeys(wanted) if n not in made]
        body = [self._load(n) for n in loads if n not in self.of.d.options]
        for n in loads:
            if n in self.of.d.options:
                self.others[self.names.scalar(n)] = None
        body += [f"{self.names.scalar(n)} = {number_text(self._named(e))}" for n, e in lines]
        for w in writes:
            body += self._store(w)
        size = self.of.variable[self.width]
        arguments = ", ".join([*self.pieces.values(), size, *self.others])
        self.of.text += ["", "", "@apart", f"def {name}({arguments}):", f'    """{said}"""']
        self.of.text += [f"    for _unit in range({size}):"]
        self.of.text += ["        " + line for line in body]
        return f"{name}({', '.join([*self.pieces, size, *self.others])})"

    def _load(self, name: str) -> str:
        value = self.value(name)
        if self.of._width_of_place(value.place) != self.width:
            raise RefusedError(f"{name} meets values of another width")
        text = self._at(value.place, name)
        if value.plus is not None:
            text += f" + {self._at(value.plus, 'dy')}"
        if value.first:
            text = f"{text} if {self._first(value.place)} else real(0)"
        return f"{self.names.scalar(name)} = {text}"

    def _store(self, w: Write) -> list[str]:
        value = self.names.scalar(w.name) if w.name else "real(0)"
        at = self._at(w.place, w.name or "zero")
        if w.adds:
            return [f"{at} += {value}"]
        if not self._shared(w.place):
            return [f"{at} = {value}"]
        return [f"{at} = {value} if {self._first(w.place)} else {self._rest(w, at, value)}"]

    def _rest(self, w: Write, at: str, value: str) -> str:
        """Returns what other units of a block give to a shared place: a gradient is summed, a state is as it is."""
        return at if w.name in self.of.d.new else f"{at} + {value}"

    def _shared(self, place: Place) -> bool:
        return place.width in self.of.d.shared

    def _first(self, place: Place) -> str:
        return f"_unit % {self._per(place)} == 0"

    def _per(self, place: Place) -> str:
        per = self.of.per[place.width]
        self.others[per] = None
        return per

    def _at(self, place: Place, name: str) -> str:
        text = place.row()
        if text not in self.pieces:
            piece = f"_{name}"
            while piece in {*self.pieces.values(), *self._taken}:
                piece += "_"
            self.pieces[text] = piece
        return (
            f"{self.pieces[text]}[_unit // {self._per(place)}]"
            if self._shared(place)
            else f"{self.pieces[text]}[_unit]"
        )

    def _named(self, e: ast.expr) -> ast.expr:
        """The expression with the names that its values have in the text."""
        renamed: ast.expr = _Renamed(self.names).visit(ast.parse(ast.unparse(e), mode="eval").body)
        return renamed


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Names) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.scalar(node.id), ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return ast.Call(node.func, [self.visit(a) for a in node.args], [])
