"""Context of a call: the layers whose call or build is in progress, its `training`, the names of weights made in it.

Each thread or task has its own stack of layers. The process has one count for each default name.
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple, Self

from minigrad.engine.flow import FlowStack
from minigrad.layers.catalogue import snake_case

_counts: dict[str, count[int]] = {}


class Frame(NamedTuple):
    """A layer whose call or build is in progress.

    Attributes:
        layer: the layer.
        name: the layer's part of the names of weights made inside; "" adds nothing.
        called: whether a call is in progress, of this layer or of one around it.
        training: the `training` of the innermost call; None if it is not given.
    """

    layer: object
    name: str
    called: bool
    training: bool | None


frames: FlowStack[Frame] = FlowStack("a layer's call or build")


class inside:  # noqa: N801  (a `with` statement reads it as a word)
    """Begin the names of weights made in the `with` block with the layer's.

    Args:
        layer: the layer.
        name: its part of the names.
        training: of a call; None outside a call, where the `training` of the call around holds.
    """

    def __init__(self, layer: object, name: str, training: bool | None = None) -> None:
        self.layer, self.name, self.training = layer, name, training

    def __enter__(self) -> Self:
        around = frames.entries()
        called, training = (around[-1].called, around[-1].training) if around else (False, None)
        if self.training is not None:
            called, training = True, self.training
        self.frame = Frame(self.layer, self.name, called, training)
        frames.push(self.frame)
        return self

    def __exit__(self, *error: object) -> None:
        frames.drop(self.frame)


def scoped(name: str) -> str:
    """Return a weight's whole name: the names of the layers around it, then its own.

    A layer that is entered twice in succession, called and then built, counts once.
    """
    around = frames.entries()
    before = (None, *(frame.layer for frame in around))
    names = [f.name for f, layer in zip(around, before, strict=False) if f.layer is not layer and f.name]
    return "/".join([*names, name])


def unique_name(class_name: str, first: int = 0) -> str:
    """Return ``"lstm"`` for the first LSTM, ``"lstm_1"`` for the next; with first=1, ``"lstm_1"`` and ``"lstm_2"``."""
    base = snake_case(class_name)
    number = next(_counts.setdefault(base, count())) + first
    return f"{base}_{number}" if number else base


def clear_session() -> None:
    """Restart the counts in default names, as Keras' ``clear_session``."""
    _counts.clear()
