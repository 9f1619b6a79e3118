"""The first derivative at a kink, as TensorFlow computes it."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from oracle.reader import Case, load, resolve

CASES = load("keras_kinks")
NAMES = {
    "clip_by_value": lambda x, **ends: F.clip(x, *ends.values()),
    "reduce_max": F.max,
    "reduce_min": F.min,
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_derivative_at_a_kink_is_tensorflows(case: Case, backend: ModuleType) -> None:
    function = NAMES.get(case.class_name) or resolve(case.class_name, mg)
    x = mg.tensor(case["x"], requires_grad=True)
    targets = [case["y_true"]] if "y_true" in case.arrays else []
    for create_graph in (False, True):
        y = function(*targets, x, **case.call)
        (dx,) = mg.grad(y, x, np.ones(y.shape), create_graph)
        np.testing.assert_allclose(y.numpy(), case["output/0"], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(dx.numpy(), case["grad/x"], rtol=1e-9, atol=1e-12)
