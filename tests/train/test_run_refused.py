"""Folders, configurations and checkpoints that a run refuses and leaves unchanged."""

from __future__ import annotations

import json
import re

import pytest

from minigrad.engine.files import FileError
from minigrad.train import checkpoint as checkpoints
from minigrad.train.errors import CheckpointError, OptionError, RunError
from minigrad.train.progress import Silent
from minigrad.train.run import Run, read_config
from minigrad.train.tasks import TASKS
from run_errors import LOCKED, NO_CHECKPOINT, NO_FOLDER
from train.runs import options_of


def test_a_folder_that_is_there_already(tmp_path, corpus):
    options = options_of("reber", corpus)
    Run.create(tmp_path / "run", options, "reber")
    before = contents_now(tmp_path / "run")
    with pytest.raises(RunError, match=r"exists already; resume it by --resume .*run, or choose another .* --out"):
        Run.create(tmp_path / "run", options, "reber")
    assert contents_now(tmp_path / "run") == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match=r"other: this folder exists already; choose another place with --out"):
        Run.create(tmp_path / "other", options, "reber")
    with pytest.raises(RunError, match="exists already"):
        Run.create(tmp_path / "other" / "letter.txt", options, "reber")
    (tmp_path / "empty").mkdir()
    Run.create(tmp_path / "empty", options, "reber")


def contents_now(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_nothing_is_written_when_the_data_will_not_do(tmp_path):
    options = TASKS["text"].options_type(file=str(tmp_path / "none.txt"))
    with pytest.raises(Exception, match="cannot be read"):
        Run.create(tmp_path / "run", options, "text")
    assert not (tmp_path / "run").exists()


def test_no_run(tmp_path):
    with pytest.raises(RunError, match=NO_FOLDER):
        Run.resume(tmp_path / "none")
    with pytest.raises(RunError, match=r"it has no config\.json, so it is not a run"):
        Run.resume(tmp_path)


def test_a_file_in_place_of_a_run(run_folder):
    says = r"a\.txt: expected the folder of a run, or one of its checkpoints \(\.npz\), got another file\."
    for folder, more in ((run_folder, f" Did you mean '{run_folder}'?"), (run_folder.parent, "")):
        (folder / "a.txt").write_text("")
        with pytest.raises(RunError, match=f"{says}{re.escape(more)}$"):
            read_config(folder / "a.txt")


@pytest.mark.parametrize("config", ["[]", "{", '{"task": 3, "options": {}}', '{"task": "text"}'])
def test_a_config_that_is_none(run_folder, config):
    (run_folder / "config.json").write_text(config)
    with pytest.raises(RunError, match=r"config\.json: expected"):
        Run.resume(run_folder)


def edit_config(folder, **options):
    config = json.loads((folder / "config.json").read_text())
    config["options"] |= options
    (folder / "config.json").write_text(json.dumps(config))


def test_options_that_were_changed_under_way(run_folder):
    edit_config(run_folder, units=9)
    with pytest.raises(RunError, match=r"config\.json: expected units=6, as in the checkpoint, got 9.*old value"):
        Run.resume(run_folder)
    edit_config(run_folder, units=6, unts=3)
    with pytest.raises(OptionError, match=r"config\.json: option: unknown name 'unts'\. Did you mean 'units'"):
        Run.resume(run_folder)


def test_a_damaged_checkpoint(run_folder):
    path = run_folder / "checkpoint.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"checkpoint\.npz: is damaged"):
        Run.resume(run_folder)


def test_two_cannot_train_in_one_folder(run_folder):
    first, second = Run.resume(run_folder), Run.resume(run_folder)

    class Meanwhile(Silent):
        def update(self, step, loss, items):
            with pytest.raises(RunError, match=r"process \d+ on .* is training in it"):
                second.train()
            with pytest.raises(RunError, match=f"{re.escape(LOCKED)} or end it; .* delete .*lock"):
                Run.resume(run_folder)

    first.train(Meanwhile())
    assert not (run_folder / "lock").exists()


def test_what_a_killed_process_left_is_removed(run_folder):
    (run_folder / ".checkpoint.npz.99999999.tmp").write_bytes(b"half")
    (run_folder / "lock").write_text("99999999 \n")
    Run.resume(run_folder).train()
    assert not [path for path in run_folder.iterdir() if path.name.startswith((".", "lock"))]


def test_a_place_that_cannot_be_written_to(tmp_path, corpus):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match=r"--out .*file/run: cannot be written: Not a directory\. Choose a place"):
        Run.create(tmp_path / "file" / "run", options_of("reber", corpus), "reber")


def test_a_full_disk_leaves_the_checkpoint_before(run_folder, monkeypatch):
    run, before = Run.resume(run_folder), (run_folder / "checkpoint.npz").read_bytes()

    class Full(Silent):
        def update(self, step, loss, items):
            def fails(*args, **kwargs):
                raise OSError(28, "No space left on device")

            monkeypatch.setattr("os.fsync", fails)

    with pytest.raises(FileError, match=r"\.(npz|jsonl): cannot be written: No space left on device"):
        run.train(Full())
    assert (run_folder / "checkpoint.npz").read_bytes() == before
    assert not [path for path in run_folder.iterdir() if path.name.startswith((".", "lock"))]
    monkeypatch.undo()
    assert Run.resume(run_folder).train()


def test_the_checkpoint_of_another_task(run_folder, tmp_path, corpus):
    Run.create(tmp_path / "other", options_of("copy", corpus), "copy")
    (tmp_path / "other" / "checkpoint.npz").replace(run_folder / "checkpoint.npz")
    with pytest.raises(CheckpointError, match="expected a checkpoint of the task 'reber', got one of 'copy'"):
        Run.resume(run_folder)


def test_a_checkpoint_of_something_else_than_a_run(run_folder):
    checkpoints.save(run_folder / "checkpoint.npz", checkpoints.Checkpoint({"task": "reber"}, {}))
    with pytest.raises(CheckpointError, match="expected a checkpoint of a run, got one without options, facts"):
        Run.resume(run_folder)


def test_a_checkpoint_that_lacks_something(run_folder):
    saved = checkpoints.load(run_folder / "checkpoint.npz")
    for name in ("optimizer/m/0", "weights/0"):
        arrays = {key: array for key, array in saved.arrays.items() if key != name}
        checkpoints.save(run_folder / "checkpoint.npz", saved._replace(arrays=arrays))
        with pytest.raises(
            CheckpointError, match=r"checkpoint\.npz: the checkpoint does not hold what its run needs: "
        ):
            Run.resume(run_folder)


def test_a_checkpoint_out_of_its_folder(run_folder, tmp_path):
    (run_folder / "checkpoint.npz").rename(tmp_path / "alone.npz")
    with pytest.raises(
        RunError, match=r"alone\.npz: expected a checkpoint of a run, got a file in a folder without config\.json"
    ):
        Run.resume(tmp_path / "alone.npz")


def test_a_checkpoint_that_is_gone(run_folder):
    Run.resume(run_folder, steps=1).train()
    (run_folder / "checkpoint.npz").unlink()
    with pytest.raises(CheckpointError, match=rf"{NO_CHECKPOINT}\. Name .*run/best\.npz in its place"):
        Run.resume(run_folder)
    with pytest.raises(RunError, match=r"exists already; resume it by --resume .*run/best\.npz, or choose"):
        Run.create(run_folder, Run.resume(run_folder / "best.npz", steps=2).options, "reber")
    (run_folder / "best.npz").unlink()
    with pytest.raises(CheckpointError, match=rf"{NO_CHECKPOINT}\. Start a new run\."):
        Run.resume(run_folder)
    with pytest.raises(RunError, match=r"exists already; choose another place with --out"):
        Run.create(run_folder, TASKS["reber"].options_type(), "reber")


def test_a_text_that_changed(tmp_path, corpus):
    path = tmp_path / "text.txt"
    path.write_text(corpus.read_text())
    Run.create(tmp_path / "run", options_of("text", path), "text")
    path.write_text(corpus.read_text().replace("fox", "cat"))
    with pytest.raises(RunError, match="the data are not those that the run began with"):
        Run.resume(tmp_path / "run")
