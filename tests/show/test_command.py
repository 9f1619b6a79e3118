"""``python -m minigrad show``: its output, and its errors."""

from __future__ import annotations

import pytest

from minigrad.engine.errors import OptionError
from minigrad.recurrent import LSTM
from minigrad.show import command, text_of
from minigrad.train.command_line import main

COMMANDS = {"show": (command.HELP, command.main)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["lstm", "--as", "machine"],
            "'js', 'latex', got 'machine'",
        ),
        (["lstm", "--as", "js", "--activation", "softmax"], "softmax, is not elementwise"),
        (["lstmp", "--as", "js"], "its body multiplies"),
        (["lstm", "--activation", "tahn"], "unknown name 'tahn'"),
        (["lstn"], "lstn"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", *arguments], COMMANDS) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert says in error
    assert error.count("\n") == 1


def test_an_unknown_form_names_those_that_there_are() -> None:
    with pytest.raises(OptionError, match="'outline', 'python'"):
        text_of(LSTM, "machine")
