"""Signatures, methods and configurations of layers and what they are made of, as TensorFlow has them."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers.call_context import clear_session
from oracle.reader import Case, build, load, resolve

KINDS = ("layers", "initializers", "regularizers", "constraints")
CASES = [
    c for f in ("keras_api", "v1_keras_api") for c in load(f) if any(f".{kind}." in c.class_name for kind in KINDS)
]
ABSENT = {
    "keras.layers.Embedding": {"sparse"},  # whether gradients are sparse
    "keras.layers.Bidirectional": {"weights"},  # to start from; there is set_weights
}
NOT_HERE = {
    "compute_output_shape",
    "custom_objects",  # a layer's class is known by its name as soon as it is defined
    "self",
    "instance",
    "use_resource",
}

every_class = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def named(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """The parameters by name; without ``*args``, ``**kwargs``."""
    return {p["name"]: p for p in parameters if "VAR" not in p["kind"]}


@every_class
def test_arguments_of_the_constructor(case: Case) -> None:
    """Each argument of TensorFlow's, with its default and in its place; ours may have more after them."""
    mine = inspect.signature(resolve(case.class_name, mg)).parameters
    theirs = {n: p for n, p in named(case.info["signature"]).items() if n not in ABSENT.get(case.class_name, ())}
    in_order(mine, theirs)
    for name, parameter in theirs.items():
        if "default" in parameter:
            assert mine[name].default == parameter["default"], name


def in_order(mine: Any, theirs: dict[str, Any]) -> None:
    """All names, and those of positional arguments in TensorFlow's order."""
    assert not theirs.keys() - mine.keys()
    by_place = [name for name, p in mine.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    known = [name for name in by_place if name in theirs]
    assert known == [name for name in theirs if name in by_place]
    assert known == by_place[: len(known)]


@every_class
def test_methods(case: Case) -> None:
    mine = resolve(case.class_name, mg)
    for method, parameters in case.info.get("methods", {}).items():
        if method in NOT_HERE or (method == "__call__" and "regularizers" in case.name):
            continue
        taken = inspect.signature(getattr(mine, method)).parameters
        taken = {name: p for name, p in taken.items() if name != "self"}
        theirs = {n: p for n, p in named(parameters).items() if n not in NOT_HERE}
        theirs = {n: p for n, p in theirs.items() if "default_repr" not in p}  # TensorFlow's own types
        if not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            in_order(taken, theirs)


def as_float32(config: dict[str, Any]) -> dict[str, Any]:
    """TensorFlow's regularizers round their factors."""
    return {name: float(np.float32(value)) if isinstance(value, float) else value for name, value in config.items()}


@every_class
def test_configuration(case: Case) -> None:
    clear_session()
    made = build(case.spec, mg)
    mine, theirs = made.get_config(), dict(case.config or {})
    text = json.dumps(mine)
    if "StackedRNNCells" in case.name or "RNN" in case.name:  # TensorFlow writes "keras.layers" for either generation
        text = text.replace("compat.v1.keras.layers", "keras.layers")
    assert as_float32(json.loads(text)) == as_float32(theirs)
    again = type(made).from_config(json.loads(json.dumps(mine)))
    assert again.get_config() == mine
