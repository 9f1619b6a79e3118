"""The fused operations of the Numba backend give the numbers of the formulas, for all shapes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("numba")

import minigrad as mg
import minigrad_numba
import minigrad_numpy
from minigrad.engine.ops.loss import SoftmaxCrossEntropy
from minigrad.keras.optimizers import Adam

DTYPES = [("float64", 1e-12), ("float32", 2e-6)]


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@given(
    shape=st.lists(st.integers(0, 4), max_size=2).map(tuple),
    classes=st.integers(1, 40),
    size=st.sampled_from([0.0, 1.0, 100.0]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_softmax_cross_entropy(
    shape: tuple[int, ...], classes: int, size: float, seed: int, dtype: str, tolerance: float
) -> None:
    rng = np.random.default_rng(seed)
    x, dy = (size * rng.standard_normal((*shape, classes))).astype(dtype), rng.standard_normal(shape).astype(dtype)
    labels = np.asarray(rng.integers(-1, classes + 1, shape))  # some are not a class
    results = []
    for xp in (minigrad_numba, minigrad_numpy):
        y, cache = SoftmaxCrossEntropy.forward(xp, x, labels=labels)
        results.append((y, SoftmaxCrossEntropy.backward(xp, np.asarray(dy), y, x, labels=labels, cache=cache)))
    for found, expected in zip(*results, strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(1.0, size))


def test_softmax_cross_entropy_of_transposed_and_read_only_arrays() -> None:
    x, labels = np.random.default_rng(0).standard_normal((3, 4, 5)).swapaxes(0, 1), np.arange(12).reshape(3, 4).T % 5
    x.flags.writeable = labels.flags.writeable = False
    (y, cache), (expected, _) = (
        SoftmaxCrossEntropy.forward(xp, x, labels=labels) for xp in (minigrad_numba, minigrad_numpy)
    )
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    dx = [SoftmaxCrossEntropy.backward(minigrad_numba, y, y, x, labels=labels, cache=cache) for _ in range(2)]
    np.testing.assert_array_equal(*dx)


def test_second_derivatives_run_by_the_formulas() -> None:
    with mg.using("numba"):
        x = mg.tensor([[0.3, -1.2, 0.5]], dtype="float64", requires_grad=True)
        mg.testing.check_gradient(
            lambda x: mg.grad(mg.functional.softmax_cross_entropy(x, [2]), [x], create_graph=True)[0], x
        )


@pytest.mark.parametrize(("dtype", "tolerance"), DTYPES)
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam(amsgrad: bool, dtype: str, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    gradients = [rng.standard_normal(50).astype(dtype) for _ in range(3)]
    results = []
    for xp in (minigrad_numba, minigrad_numpy):
        adam = Adam(0.01, amsgrad=amsgrad)
        slots = {name: np.zeros(50, dtype) for name in adam.slots()}
        steps = [adam.update(xp, g, slots, 0.01, t) for t, g in enumerate(copy.deepcopy(gradients), 1)]
        results.append([*steps, *slots.values()])
    for found, expected in zip(*results, strict=True):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_adam_updates_slots_in_any_memory_layout() -> None:
    """A state that was read from a file can be in column-major order."""
    rng = np.random.default_rng(0)
    g, results = rng.standard_normal((3, 4)), []
    for order in ("C", "F"):
        slots = {name: np.ones((3, 4), order=order) for name in ("m", "v")}
        results.append([Adam(0.01).update(minigrad_numba, g, slots, 0.01, 1), *slots.values()])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("arrays", [("float16",), ("float32", "float64"), ("int64",)], ids=str)
def test_refusals(arrays: tuple[Any, ...]) -> None:
    for operation in minigrad_numba.fused.values():
        assert operation.unsupported(np.zeros(3, "float32")) == ""
        assert "one real dtype" in operation.unsupported(*(np.zeros(3, dtype) for dtype in arrays))
