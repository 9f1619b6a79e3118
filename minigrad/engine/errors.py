"""The errors that minigrad raises, so that a program can tell them apart.

Each is also one of Python's own (`ShapeError` is a `ValueError`, `DTypeError` a `TypeError`, …), so code that knows
nothing of minigrad catches what it expects. Every message says where, what was expected, what came, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any


class MinigradError(Exception):
    """The base of every error that minigrad raises on purpose."""


class ShapeError(MinigradError, ValueError):
    """An array has the wrong rank, or the wrong size along an axis."""


class IndexRangeError(MinigradError, IndexError):
    """An index names a place that the array does not have."""


class DTypeError(MinigradError, TypeError):
    """An array has a dtype that the operation cannot use."""


class GradientError(MinigradError, RuntimeError):
    """A gradient cannot be had: the graph was freed, never recorded, or written over."""


class GradientCheckError(MinigradError, AssertionError):
    """A gradient differs from what finite differences say."""


class UnknownNameError(MinigradError, ValueError):
    """A name such as ``"relu"`` stands for nothing that minigrad knows."""


class OptionError(MinigradError, ValueError):
    """An argument or an option of a run has a value that cannot be used, or does not exist."""


class DataError(MinigradError, ValueError):
    """Data to train on or to predict from cannot be used: a file or an array is not what it should be."""


class NaNLossError(MinigradError, ArithmeticError):
    """A loss became NaN or infinite, so the gradients that follow mean nothing."""


class OutOfMemoryError(MinigradError, MemoryError):
    """The host's memory is full, or a device's."""


class BackendError(MinigradError, RuntimeError):
    """Something is wrong with a backend. The three subclasses say what."""


class UnknownBackendError(BackendError):
    """No backend of that name is registered."""


class BackendUnavailableError(BackendError):
    """The backend is registered, but its library is missing or its device does not answer."""


class BackendContractError(BackendError):
    """The module does not offer what `minigrad.engine.protocol` asks for."""


def mixed_backends_error(what: str, a: Any, b: Any) -> BackendError:
    """Return the error for tensors of two backends in one computation."""
    return BackendError(
        f"{what}: one tensor lives on {a.name!r}, another on {b.name!r}. Nothing moves by itself; bring one over "
        f"with x.to({a.name!r})."
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
        "so its gradient would belong to other numbers. Write after backward(), or to a copy; what one batch "
        "hands to the next, detach()."
    )


def unknown_name(what: str, name: object, known: Iterable[str], hint: str = "") -> UnknownNameError:
    """Returns the error for an unknown name, with the nearest known one.

    Args:
        what: where the name was given and what it should name, e.g. ``"Dense: activation"``.
        name: what came.
        known: every name that would have been right.
        hint: a further way out, one sentence.

    >>> print(unknown_name("activation", "tahn", ["relu", "tanh"]))
    activation: unknown name 'tahn'. Did you mean 'tanh'? Known are: relu, tanh.
    """
    names = sorted(known)
    nearest = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    guess = f" Did you mean {nearest[0]!r}?" if nearest else ""
    tail = f" {hint}" if hint else ""
    came = f"unknown name {name!r}" if isinstance(name, str) else f"expected a name, got {shown(name)}"
    return UnknownNameError(f"{what}: {came}.{guess} Known are: {', '.join(names)}.{tail}")


def shown(value: Any) -> str:
    """Returns a value as a message shows it: an array by its shape, a class by its name, all else as Python does."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"{type(value).__name__} of shape {value.shape}" if getattr(value, "shape", ()) else repr(value)
