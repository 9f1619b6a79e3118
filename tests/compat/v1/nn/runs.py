"""Loops of the first generation on random numbers with random gradients, and the comparison of two."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.compat import v1
from minigrad.engine import tree

BATCH, TIME, FEATURES, UNITS = 4, 5, 3, 2
X = np.random.default_rng(0).standard_normal((BATCH, TIME, FEATURES))
LENGTHS = [5, 0, 2, 4]
trying = settings(max_examples=40, deadline=None, derandomize=True)
the_lengths = st.lists(st.integers(0, TIME), min_size=BATCH, max_size=BATCH) | st.none()


def shapes_of(cell: Any) -> list[tuple[int, int]]:
    return [(BATCH, size) for size in tree.leaves(cell.state_size)]


def run(cell: Any, lengths: Any = LENGTHS, function: Any = v1.nn.dynamic_rnn, x: np.ndarray = X, **how: Any) -> Any:
    """Outputs, final states and all gradients under random cotangents, from random states; weights drawn once."""
    rng = np.random.default_rng(1)
    x = mg.tensor(x, requires_grad=True)
    states = [mg.tensor(rng.standard_normal(shape), requires_grad=True) for shape in shapes_of(cell)]
    state = tree.unflatten(cell.state_size, states)

    def found() -> list[mg.Tensor]:
        return tree.leaves(function(cell, x, sequence_length=lengths, initial_state=state, **how))

    if not v1.global_variables():
        found()
        for weight in v1.global_variables():
            weight.assign(rng.standard_normal(weight.shape))
    cotangents = np.random.default_rng(2)
    flat = found()
    gradients = mg.grad(flat, [x, *states, *v1.global_variables()], [cotangents.standard_normal(y.shape) for y in flat])
    return [y.numpy() for y in flat], [np.zeros(1) if g is None else g.numpy() for g in gradients]


def same(one: Any, other: Any, rtol: float = 1e-10) -> None:
    for mine, theirs in zip([*one[0], *one[1]], [*other[0], *other[1]], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=1e-12)


def names() -> list[str]:
    return [w.name for w in v1.global_variables()]
