"""grad, no_grad and GradientTape."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import DTypeError, GradientError, ShapeError, UnknownNameError


def variable(value: float) -> mg.Tensor:
    return mg.tensor(value, requires_grad=True)


# --- grad -------------------------------------------------------------------------------------------------------------


def test_grad_accumulates_nothing_and_keeps_the_graph() -> None:
    x = variable(3.0)
    y = x * x
    for _ in range(2):
        assert [dx.item() for dx in mg.grad(y, [x])] == [6.0]
    assert x.grad is None


def test_grad_of_several_outputs_at_several_inputs() -> None:
    a, b, c = variable(2.0), variable(3.0), variable(5.0)
    y, z = a * b, b * b
    assert [None if d is None else d.item() for d in mg.grad([y, z], [a, b, c])] == [3.0, 8.0, None]
    assert [d.item() for d in mg.grad([y, z], [a, b], [10.0, 1.0])] == [30.0, 26.0]


def test_grad_at_what_was_computed_on_the_way() -> None:
    x = variable(2.0)
    y = x * x
    z = y * y
    dz, dy, dx = mg.grad(z, [z, y, x])
    assert (dz.item(), dy.item(), dx.item()) == (1.0, 8.0, 32.0)
    first, second = mg.split(mg.stack([x, y]), 2)
    d1, d2 = mg.grad((first * second).sum(), [first, second])
    assert (d1.item(), d2.item()) == (4.0, 2.0)


@pytest.mark.parametrize(
    "seed", [[1.0, 10.0], np.array([1.0, 10.0]), [np.array([1.0, 10.0])], [mg.tensor([1.0, 10.0])]]
)
def test_a_cotangent_may_stand_alone_or_in_a_list(seed: object) -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert mg.grad(x * x, x, seed)[0].tolist() == [2.0, 40.0]
    assert mg.grad([x * x], x, [[1.0, 10.0]])[0].tolist() == [2.0, 40.0]


def test_grad_refuses() -> None:
    x, y = variable(1.0), variable(2.0)
    with pytest.raises(ShapeError, match="expected one cotangent for each output, got 1 for 2"):
        mg.grad([x * y, y], x, [1.0])
    with pytest.raises(GradientError, match=r"grad: `inputs`: expected Tensors.*got ndarray"):
        mg.grad(x * y, [x, np.ones(1)])
    with pytest.raises(GradientError, match=r"grad: `outputs`: expected Tensors.*got 1.0"):
        mg.grad(1.0, x)
    with pytest.raises(GradientError, match="requires a gradient"):
        mg.grad(mg.tensor(1.0), x)


def test_third_derivatives() -> None:
    x = variable(2.0)
    y = x**5
    for expected in (80.0, 160.0, 240.0):
        (y,) = mg.grad(y, x, create_graph=True)
        assert y.item() == expected


def test_hessian_times_vector() -> None:
    """∂/∂x ⟨∂f/∂x, v⟩ through broadcasting, an index, a mask and a loss."""
    weights, labels = np.random.default_rng(0).normal(size=(3, 4)), np.array([0, 2])
    mask, rows = np.array([[True, False, True, True]] * 2), np.array([1, 1])

    def f(x: mg.Tensor) -> mg.Tensor:
        h = mg.tanh(x[rows] @ mg.tensor(weights))
        return (
            mg.functional.softmax_cross_entropy(h, labels)
            + (h * h)[mask].sum()
            + mg.functional.logsumexp(h.reshape(-1))
        )

    mg.testing.check_gradient(f, np.random.default_rng(1).normal(size=(2, 3)), second_order=True)


# --- no_grad ----------------------------------------------------------------------------------------------------------


def test_no_grad() -> None:
    x = variable(3.0)
    with mg.no_grad():
        y = x * x
        with mg.GradientTape():
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
    assert not y.requires_grad
    assert (x * x).requires_grad


def test_no_grad_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), mg.no_grad():
        raise ZeroDivisionError
    assert (variable(1.0) * 2.0).requires_grad


def test_no_grad_decorates() -> None:
    @mg.no_grad()
    def square(x: mg.Tensor) -> mg.Tensor:
        return x * x

    assert not square(variable(2.0)).requires_grad
    assert not square(variable(2.0)).requires_grad


# --- GradientTape -----------------------------------------------------------------------------------------------------


def test_weights_are_watched_and_constants_on_request() -> None:
    w, c, d = variable(3.0), mg.tensor(2.0), mg.tensor(4.0)
    with mg.GradientTape() as tape:
        tape.watch(c)
        y = w * c * d
    dw, dc, dd = tape.gradient(y, [w, c, d])
    assert (dw.item(), dc.item(), dd) == (8.0, 12.0, None)
    assert not c.requires_grad
    assert c.grad is None


def test_structures_come_back_as_they_went() -> None:
    class Pair(NamedTuple):
        a: mg.Tensor
        b: mg.Tensor

    x, y = variable(2.0), variable(3.0)
    with mg.GradientTape(persistent=True) as tape:
        z = {"product": x * y, "rest": [x * x]}
    answer = tape.gradient(z, {"x": x, "more": (y, [x]), "pair": Pair(x, y)})
    assert answer["x"].item() == 7.0
    assert (answer["more"][0].item(), answer["more"][1][0].item()) == (2.0, 7.0)
    assert type(answer["pair"]) is Pair
    assert answer["pair"].b.item() == 2.0
    weighed = tape.gradient(z, x, output_gradients={"product": 10.0, "rest": [1.0]})
    assert weighed.item() == 34.0


def test_a_target_of_many_numbers_counts_as_its_sum() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.GradientTape(persistent=True) as tape:
        y = x * x
    assert tape.gradient(y, x).tolist() == [2.0, 4.0]
    assert tape.gradient(y, x, output_gradients=[1.0, 10.0]).tolist() == [2.0, 40.0]
    with pytest.raises(ShapeError, match="expected one cotangent for each output"):
        tape.gradient([y, y], x, output_gradients=[y])


def test_unconnected() -> None:
    x, other, constant = variable(2.0), mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor(1.0)
    with mg.GradientTape(persistent=True) as tape:
        y = x * x
        z = constant * 2.0
    assert tape.gradient(y, other) is None
    assert tape.gradient(z, x) is None
    assert tape.gradient(y, other, unconnected_gradients="zero").tolist() == [0.0, 0.0]
    with pytest.raises(UnknownNameError, match="Did you mean 'zero'"):
        tape.gradient(y, other, unconnected_gradients="zeros")


def test_a_tape_answers_once_unless_it_is_persistent() -> None:
    x = variable(2.0)
    for persistent in (False, True):
        with mg.GradientTape(persistent=persistent) as tape:
            y = x * x
        assert tape.gradient(y, x).item() == 4.0
        if persistent:
            assert tape.gradient(y, x).item() == 4.0
        else:
            with pytest.raises(GradientError, match="GradientTape\\(persistent=True\\)"):
                tape.gradient(y, x)


@pytest.mark.parametrize("watched", [True, False])
def test_a_tape_in_a_tape_gives_second_derivatives(watched: bool) -> None:
    x = mg.tensor(3.0, requires_grad=not watched)
    with mg.GradientTape() as outer:
        with mg.GradientTape() as inner:
            if watched:
                inner.watch(x)
                outer.watch(x)
            y = x * x * x
        dy = inner.gradient(y, x)
        assert dy.item() == 27.0
    assert outer.gradient(dy, x).item() == 18.0
    assert x.requires_grad is not watched


def test_a_persistent_tape_records_its_own_answers() -> None:
    x = mg.tensor(3.0)
    with mg.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**4
        dy = tape.gradient(y, x)
    assert dy.item() == 108.0
    assert tape.gradient(dy, x).item() == 108.0


def test_an_answer_outside_every_block_is_not_recorded() -> None:
    x = variable(3.0)
    with mg.GradientTape() as tape:
        y = x * x
    assert not tape.gradient(y, x).requires_grad


def test_stop_recording() -> None:
    x, y = variable(2.0), variable(3.0)
    with mg.GradientTape() as tape:
        x2 = x * x
        with tape.stop_recording():
            y2 = y * y
        z = x2 + y2
    answer = tape.gradient(z, {"x": x, "y": y})
    assert (answer["x"].item(), answer["y"]) == (4.0, None)


def test_reset_and_what_came_before_the_block() -> None:
    x, y = variable(2.0), variable(3.0)
    x2 = x * x
    with mg.GradientTape() as tape:
        y2 = y * y
        tape.reset()
        z = x2 * 1.0 + y2 * 1.0
    dx, dy, dx2 = tape.gradient(z, [x, y, x2])
    assert (dx, dy, dx2.item()) == (None, None, 1.0)


def test_watched_variables() -> None:
    w, v, unused, x = variable(1.0), variable(2.0), variable(3.0), mg.tensor(4.0)
    with mg.GradientTape() as tape:
        tape.watch(x)
        y = x * w
        y * v * y
    assert [id(t) for t in tape.watched_variables()] == [id(w), id(v)]
    assert unused.requires_grad


def test_only_what_one_watches() -> None:
    w, v = variable(2.0), variable(3.0)
    with mg.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(v)
        y = w * v
    assert [None if d is None else d.item() for d in tape.gradient(y, [w, v])] == [None, 2.0]
    assert [id(t) for t in tape.watched_variables()] == [id(v)]


def test_a_tape_takes_the_gradient_of_what_was_watched_in_between() -> None:
    x = mg.tensor(2.0)
    with mg.GradientTape() as tape:
        y = x * x
        tape.watch(y)
        z = y * y
    assert tape.gradient(z, y).item() == 8.0


def test_a_tape_can_be_used_again() -> None:
    x = variable(2.0)
    tape = mg.GradientTape()
    for _ in range(2):
        with tape:
            y = x * x
        assert tape.gradient(y, x).item() == 4.0


def test_tapes_refuse() -> None:
    tape = mg.GradientTape()
    with tape:
        with pytest.raises(GradientError, match="recording already"):
            tape.__enter__()
        with pytest.raises(DTypeError, match="real numbers only"):
            tape.watch(mg.tensor([1]))
        with pytest.raises(GradientError, match=r"watch: `tensor`: expected Tensors.*got ndarray"):
            tape.watch(np.ones(1))


def _watch_and_fail(tape: mg.GradientTape, x: mg.Tensor) -> None:
    tape.watch(x)
    raise ZeroDivisionError


def test_an_error_inside_the_block_closes_it() -> None:
    x = mg.tensor(1.0)
    tape = mg.GradientTape()
    with pytest.raises(ZeroDivisionError), tape:
        _watch_and_fail(tape, x)
    assert not x.requires_grad
    assert tape.gradient(x * x, x) is None
