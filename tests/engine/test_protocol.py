"""The protocol, and that the functions for tensors are the same ones."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

import minigrad_numpy
from minigrad import functional
from minigrad.engine.protocol import REQUIRED, Backend
from minigrad.engine.registry import missing
from needed import needed

strict_backend = needed("strict_backend")

ARRAYS_ONLY = {"asarray", "to_numpy", "is_array"}  # no rule calls these: a rule is handed what it works on


def test_whole_backends_lack_nothing() -> None:
    assert missing(minigrad_numpy) == missing(strict_backend) == []


def test_what_is_lacking_is_named() -> None:
    assert missing(SimpleNamespace(**{**vars(minigrad_numpy), "tanh": None})) == ["tanh"]
    assert missing(SimpleNamespace(**{**vars(minigrad_numpy), "name": 3})) == ["name"]
    assert missing(None) == ["name", *REQUIRED]


@pytest.mark.parametrize("name", sorted({*REQUIRED} - ARRAYS_ONLY - {"setitem"}))
def test_a_rule_cannot_tell_a_backend_from_functional(name: str) -> None:
    """`functional` has every function, and takes at least what the protocol promises to a rule, in the same order."""
    asked = list(inspect.signature(getattr(Backend, name)).parameters.values())[1:]  # without self
    offered = list(inspect.signature(getattr(functional, name)).parameters.values())
    if name == "arange":  # start and step come between, as in NumPy
        asked, offered = asked[:1], offered[:1]
        assert "dtype" in inspect.signature(functional.arange).parameters
    names = ["start" if (name, p.name) == ("arange", "stop") else p.name for p in asked]
    assert [p.name for p in offered][: len(asked)] == names
    for ours, theirs in zip(offered, asked, strict=False):
        assert theirs.default is inspect.Parameter.empty or ours.default is not inspect.Parameter.empty
    assert all(p.default is not inspect.Parameter.empty for p in offered[len(asked) :])
