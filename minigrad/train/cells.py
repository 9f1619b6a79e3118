"""Cells by name: ``module:Name``, a cell of the user's own, imported because the user typed it."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from minigrad.engine.errors import unknown_name
from minigrad.recurrent import Equations
from minigrad.recurrent.equations import EQUATIONS, EquationsError
from minigrad.recurrent.reader import describe
from minigrad.train.errors import OptionError


def cell_of(where: str, name: str, known: Iterable[str]) -> type[Equations]:
    """Return the equations that a command line names.

    Args:
        where: the command or option, for messages.
        name: ``module:Name``.
        known: the names without a module that would have been right.

    Raises:
        OptionError: there is no such module, no such cell in it, or its equations cannot be read.
        UnknownNameError: it is no ``module:Name``, and no known name.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise unknown_name(where, name, known, "A cell of your own is module:Name, such as my_cells:Coupled.")
    try:
        module = import_module(module_name)
    except ImportError as error:
        raise OptionError(
            f"{where}: {name}: the module {module_name!r} cannot be imported: {error}. Run the command in its folder."
        ) from None
    found = getattr(module, attribute, None)
    if not (isinstance(found, type) and issubclass(found, Equations)):
        types = {n: v for n, v in vars(module).items() if isinstance(v, type)}
        cells = [n for n, v in types.items() if issubclass(v, Equations) and v is not Equations]
        raise OptionError(
            f"{where}: expected a subclass of minigrad.recurrent.Equations, got {name}. {module_name} has: "
            f"{', '.join(cells) or 'none'}."
        )
    try:
        describe(found)
    except EquationsError as error:
        raise OptionError(f"{where}: {error}") from None
    return found


def defined(name: str) -> type[Equations]:
    """Return the equations that a run names, if they have been imported. A file never causes an import.

    Raises:
        OptionError: they have not.
    """
    if name not in EQUATIONS:
        raise OptionError(
            f"this run's cell is {name}, of your own. Name it again, so that it is imported: --cell {name}"
        )
    return EQUATIONS[name]


def named_again(where: str, given: str | None, of_run: str) -> None:
    """Import the cell of a run, which the user has named again on the command line.

    Raises:
        OptionError: it is not the run's cell, or the run has none of the user's own.
    """
    if given is None:
        return
    if given != of_run:
        needed = f"--cell {of_run}" if ":" in of_run else f"--cell {of_run} or no --cell"
        raise OptionError(f"{where}: the run's cell is {of_run}; expected {needed}, got --cell {given}.")
    if ":" in given:
        cell_of("--cell", given, ())
