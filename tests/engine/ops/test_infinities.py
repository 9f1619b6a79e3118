"""Infinite scores. The right numbers were printed by TensorFlow 2.15.1, and PyTorch 2.13 agrees but where it says so.

The gradient of `logsumexp` at infinity is ours: both give NaN there.
"""

from __future__ import annotations

import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F

INF, NAN = np.inf, np.nan
# x → ln Σ eˣ, its gradient, softmax, log softmax, cross-entropy with class 0 and class 1, the same with one-hot targets
SCORES: list[tuple[list[float], Any, Any, Any, Any, Any, Any]] = [
    ([INF, 0.0], INF, [1.0, 0.0], [NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN]),  # TensorFlow: softmax [NaN, 0]
    ([INF, 1000.0], INF, [1.0, 0.0], [NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN]),
    ([INF, INF], INF, [0.5, 0.5], [NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN]),
    ([INF, -INF], INF, [1.0, 0.0], [NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN]),
    ([-INF, -INF], -INF, [0.0, 0.0], [NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN]),
    ([-INF, 0.0], 0.0, [0.0, 1.0], [0.0, 1.0], [-INF, 0.0], [INF, 0.0], [INF, NAN]),
    ([-INF, -1000.0], -1000.0, [0.0, 1.0], [0.0, 1.0], [-INF, 0.0], [INF, 0.0], [INF, NAN]),
    ([0.0, 1000.0], 1000.0, [0.0, 1.0], [0.0, 1.0], [-1000.0, 0.0], [1000.0, 0.0], [1000.0, 0.0]),
    ([NAN, 0.0], NAN, [NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN]),  # TensorFlow: softmax [NaN, 0]
]
IDS = [str(case[0]) for case in SCORES]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize(("x", "y", "dx"), [case[:3] for case in SCORES], ids=IDS)
def test_logsumexp(backend: ModuleType, x: list[float], y: float, dx: list[float], dtype: str) -> None:
    """No warning for any neighbours, along any axis; the second gradient is finite where dx is."""
    if dtype == "float16" and backend.name == "strict":
        pytest.skip("the array API standard has no float16")
    rows = mg.tensor([x, [0.0, 0.0], x], dtype, requires_grad=True)
    columns = mg.tensor(np.array([x, [0.0, 0.0]]).T, dtype, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got, down = F.logsumexp(rows), F.logsumexp(columns, 0, keepdims=True)
        whole = F.logsumexp(mg.tensor([x, x], dtype), None)
        (drows,) = mg.grad(got, rows, [2.0, 1.0, 3.0], create_graph=True)
        (dcolumns,) = mg.grad(down, columns, [[2.0, 1.0]])
        (ddrows,) = mg.grad((drows * drows).sum(), rows)
    two = np.log(2.0)
    np.testing.assert_allclose(got.numpy(), np.array([y, two, y]).astype(dtype), rtol=1e-3)
    np.testing.assert_allclose(down.numpy(), np.array([[y, two]]).astype(dtype), rtol=1e-3)
    np.testing.assert_allclose(whole.numpy(), np.array(y + two).astype(dtype), rtol=1e-3)
    expected = np.array([2 * np.array(dx), [0.5, 0.5], 3 * np.array(dx)])
    np.testing.assert_allclose(drows.numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(dcolumns.numpy(), expected[:2].T, atol=1e-6)
    assert np.array_equal(np.isfinite(ddrows.numpy()), np.isfinite(expected))


@pytest.mark.filterwarnings("ignore:.*encountered in subtract:RuntimeWarning")  # NumPy warns where NaN arises
@pytest.mark.parametrize(("x", "p", "log_p", "sparse", "one_hot"), [(c[0], *c[3:]) for c in SCORES], ids=IDS)
def test_softmax_and_its_cross_entropies(
    backend: ModuleType, x: list[float], p: Any, log_p: Any, sparse: Any, one_hot: Any
) -> None:
    t = mg.tensor([x])
    np.testing.assert_allclose(F.softmax(t).numpy(), [p])
    np.testing.assert_allclose(F.log_softmax(t).numpy(), [log_p])
    np.testing.assert_allclose([F.softmax_cross_entropy(t, [k]).item() for k in (0, 1)], sparse)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*encountered in .*multiply")  # 0 · ∞
        found = [
            mg.keras.losses.categorical_crossentropy([row], t, from_logits=True).item()
            for row in ([1.0, 0.0], [0.0, 1.0])
        ]
    np.testing.assert_allclose(found, one_hot)


def test_the_gradient_of_a_forbidden_class(backend: ModuleType) -> None:
    """−∞ as the score of a class that cannot be: no probability, and no gradient."""
    x = mg.tensor([[-INF, 0.5, 0.5]], requires_grad=True)
    for loss, expected in (
        (F.softmax_cross_entropy(x, [1]), [[0.0, -0.5, 0.5]]),
        (-F.log_softmax(x)[0, 1], [[0.0, -0.5, 0.5]]),
        (F.softmax(x)[0, 1], [[0.0, 0.25, -0.25]]),
        (F.logsumexp(x)[0], [[0.0, 0.5, 0.5]]),
    ):
        np.testing.assert_allclose(mg.grad(loss, x)[0].numpy(), expected, atol=1e-7)


@pytest.mark.filterwarnings("ignore:.*encountered in .*(subtract|multiply):RuntimeWarning")
@pytest.mark.parametrize(
    ("x", "losses"), [(INF, [NAN, NAN, NAN]), (-INF, [NAN, INF, INF])]
)  # PyTorch: [∞, NaN, ∞] and NaN
def test_binary_cross_entropy(x: float, losses: list[float]) -> None:
    found = [F.binary_cross_entropy(mg.tensor(x), mg.tensor(z)).item() for z in (0.0, 1.0, 0.5)]
    np.testing.assert_allclose(found, losses)
