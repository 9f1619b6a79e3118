"""A whole sequence as one node on the tape: how long it may be, and how much it keeps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.engine.ops.op import Op
from minigrad.keras import layers as L
from minigrad.layers import activations
from minigrad.recurrent import SequenceOp, bptt
from minigrad.recurrent.recomputation import RecomputedSteps
from recurrent.situations import MASK, Situation, gru, lstm, lstmp, lstmp_situation, simple, situation

UNITS, STEPS, BATCH = 16, 50, 3


def arrays_in(kept: Any) -> list[np.ndarray]:
    """Every array that can be reached, the whole of it where a part was kept."""
    if isinstance(kept, np.ndarray):
        while isinstance(kept.base, np.ndarray):
            kept = kept.base
        return [kept]
    if isinstance(kept, RecomputedSteps):
        kept = tuple(vars(kept).values())
    if isinstance(kept, (tuple, list)):
        return [array for part in kept for array in arrays_in(part)]
    return []


def floats_in(kept: Any, given: Any) -> int:
    """Return the number of floats that are held beyond the inputs."""
    known = {id(array) for array in arrays_in(given)}
    found = {id(array): array for array in arrays_in(kept) if id(array) not in known}
    return sum(array.size for array in found.values() if array.dtype.kind == "f")


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("layer_class", "most"), [(L.LSTM, 8), (L.GRU, 8), (L.SimpleRNN, 3)])
def test_how_much_is_kept(
    layer_class: Any, most: int, fused: bool, masked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most 8 floats per unit and step, the outputs among them. LSTM: i, f, g, o, tanh c, c, h and y.

    GRU: z, r, g, h, y, and the three columns of h U, of which one is needed.
    """
    x = np.random.default_rng(0).standard_normal((BATCH, STEPS, 4)).astype("float32")
    mask = np.random.default_rng(1).random((BATCH, STEPS)) < 0.7 if masked else None
    layer = layer_class(UNITS, time_major=False, return_sequences=True, return_state=True)
    if not fused:
        monkeypatch.setattr(minigrad_numpy, "compile", lambda *_: "not wanted")
        monkeypatch.setattr(layer.cell.time_step(), "compiled", {})  # shared by all layers of the class
    *_, state = layer(x, mask=mask)
    node = state.node
    assert node.op is SequenceOp
    floats = floats_in((node.params["cache"], node.y), list(node.arrays))
    assert floats <= most * UNITS * BATCH * STEPS + 4 * UNITS * BATCH + x.size  # at the ends one state more


RULES = {name: rule for name, (_, rule) in activations._KNOWN.items()}
CELLS: dict[str, Callable[..., Situation]] = {
    "lstm": lambda φ, σ, **how: situation(lstm(φ, σ), **how),
    "lstm, dropout": lambda φ, σ, **how: situation(lstm(φ, σ, separate=True), x_masks=4, h_masks=4, **how),
    "gru": lambda φ, σ, **how: situation(gru(φ, σ), **how),
    "gru, reset before": lambda φ, σ, **how: situation(gru(φ, σ, reset_after=False), h_masks=1, **how),
    "simple": lambda φ, σ, **how: situation(simple(φ), **how),
    "lstmp": lambda φ, σ, **how: lstmp_situation(lstmp(φ), **how),
    "lstmp, peepholes": lambda φ, σ, **how: lstmp_situation(lstmp(φ), peepholes=True, **how),
    "lstmp, projection": lambda φ, σ, **how: lstmp_situation(lstmp(φ), projected=True, **how),
    "lstmp, cell clip": lambda φ, σ, **how: lstmp_situation(lstmp(φ, cell_clip=0.6), peepholes=True, **how),
    "lstmp, everything": lambda φ, σ, **how: lstmp_situation(lstmp(φ, 0.3, 0.6, 0.3), 0, True, True, **how),
}


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize("φ", RULES.values(), ids=RULES)
@pytest.mark.parametrize("made", CELLS.values(), ids=CELLS)
def test_at_most_eight_floats_a_unit_and_step(
    made: Callable[..., Situation], φ: type[Op], mask: np.ndarray | None
) -> None:
    """All results of every cell with every activation, the outputs included; derivatives from the output or not."""
    for σ in RULES.values():
        s = made(φ, σ, mask=mask, zero_output=True)
        with np.errstate(all="ignore"):  # exponentials of exponentials: the numbers themselves do not matter here
            y, _, kept = bptt.forward(minigrad_numpy, s.step, s.x, s.state, s.weights, s.mask, s.zero_output)
        width = max(s.state[0].shape[-1], y.shape[-1])  # a projection may be the wider one
        assert floats_in((y, kept), (s.x, s.state, s.weights)) <= 8 * width * y.shape[0] * y.shape[1], σ


@pytest.mark.parametrize("name", ["swish", "tanh"])
def test_what_is_not_kept_is_made_again(name: str) -> None:
    """Equal gates in a trace, recomputed only if their derivatives do not follow from them."""
    s = situation(lstm(RULES[name]))
    *_, kept = bptt.forward(minigrad_numpy, s.step, s.x, s.state, s.weights, s.mask)
    z = s.step.project(minigrad_numpy, s.x, s.weights)
    _, expected = s.step.step(minigrad_numpy, z[3], kept.states[3], s.weights)
    np.testing.assert_array_equal(kept.steps[3].f, expected.f)
    assert len(kept.steps) == len(s.x)
    assert (kept.steps[3].f is kept.steps[3].f) == (name == "tanh")


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
    assert h.node.op is SequenceOp
    assert y.node is h.node
