"""Three roads to one number: the formulas on the tape, the explicit loop, finite differences of a second forward."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError
from minigrad.recurrent import LSTM, Formulas, bptt
from minigrad.testing import check_gradient
from recurrent import situations
from recurrent.situations import CASES, MASK, Situation, by_differences, by_loop, by_node, by_tape, reference, same

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


@every_case
def test_forward_is_the_cells_own(case: Situation) -> None:
    y, state = reference(case)
    mine, final, _ = bptt.forward(
        minigrad_numpy, case.step, case.x, case.state, case.weights, case.mask, case.zero_output
    )
    for one, other in zip([mine, *final], [y, *state], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-14)


@every_case
def test_three_roads_to_one_gradient(case: Situation) -> None:
    explicit = by_loop(case)
    same(explicit, by_differences(case), rtol=1e-6, atol=1e-9)
    same(explicit, by_tape(case), rtol=1e-12, atol=1e-13)
    same(explicit, by_node(case), rtol=0, atol=0)


@every_case
def test_on_every_backend(case: Situation, backend: ModuleType) -> None:
    same(by_node(case), by_loop(case), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    "name",
    [
        "lstm",
        "lstm, zero output",
        "lstm, swish, sigmoid",
        "gru",
        "gru, reset before, a mask a gate",
        "simple",
        "lstmp, swish",
        "lstmp, everything",
    ],
)
def test_second_derivatives(name: str) -> None:
    """The formulas run on tensors, so the gradient of a sequence has a gradient; here checked by finite differences."""
    case = CASES[name]
    names = list(case.inputs)

    def outputs(*inputs: mg.Tensor) -> list[mg.Tensor]:
        return situations.node(case, dict(zip(names, inputs, strict=True)))

    check_gradient(outputs, *case.inputs.values(), second_order=True, max_elements=16)


@pytest.mark.parametrize("name", ["lstm", "gru", "simple"])
def test_a_fully_masked_row_hands_its_gradient_through(name: str) -> None:
    """A fully masked row: its state is the initial one, its outputs are zeros, no weight's gradient depends on it."""
    case = CASES[name]
    g = by_loop(case)
    row = int(np.flatnonzero(~MASK.any(0))[0])
    for k, ds in enumerate(case.dstate):
        np.testing.assert_array_equal(g[f"state {k}"][row], ds[row])
    np.testing.assert_array_equal(g["x"][:, row], 0.0)
    np.testing.assert_array_equal(g["x"][~MASK], 0.0)
    others = [k for k in range(MASK.shape[1]) if k != row]
    without = replace(
        case,
        x=case.x[:, others],
        state=tuple(s[others] for s in case.state),
        dy=case.dy[:, others],
        dstate=tuple(d[others] for d in case.dstate),
        mask=MASK[:, others],
    )
    for weight in ("W", "U", "b"):
        np.testing.assert_allclose(by_loop(without)[weight], g[weight], rtol=1e-13, atol=1e-14)


def test_the_gradient_of_a_repeated_output_goes_to_the_step_that_made_it() -> None:
    case = CASES["lstm"]
    dy = np.zeros_like(case.dy)
    dy[1, 1] = 1.0  # row 1 is masked at step 1 and repeats its output of step 0
    silent = tuple(np.zeros_like(d) for d in case.dstate)
    moved = np.zeros_like(dy)
    moved[0, 1] = 1.0
    same(by_loop(replace(case, dy=dy, dstate=silent)), by_loop(replace(case, dy=moved, dstate=silent)), 0, 0)


def test_a_mask_of_true_is_no_mask() -> None:
    for name in ("lstm", "gru", "simple"):
        case = CASES[name]
        everywhere = replace(case, mask=np.ones_like(MASK))
        same(by_loop(everywhere), by_loop(replace(case, mask=None)), rtol=0, atol=0)


def test_float32_stays_float32() -> None:
    """Also where only Python's zeros meet in a masked step that lies before the window of a truncated gradient."""
    for tbptt in (None, (1, 3), (2, 3)):
        for zero_output in (False, True):
            case = replace(CASES["lstm"], tbptt=tbptt, zero_output=zero_output)
            single = replace(
                case.at({name: value.astype("float32") for name, value in case.inputs.items()}),
                dy=case.dy.astype("float32"),
                dstate=tuple(d.astype("float32") for d in case.dstate),
            )
            assert {name: g.dtype.name for name, g in by_loop(single).items()} == dict.fromkeys(case.inputs, "float32")
            same(by_loop(single), by_loop(case), rtol=1e-4, atol=1e-5)


def test_truncation_must_be_one() -> None:
    for wrong in ((0, 2), (3, 2), (-1, 1)):
        with pytest.raises(MinigradError, match=r"expected tbptt = \(k1, k2\) with 1 ≤ k1 ≤ k2, got"):
            by_loop(replace(CASES["simple"], tbptt=wrong))


def test_batch_first_is_told_by_the_states() -> None:
    cell = Formulas(LSTM)
    weights, state = cell.Weights(np.ones((2, 4)), np.zeros((1, 4))), (np.zeros((5, 1)),) * 2
    bptt.forward(minigrad_numpy, cell, np.ones((3, 5, 2)), state, weights)
    with pytest.raises(ShapeError, match=r"expected x of shape \(time, .*\) with .* got \(5, 3, 2\), states"):
        bptt.forward(minigrad_numpy, cell, np.ones((5, 3, 2)), state, weights)
    with pytest.raises(ShapeError, match=r"forward: mask: expected \(3, 5\), got \(5, 3\)"):
        bptt.forward(minigrad_numpy, cell, np.ones((3, 5, 2)), state, weights, np.ones((5, 3), bool))


@pytest.mark.parametrize("step", ["explicit", "kernel", "tape"])
def test_nan_at_masked_steps_is_as_in_tensorflow(step: str) -> None:
    """It reaches no output, and the weights' gradients (TensorFlow 2.15: NaN too): 0 · NaN = NaN. Pad with numbers."""
    x, mask = np.ones((2, 4, 3), "float32"), np.array([[1, 1, 0, 0], [1, 1, 1, 1]], bool)
    x[~mask] = np.nan
    options = {"explicit": {"activation": "softsign"}, "kernel": {}, "tape": {}}[step]
    layer = mg.keras.layers.LSTM(2, **options)
    with mg.testing.on_tape(layer) if step == "tape" else nullcontext():
        y = layer(x, mask=mask)
    y.sum().backward()
    assert np.isfinite(y.numpy()).all()
    assert np.isnan(layer.weights[0].grad.numpy()).any()


def test_a_way_back_that_does_not_fit() -> None:
    """A shape that would broadcast to wrong numbers."""
    rng = np.random.default_rng(0)
    run = Formulas(LSTM)
    weights = run.Weights(rng.standard_normal((2, 16)), rng.standard_normal((4, 16)))
    x, state = rng.standard_normal((5, 3, 2)), (np.zeros((3, 4)), np.zeros((3, 4)))
    y, final, kept = bptt.forward(minigrad_numpy, run, x, state, weights)
    for dy, dstate, x_back, said in [
        (y.swapaxes(0, 1), final, x, r"dy: expected \(5, 3, 4\), got \(3, 5, 4\)"),
        (y[:, :, :1], final, x, r"dy: expected \(5, 3, 4\), got \(5, 3, 1\)"),
        (y[:4], final, x, r"dy: expected \(5, 3, 4\), got \(4, 3, 4\)"),
        (y, final[:1], x, r"dstate: expected \(3, 4\), \(3, 4\), got \(3, 4\)\."),
        (y, final, x.swapaxes(0, 1), r"x: expected \(5, 3\), got \(3, 5\)\. Time comes first"),
    ]:
        with pytest.raises(ShapeError, match=f"bptt.backward: {said}"):
            bptt.backward(minigrad_numpy, run, dy, dstate, x_back, weights, kept)
    with pytest.raises(ShapeError, match=r"forward: the states: expected \(3, 4\), \(3, 1\), got \(3, 4\), \(3, 4\)"):
        bptt.forward(minigrad_numpy, run, x, (state[0], state[1][:, :1]), weights)
    with pytest.raises(ShapeError, match="with a step at least"):
        bptt.forward(minigrad_numpy, run, x[:0], state, weights)
    with pytest.raises(DTypeError, match="expected a mask of bools, got float64"):
        bptt.forward(minigrad_numpy, run, x, state, weights, np.full((5, 3), 0.3))
    with pytest.raises(MinigradError, match=r"expected tbptt = \(k1, k2\) with 1 ≤ k1 ≤ k2, got 3"):
        bptt.backward(minigrad_numpy, run, y, final, x, weights, kept, 3)
