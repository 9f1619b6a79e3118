"""Truncated BPTT, (k1, k2): after every k1 steps, the loss of those steps goes back through at most k2 steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.keras import layers as L
from minigrad.recurrent import bptt
from recurrent.situations import CASES, Gradients, Situation, by_loop, by_node, same

T = 7
SETTINGS = ["lstm", "lstm, zero output", "gru", "gru, reset before", "simple", "lstmp, everything"]
every_cell = pytest.mark.parametrize("name", SETTINGS)


def longer(name: str, tbptt: tuple[int, int] | None, masked: bool = True) -> Situation:
    """The situation of that name, over seven steps; a mask with a hole, a fully masked row and a masked end."""
    case, rng = CASES[name], np.random.default_rng(7)
    mask = np.array([[1] * 7, [1, 0, 0, 1, 1, 0, 1], [0] * 7, [0, 0, 1, 1, 0, 0, 0]], dtype=bool).T
    x, dy = rng.standard_normal((T, *case.x.shape[1:])), rng.standard_normal((T, *case.dy.shape[1:]))
    return replace(case, x=x, dy=dy, mask=mask if masked else None, tbptt=tbptt)


@every_cell
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("s", [1, 2, 3, 6])
def test_with_k1_of_1_the_gradient_is_a_band(name: str, masked: bool, s: int) -> None:
    """∂loss_t/∂x_u = that of full BPTT for t − u < s, and exactly 0 beyond, for every t."""
    cut = longer(name, (1, s), masked)
    silent = tuple(np.zeros_like(d) for d in cut.dstate)
    for t in range(T):
        dy = np.zeros_like(cut.dy)
        dy[t] = cut.dy[t]
        full, found = (by_loop(replace(cut, dy=dy, dstate=silent, tbptt=k))["x"] for k in (None, (1, s)))
        inside = np.array([0 <= t - u < s for u in range(T)])
        np.testing.assert_array_equal(found[~inside], 0.0)
        np.testing.assert_allclose(found[inside], full[inside], rtol=1e-13, atol=1e-15)
        assert np.abs(full[: t + 1]).max() > 0.0


def by_definition(s: Situation) -> Gradients:
    """Each window by itself: run to where it may reach back to without a gradient, from there on the tape."""
    k1, k2 = s.tbptt or (0, 0)
    total: dict[str, Any] = {name: np.zeros_like(value) for name, value in s.inputs.items()}
    for start in range(0, T, k1):
        stop = min(start + k1, T)
        earliest = max(0, stop - k2)
        dy = s.dy[earliest:stop].copy()
        dy[: start - earliest] = 0.0
        window = replace(
            s,
            x=s.x[earliest:stop],
            state=state_after(s, earliest),
            dy=dy,
            dstate=s.dstate if stop == T else tuple(np.zeros_like(d) for d in s.dstate),
            mask=None if s.mask is None else s.mask[earliest:stop],
            tbptt=None,
        )
        # An output repeated from before the window is a constant, like the zero that replaces it.
        for name, gradient in by_node(window).items():
            if name == "x":
                total[name][earliest:stop] += gradient
            elif not name.startswith("state") or earliest == 0:
                total[name] += gradient
    return total


def state_after(s: Situation, steps: int) -> tuple[np.ndarray, ...]:
    """The state after the first steps."""
    if steps == 0:
        return s.state
    mask = None if s.mask is None else s.mask[:steps]
    return bptt.forward(minigrad_numpy, s.step, s.x[:steps], s.state, s.weights, mask, s.zero_output)[1]


@every_cell
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("tbptt", [(1, 1), (1, 4), (2, 2), (2, 3), (3, 5), (4, 9), (7, 7), (20, 20)])
def test_agrees_with_the_definition(name: str, masked: bool, tbptt: tuple[int, int]) -> None:
    case = longer(name, tbptt, masked)
    same(by_loop(case), by_definition(case), rtol=1e-12, atol=1e-13)


@every_cell
def test_windows_as_long_as_the_sequence_truncate_nothing(name: str) -> None:
    same(by_loop(longer(name, (T, T))), by_loop(longer(name, None)), rtol=0, atol=0)


@pytest.mark.parametrize("layer_class", [L.LSTM, L.GRU, L.SimpleRNN])
def test_k_and_k_is_stateful_training_chunk_by_chunk(layer_class: Any) -> None:
    """States passed from chunk to chunk, without gradients: the usual meaning of truncated BPTT."""
    rng = np.random.default_rng(3)
    x, c = rng.standard_normal((2, 9, 3)), rng.standard_normal((2, 9, 4))
    at_once = layer_class(4, return_sequences=True, dtype="float64", tbptt=(3, 3))
    at_once(x)
    chunk_by_chunk = layer_class(4, return_sequences=True, dtype="float64", stateful=True)
    chunk_by_chunk(x[:, :3])
    chunk_by_chunk.set_weights(at_once.get_weights())
    chunk_by_chunk.reset_states()
    (at_once(x) * c).sum().backward()
    for start in range(0, 9, 3):
        here = slice(start, start + 3)
        (chunk_by_chunk(x[:, here]) * c[:, here]).sum().backward()
    for one, other in zip(at_once.weights, chunk_by_chunk.weights, strict=True):
        np.testing.assert_allclose(one.grad.numpy(), other.grad.numpy(), rtol=1e-12, atol=1e-13)


def test_the_layers_option() -> None:
    x = mg.tensor(np.random.default_rng(4).standard_normal((2, 8, 3)), requires_grad=True)
    layer = L.LSTM(4, return_sequences=True, dtype="float64", tbptt=(1, 3))
    y = layer(x)
    assert layer.path.startswith("explicit BPTT")
    (dx,) = mg.grad(y[:, 6].sum(), x)
    felt = np.abs(dx.numpy()).max((0, 2)) > 0.0
    assert felt.tolist() == [False, False, False, False, True, True, True, False]
    whole = L.LSTM(4, return_sequences=True, dtype="float64")
    whole(x)
    whole.set_weights(layer.get_weights())
    np.testing.assert_allclose(whole(x).numpy(), y.numpy(), rtol=1e-13, atol=1e-15)  # forward nothing is cut
    assert L.LSTM.from_config(layer.get_config()).tbptt == (1, 3)
    assert "tbptt" not in whole.get_config()  # Keras does not know it
