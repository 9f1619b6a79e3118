"""The numbers of weights that the paper prints, counted, and the first weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigrad.papers.net import Net, Start

REBER: dict[str, Any] = {"inputs": 7, "outputs": 7, "biases": "gates"}
PRINTED: dict[str, tuple[Net, int]] = {
    "1: four blocks of one cell": (Net(**REBER, blocks=4, output_biases=False), 264),
    "1: three blocks of two cells": (Net(**REBER, blocks=3, size=2, output_biases=False), 276),
    "2a": (
        Net(inputs=101, outputs=101, blocks=1, biases="none", output_biases=False, shortcuts=True, sources="none",
            output_gates=False),
        10504,
    ),
    **{
        f"2c: p = {p}": (Net(inputs=p + 4, outputs=2, blocks=2, biases="none", output_biases=False), weights)
        for p, weights in ((50, 364), (100, 664), (200, 1264), (500, 3064), (1000, 6064))
    },
    "3": (Net(inputs=1, outputs=1, blocks=3, output_biases=False), 102),
    "4 and 5": (Net(inputs=2, outputs=1, blocks=2, size=2), 93),
    "6a": (Net(inputs=8, outputs=4, blocks=2, size=2), 156),
    "6b": (Net(inputs=8, outputs=8, blocks=3, size=2), 308),
    "1, gates not sources": (
        Net(**REBER, blocks=3, size=2, output_biases=False, sources="cells"), 204,
    ),
    "1, shortcuts": (
        Net(**REBER, blocks=3, size=2, output_biases=False, shortcuts=True), 325,
    ),
    "1, shortcuts and output biases": (
        Net(**REBER, blocks=3, size=2, shortcuts=True), 332,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_counts(name: str) -> None:
    net, weights = PRINTED[name]
    assert net.weights == weights


def test_first_weights() -> None:
    net = Net(inputs=2, outputs=1, blocks=2, size=2)
    W, V = Start(width=0.1, input_gates=(-3.0, -6.0)).draw(net, np.random.default_rng(0))
    of_input_gates, of_cells, of_output_gates = net.columns
    assert W[-1, of_input_gates].tolist() == [-3.0, -6.0]
    rest = np.concatenate([W[:-1].ravel(), W[-1, of_cells], W[-1, of_output_gates], V.ravel()])
    assert np.abs(rest).max() <= 0.1
    assert len(set(rest)) == rest.size  # random, and each different
    again, _ = Start(width=0.1, input_gates=(-3.0, -6.0)).draw(net, np.random.default_rng(0))
    assert np.array_equal(W, again)


def test_biases_that_do_not_exist_are_zero() -> None:
    net = Net(**REBER, blocks=3, size=2, output_biases=False)
    W, V = Start(width=0.2, output_gates=(-1.0, -2.0, -3.0, -4.0)).draw(net, np.random.default_rng(0))
    assert not W[-1, net.columns[1]].any()
    assert W[-1, net.columns[0]].all()
    assert W[-1, net.columns[2]].tolist() == [-1.0, -2.0, -3.0]
    assert not V[-1].any()


def test_added_biases() -> None:
    net = Net(inputs=1, outputs=1, blocks=3)
    W, _ = Start(width=0.1, input_gates=(-1.0, -3.0, -5.0), added=True).draw(net, np.random.default_rng(0))
    off = W[-1, net.columns[0]] - [-1.0, -3.0, -5.0]
    assert 0 < np.abs(off).max() <= 0.1


def test_too_few_biases() -> None:
    with pytest.raises(ValueError, match="a gate bias for each of 3 blocks, got 2"):
        Start(width=0.1, input_gates=(-1.0, -3.0)).draw(Net(inputs=1, outputs=1, blocks=3), np.random.default_rng(0))
