"""Reading of files saved by Keras 2.15 and 3, and the errors for other files."""

from __future__ import annotations

import io
import json
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.recorded import DATA, L, keras_answers
from file_errors import NAME_OF_A_FILE
from minigrad.convert import ForeignFileError, MissingLibraryError, hdf5_worker, read_keras
from minigrad.engine.errors import DTypeError

h5py = pytest.importorskip("h5py")

SEQUENTIAL = ["sequential.keras", "sequential.h5", "sequential.weights.h5", "sequential_weights.h5"]
SEQUENTIAL += ["sequential3.keras", "sequential3.h5", "sequential3.weights.h5"]
NAMES = ["lstm", "bidirectional", "rnn", "time_distributed", "late", "out"]
CLASSES = ["LSTM", "Bidirectional", "RNN", "TimeDistributed", "LSTM", "Dense"]


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_all_weights_are_there_and_have_keras_numbers(name: str) -> None:
    file = read_keras(DATA / name)
    answers = keras_answers("3" in name)
    expected = [answers[f"sequential/weight/{k}"] for k in range(22)]
    assert len(file.arrays) == 22
    found = {array.tobytes() for array in file.arrays.values()}
    assert found == {array.tobytes() for array in expected}


@pytest.mark.parametrize("name", ["sequential.keras", "sequential.h5", "sequential3.keras", "sequential3.h5"])
def test_a_whole_model_tells_its_layers_in_order_with_their_arguments(name: str) -> None:
    file = read_keras(DATA / name)
    layers = [layer for layer in file.layers if layer.class_name != "InputLayer"]
    assert [layer.name for layer in layers] == NAMES
    assert [layer.class_name for layer in layers] == CLASSES
    assert layers[0].config["units"] == 4
    assert layers[4].config["activation"] == "relu"
    assert file.config["class_name"] == "Sequential"
    assert file.keras_version.startswith("3." if "3" in name else "2.15")
    answers = keras_answers("3" in name)
    for layer, first in ((0, 0), (4, 17), (5, 20)):
        for k, array in enumerate(layers[layer].weights.values(), first):
            np.testing.assert_array_equal(array, answers[f"sequential/weight/{k}"])


def test_weights_by_name() -> None:
    file = read_keras(DATA / "sequential_weights.h5")
    assert [layer.name for layer in file.layers] == NAMES
    assert list(file.layers[0].weights) == [
        "lstm/lstm_cell/kernel:0",
        "lstm/lstm_cell/recurrent_kernel:0",
        "lstm/lstm_cell/bias:0",
    ]
    assert "late/late/lstm_cell/kernel:0" in file.arrays
    assert file.config is None
    assert file.layers[0].config is None
    assert file.named
    assert not file.by_place


def test_weights_by_place() -> None:
    file = read_keras(DATA / "sequential.weights.h5")
    assert file.by_place
    assert not file.named
    assert [layer.name for layer in file.layers] == [
        "bidirectional",
        "dense",
        "lstm",
        "lstm_1",
        "rnn",
        "time_distributed",
    ]
    assert "layers/rnn/cell/cells/gru_cell/vars/2" in file.arrays


def test_keras_3_stores_names_and_places() -> None:
    file = read_keras(DATA / "sequential3.weights.h5")
    assert file.named
    assert {layer.path: layer.name for layer in file.layers}["layers/lstm_1"] == "late"


@pytest.mark.parametrize("name", ["many.weights.h5", "many3.weights.h5"])
def test_the_eleventh_layer_comes_after_the_tenth(name: str) -> None:
    places = [layer.path for layer in read_keras(DATA / name).layers]
    assert places == ["layers/dense", *(f"layers/dense_{k}" for k in range(1, 12))]


@pytest.mark.parametrize("name", ["foreign.keras", "foreign.h5", "foreign3.keras", "foreign3.h5"])
def test_layers_of_any_kind_are_read_and_the_optimizer_is_left_out(name: str) -> None:
    file = read_keras(DATA / name)
    kinds = {layer.name: (layer.class_name, len(layer.weights)) for layer in file.layers}
    del kinds[next(iter(kinds))]  # the input
    assert kinds == {"lstm": ("LSTM", 3), "convolution": ("Conv1D", 2), "sum": ("Add", 0)}
    assert len(file.arrays) == 5


@pytest.mark.parametrize("name", ["subclassed.weights.h5", "subclassed_weights.h5", "subclassed3.weights.h5"])
def test_a_models_own_weights_are_a_layer_of_their_own(name: str) -> None:
    scale = keras_answers("3" in name)
    own = {"subclassed.weights.h5": "model", "subclassed_weights.h5": "top_level_model_weights"}.get(name, "subclassed")
    layer = next(layer for layer in read_keras(DATA / name).layers if layer.name == own)
    (array,) = layer.weights.values()
    assert any(np.array_equal(array, scale[key]) for key in scale if key.startswith("subclassed/weight"))


# --- errors for other files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["sequential.h5", "sequential_weights.h5", "sequential.weights.h5", "sequential.keras"]
)
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.99])
def test_a_file_cut_short(name: str, part: float, tmp_path: Path) -> None:
    content = (DATA / name).read_bytes()
    cut = tmp_path / name
    cut.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ForeignFileError, match=rf"{name}: is cut short"):
        read_keras(cut)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ForeignFileError, match=r"nowhere\.h5: cannot be read: No such file"):
        read_keras(tmp_path / "nowhere.h5")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00.", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_a_file_of_another_kind(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match=r"model\.h5: is cut short, damaged, or was not written by Keras"):
        read_keras(path)


@pytest.mark.parametrize("error", [OverflowError, MemoryError, EOFError, AttributeError, IndexError, zlib.error])
def test_whatever_a_damaged_file_makes_of_hdf5(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    """Damage that makes h5py raise errors such as OverflowError, for an address beyond a machine word."""

    def fail(self: Any, dataset: Any, path: str) -> None:
        raise error("too large")

    monkeypatch.setattr(hdf5_worker.Listing, "_check_stored_inside", fail)
    sink, source = io.BytesIO(), io.BytesIO((DATA / "sequential.weights.h5").read_bytes())
    hdf5_worker.send(source, sink, 50_000, 50_000)
    assert sink.getvalue()[:1] == b"\x00"
    assert b"is cut short, damaged, or was not written by Keras (too large)." in sink.getvalue()


@pytest.mark.parametrize("error", [EOFError, NotImplementedError, zlib.error, OSError])
def test_whatever_a_damaged_archive_makes_of_zip(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: Any, count: int) -> bytes:
        raise error("cannot be unpacked")

    monkeypatch.setattr(zipfile.ZipExtFile, "read", read)
    with pytest.raises(ForeignFileError, match=r"sequential\.keras: is cut short, damaged, .* \(cannot be unpacked\)"):
        read_keras(DATA / "sequential.keras")


@pytest.mark.parametrize("path", [None, 3, L.LSTM(2), {"a": 1}])
def test_a_path_that_is_none(path: Any) -> None:
    with pytest.raises(DTypeError, match=f"read_keras: {NAME_OF_A_FILE}(None|3|LSTM|dict)"):
        read_keras(path)


def test_another_hdf5_file(tmp_path: Path) -> None:
    path = tmp_path / "galaxy.h5"
    with h5py.File(path, "w") as file:
        file["brightness"] = np.ones(3)
    with pytest.raises(ForeignFileError, match="an HDF5 file, but not Keras'"):
        read_keras(path)


def archive(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in parts.items():
            made.writestr(name.replace("_", "."), content)
    return path


def test_another_zip_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", readme=b"hello")
    with pytest.raises(ForeignFileError, match=r"not a \.keras file .* it has no 'config\.json'"):
        read_keras(path)


@pytest.mark.parametrize("config", [b"{", b"[]", b'{"config": {"layers": [1]}}'])
def test_a_keras_file_with_a_broken_configuration(config: bytes, tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", config_json=config, model_weights_h5=b"")
    with pytest.raises(ForeignFileError, match="its configuration cannot be read"):
        read_keras(path)


def hdf5(path: Path, version: str | None, **attributes: Any) -> Path:
    with h5py.File(path, "w") as file:
        if version:
            file.attrs["keras_version"] = version
        file.attrs["layer_names"] = [b"lstm"]
        file.create_group("lstm").attrs.update(weight_names=[b"lstm/kernel"])
        file["lstm/lstm/kernel"] = attributes.get("kernel", np.ones(2))
        if "config" in attributes:
            file.attrs["model_config"] = attributes["config"]
    return path


def test_keras_1_laid_its_weights_out_otherwise(tmp_path: Path) -> None:
    for version in ("1.2.2", None):
        with pytest.raises(ForeignFileError, match="was written by Keras 1"):
            read_keras(hdf5(tmp_path / "old.h5", version))


@pytest.mark.parametrize("text", [b'{"a": "\xed\xa0\x80"}', b"\xff"])
@pytest.mark.parametrize("varying", [True, False])
def test_a_configuration_that_is_no_text(text: bytes, varying: bool, tmp_path: Path) -> None:
    config = text if varying else np.bytes_(text)
    path = hdf5(tmp_path / "bytes.h5", "2.15.0")
    with h5py.File(path, "a") as file:
        file.attrs.create("model_config", config, dtype=h5py.string_dtype("utf-8", None if varying else len(text)))
    with pytest.raises(ForeignFileError, match=r"cut short, damaged, or was not written by Keras .*codec can't"):
        read_keras(path)


def test_old_texts_are_bytes_and_old_sequentials_lists(tmp_path: Path) -> None:
    config = {"class_name": "Sequential", "config": [{"class_name": "LSTM", "config": {"name": "lstm", "units": 1}}]}
    file = read_keras(hdf5(tmp_path / "old.h5", "2.1.0", config=json.dumps(config).encode()))
    assert file.layers[0].class_name == "LSTM"
    np.testing.assert_array_equal(file.arrays["lstm/lstm/kernel"], np.ones(2))


def test_names_in_pieces(tmp_path: Path) -> None:
    """Long lists of names in pieces: an HDF5 attribute has at most 64 kB."""
    path = hdf5(tmp_path / "long.h5", "2.15.0")
    with h5py.File(path, "a") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = [b"lstm"], [b"dense"]
        file.create_group("dense").attrs.update(weight_names=np.array([], "S1"))
    assert [layer.name for layer in read_keras(path).layers] == ["lstm", "dense"]


def test_weights_that_are_no_numbers(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "texts.h5", "2.15.0", kernel=[b"hello"])
    with pytest.raises(ForeignFileError, match="not numbers"):
        read_keras(path)


def test_a_weight_that_is_listed_and_missing(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "holes.h5", "2.15.0")
    with h5py.File(path, "a") as file:
        del file["lstm/lstm/kernel"]
    with pytest.raises(ForeignFileError, match="damaged"):
        read_keras(path)


def test_without_h5py_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'minigrad-bptt\[keras-files\]'"):
        read_keras(DATA / "sequential.h5")


def test_the_archives_weights_are_read_from_memory() -> None:
    with zipfile.ZipFile(DATA / "sequential.keras") as made:
        content = made.read("model.weights.h5")
    with h5py.File(io.BytesIO(content)) as file:
        assert file["layers/lstm/cell/vars/0"].shape == (3, 16)
