"""The base class of cells in the first API generation, `RNNCell`, and the state of an LSTM."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.v1 import layers
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import DTypeError, ShapeError
from minigrad.layers import states
from minigrad.layers.states import StateError, UnknownDTypeError

__all__ = ["LSTMStateTuple", "RNNCell", "StateError"]


class MixedDTypesError(DTypeError, AttributeError):
    """Raised for the dtype of a state whose parts have several; an AttributeError too, so that `hasattr` says False."""


class LSTMStateTuple(NamedTuple):
    """The state of an LSTM of the first generation: the cell state first."""

    c: Any
    h: Any

    @property
    def dtype(self) -> Any:
        """The dtype of c and h.

        Raises:
            MixedDTypesError: (a TypeError) they are of different dtypes.
        """
        if self.c.dtype != self.h.dtype:
            raise MixedDTypesError(
                f"LSTMStateTuple: expected c and h of one dtype, got {self.c.dtype} and {self.h.dtype}."
            )
        return self.c.dtype


class RNNCell(layers.Layer):
    """The base class of cells. A custom cell defines `state_size`, `output_size` and `call`.

    `call(inputs, state)` returns the output and the new state.

    Attributes:
        path: the way in which `dynamic_rnn` or a similar function last ran the cell, and the reason.
    """

    path = "not run over a sequence yet"
    _is_tf_rnn_cell = True  # its state is not wrapped in a list

    serialized_module: ClassVar[str] = "compat.v1.nn.rnn_cell"

    def __call__(  # type: ignore[override]  # a cell is always given a state
        self, inputs: Any, state: Any, scope: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Run one time step.

        Args:
            inputs: (batch, features).
            state: in the structure of `state_size`, each (batch, size).
            scope: a variable scope for the weights, at the first call.
            args: further arguments of `call`.
            kwargs: further arguments of `call`.

        Returns:
            The output and the new state.
        """
        return super().__call__(inputs, state, *args, scope=scope, **kwargs)

    @property
    def state_size(self) -> Any:
        """The size of each state: an int, or nested tuples of ints."""
        raise NotImplementedError(f"{type(self).__name__} must define state_size.")

    @property
    def output_size(self) -> Any:
        """The size of the output."""
        raise NotImplementedError(f"{type(self).__name__} must define output_size.")

    @recordable
    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        """Return zeros in the structure of `state_size`, each (batch_size, size).

        Args:
            batch_size: a whole number, also as a float, or in a tensor or array of one number.
            dtype: the dtype of the zeros.

        Raises:
            ShapeError: the batch size is not a whole number.
            UnknownDTypeError: (a TypeError) the dtype is None.
        """
        batch = states.read_batch(f"{type(self).__name__}.zero_state", batch_size)
        return states.zero_state(self, None, batch, self._read_dtype(dtype))

    def _read_dtype(self, dtype: Any) -> str:
        if dtype is None:
            where = f"{type(self).__name__}.zero_state"
            raise UnknownDTypeError(
                f"{where}: expected `dtype`, the dtype of the state, got None. Pass dtype='float32'."
            )
        return dtype_name(dtype)

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """Return `zero_state` for the batch size and dtype of the inputs, or for the given ones.

        Raises:
            ShapeError: the batch size is not known, or not that of the inputs.
            StateError: (a ValueError) the dtype is not known, or not that of the inputs.
        """
        batch, own = states.batch_and_dtype(inputs, batch_size, dtype)
        where = f"{type(self).__name__}.get_initial_state"
        if batch_size is not None and states.read_batch(where, batch_size) != batch:
            raise ShapeError(
                f"{where}: expected `batch_size` to be that of `inputs`, {batch}, got {batch_size}. Pass one of them."
            )
        if dtype is not None and dtype_name(dtype) != dtype_name(own):
            raise StateError(
                f"{where}: expected `dtype` to be that of `inputs`, {dtype_name(own)}, got {dtype_name(dtype)}. Pass "
                "one of them."
            )
        return self.zero_state(batch, own)
