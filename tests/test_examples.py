"""The examples run as printed, and say what they promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tool_errors import SAME_OUTPUTS

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SAYS = {
    "three_generations.py": [
        "It comes from recurrent_activation alone.",  # 2018
        f"{SAME_OUTPUTS}: where the cells differ, it changes no number here.",  # 2016
        "the same after minigrad.convert",
    ],
}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_runs_as_printed(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(path)]
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert process.returncode == 0, process.stderr
    for sentence in SAYS[path.name]:
        assert sentence in process.stdout
    assert len(path.read_text("utf-8").splitlines()) <= 60


def test_every_example_is_held_to_something() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SAYS)
