"""Settings for all of Keras."""

from __future__ import annotations

import pytest

from minigrad.engine.errors import DTypeError
from minigrad.keras import backend, layers


def test_floatx_is_the_dtype_of_new_layers():
    try:
        backend.set_floatx("float64")
        layer = layers.Dense(2)
        assert layer.dtype == backend.floatx() == "float64"
        assert layer([[1.0]]).dtype == "float64"
        assert layers.Dense(2, dtype="float32").dtype == "float32"
    finally:
        backend.set_floatx("float32")
    assert layers.Dense(2).dtype == "float32"


def test_another_dtype_is_refused():
    with pytest.raises(DTypeError, match="expected `value`, one of float16, float32, float64, got 'int32'"):
        backend.set_floatx("int32")


def test_clear_session_counts_names_anew():
    backend.clear_session()
    assert [layers.Dense(1).name, layers.Dense(1).name] == ["dense", "dense_1"]
    backend.clear_session()
    assert layers.Dense(1).name == "dense"


def test_epsilon():
    assert backend.epsilon() == 1e-7
