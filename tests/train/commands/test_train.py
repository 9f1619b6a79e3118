"""python -m minigrad train, from the words typed to the exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from subprocess import PIPE

import pytest

from file_errors import EMPTY
from minigrad.__main__ import COMMANDS
from minigrad.engine.errors import BackendUnavailableError
from minigrad.train import command_line
from minigrad.train.command_line import main
from minigrad.train.commands import train as train_command
from minigrad.train.run import Run
from minigrad.train.tasks import TASKS
from minigrad.train.trainer import Trainer
from option_errors import NUMBER_FROM, POSITIVE, POSITIVE_INTEGER
from run_errors import FILE_AND_COLUMN, LAST_CHECKPOINT, LOCKED, MORE_STEPS, NO_FOLDER

SMALL = ["--steps", "4", "--units", "4", "--batch", "2", "--evaluate-every", "2"]


@pytest.fixture
def text(tmp_path):
    (tmp_path / "text.txt").write_text("the quick brown fox jumps over the lazy dog.\n" * 60)
    return str(tmp_path / "text.txt")


@pytest.fixture
def minigrad(tmp_path, monkeypatch, capsys):
    """Run a command line in a temporary folder; return exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main([str(word) for word in words], COMMANDS)
        return (code, *capsys.readouterr())

    return run


def refused(result, *parts):
    """A user's mistake: code 2, one or two sentences, nothing else."""
    code, out, err = result
    assert code == 2, err
    assert out == ""
    assert err.startswith("minigrad: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    for part in parts:
        assert part in err


def test_a_text_is_learnt_and_reported(minigrad, text, tmp_path):
    code, out, err = minigrad("train", "text", "--file", text, "--window", 8, *SMALL)
    assert code == 0
    assert "2,700 characters, 30 different; the last 270 are held out" in out
    result = json.loads((tmp_path / "runs" / "text" / "result.json").read_text())
    assert f"validation: bits per character {result['value']:.4g}" in out
    assert f"trigram model: bits per character {result['baseline']['value']:.4g}" in out
    assert "The model is not better than 'trigram model' yet. Everything is in runs/text." in out
    sample = out.split("\n\n", 1)[1].rsplit("\n\nvalidation", 1)[0]
    assert len(sample) == 500
    assert "bits per character, " in err
    assert "characters/s" in err


@pytest.mark.parametrize("task", [name for name in TASKS if name not in ("text", "series")])
def test_every_other_task_runs(minigrad, task, tmp_path):
    code, out, _ = minigrad("train", task, "--out", tmp_path / "r", *SMALL)
    assert code == 0
    assert TASKS[task].metric.replace("_", " ") in out


def test_a_series_runs(minigrad, tmp_path):
    (tmp_path / "s.csv").write_text("x\n" + "".join(f"{k * k % 7}\n" for k in range(60)))
    code, out, _ = minigrad("train", "series", "--file", "s.csv", "--column", "x", "--window", 5, *SMALL)
    assert code == 0
    assert "persistence: mean squared error" in out
    assert "forecast 1 ahead: " in out


def test_a_series_as_spreadsheets_write_it(minigrad, tmp_path):
    rows = "".join(f"1949-{k};{k * k % 7},5\n" for k in range(60))
    (tmp_path / "s.csv").write_text(rows + "\nPassengers, in thousands\n")
    options = ["--delimiter", ";", "--decimal", ",", "--thousands", ".", "--column", "1"]
    code, out, _ = minigrad("train", "series", "--file", "s.csv", *options, "--window", 5, *SMALL)
    assert code == 0
    assert "s.csv, column 1: 60 values; the last 12 are held out" in out
    assert "lines 1 to 60; no line of names; first 0.5, last 2.5; decimal sign ',', thousands '.'; left out" in out


def test_going_on_needs_only_the_run(minigrad, tmp_path):
    assert minigrad("train", "reber", "--out", "r", *SMALL)[0] == 0
    code, out, _ = minigrad("train", "--resume", "r", "--steps", 6)
    assert code == 0
    assert "step 4 of 6; r" in out
    assert minigrad("train", "reber", "--resume", "r", "--steps", 7)[0] == 0
    assert len((tmp_path / "r" / "metrics.jsonl").read_text().splitlines()) == 7


def test_minutes_become_steps(minigrad, monkeypatch, tmp_path):
    monkeypatch.setattr(train_command, "steps_within", lambda minutes, task, options: round(minutes * 10))
    assert minigrad("train", "reber", "--minutes", 0.3, *SMALL[2:])[0] == 0
    options = json.loads((tmp_path / "runs" / "reber" / "config.json").read_text())["options"]
    assert options["steps"] == 3
    assert options["minutes"] == 0.3


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["train"], ["expected a task (text, reber,", "or --resume RUN"]),
        (["train", "--steps", "3"], ["expected a task"]),
        (["train", "reber", "--steps", "-3"], [f"--steps: {POSITIVE_INTEGER}, got -3."]),
        (["train", "reber", "--steps", "many"], [f"--steps: {POSITIVE_INTEGER}, got 'many'."]),
        (["train", "reber", "--learning-rate", "0"], [f"--learning-rate: {POSITIVE}, got 0.0."]),
        (
            ["train", "reber", "--cell", "lstn"],
            ["--cell: expected one of 'lstm', 'gru', ", "got 'lstn'. Did you mean 'lstm'?"],
        ),
        (["train", "reber", "--dropout", "1"], [f"--dropout: {NUMBER_FROM} 0 to 0.9"]),
        (["train", "riber"], ["unknown name 'riber'", "Did you mean 'reber'?"]),
        (["train", "reber", "--step", "3"], ["unknown name '--step'", "Did you mean '--steps'?"]),
        (["train", "reber", "--window", "3"], ["unknown name '--window'", "Known are: --backend"]),
        (["train", "reber", "3"], ["unexpected '3'"]),
        (["train", "reber", "--steps"], ["--steps: expected one argument."]),
        (["train", "reber", "--steps", "3", "--minutes", "1"], ["--minutes and --steps: expected one of the two"]),
        (["train", "reber", "--backend", "nump"], ["minigrad: --backend: unknown name 'nump'. Did you mean 'numpy'?"]),
        (["train", "reber", "--memory", "2"], ["--memory: expected a number of 3 or more, got 2.0."]),
        (["train", "--resume", "none"], [f"none: {NO_FOLDER}."]),
        (["train", "text", "--file", "none.txt"], ["--file none.txt: cannot be read: No such file"]),
        (["train", "reber", "--out", "/dev/null/r"], ["--out /dev/null/r: cannot be written: Not a directory."]),
        (["train", "series"], [FILE_AND_COLUMN]),
        (["train", "series", "--file", "none.csv", "--column", "x"], ["--file none.csv: cannot be read"]),
        (["trian", "text"], ["unknown name 'trian'", "Did you mean 'train'?"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and len(value) < 9 else None,
)
def test_mistakes_are_answered_in_a_sentence(minigrad, words, parts, tmp_path):
    refused(minigrad(*words), *parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", EMPTY),
        (b"caf\xe9", "byte 3 (of 4) is 0xe9"),
        (b"short", "expected at least 650 characters"),
    ],
)
def test_a_text_that_will_not_do(minigrad, tmp_path, content, part):
    (tmp_path / "t").write_bytes(content)
    refused(minigrad("train", "text", "--file", "t"), "--file t", part)
    assert not (tmp_path / "runs").exists()


def test_a_run_folder_that_exists_has_two_ways_out(minigrad):
    assert minigrad("train", "reber", *SMALL)[0] == 0
    refused(
        minigrad("train", "reber", *SMALL),
        "--out runs/reber: this folder exists",
        "--resume runs/reber",
        "--out",
    )


def test_a_run_keeps_its_options(minigrad):
    assert minigrad("train", "reber", "--out", "r", *SMALL)[0] == 0
    refused(minigrad("train", "--resume", "r", "--units", 5), "--units can only be given to a new run")
    refused(minigrad("train", "--resume", "r", "--out", "q"), "--out can only be given to a new run")
    refused(minigrad("train", "copy", "--resume", "r"), "a run of the task 'reber', not 'copy'")
    refused(minigrad("train", "--resume", "r"), "the run is complete, 4 of 4 steps")
    refused(minigrad("train", "--resume", "r", "--steps", 3), f"the run has made 4 {MORE_STEPS}")
    refused(minigrad("train", "--resume", "r", "--steps", 0), f"--steps: {POSITIVE_INTEGER}")


def test_a_damaged_checkpoint_is_named(minigrad, tmp_path):
    assert minigrad("train", "reber", "--out", "r", *SMALL)[0] == 0
    (tmp_path / "r" / "checkpoint.npz").write_bytes(b"PK")
    refused(
        minigrad("train", "--resume", "r", "--steps", 9), "checkpoint.npz: is damaged", "Name r/best.npz in its place"
    )
    assert minigrad("train", "--resume", "r/best.npz", "--steps", 9)[0] == 0


def test_too_large_a_model_is_answered_in_a_sentence(minigrad, monkeypatch, tmp_path):
    def fails(*args):
        raise MemoryError("Unable to allocate 29.8 GiB")

    monkeypatch.setattr(Trainer, "predict", fails)
    code, _, err = minigrad("train", "copy")
    assert code == 1
    assert err.startswith("minigrad: not enough memory: Unable to allocate 29.8 GiB. ")
    assert err.endswith("Take fewer --units, a smaller --batch or shorter sequences.\n")
    assert list(tmp_path.iterdir()) == []


def test_a_config_with_an_impossible_option_is_named(minigrad, tmp_path):
    assert minigrad("train", "reber", "--out", "r", *SMALL)[0] == 0
    config = tmp_path / "r" / "config.json"
    config.write_text(config.read_text().replace('"units": 4', '"units": -4'))
    refused(minigrad("sample", "r"), f"r/config.json: --units: {POSITIVE_INTEGER}, got -4.")
    config.write_text(config.read_text().replace('"units": -4', '"units": 4').replace('"numpy"', '"nump"'))
    for words in (["sample", "r"], ["train", "--resume", "r", "--steps", "9"]):
        refused(minigrad(*words), "minigrad: r/config.json: --backend: unknown name 'nump'. Did you mean 'numpy'?")


def test_a_backend_that_does_not_work_here_is_blamed_on_the_option(minigrad, monkeypatch):
    def fails(name):
        raise BackendUnavailableError(f"mg.use: the backend {name!r} has no device.")

    monkeypatch.setattr(command_line, "resolve", fails)
    refused(
        minigrad("train", "reber", "--backend", "cupy"), "minigrad: --backend cupy: the backend 'cupy' has no device."
    )


def test_chance_is_not_said_to_beat_the_baseline(minigrad, tmp_path):
    code, out, _ = minigrad("train", "temporal-order", "--steps", 1, "--seed", 2)
    assert code == 0
    result = json.loads((tmp_path / "runs" / "temporal-order" / "result.json").read_text())
    assert result["value"] > result["baseline"]["value"]
    assert result["beats_baseline"] is False
    assert "The model is not better than 'guessing' yet: two standard errors of the difference are 0.03" in out


def test_an_evaluation_that_is_not_finite_is_reported(minigrad, monkeypatch):
    numbers = {"whole_string_accuracy": float("nan"), "standard_error": float("nan")}
    monkeypatch.setattr(Trainer, "evaluate", lambda self: numbers)
    code, out, _ = minigrad("train", "reber", *SMALL)
    assert code == 0
    assert "validation: whole string accuracy nan\n" in out
    assert "The model is not better than 'inner grammar known, outer symbol guessed' yet. Everything" in out


def test_a_loss_that_explodes_is_answered_with_the_step(minigrad):
    words = ["--learning-rate", "1e30", "--warmup", "0", "--clip-norm", "1e30", "--length", "5"]
    code, _, err = minigrad("train", "adding", *SMALL, *words)
    assert code == 1
    last = err.splitlines()[-1]
    assert last.startswith("minigrad: train: the ")
    assert "at step 2." in last
    assert f"{LAST_CHECKPOINT}0." in last
    assert "Traceback" not in err


def test_help_tells_options_and_defaults_of_the_task(minigrad, capsys):
    for words in (["train", "text", "--help"], ["train", "--help"]):
        with pytest.raises(SystemExit) as leaving:
            minigrad(*words)
        assert leaving.value.code == 0
    text = capsys.readouterr().out
    assert "--window N" in text
    assert "(default: 64)" in text
    assert "temporal-order" in text
    assert "last 1 to this many steps, 3 or more" in " ".join(text.split())


# --- in a separate process ----------------------------------------------------------------------


def start(*words, cwd):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "minigrad", *map(str, words)]
    return subprocess.Popen(
        command, cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path):
    long = ["--steps", "100000", "--units", "4", "--batch", "2", "--out", "r"]
    process = start("train", "reber", *long, cwd=tmp_path)
    metrics = tmp_path / "r" / "metrics.jsonl"
    running(process, tmp_path / "r")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "everything is saved" in err
    assert "Traceback" not in err
    done = metrics.read_text().count("\n")
    line = err.splitlines()[-1]
    # as it is printed, to a shell that knows of no virtual environment
    process = subprocess.Popen(
        f"{line} --steps {done + 2}", shell=True, cwd=tmp_path, env={"PATH": os.defpath}, stdout=PIPE, stderr=PIPE,
        text=True,
    )  # fmt: skip
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert f"step {done} of {done + 2}; r" in out
    assert [json.loads(line)["step"] for line in metrics.read_text().splitlines()] == list(range(1, done + 3))


def running(process, folder):
    """Wait until a run has made a few steps."""
    metrics = folder / "metrics.jsonl"
    for _ in range(600):
        if metrics.exists() and metrics.read_text().count("\n") > 5:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)


@pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")
def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path, minigrad):
    long = ["--steps", "100000", "--units", "4", "--batch", "2", "--save-every", "1", "--out", "r"]
    process = start("train", "reber", *long, cwd=tmp_path)
    running(process, tmp_path / "r")
    refused(minigrad("train", "--resume", "r"), f"r: process {process.pid} on ", LOCKED)
    process.kill()
    process.communicate(timeout=60)
    assert (tmp_path / "r" / "lock").exists()
    done = Run.resume(tmp_path / "r").trainer.step
    assert minigrad("train", "--resume", "r", "--steps", done + 2)[0] == 0
    assert not (tmp_path / "r" / "lock").exists()


@pytest.mark.parametrize("name", ["evaluate", "capture"])
def test_an_interruption_at_once_says_how_to_go_on(minigrad, monkeypatch, tmp_path, name):
    assert minigrad("train", "reber", "--out", "r", *SMALL)[0] == 0

    def stopped(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, name, stopped)
        code, _, err = minigrad("train", "--resume", "r", "--steps", 8)
    assert code == 130
    assert "Stopped at once; the steps since the last checkpoint are lost. Resume with" in err
    assert err.endswith(f"Resume with\n  {command_line.command('-m', 'minigrad', 'train', '--resume', 'r')}\n")
    assert not (tmp_path / "r" / "lock").exists()
    assert minigrad("train", "--resume", "r", "--steps", 8)[0] == 0
