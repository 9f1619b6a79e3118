"""float16, which no kernel supports: the formulas run and `layer.path` says so, or the backend raises."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from kernel_reasons import NO_FLOAT16
from minigrad.engine.errors import DTypeError
from needed import needed

strict_backend = needed("strict_backend")

V1 = mg.compat.v1
KINDS: dict[str, Any] = {
    "LSTM": mg.keras.layers.LSTM,
    "GRU": mg.keras.layers.GRU,
    "SimpleRNN": mg.keras.layers.SimpleRNN,
    "LSTM of the second generation": V1.keras.layers.LSTM,
}
X = np.random.default_rng(0).standard_normal((2, 5, 3)).astype("float16")

kinds = pytest.mark.parametrize("kind", KINDS)


def numbers(kind: str, dtype: str) -> tuple[str, list[np.ndarray]]:
    """Return the path of a layer, and its outputs and gradients."""
    mg.random.seed(0)
    layer = KINDS[kind](4, return_sequences=True, dtype=dtype)
    x = mg.tensor(X.astype(dtype), requires_grad=True)
    y = layer(x)
    gradients = mg.grad(y.sum(), [x, *layer.trainable_weights])
    return layer.path, [t.numpy() for t in (y, *gradients)]


def assert_the_formulas_ran(kind: str) -> None:
    path, found = numbers(kind, "float16")
    assert path.startswith("explicit BPTT, formulas of ")
    assert path.endswith(f": {NO_FLOAT16}")
    path, expected = numbers(kind, "float32")
    assert "fused kernel" in path
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == "float16"
        np.testing.assert_allclose(a, b, rtol=0.02, atol=0.02)


@kinds
def test_on_every_backend(kind: str, backend: ModuleType) -> None:
    if backend is strict_backend:
        with pytest.raises(DTypeError, match=r"the backend 'strict' takes no float16: .* does not support the dtype"):
            numbers(kind, "float16")
    else:
        assert_the_formulas_ran(kind)


@kinds
def test_on_a_pretended_gpu(kind: str, cupy: ModuleType) -> None:
    with mg.using(cupy):
        assert_the_formulas_ran(kind)


def test_in_the_first_generation(backend: ModuleType) -> None:
    """Embedding gradients in float16: Numba alone has a kernel for them, which does not support float16."""
    V1.reset_default_graph()
    layer = mg.keras.layers.RNN(V1.nn.rnn_cell.LSTMCell(4, num_proj=2, dtype="float16"), dtype="float16")
    if backend is strict_backend:
        with pytest.raises(DTypeError, match="the backend 'strict' takes no float16"):
            layer(X)
    else:
        assert layer(X).dtype == "float16"
        assert layer.path.startswith("explicit BPTT, formulas of LSTMP: the ")
    V1.reset_default_graph()
