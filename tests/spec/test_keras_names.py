"""The pages on Keras' ``LSTMCell``, of both generations, and ``LSTM``: each name does what the page says.

Every test here is run twice: as it is, and with its name made to do nothing (`test_pages.py`), when it must fail.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import NO_BATCH_SIZE, ONE_NODE_A_STEP
from oracle.reader import resolve
from spec.pages import Page
from spec.reference import (
    BATCH,
    FEATURES,
    MASK,
    TIME,
    UNITS,
    C,
    H,
    X,
    built,
    cell_of,
    class_of,
    close,
    differ,
    gates_of,
    is_layer,
    keras_step,
    run,
    shape_of_inputs,
)  # fmt: skip
from spec.shows import shows

WEIGHTS = {"kernel": 0, "recurrent": 1, "bias": 2}


def weight_of(name: str) -> int:
    return WEIGHTS[name.partition("_")[0]]


BASES = ("keras.layers.Layer", "compat.v1.keras.layers.LSTMCell", "compat.v1.keras.layers.LSTM")


@shows("base class", *BASES, first=False)
def test_inherits_from(page: Page, name: str) -> None:
    assert issubclass(class_of(page), resolve(name, mg))


# --- arguments --------------------------------------------------------------------------------------------------------


@shows("argument", "units")
def test_units(page: Page, name: str) -> None:
    layer = class_of(page)(7)
    layer.build(shape_of_inputs(page))
    assert [w.shape for w in layer.weights] == [(FEATURES, 28), (7, 28), (28,)]


@shows("argument", "activation", first=False)
def test_activation(page: Page, name: str) -> None:
    for given, φ in ((None, lambda x: x), ("relu", lambda x: np.maximum(x, 0.0)), (mg.functional.softsign, softsign)):
        layer = built(page, activation=given)
        close(run(page, layer), keras_step(layer, gates_of(page), φ)[0])
    assert differ(run(page, layer), keras_step(layer, gates_of(page))[0])


def softsign(x: Any) -> Any:
    return x / (1.0 + np.abs(x))


@shows("argument", "recurrent_activation")
def test_recurrent_activation(page: Page, name: str) -> None:
    for given, σ in ((None, lambda x: x), ("softsign", softsign), (mg.functional.tanh, np.tanh)):
        layer = built(page, recurrent_activation=given)
        close(run(page, layer), keras_step(layer, σ)[0])


@shows("argument", "use_bias")
def test_use_bias(page: Page, name: str) -> None:
    without = built(page, use_bias=False)
    assert [w.shape for w in without.weights] == [(FEATURES, 4 * UNITS), (UNITS, 4 * UNITS)]
    other = built(page)
    other.set_weights([*without.get_weights(), np.zeros(4 * UNITS)])
    close(run(page, without), run(page, other))


@shows("argument", "kernel_initializer", "recurrent_initializer", "bias_initializer")
def test_initializers(page: Page, name: str) -> None:
    for start in (mg.keras.initializers.Constant(3.0), lambda shape, dtype: 3.0 * mg.ones(shape, dtype)):
        layer = class_of(page)(UNITS, unit_forget_bias=False, **{name: start})
        layer.build(shape_of_inputs(page))
        assert [(w.numpy() == 3.0).all() for w in layer.weights] == [k == weight_of(name) for k in range(3)]


@shows("argument", "unit_forget_bias")
def test_unit_forget_bias(page: Page, name: str) -> None:
    for given, expected in ((True, [0, 0, 1, 1, 0, 0, 0, 0]), (False, np.zeros(8))):
        layer = class_of(page)(UNITS, unit_forget_bias=given)
        layer.build(shape_of_inputs(page))
        np.testing.assert_array_equal(layer.weights[2].numpy(), expected)


@shows("argument", "kernel_regularizer", "recurrent_regularizer", "bias_regularizer")
def test_regularizers(page: Page, name: str) -> None:
    layer = built(page, **{name: mg.keras.regularizers.L2(0.5)})
    weight = layer.weights[weight_of(name)]
    (loss,) = layer.losses
    close(loss, 0.5 * (weight.numpy() ** 2).sum())
    (gradient,) = mg.grad(loss, weight)
    close(gradient, weight.numpy())


@shows("argument", "activity_regularizer")
def test_activity_regularizer(page: Page, name: str) -> None:
    layer = built(page, activity_regularizer=mg.keras.regularizers.L2(0.5))
    y = layer(X)
    close(layer.losses[0], 0.5 * (y.numpy() ** 2).sum() / BATCH)


@shows("argument", "kernel_constraint", "recurrent_constraint", "bias_constraint")
def test_constraints(page: Page, name: str) -> None:
    layer = built(page, **{name: "non_neg"})
    before = layer.get_weights()
    optimizer = mg.keras.optimizers.SGD(0.0)
    optimizer.minimize(sum((w * w).sum() for w in layer.weights), layer.weights)
    for k, (weight, was) in enumerate(zip(layer.get_weights(), before, strict=True)):
        close(weight, np.maximum(was, 0.0) if k == weight_of(name) else was)


@shows("argument", "dropout")
def test_dropout(page: Page, name: str) -> None:
    layer = built(page, dropout=1.0)
    close(run(page, layer, training=True), run(page, layer, 0.0 * X))  # all inputs are dropped
    close(run(page, layer), keras_step(layer, gates_of(page))[0])  # and none outside training
    some = built(page, dropout=0.5)
    masks = some.get_dropout_mask_for_cell(mg.tensor(X[:, 0]), training=True, count=4)
    assert set(np.unique([m.numpy() for m in masks])) == {0.0, 2.0}


@shows("argument", "recurrent_dropout")
def test_recurrent_dropout(page: Page, name: str) -> None:
    layer = built(page, recurrent_dropout=1.0)
    close(run(page, layer, training=True), run(page, layer, h=0.0 * H))
    close(run(page, layer), keras_step(layer, gates_of(page))[0])
    assert cell_of(layer).implementation == 1


@shows("argument", "implementation")
def test_implementation(page: Page, name: str) -> None:
    """1: four small products, each with a separate dropout mask; 2: one large one, with one mask for all."""
    for given, picks in ((1, [0, 1, 2, 3]), (2, [0, 0, 0, 0])):
        cell = built(page, dropout=0.5, implementation=given)
        masks = cell.get_dropout_mask_for_cell(mg.tensor(X[:, 0]), training=True, count=4)
        expected = keras_step(cell, gates_of(page), x_masks=[masks[k].numpy() for k in picks])[0]
        close(run(page, cell, training=True), expected)
        close(run(page, cell), keras_step(cell, gates_of(page))[0])


@shows("argument", "return_sequences")
def test_return_sequences(page: Page, name: str) -> None:
    layer, h, c = built(page, return_sequences=True), H, C
    y = layer(X, initial_state=[H, C])
    for t in range(TIME):
        h, c = keras_step(layer, gates_of(page), x=X[:, t], h=h, c=c)
        close(y[:, t], h)


@shows("argument", "return_state")
def test_return_state(page: Page, name: str) -> None:
    layer = built(page, return_state=True)
    y, h, c = layer(X[:, :1], initial_state=[H, C])
    h_new, c_new = keras_step(layer, gates_of(page))
    for mine, expected in ((y, h_new), (h, h_new), (c, c_new)):
        close(mine, expected)


@shows("argument", "go_backwards")
def test_go_backwards(page: Page, name: str) -> None:
    backwards, forwards = built(page, go_backwards=True, return_sequences=True), built(page, return_sequences=True)
    close(backwards(X), forwards(X[:, ::-1]).numpy())  # the reversed sequence is returned, as it was processed


@shows("argument", "stateful")
def test_stateful(page: Page, name: str) -> None:
    layer, plain = built(page, stateful=True), built(page)
    layer(X[:, :2])
    close(layer(X[:, 2:]), plain(X).numpy())


@shows("argument", "time_major")
def test_time_major(page: Page, name: str) -> None:
    turned, plain = built(page, time_major=True, return_sequences=True), built(page, return_sequences=True)
    close(turned(X.swapaxes(0, 1), mask=MASK.T), plain(X, mask=MASK).numpy().swapaxes(0, 1))


@shows("argument", "unroll")
def test_unroll(page: Page, name: str) -> None:
    unrolled, looped = built(page, unroll=True), built(page)
    close(unrolled(X, mask=MASK), looped(X, mask=MASK).numpy())
    assert unrolled.path == f"{ONE_NODE_A_STEP}unroll=True"
    assert looped.path.startswith("explicit BPTT")


# --- the call ---------------------------------------------------------------------------------------------------------


@shows("call argument", "inputs", "states")
def test_inputs_and_states(page: Page, name: str) -> None:
    layer = built(page)
    if is_layer(page):
        return close(layer(X[:, :1]), keras_step(layer, gates_of(page), h=0.0 * H, c=0.0 * C)[0])
    output, states = layer(X[:, 0], [H, C])
    h_new, c_new = keras_step(layer, gates_of(page))
    close(output, h_new)
    assert isinstance(states, list)
    for mine, expected in zip(states, (h_new, c_new), strict=True):  # h first
        close(mine, expected)
    return None


@shows("call argument", "training")
def test_training(page: Page, name: str) -> None:
    layer = built(page, dropout=1.0)
    close(run(page, layer, training=False), run(page, layer))
    close(run(page, layer, training=True), run(page, layer, 0.0 * X))


@shows("call argument", "mask")
def test_mask(page: Page, name: str) -> None:
    layer = built(page, return_sequences=True)
    y = layer(X, mask=MASK).numpy()
    plain = layer(X).numpy()
    close(y[0], plain[0])  # nothing is masked
    close(y[1], layer(X[1:2, [1, 3]]).numpy()[0][[0, 0, 0, 1, 1]] * np.array([0, 1, 1, 1, 1])[:, None])
    close(y[2], np.zeros((TIME, UNITS)))  # all is
    assert differ(y[1], plain[1])


@shows("call argument", "initial_state")
def test_initial_state(page: Page, name: str) -> None:
    layer = built(page)
    close(layer(X[:, :1], initial_state=[H, C]), keras_step(layer, gates_of(page))[0])


# --- attributes -------------------------------------------------------------------------------------------------------

GIVEN: dict[str, Any] = {
    "activation": mg.functional.relu,
    "bias_constraint": mg.keras.constraints.NonNeg(),
    "bias_initializer": mg.keras.initializers.Ones(),
    "bias_regularizer": mg.keras.regularizers.L1(0.5),
    "dropout": 0.25,
    "implementation": 1,
    "kernel_constraint": mg.keras.constraints.UnitNorm(),
    "kernel_initializer": mg.keras.initializers.Zeros(),
    "kernel_regularizer": mg.keras.regularizers.L2(0.5),
    "recurrent_activation": mg.functional.tanh,
    "recurrent_constraint": mg.keras.constraints.MaxNorm(),
    "recurrent_dropout": 0.75,
    "recurrent_initializer": mg.keras.initializers.Ones(),
    "recurrent_regularizer": mg.keras.regularizers.L1L2(),
    "unit_forget_bias": False,
    "use_bias": False,
}


@shows("attribute", *GIVEN)
def test_attributes(page: Page, name: str) -> None:
    """The given value; set later, it reaches the cell and the configuration."""
    given = GIVEN[name]
    layer = class_of(page)(UNITS, **{name: given})
    assert getattr(layer, name) is given or getattr(layer, name) == given
    setattr(layer, name, getattr(class_of(page)(UNITS), name))
    assert getattr(layer.cell, name) == getattr(layer, name)


@shows("attribute", "units")
def test_units_as_an_attribute(page: Page, name: str) -> None:
    assert class_of(page)(7).units == 7


@shows("attribute", "states")
def test_states_as_an_attribute(page: Page, name: str) -> None:
    assert class_of(page)(UNITS).states == [None, None]
    layer = built(page, stateful=True, return_state=True)
    _, h, c = layer(X)
    for mine, expected in zip(layer.states, (h, c), strict=True):
        close(mine, expected.numpy())


# --- methods ----------------------------------------------------------------------------------------------------------

GET = ("get_dropout_mask_for_cell", "get_recurrent_dropout_mask_for_cell")
RESET = ("reset_dropout_mask", "reset_recurrent_dropout_mask")


def with_dropout(page: Page, name: str) -> Any:
    return class_of(page)(UNITS, **{"recurrent_dropout" if "recurrent" in name else "dropout": 0.5})


@shows("method", *GET)
def test_masks_are_made_and_kept(page: Page, name: str) -> None:
    layer = with_dropout(page, name)
    get = getattr(layer, name)
    masks = get(mg.tensor(X[:, 0]), training=True, count=4)
    assert set(np.unique([m.numpy() for m in masks])) == {0.0, 2.0}
    assert get(mg.tensor(X[:, 0]), training=True, count=4) is masks
    assert getattr(class_of(page)(UNITS), name)(mg.tensor(X[:, 0]), True) is None  # nothing is dropped


@shows("method argument", *(f"{method}: inputs" for method in GET))
def test_masks_have_the_shape_of_the_inputs(page: Page, name: str) -> None:
    for shape in ((3, 4), (2, 7)):
        (mask,) = getattr(with_dropout(page, name), name.partition(":")[0])(inputs=mg.zeros(shape), training=True)
        assert mask.shape == shape


@shows("method argument", *(f"{method}: training" for method in GET))
def test_masks_are_ones_where_nobody_trains(page: Page, name: str) -> None:
    method = name.partition(":")[0]
    for training, expected in ((True, {0.0, 2.0}), (False, {1.0})):
        (mask,) = getattr(with_dropout(page, name), method)(mg.ones((50, 4)), training=training)
        assert set(np.unique(mask.numpy())) == expected


@shows("method argument", *(f"{method}: count" for method in GET))
def test_count_of_masks(page: Page, name: str) -> None:
    masks = getattr(with_dropout(page, name), name.partition(":")[0])(mg.ones((50, 4)), training=True, count=3)
    assert len(masks) == 3
    assert differ(masks[0].numpy(), masks[1].numpy())


@shows("method", *RESET)
def test_masks_are_forgotten(page: Page, name: str) -> None:
    layer, get = with_dropout(page, name), name.replace("reset", "get") + "_for_cell"
    masks = getattr(layer, get)(mg.ones((50, 4)), training=True)
    getattr(layer, name)()
    again = getattr(layer, get)(mg.ones((50, 4)), training=True)
    assert differ(again[0].numpy(), masks[0].numpy())


@shows("method", "get_initial_state", first=False)
@shows("method argument", *(f"get_initial_state: {name}" for name in ("inputs", "batch_size", "dtype")), first=False)
def test_get_initial_state(page: Page, name: str) -> None:
    cell = class_of(page)(UNITS)
    for states, dtype in (
        (cell.get_initial_state(batch_size=3, dtype="float64"), "float64"),
        (cell.get_initial_state(inputs=mg.tensor(X[:, 0])), "float64"),
        (cell.get_initial_state(inputs=mg.tensor(X[:, 0]), dtype="float32"), "float64"),  # that of the inputs
    ):
        assert [(s.shape, s.dtype.name) for s in states] == [((3, UNITS), dtype)] * 2
        assert all((s.numpy() == 0.0).all() for s in states)


@shows("method", "reset_states")
@shows("method argument", "reset_states: states")
def test_reset_states(page: Page, name: str) -> None:
    layer, plain = built(page, stateful=True), built(page)
    first = layer(X).numpy()
    layer.reset_states()
    close(layer(X), first)
    layer.reset_states(states=[H, C])
    close(layer(X), plain(X, initial_state=[H, C]).numpy())
    with pytest.raises(AttributeError, match="carries no state"):
        plain.reset_states()
    with pytest.raises(ValueError, match=NO_BATCH_SIZE):
        class_of(page)(UNITS, stateful=True).reset_states()
    for wrong in ([H], [H[:2], C[:2]], [H.astype(complex), C]):
        with pytest.raises(ValueError, match="expected `states`"):
            layer.reset_states(wrong)
