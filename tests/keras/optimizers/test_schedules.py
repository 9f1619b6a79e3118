"""Schedules against TensorFlow's learning rates."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import UnknownNameError
from minigrad.keras.optimizers import schedules
from minigrad.layers.options import OptionError
from option_errors import NUMBER_FROM_0, POSITIVE
from oracle.reader import build, load


@pytest.mark.parametrize("case", load("keras_schedules"), ids=lambda case: case.name)
def test_it_agrees_with_tensorflow(case):
    schedule = build(case.spec, mg)
    np.testing.assert_allclose([schedule(step) for step in case["x"]], case["output/0"], rtol=0, atol=1e-12)
    assert schedule.get_config() == case.config
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again(7) == schedule(7)


def test_a_tensor_can_be_the_step():
    assert schedules.ExponentialDecay(1.0, 2, 0.25)(mg.tensor(1)) == 0.5


def test_restarts_of_equal_length():
    rate = schedules.CosineDecayRestarts(1.0, 4, t_mul=1.0, m_mul=0.5)
    assert rate(5) == pytest.approx(0.5 * rate(1))


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), f"`decay_steps`: {POSITIVE}, got 0"),
        (
            lambda: schedules.ExponentialDecay("fast", 1, 0.5),
            f"_rate`: {NUMBER_FROM_0}, got 'fast'",
        ),
        (lambda: schedules.CosineDecayRestarts(0.1, 4, t_mul=0.5), "`t_mul`: expected a number of 1 or more, got 0.5"),
        (
            lambda: schedules.PiecewiseConstantDecay([3, 1], [1, 2, 3]),
            "expected a list of numbers in rising order",
        ),
        (lambda: schedules.PiecewiseConstantDecay([1, "a"], [1, 2, 3]), "`boundaries`: expected a number, got 'a'"),
        (lambda: schedules.PiecewiseConstantDecay([1], 2), "`values`: expected a list of numbers, got 2"),
        (lambda: schedules.PiecewiseConstantDecay([1], [1]), "expected 2 `values`, one more than boundaries, got 1"),
    ],
)
def test_bad_input_is_named(act, says):
    with pytest.raises(OptionError) as caught:
        act()
    assert says in str(caught.value)


def test_an_unknown_schedule():
    with pytest.raises(UnknownNameError, match="Did you mean 'CosineDecay'"):
        schedules.deserialize({"class_name": "CosinDecay", "config": {}})
