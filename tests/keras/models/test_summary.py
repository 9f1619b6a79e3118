"""The table of a model."""

from __future__ import annotations

import numpy as np

from minigrad.keras import Model, Sequential, backend
from minigrad.keras.layers import LSTM, Dense, Embedding


def lines_of(model):
    lines = []
    model.summary(print_fn=lines.append)
    return "\n".join(lines).splitlines()


def test_a_sequential():
    backend.clear_session()
    model = Sequential([Embedding(5, 2, mask_zero=True), LSTM(3), Dense(1, trainable=False)])
    assert "not built" in "\n".join(lines_of(model))
    assert lines_of(model)[-1] == "Not built: call it on data."
    model.build((None, 4))
    lines = lines_of(model)
    assert lines[0] == "sequential (Sequential)"
    rows = {line.split()[0]: line for line in lines[4:7]}
    assert rows["embedding"].split("  ")[-1].strip() != "–"
    assert "(None, 4, 2)" in rows["embedding"]
    assert "yes" in rows["embedding"]
    assert "(None, 3)" in rows["lstm"]
    assert "72" in rows["lstm"]
    assert "–" in rows["dense"]
    assert lines[-1] == "Weights: 86, of which trainable: 82."


def test_a_model_of_ones_own_and_gates():
    class Own(Model):
        def __init__(self):
            super().__init__()
            self.lstm = LSTM(3)
            self.lstm.gate_layout = self.lstm.cell.gate_layout = ("i", "f", "c", "o")

        def call(self, inputs):
            return self.lstm(inputs)

    model = Own()
    model(np.ones((2, 4, 1)))
    text = "\n".join(lines_of(model))
    assert "i, f, c, o" in text
    assert "passes on" in text
