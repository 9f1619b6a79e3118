"""Arguments of a layer's constructor, and the messages for wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import INPUT_SHAPE
from minigrad.engine.errors import MinigradError, ShapeError, UnknownNameError
from minigrad.keras import layers as L
from minigrad.layers.options import OptionError
from option_errors import FLAG, FRACTION_TO_DROP, POSITIVE_INTEGER, TWICE

X = np.ones((3, 4), "float32")

BAD: list[tuple[Any, type[Exception], str]] = [
    (L.Dense, TypeError, "Dense: the argument `units` is missing."),
    (lambda: L.Dense(2, unit=3), TypeError, "Dense: unexpected argument `unit`. Did you mean `units`?"),
    (lambda: L.Dense(2, units=3), TypeError, f"Dense: got `units` {TWICE}."),
    (lambda: L.Activation("relu", 1), TypeError, "Activation: takes 1 positional arguments, got 2."),
    (lambda: L.Dense(True), OptionError, f"Dense: `units`: {POSITIVE_INTEGER}, got True."),
    (lambda: L.Dropout(-0.1), OptionError, f"Dropout: `rate`: {FRACTION_TO_DROP}, got"),
    (lambda: L.Masking("0"), OptionError, "Masking: `mask_value`: expected a number, got '0'."),
    (lambda: L.Dense(2, name=5), OptionError, "Dense: `name`: expected a string, got 5."),
    (lambda: L.Dense(2, trainable=np.ones(2)), OptionError, f"{FLAG}, got ndarray of shape (2,)."),
    (lambda: L.Dense(2, input_shape=3), ShapeError, f"Dense: `input_shape`: {INPUT_SHAPE}"),
    (lambda: L.Dense(2, batch_input_shape="ab"), ShapeError, "such as (None, 8), or a list of such shapes, got 'ab'."),
    (lambda: L.TimeDistributed(3), OptionError, "TimeDistributed: `layer`: expected a layer, got 3."),
]  # fmt: skip


@pytest.mark.parametrize(("act", "error", "message"), BAD)
def test_bad_arguments(act: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        act()
    assert message in str(caught.value)


def test_a_constructor_that_forgets_its_base_class() -> None:
    class Forgetful(L.Layer):
        def __init__(self, units: int) -> None:
            self.inner = L.Dense(units)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    class ForgetfulModel(mg.keras.Model):
        def __init__(self) -> None:
            self.inner = L.Dense(2)

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    for make in (lambda: Forgetful(2)(X), lambda: Forgetful(2).weights, lambda: ForgetfulModel()(X)):
        with pytest.raises(
            AttributeError, match=r"has no `\w+` yet. Call super\(\).__init__\(\) first in Forgetful"
        ) as e:
            make()
        assert isinstance(e.value, MinigradError)


@pytest.mark.parametrize("dtype", ["int32", "flaot32", bool, 5, "complex64", np.int64])
def test_layers_compute_with_real_numbers(dtype: Any) -> None:
    for make in (L.Dense, L.LSTM):
        with pytest.raises(
            UnknownNameError, match=f"{make.__name__}: `dtype`: (unknown|expected a) name.*float16, float32, float64"
        ):
            make(2, dtype=dtype)
    if dtype == "flaot32":
        with pytest.raises(UnknownNameError, match=r"Did you mean 'float32'\?"):
            L.Dense(2, dtype=dtype)


def test_inputs_may_be_integers_all_the_same() -> None:
    assert L.Input((3,), dtype="int32").dtype == "int32"
    assert L.Dense(2, dtype=np.float64).dtype == L.Dense(2, dtype=np.dtype("float64")).dtype == "float64"


def test_arguments_may_be_numpys() -> None:
    assert L.Dense(np.int64(2)).units == 2
    assert L.Dropout(np.float32(0.5)).rate == 0.5
    assert L.LSTM(2, return_sequences=np.True_).return_sequences is True
