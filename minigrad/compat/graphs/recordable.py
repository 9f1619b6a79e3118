"""Functions that are recorded where an argument is a symbol, and run at once on tensors."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, TypeVar, cast

from minigrad.compat.graphs import state
from minigrad.compat.graphs.tensors import record
from minigrad.engine import tree
from minigrad.engine.errors import ShapeError
from minigrad.layers.symbol import Symbol

F = TypeVar("F", bound=Callable[..., Any])

OLDER = {"keep_dims": "keepdims", "reduction_indices": "axis", "dimension": "axis", "dim": "axis"}
"""Names that arguments had in TensorFlow 1 → today's."""


def recordable(function: F) -> F:
    """Decorate a function of TensorFlow's: it takes `name`, older names of arguments, and symbols."""
    known = signature(function).parameters

    @wraps(function)
    def call(*args: Any, name: Any = None, **kwargs: Any) -> Any:
        for old in kwargs.keys() & OLDER.keys() - known.keys():
            kwargs[OLDER[old]] = kwargs.pop(old)
        if state.building() or any(isinstance(leaf, Symbol) for leaf in _leaves(args, kwargs)):
            return record(function, args, kwargs, name or function.__name__)
        return function(*args, **kwargs)

    return cast(F, call)


def _leaves(*arguments: Any) -> list[Any]:
    """Return the values among arguments; none of a list that contains itself, which the function refuses by name."""
    try:
        return tree.leaves(arguments)
    except ShapeError:
        return []
