"""Objects and functions of the caller: their methods may raise anything, and errors inside them name no argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.engine.errors import MinigradError


def with_name(error: MinigradError, where: str) -> MinigradError:
    """Return the error of a part inside with the argument before its message, unless the message names it.

    Args:
        error: the error; its class and traceback stay.
        where: the place and the argument in backquotes: ``"predict: `x`"``.
    """
    names = re.findall(r"`(\w+)`", where)
    if not all(re.search(rf"\b{name}\b", str(error)) for name in names):
        caller = where.partition(":")[0]
        error.args = (f"{where}: {str(error).removeprefix(f'{caller}: ')}",)
    return error


@contextmanager
def naming(where: str) -> Iterator[None]:
    """Name the argument in an error raised in the block, as `with_name`: for calls whose time does not count."""
    try:
        yield
    except MinigradError as error:
        raise with_name(error, where)  # noqa: B904  (the same error)


def attempted(conversion: Callable[[Any], Any], value: Any, otherwise: Any = None) -> Any:
    """Return conversion(value), or `otherwise` where the value's own methods refuse: these may raise any error."""
    try:
        return conversion(value)
    except Exception:  # noqa: BLE001
        return otherwise
