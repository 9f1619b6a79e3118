"""No transfer of a number from the device in a training step, with any layers; `to_numpy` counts transfers."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import minigrad as mg
from minigrad.keras import layers as L

V1 = mg.compat.v1
SEQUENCE = (4, 6, 5)  # batch, time, features

LAYERS: dict[str, Callable[[], list[Any]]] = {
    "Dense": lambda: [L.Dense(3, activation="relu")],
    "Dropout and Activation": lambda: [L.Dropout(0.3), L.Activation("sigmoid")],
    "Masking, SimpleRNN": lambda: [L.Masking(), L.SimpleRNN(3, return_sequences=True)],
    "LSTM": lambda: [L.LSTM(3, return_sequences=True), L.LSTM(2, go_backwards=True)],
    "LSTM with dropout": lambda: [L.LSTM(3, dropout=0.2, recurrent_dropout=0.2)],
    "LSTM, unrolled": lambda: [L.LSTM(3, unroll=True)],
    "LSTM, stateful": lambda: [L.LSTM(3, stateful=True)],
    "LSTM of the second generation": lambda: [V1.keras.layers.LSTM(3)],
    "GRU": lambda: [L.GRU(3), L.Dense(2)],
    "GRU that resets before": lambda: [L.GRU(3, reset_after=False)],
    "Bidirectional": lambda: [L.Bidirectional(L.LSTM(3, return_sequences=True)), L.TimeDistributed(L.Dense(2))],
    "stacked cells": lambda: [L.RNN([L.LSTMCell(3), L.GRUCell(2)])],
    "cell of the first generation": lambda: [
        L.RNN(V1.nn.rnn_cell.LSTMCell(4, use_peepholes=True, num_proj=3, cell_clip=2.0, name="cell"))
    ],
    "penalties and constraints": lambda: [
        L.Dense(3, kernel_regularizer="l2", activity_regularizer="l1", kernel_constraint="max_norm")
    ],
}


def stepping(model: Any, optimizer: Any, x: Any, y: Any) -> Callable[[], mg.Tensor]:
    """Return a training step, written without `fit`."""

    def step() -> mg.Tensor:
        with mg.GradientTape() as tape:
            prediction = model(x, training=True)
            loss = ((prediction - y) ** 2).mean() + sum(model.losses)
        weights = model.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    return step


def steps(model: Any, optimizer: Any, x: Any, y: Any, backend: ModuleType) -> tuple[int, int]:
    """Return the number of transfers in a second step, and in reading the loss."""
    step = stepping(model, optimizer, x, y)
    step()
    before = backend.transfers
    loss = step()
    after = backend.transfers
    loss.item()
    return after - before, backend.transfers - after


def test_the_first_generation(cupy: ModuleType) -> None:
    V1.reset_default_graph()
    with mg.using(cupy):
        cell, x = V1.nn.rnn_cell.BasicLSTMCell(3), mg.random.normal((4, 6, 5))
        for lengths in ([1, 6, 0, 3], mg.tensor([1, 6, 0, 3])):
            before = cupy.transfers
            outputs, _ = V1.nn.dynamic_rnn(cell, x, sequence_length=lengths, dtype="float32")
            outputs.sum().backward()
            assert cupy.transfers == before
    V1.reset_default_graph()


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer(name: str, cupy: ModuleType) -> None:
    V1.reset_default_graph()
    with mg.using(cupy):
        model = mg.keras.Sequential([*LAYERS[name](), L.Dense(1)])
        optimizer = mg.keras.optimizers.Adam(global_clipnorm=1.0)
        assert steps(model, optimizer, mg.random.normal(SEQUENCE), mg.ones((1, 1)), cupy) == (0, 1)
    V1.reset_default_graph()


def test_fit(cupy: ModuleType) -> None:
    """Transfers at the end of an epoch, for any number of steps."""
    with mg.using(cupy):
        model = mg.keras.Sequential([L.LSTM(3), L.Dense(1)])
        model.compile(mg.keras.optimizers.Adam(global_clipnorm=1.0), "mse", metrics=["mae"])
        x, y = mg.random.normal((64, 4, 2)), mg.ones((64, 1))
        left = []
        for batch_size in (64, 16, 4, 1):
            before = cupy.transfers
            model.fit(x, y, batch_size=batch_size, verbose=0)
            left.append(cupy.transfers - before)
    assert left == [1 + 2 + len(model.weights)] * 4  # are all losses finite? loss and metric; is each weight finite?


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "adagrad"])
def test_every_optimizer(optimizer: str, cupy: ModuleType) -> None:
    with mg.using(cupy):
        model = mg.keras.Sequential([L.Embedding(9, 4, mask_zero=True), L.LSTM(3), L.Dense(2)])
        x = mg.random.integers(0, 9, (4, 6))
        assert steps(model, mg.keras.optimizers.get(optimizer), x, mg.ones((4, 2)), cupy) == (0, 1)
