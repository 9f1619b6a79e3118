"""Weights saved by Keras give Keras' outputs in minigrad's models; errors for weights that do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from convert.recorded import DATA, L, Subclassed, draw, keras_answers, many, sequential
from minigrad.convert import ConversionError, load_keras
from minigrad.engine.errors import DTypeError, ShapeError

pytest.importorskip("h5py")

SEQUENTIAL = ["sequential.keras", "sequential.h5", "sequential.weights.h5", "sequential_weights.h5"]
SEQUENTIAL += ["sequential3.keras", "sequential3.h5", "sequential3.weights.h5"]
NAMES = ["lstm", "bidirectional", "rnn", "time_distributed", "late", "out"]


def gives_keras_numbers(model: Any, name: str, x: Any = None) -> None:
    """Accuracy of float64; 1e-8 for Keras 3 on PyTorch, whose products of float64 matrices are less accurate."""
    three = "3" in name
    answers = keras_answers(three)
    expected = answers[f"{name.split('.')[0].rstrip('3').removesuffix('_weights')}/y"]
    tolerance = 1e-6 if three else 1e-12
    np.testing.assert_allclose(model(answers["x"] if x is None else x).numpy(), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_model(name: str) -> None:
    model = draw(sequential())
    used = load_keras(DATA / name, model)
    assert sorted(used) == sorted(NAMES if "3" in name or name != "sequential.weights.h5" else used)
    gives_keras_numbers(model, name)
    expected = keras_answers("3" in name)
    for k, array in enumerate(model.get_weights()):
        np.testing.assert_array_equal(array, expected[f"sequential/weight/{k}"])


@pytest.mark.parametrize("name", ["subclassed.weights.h5", "subclassed3.weights.h5"])
def test_a_subclassed_model(name: str) -> None:
    model = Subclassed()
    model(keras_answers(False)["x"])
    load_keras(DATA / name, model)
    gives_keras_numbers(model, name)


@pytest.mark.parametrize("name", ["many.weights.h5", "many3.weights.h5"])
def test_more_than_ten_layers_of_a_class(name: str) -> None:
    model = many()
    load_keras(DATA / name, model)
    gives_keras_numbers(model, name, keras_answers("3" in name)["x"][:, 0, :2])


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_one_layer_of_a_file(name: str) -> None:
    layer = L.LSTM(3, activation="relu", dtype="float64")
    layer.build((None, None, 2))
    called = "lstm_1" if name == "sequential.weights.h5" else "late"
    assert load_keras(DATA / name, layer, name=called) == [called]
    np.testing.assert_array_equal(layer.get_weights()[0], keras_answers("3" in name)["sequential/weight/17"])


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_bare_cell_takes_the_weights_of_its_layer(name: str) -> None:
    cell = L.LSTMCell(4, dtype="float64")
    cell.build((None, 3))
    load_keras(DATA / name, cell, name="lstm")
    np.testing.assert_array_equal(cell.get_weights()[1], keras_answers("3" in name)["sequential/weight/1"])


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_the_only_layer_of_its_class_needs_no_name(name: str) -> None:
    layer = L.Bidirectional(L.GRU(3, dtype="float64"), dtype="float64")
    layer.build((None, None, 4))
    assert load_keras(DATA / name, layer) == ["bidirectional"]
    np.testing.assert_array_equal(layer.get_weights()[5], keras_answers("3" in name)["sequential/weight/8"])


@pytest.mark.parametrize(
    "name", ["sequential.keras", "sequential.h5", "sequential_weights.h5", "sequential3.weights.h5"]
)
def test_by_name_sets_what_has_a_namesake_and_leaves_the_rest(name: str) -> None:
    dense = [L.Dense(3, name="mine", dtype="float64"), L.Dense(2, name="out", dtype="float64")]
    model = draw(mg.keras.Sequential([L.Input((4,)), *dense]))
    before = model.get_weights()
    assert load_keras(DATA / name, model, by_name=True) == ["out"]
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    np.testing.assert_array_equal(model.get_weights()[2], keras_answers("3" in name)["sequential/weight/20"])


def test_float64_numbers_are_rounded_to_the_layers_dtype() -> None:
    layer = L.Bidirectional(L.GRU(3))
    layer.build((None, None, 4))
    load_keras(DATA / "sequential.keras", layer)
    assert {w.dtype for w in layer.weights} == {np.dtype("float32")}


# --- what does not fit ------------------------------------------------------------------------------------------------


def model_of(*layers: Any, features: int = 3) -> Any:
    return mg.keras.Sequential([L.Input((None, features)), *layers])


def unchanged_and_raises(error: type[Exception], message: str, target: Any, file: str, **kwargs: Any) -> None:
    before = target.get_weights()
    with pytest.raises(error, match=message):
        load_keras(DATA / file, target, **kwargs)
    for one, other in zip(before, target.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["foreign.keras", "foreign.h5", "foreign3.keras", "foreign3.h5"])
def test_a_layer_that_is_none_of_ours_is_named(name: str) -> None:
    message = r"its layer 'convolution' is a Conv1D, which minigrad does not have"
    unchanged_and_raises(ConversionError, message, model_of(L.LSTM(2)), name)


@pytest.mark.parametrize("name", ["foreign.keras", "foreign.h5", "foreign3.keras", "foreign3.h5"])
def test_the_others_can_be_had_by_name(name: str) -> None:
    model = model_of(L.LSTM(2, name="lstm", dtype="float64"))
    assert load_keras(DATA / name, model, by_name=True) == ["lstm"]
    np.testing.assert_array_equal(model.get_weights()[0], keras_answers("3" in name)["foreign/weight/0"])


@pytest.mark.parametrize("name", ["sequential.keras", "sequential.h5", "sequential3.keras"])
@pytest.mark.parametrize(
    ("late", "message"),
    [
        (L.LSTM(3, name="late"), "late has activation='relu', the target activation='tanh': the same weights"),
        (
            L.LSTM(3, activation="relu", recurrent_activation="tanh", name="mine"),
            "late has recurrent_activation='sigmoid'",
        ),
        (L.LSTM(3, activation="relu", go_backwards=True, name="mine"), "late has go_backwards=False"),
        (L.GRU(4, activation="relu", name="mine"), "expected a GRU, for mine, got late, a LSTM"),
    ],
)
def test_a_layer_with_other_functions(name: str, late: Any, message: str) -> None:
    model = sequential()
    model.pop()
    model.pop()
    model.add(type(late).from_config(late.get_config()))  # a layer defined in this test
    model.add(L.Dense(2))
    unchanged_and_raises(ConversionError, message, model, name)


def test_arguments_of_a_layer_inside_a_layer_count_too() -> None:
    layer = L.Bidirectional(L.GRU(3, activation="relu"))
    layer.build((None, None, 4))
    message = "bidirectional/GRU has activation='tanh', the target activation='relu'"
    unchanged_and_raises(ConversionError, message, layer, "sequential.keras")
    cells = L.RNN([L.LSTMCell(2), L.GRUCell(2)])
    cells.build((None, None, 6))
    unchanged_and_raises(ConversionError, "GRUCell has reset_after=False", cells, "sequential.keras", name="rnn")


def test_the_hard_sigmoid_is_another_since_keras_3() -> None:
    layer = L.LSTM(2, recurrent_activation="hard_sigmoid", dtype="float64")
    layer.build((None, None, 3))
    unchanged_and_raises(
        ConversionError, r"'hard_sigmoid' of Keras 3\..*minigrad's is that of Keras 2", layer, "hard3.keras"
    )
    load_keras(DATA / "hard.keras", layer)
    gives_keras_numbers(layer, "hard.keras")


@pytest.mark.parametrize("name", ["sequential_weights.h5", "sequential.h5"])
def test_another_number_of_layers(name: str) -> None:
    model = sequential()
    model.pop()
    unchanged_and_raises(
        ConversionError, r"expected 5 layers with weights .*, got 6 \(lstm, bidirectional", model, name
    )


@pytest.mark.parametrize("name", ["sequential.weights.h5", "sequential3.weights.h5", "sequential.keras"])
def test_another_model_by_place(name: str) -> None:
    model = sequential()
    model.pop()
    message = (
        r"is of another model than sequential.*: it lacks nothing, and has layers/dense/vars/0, layers/dense/vars/1"
    )
    unchanged_and_raises(ConversionError, message, model, name)


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_other_sizes(name: str) -> None:
    layer = L.Bidirectional(L.GRU(3))
    layer.build((None, None, 5))
    unchanged_and_raises(ShapeError, r"of shape .5, 9., for .*kernel:0, got .4, 9.", layer, name)


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_layer_without_weights_yet(name: str) -> None:
    layer = L.Bidirectional(L.GRU(3), name="new")
    with pytest.raises(ConversionError, match=f"{name}: new is not built yet, .* Call the target on data first"):
        load_keras(DATA / name, layer)


@pytest.mark.parametrize("name", SEQUENTIAL)
def test_a_model_without_weights_yet(name: str) -> None:
    model = mg.keras.Sequential([L.LSTM(4, name="a"), L.Dense(2, name="b")], name="new")
    with pytest.raises(ConversionError, match=r"(new, )?a, b are not built yet, so there is nothing to set\."):
        load_keras(DATA / name, model)


def test_exchanged_arguments() -> None:
    with pytest.raises(DTypeError, match=r"load_keras: expected `path`, .* got LSTM. The file comes first"):
        load_keras(L.LSTM(2), DATA / "sequential.keras")
    with pytest.raises(ConversionError, match="load_keras: expected `target`, a model, a layer or a cell, got 3"):
        load_keras(DATA / "sequential.keras", 3)


def test_a_layer_that_is_not_in_the_file() -> None:
    layer = L.SimpleRNN(3)
    layer.build((None, None, 4))
    unchanged_and_raises(
        ConversionError, "expected one SimpleRNN in the file, got 0; it has: lstm", layer, "sequential.h5"
    )
    unchanged_and_raises(
        ConversionError, "expected `name` of a layer in the file, got 'x'", layer, "sequential.h5", name="x"
    )


def test_two_layers_of_the_class() -> None:
    layer = L.LSTM(4)
    layer.build((None, None, 3))
    for name in ("sequential.keras", "sequential.weights.h5"):
        unchanged_and_raises(ConversionError, "got 2; it has: .* Choose one with name=", layer, name)


def test_by_name_without_names() -> None:
    model = model_of(L.LSTM(4, name="lstm"))
    message = "the file does not have the layers' names"
    unchanged_and_raises(ConversionError, message, model, "sequential.weights.h5", by_name=True)
    unchanged_and_raises(
        ConversionError, "no layer with a name of", model_of(L.LSTM(4, name="new")), "sequential.h5", by_name=True
    )
