"""Measurements that say how a net fails, over several seeds: errors by target, half-learnt grammars, growing states."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.papers.gers00.net import Net2000
from minigrad.papers.gers00.rows import LONGEST, RATE, STREAMS
from minigrad.papers.gers00.rows import ROWS as ROWS_2000
from minigrad.papers.gers00.rtrl import RTRL2000
from minigrad.papers.gers00.stream import one_hot, walk
from minigrad.papers.gers00.trainer import Trainer2000
from minigrad.papers.hochreiter97.rows import ROWS
from minigrad.papers.kernel.build import Trainer
from minigrad.papers.row import Row
from minigrad.papers.rtrl import RTRL
from minigrad.papers.trial import CHUNK

SEEDS = range(5)
BINS = 10  # of the adding problem's targets, from 0 to 1
TOLERANCE = 0.04
TEST = 2_560
SYMBOLS_SEEN = (10, 100, 1_000)
"""Symbols of an endless stream after which states are looked at."""
MOST_SYMBOLS = 3_000_000  # that a net of 2000 learns from here
AT_EDGE = 0.1  # of h′(0): a cell whose slope is below it is said to be at the edge of h


def find(table: int, name: str) -> Row:
    """Return a row of 1997 by its table and name."""
    return next(row for row in ROWS if (row.table, row.name) == (table, name))


def trained(row: Row, seed: int, sequences: int, compiles: bool | None) -> tuple[Trainer, Any, np.random.Generator]:
    """Return a net after learning, its task, and random numbers for its test."""
    random = [np.random.default_rng([seed, row.table, stream]) for stream in range(4)]
    task = row.task.prepared(random[0])
    trainer = Trainer(row.net, *row.start.draw(row.net, random[1]), row.rate, compiles=compiles)
    for _ in range(sequences // CHUNK):
        trainer.learn(task.train(random[2], CHUNK))
    return trainer, task, random[3]


def adding_errors(row: Row, seed: int, sequences: int, compiles: bool | None = None) -> dict[str, Any]:
    """Return the mean error and the part of errors above 0.04, for each of ten ranges of targets.

    Args:
        row: a row of the adding problem.
        seed: the seed.
        sequences: the number of training sequences.
        compiles: whether to use Numba; by default where it is installed.
    """
    trainer, task, random = trained(row, seed, sequences, compiles)
    batch = task.test(random, TEST)
    errors, which = trainer.check(batch, TOLERANCE, TEST + 1)[:, 1], (batch.targets[:, 0] * BINS).astype(int)
    groups = [errors[which == k] for k in range(BINS)]
    return {
        "seed": seed, "count": [len(g) for g in groups], "mean": [float(g.mean()) if len(g) else None for g in groups],
        "wrong": [float((g > TOLERANCE).mean()) if len(g) else None for g in groups],
    }  # fmt: skip


def grammar_errors(row: Row, seed: int, sequences: int, compiles: bool | None = None) -> dict[str, Any]:
    """Return the parts of predictions that rank a wrong symbol too high, inside strings and at the symbol to remember.

    Args:
        row: a row of the embedded Reber grammar.
        seed: the seed.
        sequences: the number of training strings.
        compiles: whether to use Numba; by default where it is installed.
    """
    trainer, task, random = trained(row, seed, sequences, compiles)
    batch = task.test(random, 0)
    inner, outer, states, edge = list[bool](), list[bool](), list[float](), list[float]()
    for k in range(len(batch)):
        run, last = RTRL(row.net, trainer.W, trainer.V), int(batch.lengths[k]) - 2  # it predicts the T or P again
        for t, x in enumerate(batch.sequence(k, row.net.inputs, row.net.outputs)[0]):
            y, legal = run.step(x), [(int(batch.legal[k, t]) >> s) & 1 == 1 for s in range(row.net.outputs)]
            wrong = not y[legal].min() > y[np.logical_not(legal)].max()
            (outer if t == last else inner).append(wrong)
            if t == last:
                states.append(np.abs(run.s).max())
                edge.append((4 * run.r * (1 - run.r) < AT_EDGE).mean())
    names = ("inside", "to remember", "largest state", "cells at the edge")
    return {"seed": seed, **dict(zip(names, (float(np.mean(v)) for v in (inner, outer, states, edge)), strict=True))}


def growth_on_a_stream(seed: int, forget: bool, compiles: bool | None = None) -> dict[str, Any]:
    """Return the largest |s|, and the part of cells at the edge of h, after 10, 100 and 1000 symbols of a test stream.

    The net learns as in Table 2 of Gers et al., with forget gates and a decaying rate, or as a standard net.

    Args:
        seed: the seed.
        forget: whether it has forget gates.
        compiles: whether to use Numba; by default where it is installed.
    """
    net, factor = Net2000(forget=forget), ROWS_2000[-1].factor if forget else 1.0
    random = [np.random.default_rng([seed, forget, stream]) for stream in range(3)]
    trainer, left = Trainer2000(net, *net.draw(random[0]), RATE, factor, compiles=compiles), STREAMS
    while left > 0 and trainer.symbols < MOST_SYMBOLS:
        learnt, last = trainer.learn(random[1], left, LONGEST)
        left -= abs(learnt)
        if learnt < 0 or last >= LONGEST:
            break
    bits = random[2].integers(2, size=SYMBOLS_SEEN[-1])
    run, states, edge = RTRL2000(net, trainer.W, trainer.V), [], []
    for n, x in enumerate(one_hot(*walk(bits))[0], 1):
        run.step(x)
        if n in SYMBOLS_SEEN:
            states.append(float(np.abs(run.s).max()))
            edge.append(float((4 * run.r * (1 - run.r) < AT_EDGE).mean()))
    return {
        "seed": seed, "forget gates": forget, "streams": STREAMS - left, "largest state": states,
        "cells at the edge": edge, "right symbols": trainer.check(bits),
    }  # fmt: skip


def measurements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name and the numbers of each measurement, seed by seed."""
    adding, grammar = find(7, "T = 100"), find(1, "3 blocks of 2, rate 0.5")
    for seed in SEEDS:
        yield "adding", adding_errors(adding, seed, adding.milestones[0].published)
        yield "grammar", grammar_errors(grammar, seed, grammar.cap)
        for forget in (False, True):
            yield "stream", growth_on_a_stream(seed, forget)
