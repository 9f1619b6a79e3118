"""Checks of shapes, of results of custom functions, and of the arguments of a call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import INPUT_SHAPE, WHOLE_SHAPE
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError
from minigrad.keras import Sequential
from minigrad.keras import layers as L
from minigrad.layers import checks

X = np.zeros((2, 6, 4), "float32")


@pytest.mark.parametrize("shape", [(), (None, 8), [2, 3], [(2, 3), (2, 4)], {"a": (2, 3), "b": [(1,)]}, [(2, 3), None]])
def test_shapes_that_are_shapes(shape: Any) -> None:
    checks.check_input_shape("build", shape)


@pytest.mark.parametrize("shape", [3, "abc", None, (2, -3), (2, 3.5), [(2, 3), 4], {"a": "b"}, 2.0])
def test_shapes_that_are_none(shape: Any) -> None:
    with pytest.raises(ShapeError) as caught:
        checks.check_input_shape("Dense.build", shape)
    assert str(caught.value).startswith(f"Dense.build: {INPUT_SHAPE} None")
    assert str(caught.value).endswith(f"got {shape!r}.")


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.Dense(2), lambda: L.LSTM(2), lambda: L.LSTMCell(2), lambda: L.Embedding(3, 2),
        lambda: L.Bidirectional(L.GRU(2)), lambda: L.TimeDistributed(L.Dense(2)),
    ],
)  # fmt: skip
def test_every_layer_looks_at_the_shape_that_it_is_built_for(make: Any) -> None:
    with pytest.raises(ShapeError, match=r"expected `input_shape`, .* got 3"):
        make().build(3)


def test_a_number_of_features_that_is_not_known() -> None:
    for layer, shape in ((L.LSTM(2), (None, None, None)), (L.Dense(2), (None, None))):
        with pytest.raises(ShapeError, match=rf"add_weight: {WHOLE_SHAPE} \(None, "):
            layer.build(shape)
        layer.build((*shape[:-1], 4))  # nothing half-built is left
        assert layer.weights[0].shape[0] == 4


@pytest.mark.parametrize("shape", [(2, -1), (2.5,), ("a",), 2.5])
def test_shapes_of_weights(shape: Any) -> None:
    with pytest.raises(ShapeError, match=f"own.add_weight: {WHOLE_SHAPE}"):
        L.Layer(name="own").add_weight("w", shape)
    assert L.Layer().add_weight("w", np.int64(2)).shape == (2,)


@pytest.mark.parametrize(
    ("made", "error", "came"),
    [
        (np.zeros((1, 1)), ShapeError, r"got \(1, 1\)."),
        (0.0, ShapeError, r"got \(\)."),
        (None, DTypeError, "got None."),
        ("zeros", DTypeError, "got 'zeros'."),
    ],
)
def test_what_an_initializer_returns(made: Any, error: type[Exception], came: str) -> None:
    layer = L.Dense(2, kernel_initializer=lambda shape, dtype: made, name="dense")
    with pytest.raises(
        error,
        match=rf"dense.add_weight: the initializer of 'kernel', `kernel_initializer`: expected a .* \(4, 2\), {came}",
    ):
        layer(X)


@pytest.mark.parametrize("option", ["kernel_regularizer", "activity_regularizer"])
def test_what_a_regularizer_returns(option: str) -> None:
    def losses(regularizer: Any) -> Any:
        layer = L.Dense(2, name="dense", **{option: regularizer})
        layer(X)
        return layer.losses

    assert losses(lambda w: w.sum())[0].shape == ()
    with pytest.raises(ShapeError, match=r"dense.*: .* of shape \(\), got \(.*2\). Sum it"):
        losses(lambda w: w * w)
    if option == "kernel_regularizer":
        assert losses(lambda w: 0.5) == [0.5]
        with pytest.raises(DTypeError, match=r"got None\."):
            losses(lambda w: None)


@pytest.mark.parametrize(
    ("inputs", "came"), [([X, X], "a list of 2"), (None, "None"), ({"a": X}, "a dict of 1"), ([], "a list of 0")]
)
def test_layers_that_take_one_tensor(inputs: Any, came: str) -> None:
    for layer in (L.Dense(2), L.Masking(), L.Dropout(0.5), L.Activation("tanh")):
        with pytest.raises(MinigradError, match=rf"{layer.name}.call: expected `inputs`, one tensor, got {came}"):
            layer(inputs)
    with pytest.raises(MinigradError, match=r"expected `input(s|_shape)`"):  # several inputs, for a layer of one
        L.TimeDistributed(L.Dense(2))(inputs)


def test_a_layer_behind_states() -> None:
    with pytest.raises(
        MinigradError, match=r"got a list of 3. A layer with return_state=True returns \[output, \*states"
    ):
        Sequential([L.LSTM(3, return_state=True), L.Dense(1)])(X)


def test_a_layer_of_ones_own_takes_what_it_likes() -> None:
    class Sum(L.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs[0] + inputs[1]

    np.testing.assert_array_equal(Sum()([X, X + 1]).numpy(), X + 1)
    with pytest.raises(MinigradError, match="expected `inputs`, one tensor"):
        mg.keras.layers.LSTMCell(2)([X[0], X[0]], [mg.zeros((6, 2))] * 2)
