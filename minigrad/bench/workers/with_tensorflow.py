"""`tf.keras.layers.LSTM` as a contender of `serve`, compiled by `tf.function` as `fit` does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Contender:
    """`tf.keras.layers.LSTM` on the CPU.

    Args:
        variant: ``"lstm"``.
        threads: the number of threads of an operation.

    Attributes:
        versions: the version of TensorFlow.
    """

    def __init__(self, variant: str, threads: int) -> None:
        import tensorflow as tf

        self._tf = tf
        self.versions = {"tensorflow": tf.__version__}
        tf.config.set_visible_devices([], "GPU")
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
        tf.random.set_seed(0)

    def lstm(self, B: int, T: int, I: int, H: int) -> Callable[[], Any]:
        """Return forward and backward, on (batch, time, features), the fastest layout in Keras."""
        tf = self._tf
        lstm = tf.keras.layers.LSTM(H, return_sequences=True)
        x, dy = tf.random.normal((B, T, I)), tf.random.normal((B, T, H))
        lstm(x)  # builds the weights

        @tf.function  # type: ignore[untyped-decorator,unused-ignore]
        def gradients(x: Any, dy: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = lstm(x)
            return tape.gradient(y, [x, *lstm.trainable_variables], output_gradients=dy)

        return lambda: [g.numpy() for g in gradients(x, dy)[-1:]]

    def step(self, B: int, T: int, V: int, E: int, H: int) -> Callable[[], Any]:
        """Return one training step of a character model."""
        keras, tf = self._tf.keras, self._tf
        layers = [keras.layers.Embedding(V, E), keras.layers.LSTM(H, return_sequences=True), keras.layers.Dense(V)]
        model = keras.Sequential(layers)
        symbols, targets = (tf.random.uniform((B, T), 0, V, dtype=tf.int32) for _ in range(2))
        cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        adam = keras.optimizers.Adam(1e-3, global_clipnorm=1.0)
        model(symbols)  # builds the weights

        @tf.function  # type: ignore[untyped-decorator,unused-ignore]
        def train() -> Any:
            with tf.GradientTape() as tape:
                loss = cross_entropy(targets, model(symbols, training=True))
            weights = model.trainable_variables
            adam.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
            return loss

        return lambda: float(train())

    def finish(self) -> None:
        """Return at once: every run has read a number, so no work is pending."""
