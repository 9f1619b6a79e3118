"""`on_tape`: recurrent layers on the tape, without their hand-derived gradients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.engine.errors import MinigradError, shown
from minigrad.layers.cell_adapter import adapter_of
from minigrad.layers.layer import Layer
from minigrad.recurrent.on_tape import OnTape


def on_tape(layer: Any) -> OnTape:
    """Run recurrent layers operation by operation on the tape inside a `with` block.

    The `forward` body of each cell runs on Tensors, so the tape computes the gradient: an independent check of the
    hand-derived `backward`. The numbers are equal; it takes about twenty times longer.

    Args:
        layer: a recurrent layer or cell, or a model or layer that contains some.

    Raises:
        MinigradError: `layer` contains no recurrent cell.

    >>> import minigrad as mg
    >>> lstm = mg.keras.layers.LSTM(3)
    >>> with mg.testing.on_tape(lstm):
    ...     y = lstm(mg.ones((2, 5, 4)))
    >>> lstm.path
    'tape, op by op: mg.testing.on_tape'
    """
    cells = list(_cells(layer))
    if not cells:
        raise MinigradError(
            f"on_tape: expected a recurrent layer or cell, or a model that holds some, got {shown(layer)}."
        )
    return OnTape(cells)


def _cells(layer: Any) -> Iterator[Any]:
    """Yield every innermost cell of a layer or model."""
    cell = getattr(layer, "cell", None)
    if cell is None and hasattr(layer, "state_size"):
        cell = layer
    if cell is not None:
        yield from adapter_of(cell).innermost()
    elif isinstance(layer, Layer):
        for part in layer._sublayers():
            yield from _cells(part)
