"""The choice of a hand-written loop over time: LSTM, GRU and SimpleRNN have one.

A loop generated from a cell's equations would call NumPy once for each operation of each step. The hand-written loops
use another algorithm, with fewer and longer calls; `minigrad_numpy.lstm` describes it. All other cells and options run
the formulas.
"""

from __future__ import annotations

from typing import Any

from minigrad_numpy import gru, lstm, simple_rnn
from minigrad_numpy.activations import name_of
from minigrad_numpy.loops import FusedLoop

LOOPS: dict[str, Any] = {
    "minigrad.recurrent.lstm.LSTM": lstm,
    "minigrad.recurrent.gru.GRU": gru,
    "minigrad.recurrent.simple_rnn.SimpleRNN": simple_rnn,
}
WEIGHTS = {lstm: ("W", "U", "b"), gru: ("W", "U", "b", "b_h"), simple_rnn: ("W", "U", "b")}
GATES = ("sigmoid", "hard_sigmoid")
DTYPES = ("float32", "float64")


def compile(description: Any, dtype: str, options: Any) -> FusedLoop | str:  # noqa: A001  (the protocol's name)
    """Return the hand-written loop of a cell, or the reason why it has none in a few words.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    loop = LOOPS.get(description.name)
    if loop is None:
        return "the numpy backend has loops for LSTM, GRU and SimpleRNN only"
    gate = name_of(options.sigma)
    if loop is not simple_rnn and gate not in GATES:
        return f"the kernel supports sigmoid and hard_sigmoid for the gates, not {options.sigma.name}"
    if options.h_masks:
        return "the kernel supports no recurrent dropout"
    if options.x_masks > 1:
        return "the kernel supports one dropout mask, not one for each gate"
    if name_of(options.phi) != "tanh":
        return f"the kernel supports tanh as activation, not {options.phi.name}"
    if str(dtype) not in DTYPES:
        return f"the kernel supports no {dtype}"
    gates = {} if loop is simple_rnn else {"recurrent_activation": gate}
    return FusedLoop(loop, WEIGHTS[loop], description.weights, gates)
