"""Keras' addresses, each with the object that it names."""

from __future__ import annotations

import importlib

import pytest

import minigrad as mg
from minigrad.engine.errors import UnknownNameError
from minigrad.layers import activations, constraints, initializers, regularizers


@pytest.mark.parametrize("module", [activations, constraints, initializers, regularizers], ids=lambda m: m.__name__)
def test_everything_is_there(module):
    name = module.__name__.rpartition(".")[2]
    address = importlib.import_module(f"minigrad.keras.{name}")
    for public in address.__all__:
        assert getattr(address, public) is (getattr(module, public, None) or module.get(public))
    for public, value in vars(module).items():
        shipped = isinstance(value, type) and value.__module__ == module.__name__ and not public.startswith("_")
        assert not shipped or public in address.__all__, public


def test_names_resolve():
    assert isinstance(mg.keras.initializers.get("zeros"), mg.keras.initializers.Zeros)
    assert mg.keras.activations.get("tanh") is mg.tanh
    assert mg.keras.regularizers.get("l2").l2 == 0.01
    assert mg.keras.constraints.get("max_norm").max_value == 2
    with pytest.raises(UnknownNameError, match="Did you mean 'glorot_uniform'"):
        mg.keras.initializers.get("glorot_unifrom")
