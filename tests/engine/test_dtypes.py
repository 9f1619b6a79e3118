"""Dtypes by name."""

from __future__ import annotations

import pytest

pytest.importorskip("array_api_strict", reason="needs array-api-strict: pip install -e '.[test]'")

import array_api_strict
import numpy as np

from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, UnknownNameError


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        ("float32", "float32"),
        (np.float64, "float64"),
        (np.dtype(">f4"), "float32"),
        (np.bool_, "bool"),
        (array_api_strict.int64, "int64"),
        (array_api_strict.bool, "bool"),
        (float, "float64"),
        (int, "int64"),
        (bool, "bool"),
    ],
)
def test_whatever_the_library_calls_it(dtype: object, name: str) -> None:
    assert dtype_name(dtype) == name
    assert is_floating(dtype) == name.startswith("float")


def test_others() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'float16'"):
        dtype_name("bfloat16")
    for dtype in (np.complex64, np.dtype("U3"), "complex64", object):
        with pytest.raises((DTypeError, UnknownNameError), match="float32"):
            dtype_name(dtype)
