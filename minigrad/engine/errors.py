"""The errors that minigrad raises, so that a program can tell them apart.

Each is also one of Python's own (`ShapeError` is a `ValueError`, `DTypeError` a `TypeError`, …), so code written
without minigrad catches them too. Every message states the place, the expected value, the given value and the remedy.
"""

from __future__ import annotations

import difflib as _difflib
import reprlib as _reprlib
from collections.abc import Iterable as _Iterable
from typing import Any as _Any

from minigrad.engine.lazy import list_own_names


class MinigradError(Exception):
    """Base class of every error that minigrad raises on purpose."""


class ShapeError(MinigradError, ValueError):
    """Wrong rank of an array, or wrong size along an axis."""


class IndexRangeError(MinigradError, IndexError):
    """Index out of the range of an array."""


class DTypeError(MinigradError, TypeError):
    """Dtype that an operation cannot use."""


class GradientError(MinigradError, RuntimeError):
    """Gradient that cannot be computed: the graph was freed, never recorded, or an input was overwritten."""


class GradientCheckError(MinigradError, AssertionError):
    """Gradient that differs from finite differences."""


class UnknownNameError(MinigradError, ValueError):
    """Unknown name, such as ``"rellu"`` for an activation."""


class OptionError(MinigradError, ValueError):
    """Unusable value of an argument or of an option of a run, or an option that does not exist."""


class DataError(MinigradError, ValueError):
    """Unusable data to train on or to predict from, in a file or in arrays."""


class NaNLossError(MinigradError, ArithmeticError):
    """Loss that became NaN or infinite, so that its gradients are meaningless."""


class OutOfMemoryError(MinigradError, MemoryError):
    """Full memory, of the host or of a device."""


class BackendError(MinigradError, RuntimeError):
    """Problem with a backend. The three subclasses distinguish them."""


class UnknownBackendError(BackendError):
    """Name that no registered backend has."""


class BackendUnavailableError(BackendError):
    """Registered backend whose library is missing or whose device does not answer."""


class BackendContractError(BackendError):
    """Module without all functions of `minigrad.engine.protocol`."""


def mixed_backends_error(what: str, a: _Any, b: _Any) -> BackendError:
    """Return the error for tensors of two backends in one computation."""
    return BackendError(
        f"{what}: one tensor lives on {a.name!r}, another on {b.name!r}."
        f" Tensors are not moved automatically; move one with x.to({a.name!r})."
    )


def freed_error() -> GradientError:
    """Return the error for a backward pass through a graph that an earlier one freed."""
    return GradientError(
        "backward: this graph was freed by an earlier backward(). Run the forward computation again, or ask "
        "for backward(create_graph=True), which keeps the graph."
    )


def overwritten_error(op: str, shape: tuple[int, ...]) -> GradientError:
    """Return the error for an input of an operation that no longer has the numbers that the operation read."""
    return GradientError(
        f"backward: an input of {op}, of shape {shape}, was written to after the tape recorded it, "
        "so its gradient would belong to other numbers. Write after backward(), or to a copy; detach() a state "
        "that one batch passes to the next."
    )


def unknown_name(what: str, name: object, known: _Iterable[str], hint: str = "") -> UnknownNameError:
    """Return the error for an unknown name, with the nearest known one.

    Args:
        what: the place where the name was given and the kind of name, e.g. ``"Dense: activation"``.
        name: the name that was given.
        known: every name that would have been right.
        hint: one more remedy, one sentence.

    >>> print(unknown_name("activation", "tahn", ["relu", "tanh"]))
    activation: unknown name 'tahn'. Did you mean 'tanh'? Known are: relu, tanh.
    """
    names = sorted(known)
    nearest = _difflib.get_close_matches(name, names, n=1, cutoff=0.5) if isinstance(name, str) else []
    guess = f" Did you mean {nearest[0]!r}?" if nearest else ""
    tail = f" {hint}" if hint else ""
    came = f"unknown name {shown(name)}" if isinstance(name, str) else f"expected a name, got {shown(name)}"
    return UnknownNameError(f"{what}: {came}.{guess} Known are: {', '.join(names)}.{tail}")


_LONGEST = 200  # characters of a value in a message


class _Short(_reprlib.Repr):
    """`repr` cut if it is long or deep."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxlong = self.maxother = 80

    def repr_int(self, x: int, level: int) -> str:
        """Return a whole number, or its size: Python converts at most 4,300 digits to text."""
        return super().repr_int(x, level) if x.bit_length() < 10_000 else f"an integer of {x.bit_length():,} bits"


def shown(value: _Any) -> str:
    """Return a value as messages show it: an array by its shape, a class by its name, all else by `repr`, cut if long.

    >>> shown(list(range(100)))
    '[0, 1, 2, 3, 4, 5, ...]'
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if axes_given(value):
        return f"{type(value).__name__} of shape {value.shape}"
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  an integer of 4,301 digits, lists in lists …, a class whose `repr` raises anything
        return _Short().repr(value)
    return text if len(text) <= _LONGEST else _Short().repr(value)


def axes_given(value: _Any) -> bool:
    """Return whether a value is an array with axes. A module, too, may have an attribute `shape`."""
    shape = getattr(value, "shape", None)
    return isinstance(shape, tuple) and bool(shape)


list_own_names(__name__)
del annotations, list_own_names  # they would be attributes of this public module
