"""The compiled trainer, held to minigrad's layer with SGD and to the plain RTRL; its stop; its test.

A net takes some seconds to compile, so one net is compiled here, and the text of the others runs as Python. With
``MINIGRAD_ALL_KERNELS=1`` in the environment all are compiled; `.ci/run` does that.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.papers.batch import NO_SETS, Batch
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.kernel.build import Trainer, functions_of, text_of
from minigrad.papers.layer import LayeredNet
from minigrad.papers.net import Array, Net, Start
from minigrad.papers.row import Row, Window
from minigrad.papers.rtrl import RTRL
from minigrad.papers.tasks.long_lags import Distractors, NoiseFree
from minigrad.papers.tasks.marked_pairs import MarkedPairs
from minigrad.papers.tasks.two_sequences import TwoSequences

NAMED = {f"{row.table}: {row.name}": row for row in ROWS}
SMALL = {  # a row of each task, with shorter sequences where the paper's are long
    "1: 3 blocks of 2, rate 0.5": {},
    "1: 4 blocks of 1, rate 0.5": {"task.successors": True},
    "2: 2a, p = 100": {"task": NoiseFree(6), "net.inputs": 7, "net.outputs": 7, "grows": None},
    "3: q = 50, p = 50": {"task": Distractors(20, 6), "net.inputs": 10},
    "4: T = 100, N = 3": {"task": TwoSequences(30, 3)},
    "6: T = 100, N = 3": {"task": TwoSequences(30, 3, targets=(0.2, 0.8), target_deviation=0.1**0.5), "rate": 1.0},
    "7: T = 100": {"task": MarkedPairs(30)},
    "8: T = 100": {},
    "9: 6a": {},
    "9: 6b": {},
}


TINY = Net(inputs=1, outputs=1, blocks=1)
ALL = os.environ.get("MINIGRAD_ALL_KERNELS") == "1"


def compiles(net: Net) -> bool:
    """Return whether the net is compiled in this run: that of the Tables 7, 8 and 9 is."""
    return ALL or dataclasses.replace(net, inputs=8, outputs=8) == Net(inputs=8, outputs=8, blocks=2, size=2)


def small(name: str) -> Row:
    row = NAMED[name]
    net = {k.removeprefix("net."): v for k, v in SMALL[name].items() if k.startswith("net.")}
    rest = {k: v for k, v in SMALL[name].items() if "." not in k}
    row = dataclasses.replace(row, net=dataclasses.replace(row.net, **net), **rest)
    return row.read_as("successors") if "task.successors" in SMALL[name] else row


def beginning(row: Row, seed: int = 0) -> tuple[Batch, Array, Array]:
    random = np.random.default_rng(seed)
    return row.task.prepared(random).train(random, 50), *row.start.draw(row.net, random)


def by_layer(row: Row, batch: Batch, W: Array, V: Array) -> tuple[Array, Array]:
    """Return the weights after learning by minigrad's layer and SGD, with an update after each sequence."""
    layer, sgd = LayeredNet(row.net, W, V), mg.keras.optimizers.SGD(row.rate)
    for k in range(len(batch)):
        x, targets, counted = batch.sequence(k, row.net.inputs, row.net.outputs)
        error = (layer(x) - mg.tensor(targets)) * mg.tensor(counted[:, None])
        grads = mg.grad((error * error).sum() * 0.5, layer.weights)
        sgd.apply_gradients(zip(grads, layer.weights, strict=True))
    return layer.get_weights()


@pytest.mark.parametrize("name", SMALL)
def test_fifty_sequences_as_the_layer_with_sgd(name: str) -> None:
    row = small(name)
    batch, W, V = beginning(row)
    trainer = Trainer(row.net, W, V, row.rate, compiles=compiles(row.net))
    assert trainer.learn(batch)[0] == 50
    moved = max(np.abs(trainer.W - W).max(), np.abs(trainer.V - V).max())
    assert moved > 1e-3
    for found, expected in zip((trainer.W, trainer.V), by_layer(row, batch, W, V), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("variant", [{}, {"start": 0.5}, {"shortcuts": True, "output_biases": True}])
@pytest.mark.parametrize("name", ["1: 3 blocks of 2, rate 0.5", "7: T = 100"])
def test_the_full_gradient_as_the_layer_with_sgd(name: str, variant: dict[str, Any]) -> None:
    row = small(name)
    row = dataclasses.replace(row, net=dataclasses.replace(row.net, full=True, **variant))
    batch, W, V = beginning(row)
    trainer = Trainer(row.net, W, V, row.rate, compiles=ALL)
    trainer.learn(batch)
    for found, expected in zip((trainer.W, trainer.V), by_layer(row, batch, W, V), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def by_rtrl(row: Row, batch: Batch, W: Array, V: Array) -> tuple[Array, Array]:
    """Return the weights after learning with an update at every step that has a target."""
    run = RTRL(row.net, W.copy(), V.copy())
    for k in range(len(batch)):
        run.reset()
        for x, target, counts in zip(*batch.sequence(k, row.net.inputs, row.net.outputs), strict=True):
            run.step(x)
            if counts:
                dW, dV = run.gradients(target)
                run.W, run.V = run.W - row.rate * dW, run.V - row.rate * dV
    return run.W, run.V


VARIANTS: dict[str, dict[str, Any]] = {
    "as printed": {},
    "start at 0.5": {"start": 0.5},
    "caption": {"g_max": 1.0, "h_max": 2.0},
    "silent": {"silent": True},
    "gates not sources": {"sources": "cells"},
    "shortcuts": {"shortcuts": True, "output_biases": True},
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["1: 3 blocks of 2, rate 0.5", "7: T = 100"])
def test_updates_at_every_step_as_the_plain_rtrl(name: str, variant: str) -> None:
    row = small(name)
    row = dataclasses.replace(row, net=dataclasses.replace(row.net, **VARIANTS[variant]))
    batch, W, V = beginning(row, 1)
    trainer = Trainer(row.net, W, V, row.rate, "step", compiles=compiles(row.net))
    trainer.learn(batch)
    for found, expected in zip((trainer.W, trainer.V), by_rtrl(row, batch, W, V), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["1: 3 blocks of 2, rate 0.5", "3: q = 50, p = 50", "7: T = 100"])
def test_late_updates_as_the_plain_rtrl(name: str) -> None:
    """Updates after the first step of the next sequence, also where that is in the next batch."""
    row = small(name)
    batch, W, V = beginning(row, 2)
    trainer = Trainer(row.net, W, V, row.rate, "late", compiles=compiles(row.net))
    for at in (slice(0, 20), slice(20, 50)):
        trainer.learn(Batch(batch.x[at], batch.lengths[at], batch.targets[at], NO_SETS))
    run = RTRL(row.net, W.copy(), V.copy())
    late, found = (np.zeros_like(W), np.zeros_like(V)), (np.zeros_like(W), np.zeros_like(V))
    for k in range(len(batch)):
        run.reset()
        found = np.zeros_like(W), np.zeros_like(V)
        for t, (x, target, counts) in enumerate(zip(*batch.sequence(k, row.net.inputs, row.net.outputs), strict=True)):
            run.step(x)
            if counts:
                found = found[0] + run.gradients(target)[0], found[1] + run.gradients(target)[1]
            if t == 0:
                run.W, run.V = run.W - row.rate * late[0], run.V - row.rate * late[1]
        late = found
    for own, expected in zip((trainer.W, trainer.V), (run.W, run.V), strict=True):
        assert np.abs(own).max() > 0
        np.testing.assert_allclose(own, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["1: 3 blocks of 2, rate 0.5", "7: T = 100"])
def test_second_biases_as_a_layer_with_a_constant_input(name: str) -> None:
    row = small(name).read_as("second biases")
    batch, W, V = beginning(row)
    first = np.random.default_rng(3).uniform(-1.0, 1.0, (row.net.hidden))
    trainer = Trainer(row.net, W, V, row.rate, compiles=compiles(row.net))
    trainer.learn(batch)
    I = row.net.inputs
    net = dataclasses.replace(row.net, inputs=I + 1, second_biases=False)
    W = np.insert(W, I, first, 0)
    W[-1] -= first
    pairs = [batch.sequence(k, I, row.net.outputs) for k in range(len(batch))]
    layer, sgd = LayeredNet(net, W, V), mg.keras.optimizers.SGD(row.rate)
    for x, targets, counted in pairs:
        error = (layer(np.insert(x, I, 1.0, 1)) - mg.tensor(targets)) * mg.tensor(counted[:, None])
        grads = mg.grad((error * error).sum() * 0.5, layer.weights)
        sgd.apply_gradients(zip(grads, layer.weights, strict=True))
    W, V = layer.get_weights()
    W[-1] += W[I]
    np.testing.assert_allclose(trainer.W, np.delete(W, I, 0), rtol=0, atol=1e-10)
    np.testing.assert_allclose(trainer.V, V, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["9: 6a", "7: T = 100"])
def test_without_numba_the_same_numbers(name: str) -> None:
    row = small(name)
    batch, W, V = beginning(row)
    few = Batch(batch.x[:5], batch.lengths[:5], batch.targets[:5], batch.legal[:5] if batch.legal.size else NO_SETS)
    compiled, plain = (Trainer(row.net, W, V, row.rate, compiles=compiles) for compiles in (True, False))
    for trainer in (compiled, plain):
        trainer.learn(few)
    np.testing.assert_allclose(compiled.W, plain.W, rtol=0, atol=1e-13)
    np.testing.assert_allclose(compiled.check(few, 0.3, 99), plain.check(few, 0.3, 99), rtol=1e-9)


def test_weights_that_do_not_learn_stay() -> None:
    row = small("9: 6a")
    batch, W, V = beginning(row)
    trainer = Trainer(row.net, W, V, row.rate)
    trainer.learns_W[:, 0] = 0.0
    trainer.learns_V[2] = 0.0
    trainer.learn(batch)
    assert np.array_equal(trainer.W[:, 0], W[:, 0])
    assert np.array_equal(trainer.V[2], V[2])
    assert (trainer.W[:, 1] != W[:, 1]).any()


def test_the_text_holds_the_equations() -> None:
    text = text_of(Net(inputs=2, outputs=1, blocks=2, size=2))
    assert "c_new = c + in_new * g" in text
    assert "fastmath" not in text


# --- the stop -------------------------------------------------------------------------------------


def watched(errors: list[float], rule: Window) -> int | None:
    """Return the number of the sequence at which a window of scripted errors stops, from 1."""
    watch = functions_of(TINY, False).watch
    wrong, means, state = np.zeros(rule.length), np.zeros(rule.length), np.zeros(3)
    average = rule.average == "exponential"
    given = np.array([rule.tolerance, rule.fewer_than, rule.mean_below, rule.squared, average], float)
    for k, error in enumerate(errors):
        if watch(wrong, means, state, error, error, error * error, given):
            return k + 1
    return None


STREAK = Window(length=3, tolerance=0.2)
SCRIPTED: dict[str, tuple[list[float], Window, int | None]] = {
    "a streak": ([0.1, 0.1, 0.1], STREAK, 3),
    "not before the window is full": ([0.0, 0.0], STREAK, None),
    "a streak that begins again": ([0.1, 0.1, 0.3, 0.1, 0.1, 0.1], STREAK, 6),
    "the tolerance itself is wrong": ([0.1, 0.1, 0.2, 0.1, 0.1], STREAK, None),
    "NaN is wrong": ([0.1, float("nan"), 0.1, 0.1], STREAK, None),
    "fewer than two wrong": ([0.9, 0.9, 0.1, 0.9, 0.1, 0.1], Window(length=3, tolerance=0.2, fewer_than=2), 5),
    "a mean": ([0.15, 0.15, 0.15, 0.01, 0.01], Window(length=3, tolerance=0.2, mean_below=0.1), 5),
    "the mean itself is too large": ([0.125] * 5, Window(length=4, tolerance=0.2, mean_below=0.125), None),
    "an exponential mean": (  # with a time constant of 2: 0.8, 0.4, 0.2, 0.1
        [0.8, 0.0, 0.0, 0.0],
        Window(length=2, tolerance=0.9, mean_below=0.15, average="exponential"),
        4,
    ),
    "an exponential mean needs a full window": (
        [0.0] * 3,
        Window(length=3, tolerance=0.9, mean_below=0.1, average="exponential"),
        3,
    ),
    "NaN stays in an exponential mean": (
        [float("nan"), *[0.0] * 9],
        Window(length=2, tolerance=0.9, mean_below=0.1, average="exponential"),
        None,
    ),
    "a mean of squares": ([0.15] * 3, Window(length=3, tolerance=0.2, mean_below=0.1, squared=True), 3),
}


@pytest.mark.parametrize(("errors", "rule", "expected"), SCRIPTED.values(), ids=SCRIPTED)
def test_stops_on_scripted_errors(errors: list[float], rule: Window, expected: int | None) -> None:
    assert watched(errors, rule) == expected


def test_the_trainer_stops_where_the_rule_says() -> None:
    """A tolerance that every error meets: the stop is at the end of the first full window, also across batches."""
    row = small("9: 6a")
    batch, W, V = beginning(row)
    trainer = Trainer(row.net, W, V, row.rate)
    trainer.watch(Window(length=60, tolerance=2.0))
    assert trainer.learn(batch)[0] == 50
    assert trainer.learn(batch)[0] == 10
    assert trainer.learn(batch, first=10)[0] == 1  # the window is still full


def test_a_diverged_net_passes_no_stop() -> None:
    row = small("7: T = 100")
    batch, W, V = beginning(row)
    V[0] = np.nan
    trainer = Trainer(row.net, W, V, row.rate)
    trainer.watch(Window(length=1, tolerance=2.0))
    assert trainer.learn(batch)[0] == -1
    assert trainer.check(batch, 2.0, 99)[:, 3].all()


# --- the test -------------------------------------------------------------------------------------


def test_a_test_by_the_layer() -> None:
    row = small("9: 6a")
    batch, W, V = beginning(row)
    found = Trainer(row.net, W, V, row.rate).check(batch, 0.6, 99)
    layer = LayeredNet(row.net, W, V)
    for k in range(5):
        x, targets, _ = batch.sequence(k, row.net.inputs, row.net.outputs)
        error = np.abs(layer(x).numpy()[-1] - targets[-1])
        expected = [error.max(), error.sum(), (error**2).sum(), error.max() >= 0.6]
        np.testing.assert_allclose(found[k], expected, rtol=1e-12)


def test_a_test_ends_when_too_many_are_wrong() -> None:
    row = small("9: 6a")
    batch, W, V = beginning(row)
    assert len(Trainer(row.net, W, V, row.rate).check(batch, 0.1, 3)) == 3


@pytest.mark.parametrize(("y", "legal", "expected"), [
    ([0.1, 0.9, 0.2], 0b010, -1.0), ([0.1, 0.9, 0.2], 0b110, -1.0), ([0.1, 0.9, 0.2], 0b011, 1.0),
    ([0.5, 0.5, 0.2], 0b001, 1.0), ([float("nan"), 0.5, 0.2], 0b001, 1.0), ([float("nan"), 0.5, 0.2], 0b010, 1.0),
])  # fmt: skip
def test_the_ranking_of_symbols(y: list[float], legal: int, expected: float) -> None:
    assert functions_of(TINY, False).ranking(np.array(y), legal) == expected


def test_first_weights_are_copied() -> None:
    net = Net(inputs=2, outputs=1, blocks=1)
    W, V = Start(width=0.1).draw(net, np.random.default_rng(0))
    before = W.copy()
    trainer = Trainer(net, W, V, 0.1, compiles=False)
    trainer.W += 1.0
    assert np.array_equal(W, before)
