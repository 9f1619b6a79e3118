"""The drift of the cell state over distractors: a measurement on nets of Table 3.

Medians of 8 nets on 2026-12-01, over cells; increment is |mean of y_in g| of a distractor, s is at the trigger.

    q    reading            sequences  wrong   output gate  increment  spread of s  distance of the classes' means
    50   literal               30,000   3 %          0.70     0.052         4.0        23
    50   literal               60,000   0            0.78     0.059         3.4        31
    50   gates not sources     60,000   0            0.50     0.018         2.0        16
    50   silent                60,000   0            0.50     0.0012        0.14        2.5
    100  literal               30,000  100 %         0.53     0.049         2.3         3.0
    100  literal               60,000  100 %         0.50     0.087         2.1         2.5
    100  gates not sources     60,000   0            0.50     0.016         1.6        19
    100  silent                60,000   0            0.50     0.0010        0.23        2.4

Input gates stay half open in all of them: 0.48 to 0.50. So each distractor adds to the state. With recurrent signals
the state becomes far larger than two classes need, and its spread grows likewise. For q = 100 the spread is nearly as
large as the distance of the classes, and the median net is wrong on all sequences. Without recurrent signals the
increments of the distractors are learnt away.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.papers.kernel.build import Trainer
from minigrad.papers.row import Row
from minigrad.papers.rtrl import RTRL
from minigrad.papers.trial import CHUNK

PROBES = 32
READINGS = ("literal", "gates not sources", "silent + streak start")
SEQUENCES = (0, 10_000, 30_000, 60_000)
NETS = 8


def measure(row: Row, sequences: int, seed: int, compiles: bool | None = None) -> dict[str, Any]:
    """Train a net, and return numbers of its gates and states on test sequences.

    Args:
        row: a row of Table 3, in one of its readings.
        sequences: the number of training sequences, a multiple of 100.
        seed: the seed; readings of a row have the same first weights and sequences.
        compiles: whether to use Numba; by default where it is installed.

    Returns:
        for the net as a whole, `wrong`: the part of test sequences with an error of 0.2 or more. For each cell, over
        the distractors: the mean of `input gate` and `output gate`, and of the `increment` y_in g of a step. At the
        trigger: `spread`, the standard deviation of s among sequences of one class, and `signal`, the distance of the
        two classes' means.
    """
    weights, train, test = (np.random.default_rng([seed, stream]) for stream in range(3))
    trainer = Trainer(row.net, *row.start.draw(row.net, weights), row.rate, row.update, compiles)
    for _ in range(sequences // CHUNK):
        trainer.learn(row.task.train(train, CHUNK))
    batch = row.task.test(test, PROBES)
    run, found, ends, wrong = RTRL(row.net, trainer.W, trainer.V), [], [], 0.0
    for k in range(PROBES):
        run.reset()
        x, targets, _ = batch.sequence(k, row.net.inputs, row.net.outputs)
        states, gates = [run.s], []
        for x_t in x:
            outputs = run.step(x_t)
            states.append(run.s)
            gates.append((run.y_in, run.y_out))
        inside = slice(2, len(x) - 1)  # the distractors: after b and x or y, before the trigger
        found.append([*np.mean(gates[inside], axis=0), np.diff(states, axis=0)[inside].mean(0)])
        ends.append(states[-2])
        wrong += float(np.abs(outputs - targets[-1]).max() >= 0.2) / PROBES
    of_x, s = batch.targets[:, 0] == 1.0, np.array(ends)
    y_in, y_out, increment = np.mean(found, axis=0)
    signal = np.abs(s[of_x].mean(0) - s[~of_x].mean(0))
    spread = np.sqrt((s[of_x].var(0) + s[~of_x].var(0)) / 2)
    values = {"input gate": y_in, "output gate": y_out, "increment": increment, "spread": spread, "signal": signal}
    return {"wrong": wrong, **{name: value.tolist() for name, value in values.items()}}


def survey(rows: Iterable[Row], nets: int = NETS, compiles: bool | None = None) -> Iterator[dict[str, Any]]:
    """Yield the medians of what `measure` finds, over cells and nets, for rows in three readings.

    Args:
        rows: rows of Table 3.
        nets: the number of nets.
        compiles: see `measure`.
    """
    for row, reading, sequences in itertools.product(rows, READINGS, SEQUENCES):
        own = row if reading == "literal" else row.read_as(reading)
        found = [measure(own, sequences, seed, compiles) for seed in range(nets)]
        medians = {name: float(np.median(np.abs([one[name] for one in found]))) for name in found[0]}
        yield {"row": row.name, "reading": reading, "sequences": sequences, "nets": nets, **medians}
