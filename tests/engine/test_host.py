"""Tensors at the border to Python and NumPy."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from engine_errors import LOSES_GRADIENT
from minigrad.engine.errors import GradientError, MinigradError
from minigrad.engine.ops.op import Op
from minigrad.engine.tensor import apply

VALUES = np.array([[1.0, 2.0], [3.0, 4.0]], "float32")


def test_numbers_leave_as_copies(backend: ModuleType) -> None:
    x = mg.tensor(VALUES, requires_grad=True)
    for host in (x.numpy(), np.asarray(x), np.array(x)):
        assert type(host) is np.ndarray
        np.testing.assert_array_equal(host, VALUES)
        host[:] = 0.0
    np.testing.assert_array_equal(x.numpy(), VALUES)
    assert np.asarray(x, dtype="float64").dtype == np.float64
    assert x.tolist() == VALUES.tolist()


def test_no_view_can_be_had() -> None:
    with pytest.raises(ValueError, match="returns its numbers as a copy only"):
        np.asarray(mg.tensor(VALUES), copy=False)


def test_numbers_come_in_as_copies() -> None:
    host = VALUES.copy()
    x, y = mg.tensor(host), mg.tensor(VALUES, requires_grad=True)
    z = y * host
    host[:] = 0.0
    np.testing.assert_array_equal(x.numpy(), VALUES)
    np.testing.assert_array_equal(mg.grad(z.sum(), y)[0].numpy(), VALUES)


def test_arrays_on_either_side(backend: ModuleType) -> None:
    x = mg.tensor(VALUES, requires_grad=True)
    for y, expected in (
        (VALUES + x, 2 * VALUES), (x + VALUES, 2 * VALUES), (VALUES - x, 0 * VALUES), (VALUES * x, VALUES**2),
        (VALUES / x, VALUES / VALUES), (VALUES @ x, VALUES @ VALUES), (VALUES**x, VALUES**VALUES),
    ):  # fmt: skip
        assert isinstance(y, mg.Tensor)
        assert y.requires_grad
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)
    assert isinstance(VALUES < x, mg.Tensor)  # noqa: SIM300


def test_scalars_on_either_side(backend: ModuleType) -> None:
    """Python's leave float32 as it is; NumPy's count as the arrays of their dtype that they are."""
    x = mg.tensor(VALUES)
    for two in (2, 2.0):
        for y in (two * x, x * two, x + two, two - x, two / x, x**two, two**x):
            assert isinstance(y, mg.Tensor)
            assert y.numpy().dtype == np.float32
    for two, dtype in ((np.float32(2), np.float32), (np.float64(2), np.float64)):
        for y in (two * x, x * two):
            assert isinstance(y, mg.Tensor)
            assert y.numpy().dtype == dtype
    assert isinstance(np.float64(2) < x, mg.Tensor)


def test_numpys_functions_get_the_numbers() -> None:
    x = mg.tensor(VALUES)
    np.testing.assert_array_equal(np.concatenate([x, VALUES]), np.concatenate([VALUES, VALUES]))
    assert np.mean(x) == 2.5
    assert np.allclose(x, VALUES)
    np.testing.assert_allclose(x, VALUES)


NUMPY_ONLY = {
    "concatenate": lambda x: np.concatenate([x, x]),
    "stack": lambda x: np.stack((VALUES, x)),
    "sum": np.sum,
    "mean": np.mean,
    "where": lambda x: np.where(VALUES > 1, x, 0),
    "keyword": lambda x: np.clip(VALUES, a_min=x, a_max=None),
}


@pytest.mark.parametrize("call", NUMPY_ONLY.values(), ids=NUMPY_ONLY)
def test_numpys_functions_do_not_lose_a_gradient(call: object) -> None:
    with pytest.raises(GradientError, match=rf"np.\w+: {LOSES_GRADIENT}.*x.detach\(\)"):
        call(mg.tensor(VALUES, requires_grad=True))


def test_python_numbers() -> None:
    one, three = mg.tensor(1.5), mg.tensor([[3]])
    assert (float(one), int(three), one.item(), three.item()) == (1.5, 3, 1.5, 3)
    assert [10, 20, 30, 40][mg.tensor(3)] == 40
    assert bool(mg.tensor([True]))
    assert f"{one:.2f}" == "1.50"
    assert f"{mg.tensor([1.0])}" == "Tensor([1.], dtype=float32)"
    with pytest.raises(TypeError):
        [1, 2][mg.tensor(1.0)]


REPRS = [
    (lambda: mg.tensor(1.5), "Tensor(1.5, dtype=float32)"),
    (lambda: mg.tensor([1, 2]), "Tensor([1, 2])"),
    (lambda: mg.tensor([1.0], "float64"), "Tensor([1.])"),
    (lambda: mg.tensor([True]), "Tensor([ True])"),
    (lambda: mg.tensor([1.0], requires_grad=True), "Tensor([1.], dtype=float32, requires_grad=True)"),
    (lambda: mg.tensor(VALUES), "Tensor([[1., 2.],\n        [3., 4.]], dtype=float32)"),
    (lambda: mg.zeros((0, 2)), "Tensor([], shape=(0, 2), dtype=float32)"),
]


@pytest.mark.parametrize(("make", "text"), REPRS, ids=[text for _, text in REPRS])
def test_repr(make: object, text: str) -> None:
    assert repr(make()) == text


def test_repr_names_another_backend(backend: ModuleType) -> None:
    where = "" if backend.name == "numpy" else f", backend={backend.name}"
    assert repr(mg.tensor([1.0])) == f"Tensor([1.], dtype=float32{where})"


def test_tensors_are_keys_by_identity() -> None:
    x, y = mg.tensor([1.0, 2.0]), mg.tensor([1.0, 2.0])
    assert {x: 1, y: 2}[x] == 1
    assert len({x, y}) == 2
    assert copy.copy(x).tolist() == x.tolist()


# --- copies -------------------------------------------------------------------------------------------------------


COPIES = {"copy": copy.copy, "deepcopy": copy.deepcopy, "pickle": lambda x: pickle.loads(pickle.dumps(x))}


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_a_leaf_can_be_copied(duplicate: Callable[[Any], Any]) -> None:
    x = mg.tensor(VALUES, requires_grad=True)
    (x * x).sum().backward()
    y = duplicate(x)
    assert y.requires_grad
    assert (type(y), y.dtype, y.backend) == (mg.Tensor, x.dtype, x.backend)
    np.testing.assert_array_equal(y.numpy(), VALUES)
    np.testing.assert_array_equal(y.grad.numpy(), 2 * VALUES)
    with mg.no_grad():
        y[0, 0] = 7.0
    assert x.numpy()[0, 0] == VALUES[0, 0]


@pytest.mark.parametrize("duplicate", COPIES.values(), ids=COPIES)
def test_what_was_computed_cannot_be_copied(duplicate: Callable[[Any], Any]) -> None:
    with pytest.raises(GradientError, match=r"computed from others, so a copy has no gradient. Copy x.detach\(\)"):
        duplicate(mg.tensor(VALUES, requires_grad=True) * 2)


def test_deep_copies_on_every_backend(backend: ModuleType) -> None:
    x = mg.tensor(VALUES)
    same, other = copy.deepcopy([x, x])
    assert same is other is not x
    assert same.backend is backend
    np.testing.assert_array_equal(same.numpy(), VALUES)


def test_an_operation_whose_rule_is_a_callable_without_a_name() -> None:
    class Negated(Op):
        forward = partial(lambda scale, xp, x: scale * x, -1.0)

    assert apply(Negated, np.ones(2)).numpy().tolist() == [-1.0, -1.0]
    with pytest.raises(MinigradError, match="Negated"):
        apply(Negated, "text")
