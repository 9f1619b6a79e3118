"""The layers of the third API generation, `tf.keras.layers`."""

from minigrad.layers.core import Activation, Dense, Dropout, Embedding, Input, InputLayer, Masking
from minigrad.layers.equation_cell import EquationCell
from minigrad.layers.gru import GRU, GRUCell
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.layer import Layer
from minigrad.layers.lstm import LSTM, LSTMCell
from minigrad.layers.mgu import MGU, MGUCell
from minigrad.layers.rnn import RNN
from minigrad.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from minigrad.layers.stacked import StackedRNNCells
from minigrad.layers.wrappers import Bidirectional, TimeDistributed

__all__ = [
    "GRU", "LSTM", "MGU", "RNN", "Activation", "Bidirectional", "Dense", "Dropout", "Embedding", "EquationCell",
    "GRUCell", "Input", "InputLayer", "InputSpec", "LSTMCell", "Layer", "MGUCell", "Masking", "SimpleRNN",
    "SimpleRNNCell", "StackedRNNCells", "TimeDistributed",
]  # fmt: skip
