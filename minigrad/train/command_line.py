"""``python -m minigrad COMMAND …``: dispatch to the command, with one-sentence messages for users' mistakes.

A command is a module of `minigrad.train.commands` with a ``HELP`` line and ``main(arguments)``, which
returns the exit code; it is entered in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from minigrad.distributed.world import DistributedError
from minigrad.engine.errors import BackendError, NaNLossError, UnknownBackendError, UnknownNameError, unknown_name
from minigrad.engine.files import special
from minigrad.engine.interrupt import INTERRUPTED
from minigrad.engine.registry import backends, resolve, using
from minigrad.train.errors import CheckpointError, DataError, OptionError, RunError

Commands = Mapping[str, tuple[str, Callable[[Sequence[str]], int]]]
"""Command name → its line of help and its function."""

PROGRAM = "python -m minigrad"  # name in messages; `command` returns a line to type
USER, FAILED = 2, 1  # exit codes


class Parser(argparse.ArgumentParser):
    """An argument parser whose messages are one sentence with the nearest name."""

    def __init__(self, command: str, **settings: Any) -> None:
        super().__init__(prog=f"{PROGRAM} {command}", allow_abbrev=False, **settings)

    def read(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Return the arguments by name.

        Raises:
            OptionError: an argument is unknown, or lacks its value.
        """
        known, rest = self.parse_known_args(arguments)
        for word in rest:
            if word.startswith("-"):
                flags = [flag for flag in self._option_string_actions if flag.startswith("--")]
                raise OptionError(str(unknown_name(f"{self.prog}: option", word.partition("=")[0], flags)))
        if rest:
            raise OptionError(f"{self.prog}: unexpected {rest[0]!r}. See {command(*self.prog.split()[1:], '--help')}.")
        return vars(known)

    def error(self, message: str) -> NoReturn:
        """Raise OptionError; argparse would print its usage and exit."""
        raise OptionError(f"{self.prog}: {message.removeprefix('argument ')}.")


def main(arguments: Sequence[str], commands: Commands) -> int:
    """Run a command and return the exit code.

    Args:
        arguments: the words after ``python -m minigrad``.
        commands: name → its line of help and its function.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that lacks a character shows a replacement
            stream.reconfigure(errors="replace")
    try:
        if not arguments or arguments[0] in ("-h", "--help"):
            print(_overview(commands), file=sys.stdout if arguments else sys.stderr)
            return 0 if arguments else USER
        name, *rest = arguments
        if name not in commands:
            raise OptionError(str(unknown_name(f"{PROGRAM}: command", name, commands)))
        return commands[name][1](rest)
    except (
        OptionError,
        DataError,
        RunError,
        CheckpointError,
        UnknownNameError,
        BackendError,
        DistributedError,
    ) as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return USER
    except (NaNLossError, OSError, MemoryError) as error:
        return _failed(error)
    except KeyboardInterrupt:
        print("minigrad: interrupted.", file=sys.stderr)
        return INTERRUPTED


def _failed(error: Exception) -> int:
    """Print an error that is not a fault of the arguments, and return the exit code."""
    if isinstance(error, BrokenPipeError):  # the reader of the output has closed it, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    message: object = error
    if isinstance(error, OSError) and error.filename is not None:
        message = f"{error.filename}: {error.strerror}."  # str(error) begins with a number
    elif isinstance(error, MemoryError):
        reason = str(error).rstrip(".")
        message = f"not enough memory: {reason}. Take fewer --units, a smaller --batch or shorter sequences."
    print(f"minigrad: {message}", file=sys.stderr)
    return FAILED


def _overview(commands: Commands) -> str:
    width = max(map(len, commands)) + 2
    lines = [f"  {name:<{width}}{text}" for name, (text, _) in commands.items()]
    more = f"{command('-m', 'minigrad', 'COMMAND', '--help')} shows more."
    return "\n".join([f"usage: {PROGRAM} COMMAND …", "", *lines, "", more])


def command(*words: str) -> str:
    """Return a command line to copy: the path of the running Python, as short as possible, and the words.

    The word ``python`` works only where the virtual environment is activated.
    """
    here, python = Path.cwd(), Path(sys.executable or "python")
    if python.is_absolute() and python.is_relative_to(here):
        python = python.relative_to(here)
        first = str(python) if len(python.parts) > 1 else os.path.join(os.curdir, python)
    else:
        first = str(python)
    return subprocess.list2cmdline([first, *words]) if os.name == "nt" else shlex.join([first, *words])


def output_file(flag: str, path: str) -> Path:
    """Return the path of a file to write, checked before the work starts.

    Args:
        flag: the option that names it.
        path: the option's value.

    Raises:
        OptionError: the path is that of a folder, a pipe or a device.
    """
    file = os.path.expanduser(path)
    if os.path.exists(file) and (kind := special(file)):
        remedy = "Name a file in it." if os.path.isdir(file) else "Name a regular file, or a new one."
        raise OptionError(f"{flag} {path}: expected a file to write, got {kind}. {remedy}")
    return Path(file)


@contextmanager
def on_backend(name: str, source: str = "") -> Iterator[None]:
    """Use the backend of a run's option ``--backend`` inside the `with` block.

    Args:
        name: the option's value.
        source: the origin of the value, followed by a colon; empty for the command line.

    Raises:
        OptionError: no backend has that name, or it does not work here.
    """
    try:
        backend = resolve(name)
    except UnknownBackendError:
        raise OptionError(str(unknown_name(f"{source}--backend", name, backends()))) from None
    except BackendError as error:
        raise OptionError(f"{source}--backend {name}: {str(error).removeprefix('mg.use: ')}") from None
    with using(backend):
        yield
