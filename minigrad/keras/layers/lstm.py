"""The LSTM of the third API generation, `tf.keras.layers`: the second's, with other defaults."""

from __future__ import annotations

from typing import ClassVar

from minigrad.compat.v1.keras.layers import lstm as v1
from minigrad.layers import activations
from minigrad.layers.cell import Cell
from minigrad.layers.options import choice, flag, option


class LSTMCell(v1.LSTMCell):
    """One step of the LSTM: gates with the logistic sigmoid, one large product.

    >>> import minigrad as tf
    >>> inputs = tf.random.normal([32, 10, 8])
    >>> rnn = tf.keras.layers.RNN(tf.keras.layers.LSTMCell(4), return_sequences=True, return_state=True)
    >>> whole_seq_output, final_memory_state, final_carry_state = rnn(inputs)
    >>> whole_seq_output.shape, final_carry_state.shape
    ((32, 10, 4), (32, 4))
    """

    recurrent_activation: activations.Activation = option(activations.option, "sigmoid")
    implementation: int = option(choice(1, 2), 2, keyword_only=True)

    serialized_module: ClassVar[str] = "keras.layers"


class LSTM(v1.LSTM):
    """The LSTM over a sequence. Arguments: those of `LSTMCell`, then those of `RNN`.

    >>> import minigrad as tf
    >>> lstm = tf.keras.layers.LSTM(4, return_sequences=True)
    >>> lstm(tf.random.normal([32, 10, 8])).shape
    (32, 10, 4)
    >>> lstm.path
    'explicit BPTT, fused kernel of the numpy backend'
    """

    time_major: bool = option(flag, False, after="stateful")

    cell_class: ClassVar[type[Cell]] = LSTMCell
    serialized_module: ClassVar[str] = "keras.layers"
