"""Files that are whole or not there, and arrays in them."""

import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from minigrad.engine.files import FileError, write_atomically
from minigrad.engine.npz import read_arrays, write_arrays
from minigrad.keras.saving import WeightsFileError

ARRAYS = {"a": np.arange(3.0), "b/0": np.ones((2, 2), "float32")}


@pytest.fixture
def path(tmp_path):
    write_arrays(tmp_path / "a.npz", ARRAYS)
    return tmp_path / "a.npz"


def test_round_trip(path):
    found = read_arrays(path, WeightsFileError)
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_missing_folders_are_made(tmp_path):
    write_atomically(tmp_path / "a" / "b" / "c.txt", lambda file: file.write(b"new"))
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_nothing_else(path):
    before = path.read_bytes()

    def fails(file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(FileError, match=r"a.npz: cannot be written: No space left on device\. .*make room there\.$"):
        write_atomically(path, fails)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["a.npz"]


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
    assert os.listdir(path.parent) == ["a.npz"]


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


@pytest.mark.parametrize("where", ["file/a.npz", "folder.npz"])
def test_a_place_that_cannot_be_written_to_is_named(tmp_path, where):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(FileError, match=f"{where}: cannot be written: "):
        write_arrays(tmp_path / where, ARRAYS)


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def broken(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(bytes(content))


def of_pickles(path):
    np.savez(path, a=np.array([{}], object))


def of_texts(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut, "is damaged, or holds more than plain arrays. Take another."),
        (broken, "is damaged, or holds more than plain arrays. Take another."),
        (of_pickles, "is damaged, or holds more than plain arrays. Take another."),
        (of_texts, "is an archive of another program: it holds 'config.json', which is no array. Take another."),
        (
            lambda path: path.write_bytes(b""),
            "is no .npz file: expected b'PK' at its beginning, got b''. Take",
        ),
        (lambda path: path.write_text("hello"), "is no .npz file: expected b'PK' at its beginning, got b'hello'."),
        (lambda path: path.unlink(), "cannot be read: No such file or directory."),
    ],
)
def test_a_bad_file_is_named_in_our_words(path, spoil, says):
    spoil(path)
    with pytest.raises(WeightsFileError) as caught:
        read_arrays(path, WeightsFileError, " Take another.")
    assert f"{path}: {says}" in str(caught.value)
    assert "pickle" not in str(caught.value)
