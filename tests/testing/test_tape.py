"""`on_tape` runs any cell op by op, with the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine.errors import MinigradError
from minigrad.keras import layers as L
from minigrad.recurrent import LSTM
from minigrad.testing import on_tape

BATCH, TIME, FEATURES = 2, 3, 4
X = np.random.default_rng(0).standard_normal((BATCH, TIME, FEATURES))


def model() -> Any:
    return mg.keras.Sequential([L.LSTM(3, return_sequences=True), L.Dense(2), L.GRU(2)])


HOLDERS: dict[str, Callable[[], Any]] = {
    "layer": lambda: L.LSTM(3),
    "unrolled": lambda: L.GRU(3, unroll=True),
    "stack": lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2, reset_after=False)]),
    "both ways": lambda: L.Bidirectional(L.SimpleRNN(3, return_sequences=True)),
    "model": model,
    "first generation": lambda: L.RNN(rc.LSTMCell(3, use_peepholes=True, num_proj=2, dtype="float32")),
    "equations": lambda: L.RNN(L.EquationCell(LSTM, 3)),
}


def gradients(layer: Any) -> list[np.ndarray]:
    x = mg.tensor(X.astype("float32"), requires_grad=True)
    y = layer(x)
    found = mg.grad((y * y).sum(), [x, *layer.trainable_weights])
    return [y.numpy(), *(g.numpy() for g in found)]


def recurrent_layers(layer: Any) -> list[Any]:
    if isinstance(layer, L.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [part for part in getattr(layer, "layers", [layer]) if isinstance(part, L.RNN)]


@pytest.mark.usefixtures("fresh_variables")
@pytest.mark.parametrize("name", HOLDERS)
def test_whatever_holds_a_cell_runs_op_by_op(name: str) -> None:
    layer = HOLDERS[name]()
    by_hand = gradients(layer)
    assert all(part.path.startswith("explicit BPTT") for part in recurrent_layers(layer))
    with on_tape(layer):
        taped = gradients(layer)
        assert recurrent_layers(layer)
        assert [part.path for part in recurrent_layers(layer)] == [
            "tape, op by op: mg.testing.on_tape" for _ in recurrent_layers(layer)
        ]
    for one, other in zip(by_hand, taped, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    layer(mg.tensor(X.astype("float32")))
    assert all(part.path.startswith("explicit BPTT") for part in recurrent_layers(layer))  # outside it is as before


@pytest.mark.usefixtures("fresh_variables")
@pytest.mark.parametrize("cell", [lambda: L.GRUCell(4), lambda: rc.LSTMCell(4), lambda: L.EquationCell(LSTM, 4)])
def test_a_cell_called_by_hand(cell: Callable[[], Any]) -> None:
    """One node outside, some twenty inside."""
    made = cell()
    x = mg.tensor(X[:, 0].astype("float32"))
    state = made.get_initial_state(batch_size=BATCH, dtype="float32")
    output, _ = made(x, state)
    with on_tape(made):
        taped, _ = made(x, state)
    np.testing.assert_allclose(output.numpy(), taped.numpy(), rtol=1e-5, atol=1e-6)
    assert output.node.op.__name__ == "StepOp"
    assert taped.node.op.__name__ != "StepOp"


def test_an_error_inside_ends_it() -> None:
    layer = L.LSTM(3)
    with pytest.raises(RuntimeError, match="mine"), on_tape(layer):
        raise RuntimeError("mine")
    layer(X)
    assert layer.path.startswith("explicit BPTT")


def test_inside_one_another() -> None:
    one, other = L.LSTM(3), L.GRU(3)
    with on_tape(one):
        with on_tape(other):
            one(X), other(X)
        assert "on_tape" in one.path
        assert "on_tape" in other.path
        one(X), other(X)
        assert "on_tape" in one.path
        assert "on_tape" not in other.path


@pytest.mark.parametrize("wrong", [3, "lstm", None, L.Dense, mg.ones((2,))])
def test_what_holds_no_cell(wrong: Any) -> None:
    with pytest.raises(MinigradError, match="on_tape: expected a recurrent layer or cell, or a model that holds some"):
        on_tape(wrong)
    with pytest.raises(MinigradError, match="expected a recurrent layer or cell"):
        on_tape(L.Dense(2))


def test_dynamic_rnn_on_tape() -> None:
    v1.reset_default_graph()
    cell = rc.GRUCell(3)
    with on_tape(cell):
        v1.nn.dynamic_rnn(cell, X.astype("float32"), dtype="float32")
    assert cell.path == "tape, op by op: mg.testing.on_tape"
    v1.reset_default_graph()
