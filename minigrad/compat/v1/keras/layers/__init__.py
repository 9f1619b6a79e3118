"""The layers of the second API generation: recurrent ones with the defaults of 2018, the others as today."""

from minigrad.layers.core import Activation, Dense, Dropout, Embedding, Input, InputLayer, Masking
from minigrad.layers.equation_cell import EquationCell
from minigrad.layers.gru import GRUV1 as GRU
from minigrad.layers.gru import GRUCellV1 as GRUCell
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.layer import Layer
from minigrad.layers.lstm import LSTMV1 as LSTM
from minigrad.layers.lstm import LSTMCellV1 as LSTMCell
from minigrad.layers.rnn import RNN
from minigrad.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from minigrad.layers.stacked import StackedRNNCells
from minigrad.layers.wrappers import Bidirectional, TimeDistributed

__all__ = [
    "GRU", "LSTM", "RNN", "Activation", "Bidirectional", "Dense", "Dropout", "Embedding", "EquationCell", "GRUCell",
    "Input", "InputLayer", "InputSpec", "LSTMCell", "Layer", "Masking", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells",
    "TimeDistributed",
]  # fmt: skip
