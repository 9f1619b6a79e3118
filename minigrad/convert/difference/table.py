"""What `explain_difference` answers: rows, and the ways to look at them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

SAME = 1e-12
_LEFT = "max |Δh| that is left when b's convention is made a's"


@dataclass(frozen=True)
class Row:
    """One convention in which two cells differ, or might.

    Attributes:
        convention: its name.
        a: what the first cell does.
        b: what the second does.
        alone: max |Δh| that is left when only this one is aligned; None where it cannot change a call's numbers.
        so_far: max |Δh| that is left when this one and all those above are aligned; None as for `alone`.
        note: why it cannot, or does not.
    """

    convention: str
    a: str
    b: str
    alone: float | None = None
    so_far: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """How two cells differ, and what each convention makes of the output.

    Attributes:
        a: the first cell's public address and name.
        b: the second's.
        rows: one for each convention in which they differ, in the order in which they are aligned; then those that
            change no number of a call.
        max_h: max |Δh| over all steps: the cells as they are.
        max_c: max |Δc|; None but for an LSTM.
        rest: max |Δh| with every convention aligned: nothing but rounding.
        weights_same: are the weights the same after `minigrad.convert`?
        tolerance: what rounding may do in the cells' dtypes.
        inputs: what was put in, in words.
    """

    a: str
    b: str
    rows: tuple[Row, ...]
    max_h: float
    max_c: float | None
    rest: float
    weights_same: bool
    tolerance: float
    inputs: str

    @property
    def same(self) -> bool:
        """Are the outputs the same, but for rounding?"""
        return self.max_h <= self.tolerance

    @property
    def causes(self) -> list[str]:
        """The conventions that cause the difference of the outputs, the greatest first."""
        found, before = {}, self.max_h
        for row in self.rows:
            if row.alone is not None and row.so_far is not None:
                moved = max(abs(self.max_h - row.alone), abs(before - row.so_far))
                before = row.so_far
                if moved > self.tolerance:
                    found[row.convention] = moved
        return [] if self.same else sorted(found, key=lambda name: -found[name])

    def as_dicts(self) -> list[dict[str, Any]]:
        """Returns the rows as plain dictionaries, for a data frame or JSON."""
        return [asdict(row) for row in self.rows]

    @property
    def verdict(self) -> str:
        """What the table says, in a few sentences."""
        c = "" if self.max_c is None else f", max |Δc| = {_number(self.max_c)}"
        measured = f"max |Δh| = {_number(self.max_h)}{c}, {self.inputs}."
        if self.same:
            what = "The outputs are the same: where the cells differ, it changes no number here."
        else:
            what = f"It comes from {', then '.join(self.causes)}{' alone' * (len(self.causes) == 1)}."
        rest = f"is 0 (to {SAME:g})" if self.rest <= SAME else f"is {self.rest:.3g}"
        return f"{measured}\n{what} With all of it aligned, the rest {rest}."

    def _cells(self) -> list[tuple[str, ...]]:
        """The table's cells, line by line, the heads first."""
        lines: list[tuple[str, ...]] = [("convention", "a", "b", "aligned alone", "and those above", "")]
        lines.append(("as they are", "", "", _number(self.max_h), _number(self.max_h), ""))
        lines += [(r.convention, r.a, r.b, _number(r.alone), _number(r.so_far), r.note) for r in self.rows]
        return lines

    def __str__(self) -> str:
        lines = self._cells()
        widths = [max(len(line[k]) for line in lines) for k in range(6)]
        drawn = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines]
        drawn.insert(1, "  ".join("─" * width for width in widths[:5]))
        table = "\n".join(line.rstrip() for line in drawn)
        head = f"a  {self.a}\nb  {self.b}\n{_LEFT}:"
        return f"{head}\n\n{table}\n\n{self.verdict}"

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        caption = f"a: {self.a}, b: {self.b}. {_LEFT}."
        rows = [_line("th", head), *(_line("td", line) for line in body)]
        verdict = escape(self.verdict).replace("\n", "<br>")
        return f"<table><caption>{escape(caption)}</caption>{''.join(rows)}</table><p>{verdict}</p>"


def _line(tag: str, texts: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(text)}</{tag}>' for text in texts)}</tr>"


def _number(value: float | None) -> str:
    return "–" if value is None else "0" if value <= SAME else f"{value:.3g}"
