"""float16: reductions add up in float32 and round once. The right numbers are NumPy's of the same values in float64."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from minigrad.keras import constraints, losses, metrics, optimizers, regularizers

N = 70_000  # more than float16 can count
L = losses
Function = Callable[[Any], Any]


@pytest.fixture(params=["numpy", "numba"], autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[None]:
    pytest.importorskip(request.param)
    with mg.using(request.param):
        yield


def values(*shape: int, scale: float = 1.0) -> Any:
    return (np.random.default_rng(0).uniform(0.5, 1.5, shape) * scale).astype("float16")


def softmaxed(x: Any, axis: int = -1) -> Any:
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def bce(x: Any, z: Any) -> Any:
    return np.maximum(x, 0) - x * z + np.log1p(np.exp(-np.abs(x)))


ONES, ROWS, LARGE = np.ones(N, "float16"), values(N, 2), values(40, 50, scale=250.0)
SMALL, WIDE = values(N, scale=0.001), values(3, N)
TARGET, HALVES = np.zeros_like(LARGE), ROWS * np.float16(0.5)
LABELS = np.arange(N) % 2

# name → (minigrad's, NumPy's in float64, the values)
REDUCTIONS: dict[str, tuple[Function, Function, Any]] = {
    "sum": (mg.sum, np.sum, SMALL),
    "sum of ones": (mg.sum, np.sum, ONES[:60_000]),
    "sum of the first axis": (lambda x: mg.sum(x, 0), lambda x: x.sum(0), ROWS * np.float16(0.01)),
    "mean of ones": (mg.mean, np.mean, ONES),
    "mean": (mg.mean, np.mean, LARGE),
    "mean of the first axis": (lambda x: mg.mean(x, 0), lambda x: x.mean(0), ROWS),
    "Tensor.mean": (lambda x: x.mean((0, 1), keepdims=True), lambda x: x.mean((0, 1), keepdims=True), LARGE),
    "var": (mg.var, np.var, LARGE),
    "var, far from 0": (lambda x: mg.var(x, 0), lambda x: x.var(0), ROWS + np.float16(8)),
    "prod": (mg.prod, np.prod, np.array([1000, 1000, 1e-3, 1e-3, 2], "float16")),
    "cumsum": (mg.cumsum, np.cumsum, SMALL),
    "cumsum of ones": (lambda x: mg.cumsum(x, 0), lambda x: x.cumsum(0), np.ones((5000, 2), "float16")),
    "logsumexp": (mg.functional.logsumexp, lambda x: np.log(np.exp(x).sum(-1)), WIDE),
    "logsumexp, large": (lambda x: F.logsumexp(x, 0), lambda x: x.max(0) + np.log(np.exp(x - x.max(0)).sum(0)), LARGE),
    "softmax": (F.softmax, softmaxed, WIDE),
    "softmax of equals": (F.softmax, softmaxed, ONES),
    "log_softmax": (F.log_softmax, lambda x: np.log(softmaxed(x)), WIDE),
    "matmul": (lambda x: x @ mg.tensor(ONES), lambda x: x @ np.ones(N), WIDE * np.float16(0.01)),
    "matmul of ones": (lambda x: x @ x, lambda x: x @ x, ONES[:60_000]),
    "einsum": (lambda x: mg.einsum("ij,ij->i", x, x), lambda x: (x * x).sum(-1), values(2, 4000)),
    "mean_squared_error": (
        lambda x: F.mean_squared_error(x, TARGET),
        lambda x: (x * x).mean(),
        LARGE * np.float16(0.9),
    ),
    "mean_squared_error of many": (lambda x: F.mean_squared_error(x, ONES * 3), lambda x: ((x - 3) ** 2).mean(), ONES),
    "softmax_cross_entropy": (
        lambda x: F.softmax_cross_entropy(x, LABELS),
        lambda x: -np.log(softmaxed(x))[np.arange(N), LABELS].mean(),
        ROWS,
    ),
    "softmax_cross_entropy, masked": (
        lambda x: F.softmax_cross_entropy(x, LABELS, mask=LABELS),
        lambda x: -np.log(softmaxed(x))[1::2, 1].mean(),
        ROWS,
    ),
    "binary_cross_entropy": (
        lambda x: F.binary_cross_entropy(x, LABELS.astype("float16")),
        lambda x: bce(x, LABELS).mean(),
        ONES,
    ),
    "reduced": (lambda x: F.reduced(x, ONES), np.mean, ONES),
}


def check(got: Any, expected: Any, rtol: float = 1e-3) -> None:
    """The right number, as near as float16 comes to it."""
    host = np.asarray(got.detach())
    assert host.dtype == np.float16
    np.testing.assert_allclose(host.astype("float64"), expected, rtol=rtol, atol=2e-7)


@pytest.mark.parametrize(("ours", "numpys", "x"), REDUCTIONS.values(), ids=REDUCTIONS)
def test_a_reduction_of_float16(ours: Function, numpys: Function, x: Any) -> None:
    check(ours(mg.tensor(x)), numpys(x.astype("float64")))


@pytest.mark.parametrize(("ours", "numpys", "x"), REDUCTIONS.values(), ids=REDUCTIONS)
def test_the_gradient_of_a_reduction_of_float16(ours: Function, numpys: Function, x: Any) -> None:
    """That of float64, rounded; none of it lost to a count that float16 does not hold."""
    grads = []
    for dtype in ("float16", "float64"):
        t = mg.tensor(x, dtype, requires_grad=True)
        y = ours(t)
        (dx,) = mg.grad(y, t, np.full(y.shape, 0.25, y.numpy().dtype))
        assert dx.dtype == dtype
        grads.append(dx.numpy().astype("float64"))
    np.testing.assert_allclose(grads[0], grads[1], rtol=5e-3, atol=2e-7 + 2e-3 * float(np.abs(grads[1]).max()))


LOSSES: dict[str, tuple[Any, Any, Any, Any]] = {  # minigrad's, NumPy's, targets, predictions
    "mse": (L.MeanSquaredError(), lambda y, p: ((p - y) ** 2).mean(), TARGET, LARGE * np.float16(0.9)),
    "mse of many": (L.MeanSquaredError(), lambda y, p: ((p - y) ** 2).mean(), ROWS, ROWS + np.float16(2)),
    "mse, one large": (L.mean_squared_error, lambda y, p: ((p - y) ** 2).mean(-1), [[0.0, 0.0]], [[300.0, 0.0]]),
    "mae": (L.MeanAbsoluteError(), lambda y, p: np.abs(p - y).mean(), TARGET, LARGE),
    "huber": (L.Huber(), lambda y, p: (np.abs(p - y) - 0.5).mean(), TARGET, LARGE * np.float16(10)),
    "binary": (
        L.BinaryCrossentropy(from_logits=True), lambda y, p: bce(p, y).mean(), (ROWS > 1).astype("float16"), ROWS,
    ),
    "binary, certain": (
        L.BinaryCrossentropy(), lambda y, p: -np.log(2**-23 + 1e-7) / 2, [[0.0, 1.0]], [[1.0, 1.0]],
    ),
    "categorical": (
        L.CategoricalCrossentropy(from_logits=True), lambda y, p: -np.log(softmaxed(p))[:, 1].mean(),
        np.tile([0.0, 1.0], (N, 1)), ROWS,
    ),
    "sparse": (
        L.SparseCategoricalCrossentropy(from_logits=True),
        lambda y, p: -np.log(softmaxed(p))[np.arange(N), y].mean(), LABELS, ROWS,
    ),
    "sparse, ignoring": (
        L.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
        lambda y, p: -np.log(softmaxed(p))[1::2, 1].mean(), LABELS, ROWS,
    ),
    "kld": (L.KLDivergence(), lambda y, p: (y * np.log(y / p)).sum(-1).mean(), HALVES, HALVES * np.float16(0.8)),
    "poisson": (L.Poisson(), lambda y, p: (p - y * np.log(p)).mean(), ROWS, ROWS * np.float16(2)),
    "hinge": (L.Hinge(), lambda y, p: np.maximum(1 + p, 0).mean(), -np.ones_like(LARGE), LARGE * np.float16(100)),
    "sum": (L.MeanAbsoluteError(reduction="sum"), lambda y, p: np.abs(p - y).mean(-1).sum(), ROWS, ROWS + HALVES),
}  # fmt: skip


@pytest.mark.parametrize(("ours", "numpys", "y", "p"), LOSSES.values(), ids=LOSSES)
def test_a_loss_of_float16(ours: Any, numpys: Any, y: Any, p: Any) -> None:
    y, p = np.asarray(y), np.asarray(p, "float16")
    wide = y if y.dtype.kind == "i" else y.astype("float64")
    t = mg.tensor(p, requires_grad=True)
    loss = ours(y, t)
    check(loss, numpys(wide, p.astype("float64")), rtol=2e-3)
    (dp,) = mg.grad(loss.sum(), t)
    assert np.isfinite(dp.numpy()).all()
    assert np.any(dp.numpy() != 0) or ours.__class__ is L.BinaryCrossentropy
    again = ours(y_true=y, y_pred=p)
    assert again.dtype == "float16"


def test_the_mean_metrics_of_float16() -> None:
    mean = metrics.Mean()
    for _ in range(3):
        mean.update_state(mg.tensor(ONES))
    check(mean.result(), 1.0)
    mean.reset_state()
    mean.update_state(mg.tensor(np.float16(0.5)), sample_weight=float(N))
    mean.update_state(mg.tensor(ONES), sample_weight=mg.tensor(ONES))
    check(mean.result(), 0.75)
    for metric, expected in (
        (metrics.MeanSquaredError(), 9.0),
        (metrics.RootMeanSquaredError(), 3.0),
        (metrics.MeanAbsoluteError(), 3.0),
        (metrics.MeanMetricWrapper(losses.mean_squared_error), 9.0),
    ):
        metric.update_state(np.full((N, 1), 4, "float16"), mg.tensor(ONES[:, None]))
        check(metric.result(), expected)
    for metric in (metrics.BinaryAccuracy(), metrics.CategoricalAccuracy()):
        metric.update_state(ONES[:, None], mg.tensor(ONES[:, None]))
        check(metric.result(), 1.0)
    root = metrics.RootMeanSquaredError()
    root.update_state([[0.0]], mg.tensor(np.array([[3000.0]], "float16")))
    check(root.result(), 3000.0)


def test_sums_of_gradients_of_float16() -> None:
    """Gradients of numbers that were copied, and of rows that were read often."""
    scale = mg.tensor(np.float16(1.0), requires_grad=True)
    (d,) = mg.grad((mg.tensor(ONES[:60_000]) * scale).sum(), scale)
    check(d, 60_000)
    b = mg.tensor(np.zeros(2, "float16"), requires_grad=True)
    (db,) = mg.grad((mg.tensor(np.zeros((5000, 2), "float16")) + b).sum(), b)
    check(db, [5000, 5000])
    for shape in ((3,), (3, 2)):
        table = mg.tensor(np.ones(shape, "float16"), requires_grad=True)
        for read in (lambda t: mg.take(t, np.zeros(5000, "int64")), lambda t: t[np.zeros(5000, "int64")]):
            (dt,) = mg.grad(read(table).sum(), table)
            check(dt[0], np.full(shape[1:], 5000))
    x = mg.tensor(ONES, requires_grad=True)
    check(mg.grad(x.max(), x)[0], np.full(N, 1 / N), rtol=0.02)


def test_norms_and_penalties_of_float16() -> None:
    w = mg.tensor(np.full((200, 2), 300.0, "float16"))  # squares, and sums of them, beyond float16
    length = 300 * np.sqrt(200)
    check(constraints.MaxNorm(2.0)(w), np.full((200, 2), 300 * 2 / length))
    check(constraints.UnitNorm()(w), np.full((200, 2), 300 / length))
    check(regularizers.L2(1e-3)(w), 1e-3 * 400 * 300.0**2)
    check(regularizers.L1(1e-1)(w), 1e-1 * 400 * 300)
    check(regularizers.L1L2(1e-1, 1e-5)(w), 1e-1 * 400 * 300 + 1e-5 * 400 * 300.0**2)
    for how in ("clipnorm", "global_clipnorm"):
        weight = mg.tensor(np.zeros((200, 2), "float16"), requires_grad=True)
        optimizers.SGD(1.0, **{how: 20.0}).apply_gradients([(w, weight)])
        check(weight, np.full((200, 2), -20 * 300 / (length * np.sqrt(2))), rtol=2e-3)
    dense = mg.keras.layers.Dense(1, use_bias=False, dtype="float16", activity_regularizer=regularizers.L2(1.0))
    dense(ONES[:, None])
    expected = float(dense.weights[0].numpy()[0, 0]) ** 2
    check(dense.losses[0], expected, rtol=3e-3)


def test_a_model_of_float16_fits() -> None:
    model = mg.keras.Sequential([mg.keras.layers.Dense(1, dtype="float16")])
    model.compile("sgd", "mse", metrics=["mae"])
    x = values(N, 2)
    history = model.fit(x, 2 * x[:, :1], batch_size=N, epochs=2, verbose=0).history
    assert np.isfinite([*history["loss"], *history["mae"]]).all()
    assert history["loss"][1] < history["loss"][0]


def test_what_float16_cannot_hold_is_infinite() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        assert mg.sum(mg.tensor(ONES)).item() == np.inf
