"""Messages of wrong calls, word for word: where, what was expected, what was given, and a hint."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from answered import Wrong, assert_answered
from layer_errors import (
    A_CELL,
    BATCH_SIZE,
    EXPLICIT_LOOP,
    INPUTS,
    KERAS_CELL,
    MASK_OF_BOOLS,
    OLD_BATCH,
    ONE_STEP,
    SEQUENCE,
    TIME_STEP,
    WRAP_THE_CELL,
)
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError, UnknownNameError
from minigrad.keras import layers as L
from minigrad.layers.options import OptionError, OptionTypeError
from option_errors import FLAG, FRACTION_TO_DROP, POSITIVE_INTEGER

FEATURES, UNITS = 4, 3
X = np.zeros((2, 6, FEATURES), "float32")


def stateful(**kwargs: Any) -> Any:
    layer = L.LSTM(UNITS, stateful=True, name="carrier", **kwargs)
    layer(X)
    return layer


def built(**kwargs: Any) -> Any:
    layer = L.LSTM(UNITS, name="lstm", **kwargs)
    layer(X)
    return layer


BAD: dict[str, Wrong] = {
    "rank": (
        lambda: L.LSTM(UNITS, name="lstm")(X[0]),
        ShapeError,
        (
            f"lstm.call: {SEQUENCE}, got (6, 4). It takes a batch of "
            "sequences: x[None] makes one of a single sequence, Embedding one of integers."
        ),
    ),
    "rank, built": (
        lambda: built()(X[0]),
        ShapeError,
        (
            f"lstm.call: {INPUTS}time, 4), got (6, 4). It takes a batch of "
            "sequences: x[None] makes one of a single sequence, Embedding one of integers."
        ),
    ),
    "features": (
        lambda: built()(X[..., :3]),
        ShapeError,
        f"lstm.call: {INPUTS}time, 4), got (2, 6, 3).",
    ),
    "time major": (
        lambda: built(time_major=True)(X[..., :3]),
        ShapeError,
        "lstm.call: expected `inputs` of shape (time, batch, 4), got (2, 6, 3).",
    ),
    "no steps": (
        lambda: L.LSTM(UNITS, name="lstm")(X[:, :0]),
        ShapeError,
        f"lstm.call: expected `inputs` of {TIME_STEP}(2, 0, 4).",
    ),
    "four axes": (
        lambda: L.RNN(L.LSTMCell(UNITS, name="cell"))(X[None]),
        ShapeError,
        f"cell.build: {ONE_STEP}, got (1, 6, 4). {WRAP_THE_CELL}",
    ),
    "batch of a stateful layer": (
        lambda: stateful()(X[:1]),
        ShapeError,
        (
            f"carrier: this stateful layer {OLD_BATCH}2, got a batch of 1. Drop the last, smaller "
            "batch, or make a layer for the other size; reset_states() keeps the size."
        ),
    ),
    "mask's shape": (
        lambda: built()(X, mask=np.ones((6, 2), bool)),
        ShapeError,
        "lstm.call: expected `mask` of shape (batch, time) = (2, 6), got (6, 2).",
    ),
    "mask's shape, time major": (
        lambda: L.LSTM(UNITS, time_major=True, name="lstm")(X, mask=np.ones((6, 2), bool)),
        ShapeError,
        "lstm.call: expected `mask` of shape (time, batch) = (2, 6), got (6, 2).",
    ),
    "mask's dtype": (
        lambda: built()(X, mask=np.ones((2, 6), "float32")),
        DTypeError,
        f"lstm.call: {MASK_OF_BOOLS}",
    ),
    "number of states": (
        lambda: built()(X, initial_state=[np.zeros((2, 3))]),
        ShapeError,
        "lstm.call: expected `initial_state`, 2 states h, c (batch, units): (2, 3), (2, 3), got 1: (2, 3).",
    ),
    "shape of a state": (
        lambda: built()(X, initial_state=[np.zeros((2, 3)), np.zeros((2, 4))]),
        ShapeError,
        "lstm.call: expected `initial_state`, 2 states h, c (batch, units): (2, 3), (2, 3), got 2: (2, 3), (2, 4).",
    ),
    "tbptt on the tape": (
        lambda: L.LSTM(UNITS, unroll=True, tbptt=(1, 2), name="lstm")(X),
        MinigradError,
        f"lstm: tbptt=(1, 2) {EXPLICIT_LOOP}unroll=True.",
    ),
    "tbptt": (
        lambda: L.LSTM(UNITS, tbptt=(3, 2)),
        OptionError,
        ("LSTM: `tbptt`: expected (k1, k2), 1 ≤ k1 ≤ k2: after every k1 steps, k2 steps back; got (3, 2)."),
    ),
    "no cell": (
        lambda: L.RNN(3),
        OptionError,
        f"RNN: `cell`: {KERAS_CELL}3.",
    ),
    "constants that the cell does not take": (
        lambda: L.RNN(L.LSTMCell(UNITS))(X, constants=[np.zeros(2)]),
        OptionTypeError,
        "LSTMCell.call takes no `constants`, but its layer got some.",
    ),
    "units": (lambda: L.LSTM(-1), OptionError, f"LSTM: `units`: {POSITIVE_INTEGER}, got -1."),
    "float units": (lambda: L.GRU(2.0), OptionError, f"GRU: `units`: {POSITIVE_INTEGER}, got 2.0."),
    "dropout": (
        lambda: L.LSTM(2, dropout=1.5),
        OptionError,
        f"LSTM: `dropout`: {FRACTION_TO_DROP}, got 1.5.",
    ),
    "a flag": (
        lambda: L.LSTM(2, return_sequences="no"),
        OptionError,
        f"LSTM: `return_sequences`: {FLAG}, got 'no'.",
    ),
    "an argument": (
        lambda: L.LSTM(2, return_sequence=True),
        TypeError,
        "LSTM: unexpected argument `return_sequence`. Did you mean `return_sequences`?",
    ),
    "no units": (L.LSTM, TypeError, "LSTM: the argument `units` is missing."),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    assert_answered(BAD[name])


class Doubled:
    """A callable that changes the shape."""

    def __call__(self, x: Any) -> Any:
        return mg.concat([x, x], -1)


SLIPS: list[tuple[Any, type[Exception], str]] = [
    # a class, a layer, an array in the place of something else
    (lambda: L.RNN(L.LSTMCell), OptionError, "got the class LSTMCell. Create an object: LSTMCell(…)."),
    (lambda: L.RNN([L.LSTMCell]), OptionError, "got the class LSTMCell. Create an object: LSTMCell(…)."),
    (lambda: L.StackedRNNCells([L.GRUCell]), OptionError, f"StackedRNNCells: `cells`: {A_CELL}"),
    (lambda: L.Bidirectional(L.LSTM), OptionError, "expected a layer, got the class LSTM. Create an object"),
    (
        lambda: L.RNN(L.LSTM(4, name="a")),
        OptionError,
        "got <LSTM 'a', not built>. It is a layer; pass its cell, LSTMC",
    ),
    (lambda: L.RNN(L.Dense(4, name="d")), OptionError, "`call` and `state_size`, got <Dense 'd', not built>."),
    (lambda: L.LSTM(X), OptionError, f"LSTM: `units`: {POSITIVE_INTEGER}, got ndarray of shape (2, 6, 4)."),
    (lambda: L.LSTM(mg.tensor(X)), OptionError, f"{POSITIVE_INTEGER}, got Tensor of shape (2, 6, 4)."),
    (
        lambda: L.LSTM(4, kernel_initializer=np.ones((3, 16))),
        UnknownNameError,
        "LSTM: `kernel_initializer`: expected a name, got ndarray of shape (3, 16).",
    ),
    (lambda: L.LSTM(4, kernel_initializer=np.ones((3, 16))), UnknownNameError, "take initializers.Constant(array), or"),
    (lambda: L.LSTM(4, activation=3), UnknownNameError, "LSTM: `activation`: expected a name, got 3. Known are: elu"),
    (lambda: L.LSTM(4, kernel_regularizer=0.01), UnknownNameError, "expected a name, got 0.01. Known are: l1"),
    (lambda: L.LSTM(4, kernel_regularizer=0.01), UnknownNameError, "Or a regularizer object."),
    (lambda: L.LSTM(4, bias_initializer=7), UnknownNameError, "Or an initializer object."),
    # the inputs
    (lambda: built()(None), ShapeError, f"lstm.call: {INPUTS}time, 4), got nothing."),
    (lambda: built()([]), ShapeError, f"lstm.call: {INPUTS}time, 4), got nothing."),
    (lambda: built()("hello"), DTypeError, "lstm.call: `inputs`: expected numbers, got str data"),
    (lambda: built()(X, mask="yes"), DTypeError, "lstm.call: `mask`: expected numbers, got str data"),
    (lambda: built()(X, mask=[[True], [True, False]]), ShapeError, "lstm.call: `mask`: the data are not one regular"),
    (lambda: built()(X, training="no"), OptionError, f"lstm.call: `training`: {FLAG}, got 'no'."),
    (lambda: built()(X, training=2), OptionError, f"lstm.call: `training`: {FLAG}, got 2."),
    (lambda: L.LSTMCell(4, name="cell")(X[0], None), DTypeError, "cell.call: `states`: expected numbers, got NoneType"),
    (
        lambda: built().set_weights([*built().get_weights()[:2], "bias"]),
        DTypeError,
        "lstm.set_weights: `weights`: lstm/lstm_cell/bias:0: expected numbers, got str data",
    ),
    # a state to start from
    *(
        (
            lambda batch=batch: L.LSTMCell(4).get_initial_state(batch_size=batch, dtype="float32"),
            ShapeError,
            f"LSTMCell.get_initial_state: {BATCH_SIZE}{batch!r}.",
        )
        for batch in (-2, 2.5, "a")
    ),
    (lambda: L.LSTMCell(4).get_initial_state("ab"), DTypeError, "get_initial_state: `inputs`: expected numbers, got"),
    # the arguments of a call
    (lambda: built()(X, masks=None), OptionTypeError, "lstm.call: unexpected argument `masks`. Did you mean `mask`?"),
    (lambda: built()(X, 1, 2, 3, 4, 5), OptionTypeError, "lstm.call: too many positional arguments."),
    (lambda: L.LSTMCell(4, name="cell")(X[0]), OptionTypeError, "cell.call: missing a required argument: 'states'."),
    (lambda: L.Dense(4, name="d")(X, mask=None), OptionTypeError, "d.call: unexpected argument `mask`."),
    # before the weights are made
    (
        lambda: L.LSTM(4, name="a").set_weights([]) or L.LSTM(4, name="a").set_weights([X]),
        ShapeError,
        "It has none yet",
    ),
    (lambda: L.LSTM(4, name="a").count_params(), ShapeError, "a.count_params: it has no weights yet: call it on data"),
    # a callable that changes the shape
    (
        lambda: L.LSTM(4, activation=lambda v: v.sum())(X),
        ShapeError,
        "'<lambda>': expected a tensor of shape (2, 4), g",
    ),
    (
        lambda: L.Dense(4, activation=Doubled())(X),
        ShapeError,
        "'Doubled': expected a tensor of shape (2, 6, 4), got Te",
    ),
    (lambda: L.Dense(4, activation=lambda v: None)(X), ShapeError, "expected a tensor of shape (2, 6, 4), got None."),
]


@pytest.mark.parametrize("slip", range(len(SLIPS)))
def test_slips(slip: int) -> None:
    act, error, says = SLIPS[slip]
    with pytest.raises(error) as caught:
        act()
    assert says in str(caught.value)


def test_a_call_that_takes_anything() -> None:
    class Free(L.Layer):
        def call(self, inputs: Any, *args: Any, training: Any, **kwargs: Any) -> Any:
            return [args, kwargs, training]

    assert Free()(X, 1, 2, other=3) == [(1, 2), {"other": 3}, None]
    assert Free()(X, other=3, training=True) == [(), {"other": 3}, True]


@pytest.mark.parametrize("training", [None, True, False, 0, 1, np.bool_(True), np.False_])
def test_what_training_may_be(training: Any) -> None:
    layer = L.Dropout(0.5)
    y = layer(np.ones((50, 4), "float32"), training=training)
    assert bool((y.numpy() == 1.0).all()) is not bool(training)


def test_repr() -> None:
    layer = L.LSTM(UNITS, name="lstm")
    assert repr(layer) == "<LSTM 'lstm', not built>"
    layer(X)
    assert repr(layer) == "<LSTM 'lstm', built>"
    assert repr(L.Dense.__new__(L.Dense)) == "<Dense None, not built>"  # in a custom constructor
