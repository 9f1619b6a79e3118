"""The model of every task."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.train.model import SequenceModel
from minigrad.train.task import ModelShape, RunOptions


def model_of(shape, **options):
    mg.random.seed(0)
    model = SequenceModel(shape, RunOptions(**{"units": 5, **options}))
    model(np.zeros((1, 1), np.int32) if shape.symbols else np.zeros((1, 1, shape.inputs), np.float32))
    return model


def weights_of(model, name):
    return [weight.numpy() for weight in model.weights if name in weight.name]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_symbols_are_embedded_or_one_hot():
    (kernel,) = (w for w in weights_of(model_of(ModelShape(4, 3, embedding=2)), "/kernel:0") if w.shape[1] == 20)
    assert kernel.shape == (2, 20)
    model = model_of(ModelShape(4, 3))
    (kernel,) = (w for w in weights_of(model, "/kernel:0") if w.shape[1] == 20)
    assert kernel.shape == (4, 20)
    numbers = model_of(ModelShape(4, 3, symbols=False))
    numbers.set_weights(model.get_weights())
    symbols = np.array([[1, 3, 0]])
    np.testing.assert_allclose(model(symbols)[0].numpy(), numbers(np.eye(4, dtype=np.float32)[symbols])[0].numpy())


@pytest.mark.parametrize(("cell", "states"), [("lstm", 2), ("gru", 1), ("simple_rnn", 1)])
def test_states_go_in_and_out_so_that_two_halves_make_a_whole(cell, states):
    model = model_of(ModelShape(2, 3, symbols=False), cell=cell, layers=2)
    x = np.random.default_rng(0).normal(size=(4, 6, 2)).astype(np.float32)
    whole, last = model(x)
    assert whole.shape == (4, 6, 3)
    assert [[state.shape for state in layer] for layer in last] == [[(4, 5)] * states] * 2
    first, between = model(x[:, :2])
    second, end = model(x[:, 2:], states=between)
    np.testing.assert_allclose(np.concatenate([first.numpy(), second.numpy()], axis=1), whole.numpy(), atol=1e-6)
    np.testing.assert_allclose(end[1][0].numpy(), last[1][0].numpy(), atol=1e-6)


def test_dropout_acts_only_in_training():
    model = model_of(ModelShape(2, 3, symbols=False), dropout=0.5)
    x = np.ones((1, 3, 2), np.float32)
    calm = model(x, training=False)[0].numpy()
    np.testing.assert_array_equal(calm, model(x, training=False)[0].numpy())
    assert any(not np.array_equal(calm, model(x, training=True)[0].numpy()) for _ in range(9))


def test_with_memory_the_gates_of_an_lstm_start_from_time_scales():
    (bias,) = (w for w in weights_of(model_of(ModelShape(2, 3), memory=100), "bias") if w.shape == (20,))
    taken, kept = sigmoid(bias[:5]), sigmoid(bias[5:10])
    np.testing.assert_allclose(1 / (1 - kept), np.linspace(2, 100, 5), rtol=1e-4)
    np.testing.assert_allclose(taken, 1 - kept, rtol=1e-4)
    assert not bias[10:].any()


def test_with_memory_the_update_gate_of_a_gru_starts_from_time_scales():
    (bias,) = (w for w in weights_of(model_of(ModelShape(2, 3), memory=100, cell="gru"), "bias") if w.ndim == 2)
    np.testing.assert_allclose(1 / (1 - sigmoid(bias[0, :5])), np.linspace(2, 100, 5), rtol=1e-4)
    assert not bias[0, 5:].any()
    assert not bias[1].any()


def test_a_state_is_kept_for_the_memory():
    model = model_of(ModelShape(2, 3, symbols=False), memory=50, units=1)
    layer = model.recurrent[0]
    kernel, recurrent, bias = layer.get_weights()
    layer.set_weights([kernel * 0, recurrent * 0, np.where(np.arange(4) == 1, np.log(49), bias)])
    zero, one = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    _, after = model(np.zeros((1, 50, 2), np.float32), states=[[mg.tensor(zero), mg.tensor(one)]])
    assert after[0][1].item() == pytest.approx(1 / np.e, rel=0.02)


def test_without_memory_the_layers_own_start_stands():
    (bias,) = (w for w in weights_of(model_of(ModelShape(2, 3)), "bias") if w.shape == (20,))
    assert bias.tolist() == [0] * 5 + [1] * 5 + [0] * 10
    model_of(ModelShape(2, 3), memory=50, cell="simple_rnn")
