"""Callbacks that change the learning rate."""

from __future__ import annotations

import pytest

from callback_runs import X, Y, model_on, play
from minigrad.keras import callbacks


def test_reduce_lr_on_plateau():
    callback = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, min_lr=0.3, cooldown=1)
    model, logs = play(callback, [1.0] * 9)
    assert [log["lr"] for log in logs] == [1, 1, 1, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3]
    assert model.optimizer.learning_rate == 0.3


@pytest.mark.parametrize("schedule", [lambda epoch: 0.5**epoch, lambda epoch, rate: rate * (0.5 if epoch else 1)])
def test_learning_rate_scheduler(schedule, capsys):
    model = model_on(1.0)
    callback = callbacks.LearningRateScheduler(schedule, verbose=1)
    assert model.fit(X, Y, epochs=3, callbacks=callback, verbose=0).history["lr"] == [1.0, 0.5, 0.25]
    assert "Epoch 3: the learning rate is 0.25." in capsys.readouterr().out
