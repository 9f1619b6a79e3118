"""What is known during a call from outside: whether it is training, and the names of the layers around."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from minigrad.layers.catalogue import snake_case

_training: list[bool | None] = []  # of the calls that we are in, outermost first
_scopes: list[tuple[int, str]] = []  # the layers around: identity and name
_counts: Counter[str] = Counter()


@contextmanager
def calling(layer: object, name: str, training: bool | None) -> Iterator[bool]:
    """The call of a layer; says whether it is the outermost."""
    outermost = not _training
    _training.append(training if training is not None or outermost else _training[-1])
    try:
        with inside(layer, name):
            yield outermost
    finally:
        _training.pop()


@contextmanager
def inside(layer: object, name: str) -> Iterator[None]:
    """Weights made here have names that begin with the layer's; entering a layer twice counts once."""
    entered = bool(_scopes) and _scopes[-1][0] == id(layer)
    if not entered:
        _scopes.append((id(layer), name))
    try:
        yield
    finally:
        if not entered:
            _scopes.pop()


def training() -> bool | None:
    """Is the call that we are in a training call? None where nobody said."""
    return _training[-1] if _training else None


def scoped(name: str) -> str:
    """A weight's whole name: the layers' names around it, then its own."""
    return "/".join([*(outer for _, outer in _scopes if outer), name])


def unique_name(class_name: str) -> str:
    """``"lstm"`` for the first LSTM, ``"lstm_1"`` for the next."""
    base = snake_case(class_name)
    count = _counts[base]
    _counts[base] += 1
    return f"{base}_{count}" if count else base


def clear_session() -> None:
    """Starts counting names anew, as Keras' ``clear_session``."""
    _counts.clear()
