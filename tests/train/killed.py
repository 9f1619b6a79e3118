"""Trainings that are killed before each of their writes, or have no room for them, and what can be done afterwards.

A separate program, run by `test_killed.py`: it forks, which a process with threads should not. Prints a JSON object
for each death: where it came, and what became of --out and --resume, each tried on a copy of what was left.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
from functools import partial
from pathlib import Path

from minigrad.engine.errors import MinigradError
from minigrad.train import run as run_module
from minigrad.train.run import Run
from minigrad.train.tasks import TASKS

OPTIONS = TASKS["adding"].options_type(steps=3, batch=2, units=3, length=4, evaluate_every=2, save_every=2)
FILES = ("config.json", "metrics.jsonl", "checkpoint.npz", "best.npz", "result.json", "curve.png")


class Curve:
    """A picture that takes no time."""

    figure = property(lambda self: self)

    def savefig(self, file, **settings):
        file.write(b"png")


def begin(folder):
    Run.create(folder, OPTIONS, "adding").train()


def extend(folder):
    Run.resume(folder, steps=6).train()


def go_on(folder):
    Run.resume(folder).train()


def in_a_child(work, prepare):
    """Run `work` in a separate process, which `prepare` kills; return its exit status."""
    child = os.fork()
    if child == 0:
        try:
            prepare()
            work()
        except MinigradError as error:
            os.write(2, f"{error}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_before(number, folder, record):
    """Arms the process: it is killed before the write of that number in the folder."""
    seen = [0]

    def point(what):
        seen[0] += 1
        if seen[0] == number:
            record.write_text(what)
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, args):
        writes = event in ("os.rename", "os.remove", "os.mkdir", "os.truncate") or (
            event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        )
        if writes and isinstance(args[0], (str, os.PathLike)) and os.fspath(args[0]).startswith(str(folder)):
            point(f"{event} {os.path.basename(os.fspath(args[0]))}")

    def counted(descriptor):
        point("fsync")
        point("after fsync")

    sys.addaudithook(hook)
    os.fsync = counted


def contents(folder):
    """The files of a run; other files are listed by name."""
    there = {name: (folder / name).read_bytes().hex() for name in FILES if (folder / name).exists()}
    return there | {"others": sorted(set(os.listdir(folder)) - set(FILES))}


def tried(work, folder, left):
    """Return the error of `work` on a copy of a folder, "" if there is none, and the files afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    if left.exists():
        shutil.copytree(left, folder)
    try:
        work(folder)
    except MinigradError as error:
        return str(error), contents(folder) if folder.exists() else {}
    return "", contents(folder)


def died(place, work, start, prepare):
    """Kill `work` in a folder; return the exit status."""
    folder = place / "run"
    shutil.rmtree(folder, ignore_errors=True)
    if start:
        shutil.copytree(start, folder)
    return in_a_child(partial(work, folder), prepare)


def report(place, status, where, ways, reference):
    line = {"status": status, "where": where if status else "the end"}
    for name, way in ways.items():
        line[name], after = tried(way, place / "again", place / "run")
        line[f"{name} is whole"] = after == reference
    print(json.dumps(line), flush=True)


def killed(place, work, start, ways, reference):
    """Kills `work` at each of its writes, and tries the ways on."""
    record, status, number = place / "record", -1, 0
    while status:
        number += 1
        status = died(place, work, start, partial(killed_before, number, place / "run", record))
        report(place, status, record.read_text(), ways, reference)


def limit(size):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def full(place, ways, reference):
    """Trainings with a limit of the size of a file in bytes."""
    for size in (0, 5, 100, 300, 600, 700, 800, 1000, 2000, 4000, 8000):
        report(place, died(place, begin, None, partial(limit, size)), f"{size} bytes", ways, reference)


def main(place, scenario):
    os.fsync = lambda descriptor: None  # a killed process, unlike a power cut, loses nothing that it wrote
    run_module.learning_curve = lambda *args: Curve()
    begin(place / "again")
    reference, start = contents(place / "again"), place / "start"
    ways = {"--out": begin, "--resume": go_on}
    if scenario == "killed":
        killed(place, begin, None, ways, reference)
    elif scenario == "full":
        full(place, ways, reference)
    else:
        shutil.copytree(place / "again", start)
        extend(place / "again")
        killed(place, extend, start, {"--resume": extend}, contents(place / "again"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
