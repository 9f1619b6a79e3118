"""The fused GRU of the NumPy backend, and Numba's compiled one, against formulas that go row by row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from minigrad_numpy import gru, loops
from rows import assert_same, assert_slopes, drawing, masks, of_all_backends

Array = Any
NAMES = ("x", "h0", "W", "U", "b", "b_h")


class Case(NamedTuple):
    """Inputs and cotangents of one call."""

    x: Array
    h0: Array
    W: Array
    U: Array
    b: Array
    b_h: Array
    mask: Array | None
    dy: Array
    dh_T: Array  # noqa: N815
    options: dict[str, Any]


def case(
    seed: int, shape: tuple[int, int, int, int], mask: str = "none", dtype: str = "float64", **options: Any
) -> Case:
    T, B, I, H = shape
    rng = np.random.default_rng(seed)
    draw = drawing(rng, dtype)
    arrays = draw(T, B, I), draw(B, H), draw(I, 3 * H), draw(H, 3 * H), draw(3 * H), draw(3 * H)
    return Case(*arrays, masks(rng, T, B, mask), draw(T, B, H), draw(B, H), options)


@pytest.fixture(params=of_all_backends("gru"))
def loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def kernel(loop: Any, it: Case, **cotangents: Any) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    *outputs, kept = loop.forward(*it[:6], it.mask, **it.options)
    given = {name: cotangents.get(name, getattr(it, name)) for name in ("dy", "dh_T")}
    return tuple(outputs), loop.backward(**given, kept=kept, x=it.x, W=it.W, U=it.U)


def σ(s: Array, hard: bool) -> tuple[Array, Array]:
    """σ(s) and σ′(s)."""
    if hard:
        return np.clip(0.2 * s + 0.5, 0.0, 1.0), np.where(abs(s) < 2.5, 0.2, 0.0)
    y = 1.0 / (1.0 + np.exp(-s))
    return y, y * (1.0 - y)


def row_by_row(it: Case) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    x, h0, W, U, b, b_h = (array.astype("float64") for array in it[:6])
    (T, B, _), H = x.shape, len(U)
    y, h_T = np.zeros((T, B, H)), h0.copy()
    dx, dh0, dW, dU, db, db_h = (np.zeros_like(array) for array in (x, h0, W, U, b, b_h))
    hard, zero_output = it.options.get("recurrent_activation") == "hard_sigmoid", it.options.get("zero_output")
    for row in range(B):
        h, steps, sources = h0[row], [], []
        for t in range(T):
            if it.mask is None or it.mask[t, row]:
                x_z, x_r, x_g = np.split(x[t, row] @ W + b, 3)
                h_z, h_r, h_g = np.split(h @ U + b_h, 3)
                (z, dz), (r, dr) = σ(x_z + h_z, hard), σ(x_r + h_r, hard)
                g = np.tanh(x_g + r * h_g)
                steps.append((t, h, z, r, g, dz, dr, h_g))
                h = z * h + (1.0 - z) * g
                sources.append(t)
            else:
                sources.append(sources[-1] if sources and not zero_output else None)
            if sources[t] is not None:
                y[t, row] = h
        h_T[row], dh = h, it.dh_T[row].astype("float64")
        for t, h, z, r, g, dz, dr, h_g in reversed(steps):
            dh = dh + sum(it.dy[later, row] for later, source in enumerate(sources) if source == t)
            ds_z, ds_g = dh * (h - g) * dz, dh * (1.0 - z) * (1.0 - g * g)
            ds_r = ds_g * h_g * dr
            dx_t, dk = np.concatenate([ds_z, ds_r, ds_g]), np.concatenate([ds_z, ds_r, ds_g * r])
            dx[t, row] = W @ dx_t
            dW, db = dW + np.outer(x[t, row], dx_t), db + dx_t
            dU, db_h = dU + np.outer(h, dk), db_h + dk
            dh = dh * z + U @ dk
        dh0[row] = dh
    return (y, h_T), (dx, dh0, dW, dU, db, db_h)


OPTIONS = [{}, {"zero_output": True}, {"recurrent_activation": "hard_sigmoid"}]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())) or "plain")
@pytest.mark.parametrize("mask", ["none", "ragged", "late"])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (5, 1, 3, 4), (7, 4, 2, 3), (6, 17, 5, 2), (0, 3, 2, 2)], ids=str)
def test_equals_the_formulas(loop: Any, shape: tuple[int, int, int, int], mask: str, options: dict[str, Any]) -> None:
    mask = mask if shape[0] else "none"
    for seed in range(3):
        it = case(seed, shape, mask, **options)
        found, expected = kernel(loop, it), row_by_row(it)
        assert_same(found[0] + found[1], expected[0] + expected[1], 1e-11)


def test_float32_to_its_precision(loop: Any) -> None:
    it = case(0, (20, 5, 4, 8), "late", "float32")
    found, expected = kernel(loop, it), row_by_row(it)
    assert all(array.dtype == "float32" for array in found[0] + found[1])
    assert_same(found[0] + found[1], expected[0] + expected[1], 2e-5)


@pytest.mark.parametrize("absent", [("dy",), ("dh_T",), ("dy", "dh_T")])
def test_an_absent_cotangent_is_a_zero(loop: Any, absent: tuple[str, ...]) -> None:
    it = case(1, (6, 4, 3, 2), "late")
    nothing = {name: np.zeros_like(getattr(it, name)) for name in absent}
    assert_same(kernel(loop, it, **dict.fromkeys(absent))[1], row_by_row(it._replace(**nothing))[1], 1e-12)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())) or "plain")
def test_gradients_are_finite_differences(loop: Any, options: dict[str, Any]) -> None:
    it = case(2, (5, 3, 2, 3), "late", **options)

    def loss(**changed: Array) -> float:
        y, h_T, _ = loop.forward(*it._replace(**changed)[:6], it.mask, **options)
        return float((y * it.dy).sum() + (h_T * it.dh_T).sum())

    assert_slopes(loss, dict(zip(NAMES, it[:6], strict=True)), kernel(loop, it)[1])


@pytest.mark.parametrize(("cache", "long"), [(1, 1), (400, 30), (1, 30)])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, cache: int, long: int) -> None:
    monkeypatch.setattr(gru, "CACHE", cache)
    monkeypatch.setattr(loops, "LONG", long)
    it = case(3, (23, 5, 3, 2), "late")
    found, expected = kernel(gru, it), row_by_row(it)
    assert_same(found[0] + found[1], expected[0] + expected[1], 1e-12)


def test_backward_again_without_biases_without_dx_and_by_windows() -> None:
    it = case(4, (6, 4, 3, 2))
    zero = np.zeros(6)
    y, h_T, kept = gru.forward(*it[:4], None, None)
    expected = row_by_row(it._replace(b=zero, b_h=zero))
    assert_same((y, h_T), expected[0], 1e-12)
    for _ in range(2):
        dx, *others = gru.backward(it.dy, it.dh_T, kept, it.x, it.W, it.U, needs_dx=False)
        assert dx is None
        assert_same(tuple(others), expected[1][1:], 1e-12)
        y[...] = h_T[...] = 0.0
    late = it._replace(x=it.x[2:], h0=kept.h[2], b=zero, b_h=zero, dy=it.dy[2:])
    found = gru.backward(it.dy[2:], it.dh_T, kept.window(2, 6), it.x[2:], it.W, it.U)
    assert_same(found, row_by_row(late)[1], 1e-12)


def test_five_floats_are_kept_for_a_unit_and_step() -> None:
    it = case(5, (50, 3, 40, 5))
    *_, kept = gru.forward(*it[:6])
    assert sum(array.size for array in kept if isinstance(array, np.ndarray)) == (5 * 50 + 1) * 3 * 5
