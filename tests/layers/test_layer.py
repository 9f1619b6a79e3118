"""Properties of every layer: weights, names, nesting, losses, masks, training, dtype, configuration."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import CARRIES_A_MASK, ON_DATA_FIRST, VALUE_OF_SHAPE
from minigrad.engine.errors import MinigradError, ShapeError, UnknownNameError
from minigrad.keras import layers as L
from minigrad.layers.call_context import clear_session

X = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")


class Scale(L.Layer):
    """The example of `Layer`'s module."""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


class Seen(L.Layer):
    """Notes what its call was handed."""

    supports_masking = True

    def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
        self.training, self.mask = training, mask
        return inputs


class Around(L.Layer):
    """A layer of layers, in an attribute, a list and a dictionary."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = L.Dense(2, name="first")
        self.several = [L.Dense(2, name="second"), {"deep": L.Dense(2, name="third")}]
        self.seen = Seen()

    def call(self, inputs: Any) -> Any:
        second, third = self.several[0], self.several[1]["deep"]
        return self.seen(third(second(self.first(inputs))))


# --- weights ----------------------------------------------------------------------------------------------------------


def test_built_at_the_first_call() -> None:
    layer = Scale()
    assert (layer.built, layer.weights) == (False, [])
    np.testing.assert_array_equal(layer(X).numpy(), X)
    assert layer.built
    layer(X)
    assert len(layer.weights) == 1
    assert layer.count_params() == 4


def test_a_build_that_failed_leaves_no_weights() -> None:
    class Picky(Scale):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            if input_shape[-1] == 3:
                raise ZeroDivisionError

    layer = Picky()
    with pytest.raises(ZeroDivisionError):
        layer(X[:, :3])
    assert not layer.built
    layer(X)
    assert [w.shape for w in layer.weights] == [(4,)]


def test_nested_layers_are_found_in_their_order() -> None:
    clear_session()
    layer = Around()
    layer(X)
    assert [w.name for w in layer.weights] == [
        f"around/{name}/{kind}:0" for name in ("first", "second", "third") for kind in ("kernel", "bias")
    ]
    assert layer.trainable_variables == layer.variables == layer.weights


def test_names_are_unique() -> None:
    clear_session()
    names = [layer.name for layer in (L.LSTM(2), L.LSTM(2), L.GRU(2), L.LSTM(2, name="mine"))]
    assert names == ["lstm", "lstm_1", "gru", "mine"]


def test_a_shared_layer_counts_once() -> None:
    layer = Around()
    layer.several[0] = layer.first = L.Dense(4)
    layer(X)
    assert len(layer.weights) == 4


def test_trainable() -> None:
    layer = Around()
    layer(X)
    layer.first.trainable = False
    assert len(layer.trainable_weights) == 4
    assert [w.name.split("/")[1] for w in layer.non_trainable_weights] == ["first", "first"]
    assert layer.weights == layer.trainable_weights + layer.non_trainable_weights
    layer.trainable = False
    assert layer.trainable_weights == []
    assert L.Dense(2, trainable=False).trainable is False


def test_a_weight_that_is_not_trainable() -> None:
    layer = L.Layer()
    weight = layer.add_weight("count", (), initializer="zeros", trainable=False)
    assert not weight.requires_grad
    assert layer.non_trainable_weights == [weight]


def test_get_and_set_weights() -> None:
    layer = L.Dense(2)
    layer(X)
    arrays = [np.ones((4, 2)), np.full(2, 3.0)]
    layer.set_weights(arrays)
    for mine, given in zip(layer.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(mine, given)
        assert mine.dtype == "float32"
    layer.get_weights()[0][:] = 7.0
    assert (layer.kernel.numpy() == 1.0).all()  # copies


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([np.ones((4, 2))], "expected `weights`, 2 arrays, got 1. It has: dense/kernel:0 (4, 2), dense/bias:0 (2,)."),
        ([np.ones((4, 2)), np.ones(3)], "expected `weights` with dense/bias:0 of shape (2,), got (3,)."),
        ([np.ones((2, 4)), np.ones(2)], "expected `weights` with dense/kernel:0 of shape (4, 2), got (2, 4)."),
    ],
)
def test_set_weights_sets_all_or_nothing(arrays: Any, message: str) -> None:
    layer = L.Dense(2, name="dense")
    layer(X)
    before = layer.get_weights()
    with pytest.raises(ShapeError) as caught:
        layer.set_weights(arrays)
    assert str(caught.value) == f"dense.set_weights: {message}"
    for one, other in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_set_weights_before_the_layer_is_built() -> None:
    with pytest.raises(ShapeError, match=rf"It has none yet: c{ON_DATA_FIRST}\(input_shape\)"):
        L.Dense(2).set_weights([np.ones((4, 2)), np.ones(2)])


@pytest.mark.parametrize("given", [5, None])
def test_weights_are_set_from_a_list(given: Any) -> None:
    layer = L.Dense(2, name="dense")
    layer(X)
    with pytest.raises(
        ShapeError, match=f"dense.set_weights: expected `weights`, 2 arrays, got {given}, which is not a list."
    ):
        layer.set_weights(given)


def test_assign() -> None:
    weight = L.Dense(2).add_weight("w", (2, 2))
    weight.assign([[1, 2], [3, 4]])
    assert weight.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    weight.assign(mg.tensor(np.eye(2)))
    assert weight.dtype == "float32"
    with pytest.raises(ShapeError, match=rf"w:0.assign: `value`: {VALUE_OF_SHAPE}\(2, 2\), got \(2,\)\."):
        weight.assign([1.0, 2.0])


# --- the call ---------------------------------------------------------------------------------------------------------


def test_training_is_known_to_the_layers_inside() -> None:
    layer = Around()
    layer(X)
    assert layer.seen.training is None
    layer(X, training=True)  # its own call does not take it
    assert layer.seen.training is True
    layer(X)
    assert layer.seen.training is None


def test_training_and_mask_by_place() -> None:
    seen, mask = Seen(), mg.tensor([True, False, True])
    seen(X, True, mask)
    assert (seen.training, seen.mask) == (True, mask)
    assert not np.array_equal(L.Dropout(0.5)(np.ones((9, 9), "float32"), True).numpy(), np.ones((9, 9)))


def test_an_argument_that_call_does_not_take() -> None:
    with pytest.raises(TypeError, match=r"seen\w*.call: unexpected argument `masks`. Did you mean `mask`\?"):
        Seen()(X, masks=None)
    with pytest.raises(TypeError, match="multiple values for argument 'training'"):
        Seen()(X, True, training=False)


def test_masks_go_from_layer_to_layer() -> None:
    x = mg.tensor(X)
    x._keras_mask = mg.tensor([True, True, False])
    seen = Seen()
    y = seen(L.Activation("relu")(L.Dense(2)(x)))
    assert seen.mask is x._keras_mask
    assert y._keras_mask is x._keras_mask


def test_a_mask_that_a_layer_cannot_hand_on() -> None:
    x = mg.tensor(X)
    x._keras_mask = mg.tensor([True, True, False])
    layer = Scale(name="scale")
    with pytest.raises(MinigradError, match=f"scale: {CARRIES_A_MASK}Scale does not support masking"):
        layer(x)


def test_inputs_are_read_in_the_layers_dtype() -> None:
    for given in (X, X.astype("float64"), X.tolist(), mg.tensor(X.astype("float64"))):
        assert L.Dense(2)(given).dtype == "float32"
        assert L.Dense(2, dtype="float64")(given).dtype == "float64"
    assert Seen(dtype="float64")(np.ones((2,), int)).dtype == "int64"  # whole numbers stay
    assert Seen()([X, None])[1] is None


def test_unknown_dtype() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown name 'float31'\. Did you mean 'float32'"):
        L.Dense(2, dtype="float31")


@pytest.mark.parametrize("name", ["activity_regularizer", "add_loss"])
def test_losses_of_a_call_last_until_the_next(name: str) -> None:
    class Adding(L.Layer):
        def call(self, inputs: Any) -> Any:
            self.add_loss((inputs * inputs).sum())
            return inputs

    layer = Adding() if name == "add_loss" else L.Activation("linear")
    layer.activity_regularizer = None if name == "add_loss" else lambda y: (y * y).sum() * 3.0
    outer = Around()
    outer.seen = layer
    outer(X)
    assert len(outer.losses) == 1
    outer(X)
    assert len(outer.losses) == 1
    y = L.Dense(2)(X)
    layer(y), layer(y)
    assert len(layer.losses) == 1  # each of these calls is an outermost one
    expected = (y.numpy() ** 2).sum()
    np.testing.assert_allclose(layer.losses[0].item(), expected, rtol=1e-6)  # a penalty is divided by the batch size, 3


def test_a_layer_called_twice_within_one_call_has_both_losses() -> None:
    class Twice(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.inner = L.Activation("linear")
            self.inner.activity_regularizer = lambda y: y.sum()

        def call(self, inputs: Any) -> Any:
            return self.inner(self.inner(inputs))

    layer = Twice()
    layer(X), layer(X)
    assert len(layer.losses) == 2


def test_a_loss_that_is_a_function_stays() -> None:
    layer = L.Dense(2)
    layer(X)
    layer.add_loss(lambda: mg.sum(layer.kernel**2.0))
    layer(X)
    before = layer.losses[0].item()
    layer.kernel.assign(2.0 * layer.kernel.numpy())
    np.testing.assert_allclose(layer.losses[0].item(), 4.0 * before, rtol=1e-6)


def test_layers_that_held_losses_can_go() -> None:
    layer = L.Dense(2, activity_regularizer="l2", name="held")
    layer(X)
    (loss,) = layer._losses
    penalty = weakref.ref(loss)
    del layer, loss
    gc.collect()
    assert penalty() is None


def test_call_must_be_defined() -> None:
    with pytest.raises(NotImplementedError, match=r"Layer must define call\(inputs\)"):
        L.Layer()(X)


def test_nothing_stays_entered_after_an_error() -> None:
    class Failing(L.Layer):
        def call(self, inputs: Any) -> Any:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Failing()(X, training=True)
    seen = Seen()
    seen(X)
    assert seen.training is None
    dense = L.Dense(1, name="d")
    dense(X)
    assert dense.kernel.name == "d/kernel:0"


# --- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_layers_can_be_copied(duplicate: Any) -> None:
    layer = L.Dense(2, "tanh", kernel_regularizer="l2", activity_regularizer="l1", name="dense")
    y = layer(X)  # its losses hang on the tape
    again = duplicate(layer)
    np.testing.assert_array_equal(again(X).numpy(), y.numpy())
    assert [w.name for w in again.weights] == [w.name for w in layer.weights]
    assert len(again.losses) == len(layer.losses) == 2
    again.set_weights([np.ones((4, 2)), np.zeros(2)])
    np.testing.assert_array_equal(layer(X).numpy(), y.numpy())


def test_a_copied_model_trains_by_itself() -> None:
    model = mg.keras.Sequential([L.LSTM(2), L.Dense(1)])
    model.compile("adam", "mse")
    x, y = np.ones((4, 3, 2), "float32"), np.ones((4, 1), "float32")
    model(x)
    again, before = copy.deepcopy(model), model.get_weights()
    again.fit(x, y, verbose=0)
    for mine, old, other in zip(model.get_weights(), before, again.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, old)
        assert not np.array_equal(other, old)


class Symbol:
    """A stand-in for a tensor that is given later."""

    def record_call(self, layer: Any, inputs: Any, args: Any, kwargs: Any) -> Any:
        return layer.name, inputs, args, kwargs


def test_a_call_on_a_symbol_is_recorded_and_not_run() -> None:
    layer, symbol = L.LSTM(2, name="lstm"), Symbol()
    assert layer(symbol, training=True) == ("lstm", symbol, (), {"training": True})
    assert layer(["first", symbol]) == ("lstm", ["first", symbol], (), {})
    assert not layer.built


@pytest.mark.parametrize("change", ["dtype", "input_spec", "built", "nothing"])
def test_a_signature_is_checked_again_after_a_change(change: str) -> None:
    """The second call with one signature is not checked; one after a change of the layer is, and any other input."""
    layer, x = L.Dense(2), mg.ones((3, 4))
    checks: list[Any] = []
    layer(x)
    original = layer._check
    layer._check = lambda inputs: (checks.append(inputs.dtype), original(inputs))  # type: ignore[method-assign]
    layer(x)
    checks.clear()
    layer(mg.ones((3, 4)))
    assert checks == []
    if change != "nothing":
        setattr(layer, change, {"dtype": "float64", "input_spec": None, "built": 1}[change])
        layer(x)
        assert checks == ["float64" if change == "dtype" else "float32"]
    checks.clear()
    for other in (mg.ones((2, 4)), mg.ones((3, 4), dtype="float16"), np.ones((5, 4))):
        layer(other)
    assert len(checks) == 3


def test_a_known_signature_of_another_layer_is_checked() -> None:
    x, layers = mg.ones((3, 5)), [L.Dense(2), L.Dense(2, input_shape=(4,))]
    layers[0](x)
    layers[1].build((None, 4))
    layers[0](x)
    with pytest.raises(ShapeError, match="expected `inputs` of shape"):
        layers[1](x)
