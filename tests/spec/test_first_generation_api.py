"""Signatures and methods of the first generation, as TensorFlow 2.15 has them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import minigrad as mg
from oracle.reader import Case, load, resolve

# compute_output_shape is for building models from symbolic tensors; custom_objects: a class is known by its name.
NOT_HERE = {"compute_output_shape", "build"}  # the name of a shape: TensorFlow has input_shape, inputs_shape and _
every_name = pytest.mark.parametrize("case", load("v1_nn_api"), ids=lambda case: case.name)


def named(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    """The parameters by name, in order; without ``*args``, ``**kwargs`` and values that are not arguments here."""
    found = {p["name"]: p for p in parameters if "VAR" not in p["kind"]}
    return {name: p for name, p in found.items() if name not in {"self", "instance", "custom_objects"}}


def takes(mine: Any, theirs: dict[str, Any], where: str) -> None:
    """Every argument with its default; positional arguments in TensorFlow's positions."""
    by_place = [name for name, p in mine.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    wanted = [name for name, p in theirs.items() if p["kind"] == "POSITIONAL_OR_KEYWORD"]
    assert by_place[: len(wanted)] == wanted, where
    assert not theirs.keys() - mine.keys(), where
    for name, parameter in theirs.items():
        if where.endswith(".add_weight"):
            continue
        if "default" in parameter and mine[name].default is not inspect.Parameter.empty:
            assert mine[name].default == parameter["default"], f"{where}: {name}"


@every_name
def test_arguments(case: Case) -> None:
    mine = inspect.signature(resolve(case.class_name, mg)).parameters
    takes(mine, named(case.info["signature"]), case.class_name)


@every_name
def test_methods(case: Case) -> None:
    mine = resolve(case.class_name, mg)
    for method, parameters in case.info.get("methods", {}).items():
        if method in NOT_HERE or not case.info["is_class"]:
            continue
        taken = {n: p for n, p in inspect.signature(getattr(mine, method)).parameters.items() if n != "self"}
        theirs = named(parameters)
        if not any(p.kind is p.VAR_KEYWORD for p in taken.values()):
            takes(taken, theirs, f"{case.class_name}.{method}")


def test_a_state_is_a_named_pair() -> None:
    state = mg.compat.v1.nn.rnn_cell.LSTMStateTuple(c=1, h=2)
    assert state == (1, 2)
    assert state._fields == ("c", "h")


def test_a_scope_hands_its_options_to_its_variables() -> None:
    v1 = mg.compat.v1
    v1.reset_default_graph()
    with v1.variable_scope("a", initializer="ones", regularizer="l2", constraint="non_neg", dtype="float64"):
        with v1.variable_scope("b"):
            w = v1.get_variable("w", [2])
        own = v1.get_variable("own", [2], constraint="max_norm")
    assert (w.numpy() == 1.0).all()
    assert w.dtype.name == "float64"
    assert type(w.constraint).__name__ == "NonNeg"
    assert type(w.regularizer).__name__ == "L2"
    assert type(own.constraint).__name__ == "MaxNorm"
    assert v1.get_variable("outside", [2]).constraint is None
    v1.reset_default_graph()
