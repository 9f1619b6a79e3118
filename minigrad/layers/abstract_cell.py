"""AbstractRNNCell: the base class of custom cells, as Keras' guide writes them."""

from __future__ import annotations

from typing import Any

from minigrad.layers.layer import Layer
from minigrad.layers.states import zero_state


class AbstractRNNCell(Layer):
    """The base class of custom cells. A subclass defines `state_size`, and ``call(inputs, states)``.

    It may define `output_size` too; by default it is that of the first state.

    >>> import minigrad as mg
    >>> class Sum(AbstractRNNCell):
    ...     state_size = 3
    ...
    ...     def call(self, inputs, states):
    ...         return inputs + states[0], [inputs + states[0]]
    >>> mg.keras.layers.RNN(Sum())(mg.functional.ones((1, 4, 3))).tolist()
    [[4.0, 4.0, 4.0]]
    """

    @property
    def state_size(self) -> Any:
        """The size of each state, an int or nested lists of ints."""
        raise NotImplementedError(f"{type(self).__name__} must define state_size.")

    def call(self, inputs: Any, states: Any) -> Any:
        """Return (output, new states) of one time step."""
        raise NotImplementedError(f"{type(self).__name__} must define call(inputs, states).")

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """Return zeros, in the structure of `state_size`.

        Args:
            inputs: a tensor with the batch size and dtype, or None.
            batch_size: the batch size, where there are no inputs.
            dtype: the dtype, where there are no inputs.
        """
        return zero_state(self, inputs, batch_size, dtype)
