"""Every command that takes a path, and all kinds of paths: one sentence, at once, and no file written."""

from __future__ import annotations

import os
import signal
import socket

import pytest

from minigrad.__main__ import COMMANDS
from minigrad.train.command_line import main

pytestmark = pytest.mark.skipif(os.name != "posix", reason="makes POSIX files")
SECONDS = 10  # far above what is needed: to wait for a pipe is to wait for ever

READ = {
    "text": ["train", "text", "--window", "8", "--steps", "1", "--out", "new", "--file"],
    "part of a text": [
        "train",
        "text",
        "--window",
        "8",
        "--characters",
        "700",
        "--steps",
        "1",
        "--out",
        "new",
        "--file",
    ],
    "series": ["train", "series", "--column", "x", "--steps", "1", "--out", "new", "--file"],
    "resume": ["train", "--resume"],
    "sample": ["sample"],
    "trace": ["trace"],
}
WRITTEN = {
    "train": ["train", "reber", "--steps", "1", "--out"],
    "trace": ["trace", "copy", "--out"],
    "playground": ["playground", "--out"],
    "bench": ["bench", "--json"],
    "bench's tables": ["bench", "--markdown"],
}


def pipe(path):
    os.mkfifo(path)


def listening(path):
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.close()  # the file stays


def huge(path):
    with path.open("wb") as file:
        file.truncate(1 << 40)


PLACES = {
    "zero": lambda path: path.symlink_to("/dev/zero"),
    "null": lambda path: path.symlink_to("/dev/null"),
    "terminal": lambda path: path.symlink_to("/dev/tty"),
    "pipe": pipe,
    "socket": listening,
    "folder": lambda path: path.mkdir(),
    "dangling": lambda path: path.symlink_to(path.with_name("none")),
    "loop": lambda path: path.symlink_to(path),
    "empty": lambda path: path.write_bytes(b""),
    "binary": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "zeros": lambda path: path.write_bytes(bytes(10_000)),
    "huge": huge,
    "absent": lambda path: None,
}
HARMLESS = {("lock", "empty"), ("lock", "absent")}
HARMLESS |= {("metrics.jsonl", place) for place in ("empty", "absent", "zeros", "binary")}
REGULAR = ("dangling", "loop", "empty", "binary", "zeros", "huge", "absent")


@pytest.fixture
def at_once(runs, monkeypatch, capsys):
    """Run a command in the folder of runs, with an alarm: its words -> (exit status, stderr)."""
    monkeypatch.chdir(runs)

    def late(number, frame):
        raise TimeoutError("not at once")

    def run(words):
        before = signal.signal(signal.SIGALRM, late)
        signal.alarm(SECONDS)
        try:
            code = main([str(word) for word in words], COMMANDS)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
        return code, capsys.readouterr().err

    return run


def one_sentence(result, path):
    code, err = result
    assert code in (1, 2), err
    assert err.startswith("minigrad: ")
    assert err.count("\n") == 1
    assert path.name in err or str(path.parent) in err
    assert "Traceback" not in err
    assert len(err) < 600


@pytest.mark.parametrize("suffix", ["", ".npz"])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", READ)
def test_what_cannot_be_read(at_once, runs, tmp_path, command, place, suffix):
    path = tmp_path / f"path{suffix}"
    (tmp_path / "config.json").write_bytes((runs / "copy" / "config.json").read_bytes())
    PLACES[place](path)
    if command in ("text", "part of a text") and place == "zeros":
        return  # it is a text, of one character
    if command == "part of a text" and place == "huge":
        return  # and this
    one_sentence(at_once([*READ[command], path]), path)
    assert not (runs / "new").exists()


@pytest.mark.parametrize("name", ["config.json", "checkpoint.npz", "best.npz", "lock", "metrics.jsonl"])
@pytest.mark.parametrize("place", PLACES)
def test_a_file_of_a_run_that_is_something_else(at_once, runs, tmp_path, name, place):
    for file in (runs / "copy").iterdir():
        if file.name != name:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    PLACES[place](tmp_path / name)
    commands = [["train", "--resume", tmp_path, "--steps", "3"]]
    if name in ("config.json", "best.npz") and place != "absent":
        commands = [["sample", tmp_path], ["trace", tmp_path]]
    if name == "best.npz":  # what there is in its place is read
        commands = commands if place not in ("absent", "dangling", "loop") else []
    if (name, place) in HARMLESS:
        code, err = at_once(commands[0])
        assert code == 0, err  # a lock of no process; lines that a power cut took
        return
    for words in commands:
        one_sentence(at_once(words), tmp_path)


@pytest.mark.parametrize("place", [place for place in PLACES if place not in REGULAR])
@pytest.mark.parametrize("command", WRITTEN)
def test_what_cannot_be_written(at_once, tmp_path, command, place):
    path = tmp_path / "path"
    PLACES[place](path)
    if command == "train" and place == "folder":
        return  # an empty one
    before = os.lstat(path)
    one_sentence(at_once([*WRITTEN[command], path]), path)
    assert os.lstat(path).st_ino == before.st_ino
    assert os.listdir(tmp_path) == ["path"]


@pytest.mark.parametrize("command", READ)
def test_what_may_not_be_read(at_once, tmp_path, monkeypatch, command):
    path = tmp_path / "path"
    path.write_text("the quick brown fox\n" * 100)

    def refuse(file, *args, **settings):  # the superuser may read everything
        if str(file) == str(path):
            raise PermissionError(13, "Permission denied", str(file))
        return before(file, *args, **settings)

    before = open
    monkeypatch.setattr("builtins.open", refuse)
    one_sentence(at_once([*READ[command], path]), path)


@pytest.mark.parametrize(
    "name", ["x" * 300, "a" * 5000, "\udce9t\udce9", "né\nw"], ids=["long", "longer", "bytes", "line"]
)
@pytest.mark.parametrize("command", READ)
def test_names_that_there_are_not(at_once, tmp_path, command, name):
    code, err = at_once([*READ[command], tmp_path / name])
    assert code in (1, 2)
    assert err.startswith("minigrad: ")
    assert "Traceback" not in err


def test_a_part_of_a_huge_file_is_read(at_once, runs, tmp_path):
    with (tmp_path / "text").open("wb") as file:
        file.write(b"caf\xc3\xa9 \r\n" * 1000)
        file.truncate(1 << 40)
    words = ["train", "text", "--file", tmp_path / "text", "--characters", "900", "--window", "8", "--steps", "1"]
    assert at_once([*words, "--units", "3", "--batch", "2", "--out", tmp_path / "run"])[0] == 0
