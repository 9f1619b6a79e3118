"""A whole sequence as one node on the tape: how long it may be, and how much it keeps."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.keras import layers as L
from minigrad.recurrent import Sequence

UNITS, STEPS, BATCH = 16, 50, 3


def arrays_in(kept: Any) -> list[np.ndarray]:
    """Every array that can be reached, the whole of it where a part was kept."""
    if isinstance(kept, np.ndarray):
        while isinstance(kept.base, np.ndarray):
            kept = kept.base
        return [kept]
    if isinstance(kept, (tuple, list)):
        return [array for part in kept for array in arrays_in(part)]
    return []


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("layer_class", "most"), [(L.LSTM, 8), (L.GRU, 8), (L.SimpleRNN, 3)])
def test_how_much_is_kept(
    layer_class: Any, most: int, fused: bool, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most 8 floats a unit and step, the outputs among them. LSTM: i, f, g, o, tanh c, c, h and y.

    GRU: z, r, g, h, y, and the three columns of h U, of which one is needed.
    """
    if not fused:
        monkeypatch.setattr(minigrad_numpy, "kernels", {})
    x = np.random.default_rng(0).standard_normal((BATCH, STEPS, 4)).astype("float32")
    mask = np.random.default_rng(1).random((BATCH, STEPS)) < 0.7 if masked else None
    layer = layer_class(UNITS, time_major=False, return_sequences=True, return_state=True)
    *_, state = layer(x, mask=mask)
    node = state.node
    assert node.op is Sequence
    given = {id(array) for array in arrays_in(list(node.arrays))}
    kept = {id(a): a for a in [*arrays_in(node.params["kept"]), *arrays_in(node.y)] if id(a) not in given}
    floats = sum(a.size for a in kept.values() if a.dtype.kind == "f")
    assert floats <= most * UNITS * BATCH * STEPS + 4 * UNITS * BATCH + x.size  # at the ends one state more


@pytest.mark.parametrize("layer_class", [L.LSTM, L.GRU, L.SimpleRNN])
def test_ten_thousand_steps(layer_class: Any) -> None:
    assert sys.getrecursionlimit() <= 3000
    x = mg.tensor(np.random.default_rng(2).standard_normal((1, 10_000, 2)), requires_grad=True)
    layer = layer_class(2, return_sequences=True, dtype="float64")
    layer(x).sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert np.abs(x.grad.numpy()).min() > 0.0


def test_ten_thousand_steps_op_by_op() -> None:
    x = mg.tensor(np.random.default_rng(3).standard_normal((1, 10_000, 2)), requires_grad=True)
    layer = L.SimpleRNN(2, unroll=True, dtype="float64")
    layer(x).sum().backward()
    looped = L.SimpleRNN(2, dtype="float64")
    looped(x)
    looped.set_weights(layer.get_weights())
    (dx,) = mg.grad(looped(x).sum(), x)
    np.testing.assert_allclose(x.grad.numpy(), dx.numpy(), rtol=1e-9, atol=1e-300)


def test_one_node_for_a_sequence() -> None:
    layer = L.GRU(4, return_sequences=True, return_state=True)
    y, h = layer(np.zeros((2, 9, 3), "float32"))
    assert h.node.op is Sequence
    assert y.node.inputs[0].node is h.node
