"""Files of weights are whole, and what is none is named."""

from __future__ import annotations

import os
import zipfile

import numpy as np
import pytest

from minigrad.keras.models import saving
from minigrad.keras.models.saving import WeightsFileError

WEIGHTS = [("dense/kernel:0", np.arange(6.0).reshape(2, 3)), ("dense/bias:0", np.float32(2.0)), ("same", np.zeros(0))]


@pytest.fixture
def path(tmp_path):
    saving.save(tmp_path / "w.npz", [*WEIGHTS, WEIGHTS[0]])
    return tmp_path / "w.npz"


def test_they_come_back_in_order_and_names_may_repeat(path):
    for (name, array), (expected_name, expected) in zip(saving.load(path), [*WEIGHTS, WEIGHTS[0]], strict=True):
        assert name == expected_name
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)


def test_anything_that_reads_numpys_format_can_read_them(path):
    with np.load(path, allow_pickle=False) as archive:
        assert archive["000/dense/kernel:0"].shape == (2, 3)


def test_a_failure_on_the_way_leaves_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def fails(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(np, "savez", fails)
    with pytest.raises(OSError, match="the disk is full"):
        saving.save(path, WEIGHTS)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["w.npz"]


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def broken(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    path.write_bytes(bytes(content))


def of_pickles(path):
    np.savez(path, a=np.array([{}], object))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut, "is damaged, or is no .npz file"),
        (broken, "is damaged, or is no .npz file"),
        (lambda path: path.write_bytes(b""), "is damaged, or is no .npz file"),
        (lambda path: path.write_text("hello"), "is damaged, or is no .npz file"),
        (of_pickles, "is damaged, or is no .npz file (Object arrays cannot be loaded"),
        (lambda path: np.savez(path, a=np.ones(2)), "was not written by save_weights: it holds a"),
        (lambda path: np.savez(path, **{saving.MARK: 9}), "is of another version of minigrad; expected version 1"),
        (lambda path: path.unlink(), "cannot be read: No such file or directory"),
    ],
)
def test_a_bad_file_is_named(path, spoil, says):
    spoil(path)
    with pytest.raises(WeightsFileError) as caught:
        saving.load(path)
    assert f"{path}: {says}" in str(caught.value)


def test_a_single_array_and_an_empty_archive(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(WeightsFileError, match="damaged"):
        saving.load(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    with pytest.raises(WeightsFileError, match="it holds nothing"):
        saving.load(tmp_path / "empty.npz")


@pytest.mark.parametrize("ending", [".h5", ".keras", ".pt"])
def test_other_formats_are_named(ending):
    with pytest.raises(WeightsFileError, match=f"saved as .npz, NumPy's own format; change {ending} to .npz"):
        saving.file_name(f"model{ending}")


def test_numbers_of_layers_do_not_count():
    saving.check("w", [("lstm_1/lstm_cell/kernel:0", (2,))], [("lstm_7/lstm_cell/kernel:0", np.ones(2))])
    with pytest.raises(WeightsFileError, match="expected dense/bias:0"):
        saving.check("w", [("dense/bias:0", (2,))], [("dense/kernel:0", np.ones(2))])
