"""The outputs of a model, and their targets, weights, losses and metrics, given by name or by position.

Outputs have TensorFlow's names and order: the keys of a dictionary from a to z, ``output_1``, ``output_2`` … of a list
or tuple, and for nested outputs both: ``a_1``, ``a_2``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.errors import DataError, unknown_name


def named(y_pred: Any) -> list[tuple[str, Any]]:
    """Return the outputs with their names.

    >>> named({"b": 2, "a": [0, 1]})
    [('a_1', 0), ('a_2', 1), ('b', 2)]
    """
    return [("_".join(path) or "output_1", leaf) for path, leaf in _paths(y_pred)]


def _paths(y_pred: Any, inside: bool = False) -> list[tuple[list[str], Any]]:
    if isinstance(y_pred, dict):
        parts = [(str(key), y_pred[key]) for key in sorted(y_pred, key=str)]
    elif isinstance(y_pred, (list, tuple)):
        prefix = "" if inside else "output_"
        parts = [(f"{prefix}{k + 1}", part) for k, part in enumerate(y_pred)]
    else:
        return [([], y_pred)]
    return [([name, *path], leaf) for name, part in parts for path, leaf in _paths(part, True)]


def leaves(y_pred: Any) -> list[Any]:
    """Return the outputs in the order of their names."""
    return [leaf for _, leaf in _paths(y_pred)]


def output_names(y_pred: Any) -> list[str]:
    """Return the names of a model's outputs."""
    return [name for name, _ in named(y_pred)]


def is_one(given: Any) -> bool:
    """Return whether this is a single value: no list, tuple or dictionary."""
    return not isinstance(given, (list, tuple, dict))


def is_one_list(given: Any) -> bool:
    """Return whether this is a single value, or a flat list of them."""
    return not isinstance(given, dict) and (is_one(given) or all(map(is_one, given)))


class Pairing:
    """The rule by which one argument is paired with the outputs.

    Args:
        where: the argument, for messages: ``"fit: `y`"``.
        is_value: returns whether an argument is the value of one output, or with `broadcast` of each.
        broadcast: whether a single value is for all outputs.
        by_position: whether a list may replace a dictionary of outputs; its order is that of the sorted names.
        alias: a second name of a single output: that of a Sequential's last layer.
    """

    def __init__(
        self,
        where: str,
        is_value: Callable[[Any], bool] = is_one,
        broadcast: bool = True,
        by_position: bool = True,
        alias: str | None = None,
    ) -> None:
        self._where, self._by_position, self._alias = where, by_position, alias
        self._is_value, self._broadcast = is_value, broadcast

    def pair(self, given: Any, y_pred: Any) -> list[Any]:
        """Return the value given for each output, or None.

        Raises:
            UnknownNameError: no output has a name that is given.
            DataError: the number of values is wrong, or a list is given for outputs that have names.
        """
        single = is_one(y_pred)
        if given is None or (self._is_value(given) and (single or self._broadcast)):
            return [given] * len(leaves(y_pred))
        if isinstance(given, dict):
            return self._by_name(given, y_pred)
        if isinstance(y_pred, dict) and not self._by_position:
            raise DataError(
                f"{self._where}: the outputs have names: expected a dictionary by "
                f"{', '.join(sorted(map(str, y_pred)))}, got {self._number(given)}."
            )
        parts = [y_pred] if single else _top(y_pred)
        if self._is_value(given) or len(given) != len(parts):
            raise DataError(f"{self._where}: expected {len(parts)}, one for each output, got {self._number(given)}.")
        return [x for own, part in zip(given, parts, strict=True) for x in self.pair(own, part)]

    def _by_name(self, given: dict[Any, Any], y_pred: Any) -> list[Any]:
        structured = isinstance(y_pred, dict)
        known = sorted(y_pred, key=str) if structured else output_names(y_pred)
        alias = self._alias if is_one(y_pred) else None
        for name in given:
            if name not in known and (name != alias or len(given) > 1):
                raise unknown_name(self._where, name, [*known, *([alias] if alias else [])])
        if structured:
            return [x for name in known for x in self.pair(given.get(name), y_pred[name])]
        if alias in given:
            known = [str(alias)]
        return [x for name, y in zip(known, leaves(y_pred), strict=True) for x in self.pair(given.get(name), y)]

    @staticmethod
    def _number(given: Any) -> str:
        return str(len(given)) if isinstance(given, (list, tuple)) else "1"


def _top(y_pred: Any) -> list[Any]:
    """Return the parts of a list, tuple or dictionary, each perhaps nested."""
    return [y_pred[key] for key in sorted(y_pred, key=str)] if isinstance(y_pred, dict) else list(y_pred)
