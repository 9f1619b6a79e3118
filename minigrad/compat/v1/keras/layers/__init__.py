"""The layers of the second API generation: recurrent ones with the defaults of 2018, the others as today."""

from typing import TYPE_CHECKING

from minigrad.engine.lazy import lazy_getattr
from minigrad.layers.abstract_cell import AbstractRNNCell
from minigrad.layers.core import Activation, Dense, Dropout, Embedding, Masking
from minigrad.layers.equation_cell import EquationCell
from minigrad.layers.gru import GRUV1 as GRU
from minigrad.layers.gru import GRUCellV1 as GRUCell
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.inputs import Input, InputLayer
from minigrad.layers.layer import Layer
from minigrad.layers.lstm import LSTMV1 as LSTM
from minigrad.layers.lstm import LSTMCellV1 as LSTMCell
from minigrad.layers.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
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
from minigrad.layers.simple_rnn import SimpleRNN, SimpleRNNCell
from minigrad.layers.stacked import StackedRNNCells
from minigrad.layers.wrappers import Bidirectional, TimeDistributed, Wrapper

if TYPE_CHECKING:
    from minigrad.compat.v1.keras.layers.cudnn import CuDNNGRU, CuDNNLSTM

__all__ = [
    "GRU", "LSTM", "RNN", "AbstractRNNCell", "Activation", "Add", "Average", "Bidirectional", "Concatenate",
    "CuDNNGRU", "CuDNNLSTM", "Dense", "Dot", "Dropout", "Embedding", "EquationCell", "Flatten", "GRUCell",
    "GlobalAveragePooling1D", "GlobalMaxPooling1D", "Input", "InputLayer", "InputSpec", "LSTMCell", "Lambda", "Layer",
    "LayerNormalization", "Masking", "Maximum", "Minimum", "Multiply", "Permute", "RepeatVector", "Reshape",
    "SimpleRNN", "SimpleRNNCell", "StackedRNNCells", "Subtract", "TimeDistributed", "Wrapper",
]  # fmt: skip

if not TYPE_CHECKING:  # otherwise mypy would accept any name
    __getattr__ = lazy_getattr(__name__, __all__, "cudnn")

del TYPE_CHECKING, lazy_getattr
