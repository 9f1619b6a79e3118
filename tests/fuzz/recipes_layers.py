"""Valid calls of layers: constructors, calls, weights, states, configurations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from fuzz.recipe import Recipe
from minigrad.compat.v1 import keras as second
from minigrad.keras import layers as L

SEQUENCE = np.linspace(-1.0, 1.0, 24, dtype="float32").reshape(2, 4, 3)
ROWS = SEQUENCE[:, 0]
MERGING = ("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract")
STATE = np.full((2, 2), 0.5, "float32")


def used(x: Any) -> Callable[[Any], Any]:
    """Return a use of a layer: its call in training, its gradients, its configuration."""

    def use(layer: Any) -> Any:
        y = layer(mg.tensor(x))
        first = y[0] if isinstance(y, (tuple, list)) else y
        if layer.trainable_weights and first.tracked:
            (first.sum() + sum(layer.losses)).backward()
        return layer.get_config()

    return use


def used_on_two(layer: Any) -> Any:
    """Use a layer that merges two inputs."""
    return layer([mg.tensor(ROWS), mg.tensor(ROWS + 1)]), layer.get_config()


def stepped(cell: Any) -> Any:
    """Use a cell for one step and in a layer."""
    cell(ROWS, cell.get_initial_state(batch_size=2, dtype="float32"))
    return L.RNN(cell)(SEQUENCE), cell.get_config()


def layers(module: Any, prefix: str) -> dict[str, Recipe]:
    """Return the recipes of the constructors of one address."""
    units = lambda: {"units": 2}  # noqa: E731
    recurrent = ("LSTM", "GRU", "SimpleRNN", "MGU")
    found = {
        **{n: Recipe(getattr(module, n), units, used(SEQUENCE)) for n in recurrent if hasattr(module, n)},
        **{
            f"{n}Cell": Recipe(getattr(module, f"{n}Cell"), units, stepped)
            for n in recurrent
            if hasattr(module, f"{n}Cell")
        },
        **{
            f"CuDNN{n}": Recipe(getattr(module, f"CuDNN{n}"), units, used(SEQUENCE))
            for n in ("LSTM", "GRU")
            if hasattr(module, f"CuDNN{n}")
        },
        "AbstractRNNCell": Recipe(module.AbstractRNNCell, then=lambda cell: cell.get_config()),
        "Wrapper": Recipe(module.Wrapper, lambda: {"layer": module.Dense(2)}, lambda layer: layer.get_config()),
        "RNN": Recipe(module.RNN, lambda: {"cell": module.LSTMCell(2)}, used(SEQUENCE)),
        "StackedRNNCells": Recipe(
            module.StackedRNNCells, lambda: {"cells": [module.LSTMCell(2), module.GRUCell(2)]}, stepped
        ),
        "Activation": Recipe(module.Activation, lambda: {"activation": "tanh"}, used(ROWS)),
        "Bidirectional": Recipe(module.Bidirectional, lambda: {"layer": module.LSTM(2)}, used(SEQUENCE)),
        "Dense": Recipe(module.Dense, units, used(ROWS)),
        "Dropout": Recipe(module.Dropout, lambda: {"rate": 0.5}, used(ROWS)),
        "Embedding": Recipe(module.Embedding, lambda: {"input_dim": 4, "output_dim": 2}, used(np.array([[0, 3]]))),
        "Input": Recipe(module.Input, lambda: {"shape": (3,)}, lambda symbol: symbol.layer.get_config()),
        "InputLayer": Recipe(module.InputLayer, then=lambda layer: layer.get_config()),
        "InputSpec": Recipe(module.InputSpec),
        "Layer": Recipe(module.Layer, then=lambda layer: layer.get_config()),
        "Masking": Recipe(module.Masking, then=used(SEQUENCE)),
        "TimeDistributed": Recipe(module.TimeDistributed, lambda: {"layer": module.Dense(2)}, used(SEQUENCE)),
        **{
            n: Recipe(getattr(module, n), then=used_on_two)
            for n in ("Add", "Average", "Maximum", "Minimum", "Multiply")
        },
        "Subtract": Recipe(module.Subtract, then=used_on_two),
        "Concatenate": Recipe(module.Concatenate, lambda: {"axis": -1}, used_on_two),
        "Dot": Recipe(module.Dot, lambda: {"axes": 1}, used_on_two),
        "Flatten": Recipe(module.Flatten, then=used(SEQUENCE)),
        "Reshape": Recipe(module.Reshape, lambda: {"target_shape": (3, 4)}, used(SEQUENCE)),
        "Permute": Recipe(module.Permute, lambda: {"dims": (2, 1)}, used(SEQUENCE)),
        "RepeatVector": Recipe(module.RepeatVector, lambda: {"n": 2}, used(ROWS)),
        "GlobalMaxPooling1D": Recipe(module.GlobalMaxPooling1D, then=used(SEQUENCE)),
        "GlobalAveragePooling1D": Recipe(module.GlobalAveragePooling1D, then=used(SEQUENCE)),
        "Lambda": Recipe(module.Lambda, lambda: {"function": mg.tanh}, used(ROWS)),
        "LayerNormalization": Recipe(module.LayerNormalization, then=used(SEQUENCE)),
        "EquationCell": Recipe(module.EquationCell, lambda: {"equations": mg.recurrent.LSTM, "units": 2}, stepped),
    }
    return {f"{prefix}.{name}": recipe for name, recipe in found.items()}


def built(make: Callable[[], Any] = lambda: L.LSTM(2), x: Any = SEQUENCE) -> Any:
    """Return a layer with weights."""
    layer = make()
    layer(x)
    return layer


def on(layer: Callable[[], Any], /, **given: Any) -> Callable[[], dict[str, Any]]:
    """Return a maker of a method's arguments."""
    return lambda: {"self": layer(), **{name: value() if callable(value) else value for name, value in given.items()}}


def called(make: Callable[[], Any], x: Any, /, **given: Any) -> Recipe:
    """Return the recipe of a call of a layer, through `__call__`."""

    def call(inputs: Any, **others: Any) -> Any:
        return make()(inputs, **others)

    call.__name__ = make().name
    return Recipe(call, lambda: {"inputs": x, **given})


def dense() -> Any:
    """Return a layer without weights."""
    return L.Dense(2)


def lstm() -> Any:
    """Return a recurrent layer with weights."""
    return built()


def stateful() -> Any:
    """Return a stateful layer."""
    return built(lambda: L.LSTM(2, stateful=True))


def cell() -> Any:
    """Return a cell with weights."""
    made = L.LSTMCell(2)
    made(ROWS, [STATE, STATE])
    return made


def build(layer: Any, input_shape: Any) -> Any:
    """Build a layer, and call it."""
    layer.build(input_shape)
    return layer.weights


METHODS: dict[str, Recipe] = {
    "Dense.build": Recipe(build, lambda: {"layer": L.Dense(2), "input_shape": (None, 3)}, fixed=("layer",)),
    "LSTM.build": Recipe(build, lambda: {"layer": L.LSTM(2), "input_shape": (None, None, 3)}, fixed=("layer",)),
    "Layer.add_weight": Recipe(L.Layer.add_weight, on(dense, name="w", shape=(3, 3)), lambda w: w.numpy()),
    "Layer.add_loss": Recipe(L.Layer.add_loss, on(dense, losses=lambda: mg.tensor(1.0))),
    "Layer.set_weights": Recipe(L.Layer.set_weights, on(lstm, weights=lambda: lstm().get_weights())),
    "Layer.get_weights": Recipe(L.Layer.get_weights, on(lstm)),
    "Layer.count_params": Recipe(L.Layer.count_params, on(lstm)),
    "Layer.compute_mask": Recipe(L.Layer.compute_mask, on(dense, inputs=SEQUENCE)),
    "Layer.get_config": Recipe(L.Layer.get_config, on(dense)),
    "Dense.from_config": Recipe(L.Dense.from_config, lambda: {"config": L.Dense(2).get_config()}),
    "LSTM.from_config": Recipe(L.LSTM.from_config, lambda: {"config": L.LSTM(2).get_config()}),
    "RNN.from_config": Recipe(L.RNN.from_config, lambda: {"config": L.RNN(L.GRUCell(2)).get_config()}),
    "Bidirectional.from_config": Recipe(
        L.Bidirectional.from_config, lambda: {"config": L.Bidirectional(L.GRU(2)).get_config()}
    ),
    "RNN.get_initial_state": Recipe(L.RNN.get_initial_state, on(lstm, inputs=SEQUENCE)),
    "RNN.reset_states": Recipe(L.RNN.reset_states, on(stateful, states=lambda: [STATE, STATE])),
    "Cell.get_initial_state": Recipe(L.LSTMCell.get_initial_state, on(cell, batch_size=2, dtype="float32")),
    "LSTM.get_dropout_mask_for_cell": Recipe(
        L.LSTM.get_dropout_mask_for_cell,
        on(lambda: L.LSTM(2, dropout=0.5), inputs=lambda: mg.tensor(ROWS), training=True),
    ),
    "LSTM.get_recurrent_dropout_mask_for_cell": Recipe(
        L.LSTM.get_recurrent_dropout_mask_for_cell,
        on(lambda: L.LSTM(2, recurrent_dropout=0.5), inputs=lambda: mg.tensor(STATE), training=True),
    ),
    "Activation(…)": called(lambda: L.Activation("tanh"), ROWS),
    "Dense(…)": called(dense, ROWS, training=True),
    "Dropout(…)": called(lambda: L.Dropout(0.5), ROWS, training=True),
    "Embedding(…)": called(lambda: L.Embedding(4, 2), np.array([[0, 3]])),
    "Masking(…)": called(L.Masking, SEQUENCE),
    "TimeDistributed(…)": called(lambda: L.TimeDistributed(L.Dense(2)), SEQUENCE, mask=None, training=True),
    "Bidirectional(…)": called(
        lambda: L.Bidirectional(L.LSTM(2)), SEQUENCE, mask=None, training=True, initial_state=None, constants=None
    ),
    **{
        f"{name}(…)": called(make, SEQUENCE, mask=None, training=True, initial_state=None, constants=None)
        for name, make in {
            "LSTM": lambda: L.LSTM(2),
            "GRU": lambda: L.GRU(2, return_state=True),
            "SimpleRNN": lambda: L.SimpleRNN(2, unroll=True),
            "MGU": lambda: L.MGU(2, return_sequences=True),
            "v1 LSTM": lambda: second.layers.LSTM(2),
            "stateful": lambda: L.LSTM(2, stateful=True),
            "RNN of a cell": lambda: L.RNN(L.LSTMCell(2)),
            "RNN of a stack": lambda: L.RNN([L.LSTMCell(2), L.GRUCell(2)]),
            "RNN of v1 GRUCell": lambda: L.RNN(mg.compat.v1.nn.rnn_cell.GRUCell(2)),
            "RNN of v1 LSTMCell": lambda: L.RNN(mg.compat.v1.nn.rnn_cell.LSTMCell(2)),
        }.items()
    },
    "LSTMCell(…)": called(lambda: L.LSTMCell(2), ROWS, states=[STATE, STATE], training=True),
    "GRUCell(…)": called(lambda: L.GRUCell(2), ROWS, states=[STATE], training=True),
    "SimpleRNNCell(…)": called(lambda: L.SimpleRNNCell(2), ROWS, states=STATE, training=True),
    "StackedRNNCells(…)": called(
        lambda: L.StackedRNNCells([L.GRUCell(2), L.GRUCell(2)]), ROWS, states=[[STATE], [STATE]]
    ),
}

LAYERS: dict[str, Recipe] = {
    **layers(L, "keras.layers"),
    **layers(second.layers, "compat.v1.keras.layers"),
    **METHODS,
}
