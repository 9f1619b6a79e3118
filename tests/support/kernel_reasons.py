"""The reasons that backends give in `layer.path` where they have no loop for a cell, quoted once for all tests."""

from __future__ import annotations

ONLY_THREE = "the numpy backend has loops for LSTM, GRU and SimpleRNN only"
NO_FLOAT16 = "the kernel supports no float16"
NO_RECURRENT_DROPOUT = "the kernel supports no recurrent dropout"
ONE_DROPOUT_MASK = "the kernel supports one dropout mask, not one for each gate"


def only_tanh(activation: str) -> str:
    """Return the reason for another activation than tanh."""
    return f"the kernel supports tanh as activation, not {activation}"


def only_sigmoids(activation: str) -> str:
    """Return the reason for another activation of the gates."""
    return f"the kernel supports sigmoid and hard_sigmoid for the gates, not {activation}"
