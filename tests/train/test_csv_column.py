"""Columns of numbers as people write them."""

from __future__ import annotations

import pytest

from minigrad.train.csv_column import number_parser, read_column
from minigrad.train.errors import DataError, OptionError

AIR = (
    '"Month","Passengers"\n"1949-01",112\n"1949-02",118\n\n'
    "International airline passengers: monthly totals in thousands. Jan 49 ? Dec 60\n"
)


@pytest.fixture
def csv(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "s.csv").write_text(text, encoding="utf-8")
        return "s.csv"

    return write


NUMBERS = {
    (".", ""): {"1": 1.0, "-2.5": -2.5, "+.5": 0.5, "5.": 5.0, "1e3": 1000.0, "\u22125": -5.0, " 7 ": 7.0},
    (",", ""): {"2,5": 2.5, "-,5": -0.5, "1e-3": 0.001},
    (",", "."): {"1.234,5": 1234.5, "12.345.678": 12345678.0, "1234,5": 1234.5, "0,25": 0.25},
    (".", ","): {"1,234": 1234.0, "12,34,567.5": 1234567.5, "999": 999.0},
    (",", " "): {"1 234,5": 1234.5, "1\u00a0234\u00a0567": 1234567.0, "1\u202f234": 1234.0},
    (".", "'"): {"1'234.5": 1234.5},
    ("\u066b", ""): {"2\u066b5": 2.5},
}
NO_NUMBERS = {
    (".", ""): ["", "x", "1,5", "1_000", "nan", "inf", "1e999", "0x10", "1 2", "--1", ".", "1.2.3", "12%"],
    (",", ""): ["2.5", "1,2,3"],
    (",", "."): ["12.34", "1.2345", "1.234.5", ".123", "1,234.5"],
    (".", ","): ["1,5", "1,23", ",123", "1234,567", "1,,234", "1.5,000"],
}


@pytest.mark.parametrize("signs", NUMBERS)
def test_numbers(signs):
    parse = number_parser(*signs)
    assert {text: parse(text) for text in NUMBERS[signs]} == NUMBERS[signs]


@pytest.mark.parametrize("signs", NO_NUMBERS)
def test_no_numbers(signs):
    assert [text for text in NO_NUMBERS[signs] if number_parser(*signs)(text) is not None] == []


@pytest.mark.parametrize(
    ("text", "how", "values", "found"),
    [
        ("a;b\n1;2,5\n2;3,5\n", {"column": "b", "delimiter": ";", "decimal": ","}, [2.5, 3.5], "decimal sign ','"),
        ("a;b\n1;1.002,5\n", {"column": "1", "delimiter": ";", "decimal": ",", "thousands": "."}, [1002.5], "names in"),
        ('a,b\n1,"1,234"\n', {"column": "b", "thousands": ","}, [1234.0], "thousands ','"),
        ("a\tb\n1\t2\n", {"column": "b", "delimiter": "\\t"}, [2.0], "lines 2 to 2"),
        (AIR, {"column": "Passengers"}, [112.0, 118.0], "left out line 5, 'International airline"),
        (AIR, {"column": "1"}, [112.0, 118.0], "lines 2 to 3; names in line 1; first 112, last 118"),
        (AIR.replace("\n\n", "\n"), {"column": "1"}, [112.0, 118.0], "left out line 4"),
        ("v\n1\n2\nTotal sales\n", {"column": "v"}, [1.0, 2.0], "left out line 4, 'Total sales'"),
        ("v\n1\n2\n\nend\n", {"column": "v"}, [1.0, 2.0], "left out line 5, 'end'"),
        ("Title\n\na,b\n1,2\n\nSource: us, them\n", {"column": "b"}, [2.0], "line 1, 'Title'; left out line 6"),
        ("sep=;\na;b\n1;2\n", {"column": "b", "delimiter": ";"}, [2.0], "names in line 2"),
        ("1\n2\n3\n", {"column": "0"}, [1.0, 2.0, 3.0], "no line of names"),
        ("5,1\n6,2\n", {"column": "1"}, [1.0, 2.0], "lines 1 to 2"),
        ("0,1\n5,6\n", {"column": "0"}, [0.0, 5.0], "no line of names"),
        ("a,0\n5,6\n", {"column": "0"}, [6.0], "names in line 1"),
        ("2019,2020\n5,6\n", {"column": "2020"}, [6.0], "names in line 1"),
        ("a;b\n1;2\n;\n;\n", {"column": "b", "delimiter": ";"}, [2.0], "lines 2 to 2"),
        ("\ufeffa,b\n1,2\n", {"column": "a"}, [1.0], "names in line 1"),
        ("a,b\n1,2,\n", {"column": "b"}, [2.0], "names in line 1"),
        ("b,a,b\n1,2,3\n", {"column": "b"}, [1.0], "names in line 1; the first of 2 columns named b"),
        ("a,b\n1,2\n" + "\n\nnote one\nnote two\nnote three\nnote four\n", {"column": "b"}, [2.0], "and 1 more lines"),
    ],
)
def test_files_of_the_world(csv, text, how, values, found):
    column = read_column(csv(text), **how)
    assert column.values.tolist() == values
    assert found in column.found


@pytest.mark.parametrize(
    ("text", "how", "kind", "message"),
    [
        ("a;b\n1;2,5\n", {"delimiter": ";"}, DataError, "line 2, column b: .* got '2,5'. .*pass --decimal ','"),
        ('a,b\n1,"1,234"\n', {}, DataError, "got '1,234'. If that is a number, pass --thousands ','"),
        ("a;b\n1;1.234,5\n", {"delimiter": ";"}, DataError, "pass --decimal ',' --thousands '.'"),
        ("a,b\n1,2,5\n", {"decimal": ","}, DataError, "expected 2 cells, got 3. Is the --delimiter part of a number"),
        ("a,b\n1960-12,x\n", {}, DataError, "line 2, column b: expected a number, got 'x'. Fill in or delete"),
        ("a,b\nm,1\nn,x y\n", {}, DataError, "line 3, column b: expected a number, got 'x y'"),
        ("b\n1\n1 O23\n", {}, DataError, "line 3, column b: expected a number, got '1 O23'"),
        ("a,b\nm,1\nSource\nn,2\n", {}, DataError, "line 3, column b: expected a number, got ''"),
        ("a,b\n", {}, DataError, "expected numbers in column b, got none"),
        ("1,2\n3,4\n", {}, OptionError, "unknown name 'b'.*Without a line of names, give the place, --column 0 to 1"),
        (
            "1,2\n3,4\n",
            {"column": "2"},
            OptionError,
            "expected a name, or a place from 0 to 1 where numbers are, got 2",
        ),
        ("a,b\nx,y\n", {"column": "1"}, OptionError, "a place from 0 to 1 where numbers are"),
        ("a,b\n1,2\n", {"decimal": "5"}, OptionError, "--decimal: expected one character that no number contains"),
        ("a,b\n1,2\n", {"decimal": ""}, OptionError, "--decimal: expected one character"),
        ("a,b\n1,2\n", {"thousands": ".."}, OptionError, "--thousands: expected one character"),
        ("a,b\n1,2\n", {"thousands": "."}, OptionError, "--thousands: expected another character than --decimal"),
    ],
)
def test_errors_say_what_to_do(csv, text, how, kind, message):
    with pytest.raises(kind, match=message):
        read_column(csv(text), **{"column": "b", **how})


@pytest.mark.parametrize(("encoding", "named"), [("utf-16", "UTF-16"), ("latin-1", "LATIN1")])
def test_another_encoding_is_named(tmp_path, encoding, named):
    (tmp_path / "s.csv").write_text("größe\n1\n", encoding=encoding)
    with pytest.raises(DataError, match=f"expected UTF-8 text, .* iconv -f {named} -t UTF-8"):
        read_column(str(tmp_path / "s.csv"), "größe")
