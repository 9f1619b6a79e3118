"""The plan that a recurrent layer keeps of a call: how short it makes a call, and when it is made again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import calls
import minigrad as mg
import strict_backend
from minigrad.engine.errors import ShapeError
from minigrad.keras import layers as L

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 5, 3)).astype("float32")
MASK = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 1]], bool)


def test_a_forward_pass_of_an_lstm_enters_few_functions() -> None:
    found = calls.lstm_forward()
    assert 20 <= found.functions <= 80
    assert 5 <= found.files <= 12


def layer_of(kind: str, **options: Any) -> Any:
    """A layer that has been called twice, so that it keeps a plan."""
    layer = getattr(L, kind)(4, return_sequences=True, return_state=True, **options)
    for _ in range(2):
        layer(mg.tensor(X))
    assert layer._plan is not None
    return layer


def fresh(layer: Any) -> Any:
    """A layer with the same options and weights that has not been called yet."""
    other = type(layer).from_config(layer.get_config())
    other.build(X.shape)
    other.set_weights(layer.get_weights())
    return other


def outcome(layer: Any, x: Any = X, **arguments: Any) -> list[np.ndarray]:
    """Outputs, states and gradients of a call."""
    x = mg.tensor(x, requires_grad=np.asarray(x).dtype.kind == "f")
    found = layer(x, **arguments)
    sum((y * y).sum() for y in found).backward()
    weights = layer.trainable_weights
    gradients = [x.grad, *(w.grad for w in weights)]
    for w in weights:
        w.grad = None
    return [a.numpy() for a in [*found, *gradients] if a is not None]


def same(layer: Any, other: Any, **arguments: Any) -> None:
    for mine, theirs in zip(outcome(layer, **arguments), outcome(other, **arguments), strict=True):
        np.testing.assert_array_equal(mine, theirs)


CHANGES: dict[str, Callable[[Any], None]] = {
    "nothing": lambda layer: None,
    "activation": lambda layer: setattr(layer, "activation", "softsign"),
    "activation of the cell": lambda layer: setattr(layer.cell, "activation", "relu"),
    "an activation without a derivative rule": lambda layer: setattr(layer, "activation", lambda x: x * 2.0),
    "zero_output_for_mask": lambda layer: setattr(layer, "zero_output_for_mask", True),
    "go_backwards": lambda layer: setattr(layer, "go_backwards", True),
    "time_major": lambda layer: setattr(layer, "time_major", True),
    "unroll": lambda layer: setattr(layer, "unroll", True),
    "tbptt": lambda layer: setattr(layer, "tbptt", (1, 2)),
    "a weight's numbers": lambda layer: layer.cell.kernel.assign(layer.cell.kernel * 2.0),
    "weights": lambda layer: layer.set_weights([w + 1.0 for w in layer.get_weights()]),
    "stateful": lambda layer: setattr(layer, "stateful", True),
}


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN", "MGU"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_after_a_call_counts(kind: str, change: str) -> None:
    layer = getattr(L, kind)(4, return_sequences=True, return_state=True)
    layer(X), layer(X)
    CHANGES[change](layer)
    if change.startswith("an activation"):
        other = fresh(layer_of(kind))
        other.set_weights(layer.get_weights())
        other.activation = layer.activation
    else:
        other = fresh(layer)
    for arguments in ({}, {"mask": MASK if change != "time_major" else None}, {"training": True}):
        same(layer, other, **arguments)
    assert layer.path == other.path


def test_a_weight_that_is_replaced_counts() -> None:
    layer = layer_of("LSTM")
    layer.cell.kernel = mg.tensor(np.zeros((3, 16), "float32"))
    other = fresh(layer)
    other.cell.kernel.assign(np.zeros((3, 16), "float32"))
    np.testing.assert_array_equal(layer(X)[0].numpy(), other(X)[0].numpy())


def test_the_bias_can_go() -> None:
    layer = layer_of("LSTM", bias_initializer="ones")
    layer.cell.bias = None
    other = L.LSTM(4, return_sequences=True, return_state=True, use_bias=False)
    other.build(X.shape)
    other.set_weights(layer.get_weights()[:2])
    for mine, theirs in zip(layer(X), other(X), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())


def test_other_inputs_are_checked() -> None:
    layer = layer_of("LSTM")
    for x in (X[:1], X[:, :2], X.astype("float64"), X.astype("float16")):
        same(layer, fresh(layer), x=x)
    for wrong in (X[..., :2], X[:, 0], X[:, :0]):
        with pytest.raises(ShapeError):
            layer(mg.tensor(wrong))
        with pytest.raises(ShapeError):
            fresh(layer)(mg.tensor(wrong))


def test_states_and_masks_that_are_given() -> None:
    layer = layer_of("LSTM")
    states = [mg.tensor(RNG.standard_normal((2, 4)).astype("float32")) for _ in range(2)]
    same(layer, fresh(layer), initial_state=states, mask=MASK)
    with pytest.raises(ShapeError, match="expected `initial_state`"):
        layer(X, initial_state=states[:1])
    with pytest.raises(ShapeError, match="expected `mask`"):
        layer(X, mask=MASK[:, :2])


def test_dropout_draws_anew_in_training_alone() -> None:
    layer = layer_of("LSTM", dropout=0.5)
    calm = layer(X)[0].numpy()
    drawn = [layer(X, training=True)[0].numpy() for _ in range(2)]
    assert len({a.tobytes() for a in (calm, *drawn)}) == 3
    np.testing.assert_array_equal(layer(X)[0].numpy(), calm)
    layer.dropout = 0.0
    np.testing.assert_array_equal(layer(X, training=True)[0].numpy(), calm)
    layer.recurrent_dropout = 0.5
    assert (layer(X, training=True)[0].numpy() != calm).any()


def test_a_call_without_dropout_resets_the_masks() -> None:
    layer = layer_of("LSTM", dropout=0.5)
    layer(X, training=True)
    before = layer.get_dropout_mask_for_cell(mg.ones((2, 3)), True)
    layer(X)
    assert layer.get_dropout_mask_for_cell(mg.ones((2, 3)), True) is not before


def test_a_trace_and_the_tape_run_another_way() -> None:
    layer = layer_of("LSTM")
    fused = layer.path
    with mg.trace(layer) as trace:
        layer(X)
    assert (layer.path, trace.gates["i"].shape) == ("explicit BPTT, formulas of LSTM: traced", (5, 2, 4))
    with mg.testing.on_tape(layer):
        layer(X)
        assert layer.path == "tape, op by op: mg.testing.on_tape"
    layer(X)
    assert layer.path == fused


def test_a_subclass_with_methods_of_its_own_is_asked_at_each_call() -> None:
    class Halved(L.LSTMCell):
        factor = 1.0

        def step_weights(self, x_masks: Any, h_masks: Any) -> Any:
            W, *others = super().step_weights(x_masks, h_masks)
            return W * self.factor, *others

    class Other(L.LSTMCell):
        start = 0.0

        def get_initial_state(self, *args: Any, **kwargs: Any) -> Any:
            return [s + self.start for s in super().get_initial_state(*args, **kwargs)]

    for cell_class, name in ((Halved, "factor"), (Other, "start")):
        layer = L.RNN(cell_class(4))
        y = layer(X).numpy()
        for value in (3.0, 4.0):
            vars(layer.cell)[name] = value  # not even an attribute that is set
            assert (layer(X).numpy() != y).any()
            y = layer(X).numpy()


def test_another_backend() -> None:
    layer = layer_of("LSTM")
    expected = layer(X)[0].numpy()
    with mg.using(strict_backend):
        y = fresh(layer)(X)[0]
        assert y.backend is strict_backend
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5)
    np.testing.assert_array_equal(layer(X)[0].numpy(), expected)


def test_threads_with_batches_of_their_own() -> None:
    layer = layer_of("LSTM")
    xs = [RNG.standard_normal((n, 5, 3)).astype("float32") for n in (1, 2, 3, 4)]
    expected = [fresh(layer)(x)[0].numpy() for x in xs]

    def call(k: int) -> None:
        for _ in range(100):
            np.testing.assert_array_equal(layer(mg.tensor(xs[k]))[0].numpy(), expected[k])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(call, range(4)))


def test_copies_have_plans_of_their_own() -> None:
    layer = layer_of("LSTM")
    other = deepcopy(layer)
    assert other._plan is None
    same(layer, other)
    other.activation = "relu"
    assert (outcome(layer)[0] != outcome(other)[0]).any()
