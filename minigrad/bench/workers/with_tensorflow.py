"""`tf.keras.layers.LSTM` as a contender of `serve`, compiled by `tf.function` as `fit` does."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Contender:
    """`tf.keras.layers.LSTM` on the CPU.

    Args:
        variant: ignored.
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

    def model(self, name: str, *sizes: int) -> Callable[[], Any]:
        """Return the function to time of a model of `minigrad.bench.models`."""
        models = runpy.run_path(str(Path(__file__).with_name("models_tensorflow.py")))["Models"](self._tf)
        run: Callable[[], Any] = getattr(models, name)(*sizes)
        return run

    def step(self, B: int, T: int, V: int, E: int, H: int) -> Callable[[], Any]:
        """Return one training step of a character model."""
        return self.model("characters", B, T, V, E, H)

    def finish(self) -> None:
        """Return at once: every run has read a number, so no work is pending."""
