"""Threads over the rows of a batch: the same numbers, and BLAS left as it was."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import minigrad_numba
from minigrad_numba import lstm, threads
from rows import drawing, masks

T, B, I, H = 5, 7, 3, 4


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Three parts, whatever the machine has; and what BLAS was told in the meantime."""
    told, threads_of_blas = [], SimpleNamespace(count=3)

    def tell(count: int) -> None:
        told.append(count)
        threads_of_blas.count = count

    monkeypatch.setattr(threads, "_set", tell)
    monkeypatch.setattr(threads, "_tell", lambda: threads_of_blas.count)
    monkeypatch.setattr(threads, "ROWS", 1)
    monkeypatch.setattr(threads, "WORK", 1)
    return told


@pytest.mark.parametrize("mask", ["none", "late"])
def test_the_same_numbers_in_parts(three: list[int], mask: str) -> None:
    rng = np.random.default_rng(0)
    draw = drawing(rng, "float64")
    x, h0, c0, W, U = draw(T, B, I), draw(B, H), draw(B, H), draw(I, 4 * H), draw(H, 4 * H)
    rows, dy, dh_T = masks(rng, T, B, mask), draw(T, B, H), draw(B, H)
    whole = lstm.forward(x, h0, c0, W, U, None, rows)
    shared = minigrad_numba.kernels["lstm"].loop
    found = shared.forward(x, h0, c0, W, U, None, rows)
    assert len(found[-1]) == 3
    for a, b in zip(found[:-1], whole[:-1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-13)
    for needs_dx in (True, False):
        expected = lstm.backward(dy, dh_T, None, whole[-1], x, W, U, needs_dx=needs_dx)
        gradients = shared.backward(dy, dh_T, None, found[-1], x, W, U, needs_dx=needs_dx)
        assert (gradients[0] is None) is not needs_dx
        for a, b in zip(gradients, expected, strict=True):
            assert a is b is None or np.allclose(a, b, rtol=1e-12, atol=1e-13)
    assert three == [1, 3] * 3


def test_blas_gets_its_threads_back_after_an_error(three: list[int]) -> None:
    def fails(rows: slice) -> None:
        raise ValueError(rows)

    with pytest.raises(ValueError, match="slice"):
        threads._each(fails, threads._slices(6, 3))
    assert three == [1, 3]


def test_callers_at_the_same_time_share_one_setting(three: list[int]) -> None:
    """The first one in sets it, the last one out sets it back."""
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


def test_small_sequences_are_not_cut() -> None:
    W, U = np.zeros((8, 64), "float32"), np.zeros((16, 64), "float32")
    assert threads.parts_for(np.zeros((100, 1, 8), "float32"), (W, U, None)) == 1
    assert threads.parts_for(np.zeros((1, 64, 8), "float32"), (W, U, None)) == 1
    W, U = np.zeros((64, 512), "float32"), np.zeros((128, 512), "float32")
    assert threads.parts_for(np.zeros((100, 32, 64), "float32"), (W, U, None)) == min(4, threads.available())


def test_where_blas_does_not_tell_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_tell", None)
    assert threads.available() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_after_a_fork(three: list[int]) -> None:
    """A pool's threads do not live on in a fork; a loop there makes new ones."""
    assert threads._each(lambda rows: rows.start, threads._slices(6, 3)) == [0, 2, 4]
    child = _fork()
    if not child:
        ok = threads._each(lambda rows: rows.start, threads._slices(6, 3)) == [0, 2, 4]
        os._exit(0 if ok else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _fork() -> Any:
    import warnings

    with warnings.catch_warnings():
        if sys.version_info >= (3, 12):
            warnings.simplefilter("ignore", DeprecationWarning)  # that threads and forks go ill together: so we test it
        return os.fork()
