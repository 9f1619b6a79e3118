"""Small weights laid one behind the other in one vector, so that an update makes its passes over them all at once.

A pass over an array of a hundred numbers costs what the call costs. A toy model has many such arrays: twelve passes
over each of twenty are 240 calls; over one vector they are twelve. Every rule of an optimizer is elementwise, so the
numbers are the same. Large weights stay alone, where they save the copy and fit the cache better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import prod
from typing import Any

from minigrad.engine.dtypes import dtype_name
from minigrad.engine.protocol import Array, Xp
from minigrad.engine.tensor import Tensor

LARGE = 1 << 14  # numbers; from here on an array's own passes cost more than the calls


class Pack:
    """Weights of one backend and dtype, and the optimizer's slots for them.

    Attributes:
        weights: the weights.
        decays: does weight decay act on them?
        slots: the optimizer's memory by name, e.g. ``"m"``: one array each, laid out as the weights are.
    """

    def __init__(self, weights: Sequence[Tensor], decays: bool, starts: dict[str, float]) -> None:
        self.weights, self.decays = list(weights), decays
        self.dtype = dtype_name(weights[0].dtype)
        self.shapes = [w.shape for w in weights]
        ends = [0]
        for shape in self.shapes:
            ends.append(ends[-1] + prod(shape))
        self.spans = [slice(start, stop) for start, stop in pairwise(ends)]
        whole = self.shapes[0] if len(self.shapes) == 1 else (ends[-1],)
        self.slots = {name: self.xp.full(whole, start, dtype=self.dtype) for name, start in starts.items()}

    @property
    def xp(self) -> Xp:
        """The array functions of the weights' backend."""
        return self.weights[0].backend

    def join(self, arrays: Sequence[Array]) -> Array:
        """Lay arrays of the weights' shapes one behind the other; a single one is handed back as it is."""
        if len(arrays) == 1:
            return arrays[0]
        reshape = self.xp.reshape
        return self.xp.concat([reshape(array, (-1,)) for array in arrays])

    def part(self, joined: Array) -> list[Array]:
        """Cut what `join` made into the weights' shapes again."""
        if len(self.shapes) == 1:
            return [joined]
        reshape = self.xp.reshape
        return [reshape(joined[span], shape) for span, shape in zip(self.spans, self.shapes, strict=True)]

    def alone(self) -> list[Pack]:
        """Return each weight in a pack of its own, with copies of its slots."""
        parts = {name: self.part(slot) for name, slot in self.slots.items()}
        packs = [Pack([w], self.decays, {}) for w in self.weights]
        for k, pack in enumerate(packs):
            pack.slots = {name: self.xp.asarray(arrays[k], copy=True) for name, arrays in parts.items()}
        return packs


def packed(weights: Iterable[tuple[Tensor, bool]], starts: dict[str, float]) -> list[Pack]:
    """Group weights, each with whether it decays, into packs.

    Args:
        weights: in any order.
        starts: the names of the slots, and what they start from.
    """
    groups: dict[Any, list[Tensor]] = {}
    for w, decays in weights:
        key = id(w) if w.size >= LARGE else (w.backend, dtype_name(w.dtype))
        groups.setdefault((key, decays), []).append(w)
    return [Pack(group, decays, starts) for (_, decays), group in groups.items()]
