"""Recurrent cells as pure functions, their gradients derived by hand, and the explicit loop over time.

Read `lstm_step`, then `bptt`.
"""

from minigrad.recurrent import bptt
from minigrad.recurrent.gru_step import GRUStep, GRUWeights
from minigrad.recurrent.lstm_step import LSTMStep, LSTMWeights
from minigrad.recurrent.sequence import Plan, Sequence
from minigrad.recurrent.simple_rnn_step import SimpleRNNStep, SimpleRNNWeights
from minigrad.recurrent.step import Step

__all__ = [
    "GRUStep", "GRUWeights", "LSTMStep", "LSTMWeights", "Plan", "Sequence", "SimpleRNNStep", "SimpleRNNWeights",
    "Step", "bptt",
]  # fmt: skip
