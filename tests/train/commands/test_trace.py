"""python -m minigrad trace."""

from __future__ import annotations

import sys
from functools import partial

import pytest

from html_pages import Reader
from option_errors import COUNT
from run_errors import NO_FOLDER, TEXT_ONLY
from tool_errors import NO_MATPLOTLIB


@pytest.fixture
def trace(command):
    return partial(command, "trace")


def test_a_text_is_read_and_shown(trace, runs):
    code, out, err = trace("text", "--text", "the quick fox")
    assert (code, err) == (0, "")
    assert "text/trace.html" in out
    reader = Reader((runs / "text" / "trace.html").read_text("utf-8"))
    words = "".join(reader.words)
    assert "Read: 'the quick fo'. 12 time steps, 0 to 11." in words
    assert "'x' (right)" in words
    assert "lstm_0 (lstm, 4 units)" in words
    assert reader.foreign() == []
    assert all(picture["aria-label"] for picture in reader.all("svg"))


def test_the_end_can_be_chosen(trace, runs, tmp_path):
    out = tmp_path / "here.html"
    assert trace("text", "--text", "the quick fox", "--step", 4, "--out", out)[0] == 0
    assert "Read: 'the q'. 5 time steps, 0 to 4." in "".join(Reader(out.read_text("utf-8")).words)


@pytest.mark.parametrize("name", ["adding", "reber", "copy"])
def test_other_tasks_draw_an_example(trace, runs, name):
    code, _, err = trace(name, "--seed", 3)
    assert (code, err) == (0, "")
    words = "".join(Reader((runs / name / "trace.html").read_text("utf-8")).words)
    assert ("Read: '" in words) == (name != "adding")
    assert ("(right)" in words) == (name == "reber")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ([], "the following arguments are required: RUN"),
        (["none", "--text", "the"], f"none: {NO_FOLDER}."),
        (["text"], "--text: expected the text for the model to read; text is of 'text'."),
        (["adding", "--text", "the"], f"--text: {TEXT_ONLY}; adding is of 'adding'."),
        (["text", "--text", "t"], "--text: expected 2 to 1000 characters, got 1."),
        (["text", "--text", "tÄ"], "--text: expected characters of the model's vocabulary, got 'Ä'."),
        (
            ["text", "--text", "the", "--step", "2"],
            "a step whose loss counts, 0 to 1 in this sequence, got 2.",
        ),
        (["text", "--text", "the", "--step", "-1"], f"--step: {COUNT}, got -1."),
        (["text", "--txt", "the"], "Did you mean '--text'?"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(trace, words, part):
    code, out, err = trace(*words)
    assert code == 2
    assert out == ""
    assert part in err
    assert err.count("\n") == 1


def test_a_place_that_cannot_be_written(trace, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = trace("copy", "--out", tmp_path / "file" / "page.html")
    assert code == 1
    assert "cannot be written" in err or "Not a directory" in err


def test_without_matplotlib_the_command_is_named(trace, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, _, err = trace("text", "--text", "the")
    assert code == 2
    assert err == f"minigrad: trace: {NO_MATPLOTLIB}\n"
