"""Losses and metrics of a model's outputs: under masks and weights, by name."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ShapeError, UnknownNameError
from minigrad.keras import Sequential, losses, metrics
from minigrad.keras.layers import Dense
from minigrad.keras.models.compiled import Compiled
from minigrad.keras.models.outputs import output_names
from minigrad.layers.options import OptionError

RNG = np.random.default_rng(0)
Y, P = RNG.normal(size=(2, 4, 5, 3))
MASK, WEIGHTS = RNG.random((4, 5)) < 0.5, RNG.random(4) + 0.5
ERRORS = ((Y - P) ** 2).mean(-1)


def prediction(mask=True):
    p = mg.tensor(P)
    if mask:
        p._keras_mask = mg.tensor(MASK)
    return p


@pytest.mark.parametrize(
    ("reduction", "expected"),
    [
        ("auto", (ERRORS * MASK).sum() / MASK.sum()),
        ("sum", (ERRORS * MASK).sum()),
        ("mean_valid", (ERRORS * MASK).sum() / MASK.sum()),
        ("mean_all", (ERRORS * MASK).mean()),
    ],
)
def test_the_mask_of_the_output_reaches_the_loss(reduction, expected):
    compiled = Compiled(losses.MeanSquaredError(reduction), None, None, None)
    assert compiled.loss(mg.tensor(Y), prediction(), None, []).item() == pytest.approx(expected)


def test_with_weights_the_loss_is_divided_by_what_counts_not_by_the_weights():
    weighted = (ERRORS * MASK * WEIGHTS[:, None]).sum()
    for reduction, count in (("auto", MASK.sum()), ("mean_valid", (MASK * WEIGHTS[:, None]).sum())):
        compiled = Compiled(losses.MeanSquaredError(reduction), None, None, None)
        value = compiled.loss(mg.tensor(Y), prediction(), mg.tensor(WEIGHTS), []).item()
        assert value == pytest.approx(weighted / count)


def test_metrics_see_masks_and_weighted_metrics_see_weights_too():
    compiled = Compiled("mse", ["mae"], None, ["mae", metrics.MeanAbsoluteError(name="own")])
    compiled.update(mg.tensor(Y), prediction(), mg.tensor(WEIGHTS))
    values = {metric.name: float(metric.result()) for metric in compiled.metrics}
    absolute, both = np.abs(Y - P).mean(-1), MASK * WEIGHTS[:, None]
    assert values["mae"] == pytest.approx(np.average(absolute, weights=MASK))
    assert values["weighted_mae"] == values["own"] == pytest.approx(np.average(absolute, weights=both))


def test_targets_without_a_last_axis_meet_outputs_of_one():
    y, p = RNG.normal(size=(2, 6))
    compiled = Compiled("mse", ["mae"], None, None)
    value = compiled.loss(mg.tensor(y), mg.tensor(p[:, None]), None, []).item()
    assert value == pytest.approx(((y - p) ** 2).mean())


def test_penalties_are_added():
    compiled = Compiled("mse", None, 2.0, None)
    value = compiled.loss(mg.tensor(Y), prediction(False), None, [mg.tensor(0.5), mg.tensor(0.25)]).item()
    assert value == pytest.approx(2.0 * ERRORS.mean() + 0.75)
    assert float(compiled.mean_loss.result()) == pytest.approx(value)
    assert compiled.mean_loss.result().dtype == "float64"  # of the loss, not of the penalties


def test_an_output_may_have_no_loss():
    compiled = Compiled(["mse", None], [["mae"], []], None, None)
    outputs = [prediction(False), prediction(False)]
    value = compiled.loss([mg.tensor(Y), mg.tensor(Y)], outputs, None, []).item()
    compiled.update([mg.tensor(Y), mg.tensor(Y)], outputs, None)
    assert value == pytest.approx(ERRORS.mean())
    assert [m.name for m in compiled.metrics] == ["loss", "output_1_loss", "output_1_mae"]


def test_output_names():
    assert output_names(prediction()) == ["output_1"]
    assert output_names({"a": 1, "b": 2}) == ["a", "b"]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (
            {"metrics": ["accurcy"]},
            UnknownNameError,
            "compile: `metrics`: unknown name 'accurcy'. Did you mean 'accuracy'?",
        ),
        ({"weighted_metrics": {"a": ["mea"]}}, UnknownNameError, "compile: `weighted_metrics`: unknown name 'mea'"),
        ({"loss_weights": "a"}, OptionError, "compile: `loss_weights`: expected a number, got 'a'"),
    ],
)
def test_what_is_wrong_is_said_by_compile_and_not_by_fit(arguments, error, says):
    with pytest.raises(error) as caught:
        Sequential([Dense(1)]).compile("sgd", "mse", **arguments)
    assert says in str(caught.value)


def test_targets_that_do_not_fit_are_named_as_they_came():
    model = Sequential([Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ShapeError, match=r"got \(4, 1\) and \(4, 2\).* The targets were given as \(4,\)"):
        model.fit(np.zeros((4, 3)), np.zeros(4), verbose=0)
    with pytest.raises(ShapeError, match=r"got \(4, 3\) and \(4, 2\)\.$"):
        model.fit(np.zeros((4, 3)), np.zeros((4, 3)), verbose=0)
