"""Questions: answers as NumPy's, and no gradient through any of them."""

from __future__ import annotations

import operator
from types import ModuleType

import numpy as np
import pytest

import minigrad as mg

A = np.array([[1.0, -2.0, 3.0], [0.0, 5.0, -1.0]])
B = np.array([1.0, 0.0, 3.0])

COMPARISONS = ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]
OPERATORS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize(("name", "sign"), list(zip(COMPARISONS, OPERATORS, strict=True)))
def test_comparisons(name: str, sign: object, backend: ModuleType) -> None:
    a, b = mg.tensor(A, requires_grad=True), mg.tensor(B, requires_grad=True)
    expected = getattr(np, name)(A, B)
    for answer in (getattr(mg, name)(a, b), sign(a, b), sign(a, B), sign(A, b)):
        assert isinstance(answer, mg.Tensor)
        assert answer.backend is backend
        assert not answer.requires_grad
        np.testing.assert_array_equal(answer.numpy(), expected)
    np.testing.assert_array_equal(sign(a, 0.0).numpy(), sign(A, 0.0))
    np.testing.assert_array_equal(sign(0.0, a).numpy(), sign(0.0, A))


def test_bools(backend: ModuleType) -> None:
    p, q = A > 0, B > 0
    np.testing.assert_array_equal((mg.tensor(p) & q).numpy(), p & q)
    np.testing.assert_array_equal((p | mg.tensor(q)).numpy(), p | q)
    np.testing.assert_array_equal((~mg.tensor(p)).numpy(), ~p)


@pytest.mark.parametrize("words", [{}, {"axis": 1}, {"axis": (0, 1), "keepdims": True}])
@pytest.mark.parametrize("name", ["all", "any"])
def test_all_and_any(name: str, words: dict[str, object], backend: ModuleType) -> None:
    np.testing.assert_array_equal(getattr(mg, name)(A > 0, **words).numpy(), getattr(np, name)(A > 0, **words))


def test_isfinite(backend: ModuleType) -> None:
    assert mg.isfinite(np.array([1.0, np.inf, np.nan])).tolist() == [True, False, False]


@pytest.mark.parametrize("axis", [None, 0, -1])
def test_argmax(axis: int | None, backend: ModuleType) -> None:
    y = mg.argmax(mg.tensor(A, requires_grad=True), axis)
    np.testing.assert_array_equal(y.numpy(), np.argmax(A, axis))
    assert not y.requires_grad


def test_nothing_is_equal_to_none() -> None:
    assert (mg.tensor([1.0, 2.0]) == None).tolist() == [False, False]  # noqa: E711
