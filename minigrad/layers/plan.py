"""The plan of a cell's call: what was found out and checked for one signature, which the next call need not repeat.

`RNN` keeps one for sequences, a cell one for single steps, until an attribute of a layer changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from minigrad.engine.protocol import BackendModule
from minigrad.engine.tensor import Tensor
from minigrad.layers import signatures
from minigrad.recurrent import SequenceOptions, on_tape
from minigrad.recurrent.watch import watching

Signature = list[tuple[tuple[int, ...], Any]]


class CallPlan(NamedTuple):
    """The run of one cell on inputs of one signature.

    Attributes:
        version: `signatures.version` at the time of the plan.
        backend: the backend of the inputs.
        dtype: of the inputs.
        batch: the batch size.
        batch_axis: the axis of the inputs and outputs that it is the length of; of sequences, 1 where time comes first.
        training: whether the call is one in training.
        states: the shapes and dtypes of the states.
        checked: the types of the structures in which such states have been given: lists, tuples, one Tensor.
        weights: the cell's, in the step's order; None where they are computed at each call.
        options: of the operation on the tape, without a mask.
        zeros: of a sequence, the initial states.
        path: of a sequence, the path taken, and the reason.
        drops: of a sequence, whether the cell draws dropout masks in other calls, which this one resets.
        path_of_one_step: of a sequence, the path if it has a single step; empty where that runs as others do.
    """

    version: object
    backend: BackendModule
    dtype: Any
    batch: int
    batch_axis: int
    training: bool
    states: Signature
    checked: set[type]
    weights: tuple[Any, ...] | None
    options: SequenceOptions
    zeros: Any = None
    path: str = ""
    drops: bool = False
    path_of_one_step: str = ""

    def fits(self, x: Tensor, training: bool | None) -> bool:
        """Return whether the plan holds for these inputs now."""
        array = x.array
        return (
            self.version is signatures.version
            and self.backend is x.backend
            and self.dtype is array.dtype
            and self.batch == array.shape[self.batch_axis]
            and self.training == bool(training)
            and can_keep()
        )

    def knows(self, states: Any) -> bool:
        """Return whether states of this structure, shapes and dtypes have been checked."""
        if type(states) not in self.checked:
            return False
        flat = (states,) if isinstance(states, Tensor) else states
        if len(flat) != len(self.states):
            return False
        for s, (shape, dtype) in zip(flat, self.states, strict=True):
            if type(s) is not Tensor or s.array.shape != shape or s.array.dtype != dtype:
                return False
        return True


def signature(states: Iterable[Tensor]) -> Signature:
    """Return the shapes and dtypes of some tensors."""
    return [(s.array.shape, s.array.dtype) for s in states]


def can_keep() -> bool:
    """Return whether no block is entered in which a call differs from the next: of `mg.trace` or `on_tape`."""
    return not (watching.entries() or on_tape.blocks.entries())
