"""Tensors made out of numbers, and what is not a number."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.creation import as_tensor, as_tensor_like
from minigrad.engine.errors import BackendError, DTypeError, GradientError, ShapeError, UnknownNameError

DTYPES = [
    (1.0, "float32"),
    ([1.0, 2], "float32"),
    ([[1, 2]], "int64"),
    (True, "bool"),
    ([], "float32"),
    (np.float64(1.0), "float64"),
    ([np.float64(1.0)], "float64"),
    (np.ones(2), "float64"),
    ([np.ones(2), np.ones(2)], "float64"),
    (np.ones(2, "float16"), "float16"),
    (np.ones(2, ">f8"), "float64"),
    (np.ones(2, "uint8"), "uint8"),
    (range(3), "int64"),
]


@pytest.mark.parametrize(("data", "dtype"), DTYPES, ids=[f"{data!r}" for data, _ in DTYPES])
def test_dtypes(data: object, dtype: str) -> None:
    """Python's floats become float32, arrays keep what they have."""
    x = mg.tensor(data)
    assert x.dtype == dtype
    np.testing.assert_array_equal(x.numpy(), np.array(data))


@pytest.mark.parametrize("dtype", ["float64", np.float64, np.dtype("float64"), float])
def test_a_dtype_by_any_name(dtype: object, backend: ModuleType) -> None:
    assert mg.tensor([1, 2], dtype).numpy().dtype == np.float64


def test_a_tensor_is_copied_and_its_history_is_not() -> None:
    x = mg.tensor([1.0], requires_grad=True)
    y = mg.tensor(x * x)
    assert not y.requires_grad
    assert y.tolist() == [1.0]


REFUSED = {
    "ragged": ([[1, 2], [3]], ShapeError, "not one regular array of numbers"),
    "ragged deeper": ([[[1], [2]], [[3], [4, 5]]], ShapeError, "not one regular array of numbers"),
    "text": ("1.0", DTypeError, "expected numbers, got str"),
    "texts": (["a"], DTypeError, "expected numbers, got list"),
    "nothing": (None, DTypeError, "expected numbers, got NoneType"),
    "objects": ([object()], DTypeError, "expected numbers"),
    "complex": (1j, DTypeError, "expected numbers, got complex data of dtype complex128"),
    "dates": (np.array(["2020-01-01"], "datetime64[D]"), DTypeError, "expected numbers"),
    "too large": ([2**70], DTypeError, "expected numbers"),
}


@pytest.mark.parametrize(("data", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals(data: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        mg.tensor(data)


@pytest.mark.parametrize("data", [lambda x: [x, x], lambda x: [1.0, x], lambda x: ([1.0], [[x]])])
def test_lists_of_tensors_are_for_stack(data: object) -> None:
    with pytest.raises(GradientError, match=r"their history would be lost. Use mg.stack\(\[...\]\)"):
        mg.tensor(data(mg.tensor(1.0, requires_grad=True)))


def test_a_number_that_does_not_fit_its_dtype() -> None:
    with pytest.raises(DTypeError, match=r"tensor: `data`: the dtype int8 cannot hold 300\. Use a wider"):
        mg.tensor([300], "int8")


@pytest.mark.parametrize(
    "make", [lambda d: mg.tensor([1.0], d), lambda d: mg.zeros((2,), d), lambda d: mg.tensor([1.0]).astype(d)]
)
def test_an_unknown_dtype(make: object) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown name 'flaot32'. Did you mean 'float32'\?"):
        make("flaot32")
    with pytest.raises(DTypeError, match="complex64"):
        make(np.complex64)


def test_as_tensor() -> None:
    x = mg.tensor([1.0])
    assert as_tensor(x) is x
    for dtype in ("float32", np.float32, x.dtype):
        assert as_tensor(x, dtype) is x
    assert as_tensor(x, "float64").dtype == "float64"
    assert as_tensor([1], "float64").dtype == "float64"


def test_beside(backend: ModuleType) -> None:
    x = mg.tensor([1.0])
    with mg.using("numpy"):
        here = mg.tensor([2.0])
        assert as_tensor_like(x, [2.0], "f").backend is backend
    if backend.name == "numpy":
        assert as_tensor_like(x, here, "f") is here
    else:
        with pytest.raises(BackendError, match=f"f: one tensor lives on '{backend.name}', another on 'numpy'"):
            as_tensor_like(x, here, "f")


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("name", ["text", "texts", "nothing", "objects", "complex", "dates"])
def test_a_dtype_makes_no_numbers_of_what_is_none(name: str, dtype: str) -> None:
    """Refused: NumPy would read "1.0" as 1, None as NaN, and drop the imaginary part with only a warning."""
    data, error, message = REFUSED[name]
    for given in (data, np.asarray(data), [data]):
        with pytest.raises(error, match=message.partition(",")[0]):
            mg.tensor(given, dtype)
        with pytest.raises(error):
            as_tensor(given, dtype)
