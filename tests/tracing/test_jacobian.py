"""Jacobians against finite differences; what takes long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat.v1 import nn
from minigrad.keras import layers as L
from minigrad.tracing import jacobian
from traced import MASK, B, I, T, made, run

KERAS = [("lstm", "h"), ("lstm", "c"), ("lstm of another activation", "c"), ("gru", "h"), ("simple", "h")]


def differences(seen: Any, t: int, place: int, rest: Callable[[list[Any]], Any]) -> Any:
    """‖∂s_T/∂s_t‖, (batch,), from running the rest again with a state before step t that is disturbed."""
    states, ε = [a[t] for a in seen.states.values()], 1e-5
    columns = []
    for k in range(states[place].shape[-1]):
        moved = ε * (np.arange(states[place].shape[-1]) == k)
        ends = [rest([s + sign * moved if n == place else s for n, s in enumerate(states)]) for sign in (1, -1)]
        columns.append((ends[0] - ends[1]) / (2 * ε))
    return np.linalg.norm(np.stack(columns, -1), 2, axis=(1, 2))


def against_differences(seen: Any, state: str, rest: Callable[[int, list[Any]], Any]) -> None:
    place, norms = list(seen.states).index(state), seen.jacobian_norms(state)
    assert norms.shape == (T + 1, B)
    np.testing.assert_array_equal(norms[-1], 1.0)
    for t in range(T):
        expected = differences(seen, t, place, lambda states, t=t: rest(t, states)[place].numpy())
        np.testing.assert_allclose(norms[t], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("kind", "state"), KERAS)
def test_jacobians_are_finite_differences(kind: str, state: str) -> None:
    layer = made(kind)
    with mg.trace(layer) as seen:
        run(layer, training=False)

    def rest(t: int, states: list[Any]) -> Any:
        return layer(seen.x[t:].swapaxes(0, 1), initial_state=states, mask=mg.tensor(MASK[:, t:]))[1:]

    against_differences(seen, state, rest)
    units = seen.states[state].shape[-1]
    np.testing.assert_array_equal(seen.jacobian_norms(state, norm="frobenius")[-1], np.sqrt(units))


@pytest.mark.parametrize("options", [{"use_peepholes": True, "cell_clip": 0.6}, {"num_proj": 2}])
@pytest.mark.parametrize("state", ["c", "m"])
def test_those_of_the_first_generation_too(options: dict[str, Any], state: str) -> None:
    cell = nn.rnn_cell.LSTMCell(3, **options, dtype="float64")
    x, lengths = np.random.default_rng(0).standard_normal((B, T, I)), np.array([5, 2, 0])
    with mg.trace(cell) as seen:
        nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype="float64")

    def rest(t: int, states: list[Any]) -> Any:
        start = nn.rnn_cell.LSTMStateTuple(*map(mg.tensor, states))
        return nn.dynamic_rnn(cell, x[:, t:], np.maximum(lengths - t, 0), initial_state=start)[1]

    against_differences(seen, state, rest)


def test_what_takes_long_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = L.LSTM(2)
    with mg.trace(layer) as seen:
        layer(mg.ones((4, 10, 2)))
    monkeypatch.setattr(jacobian, "MAX_QUICK_COST", 10 * 4 * 2**3 - 1)
    with pytest.warns(UserWarning, match="10 steps, batch 4, 2 units take more than a few seconds") as said:
        seen.jacobian_norms()
    assert said[0].filename == __file__
