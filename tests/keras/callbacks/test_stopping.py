"""Early stopping, on given logs and in small trainings."""

from __future__ import annotations

import numpy as np
import pytest

from callback_runs import FakeModel, X, Y, model_on, play
from minigrad.keras import callbacks
from oracle.reader import load


@pytest.mark.parametrize(
    ("arguments", "values", "epochs", "weights"),
    [
        ({}, [3, 2, 2, 1], 3, 2),
        ({"patience": 2}, [3, 2, 2, 1, 1, 1, 0], 6, 5),
        ({"patience": 2, "restore_best_weights": True}, [3, 2, 2, 1, 1, 1, 0], 6, 3),
        ({"min_delta": 0.5}, [3, 2, 1.6], 3, 2),
        ({"min_delta": 0.5}, [3, 2, 1.4, 1], 4, 3),
        ({"mode": "max"}, [1, 2, 3, 3], 4, 3),
        ({"baseline": 1.0, "patience": 3}, [5, 4, 3, 3], 4, 3),
        ({"start_from_epoch": 2}, [1, 2, 3, 4], 4, 3),
        ({}, [float("nan"), float("nan"), 1], 2, 1),
    ],
)
def test_early_stopping(arguments, values, epochs, weights):
    model, logs = play(callbacks.EarlyStopping(**arguments), values)
    assert (len(logs), model.weights) == (epochs, weights)


def test_accuracy_must_rise_and_the_reason_is_printed(capsys):
    stopping = callbacks.EarlyStopping("val_accuracy", patience=1, verbose=1)
    _, logs = play(stopping, [0.5, 0.6, 0.6], "val_accuracy")
    assert len(logs) == 3
    assert capsys.readouterr().out == "Epoch 3: no better val_accuracy than 0.6 of epoch 2.\n"
    assert (stopping.stopped_epoch, stopping.best_epoch, stopping.best) == (2, 1, 0.6)


def test_early_stopping_in_a_training_goes_back_to_the_best_weights():
    model = model_on(rate=2.0)  # too large: the loss grows
    kept = []
    history = model.fit(
        X,
        Y,
        epochs=50,
        verbose=0,
        validation_data=(X, Y),
        callbacks=[
            callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights())),
            callbacks.EarlyStopping(patience=3, restore_best_weights=True),
        ],
    )
    best = int(np.argmin(history.history["val_loss"]))
    assert len(history.epoch) == best + 4 < 50
    np.testing.assert_array_equal(model.get_weights()[0], kept[best][0])


@pytest.mark.parametrize("case", load("keras_early_stopping"), ids=lambda case: case.name)
@pytest.mark.parametrize("restores", [True, False])
def test_early_stopping_is_tensorflows_and_puts_the_best_weights_back_as_keras_3(case, restores):
    callback, first = callbacks.EarlyStopping(**case.kwargs, restore_best_weights=restores), case.info["first_epoch"]
    for _ in range(2):  # several trainings with one callback
        model = FakeModel()
        callback.set_model(model)
        callback.on_train_begin({})
        for epoch, value in enumerate(case["x"], first):
            model.weights = epoch
            callback.on_epoch_end(epoch, {callback.monitor: np.nan if value == -1.0 else value})
            if model.stop_training:
                break
        callback.on_train_end({})
        assert epoch - first + 1 == case.info["epochs"]
        assert (model.stop_training, callback.stopped_epoch) == (case.info["stopped"], case.info["stopped_epoch"])
        kept = case.info["kept"] if restores else -1
        assert model.weights == (epoch if kept == -1 else kept)


def test_early_stopping_that_never_stops_or_is_stopped_by_another():
    """Early stopping in a training whose loss grows, and in a second one with the same, reset callback."""

    def trained(model, stopping, epochs, *others):
        kept = []
        keeping = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights()))
        history = model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[keeping, stopping, *others]).history["loss"]
        assert len(history) == len(kept)
        return history, kept

    stopping = callbacks.EarlyStopping("loss", patience=50, restore_best_weights=True)
    model = model_on(rate=2.0)
    history, kept = trained(model, stopping, 5)
    assert int(np.argmin(history)) == 0
    np.testing.assert_array_equal(model.get_weights()[0], kept[0][0])

    other = model_on(rate=1.0)
    history, kept = trained(other, stopping, 4)
    np.testing.assert_array_equal(other.get_weights()[0], kept[int(np.argmin(history))][0])

    ends = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(third, "stop_training", epoch == 2))
    third = model_on(rate=2.0)
    history, kept = trained(third, stopping, 9, ends)
    assert len(history) == 3
    np.testing.assert_array_equal(third.get_weights()[0], kept[0][0])


def test_early_stopping_without_a_watched_epoch_changes_nothing():
    stopping = callbacks.EarlyStopping("loss", restore_best_weights=True, start_from_epoch=9)
    model = model_on()
    model.fit(X, Y, epochs=0, verbose=0, callbacks=stopping)
    last = []
    keeping = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: last.append(model.get_weights()[0]))
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[stopping, keeping])
    np.testing.assert_array_equal(model.get_weights()[0], last[-1])
