"""Gradients of the small operations, of which none remains after a run."""

from __future__ import annotations

import pytest

from minigrad.bench.workers.operations import CHAIN, MEASURES
from minigrad.bench.workers.with_minigrad import Contender


@pytest.mark.parametrize("name", MEASURES)
def test_each_runs_and_leaves_no_gradient(name, monkeypatch):
    m = Contender("numpy", 1).operations()
    made, leaf = [], m.leaf
    m.leaf = lambda values, shape: made.append(leaf(values, shape)) or made[-1]
    run, count = MEASURES[name](m)
    assert count == (CHAIN if name.endswith(", each") else 1)
    run()
    assert made
    assert all(x.requires_grad and x.grad is None for x in made)
