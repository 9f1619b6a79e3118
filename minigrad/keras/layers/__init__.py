"""The layers of the third API generation, `tf.keras.layers`."""

from minigrad.layers.abstract_cell import AbstractRNNCell
from minigrad.layers.core import Activation, Dense, Dropout, Embedding, Masking
from minigrad.layers.equation_cell import EquationCell
from minigrad.layers.gru import GRU, GRUCell
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.inputs import Input, InputLayer
from minigrad.layers.layer import Layer
from minigrad.layers.lstm import LSTM, LSTMCell
from minigrad.layers.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from minigrad.layers.mgu import MGU, MGUCell
from minigrad.layers.reshaping import (
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Lambda,
    LayerNormalization,
    Permute,
    RepeatVector,
    Reshape,
)  # fmt: skip
from minigrad.layers.rnn import RNN
from minigrad.layers.serialization import deserialize, serialize
from minigrad.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from minigrad.layers.stacked import StackedRNNCells
from minigrad.layers.wrappers import Bidirectional, TimeDistributed, Wrapper

__all__ = [
    "GRU", "LSTM", "MGU", "RNN", "AbstractRNNCell", "Activation", "Add", "Average", "Bidirectional", "Concatenate",
    "Dense", "Dot", "Dropout", "Embedding", "EquationCell", "Flatten", "GRUCell", "GlobalAveragePooling1D",
    "GlobalMaxPooling1D", "Input", "InputLayer", "InputSpec", "LSTMCell", "Lambda", "Layer", "LayerNormalization",
    "MGUCell", "Masking", "Maximum", "Minimum", "Multiply", "Permute", "RepeatVector", "Reshape", "SimpleRNN",
    "SimpleRNNCell", "StackedRNNCells", "Subtract", "TimeDistributed", "Wrapper", "deserialize", "serialize",
]  # fmt: skip
