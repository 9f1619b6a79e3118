"""The first word of a command line, and the treatment of errors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from minigrad.engine.errors import NaNLossError, ShapeError
from minigrad.train.command_line import command, main
from minigrad.train.errors import DataError


def run(action, *words):
    return main(list(words), {"go": ("walk about", action)})


def raising(error):
    def action(arguments):
        raise error

    return action


def test_the_rest_goes_to_the_command():
    seen = []
    assert run(lambda rest: seen.append(rest) or 7, "go", "a", "--b") == 7
    assert seen == [["a", "--b"]]


def test_help_lists_the_commands(capsys):
    assert run(None, "--help") == 0
    assert "go  walk about" in capsys.readouterr().out
    assert run(None) == 2
    assert "go  walk about" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("too short"), 2),
        (NaNLossError("nan at step 3"), 1),
        (OSError(28, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_are_a_line_and_a_code(error, code, capsys):
    assert run(raising(error), "go") == code
    err = capsys.readouterr().err
    assert err.startswith("minigrad: ")
    assert err.count("\n") == 1


def test_a_fault_of_our_own_keeps_its_traceback():
    with pytest.raises(ShapeError):
        run(raising(ShapeError("wrong")), "go")


@pytest.mark.skipif(os.name == "nt", reason="of POSIX paths")
@pytest.mark.parametrize(
    ("python", "shown"),
    [
        ("{here}/.venv/bin/python", ".venv/bin/python"),
        ("{here}/my env/bin/python", "'my env/bin/python'"),
        ("{here}/python", "./python"),  # without ./ it would be looked for on the PATH
        ("/opt/venv/bin/python", "/opt/venv/bin/python"),
        ("", "python"),  # Python does not know where it is
    ],
)
def test_a_command_to_copy_names_the_python_that_runs(tmp_path, monkeypatch, python, shown):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", python.format(here=tmp_path))
    assert command("-m", "minigrad", "my run") == f"{shown} -m minigrad 'my run'"


def test_advice_to_type_something_is_a_command_to_copy(capsys):
    run(None, "--help")
    out = capsys.readouterr().out
    assert f"{command('-m', 'minigrad', 'COMMAND', '--help')} shows more." in out
    assert os.path.basename(sys.executable) in out.splitlines()[-1]


def test_as_a_program():
    for words, code in ((["--help"], 0), (["nonsense"], 2)):
        done = subprocess.run([sys.executable, "-m", "minigrad", *words], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr


def test_a_reader_that_leaves_is_no_error(tmp_path):
    command = f"{sys.executable} -m minigrad --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
