"""The continual embedded Reber grammar: its streams, its nets and gradients, its trainer, trials, table, command.

The trainer's text runs as Python here. With ``MINIGRAD_ALL_KERNELS=1`` in the environment it is compiled.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.papers import command, results
from minigrad.papers.gers00 import equations, report, trial
from minigrad.papers.gers00.layer import LayeredNet2000
from minigrad.papers.gers00.net import CELLS, INPUTS, Array, Net2000
from minigrad.papers.gers00.rows import LONGEST, ROWS, Row2000
from minigrad.papers.gers00.rtrl import RTRL2000
from minigrad.papers.gers00.stream import graph, one_hot, walk
from minigrad.papers.gers00.trainer import Trainer2000, text_of
from minigrad.papers.gers00.trainer import functions_of as trainer_functions
from minigrad.papers.gers00.trial import Job2000
from minigrad.papers.tasks.reber import SYMBOLS, embedded
from minigrad.train.command_line import main

ALL = os.environ.get("MINIGRAD_ALL_KERNELS") == "1"
NETS = {"forget gates": Net2000(), "standard": Net2000(forget=False), "decay": Net2000(forget=False, decay=0.9)}
each_net = pytest.mark.parametrize("net", NETS.values(), ids=NETS)
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def bits(seed: int, count: int) -> Any:
    return np.random.default_rng(seed).integers(2, size=count)


def lively(net: Net2000, seed: int = 0) -> tuple[Array, Array]:
    """Return weights that are large enough for every term of the gradient to count."""
    W, V = net.draw(np.random.default_rng(seed))
    return 3 * W, 3 * V


# --- streams --------------------------------------------------------------------------------------


def test_a_stream_is_one_embedded_string_after_the_other() -> None:
    text, follow = walk(bits(0, 4000))
    assert all(after in legal for after, legal in zip(text[1:], follow, strict=False))
    strings = re.findall(r"B(?:TB[^B]*T|PB[^B]*P)E(?=B|$)", text)
    assert "".join(strings) == text[: len("".join(strings))]
    assert len(strings) > 300
    assert np.mean([s[1] == "T" for s in strings]) == pytest.approx(0.5, abs=0.08)


class Scripted:
    """A source of random numbers whose choices between two are given."""

    def __init__(self, given: Any) -> None:
        self.given = iter(given)

    def integers(self, high: int) -> int:
        return next(self.given) if high == 2 else 0


def test_the_strings_are_those_of_the_embedded_grammar() -> None:
    """The bits of the symbols that have an alternative give the same string, and the same sets of successors."""
    given, at = bits(1, 400), 0
    text, follow = walk(given)
    for _ in range(10):
        end = text.index("E", text.index("E", at) + 1) + 1  # the second E ends the string
        inside = slice(at + 1, end)
        chosen = [bit for bit, legal in zip(given[inside], follow[at : end - 1], strict=True) if len(legal) == 2]
        string, legal = embedded(Scripted(chosen))  # type: ignore[arg-type]
        assert string == text[at:end]
        assert [set(each) for each in legal] == follow[at : end - 1]
        at = end


# --- nets and gradients ---------------------------------------------------------------------------


@each_row
def test_the_weights_are_counted(row: Row2000) -> None:
    assert row.net.weights == row.weights == (424 if row.net.forget else 360)


@pytest.mark.parametrize("cell", [equations.ForgetGates, equations.StateDecay])
def test_the_hand_written_gradient_is_the_derived_one(cell: Any) -> None:
    mg.testing.check_cell(cell)


def test_first_weights() -> None:
    net = Net2000()
    W, V = net.draw(np.random.default_rng(0))
    biases = {name: W[-1, columns].tolist() for name, columns in net.columns.items()}
    assert biases["z_f"] == [0.5, 1.0, 1.5, 2.0]
    assert biases["z_in"] == biases["z_out"] == [-0.5, -1.0, -1.5, -2.0]
    assert not any(biases["z_g"])
    assert 0.15 < np.abs(W[:-1]).max() <= 0.2
    assert 0.15 < np.abs(V).max() <= 0.2


@each_net
@pytest.mark.parametrize("seed", range(2))
def test_truncated_rtrl_is_truncated_bptt(net: Net2000, seed: int) -> None:
    """With weights frozen within a stream, whose strings follow each other without a reset."""
    W, V = lively(net, seed)
    x, targets = one_hot(*walk(bits(seed, 40)))
    run, dW, dV = RTRL2000(net, W, V), np.zeros_like(W), np.zeros_like(V)
    outputs = []
    for x_t, target in zip(x, targets, strict=True):
        outputs.append(run.step(x_t))
        of_W, of_V = run.gradients(target)
        dW += of_W
        dV += of_V
    layer = LayeredNet2000(net, W, V)
    np.testing.assert_allclose(outputs, layer(x).numpy(), rtol=1e-13)
    for found, wanted in zip((dW, dV), layer.gradients(x, targets), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())


# --- the trainer ----------------------------------------------------------------------------------

WIDE = 2.0  # a tolerance that every error meets


def wide(text: str) -> str:
    """Return a trainer's text with a tolerance that every error meets."""
    return text.replace("TOLERANCE = 0.49", f"TOLERANCE = {WIDE}")


LONG = 25  # symbols of a stream in these tests: two strings


def by_rtrl(row: Row2000, W: Array, V: Array, streams: int, seed: int) -> tuple[Array, Array, int, int]:
    """Return the weights after some streams, the number of symbols, and of resets, by the plain RTRL."""
    run, given, at, resets = RTRL2000(row.net, W.copy(), V.copy()), bits(seed, 1 << 16), 0, 0
    symbols, after = graph()
    for _ in range(streams):
        run.reset()
        node, rate, length, worst = 0, 0.1, 0, 0.0
        while worst < WIDE and length < LONG:
            if row.reset and node == 0 and length:
                run.reset()
                resets += 1
            symbol, node = symbols[node, given[at]], after[node, given[at]]
            target = np.isin(np.arange(INPUTS), symbols[node]).astype(float)
            worst = np.abs(run.step(np.eye(INPUTS)[symbol]) - target).max()
            of_W, of_V = run.gradients(target)
            run.W, run.V = run.W - rate * of_W, run.V - rate * of_V
            rate, at, length = rate * row.factor, at + 1, length + 1
    return run.W, run.V, at, resets


@each_row
def test_the_trainer_as_the_plain_rtrl(row: Row2000, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates at every symbol; a wide tolerance, so that streams pass the end of strings."""
    monkeypatch.setattr("minigrad.papers.gers00.trainer.text_of", lambda *given: wide(text_of(*given)))
    trainer_functions.cache_clear()
    W, V = lively(row.net)
    trainer = Trainer2000(row.net, W, V, 0.1, row.factor, row.reset, LONG, compiles=ALL)
    learnt, _ = trainer.learn(np.random.default_rng(5), 30, LONG + 1)
    expected_W, expected_V, symbols, resets = by_rtrl(row, W, V, 30, 5)
    trainer_functions.cache_clear()
    assert (learnt, trainer.symbols) == (30, symbols)
    assert (resets > 5) == row.reset
    assert np.abs(trainer.W - W).max() > 1e-2
    np.testing.assert_allclose(trainer.W, expected_W, rtol=0, atol=1e-10)
    np.testing.assert_allclose(trainer.V, expected_V, rtol=0, atol=1e-10)


def scripted_net(net: Net2000) -> tuple[Array, Array]:
    """Return weights without memory that are right for the first three symbols of a string, and wrong for the fourth.

    B is followed by T or P, T and P by B: so in B T B T …, the last T is wrong.
    """
    W, V = net.draw(np.random.default_rng(0))
    V[:] = 0.0
    for symbol, legal in (("B", "TP"), ("T", "B"), ("P", "B")):
        V[CELLS + SYMBOLS.index(symbol)] = [40.0 * (s in legal) - 20.0 for s in SYMBOLS]
    return W, V


def test_streams_end_at_the_first_error_or_at_their_longest_length() -> None:
    net = Net2000()
    short = Trainer2000(net, *scripted_net(net), rate=0.0, longest=3, compiles=False)
    assert short.learn(np.random.default_rng(0), 5, tested=9) == (5, 3)
    assert short.symbols == 15
    long = Trainer2000(net, *scripted_net(net), rate=0.0, compiles=False)
    assert long.learn(np.random.default_rng(0), 5, tested=9) == (5, 4)  # the wrong symbol is learnt from too
    assert long.check(bits(0, 50)) == 3  # right symbols before it
    assert short.check(bits(0, 3)) == 3


def test_a_long_stream_ends_the_call() -> None:
    net = Net2000()
    trainer = Trainer2000(net, *scripted_net(net), rate=0.0, compiles=False)
    assert trainer.learn(np.random.default_rng(0), 5, tested=4) == (1, 4)
    assert trainer.learn(np.random.default_rng(0), 5, tested=5) == (5, 4)


def test_nan_is_wrong() -> None:
    net = Net2000()
    W, V = net.draw(np.random.default_rng(0))
    trainer = Trainer2000(net, W, np.full_like(V, np.nan), 0.5, compiles=False)
    assert trainer.check(bits(0, 9)) == 0
    learnt, _ = trainer.learn(np.random.default_rng(0), 5, 10)
    assert learnt == -1


@pytest.mark.skipif(not ALL, reason="compiles; set MINIGRAD_ALL_KERNELS=1")
@each_row
def test_compiled_the_same_numbers(row: Row2000) -> None:
    W, V = lively(row.net)
    plain, compiled = (
        Trainer2000(row.net, W, V, 0.5, row.factor, row.reset, compiles=compiles) for compiles in (False, True)
    )
    for trainer in (plain, compiled):
        trainer.learn(np.random.default_rng(2), 40, LONGEST)
    np.testing.assert_allclose(compiled.W, plain.W, rtol=0, atol=1e-12)
    assert compiled.check(bits(3, 200)) == plain.check(bits(3, 200))


def test_the_text_holds_the_equations() -> None:
    assert "c_new = y_f * c + y_in * g" in text_of(Net2000(), compiles=False)
    assert "decay = real(0.9)" in text_of(Net2000(forget=False, decay=0.9), compiles=False)


# --- trials ---------------------------------------------------------------------------------------


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of two symbols, which are learnt soon: T or P, then B."""
    monkeypatch.setattr(trial, "LONGEST", 2)
    monkeypatch.setattr(trial, "GOOD", 2)


@pytest.mark.usefixtures("_short")
def test_a_trial() -> None:
    job = Job2000(ROWS[3], 0, 1, cap=600)
    found = job.run(compiles=False)
    assert Job2000(ROWS[3], 1, 1, cap=600).run(compiles=False) != found
    assert job.run(compiles=False) == found  # the same bits
    assert found["milestones"]["perfect"]["sequences"] == found["streams"] < 600
    assert found["length"] == 2
    assert found["tests"] >= 1
    assert found["data"] == job.data


def test_a_trial_that_ends_without_success() -> None:
    found = Job2000(ROWS[1], 0, 1, cap=20).run(compiles=False)
    assert found["milestones"] == {"perfect": None}
    assert (found["streams"], found["diverged"], found["out of symbols"]) == (20, None, False)
    assert 0 <= found["length"] < 100


@pytest.mark.usefixtures("_short")
def test_a_trial_that_runs_out_of_symbols(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SYMBOLS", 1)
    monkeypatch.setattr(trial, "TESTS", 1)
    monkeypatch.setattr(trial.Trainer2000, "check", lambda self, bits: 1)
    found = Job2000(ROWS[3], 0, 1, cap=600).run(compiles=False)
    assert found["out of symbols"]
    assert found["streams"] < 600


def test_the_data_of_a_row_has_its_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = {Job2000(row, 0, 0).data for row in ROWS}
    assert len(hashes) == len(ROWS)
    monkeypatch.setattr(trial, "GOOD", 5)
    assert not hashes & {Job2000(row, 0, 0).data for row in ROWS}


# --- table and command ----------------------------------------------------------------------------


def record(row: Row2000, perfect: int | None, length: float = LONGEST, **other: Any) -> dict[str, Any]:
    reached = {"sequences": perfect} if perfect else None
    head = {"row": row.name, "data": Job2000(row, 0, 0).data, "diverged": None, "out of symbols": False}
    return {**head, "length": length, "milestones": {"perfect": reached}, **other}


def test_the_table() -> None:
    row = ROWS[3]
    trials = [record(row, 900), record(row, 1100), record(row, None, 2000.0), record(row, None, 10.0, diverged=3)]
    found = report.found(row, trials)
    assert (found.nets, found.perfect, found.good, found.rest, found.diverged) == (4, [900, 1100], [2000.0], [10.0], 1)
    published, ours = report.table(trials)
    assert published[2:] == ("published", "18 % (18,889)", "29 % ⟨39,171⟩", "53 % ⟨145⟩", "100")
    assert ours[2] == "ours"
    assert ours[3] == "50 % [15 %, 85 %] (1,000 [900, 1,100])"
    assert ours[4:] == ("25 % ⟨2,000⟩", "25 % ⟨10⟩", "4 (1 diverged)")
    assert report.found(row, [record(row, 900, data="other")]).nets == 0


def papers(*words: str) -> int:
    return main(["papers", "gers00", *words], {"papers": (command.HELP, command.main)})


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def scripted(job: Job2000) -> dict[str, Any]:
        whole = {"table": 2, "reading": "literal", "number": job.number, "seed": job.seed, "cap": job.cap}
        return {**record(job.row, 7_000 + job.number), **whole}

    monkeypatch.setattr(Job2000, "run", scripted)
    file = tmp_path / "nets.json"
    words = ["--nets", "3", "--rows", "external", "--processes", "1", "--out", str(file)]
    assert papers(*words) == 0
    text = capsys.readouterr().out
    assert "100 % [44 %, 100 %] (7,001 [7,000, 7,002])" in text
    assert "the paper: after each" in text
    assert papers("--report", str(file)) == 0
    assert "(7,001 [7,000, 7,002])" in capsys.readouterr().out
    assert papers("--rows", "forgot") == 2
    assert "--rows" in capsys.readouterr().err
    values = results.read_results(file)
    assert values["paper"] == "gers00"
    assert len(values["trials"]) == 3
