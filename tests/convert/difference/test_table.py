"""Results of `explain_difference`: the causes, their order, and the printed table."""

from __future__ import annotations

from dataclasses import replace

from minigrad.convert.difference.table import Difference, Row
from tool_errors import REST, SAME_OUTPUTS

ANSWER = Difference(
    a="one 'a'",
    b="other 'b'",
    rows=(
        Row("gate order", "i, j", "i, f", 0.4, 0.4, "no harm"),
        Row("forget bias", "1", "0", 0.3, 0.3),
        Row("activation", "tanh", "<lambda>", 0.2, 0.0),
        Row("dropout", "0.0", "0.5", note="in training"),
    ),
    max_h=0.4,
    max_c=0.5,
    rest=0.0,
    weights_same=True,
    tolerance=1e-12,
    inputs="over 1 row of 2 steps",
)


def test_causes_are_what_moves_the_difference_the_greatest_first() -> None:
    assert ANSWER.causes == ["activation", "forget bias"]
    assert not ANSWER.same
    assert ANSWER.verdict == (
        "max |Δh| = 0.4, max |Δc| = 0.5, over 1 row of 2 steps.\n"
        f"It comes from activation, then forget bias. {REST} (to 1e-12)."
    )


def test_a_convention_that_counts_only_once_others_are_aligned_is_a_cause() -> None:
    rows = (Row("first", "", "", 0.1, 0.1), Row("second", "", "", 0.4, 0.0))
    assert replace(ANSWER, rows=rows).causes == ["first", "second"]


def test_one_cause_alone() -> None:
    answer = replace(ANSWER, rows=ANSWER.rows[:1] + (Row("activation", "", "", 0.0, 0.0),), max_c=None)
    assert answer.verdict.startswith("max |Δh| = 0.4, over 1 row of 2 steps.\nIt comes from activation alone.")


def test_the_same() -> None:
    answer = replace(ANSWER, max_h=1e-13, max_c=0.0)
    assert answer.same
    assert answer.causes == []
    assert "max |Δh| = 0, max |Δc| = 0" in answer.verdict
    assert SAME_OUTPUTS in answer.verdict


def test_a_rest_is_not_hidden() -> None:
    assert "the rest is 0.25." in replace(ANSWER, rest=0.25).verdict


def test_text() -> None:
    lines = str(ANSWER).splitlines()
    assert lines[:3] == ["a  one 'a'", "b  other 'b'", "max |Δh| that remains when b's convention is made a's:"]
    assert lines[4].split() == ["convention", "a", "b", "aligned", "alone", "and", "those", "above"]
    assert lines[6].split() == ["as", "they", "are", "0.4", "0.4"]
    assert lines[10].split() == ["dropout", "0.0", "0.5", "–", "–", "in", "training"]
    columns = [line.index(number) for line, number in ((lines[6], "0.4"), (lines[8], "0.3"), (lines[10], "–"))]
    assert len(set(columns)) == 1  # one below the other


def test_html_escapes() -> None:
    html = ANSWER._repr_html_()
    assert "<td>&lt;lambda&gt;</td>" in html
    assert "<lambda>" not in html
    assert html.count("<tr>") == 6


def test_plain_rows() -> None:
    assert ANSWER.as_dicts()[3] == {
        "convention": "dropout", "a": "0.0", "b": "0.5", "alone": None, "so_far": None, "note": "in training"
    }  # fmt: skip
