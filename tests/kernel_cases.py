"""Cells, options, shapes and masks drawn at random, and what a kernel and the formulas make of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad_numpy as xp
from minigrad.ops.pointwise import HardSigmoid, Sigmoid
from minigrad.recurrent import bptt
from minigrad.recurrent.gru_step import GRUStep, GRUWeights
from minigrad.recurrent.lstm_step import LSTMStep, LSTMWeights
from minigrad.recurrent.lstmp_step import LSTMPStep, LSTMPWeights
from minigrad.recurrent.simple_rnn_step import SimpleRNNStep, SimpleRNNWeights
from rows import drawing, masks

Array = Any
sigmoids = st.sampled_from([Sigmoid, HardSigmoid])
clips = st.sampled_from([None, 0.3, 2.0])
trying = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def lstm(options: Any, draw: Any, B: int, I: int, H: int) -> tuple[Any, Any, tuple[int, ...]]:
    b = draw(4 * H) if options["bias"] else None
    return LSTMStep(recurrent_activation=options["σ"]), LSTMWeights(draw(I, 4 * H), draw(H, 4 * H), b), (H, H)


def gru(options: Any, draw: Any, B: int, I: int, H: int) -> tuple[Any, Any, tuple[int, ...]]:
    after = options["after"]
    b = draw(3 * H) if options["bias"] else None
    b_h = draw(3 * H) if options["bias"] and after else None
    step = GRUStep(recurrent_activation=options["σ"], reset_after=after)
    return step, GRUWeights(draw(I, 3 * H), draw(H, 3 * H), b, b_h), (H,)


def simple_rnn(options: Any, draw: Any, B: int, I: int, H: int) -> tuple[Any, Any, tuple[int, ...]]:
    return SimpleRNNStep(), SimpleRNNWeights(draw(I, H), draw(H, H), draw(H) if options["bias"] else None), (H,)


def lstmp(options: Any, draw: Any, B: int, I: int, H: int) -> tuple[Any, Any, tuple[int, ...]]:
    outputs = options["outputs"] or H
    peepholes = [draw(H) for _ in range(3)] if options["peepholes"] else [None] * 3
    P = draw(H, outputs) if options["outputs"] else None
    step = LSTMPStep(forget_bias=0.7, cell_clip=options["cell_clip"], proj_clip=options["proj_clip"])
    return step, LSTMPWeights(draw(I + outputs, 4 * H), draw(4 * H), *peepholes, P), (H, outputs)


MAKERS = {"lstm": lstm, "gru": gru, "simple_rnn": simple_rnn, "lstmp": lstmp}

the_options = st.fixed_dictionaries(
    {
        "σ": sigmoids,
        "bias": st.booleans(),
        "after": st.booleans(),
        "peepholes": st.booleans(),
        "outputs": st.sampled_from([None, 1, 3, 9]),
        "cell_clip": clips,
        "proj_clip": clips,
        "dropout": st.booleans(),
    }
)
the_shape = st.tuples(st.integers(1, 12), st.integers(1, 20), st.integers(1, 9), st.integers(1, 21))  # T, B, I, H


def both_ways(
    kernel: Any, kind: str, shape: Any, mask: str, zero_output: bool, options: Any, seed: int, dtype: str
) -> tuple[list[Array], list[Array]]:
    """Outputs, final states and all gradients, by the kernel and by the formulas; nothing if the kernel refuses."""
    (T, B, I, H), rng = shape, np.random.default_rng(seed)
    plain, size = drawing(rng, dtype), np.asarray(min(1.0, (I + H) ** -0.5), dtype)

    def draw(*shape: int) -> Array:  # neither saturated nor chaotic
        array = plain(*shape) * size
        array.flags.writeable = False
        return array

    step, weights, sizes = MAKERS[kind](options, draw, B, I, H)
    if options["dropout"] and hasattr(weights, "x_masks"):
        weights = weights._replace(x_masks=(rng.random((1, B, I)) < 0.7).astype(dtype) / np.asarray(0.7, dtype))
    x, state = draw(T, B, I), tuple(draw(B, size) for size in sizes)
    rows = masks(rng, T, B, mask)
    dy, dstate = draw(T, B, sizes[step.output]), tuple(draw(B, size) for size in sizes)
    if kernel.refuses(step, weights):
        return [], []
    y, state_T, kept = kernel.forward(step, x, state, weights, rows, zero_output)
    found = [y, *state_T, *flat(kernel.backward(step, dy, dstate, x, weights, kept, True))]
    y, state_T, kept = bptt.forward(xp, step, x, state, weights, rows, zero_output)
    expected = [y, *state_T, *flat(bptt.backward(xp, step, dy, dstate, x, weights, kept))]
    return found, expected


def flat(gradients: Any) -> list[Array]:
    dx, dstate, dweights = gradients
    return [dx, *dstate, *[d for d in dweights if d is not None]]


def assert_numbers_of_the_formulas(
    kernel: Any, kind: str, shape: Any, mask: str, zero_output: bool, options: Any, seed: int
) -> None:
    """To 1e-10 in float64."""
    found, expected = both_ways(kernel, kind, shape, mask, zero_output, options, seed, "float64")
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == "float64"
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * max(1.0, abs(b).max(initial=0.0)))


EVERYTHING = {
    "σ": Sigmoid, "bias": True, "after": True, "dropout": False, "peepholes": True, "outputs": 30, "cell_clip": 2.0,
    "proj_clip": 2.0,
}  # fmt: skip


def assert_precise_to_the_dtype(kernel: Any, kind: str, shape: Any, **options: Any) -> None:
    """To 1e-10 in float64, and to 2e-5 in float32, of the largest number of each array."""
    for dtype, tolerance in (("float64", 1e-10), ("float32", 2e-5)):
        found, expected = both_ways(kernel, kind, shape, "late", False, EVERYTHING | options, 0, dtype)
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == dtype
            assert abs(a - b).max() <= tolerance * abs(b).max()


anything = given(
    shape=the_shape,
    mask=st.sampled_from(["none", "ragged", "late"]),
    zero_output=st.booleans(),
    options=the_options,
    seed=st.integers(0, 2**32 - 1),
)
