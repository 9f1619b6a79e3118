"""A column of numbers in a CSV file as people write them: decimal commas, thousands, titles around the table."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import shown, unknown_name
from minigrad.engine.protocol import Array
from minigrad.train.corpus import read_text
from minigrad.train.errors import DataError, OptionError

MAX_TITLE_ROWS = 20  # before the column names or, without any, before the first value
MIN_YEAR = 1000  # a column name that is a number in a line of numbers: a year
SPACES = " \u00a0\u2009\u202f"  # equal as separators of thousands
CONVENTIONS = (".", ","), (",", ""), (",", "."), (".", " "), (",", " "), (".", "'"), (".", "\u2019")
Parse = Callable[[str], float | None]


class Column(NamedTuple):
    """The numbers of a column, and in words where they were found."""

    values: Array  # (values,) float64
    found: str


class _Row(NamedTuple):
    line: int
    cells: list[str]
    after_blank: bool  # True if a blank line precedes it


def number_parser(decimal: str, thousands: str) -> Parse:
    """Return a function of a cell that returns its number, or None.

    Separators of thousands come before the last three digits, and before groups of two or three: 1,234,567 and
    12,34,567.

    Args:
        decimal: the decimal sign.
        thousands: the separator of thousands; empty for none.

    >>> number_parser(",", ".")("1.234,5")
    1234.5
    """
    signs = SPACES if thousands and thousands in SPACES else thousands
    group = f"[{re.escape(signs)}]"
    grouped = rf"[0-9]{{1,3}}(?:{group}[0-9]{{2,3}})*{group}[0-9]{{3}}|" if signs else ""
    point = re.escape(decimal)
    form = re.compile(rf"[+-]?(?:(?:{grouped}[0-9]+)(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?")
    plain = str.maketrans({decimal: "."} | dict.fromkeys(signs, ""))

    def parse(cell: str) -> float | None:
        text = cell.strip().replace("\u2212", "-")
        number = float(text.translate(plain)) if form.fullmatch(text) else math.nan
        return number if math.isfinite(number) else None

    return parse


def read_column(file: str, column: str, delimiter: str = ",", decimal: str = ".", thousands: str = "") -> Column:
    r"""Return the numbers of a column.

    Lines of a title before the table are left out. So are lines at its end that hold one text, or that follow a blank
    line and hold no number.

    Args:
        file: the CSV file.
        column: its name in the line of column names; or its place, counted from 0, in a file with or without names.
        delimiter: the character between two cells; ``\t`` stands for a tab.
        decimal: the decimal sign.
        thousands: the separator of thousands; empty for none.

    Raises:
        OptionError: a sign is not one character, or the column does not exist.
        DataError: the file cannot be read, or a cell of the column is not a number.
    """
    delimiter = "\t" if delimiter == "\\t" else delimiter
    _check_signs(delimiter, decimal, thousands)
    lines = csv.reader(io.StringIO(read_text(file)), delimiter=delimiter, skipinitialspace=True)
    parse = number_parser(decimal, thousands)
    try:
        return _read(file, column, list(_rows(lines)), parse, decimal, thousands)
    except csv.Error as error:
        raise DataError(f"--file {file}, line {lines.line_num}: is not CSV: {error}.") from None


def _check_signs(delimiter: str, decimal: str, thousands: str) -> None:
    if len(delimiter) != 1 or delimiter in '\r\n"':
        raise OptionError(f"--delimiter: expected one character, got {shown(delimiter)}.")
    for name, sign in (("decimal", decimal), ("thousands", thousands)):
        if len(sign) > 1 or sign in tuple('0123456789+-eE\r\n"') or (name == "decimal" and not sign.strip()):
            raise OptionError(f"--{name}: expected one character that no number contains, got {shown(sign)}.")
    if decimal == thousands:
        raise OptionError(f"--thousands: expected another character than --decimal, got {shown(thousands)} twice.")


def _rows(lines: Any) -> Iterator[_Row]:
    """Return the rows that are not blank."""
    after_blank = False
    for cells in lines:
        if cells and (len(cells) == 1 or any(cell.strip() for cell in cells)):
            yield _Row(lines.line_num, cells, after_blank)
        after_blank = not any(cell.strip() for cell in cells)


def _read(file: str, column: str, rows: list[_Row], parse: Parse, decimal: str, thousands: str) -> Column:
    start, place, header = _start_of(file, column, rows, parse)
    width = len(rows[start - 1 if header else start].cells) if rows[start:] else 0
    stop = len(rows)
    while stop > start and _is_title(rows[stop - 1], width, parse):
        stop -= 1
    values = []
    for row in rows[start:stop]:
        where = f"--file {file}, line {row.line}, column {column}"
        if any(cell.strip() for cell in row.cells[width:]):
            raise DataError(
                f"{where}: expected {width} cells, got {len(row.cells)}. Is the --delimiter part of a number? Such "
                'cells need quotes: "1,5".'
            )
        cell = row.cells[place].strip() if place < len(row.cells) else ""
        number = parse(cell)
        if number is None:
            raise DataError(f"{where}: expected a number, got {shown(cell)}. {_hint(cell)}")
        values.append(number)
    if not values:
        raise DataError(f"--file {file}: expected numbers in column {column}, got none.")
    signs = f"decimal sign {decimal!r}" + (f", thousands {thousands!r}" if thousands else "")
    found = [
        f"lines {rows[start].line} to {rows[stop - 1].line}",
        _names_found(rows[start - 1], column) if header else "no line of names",
        f"first {values[0]:g}, last {values[-1]:g}",
        signs,
    ]
    left_out = rows[: start - 1 if header else start] + rows[stop:]
    found += [f"left out line {row.line}, {shown(', '.join(row.cells))}" for row in left_out[:3]]
    found += [f"and {len(left_out) - 3} more lines"] * (len(left_out) > 3)
    return Column(np.array(values), "; ".join(found))


def _names_found(row: _Row, column: str) -> str:
    """Return in words the line of names, and whether several columns have the name."""
    count = [cell.strip() for cell in row.cells].count(column)
    return f"names in line {row.line}" + (f"; the first of {count} columns named {column}" if count > 1 else "")


def _start_of(file: str, column: str, rows: list[_Row], parse: Parse) -> tuple[int, int, bool]:
    """Return the index of the first row of values, the column's place, and whether a line of names precedes it."""
    first = [[cell.strip() for cell in row.cells] for row in rows[: MAX_TITLE_ROWS + 1]]
    place = int(column) if column.isdecimal() and len(column) < 9 else None
    named = [k for k, names in enumerate(first) if column in names]
    if named and (place is None or any(parse(name) is None for name in first[named[0]])):
        return named[0] + 1, first[named[0]].index(column), True
    for k, cells in enumerate(first):
        if place is not None and place < len(cells) and parse(cells[place]) is not None:
            return k, place, k > 0 and len(first[k - 1]) == len(cells)
    if named and place is not None and place >= MIN_YEAR:
        return named[0] + 1, first[named[0]].index(column), True
    header = [name[:40] for name in first[0][:40]] if first else []
    if place is not None:
        raise OptionError(
            f"--column of {file}: expected a name, or a place from 0 to {len(header) - 1} where numbers are, got "
            f"{column}."
        )
    hint = "" if len(header) > 1 else "Is the --delimiter right?"
    if any(parse(name) is not None for name in header):
        hint = f"Without a line of names, give the place, --column 0 to {len(header) - 1}."
    raise OptionError(str(unknown_name(f"--column of {file}", column, header, hint)))


def _is_title(row: _Row, width: int, parse: Parse) -> bool:
    """Return whether a row at the end holds no value: texts after a blank line, or a single text.

    In a file of one column, a single text has several words, of which the first two have no digits.
    """
    texts = [cell for cell in row.cells if cell.strip()]
    if not texts or any(parse(cell) is not None for cell in texts):
        return False
    words = row.cells[0].split()[:2]
    is_text = width > 1 or (len(words) == 2 and not any(map(str.isdecimal, "".join(words))))
    return row.after_blank or (len(row.cells) == 1 and is_text)


def _hint(cell: str) -> str:
    for decimal, thousands in CONVENTIONS:
        if number_parser(decimal, thousands)(cell) is not None:
            options = f"--decimal {decimal!r}" * (decimal != ".") + f" --thousands {thousands!r}" * bool(thousands)
            return f"If that is a number, pass {options.strip()}."
    return "Fill in or delete such lines first."
