"""Errors of the first generation for wrong inputs, lengths and dtypes."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from answered import Wrong, assert_answered
from layer_errors import INPUTS, ONE_STEP, ONE_TIME_STEP, SEQUENCE, THE_DTYPE, TIME_STEP
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.compat.v1.nn.rnn import StepsError
from minigrad.engine.errors import DTypeError, ShapeError, UnknownNameError
from wrong_calls import FIRST, X, dynamic, lstm


def used(x: Any) -> Any:
    cell = lstm()
    dynamic(cell)
    return dynamic(cell, x=x)


INTEGERS = (
    "LSTMCell: expected `inputs` of a floating dtype, got int64. inputs.astype('float32') makes numbers of integers, "
    "an embedding makes vectors of words."
)

OTHER_DTYPE = (
    f"dynamic_rnn: {THE_DTYPE} the cell, float64, got dtype='float32'. Make the cell with dtype='float32', or "
    "without a dtype."
)

BAD: dict[str, Wrong] = {
    "lengths that are not integers": (
        lambda: dynamic(lstm(), [1.5, 2.5]),
        DTypeError,
        "dynamic_rnn: expected `sequence_length` of integers, got float32. Pass the number of steps of each row.",
    ),
    "a mask for lengths": (
        lambda: dynamic(lstm(), [True, False]),
        DTypeError,
        "dynamic_rnn: expected `sequence_length` of integers, got bool. Pass the number of steps of each row.",
    ),
    "a length beyond the inputs": (
        lambda: dynamic(lstm(), [4, 5]),
        ShapeError,
        "dynamic_rnn: expected `sequence_length` from 0 to 4, the length of the inputs, got 5 in row 1.",
    ),
    "a negative length": (
        lambda: v1.nn.bidirectional_dynamic_rnn(lstm(), lstm(), X, [-1, 2], dtype="float32"),
        ShapeError,
        "bidirectional_dynamic_rnn: expected `sequence_length` from 0 to 4, the length of the inputs, got -1 in row 0.",
    ),
    "one length for all": (
        lambda: dynamic(lstm(), 3),
        ShapeError,
        "dynamic_rnn: expected `sequence_length` of shape (batch,) = (2,), got ().",
    ),
    "too few lengths": (
        lambda: v1.nn.static_rnn(lstm(), list(X), dtype="float32", sequence_length=[3]),
        ShapeError,
        "static_rnn: expected `sequence_length` of shape (batch,) = (4,), got (1,).",
    ),
    "one step": (
        lambda: dynamic(lstm(), x=X[0]),
        ShapeError,
        f"dynamic_rnn: {SEQUENCE}, got (4, 3). The cell alone takes one step.",
    ),
    "one step, time major": (
        lambda: dynamic(lstm(), x=X[0], time_major=True),
        ShapeError,
        "dynamic_rnn: expected `inputs` of shape (time, batch, features), got (4, 3). The cell alone takes one step.",
    ),
    "four axes": (
        lambda: dynamic(lstm(), x=X[None]),
        ShapeError,
        (f"lstm_cell_1.build: {ONE_STEP}, got (1, 4, 3). {ONE_TIME_STEP} dynamic_rnn(cell, inputs) takes a sequence."),
    ),
    "features": (
        lambda: used(X[..., :2]),
        ShapeError,
        (f"lstm_cell_1.call: {INPUTS}3), got (2, 2). {ONE_TIME_STEP} dynamic_rnn(cell, inputs) takes a sequence."),
    ),
    "no dtype and no state": (
        lambda: v1.nn.dynamic_rnn(lstm(), X),
        DTypeError,
        "dynamic_rnn: expected a `dtype` where there is no `initial_state`. Pass dtype='float32'.",
    ),
    "no dtype and one state of two": (
        lambda: v1.nn.bidirectional_dynamic_rnn(lstm(), lstm(), X, initial_state_fw=FIRST),
        DTypeError,
        "bidirectional_dynamic_rnn: expected a `dtype` where there is no `initial_state`. Pass dtype='float32'.",
    ),
    "another dtype": (
        lambda: dynamic(lstm(dtype="float64")),
        DTypeError,
        OTHER_DTYPE,
    ),
    "another dtype than the wrapped cell's": (
        lambda: dynamic(rc.ResidualWrapper(rc.DropoutWrapper(lstm(dtype="float64")))),
        DTypeError,
        OTHER_DTYPE,
    ),
    "no dtype of that name": (
        lambda: dynamic(lstm(), dtype="flot32"),
        UnknownNameError,
        (
            "dtype: unknown name 'flot32'. Did you mean 'float32'? Known are: bool, float16, float32, float64, int16, "
            "int32, int64, int8, uint16, uint32, uint64, uint8."
        ),
    ),
    "integers": (lambda: dynamic(lstm(), x=X.astype("int64")), DTypeError, INTEGERS),
    "integers, one step": (lambda: lstm()(X[:, 0].astype("int64"), FIRST), DTypeError, INTEGERS),
    "a tensor for a list": (
        lambda: v1.nn.static_rnn(lstm(), mg.tensor(X), dtype="float32"),
        StepsError,
        (
            "static_rnn: expected `inputs`, a list over time of tensors (batch, features), got a Tensor of shape "
            "(2, 4, 3). mg.unstack(inputs, 1) makes the list; dynamic_rnn takes the tensor."
        ),
    ),
    "an empty list": (
        lambda: v1.nn.static_rnn(lstm(), [], dtype="float32"),
        ShapeError,
        f"static_rnn: expected `inputs`, {TIME_STEP}[]. Pass one tensor for each step.",
    ),
    "steps of two shapes": (
        lambda: v1.nn.static_rnn(lstm(), [X[:, 0], X[:1, 0]], dtype="float32"),
        ShapeError,
        "static_rnn: expected `inputs` of one shape at all steps, (2, 3), got (1, 3) at step 1.",
    ),
    "both ways over a list": (
        lambda: v1.nn.static_bidirectional_rnn(lstm(), lstm(), list(X), sequence_length=[1, 2]),
        ShapeError,
        "static_bidirectional_rnn: expected `sequence_length` of shape (batch,) = (4,), got (2,).",
    ),
    "both ways without a dtype": (
        lambda: v1.nn.static_bidirectional_rnn(lstm(), lstm(), list(X)),
        DTypeError,
        "static_bidirectional_rnn: expected a `dtype` where there is no `initial_state`. Pass dtype='float32'.",
    ),
    "lists of numbers": (
        lambda: dynamic(lstm(), x=X.tolist()),
        ShapeError,
        "dynamic_rnn: expected `inputs`, a tensor, got a list of numbers. mg.tensor(inputs) makes one.",
    ),
    "whole numbers to compute in": (
        lambda: dynamic(lstm(), dtype="int32"),
        DTypeError,
        "dynamic_rnn: expected a floating `dtype`, got int32. Pass dtype='float32'.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    assert_answered(BAD[name])
