"""Cells of one generation in the layers, stacks and loops of another."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import X, corner, fill, float32, given, named, with_gradients

LONG = np.sin(np.arange(40)).reshape(2, 5, 4).astype("float32")
HOLES = np.array([[True, False, True, True, False], [False, True, True, False, False]])


def v1_cell(tf: Any, name: str) -> Any:
    c = tf.compat.v1.nn.rnn_cell
    return {
        "basic": lambda: c.BasicRNNCell(2),
        "gru": lambda: c.GRUCell(2),
        "lstm": lambda: c.LSTMCell(2),
        "projection": lambda: c.LSTMCell(3, num_proj=2, use_peepholes=True),
        "concatenated": lambda: c.LSTMCell(2, state_is_tuple=False),
        "stack": lambda: c.MultiRNNCell([c.GRUCell(3), c.LSTMCell(2)]),
        "residual": lambda: c.ResidualWrapper(c.GRUCell(4)),
    }[name]()  # type: ignore[no-untyped-call]


@corner("basic", "gru", "lstm", "projection", "concatenated", "stack", "residual")
def a_first_generation_cell_in_a_keras_layer(tf: Any, name: str) -> Any:
    found = []
    for options in ({"return_state": True}, {"return_sequences": True, "go_backwards": True}, {"unroll": True}):
        cell = v1_cell(tf, name)
        layer = tf.keras.layers.RNN(cell, **options)
        layer(given(tf, LONG))
        fill(cell)
        mask = given(tf, HOLES)
        found.append(with_gradients(tf, lambda x, one=layer, m=mask: [named(one(x)), named(one(x, mask=m))], LONG))
    return found


@corner("basic", "gru", "lstm", "stack")
def a_first_generation_cell_with_states_carried(tf: Any, name: str) -> Any:
    cell = v1_cell(tf, name)
    layer = tf.keras.layers.RNN(cell, stateful=True)
    layer.build((2, 5, 4))
    layer(given(tf, LONG))
    fill(cell)
    layer.reset_states()
    return [layer(given(tf, LONG)), layer(given(tf, LONG))]


@corner("gru", "lstm", "simple", "stack")
def a_keras_cell_in_first_generation_loops(tf: Any, name: str) -> Any:
    layers, nn = tf.keras.layers, tf.compat.v1.nn
    cell = {
        "gru": lambda: layers.GRUCell(2),
        "lstm": lambda: layers.LSTMCell(2),
        "simple": lambda: layers.SimpleRNNCell(2),
        "stack": lambda: layers.StackedRNNCells([layers.GRUCell(3), layers.LSTMCell(2)]),
    }[name]()  # type: ignore[no-untyped-call]
    cell.build((2, 4))
    fill(cell)

    def run(x: Any) -> Any:
        y, state = nn.dynamic_rnn(cell, x, sequence_length=[1, 3], dtype=float32(tf))
        z, last = nn.static_rnn(cell, [x[:, 0], x[:, 1]], dtype=float32(tf))
        return [y, named(state), named(z), named(last)]

    return with_gradients(tf, run, X)


@corner(True, False)
def a_dropout_of_nothing(tf: Any, training: bool) -> Any:
    found = []
    for name in ("LSTM", "GRU", "SimpleRNN"):
        layer = getattr(tf.keras.layers, name)(2, dropout=0.0, recurrent_dropout=0.0, return_state=True)
        layer.build((2, 5, 4))
        fill(layer)
        found.append(named(layer(given(tf, LONG), training=training)))
    return found
