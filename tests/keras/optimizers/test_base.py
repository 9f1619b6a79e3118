"""The base class of optimizers: clipping, constraints, missing gradients, state, names."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from layer_errors import VALUE_OF_SHAPE
from minigrad.engine.errors import DTypeError, GradientError, ShapeError, UnknownNameError
from minigrad.keras import optimizers
from minigrad.keras.constraints import NonNeg
from minigrad.keras.optimizers import schedules
from minigrad.layers.options import OptionError, OptionTypeError
from minigrad.layers.weight import Weight
from option_errors import BELOW_1, FRACTION, NUMBER_FROM_0


def weight(value, **kwargs):
    return Weight(np.asarray(value, float), **kwargs)


def test_the_step_of_a_rule_of_ones_own():
    class SignDescent(optimizers.Optimizer):
        learning_rate: float = optimizers.learning_rate(0.5)

        def update(self, xp, g, slots, rate, t):
            return rate * xp.sign(g)

    w = weight([1.0, 2.0])
    optimizer = SignDescent()
    optimizer.apply_gradients([(mg.tensor([3.0, -3.0]), w)])
    np.testing.assert_array_equal(w.numpy(), [0.5, 2.5])
    assert optimizers.get(optimizer) is optimizer


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        ({"clipvalue": 1.0}, ([-1.0, -1.0], [-1.0])),
        ({"clipnorm": 1.0}, ([-0.6, -0.8], [-1.0])),
        ({"global_clipnorm": 13.0}, ([-3.0, -4.0], [-12.0])),
        ({"global_clipnorm": 1.3}, ([-0.3, -0.4], [-1.2])),
    ],
)
def test_clipping(clip, expected, backend):
    weights = [weight([0.0, 0.0]), weight([0.0])]
    optimizers.SGD(1.0, **clip).apply_gradients(zip([np.array([3.0, 4.0]), np.array([12.0])], weights, strict=True))
    for w, e in zip(weights, expected, strict=True):
        np.testing.assert_allclose(w.numpy(), e, rtol=1e-12)


def test_an_embedding_is_measured_as_one_matrix():
    """The norm of the gradient matrix; TensorFlow's is that of the list of rows, where a repeated row counts twice."""
    table = weight(np.zeros((2, 1)))
    loss = mg.take(table, mg.tensor([0, 0])).sum() * 3.0
    optimizers.SGD(1.0, global_clipnorm=3.0).apply_gradients(zip(mg.grad(loss, [table]), [table], strict=True))
    np.testing.assert_allclose(table.numpy(), [[-3.0], [0.0]])


def test_a_constraint_acts_after_the_update():
    w = weight([1.0, 1.0], constraint=NonNeg())
    optimizers.SGD(1.0).apply_gradients([(np.array([3.0, 0.5]), w)])
    np.testing.assert_array_equal(w.numpy(), [0.0, 0.5])
    assert w.requires_grad


def test_a_constraint_that_changes_the_shape():
    w = weight([1.0, 1.0], constraint=lambda w: w[:1])
    with pytest.raises(ShapeError, match=rf"{VALUE_OF_SHAPE}\(2,\), got \(1,\)"):
        optimizers.SGD(1.0).apply_gradients([(np.array([3.0, 0.5]), w)])


def test_some_weights_can_be_spared_from_decay():
    kernel, bias = weight([1.0], name="dense/kernel:0"), weight([1.0], name="dense/bias:0")
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply_gradients([(np.zeros(1), kernel), (np.zeros(1), bias)])
    assert (kernel.item(), bias.item()) == (0.75, 1.0)
    with pytest.raises(GradientError, match="call it before the first update"):
        optimizer.exclude_from_weight_decay(var_list=[kernel])


def test_a_weight_without_a_gradient_stays_and_so_do_its_slots():
    a, b = weight([1.0], name="a"), weight([1.0], name="b")
    optimizer = optimizers.Adam(0.1)
    optimizer.apply_gradients([(np.ones(1), a), (np.ones(1), b)])
    before, slot = b.numpy(), optimizer.get_state()["m/1"]
    with pytest.warns(UserWarning, match="Adam: no gradient for b; they stay as they are"):
        optimizer.apply_gradients([(np.ones(1), a), (None, b)])
    np.testing.assert_array_equal(b.numpy(), before)
    assert optimizer.get_state()["m/1"] == slot
    alone = weight([1.0])
    reference = optimizers.Adam(0.1)
    for _ in range(2):
        reference.apply_gradients([(np.ones(1), alone)])
    np.testing.assert_array_equal(a.numpy(), alone.numpy())


def test_weights_of_two_kinds_of_numbers():
    single, double = Weight(np.ones(2, "float32")), weight([1.0])
    optimizers.Adam(0.1, global_clipnorm=1.0).apply_gradients([(np.ones(2, "float32"), single), (np.ones(1), double)])
    assert (single.dtype, double.dtype) == ("float32", "float64")


def test_a_weight_keeps_its_dtype_whatever_the_gradients():
    w = Weight(np.ones(2, "float32"))
    optimizers.Adam(0.5).apply_gradients([(np.ones(2), w)])
    optimizers.SGD(0.5).apply_gradients([(mg.tensor(np.ones(2)), w)])
    assert w.dtype == "float32"
    np.testing.assert_allclose(w.numpy(), [0.0, 0.0], atol=1e-5)


def test_the_learning_rate_can_be_set_and_scheduled():
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = 0.25
    assert optimizer.lr == optimizer.learning_rate == 0.25
    optimizer.lr = np.float32(0.5)
    assert optimizer.learning_rate == 0.5
    w = weight([0.0])
    scheduled = optimizers.SGD(schedules.PiecewiseConstantDecay([0], [1.0, 0.5]))
    for expected in (-1.0, -1.5):
        scheduled.apply_gradients([(np.ones(1), w)])
        assert w.item() == expected
    with pytest.raises(OptionError, match="follows PiecewiseConstantDecay, so it cannot be set"):
        scheduled.learning_rate = 0.1
    scheduled.learning_rate = schedules.ExponentialDecay(1.0, 1, 0.5)
    assert scheduled.learning_rate == 0.25


def test_the_state_holds_the_rate_that_was_set():
    one, other = optimizers.SGD(0.5), optimizers.SGD(0.5)
    one.learning_rate = 0.125
    other.set_state(one.get_state())
    assert other.learning_rate == 0.125


def test_minimize_takes_a_tensor_a_function_or_a_tape():
    w = weight([1.0])
    optimizer = optimizers.SGD(0.25)

    def loss():
        return (w * w).sum()

    optimizer.minimize(loss(), [w])
    optimizer.minimize(loss, lambda: [w])
    with mg.GradientTape() as tape:
        y = loss()
    optimizer.minimize(y, [w], tape)
    assert w.item() == 0.125
    assert optimizer.iterations == 3


def test_the_weights_list_is_the_state_in_order():
    w = weight([1.0, 2.0])
    optimizer = optimizers.Adam()
    optimizer.apply_gradients([(np.ones(2), w)])
    again = optimizers.Adam()
    again.build([w])
    again.set_weights(optimizer.get_weights())
    assert list(again.get_state()) == ["iterations", "learning_rate", "m/0", "v/0"]
    for a, b in zip(again.variables, optimizer.variables, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("adam", optimizers.Adam),
        ("AdamW", optimizers.AdamW),
        ("rmsprop", optimizers.RMSprop),
        ("SGD", optimizers.SGD),
        (optimizers.Adagrad, optimizers.Adagrad),
        ({"class_name": "Adam", "config": {"learning_rate": 0.5}}, optimizers.Adam),
    ],
)
def test_names(identifier, cls):
    assert type(optimizers.get(identifier)) is cls


# --- bad input --------------------------------------------------------------------------------------------------------


def built():
    optimizer = optimizers.Adam()
    optimizer.build([weight([1.0, 2.0])])
    return optimizer


def test_a_state_that_does_not_fit_sets_nothing():
    optimizer = optimizers.Adam()
    optimizer.build([mg.tensor(np.array([1.0, 2.0], "float32"), requires_grad=True)])
    before = {name: a.copy() for name, a in optimizer.get_state().items()}
    wrong = {**before, "iterations": np.int64(7), "m/0": np.ones(2), "v/0": np.array([1e300, 0.0])}
    with pytest.raises(DTypeError, match=r"Adam.set_state: 'v/0': the dtype float32 cannot hold 1e\+300"):
        optimizer.set_state(wrong)
    for name, a in optimizer.get_state().items():
        np.testing.assert_array_equal(a, before[name])


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda: optimizers.get("adma"), UnknownNameError, "Did you mean 'adam'? Known are: adagrad, adam, adamw"),
        (lambda: optimizers.get(3), UnknownNameError, "Or pass an optimizer object."),
        (lambda: optimizers.get(dict), UnknownNameError, "expected a name, got the class dict"),
        (lambda: optimizers.Adam(lr=0.1), OptionTypeError, "unexpected argument `lr`. Did you mean `learning_rate`?"),
        (lambda: optimizers.Adam(-0.1), OptionError, f"Adam: `learning_rate`: {NUMBER_FROM_0}, got -0.1"),
        (lambda: optimizers.Adam("0.1"), OptionError, f"{NUMBER_FROM_0}, got '0.1'"),
        (lambda: optimizers.Adam(float("nan")), OptionError, f"{NUMBER_FROM_0}, got nan"),
        (lambda: optimizers.SGD(momentum=1.5), OptionError, f"SGD: `momentum`: {FRACTION}, got 1.5"),
        (
            lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0),
            OptionError,
            "expected at most one kind of clipping, got clipnorm and clipvalue",
        ),
        (
            lambda: optimizers.SGD().apply_gradients([(np.ones(3), weight([1.0, 2.0], name="w:0"))]),
            ShapeError,
            "SGD.apply_gradients: expected a gradient of shape (2,) for 'w:0', got (3,).",
        ),
        (
            lambda: optimizers.SGD().apply_gradients([(None, weight([1.0], name="w:0"))]),
            GradientError,
            "no gradient for any of w:0: the loss does not depend on them",
        ),
        (
            lambda: built().apply_gradients([(np.ones(1), weight([1.0], name="w:0"))]),
            GradientError,
            "'w:0' is not among the 1 weights that the optimizer was built for",
        ),
        (lambda: optimizers.Adam().set_state(built().get_state()), GradientError, "call optimizer.build("),
        (
            lambda: built().set_state({"iterations": np.int64(1)}),
            ShapeError,
            "expected 'learning_rate' of shape (), got None",
        ),
        (
            lambda: built().set_state({**built().get_state(), "m/0": np.ones(3)}),
            ShapeError,
            "expected 'm/0' of shape (2,), got (3,)",
        ),
        (lambda: optimizers.SGD().apply_gradients([1]), GradientError, "expected pairs (gradient, Tensor), got 1"),
        (
            lambda: optimizers.SGD(float("inf")),
            OptionError,
            "`learning_rate`: expected a finite number of 0",
        ),
        (lambda: optimizers.Adam(beta_1=1.0), OptionError, f"`beta_1`: {BELOW_1}, got 1.0"),
        (lambda: built().set_state([1]), ShapeError, "set_state: expected the dictionary that get_state returns"),
        (lambda: built().set_weights([1]), ShapeError, "expected 4 arrays, got 1"),
        (lambda: optimizers.Optimizer().update(None, None, {}, 0.1, 1), NotImplementedError, "must define update("),
    ],
)
def test_bad_input_is_named(act, error, says):
    with pytest.raises(error) as caught:
        act()
    assert says in str(caught.value)


def test_a_state_that_does_not_fit_changes_nothing():
    optimizer = built()
    before = optimizer.get_state()
    with pytest.raises(ShapeError):
        optimizer.set_state({**before, "iterations": np.int64(7), "v/0": np.ones(9)})
    assert optimizer.iterations == 0


@pytest.mark.parametrize("rate", [float("nan"), -0.1, None])
def test_a_schedule_that_gives_no_rate_is_named_before_anything_changes(rate):
    class Wrong(schedules.LearningRateSchedule):
        def __call__(self, step):
            return rate

    w = weight([1.0])
    with pytest.raises(OptionError, match=rf"SGD: the learning rate of update 1: expected .*, got {rate}"):
        optimizers.SGD(Wrong()).apply_gradients([(np.ones(1), w)])
    assert w.numpy() == [1.0]
