"""The lock of a run's folder: one process writes to it at a time.

The lock is a file with the ID and the machine of its process. A lock of a killed process is taken over. Checking the
holder and taking the lock are two steps: between them the system excludes every other process (`_exclusive`), for as
long as this process lives. Temporary files of killed processes are removed under the lock.
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
from typing import Any

from minigrad.engine.files import MACHINE, PROCESS, FileError, cannot_write, read_file, write_atomically
from minigrad.train.errors import RunError

fcntl: Any
if sys.platform == "win32":
    import msvcrt
else:
    try:
        import fcntl
    except ImportError:  # Python in a browser, which has one process
        fcntl = None

NAME = "lock"
GUARD = f".{NAME}.guard"  # on Windows, which cannot lock a folder
MAX_BYTES = 1000  # of a process ID and the name of a machine
MAX_PROCESS_ID = 2**31 - 1
TEMPORARY = re.compile(r"\..+\.(\d{1,10})(?:-([0-9a-f]{8})-([0-9a-f]{8})-\d+)?\.tmp", re.DOTALL)
_own_locks: set[Path] = set()  # locks of this process: an earlier process may have had the same ID


@contextmanager
def locked(folder: Path, check: Callable[[Path], None] = lambda folder: None) -> Iterator[None]:
    """Hold the folder's lock inside the `with` block, and remove the files of killed processes.

    Args:
        folder: the folder.
        check: called when no other process can change the folder, before anything is written; it may raise.

    Raises:
        RunError: another process trains in the folder.
        FileError: the folder cannot be written to.
    """
    path = _path(folder)
    holder = f"{os.getpid()} {platform.node()}\n".encode()
    with ExitStack() as stack:
        with _exclusive(folder):
            check_unlocked(folder)
            check(folder)
            stack.callback(_release, folder, path, holder)
            _own_locks.add(path)
            write_atomically(path, lambda file: file.write(holder))
            for left in abandoned(folder):
                left.unlink(missing_ok=True)
        yield


def _release(folder: Path, path: Path, holder: bytes) -> None:
    _own_locks.discard(path)
    with suppress(FileError), _exclusive(folder):  # the folder may have been deleted
        if _read(path) == holder:  # otherwise the file was deleted, and another process holds the lock
            path.unlink(missing_ok=True)


def check_unlocked(folder: Path) -> None:
    """Raise an error if a process holds the lock; a lock of a dead process counts as free.

    Raises:
        RunError: a process trains in the folder, here or on another machine, where it may still run.
    """
    path = _path(folder)
    holder = _read(path).decode("utf-8", errors="replace").partition("\n")[0]
    number, _, host = holder.strip().partition(" ")
    if not re.fullmatch("[0-9]{1,10}", number) or not 0 < int(number) <= MAX_PROCESS_ID:  # not written by a run
        return
    here = host in ("", platform.node())
    if path in _own_locks or not here or (int(number) != os.getpid() and is_alive(int(number))):
        raise _locked_error(folder, holder)


def abandoned(folder: Path) -> list[Path]:
    """Return the temporary files whose process on this machine has ended; other machines' files are left."""
    return [path for path in folder.iterdir() if _is_abandoned(path.name)]


def _is_abandoned(name: str) -> bool:
    found = TEMPORARY.fullmatch(name)
    if not found or found[2] not in (None, MACHINE):
        return False
    number = int(found[1])
    if number == os.getpid():  # ours, or of a dead process that had our ID
        return found[3] is not None and found[3] != PROCESS
    return not 0 < number <= MAX_PROCESS_ID or not is_alive(number)


def _path(folder: Path) -> Path:
    return folder.resolve() / NAME


def _read(path: Path) -> bytes:
    """Return the text of the lock; empty if there is no lock."""
    if not os.path.lexists(path):
        return b""
    try:
        return read_file(path, RunError, most=MAX_BYTES)
    except RunError as error:
        if not os.path.lexists(path):  # released meanwhile
            return b""
        raise RunError(f"{error} No run wrote that; remove it.") from None


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """Exclude every other process from this block for the same folder; wait for one that is in it."""
    guard = folder / GUARD
    try:
        descriptor = os.open(guard, os.O_CREAT | os.O_RDWR) if sys.platform == "win32" else os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise cannot_write(folder / NAME, error) from None
    try:
        with suppress(OSError):  # a file system without such locks
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            elif fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
        if sys.platform == "win32":
            with suppress(OSError):  # another process waits for it
                guard.unlink()


def _locked_error(folder: Path, holder: str) -> RunError:
    number, _, host = holder.strip().partition(" ")
    return RunError(
        f"{folder}: process {number} on {host or 'this machine'} is training in it. Wait for it or end it; if there is "
        f"no such process any more, delete {folder / NAME}."
    )


def is_alive(number: int) -> bool:
    """Return whether this machine runs a process of that ID."""
    if sys.platform == "win32":
        query, still_active = 0x1000, 259
        handle = ctypes.windll.kernel32.OpenProcess(query, False, number)
        code = ctypes.c_ulong()
        found = bool(handle) and bool(ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code)))
        ctypes.windll.kernel32.CloseHandle(handle)
        return found and code.value == still_active
    try:
        os.kill(number, 0)  # signal 0 only checks
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True
