"""Inputs of a recurrent layer: the list of inputs, states and constants, and the mask."""

from __future__ import annotations

from typing import Any

from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError
from minigrad.engine.tensor import Tensor
from minigrad.layers.checks import leaves
from minigrad.layers.options import Kind, positive_int
from minigrad.layers.states import StateError


def _read_count(where: str, value: Any) -> int | None:
    return None if value is None or (isinstance(value, int) and not value) else positive_int.read(where, value)


number_of_constants = Kind(_read_count)


def split_inputs(where: str, inputs: Any, states: Any, constants: Any, count: int | None) -> tuple[Any, Any, Any]:
    """Return inputs, initial states and constants, which may be one list: [inputs, *states, *constants].

    Args:
        where: the layer's call, for messages.
        inputs: the inputs, or the list.
        states: the initial states given by name.
        constants: a list of the constants given by name, or None.
        count: the number of constants at the end of the list, if none are given by name.

    Raises:
        StateError: the list is too short, or the states are given twice.
    """
    if not isinstance(inputs, list):
        return inputs, states, constants
    if constants is None and count:
        if len(inputs) <= count:
            raise StateError(
                f"{where}: expected `inputs` to end with {count} constant{'s' * (count > 1)}, as in the call before, "
                f"got a list of {len(inputs)}."
            )
        inputs, constants = inputs[:-count], inputs[-count:]
    if len(inputs) > 1 and states is not None:
        raise StateError(f"{where}: the initial states are given twice: in the list of inputs and as `initial_state`.")
    return inputs[0], inputs[1:] or states, constants


def mask_of_inputs(mask: Any, where: str = "call") -> Tensor | None:
    """Return the mask of a sequence: the first of several, or nested lists of bools as a tensor."""
    leaf = next(iter(leaves(f"{where}: `mask`", mask)), None)
    if isinstance(leaf, (int, float)) or getattr(leaf, "shape", None) == ():
        leaf = mask
        while isinstance(leaf, (list, tuple)) and any(part is None for part in leaf[1:]):  # those of the states
            leaf = leaf[0]
    return None if leaf is None else as_tensor(leaf, what=f"{where}: `mask`")


def as_bools(where: str, mask: Tensor) -> Tensor:
    """Return a mask of integers as bools; a DTypeError for one of floats."""
    dtype = dtype_name(mask.dtype)
    if is_floating(dtype):
        raise DTypeError(f"{where}: expected `mask` of bools, got {dtype}. True marks valid steps: pass mask > 0.")
    return mask if dtype == "bool" else mask != 0
