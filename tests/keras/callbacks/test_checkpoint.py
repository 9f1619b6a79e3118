"""Weights saved after each epoch."""

from __future__ import annotations

import numpy as np
import pytest

from callback_runs import FakeModel, X, Y, model_on
from minigrad.keras import callbacks


def test_model_checkpoint_saves_after_each_epoch(tmp_path):
    model = model_on()
    path = tmp_path / "{epoch:02d}-{loss:.3f}.npz"
    history = model.fit(X, Y, epochs=2, callbacks=callbacks.ModelCheckpoint(path), verbose=0).history
    names = [f"{k + 1:02d}-{loss:.3f}.npz" for k, loss in enumerate(history["loss"])]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    other = model_on()
    other.load_weights(tmp_path / names[1])
    np.testing.assert_array_equal(other.get_weights()[0], model.get_weights()[0])


def test_model_checkpoint_saves_the_best_only(tmp_path, capsys):
    saved = []
    callback = callbacks.ModelCheckpoint(tmp_path / "best", save_best_only=True, verbose=1, initial_value_threshold=4)

    class Saving(FakeModel):
        def save_weights(self, path):
            saved.append(self.weights)

    model = Saving()
    callback.set_model(model)
    for epoch, value in enumerate([5, 3, 4, 2]):
        model.weights = epoch
        callback.on_epoch_end(epoch, {"val_loss": value})
    assert saved == [1, 3]
    assert capsys.readouterr().out.count("saved") == 2


@pytest.mark.parametrize("kind", [callbacks.ModelCheckpoint, callbacks.CSVLogger])
def test_missing_folders_of_a_path_are_created(tmp_path, kind):
    path = tmp_path / "a" / "b" / "c.npz"
    model_on().fit(X, Y, callbacks=kind(path), verbose=0)
    assert path.stat().st_size
