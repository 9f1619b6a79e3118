"""Kills of a random process of a job at a random moment: nothing is lost, and the rest gives the same bytes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

import mpi

KILLS = int(os.environ.get("MINIGRAD_KILLS", "2"))  # .ci/run: 20
STEPS, FILES = 120, ("config.json", "metrics.jsonl", "checkpoint.npz", "best.npz", "result.json")
OPTIONS = (
    "--steps", STEPS, "--batch", 4, "--length", 6, "--units", 3, "--dropout", 0.2, "--save-every", 10,
    "--evaluate-every", 30,
)  # fmt: skip
TRAIN = ("-m", "minigrad", "train")


def trained(processes, *words):
    job = mpi.run(processes, *TRAIN, *words)
    assert job.returncode == 0, job.stderr
    return job


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The files of a run of two processes that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    trained(2, "adding", *OPTIONS, "--out", folder)
    return contents(folder)


def children(process):
    """Return the processes of a job, as Linux lists them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(fields[1]) == process.pid and b"minigrad" in words:
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it finds the processes of the job in /proc")
@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_process_loses_nothing(tmp_path, reference, number):
    dice, folder = random.Random(number), tmp_path / "run"
    killed_at(dice.randrange(1, STEPS - 20), 2, dice, folder, "adding", *OPTIONS, "--out", folder)
    trained(2, "--resume", folder)
    assert contents(folder) == reference


def killed_at(count, processes, dice, folder, *words):
    """Train until the metrics have this many lines; then kill one of the processes, and wait for the end of the job."""
    line = mpi.command(processes, *TRAIN, *words)
    with subprocess.Popen(line, env=mpi.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as job:
        wait_for_lines(folder / "metrics.jsonl", count, job)
        victims = children(job)
        assert len(victims) == processes
        os.kill(dice.choice(victims), signal.SIGKILL)
        said = job.communicate(timeout=mpi.SECONDS)[1]
    assert job.returncode != 0, said
    end = time.monotonic() + mpi.SECONDS
    while any(Path(f"/proc/{victim}").exists() for victim in victims) and time.monotonic() < end:
        time.sleep(0.01)  # the launcher ends the others, but does not wait for their end


def wait_for_lines(path, count, job):
    end = time.monotonic() + mpi.SECONDS
    while time.monotonic() < end and job.poll() is None:
        if path.exists() and path.read_bytes().count(b"\n") >= count:
            return
        time.sleep(0.002)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it finds the processes of the job in /proc")
def test_a_run_goes_on_with_another_number_of_processes(tmp_path):
    one, several = tmp_path / "one", tmp_path / "several"
    sizes = ("--steps", 80, "--units", 4, "--batch", 5, "--window", 7, "--save-every", 10)
    words = ("text", "--file", text(tmp_path), *sizes, "--out")
    trained(1, *words, one)
    killed_at(12, 3, random.Random(0), several, *words, several)
    trained(2, "--resume", several)
    expected, got = losses(one), losses(several)
    assert len(expected) == len(got) == 80
    assert expected == pytest.approx(got, rel=1e-5)  # float32


def text(folder):
    path = folder / "text.txt"
    path.write_text("the cat sat on the mat, and the dog did not. " * 40)
    return path


def losses(folder):
    return [json.loads(line)["loss"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
