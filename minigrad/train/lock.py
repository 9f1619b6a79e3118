"""One run folder, one process that writes in it.

The lock is a file that says who holds it. One that a process left behind when it was killed is taken over. To look who
holds it and to take it are two steps: between them the system keeps every other process out (`_alone`), and does so no
longer than this process lives. What a killed process left besides, its temporary files, is removed under the lock.
"""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from minigrad.engine.files import MACHINE, PROCESS, FileError, cannot_write, read_file, write_atomically
from minigrad.train.errors import RunError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

NAME = "lock"
GUARD = f".{NAME}.guard"  # on Windows, where no folder can be locked
MOST = 1000  # bytes: a number and a name
LARGEST = 2**31 - 1  # number of a process
TEMPORARY = re.compile(r"\..+\.(\d{1,10})(?:-([0-9a-f]{8})-([0-9a-f]{8})-\d+)?\.tmp", re.DOTALL)
_mine: set[Path] = set()  # the locks that this process holds: its number may be that of a dead one


@contextmanager
def locked(folder: Path, look: Callable[[Path], None] = lambda folder: None) -> Iterator[None]:
    """Hold the folder's lock inside the `with` block, and remove what killed processes left.

    Args:
        folder: the folder.
        look: called once no other process can change the folder, before anything is written; may raise.

    Raises:
        RunError: another process trains there.
        FileError: the folder cannot be written to.
    """
    path = _path(folder)
    holder = f"{os.getpid()} {platform.node()}\n".encode()
    with ExitStack() as stack:
        with _alone(folder):
            refuse_if_held(folder)
            look(folder)
            stack.callback(_give_back, folder, path, holder)
            _mine.add(path)
            write_atomically(path, lambda file: file.write(holder))
            for left in abandoned(folder):
                left.unlink(missing_ok=True)
        yield


def _give_back(folder: Path, path: Path, holder: bytes) -> None:
    _mine.discard(path)
    with suppress(FileError), _alone(folder):  # there may be no such folder any more
        if _read(path) == holder:  # else somebody deleted it, and another process took it
            path.unlink(missing_ok=True)


def refuse_if_held(folder: Path) -> None:
    """Do nothing where the lock is free, or was left by a dead process.

    Raises:
        RunError: a process that is alive trains there, or one on another machine, which may be.
    """
    path = _path(folder)
    holder = _read(path).decode("utf-8", errors="replace").partition("\n")[0]
    number, _, host = holder.strip().partition(" ")
    if not re.fullmatch("[0-9]{1,10}", number) or not 0 < int(number) <= LARGEST:  # no process wrote that
        return
    here = host in ("", platform.node())
    if path in _mine or not here or (int(number) != os.getpid() and alive(int(number))):
        raise _held(folder, holder)


def abandoned(folder: Path) -> list[Path]:
    """Return the temporary files in a folder whose process is no more; those of other machines are not told."""
    return [path for path in folder.iterdir() if _is_abandoned(path.name)]


def _is_abandoned(name: str) -> bool:
    found = TEMPORARY.fullmatch(name)
    if not found or found[2] not in (None, MACHINE):
        return False
    number = int(found[1])
    if number == os.getpid():  # of a dead process that had our number, if it is not ours
        return found[3] is not None and found[3] != PROCESS
    return not 0 < number <= LARGEST or not alive(number)


def _path(folder: Path) -> Path:
    return folder.resolve() / NAME


def _read(path: Path) -> bytes:
    """The lock's text; empty where there is no lock."""
    if not os.path.lexists(path):
        return b""
    try:
        return read_file(path, RunError, most=MOST)
    except RunError as error:
        if not os.path.lexists(path):  # given back meanwhile
            return b""
        raise RunError(f"{error} No run wrote that; remove it.") from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is inside this block for the folder."""
    guard = folder / GUARD
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
