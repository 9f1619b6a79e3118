"""Small models, as users write them: their sizes, and the goals of minigrad's times.

`workers.models_minigrad`, `workers.models_torch` and `workers.models_tensorflow` hold the code, by the same names.
"""

from __future__ import annotations

import statistics
from typing import NamedTuple

from minigrad.bench.contenders import OURS, Contender
from minigrad.bench.first_call import first_calls
from minigrad.bench.harness import MeasureError
from minigrad.bench.report import Row

NUMPY, NUMBA = f"{OURS}numpy", f"{OURS}numba"


class Model(NamedTuple):
    """A model of the benchmark.

    Attributes:
        title: the row's name in the table.
        sizes: the arguments of its method in the workers.
        small: the same for ``--quick``.
        goals: the largest ratio to PyTorch to reach.
    """

    title: str
    sizes: tuple[int, ...]
    small: tuple[int, ...]
    goals: dict[str, float]


MODELS: dict[str, Model] = {
    "generate": Model("generate 200 characters", (200, 96, 64, 256), (20, 9, 4, 8), {NUMPY: 1.2, NUMBA: 0.8}),
    "loop": Model("LSTMCell in a loop", (8, 30, 8, 32), (2, 3, 4, 5), {NUMPY: 0.9, NUMBA: 0.8}),
    "adding": Model("adding problem", (32, 100, 2, 64), (2, 5, 2, 4), {NUMPY: 1.2, NUMBA: 0.6}),
    "classify": Model("classify sequences", (32, 60, 2000, 32, 64), (2, 5, 9, 3, 4), {NUMPY: 1.2, NUMBA: 0.7}),
    "gru": Model("GRU", (16, 50, 8, 32), (2, 5, 3, 4), {NUMPY: 0.25, NUMBA: 0.15}),
    "stack": Model("two stacked LSTMs", (32, 50, 16, 64), (2, 5, 3, 4), {NUMPY: 0.7, NUMBA: 0.4}),
    "characters": Model("character model", (32, 64, 96, 32, 128), (2, 5, 9, 3, 4), {NUMPY: 1.2, NUMBA: 0.8}),
}
ABOUT = (
    "Milliseconds, float32. The first row generates 200 characters one by one, without gradients: embedding of 64, "
    "LSTM of 256 units, dense layer of 96, softmax, draw. Each of the others is a training step: forward pass, loss, "
    "all gradients, Adam. LSTMCell in a loop of Python's: batch 8, 30 steps, 8 features, 32 units. Adding problem: "
    "(32, 100, 2), LSTM of 64. Sequences to classify: batch 32, 60 steps, embedding 2000 × 32, bidirectional LSTM of "
    "64. GRU: (16, 50, 8), 32 units. Stack: (32, 50, 16), 64 units each. Character model: batch 32, 64 characters out "
    "of 96, embedding 32, LSTM of 128, dense layer, clipping to norm 1. The targets are for `torch`: its default Adam "
    "and `torch.no_grad`."
)
FIRST_CALL, FIRST_CALL_LIMIT = "first call of an LSTM", 5.0  # seconds


def first_call_rows(contender: Contender, rounds: int) -> list[Row]:
    """Return the rows of the first call of a compiled layer: with nothing on disk, and with the result on disk."""
    notes = f"{FIRST_CALL}, nothing on disk", f"{FIRST_CALL}, compiled before"
    try:
        found = [first_calls(contender.backend) for _ in range(rounds)]
    except MeasureError as error:
        return [Row(measure, contender.name, note=str(error)) for measure in notes]
    rows = []
    for measure, seconds in zip(notes, zip(*found, strict=True), strict=True):
        rows.append(Row(measure, contender.name, statistics.median(seconds), rounds=list(seconds)))
    rows[0].limit = FIRST_CALL_LIMIT
    return rows
