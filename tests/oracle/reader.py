"""Read the numbers that were recorded from TensorFlow, with NumPy alone.

    cases = load("keras_lstm")
    layer = build(cases[0].spec, minigrad)

A family is two files in ``data/``: ``FAMILY.json`` says what was built and how it was called, and
``FAMILY.npz`` holds one float64 vector per case, all its arrays one after the other in the order that the JSON lists. A
family without arrays (signatures, configurations) has no ``.npz``.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True)
class Case:
    """One recorded configuration.

    Attributes:
        family: the file that holds it.
        name: unique within the family; a good test id.
        class_name: where the class, or function, lives below the package, ``"keras.layers.LSTM"``.
        kwargs: what the constructor was given, plain; a nested object is a spec, see `build`.
        call: plain keyword arguments of the call, ``{"training": True}``.
        config: all of TensorFlow's ``get_config()``, or None where the class has none.
        info: what else belongs to the case, the weights' names and shapes first; see the README.
        arrays: every array by its name, ``"x"``, ``"weight/0"``, ``"grad/weight/0"``.
    """

    family: str
    name: str
    class_name: str
    kwargs: dict[str, Any]
    call: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] | None = None
    info: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def spec(self) -> dict[str, Any]:
        """The argument of `build`."""
        return {"class_name": self.class_name, "kwargs": self.kwargs}

    def __getitem__(self, name: str) -> np.ndarray:
        """The array of this name; an unknown one raises KeyError and lists what there is."""
        if name in self.arrays:
            return self.arrays[name]
        raise KeyError(f"{self.family}/{self.name} has no array {name!r}, only {sorted(self.arrays)}")

    def get(self, name: str) -> np.ndarray | None:
        """The array of this name, or None: ``case.get("mask")``."""
        return self.arrays.get(name)

    def group(self, prefix: str) -> list[np.ndarray]:
        """The arrays ``PREFIX/0``, ``PREFIX/1`` … in order; an empty list where there are none."""
        found = []
        while f"{prefix}/{len(found)}" in self.arrays:
            found.append(self.arrays[f"{prefix}/{len(found)}"])
        return found

    def nest(self, structure: Any, prefix: str, named: Callable[..., Any] = dict) -> Any:
        """A group's arrays laid out as `structure`, nested lists of indices: ``[[0, 1], 2]``.

        A named tuple was recorded as ``{"c": 0, "h": 1}``; `named` makes it again, from keywords.
        """
        if isinstance(structure, dict):
            return named(**{key: self.nest(part, prefix) for key, part in structure.items()})
        if isinstance(structure, list):
            return [self.nest(part, prefix, named) for part in structure]
        return self[f"{prefix}/{structure}"]


def families() -> list[str]:
    """The names that `load` knows."""
    return sorted(path.stem for path in DATA.glob("*.json"))


@cache
def _read(family: str) -> tuple[Case, ...]:
    path = DATA / f"{family}.json"
    if not path.is_file():
        near = difflib.get_close_matches(family, families(), n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(families())}."
        raise FileNotFoundError(f"No recorded family {family!r} in {DATA}. {hint}")
    entries = json.loads(path.read_text(encoding="utf-8"))["cases"]
    vectors: dict[str, np.ndarray] = {}
    packed = DATA / f"{family}.npz"
    if packed.is_file():
        with np.load(packed, allow_pickle=False) as file:
            vectors = {name: file[name] for name in file.files}
    return tuple(_case(family, entry, vectors) for entry in entries)


def _case(family: str, entry: dict[str, Any], vectors: dict[str, np.ndarray]) -> Case:
    arrays = {}
    start = 0
    for name, dtype, shape in entry["arrays"]:
        stop = start + int(np.prod(shape, dtype=int))
        part = vectors[entry["name"]][start:stop]
        arrays[name] = part.reshape(shape).astype(dtype)
        arrays[name].setflags(write=False)  # cases are shared by all tests of a run
        start = stop
    return Case(family, **{**entry, "arrays": arrays})


def load(family: str) -> list[Case]:
    """All cases of a family, in the order of recording.

    Args:
        family: a name of `families()`, such as ``"keras_lstm"``.

    Returns:
        The cases; their arrays are read-only and shared between calls.

    Raises:
        FileNotFoundError: no family of that name was recorded.
    """
    return list(_read(family))


def is_spec(value: Any) -> bool:
    """Whether a plain value describes an object: it has ``class_name`` and ``kwargs``, no more."""
    return isinstance(value, dict) and set(value) == {"class_name", "kwargs"}


def resolve(class_name: str, package: Any) -> Any:
    """The class or function of this dotted name below `package`.

    Args:
        class_name: ``"keras.layers.LSTM"``, or a function's name, ``"keras.activations.elu"``.
        package: where ``keras`` and ``compat`` are attributes: ``tensorflow`` or ``minigrad``.
    """
    found = package
    for part in class_name.split("."):
        found = getattr(found, part)
    return found


def build(value: Any, package: Any) -> Any:
    """Make the object that a spec describes, and the ones nested in its arguments.

    The recorder makes TensorFlow's objects with this very function, so what a test makes from the
    files is the same.

    Args:
        value: a spec, ``{"class_name": "keras.layers.LSTM", "kwargs": {"units": 3}}``, or a plain
            value, or a list of these.
        package: as for `resolve`.

    Returns:
        The object; a plain value comes back as it is.
    """
    if is_spec(value):
        made = resolve(value["class_name"], package)
        return made(**{key: build(item, package) for key, item in value["kwargs"].items()})
    if isinstance(value, list):
        return [build(item, package) for item in value]
    return value
