"""Models in files: written and read again, files that TensorFlow 2.15 and Keras 3 wrote, and what is refused."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("h5py", reason="needs h5py: pip install -e '.[test]'")

import minigrad as mg
from minigrad.convert import ConversionError, ForeignFileError
from minigrad.keras.saving import WeightsFileError
from oracle.files import INPUTS, models, predicted

L, load_model = mg.keras.layers, mg.keras.models.load_model
DATA = Path(__file__).resolve().parents[2] / "convert" / "data"
FORMS = [(name, version, ending) for name in INPUTS for version in (2, 3) for ending in ("keras", "h5")]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return models(mg.keras)


@pytest.mark.parametrize(("name", "version", "ending"), [form for form in FORMS if form[:2] != ("parts", 3)])
def test_a_model_in_a_file_is_the_same_model(made: Any, name: str, version: int, ending: str, tmp_path: Path) -> None:
    model, path = made[name], tmp_path / f"m.{ending}"
    model.save(path, keras_version=version)
    read = load_model(path)
    for ours, theirs in zip(predicted(model), predicted(read), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert [w.name for w in read.weights] == [w.name for w in model.weights]
    assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]
    compiled = None if ending == "h5" else type(model.optimizer)
    assert read.optimizer is None or isinstance(read.optimizer, compiled)


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("ending", [".weights.h5", ".h5", ".npz"])
def test_weights_in_a_file_are_the_same_weights(made: Any, name: str, ending: str, tmp_path: Path) -> None:
    model, path = made[name], tmp_path / f"w{ending}"
    before = [np.array(w) for w in model.get_weights()]
    model.save_weights(path)
    try:
        model.set_weights([w * 0 for w in before])
        model.load_weights(path)
        for ours, theirs in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    finally:
        model.set_weights(before)


@pytest.mark.parametrize("three", ["", "3"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_a_model_that_keras_saved(three: str, ending: str) -> None:
    with np.load(DATA / f"keras{three}.npz") as answers:
        x, y = answers["x"], answers["sequential/y"]
    model = load_model(DATA / f"sequential{three}.{ending}")
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-5, atol=1e-7)


def test_the_sigmoid_of_keras_3_is_refused() -> None:
    assert load_model(DATA / "hard.keras").layers
    with pytest.raises(ConversionError, match=r"lstm.* cannot be loaded: the hard_sigmoid of Keras 3"):
        load_model(DATA / "hard3.keras")
    model = mg.keras.Sequential([mg.compat.v1.keras.layers.LSTM(2, input_shape=(None, 3), name="old")])
    with pytest.raises(ConversionError, match="old cannot be written for Keras 3"):
        model.save("never.keras", keras_version=3)


@pytest.mark.parametrize("file", ["foreign.keras", "foreign.h5", "foreign3.keras", "foreign3.h5"])
def test_a_layer_that_is_not_ours_is_named(file: str) -> None:
    with pytest.raises(ConversionError, match=r"'convolution' is a Conv1D of .*custom_objects=\{'Conv1D'"):
        load_model(DATA / file)


class Twice(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


def with_entry(path: Path, entry: dict[str, Any]) -> Path:
    """A file of a model whose second layer has another description."""
    model = mg.keras.Sequential([L.Dense(2, input_shape=(3,), name="a"), L.Activation("tanh", name="b")])
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"]["layers"][2] = entry
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (parts | {"config.json": json.dumps(config).encode()}).items():
            archive.writestr(name, content)
    return path


def test_a_custom_class_is_refused_unless_it_is_handed_over(tmp_path: Path) -> None:
    model = mg.keras.Sequential([L.Dense(2, input_shape=(3,)), Twice(name="t")])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ConversionError, match=r"'t' is a Twice of .*custom_objects=\{'Twice'"):
        load_model(tmp_path / "m.keras")
    read = load_model(tmp_path / "m.keras", custom_objects={"Twice": Twice})
    x = np.ones((1, 3), "float32")
    np.testing.assert_array_equal(read(x).numpy(), model(x).numpy())


@pytest.mark.parametrize("module", ["antigravity", "this", "os", "minigrad.playground", "keras.src.os"])
def test_no_file_imports_a_module(tmp_path: Path, module: str) -> None:
    entry = {"module": module, "class_name": "system", "config": {"name": "b"}, "registered_name": "system"}
    before = set(sys.modules)
    with pytest.raises(ConversionError, match=f"'b' is a system of {module}"):
        load_model(with_entry(tmp_path / "m.keras", entry))
    assert not {"antigravity", "this", "minigrad.playground"} & (set(sys.modules) - before)


@pytest.mark.parametrize("function", ["4wEAAAAAAAAA", {"class_name": "__lambda__", "config": {"code": "4wEAAA"}}])
def test_a_lambda_is_refused_by_name(tmp_path: Path, function: Any) -> None:
    entry = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "squares", "function": function}}
    with pytest.raises(ConversionError, match="'squares' is a Lambda, whose code is not run"):
        load_model(with_entry(tmp_path / "m.keras", entry))
    model = mg.keras.Sequential([L.Dense(2, input_shape=(3,)), L.Lambda(lambda x: x, name="same")])
    with pytest.raises(ConversionError, match="same is a Lambda, whose function no file can hold"):
        model.save(tmp_path / "other.keras")


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"name": "b", "activation": "tanhh"}, "tanhh"),
        ({"name": "b", "activation": "tanh", "magic": 3}, "b, a Activation, has magic=3"),
        ({"name": "b"}, "`activation` is missing"),
        (5, "cannot be read"),
    ],
)
def test_a_description_that_does_not_fit_is_said(tmp_path: Path, config: Any, says: str) -> None:
    entry = {"module": "keras.layers", "class_name": "Activation", "config": config}
    with pytest.raises((ConversionError, ForeignFileError), match=says):
        load_model(with_entry(tmp_path / "m.keras", entry))


def test_what_cannot_be_saved_is_said(tmp_path: Path) -> None:
    class Own(mg.keras.Model):
        def __init__(self) -> None:
            super().__init__(name="own")
            self.dense = L.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.dense(inputs)

    own = Own()
    with pytest.raises(WeightsFileError, match="has no weights yet"):
        own.save(tmp_path / "m.keras")
    own(np.ones((1, 3), "float32"))
    with pytest.raises(ConversionError, match="own is a custom model"):
        own.save(tmp_path / "m.keras")
    with pytest.raises(WeightsFileError, match=r"ends in .keras or .h5"):
        own.save(tmp_path / "m")
    own.save_weights(tmp_path / "own.weights.h5")
    with pytest.raises(WeightsFileError, match="exists already"):
        own.save_weights(tmp_path / "own.weights.h5", overwrite=False)
    with pytest.raises(ConversionError, match="holds weights and no configuration"):
        load_model(tmp_path / "own.weights.h5")


def test_the_summary_of_a_graph_shows_its_connections(made: Any) -> None:
    lines: list[str] = []
    made["translator"].summary(print_fn=lines.append)
    rows = {line.split(" ")[0]: line for line in lines[0].splitlines()}
    assert rows["decoder"].endswith("b, encoder, encoder")
    assert rows["encoder"].endswith("a")
    assert rows["a"].endswith("–")
    made["nested"].summary(print_fn=lines.append)
    assert "Connected to" in lines[0]
    assert "Connected to" not in lines[1]
