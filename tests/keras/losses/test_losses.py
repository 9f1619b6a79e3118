"""Losses against TensorFlow's numbers, and their errors for wrong arguments."""

from __future__ import annotations

import pytest

from engine_errors import LABELS
from layer_errors import ONE_SHAPE
from option_errors import NUMBER_FROM, NUMBER_FROM_0

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.engine.errors import IndexRangeError, ShapeError, UnknownNameError
from minigrad.keras import losses
from minigrad.layers.options import OptionError, OptionTypeError
from minigrad.testing import check_gradient
from oracle.reader import build, load

CASES = load("keras_losses")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_agrees_with_tensorflow(case, backend):
    loss = build(case.spec, mg)
    y_pred = mg.tensor(case["y_pred"], requires_grad=True)
    if case.get("mask") is not None:
        y_pred._keras_mask = mg.tensor(case["mask"])
    value = loss(case["y_true"], y_pred, sample_weight=case.get("sample_weight"))
    value.backward(mg.tensor(case["cotangent/0"]))
    np.testing.assert_allclose(value.numpy(), case["output/0"], rtol=0, atol=1e-10)
    np.testing.assert_allclose(y_pred.grad.numpy(), case["grad/y_pred"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_configuration_is_tensorflows(case):
    loss = build(case.spec, mg)
    config = {name: value for name, value in case.config.items() if name != "fn"}  # there, the wrapped function's name
    assert loss.get_config() == config
    assert type(loss).from_config(config).get_config() == config
    assert losses.deserialize(losses.serialize(loss)).get_config() == config


FORMULAS = {
    losses.KLDivergence: lambda y, p: (y * np.log(y / p)).sum(-1),
    losses.Poisson: lambda y, p: (p - y * np.log(p + 1e-7)).mean(-1),
    losses.Hinge: lambda y, p: np.maximum(1 - y * p, 0).mean(-1),
}


@pytest.mark.parametrize("cls", FORMULAS, ids=lambda cls: cls.__name__)
def test_the_others_are_their_formulas(cls):
    rng = np.random.default_rng(0)
    y, p = rng.uniform(0.1, 0.9, (2, 5, 3))
    expected = FORMULAS[cls](y, p)
    np.testing.assert_allclose(cls(reduction="none")(y, p).numpy(), expected, rtol=1e-12)
    check_gradient(lambda x: cls()(y, x), mg.tensor(p, requires_grad=True))


def test_hinge_reads_0_and_1_as_minus_1_and_1():
    assert losses.hinge([[0.0, 1.0]], [[0.5, 0.5]]).item() == pytest.approx((1.5 + 0.5) / 2)


@given(st.integers(1, 4), st.integers(1, 4), st.integers(2, 5), st.data())
@settings(max_examples=40, deadline=None)
def test_sparse_and_dense_cross_entropy_agree(batch, time, classes, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**20)))
    x, labels = rng.normal(size=(batch, time, classes)), rng.integers(0, classes, (batch, time))
    sparse = losses.SparseCategoricalCrossentropy(from_logits=True)(labels, x).item()
    dense = losses.CategoricalCrossentropy(from_logits=True)(np.eye(classes)[labels], x).item()
    softmax = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    assert sparse == pytest.approx(dense, rel=1e-12)
    assert losses.SparseCategoricalCrossentropy()(labels, softmax).item() == pytest.approx(sparse, rel=1e-5)


@given(st.sampled_from(["auto", "sum", "mean_valid", "mean_all"]), st.integers(0, 2**20))
@settings(max_examples=40, deadline=None)
def test_padding_changes_nothing_but_the_count_of_mean_all(reduction, seed):
    rng = np.random.default_rng(seed)
    y, p = rng.normal(size=(2, 3, 4, 2))
    padded = [np.concatenate([a, rng.normal(size=(3, 5, 2))], axis=1) for a in (y, p)]
    mask = np.arange(9) < 4
    loss = losses.MeanSquaredError(reduction=reduction)
    factor = 4 / 9 if reduction == "mean_all" else 1.0
    assert loss(*padded, mask=np.tile(mask, (3, 1))).item() == pytest.approx(factor * loss(y, p).item(), rel=1e-9)


def test_a_class_along_another_axis():
    x, labels = np.random.default_rng(0).normal(size=(2, 3, 4)), np.array([[0, 1, 2, 0], [2, 2, 1, 0]])
    one = losses.sparse_categorical_crossentropy(labels, x, from_logits=True, axis=1).numpy()
    other = losses.sparse_categorical_crossentropy(labels, x.transpose(0, 2, 1), from_logits=True).numpy()
    np.testing.assert_array_equal(one, other)


def test_a_loss_of_ones_own():
    class Cubic(losses.Loss):
        def call(self, y_true, y_pred):
            return ((y_pred - y_true) ** 3).mean(-1)

    assert Cubic()([[0.0]], [[2.0]]).item() == 8.0
    assert Cubic(reduction="sum").name == "cubic"


def test_by_name_there_are_functions_and_by_the_class_name_objects():
    assert losses.get("mse") is losses.mean_squared_error
    assert losses.get("sparse_categorical_crossentropy") is losses.sparse_categorical_crossentropy
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert isinstance(losses.get(losses.Huber), losses.Huber)
    assert losses.get(None) is None
    assert losses.get(max) is max


def test_reductions_have_keras_names():
    assert losses.MeanSquaredError(reduction=losses.Reduction.SUM).reduction == "sum"
    assert losses.Reduction.SUM_OVER_BATCH_SIZE == "sum_over_batch_size"


def test_positions_are_keras():
    assert losses.BinaryCrossentropy(True, 0.1).label_smoothing == 0.1
    assert losses.MeanSquaredError("sum").reduction == "sum"
    assert losses.Huber(0.5).delta == 0.5


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda: losses.get("mea_squared_error"), UnknownNameError, "Did you mean 'mean_squared_error'?"),
        (lambda: losses.get(7), UnknownNameError, "Or pass a function of (y_true, y_pred)."),
        (lambda: losses.Huber(reduction="mean"), OptionError, "expected one of 'auto', 'none', 'sum'"),
        (lambda: losses.Huber(detla=1.0), OptionTypeError, "Did you mean `delta`?"),
        (
            lambda: losses.mean_squared_error(np.zeros(4), np.zeros((4, 1))),
            ShapeError,
            f"expected `y_true` and `y_pred` {ONE_SHAPE} (4,) and (4, 1)",
        ),
        (
            lambda: losses.categorical_crossentropy(np.zeros(4), np.zeros((4, 3))),
            ShapeError,
            "for integer labels use sparse_categorical_crossentropy",
        ),
        (
            lambda: losses.SparseCategoricalCrossentropy()([0, 3], np.full((2, 3), 0.3)),
            IndexRangeError,
            f"{LABELS}2, got 0 to 3",
        ),
        (
            lambda: losses.MeanSquaredError()(np.zeros((4, 2)), np.zeros((4, 2)), sample_weight=np.ones(3)),
            ShapeError,
            "expected `sample_weight` of shape (4,), one for each loss, or of its first axes, got (3,)",
        ),
        (
            lambda: losses.MeanSquaredError()(np.zeros((4, 2)), np.zeros((4, 2)), mask=np.ones((4, 5))),
            ShapeError,
            "expected `mask` of shape (4,)",
        ),
        (
            lambda: losses.BinaryCrossentropy(label_smoothing=2.0),
            OptionError,
            f"`label_smoothing`: {NUMBER_FROM}",
        ),
        (lambda: losses.BinaryCrossentropy(axis="a"), OptionError, "`axis`: expected a whole number, got 'a'"),
        (lambda: losses.Huber(-1.0), OptionError, f"`delta`: {NUMBER_FROM_0}, got -1.0"),
        (lambda: losses.Loss()([[1.0]], [[1.0]]), NotImplementedError, "must define call(y_true, y_pred)"),
    ],
)
def test_bad_input_is_named(act, error, says):
    with pytest.raises(error) as caught:
        act()
    assert says in str(caught.value)
