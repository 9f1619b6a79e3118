"""Whole files: reads are checked, and a write is complete or not there."""

import os
import signal
import subprocess
import sys

import pytest

from file_errors import CANNOT_READ
from minigrad.engine.errors import DataError
from minigrad.engine.files import FileError, check_regular_file, read_file, write_atomically


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    return tmp_path / "a.bin"


def test_missing_folders_are_made(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "c.txt", lambda file: file.write(b"new"))
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_nothing_else(path):
    before = path.read_bytes()

    def fails(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(FileError, match=r"a.bin: cannot be written: No space left on device\. .*make room there\.$"):
        write_atomically(path, fails)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["a.bin"]


def test_the_content_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "a.bin", []

    def fsync(descriptor):
        seen.append(path.exists())

    monkeypatch.setattr("os.fsync", fsync)
    write_atomically(path, lambda file: file.write(b"x"))
    assert seen[0] is False
    assert path.exists()


def test_an_interruption_leaves_the_old_file_and_nothing_else(path):
    before = path.read_bytes()

    def stopped(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, stopped)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["a.bin"]


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
def test_a_program_killed_while_it_writes_leaves_the_old_file(path):
    before = path.read_bytes()
    code = """if True:
        import os, signal, sys
        from minigrad.engine.files import write_atomically
        def write(file):
            file.write(b"half" * 10_000)
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        write_atomically(sys.argv[1], write)
    """
    ended = subprocess.run([sys.executable, "-c", code, path], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes() == before


@pytest.mark.parametrize("where", ["file/a.bin", "folder"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path, where):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=f"{where}: cannot be written: "):
        write_atomically(tmp_path / where, lambda file: file.write(b"x"))


# --- reading ----------------------------------------------------------------------------------------------------------


def test_a_file_is_read_whole_or_its_beginning(path):
    assert read_file(path, DataError, most=3) == b"old"
    assert read_file(path, DataError, most=1, first=2) == b"ol"
    assert read_file(path, DataError, most=3, first=9) == b"old"


def test_a_file_that_is_too_large_is_refused(path):
    with pytest.raises(DataError, match=r"^a text: cannot be read: expected at most 2 bytes, got 3\.$"):
        read_file(path, DataError, "a text", most=2)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs a file that reports the size 0")
def test_a_file_that_is_larger_than_it_reports_is_refused():
    with pytest.raises(DataError, match="expected at most 5 bytes, got more"):
        read_file("/proc/self/status", DataError, most=5)


def test_other_things_than_files_are_refused(tmp_path):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(DataError, match=f"pipe: {CANNOT_READ} expected a file, got a named pipe"):
            read_file(tmp_path / "pipe", DataError, most=9)
    for name, message in ((tmp_path, "it is a folder"), (tmp_path / "none", "No such file"), ("a\0b", "no file can")):
        with pytest.raises(DataError, match=message):
            check_regular_file(name, DataError)
