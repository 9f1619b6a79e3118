"""The layers of CuDNN: TensorFlow's numbers for their weights, and gradients equal to those of LSTM and GRU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers.cudnn import from_cudnn

# By TensorFlow 2.15.1's own loader of old files (tests/oracle/record/cudnn.py), for weights and one sequence drawn from
# a seed of 0: 3 features, 2 units, 4 steps.
TENSORFLOW = {
    "LSTM": [
        [0.622098951, -0.511725091], [0.418134783, -0.689851729], [0.512228198, -0.157440763],
        [0.020670043, 0.477954069],
    ],
    "GRU": [
        [-0.687751846, 0.248087822], [-0.636246087, -0.356047707], [-0.816739341, -0.068602517],
        [-0.017113069, 0.870180334],
    ],
}  # fmt: skip


def drawn(kind: str) -> tuple[Any, list[Any], Any]:
    """The layer with its weights, the weights, and the sequence."""
    gates = {"LSTM": 4, "GRU": 3}[kind]
    draw = np.random.default_rng(0)
    weights = [draw.normal(size=shape) for shape in ((3, 2 * gates), (2, 2 * gates), (4 * gates,))]
    layer = getattr(mg.compat.v1.keras.layers, f"CuDNN{kind}")(2, return_sequences=True, dtype="float64")
    layer.build((None, None, 3))
    layer.set_weights(weights)
    return layer, weights, draw.normal(size=(1, 4, 3))


@pytest.mark.parametrize("kind", TENSORFLOW)
def test_the_numbers_are_tensorflows(kind: str) -> None:
    layer, _, x = drawn(kind)
    np.testing.assert_allclose(layer(x).numpy()[0], TENSORFLOW[kind], rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", TENSORFLOW)
def test_values_and_gradients_are_those_of_the_layer_with_moved_weights(kind: str) -> None:
    layer, weights, x = drawn(kind)
    plain = getattr(mg.keras.layers, kind)(2, return_sequences=True, dtype="float64")
    plain.build((None, None, 3))
    stored = [mg.tensor(w, requires_grad=True) for w in weights]
    moved = from_cudnn(*stored)
    plain.set_weights([w.numpy() for w in moved])
    x = mg.tensor(x, requires_grad=True)
    dy = np.cos(np.arange(8.0)).reshape(1, 4, 2)
    ours, theirs = layer(x), plain(x)
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-14)
    own = mg.grad((ours * dy).sum(), [x, *layer.weights])
    of_plain = mg.grad((theirs * dy).sum(), [x, *plain.weights])
    through = mg.grad(list(moved), stored, [g.detach() for g in of_plain[1:]])
    for one, other in zip(own, [of_plain[0], *through], strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", TENSORFLOW)
def test_a_copy_by_its_configuration(kind: str) -> None:
    layer, weights, x = drawn(kind)
    copied = type(layer).from_config(layer.get_config())
    copied(x)
    copied.set_weights(weights)
    np.testing.assert_array_equal(copied(x).numpy(), layer(x).numpy())


def test_the_forget_gate_starts_open() -> None:
    layer = mg.compat.v1.keras.layers.CuDNNLSTM(2)
    layer.build((None, None, 3))
    assert layer.get_weights()[2].tolist() == [0.0] * 10 + [1.0] * 2 + [0.0] * 4


@pytest.mark.parametrize("kind", TENSORFLOW)
@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_a_file_of_cudnn_goes_into_both_layers(kind: str, ending: str, tmp_path: Path) -> None:
    pytest.importorskip("h5py", reason="needs h5py: pip install -e '.[test]'")
    _, weights, x = drawn(kind)
    arguments: Any = {"return_sequences": True, "dtype": "float64", "input_shape": (None, 3), "name": "r"}
    cudnn = getattr(mg.compat.v1.keras.layers, f"CuDNN{kind}")(2, **arguments)
    model = mg.keras.Sequential([cudnn])
    cudnn.set_weights(weights)
    model.save(tmp_path / f"m.{ending}")
    read = mg.keras.models.load_model(tmp_path / f"m.{ending}")
    np.testing.assert_allclose(read(x).numpy()[0], TENSORFLOW[kind], rtol=0, atol=1e-8)
    if ending == "h5":
        plain = mg.keras.Sequential([getattr(mg.keras.layers, kind)(2, **arguments)])
        plain.load_weights(tmp_path / "m.h5")
        np.testing.assert_allclose(plain(x).numpy()[0], TENSORFLOW[kind], rtol=0, atol=1e-8)
        old = mg.keras.Sequential([getattr(mg.compat.v1.keras.layers, kind)(2, **arguments)])
        with pytest.raises(mg.engine.errors.MinigradError, match="would give other outputs"):
            old.load_weights(tmp_path / "m.h5")
