"""The gated recurrent unit of the third API generation: the second's, with other defaults."""

from __future__ import annotations

from typing import ClassVar

from minigrad.compat.v1.keras.layers import gru as v1
from minigrad.layers import activations
from minigrad.layers.cell import Cell
from minigrad.layers.options import choice, flag, option


class GRUCell(v1.GRUCell):
    """One step of the gated recurrent unit: the logistic sigmoid, one large product, the reset gate afterwards."""

    recurrent_activation: activations.Activation = option(activations.option, "sigmoid")
    implementation: int = option(choice(1, 2), 2, keyword_only=True)
    reset_after: bool = option(flag, True)

    serialized_module: ClassVar[str] = "keras.layers"


class GRU(v1.GRU):
    """The gated recurrent unit over a sequence. Arguments: those of `GRUCell`, then those of `RNN`."""

    time_major: bool = option(flag, False, after="unroll")

    cell_class: ClassVar[type[Cell]] = GRUCell
    serialized_module: ClassVar[str] = "keras.layers"
