"""Widths: the number of values that each name of a cell stands for, `units` or another.

There are two kinds of other widths. A **shared** width belongs to gates that several units have in common. It divides
the number of units; in a line with names of `units` values, each number of a shared gate applies to all units of its
block. A **projected** width is that of the result of an inner product; no line mixes its names with names of `units`
values.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from minigrad.recurrent.compiler.body import CheckedBody
from minigrad.recurrent.description import Inner
from minigrad.recurrent.reader import Assignment, names

UNITS = "units"


def apart(text: str) -> tuple[str, str]:
    """Return the name and the width of ``"z_i:blocks"``; the width is "units" where none is given.

    >>> apart("z_i:blocks"), apart("c")
    (('z_i', 'blocks'), ('c', 'units'))
    """
    name, _, width = text.partition(":")
    return name, width or UNITS


class Widths:
    """The width of every name of a cell.

    Args:
        forward: the body, for messages.
        declared: the width of each column and state.
        new: by state, the name of its new value.
        lines: the forward lines.
        reduced: True if an inner matrix was simplified away, and perhaps a width with it.

    Attributes:
        of: the width of each name in arrays: columns, states, and the names of the lines.
        shared: the shared widths, in order of appearance.
    """

    def __init__(
        self,
        forward: CheckedBody,
        declared: Mapping[str, str],
        new: Mapping[str, str],
        lines: Sequence[Assignment],
        reduced: bool,
    ) -> None:
        self.of = dict(declared)
        self.shared: list[str] = []
        projected = _projected(lines, {name: declared[s] for s, name in new.items()})
        for line in lines:
            self.of[line.name] = projected.get(line.name) or self._width(line.value)
        for s, name in new.items():
            got = self.of.get(name, UNITS)
            if got != declared[s] and not reduced:
                what = f"expected {declared[s]} numbers for the new {s}, as `states` says, got {got}"
                advice = f"write '{s}:{got}' there, or compute it from names of that width alone"
                raise forward.error(next((a.number for a in lines if a.name == name), forward.number), what, advice)
            self.of[s] = got if reduced else declared[s]
        for line in lines:  # in the body, a shared gate is spread over its block
            if self.of[line.name] in self.shared:
                self.of[line.name] = UNITS

    def read_backward(self, upstream: Mapping[str, str], lines: Sequence[Assignment], inner: Sequence[Inner]) -> None:
        """Find the widths of the backward lines; `upstream` names the gradient of each new state."""
        of = {d: self._in_body(s) for s, d in upstream.items()}
        source = {i.matrix: self._in_body(i.source) for i in inner}
        for line in lines:
            matrix = matrix_of(line.value)
            known = {n: of.get(n) or self._in_body(n) for n in names(line.value) if n in of or n in self.of}
            found = set(known.values())
            of[line.name] = source[matrix] if matrix else found.pop() if len(found) == 1 else UNITS
        self.of.update(of)

    def others(self) -> tuple[tuple[str, str], ...]:
        """Return the names whose width is not `units`, each with its width."""
        return tuple((name, width) for name, width in self.of.items() if width != UNITS)

    def _in_body(self, name: str) -> str:
        width = self.of.get(name, UNITS)
        return UNITS if width in self.shared else width

    def _width(self, e: ast.expr) -> str:
        """The width of an elementwise expression; if it has two, the narrow one is shared."""
        found = list(dict.fromkeys(self.of[n] for n in names(e) if n in self.of))
        if len(found) > 1:
            self.shared += [w for w in found if w != UNITS and w not in self.shared]
        return found[0] if len(found) == 1 else UNITS


def matrix_of(e: ast.expr) -> str:
    """Return the inner matrix of a product, or ""."""
    if not (isinstance(e, ast.BinOp) and isinstance(e.op, ast.MatMult)):
        return ""
    right = e.right.value if isinstance(e.right, ast.Attribute) else e.right
    return right.id if isinstance(right, ast.Name) else ""


def _projected(lines: Sequence[Assignment], wanted: Mapping[str, str]) -> dict[str, str]:
    """The width of each inner product: that of the new state that depends on it elementwise, else units."""
    leads = dict(wanted)
    for line in reversed(lines):
        if line.name in leads and not matrix_of(line.value):
            for n in names(line.value):
                leads.setdefault(n, leads[line.name])
    return {line.name: leads.get(line.name, UNITS) for line in lines if matrix_of(line.value)}
