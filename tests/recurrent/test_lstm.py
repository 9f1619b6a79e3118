"""The LSTM's two bodies, called as plain functions: the numbers of the equations, and finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.recurrent import LSTM

Array = Any
NAMES = ("z_i", "z_f", "z_g", "z_o", "c")


def sigmoid(z: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-z))


def by_numpy(z_i: Array, z_f: Array, z_g: Array, z_o: Array, c: Array) -> dict[str, Array]:
    """Return every value of the equations, each line from the paper in NumPy."""
    i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
    c_new = f * c + i * g
    a = np.tanh(c_new)
    return {"i": i, "f": f, "g": g, "o": o, "a": a, "c": c, "c_new": c_new, "h_new": o * a}


@pytest.fixture
def arguments() -> list[Array]:
    return list(np.random.default_rng(0).normal(size=(len(NAMES), 3, 4)))


def backward(arguments: list[Array], dh: Array, dc: Array) -> list[Array]:
    """Return ∂loss/∂(each argument of forward), by the hand-written body."""
    values = by_numpy(*arguments)
    cache = {name: mg.tensor(values[name]) for name in ("i", "f", "g", "o", "a", "c")}
    return [d.numpy() for d in LSTM.backward(mg.tensor(dh), mg.tensor(dc), **cache)]


def test_forward_is_the_equations(arguments: list[Array]) -> None:
    h_new, c_new = LSTM.forward(*map(mg.tensor, arguments))
    expected = by_numpy(*arguments)
    np.testing.assert_allclose(h_new.numpy(), expected["h_new"], rtol=1e-14)
    np.testing.assert_allclose(c_new.numpy(), expected["c_new"], rtol=1e-14)


@pytest.mark.parametrize("place", range(len(NAMES)), ids=NAMES)
def test_backward_is_the_slope_of_the_loss(arguments: list[Array], place: int) -> None:
    """Every element, against central differences of NumPy's numbers, under random cotangents of both states."""
    dh, dc = np.random.default_rng(1).normal(size=(2, 3, 4))
    found = backward(arguments, dh, dc)[place]
    ε = 1e-6
    for index in np.ndindex(found.shape):
        losses = []
        for step in (ε, -ε):
            moved = [a.copy() for a in arguments]
            moved[place][index] += step
            values = by_numpy(*moved)
            losses.append((values["h_new"] * dh + values["c_new"] * dc).sum())
        assert found[index] == pytest.approx((losses[0] - losses[1]) / (2 * ε), rel=1e-6, abs=1e-8)


def test_along_the_carousel_the_gradient_meets_the_forget_gate_alone(arguments: list[Array]) -> None:
    dc = np.random.default_rng(2).normal(size=(3, 4))
    *_, dc_old = backward(arguments, np.zeros((3, 4)), dc)
    np.testing.assert_allclose(dc_old, dc * by_numpy(*arguments)["f"], rtol=1e-14)


def test_an_open_forget_gate_and_a_shut_input_gate_keep_c() -> None:
    c = np.array([[0.3, -2.0]])
    open_, shut = np.full_like(c, 40.0), np.full_like(c, -40.0)
    _, c_new = LSTM.forward(*map(mg.tensor, (shut, open_, open_, open_, c)))
    np.testing.assert_allclose(c_new.numpy(), c, rtol=1e-15)
