"""The fused LSTM of the NumPy backend and the one printed for Numba, against slow formulas that run row by row."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

from minigrad_numpy import loops, lstm
from rows import assert_same, assert_slopes, drawing, masks, of_all_backends

Array = Any
NAMES = ("x", "h0", "c0", "W", "U", "b")


class Case(NamedTuple):
    """Inputs and cotangents of one call."""

    x: Array
    h0: Array
    c0: Array
    W: Array
    U: Array
    b: Array
    mask: Array | None
    dy: Array
    dh_T: Array  # noqa: N815  (a letter of the equations)
    dc_T: Array  # noqa: N815
    options: dict[str, Any]

    @property
    def inputs(self) -> tuple[Array, ...]:
        return self[:6]


def case(
    seed: int, shape: tuple[int, int, int, int], mask: str = "none", dtype: str = "float64", **options: Any
) -> Case:
    T, B, I, H = shape
    rng = np.random.default_rng(seed)
    draw = drawing(rng, dtype)
    weights = draw(I, 4 * H), draw(H, 4 * H), draw(4 * H)
    arrays = draw(T, B, I), draw(B, H), draw(B, H), *weights
    return Case(*arrays, masks(rng, T, B, mask), draw(T, B, H), draw(B, H), draw(B, H), options)


@pytest.fixture(params=of_all_backends("lstm"))
def loop(request: pytest.FixtureRequest) -> Any:
    return request.param


def kernel(loop: Any, case: Case, **cotangents: Any) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return (y, h_T, c_T) and (dx, dh0, dc0, dW, dU, db) of the code under test."""
    *outputs, cache = loop.forward(*case.inputs, case.mask, **case.options)
    given = {name: cotangents.get(name, getattr(case, name)) for name in ("dy", "dh_T", "dc_T")}
    return tuple(outputs), loop.backward(**given, cache=cache, x=case.x, W=case.W, U=case.U)


# --- the formulas, a row and a step at a time ----------------------------------------------------


def σ(z: Array, hard: bool) -> tuple[Array, Array]:
    """σ(z) and σ′(z)."""
    if hard:
        return np.clip(0.2 * z + 0.5, 0.0, 1.0), np.where(abs(z) < 2.5, 0.2, 0.0)
    y = 1.0 / (1.0 + np.exp(-z))
    return y, y * (1.0 - y)


def row_by_row(case: Case) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Return the expected result of `kernel`."""
    x, h0, c0, W, U, b = (array.astype("float64") for array in case.inputs)
    (T, B, _), H = x.shape, len(U)
    y, h_T, c_T = np.zeros((T, B, H)), h0.copy(), c0.copy()
    dx, dh0, dc0, dW, dU, db = (np.zeros_like(array) for array in (x, h0, c0, W, U, b))
    hard = case.options.get("recurrent_activation") == "hard_sigmoid"
    zero_output = case.options.get("zero_output", False)
    for row in range(B):
        h, c, output, producer = h0[row], c0[row], np.zeros(H), None
        steps, produced_by = [], []
        for t in range(T):
            if case.mask is None or case.mask[t, row]:
                z_i, z_f, z_g, z_o = np.split(x[t, row] @ W + b + h @ U, 4)
                (i, di), (f, df), (o, do), g = σ(z_i, hard), σ(z_f, hard), σ(z_o, hard), np.tanh(z_g)
                c_new = f * c + i * g
                steps.append((t, h, c, i, f, g, o, di, df, do, np.tanh(c_new)))
                h, c = o * np.tanh(c_new), c_new
                output, producer = h, t
                produced_by.append(t)
            else:
                produced_by.append(None if zero_output else producer)
            shown = not (zero_output and produced_by[t] is None)
            y[t, row] = output if shown else 0.0
        h_T[row], c_T[row] = h, c

        dh, dc = case.dh_T[row].astype("float64"), case.dc_T[row].astype("float64")
        for t, h, c, i, f, g, o, di, df, do, a in reversed(steps):
            for later, source in enumerate(produced_by):
                if source == t:
                    dh = dh + case.dy[later, row]
            dc = dc + dh * o * (1.0 - a * a)
            dz = np.concatenate([dc * g * di, dc * c * df, dc * i * (1.0 - g * g), dh * a * do])
            dx[t, row] = W @ dz
            dW += np.outer(x[t, row], dz)
            dU += np.outer(h, dz)
            db += dz
            dh, dc = U @ dz, dc * f
        dh0[row], dc0[row] = dh, dc
    return (y, h_T, c_T), (dx, dh0, dc0, dW, dU, db)


SHAPES = [(1, 1, 1, 1), (5, 1, 3, 4), (7, 4, 2, 3), (6, 17, 5, 2), (9, 3, 1, 1)]
OPTIONS = [
    {},
    {"zero_output": True},
    {"recurrent_activation": "hard_sigmoid"},
    {"zero_output": True, "recurrent_activation": "hard_sigmoid"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(map(str, o.values())) or "plain")
@pytest.mark.parametrize("mask", ["none", "ragged", "late"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_equals_the_formulas(loop: Any, shape: tuple[int, int, int, int], mask: str, options: dict[str, Any]) -> None:
    for seed in range(3):
        it = case(seed, shape, mask, **options)
        found, expected = kernel(loop, it), row_by_row(it)
        assert_same(found[0], expected[0], 1e-12)
        assert_same(found[1], expected[1], 1e-11)


@pytest.mark.parametrize("mask", ["none", "late"])
def test_float32_to_its_precision(loop: Any, mask: str) -> None:
    it = case(0, (20, 5, 4, 8), mask, "float32")
    found, expected = kernel(loop, it), row_by_row(it)
    assert all(array.dtype == "float32" for array in found[0] + found[1])
    assert_same(found[0], expected[0], 2e-6)
    assert_same(found[1], expected[1], 1e-5)


@pytest.mark.parametrize("absent", [c for n in (1, 2, 3) for c in itertools.combinations(("dy", "dh_T", "dc_T"), n)])
def test_an_absent_cotangent_is_a_zero(loop: Any, absent: tuple[str, ...]) -> None:
    it = case(1, (6, 4, 3, 2), "late")
    nothing = {name: np.zeros_like(getattr(it, name)) for name in absent}
    _, found = kernel(loop, it, **dict.fromkeys(absent))
    _, expected = row_by_row(it._replace(**nothing))
    assert_same(found, expected, 1e-12)


@pytest.mark.parametrize("options", OPTIONS[:3], ids=lambda o: "-".join(map(str, o.values())) or "plain")
@pytest.mark.parametrize("mask", ["none", "late"])
def test_gradients_are_finite_differences(loop: Any, mask: str, options: dict[str, Any]) -> None:
    it = case(2, (5, 3, 2, 3), mask, **options)

    def loss(**changed: Array) -> float:
        y, h_T, c_T, _ = loop.forward(*it._replace(**changed).inputs, it.mask, **options)
        return float((y * it.dy).sum() + (h_T * it.dh_T).sum() + (c_T * it.dc_T).sum())

    _, gradients = kernel(loop, it)
    assert_slopes(loss, dict(zip(NAMES, it.inputs, strict=True)), gradients)


# --- blocks, buffers, memory layouts -----------------------------------------------------------


@pytest.mark.parametrize("block_bytes", [1, 400, 3000])
@pytest.mark.parametrize("product_rows", [1, 30])
@pytest.mark.parametrize("mask", ["none", "late"])
def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch, block_bytes: int, product_rows: int, mask: str) -> None:
    monkeypatch.setattr(lstm, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr(loops, "PRODUCT_ROWS", product_rows)
    monkeypatch.setattr(loops, "STRIP", 2)
    it = case(3, (23, 5, 3, 2), mask)
    found, expected = kernel(lstm, it), row_by_row(it)
    assert_same(found[0], expected[0], 1e-12)
    assert_same(found[1], expected[1], 1e-12)


def test_backward_can_be_called_again(loop: Any) -> None:
    it = case(4, (6, 4, 3, 2), "late")
    y, h_T, c_T, cache = loop.forward(*it.inputs, it.mask)
    rest = (cache, it.x, it.W, it.U)
    first = loop.backward(it.dy, it.dh_T, it.dc_T, *rest)
    copies = tuple(array.copy() for array in first)
    for array in (y, h_T, c_T, *first, it.mask):
        array[...] = 0  # the caller owns them; writing to them does not change the cache
    assert_same(loop.backward(it.dy, it.dh_T, it.dc_T, *rest), copies, 0.0)


def test_without_dx(loop: Any) -> None:
    it = case(5, (6, 4, 3, 2), "ragged")
    *_, cache = loop.forward(*it.inputs, it.mask)
    dx, *others = loop.backward(it.dy, it.dh_T, it.dc_T, cache, it.x, it.W, it.U, needs_dx=False)
    assert dx is None
    assert_same(tuple(others), kernel(loop, it)[1][1:], 1e-12)


def test_without_a_bias(loop: Any) -> None:
    it = case(6, (6, 4, 3, 2))
    y, *_ = loop.forward(*it.inputs[:5], None)
    expected, *_ = loop.forward(*it.inputs[:5], np.zeros_like(it.b))
    np.testing.assert_array_equal(y, expected)


def test_any_memory_layout(loop: Any) -> None:
    it = case(7, (6, 4, 3, 2), "late")
    strange = [np.asfortranarray(array) for array in it[:6]]
    strange[0] = np.repeat(it.x, 2, axis=0)[::2]
    odd = it._replace(**dict(zip(NAMES, strange, strict=True)), dy=it.dy[::-1].copy()[::-1])
    found, expected = kernel(loop, odd), kernel(loop, it)
    assert_same(found[0] + found[1], expected[0] + expected[1], 1e-14)


def test_a_mask_of_all_true_is_no_mask(loop: Any) -> None:
    it = case(8, (6, 4, 3, 2))
    found, expected = kernel(loop, it._replace(mask=np.ones((6, 4), bool))), kernel(loop, it)
    assert_same(found[0] + found[1], expected[0] + expected[1], 0.0)


@pytest.mark.parametrize("shape", [(0, 3, 2, 4), (3, 0, 2, 4), (3, 2, 0, 4)], ids=str)
def test_empty_axes(loop: Any, shape: tuple[int, int, int, int]) -> None:
    it = case(9, shape)
    found, expected = kernel(loop, it), row_by_row(it)
    assert_same(found[0] + found[1], expected[0] + expected[1], 1e-12)


def test_saturated_gates_neither_warn_nor_break(loop: Any) -> None:
    it = case(10, (4, 3, 2, 3), dtype="float32")
    it = it._replace(x=it.x * np.float32(1e4))
    outputs, gradients = kernel(loop, it)
    assert all(np.isfinite(array).all() for array in outputs + gradients)


@pytest.mark.parametrize("mask", ["none", "late"])
def test_backward_runs_window_by_window(mask: str) -> None:
    """The backward pass over each window alone, without a carried gradient, equals the formulas on the windows."""
    it = case(11, (8, 4, 3, 2), mask)
    h, c = it.h0, it.c0
    *_, cache = lstm.forward(*it.inputs, it.mask)
    for start, stop in [(0, 3), (3, 8)]:
        x, dy = it.x[start:stop], it.dy[start:stop]
        part = it._replace(x=x, h0=h, c0=c, dy=dy, mask=None if it.mask is None else it.mask[start:stop])
        (_, h, c), expected = row_by_row(part)
        found = lstm.backward(dy, it.dh_T, it.dc_T, cache.window(start, stop), x, it.W, it.U)
        if mask != "none" and start > 0:  # the gradient of an output repeated across the cut leaves through dh0
            found, expected = found[:1] + found[2:], expected[:1] + expected[2:]
        assert_same(found, expected, 1e-12)


@pytest.mark.parametrize("T", [1, 2, 50])
def test_at_most_eight_floats_are_cached_for_a_unit_and_step(T: int) -> None:
    it = case(12, (T, 3, 40, 5), "none" if T == 1 else "late")
    *_, cache = lstm.forward(*it.inputs, it.mask)
    floats = sum(array.size for array in cache if isinstance(array, np.ndarray))
    assert floats == (7 * T + 1) * 3 * 5
    assert floats <= 8 * T * 3 * 5
    assert not any(np.may_share_memory(array, it.x) for array in cache if isinstance(array, np.ndarray))
