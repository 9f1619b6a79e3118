"""Errors for wrong cells, wrappers and variables in the first generation."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from answered import Wrong, assert_answered
from layer_errors import (
    BATCH_SIZE,
    EXISTING_SHAPE,
    EXISTS,
    KERAS_CELL,
    NEW_STATES,
    NO_DTYPE,
    NO_SCOPE,
    NO_WEIGHTS,
    OUTPUT_AND_STATES,
    RETURN,
    REUSE,
    THE_DTYPE,
    TRY_REUSE,
)
from minigrad.compat import v1
from minigrad.compat.v1.layers import ScopeError
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.compat.v1.variables import VariableError
from minigrad.engine.errors import DTypeError, ShapeError, UnknownBackendError
from minigrad.keras import layers as L
from minigrad.layers.options import OptionError
from minigrad.layers.states import CellError, StateError
from option_errors import FRACTION, FUNCTION, NUMBER_FROM_0, POSITIVE_INTEGER
from wrong_calls import FIRST, TUPLES_IN_A_FLAT_STACK, X, dynamic, lstm


def shared(cell: Any, x: Any = X) -> Any:
    dynamic(lstm())
    return dynamic(cell, x=x)


KEPT = "the probability to keep an element"
NO_CELL = "expected `cell`, a cell with state_size, output_size and call, got "
VARIABLE_EXISTS = (
    f"Variable rnn/lstm_cell/kernel {EXISTS} or reuse=tf.AUTO_REUSE "
    "in VarScope? (reset_default_graph() removes all variables.)"
)
ABSENT = (
    f"Variable rnn/lstm_cell/kernel does not exist, or was not created with tf.get_variable(). {TRY_REUSE} "
    "reuse=tf.AUTO_REUSE in VarScope?"
)
WITHOUT_DTYPE = (
    f"lstm_cell_1.build: {NO_DTYPE}: expected a `dtype` or floating inputs, got neither. Pass dtype='float32'."
)

BAD: dict[str, Wrong] = {
    "a cell of whole numbers": (
        lambda: lstm(dtype="int32"),
        DTypeError,
        "LSTMCell: `dtype`: expected a floating one, got int32.",
    ),
    "features not known": (
        lambda: lstm(dtype="float32").build((None, None)),
        ShapeError,
        "lstm_cell_1.build: expected `input_shape` with the number of features, got (None, None). Write (None, 8).",
    ),
    "a call before the weights": (
        lambda: lstm().call(mg.tensor(X[:, 0]), FIRST),
        StateError,
        f"LSTMCell.call: the cell {NO_WEIGHTS} the cell itself, cell(inputs, state).",
    ),
    **{
        f"a batch of {batch!r}": (
            lambda batch=batch: lstm().zero_state(batch, "float32"),
            ShapeError,
            f"LSTMCell.zero_state: {BATCH_SIZE}{batch!r}.",
        )
        for batch in (None, "a", -1, [2, 3], 2.5)
    },
    "no cell": (lambda: dynamic(3), CellError, f"dynamic_rnn: {NO_CELL}3."),
    "a class": (lambda: dynamic(rc.RNNCell), CellError, f"dynamic_rnn: {NO_CELL}the class RNNCell."),
    "a list of cells": (
        lambda: v1.nn.raw_rnn([], None),
        CellError,
        f"raw_rnn: {NO_CELL}[]. MultiRNNCell(cells) makes one cell of several.",
    ),
    "proj_clip without a projection": (
        lambda: lstm(proj_clip=1.0),
        OptionError,
        "LSTMCell: `proj_clip` clips a projection: expected `num_proj`, got None. Pass both or neither.",
    ),
    "a projection to nothing": (
        lambda: lstm(num_proj=0),
        OptionError,
        f"LSTMCell: `num_proj`: {POSITIVE_INTEGER}, got 0.",
    ),
    "a clip below zero": (
        lambda: lstm(cell_clip=-1.0),
        OptionError,
        f"LSTMCell: `cell_clip`: {NUMBER_FROM_0}, or None for no clipping, got -1.0.",
    ),
    "a clip of the projection below zero": (
        lambda: lstm(num_proj=2, proj_clip=-1.0),
        OptionError,
        f"LSTMCell: `proj_clip`: {NUMBER_FROM_0}, or None for no clipping, got -1.0.",
    ),
    "no cells": (
        lambda: rc.MultiRNNCell([]),
        OptionError,
        "MultiRNNCell: `cells`: expected a list of cells, at least one, got [].",
    ),
    "less than nothing kept": (
        lambda: rc.DropoutWrapper(lstm(), -0.5),
        OptionError,
        f"DropoutWrapper: `input_keep_prob`: {FRACTION}, {KEPT}, got -0.5.",
    ),
    "more than all kept, a tensor": (
        lambda: rc.DropoutWrapper(lstm(), 1.0, mg.tensor(2.0)),
        OptionError,
        f"DropoutWrapper: `output_keep_prob`: {FRACTION}, {KEPT}, got 2.0.",
    ),
    "a word for a probability": (
        lambda: rc.DropoutWrapper(lstm(), "half"),
        OptionError,
        f"DropoutWrapper: `input_keep_prob`: {FRACTION}, {KEPT}, got 'half'.",
    ),
    "masks of another size": (
        lambda: dynamic(
            rc.DropoutWrapper(lstm(), 0.5, variational_recurrent=True, input_size=7, dtype="float32"),
        ),
        ShapeError,
        (
            "DropoutWrapper: expected input of size 7, that of its mask, got shape (4, 2, 3). `input_size` is the "
            "number of features."
        ),
    ),
    "no function": (
        lambda: rc.ResidualWrapper(lstm(), 3),
        OptionError,
        f"ResidualWrapper: `residual_fn`: {FUNCTION}, got 3.",
    ),
    "reuse of a word": (
        lambda: lstm(reuse="maybe"),
        VariableError,
        f"LSTMCell: `reuse`: {REUSE}'maybe'.",
    ),
    "cells of Keras in a flat stack": (
        lambda: rc.MultiRNNCell([L.LSTMCell(5)], state_is_tuple=False),
        StateError,
        TUPLES_IN_A_FLAT_STACK,
    ),
    "a class in a stack": (
        lambda: rc.MultiRNNCell([rc.LSTMCell]),
        OptionError,
        (f"MultiRNNCell: `cells`: {KERAS_CELL}the class LSTMCell. Create an object: LSTMCell(…)."),
    ),
    "a class in a wrapper": (
        lambda: rc.DropoutWrapper(rc.LSTMCell),
        OptionError,
        (f"DropoutWrapper: `cell`: {KERAS_CELL}the class LSTMCell. Create an object: LSTMCell(…)."),
    ),
    "variational without a dtype": (
        lambda: rc.DropoutWrapper(lstm(), 0.5, variational_recurrent=True),
        OptionError,
        (
            f"DropoutWrapper: `dtype`: {THE_DTYPE} the masks for `variational_recurrent`, got None. Pass "
            "dtype='float32'."
        ),
    ),
    "variational without a size": (
        lambda: rc.DropoutWrapper(lstm(), 0.5, variational_recurrent=True, dtype="float32"),
        OptionError,
        (
            "DropoutWrapper: `input_size`: expected the number of features for `variational_recurrent` with "
            "`input_keep_prob`, got None. Pass it."
        ),
    ),
    "a residual of another size": (
        lambda: dynamic(rc.ResidualWrapper(lstm())),
        ShapeError,
        (
            "ResidualWrapper: expected the cell's output to have the size of its inputs, 3, got 5. A residual_fn "
            "can combine other sizes."
        ),
    ),
    "no device": (
        lambda: rc.DeviceWrapper(lstm(), 0),
        OptionError,
        "DeviceWrapper: `device`: expected the name of a backend, or of a TensorFlow device, got 0.",
    ),
    "built before a call without a dtype": (lambda: lstm().build((None, 3)), DTypeError, WITHOUT_DTYPE),
    "a stack built before a call without a dtype": (
        lambda: rc.MultiRNNCell([lstm()]).build((None, 3)),
        DTypeError,
        WITHOUT_DTYPE,
    ),
    "the same name twice": (lambda: shared(lstm()), VariableError, VARIABLE_EXISTS),
    "reuse without a first use": (lambda: dynamic(lstm(reuse=True)), VariableError, ABSENT),
    "reuse for other inputs": (
        lambda: shared(lstm(reuse=True), X[..., :2]),
        ShapeError,
        (
            f"get_variable('rnn/lstm_cell/kernel'): {EXISTING_SHAPE}(8, 20), got (7, "
            "20). Leave it out, or choose another name."
        ),
    ),
    "the scope of a cell that was not used": (
        lambda: lstm().scope_name,
        ScopeError,
        f'{NO_SCOPE} because the layer "lstm_cell_1" has not been used yet.',
    ),
    "no scope": (
        lambda: dynamic(lstm(), scope=3),
        VariableError,
        "variable_scope: expected `name_or_scope`, a name or a scope, or else a default_name, got 3. Pass a name.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    assert_answered(BAD[name])


def test_no_backend_of_that_name() -> None:
    with pytest.raises(UnknownBackendError, match="unknown name 'nump'"):
        dynamic(rc.DeviceWrapper(lstm(), "nump"))


class Bare(rc.RNNCell):
    """A cell with a wrong return value."""

    state_size = output_size = 3  # type: ignore[assignment]

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def call(self, inputs: Any, state: Any) -> Any:
        return self.answer(inputs, state)


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (
            lambda x, s: x,
            CellError,
            (f"Bare.call: {OUTPUT_AND_STATES}a Tensor of shape (2, 3). {RETURN}"),
        ),
        (
            lambda x, s: (x, s, s),
            CellError,
            (f"Bare.call: {OUTPUT_AND_STATES}a tuple of 3. {RETURN}"),
        ),
        (
            lambda x, s: (x, (s, s)),
            ShapeError,
            f"Bare.call: {NEW_STATES}(2, 3), got (2, 3), (2, 3).",
        ),
        (
            lambda x, s: (x, s[:, :2]),
            ShapeError,
            f"Bare.call: {NEW_STATES}(2, 3), got (2, 2).",
        ),
        (
            lambda x, s: (x, []),
            ShapeError,
            f"Bare.call: {NEW_STATES}(2, 3), got none.",
        ),
    ],
)
def test_a_cell_with_a_wrong_return_value(answer: Any, error: type[Exception], message: str) -> None:
    assert_answered((lambda: dynamic(Bare(answer)), error, message))
