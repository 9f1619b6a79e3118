"""Recurrent cells as equations, their gradients derived by hand, and the explicit loop over time.

Read `equations`, `lstm`, `reader`, `arrays`, `bptt` and `sequence`, in this order.
"""

from minigrad.recurrent import bptt, bptt_options
from minigrad.recurrent.aliases import OneStep, Plan, Sequence
from minigrad.recurrent.equations import Equations, dphi, dsigma, phi, sigma
from minigrad.recurrent.errors import EquationsError
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.gru import GRU
from minigrad.recurrent.gru_reset_before import GRUResetBefore
from minigrad.recurrent.lstm import LSTM
from minigrad.recurrent.lstmp import LSTMP
from minigrad.recurrent.mgu import MGU
from minigrad.recurrent.protocol import SequenceOptions
from minigrad.recurrent.sequence import SequenceOp
from minigrad.recurrent.simple_rnn import SimpleRNN
from minigrad.recurrent.single_step import StepOp
from minigrad.recurrent.step import Step
from minigrad.recurrent.words import clip, dclip, stop

__all__ = [
    "GRU", "LSTM", "LSTMP", "MGU", "Equations", "EquationsError", "Formulas", "GRUResetBefore", "OneStep", "Plan",
    "Sequence", "SequenceOp", "SequenceOptions", "SimpleRNN", "Step", "StepOp", "bptt", "bptt_options", "clip", "dclip",
    "dphi", "dsigma", "phi", "sigma", "stop",
]  # fmt: skip
