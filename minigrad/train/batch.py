"""A batch of sequences."""

from __future__ import annotations

from typing import NamedTuple

from minigrad.engine.protocol import Array


class Batch(NamedTuple):
    """A batch of sequences. The loss is the mean over the positions where `weights` is 1."""

    inputs: Array  # (batch, time) symbols or (batch, time, features) numbers
    targets: Array  # (batch, time) symbols or (batch, time, outputs) numbers
    weights: Array  # (batch, time), 1 where the loss counts and 0 elsewhere
    fresh: bool = True  # start from a zero state instead of the last batch's final state
