"""A cell of the user's own on the command line: trained, resumed, sampled, traced, and never imported by a file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

CELL = """
from minigrad.recurrent import Equations, phi, sigma


class Coupled(Equations):
    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        return o * phi(c_new), c_new


class Other(Coupled):
    products = "z_f z_g z_o = x W + b"
"""
SMALL = ["--units", "5", "--batch", "2", "--save-every", "2", "--evaluate-every", "4"]


def minigrad(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code of a command, and all that it said."""
    command = [sys.executable, "-m", "minigrad", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of cells and a run of four steps with one of them."""
    folder = tmp_path_factory.mktemp("cells")
    (folder / "my_cells.py").write_text(CELL)
    code, said = minigrad(
        folder, "train", "reber", "--cell", "my_cells:Coupled", "--steps", "4", "--out", "run", *SMALL
    )
    assert code == 0, said
    assert json.loads((folder / "run" / "config.json").read_text())["options"]["cell"] == "my_cells:Coupled"
    return folder


def test_a_run_with_the_cell_named_again(folder: Path) -> None:
    """Resumed bit for bit like a run without a stop, sampled and traced."""
    again = "--cell", "my_cells:Coupled"
    code, said = minigrad(folder, "train", "--resume", "run", "--steps", "6", *again)
    assert code == 0, said
    code, said = minigrad(folder, "sample", "run", *again)
    assert code == 0, said
    code, said = minigrad(folder, "trace", "run", *again)
    assert code == 0, said


@pytest.mark.parametrize("command", [["train", "--resume", "run", "--steps", "9"], ["sample", "run"], ["trace", "run"]])
def test_a_file_never_causes_an_import(folder: Path, command: list[str]) -> None:
    code, said = minigrad(folder, *command)
    assert code == 2
    assert "this run's cell is my_cells:Coupled, a custom cell. Name it again" in said
    assert "--cell my_cells:Coupled" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "reber", "--cell", "my_cells:Coupld"], "expected a subclass of .*my_cells has: Coupled, Other"),
        (["train", "reber", "--cell", "no_such_module:Cell"], "the module 'no_such_module' cannot be imported"),
        (["train", "reber", "--cell", "my_cells:"], "module:Name, got 'my_cells:'"),
        (["train", "reber", "--cell", "lstn"], "or module:Name, got 'lstn'. Did you mean 'lstm'"),
        (["sample", "run", "--cell", "my_cells:Other"], "expected --cell my_cells:Coupled, got --cell my_cells:Other"),
    ],
)
def test_what_is_refused(folder: Path, arguments: list[str], said: str) -> None:
    code, text = minigrad(folder, *arguments)
    assert code == 2
    assert "Traceback" not in text
    assert re.search(said, text), text
