"""Errors for wrong data and wrong arguments of `fit`, `evaluate` and `predict`."""

from __future__ import annotations

import numpy as np
import pytest

from layer_errors import ONE_FOR_EACH_OUTPUT, ONE_SHAPE
from linear_model import X, Y, linear
from minigrad.engine.errors import ShapeError, UnknownNameError
from minigrad.keras import Sequential, losses
from minigrad.keras.layers import Dense
from minigrad.keras.models import DataError, NotCompiledError
from minigrad.layers.options import OptionError, OptionTypeError
from option_errors import BELOW_1, COUNT, FLAG, POSITIVE_INTEGER


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda: Sequential([Dense(1)]).fit(X, Y), NotCompiledError, "call model.compile(optimizer, loss) first"),
        (lambda: Sequential([Dense(1)]).evaluate(X, Y), NotCompiledError, "call model.compile(optimizer, loss) first"),
        (lambda: linear(loss="mean_square_error"), UnknownNameError, "Did you mean 'mean_squared_error'"),
        (lambda: linear(optimizer="adma"), UnknownNameError, "Did you mean 'adam'"),
        (lambda: linear(metrics=["acuracy"]).fit(X, Y, verbose=0), UnknownNameError, "Did you mean 'accuracy'"),
        (
            lambda: linear(metrics=["mae", "mae"]).fit(X, Y, verbose=0),
            DataError,
            "compile: `metrics`: two are named 'mae'",
        ),
        (
            lambda: linear().fit(X, Y[:49], verbose=0),
            DataError,
            "fit: expected arrays with the same number of examples, at least one, got `x` of 50, `y` of 49.",
        ),
        (lambda: linear().fit(X[:0], Y[:0], verbose=0), DataError, "at least one, got `x` of 0"),
        (lambda: linear().fit([["a", "b"]], Y[:1], verbose=0), DataError, "fit: `x`: expected numbers"),
        (lambda: linear().fit(X, Y, batch_size=0, verbose=0), OptionError, f"`batch_size`: {POSITIVE_INTEGER}"),
        (lambda: linear().fit(X, Y, batch_size=2.5, verbose=0), OptionError, f"{POSITIVE_INTEGER}, got 2.5"),
        (lambda: linear().fit(3, Y, verbose=0), DataError, "expected arrays or an iterable of batches, got int"),
        (
            lambda: linear().fit(iter([(X, Y)]), Y, verbose=0),
            DataError,
            "`x` yields whole batches: expected no `y`, got one",
        ),
        (
            lambda: linear().fit(iter([(X, Y, Y, Y)]), verbose=0),
            DataError,
            "fit: expected (x,), (x, y) or (x, y, sample_weight), got a tuple of 4",
        ),
        (lambda: linear().fit(X, Y, validation_split=1.5), OptionError, f"{BELOW_1}, got 1.5"),
        (lambda: linear().fit(X, Y, validation_split="a"), OptionError, f"{BELOW_1}, got 'a'"),
        (lambda: linear().fit(X, Y, epochs=-1), OptionError, f"fit: `epochs`: {COUNT}"),
        (lambda: linear().fit(X, Y, epochs=1.5), OptionError, f"fit: `epochs`: {COUNT}"),
        (lambda: linear().fit(X, Y, initial_epoch=-1), OptionError, "`initial_epoch`: expected a whole number of 0"),
        (lambda: linear().fit(X, Y, verbose=7), OptionError, "fit: `verbose`: expected one of 0, 1, 2, 'auto', got 7"),
        (lambda: linear().fit(X, Y, shuffle="batch"), OptionError, f"fit: `shuffle`: {FLAG}, got 'bat"),
        (
            lambda: linear().fit(X, Y, batch_size=0),
            OptionError,
            f"`batch_size`: {POSITIVE_INTEGER}, got 0",
        ),
        (lambda: linear().fit(X, Y, batch_size=1.5), OptionError, f"`batch_size`: {POSITIVE_INTEGER}, got 1.5"),
        (lambda: linear().fit(X, Y, steps_per_epoch=-1), OptionError, f"`steps_per_epoch`: {POSITIVE_INTEGER}"),
        (lambda: linear().fit(X, Y, validation_freq=0), OptionError, f"`validation_freq`: {POSITIVE_INTEGER}"),
        (
            lambda: linear().fit(X, Y, validation_steps=0),
            OptionError,
            "`validation_steps`: expected a positive",
        ),
        (lambda: linear().fit(X, Y, validation_batch_size=0), OptionError, "`validation_batch_size`: expected a posit"),
        (
            lambda: linear().evaluate(X, Y, steps=0),
            OptionError,
            f"evaluate: `steps`: {POSITIVE_INTEGER}",
        ),
        (lambda: linear().evaluate(X, Y, steps=9), DataError, "evaluate: the data ended after 2 of 9 steps"),
        (lambda: linear().evaluate(iter([])), DataError, "evaluate: the data ended after 0 of its steps"),
        (lambda: linear().predict(X, steps=-1), OptionError, f"predict: `steps`: {POSITIVE_INTEGER}, got -1"),
        (
            lambda: linear().fit((X, Y), verbose=0),
            DataError,
            "step 1: `y` is missing, the targets of the loss given to compile",
        ),
        (
            lambda: linear().fit([X, Y], verbose=0),
            DataError,
            "`x` holds 2 arrays; if `y` is one of them, pass",
        ),
        (lambda: linear().evaluate(X, verbose=0), DataError, "evaluate, step 1: `y` is missing"),
        (lambda: linear().train_on_batch(X), DataError, "train_on_batch: `y` is missing"),
        (
            lambda: linear().fit(X, Y, validation_data=(X,), verbose=0),
            DataError,
            "fit, epoch 1, `validation_data`, step 1: `y` is missing",
        ),
        (lambda: linear().fit(X, Y, validation_data=X), DataError, "validation_data: expected (x, y) or (x, y, sample"),
        (
            lambda: linear().fit(X, Y, validation_data=3),
            DataError,
            "expected (x, y) or an iterable of batches, got int",
        ),
        (lambda: linear().fit(np.array(["a"]), Y), DataError, "fit: `x`: expected numbers"),
        (
            lambda: linear().fit(X, Y, epoch=3),
            OptionTypeError,
            "fit: unexpected argument `epoch`. Did you mean `epochs`?",
        ),
        (
            lambda: linear().predict(X, batch=3),
            OptionTypeError,
            "predict: unexpected argument `batch`. Did you mean `b",
        ),
        (lambda: linear().evaluate(X, Y, x_val=X), OptionTypeError, "evaluate: unexpected argument `x_val`."),
        (
            lambda: linear(optimiser="sgd"),
            OptionTypeError,
            "compile: unexpected argument `optimiser`. Did you mean `opt",
        ),
        (
            lambda: linear().fit({"a": X}, Y, verbose=0),
            DataError,
            "a Sequential takes one array, got 1 in a dict. Targets are a separate argument, as in fit(x, y)",
        ),
        (
            lambda: linear().fit(X[:1], Y[:1], validation_split=0.1, verbose=0),
            DataError,
            "leaves one of the parts empty",
        ),
        (
            lambda: linear().fit(iter([(X, Y)]), validation_split=0.5, verbose=0),
            DataError,
            "`validation_split`: expected arrays",
        ),
        (lambda: linear().fit(X, Y, on_nan="skip", verbose=0), OptionError, "`on_nan`: expected one of None, 'raise'"),
        (lambda: linear().fit(X, Y, callbacks=[print], verbose=0), DataError, "expected callbacks, got <built-in"),
        (
            lambda: linear().fit(X, Y, class_weight={0: 1, 2: 1}, verbose=0),
            DataError,
            "a number for each class 0, 1, …, got {0: 1, 2: 1}",
        ),
        (lambda: linear().fit(X, Y, class_weight="balanced"), DataError, "for each class 0, 1, …, got 'balanced'"),
        (lambda: linear().fit(X, Y, class_weight={0: "a"}), DataError, "a number for each class 0, 1, …, got {0: 'a'}"),
        (
            lambda: linear().fit(X, np.arange(50.0), class_weight={0: 1, 1: 2}, shuffle=False, verbose=0),
            DataError,
            "`class_weight` has the classes 0 to 1, but the targets go from 0 to 31",
        ),
        (
            lambda: linear().fit(X, np.full(50, -1.0), class_weight={0: 1, 1: 2}, verbose=0),
            DataError,
            "but the targets go from -1 to -1",
        ),
        (
            lambda: linear().fit(X, np.full(50, 0.5), class_weight={0: 1, 1: 2}, verbose=0),
            DataError,
            "Targets must be whole numbers, each with a weight",
        ),
        (
            lambda: linear().fit(X, np.zeros((50, 2, 2)), class_weight={0: 1}, verbose=0),
            ShapeError,
            "`class_weight`: expected targets (batch,), (batch, 1) or one-hot",
        ),
        (
            lambda: linear(loss=None).fit(X, Y, verbose=0),
            DataError,
            "there is nothing to minimize: give compile a `loss`",
        ),
        (lambda: linear().fit(X, verbose=0), DataError, "fit, epoch 1, step 1: `y` is missing"),
        (lambda: linear().fit(X, np.zeros((50, 3)), verbose=0), ShapeError, ONE_SHAPE),
        (lambda: linear().fit(X, [Y, Y], verbose=0), DataError, f"`y`: expected 1{ONE_FOR_EACH_OUTPUT}2"),
        (
            lambda: linear(loss=["mse", "mse"]).fit(X, Y, verbose=0),
            DataError,
            "`loss`: expected 1, one for each output",
        ),
        (lambda: linear(loss={"a": "mse"}).fit(X, Y, verbose=0), UnknownNameError, ", output_1"),
        (
            lambda: linear(loss=losses.MeanSquaredError("none")).fit(X, Y, verbose=0),
            DataError,
            "compile: mean_squared_error: expected one number, got (32,) with reduction='none'",
        ),
        (lambda: linear().predict_on_batch(None), DataError, "the same number of examples, at least one,"),
        (lambda: linear().fit([np.ones(4)] * 2, [1, 2, 3]), DataError, "`y` of 3. A list of arrays is several inputs"),
        (lambda: linear().predict(iter([])), DataError, "predict: the data ended after 0 of its steps"),
        (lambda: linear().fit(X, Y, sample_weight=np.ones((50, 7)), verbose=0), ShapeError, "expected `sample_weight`"),
    ],
)
def test_bad_input_is_named(act, error, says):
    with pytest.raises(error) as caught:
        act()
    assert says in str(caught.value)
