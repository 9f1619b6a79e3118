"""Every backend's loops give the numbers of the formulas in `minigrad.recurrent`, for all cells and options."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from kernel_cases import BUILT_IN, ODD, Kind, anything, assert_loop_is_formulas, case_of, flat, trying
from minigrad.engine import registry
from minigrad.recurrent.gru import GRU
from minigrad.recurrent.lstm import LSTM
from minigrad.recurrent.lstmp import LSTMP
from minigrad.recurrent.simple_rnn import SimpleRNN
from recurrent.odd_cells import Net1997

BACKENDS = [name for name in ("numpy", "numba") if importlib.util.find_spec(name)]
LOOPS = [
    pytest.param(backend, kind, id=f"{backend}-{kind}")
    for backend in BACKENDS
    for kind in [*BUILT_IN, *ODD]
    if not isinstance(case_of(kind, (1, 1, 1, 2)).loop(registry.resolve(backend)), str)
]
LARGE = [p for p in LOOPS if p.values[1].equations in (LSTM, GRU, SimpleRNN, LSTMP)]


def test_numba_has_a_loop_for_every_cell() -> None:
    pytest.importorskip("numba")
    numba = registry.resolve("numba")
    assert not [str(kind) for kind in [*BUILT_IN, *ODD] if isinstance(case_of(kind, (1, 1, 1, 2)).loop(numba), str)]


@pytest.mark.parametrize(("backend", "kind"), LOOPS)
def test_loop_and_formulas(backend: str, kind: Kind) -> None:
    @anything
    @trying
    def compare(**drawn: Any) -> None:
        assert_loop_is_formulas(registry.resolve(backend), case_of(kind, **drawn))

    compare()


@pytest.mark.parametrize(("backend", "kind"), LARGE)
@pytest.mark.parametrize("shape", [(30, 40, 5, 10), (7, 3, 60, 70)], ids=str)  # products by BLAS, and several threads
def test_loop_and_formulas_at_larger_sizes(backend: str, kind: Kind, shape: Any) -> None:
    assert_loop_is_formulas(registry.resolve(backend), case_of(kind, shape, "late"), float32=2e-4)


@pytest.mark.parametrize(("backend", "kind"), LOOPS)
def test_backward_again_and_without_dx(backend: str, kind: Kind) -> None:
    case = case_of(kind, (5, 2, 3, 4), "ragged")
    loop = case.loop(registry.resolve(backend))
    assert not isinstance(loop, str)
    y, state_T, cache = loop.forward(case.x, case.state, case.weights, case.mask, False)

    def back(needs_dx: bool) -> list[Any]:
        return flat(loop.backward(case.dy, case.dstate, case.x, case.weights, cache, needs_dx))

    first = back(True)
    expected = [d if d is None else d.copy() for d in first]
    for array in (y, *state_T, *(d for d in first if d is not None)):
        array[...] = np.nan  # the caller owns them; writing to them does not change the cache
    for a, b in zip(back(True), expected, strict=True):
        assert a is b is None or np.array_equal(a, b)
    dx, *others = back(False)
    assert dx is None
    tolerance = 1e-5 if kind.dtype == "float32" else 1e-13  # with dx, dh is a part of a larger product
    for a, b in zip(others, expected[1:], strict=True):
        assert a is b is None or np.allclose(a, b, rtol=tolerance, atol=tolerance)


def test_masks_that_are_the_same_for_each_column_are_one_mask() -> None:
    """Columns of different widths."""
    pytest.importorskip("numba")
    kinds = [Kind(Net1997, values={"blocks": 2}, x_masks=count, h_masks=count) for count in ("each", "one")]
    each, one = (case_of(kind, (5, 3, 3, 4), "ragged") for kind in kinds)
    masks = {name: getattr(each.weights, name)[:1] for name in ("x_masks", "h_masks")}
    repeated = {name: np.repeat(m, len(getattr(each.weights, name)), 0) for name, m in masks.items()}
    one.weights, each.weights = each.weights._replace(**masks), each.weights._replace(**repeated)
    one.x, one.state, one.dy, one.dstate, one.mask = each.x, each.state, each.dy, each.dstate, each.mask
    found, expected = (case.by_loop(registry.resolve("numba")) for case in (each, one))
    for a, b in zip(found, expected, strict=True):
        assert a is b is None or np.allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_half_precision_is_refused(backend: str) -> None:
    why = case_of(Kind(LSTM, dtype="float16"), (1, 1, 1, 2)).loop(registry.resolve(backend))
    assert isinstance(why, str)
    assert "float16" in why
