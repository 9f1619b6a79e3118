"""Errors for wrong arguments of callbacks, and the order of arguments."""

from __future__ import annotations

import pytest

from callback_runs import X, Y, model_on
from minigrad.engine.errors import UnknownNameError
from minigrad.engine.files import FileError
from minigrad.keras import callbacks
from minigrad.keras.saving import WeightsFileError
from minigrad.layers.options import OptionError, OptionTypeError
from option_errors import BELOW_1, COUNT, FUNCTION, NAMED_FILE, STRING


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
        (lambda: callbacks.CSVLogger(3), OptionError, f"CSVLogger: `filename`: {NAMED_FILE}3"),
        (lambda: callbacks.LearningRateScheduler(0.1), OptionError, f"`schedule`: {FUNCTION} of the epoch"),
        (lambda: callbacks.ModelCheckpoint("x.h5"), WeightsFileError, "change .h5 to .npz"),
        (lambda: callbacks.ModelCheckpoint(3), WeightsFileError, f"{NAMED_FILE}3"),
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
        (lambda: callbacks.ReduceLROnPlateau(factor=1.0), OptionError, f"`factor`: {BELOW_1}"),
        (lambda: callbacks.LambdaCallback(on_epoch=print), UnknownNameError, "Did you mean 'on_epoch_end'"),
        (lambda: callbacks.ModelCheckpoint("x", save_weights_only=False), OptionError, "expected one of True"),
        (
            lambda: model_on().fit(X, Y, callbacks=callbacks.ModelCheckpoint("{val_los}.npz"), verbose=0),
            UnknownNameError,
            "ModelCheckpoint: `filepath`: unknown name 'val_los'. Did you mean 'loss'?",
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
