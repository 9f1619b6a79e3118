"""Run folders that were changed: a sentence that names the file, or a run that goes on; never an error of Python's."""

from __future__ import annotations

import itertools
import json
import os
import shutil
from functools import partial

import numpy as np
import pytest

from minigrad.engine.errors import MinigradError
from minigrad.train.run import Run, trained
from train.damage import arrays, encoded, texts
from train.runs import StopAt, options_of

SHARE = int(os.environ.get("MINIGRAD_DAMAGE_SHARE", "97"))  # every 97th; 1 for all ten thousand
# Values whose change a run cannot detect: its length, and numbers that any run could have.
SENSIBLE = {"minutes", "steps", "best", "state", "inc", "uinteger", "has_uint32", "weights", "validation"}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory, corpus):
    """Folders of runs that were stopped after step 2 of 4, by the name of their task."""
    place = tmp_path_factory.mktemp("stopped")
    (place / "series.csv").write_text("x\n" + "".join(f"{k * k % 7}\n" for k in range(60)))
    own = {
        "text": {},
        "adding": {"length": 4, "cell": "gru", "layers": 2},
        "series": {"file": str(place / "series.csv"), "column": "x", "window": 4},
    }
    for task, options in own.items():
        small = {"steps": 4, "batch": 2, "units": 3, "evaluate_every": 1, "save_every": 1}
        run, stop = Run.create(place / task, options_of(task, corpus, **small, **options), task), StopAt(2)
        assert not run.train(stop, stop.interruption)
    return place


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Nothing need reach the disk, and no curve be drawn."""
    monkeypatch.setattr("os.fsync", lambda descriptor: None)
    monkeypatch.setattr(Run, "draw", lambda self: False)


def outcome(folder):
    """ "refused", or "went on": both ways to open a run end in one of them."""
    said = [refusal(opened) for opened in (lambda: trained(folder), lambda: Run.resume(folder).train())]
    for each in filter(None, said):
        assert "\n" not in each
        assert len(each) < 800
        assert str(folder) in each
    return "refused" if any(said) else "went on"


def refusal(work):
    try:
        work()
    except MinigradError as error:
        return str(error)
    return ""


def damaged(stopped, tmp_path, changes):
    """Try each change, a (label, name, content), on a copy of a run; return the labels of those that resumed."""
    went_on, tried = [], 0
    for label, task, name, content in itertools.islice(changes, 0, None, SHARE):
        tried += 1
        folder = tmp_path / str(tried)
        shutil.copytree(stopped / task, folder)
        (folder / name).write_bytes(content() if callable(content) else content)
        if outcome(folder) == "went on":
            went_on.append(label)
        shutil.rmtree(folder)
    print(f"{tried} tried, {len(went_on)} went on")
    assert tried > 5
    return went_on


def json_files(stopped, name):
    for folder in sorted(path for path in stopped.iterdir() if path.is_dir()):
        for place, what, content in texts(json.loads((folder / name).read_text())):
            yield (place, what), folder.name, name, content


def archive(tmp_path, contents):
    np.savez(tmp_path / "archive.npz", **{name: array for name, array in contents.items() if array is not None})
    return (tmp_path / "archive.npz").read_bytes()


def checkpoints(stopped, tmp_path, damage):
    for folder in sorted(path for path in stopped.iterdir() if path.is_dir()):
        for name in ("checkpoint.npz", "best.npz"):
            with np.load(folder / name) as file:
                contents = dict(file)
            for label, key, array in damage(contents):
                yield (*label, name), folder.name, name, partial(archive, tmp_path, contents | {key: array})


def descriptions(contents):
    about = json.loads(contents["about"].tobytes())
    for place, what, content in texts(about):
        yield (place, what), "about", np.frombuffer(content, np.uint8)


def every_array(contents):
    for key, array in contents.items():
        for what, new in arrays(array):
            yield ((key,), what), key, new


def lines(stopped):
    for folder in sorted(path for path in stopped.iterdir() if path.is_dir()):
        written = (folder / "metrics.jsonl").read_bytes().splitlines()
        for k, line in enumerate(written):
            for place, what, content in texts(json.loads(line)):
                new = b"\n".join([*written[:k], content, *written[k + 1 :], b""])
                yield (place, what), folder.name, "metrics.jsonl", new


def last(place):
    return next((name for name in reversed(place) if isinstance(name, str)), "")


def test_config(stopped, tmp_path):
    went_on = damaged(stopped, tmp_path, json_files(stopped, "config.json"))
    assert [label for label in went_on if last(label[0]) not in SENSIBLE and label[1] != "nothing"] == []


def test_descriptions_of_checkpoints(stopped, tmp_path):
    went_on = damaged(stopped, tmp_path, checkpoints(stopped, tmp_path, descriptions))
    odd = [(place, what) for place, what, _ in went_on if last(place) not in SENSIBLE and place[:1] != ("random",)]
    assert [label for label in odd if label[0][:1] not in (("options",), ("cut",))] == []


def test_arrays_of_checkpoints(stopped, tmp_path):
    went_on = damaged(stopped, tmp_path, checkpoints(stopped, tmp_path, every_array))
    weights = [label for label in went_on if label[2] == "checkpoint.npz" or label[0][0].startswith("weights")]
    assert weights == []  # all else in best.npz is read where a run goes back to it


def test_lines_of_metrics(stopped, tmp_path):
    damaged(stopped, tmp_path, lines(stopped))


def test_encoded_twice_is_the_same():
    assert json.loads(encoded({"a": "\ud800"}).decode("utf-8", "surrogatepass")) == {"a": "\ud800"}
