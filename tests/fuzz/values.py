"""Odd values: for an argument of any kind, values that a slip, a wrong idea or a foreign file may put there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.keras import Sequential
from minigrad.keras import layers as L


def nested(depth: int) -> Any:
    """Return models inside one another."""
    model = Sequential([L.Dense(2)])
    for _ in range(depth):
        model = Sequential([model])
    return model


def nested_list(depth: int) -> Any:
    """Return lists inside one another."""
    made: list[Any] = []
    for _ in range(depth):
        made = [made]
    return made


def endless() -> Iterator[int]:
    """Yield numbers without an end: a loop over all of them never returns."""
    yield from range(1000)


class Silent:
    """An object whose `repr` raises nothing, and that can do nothing else."""

    def __repr__(self) -> str:
        return "<Silent>"


# label → a maker of the value: an object that a call changes is fresh in the next
ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "True": lambda: True,
    "False": lambda: False,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-inf": lambda: float("-inf"),
    "-1": lambda: -1,
    "0": lambda: 0,
    "1": lambda: 1,
    "7": lambda: 7,
    "0.5": lambda: 0.5,
    "2.0": lambda: 2.0,
    "-0.0": lambda: -0.0,
    "1e300": lambda: 1e300,
    "10**30": lambda: 10**30,
    "-10**30": lambda: -(10**30),
    "2**63": lambda: 2**63,
    "10**19": lambda: 10**19,
    "int64(2)": lambda: np.int64(2),
    "uint8(1)": lambda: np.uint8(1),
    "float32(0.5)": lambda: np.float32(0.5),
    "float32(nan)": lambda: np.float32("nan"),
    "bool_(True)": lambda: np.bool_(True),
    "1j": lambda: 1j,
    "'abc'": lambda: "abc",
    "''": lambda: "",
    "'1'": lambda: "1",
    "'float32'": lambda: "float32",
    "'int32'": lambda: "int32",
    "'\\0'": lambda: "\0",
    "b'x'": lambda: b"x",
    "[]": list,
    "()": lambda: (),
    "{}": dict,
    "set()": set,
    "{1, 2}": lambda: {1, 2},
    "{'a': 1}": lambda: {"a": 1},
    "[None]": lambda: [None],
    "['abc']": lambda: ["abc"],
    "[1, 2]": lambda: [1, 2],
    "(2, 3)": lambda: (2, 3),
    "(0,)": lambda: (0,),
    "(-1, 2)": lambda: (-1, 2),
    "[nan]": lambda: [float("nan")],
    "[10**30]": lambda: [10**30],
    "ragged": lambda: [[1.0], [2.0, 3.0]],
    "deep list": lambda: nested_list(100),
    "object()": object,
    "Silent()": Silent,
    "...": lambda: ...,
    "slice": lambda: slice(None),
    "lambda": lambda: lambda *args, **kwargs: None,
    "lambda x": lambda: lambda x: x,
    "print": lambda: print,
    "int": lambda: int,
    "class": lambda: Silent,
    "L.Dense": lambda: L.Dense,
    "Dense(2)": lambda: L.Dense(2),
    "LSTM(2)": lambda: L.LSTM(2),
    "LSTMCell(2)": lambda: L.LSTMCell(2),
    "module": lambda: np,
    "NotImplemented": lambda: NotImplemented,
    "error": lambda: ValueError("a value"),
    "generator": endless,
    "range": lambda: range(3),
    "dtype": lambda: np.dtype("float32"),
    "array ()": lambda: np.array(1.0),
    "array (1,)": lambda: np.ones(1, "float32"),
    "array (2,)": lambda: np.array([1, 0]),
    "array (3, 4)": lambda: np.ones((3, 4), "float32"),
    "array (2, 4, 3)": lambda: np.ones((2, 4, 3)),
    "array (2, 2, 2, 2)": lambda: np.ones((2, 2, 2, 2), "float32"),
    "array (0,)": lambda: np.zeros((0,), "float32"),
    "array (2, 0, 3)": lambda: np.zeros((2, 0, 3), "float32"),
    "bool array": lambda: np.array([True, False]),
    "complex array": lambda: np.ones((2, 3), "complex64"),
    "nan array": lambda: np.full((2, 3), np.nan, "float32"),
    "text array": lambda: np.array(["a", "b"]),
    "object array": lambda: np.array([None, "a"], object),
    "date array": lambda: np.array(["2020-01-01"], "datetime64[D]"),
    "half array": lambda: np.ones((2, 3), "float16"),
    "masked array": lambda: np.ma.masked_array([1.0, 2.0], [True, False]),
    "record array": lambda: np.zeros(2, [("a", "f4")]),
    "tensor ()": lambda: mg.tensor(1.0),
    "tensor (2,)": lambda: mg.tensor([1, 0]),
    "tensor (2, 3)": lambda: mg.tensor(np.ones((2, 3), "float32"), requires_grad=True),
    "[tensor]": lambda: [mg.tensor([1.0, 2.0])],
    "30 models": lambda: nested(30),
}
