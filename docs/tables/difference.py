"""Output of `explain_difference`, for the page that describes it."""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad.convert import explain_difference


def of_copied_weights() -> str:
    """Return the differences after arrays of the first generation are copied unchanged into a cell of the third."""
    mg.compat.v1.reset_default_graph()
    one = mg.compat.v1.nn.rnn_cell.LSTMCell(4, name="of_2016", dtype="float64")
    three = mg.keras.layers.LSTMCell(4, name="of_2019", dtype="float64")
    for cell in (one, three):
        cell.build((None, 3))
    rng = np.random.default_rng(0)
    kernel, bias = (rng.uniform(-1.0, 1.0, w.shape) for w in one.weights)
    one.set_weights([kernel, 0.0 * bias])
    three.set_weights([kernel[:3], kernel[3:], 0.0 * bias])
    text = str(explain_difference(one, three))
    mg.compat.v1.reset_default_graph()
    return f"```text\n{text}\n```\n"
