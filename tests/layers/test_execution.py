"""The loop over time that `RNN` and `dynamic_rnn` share: the way that it goes, and wrappers around it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import EXPLICIT_LOOP, ONE_NODE_A_STEP
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine import tree
from minigrad.engine.errors import MinigradError
from minigrad.keras import layers as L
from minigrad.layers import execution
from minigrad.layers.cell_adapter import adapter_of

BATCH, TIME, FEATURES = 3, 4, 2
X = np.random.default_rng(0).standard_normal((BATCH, TIME, FEATURES))
MASK = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 0, 1, 0]], dtype=bool)

pytestmark = pytest.mark.usefixtures("fresh_variables")


def time_first(a: np.ndarray) -> mg.Tensor:
    return mg.tensor(a.swapaxes(0, 1).copy())


def test_a_run() -> None:
    cell = L.LSTMCell(3, dtype="float64")
    cell.build((None, FEATURES))
    start = cell.get_initial_state(batch_size=BATCH, dtype="float64")
    explicit = execution.run(adapter_of(cell), time_first(X), start, start, time_first(MASK))
    steps = execution.run(adapter_of(cell), time_first(X), start, start, time_first(MASK), by_steps="for a test")
    with mg.testing.on_tape(cell):
        tape = execution.run(adapter_of(cell), time_first(X), start, start, time_first(MASK), by_steps="for a test")
    assert explicit.path == "explicit BPTT, fused kernel of the numpy backend"
    assert steps.path == f"{ONE_NODE_A_STEP}for a test"
    assert tape.path == "tape, op by op: mg.testing.on_tape"
    for other in (steps, tape):
        for mine, theirs in zip(tree.leaves(list(explicit[:3])), tree.leaves(list(other[:3])), strict=True):
            np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(explicit.last.numpy(), explicit.outputs.numpy()[-1])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("zero_output", [False, True])
def test_a_wrapper_in_a_layer_of_keras(zero_output: bool, masked: bool) -> None:
    """A masked step repeats the output of the wrapper, which only the tape does."""
    cell = rc.ResidualWrapper(rc.GRUCell(FEATURES, dtype="float64"))
    how = {"return_sequences": True, "return_state": True, "zero_output_for_mask": zero_output, "dtype": "float64"}
    mask = MASK if masked else None
    layer = L.RNN(cell, **how)
    outputs, state = layer(X, mask=mask)
    steps, h = L.RNN(cell.cell, **how)(X, mask=mask)
    expected = X + steps.numpy()
    if masked:
        output = np.zeros((BATCH, FEATURES))
        for t in range(TIME):
            output = np.where(MASK[:, t, None], expected[:, t], 0.0 * output if zero_output else output)
            expected[:, t] = output
    np.testing.assert_allclose(outputs.numpy(), expected, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(state.numpy(), h.numpy(), rtol=1e-13)
    repeats = masked and not zero_output
    reason = "a masked step would repeat the output of the cell, not that of its wrapper"
    assert layer.path == f"tape, op by op: {reason}" if repeats else layer.path.startswith("explicit BPTT")
    last = L.RNN(cell, zero_output_for_mask=zero_output, dtype="float64")(X, mask=mask)
    np.testing.assert_array_equal(last.numpy(), outputs.numpy()[:, -1])


class Picture(rc.RNNCell):
    """A cell whose output has another rank than its state."""

    state_size = 4  # type: ignore[assignment]
    output_size = 4  # type: ignore[assignment]

    def call(self, inputs: Any, state: Any) -> Any:
        state = state + inputs.sum(axis=1, keepdims=True)
        return state.reshape((BATCH, 2, 2)), state


def test_outputs_of_any_rank() -> None:
    outputs, state = v1.nn.dynamic_rnn(Picture(), X, [4, 0, 2], dtype="float64")
    sums = X.sum(2).cumsum(1)
    for row, length in enumerate([4, 0, 2]):
        expected = np.broadcast_to(sums[row, :length, None, None], (length, 2, 2))
        np.testing.assert_allclose(outputs.numpy()[row, :length], expected, rtol=1e-13)
        assert not outputs.numpy()[row, length:].any()
        np.testing.assert_allclose(state.numpy()[row], sums[row, length - 1] if length else 0.0, rtol=1e-13)


@pytest.mark.parametrize("make", [lambda: rc.LSTMCell(3, use_peepholes=True), lambda: rc.LSTMCell(3, num_proj=2)])
def test_truncation_reaches_cells_of_the_first_generation(make: Any) -> None:
    layer = L.RNN(make(), return_sequences=True, tbptt=(1, 2), dtype="float64")
    x = mg.tensor(X, requires_grad=True)
    (dx,) = mg.grad(layer(x)[:, 3].sum(), [x])
    assert [bool(step.any()) for step in dx.numpy().swapaxes(0, 1)] == [False, False, True, True]


def test_truncation_needs_the_explicit_loop() -> None:
    layer = L.RNN(Picture(), tbptt=(1, 2), name="mine", dtype="float64")
    with pytest.raises(MinigradError) as caught:
        layer(X)
    message = f"mine: tbptt=(1, 2) {EXPLICIT_LOOP}Picture offers no step_backward."
    assert str(caught.value) == message


def _both_ways(run: Any, layer: Any, x: mg.Tensor) -> list[np.ndarray]:
    """The outputs and final states of a layer, all gradients, and those of the gradient of x."""
    found = tree.leaves(run(layer, x))
    loss = sum((y * y * y).sum() for y in found)
    weights = layer.trainable_weights
    dx = mg.grad(loss, [x], create_graph=True)[0]
    second = mg.grad((dx * dx).sum(), [x, *weights])
    return [a.numpy() for a in (*found, *mg.grad(loss, [x, *weights]), *second)]


def _at_once(layer: Any, x: mg.Tensor) -> Any:
    return layer(x)


def _step_by_step(layer: Any, x: mg.Tensor) -> Any:
    """Call the layer with one time step at a time."""
    axis, states, ys = 0 if layer.time_major else 1, None, []
    for t in range(x.shape[axis]):
        step = x[t : t + 1] if layer.time_major else x[:, t : t + 1]
        y, *states = layer(step, initial_state=states)
        assert layer.path == f"explicit BPTT, formulas of {type(layer).__name__}: one time step"
        ys.append(y)
    return [mg.concat(ys, axis) if layer.return_sequences else ys[-1], *states]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_single_steps_give_the_numbers_of_a_sequence(kind: str, time_major: bool, sequences: bool) -> None:
    """NumPy's loop leaves a sequence of one step to the formulas; the same layer then runs longer ones in its loop."""
    layer = getattr(L, kind)(
        3, dtype="float64", return_state=True, return_sequences=sequences, time_major=time_major
    )  # fmt: skip
    x = mg.tensor(X.swapaxes(0, 1).copy() if time_major else X, requires_grad=True)
    layer(x)
    apart = _both_ways(_step_by_step, layer, x)
    together = _both_ways(_at_once, layer, x)
    assert layer.path == "explicit BPTT, fused kernel of the numpy backend"
    for mine, theirs in zip(apart, together, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-13)


def test_a_single_step_with_a_mask_runs_in_the_loop() -> None:
    layer = L.LSTM(3, dtype="float64", return_state=True)
    h, c = np.ones((BATCH, 3)), np.full((BATCH, 3), 2.0)
    mask = np.array([[True], [False], [True]])
    for _ in range(2):  # the second call has a plan
        _, h_1, c_1 = layer(X[:, :1], mask=mask, initial_state=[h, c])
        assert layer.path == "explicit BPTT, fused kernel of the numpy backend"
        np.testing.assert_array_equal(h_1.numpy()[1], h[1])
        np.testing.assert_array_equal(c_1.numpy()[1], c[1])
        assert not np.array_equal(h_1.numpy()[0], h[0])
