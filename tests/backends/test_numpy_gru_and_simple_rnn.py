"""The fused GRU and simple RNN of the NumPy and the Numba backend, against slow formulas that run row by row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from minigrad_numpy import gru, loops, simple_rnn
from rows import assert_same, assert_slopes, drawing, masks, of_all_backends

Array = Any
Back = Callable[[Array], tuple[Array, Array, Array]]


class Case(NamedTuple):
    """Inputs and cotangents of one call."""

    kind: Kind
    inputs: dict[str, Array]  # x, h₀, W, U and the biases, as forward takes them
    mask: Array | None
    cotangents: dict[str, Array]
    options: dict[str, Any]

    def changed(self, **arrays: Array) -> Case:
        """Return a copy with some inputs and cotangents replaced."""
        return self._replace(
            inputs={name: arrays.get(name, array) for name, array in self.inputs.items()},
            cotangents={name: arrays.get(name, array) for name, array in self.cotangents.items()},
        )


class Kind(NamedTuple):
    """A recurrent network whose state is one array."""

    loop: Any
    gates: int
    biases: tuple[str, ...]
    step: Callable[..., tuple[Array, Back]]  # h_new; and ∂loss/∂h_new → gradients of h, x W + b and h U + b_h
    options: tuple[dict[str, Any], ...]
    cached: int  # floats for a unit and step

    def case(
        self, seed: int, shape: tuple[int, ...], mask: str = "none", dtype: str = "float64", **options: Any
    ) -> Case:
        T, B, I, H = shape
        rng = np.random.default_rng(seed)
        draw = drawing(rng, dtype)
        inputs = {"x": draw(T, B, I), "h0": draw(B, H), "W": draw(I, self.gates * H), "U": draw(H, self.gates * H)}
        inputs |= {name: draw(self.gates * H) for name in self.biases}
        rows = masks(rng, T, B, mask)
        return Case(self, inputs, rows, {"dy": draw(T, B, H), "dh_T": draw(B, H)}, options)


def σ(s: Array, hard: bool) -> tuple[Array, Array]:
    """σ(s) and σ′(s)."""
    if hard:
        return np.clip(0.2 * s + 0.5, 0.0, 1.0), np.where(abs(s) < 2.5, 0.2, 0.0)
    y = 1.0 / (1.0 + np.exp(-s))
    return y, y * (1.0 - y)


def gru_step(x_s: Array, h_s: Array, h: Array, recurrent_activation: str = "sigmoid") -> tuple[Array, Back]:
    hard = recurrent_activation == "hard_sigmoid"
    (x_z, x_r, x_g), (h_z, h_r, h_g) = np.split(x_s, 3), np.split(h_s, 3)
    (z, dz), (r, dr) = σ(x_z + h_z, hard), σ(x_r + h_r, hard)
    g = np.tanh(x_g + r * h_g)

    def back(dh: Array) -> tuple[Array, Array, Array]:
        ds_z, ds_g = dh * (h - g) * dz, dh * (1.0 - z) * (1.0 - g * g)
        ds_r = ds_g * h_g * dr
        return dh * z, np.concatenate([ds_z, ds_r, ds_g]), np.concatenate([ds_z, ds_r, ds_g * r])

    return z * h + (1.0 - z) * g, back


def simple_rnn_step(x_s: Array, h_s: Array, h: Array) -> tuple[Array, Back]:
    h_new = np.tanh(x_s + h_s)

    def back(dh: Array) -> tuple[Array, Array, Array]:
        ds = dh * (1.0 - h_new * h_new)
        return 0.0 * dh, ds, ds

    return h_new, back


ZEROS = {"zero_output": True}
KINDS = {
    "gru": Kind(gru, 3, ("b", "b_h"), gru_step, ({}, ZEROS, {"recurrent_activation": "hard_sigmoid"}), 5),
    "simple_rnn": Kind(simple_rnn, 1, ("b",), simple_rnn_step, ({}, ZEROS), 1),
}


def fused(loop: Any, it: Case, **cotangents: Any) -> tuple[Array, ...]:
    """Return y, h_T and the gradients of the inputs, by a loop."""
    *outputs, cache = loop.forward(*it.inputs.values(), it.mask, **it.options)
    x, W, U = (it.inputs[name] for name in ("x", "W", "U"))
    return *outputs, *loop.backward(**{**it.cotangents, **cotangents}, cache=cache, x=x, W=W, U=U)


def row_by_row(it: Case) -> tuple[Array, ...]:
    """Return the same by the formulas, row by row and step by step."""
    x, h0, W, U, *biases = (array.astype("float64") for array in it.inputs.values())
    b, b_h = (*biases, np.zeros_like(biases[0]))[:2]
    (T, B, _), H = x.shape, len(U)
    options = dict(it.options)
    zero_output = options.pop("zero_output", False)
    y, h_T = np.zeros((T, B, H)), h0.copy()
    dx, dh0, dW, dU, db, db_h = (np.zeros_like(array) for array in (x, h0, W, U, b, b_h))
    for row in range(B):
        h, steps, sources = h0[row], [], []
        for t in range(T):
            if it.mask is None or it.mask[t, row]:
                h_new, back = it.kind.step(x[t, row] @ W + b, h @ U + b_h, h, **options)
                steps.append((t, h, back))
                h = h_new
                sources.append(t)
            else:
                sources.append(sources[-1] if sources and not zero_output else None)
            if sources[t] is not None:
                y[t, row] = h
        h_T[row], dh = h, it.cotangents["dh_T"][row].astype("float64")
        for t, h, back in reversed(steps):
            dh = dh + sum(it.cotangents["dy"][later, row] for later, source in enumerate(sources) if source == t)
            past, ds, dk = back(dh)
            dx[t, row], dh = W @ ds, past + U @ dk
            dW, db = dW + np.outer(x[t, row], ds), db + ds
            dU, db_h = dU + np.outer(h, dk), db_h + dk
        dh0[row] = dh
    return (y, h_T, dx, dh0, dW, dU, db, db_h)[: 7 + len(biases) - 1]


LOOPS = [
    pytest.param(kind, *loop.values, id=f"{name}-{loop.id}")
    for name, kind in KINDS.items()
    for loop in of_all_backends(name)
]
WITH_OPTIONS = [
    pytest.param(*loop.values, options, id="-".join([str(loop.id), *map(str, options.values())]))
    for loop in LOOPS
    for options in loop.values[0].options
]
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.mark.parametrize(("kind", "loop", "options"), WITH_OPTIONS)
@pytest.mark.parametrize("mask", ["none", "ragged", "late"])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (5, 1, 3, 4), (7, 4, 2, 3), (6, 17, 5, 2), (0, 3, 2, 2)], ids=str)
def test_equals_the_formulas(kind: Kind, loop: Any, shape: tuple[int, ...], mask: str, options: dict[str, Any]) -> None:
    mask = mask if shape[0] else "none"
    for seed in range(3):
        it = kind.case(seed, shape, mask, **options)
        assert_same(fused(loop, it), row_by_row(it), 1e-11)


@pytest.mark.parametrize(("kind", "loop"), LOOPS)
def test_float32_to_its_precision(kind: Kind, loop: Any) -> None:
    it = kind.case(0, (20, 5, 4, 8), "late", "float32")
    found = fused(loop, it)
    assert all(array.dtype == "float32" for array in found)
    assert_same(found, row_by_row(it), 2e-5)


@pytest.mark.parametrize(("kind", "loop"), LOOPS)
@pytest.mark.parametrize("absent", [("dy",), ("dh_T",), ("dy", "dh_T")])
def test_an_absent_cotangent_is_a_zero(kind: Kind, loop: Any, absent: tuple[str, ...]) -> None:
    it = kind.case(1, (6, 4, 3, 2), "late")
    zeros = it.changed(**{name: np.zeros_like(it.cotangents[name]) for name in absent})
    assert_same(fused(loop, it, **dict.fromkeys(absent)), row_by_row(zeros), 1e-12)


@pytest.mark.parametrize(("kind", "loop", "options"), WITH_OPTIONS)
def test_gradients_are_finite_differences(kind: Kind, loop: Any, options: dict[str, Any]) -> None:
    it = kind.case(2, (5, 3, 2, 3), "late", **options)

    def loss(**changed: Array) -> float:
        y, h_T, _ = loop.forward(*it.changed(**changed).inputs.values(), it.mask, **options)
        return float((y * it.cotangents["dy"]).sum() + (h_T * it.cotangents["dh_T"]).sum())

    assert_slopes(loss, it.inputs, fused(loop, it)[2:])


@kinds
@pytest.mark.parametrize(("block_bytes", "product_rows"), [(1, 1), (400, 30), (1, 30)])
def test_blocks_change_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, block_bytes: int, product_rows: int
) -> None:
    monkeypatch.setattr(kind.loop, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(loops, "PRODUCT_ROWS", product_rows)
    it = kind.case(3, (23, 5, 3, 2), "late")
    assert_same(fused(kind.loop, it), row_by_row(it), 1e-12)


@kinds
def test_backward_again_without_biases_without_dx_and_by_windows(kind: Kind) -> None:
    it = kind.case(4, (6, 4, 3, 2))
    x, h0, W, U, *biases = it.inputs.values()
    dy, dh_T = it.cotangents.values()
    y, h_T, cache = kind.loop.forward(x, h0, W, U, *[None for _ in biases])
    plain = it.changed(**{name: np.zeros_like(it.inputs[name]) for name in kind.biases})
    expected = row_by_row(plain)
    assert_same((y, h_T), expected[:2], 1e-12)
    for _ in range(2):
        dx, *others = kind.loop.backward(dy, dh_T, cache, x, W, U, needs_dx=False)
        assert dx is None
        assert_same(tuple(others), expected[3:], 1e-12)
        y[...] = h_T[...] = 0.0
    found = kind.loop.backward(dy[2:], dh_T, cache.window(2, 6), x[2:], W, U)
    assert_same(found, row_by_row(plain.changed(x=x[2:], h0=cache.h[2], dy=dy[2:]))[2:], 1e-12)


@kinds
def test_floats_cached_for_a_unit_and_step(kind: Kind) -> None:
    it = kind.case(5, (50, 3, 40, 5))
    *_, cache = kind.loop.forward(*it.inputs.values())
    assert sum(array.size for array in cache if isinstance(array, np.ndarray)) == (kind.cached * 50 + 1) * 3 * 5
