"""One process at a time in a run folder."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

from minigrad.engine.files import FileError
from minigrad.train.errors import RunError
from minigrad.train.lock import NAME, check_unlocked, is_alive, locked


@pytest.fixture(scope="module")
def dead():
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_is_there_while_it_is_held_and_says_by_whom(tmp_path):
    with locked(tmp_path):
        assert (tmp_path / NAME).read_text() == f"{os.getpid()} {platform.node()}\n"
    assert os.listdir(tmp_path) == []


def test_it_is_given_back_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), locked(tmp_path):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_nobody_else_can_have_it(tmp_path):
    held = pytest.raises(RunError, match=f"process {os.getpid()} on .* is training in it")
    with locked(tmp_path), held, locked(tmp_path):
        pass


@pytest.mark.parametrize("holder", ["{alive}", "{alive} {here}", "{dead} elsewhere"])
def test_a_process_that_is_alive_or_elsewhere_keeps_it(tmp_path, dead, holder):
    (tmp_path / NAME).write_text(holder.format(alive=os.getppid(), dead=dead, here=platform.node()))
    with pytest.raises(RunError, match=rf"is training in it\. .* delete {tmp_path}.{NAME}\."):
        check_unlocked(tmp_path)
    with pytest.raises(RunError), locked(tmp_path):
        pass
    assert (tmp_path / NAME).exists()


@pytest.mark.parametrize("holder", ["", "{dead} {here}", "{own} {here}"], ids=["unwritten", "dead", "same number"])
def test_what_a_dead_process_left_is_taken_over(tmp_path, dead, holder):
    (tmp_path / NAME).write_text(holder.format(dead=dead, own=os.getpid(), here=platform.node()))
    with locked(tmp_path):
        assert (tmp_path / NAME).read_text().startswith(str(os.getpid()))
    assert os.listdir(tmp_path) == []


def test_of_many_that_find_a_dead_processs_lock_one_gets_it(tmp_path, dead):
    (tmp_path / NAME).write_text(f"{dead} {platform.node()}")
    code = """if True:
        import sys, time
        from pathlib import Path
        from minigrad.train.errors import RunError
        from minigrad.train.lock import locked
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            with locked(Path(sys.argv[1])):
                print("got it", flush=True)
                sys.stdin.readline()
        except RunError:
            print("refused", flush=True)
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen([sys.executable, "-c", code, tmp_path], **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = sorted(process.stdout.readline() for process in processes)
    for process in processes:
        process.communicate("\n")
    assert said == ["got it\n", "refused\n", "refused\n", "refused\n"]


def test_a_folder_that_cannot_be_written_to(tmp_path):
    with pytest.raises(FileError, match="cannot be written"), locked(tmp_path / "none"):
        pass


def test_who_is_alive(dead):
    assert is_alive(os.getpid())
    assert not is_alive(dead)
