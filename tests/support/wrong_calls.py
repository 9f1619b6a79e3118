"""Calls of the first generation, to be made with something wrong."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc

X = np.zeros((2, 4, 3), "float32")
S = np.zeros((2, 5), "float32")
FIRST = rc.LSTMStateTuple(S, S)


def lstm(**options: Any) -> Any:
    return rc.LSTMCell(5, **options)


def dynamic(cell: Any, *args: Any, x: Any = X, dtype: Any = "float32", **how: Any) -> Any:
    return v1.nn.dynamic_rnn(cell, x, *args, dtype=dtype, **how)


TUPLES_IN_A_FLAT_STACK = (
    "MultiRNNCell: with state_is_tuple=False expected cells whose state is one tensor, got a tuple. Make the cells "
    "with state_is_tuple=False too."
)
