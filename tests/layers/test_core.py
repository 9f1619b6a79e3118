"""Dense, Embedding, Dropout, Activation, Masking, Input."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from engine_errors import INTEGERS
from minigrad.engine.errors import DTypeError, IndexRangeError, MinigradError
from minigrad.keras import layers as L
from minigrad.testing import check_gradient

X = np.random.default_rng(0).standard_normal((3, 5, 4))


# --- Dense ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 4), (2, 3, 5, 4)])
@pytest.mark.parametrize("use_bias", [False, True])
def test_dense(shape: tuple[int, ...], use_bias: bool) -> None:
    layer = L.Dense(2, "tanh", use_bias, bias_initializer="ones", dtype="float64")
    x = np.random.default_rng(1).standard_normal(shape)
    expected = np.tanh(x @ layer_kernel(layer, x) + (1.0 if use_bias else 0.0))
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-13)
    check_gradient(layer, x, weights=layer.weights)


def layer_kernel(layer: Any, x: np.ndarray) -> np.ndarray:
    layer.build(x.shape)
    return np.asarray(layer.kernel.numpy())


# --- Embedding --------------------------------------------------------------------------------------------------------


def test_embedding_reads_rows_and_sums_their_gradients() -> None:
    layer = L.Embedding(5, 2, dtype="float64")
    indices = np.array([[1, 3, 1], [0, 1, 4]])
    y = layer(indices)
    table = layer.embeddings.numpy()
    np.testing.assert_array_equal(y.numpy(), table[indices])
    c = np.random.default_rng(2).standard_normal(y.shape)
    (gradient,) = mg.grad(y, layer.embeddings, c)
    expected = np.zeros_like(table)
    np.add.at(expected, indices, c)
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-13)


def test_embedding_takes_whole_numbers_of_any_dtype() -> None:
    layer = L.Embedding(5, 2)
    for dtype in ("int32", "uint8", "float32"):
        assert layer(np.array([[1, 4]], dtype)).shape == (1, 2, 2)
    assert layer([[1, 4]]).shape == (1, 2, 2)


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "float32"])
@pytest.mark.parametrize("wrong", [[-1, 0], [4, 5], [-128, 127]])
def test_embedding_refuses_integers_outside_its_table(dtype: str, wrong: list[int]) -> None:
    layer = L.Embedding(5, 2)
    with pytest.raises(IndexRangeError, match=f"from 0 to 4, got {min(wrong)} to {max(wrong)}"):
        layer(np.array([wrong], dtype))
    assert layer(np.zeros((1, 0), dtype)).shape == (1, 0, 2)


def test_embeddings_mask() -> None:
    indices = np.array([[1, 0, 2], [0, 0, 0]])
    y = L.Embedding(5, 2, mask_zero=True)(indices)
    np.testing.assert_array_equal(y._keras_mask.numpy(), indices != 0)
    assert getattr(L.Embedding(5, 2)(indices), "_keras_mask", None) is None
    lstm = L.LSTM(3, dtype="float64")
    np.testing.assert_array_equal(lstm(y)[1].numpy(), 0.0)  # a row of padding alone


@pytest.mark.parametrize(
    ("indices", "error", "message"),
    [
        ([[0.5]], DTypeError, "table.call: `inputs`: expected integers, got float32 with fractions or NaN."),
        ([[5]], IndexRangeError, f"table.call: `inputs`: {INTEGERS}4, got 5 to 5. Raise input_dim"),
        ([[0, -1]], IndexRangeError, f"{INTEGERS}4, got -1 to 0."),
    ],
)
def test_embeddings_bad_input(indices: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        L.Embedding(5, 2, name="table")(indices)
    assert message in str(caught.value)


# --- Dropout ----------------------------------------------------------------------------------------------------------


def test_dropout() -> None:
    x = mg.tensor(np.ones((100, 100), "float32"), requires_grad=True)
    layer = L.Dropout(0.25)
    assert layer(x) is x
    assert layer(x, training=False) is x
    assert L.Dropout(0.0)(x, training=True) is x
    y = layer(x, training=True)
    np.testing.assert_allclose(np.unique(y.numpy()), [0.0, 4 / 3], rtol=1e-6)
    np.testing.assert_allclose((y.numpy() == 0.0).mean(), 0.25, atol=0.02)
    (dx,) = mg.grad(y.sum(), x)
    np.testing.assert_array_equal(dx.numpy(), y.numpy())
    assert (L.Dropout(1.0)(x, training=True).numpy() == 0.0).all()


def test_dropout_with_shared_axes_and_a_seed() -> None:
    x = np.ones((4, 6, 5), "float32")
    y = L.Dropout(0.5, noise_shape=(None, 1, 5))(x, training=True).numpy()
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    one, other = (L.Dropout(0.5, seed=3)(x, training=True).numpy() for _ in range(2))
    np.testing.assert_array_equal(one, other)


# --- Activation, Masking, Input ---------------------------------------------------------------------------------------


def test_activation() -> None:
    np.testing.assert_allclose(L.Activation("tanh", dtype="float64")(X).numpy(), np.tanh(X), rtol=1e-14)
    np.testing.assert_array_equal(L.Activation(lambda x: x + 1.0)(np.zeros(2)).numpy(), [1.0, 1.0])


def test_masking() -> None:
    x = X.copy()
    x[0, 1] = x[1, 3:] = -1.0
    x[2, 2, 0] = -1.0  # one feature alone masks nothing
    y = L.Masking(-1.0, dtype="float64")(x)
    counts = np.ones((3, 5), bool)
    counts[0, 1] = False
    counts[1, 3:] = False
    np.testing.assert_array_equal(y._keras_mask.numpy(), counts)
    np.testing.assert_array_equal(y.numpy(), np.where(counts[..., None], x, 0.0))


def test_input() -> None:
    symbol = L.Input((5, 4), batch_size=3, name="x")
    assert (symbol.name, symbol.shape, symbol.dtype) == ("x", (3, 5, 4), "float32")
    assert symbol.layer.batch_input_shape == (3, 5, 4)
    assert symbol.layer(mg.tensor(X)).shape == (3, 5, 4)
    assert L.Input(batch_shape=(None, 4)).shape == (None, 4)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: L.Dropout(0.5, noise_shape=(7,))(mg.ones((2, 3)), training=True), "an entry for each axis of (2, 3)"),
        (lambda: mg.keras.Input(3), "Input: expected `shape` of one example, such as (None, 8), got 3."),
        (lambda: mg.keras.constraints.MinMaxNorm(2, 1), "expected `min_value` up to `max_value` = 1, got 2."),
    ],
)
def test_arguments_of_no_use(call, said):
    with pytest.raises(MinigradError, match=re.escape(said)):
        call()
