"""`check_backend` finds each kind of broken backend and names the functions."""

from __future__ import annotations

import re
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minigrad_numpy
from minigrad.engine.errors import BackendContractError
from minigrad.testing import check_backend


def test_whole_backends_pass(backend: ModuleType) -> None:
    check_backend(backend)


def test_a_backend_by_its_name() -> None:
    check_backend("numpy")


def broken(**changes: Any) -> Any:
    """NumPy's backend with something else in place of some functions."""
    return SimpleNamespace(**{**vars(minigrad_numpy), **changes})


def _assigned(x: Any, index: Any, values: Any) -> Any:
    y = x.copy()
    y[index] += values
    return y


def _written(x: Any, index: Any, values: Any) -> Any:
    np.add.at(x, index, values)
    return x


BROKEN = {
    "a wrong number": ({"tanh": np.sin}, [r"tanh\(array \(2, 2, 3\)\): expected \["]),
    "another dtype": (
        {"zeros": lambda shape, dtype="float32": np.zeros(shape)},
        [r"zeros\(.*: expected dtype float32"],
    ),
    "another shape": (
        {"sum": lambda x, axis=None, keepdims=False: np.sum(x, axis)},
        [r"sum\(.*expected shape \(2, 2, 1\)"],
    ),
    "another signature": ({"transpose": lambda x: x.T}, [r"transpose\(.*raised TypeError"]),
    "a dropped repeat": (
        {"scatter_add": _assigned},
        [r"scatter_add\(array \(2, 2, 3\), array \(3,\)"],
    ),
    "a write to its argument": ({"scatter_add": _written}, ["scatter_add"]),
    "a view for a copy": ({"asarray": lambda data, dtype=None, copy=False: np.asarray(data, dtype)}, ["copy=True"]),
    "a view to the host": ({"to_numpy": lambda x: x}, ["to_numpy"]),
    "everything an array": ({"is_array": lambda x: True}, ["is_array"]),
    "two at once": ({"exp": np.sin, "cumsum": lambda x, axis: x}, [r"- exp\(", r"- cumsum\("]),
}


@pytest.mark.parametrize(("changes", "complaints"), BROKEN.values(), ids=BROKEN)
def test_a_broken_backend_is_found(changes: dict[str, Any], complaints: list[str]) -> None:
    with pytest.raises(BackendContractError) as caught:
        check_backend(broken(**changes))
    for complaint in complaints:
        assert re.search(complaint, str(caught.value)), str(caught.value)
    if "to_numpy" not in changes:  # through which all the others are seen
        assert set(re.findall(r"^- (\w+)", str(caught.value), re.MULTILINE)) <= {*changes, "asarray"}


def test_missing_functions_are_all_named() -> None:
    parts = vars(minigrad_numpy).copy()
    del parts["tanh"], parts["pad"]
    with pytest.raises(BackendContractError, match="lacks tanh, pad"):
        check_backend(SimpleNamespace(**parts))
