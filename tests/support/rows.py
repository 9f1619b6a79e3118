"""Inputs, masks and comparisons for the tests of the fused loops."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minigrad.engine.ops import pointwise as ops
from minigrad.recurrent.backend_loop import backend_loop
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.gru import GRU
from minigrad.recurrent.lstm import LSTM
from minigrad.recurrent.simple_rnn import SimpleRNN

Array = Any


def drawing(rng: np.random.Generator, dtype: str) -> Callable[..., Array]:
    """Return a function that draws read-only arrays: a loop must not write to its arguments."""

    def draw(*shape: int) -> Array:
        array = rng.standard_normal(shape).astype(dtype)
        array.flags.writeable = False
        return array

    return draw


EQUATIONS = {"lstm": LSTM, "gru": GRU, "simple_rnn": SimpleRNN}


def of_all_backends(loop: str) -> list[Any]:
    """Return the loops of that name as test parameters, for the backends whose library is installed."""
    found = [pytest.param(importlib.import_module(f"minigrad_numpy.{loop}"), id="numpy")]
    return [*found, *([pytest.param(Printed(loop), id="numba")] if importlib.util.find_spec("numba") else [])]


class Printed:
    """A loop printed by the Numba backend, with the signature of the hand-written ones of `minigrad_numpy`.

    Args:
        loop: its name.
    """

    def __init__(self, loop: str) -> None:
        self._equations = EQUATIONS[loop]

    def forward(
        self, x: Array, *arrays: Any, zero_output: bool = False, recurrent_activation: str = "sigmoid"
    ) -> tuple[Any, ...]:
        """Return y, the final states, and the cache for `backward`."""
        cell = Formulas(self._equations, ops.HardSigmoid if recurrent_activation == "hard_sigmoid" else ops.Sigmoid)
        states, count = len(cell.states), len(cell.whole.weights)
        weights = cell.Weights(*[*arrays[states:], *[None] * count][:count])
        mask = arrays[states + count] if len(arrays) > states + count else None
        loop = backend_loop(importlib.import_module("minigrad_numba"), cell, weights, str(x.dtype))
        assert not isinstance(loop, str), loop
        y, state_T, cache = loop.forward(x, arrays[:states], weights, mask, zero_output)
        return y, *state_T, (loop, weights, cache)

    def backward(self, dy: Any, dh_T: Any, *arrays: Any, needs_dx: bool = True, **named: Any) -> tuple[Any, ...]:
        """Return the gradients of x, the initial states and the weights, zero for an absent bias."""
        dstate = [dh_T, *([named["dc_T"]] if "dc_T" in named else [])]
        if "cache" not in named:
            *more, cache, x, _, _ = arrays
            dstate += more
        else:
            cache, x = named["cache"], named["x"]
        loop, weights, loop_cache = cache
        dx, dstate_0, dweights = loop.backward(dy, tuple(dstate), x, weights, loop_cache, needs_dx)
        return dx, *dstate_0, *dweights[: len(weights) - 2]


def masks(rng: np.random.Generator, T: int, B: int, kind: str) -> Array | None:
    """Return a mask: ragged with holes; or with rows that begin late, are fully masked, or never masked."""
    if kind == "none":
        return None
    mask = np.arange(T)[:, None] < rng.integers(1, T + 1, B)
    mask &= rng.random((T, B)) < 0.8
    if kind == "late":
        mask[: T // 2, 0] = False
        mask[-1, 0] = True
        mask[:, -1] = B == 1
    return mask


def assert_same(found: tuple[Array, ...], expected: tuple[Array, ...], tolerance: float) -> None:
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, abs(b).max(initial=0.0)))


def assert_slopes(loss: Callable[..., float], inputs: dict[str, Array], gradients: tuple[Array, ...]) -> None:
    """Compare every element of the gradients with finite differences of the loss, of fourth order in ε."""
    ε = 1e-5
    for (name, value), gradient in zip(inputs.items(), gradients, strict=True):
        for index in np.ndindex(value.shape):
            step = np.zeros_like(value)
            step[index] = ε
            near = loss(**{name: value + step}) - loss(**{name: value - step})
            far = loss(**{name: value + 2 * step}) - loss(**{name: value - 2 * step})
            assert gradient[index] == pytest.approx((8 * near - far) / (12 * ε), rel=1e-6, abs=1e-8), (name, index)
