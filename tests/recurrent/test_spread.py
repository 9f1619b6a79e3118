"""Gates that units share: what is spread, and its gradient, which is the other function of the pair."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy as xp
from minigrad.recurrent.spread import first, into_first, spread, summed, words
from minigrad.testing import check_gradient

V = np.array([[1.0, 2.0], [3.0, 4.0]])
UNITS = np.arange(12.0).reshape(2, 6)


def test_by_hand() -> None:
    np.testing.assert_array_equal(spread(xp, V, 3), [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]])
    np.testing.assert_array_equal(summed(xp, UNITS, 3), [[3, 12], [21, 30]])
    np.testing.assert_array_equal(first(xp, UNITS, 3), [[0, 3], [6, 9]])
    np.testing.assert_array_equal(into_first(xp, V, 3), [[1, 0, 0, 2, 0, 0], [3, 0, 0, 4, 0, 0]])


@pytest.mark.parametrize(("there", "back", "size"), [(spread, summed, 2), (first, into_first, 6)])
def test_one_is_the_gradient_of_the_other(there, back, size: int) -> None:
    """⟨f(v), d⟩ = ⟨v, f*(d)⟩, for sequences too."""
    rng = np.random.default_rng(0)
    for shape in ((size,), (4, size), (5, 4, size)):
        v = rng.standard_normal(shape)
        y = there(xp, v, 3)
        d = rng.standard_normal(y.shape)
        assert (y * d).sum() == pytest.approx((v * back(xp, d, 3)).sum())


@pytest.mark.parametrize("function", [spread, summed, first, into_first])
def test_on_tensors(function, backend: ModuleType) -> None:
    check_gradient(lambda v: function(mg.functional, v, 2), np.random.default_rng(1).standard_normal((3, 4)))


def test_words_know_the_widths() -> None:
    known = words(xp, {"units": 6, "blocks": 2, "pairs": 3})
    np.testing.assert_array_equal(known["_spread"](V, "blocks"), spread(xp, V, 3))
    np.testing.assert_array_equal(known["_first"](UNITS, "pairs"), first(xp, UNITS, 2))
    np.testing.assert_array_equal(known["_zeros"](V, "pairs"), np.zeros((*V.shape[:-1], 3)))
    assert set(known) == {"_spread", "_summed", "_first", "_into_first", "_zeros"}


def test_a_block_of_one_unit() -> None:
    np.testing.assert_array_equal(spread(xp, V, 1), V)
    np.testing.assert_array_equal(into_first(xp, V, 1), V)
