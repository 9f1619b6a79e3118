"""Valid calls of the first generation: cells, wrappers, loops, variables, TensorArray."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from fuzz.recipe import Recipe
from fuzz.recipes_layers import ROWS, SEQUENCE, STATE
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc


def stepped(cell: Any) -> Any:
    """Use a cell for a step and in a loop."""
    cell(ROWS, cell.zero_state(2, "float32"))
    return v1.nn.dynamic_rnn(type(cell)(**cell.arguments()), SEQUENCE, dtype="float32", scope="other")


def wrapped(cell: Any) -> Any:
    """Use a wrapped cell in a loop."""
    return v1.nn.dynamic_rnn(cell, SEQUENCE, dtype="float32")


def read_write(array: Any) -> Any:
    """Use a TensorArray."""
    array = array.write(0, 1.0).write(1, 2.0)
    return array.stack()


def filled(**how: Any) -> Any:
    """Return a TensorArray with values."""
    return v1.TensorArray("float32", 2, clear_after_read=False, **how).unstack(STATE)


def entered(scope: Any) -> Any:
    """Make a variable in a scope."""
    with scope:
        return v1.get_variable("w", (2,))


def loop_fn(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
    """Run two steps."""
    if output is None:
        return False, mg.tensor(ROWS), mg.tensor(STATE), None, None
    return time >= 2, mg.tensor(ROWS), state, output, None


def loop(**given: Any) -> Callable[[], dict[str, Any]]:
    """Return arguments of a loop of two cells or one."""
    return lambda: {n: value() if callable(value) else value for n, value in given.items()}


def called(make: Callable[[], Any], state: Any) -> Recipe:
    """Return the recipe of a cell's call."""

    def call(inputs: Any, state: Any, scope: Any = None) -> Any:
        return make()(inputs, state, scope)

    call.__name__ = type(make()).__name__
    return Recipe(call, lambda: {"inputs": ROWS, "state": state})


def lstm() -> Any:
    """Return a cell."""
    return rc.LSTMCell(2)


def gru() -> Any:
    """Return a cell."""
    return rc.GRUCell(2)


STEPS = [np.ascontiguousarray(SEQUENCE[:, t]) for t in range(4)]
FIRST: dict[str, Recipe] = {
    **{
        f"rnn_cell.{n}": Recipe(getattr(rc, n), lambda: {"num_units": 2}, wrapped)
        for n in ("BasicLSTMCell", "BasicRNNCell", "GRUCell", "LSTMCell")
    },
    "rnn_cell.DeviceWrapper": Recipe(rc.DeviceWrapper, loop(cell=lstm, device="/cpu:0"), wrapped),
    "rnn_cell.DropoutWrapper": Recipe(
        rc.DropoutWrapper, loop(cell=lstm, input_keep_prob=0.5, dtype="float32"), wrapped
    ),
    "rnn_cell.LSTMStateTuple": Recipe(rc.LSTMStateTuple, lambda: {"c": STATE, "h": STATE}),
    "rnn_cell.MultiRNNCell": Recipe(rc.MultiRNNCell, lambda: {"cells": [lstm(), gru()]}, wrapped),
    "rnn_cell.RNNCell": Recipe(rc.RNNCell),
    "rnn_cell.ResidualWrapper": Recipe(rc.ResidualWrapper, lambda: {"cell": rc.GRUCell(3)}, wrapped),
    "RNNCell.zero_state": Recipe(rc.RNNCell.zero_state, lambda: {"self": lstm(), "batch_size": 2, "dtype": "float32"}),
    "v1 LSTMCell(…)": called(lstm, (STATE, STATE)),
    "v1 GRUCell(…)": called(gru, STATE),
    "v1 MultiRNNCell(…)": called(lambda: rc.MultiRNNCell([lstm(), gru()]), ((STATE, STATE), STATE)),
    "v1 DropoutWrapper(…)": called(lambda: rc.DropoutWrapper(gru(), 0.5), STATE),
    "nn.dynamic_rnn": Recipe(v1.nn.dynamic_rnn, loop(cell=lstm, inputs=SEQUENCE, dtype="float32")),
    "nn.dynamic_rnn with a state": Recipe(v1.nn.dynamic_rnn, loop(cell=gru, inputs=SEQUENCE, initial_state=STATE)),
    "nn.bidirectional_dynamic_rnn": Recipe(
        v1.nn.bidirectional_dynamic_rnn, loop(cell_fw=lstm, cell_bw=gru, inputs=SEQUENCE, dtype="float32")
    ),
    "nn.raw_rnn": Recipe(v1.nn.raw_rnn, lambda: {"cell": gru(), "loop_fn": loop_fn}),
    "nn.static_bidirectional_rnn": Recipe(
        v1.nn.static_bidirectional_rnn, loop(cell_fw=lstm, cell_bw=gru, inputs=STEPS, dtype="float32")
    ),
    "nn.static_rnn": Recipe(v1.nn.static_rnn, loop(cell=lstm, inputs=STEPS, dtype="float32")),
    "TensorArray": Recipe(v1.TensorArray, lambda: {"dtype": "float32", "size": 2}, read_write),
    "TensorArray.read": Recipe(v1.TensorArray.read, lambda: {"self": filled(), "index": 0}),
    "TensorArray.size": Recipe(v1.TensorArray.size, lambda: {"self": filled()}),
    "TensorArray.stack": Recipe(v1.TensorArray.stack, lambda: {"self": filled()}),
    "TensorArray.unstack": Recipe(v1.TensorArray.unstack, lambda: {"self": filled(), "value": STATE}),
    "TensorArray.write": Recipe(
        v1.TensorArray.write, lambda: {"self": v1.TensorArray("float32", 2), "index": 0, "value": 1.0}
    ),
    "TensorShape": Recipe(mg.TensorShape, lambda: {"dims": (2, 3)}),
    "VariableScope": Recipe(
        v1.VariableScope, lambda: {"name": "scope"}, lambda scope: entered(v1.variable_scope(scope))
    ),
    "get_variable": Recipe(v1.get_variable, lambda: {"name": "w", "shape": (2, 3)}, lambda w: w.numpy()),
    "get_variable_scope": Recipe(v1.get_variable_scope),
    "global_variables": Recipe(v1.global_variables),
    "reset_default_graph": Recipe(v1.reset_default_graph),
    "trainable_variables": Recipe(v1.trainable_variables),
    "variable_scope": Recipe(v1.variable_scope, lambda: {"name_or_scope": "scope"}, entered),
    "v1.layers.Layer": Recipe(v1.layers.Layer, then=lambda layer: layer.get_config()),
}
