"""The fused simple recurrent nets of the NumPy and the Numba backend against formulas that go row by row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from minigrad_numpy import loops, simple_rnn
from rows import assert_same, assert_slopes, drawing, masks, of_all_backends

Array = Any
NAMES = ("x", "h0", "W", "U", "b")


class Case(NamedTuple):
    """Inputs and cotangents of one call."""

    x: Array
    h0: Array
    W: Array
    U: Array
    b: Array
    mask: Array | None
    dy: Array
    dh_T: Array  # noqa: N815
    zero_output: bool


def case(
    seed: int,
    shape: tuple[int, int, int, int],
    mask: str = "none",
    dtype: str = "float64",
    zero_output: bool = False,
) -> Case:
    T, B, I, H = shape
    rng = np.random.default_rng(seed)
    draw = drawing(rng, dtype)
    arrays = draw(T, B, I), draw(B, H), draw(I, H), draw(H, H), draw(H)
    return Case(*arrays, masks(rng, T, B, mask), draw(T, B, H), draw(B, H), zero_output)


@pytest.fixture(params=of_all_backends("simple_rnn"))
def loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def kernel(loop: Any, it: Case, **cotangents: Any) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    *outputs, kept = loop.forward(*it[:5], it.mask, zero_output=it.zero_output)
    given = {name: cotangents.get(name, getattr(it, name)) for name in ("dy", "dh_T")}
    return tuple(outputs), loop.backward(**given, kept=kept, x=it.x, W=it.W, U=it.U)


def row_by_row(it: Case) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    x, h0, W, U, b = (array.astype("float64") for array in it[:5])
    (T, B, _), H = x.shape, len(U)
    y, h_T = np.zeros((T, B, H)), h0.copy()
    dx, dh0, dW, dU, db = (np.zeros_like(array) for array in (x, h0, W, U, b))
    for row in range(B):
        h, steps, sources = h0[row], [], []
        for t in range(T):
            if it.mask is None or it.mask[t, row]:
                h_new = np.tanh(x[t, row] @ W + b + h @ U)
                steps.append((t, h, h_new))
                h = h_new
                sources.append(t)
            else:
                sources.append(sources[-1] if sources and not it.zero_output else None)
            if sources[t] is not None:
                y[t, row] = h
        h_T[row], dh = h, it.dh_T[row].astype("float64")
        for t, h, h_new in reversed(steps):
            dh = dh + sum(it.dy[later, row] for later, source in enumerate(sources) if source == t)
            ds = dh * (1.0 - h_new * h_new)
            dx[t, row] = W @ ds
            dW, dU, db = dW + np.outer(x[t, row], ds), dU + np.outer(h, ds), db + ds
            dh = U @ ds
        dh0[row] = dh
    return (y, h_T), (dx, dh0, dW, dU, db)


@pytest.mark.parametrize("zero_output", [False, True])
@pytest.mark.parametrize("mask", ["none", "ragged", "late"])
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (5, 1, 3, 4), (7, 4, 2, 3), (6, 17, 5, 2), (0, 3, 2, 2)], ids=str)
def test_equals_the_formulas(loop: Any, shape: tuple[int, int, int, int], mask: str, zero_output: bool) -> None:
    mask = mask if shape[0] else "none"
    for seed in range(3):
        it = case(seed, shape, mask, zero_output=zero_output)
        found, expected = kernel(loop, it), row_by_row(it)
        assert_same(found[0] + found[1], expected[0] + expected[1], 1e-11)


def test_float32_to_its_precision(loop: Any) -> None:
    it = case(0, (20, 5, 4, 8), "late", "float32")
    found, expected = kernel(loop, it), row_by_row(it)
    assert all(array.dtype == "float32" for array in found[0] + found[1])
    assert_same(found[0] + found[1], expected[0] + expected[1], 1e-5)


@pytest.mark.parametrize("absent", [("dy",), ("dh_T",), ("dy", "dh_T")])
def test_an_absent_cotangent_is_a_zero(loop: Any, absent: tuple[str, ...]) -> None:
    it = case(1, (6, 4, 3, 2), "late")
    nothing = {name: np.zeros_like(getattr(it, name)) for name in absent}
    assert_same(kernel(loop, it, **dict.fromkeys(absent))[1], row_by_row(it._replace(**nothing))[1], 1e-12)


def test_gradients_are_finite_differences(loop: Any) -> None:
    it = case(2, (5, 3, 2, 3), "late")

    def loss(**changed: Array) -> float:
        y, h_T, _ = loop.forward(*it._replace(**changed)[:5], it.mask)
        return float((y * it.dy).sum() + (h_T * it.dh_T).sum())

    assert_slopes(loss, dict(zip(NAMES, it[:5], strict=True)), kernel(loop, it)[1])


@pytest.mark.parametrize(("cache", "long"), [(1, 1), (400, 30), (1, 30)])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, cache: int, long: int) -> None:
    monkeypatch.setattr(simple_rnn, "CACHE", cache)
    monkeypatch.setattr(loops, "LONG", long)
    it = case(3, (23, 5, 3, 2), "late")
    found, expected = kernel(simple_rnn, it), row_by_row(it)
    assert_same(found[0] + found[1], expected[0] + expected[1], 1e-12)


def test_backward_again_without_a_bias_without_dx_and_by_windows() -> None:
    it = case(4, (6, 4, 3, 2))
    y, h_T, kept = simple_rnn.forward(*it[:4], None)
    expected = row_by_row(it._replace(b=np.zeros(2)))
    assert_same((y, h_T), expected[0], 1e-12)
    for _ in range(2):
        dx, *others = simple_rnn.backward(it.dy, it.dh_T, kept, it.x, it.W, it.U, needs_dx=False)
        assert dx is None
        assert_same(tuple(others), expected[1][1:], 1e-12)
        y[...] = h_T[...] = 0.0
    late = it._replace(x=it.x[2:], h0=kept.h[2], b=np.zeros(2), dy=it.dy[2:])
    found = simple_rnn.backward(it.dy[2:], it.dh_T, kept.window(2, 6), it.x[2:], it.W, it.U)
    assert_same(found, row_by_row(late)[1], 1e-12)


def test_one_float_is_kept_for_a_unit_and_step() -> None:
    it = case(5, (50, 3, 40, 5))
    *_, kept = simple_rnn.forward(*it[:5])
    assert sum(array.size for array in kept if isinstance(array, np.ndarray)) == (50 + 1) * 3 * 5
