"""Several programs on one run folder: one gets it, the others say so, and nothing is mixed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from file_errors import IS_A_FOLDER
from minigrad.engine.files import MACHINE, PROCESS, temporary_name, write_atomically
from minigrad.train.errors import RunError
from minigrad.train.lock import abandoned, locked
from minigrad.train.run import Run, read_config, trained
from run_errors import LOCKED
from train.runs import options_of

PROGRAM = """if True:
    import sys
    from minigrad.__main__ import COMMANDS
    from minigrad.train.command_line import main
    print("ready", flush=True)
    sys.stdin.readline()
    sys.exit(main(sys.argv[1:], COMMANDS))
"""
SMALL = ["--steps", "3", "--batch", "2", "--length", "4", "--save-every", "1", "--evaluate-every", "1"]


def at_once(folder, commands):
    """Run command lines that begin at the same moment; return (exit status, the last line on stderr) of each."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen([sys.executable, "-c", PROGRAM, *words], cwd=folder, env=environment, **pipes)
        for words in commands
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    ends = [process.communicate() for process in processes]
    return [
        (process.returncode, err.splitlines()[-1] if err else "")
        for process, (_, err) in zip(processes, ends, strict=True)
    ]


@pytest.mark.parametrize("attempt", range(3))
def test_of_many_that_begin_one_run_one_gets_it(tmp_path, attempt):
    ends = at_once(tmp_path, [["train", "adding", "--out", "r", "--units", str(3 + k), *SMALL] for k in range(6)])
    won = [k for k, (status, _) in enumerate(ends) if status == 0]
    assert len(won) == 1, ends
    for status, said in ends[: won[0]] + ends[won[0] + 1 :]:
        assert status == 2
        assert f" {LOCKED}" in said or "r: this folder exists already; resume it by --resume r" in said
    assert read_config(tmp_path / "r")[1].units == 3 + won[0]
    assert trained(tmp_path / "r")[1].options.units == 3 + won[0]
    assert [record["step"] for record in Run.resume(tmp_path / "r", steps=4).metrics.read()] == [1, 2, 3]
    assert not [name for name in os.listdir(tmp_path / "r") if name.startswith((".", "lock"))]


def test_of_many_that_resume_a_run_one_gets_it(tmp_path, corpus):
    Run.create(tmp_path / "r", options_of("adding", corpus, steps=1, length=4), "adding").train()
    ends = at_once(tmp_path, [["train", "--resume", "r", "--steps", "30"] for _ in range(5)])
    assert sorted(status for status, _ in ends) == [0, 2, 2, 2, 2]
    for status, said in ends:
        known = (" is training in it", "another process has trained in it since", "the run is complete", "has made")
        assert status == 0 or any(part in said for part in known), said
    assert [record["step"] for record in Run.resume(tmp_path / "r", steps=31).metrics.read()] == [*range(1, 31)]


def test_a_run_that_another_process_has_trained_is_opened_again(run_folder):
    early = Run.resume(run_folder)
    Run.resume(run_folder, steps=2).train()
    before = {path.name: path.read_bytes() for path in run_folder.iterdir()}
    with pytest.raises(
        RunError, match=r"another process has trained in it since this run was opened\. Resume it again"
    ):
        early.train()
    assert {path.name: path.read_bytes() for path in run_folder.iterdir()} == before
    assert Run.resume(run_folder, steps=3).train()


def test_the_folder_is_looked_at_again_under_the_lock(tmp_path, corpus, monkeypatch):
    """Two processes begin, and the second checks the folder before the first has created it."""
    options, quicker = options_of("reber", corpus), []

    def slow(self, folder, task, options):
        if not quicker:
            quicker.append(True)
            Run.create(folder, options, "reber")
        original(self, folder, task, options)

    original = Run.__init__
    monkeypatch.setattr(Run, "__init__", slow)
    with pytest.raises(RunError, match="this folder exists already; resume it by --resume"):
        Run.create(tmp_path / "run", options, "reber")
    assert Run.resume(tmp_path / "run", steps=1).train()


# --- temporary files ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dead():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_what_a_dead_process_of_this_machine_left_is_removed(tmp_path, dead):
    alive, own = os.getppid(), os.getpid()
    other = "0" * 8 if MACHINE != "0" * 8 else "1" * 8
    left = {
        f".checkpoint.npz.{dead}-{MACHINE}-{PROCESS}-3.tmp",
        f".checkpoint.npz.{dead}.tmp",  # as of version 0.1.0
        f".a\nb.{dead}-{MACHINE}-{PROCESS}-3.tmp",
        f".best.npz.{own}-{MACHINE}-{other}-3.tmp",  # a process that had our number
        ".best.npz.9999999999.tmp",
    }
    others = {
        f".checkpoint.npz.{alive}-{MACHINE}-{PROCESS}-3.tmp",
        f".checkpoint.npz.{alive}.tmp",
        f".checkpoint.npz.{dead}-{other}-{PROCESS}-3.tmp",  # of another machine, where it may still run
        f".checkpoint.npz.{own}-{MACHINE}-{PROCESS}-3.tmp",
        ".notes.tmp",
        "checkpoint.npz.1.tmp",
        f".x.{dead}.tmp2",
        f".x.{dead}-.tmp",
        "notes",
    }
    for name in left | others:
        (tmp_path / name).write_text("")
    assert {path.name for path in abandoned(tmp_path)} == left
    with locked(tmp_path):
        assert set(os.listdir(tmp_path)) == others | {"lock"}
    assert set(os.listdir(tmp_path)) == others


def test_temporary_names_are_of_one_call(tmp_path):
    assert len({temporary_name("a") for _ in range(100)}) == 100

    def nested(file):
        write_atomically(tmp_path / "a", lambda inner: inner.write(b"inner"))
        file.write(b"outer")

    write_atomically(tmp_path / "a", nested)
    assert (tmp_path / "a").read_bytes() == b"outer"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("name", [".run.1.tmp", "lock"])
def test_what_another_program_left_in_place_of_a_lock_is_not_written_through(tmp_path, name):
    (tmp_path / "letter").write_text("dear")
    (tmp_path / name).symlink_to(tmp_path / "letter")
    with locked(tmp_path):
        pass
    assert (tmp_path / "letter").read_text() == "dear"


@pytest.mark.parametrize(
    "holder", ["²", "9" * 30, "9" * 900, "-1", "0", "\x00", "1e3", "４２", b"\xff\xfe"], ids=range(9)
)
def test_a_lock_that_no_process_wrote_holds_nobody_up(tmp_path, holder):
    (tmp_path / "lock").write_bytes(holder if isinstance(holder, bytes) else holder.encode())
    with locked(tmp_path):
        pass
    assert os.listdir(tmp_path) == []


def test_a_lock_that_is_no_file_of_ours_is_named(tmp_path):
    (tmp_path / "lock").write_text("1" * 2000)
    with pytest.raises(RunError, match=r"lock: .* expected at most 1,000 bytes.* remove it"), locked(tmp_path):
        pass
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").mkdir()
    with (
        pytest.raises(RunError, match=rf"lock: {IS_A_FOLDER}\. No run wrote that; remove it\."),
        locked(tmp_path),
    ):
        pass


def test_the_lock_of_another_process_is_not_given_back(tmp_path):
    with locked(tmp_path):
        (tmp_path / "lock").write_text("1 elsewhere\n")  # after ours was deleted
    assert (tmp_path / "lock").read_text() == "1 elsewhere\n"
