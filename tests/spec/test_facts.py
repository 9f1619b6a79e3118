"""Weights' names, sharing, starting values, penalties: the same results as TensorFlow's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from spec.facts import FACTS, fresh

RECORDED = json.loads((Path(__file__).resolve().parent / "data" / "facts.json").read_text("utf-8"))


def test_every_fact_was_recorded() -> None:
    assert list(RECORDED) == ["tensorflow", *FACTS]
    assert RECORDED["tensorflow"] == "2.15.1"


@pytest.mark.parametrize("name", FACTS)
def test_as_tensorflow_answered(name: str) -> None:
    with fresh(mg):
        mine = FACTS[name](mg)
    assert rounded(json.loads(json.dumps(mine))) == rounded(RECORDED[name])


def rounded(value: Any) -> Any:
    """Numbers to five digits: both computed in float32."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
