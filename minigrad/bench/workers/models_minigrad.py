"""The models of `minigrad.bench.models` in minigrad. Each method returns the function to time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from minigrad.engine import functional, random
from minigrad.engine.autograd import grad, no_grad
from minigrad.engine.creation import tensor
from minigrad.engine.tensor import Tensor
from minigrad.keras.layers import GRU, LSTM, Bidirectional, Dense, Embedding, LSTMCell
from minigrad.keras.optimizers import Adam


class Training:
    """A training step: forward pass, loss, all gradients, Adam.

    Args:
        layers: the layers, in order.
        loss: the loss of the outputs and y.
        x: the inputs.
        y: the targets.
        clip: the largest norm of the gradients, or None.
    """

    def __init__(
        self, layers: Sequence[Any], loss: Callable[..., Tensor], x: Tensor, y: Tensor, clip: float | None = None
    ) -> None:
        self.layers, self.x, self.y, self._loss = layers, x, y, loss
        self._adam = Adam(1e-3, global_clipnorm=clip)

    @property
    def path(self) -> str:
        """The implementation that ran the recurrent layers."""
        return _path(self.layers)

    def loss(self) -> Tensor:
        """Return the loss of the current weights."""
        outputs: Any = self.x
        for layer in self.layers:
            outputs = layer(outputs)
        return self._loss(outputs, self.y)

    @cached_property
    def weights(self) -> list[Any]:
        """The weights of the built layers, listed once, as in the models of the other libraries."""
        return [w for layer in self.layers for w in layer.trainable_weights]

    def __call__(self) -> float:
        """Update the weights and return the loss, which training reports."""
        loss = self.loss()
        self._adam.apply_gradients(zip(grad(loss, self.weights), self.weights, strict=True))
        return float(loss.item())


class Loop:
    """The last output of a cell that Python calls at every time step."""

    def __init__(self, cell: LSTMCell) -> None:
        self.cell = cell

    def __call__(self, x: Tensor) -> Tensor:
        """Return h_T of x (batch, time, features)."""
        h: Tensor
        states = self.cell.get_initial_state(batch_size=x.shape[0], dtype=x.dtype)
        for x_t in functional.unstack(x, axis=1):
            h, states = self.cell(x_t, states)
        return h

    @property
    def trainable_weights(self) -> list[Any]:
        """Weights of the cell."""
        return self.cell.trainable_weights


class Generation:
    """Symbols one by one, each drawn from the probabilities of the model and fed back.

    Args:
        symbols: the number of symbols to generate.
        vocabulary: the number of kinds of symbols.
        embedding: the size of a symbol's vector.
        units: the units of the LSTM.
    """

    def __init__(self, symbols: int, vocabulary: int, embedding: int, units: int) -> None:
        self._symbols = symbols
        self.layers = Embedding(vocabulary, embedding), LSTM(units, return_state=True), Dense(vocabulary)

    @property
    def path(self) -> str:
        """The implementation that ran the recurrent layer."""
        return _path(self.layers)

    def probabilities(self, symbol: int, states: Any) -> tuple[Tensor, Any]:
        """Return softmax of the model's output for a symbol, (1, vocabulary), and the states after it."""
        embedding, lstm, dense = self.layers
        h, *states = lstm(embedding(tensor([[symbol]])), initial_state=states)
        return functional.softmax(dense(h)), states

    def __call__(self) -> list[int]:
        """Return the symbols drawn."""
        symbol, states, drawn = 0, None, []
        with no_grad():
            for _ in range(self._symbols):
                p, states = self.probabilities(symbol, states)
                cumulative = p.numpy()[0].cumsum()
                symbol = int(cumulative.searchsorted(random.generator().random() * cumulative[-1], side="right"))
                drawn.append(symbol)
        return drawn


class Models:
    """The models, by the names of `minigrad.bench.models`. B, T, I, H: batch, time steps, features, units."""

    def generate(self, N: int, V: int, E: int, H: int) -> Generation:
        """Generate N symbols of V kinds, with an embedding of E numbers."""
        return Generation(N, V, E, H)

    def loop(self, B: int, T: int, I: int, H: int) -> Training:
        """Train an LSTMCell in a loop of Python's."""
        return _regression([Loop(LSTMCell(H))], B, T, I)

    def adding(self, B: int, T: int, I: int, H: int) -> Training:
        """Train an LSTM on the adding problem."""
        return _regression([LSTM(H)], B, T, I)

    def classify(self, B: int, T: int, V: int, E: int, H: int) -> Training:
        """Train a bidirectional LSTM to classify sequences of V kinds of symbols in two classes."""
        layers = Embedding(V, E), Bidirectional(LSTM(H)), Dense(2)
        x, y = random.integers(0, V, (B, T)), random.integers(0, 2, (B,))
        return Training(layers, functional.softmax_cross_entropy, x, y)

    def gru(self, B: int, T: int, I: int, H: int) -> Training:
        """Train a GRU."""
        return _regression([GRU(H)], B, T, I)

    def stack(self, B: int, T: int, I: int, H: int) -> Training:
        """Train two stacked LSTMs."""
        return _regression([LSTM(H, return_sequences=True), LSTM(H)], B, T, I)

    def characters(self, B: int, T: int, V: int, E: int, H: int) -> Training:
        """Train a character model, as `minigrad.train` does."""
        layers = Embedding(V, E), LSTM(H, return_sequences=True), Dense(V)
        x, y = random.integers(0, V, (B, T)), random.integers(0, V, (B, T))
        return Training(layers, functional.softmax_cross_entropy, x, y, clip=1.0)


def _regression(layers: Sequence[Any], B: int, T: int, I: int) -> Training:
    """Return training of layers and a dense one to output a number at the end of each sequence, by its square error."""
    x, y = random.normal((B, T, I)), random.normal((B, 1))
    return Training([*layers, Dense(1)], functional.mean_squared_error, x, y)


def _path(layers: Sequence[Any]) -> str:
    return next((layer.path for layer in layers if hasattr(layer, "path")), "")
