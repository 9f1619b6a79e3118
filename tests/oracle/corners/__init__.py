"""Corners of the three generations: small programs that both TensorFlow and minigrad run.

`record/corners.py` writes down what TensorFlow 2.15.1 answers; `answers_of` runs the same program on minigrad.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "data" / "corners"  # a file of answers for each module
PROGRAMS: dict[str, Callable[[Any], Any]] = {}
MODULES: dict[str, list[str]] = {}  # the names of the programs of each module
X = np.arange(24, dtype="float32").reshape(2, 3, 4) / 10
MASK = np.array([[True, True, False], [True, False, True]])


def corner(*cases: Any) -> Callable[[Any], Any]:
    """Put a program down in `PROGRAMS`; with cases, once for each, which is its second argument."""

    def add(program: Callable[..., Any]) -> Callable[..., Any]:
        found = {f"{program.__name__}[{case}]": lambda tf, case=case: program(tf, case) for case in cases}
        found = found or {program.__name__: program}
        assert not PROGRAMS.keys() & found.keys(), found
        PROGRAMS.update(found)
        MODULES.setdefault(program.__module__.rpartition(".")[2], []).extend(found)
        return program

    return add


def is_ours(tf: Any) -> bool:
    return str(tf.__name__) == "minigrad"


def face(tf: Any) -> Any:
    """TensorFlow itself, or minigrad by TensorFlow's names."""
    return import_module("minigrad.tf") if is_ours(tf) else tf


def given(tf: Any, array: Any) -> Any:
    """A tensor of float32."""
    array = np.asarray(array)
    return tf.tensor(array) if is_ours(tf) else tf.constant(array)


def float32(tf: Any) -> Any:
    return "float32" if is_ours(tf) else tf.float32


def fill(layer: Any) -> None:
    """Give a layer, or the cells inside it, weights that follow from their shapes.

    TensorFlow's wrappers of the first generation have no weights: those of their cell are not among them.
    """
    alone = [layer.cell] if hasattr(layer, "cell") else []
    inside = getattr(layer, "cells", getattr(layer, "_cells", alone))
    if inside:
        for cell in inside:
            fill(cell)
        return
    weights = [np.asarray(w) for w in layer.get_weights()]
    layer.set_weights([0.5 * np.cos(np.arange(w.size) + k).reshape(w.shape) for k, w in enumerate(weights)])


def named(structure: Any) -> Any:
    """Nested tuples, with their names, as lists."""
    if hasattr(structure, "_fields"):
        return [*structure._fields, *map(named, structure)]
    return [named(part) for part in structure] if isinstance(structure, (list, tuple)) else structure


def plain(tf: Any, value: Any) -> Any:
    """Tensors as [shape, numbers], in lists."""
    if isinstance(value, (list, tuple)) and not isinstance(value, tf.TensorShape):
        return [plain(tf, part) for part in value]
    if hasattr(value, "stack"):
        return ["TensorArray", *plain(tf, [value.stack()])]
    if hasattr(value, "shape"):
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        return [str(array.dtype), list(array.shape), [float(f"{number:.9g}") for number in array.astype(float).ravel()]]
    return list(value) if isinstance(value, tf.TensorShape) else value


def with_gradients(tf: Any, run: Callable[..., Any], *inputs: Any) -> Any:
    """Return the results of a function of tensors, and the gradients of a weighted sum of them."""
    tensors = [given(tf, array) for array in inputs]
    with tf.GradientTape() as tape:
        for x in tensors:
            tape.watch(x)
        found = run(*tensors)
        loss = 0.0
        for k, y in enumerate(flat(found)):
            if "float" in str(y.dtype):
                size = int(np.prod(y.shape))
                weights = np.cos(np.arange(size) + k).reshape(tuple(y.shape)).astype("float32")
                total = y * given(tf, weights)
                loss = loss + (total.sum() if is_ours(tf) else tf.reduce_sum(total))
    gradients = tape.gradient(loss, tensors)
    return [found, ["none" if g is None else g for g in gradients]]


def flat(structure: Any) -> list[Any]:
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in flat(part)]
    return [structure] if hasattr(structure, "dtype") and not hasattr(structure, "stack") else []


def error_of(action: Callable[[], Any]) -> str:
    """The classes of Python that an error belongs to."""
    try:
        action()
    except (ValueError, TypeError, AttributeError) as error:
        return " and ".join(
            kind.__name__ for kind in (ValueError, TypeError, AttributeError) if isinstance(error, kind)
        )
    return "none"


def answer_of(tf: Any, name: str) -> Any:
    """The answer of a program, as JSON has it."""
    tf.keras.backend.clear_session()
    if is_ours(tf):
        tf.compat.v1.reset_default_graph()
    return plain(tf, PROGRAMS[name](tf))


@cache
def recorded() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for module in MODULES:
        found |= json.loads((FOLDER / f"{module}.json").read_text("utf-8"))
    return found


def assert_as_recorded(mine: Any, theirs: Any) -> None:
    """Numbers agree to float32, errors in one of their classes, anything else exactly."""
    if isinstance(theirs, list):
        assert isinstance(mine, list)
        assert len(mine) == len(theirs), (mine, theirs)
        for one, other in zip(mine, theirs, strict=True):
            assert_as_recorded(one, other)
    elif isinstance(theirs, float):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)
    elif mine != theirs:
        assert isinstance(mine, str)
        assert theirs in mine.split(" and ")
