"""Small weights concatenated into one vector, so that an update passes over them all at once.

A pass over an array of a hundred numbers costs as much as the call alone. A toy model has many such arrays: twelve
passes over each of twenty are 240 calls; over one vector they are twelve. Every rule of an optimizer is elementwise, so
the numbers are the same. Large weights are not packed, which saves the copy and uses the processor's cache better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import prod
from typing import Any

from minigrad.engine.dtypes import dtype_name
from minigrad.engine.protocol import Array, Xp
from minigrad.engine.tensor import Tensor

LARGE = 1 << 14  # numbers; from this size on the passes cost more than the calls


class Pack:
    """Weights of one backend and dtype, and the optimizer's slots for them.

    Attributes:
        weights: the weights.
        decays: whether weight decay applies to them.
        slots: the optimizer's slots by name, e.g. ``"m"``: one array each, concatenated like the weights.
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
        """Return arrays of the weights' shapes concatenated into a vector; a single one is returned unchanged."""
        if len(arrays) == 1:
            return arrays[0]
        reshape = self.xp.reshape
        return self.xp.concat([reshape(array, (-1,)) for array in arrays])

    def split(self, joined: Array) -> list[Array]:
        """Return the parts of a vector from `join`, in the weights' shapes."""
        if len(self.shapes) == 1:
            return [joined]
        reshape = self.xp.reshape
        return [reshape(joined[span], shape) for span, shape in zip(self.spans, self.shapes, strict=True)]

    def unpacked(self) -> list[Pack]:
        """Return one pack for each weight, with copies of its slots."""
        parts = {name: self.split(slot) for name, slot in self.slots.items()}
        packs = [Pack([w], self.decays, {}) for w in self.weights]
        for k, pack in enumerate(packs):
            pack.slots = {name: self.xp.asarray(arrays[k], copy=True) for name, arrays in parts.items()}
        return packs


def make_packs(weights: Iterable[tuple[Tensor, bool]], starts: dict[str, float]) -> list[Pack]:
    """Return weights in packs of one backend, one dtype and one choice of weight decay.

    Args:
        weights: pairs of a weight and whether weight decay applies to it, in any order.
        starts: the names of the slots, and their initial values.
    """
    groups: dict[Any, list[Tensor]] = {}
    for w, decays in weights:
        key = id(w) if w.size >= LARGE else (w.backend, dtype_name(w.dtype))
        groups.setdefault((key, decays), []).append(w)
    return [Pack(group, decays, starts) for (_, decays), group in groups.items()]
