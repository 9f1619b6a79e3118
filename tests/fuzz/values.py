"""Odd values: for an argument of any kind, values that a slip, a wrong idea or a foreign file may put there."""

from __future__ import annotations

import collections
import decimal
import enum
import fractions
import functools
import pathlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, NoReturn

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


def cyclic_list() -> Any:
    """Return a list that contains itself."""
    made: list[Any] = []
    made.append(made)
    return made


def cyclic_dictionary() -> Any:
    """Return a dictionary that contains itself."""
    made: dict[str, Any] = {}
    made["a"] = made
    return made


class CallersError(Exception):
    """An error in the caller's own object, whose message is the name of the method."""


def raising(*names: str) -> Callable[[], Any]:
    """Return a class whose special methods of some names raise."""

    def method(name: str) -> Callable[..., NoReturn]:
        def raises(*_: Any, **__: Any) -> NoReturn:
            raise CallersError(name)

        return raises

    return type("Raising", (), {f"__{name}__": method(name) for name in names})


def raising_generator() -> Iterator[int]:
    """Yield one number, then raise."""
    yield 1
    raise CallersError("next")


class Lying:
    """An object whose special methods return what they must not."""

    shape = "shape"
    dtype = 3
    ndim = None

    def __len__(self) -> int:
        return -1  # noqa: PLE0303

    def __eq__(self, other: object) -> Any:
        return np.ones(2)

    __hash__ = None  # type: ignore[assignment]

    def __iter__(self) -> Any:
        return 3

    def __array__(self, *_: Any, **__: Any) -> Any:
        return "no array"

    def __repr__(self) -> Any:
        return 3

    def __bool__(self) -> Any:
        return 2  # noqa: PLE0304


class Text(str):
    """A subclass of `str`."""

    __slots__ = ()


class Whole(int):
    """A subclass of `int`."""


class Real(float):
    """A subclass of `float`."""


class Array(np.ndarray):
    """A subclass of NumPy's arrays."""


class Pair(NamedTuple):
    """A named tuple."""

    a: int
    b: int


class Color(enum.Enum):
    """An enumeration."""

    RED = 1


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
    "raising repr": raising("repr", "str", "format"),
    "raising bool": raising("bool"),
    "raising eq": raising("eq", "ne", "hash"),
    "raising len": raising("len", "getitem"),
    "raising iter": raising("iter"),
    "raising array": raising("array", "float", "int", "index"),
    "raising call": raising("call"),
    "raising all": raising("repr", "bool", "eq", "hash", "len", "getitem", "iter", "array", "float", "index"),
    "Lying()": Lying,
    "Text('abc')": lambda: Text("abc"),
    "Whole(1)": lambda: Whole(1),
    "Real(0.5)": lambda: Real(0.5),
    "array of a subclass": lambda: np.ones((2, 3), "float32").view(Array),
    "Pair(1, 2)": lambda: Pair(1, 2),
    "Color.RED": lambda: Color.RED,
    "memoryview": lambda: memoryview(b"abc"),
    "bytearray": lambda: bytearray(b"abc"),
    "Decimal": lambda: decimal.Decimal("0.5"),
    "Decimal(nan)": lambda: decimal.Decimal("nan"),
    "Fraction": lambda: fractions.Fraction(1, 2),
    "datetime64": lambda: np.datetime64("2020-01-01"),
    "timedelta64": lambda: np.timedelta64(1, "s"),
    "str_": lambda: np.str_("abc"),
    "complex64(1)": lambda: np.complex64(1),
    "longdouble(0.5)": lambda: np.longdouble(0.5),
    "half(0.5)": lambda: np.float16(0.5),
    "void": lambda: np.zeros(1, [("a", "f4")])[0],
    "matrix": lambda: np.ones((2, 3), "float32").view(np.matrix),
    "masked": lambda: np.ma.masked,
    "array () of int": lambda: np.array(1),
    "array () of object": lambda: np.array(None, object),
    "array () of str": lambda: np.array("abc"),
    "array (1, 1)": lambda: np.ones((1, 1), "float32"),
    "big-endian array": lambda: np.ones((2, 3), ">f4"),
    "read-only array": lambda: np.broadcast_to(np.float32(1), (2, 3)),
    "reversed array": lambda: np.ones((2, 3), "float32")[::-1, ::-1],
    "uint64 array": lambda: np.array([2**64 - 1, 1], "uint64"),
    "nested object array": lambda: np.array([[1], [1, 2]], object),
    "tensor (0,)": lambda: mg.tensor(np.zeros((0,), "float32")),
    "bool tensor": lambda: mg.tensor([True, False]),
    "float64 tensor": lambda: mg.tensor(np.ones((2, 3))),
    "cyclic list": cyclic_list,
    "cyclic dictionary": cyclic_dictionary,
    "very deep list": lambda: nested_list(3_000),
    "(0, 0)": lambda: (0, 0),
    "(-1, -2)": lambda: (-1, -2),
    "(None, 3)": lambda: (None, 3),
    "[[1, 2], [3]]": lambda: [[1, 2], [3]],
    "[[]]": lambda: [[]],
    "[True]": lambda: [True],
    "[1j]": lambda: [1j],
    "[object()]": lambda: [object()],
    "{None: 1}": lambda: {None: 1, (1, 2): [3], 2.5: "a"},
    "{'': None}": lambda: {"": None},
    "frozenset": lambda: frozenset([1]),
    "defaultdict": lambda: collections.defaultdict(list),
    "deque": lambda: collections.deque([1, 2]),
    "dict_keys": {"a": 1}.keys,
    "map": lambda: map(str, [1, 2]),
    "empty generator": lambda: (x for x in ()),
    "raising generator": raising_generator,
    "lambda:": lambda: lambda: None,
    "partial": lambda: functools.partial(max, 1),
    "Path": lambda: pathlib.Path("absent/path"),
    "'\\ud800'": lambda: "\ud800",
    "'a' * 10**5": lambda: "a" * 10**5,
    "'../x'": lambda: "../x",
    "'{}%s'": lambda: "{}%s{0[a]}",
    "10**5000": lambda: 10**5000,
    "1e-320": lambda: 1e-320,
    "TensorShape": lambda: mg.TensorShape([2, 3]),
    "model": lambda: Sequential([L.Dense(2)]),
    "tape": mg.GradientTape,
    "type": lambda: type,
}
