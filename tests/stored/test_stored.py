"""Files of version 0.1.0 that every later version reads: weights, configurations of layers, run folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from minigrad.convert import read_safetensors
from minigrad.layers.serialization import deserialize, serialize
from minigrad.train.commands import sample, train
from stored.kinds import RUNS, dense_chain, layers, sequence

FILES = Path(__file__).with_name("files")
CONFIGURATIONS = json.loads((FILES / "layers.json").read_text())
ARRAYS = read_safetensors(FILES / "layers.safetensors")


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_stored_layer_is_made_again_and_answers_the_same(name: str) -> None:
    layer = deserialize(CONFIGURATIONS[name])
    x = layers()[name][1]
    layer(x)
    layer.set_weights([ARRAYS[f"{name}/weight/{k}"] for k in range(len(layer.get_weights()))])
    np.testing.assert_allclose(layer(x).numpy(), ARRAYS[f"{name}/output"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_is_what_it_was(name: str) -> None:
    assert json.loads(json.dumps(serialize(deserialize(CONFIGURATIONS[name])))) == CONFIGURATIONS[name]


def test_each_weight_is_stored_once() -> None:
    for name, (layer, x) in layers().items():
        layer(x)
        assert [w.shape for w in layer.get_weights()] == [
            ARRAYS[f"{name}/weight/{k}"].shape for k in range(sum(key.startswith(f"{name}/weight/") for key in ARRAYS))
        ]


def test_a_stored_model_answers_the_same() -> None:
    model = dense_chain()
    model(sequence())
    model.load_weights(str(FILES / "model.npz"))
    np.testing.assert_allclose(model(sequence()).numpy(), np.load(FILES / "model-output.npy"), rtol=1e-10)


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored files, as the current folder."""
    shutil.copytree(FILES, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("task", RUNS)
def test_a_stored_run_is_resumed_with_the_losses_of_then(task: str, stored: Path) -> None:
    assert train.main(["--resume", f"run-{task}", "--steps", "6"]) == 0
    now, then = (
        [json.loads(line) for line in (stored / name).read_text().splitlines()]
        for name in (f"run-{task}/metrics.jsonl", f"resumed-{task}.jsonl")
    )
    assert [line["step"] for line in now] == [line["step"] for line in then] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose([line["loss"] for line in now], [line["loss"] for line in then], rtol=1e-4)


@pytest.mark.parametrize("task", RUNS)
def test_a_stored_run_is_sampled(task: str, stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sample.main([f"run-{task}"]) == 0
    assert capsys.readouterr().out.strip()
