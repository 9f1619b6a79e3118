"""Results of `explain_difference`: a row for each convention, printed as text, HTML or plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

SAME = 1e-12
_REMAINING = "max |Δh| that remains when b's convention is made a's"


@dataclass(frozen=True)
class Row:
    """One convention in which two cells differ.

    Attributes:
        convention: its name.
        a: the convention of the first cell.
        b: the convention of the second.
        alone: max |Δh| that remains when only this one is aligned; None if it cannot change the outputs of a call.
        so_far: max |Δh| that remains when this one and all those above are aligned; None as for `alone`.
        note: the reason for no effect.
    """

    convention: str
    a: str
    b: str
    alone: float | None = None
    so_far: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """Conventions in which two cells differ, and the effect of each on the output.

    Attributes:
        a: the first cell's public address and name.
        b: the second cell's.
        rows: one for each convention in which they differ, in the order in which they are aligned; then those that
            change no number of a call.
        max_h: max |Δh| over all steps, between the unchanged cells.
        max_c: max |Δc| over all steps for LSTMs, otherwise None.
        rest: max |Δh| with every convention aligned; only rounding remains.
        weights_same: True if the weights are the same after conversion by `minigrad.convert`.
        tolerance: the largest difference that rounding explains in the cells' dtypes.
        inputs: a description of the inputs, in words.
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
        """True if the outputs are the same except for rounding."""
        return self.max_h <= self.tolerance

    @property
    def causes(self) -> list[str]:
        """The conventions that cause the difference, the largest effect first."""
        found, before = {}, self.max_h
        for row in self.rows:
            if row.alone is not None and row.so_far is not None:
                moved = max(abs(self.max_h - row.alone), abs(before - row.so_far))
                before = row.so_far
                if moved > self.tolerance:
                    found[row.convention] = moved
        return [] if self.same else sorted(found, key=lambda name: -found[name])

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return the rows as plain dictionaries, for a data frame or JSON."""
        return [asdict(row) for row in self.rows]

    @property
    def verdict(self) -> str:
        """The result in a few sentences."""
        c = "" if self.max_c is None else f", max |Δc| = {_number(self.max_c)}"
        measured = f"max |Δh| = {_number(self.max_h)}{c}, {self.inputs}."
        if self.same:
            result = "The outputs are the same: where the cells differ, it changes no number here."
        else:
            result = f"It comes from {', then '.join(self.causes)}{' alone' * (len(self.causes) == 1)}."
        rest = f"is 0 (to {SAME:g})" if self.rest <= SAME else f"is {self.rest:.3g}"
        return f"{measured}\n{result} With all of it aligned, the rest {rest}."

    def _cells(self) -> list[tuple[str, ...]]:
        """The cells of the table, row by row, the header first."""
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
        head = f"a  {self.a}\nb  {self.b}\n{_REMAINING}:"
        return f"{head}\n\n{table}\n\n{self.verdict}"

    def _repr_html_(self) -> str:
        head, *body = self._cells()
        caption = f"a: {self.a}, b: {self.b}. {_REMAINING}."
        rows = [_line("th", head), *(_line("td", line) for line in body)]
        verdict = escape(self.verdict).replace("\n", "<br>")
        return f"<table><caption>{escape(caption)}</caption>{''.join(rows)}</table><p>{verdict}</p>"


def _line(tag: str, texts: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(text)}</{tag}>' for text in texts)}</tr>"


def _number(value: float | None) -> str:
    return "–" if value is None else "0" if value <= SAME else f"{value:.3g}"
