"""The recurrent cells of the first API generation: `tf.compat.v1.nn.rnn_cell`."""

from minigrad.compat.v1.nn.rnn_cell import aliases  # noqa: F401
from minigrad.compat.v1.nn.rnn_cell.base import LSTMStateTuple, RNNCell
from minigrad.compat.v1.nn.rnn_cell.cells import BasicRNNCell, GRUCell
from minigrad.compat.v1.nn.rnn_cell.dropout import DropoutWrapper
from minigrad.compat.v1.nn.rnn_cell.lstm import BasicLSTMCell, LSTMCell
from minigrad.compat.v1.nn.rnn_cell.wrappers import DeviceWrapper, MultiRNNCell, ResidualWrapper

__all__ = [
    "BasicLSTMCell", "BasicRNNCell", "DeviceWrapper", "DropoutWrapper", "GRUCell", "LSTMCell", "LSTMStateTuple",
    "MultiRNNCell", "RNNCell", "ResidualWrapper",
]  # fmt: skip
