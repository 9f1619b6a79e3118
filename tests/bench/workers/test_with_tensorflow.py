"""TensorFlow as a contender, where it is installed."""

from __future__ import annotations

import pytest

from minigrad.bench.workers.with_tensorflow import Contender

pytest.importorskip("tensorflow")


def test_it_runs():
    it = Contender("lstm", 1)
    assert set(it.versions) == {"tensorflow"}
    it.lstm(2, 3, 4, 5)()
    it.step(2, 3, 5, 2, 4)()
    it.finish()
