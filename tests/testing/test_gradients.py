"""`check_gradient` finds each kind of wrong gradient and names the place."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import DTypeError, GradientCheckError
from minigrad.engine.ops.op import Op
from minigrad.engine.tensor import apply
from minigrad.testing import check_gradient

X = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -3.0]])
W = np.array([1.0, -2.0, 0.5])


def wrong(change: Any) -> Any:
    """y = x w, with something done to its gradient."""

    class Product(Op):
        broadcasts = True

        def forward(xp, x, w):
            return x * w

        def backward(xp, dy, y, x, w):
            return change(dy * w, dy * x)

    return lambda x, w: apply(Product, x, w)


def one_element(dx: Any, dw: Any) -> Any:
    bump = np.zeros(dx.shape)
    bump[1, 2] = 1e-3
    return dx + bump, dw


def transposed(dx: Any, dw: Any) -> Any:
    return dx[:, ::-1], dw


MUTANTS = {
    "a tenth of a percent too large": (lambda dx, dw: (1.001 * dx, dw), "input 0"),
    "a hundredth of a percent too large": (lambda dx, dw: (1.0001 * dx, dw), "input 0"),
    "of the second input": (lambda dx, dw: (dx, 0.999 * dw), "input 1"),
    "one element off": (one_element, r"input 0, shape \(2, 3\), at index \(1, 2\)"),
    "none for an input": (lambda dx, dw: (dx, None), r"input 1, shape \(3,\) \(no gradient arrived\)"),
    "the other sign": (lambda dx, dw: (-dx, dw), "input 0"),
    "elements in another order": (transposed, "input 0"),
    "not a number": (lambda dx, dw: (dx * np.nan, dw), "input 0"),
    "swapped": (lambda dx, dw: (dw, dx), "input 0"),
}


@pytest.mark.parametrize("max_elements", [100, 0], ids=["elements", "directions"])
@pytest.mark.parametrize(("change", "where"), MUTANTS.values(), ids=MUTANTS)
def test_a_wrong_gradient_is_found(change: Any, where: str, max_elements: int) -> None:
    if max_elements == 0:
        where = re.sub(r"at index.*", "along a random direction", where)
    with pytest.raises(GradientCheckError, match=where):
        check_gradient(wrong(change), X, W, max_elements=max_elements)


def test_a_right_one_is_not() -> None:
    check_gradient(wrong(lambda dx, dw: (dx, dw)), X, W)


def test_the_message_has_both_numbers_and_how_far_they_are_apart() -> None:
    with pytest.raises(GradientCheckError) as caught:
        check_gradient(wrong(lambda dx, dw: (1.001 * dx, dw)), X, W)
    message = str(caught.value)
    found = re.search(r"analytic (\S+), numeric (\S+); they differ by (\S+), that is (\S+) %", message)
    assert found is not None, message
    analytic, numeric, error, percent = map(float, found.groups())
    assert analytic / numeric == pytest.approx(1.001)
    assert error == pytest.approx(abs(analytic - numeric), rel=0.01)
    assert percent == pytest.approx(0.1, rel=0.01)


def test_errors_cannot_cancel_between_elements() -> None:
    """Two errors that cancel in the plain sum of the outputs."""

    def change(dx: Any, dw: Any) -> Any:
        bump = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]])
        return dx + bump, dw

    with pytest.raises(GradientCheckError):
        check_gradient(wrong(change), X, W, max_elements=0)


def test_every_output_counts() -> None:
    check_gradient(lambda x: (x * x, x.sum(), mg.sin(x)), X)
    with pytest.raises(GradientCheckError, match="input 0"):
        check_gradient(lambda x: [mg.tanh(x), x.detach() * 1e-2], X)


def test_a_function_that_ignores_an_input_is_right_about_it() -> None:
    check_gradient(lambda x, w: 2.0 * x, X, W)
    check_gradient(lambda x: mg.tensor(W), X)


def test_a_wrong_second_derivative_is_found() -> None:
    """A correct gradient, but with a NumPy constant in place of a tensor: the constant's gradient is lost."""

    class Square(Op):
        def forward(xp, x):
            return x * x

        def backward(xp, dy, y, x):
            return 2.0 * dy * getattr(x, "detach", lambda: x)()

    check_gradient(lambda x: apply(Square, x), X)
    with pytest.raises(GradientCheckError, match="input 0"):
        check_gradient(lambda x: apply(Square, x), X, second_order=True)


def test_weights_are_varied_and_put_back() -> None:
    w = mg.tensor(W, requires_grad=True)
    check_gradient(lambda x: mg.tanh(x * w), X, weights=[w], second_order=True)
    np.testing.assert_array_equal(w.numpy(), W)
    with pytest.raises(GradientCheckError, match=r"weight 0, shape \(3,\) \(no gradient arrived\)"):
        check_gradient(lambda x: mg.tanh(x * w.detach()), X, weights=[w])
    np.testing.assert_array_equal(w.numpy(), W)


def test_the_same_seed_gives_the_same_verdict() -> None:
    messages = set()
    for _ in range(2):
        with pytest.raises(GradientCheckError) as caught:
            check_gradient(wrong(lambda dx, dw: (1.001 * dx, dw)), X, W, seed=3)
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_float32_is_refused_with_the_reason() -> None:
    with pytest.raises(
        DTypeError, match=r"input 1 is of dtype float32, expected float64: in float32 .* dtype='float64'"
    ):
        check_gradient(mg.multiply, X, W.astype("float32"))
    with pytest.raises(DTypeError, match="output 0 is of dtype float32"):
        check_gradient(lambda x: x.astype("float32"), X)
    with pytest.raises(DTypeError, match=r"`weights`\[0\] is of dtype float32"):
        check_gradient(lambda x: x, X, weights=[mg.tensor([1.0], requires_grad=True)])


def test_chance_in_the_function_is_noticed() -> None:
    with pytest.raises(GradientCheckError, match="equal inputs, got two results"):
        check_gradient(lambda x: x * mg.random.normal((2, 3), dtype="float64"), X)


def test_large_and_small_numbers() -> None:
    """No false and no missed errors at large and small scales."""
    for scale in (1e-4, 1.0, 1e4):
        check_gradient(lambda x, s=scale: mg.tanh(x) * s, X, second_order=True)
        check_gradient(lambda x, s=scale: mg.log(x * x) / s, X)
        with pytest.raises(GradientCheckError):
            check_gradient(lambda x, w, s=scale: wrong(lambda dx, dw: (1.001 * dx, dw))(x, w) * s, X, W)
