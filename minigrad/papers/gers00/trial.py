"""One net of Table 2: a row and a number give the same bits alone, in a pool and in any order."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any, NamedTuple

import numpy as np

from minigrad.papers.gers00.rows import GOOD, LONGEST, RATE, STREAMS, SYMBOLS, TABLE, TESTS, Row2000
from minigrad.papers.gers00.trainer import Trainer2000

WEIGHTS, TRAINING, TEST, LAST = range(4)  # streams of random numbers


class Job2000(NamedTuple):
    """A net that a run needs: the arguments of `run_trial`."""

    row: Row2000
    number: int
    seed: int
    cap: int = STREAMS

    @property
    def data(self) -> str:
        """The hash of the row's data and of the rules."""
        rules = (LONGEST, TESTS, GOOD, SYMBOLS, RATE)
        text = repr((self.row.net, self.row.reset, self.row.factor, rules))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def key(self) -> tuple[int, str, str, int, int, int]:
        """The trial's key in the results."""
        return (TABLE, self.row.name, "literal", self.number, self.seed, self.cap)

    def run(self, compiles: bool | None = None) -> dict[str, Any]:
        """Train the net, and return its record.

        It learns until it is perfect, diverges, or has no streams or symbols left; then a last test gives its length.
        """
        row = self.row
        trainer = Trainer2000(
            row.net, *row.net.draw(self._random(WEIGHTS)), RATE, row.factor, row.reset, LONGEST, compiles
        )
        training, test = self._random(TRAINING), self._random(TEST)
        streams = tested = tests = 0
        perfect, diverged = False, None
        while streams < self.cap and trainer.symbols + tested < SYMBOLS and not perfect and diverged is None:
            learnt, last = trainer.learn(training, self.cap - streams, GOOD)
            streams += abs(learnt)
            diverged = streams if learnt < 0 else None
            if learnt > 0 and last >= GOOD:
                lengths = self._test(trainer, test, whole=False)
                tests, tested, perfect = tests + 1, tested + sum(lengths), min(lengths) == LONGEST
        out = trainer.symbols + tested >= SYMBOLS and not perfect
        length = LONGEST if perfect else float(np.mean(self._test(trainer, self._random(LAST), whole=True)))
        return {
            "table": TABLE, "row": row.name, "reading": "literal", "number": self.number, "seed": self.seed,
            "cap": self.cap, "data": self.data, "streams": streams, "symbols": trainer.symbols, "tests": tests,
            "tested": tested, "diverged": diverged, "out of symbols": out,
            "length": length, "milestones": {"perfect": {"sequences": streams} if perfect else None},
        }  # fmt: skip

    def _random(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(self.row.name.encode()), stream, self.number])

    @staticmethod
    def _test(trainer: Trainer2000, random: np.random.Generator, whole: bool) -> list[int]:
        """Return the lengths of test streams; a test that is not `whole` ends with the first wrong prediction."""
        lengths: list[int] = []
        for _ in range(TESTS):
            lengths.append(trainer.check(random.integers(2, size=LONGEST)))
            if not whole and lengths[-1] < LONGEST:
                break
        return lengths
