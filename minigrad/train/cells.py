"""Custom cells by name: ``module:Name`` is imported only if the user typed it on the command line."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from minigrad.engine.errors import unknown_name
from minigrad.recurrent import Equations
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.equations import EQUATIONS
from minigrad.recurrent.errors import EquationsError
from minigrad.train.errors import OptionError
from minigrad.train.options import ArgumentParserLike


def import_cell(where: str, name: str, known: Iterable[str]) -> type[Equations]:
    """Import the equations that a command line names.

    Args:
        where: the command or option, for messages.
        name: ``module:Name``.
        known: the allowed names without a module.

    Raises:
        OptionError: the module does not exist, it has no such cell, or the cell's equations cannot be read.
        UnknownNameError: `name` is neither ``module:Name`` nor a known name.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon:
        raise unknown_name(where, name, known, "A custom cell is module:Name, such as my_cells:Coupled.")
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


def imported_cell(name: str) -> type[Equations]:
    """Return the equations that a run names. They must have been imported: a file never causes an import.

    Raises:
        OptionError: the equations have not been imported.
    """
    if name not in EQUATIONS:
        raise OptionError(
            f"this run's cell is {name}, a custom cell. Name it again, so that it is imported: --cell {name}"
        )
    return EQUATIONS[name]


def add_run_arguments(parser: ArgumentParserLike) -> None:
    """Add the arguments that name a run and its cell; `import_run_cell` reads the cell."""
    parser.add_argument("run", metavar="RUN", help="the folder of the run, or one of the checkpoints in it")
    parser.add_argument("--cell", metavar="MODULE:NAME", help="the run's cell, needed again if it is a custom cell")


def import_run_cell(where: str, given: str | None, of_run: str) -> None:
    """Import the custom cell of a run, named again on the command line.

    Args:
        where: the command or option, for messages.
        given: the option's value, None if it was not given.
        of_run: the cell in the run's options.

    Raises:
        OptionError: `given` is not the run's cell, or the run has no custom cell.
    """
    if given is None:
        return
    if given != of_run:
        needed = f"--cell {of_run}" if ":" in of_run else f"--cell {of_run} or no --cell"
        raise OptionError(f"{where}: the run's cell is {of_run}; expected {needed}, got --cell {given}.")
    if ":" in given:
        import_cell("--cell", given, ())
