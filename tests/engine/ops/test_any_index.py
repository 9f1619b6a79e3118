"""Every index that NumPy takes means what it means there, forwards and backwards; every other is refused.

The right numbers are NumPy's: x[index] for the value, np.add.at for the gradient, and for both also the plain sum over
the places that ``np.arange(x.size).reshape(x.shape)[index]`` names.
"""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from drawn_indices import Index
from engine_errors import INTEGERS, LABELS
from minigrad import functional as F
from minigrad.engine.errors import MinigradError

TRIES = {"numpy": 3000, "numba": 300, "strict": 600, "cupy": 100}


def places(index: Index) -> Any:
    """The flat places that NumPy reads, or None where it refuses."""
    numbered = np.arange(int(np.prod(index.shape))).reshape(index.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.array(numbered[index.numpys])
        except (IndexError, ValueError, TypeError, DeprecationWarning):
            return None


def added(shape: tuple[int, ...], at: Any, values: Any) -> Any:
    """Zeros with the values added at flat places."""
    size = int(np.prod(shape))
    return np.bincount(at.ravel(), np.broadcast_to(values, at.shape).ravel(), minlength=size)[:size].reshape(shape)


def check_reading(index: Index, at: Any, rng: np.random.Generator) -> None:
    """The value of x[index], its gradient and its second gradient, of L = Σ w y³ and of M = Σ v ∂L/∂x."""
    values, v, w = rng.normal(size=index.shape), rng.normal(size=index.shape), rng.normal(size=at.shape)
    x = mg.tensor(values, requires_grad=True)
    y = x[index.ours]
    expected = values[index.numpys]
    np.testing.assert_array_equal(y.numpy(), expected, strict=False)
    assert y.shape == at.shape
    (dx,) = mg.grad((y * y * y * w).sum(), x, create_graph=True)
    first = 3 * w * expected**2
    np.testing.assert_allclose(dx.numpy(), added(index.shape, at, first), rtol=1e-9, atol=1e-12)
    by_numpy = np.zeros(index.shape)
    np.add.at(by_numpy, index.numpys, first)
    np.testing.assert_allclose(dx.numpy(), by_numpy, rtol=1e-9, atol=1e-12)
    (ddx,) = mg.grad((dx * v).sum(), x)
    second = added(index.shape, at, 6 * w * expected * v[index.numpys])
    np.testing.assert_allclose(ddx.numpy(), second, rtol=1e-9, atol=1e-12)


def check_adding(index: Index, at: Any, rng: np.random.Generator) -> None:
    """scatter_add's value, and the gradients of L = Σ s³ with respect to what is added, and of that to x."""
    values, u = rng.normal(size=index.shape), rng.normal(size=at.shape)
    new = rng.normal(size=at.shape[int(rng.integers(0, at.ndim + 1)) :])
    x, v = mg.tensor(values, requires_grad=True), mg.tensor(new, requires_grad=True)
    s = F.scatter_add(x, index.ours, v)
    expected = values + added(index.shape, at, new)
    np.testing.assert_allclose(s.numpy(), expected, rtol=1e-9, atol=1e-12)
    dx, dv = mg.grad((s * s * s).sum(), [x, v], create_graph=True)
    np.testing.assert_allclose(dx.numpy(), 3 * expected**2, rtol=1e-9, atol=1e-12)
    first = 3 * (expected**2).reshape(-1)[at] if at.size else np.zeros(at.shape)
    copied = tuple(range(at.ndim - new.ndim))
    np.testing.assert_allclose(dv.numpy(), first.sum(copied), rtol=1e-9, atol=1e-12)
    (ddx,) = mg.grad((mg.broadcast_to(dv, at.shape) * u).sum(), x)
    outer = np.broadcast_to(u.sum(copied), at.shape)
    second = added(index.shape, at, 6 * (expected.reshape(-1)[at] if at.size else first) * outer)
    np.testing.assert_allclose(ddx.numpy(), second, rtol=1e-9, atol=1e-12)


def check_writing(index: Index, at: Any, rng: np.random.Generator) -> None:
    """x[index] = … writes what NumPy writes, also where a place is named twice."""
    values, new = rng.normal(size=index.shape), rng.normal(size=at.shape[int(rng.integers(0, at.ndim + 1)) :])
    x = mg.tensor(values)
    x[index.ours] = new
    values[index.numpys] = new
    np.testing.assert_array_equal(x.numpy(), values)


def refuses(index: Index) -> None:
    x = mg.tensor(np.zeros(index.shape))
    for what in (
        lambda: x[index.ours],
        lambda: F.scatter_add(x, index.ours, 1.0),
        lambda: x.__setitem__(index.ours, 1.0),
    ):
        with pytest.raises(MinigradError):
            what()


def test_any_index_that_numpy_takes(backend: ModuleType) -> None:
    """The figures of the fuzzer: tried, right, refused; that nothing is wrong is what the checks say."""
    found = {"right": 0, "refused": 0, "places named twice": 0}
    for seed in range(TRIES[backend.name]):
        rng = np.random.default_rng(seed)
        index = Index(rng)
        at = places(index)
        try:
            if at is None:
                refuses(index)
            else:
                check_reading(index, at, rng)
                check_adding(index, at, rng)
                check_writing(index, at, rng)
        except BaseException as error:
            error.add_note(f"seed {seed}: {index}")
            raise
        found["refused" if at is None else "right"] += 1
        found["places named twice"] += at is not None and len(np.unique(at)) < at.size
    print(f"{backend.name}: {TRIES[backend.name]} indices, {found}, wrong: 0")
    assert min(found.values()) > TRIES[backend.name] // 15, found


OUT_OF_RANGE = {
    "scatter_add": lambda x, n: F.scatter_add(x, n, 1.0),
    "scatter_add of one": lambda x, n: F.scatter_add(x, int(n.flat[0]), 1.0),
    "scatter_add at a pair": lambda x, n: F.scatter_add(x, (n, 0), 1.0),
    "scatter_add at columns": lambda x, n: F.scatter_add(mg.transpose(x), (slice(None), n), 1.0),
    "scatter_add at a tuple": lambda x, n: F.scatter_add(x, (tuple(n.ravel().tolist()), slice(None)), 1.0),
    "scatter_add, one axis": lambda x, n: F.scatter_add(x[:, 0], n, 1.0),
    "reading": lambda x, n: x[n],
    "reading a list": lambda x, n: x[n.tolist()],
    "reading columns": lambda x, n: mg.transpose(x)[:, n],
    "reading at a Tensor": lambda x, n: x[mg.tensor(n)],
    "take": mg.take,
    "take along an axis": lambda x, n: mg.take(mg.transpose(x), n, 1),
    "writing": lambda x, n: x.__setitem__(n, 0.0),
    "writing columns": lambda x, n: mg.transpose(x).__setitem__((slice(None), n), 0.0),
}


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8", "uint64"])
@pytest.mark.parametrize("read", OUT_OF_RANGE.values(), ids=OUT_OF_RANGE)
def test_a_place_that_is_not_there_is_an_error(backend: ModuleType, read: Any, dtype: str) -> None:
    x = mg.tensor(np.ones((4, 2)))
    for n in [-5, -128] if dtype.startswith("i") else [4, 200]:
        with pytest.raises(MinigradError):
            read(x, np.array([n, n], dtype))
    with pytest.raises(MinigradError):
        read(x, np.array([[np.iinfo(dtype).max, 0]], dtype))


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8"])
def test_a_label_that_is_no_class(backend: ModuleType, dtype: str) -> None:
    """An error, or on a device, where looking costs a transfer, a loss that says so."""
    label = np.array([-1 if dtype.startswith("i") else 200], dtype)
    for loss in (
        F.softmax_cross_entropy,
        lambda x, y: mg.keras.losses.sparse_categorical_crossentropy(y, F.softmax(x)),
    ):
        if getattr(backend, "on_host", False):
            with pytest.raises(MinigradError, match=f"{LABELS}2"):
                loss(mg.tensor([[0.5, 1.0, 2.0]]), label)
        else:
            assert np.isnan(loss(mg.tensor([[0.5, 1.0, 2.0]]), label).numpy()).all()


@pytest.mark.parametrize("dtype", ["int64", "int8", "uint8", "uint64", "float32"])
def test_a_word_that_the_table_does_not_have(backend: ModuleType, dtype: str) -> None:
    """An error, or on a device a vector that says so; the others, and their gradients, are what they are."""
    layer = mg.keras.layers.Embedding(4, 2)
    words = np.array([[1, -1 if dtype in ("int64", "int8", "float32") else 4, 1]]).astype(dtype)
    if getattr(backend, "on_host", False):
        with pytest.raises(MinigradError, match=f"{INTEGERS}3"):
            layer(words)
        return
    y = layer(words)
    assert np.isnan(y.numpy()).tolist() == [[[False] * 2, [True] * 2, [False] * 2]]
    (dtable,) = mg.grad(F.where(F.isfinite(y), y, 0.0).sum(), layer.embeddings)
    assert dtable.tolist() == [[0.0, 0.0], [2.0, 2.0], [0.0, 0.0], [0.0, 0.0]]
