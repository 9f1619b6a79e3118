"""Corners of the three generations: minigrad answers as TensorFlow 2.15.1 did."""

from __future__ import annotations

import pytest

import minigrad as mg
from oracle.corners import PROGRAMS, answer_of, assert_as_recorded, recorded
from oracle.corners import every as every


def test_every_corner_was_recorded() -> None:
    assert recorded().keys() == {"tensorflow", *PROGRAMS}
    assert recorded()["tensorflow"] == "2.15.1"


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_tensorflow_answered(name: str) -> None:
    assert_as_recorded(answer_of(mg, name), recorded()[name])
