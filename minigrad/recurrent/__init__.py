"""Recurrent cells as equations, their gradients derived by hand, and the explicit loop over time.

Read `equations`, then `lstm`, then `bptt`.
"""

from minigrad.recurrent import bptt
from minigrad.recurrent.equations import Equations, EquationsError, clip, dclip, dphi, dsigma, phi, sigma, stop
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.gru import GRU
from minigrad.recurrent.gru_reset_before import GRUResetBefore
from minigrad.recurrent.lstm import LSTM
from minigrad.recurrent.lstmp import LSTMP
from minigrad.recurrent.mgu import MGU
from minigrad.recurrent.sequence import OneStep, Plan, Sequence
from minigrad.recurrent.simple_rnn import SimpleRNN
from minigrad.recurrent.step import Step

__all__ = [
    "GRU", "LSTM", "LSTMP", "MGU", "Equations", "EquationsError", "Formulas", "GRUResetBefore", "OneStep", "Plan",
    "Sequence", "SimpleRNN", "Step", "bptt", "clip", "dclip", "dphi", "dsigma", "phi", "sigma", "stop",
]  # fmt: skip
