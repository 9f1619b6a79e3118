"""One run folder, one process that trains in it.

The lock is a file that says who holds it. One that a process left behind when it was killed is taken over. To look who
holds it and to take it are two steps: between them the system keeps every other process out (`_alone`), and does so no
longer than this process lives.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minigrad.keras.files import cannot_write, write_atomically
from minigrad.train.errors import RunError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

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
    with _alone(folder):
        refuse_if_held(folder)
        write_atomically(path, lambda file: file.write(f"{os.getpid()} {platform.node()}\n".encode()))
    _mine.add(path)
    try:
        yield
    finally:
        _mine.discard(path)
        path.unlink(missing_ok=True)


def refuse_if_held(folder: Path) -> None:
    """Does nothing where the lock is free, or what a dead process left.

    Raises:
        RunError: a process that is alive trains there, or one on another machine, which may be.
    """
    path = (folder / NAME).resolve()
    try:
        holder = path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return
    number, _, host = holder.strip().partition(" ")
    if not number.isdigit():  # no process wrote that
        return
    here = host in ("", platform.node())
    if path in _mine or not here or (int(number) != os.getpid() and alive(int(number))):
        raise _held(folder, holder)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other process is inside this block for the folder."""
    guard = folder / f".{NAME}.guard"
    try:
        descriptor = os.open(guard, os.O_CREAT | os.O_RDWR) if sys.platform == "win32" else os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise cannot_write(folder / NAME, error) from None
    try:
        with suppress(OSError):  # of a file system that knows no such locks
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
        if sys.platform == "win32":
            with suppress(OSError):  # somebody else waits for it
                guard.unlink()


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
