"""A line for each epoch without a terminal, a bar on a terminal."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import numpy as np
import pytest

from minigrad.engine.errors import NaNLossError
from minigrad.keras import Sequential
from minigrad.keras.callbacks.progress import ProgbarLogger, formatted
from minigrad.keras.layers import Dense

X, Y = np.ones((40, 2)), np.zeros((40, 1))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def model():
    made = Sequential([Dense(1)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def test_lines(capsys):
    model().fit(X, Y, epochs=2, validation_split=0.5)
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert len(lines) == 2
    number = r"\d\.\d+"
    assert re.fullmatch(
        rf"Epoch 1/2 - {number}s - loss: {number} - mae: {number} - val_loss: {number} - val_mae: {number}", lines[0]
    )


def test_silence_and_evaluation(capsys):
    trained = model()
    trained.fit(X, Y, verbose=0)
    trained.evaluate(X, Y, verbose=0)
    trained.predict(X)
    assert capsys.readouterr().out == ""
    trained.evaluate(X, Y)
    assert capsys.readouterr().out.startswith("loss: ")


def test_a_bar_on_a_terminal(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    model().fit(X, Y, epochs=2, batch_size=10)
    shown = screen.getvalue()
    assert "Epoch 2/2: 4/4" in shown
    assert "loss: " in shown.splitlines()[-1]


def test_two_asks_for_lines_on_a_terminal_too(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    model().fit(X, Y, epochs=2, verbose=2)
    assert len(screen.getvalue().splitlines()) == 2
    assert "\r" not in screen.getvalue()


def test_the_bar_is_closed_when_the_training_breaks_off(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    with pytest.raises(NaNLossError):
        model().fit(X * np.nan, Y)
    assert screen.getvalue().endswith("\n")


def test_small_numbers_keep_their_digits():
    assert formatted({"loss": 0.25, "lr": 1e-5, "zero": 0.0}) == "loss: 0.2500 - lr: 1e-05 - zero: 0"


def test_a_training_without_a_terminal_never_loads_tqdm():
    code = (
        "import sys, minigrad as mg; m = mg.keras.Sequential([mg.keras.layers.Dense(1)]); m.compile('sgd', 'mse');"
        "m.fit([[1.0]], [[1.0]]); assert 'tqdm' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Epoch 1/1")


def test_the_stream_can_be_chosen():
    stream = io.StringIO()
    model().fit(X, Y, verbose=0, callbacks=ProgbarLogger(stream=stream))
    assert stream.getvalue().startswith("Epoch 1/1")
