"""The model of every task: symbols or numbers in, recurrent layers, scores or numbers out."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.creation import tensor
from minigrad.engine.functional import one_hot
from minigrad.engine.tensor import Tensor, TensorLike
from minigrad.keras.initializers import RandomNormal
from minigrad.keras.layers import GRU, LSTM, RNN, Dense, Dropout, Embedding, EquationCell, SimpleRNN
from minigrad.keras.models import Model
from minigrad.train.cells import imported_cell
from minigrad.train.task import ModelShape, RunOptions

LAYERS: dict[str, type[RNN]] = {"lstm": LSTM, "gru": GRU, "simple_rnn": SimpleRNN}

States = list[list[Tensor]]
"""States of each recurrent layer: ``[h, c]`` of an LSTM, ``[h]`` of the others."""


class SequenceModel(Model):
    """Embedding, recurrent layers and a dense layer; the caller passes and receives the states.

        x₀ = E[symbol], one-hot vectors, or the numbers themselves
        xₖ, statesₖ = recurrentₖ(dropout(xₖ₋₁), statesₖ)
        y  = xₙ W + b

    Args:
        shape: the model's inputs and outputs.
        options: the kind, number and size of the recurrent layers.
    """

    def __init__(self, shape: ModelShape, options: RunOptions) -> None:
        super().__init__(name="model")
        self.shape = shape
        self.embedding = self._embedding(shape) if shape.embedding else None
        self.dropout = Dropout(options.dropout, name="dropout")
        self.recurrent = [_recurrent(options, k) for k in range(options.layers)]
        self.dense = Dense(shape.outputs, name="dense")

    @staticmethod
    def _embedding(shape: ModelShape) -> Embedding:
        # From N(0, 1) instead of Keras' small default numbers: inputs are then as large as a state.
        # After 500 steps on the default text: 2.65 bits per character instead of 2.93.
        return Embedding(shape.inputs, shape.embedding, RandomNormal(stddev=1.0), name="embedding")

    def call(
        self, inputs: TensorLike, states: States | None = None, training: bool | None = None
    ) -> tuple[Tensor, States]:
        """Return outputs and final states.

        Args:
            inputs: (batch, time) symbols or (batch, time, features) numbers.
            states: the initial states; zero by default.
            training: whether dropout is active.

        Returns:
            (batch, time, outputs), and the states after the last step.
        """
        x: Any = inputs
        if self.embedding is not None:
            x = self.embedding(inputs)
        elif self.shape.symbols:
            x = one_hot(inputs, self.shape.inputs)
        after: States = []
        for k, layer in enumerate(self.recurrent):
            x = self.dropout(x, training=training)
            x, *new = layer(x, initial_state=None if states is None else states[k])
            after.append(new)
        return self.dense(x), after


def _recurrent(options: RunOptions, k: int) -> RNN:
    """Return the k-th recurrent layer: a built-in one, or a custom cell that has been imported."""
    returns = {"return_sequences": True, "return_state": True}
    if options.cell in LAYERS:
        return LAYERS[options.cell](options.units, name=f"{options.cell}_{k}", **returns, **_biases(options))
    equations = imported_cell(options.cell)
    name = equations.__name__.lower()
    return RNN(EquationCell(equations, options.units, name=name), name=f"{name}_{k}", **returns)


def _biases(options: RunOptions) -> dict[str, Any]:
    """Return the layer's arguments that initialize the gates for a `memory` of T steps.

        b = ln(τ − 1),  τ spread evenly over 2 … T;  forget gate: b, input gate: −b;  update gate of a GRU: b

    A unit then keeps 1 − 1/τ of its state at each step, so about 1/e over τ steps, and takes in 1/τ. Without it the
    gradient over a hundred steps is too small for the gate to learn to stay open.

    Source: C. Tallec and Y. Ollivier, Can recurrent neural networks warp time?, 2018 (there τ is drawn at random).
    """
    units = options.units
    if options.memory is None or options.cell == "simple_rnn":  # it has no gates
        return {}
    spread = np.log(np.linspace(2, options.memory, units) - 1)

    def start(shape: tuple[int, ...], dtype: Any = None) -> Tensor:
        b = np.zeros(shape)
        if options.cell == "lstm":  # order i, f, c, o
            b[:units], b[units : 2 * units] = -spread, spread
        else:  # (2, 3 units), order z, r, h; the second row belongs to the recurrent product
            b[0, :units] = spread
        return tensor(b, dtype)

    return {"bias_initializer": start} | ({"unit_forget_bias": False} if options.cell == "lstm" else {})
