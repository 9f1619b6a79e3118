"""Callbacks, on given logs and in small trainings."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.engine.errors import UnknownNameError
from minigrad.engine.files import FileError
from minigrad.keras import Sequential, callbacks, optimizers
from minigrad.keras.callbacks.base import HOOKS
from minigrad.keras.layers import Dense
from minigrad.keras.saving import WeightsFileError
from minigrad.layers.options import OptionError, OptionTypeError
from option_errors import COUNT, FUNCTION, STRING
from oracle.reader import load

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 1))


def model_on(rate=0.1):
    model = Sequential([Dense(1)])
    model.compile(optimizers.SGD(rate), "mse")
    model.build((None, 3))
    return model


class FakeModel:
    """A model whose weights are the number of the epoch."""

    def __init__(self):
        self.stop_training, self.weights, self.optimizer = False, 0, optimizers.SGD(1.0)

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def play(callback, values, name="val_loss"):
    """Call a callback with the values, one an epoch, until it stops the training; return the model and the logs."""
    model, logs = FakeModel(), []
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        model.weights = epoch
        logs.append({name: value})
        callback.on_epoch_end(epoch, logs[-1])
        if model.stop_training:
            break
    callback.on_train_end({})
    return model, logs


def test_every_hook_is_called_in_order():
    heard = []

    class Listener(callbacks.Callback):
        pass

    for hook in HOOKS:
        if "on_batch" not in hook:
            setattr(Listener, hook, lambda self, *args, hook=hook: heard.append(hook))
    model_on().fit(X, Y, batch_size=10, callbacks=Listener(), validation_split=0.5, verbose=0)
    assert heard == [
        "on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_test_begin",
        "on_test_end", "on_epoch_end", "on_train_end",
    ]  # fmt: skip


def test_the_older_names_of_the_batch_hooks_and_lambdas():
    steps, losses = [], []
    callback = callbacks.LambdaCallback(
        on_batch_begin=lambda batch, logs: steps.append(batch),
        on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]),
        on_epoch_end=None,
    )
    history = model_on().fit(X, Y, batch_size=5, callbacks=[callback], verbose=0).history
    assert steps == [0, 1, 2, 3]
    assert losses[-1] == history["loss"][0]
    assert all(isinstance(loss, float) for loss in losses)


def test_what_a_callback_adds_to_the_logs_is_in_the_history():
    adding = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(square=epoch**2))
    assert model_on().fit(X, Y, epochs=3, callbacks=[adding], verbose=0).history["square"] == [0, 1, 4]


# --- early stopping ---------------------------------------------------------------------------------------------------


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


# --- the learning rate ------------------------------------------------------------------------------------------------


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


# --- files ------------------------------------------------------------------------------------------------------------


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


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("old")
    model = model_on()
    history = model.fit(X, Y, epochs=2, validation_split=0.5, callbacks=callbacks.CSVLogger(path), verbose=0).history
    model.fit(X, Y, initial_epoch=2, epochs=3, callbacks=callbacks.CSVLogger(path, append=True), verbose=0)
    lines = path.read_text().splitlines()
    assert lines[0] == "epoch,loss,val_loss"
    assert [float(cell) for cell in lines[2].split(",")] == [1, history["loss"][1], history["val_loss"][1]]
    assert lines[3].startswith("2,")
    assert lines[3].endswith(",NA")
    assert len(lines) == 4


@pytest.mark.parametrize("kind", [callbacks.ModelCheckpoint, callbacks.CSVLogger])
def test_missing_folders_of_a_path_are_created(tmp_path, kind):
    path = tmp_path / "a" / "b" / "c.npz"
    model_on().fit(X, Y, callbacks=kind(path), verbose=0)
    assert path.stat().st_size


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (
            lambda: model_on().fit(X, Y, callbacks=callbacks.EarlyStopping(), verbose=0),
            UnknownNameError,
            "EarlyStopping: monitor: unknown name 'val_loss'. Did you mean 'loss'? Known are: loss. It needs",
        ),
        (lambda: callbacks.EarlyStopping(mode="up"), OptionError, "`mode`: expected one of 'auto', 'min', 'max'"),
        (lambda: callbacks.EarlyStopping(patience=-1), OptionError, f"`patience`: {COUNT}"),
        (
            lambda: callbacks.EarlyStopping(patience=1.5),
            OptionError,
            f"`patience`: {COUNT}",
        ),
        (
            lambda: callbacks.ReduceLROnPlateau(cooldown=-1),
            OptionError,
            "`cooldown`: expected a whole number of 0 or m",
        ),
        (lambda: callbacks.LambdaCallback(on_epoch_end=3), OptionError, f"`on_epoch_end`: {FUNCTION}, got 3"),
        (lambda: callbacks.EarlyStopping(3), OptionError, f"EarlyStopping: `monitor`: {STRING}, got 3"),
        (lambda: callbacks.CSVLogger("a.csv", 3), OptionError, f"CSVLogger: `separator`: {STRING}, got 3"),
        (lambda: callbacks.CSVLogger(3), OptionError, "CSVLogger: `filename`: expected the path of a file, got 3"),
        (lambda: callbacks.LearningRateScheduler(0.1), OptionError, f"`schedule`: {FUNCTION} of the epoch"),
        (lambda: callbacks.ModelCheckpoint("x.h5"), WeightsFileError, "change .h5 to .npz"),
        (lambda: callbacks.ModelCheckpoint(3), WeightsFileError, "expected the path of a file, got 3"),
        (
            lambda: model_on().fit(X, Y, callbacks=callbacks.ModelCheckpoint("{epoch:q}"), verbose=0),
            OptionError,
            "`filepath`: expected names in braces, such as '{epoch:02d}', got '{epoch:q}.npz': Unknown format code 'q'",
        ),
        (
            lambda: model_on().fit(X, Y, callbacks=callbacks.CSVLogger("/dev/null/log.csv"), verbose=0),
            FileError,
            "/dev/null/log.csv: cannot be written: ",
        ),
        (lambda: callbacks.EarlyStopping(patient=1), OptionTypeError, "Did you mean `patience`?"),
        (lambda: callbacks.ReduceLROnPlateau(factor=1.0), OptionError, "`factor`: expected a number from 0 to below 1"),
        (lambda: callbacks.LambdaCallback(on_epoch=print), UnknownNameError, "Did you mean 'on_epoch_end'"),
        (lambda: callbacks.ModelCheckpoint("x", save_weights_only=False), OptionError, "expected one of True"),
        (
            lambda: model_on().fit(X, Y, callbacks=callbacks.ModelCheckpoint("{val_los}.npz"), verbose=0),
            UnknownNameError,
            "ModelCheckpoint: filepath: unknown name 'val_los'. Did you mean 'loss'?",
        ),
    ],
)
def test_bad_input_is_named(act, error, says):
    with pytest.raises(error) as caught:
        act()
    assert says in str(caught.value)


def test_positions_are_keras():
    assert callbacks.EarlyStopping("loss", 0.1, 5, 1, "min").patience == 5
    assert callbacks.ReduceLROnPlateau("loss", 0.2, 5).patience == 5
    assert callbacks.ModelCheckpoint("w.npz", "loss", 0, True).save_best_only
