"""One run folder, one process that trains in it.

The lock is a file that is made only where there is none (O_EXCL), and says who holds it. One that a process left behind
when it was killed is taken over.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minigrad.keras.files import cannot_write
from minigrad.train.errors import RunError

NAME = "lock"
_mine: set[Path] = set()  # the locks that this process holds: its number may be that of a dead one


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder's lock inside the `with` block.

    Raises:
        RunError: somebody else trains there.
        FileError: the folder cannot be written to.
    """
    path = (folder / NAME).resolve()
    stale = refuse_if_held(folder)
    if stale is not None:
        _take_away(path, stale)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:  # somebody was faster
        raise _held(folder, _read(path) or "") from None
    except OSError as error:
        raise cannot_write(path, error) from None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {platform.node()}\n")
    _mine.add(path)
    try:
        yield
    finally:
        _mine.discard(path)
        path.unlink(missing_ok=True)


def refuse_if_held(folder: Path) -> str | None:
    """Returns what a dead process left in the lock, None if there is no lock.

    Raises:
        RunError: a process that is alive trains there, or one on another machine, which may be.
    """
    path = (folder / NAME).resolve()
    holder = _read(path)
    if holder is None:
        return None
    number, _, host = holder.strip().partition(" ")
    if not number.isdigit():  # killed before it could write
        return holder
    here = host in ("", platform.node())
    if path in _mine or not here or (int(number) != os.getpid() and alive(int(number))):
        raise _held(folder, holder)
    return holder


def _read(path: Path) -> str | None:
    try:
        return path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _take_away(path: Path, stale: str) -> None:
    """Removes a dead process's lock, and not that of somebody who has just done the same."""
    aside = path.with_name(f".{NAME}.{os.getpid()}.tmp")
    with suppress(FileNotFoundError):
        path.rename(aside)
        if _read(aside) == stale:
            aside.unlink()
        else:
            aside.rename(path)


def _held(folder: Path, holder: str) -> RunError:
    number, _, host = holder.strip().partition(" ")
    return RunError(
        f"{folder}: process {number} on {host or 'this machine'} is training in it. Wait for it or end it; if there is "
        f"no such process any more, delete {folder / NAME}."
    )


def alive(number: int) -> bool:
    """Is there a process of that number on this machine?"""
    if sys.platform == "win32":
        query, still_active = 0x1000, 259
        handle = ctypes.windll.kernel32.OpenProcess(query, False, number)
        code = ctypes.c_ulong()
        found = bool(handle) and bool(ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code)))
        ctypes.windll.kernel32.CloseHandle(handle)
        return found and code.value == still_active
    try:
        os.kill(number, 0)  # asks, and sends nothing
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
