"""A run that is killed, or has no room: one of --resume and --out works, the other names it, and no byte is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from run_errors import NO_FOLDER

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks, and sends POSIX signals")
DRIVER = Path(__file__).with_name("killed.py")


def deaths(tmp_path, scenario):
    done = subprocess.run(
        [sys.executable, DRIVER, tmp_path, scenario],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def one_way_on(death, folder):
    """Exactly one way works and gives the files of a run that was never stopped; the other one says which."""
    (works,) = [way for way in ("--out", "--resume") if death[way] == ""]
    other = "--resume" if works == "--out" else "--out"
    named = f"{works} {folder / 'again'}" in death[other] or NO_FOLDER in death[other]
    return death[f"{works} is whole"] and named and len(death[other].splitlines()) == 1


def test_killed_before_each_write(tmp_path):
    *killed, whole = deaths(tmp_path, "killed")
    assert len(killed) > 90
    assert [death for death in killed if not one_way_on(death, tmp_path)] == []
    points = {death["where"].split(" ")[-1].split(".")[1 if "tmp" in death["where"] else 0] for death in killed}
    assert {"run", "lock", "config", "checkpoint", "best", "metrics", "curve", "result", "fsync"} <= points
    assert whole["where"] == "the end"
    assert "the run is complete, 3 of 3 steps" in whole["--resume"]


def test_no_room(tmp_path):
    *full, whole = deaths(tmp_path, "full")
    assert len(full) >= 10
    assert {death["status"] for death in full} == {1}  # in a sentence, not by a signal
    assert [death for death in full if not one_way_on(death, tmp_path)] == []
    assert whole["--out is whole"]


def test_killed_while_it_trains_longer(tmp_path):
    """A result and a curve are there already, those of the shorter run."""
    killed = deaths(tmp_path, "extended")[:-1]
    assert len(killed) > 90
    assert [death for death in killed if death["--resume"] or not death["--resume is whole"]] == []
