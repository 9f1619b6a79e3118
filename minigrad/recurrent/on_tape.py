"""Cells whose equations run on Tensors, operation by operation: an independent computation of their gradient.

Users call `minigrad.testing.on_tape`.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Any

from minigrad.engine.flow import FlowBlock, FlowStack

blocks: FlowStack[OnTape] = FlowStack("on_tape")


class OnTape(FlowBlock[None]):
    """A `with` block in which cells run operation by operation on the tape.

    Args:
        cells: the cells.
    """

    def __init__(self, cells: Iterable[Any]) -> None:
        self.cells = list(cells)

    def __enter__(self) -> None:
        blocks.push(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        blocks.drop(self)


def is_on_tape(cell: Any) -> bool:
    """Return whether a cell runs operation by operation."""
    return any(cell is other for block in blocks.entries() for other in block.cells)
