"""Every kernel of every backend gives the numbers of the formulas in `minigrad.recurrent`, whatever the options."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad_numpy as xp
from minigrad.backend import registry
from minigrad.ops.pointwise import HardSigmoid, Relu, Sigmoid
from minigrad.recurrent import bptt
from minigrad.recurrent.gru_step import GRUStep, GRUWeights
from minigrad.recurrent.lstm_step import LSTMStep, LSTMWeights
from minigrad.recurrent.lstmp_step import LSTMPStep, LSTMPWeights
from minigrad.recurrent.simple_rnn_step import SimpleRNNStep, SimpleRNNWeights
from rows import drawing, masks

Array = Any
KERNELS = [
    pytest.param(backend, kind, id=f"{backend}-{kind}")
    for backend in ("numpy", "numba")
    if importlib.util.find_spec(backend)
    for kind in registry.resolve(backend).kernels
]
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
    backend: str, kind: str, shape: Any, mask: str, zero_output: bool, options: Any, seed: int, dtype: str
) -> tuple[list[Array], list[Array]]:
    """Outputs, final states and all gradients, by the kernel and by the formulas."""
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
    kernel = registry.resolve(backend).kernels[kind]
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


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
@given(
    shape=the_shape,
    mask=st.sampled_from(["none", "ragged", "late"]),
    zero_output=st.booleans(),
    options=the_options,
    seed=st.integers(0, 2**32 - 1),
)
@trying
def test_kernel_and_formulas(
    backend: str, kind: str, shape: Any, mask: str, zero_output: bool, options: Any, seed: int
) -> None:
    found, expected = both_ways(backend, kind, shape, mask, zero_output, options, seed, "float64")
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == "float64"
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * max(1.0, abs(b).max(initial=0.0)))


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
@pytest.mark.parametrize("shape", [(30, 40, 5, 9), (7, 3, 60, 70)], ids=str)  # products by BLAS, and several threads
@pytest.mark.parametrize("after", [True, False])
def test_kernel_and_formulas_at_larger_sizes_and_in_float32(backend: str, kind: str, shape: Any, after: bool) -> None:
    options = {
        "σ": Sigmoid, "bias": True, "after": after, "dropout": False, "peepholes": True, "outputs": 30,
        "cell_clip": 2.0, "proj_clip": 2.0,
    }  # fmt: skip
    for dtype, tolerance in (("float64", 1e-10), ("float32", 2e-5)):
        found, expected = both_ways(backend, kind, shape, "late", False, options, 0, dtype)
        for a, b in zip(found, expected, strict=True):
            assert a.dtype == dtype
            assert abs(a - b).max() <= tolerance * abs(b).max()


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
def test_backward_again_and_without_dx(backend: str, kind: str) -> None:
    options = dict.fromkeys(["bias", "peepholes", "outputs", "cell_clip", "proj_clip"]) | {"σ": Sigmoid, "after": True}
    draw = drawing(np.random.default_rng(0), "float64")
    step, weights, sizes = MAKERS[kind](options, draw, 2, 3, 4)
    x, dy, state = draw(5, 2, 3), draw(5, 2, 4), tuple(draw(2, size) for size in sizes)
    kernel = registry.resolve(backend).kernels[kind]
    y, state_T, kept = kernel.forward(step, x, state, weights, None, False)
    first = flat(kernel.backward(step, dy, state, x, weights, kept, True))
    expected = [d.copy() for d in first]
    for array in (y, *state_T, *first):
        array[...] = np.nan  # they are the caller's: whatever becomes of them, `kept` is not touched
    dx, *rest = kernel.backward(step, dy, state, x, weights, kept, False)
    assert dx is None
    for a, b in zip(flat((0.0, *rest))[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("backend", "kind"), KERNELS)
def test_what_a_kernel_does_not_know_it_refuses(backend: str, kind: str) -> None:
    kernel = registry.resolve(backend).kernels[kind]
    options = dict.fromkeys(["bias", "peepholes", "outputs", "cell_clip", "proj_clip"]) | {"σ": Sigmoid, "after": True}
    rng = np.random.default_rng(0)
    step, weights, _ = MAKERS[kind](options, drawing(rng, "float64"), 2, 3, 4)
    assert kernel.refuses(step, weights) == ""
    half = type(weights)(*[None if w is None else w.astype("float16") for w in weights])
    assert kernel.refuses(step, half) == "the kernel knows no float16"
    relu = type(step)(activation=Relu)
    assert kernel.refuses(relu, weights) == "the kernel knows tanh as activation, not Relu"
