"""What is known during a call from outside: whether it is training, and the names of the layers around.

Each flow of control is inside its own layers. The counts behind default names are the process's.
"""

from __future__ import annotations

from itertools import count
from typing import Self

from minigrad.engine.flow import Stack
from minigrad.layers.catalogue import snake_case

_counts: dict[str, count[int]] = {}


class inside:  # noqa: N801  (a `with` statement reads it as a word)
    """Weights made in the `with` block have names that begin with the layer's; entering a layer twice counts once."""

    call: calling | None = None  # the innermost one

    def __init__(self, layer: object, name: str) -> None:
        self.layer, self.name = layer, name

    def __enter__(self) -> Self:
        around = _around.entries()
        self.entered = not around or around[-1].layer is not self.layer
        if self.call is None and around:
            self.call = around[-1].call
        _around.push(self)
        return self

    def __exit__(self, *error: object) -> None:
        _around.drop(self)


_around: Stack[inside] = Stack("a layer's call or build")


class calling(inside):  # noqa: N801
    """The call of a layer; `outermost` says whether no other is around it."""

    training: bool | None

    def __init__(self, layer: object, name: str, training: bool | None) -> None:
        self.layer, self.name, self.call = layer, name, self
        around = _around.entries()
        outer = around[-1].call if around else None
        self.outermost = outer is None
        self.training = training if training is not None or outer is None else outer.training


def scoped(name: str) -> str:
    """A weight's whole name: the layers' names around it, then its own."""
    return "/".join([*(outer.name for outer in _around if outer.entered and outer.name), name])


def unique_name(class_name: str, first: int = 0) -> str:
    """``"lstm"`` for the first LSTM, ``"lstm_1"`` for the next; with first=1, ``"lstm_1"`` and ``"lstm_2"``."""
    base = snake_case(class_name)
    number = next(_counts.setdefault(base, count())) + first
    return f"{base}_{number}" if number else base


def clear_session() -> None:
    """Starts counting names anew, as Keras' ``clear_session``."""
    _counts.clear()
