"""Networks of the playground: two units, two inputs, eight steps; untrained ones, and one that minigrad trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine.creation import tensor
from minigrad.engine.random import generator_for
from minigrad.engine.tensor import Tensor
from minigrad.keras import Sequential, initializers
from minigrad.keras.layers import LSTM
from minigrad.keras.optimizers import Adam

HostArray = Any

UNITS = 2
X = (
    (0.3, 0.0), (-0.5, 0.0), (0.8, 1.0), (-0.2, 0.0), (0.6, 0.0), (-0.7, 0.0), (0.1, 0.0), (-0.4, 0.0),
)  # fmt: skip
"""Inputs of the page's LSTM at its eight steps: a value, and a mark at the third."""
MORE = ((0.5, 0.0), (-0.3, 0.0), (0.7, 0.0), (0.2, 0.0))
"""Inputs of the steps that follow when the user lengthens the sequence."""
MARK = 2  # the step of the mark, counted from 0

SEED = 4  # of the weights and the examples; its trained network is easy to read
EXAMPLES, BATCH, EPOCHS, RATE = 4096, 64, 8, 0.03  # a second of training


@dataclass(frozen=True)
class Network:
    """Weights of an LSTM, with a description.

    Attributes:
        key: its name in experiments.
        name: two or three words.
        text: one sentence.
        weights: W (features, 4 units), U (units, 4 units), b (4 units,), columns i, f, g, o.
    """

    key: str
    name: str
    text: str
    weights: tuple[HostArray, HostArray, HostArray]


def networks() -> list[Network]:
    """Return the networks of the page: trained, untrained, and untrained without a forget bias."""
    return [
        Network(
            "trained",
            "trained to remember",
            "Trained by minigrad: at the end unit 1 outputs the value x₁ of the step with the mark x₂ = 1, however "
            "early that was; unit 2 outputs the last value.",
            _weights(trained()),
        ),
        Network(
            "fresh",
            "fresh",
            "The initial weights of keras.layers.LSTM: the bias of the forget gates is 1, so they are about "
            "three quarters open.",
            _weights(_lstm()),
        ),
        Network(
            "unbiased",
            "fresh, no forget bias",
            "The same with unit_forget_bias=False: the forget gates start half open.",
            _weights(_lstm(unit_forget_bias=False)),
        ),
    ]


def _lstm(**options: Any) -> LSTM:
    """A layer with weights from `SEED`; minigrad's generator is not used."""
    layer = LSTM(
        UNITS,
        kernel_initializer=initializers.GlorotUniform(seed=SEED),
        recurrent_initializer=initializers.Orthogonal(seed=SEED),
        dtype="float64",
        **options,
    )
    layer.build((None, len(X), len(X[0])))
    return layer


def _weights(layer: LSTM) -> tuple[HostArray, HostArray, HostArray]:
    W, U, b = layer.get_weights()
    return W, U, b


def trained() -> LSTM:
    """Return an LSTM trained to output the marked value in unit 1, and the last value in unit 2."""
    layer = _lstm()
    model = Sequential([layer])
    model.compile(Adam(RATE), "mse")
    model.fit(*examples(SEED, EXAMPLES), batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
    return layer


def examples(seed: int, count: int) -> tuple[Tensor, Tensor]:
    """Return sequences of values with one mark each, (count, 8, 2), and the targets at the end, (count, 2).

    A target is 0.8 of the value, since h is between −1 and 1.
    """
    source, T = generator_for(seed), len(X)
    values = tensor(source.uniform(-1.0, 1.0, (count, T)), "float64")
    marks = F.one_hot(tensor(source.integers(0, T, count)), T, dtype="float64")
    targets = F.stack([F.sum(values * marks, 1), values[:, -1]], 1)
    return F.stack([values, marks], 2), 0.8 * targets
