"""Timed functions compute the right values."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.bench.workers import with_minigrad
from minigrad.bench.workers.with_minigrad import Contender
from minigrad.engine import registry
from minigrad.engine.errors import BackendUnavailableError, UnknownBackendError


def test_forward_and_backward_give_all_gradients(monkeypatch):
    layers = []

    class Watched(with_minigrad.LSTM):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            layers.append(self)

    monkeypatch.setattr(with_minigrad, "LSTM", Watched)
    it = Contender("numpy", 1)
    run = it.lstm(2, 3, 4, 5)
    run()
    first = it._last.numpy()
    run()
    np.testing.assert_array_equal(it._last.numpy(), first)  # nothing was accumulated
    assert first.shape == (3, 2, 4)
    assert first.dtype == np.float32
    assert [w.grad.shape for w in layers[0].trainable_weights] == [(4, 20), (5, 20), (20,)]
    assert "numpy backend" in it.path


def test_a_step_learns(monkeypatch):
    losses = []
    cross_entropy = with_minigrad.functional.softmax_cross_entropy

    def watched(*args):
        losses.append(cross_entropy(*args))
        return losses[-1]

    monkeypatch.setattr(with_minigrad.functional, "softmax_cross_entropy", watched)
    run = Contender("numpy", 1).step(2, 3, 5, 2, 4)
    for _ in range(60):
        run()
    values = [loss.item() for loss in losses]
    assert values[0] == pytest.approx(np.log(5), abs=0.2)
    assert values[-1] < values[0] - 0.05


def test_a_backend_that_is_not_there_is_missing_not_broken(monkeypatch):
    def use(name):
        raise BackendUnavailableError("mg.use: 'numba' is registered, but …")

    monkeypatch.setattr(with_minigrad, "use", use)
    with pytest.raises(ImportError, match="'numba' is registered, but"):
        Contender("numba", 1)
    monkeypatch.undo()
    with pytest.raises(UnknownBackendError):
        Contender("nunpy", 1)


def test_a_device_is_waited_for(monkeypatch):
    it = Contender("numpy", 1)
    it.lstm(1, 2, 2, 2)()
    read = []
    total = with_minigrad.functional.sum
    monkeypatch.setattr(with_minigrad.functional, "sum", lambda x: read.append(x) or total(x))
    it.finish()
    assert not read  # on the host there is nothing to wait for
    monkeypatch.setattr(registry.current(), "on_host", False)
    it.finish()
    assert len(read) == 1
