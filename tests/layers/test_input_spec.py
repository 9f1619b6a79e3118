"""The expected shape of inputs, in numbers and in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from layer_errors import INPUTS, MORE_AXES
from minigrad.engine.errors import ShapeError
from minigrad.keras import layers as L


@pytest.mark.parametrize(
    ("spec", "fits", "does_not", "said"),
    [
        (L.InputSpec(ndim=2), (3, 4), (3,), "(batch, features)"),
        (L.InputSpec(ndim=3, axes={-1: 8}), (2, 3, 8), (2, 3, 7), "(batch, time, 8)"),
        (L.InputSpec(min_ndim=2, axes={-1: 8}), (2, 3, 8), (8,), f"(batch, 8) {MORE_AXES}"),
        (L.InputSpec(axes={2: 4}), (1, 1, 4), (1, 1), f"(batch, time, 4) {MORE_AXES}"),
        (L.InputSpec(ndim=4), (1, 1, 1, 1), (1, 1, 1), "(batch, …, …, features)"),
        (L.InputSpec(ndim=1), (1,), (), "(batch,)"),
    ],
)
def test_input_spec(spec: Any, fits: Any, does_not: Any, said: str) -> None:
    assert spec.admits(fits)
    assert not spec.admits(does_not)
    assert str(spec) == said


def test_a_layer_built_for_another_size() -> None:
    layer = L.Dense(2, name="dense")
    layer(np.ones((3, 4)))
    with pytest.raises(ShapeError) as caught:
        layer(np.ones((3, 3)))
    expected = f"dense.call: {INPUTS}4) {MORE_AXES}, got (3, 3)."
    assert str(caught.value) == expected
