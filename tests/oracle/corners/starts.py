"""Initial states: which arguments the three generations take, and batches that `build` does not know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from oracle.corners import X, corner, error_of, float32, given


def v1_cells(tf: Any) -> dict[str, Callable[[], Any]]:
    cells = tf.compat.v1.nn.rnn_cell
    return {
        "BasicRNNCell": lambda: cells.BasicRNNCell(2),
        "GRUCell": lambda: cells.GRUCell(2),
        "LSTMCell": lambda: cells.LSTMCell(3, num_proj=2),
        "concatenated": lambda: cells.LSTMCell(3, state_is_tuple=False),
        "MultiRNNCell": lambda: cells.MultiRNNCell([cells.GRUCell(2), cells.LSTMCell(2)]),
        "DropoutWrapper": lambda: cells.DropoutWrapper(cells.LSTMCell(2)),
        "ResidualWrapper": lambda: cells.ResidualWrapper(cells.GRUCell(2)),
    }


def keras_cells(tf: Any) -> dict[str, Callable[[], Any]]:
    layers, second = tf.keras.layers, tf.compat.v1.keras.layers
    return {
        "LSTMCell": lambda: layers.LSTMCell(2),
        "GRUCell": lambda: layers.GRUCell(2),
        "SimpleRNNCell": lambda: layers.SimpleRNNCell(2),
        "StackedRNNCells": lambda: layers.StackedRNNCells([layers.LSTMCell(2), layers.GRUCell(3)]),
        "second LSTMCell": lambda: second.LSTMCell(2),
        "second GRUCell": lambda: second.GRUCell(2),
        "second StackedRNNCells": lambda: second.StackedRNNCells([second.LSTMCell(2), second.GRUCell(3)]),
    }


V1 = "BasicRNNCell", "GRUCell", "LSTMCell", "concatenated", "MultiRNNCell", "DropoutWrapper", "ResidualWrapper"
KERAS = (
    "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells", "second LSTMCell", "second GRUCell",
    "second StackedRNNCells",
)  # fmt: skip


def answers(tf: Any, make: Callable[[], Any]) -> Any:
    """Return the results and errors of `get_initial_state`, for every choice of arguments."""
    x = given(tf, X[:, 0])
    choices: list[dict[str, Any]] = [
        {}, {"batch_size": 2}, {"dtype": float32(tf)}, {"batch_size": 2, "dtype": float32(tf)},
        {"batch_size": 2, "dtype": "float64"}, {"batch_size": 2, "dtype": np.float32}, {"inputs": x},
        {"inputs": x, "dtype": float32(tf)}, {"inputs": x, "batch_size": 2}, {"batch_size": 0, "dtype": "float32"},
    ]  # fmt: skip
    found = []
    for options in choices:
        error = error_of(lambda o=options: make().get_initial_state(**o))
        found.append(listed(make().get_initial_state(**options)) if error == "none" else error)
    return found


def listed(state: Any) -> Any:
    """A state with its names as a list."""
    return [listed(part) for part in state] if isinstance(state, (list, tuple)) else state


@corner(*V1)
def initial_states_of_the_first_generation(tf: Any, name: str) -> Any:
    return answers(tf, v1_cells(tf)[name])


@corner(*KERAS)
def initial_states_of_keras(tf: Any, name: str) -> Any:
    return answers(tf, keras_cells(tf)[name])


@corner(*V1)
def zero_states(tf: Any, name: str) -> Any:
    cell = v1_cells(tf)[name]()
    batches = 2, np.int64(2), np.array(2), given(tf, np.array(2, "int32")), 0
    found = [listed(cell.zero_state(batch, float32(tf))) for batch in batches]
    found += [listed(cell.zero_state(1, dtype)) for dtype in ("float64", np.float32)]
    return [found, error_of(lambda: cell.zero_state(None, float32(tf))), error_of(lambda: cell.zero_state(2, None))]


@corner("RNN", "LSTM", "GRU", "SimpleRNN", "second LSTM", "Bidirectional", "ConvLike", "Stacked")
def a_batch_that_is_not_known(tf: Any, name: str) -> Any:
    """`build((None, 3, 4))` of a stateful layer."""
    layers = tf.keras.layers

    def make(stateful: bool) -> Any:
        if name == "RNN":
            return layers.RNN(layers.GRUCell(2), stateful=stateful)
        if name == "Stacked":
            return layers.RNN([layers.GRUCell(2), layers.LSTMCell(2)], stateful=stateful)
        if name == "Bidirectional":
            return layers.Bidirectional(layers.LSTM(2, stateful=stateful))
        if name == "ConvLike":
            return layers.TimeDistributed(layers.LSTM(2, stateful=stateful))
        home = tf.compat.v1.keras.layers if "second" in name else layers
        return getattr(home, name.split()[-1])(2, stateful=stateful)

    shape = (None, 3, 4) if name != "ConvLike" else (None, 2, 3, 4)
    return [error_of(lambda on=stateful: make(on).build(shape)) for stateful in (False, True)]


@corner()
def a_batch_that_a_model_does_not_know(tf: Any) -> Any:
    layers = tf.keras.layers

    def built(**options: Any) -> Any:
        model = tf.keras.Sequential([layers.LSTM(2, stateful=True, **options)])
        model.build((None, 3, 4))
        return model

    time_major = error_of(lambda: layers.LSTM(2, stateful=True, time_major=True).build((3, None, 4)))
    return [
        error_of(built),
        error_of(lambda: built(batch_input_shape=(2, 3, 4))),
        error_of(lambda: built(input_shape=(3, 4))),
        error_of(lambda: tf.keras.Sequential([layers.Input((3, 4)), layers.GRU(2, stateful=True)])),
        error_of(lambda: tf.keras.Sequential([layers.Input((3, 4), batch_size=2), layers.GRU(2, stateful=True)])),
        time_major,
        error_of(lambda: layers.LSTM(2, stateful=True, time_major=True).build((None, 2, 4))),
    ]


@corner("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional")
def resets_before_a_call(tf: Any, name: str) -> Any:
    layers = tf.keras.layers

    def make(**options: Any) -> Any:
        if name == "RNN":
            return layers.RNN(layers.GRUCell(2), **options)
        if name == "Bidirectional":
            return layers.Bidirectional(layers.LSTM(2, **options))
        return getattr(layers, name)(2, **options)

    return [error_of(make(**options).reset_states) for options in ({}, {"stateful": True})]
