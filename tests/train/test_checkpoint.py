"""Checkpoints restored unchanged, and errors for files that are not checkpoints."""

from __future__ import annotations

import re

import numpy as np
import pytest

from file_errors import IS_A_FOLDER, IS_NO_NPZ, NOT_NPZ, PLAIN_ARRAYS
from minigrad.train.checkpoint import Checkpoint, grouped, load, save
from minigrad.train.errors import CheckpointError
from run_errors import NO_CHECKPOINT

ARRAYS = [np.arange(3.0), np.float32(2.5), np.zeros((0, 4), np.int64)]


@pytest.fixture
def path(tmp_path):
    save(tmp_path / "c.npz", Checkpoint({"step": 3, "é": None}, grouped(weights=ARRAYS, states=[])))
    return tmp_path / "c.npz"


def test_it_comes_back(path):
    checkpoint = load(path)
    assert checkpoint.about["step"] == 3
    assert checkpoint.about["é"] is None
    for array, expected in zip(checkpoint.group("weights"), ARRAYS, strict=True):
        assert array.dtype == expected.dtype
        np.testing.assert_array_equal(array, expected)
    assert checkpoint.group("states") == []


def test_many_arrays_keep_their_order(tmp_path):
    save(tmp_path / "c.npz", Checkpoint({}, grouped(weights=[np.array(k) for k in range(12)])))
    assert [int(a) for a in load(tmp_path / "c.npz").group("weights")] == list(range(12))


def test_the_same_content_gives_the_same_bytes(path, tmp_path):
    other = tmp_path / "other.npz"
    save(other, Checkpoint({"step": 3, "é": None}, grouped(weights=ARRAYS, states=[])))
    assert other.read_bytes() == path.read_bytes()


def test_any_reader_of_npz_can_read_it_without_pickle(path):
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["weights/0"], ARRAYS[0])
        assert b'"format": "minigrad checkpoint"' in archive["about"].tobytes()


def test_none_there(tmp_path):
    with pytest.raises(CheckpointError, match=NO_CHECKPOINT):
        load(tmp_path / "none.npz")


def test_a_folder(tmp_path):
    with pytest.raises(CheckpointError, match=IS_A_FOLDER):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_no_archive_at_all(path, content):
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{re.escape(NOT_NPZ)}.* Start a new run\."):
        load(path)


def test_another_one_beside_it_is_named(path):
    last, best = path.with_name("checkpoint.npz"), path.with_name("best.npz")
    path.replace(best)
    last.write_text("hello")
    with pytest.raises(CheckpointError, match=rf"Name {best} in its place, or start a new run\."):
        load(last)
    last.unlink()
    with pytest.raises(CheckpointError, match=rf"{NO_CHECKPOINT}\. Name {best} in its place"):
        load(last)


def test_cut_short(path):
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CheckpointError, match=PLAIN_ARRAYS):
        load(path)


def test_a_flipped_bit(tmp_path):
    path = tmp_path / "c.npz"
    save(path, Checkpoint({}, grouped(weights=[np.zeros(1000)])))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match=PLAIN_ARRAYS):
        load(path)


def test_pickled_objects_are_refused(path):
    np.savez(path, about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(CheckpointError, match=PLAIN_ARRAYS):
        load(path)


def test_a_single_array(path, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(3))
    (tmp_path / "a.npy").replace(path)
    with pytest.raises(CheckpointError, match=re.escape(IS_NO_NPZ)):
        load(path)


@pytest.mark.parametrize(
    "about",
    [{}, {"about": np.zeros(3)}, {"about": np.frombuffer(b"[]", np.uint8)}, {"about": np.frombuffer(b"{", np.uint8)}],
)
def test_an_archive_of_somebody_else(path, about):
    np.savez(path, kernel=np.zeros(3), **about)
    with pytest.raises(CheckpointError, match=r"was not written by minigrad: it holds .*kernel"):
        load(path)


def test_another_version(path):
    np.savez(path, about=np.frombuffer(b'{"format": "minigrad checkpoint", "version": 9}', np.uint8))
    with pytest.raises(CheckpointError, match="expected a checkpoint of version 1, got 9"):
        load(path)
