"""Checks on untrusted files: memory is allocated for what a file holds, not for what it claims.

A file may claim 4 GB in 11 kB. Before anything is allocated, a reader compares the declared size with `room`:

    room = max(64 MiB, 20 × bytes on the disk) + bytes that the model's weights need

Holes in a sparse file are not bytes on the disk. Only plain files are read: no device, pipe or folder.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NoReturn, TypeGuard

from minigrad.engine.errors import MinigradError

ALWAYS, RATIO = 64 * 2**20, 20  # no real weights shrink to a twentieth
MAX_DIMS = 32
MAX_SIZE = 2**62  # of an axis, and of a whole array in bytes
JSON_BYTES = 16 * 2**20
JSON_VALUES = 1_000_000
JSON_DEPTH = 100


@contextmanager
def opened(path: str | os.PathLike[str], error: type[MinigradError]) -> Iterator[BinaryIO]:
    """Open a plain file to read.

    Args:
        path: the file.
        error: the class of the error to raise.

    Raises:
        MinigradError: an `error`: the file is missing, is not a plain file, or cannot be read when it is opened or
            inside the block.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as failure:
        raise error(f"{path}: cannot be read: {getattr(failure, 'strerror', None) or failure}.") from None
    with os.fdopen(descriptor, "rb") if _is_plain(descriptor) else _refused(descriptor, path, error) as file:
        try:
            yield file
        except OSError as failure:
            if isinstance(failure, MinigradError):
                raise
            raise error(f"{path}: cannot be read: {failure.strerror or failure}.") from None


def _is_plain(descriptor: int) -> bool:
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def _refused(descriptor: int, path: Any, error: type[MinigradError]) -> BinaryIO:
    folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
    os.close(descriptor)
    if folder:
        raise error(f"{path}: cannot be read: {os.strerror(errno.EISDIR)}.")
    raise error(f"{path}: cannot be read: expected a plain file, got a device or a pipe.")


def size_of(file: BinaryIO) -> int:
    """Return the length of an open file in bytes, holes included."""
    return os.fstat(file.fileno()).st_size


def bytes_on_disk(file: BinaryIO) -> int:
    """Return the length of an open file in bytes without the holes of a sparse file."""
    size, hole = size_of(file), getattr(os, "SEEK_HOLE", None)
    if hole is None:
        return size
    place, found, end = os.lseek(file.fileno(), 0, os.SEEK_CUR), 0, 0
    try:
        while end < size:
            start = os.lseek(file.fileno(), end, os.SEEK_DATA)
            end = os.lseek(file.fileno(), start, hole)
            found += end - start
    except OSError as failure:
        if failure.errno != errno.ENXIO:  # ENXIO: nothing but a hole up to the end
            return size  # the file system does not report it
    finally:
        os.lseek(file.fileno(), place, os.SEEK_SET)
    return found


def room(file: BinaryIO, wanted: int = 0) -> int:
    """Return how many bytes a file may make a reader allocate.

    Args:
        file: the open file.
        wanted: the bytes that the weights of the model need, if there is a model.
    """
    return max(ALWAYS, RATIO * bytes_on_disk(file)) + wanted


def oversized(path: Any, what: str, declared: int, held: int, allowed: int) -> str:
    """Return the message about a declared size that the file cannot mean.

    Args:
        path: the file.
        what: the part of the file that declares it.
        declared: the declared size in bytes.
        held: the bytes on the disk.
        allowed: the limit in bytes.
    """
    return (
        f"{path}: {what} declares {declared:,} bytes, in a file of {held:,} on the disk; expected at most {allowed:,}. "
        "Nothing was allocated: the file is damaged, or made to fill the memory."
    )


def is_shape(shape: Any) -> TypeGuard[list[int]]:
    """Return True if a value read from a file can be the shape of an array."""
    return (
        isinstance(shape, (list, tuple))
        and len(shape) <= MAX_DIMS
        and all(type(n) is int and 0 <= n < MAX_SIZE for n in shape)
    )


def parse_json(
    content: bytes,
    limit: int = JSON_BYTES,
    values: int = JSON_VALUES,
    depth: int = JSON_DEPTH,
    constants: bool = True,
    surrogates: bool = False,
) -> Any:
    """Parse JSON from an untrusted file.

    Stricter than `json.loads`: keys of an object are unique, numbers fit into a float64, size and depth are limited.

    Args:
        content: the text in UTF-8.
        limit: the largest size in bytes.
        values: the largest number of values.
        depth: the deepest nesting of lists and objects.
        constants: whether to read Python's Infinity and NaN, which Keras writes.
        surrogates: whether to read lone surrogates, as in names of files that are not UTF-8.

    Raises:
        ValueError: the text is not such JSON; the message gives the reason.
    """
    if len(content) > limit:
        raise ValueError(f"expected at most {limit:,} bytes, got {len(content):,}")
    count = sum(map(content.count, (b",", b":", b"[", b"{")))
    if count > values:
        raise ValueError(f"expected at most {values:,} values, got up to {count:,}")
    try:
        parsed = json.loads(
            content.decode("utf-8", "surrogatepass" if surrogates else "strict"),
            object_pairs_hook=_unique,
            parse_float=_finite,
            parse_constant=None if constants else _refuse_constant,
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if _depth(parsed, depth) > depth:
        raise ValueError(f"nested more than {depth} deep")
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"the key {name[:60]!r} occurs twice")
        found[name] = value
    return found


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:40]} is too large")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number in JSON")


def _depth(parsed: Any, most: int) -> int:
    """Return the depth of nested lists and objects, without recursion; at most `most` + 1."""
    level, depth = [parsed], 0
    while level and depth <= most:
        inside: list[Any] = []
        for value in level:
            inside.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
        level = [value for value in inside if isinstance(value, (dict, list))]
        depth += 1
    return depth
