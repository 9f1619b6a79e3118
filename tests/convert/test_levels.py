"""Levels, directions and layouts of cells of all API generations, and the conversion of weights between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from convert.recorded import L, draw, group, torch_cases
from minigrad.compat.v1.nn import rnn_cell
from minigrad.compat.v1.nn.rnn_cell import LSTMStateTuple
from minigrad.convert import ConversionError, from_torch_state_dict, relayout, relayout_gru, to_torch_state_dict
from minigrad.convert.levels import kind_and_layout, levels
from tool_errors import CLIPS_STATE, NO_PEEPHOLES

V1 = mg.compat.v1.keras.layers
BATCH, FEATURES, UNITS = 3, 4, 5
numbers = np.random.default_rng(2)
X, H, C = (numbers.normal(size=(BATCH, n)) for n in (FEATURES, UNITS, UNITS))


def built(cell: Any, features: int = FEATURES) -> Any:
    cell.build((None, features))
    return draw(cell)


def first(**options: Any) -> Any:
    return rnn_cell.LSTMCell(UNITS, dtype="float64", **options)


def numpy(*tensors: Any) -> list[Any]:
    return [tensor.numpy() for tensor in tensors]


# --- one sentence through three cells ---------------------------------------------------------------------------------


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -1.5])
def test_the_three_generations_with_the_same_weights(forget_bias: float) -> None:
    one = built(first(forget_bias=forget_bias))
    keras = relayout(one.get_weights(), "tf1", "keras", forget_bias=forget_bias)
    two, three = V1.LSTMCell(UNITS, recurrent_activation="sigmoid", dtype="float64"), L.LSTMCell(UNITS, dtype="float64")
    _, (c, h) = one(X, LSTMStateTuple(C, H))
    for cell in (two, three):
        cell.build((None, FEATURES))
        cell.set_weights(list(keras.values()))
        _, (h_new, c_new) = cell(X, [H, C])
        np.testing.assert_allclose(numpy(h_new, c_new), numpy(h, c), rtol=0, atol=1e-14)


def test_the_gru_of_the_generations_with_the_same_weights() -> None:
    one = built(rnn_cell.GRUCell(UNITS, dtype="float64"))
    moved = relayout_gru(one.get_weights(), "tf1", "keras_reset_before")
    three = L.GRUCell(UNITS, reset_after=False, dtype="float64")
    three.build((None, FEATURES))
    three.set_weights(list(moved.values()))
    np.testing.assert_allclose(three(X, [H])[0].numpy(), one(X, H)[0].numpy(), rtol=0, atol=1e-14)


# --- PyTorch and the first generation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("forget_bias", [1.0, 0.0])
@pytest.mark.parametrize("name", ["lstm", "lstm_without_bias", "lstm_projected", "lstm_projected_without_bias"])
def test_a_cell_of_the_first_generation_takes_pytorchs_weights(name: str, forget_bias: float) -> None:
    arrays, arguments = torch_cases()[name]["arrays"], torch_cases()[name]["arguments"]
    options = {"num_proj": arguments.get("proj_size"), "forget_bias": forget_bias, "dtype": "float64"}
    cell = rnn_cell.LSTMCell(arguments["hidden_size"], **options)
    from_torch_state_dict(group(arrays, "weight/"), cell)
    m, c = arrays["state/0"][0], arrays["state/1"][0]
    for t in range(arrays["x"].shape[1]):
        output, (c, m) = cell(arrays["x"][:, t], LSTMStateTuple(c, m))
        np.testing.assert_allclose(output.numpy(), arrays["output/0"][:, t], rtol=0, atol=1e-12)
    np.testing.assert_allclose(m.numpy(), arrays["output/1"][0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(c.numpy(), arrays["output/2"][0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["lstm_two_levels", "lstm_projected_two_levels"])
def test_a_multi_rnn_cell_is_a_stack_of_levels(name: str) -> None:
    arrays, arguments = torch_cases()[name]["arrays"], torch_cases()[name]["arguments"]
    options = {"num_proj": arguments.get("proj_size"), "dtype": "float64"}
    cells = [rnn_cell.LSTMCell(arguments["hidden_size"], **options) for _ in range(2)]
    state = group(arrays, "weight/")
    from_torch_state_dict(state, cells)
    stack = rnn_cell.MultiRNNCell(cells)
    states = tuple(LSTMStateTuple(arrays["state/1"][k], arrays["state/0"][k]) for k in range(2))
    for t in range(arrays["x"].shape[1]):
        output, states = stack(arrays["x"][:, t], states)
        np.testing.assert_allclose(output.numpy(), arrays["output/0"][:, t], rtol=0, atol=1e-12)
    back = to_torch_state_dict(stack)
    assert list(back) == list(state)
    for key in state:
        other = key.replace("bias_ih", "bias_hh") if "bias_ih" in key else key.replace("bias_hh", "bias_ih")
        summed = "bias" in key
        ours = back[key] + back[other] if summed else back[key]
        np.testing.assert_allclose(ours, state[key] + state[other] if summed else state[key], rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (lambda: first(use_peepholes=True), f"{NO_PEEPHOLES}'torch'"),
        (lambda: first(cell_clip=3.0), f"cell_clip=3.0 has no counterpart in PyTorch: {CLIPS_STATE}"),
        (lambda: first(num_proj=2, proj_clip=1.0), "proj_clip=1.0 has no counterpart in PyTorch"),
        (lambda: first(activation="relu"), "activation='relu' has no counterpart in PyTorch"),
        (lambda: rnn_cell.GRUCell(UNITS, dtype="float64"), "reset gate acts on h, before the product"),
        (lambda: rnn_cell.DropoutWrapper(first()), "got DropoutWrapper"),
        (lambda: rnn_cell.ResidualWrapper(first()), "got ResidualWrapper"),
        (lambda: rnn_cell.BasicRNNCell(UNITS, dtype="float64"), "got BasicRNNCell"),
    ],
)
def test_what_has_no_counterpart(cell: Any, message: str) -> None:
    made = cell()
    made.build((None, UNITS))
    with pytest.raises(ConversionError, match=message):
        to_torch_state_dict(made)


# --- levels -----------------------------------------------------------------------------------------------------------


def test_levels_of_all_kinds_of_targets() -> None:
    cell = L.LSTMCell(2)
    targets: list[tuple[Any, list[int]]] = [
        (L.LSTM(2), [1]),
        (L.RNN(cell), [1]),
        (L.RNN([cell, L.GRUCell(2)]), [1, 1]),
        (L.StackedRNNCells([cell, cell]), [1, 1]),
        (L.Bidirectional(L.GRU(2)), [2]),
        (rnn_cell.MultiRNNCell([first(), rnn_cell.BasicLSTMCell(2)]), [1, 1]),
        (mg.keras.Sequential([L.LSTM(2, return_sequences=True), L.Bidirectional(L.LSTM(2))]), [1, 2]),
        ([L.LSTM(2), [cell, L.Bidirectional(L.LSTM(2))]], [1, 1, 2]),
    ]
    for target, expected in targets:
        assert [len(level.directions) for level in levels("here", target)] == expected


def test_the_name_in_a_message_is_the_layers() -> None:
    (level,) = levels("here", L.LSTM(2, name="encoder"))
    assert level.directions[0].name == "encoder"
    assert level.directions[0].units == level.directions[0].outputs == 2
    stack = L.StackedRNNCells([L.LSTMCell(2, name="lower"), L.LSTMCell(2, name="upper")])
    assert [level.directions[0].name for level in levels("here", stack)] == ["lower", "upper"]
    (level,) = levels("here", first(num_proj=3))
    assert (level.directions[0].units, level.directions[0].outputs) == (5, 3)
    assert level.directions[0].activation("recurrent_activation") == "sigmoid"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (L.LSTMCell(2), ("LSTM", "keras")),
        (mg.compat.v1.keras.layers.LSTMCell(2), ("LSTM", "keras")),
        (rnn_cell.LSTMCell(2), ("LSTM", "tf1")),
        (rnn_cell.BasicLSTMCell(2), ("LSTM", "tf1")),
        (L.GRUCell(2), ("GRU", "keras")),
        (L.GRUCell(2, reset_after=False), ("GRU", "keras_reset_before")),
        (rnn_cell.GRUCell(2), ("GRU", "tf1")),
        (L.SimpleRNNCell(2), None),
        (L.LSTM(2), None),
        (3, None),
    ],
)
def test_kind_and_layout_of_a_cell(cell: Any, expected: Any) -> None:
    found = kind_and_layout(cell)
    assert (found and (found[0], found[1].name)) == expected
