"""A program of several processes: a custom loop, `fit` with callbacks, and what each process saw of them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad import distributed, keras
from minigrad import functional as F

X, Y = np.random.default_rng(0).normal(size=(11, 4, 3)), np.random.default_rng(1).normal(size=(11, 2))


def small():
    layers = [keras.layers.LSTM(3), keras.layers.Dropout(0.5), keras.layers.Dense(2)]
    return keras.Sequential(layers)


def custom_loop():
    """Return the weights after five steps of a loop on `shard`."""
    mg.random.seed(5)
    model = small()
    model.build((None, 4, 3))
    optimizer = distributed.DistributedOptimizer(keras.optimizers.Adam(0.1))
    for _ in range(5):
        x, y = distributed.shard((X, Y))
        loss = F.mean(keras.losses.mse(y, model(x, training=True)))
        optimizer.minimize(loss, model.trainable_weights)
    return model.get_weights()


class StopsInOne(keras.callbacks.Callback):
    """A callback that stops the training in the last process alone."""

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1 and distributed.rank() == distributed.size() - 1:
            self.model.stop_training = True


def fitted(folder, callbacks):
    """Return the logs of a training, and the weights. Each process begins with other weights and another generator."""
    mg.random.seed(distributed.rank() if distributed.size() > 1 else 0)
    model = small()
    model.build((None, 4, 3))
    model.compile(distributed.DistributedOptimizer(keras.optimizers.Adam(0.1)), "mse", metrics=["mae"])
    written = [
        keras.callbacks.ModelCheckpoint(f"{folder}/{{epoch}}.npz"),
        keras.callbacks.CSVLogger(f"{folder}/log.csv"),
    ]
    history = model.fit(
        X, Y, batch_size=4, epochs=4, verbose=2, callbacks=[*written, *callbacks], validation_data=(X, Y)
    )
    return history.history, model.get_weights()


def main(folder, out):
    keras.backend.set_floatx("float64")
    here = Path(folder)
    here.mkdir(exist_ok=True)
    found = {f"loop/{k}": w for k, w in enumerate(custom_loop())}
    logs, weights = fitted(here, [])
    found |= {f"logs/{name}": np.array(values) for name, values in logs.items()}
    found |= {f"fit/{k}": w for k, w in enumerate(weights)}
    if distributed.size() > 1:
        stopped, _ = fitted(here, [StopsInOne()])
        found["stopped"] = np.array(len(stopped["loss"]))
    same = [
        all(np.array_equal(a, b) for a, b in zip(parts, parts[:1] * len(parts), strict=True))
        for parts in zip(*map(list, everywhere(weights)), strict=True)
    ]
    found["same in all processes"] = np.array(all(same))
    if distributed.rank() == 0:
        np.savez(out, **found)


def everywhere(weights):
    from minigrad.distributed.exchange import gathered

    return gathered(weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
