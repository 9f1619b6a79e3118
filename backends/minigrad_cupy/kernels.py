"""The fused loops that this backend offers to the recurrent layers; what a kernel is, `minigrad_numpy.kernels` says."""

from __future__ import annotations

from minigrad_cupy import gru, lstm, simple_rnn
from minigrad_numpy.kernels import Kernel

kernels = {"lstm": Kernel(lstm), "gru": Kernel(gru), "simple_rnn": Kernel(simple_rnn)}
