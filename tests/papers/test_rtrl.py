"""One gradient by three methods: RTRL as the paper writes it, minigrad's explicit BPTT, finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.papers import equations
from minigrad.papers.layer import LayeredNet
from minigrad.papers.net import Array, Net, Start
from minigrad.papers.rtrl import RTRL

START = Start(width=0.9)
TOPOLOGIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one cell": {"blocks": 1},
    "blocks of three": {"size": 3, "outputs": 1},
    "gate biases": {"biases": "gates", "output_biases": False},
    "no biases": {"biases": "none", "output_biases": False},
    "shortcuts": {"shortcuts": True},
    "cells as sources": {"sources": "cells"},
    "silent": {"silent": True},
    "activations of 0.5": {"start": 0.5},
    "ranges of the caption": {"g_max": 1.0, "h_max": 2.0},
}


def net_of(**given: Any) -> Net:
    return Net(**{"inputs": 3, "outputs": 2, "blocks": 2, "size": 2, **given})


def sequence(net: Net, seed: int, steps: int = 9) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(seed)
    x, targets = random.normal(size=(steps, net.inputs)), random.uniform(size=(steps, net.outputs))
    return x, targets, (random.uniform(size=steps) < 0.6).astype(float)


def rtrl_gradients(net: Net, W: Array, V: Array, x: Array, targets: Array, counted: Array) -> tuple[Array, Array]:
    run, dW, dV = RTRL(net, W, V), np.zeros_like(W), np.zeros_like(V)
    for x_t, target, has_target in zip(x, targets, counted, strict=True):
        run.step(x_t)
        if has_target:
            of_W, of_V = run.gradients(target)
            dW += of_W
            dV += of_V
    return dW, dV


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", TOPOLOGIES)
def test_truncated_rtrl_is_truncated_bptt(name: str, seed: int) -> None:
    net = net_of(**TOPOLOGIES[name])
    W, V = START.draw(net, np.random.default_rng([seed, 1]))
    case = sequence(net, seed)
    layer = LayeredNet(net, W, V)
    _, expected = layer.gradients(*case)
    for found, wanted in zip(rtrl_gradients(net, W, V, *case), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())


def test_rtrl_runs_the_same_net() -> None:
    net = net_of(start=0.5, shortcuts=True)
    W, V = START.draw(net, np.random.default_rng(0))
    x, *_ = sequence(net, 0)
    run = RTRL(net, W, V)
    np.testing.assert_allclose([run.step(x_t) for x_t in x], LayeredNet(net, W, V)(x).numpy(), rtol=1e-13)


UNTRUNCATED: dict[str, dict[str, Any]] = {
    "full": {"full": True},
    "full, from 0.5": {"full": True, "start": 0.5},
    "silent": {"silent": True},
    "without output gates": {
        "sources": "none", "output_gates": False, "size": 1, "biases": "none", "shortcuts": True
    },
}  # fmt: skip


@pytest.mark.parametrize("given", UNTRUNCATED.values(), ids=UNTRUNCATED)
def test_the_untruncated_gradient_by_finite_differences(given: dict[str, Any]) -> None:
    net = net_of(**given)
    W, V = START.draw(net, np.random.default_rng(1))
    case = sequence(net, 1, 5)
    layer = LayeredNet(net, W, V)
    _, (dW, dV) = layer.gradients(*case)
    there, eps = net.present(), 1e-6
    used = [*range(net.inputs), net.rows - 1] if net.silent else range(net.rows)

    def loss(W: Array, V: Array) -> float:
        return LayeredNet(net, W, V).gradients(*case)[0]

    for row in used:
        for column in np.flatnonzero(there[0][row])[row % 3 :: 3]:
            step = np.zeros_like(W)
            step[row, column] = eps
            slope = (loss(W + step, V) - loss(W - step, V)) / (2 * eps)
            assert dW[row, column] == pytest.approx(slope, rel=1e-6, abs=1e-9)
    step = np.zeros_like(V)
    step[0, 0] = eps
    assert dV[0, 0] == pytest.approx((loss(W, V + step) - loss(W, V - step)) / (2 * eps), rel=1e-6)


def test_truncated_and_full_gradients_differ() -> None:
    net = net_of()
    W, V = START.draw(net, np.random.default_rng(2))
    case = sequence(net, 2)
    (_, (truncated, _)), (_, (full, _)) = (LayeredNet(n, W, V).gradients(*case) for n in (net, net_of(full=True)))
    assert np.abs(truncated - full).max() > 1e-3


@pytest.mark.parametrize(
    "cell", ["Net1997", "FullGradient", "CellsAsSources", "WithoutRecurrence", "WithoutOutputGate"]
)
def test_the_hand_written_gradient_is_the_derived_one(cell: str) -> None:
    mg.testing.check_cell(getattr(equations, cell))


def test_weights_of_the_layers_come_back() -> None:
    net = net_of(biases="gates", output_biases=False, shortcuts=True)
    W, V = START.draw(net, np.random.default_rng(3))
    for found, given in zip(LayeredNet(net, W, V).get_weights(), (W, V), strict=True):
        assert np.array_equal(found, given)
