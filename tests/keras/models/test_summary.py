"""The table of a model."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.keras import Model, Sequential, backend
from minigrad.keras.layers import GRU, LSTM, Bidirectional, Dense, Embedding, Masking, SimpleRNN


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
            self.lstm = LSTM(3, return_sequences=True)

        def call(self, inputs):
            return self.lstm(inputs)

    model = Own()
    model(np.ones((2, 4, 1)))
    text = "\n".join(lines_of(model))
    assert "i, f, g, o" in text
    assert "passes on" in text


@pytest.mark.parametrize(
    ("layer", "mask"),
    [
        (LSTM(3), "–"),
        (LSTM(3, return_sequences=True), "passes on"),
        (Bidirectional(GRU(3)), "–"),
        (Bidirectional(GRU(3, return_sequences=True)), "passes on"),
        (Embedding(3, 2), "–"),
        (Embedding(3, 2, mask_zero=True), "makes one"),
        (Masking(), "makes one"),
        (Dense(3), "passes on"),
    ],
)
def test_masks_to_come(layer, mask):
    row = next(line for line in lines_of(Sequential([layer])) if line.startswith(layer.name))
    assert row.split("not built")[1].split("  ")[1].strip() == mask


@pytest.mark.parametrize(("layer", "gates"), [(GRU(3), "z, r, g"), (LSTM(3), "i, f, g, o"), (SimpleRNN(3), "")])
def test_gates_as_they_stand_in_the_kernel(layer, gates):
    assert ", ".join(layer.cell.gate_layout) == gates
    assert layer.cell.gates == max(1, len(layer.cell.gate_layout))
    lines = lines_of(Sequential([layer]))
    assert ("Gates" in lines[2]) == (gates != "")
    assert gates in lines[4]
