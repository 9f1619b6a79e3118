"""Symbols: calls recorded on them, their shapes, their replay, and the errors where numbers are missing."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.keras import Input, Model
from minigrad.keras import layers as L
from minigrad.layers.symbol import SymbolError, calls_of, record, run

X = np.linspace(-1, 1, 24, dtype="float32").reshape(2, 3, 4)


def counted(calls: list[int]) -> Any:
    def function(x: Any) -> Any:
        calls.append(len(x))
        return x * 2.0

    return function


def test_a_recorded_call_is_replayed_once() -> None:
    calls: list[int] = []
    x = Input((4,))
    y = L.Lambda(counted(calls))(x)
    assert calls == [2, 3]  # on the examples
    both = run([y + 1.0, y - 1.0], {x: mg.tensor(X[:, 0])})
    assert calls == [2, 3, 2]
    np.testing.assert_array_equal(both[0].numpy(), X[:, 0] * 2 + 1)


def test_a_replay_begins_at_any_symbol() -> None:
    x = Input((4,))
    y = L.Dense(3)(x)
    z = y * 2.0
    assert len(calls_of([z], [x])) == 2
    assert len(calls_of([z], [y])) == 1
    np.testing.assert_array_equal(run(z, {y: mg.ones((2, 3))}).numpy(), np.full((2, 3), 2.0))


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda x: x, (None, None, 4)),
        (L.LSTM(5), (None, 5)),
        (L.LSTM(5, return_sequences=True), (None, None, 5)),
        (lambda x: L.Concatenate(1)([x, x]), (None, None, 4)),
        (lambda x: x[:, 0], (None, 4)),
        (lambda x: x[:1], (1, None, 4)),
        (lambda x: L.Flatten()(L.LSTM(5)(x)), (None, 5)),
        (lambda x: L.Dense(2)(x) @ np.ones((2, 7), "float32"), (None, None, 7)),
    ],
)
def test_a_size_is_none_until_it_is_known(make: Any, shape: Any) -> None:
    assert make(Input((None, 4))).shape == shape


def test_arithmetic_with_numpy_on_either_side() -> None:
    x, w = Input((4,)), np.linspace(0.5, 2.0, 4, dtype="float32")
    y = (w + x) * w - w / (w + x * x) + np.float32(2.0) * x
    given = X[:, 0]
    expected = (w + given) * w - w / (w + given * given) + 2 * given
    np.testing.assert_allclose(run(y, {x: mg.tensor(given)}).numpy(), expected, rtol=1e-6)


def test_gradients_pass_a_replay() -> None:
    x = Input((4,))
    given = mg.tensor(X[:, 0], requires_grad=True)
    run((x * x).__add__(1.0), {x: given}).sum().backward()
    np.testing.assert_allclose(given.grad.numpy(), 2 * X[:, 0], rtol=1e-6)


@pytest.mark.parametrize("wrapped", [False, True])
def test_stateful_layers_keep_their_states_when_they_are_recorded(wrapped: bool) -> None:
    x = Input(batch_shape=(2, 3, 4))
    layer = L.LSTM(2, stateful=True, bias_initializer="ones", return_sequences=True)
    outer = mg.keras.Sequential([layer]) if wrapped else layer
    model = Model(x, outer(x))
    first = model(X).numpy()
    layer.reset_states()
    np.testing.assert_array_equal(model(X).numpy(), first)
    second = model(X).numpy()
    layer.reset_states()
    model(X)
    outer(x)  # recorded again, between two calls
    np.testing.assert_array_equal(model(X).numpy(), second)


def nonsense() -> dict[str, Any]:
    x = Input((4,), name="x")
    return {
        "if symbol": lambda: bool(x),
        "float": lambda: float(x),
        "len": lambda: len(x),
        "for": lambda: list(x),
        "NumPy's function": lambda: np.exp(x),
        "NumPy's array": lambda: np.asarray(x),
        "minigrad's function": lambda: mg.exp(x),
        "a tensor": lambda: mg.tensor(x),
        "numbers": x.numpy,
        "a gradient": x.backward,
    }


@pytest.mark.parametrize("name", nonsense())
def test_a_symbol_has_no_numbers(name: str) -> None:
    with pytest.raises(MinigradError, match=r"'x'.*stands for a tensor that is given later"):
        nonsense()[name]()


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (
            lambda: L.Dense(2)(Input((None,), name="x")),
            r"dense\w*: .* must be known here, in x \(None",
        ),
        (
            lambda: L.Add()([Input((3,)), Input((4,))]),
            r"add\w*\.call: expected `inputs` whose shapes fit, got",
        ),
        (lambda: L.Dense(2).output, r"dense\w*\.output: expected one call on symbols"),
        (lambda: Input(3), "Input: expected `shape`"),
        (lambda: Input(batch_shape=()), "Input: expected `batch_shape`"),
    ],
)
def test_what_does_not_fit_is_said_at_once(act: Any, says: str) -> None:
    with pytest.raises(MinigradError, match=f"^{says}"):
        act()


def test_a_layer_called_twice_has_no_one_output() -> None:
    layer = L.Dense(2, name="twice")
    for _ in range(2):
        layer(Input((3,)))
    with pytest.raises(
        AttributeError, match=r"twice\.output: expected one call on symbols; the layer was called 2 times"
    ):
        _ = layer.output
    assert not hasattr(layer, "input_shape")


def test_outputs_that_are_no_tensors_stay_as_they_are() -> None:
    y, other = record(lambda x: (x + 1.0, "other"), (Input((2,)),), {}, "both")
    assert (y.shape, other) == ((None, 2), "other")


def test_models_of_symbols_are_copied_with_their_layers() -> None:
    x = Input((4,))
    model = Model(x, L.Dense(3)(x))
    copied = copy.deepcopy(model)
    model.layers[1].kernel.assign(model.layers[1].kernel * 0.0)
    assert np.abs(copied(X[:, 0]).numpy()).max() > 0
    assert copied.layers[1] is not model.layers[1]


def test_a_size_that_does_not_fit_in_training() -> None:
    x = Input((4,), name="x")
    model = Model(x, L.Dense(3)(x), name="net")
    with pytest.raises(ShapeError, match=r"^net: expected 'x' of `inputs` of shape \(None, 4\), got \(2, 3\)"):
        model(np.ones((2, 3), "float32"))
    assert issubclass(SymbolError, TypeError)
