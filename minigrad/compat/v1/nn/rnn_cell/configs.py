"""Cells and functions as plain values, in the form of the first generation's `get_config`.

A cell is ``{"class_name": …, "config": …}``, with its module if it is of another generation. A function has three keys:
its name, ``"function"``, and the module that defines the name.
"""

from __future__ import annotations

import sys
from typing import Any

from minigrad.compat.v1.nn.rnn_cell.base import RNNCell
from minigrad.engine.errors import shown
from minigrad.engine.foreign import naming
from minigrad.layers.options import Kind, OptionError
from minigrad.layers.serialization import cell_kind, deserialize, serialize
from minigrad.layers.stacked import cells_kind


def cell_config(cell: Any) -> dict[str, Any]:
    """Return a cell as TensorFlow 1 describes it."""
    found = serialize(cell)
    module = {} if found["module"] == RNNCell.serialized_module else {"module": found["module"]}
    return {**module, "class_name": found["class_name"], "config": found["config"]}


class PartError(OptionError, TypeError):
    """Value of another type where a cell or wrapper of this generation needs a cell, a list of cells or a function."""


def read_cell(where: str, value: Any) -> Any:
    """Return a cell; a description gives a new one."""
    if isinstance(value, dict):
        with naming(where):
            value = deserialize({"module": RNNCell.serialized_module, **value})
    try:
        return cell_kind.read(where, value)
    except OptionError as error:
        raise PartError(*error.args) from None


def _read_cells(where: str, cells: Any) -> list[Any]:
    if not isinstance(cells, (list, tuple)):
        raise PartError(f"{where}: expected a list of cells, got {shown(cells)}. Write [cell, …].")
    read: list[Any] = cells_kind.read(where, [read_cell(where, cell) for cell in cells])
    return read


def _read_function(where: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise PartError(f"{where}: expected a function, got {shown(value)}.")
    return value


cell_option = Kind(read_cell, cell_config)
cells_option = Kind(_read_cells, lambda cells: [cell_config(cell) for cell in cells])
function_option = Kind(_read_function)


def function_config(where: str, key: str, function: Any) -> dict[str, Any]:
    """Return a function as the three keys of `get_config`; none at all for None.

    Raises:
        OptionError: the function cannot be found by its name: it is a lambda, or defined inside another function.
    """
    if function is None:
        return {}
    module, name = getattr(function, "__module__", None), getattr(function, "__name__", "")
    if getattr(sys.modules.get(module or ""), name, None) is not function:
        raise OptionError(
            f"{where}.get_config: `{key}` is {shown(function)}, which cannot be found by a name. Define it with `def` "
            "outside of functions and classes."
        )
    return {key: name, f"{key}_type": "function", f"{key}_module": module}


def read_function(where: str, key: str, config: dict[str, Any]) -> Any:
    """Remove the three keys from a configuration, and return the function or None.

    Raises:
        OptionError: there is no such function; or the value is code, as TensorFlow writes for Python functions, which
            is not run.
    """
    found, module = config.pop(key, None), config.pop(f"{key}_module", None)
    kind = config.pop(f"{key}_type", None)
    if found is None or callable(found):
        return found
    if kind != "function" or not isinstance(found, str):
        raise OptionError(
            f"{where}.from_config: `{key}` is the code of a function, which is not run. Put the function itself there: "
            f"from_config({{**config, {key!r}: function}})."
        )
    function = getattr(sys.modules.get(module or ""), found, None)
    if function is None:
        raise OptionError(f"{where}.from_config: `{key}`: there is no {module}.{found}. Import the module first.")
    return function
