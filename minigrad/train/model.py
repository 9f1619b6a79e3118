"""The model of every task: symbols or numbers in, recurrent layers, scores or numbers out."""

from __future__ import annotations

from typing import Any

from minigrad.keras.layers import GRU, LSTM, Dense, Dropout, Embedding, SimpleRNN
from minigrad.keras.models import Model
from minigrad.tensor import Tensor, TensorLike
from minigrad.train.task import RunOptions, Shape

LAYERS = {"lstm": LSTM, "gru": GRU, "simple_rnn": SimpleRNN}

States = list[list[Tensor]]
"""For each recurrent layer its states: ``[h, c]`` of an LSTM, ``[h]`` of the others."""


class SequenceModel(Model):
    """Embedding, recurrent layers, dense layer, with the states in the caller's hands.

        x₀ = E[symbol]  or the numbers themselves
        xₖ, statesₖ = recurrentₖ(dropout(xₖ₋₁), statesₖ)
        y  = xₙ W + b

    Args:
        shape: what goes in and out.
        options: which recurrent layers, how many, how large.
    """

    def __init__(self, shape: Shape, options: RunOptions) -> None:
        super().__init__(name="model")
        self.embedding = Embedding(shape.inputs, shape.embedding, name="embedding") if shape.embedding else None
        self.dropout = Dropout(options.dropout, name="dropout")
        kind = LAYERS[options.cell]
        self.recurrent = [
            kind(options.units, return_sequences=True, return_state=True, name=f"{options.cell}_{k}")
            for k in range(options.layers)
        ]
        self.dense = Dense(shape.outputs, name="dense")

    def call(
        self, inputs: TensorLike, states: States | None = None, training: bool | None = None
    ) -> tuple[Tensor, States]:
        """Computes outputs and states.

        Args:
            inputs: (batch, time) symbols or (batch, time, features) numbers.
            states: where to start from; zero by default.
            training: whether dropout acts.

        Returns:
            (batch, time, outputs), and the states after the last step.
        """
        x: Any = inputs if self.embedding is None else self.embedding(inputs)
        after: States = []
        for k, layer in enumerate(self.recurrent):
            x = self.dropout(x, training=training)
            x, *new = layer(x, initial_state=None if states is None else states[k])
            after.append(new)
        return self.dense(x), after
