"""Run folders: created once, resumed bit for bit, never half written."""

from __future__ import annotations

import importlib.util
import json
import math
import signal

import numpy as np
import pytest

from minigrad.engine.errors import NaNLossError
from minigrad.train import checkpoint as checkpoints
from minigrad.train import run as run_module
from minigrad.train.errors import RunError
from minigrad.train.run import Run, read_config, steps_within, trained
from minigrad.train.task import Sampling
from minigrad.train.tasks import TASKS
from run_errors import LAST_CHECKPOINT, MORE_STEPS
from train.runs import Crash, StopAt, options_of

FILES = ("config.json", "metrics.jsonl", "checkpoint.npz", "best.npz", "result.json")


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module", params=["text", "reber"])
def whole(request, tmp_path_factory, corpus):
    """The name of a task and the files of a run of 40 steps that was never stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run = Run.create(folder, options_of(request.param, corpus, dropout=0.1), request.param)
    assert run.train()
    return request.param, contents(folder)


@pytest.mark.parametrize("stop", [StopAt, Crash], ids=["interrupted", "crashed"])
def test_forty_steps_in_one_go_or_in_two_give_the_same_files(whole, tmp_path, corpus, stop):
    task, expected = whole
    run = Run.create(tmp_path / "run", options_of(task, corpus, dropout=0.1), task)
    progress = stop(25)
    if stop is StopAt:
        assert run.train(progress, progress.interruption) is False
        assert run.trainer.step == 25
    else:
        with pytest.raises(SystemExit):
            run.train(progress)
    resumed = Run.resume(tmp_path / "run")
    assert resumed.trainer.step == (25 if stop is StopAt else 21)  # 21: the last of the regular saves
    assert resumed.train()
    for name, content in contents(tmp_path / "run").items():
        assert content == expected[name], name


def test_many_interruptions(whole, tmp_path, corpus):
    task, expected = whole
    Run.create(tmp_path / "run", options_of(task, corpus, dropout=0.1), task)
    for step in (1, 2, 10, 29, 39):
        progress = StopAt(step)
        assert not Run.resume(tmp_path / "run").train(progress, progress.interruption)
    Run.resume(tmp_path / "run").train()
    assert contents(tmp_path / "run") == expected


def test_each_step_has_one_line_of_metrics(whole):
    _, files = whole
    records = [json.loads(line) for line in files["metrics.jsonl"].splitlines()]
    assert [record["step"] for record in records] == list(range(1, 41))
    assert [r["step"] for r in records if "validation" in r] == [10, 20, 30, 40]
    assert all({"loss", "learning_rate", "gradient_norm"} <= record.keys() for record in records)


def test_the_result_stands_beside_the_baseline(whole):
    task, files = whole
    result = json.loads(files["result.json"])
    records = [json.loads(line) for line in files["metrics.jsonl"].splitlines()]
    assert result["steps"] == 40
    assert result["validation"] == records[-1]["validation"]
    assert result["metric"] == TASKS[task].metric
    assert result["value"] == result["validation"][result["metric"]]
    assert set(result["baseline"]) == {"name", "value"}


@pytest.mark.parametrize(
    ("value", "error", "beats"), [(0.56, 0.02, True), (0.53, 0.02, False), (0.1, 0.0, False), (0.9, math.nan, False)]
)
def test_noise_does_not_beat_the_baseline(tmp_path, corpus, monkeypatch, value, error, beats):
    run = Run.create(tmp_path / "run", options_of("reber", corpus, steps=1), "reber")
    numbers = {"whole_string_accuracy": value, "standard_error": error}
    monkeypatch.setattr(run.trainer, "evaluate", lambda: numbers)
    run.train()
    assert json.loads((tmp_path / "run" / "result.json").read_text())["beats_baseline"] is beats


def test_the_best_is_kept(tmp_path, corpus, monkeypatch):
    values = iter([3.0, 1.0, 2.0, 4.0])
    run = Run.create(tmp_path / "run", options_of("text", corpus), "text")
    monkeypatch.setattr(run.trainer, "evaluate", lambda: {"bits_per_character": next(values)})
    run.train()
    assert checkpoints.load(tmp_path / "run" / "best.npz").about["step"] == 20
    assert checkpoints.load(tmp_path / "run" / "checkpoint.npz").about["best"] == 1.0
    _, trainer = trained(tmp_path / "run")
    np.testing.assert_array_equal(
        trainer.model.get_weights()[0], checkpoints.load(tmp_path / "run" / "best.npz").group("weights")[0]
    )


def test_what_is_not_finite_is_never_the_best(tmp_path, corpus, monkeypatch):
    values = iter([math.nan, 3.0, math.nan, math.inf])
    run = Run.create(tmp_path / "run", options_of("text", corpus), "text")
    monkeypatch.setattr(run.trainer, "evaluate", lambda: {"bits_per_character": next(values)})
    run.train()
    assert checkpoints.load(tmp_path / "run" / "best.npz").about["step"] == 20
    assert json.loads((tmp_path / "run" / "result.json").read_text())["value"] is None


def test_the_trained_model_samples_without_the_text(tmp_path, corpus):
    path = tmp_path / "copy.txt"
    path.write_text(corpus.read_text())
    run = Run.create(tmp_path / "run", options_of("text", path, steps=5), "text")
    run.train()
    expected = run.task.sample(run.trainer.predict, np.random.default_rng(0), Sampling(length=30))
    path.unlink()
    task, trainer = trained(tmp_path / "run")
    assert task.sample(trainer.predict, np.random.default_rng(0), Sampling(length=30)) == expected
    with pytest.raises(Exception, match="cannot be read"):
        Run.resume(tmp_path / "run", steps=9)


# --- longer than planned --------------------------------------------------------------------------


def test_a_complete_run_goes_on_only_with_more_steps(tmp_path, corpus):
    Run.create(tmp_path / "run", options_of("reber", corpus, steps=3), "reber").train()
    with pytest.raises(RunError, match=r"the run is complete, 3 of 3 steps\. To train it longer, add --steps"):
        Run.resume(tmp_path / "run")
    with pytest.raises(RunError, match=f"the run has made 3 {MORE_STEPS}, got 2"):
        Run.resume(tmp_path / "run", steps=2)
    run = Run.resume(tmp_path / "run", steps=5)
    assert run.train()
    assert run.trainer.step == 5
    assert read_config(tmp_path / "run")[1].steps == 5
    assert len(run.metrics.read()) == 5


def test_a_run_that_ended_before_its_result_was_written_is_finished(tmp_path, corpus, monkeypatch):
    run = Run.create(tmp_path / "run", options_of("reber", corpus, steps=3), "reber")
    monkeypatch.setattr(run, "finish", lambda: None)
    run.train()
    assert not (tmp_path / "run" / "result.json").exists()
    Run.resume(tmp_path / "run").train()
    assert json.loads((tmp_path / "run" / "result.json").read_text())["steps"] == 3


# --- from a checkpoint of one's choice ---------------------------------------------------------------


def test_going_back_to_the_best_gives_the_same_files(whole, tmp_path, corpus):
    task, expected = whole
    folder = tmp_path / "run"
    Run.create(folder, options_of(task, corpus, dropout=0.1), task).train()
    (folder / "checkpoint.npz").write_text("damaged")
    saved = checkpoints.load(folder / "best.npz").about["step"]
    if saved == 40:  # a run that was best at its end has nothing to go back to
        with pytest.raises(RunError, match="the run is complete"):
            Run.resume(folder / "best.npz")
        return
    run = Run.resume(folder / "best.npz")
    assert run.trainer.step == saved
    assert run.train()
    assert contents(folder) == expected


def test_a_run_that_is_stopped_after_it_was_taken_back_goes_on_from_there(tmp_path, corpus):
    run = Run.create(tmp_path / "run", options_of("reber", corpus, steps=9, evaluate_every=3), "reber")
    run.train()
    early = tmp_path / "run" / "early.npz"
    checkpoints.save(early, saved_at(run, 3))
    stop = StopAt(3)
    stop.interruption.note(signal.SIGINT, None)
    assert not Run.resume(early).train(stop, stop.interruption)
    again = Run.resume(tmp_path / "run")
    assert again.trainer.step == 3
    assert len(again.metrics.read()) == 3


def saved_at(run, step):
    fresh = Run.create(run.folder.with_name("fresh"), run.options, "reber")
    while fresh.trainer.step < step:
        fresh.trainer.advance()
    state = fresh.trainer.capture()
    return checkpoints.Checkpoint({**state.about, "best": None}, state.arrays)


def test_the_trained_model_of_a_checkpoint_of_ones_choice(run_folder):
    _, trainer = trained(run_folder / "checkpoint.npz")
    assert trainer.model.count_params()


# --- losses that are not finite -------------------------------------------------------------------


def exploding(run, at):
    advance = run.trainer.advance

    def wrapped():
        step = advance()
        if run.trainer.step == at:
            raise NaNLossError(f"train: the loss is nan at step {at}.")
        return step

    return wrapped


def test_a_loss_that_is_not_finite_names_the_last_checkpoint(tmp_path, corpus, monkeypatch):
    run = Run.create(tmp_path / "run", options_of("reber", corpus), "reber")
    monkeypatch.setattr(run.trainer, "advance", exploding(run, 9))
    with pytest.raises(NaNLossError, match=rf"at step 9\. {LAST_CHECKPOINT}7\."):
        run.train()
    assert run.metrics.read()[-1]["step"] == 8


# --- pictures and time ----------------------------------------------------------------------------


def test_the_curve_is_drawn_where_matplotlib_is(tmp_path, corpus, monkeypatch):
    run = Run.create(tmp_path / "run", options_of("text", corpus, steps=3), "text")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    run.train()
    assert not (tmp_path / "run" / "curve.png").exists()
    monkeypatch.undo()
    pytest.importorskip("matplotlib")
    assert run.draw()
    assert (tmp_path / "run" / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_the_curve_is_drawn_of_a_run_that_is_stopped(tmp_path, corpus):
    pytest.importorskip("matplotlib")
    run = Run.create(tmp_path / "run", options_of("text", corpus), "text")
    stop = StopAt(0)
    stop.interruption.note(signal.SIGINT, None)
    assert not run.train(stop, stop.interruption)
    assert not (tmp_path / "run" / "curve.png").exists()  # there is nothing to draw
    stop = StopAt(2)
    assert not run.train(stop, stop.interruption)
    assert (tmp_path / "run" / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_steps_in_so_many_minutes(corpus, monkeypatch):
    options = options_of("reber", corpus)
    now = iter(np.arange(0, 1e6, 0.5))
    monkeypatch.setattr(run_module.time, "perf_counter", lambda: float(next(now)))
    steps = steps_within(2.0, TASKS["reber"](options), options)
    # Each look at the clock takes half a second, and the first five steps cost none: eight steps in 2.5 s.
    assert steps == round(120 * 8 / 2.5)
