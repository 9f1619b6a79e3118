"""The texts of the experiments: each sentence checked against minigrad's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from lstm_on_tape import GATES, case_of, on_the_tape
from minigrad.playground.experiments import EXPERIMENTS, T
from minigrad.playground.networks import Network, X

Numbers = Callable[[str], Any]
BY_KEY = {each.key: each for each in EXPERIMENTS}


@pytest.fixture
def numbers(request: pytest.FixtureRequest, nets: dict[str, Network]) -> Numbers:
    """The experiment's numbers by name: over time, (T, units), or of a weight."""
    found = on_the_tape(case_of(BY_KEY[request.param], nets))
    return lambda name: found[name] if name in found else np.array([found[f"{name} {t}"] for t in range(T)])


def of(key: str) -> Any:
    return pytest.mark.parametrize("numbers", [key], indirect=True)


def influence_of_inputs(numbers: Numbers) -> Any:
    """The norm of ∂L/∂x at each step, (T,)."""
    return np.abs(numbers("dx")).sum(axis=1)


@of("memory")
def test_follow_the_memory(numbers: Numbers) -> None:
    i, f = numbers("i")[:, 0], numbers("f")[:, 0]
    assert i[2] > 0.85
    assert np.delete(i, 2).max() < 0.1
    assert f[2] < 0.4
    assert f[3:].min() > 0.95
    assert numbers("dc")[2, 0] > 0.9 * numbers("dc_through_o")[7, 0]
    assert influence_of_inputs(numbers)[2] > 5 * np.delete(influence_of_inputs(numbers), 2).max()


@of("cut")
def test_close_one_forget_gate(numbers: Numbers, nets: dict[str, Network]) -> None:
    before = on_the_tape(case_of(BY_KEY["memory"], nets))
    assert numbers("ledger.c.carousel")[5, 0] == 0
    assert influence_of_inputs(numbers)[2] < 0.1 * np.abs(before["dx 2"]).sum()
    assert influence_of_inputs(numbers)[2] > 0
    assert abs(before["h_new 7"][0] - 0.8 * X[2][0]) < 0.12
    assert abs(numbers("h_new")[7, 0] - 0.8 * X[2][0]) > 0.5


@of("fresh")
def test_before_training(numbers: Numbers) -> None:
    assert 0.65 < numbers("f").mean() < 0.85
    assert np.abs(numbers("ledger.c.carousel")[0]).sum() < np.abs(numbers("dc_through_o")[7]).sum() / 20


@of("unbiased")
def test_no_forget_bias(numbers: Numbers) -> None:
    assert 0.45 < numbers("f").mean() < 0.55
    assert np.abs(numbers("dc_0")).sum() < 0.005 * np.abs(numbers("dc_through_o")[7]).sum()


@of("open")
def test_open_all_forget_gates(numbers: Numbers) -> None:
    np.testing.assert_array_equal(numbers("ledger.c.carousel"), numbers("dc"))
    assert len(set(np.sign(numbers("dc_through_o")[:, 0]))) == 2


@of("shut")
def test_shut_the_last_output_gate(numbers: Numbers) -> None:
    assert numbers("h_new")[7, 0] == 0
    for name in ("dc", "dx", "dW", "dU", "db", *(f"dz_{k}" for k in GATES)):
        np.testing.assert_array_equal(numbers(name), 0)
    assert numbers("f").min() > 0.5


@of("unwritten")
def test_write_nothing(numbers: Numbers) -> None:
    np.testing.assert_array_equal(numbers("c_new")[:, 0], 0)
    assert numbers("ledger.c.carousel")[:, 0].min() > 0.2
    for name in ("dW", "dU", "db"):
        np.testing.assert_array_equal(numbers(name), 0)


@of("every")
def test_a_loss_at_every_step(numbers: Numbers, nets: dict[str, Network]) -> None:
    np.testing.assert_array_equal(case_of(BY_KEY["every"], nets)["loss_weights"], [[1, 0]] * T)
    at_the_end_only = on_the_tape(case_of(BY_KEY["unbiased"], nets))
    assert numbers("dh")[:, 0].min() > 0.5
    assert np.abs(at_the_end_only["dh 0"]).max() < 0.01


def test_every_experiment_has_its_test() -> None:
    tested = {mark.args[1][0] for name, f in globals().items() if name.startswith("test_")
              for mark in getattr(f, "pytestmark", []) if mark.args[0] == "numbers"}  # fmt: skip
    assert tested == set(BY_KEY)
    assert len(BY_KEY) == len(EXPERIMENTS)


def test_they_can_be_done(nets: dict[str, Network]) -> None:
    for each in EXPERIMENTS:
        assert each.network in nets
        assert 0 <= each.step < T
        assert all(-1 <= value <= 1 for *_, value in each.held + each.loss_weights)
