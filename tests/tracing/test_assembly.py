"""Steps and units of a trace, and traces that are too large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat.v1 import nn
from minigrad.keras import layers as L
from minigrad.tracing import assembly, jacobian
from minigrad.tracing.trace import TraceError
from traced import T, run


def test_fewer_steps_and_units(tmp_path: Any) -> None:
    layer = L.LSTM(4)
    with mg.trace(layer) as whole:
        layer(mg.ones((2, 7, 3))).sum().backward()
    with mg.trace(layer, every=3, units=[1, 3]) as some:
        layer(mg.ones((2, 7, 3))).sum().backward()
    np.testing.assert_array_equal(some.f, whole.f[::3][..., [1, 3]])
    np.testing.assert_array_equal(some.dz_o, whole.dz_o[::3][..., [1, 3]])
    np.testing.assert_array_equal(some.c, whole.c[[0, 3, 6, 7]][..., [1, 3]])
    assert repr(some[some.names[0]]).endswith("7 steps, every 3, batch 2, 2 units, with gradients)")
    with pytest.raises(TraceError, match="the product needs all steps, this has one in 3"):
        some.forget_product()
    with mg.trace(layer, units=2) as one:
        layer(mg.ones((2, 7, 3)))
    np.testing.assert_array_equal(one.f, whole.f[..., [2]])


def test_units_that_only_some_arrays_have() -> None:
    """With a projection fewer come out than there are inside."""
    cell = nn.rnn_cell.LSTMCell(3, num_proj=2)
    with mg.trace(cell, units=[1, 2]) as seen:
        nn.dynamic_rnn(cell, mg.ones((2, 4, 3)), dtype="float32")[0].sum().backward()
    assert (seen.c.shape, seen.m.shape, seen.dz_f.shape) == ((5, 2, 2), (5, 2, 1), (4, 2, 2))


@pytest.mark.parametrize(("every", "at"), [(1, [0, 1, 2, 3, 4]), (2, [0, 2, 4])])
def test_which_steps_these_are(every: int, at: list[int]) -> None:
    """The layer that goes backwards is given x_4 first."""
    model = L.Bidirectional(L.LSTM(2))
    with mg.trace(model, every=every) as seen:
        x, *_ = run(model, masked=False)
    forward, backward = (seen[name] for name in seen.names)
    assert (forward.steps, forward.go_backwards, backward.go_backwards) == (T, False, True)
    assert forward.at.tolist() == forward.times.tolist() == backward.at.tolist() == at
    assert backward.times.tolist() == [T - 1 - k for k in at]
    for each in (forward, backward):
        np.testing.assert_allclose(each.x, x.numpy().swapaxes(0, 1)[each.times], rtol=1e-6)


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "MAX_BYTES", 1000)
    layer = L.LSTM(2)
    with mg.trace(layer) as seen:
        layer(mg.ones((4, 10, 2)))
    with pytest.raises(
        assembly.TooLargeError, match=r"10 steps, batch 4, 2 units would take 0.0 GiB. Take fewer steps"
    ):
        seen.f  # noqa: B018
    monkeypatch.setattr(jacobian, "MAX_BYTES", 100)
    with pytest.raises(assembly.TooLargeError, match="batch 4 and 2 units would take"):
        seen.jacobian_norms()
