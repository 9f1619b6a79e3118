"""Tensor: what it is, what can be done to it, and what it says when something cannot."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from engine_errors import EACH_AXIS
from minigrad.engine.errors import BackendError, DTypeError, GradientError, IndexRangeError, ShapeError
from needed import needed

strict_backend = needed("strict_backend")


def test_what_it_is(backend: ModuleType) -> None:
    x = mg.tensor([[1.0, 2.0, 3.0]], requires_grad=True)
    assert (x.shape, x.ndim, x.size, len(x)) == ((1, 3), 2, 3, 1)
    assert x.backend is backend
    assert x.requires_grad
    assert x.grad is None
    assert x.T.shape == (3, 1)


def test_the_dtype_compares_with_names() -> None:
    assert mg.tensor([1.0]).dtype == "float32"
    assert mg.tensor([1]).dtype == "int64"


# --- gradients --------------------------------------------------------------------------------------------------------


def test_leaves_accumulate_and_intermediates_do_not(backend: ModuleType) -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    for times in (1, 2, 3):
        y = x * x
        y.sum().backward()
        assert x.grad.tolist() == [2.0 * times, 4.0 * times]
        assert y.grad is None
    assert not x.grad.requires_grad


def test_the_gradient_of_many_numbers_needs_a_direction() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(ShapeError, match=r"shape \(2,\) has no one gradient. .* pass ∂loss/∂y as `gradient`"):
        (x * x).backward()
    with pytest.raises(ShapeError, match=r"expected `gradient` of shape \(2,\), got \(3,\)"):
        (x * x).backward([1.0, 2.0, 3.0])
    (x * x).backward(np.array([1.0, 10.0]))
    assert x.grad.tolist() == [2.0, 40.0]
    assert x.grad.dtype == "float32"
    y = x * x
    for seed in (np.ones(2), mg.tensor(np.ones(2))):
        assert [dx.dtype for dx in mg.grad(y, [x, y], seed)] == ["float32", "float32"]


def test_nothing_that_requires_a_gradient() -> None:
    with pytest.raises(GradientError, match="no input of this tensor requires a gradient"):
        mg.tensor([1.0]).backward()


def test_create_graph_keeps_the_graph_and_records_the_gradient(backend: ModuleType) -> None:
    x = mg.tensor(2.0, requires_grad=True)
    y = x * x * x
    y.backward(create_graph=True)
    assert x.grad.requires_grad
    y.backward(create_graph=True)
    assert x.grad.item() == 24.0
    first, x.grad = x.grad, None
    first.backward()
    assert x.grad.item() == 24.0  # twice 6 x


def test_create_graph_records_under_no_grad_too() -> None:
    x = mg.tensor(2.0, requires_grad=True)
    y = x * x * x
    with mg.no_grad():
        (dx,) = mg.grad(y, x, create_graph=True)
    assert mg.grad(dx, x)[0].item() == 12.0


def test_gradients_go_to_the_backend_of_the_tensor_not_the_current_one() -> None:
    with mg.using(strict_backend):
        x = mg.tensor([1.0, 2.0], requires_grad=True)
    for create_graph in (False, True):
        (dx,) = mg.grad((x * x)[1:].sum(), x, create_graph=create_graph)
        assert dx.backend is strict_backend
        assert dx.tolist() == [0.0, 4.0]


def test_requires_grad_is_for_real_numbers() -> None:
    for make in (lambda: mg.tensor([1, 2], requires_grad=True), lambda: mg.tensor([True], requires_grad=True)):
        with pytest.raises(DTypeError, match=r"a gradient is defined for real numbers only. .* dtype='float32'"):
            make()
    x = mg.tensor([1, 2])
    with pytest.raises(DTypeError, match="the dtype is int64"):
        x.requires_grad = True
    assert not x.requires_grad


def test_requires_grad_of_what_was_computed_stays() -> None:
    x = mg.tensor(1.0, requires_grad=True)
    y = x * x
    y.requires_grad = True
    with pytest.raises(GradientError, match=r"computed from others. Use x.detach\(\)"):
        y.requires_grad = False
    x.requires_grad = False
    assert not (x * x).requires_grad


def test_detach() -> None:
    x = mg.tensor(3.0, requires_grad=True)
    (x * x.detach()).backward()
    assert x.grad.item() == 3.0


# --- writing ----------------------------------------------------------------------------------------------------------


def test_writing(backend: ModuleType) -> None:
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    before = x.detach()
    x[0] = 9.0
    x[1, 1] = mg.tensor(7.0)
    assert x.tolist() == [[9.0, 9.0], [3.0, 7.0]]
    assert before.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_writing_with_arrays() -> None:
    x = mg.tensor([1.0, 2.0, 3.0])
    x[mg.tensor([0, 2])] = np.array([5.0, 6.0])
    x[[False, True, False]] = [4.0]
    assert x.tolist() == [5.0, 4.0, 6.0]


def test_writing_where_a_gradient_passes() -> None:
    x, c = mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor([1.0, 2.0])
    for target, value in ((x, 0.0), (x * x, 0.0), (c, x[0])):
        with pytest.raises(GradientError, match=r"mg.where\(mask, new, x\), or mg.stack / mg.concat"):
            target[0] = value
    with mg.no_grad():
        x[0] = 5.0
        y = mg.tensor([1.0], requires_grad=True)
    assert x.tolist() == [5.0, 2.0]
    assert y.requires_grad
    with mg.no_grad(), pytest.raises(GradientError):
        (lambda computed: computed.__setitem__(0, 1.0))(_computed(x))


def _computed(x: mg.Tensor) -> mg.Tensor:
    with mg.GradientTape():
        return x * x


def test_augmented_assignment_makes_a_new_tensor() -> None:
    x = mg.tensor([1.0], requires_grad=True)
    y = x
    y += 1.0
    y *= 3.0
    assert (x.tolist(), y.tolist()) == ([1.0], [6.0])
    assert mg.grad(y.sum(), x)[0].tolist() == [3.0]


# --- two backends -----------------------------------------------------------------------------------------------------


def test_to(backend: ModuleType) -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    other = strict_backend if backend is minigrad_numpy else minigrad_numpy
    y = x.to(other)
    assert y.backend is other
    assert y.tolist() == [1.0, 2.0]
    assert y.requires_grad
    assert x.to(backend) is x
    with pytest.raises(GradientError, match="no gradient passes from"):
        (x * x).to(other)
    assert (x * x).detach().to(other).tolist() == [1.0, 4.0]
    assert (x * x).to(backend).requires_grad


MIXED = {
    "add": lambda a, b: a + b,
    "compare": lambda a, b: a < b,
    "concat": lambda a, b: mg.concat([a, b]),
    "where": lambda a, b: mg.where(a > 0, a, b),
    "index": lambda a, b: a[b.astype("int64")],
    "take": lambda a, b: mg.take(a, b.astype("int64")),
    "write": lambda a, b: a.detach().__setitem__(0, b.detach()[0]),
    "loss": mg.functional.mean_squared_error,
    "seed": lambda a, b: (a * 1.0).backward(b),
    "targets": lambda a, b: mg.grad([a.sum(), b.astype("float32").sum()], [a]),
}


@pytest.mark.parametrize("mix", MIXED.values(), ids=MIXED)
def test_backends_do_not_mix(mix: object) -> None:
    a = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.using(strict_backend):
        b = mg.tensor([0.0, 1.0], requires_grad=True)
    with pytest.raises(BackendError, match=r"'numpy', another on 'strict'. .* x.to\('numpy'\)"):
        mix(a, b)


def test_constants_go_where_the_tensor_is() -> None:
    """Also if that is not the current backend."""
    with mg.using(strict_backend):
        x = mg.tensor([1.0, 2.0], requires_grad=True)
    host = np.array([3.0, 4.0], "float32")
    for y in (
        x + host,
        host + x,
        mg.maximum(x, host),
        mg.take(x, [1, 0]),
        x[np.array([1])],
        mg.where(host > 3, x, 0.0),
    ):
        assert y.backend is strict_backend
    assert mg.functional.softmax_cross_entropy(x, 1).backend is strict_backend


# --- what is refused --------------------------------------------------------------------------------------------------

X = np.ones((2, 3), "float32")

REFUSED = {
    "add": (
        lambda x: x + x[:, :2],
        ShapeError,
        r"Add: cannot be .* a = float32 \(2, 3\), b = float32 \(2, 2\): ",
    ),
    "matmul": (
        lambda x: x @ x,
        ShapeError,
        r"MatMul: cannot be .* a = float32 \(2, 3\), b = float32 \(2, 3\): ",
    ),
    "reshape": (
        lambda x: x.reshape(4, 2),
        ShapeError,
        r"Reshape: .* x = float32 \(2, 3\), with shape = \(4, 2\): ",
    ),
    "axis": (
        lambda x: x.sum(2),
        ShapeError,
        r"Sum: .* with axis = 2, keepdims = False: axis 2 is out of bounds",
    ),
    "index": (lambda x: x[2], IndexRangeError, r"GetItem: .* index 2 is out of bounds"),
    "invert": (lambda x: ~x, DTypeError, r"Not: cannot be applied to x = float32 \(2, 3\): "),
    "none": (lambda x: x + None, DTypeError, r"Add: cannot be applied to a = float32 \(2, 3\), b = None: "),
    "text": (lambda x: x + "1", DTypeError, "Add: `b`: expected numbers, got str"),
    "text alone": (lambda x: mg.exp("x"), DTypeError, "exp: `x`: expected numbers, got str"),
    "text as index": (lambda x: x["a"], DTypeError, r"x\[index\]: expected numbers, got str"),
    "text written": (lambda x: x.__setitem__(0, "a"), DTypeError, r"x\[index\] = value: expected numbers, got str"),
    "power": (lambda x: mg.tensor([2, 3]) ** -1, DTypeError, r"Power: .* Integers to negative integer powers"),
    "transpose": (lambda x: x.transpose(0), ShapeError, EACH_AXIS),
    "length": (lambda x: len(x[0, 0]), ShapeError, r"a tensor of shape \(\) has no first axis"),
    "iteration": (lambda x: list(x[0, 0]), ShapeError, r"a tensor of shape \(\) has no first axis"),
    "truth": (lambda x: bool(x > 0), ShapeError, "neither true nor false. Use mg.any or mg.all"),
    "item": (lambda x: x.item(), ShapeError, "expected a tensor with one element"),
}


@pytest.mark.parametrize(("act", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals_say_what_came_and_what_to_do(act: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act(mg.tensor(X))


def test_methods_are_the_functions() -> None:
    values = np.array([[0.5, -1.0, 2.0], [3.0, 0.0, 1.0]])
    x = mg.tensor(values)
    for name in ("sum", "mean", "var", "max", "min", "argmax"):
        np.testing.assert_array_equal(getattr(x, name)(1).numpy(), getattr(values, name)(1))
    reshaped = (x.reshape(3, 2), x.reshape((6,)), x.reshape(-1))
    assert [y.shape for y in reshaped] == [(3, 2), (6,), (6,)]
    assert [y.shape for y in (x.transpose(), x.transpose(1, 0), x.transpose((1, 0)), x.T)] == [(3, 2)] * 4
    assert abs(x).tolist() == np.abs(values).tolist()
    assert (+x) is x
    assert [row.tolist() for row in x] == values.tolist()
    assert mg.tensor(3.0) in mg.tensor([1.0, 3.0])


@pytest.mark.parametrize(
    ("index", "value", "error"),
    [(9, 1.0, IndexRangeError), (0, [1.0, 2.0], ShapeError), (0, "a", DTypeError), (0, None, DTypeError)],
)
def test_writing_what_does_not_fit(index: object, value: object, error: type[Exception]) -> None:
    x = mg.ones((2, 3))
    with pytest.raises(error):
        x[index] = value
    np.testing.assert_array_equal(x.numpy(), np.ones((2, 3)))
