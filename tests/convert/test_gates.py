"""Weights of a framework, split into gates; messages that begin with the caller's name."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.convert import GRU_LAYOUTS, LSTM_LAYOUTS, ConversionError
from minigrad.convert.gates import name_sets, prefix_errors, split_gates
from minigrad.engine.errors import ShapeError


def test_each_gate_has_its_columns() -> None:
    kernel = np.repeat([[0.0, 1.0, 2.0, 3.0]], 2, 1).repeat(5, 0)  # i i j j f f o o; three rows of x, two of h
    parts = split_gates("mine", [kernel, kernel[0]], LSTM_LAYOUTS["tf1"])
    for gate, number in zip("igfo", range(4), strict=True):
        assert (parts.W[gate] == np.full((3, 2), number)).all()
        assert (parts.U[gate] == np.full((2, 2), number)).all()
        assert parts.b is not None
        assert (parts.b[gate] == np.full(2, number)).all()


def test_the_units_of_one_gate_stand_apart_in_chainer() -> None:
    W = np.arange(8.0)[:, None] * np.ones((8, 3))  # a0 i0 f0 o0 a1 i1 f1 o1
    parts = split_gates("mine", [W, np.ones(8), np.ones((8, 2))], LSTM_LAYOUTS["chainer"])
    assert {gate: list(W[0]) for gate, W in parts.W.items()} == {"g": [0, 4], "i": [1, 5], "f": [2, 6], "o": [3, 7]}


def test_combinations_of_arrays() -> None:
    assert name_sets(LSTM_LAYOUTS["keras"]) == [
        ("kernel", "recurrent_kernel"),
        ("kernel", "recurrent_kernel", "bias"),
    ]
    assert name_sets(GRU_LAYOUTS["tf1"]) == [("gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias")]


def test_messages_begin_with_the_callers_name() -> None:
    with pytest.raises(ShapeError, match=r"^mine: 'keras' has the arrays kernel, recurrent_kernel; or"):
        split_gates("mine", [np.ones((3, 8))], LSTM_LAYOUTS["keras"])
    with pytest.raises(ConversionError, match=r"^mine: no"), prefix_errors("mine"):
        raise ConversionError("no")
    with pytest.raises(KeyError, match="other"), prefix_errors("mine"):
        raise KeyError("other")
