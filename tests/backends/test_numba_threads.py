"""Threads over the rows of a batch: the same numbers, and BLAS' number of threads restored."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import minigrad_numba
from minigrad_numba import loops, threads
from rows import Printed, drawing, masks

T, B, I, H = 5, 7, 3, 4
lstm = Printed("lstm")


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Three parts on any machine and for any size; the list records the numbers of threads set in BLAS."""
    counts, threads_of_blas = [], SimpleNamespace(count=3)

    def set_threads(count: int) -> None:
        counts.append(count)
        threads_of_blas.count = count

    monkeypatch.setattr(threads, "_set_threads", set_threads)
    monkeypatch.setattr(threads, "_get_threads", lambda: threads_of_blas.count)
    monkeypatch.setattr(threads, "MIN_ROWS", 1)
    monkeypatch.setattr(threads, "MIN_MULTIPLICATIONS", 1)
    monkeypatch.setattr(threads, "SINGLE_THREADED", 1)
    return counts


@pytest.mark.parametrize("mask", ["none", "late"])
def test_the_same_numbers_in_parts(three: list[int], monkeypatch: pytest.MonkeyPatch, mask: str) -> None:
    rng = np.random.default_rng(0)
    draw = drawing(rng, "float64")
    x, h0, c0, W, U = draw(T, B, I), draw(B, H), draw(B, H), draw(I, 4 * H), draw(H, 4 * H)
    rows, dy, dh_T = masks(rng, T, B, mask), draw(T, B, H), draw(B, H)
    found = lstm.forward(x, h0, c0, W, U, None, rows)
    gradients = [lstm.backward(dy, dh_T, None, found[-1], x, W, U, needs_dx=needs) for needs in (True, False)]
    assert len(found[-1][2].parts) == 3
    assert three == [1, 3] * 3
    monkeypatch.setattr(threads, "available", lambda: 1)
    whole = lstm.forward(x, h0, c0, W, U, None, rows)
    assert len(whole[-1][2].parts) == 1
    for a, b in zip(found[:-1], whole[:-1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    for needs, of_parts in zip((True, False), gradients, strict=True):
        expected = lstm.backward(dy, dh_T, None, whole[-1], x, W, U, needs_dx=needs)
        assert (of_parts[0] is None) is not needs
        for a, b in zip(of_parts, expected, strict=True):
            assert a is b is None or np.allclose(a, b, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shapes", [((7, 5), (5, 3)), ((2, 7, 5), (5, 3)), ((4, 2, 5), (4, 5, 3)), ((5,), (5, 3))], ids=str
)
def test_products_in_parts(three: list[int], monkeypatch: pytest.MonkeyPatch, shapes: Any, dtype: str) -> None:
    draw = drawing(np.random.default_rng(0), dtype)
    a, b = (draw(*shape) for shape in shapes)
    for left, right in ((a, b), (np.asfortranarray(a), np.asfortranarray(b))):
        product = minigrad_numba.matmul(left, right)
        assert product.dtype == dtype
        np.testing.assert_allclose(product, a @ b, rtol=1e-5)


def test_outputs_and_dx_are_contiguous_whatever_the_layout_of_x(three: list[int]) -> None:
    """So that the next loop over time reads them without a copy."""
    draw = drawing(np.random.default_rng(0), "float32")
    x, dy = draw(B, T, I).swapaxes(0, 1), draw(B, T, H).swapaxes(0, 1)
    y, *_, cache = lstm.forward(x, draw(B, H), draw(B, H), W := draw(I, 4 * H), U := draw(H, 4 * H), None)
    dx, *_ = lstm.backward(dy, None, None, cache, x, W, U)
    assert y.flags.c_contiguous
    assert dx.flags.c_contiguous


def test_blas_gets_its_threads_back_after_an_error(three: list[int]) -> None:
    def fails(rows: slice) -> None:
        raise ValueError(rows)

    with pytest.raises(ValueError, match="slice"):
        threads.map_parts(fails, threads.slices(6, 3), 1)
    assert three == [1, 3]


def test_an_error_waits_for_the_other_threads(three: list[int]) -> None:
    """Threads that write to arrays which the caller uses afterwards."""
    ended = []

    def fails_first(part: slice) -> None:
        if not part.start:
            raise ValueError(part)
        time.sleep(0.05)
        ended.append(part)

    with pytest.raises(ValueError, match="slice"):
        threads.map_parts(fails_first, threads.slices(6, 3), 1)
    assert len(ended) == 2


@pytest.mark.parametrize("invalid", ["ignore", "raise"])
def test_threads_run_in_the_callers_errstate(three: list[int], invalid: Any) -> None:
    with np.errstate(invalid=invalid):
        assert threads.map_parts(lambda _: np.geterr()["invalid"], threads.slices(6, 3), 1) == [invalid] * 3


def test_matmul_refuses_scalars() -> None:
    with pytest.raises(ValueError, match="matmul"):
        minigrad_numba.matmul(np.ones(()), np.ones(()))


def test_callers_at_the_same_time_share_one_setting(three: list[int]) -> None:
    """One number for all callers: set by the first, restored by the last."""
    inside, leave = threading.Event(), threading.Event()

    def stays() -> None:
        with threads._products_on_one_thread():
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=stays)
    other.start()
    inside.wait(10)
    with threads._products_on_one_thread():
        assert threads.available() == 3
    assert three == [1]
    leave.set()
    other.join()
    assert three == [1, 3]


def test_one_part_without_blas_leaves_its_threads_as_they_are(
    three: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "MIN_ROWS", 8)
    assert threads.in_parts(lambda rows: rows, 7, 10**9, blas=False) == [slice(0, 7)]
    assert three == []
    assert threads.in_parts(lambda rows: rows, 7, 10**9) == [slice(0, 7)]
    assert three == [1, 3]


def test_little_work_and_few_rows_are_not_cut(three: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "MIN_ROWS", 8)
    monkeypatch.setattr(threads, "MIN_MULTIPLICATIONS", 1000)
    assert threads.parts_for(rows=7, multiplications=10**9) == 1
    assert threads.parts_for(rows=10**9, multiplications=999) == 1
    assert threads.parts_for(rows=16, multiplications=10**9) == 2
    assert threads.parts_for(rows=10**9, multiplications=10**9) == 3


def test_when_no_thread_can_be_started(three: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a function registered with `atexit`."""

    class Ended:
        def submit(self, *_: Any) -> None:
            raise RuntimeError("cannot schedule new futures after shutdown")

    monkeypatch.setattr(threads, "_executor", Ended)
    assert threads.map_parts(lambda rows: rows.start, threads.slices(6, 3), threads.SINGLE_THREADED) == [0, 2, 4]
    assert threads._single_threaded_callers == 0


def test_mask_codes_have_one_dtype_with_and_without_a_mask() -> None:
    """With two dtypes, every loop would be compiled twice."""
    mask = np.array([[True, False], [False, True]])
    kinds = {loops.mask_codes(each, zero_output).dtype for each in (None, mask) for zero_output in (False, True)}
    assert kinds == {np.dtype("uint8")}
    before_any_output = [[0, loops.ZEROED], [loops.MASKED, 0]]
    np.testing.assert_array_equal(loops.mask_codes(mask, False), before_any_output)
    np.testing.assert_array_equal(loops.mask_codes(mask, True), loops.ZEROED * ~mask)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork(three: list[int]) -> None:
    """A loop in a forked process, without the pool's threads: it starts new ones."""
    assert threads.map_parts(lambda rows: rows.start, threads.slices(6, 3), 1) == [0, 2, 4]
    with threads._lock:  # as if another thread held it
        child = _fork()
    if not child:
        ok = threads.map_parts(lambda rows: rows.start, threads.slices(6, 3), 1) == [0, 2, 4]
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _fork() -> Any:
    import warnings

    with warnings.catch_warnings():
        if sys.version_info >= (3, 12):
            warnings.simplefilter("ignore", DeprecationWarning)  # forking a process with threads, on purpose
        return os.fork()
