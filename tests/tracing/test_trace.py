"""Content of a trace: the letters of the equations, values derived from them, files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from file_errors import PLAIN_ARRAYS
from minigrad import tracing
from minigrad.engine.errors import GradientError
from minigrad.tracing.trace import TraceError
from tool_errors import AFTER_BACKWARD
from traced import made, run


def test_the_equations_hold() -> None:
    """Every letter means what the equations of `minigrad.recurrent.lstm` say."""
    layer = made("lstm")
    with mg.trace(layer) as seen:
        run(layer, masked=False)[1].backward()
    W, U, b = layer.get_weights()
    σ = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    z_i, z_f, z_g, z_o = np.split(seen.x @ W + seen.h[:-1] @ U + b, 4, -1)
    for letter, expected in {"i": σ(z_i), "f": σ(z_f), "g": np.tanh(z_g), "o": σ(z_o)}.items():
        np.testing.assert_allclose(getattr(seen, letter), expected, atol=1e-12)
    np.testing.assert_allclose(seen.c[1:], seen.f * seen.c[:-1] + seen.i * seen.g, atol=1e-12)
    np.testing.assert_allclose(seen.a, np.tanh(seen.c[1:]), atol=1e-12)
    np.testing.assert_allclose(seen.h[1:], seen.o * seen.a, atol=1e-12)
    np.testing.assert_allclose(seen.outputs, seen.h[1:], atol=1e-12)
    dc = seen.dc[1:] + seen.dh[1:] * seen.o * (1 - seen.a**2)
    np.testing.assert_allclose(seen.dz_f, dc * seen.c[:-1] * seen.f * (1 - seen.f), atol=1e-12)
    np.testing.assert_allclose(seen.ledger["c"]["carousel"], dc * seen.f, atol=1e-12)
    np.testing.assert_allclose(seen.dc[:-1], seen.arrived["c"], atol=1e-12)


def test_saved_and_loaded(tmp_path: Any) -> None:
    layer = made("gru")
    with mg.trace(layer) as seen:
        run(layer)[1].backward()
    before = seen[layer.name]
    before.save(tmp_path / "trace.npz")
    after = tracing.Trace.load(tmp_path / "trace.npz")
    assert after.to_dict().keys() == before.to_dict().keys()
    for key, value in before.to_dict().items():
        np.testing.assert_array_equal(after.to_dict()[key], value)
    np.testing.assert_array_equal(after.dz_r, before.dz_r)
    assert repr(after) == "Trace(gru: gru, 5 steps, batch 3, 3 units, with gradients)"


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": np.ones(2)}, "holds no trace"),
        ({"gates": np.ones(2), "gates/f": np.ones(2)}, "holds no trace"),
        ({"name": np.array([{}], object)}, PLAIN_ARRAYS),
        ({"name": np.frombuffer(b"\xff" * 8, "U2")[0:1].reshape(())}, "holds no trace"),
        (None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_is_no_trace(arrays: Any, says: str, tmp_path: Any) -> None:
    if arrays is not None:
        np.savez(tmp_path / "trace.npz", **arrays)
    with pytest.raises(TraceError, match=says):
        tracing.Trace.load(tmp_path / "trace.npz")


def test_what_gates_alone_would_leave() -> None:
    layer = made("lstm")
    with mg.trace(layer) as seen:
        run(layer)
    left = seen.forget_product()
    np.testing.assert_array_equal(left[-1], 1.0)
    np.testing.assert_array_equal(left[:, 2], 1.0)  # the row that rests throughout
    np.testing.assert_allclose(left[0, 0], np.prod(seen.f[:, 0], axis=0))


def test_second_derivatives_leave_no_trace_of_their_own() -> None:
    layer = made("lstm")
    with mg.trace(layer) as seen:
        x, loss, _ = run(layer)
        (dx,) = mg.grad([loss], [x], create_graph=True)
        with pytest.raises(GradientError):
            seen.dh  # noqa: B018
        (dx**2).sum().backward()


def test_the_gradient_of_inputs_that_are_plain_numbers() -> None:
    lstm = mg.keras.layers.LSTM(3)
    with mg.trace(lstm) as seen:
        loss = lstm(np.ones((2, 4, 1), np.float32)).sum()
        with pytest.raises(GradientError, match=f"`dx`{AFTER_BACKWARD}"):
            seen.saliency()
        loss.backward()
    assert seen.saliency().shape == (4, 2)
    assert seen.saliency().all()
