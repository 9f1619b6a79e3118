"""NumPy's functions of a Tensor: on the tape, or the numbers, or a sentence; never a gradient lost without a word."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from engine_errors import LOSES_GRADIENT
from minigrad.engine.errors import DTypeError, GradientError, MinigradError
from minigrad.engine.numpy_calls import BY_OPERATOR, ON_TAPE, OTHER_NAMES, WRITERS

UFUNCS = {name: f for name in dir(np) if isinstance(f := getattr(np, name), np.ufunc)}
METHODS = ("reduce", "accumulate", "reduceat", "outer", "at")
POSITIVE, OTHER = np.array([[0.5, 2.0], [3.0, 0.25]]), np.array([[2.0, 0.5], [3.0, 1.0]])


def dispatching() -> Iterator[tuple[str, Any]]:
    """Every function of NumPy's that asks its arguments for `__array_function__`."""
    for where, module in (("np", np), ("np.linalg", np.linalg), ("np.fft", np.fft)):
        for name in sorted(dir(module)):
            function = getattr(module, name)
            if hasattr(function, "_implementation") and not name.startswith("_"):
                yield f"{where}.{name}", function


FUNCTIONS = dict(dispatching())


def test_the_tables_name_what_there_is() -> None:
    assert len(FUNCTIONS) > 200
    assert len(UFUNCS) > 90
    assert {*ON_TAPE, *BY_OPERATOR} <= UFUNCS.keys()
    assert all(callable(getattr(mg, name)) for name in [*ON_TAPE.values(), *OTHER_NAMES.values()])
    assert all(f"np.{name}" in FUNCTIONS for name in [*WRITERS, *OTHER_NAMES])


@pytest.mark.parametrize("name", UFUNCS)
def test_every_ufunc(name: str) -> None:
    """On the tape where minigrad has it: its value is NumPy's, its gradient that of minigrad's function."""
    ufunc = UFUNCS[name]
    x = mg.tensor(POSITIVE, requires_grad=True)
    inputs = [x, OTHER][: ufunc.nin]
    if ufunc.__name__ in ON_TAPE:
        own = getattr(mg, ON_TAPE[ufunc.__name__])
        for order in (inputs, inputs[::-1]):
            y, expected = ufunc(*order), own(*order)
            assert isinstance(y, mg.Tensor)
            np.testing.assert_allclose(y.numpy(), ufunc(*[np.asarray(i) for i in order]))
            assert y.requires_grad == expected.requires_grad
            if y.requires_grad:
                np.testing.assert_array_equal(mg.grad(y.sum(), x)[0].numpy(), mg.grad(expected.sum(), x)[0].numpy())
    elif ufunc.__name__ not in BY_OPERATOR:
        with pytest.raises(GradientError, match=rf"np.{ufunc.__name__}: {LOSES_GRADIENT}.*x.detach\(\)"):
            ufunc(*inputs)


@pytest.mark.parametrize("name", UFUNCS)
def test_every_method_of_a_ufunc(name: str) -> None:
    """np.add.reduce(x) and its like record nothing, so they refuse; so does every keyword."""
    ufunc, x = UFUNCS[name], mg.tensor(POSITIVE, requires_grad=True)
    for method in METHODS if ufunc.nin == 2 and ufunc.nout == 1 and ufunc.signature is None else ():
        more = {"reduceat": ([0],), "outer": (OTHER,), "at": ([0], OTHER[0])}.get(method, ())
        with pytest.raises(MinigradError, match=f"np.{ufunc.__name__}.{method}: NumPy"):
            getattr(ufunc, method)(x, *more)
    inputs = [x, OTHER, OTHER][: ufunc.nin]
    with pytest.raises(MinigradError, match=f"np.{ufunc.__name__}: NumPy"):
        ufunc(*inputs, dtype="float64")
    with pytest.raises(DTypeError, match=rf"np.{ufunc.__name__}: NumPy can write neither to a Tensor.*x.numpy\(\)"):
        ufunc(*inputs, out=tuple(np.zeros((2, 2)) for _ in range(ufunc.nout)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_names_minigrads(name: str) -> None:
    """A tensor anywhere among the arguments: the message says which function, and minigrad's of that name if any."""
    function, x = FUNCTIONS[name], mg.tensor(POSITIVE, requires_grad=True)
    own = OTHER_NAMES.get(function.__name__, function.__name__)
    has_it = hasattr(mg.functional, own)
    way = rf"Use mg.{own}, or say x.numpy\(\)" if has_it else "minigrad has no function of that name"
    places: list[tuple[Any, Any]] = [((x,), {}), (([OTHER, x],), {}), ((OTHER,), {"key": {"x": x}})]
    for args, kwargs in places:
        writes = function.__name__ in WRITERS and args[0] is x
        message = "can write neither" if writes else f"would lose the gradient.*{way}"
        with pytest.raises(MinigradError, match=message) as told:
            x.__array_function__(function, (mg.Tensor,), args, kwargs)
        assert f"{function.__name__}: " in str(told.value)
        assert hasattr(mg, own) or not has_it


CALLS: dict[str, Callable[[Any], Any]] = {
    "sum": np.sum,
    "max": np.max,
    "amax": np.amax,
    "mean of an axis": lambda x: np.mean(x, axis=0),
    "dot": lambda x: np.dot(x, OTHER),
    "dot, second": lambda x: np.dot(OTHER, x),
    "concatenate": lambda x: np.concatenate([OTHER, x]),
    "stack": lambda x: np.stack((x, OTHER)),
    "where": lambda x: np.where(OTHER > 1, x, 0),
    "clip": lambda x: np.clip(OTHER, a_min=x, a_max=None),
    "einsum": lambda x: np.einsum("ij,jk", OTHER, x),
    "norm": np.linalg.norm,
    "inverse": np.linalg.inv,
    "fft": np.fft.fft,
    "arctan": np.arctan,
    "add.reduce": np.add.reduce,
    "subtract.outer": lambda x: np.subtract.outer(OTHER, x),
    "isclose": lambda x: np.isclose(x, OTHER),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_numbers_of_a_tensor_without_gradient(backend: ModuleType, call: Callable[[Any], Any]) -> None:
    np.testing.assert_array_equal(call(mg.tensor(POSITIVE)), call(POSITIVE))
    with pytest.raises(GradientError, match=rf"np\.[a-z.]+: {LOSES_GRADIENT}"):
        call(mg.tensor(POSITIVE, requires_grad=True))


WRITES: dict[str, Callable[[Any], Any]] = {
    "copyto": lambda x: np.copyto(x, 1.0),
    "copyto by name": lambda x: np.copyto(dst=x, src=1.0),
    "fill_diagonal": lambda x: np.fill_diagonal(x, 1.0),
    "put": lambda x: np.put(x, [0], 1.0),
    "place": lambda x: np.place(x, OTHER > 1, 1.0),
    "putmask": lambda x: np.putmask(x, OTHER > 1, 1.0),
    "at": lambda x: np.add.at(x, 0, 1.0),
    "out": lambda x: np.add(OTHER, OTHER, out=x),
    "out of a function": lambda x: np.sum(OTHER, out=x),
    "in place": lambda x: operator.iadd(OTHER.copy(), x),
    "in place, product": lambda x: operator.imatmul(OTHER.copy(), x),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_numpy_writes_to_no_tensor(write: Callable[[Any], Any]) -> None:
    """An error, because the write would go to a copy without notice."""
    x = mg.tensor(POSITIVE)
    with pytest.raises(DTypeError, match="NumPy can write neither to a Tensor"):
        write(x)
    np.testing.assert_array_equal(x.numpy(), POSITIVE)


OPERATORS: tuple[Callable[[Any, Any], Any], ...] = (
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.matmul, operator.lt, operator.le,
    operator.gt, operator.ge, operator.eq, operator.ne,
)  # fmt: skip
BESIDE = {
    "array": OTHER,
    "float32": OTHER.astype("float32"),
    "integers": np.array([[2, 1], [3, 1]]),
    "row": OTHER[0],
    "0-d": np.array(2.0),
    "NumPy's float64": np.float64(2.0),
    "NumPy's float32": np.float32(2.0),
    "NumPy's int": np.int32(2),
    "NumPy's bool": np.True_,
}


@pytest.mark.parametrize("other", BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("operate", OPERATORS, ids=[f.__name__ for f in OPERATORS])
def test_operators_on_either_side(operate: Callable[[Any, Any], Any], other: Any) -> None:
    """Of an array or one of NumPy's scalars with a Tensor: a Tensor on the tape, with NumPy's numbers and dtype."""
    if operate is operator.matmul and np.ndim(other) == 0:
        pytest.skip("no matrix")
    if operate is operator.sub and other is np.True_:
        other = np.float64(1.0)
    x = mg.tensor(POSITIVE, requires_grad=True)
    for ours, numpys in ((operate(x, other), operate(POSITIVE, other)), (operate(other, x), operate(other, POSITIVE))):
        assert isinstance(ours, mg.Tensor)
        np.testing.assert_array_equal(ours.numpy(), numpys, strict=True)
        assert ours.requires_grad == (ours.dtype != "bool")


@pytest.mark.parametrize("operate", [operator.and_, operator.or_], ids=["&", "|"])
def test_logical_operators_on_either_side(operate: Callable[[Any, Any], Any]) -> None:
    a, b = np.array([True, False, True]), np.array([True, True, False])
    for ours in (operate(mg.tensor(a), b), operate(a, mg.tensor(b)), operate(np.True_, mg.tensor(b)) if a[0] else None):
        assert isinstance(ours, mg.Tensor)
    assert operate(a, mg.tensor(b)).tolist() == operate(a, b).tolist()
    assert np.invert(mg.tensor(a)).tolist() == (~a).tolist()


def test_an_array_of_a_tensor_stays_allowed() -> None:
    x = mg.tensor(POSITIVE, requires_grad=True)
    for array in (np.asarray(x), np.array(x), np.asarray(x, "float32"), np.ascontiguousarray(x.detach())):
        assert type(array) is np.ndarray
        np.testing.assert_array_equal(array, POSITIVE)
