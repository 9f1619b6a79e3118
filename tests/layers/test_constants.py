"""Constants of a recurrent layer: one tensor or several, by name or at the end of the list of inputs.

The numbers are those of TensorFlow 2.15.1 for the same cell.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradError
from minigrad.keras import layers as L
from minigrad.layers.states import StateError
from option_errors import POSITIVE_INTEGER

X = np.arange(12.0).reshape(2, 3, 2) / 8
H, C = np.full((2, 2), 0.5), np.full((2, 2), 0.25)
ONE, TWO = np.array([[1.0, 2], [3, 4]]), np.array([[0.5, 0], [0, 0.5]])


class Adding(L.Layer):
    """h' = x + h/2 + Σ k constantₖ,  c' = c/4 + h',  y = h' + c'"""

    state_size, output_size = (2, 2), 2

    def call(self, inputs: Any, states: Any, constants: Any = None) -> Any:
        h, c = states
        h_new = inputs + 0.5 * h
        for k, constant in enumerate(constants or []):
            h_new = h_new + (k + 1.0) * constant
        c_new = c * 0.25 + h_new
        return h_new + c_new, [h_new, c_new]


LAYERS: dict[str, Any] = {
    "RNN": lambda **options: L.RNN(Adding(dtype="float64"), **options),
    "unrolled": lambda **options: L.RNN(Adding(dtype="float64"), unroll=True, **options),
    "a stack": lambda **options: L.RNN([Adding(dtype="float64")], **options),
    "of compat": lambda **options: mg.compat.v1.keras.layers.RNN(Adding(dtype="float64"), **options),
    "both ways": lambda **options: L.Bidirectional(L.RNN(Adding(dtype="float64")), dtype="float64", **options),
}
STATES = {name: [H, C, C, H] if name == "both ways" else [H, C] for name in LAYERS}
# The last output of the first row: forwards, and where there are two ways backwards.
NONE, WITH_ONE, WITH_TWO = (
    [1.3125, 1.80469, 0.65625, 1.14844],
    [5.25, 9.67969, 4.59375, 9.02344],
    [9.1875, 9.67969, 8.53125, 9.02344],
)
STARTED_ONE, STARTED_TWO = [5.42578, 9.85547, 4.6875, 9.11719], [9.36328, 9.85547, 8.625, 9.11719]
WRAPS = {"tensors": mg.tensor, "arrays": np.asarray}


def same(y: Any, expected: list[float]) -> None:
    np.testing.assert_allclose(y.numpy()[0], expected[: y.shape[-1]], atol=6e-6)


@pytest.fixture(params=LAYERS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(params=WRAPS)
def wrap(request: pytest.FixtureRequest) -> Any:
    return WRAPS[request.param]


def test_one_tensor_is_a_list_of_one(kind: str, wrap: Any) -> None:
    for constants in (wrap(ONE), [wrap(ONE)], (wrap(ONE),)):
        same(LAYERS[kind]()(X, constants=constants), WITH_ONE)
    for constants in ([wrap(ONE), wrap(TWO)], (wrap(ONE), wrap(TWO))):
        same(LAYERS[kind]()(X, constants=constants), WITH_TWO)
    for constants in (None, [], ()):
        same(LAYERS[kind]()(X, constants=constants), NONE)


def test_their_number_is_remembered(kind: str, wrap: Any) -> None:
    layer, states = LAYERS[kind](), [wrap(s) for s in STATES[kind]]
    layer(X, constants=wrap(ONE))
    assert layer.num_constants == 1
    same(layer([X, wrap(ONE)]), WITH_ONE)
    same(layer([X, *states, wrap(ONE)]), STARTED_ONE)
    same(layer([X, wrap(ONE)], initial_state=states), STARTED_ONE)
    same(layer([X, *states], constants=wrap(ONE)), STARTED_ONE)
    same(layer(X, initial_state=states, constants=[wrap(ONE)]), STARTED_ONE)
    same(layer(X), NONE)
    layer(X, constants=[wrap(ONE), wrap(TWO)])
    same(layer([X, *states, wrap(ONE), wrap(TWO)]), STARTED_TWO)
    same(layer([X, wrap(ONE), wrap(TWO)]), WITH_TWO)
    layer(X, constants=[])
    assert not layer.num_constants


def test_a_configuration_keeps_it(kind: str) -> None:
    layer = LAYERS[kind]()
    assert "num_constants" not in layer.get_config()
    layer(X, constants=(ONE, TWO))
    config = layer.get_config()
    assert config["num_constants"] == 2
    again = type(layer).from_config(json.loads(json.dumps(config)))
    same(again([X, *STATES[kind], ONE, TWO]), STARTED_TWO)
    same(LAYERS[kind](num_constants=1)([X, ONE]), WITH_ONE)


def test_beside_a_mask_and_with_their_gradients(kind: str) -> None:
    layer = LAYERS[kind]()
    mask = np.array([[True, True, False], [True, False, True]])

    def model(x: Any, one: Any, two: Any) -> Any:
        return layer([x, one, two], mask=mask)

    layer(X, constants=[ONE, TWO])
    mg.testing.check_gradient(model, X, ONE, TWO)
    named = layer(X, constants=[ONE, TWO], mask=mask).numpy()
    np.testing.assert_array_equal(model(X, ONE, TWO).numpy(), named)


def test_they_are_cast_as_the_inputs_are() -> None:
    layer = L.RNN(Adding())
    for y in (layer(X.astype("float32"), constants=ONE), layer([X.astype("float32"), ONE])):
        assert y.dtype == "float32"


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda layer: layer([X]), StateError, "expected `inputs` to end with 2 constants, as in the call before"),
        (lambda layer: layer([X, ONE, TWO], initial_state=[H]), MinigradError, "states|`initial_state`"),
        (lambda layer: layer([X, H, C, ONE, TWO], initial_state=[H, C]), StateError, "are given twice"),
    ],
)
def test_lists_that_do_not_fit(kind: str, call: Any, error: type[MinigradError], says: str) -> None:
    layer = LAYERS[kind]()
    layer(X, constants=[ONE, TWO])
    with pytest.raises(error, match=says):
        call(layer)


@pytest.mark.parametrize("value", [-1, "one", 1.5, True])
def test_what_is_no_number_of_them(kind: str, value: Any) -> None:
    with pytest.raises(MinigradError, match=f"`num_constants`: {POSITIVE_INTEGER}"):
        LAYERS[kind](num_constants=value)
