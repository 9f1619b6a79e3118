"""Files of weights: written whole, and errors for other files."""

from __future__ import annotations

import os
import re
import zipfile

import numpy as np
import pytest

import minigrad as mg
from file_errors import IS_NO_NPZ, NOT_NPZ, NUMBERED, PLAIN_ARRAYS
from layer_errors import NO_WEIGHTS
from minigrad import convert
from minigrad.keras import saving
from minigrad.keras.saving import WeightsFileError
from option_errors import NAMED_FILE

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


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (cut, f"{PLAIN_ARRAYS}. Expected a file that save_weights wrote."),
        (lambda path: path.write_text("hello"), f"{NOT_NPZ}at its beginning, got b'hello'."),
        (lambda path: np.savez(path, a=np.ones(2)), "save_weights did not write this file: expected an entry"),
        (
            lambda path: np.savez(path, **{saving.MARK: 9}),
            "another version of minigrad wrote this file; expected version 1 or 2",
        ),
        (lambda path: path.unlink(), "cannot be read: No such file or directory"),
    ],
)
def test_a_bad_file_is_named(path, spoil, says):
    spoil(path)
    with pytest.raises(WeightsFileError) as caught:
        saving.load(path)
    assert f"{path}: {says}" in str(caught.value)


def test_a_file_is_found_and_named_as_it_was_given(tmp_path):
    model = mg.keras.Sequential([mg.keras.layers.Dense(2, input_shape=(3,))])
    (tmp_path / "s.csv").write_text("a,b\n")
    with pytest.raises(WeightsFileError) as caught:
        model.load_weights(tmp_path / "s.csv")
    assert str(caught.value).startswith(f"{tmp_path / 's.csv'}: {NOT_NPZ}at its beginning")
    with pytest.raises(WeightsFileError, match=r"none\.csv\.npz: cannot be read: No such file"):
        model.load_weights(tmp_path / "none.csv")
    model.save_weights(tmp_path / "s.csv")  # s.csv.npz, which comes first
    model.load_weights(tmp_path / "s.csv")
    (tmp_path / "s.csv.npz").rename(tmp_path / "bare")
    model.load_weights(tmp_path / "bare")


def test_a_single_array_and_an_empty_archive(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(WeightsFileError, match=re.escape(IS_NO_NPZ)):
        saving.load(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "empty.npz", "w"):
        pass
    with pytest.raises(WeightsFileError, match="expected an entry 'minigrad weights', got nothing"):
        saving.load(tmp_path / "empty.npz")


@pytest.mark.parametrize(
    ("ending", "reader"), [(".h5", "load_keras"), (".keras", "load_keras"), (".pt", "from_torch_state_dict")]
)
def test_other_formats_are_named_and_what_reads_them(ending, reader):
    says = f"saved as .npz, NumPy's own format; change {ending} to .npz. .* read by minigrad.convert.{reader}"
    with pytest.raises(WeightsFileError, match=says):
        saving.file_name(f"model{ending}")
    assert hasattr(convert, reader)


def test_what_is_no_path():
    with pytest.raises(WeightsFileError, match=f"{NAMED_FILE}None"):
        saving.file_name(None)


def test_a_missing_folder_is_made(tmp_path):
    model = mg.keras.Sequential([mg.keras.layers.Dense(2, input_shape=(3,))])
    model.save_weights(tmp_path / "a" / "b" / "w.npz")
    model.load_weights(tmp_path / "a" / "b" / "w.npz")


def test_a_model_without_weights_is_not_saved(tmp_path):
    model = mg.keras.Sequential([mg.keras.layers.Dense(2)], name="new")
    with pytest.raises(WeightsFileError, match=f"'new' {re.escape(NO_WEIGHTS)} it on data first"):
        model.save_weights(tmp_path / "w.npz")
    assert not os.listdir(tmp_path)


def test_numbers_of_layers_do_not_count():
    saving.check("w", [("lstm_1/lstm_cell/kernel:0", (2,))], [("lstm_7/lstm_cell/kernel:0", np.ones(2))])
    with pytest.raises(WeightsFileError, match="expected dense/bias:0"):
        saving.check("w", [("dense/bias:0", (2,))], [("dense/kernel:0", np.ones(2))])


@pytest.mark.parametrize("count", [1, 11, 999, 1000, 1001, 1234])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["as written", "as text", "at random"])
def test_any_count_of_weights_in_any_order_of_the_archive(tmp_path, count, version, order):
    """More than 1000 weights in files of version 1, where three digits sort names in another order than numbers."""
    given = [(f"w_{k % 7}/kernel:0", np.float32(k)) for k in range(count)]
    if version == 2:
        saving.save(tmp_path / "w.npz", given)
        with np.load(tmp_path / "w.npz") as archive:
            arrays = {name: archive[name] for name in archive.files}
        numbered = [name for name in arrays if "/" in name]
        assert numbered == sorted(numbered)
    else:
        arrays = {saving.MARK: np.int64(1), **{f"{k:03d}/{name}": array for k, (name, array) in enumerate(given)}}
    sort = {
        "as written": list,
        "as text": sorted,
        "at random": lambda found: np.random.default_rng(0).permutation(found).tolist(),
    }[order]
    with zipfile.ZipFile(tmp_path / "again.npz", "w") as file:
        for name in sort(list(arrays)):
            with file.open(f"{name}.npy", "w") as member:
                np.save(member, arrays[name])
    assert [array.item() for _, array in saving.load(tmp_path / "again.npz")] == list(range(count))


@pytest.mark.parametrize("digits", [0, 3, 5])
def test_a_hundred_thousand_numbers(digits):
    found = {f"{k:0{digits}d}/w": k for k in np.random.default_rng(0).permutation(100_001).tolist()}
    assert saving.in_order("w.npz", found) == [("w", k) for k in range(100_001)]


def test_a_model_of_more_than_1000_weights_comes_back(tmp_path):
    layers = [mg.keras.layers.Dense(1, name=f"layer_{k}") for k in range(520)]
    model = mg.keras.Sequential([mg.keras.layers.Input((1,)), *layers])
    kept = [np.full(w.shape, k, "float32") for k, w in enumerate(model.weights)]
    model.set_weights(kept)
    model.save_weights(tmp_path / "w")
    model.set_weights([np.zeros_like(array) for array in kept])
    model.load_weights(tmp_path / "w")
    assert [w.ravel()[0] for w in model.get_weights()] == list(range(1040))


@pytest.mark.parametrize(
    "names",
    [["000/a", "002/b"], ["000/a", "0/b"], ["000/a", "b"], ["-1/a"], ["1.0/a", "000/b"], ["²/a"], ["000/a", "/b"]],
)
def test_numbers_that_are_missing_or_there_twice_are_a_damage(tmp_path, names):
    np.savez(tmp_path / "w.npz", **{saving.MARK: 2}, **{name: np.ones(1) for name in names})
    with pytest.raises(WeightsFileError, match=f"{NUMBERED} to"):
        saving.load(tmp_path / "w.npz")
