"""Logs in a file of comma-separated values."""

from __future__ import annotations

from callback_runs import X, Y, model_on
from minigrad.keras import callbacks


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
