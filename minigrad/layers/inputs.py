"""Inputs of models: the layer that holds their shape, and the symbol that layers are called on."""

from __future__ import annotations

from typing import Any

from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import OptionError, ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.engine.kinds import Kind
from minigrad.engine.tensor import Tensor
from minigrad.layers import checks
from minigrad.layers.floatx import floatx
from minigrad.layers.layer import Layer
from minigrad.layers.options import option, positive_int
from minigrad.layers.symbol import Symbol, input_symbol


def _dtype(where: str, value: Any) -> str:
    return floatx() if value is None else dtype_name(value)


class InputLayer(Layer):
    """The shape of a model's inputs; computes nothing. Made by ``Input(shape)``."""

    dtype: Any = option(Kind(_dtype), None, keyword_only=True)

    def call(self, inputs: Tensor) -> Tensor:
        """Return the inputs."""
        return inputs

    supports_masking = True

    @property
    def symbol(self) -> Symbol:
        """The symbol of the inputs, the same one at each call."""
        if "_symbol" not in vars(self):
            vars(self)["_symbol"] = input_symbol(self.batch_input_shape or (), self.dtype, self.name, self)
        found: Symbol = vars(self)["_symbol"]
        return found


def Input(  # noqa: N802
    shape: tuple[int | None, ...] | None = None, batch_size: int | None = None, name: str | None = None,
    dtype: Any = None, batch_shape: tuple[int | None, ...] | None = None,
) -> Symbol:  # fmt: skip
    """Return the symbol of a model's input, for `Model(inputs, outputs)` or as the first entry of a Sequential.

    Args:
        shape: of one example, None where a size may be any: (None, 8) for sequences of 8 features.
        batch_size: the number of examples, if it is fixed.
        name: unique by default.
        dtype: floatx, float32 unless set otherwise, by default.
        batch_shape: the shape with the batch as its first axis, in place of `shape` and `batch_size`.

    Raises:
        ShapeError: `shape` is not a shape.
        OptionError: `batch_shape` is given with one of the others.
    """
    if batch_shape is not None and (shape is not None or batch_size is not None):
        raise OptionError("Input: expected `shape` and `batch_size`, or `batch_shape` alone, got both.")
    if batch_shape is None:
        given, sizes = "shape", shape
        example = "of one example, such as (None, 8)"
    else:
        given, sizes = "batch_shape", batch_shape
        example = "such as (None, 10, 8)"
    if not checks.is_shape(sizes) or (batch_shape is not None and not len(batch_shape)):
        raise ShapeError(f"Input: expected `{given}` {example}, got {shown(sizes)}.")
    whole = (batch_size, *(shape or ())) if batch_shape is None else tuple(batch_shape)
    if whole[0] is not None:
        positive_int.read(f"Input: `{'batch_size' if batch_shape is None else given}`", whole[0])
    with naming(f"Input: `{given}`"):
        return InputLayer(batch_input_shape=whole, dtype=dtype, name=name).symbol
