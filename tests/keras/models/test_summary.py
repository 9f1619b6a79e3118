"""The table of a model."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.engine.errors import ShapeError
from minigrad.keras import Model, Sequential, backend
from minigrad.keras.layers import GRU, LSTM, Bidirectional, Dense, Embedding, Input, Layer, Masking, SimpleRNN


def lines_of(model):
    lines = []
    model.summary(print_fn=lines.append)
    return "\n".join(lines).splitlines()


def test_a_sequential():
    backend.clear_session()
    model = Sequential([LSTM(3, name="first"), Dense(1, name="second")], name="open")
    assert "not built" in "\n".join(lines_of(model))
    assert lines_of(model)[-1] == "Not built: call it on data."
    model = Sequential([Embedding(5, 2, mask_zero=True), LSTM(3), Dense(1, trainable=False)])
    assert "(None, None, 2)" in lines_of(model)[4]  # its input is known but for the length
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


def test_sizes_that_the_input_leaves_open():
    model = Sequential([Input((None, 3)), LSTM(2, return_sequences=True), LSTM(4)])
    assert "(None, None, 2)" in lines_of(model)[4]
    assert "(None, 4)" in lines_of(model)[5]
    assert model.output_shape == (None, 4)


def test_a_size_that_must_be_known():
    class Flat(Layer):
        def call(self, inputs):
            return inputs.reshape((inputs.shape[0], -1))

    with pytest.raises(ShapeError, match="a layer needs a size that is None in the shape") as caught:
        Sequential([Embedding(5, 2), Flat(), Dense(1)])
    assert "input_length where the first layer is an Embedding" in str(caught.value)
    assert Sequential([Embedding(5, 2, input_length=4), Flat(), Dense(1)]).count_params() == 10 + 9


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
    before = Sequential([LSTM(1, return_sequences=True, name="before"), layer])  # whose input is not known
    row = next(line for line in lines_of(before) if line.startswith(layer.name))
    assert row.split("not built")[1].split("  ")[1].strip() == mask


@pytest.mark.parametrize(("layer", "gates"), [(GRU(3), "z, r, g"), (LSTM(3), "i, f, g, o"), (SimpleRNN(3), "")])
def test_gates_as_they_stand_in_the_kernel(layer, gates):
    assert ", ".join(layer.cell.gate_layout) == gates
    assert layer.cell.gates == max(1, len(layer.cell.gate_layout))
    lines = lines_of(Sequential([layer]))
    assert ("Gates" in lines[2]) == (gates != "")
    assert gates in lines[4]
