"""PyTorch's weights give PyTorch's outputs (recorded from torch 2.13), and return to PyTorch unchanged."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy as xp
from convert.recorded import L, draw, group, torch_cases
from layer_errors import NO_WEIGHTS
from minigrad.convert import (
    ConversionError,
    from_torch_state_dict,
    read_safetensors,
    relayout,
    to_torch_state_dict,
    write_safetensors,
)
from minigrad.engine.errors import ShapeError
from minigrad.recurrent import bptt
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.lstmp import LSTMP
from tool_errors import NO_PROJECTION

PLAIN = [name for name in torch_cases() if "projected" not in name]
PROJECTED = [name for name in torch_cases() if "projected" in name]


def layers_of(name: str, **changes: Any) -> list[Any]:
    """Layers for a recorded module, which return their sequences and states."""
    arguments = torch_cases()[name]["arguments"]
    made = L.LSTM if name.startswith("lstm") else L.GRU
    options = {"return_sequences": True, "return_state": True, "dtype": "float64", **changes}
    options["use_bias"] = arguments.get("bias", True)
    layers = [made(arguments["hidden_size"], **options) for _ in range(arguments.get("num_layers", 1))]
    if arguments.get("bidirectional"):
        return [L.Bidirectional(layer, dtype="float64") for layer in layers]
    return layers


def run(layers: list[Any], x: Any, states: list[Any]) -> list[Any]:
    """Outputs in the form of PyTorch: y, and h_n (and c_n) of all levels and directions."""
    ways = 2 if isinstance(layers[0], L.Bidirectional) else 1
    last: list[list[Any]] = [[] for _ in states]
    for k, layer in enumerate(layers):
        initial = [s[k * ways + way] for way in range(ways) for s in states]
        x, *new = layer(x, initial_state=initial)
        for n, state in enumerate(new):
            last[n % len(states)].append(state)
    return [x, *(mg.stack(states) for states in last)]


@pytest.mark.parametrize("name", PLAIN)
def test_outputs_and_gradients_are_pytorchs(name: str) -> None:
    arrays = torch_cases()[name]["arrays"]
    layers = layers_of(name)
    from_torch_state_dict(group(arrays, "weight/"), layers)
    x = mg.tensor(arrays["x"], requires_grad=True)
    results = run(layers, x, [mg.tensor(s) for s in group(arrays, "state/").values()])
    loss = mg.tensor(0.0, dtype="float64")
    for k, result in enumerate(results):
        np.testing.assert_allclose(result.numpy(), arrays[f"output/{k}"], rtol=0, atol=1e-12)
        loss = loss + (result * arrays[f"cotangent/{k}"]).sum()
    loss.backward()
    np.testing.assert_allclose(x.grad.numpy(), arrays["grad/x"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PLAIN)
def test_the_state_dict_goes_back_with_its_biases_summed(name: str) -> None:
    state = group(torch_cases()[name]["arrays"], "weight/")
    layers = layers_of(name)
    from_torch_state_dict(state, layers)
    back = to_torch_state_dict(layers)
    assert list(back) == list(state)
    for key, array in state.items():
        expected = array
        if name.startswith("lstm") and "bias_ih" in key:
            expected = array + state[key.replace("_ih", "_hh")]
        elif name.startswith("lstm") and "bias_hh" in key:
            expected = np.zeros_like(array)
        np.testing.assert_array_equal(back[key], expected, err_msg=key)
        assert back[key].flags.c_contiguous


@pytest.mark.parametrize("name", PLAIN)
def test_through_a_safetensors_file_with_a_prefix(name: str, tmp_path: Path) -> None:
    layers = layers_of(name)
    from_torch_state_dict(group(torch_cases()[name]["arrays"], "weight/"), layers)
    state = to_torch_state_dict(layers, prefix="encoder.rnn.")
    write_safetensors(tmp_path / "model.safetensors", {**state, "head.weight": np.ones((2, 3))}, {"format": "pt"})
    again = layers_of(name)
    from_torch_state_dict(read_safetensors(tmp_path / "model.safetensors"), again, prefix="encoder.rnn.")
    for one, other in zip(layers, again, strict=True):
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", PROJECTED)
def test_a_projection_in_the_first_generations_formulas(name: str) -> None:
    """tf1's K, b and P from PyTorch's weights, run by the explicit loop."""
    arrays, arguments = torch_cases()[name]["arrays"], torch_cases()[name]["arguments"]
    y = arrays["x"].swapaxes(0, 1)
    for k in range(arguments.get("num_layers", 1)):
        named = {key.removesuffix(f"_l{k}"): a for key, a in group(arrays, "weight/").items() if key.endswith(f"_l{k}")}
        moved = relayout(named, "torch", "tf1", forget_bias=0.5)
        step = Formulas(LSTMP, forget_bias=0.5)
        W, U = np.split(moved["kernel"], [y.shape[-1]])
        weights = step.Weights(W=W, U=U, P=moved["projection/kernel"], b=moved["bias"])
        state = arrays["state/1"][k], arrays["state/0"][k]  # (c, m)
        y, (c_n, m_n), _ = bptt.forward(xp, step, y, state, weights)
        np.testing.assert_allclose(m_n, arrays["output/1"][k], rtol=0, atol=1e-12)
        np.testing.assert_allclose(c_n, arrays["output/2"][k], rtol=0, atol=1e-12)
    np.testing.assert_allclose(y.swapaxes(0, 1), arrays["output/0"], rtol=0, atol=1e-12)


# --- other targets ----------------------------------------------------------------------------------------------------


def weights(name: str) -> dict[str, Any]:
    return group(torch_cases()[name]["arrays"], "weight/")


def built(layer: Any, features: int = 3) -> Any:
    layer.build((None, None, features))
    return draw(layer)


@pytest.mark.parametrize("wrap", [list, lambda cells: L.RNN(list(cells), dtype="float64")])
def test_a_stack_of_cells_is_a_stack_of_levels(wrap: Any) -> None:
    target = wrap([L.LSTMCell(3, dtype="float64"), L.LSTMCell(3, dtype="float64")])
    from_torch_state_dict(weights("lstm_two_levels"), target)
    expected = [w for layer in filled("lstm_two_levels") for w in layer.get_weights()]
    cells = target if isinstance(target, list) else target.cell.cells
    for one, other in zip([w for cell in cells for w in cell.get_weights()], expected, strict=True):
        np.testing.assert_array_equal(one, other)


def filled(name: str) -> list[Any]:
    layers = layers_of(name)
    from_torch_state_dict(weights(name), layers)
    return layers


def test_a_sequential_of_recurrent_layers() -> None:
    model = mg.keras.Sequential(layers_of("lstm_two_levels", return_state=False))
    from_torch_state_dict(weights("lstm_two_levels"), model)
    arrays = torch_cases()["lstm_two_levels"]["arrays"]
    zeros = filled("lstm_two_levels")
    expected = run(zeros, mg.tensor(arrays["x"]), [mg.zeros((2, 2, 3), "float64")] * 2)[0]
    np.testing.assert_array_equal(model(arrays["x"]).numpy(), expected.numpy())


def test_the_names_of_a_cell() -> None:
    cell = L.LSTMCell(4, dtype="float64")
    state = {name.removesuffix("_l0"): array for name, array in weights("lstm").items()}
    from_torch_state_dict(state, cell)
    np.testing.assert_array_equal(cell.get_weights()[0], state["weight_ih"].T)


def test_a_layer_with_a_bias_takes_weights_without_as_zeros() -> None:
    layer = L.LSTM(4, dtype="float64")
    from_torch_state_dict(weights("lstm_without_bias"), layer)
    np.testing.assert_array_equal(layer.get_weights()[2], np.zeros(16))
    gru = L.GRU(3, dtype="float64")
    from_torch_state_dict(weights("gru_without_bias"), gru)
    np.testing.assert_array_equal(gru.get_weights()[2], np.zeros((2, 9)))


# --- options without a counterpart ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (L.LSTM(2, recurrent_activation="hard_sigmoid"), "recurrent_activation='hard_sigmoid' has no counterpart"),
        (mg.compat.v1.keras.layers.LSTM(2), "recurrent_activation='hard_sigmoid' has no counterpart in PyTorch"),
        (L.LSTM(2, activation="relu"), "activation='relu' has no counterpart in PyTorch, whose LSTM has tanh there"),
        (L.GRU(2, activation=lambda x: 2 * mg.tanh(x)), "a custom function"),
        (L.LSTM(2, recurrent_dropout=0.2), "recurrent_dropout=0.2 has no counterpart in PyTorch"),
        (L.LSTM(2, go_backwards=True), "PyTorch has no module that runs backward alone"),
        (L.GRU(2, reset_after=False), "gru.*: 'keras_reset_before' cannot be converted to 'torch'"),
        (L.Bidirectional(L.LSTM(2), merge_mode="sum"), "merge_mode='sum' has no counterpart in PyTorch"),
        (L.Bidirectional(L.LSTM(2, go_backwards=True)), "the first of two directions is the forward one"),
        (L.Bidirectional(L.RNN([L.LSTMCell(2), L.LSTMCell(2)])), "Wrap each layer in its own Bidirectional"),
        (L.SimpleRNN(2), "expected `target` of LSTM or GRU layers or cells, got SimpleRNNCell"),
        (L.Dense(2), "got Dense 'dense.*'. Pass a list of the recurrent layers alone"),
    ],
)
def test_what_has_no_counterpart(layer: Any, message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        to_torch_state_dict(built(layer))


def test_weights_that_are_not_there_yet() -> None:
    with pytest.raises(ConversionError, match=f"fresh: {re.escape(NO_WEIGHTS)} the layer on data first"):
        to_torch_state_dict(L.LSTM(2, name="fresh"))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([built(L.LSTM(2)), built(L.LSTM(3), 2)], "LSTM of 2 units.*; LSTM of 3 units"),
        ([built(L.LSTM(2)), built(L.GRU(2), 2)], "one kind and size"),
        ([built(L.LSTM(2)), built(L.LSTM(2, use_bias=False), 2)], "with a bias, one direction; .* with no bias"),
        ([built(L.LSTM(2)), built(L.Bidirectional(L.LSTM(2)), 2)], "one direction; .*two directions"),
        ([built(L.LSTM(2)), built(L.LSTM(2, name="upper"))], "upper reads 3 features, and the level below outputs 2"),
        ([], "expected `target`, at least one LSTM or GRU layer or cell, got none"),
    ],
)
def test_layers_that_make_no_module(layers: list[Any], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        to_torch_state_dict(layers)


def refused(state: dict[str, Any], target: Any, error: type[Exception], message: str, **kwargs: Any) -> None:
    with pytest.raises(error, match=message):
        from_torch_state_dict(state, target, **kwargs)


def test_state_dicts_that_do_not_fit() -> None:
    two = "expected 1 level of one direction, as the target has, got 2 levels of one direction"
    refused(weights("lstm_two_levels"), L.LSTM(3), ConversionError, two)
    both = "expected 1 level of two directions, as the target has, got 1 level of one direction"
    refused(weights("lstm"), L.Bidirectional(L.LSTM(4)), ConversionError, both)
    refused(weights("lstm"), L.LSTM(4, use_bias=False), ConversionError, "made with use_bias=False")
    refused(weights("lstm_projected"), L.LSTM(4), ConversionError, f"{NO_PROJECTION}'keras'")
    refused(weights("lstm"), L.LSTM(4, activation="relu"), ConversionError, "activation='relu' has no counterpart")
    refused(weights("gru"), L.LSTM(4), ShapeError, "'weight_hh' of 'torch'")
    refused(weights("lstm"), L.LSTM(5, name="five"), ShapeError, "for five, got")
    refused(
        {"fc.weight": 1},
        L.LSTM(4),
        ConversionError,
        "expected `state` with names such as 'weight_ih_l0'.*got fc.weight",
    )
    refused({}, L.LSTM(4), ConversionError, "got nothing")


def test_a_prefix_that_was_forgotten() -> None:
    state = {f"encoder.{name}": array for name, array in weights("lstm").items()} | {"fc.weight": np.ones(2)}
    refused(state, L.LSTM(4), ConversionError, r"There are recurrent modules with prefix 'encoder\.'")
    refused(state, L.LSTM(4), ConversionError, r"got encoder.weight_ih_l0, .*prefix 'encoder\.'", prefix="decoder.")


def test_nothing_is_set_where_one_of_several_does_not_fit() -> None:
    layers = [built(L.LSTM(3, dtype="float64")), built(L.LSTM(3, dtype="float64"), 4)]
    before = [w for layer in layers for w in layer.get_weights()]
    refused(weights("lstm_two_levels"), layers, ShapeError, "expected weights of shapes .4, 12.")
    for one, other in zip(before, [w for layer in layers for w in layer.get_weights()], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("state", [3, None, [np.ones(3)]])
def test_a_state_dict_that_is_none(state: Any) -> None:
    with pytest.raises(ConversionError, match=r"expected `state`, a dict .* by PyTorch's names, got"):
        from_torch_state_dict(state, L.LSTM(2))


def test_shapes_that_do_not_fit_name_the_layer() -> None:
    state = {"weight_ih_l0": np.ones((16, 3)), "weight_hh_l0": np.ones((16, 5))}
    with pytest.raises(
        ShapeError, match=r"^mine: `weights`: expected 'weight_hh' of 'torch' with 4 columns to its 4 × 4 rows"
    ):
        from_torch_state_dict(state, L.LSTM(4, name="mine"))
