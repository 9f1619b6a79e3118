"""Named arrays in ``.npz`` files."""

import zipfile

import numpy as np
import pytest

from file_errors import NO_ARRAY, NOT_NPZ, PLAIN_ARRAYS
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
        (cut, f"{PLAIN_ARRAYS}. Take another."),
        (broken, f"{PLAIN_ARRAYS}. Take another."),
        (of_pickles, f"{PLAIN_ARRAYS}. Take another."),
        (of_texts, f"is an archive of another program: it holds 'config.json'{NO_ARRAY}. Take another."),
        (
            lambda path: path.write_bytes(b""),
            f"{NOT_NPZ}at its beginning, got b''. Take",
        ),
        (lambda path: path.write_text("hello"), f"{NOT_NPZ}at its beginning, got b'hello'."),
        (lambda path: path.unlink(), "cannot be read: No such file or directory."),
    ],
)
def test_a_bad_file_is_named_in_our_words(path, spoil, says):
    spoil(path)
    with pytest.raises(WeightsFileError) as caught:
        read_arrays(path, WeightsFileError, " Take another.")
    assert f"{path}: {says}" in str(caught.value)
    assert "pickle" not in str(caught.value)
