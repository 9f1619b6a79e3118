"""What is known during a call from outside: whether it is training, and the names of the layers around."""

from __future__ import annotations

from collections import Counter
from typing import Self

from minigrad.layers.catalogue import snake_case

_training: list[bool | None] = []  # of the calls that we are in, outermost first
_scopes: list[tuple[object, str]] = []  # the layers around, and their names
_counts: Counter[str] = Counter()


class inside:  # noqa: N801  (a `with` statement reads it as a word)
    """Weights made in the `with` block have names that begin with the layer's; entering a layer twice counts once."""

    def __init__(self, layer: object, name: str) -> None:
        self.layer, self.name = layer, name

    def __enter__(self) -> Self:
        self.entered = not _scopes or _scopes[-1][0] is not self.layer
        if self.entered:
            _scopes.append((self.layer, self.name))
        return self

    def __exit__(self, *error: object) -> None:
        if self.entered:
            _scopes.pop()


class calling(inside):  # noqa: N801
    """The call of a layer; `outermost` says whether no other is around it."""

    def __init__(self, layer: object, name: str, training: bool | None) -> None:
        super().__init__(layer, name)
        self.outermost = not _training
        self.training = training if training is not None or self.outermost else _training[-1]

    def __enter__(self) -> Self:
        _training.append(self.training)
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        _training.pop()
        super().__exit__(*error)


def scoped(name: str) -> str:
    """A weight's whole name: the layers' names around it, then its own."""
    return "/".join([*(outer for _, outer in _scopes if outer), name])


def unique_name(class_name: str, first: int = 0) -> str:
    """``"lstm"`` for the first LSTM, ``"lstm_1"`` for the next; with first=1, ``"lstm_1"`` and ``"lstm_2"``."""
    base = snake_case(class_name)
    count = _counts[base] + first
    _counts[base] += 1
    return f"{base}_{count}" if count else base


def clear_session() -> None:
    """Starts counting names anew, as Keras' ``clear_session``."""
    _counts.clear()
