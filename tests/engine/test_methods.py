"""Methods of a Tensor: every declared one is a function, and takes the arguments that its declaration says."""

from __future__ import annotations

import ast
import inspect

import pytest

import minigrad as mg
from minigrad.engine import protocol
from minigrad.engine.methods import METHODS


def declared() -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(protocol.TensorMethods))
    return {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_declared_method_has_a_function() -> None:
    assert set(declared()) == set(METHODS) - {"__array_ufunc__", "__array_function__"}
    assert all(vars(protocol.TensorMethods)[name] is function for name, function in METHODS.items())


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"__array_ufunc__", "__array_function__"}))
def test_a_function_takes_the_declared_arguments(name: str) -> None:
    node, function = declared()[name].args, METHODS[name]
    if isinstance(function, property):
        assert len(node.args) == 1
        return
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p for p in parameters if p.kind is not p.VAR_POSITIONAL]
    assert len(positional) == len(node.args)
    assert [p.default for p in positional if p.default is not p.empty] == [ast.literal_eval(d) for d in node.defaults]
    if not name.startswith("__"):
        assert [p.name for p in positional[1:]] == [arg.arg for arg in node.args[1:]]
    assert bool(node.vararg) == any(p.kind is p.VAR_POSITIONAL for p in parameters)


def test_a_tensor_is_hashed_by_identity() -> None:
    x = mg.tensor(1.0)
    assert {x: 1}[x] == 1
