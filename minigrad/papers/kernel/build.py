"""A net's trainer: the module of its printed text and the loops, compiled where there is Numba."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from minigrad.papers.batch import Batch
from minigrad.papers.kernel.printing import lanes, printed
from minigrad.papers.net import Array, Net
from minigrad.papers.row import Update, Window

MARK = "# --- the text begins"
NO_FLOATS, NO_INTS = np.zeros((0, 0, 0)), np.zeros((0, 0), np.int64)


def has_numba() -> bool:
    """Return whether Numba is installed."""
    return importlib.util.find_spec("numba") is not None


def text_of(net: Net, compiles: bool = True) -> str:
    """Return the module of a net's trainer as text."""
    files = ["loops", "full"] if net.full else ["loops"]
    texts = [Path(__file__).with_name(f"{name}.py").read_text("utf-8") for name in files]
    return "\n\n".join([printed(net, compiles), *(text[text.index(MARK) :] for text in texts)])


@cache
def functions_of(net: Net, compiles: bool) -> Any:
    """Return the module of a net's trainer, with `learn` and `check`."""
    text = text_of(net, compiles)
    if compiles:
        from minigrad_numba.source import module_of

        return module_of("papers", text)
    space: dict[str, Any] = {}
    exec(compile(text, "<trainer>", "exec"), space)  # noqa: S102  (the printer's text)
    return SimpleNamespace(**space)


class Trainer:
    """A net with its weights, which learns from batches and is tested on batches.

    Args:
        net: the net.
        W: the first hidden weights.
        V: the first output weights.
        rate: the learning rate.
        update: when weights change: at every step with a target, after each sequence, or late: after the first step of
            the next one, as in the later simulator.
        compiles: whether to use Numba; by default where it is installed.

    Attributes:
        W: the hidden weights (rows, hidden).
        V: the output weights (output rows, outputs).
        learns_W: 1 for the weights that learn, 2 for sums of two, 0 for the others.
        learns_V: likewise.
    """

    def __init__(
        self, net: Net, W: Array, V: Array, rate: float, update: Update = "sequence", compiles: bool | None = None
    ) -> None:
        if net.full and update != "sequence":
            raise ValueError(f"the full gradient is of whole sequences: expected update='sequence', got {update!r}")
        self.net, self.rate, self.update = net, rate, update
        (self._W, self._learns_W), width = np.zeros((2, net.rows, lanes(net.hidden))), net.hidden
        self.W, self.V, self.learns_W, self.learns_V = self._W[:, :width], V.copy(), self._learns_W[:, :width], 1.0 * V
        self.W[:], (self.learns_W[:], self.learns_V[:]) = W, net.present()
        self.learns_W[-1] *= 1 + net.second_biases
        late = (self._W.shape, self.V.shape) if update == "late" else ((0, 0), (0, 0))
        self._late = np.zeros(late[0]), np.zeros(late[1])
        self._of = functions_of(net, has_numba() if compiles is None else compiles)
        self.watch(None)

    def watch(self, rule: Window | None) -> None:
        """Stop at a rule from now on; the window of the last sequences begins empty."""
        length = rule.length if rule else 0
        self._wrong, self._means, self._state = np.zeros(length), np.zeros(length), np.zeros(3)
        self._rule = np.array(
            [rule.tolerance, rule.fewer_than, rule.mean_below, rule.squared, rule.average == "exponential"]
            if rule
            else [0.0] * 5,
            float,
        )

    @property
    def stopped(self) -> bool:
        """Whether the last sequence has reached the stop."""
        count, wrong, total = self._state
        n, (_, fewer_than, mean_below, *_) = len(self._wrong), self._rule
        return bool(n and count >= n and wrong < fewer_than and total / n < mean_below)

    def learn(self, batch: Batch, first: int = 0) -> tuple[int, Array]:
        """Learn from the sequences of a batch until the stop, from number `first` on.

        Returns:
            the number of sequences, negative if the last one diverged; and the sum of the errors of each.
        """
        totals = np.zeros(len(batch) - first)
        n = (self._of.learn_full if self.net.full else self._of.learn)(
            self._W, self.V, self._learns_W, self.learns_V, self.rate, self.update == "step", self._late,
            *_arrays(batch, first), self._wrong, self._means, self._state, self._rule, totals,
        )  # fmt: skip
        return int(n), totals

    def check(self, batch: Batch, tolerance: float, fewer_than: int, last: bool = False) -> Array:
        """Return (sequences, 4) of a test: largest error, sum of errors, of their squares, 1 for a wrong sequence.

        The test ends when `fewer_than` sequences are wrong.
        """
        found = np.zeros((len(batch), 4))
        legal = batch.legal if tolerance == 0.0 else NO_INTS
        arrays = _arrays(batch, 0)
        n = self._of.check(self._W, self.V, *arrays, legal, last, float(tolerance), fewer_than, found)
        return found[:n]


def _arrays(batch: Batch, first: int) -> tuple[Any, ...]:
    """Return symbols, inputs, lengths, classes and targets; those that a batch does not have are empty."""
    x, targets = batch.x[first:], batch.targets[first:]
    inputs = (x, NO_FLOATS) if x.ndim == 2 else (NO_INTS, x)
    wanted = (targets, np.zeros((len(x), 0))) if batch.every_step else (NO_INTS, targets)
    return (*inputs, batch.lengths[first:], *wanted)
