"""Third generation: what EarlyStopping does with numbers that are played to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case
from oracle.record.draw import balanced, generator, given

GRID = {
    "monitor": ["val_loss", "val_accuracy", "auc", "val_loss"],
    "mode": ["auto", "min", "max"],
    "patience": [0, 1, 2, 3, 8],
    "min_delta": [0, 0.25, -0.25],
    "baseline": [None, None, 2.0],
    "start_from_epoch": [0, 0, 2],
    "first_epoch": [0, 0, 3],
    "nan": [False, False, True],
    "numbers": ["fall", "rise", "any", "any"],
}

NAN = -1.0  # in its place, for the files hold finite numbers


class Epochs:
    """A model whose weights are the number of the epoch."""

    stop_training = False
    weights = -1

    def get_weights(self) -> int:
        return self.weights

    def set_weights(self, weights: int) -> None:
        self.weights = weights


def keras_early_stopping() -> list[Case]:
    """Ten epochs at most: how many there were, and the epoch of the best weights that were kept, -1 for none.

    TensorFlow 2.15 puts them back only if it stops the training. Keras 3 does so in any case.
    """
    family = "keras_early_stopping"
    rng = generator(family)
    return [_played(family, rng, f"stopping_{i:03d}", drawn) for i, drawn in enumerate(balanced(rng, 120, GRID))]


def _values(rng: np.random.Generator, drawn: dict[str, Any]) -> np.ndarray:
    values = np.round(rng.random(10) * 16) / 4  # ties and differences of min_delta come up
    values = {"fall": np.sort(values)[::-1], "rise": np.sort(values), "any": values}[drawn["numbers"]].copy()
    if drawn["nan"]:
        values[rng.integers(0, 10, 3)] = np.nan
        values[0] = np.nan if rng.random() < 0.5 else values[0]
    return values


def _played(family: str, rng: np.random.Generator, name: str, drawn: dict[str, Any]) -> Case:
    values, first = _values(rng, drawn), drawn["first_epoch"]
    options = {key: drawn[key] for key in GRID if key not in ("first_epoch", "nan", "numbers")}
    kwargs = given(options, mode="auto", patience=0, min_delta=0, baseline=None, start_from_epoch=0)
    callback = tf.keras.callbacks.EarlyStopping(restore_best_weights=True, **kwargs)
    model = Epochs()
    callback.set_model(model)
    callback.on_train_begin({})
    epochs = 0
    for epoch, value in enumerate(values, first):
        model.weights, epochs = epoch, epochs + 1
        callback.on_epoch_end(epoch, {drawn["monitor"]: value})
        if model.stop_training:
            break
    callback.on_train_end({})
    kept = callback.best_weights
    info = {
        "first_epoch": first,
        "epochs": epochs,
        "kept": -1 if kept is None else kept,
        "stopped": model.stop_training,
        "stopped_epoch": callback.stopped_epoch,
    }
    arrays = {"x": np.where(np.isnan(values), NAN, values)}
    return Case(family, name, "keras.callbacks.EarlyStopping", kwargs, {}, None, info, arrays)
