"""Reading and writing whole files: size and kind are checked before a file is read, and a write is atomic."""

from __future__ import annotations

import itertools
import os
import platform
import stat
import zlib
from collections.abc import Callable
from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from minigrad.engine.errors import MinigradError, OptionError, shown
from minigrad.engine.foreign import attempted

MACHINE = f"{zlib.crc32(platform.node().encode()):08x}"  # in names of temporary files: the machine of their process
LONGEST = 4096  # bytes in a path on Linux, the most of all systems
PROCESS = os.urandom(4).hex()  # tells this process from an earlier one with the same process ID
_PIECE = 1 << 20  # bytes read at once
_calls = itertools.count()
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class FileError(MinigradError, OSError):
    """Raised for a file that cannot be written."""


def cannot_write(path: Any, error: OSError) -> FileError:
    """Return a `FileError` that names the file and the reason."""
    return FileError(
        f"{path}: cannot be written: {error.strerror or error}. Choose a place that can be written to, or make room "
        "there."
    )


def a_path(where: str, path: Any) -> Path:
    """Return a path as an object.

    Raises:
        OptionError: it is not a path.
    """
    if not is_path(path):
        raise OptionError(f"{where}: expected a path, got {shown(path)}.")
    return Path(path)


def is_path(path: Any) -> bool:
    """Return whether this can be the path of a file: not empty, and of characters that file systems have."""
    if not isinstance(path, (str, PathLike)):
        return False
    name = attempted(os.fsencode, path)
    return bool(name) and b"\0" not in name and len(name) < LONGEST


def special(path: str | PathLike[str]) -> str:
    """Return "a folder", "a named pipe", "a socket" or "a device"; "" for a regular file.

    Opening one of these may block, never end, or act on a device.

    Raises:
        OSError: the path does not exist, or its status cannot be read.
    """
    mode = os.stat(path).st_mode
    return next((kind for test, kind in _KINDS if test(mode)), "")


def temporary_name(name: str) -> str:
    """Return a name that no other process and no other call uses, with the process that may remove the file."""
    return f".{name}.{os.getpid()}-{MACHINE}-{PROCESS}-{next(_calls)}.tmp"


def write_atomically(path: str | PathLike[str], write: Callable[[BinaryIO], Any]) -> None:
    """Write a file so that at every moment either the old or the new content is complete.

    The new content is written to a temporary file in the same folder and flushed to the disk (fsync). The temporary
    file then replaces the old one, which is one step for the file system. Missing folders are created.

    Args:
        path: the file to create or replace.
        write: writes the content to an open binary file.

    Raises:
        FileError: the file cannot be written. The previous content is unchanged.
    """
    folder, name = os.path.split(os.path.abspath(path))
    temporary = os.path.join(folder, temporary_name(name))
    try:
        _check_not_device(path)
        os.makedirs(folder, exist_ok=True)
        try:
            with open(temporary, "xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        _sync_folder(folder)
    except OSError as error:
        raise cannot_write(path, error) from None


def _check_not_device(path: str | PathLike[str]) -> None:
    """Raise OSError for a folder, a device, a pipe or a socket: the rename would replace it with a file."""
    with suppress(FileNotFoundError, NotADirectoryError):
        if kind := special(path):
            raise OSError(f"this is {kind}, no file")


def _sync_folder(folder: str) -> None:
    """Flush a folder to the disk, so that a new name in it survives a power cut. Windows has no such call."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def check_regular_file(
    path: str | PathLike[str], error: type[MinigradError], name: str = "", most: int | None = None
) -> None:
    """Raise an error unless a path is a regular file of allowed size; the file is not opened.

    Args:
        path: the file.
        error: the class of the error to raise.
        name: the file's name in the message; the path by default.
        most: the largest size allowed, in bytes.

    Raises:
        MinigradError: an `error`: there is no regular file, its status cannot be read, or it is too large.
    """
    name = name or str(path)
    try:
        kind, size = special(path), os.stat(path).st_size
    except OSError as failure:
        raise error(f"{name}: cannot be read: {failure.strerror or failure}.") from None
    except ValueError:  # a zero byte, a lone surrogate
        raise error(f"{name!r}: no file can have such a name.") from None
    if kind == "a folder":
        raise error(f"{name}: cannot be read: it is a folder.")
    if kind:
        raise error(f"{name}: cannot be read: expected a file, got {kind}. Copy its content into a file first.")
    if most is not None and size > most:
        raise error(f"{name}: cannot be read: expected at most {most:,} bytes, got {size:,}.")


def read_file(
    path: str | PathLike[str], error: type[MinigradError], name: str = "", *, most: int, first: int | None = None
) -> bytes:
    """Return the content of a regular file.

    Args:
        path: the file.
        error: the class of the error to raise.
        name: the file's name in the message; the path by default.
        most: the largest size allowed, in bytes.
        first: the number of bytes to read, of a file of any size; None reads all.

    Raises:
        MinigradError: an `error`, as from `check_regular_file`, or the file cannot be read.
    """
    check_regular_file(path, error, name, most if first is None else None)
    limit = most + 1 if first is None else first
    content = bytearray()
    try:
        with open(path, "rb") as file:
            while len(content) < limit and (piece := file.read(min(_PIECE, limit - len(content)))):
                content += piece
    except OSError as failure:
        raise error(f"{name or path}: cannot be read: {failure.strerror or failure}.") from None
    if first is None and len(content) > most:  # its status reports another size, or the file grows
        raise error(f"{name or path}: cannot be read: expected at most {most:,} bytes, got more.")
    return bytes(content)
