"""``python -m minigrad show``: its output, and its errors."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from minigrad.engine.errors import OptionError
from minigrad.recurrent import GRU, LSTM, Equations, GRUResetBefore, SimpleRNN
from minigrad.recurrent.compiler import describe
from minigrad.show import command, shown
from minigrad.train.command_line import main

COMMANDS = {"show": (command.HELP, command.main)}


@pytest.mark.parametrize("equations", [LSTM, GRU, GRUResetBefore, SimpleRNN])
def test_the_outline_names_a_gradient_of_each_argument_of_forward(equations: type[Equations]) -> None:
    found = re.findall(r"^∂loss/∂(\w+) = \w+$", shown(equations), re.MULTILINE)
    assert found == list(inspect.signature(equations.forward).parameters)[: len(found)]
    assert len(found) == len(describe(equations).gradients) > 0


@pytest.mark.parametrize("equations", [LSTM, GRU, GRUResetBefore, SimpleRNN])
def test_the_python_form_is_the_two_functions_of_a_step(equations: type[Equations]) -> None:
    defined = ast.parse(shown(equations, "python")).body
    assert [one.name for one in defined if isinstance(one, ast.FunctionDef)] == ["step", "step_backward"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lstm", "--as", "machine"], "expected one of outline, python, numba, cuda, js, latex, got 'machine'"),
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
    with pytest.raises(OptionError, match="outline, python"):
        shown(LSTM, "machine")
