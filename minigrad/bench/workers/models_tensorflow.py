"""The models of `minigrad.bench.models` in TensorFlow, compiled by `tf.function`. Each returns the function to time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Models:
    """The models, by the names of `minigrad.bench.models`. B, T, I, H: batch, time steps, features, units.

    Args:
        tf: the library.
    """

    def __init__(self, tf: Any) -> None:
        self._tf, self._layers = tf, tf.keras.layers

    def generate(self, N: int, V: int, E: int, H: int) -> Callable[[], Any]:
        """Generate N symbols of V kinds, with an embedding of E numbers; one call of the graph for each."""
        tf, k = self._tf, self._layers
        embedding, cell, dense = k.Embedding(V, E), k.LSTMCell(H), k.Dense(V)

        @tf.function  # type: ignore[untyped-decorator,unused-ignore]
        def next_symbol(symbol: Any, h: Any, c: Any) -> Any:
            out, states = cell(embedding(symbol), [h, c])
            p = tf.nn.softmax(dense(out))
            return (tf.random.categorical(tf.math.log(p), 1)[0], *states)

        def run() -> list[int]:
            symbol, h, c, drawn = tf.zeros((1,), tf.int64), tf.zeros((1, H)), tf.zeros((1, H)), []
            for _ in range(N):
                symbol, h, c = next_symbol(symbol, h, c)
                drawn.append(int(symbol))
            return drawn

        return run

    def loop(self, B: int, T: int, I: int, H: int) -> Callable[[], Any]:
        """Train an LSTMCell in a loop of Python's, which `tf.function` unrolls."""
        cell = self._layers.LSTMCell(H)

        def last(x: Any) -> Any:
            states = cell.get_initial_state(batch_size=B, dtype=x.dtype)
            for x_t in self._tf.unstack(x, axis=1):
                h, states = cell(x_t, states)
            return h

        return self._regression([cell], last, B, T, I)

    def adding(self, B: int, T: int, I: int, H: int) -> Callable[[], Any]:
        """Train an LSTM on the adding problem."""
        lstm = self._layers.LSTM(H)
        return self._regression([lstm], lstm, B, T, I)

    def classify(self, B: int, T: int, V: int, E: int, H: int) -> Callable[[], Any]:
        """Train a bidirectional LSTM to classify sequences of V kinds of symbols in two classes."""
        k = self._layers
        model = self._tf.keras.Sequential([k.Embedding(V, E), k.Bidirectional(k.LSTM(H)), k.Dense(2)])
        return self._training([model], model, self._cross_entropy(), self._integers(V, B, T), self._integers(2, B))

    def gru(self, B: int, T: int, I: int, H: int) -> Callable[[], Any]:
        """Train a GRU."""
        gru = self._layers.GRU(H)
        return self._regression([gru], gru, B, T, I)

    def stack(self, B: int, T: int, I: int, H: int) -> Callable[[], Any]:
        """Train two stacked LSTMs."""
        k = self._layers
        model = self._tf.keras.Sequential([k.LSTM(H, return_sequences=True), k.LSTM(H)])
        return self._regression([model], model, B, T, I)

    def characters(self, B: int, T: int, V: int, E: int, H: int) -> Callable[[], Any]:
        """Train a character model, as `minigrad.train` does."""
        k = self._layers
        model = self._tf.keras.Sequential([k.Embedding(V, E), k.LSTM(H, return_sequences=True), k.Dense(V)])
        x, y = self._integers(V, B, T), self._integers(V, B, T)
        return self._training([model], model, self._cross_entropy(), x, y, clip=1.0)

    def _regression(
        self, layers: Sequence[Any], last: Callable[[Any], Any], B: int, T: int, I: int
    ) -> Callable[[], Any]:
        """Return training of layers and a dense one to output a number for each sequence, by its square error."""
        dense, x, y = self._layers.Dense(1), self._tf.random.normal((B, T, I)), self._tf.random.normal((B, 1))
        loss = self._tf.keras.losses.MeanSquaredError()
        return self._training([*layers, dense], lambda x: dense(last(x)), loss, x, y)

    def _training(
        self, layers: Sequence[Any], forward: Callable[[Any], Any], loss: Callable[..., Any], x: Any, y: Any,
        clip: float | None = None,
    ) -> Callable[[], Any]:  # fmt: skip
        """Return a training step: forward pass, loss, all gradients, Adam."""
        tf = self._tf
        adam = tf.keras.optimizers.Adam(1e-3, global_clipnorm=clip)
        forward(x)  # builds the weights

        @tf.function  # type: ignore[untyped-decorator,unused-ignore]
        def train() -> Any:
            with tf.GradientTape() as tape:
                value = loss(y, forward(x))
            weights = [w for layer in layers for w in layer.trainable_variables]
            adam.apply_gradients(zip(tape.gradient(value, weights), weights, strict=True))
            return value

        return lambda: float(train())

    def _cross_entropy(self) -> Any:
        return self._tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def _integers(self, below: int, *shape: int) -> Any:
        return self._tf.random.uniform(shape, 0, below, dtype=self._tf.int32)
