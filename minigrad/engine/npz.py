"""Named arrays in ``.npz`` files, written atomically and checked before anything is allocated.

Arrays go into NumPy's ``.npz`` without pickle: any reader of NumPy's format can read them, and reading a file cannot
run code. The checksum of all arrays is stored in the same file and compared when they are read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Mapping
from hashlib import sha256
from math import prod
from os import PathLike
from typing import Any, NamedTuple

import numpy as np  # noqa: TID251  (a file holds host arrays)

from minigrad.engine.archives import Archive, DamagedError, archive
from minigrad.engine.errors import MinigradError
from minigrad.engine.files import write_atomically
from minigrad.engine.protocol import Array
from minigrad.engine.untrusted import is_shape, opened

ZIP = b"PK"  # first bytes of an .npz file
CHECKSUM = "sha256"  # the name of the entry that holds the 32 bytes
_NPY = ".npy"
_NPY_BEGIN = 4096  # more than NumPy writes before the numbers
_NPY_HEADER = re.compile(
    rb"\{'descr': '([<>|=][biufU]\d{1,5})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,19}, ?)*(?:\d{1,19})?)\), \} *\n"
)
_PIECE = 2**20  # bytes read at once


def write_arrays(path: str | PathLike[str], arrays: Mapping[str, Array]) -> None:
    """Write named NumPy arrays and their checksum, atomically; equal arrays give equal bytes."""
    given: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    given[CHECKSUM] = np.frombuffer(checksum(given), np.uint8)
    write_atomically(path, lambda file: np.savez(file, **given))


def checksum(arrays: Mapping[str, Array]) -> bytes:
    """Return the SHA-256 over all arrays by name: for each a JSON line [name, dtype, shape], then its bytes."""
    total = sha256()
    for name in sorted(arrays):
        array = arrays[name]
        total.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode() + b"\n")
        total.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return total.digest()


class Declared(NamedTuple):
    """Declaration of an array in a file, read before its bytes.

    Attributes:
        shape: its shape.
        dtype: its dtype.
        by_columns: whether its first axis varies fastest, as in Fortran.
        start: the length of the header before its bytes.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    by_columns: bool
    start: int

    @property
    def nbytes(self) -> int:
        """Size in bytes, a Python int without a limit."""
        return prod(self.shape) * self.dtype.itemsize


def read_arrays(
    path: str | PathLike[str],
    error: type[MinigradError],
    advice: str = "",
    wanted: int = 0,
    check: Callable[[dict[str, Declared]], None] | None = None,
    names: Container[str] | None = None,
    texts: bool = False,
) -> dict[str, Array]:
    """Read named arrays from a file of `write_arrays`.

    The sizes that the file declares are compared with its length before anything is allocated; see
    `minigrad.engine.untrusted`. A file without a checksum comes from an earlier version, and is read.

    Args:
        path: the file.
        error: the class of the error to raise.
        advice: the end of the message for a damaged file or one of another format.
        wanted: the bytes of the weights that a model needs.
        check: called with the declared arrays before they are read; it may raise.
        names: the arrays to read. Other arrays are not unpacked, and the checksum is not compared.
        texts: whether to read arrays of strings too, besides numbers and bools.

    Raises:
        MinigradError: an `error`: the file cannot be read, is not an ``.npz`` file, or is damaged.
    """
    with opened(path, error) as file:
        begin = file.read(8)
    if not begin.startswith(ZIP):
        raise error(f"{path}: is not an .npz file: expected {ZIP!r} at its beginning, got {begin!r}.{advice}")
    try:
        with archive(path, error, advice, wanted) as found:
            entries = _entries(found, error, advice)
            strange = [name for name, entry in entries.items() if entry.dtype.kind == "U" and not texts]
            if strange:
                raise DamagedError(f"{strange[0]!r} holds texts")
            if check:
                check({name: entry for name, entry in entries.items() if name != CHECKSUM})
            chosen = [name for name in entries if name != CHECKSUM and (names is None or name in names)]
            found.check_room([name + _NPY for name in chosen])
            arrays = {name: _array(found, name + _NPY, entries[name]) for name in chosen}
            written = found.read(CHECKSUM + _NPY, _NPY_BEGIN) if CHECKSUM in entries and names is None else None
    except DamagedError as failure:
        raise error(f"{path}: is damaged, or holds more than plain arrays.{advice} ({failure})") from failure
    if written is not None and written[entries[CHECKSUM].start :] != checksum(arrays):
        raise error(f"{path}: is damaged: its arrays are not those of its checksum, {CHECKSUM!r}.{advice}")
    return arrays


def _entries(found: Archive, error: type[MinigradError], advice: str) -> dict[str, Declared]:
    """Return the declarations of an archive's arrays by name."""
    foreign = [member for member in found.sizes if not member.endswith(_NPY)]
    if foreign:
        raise error(
            f"{found.path}: is an archive of another program: it holds {foreign[0]!r}, which is not an array.{advice}"
        )
    return {member.removesuffix(_NPY): _declared(found, member) for member in found.sizes}


def _declared(found: Archive, member: str) -> Declared:
    """Parse the header of an array, in NumPy's format 1.0 to 3.0, without evaluating it as Python."""
    size = found.sizes[member]
    begin = found.first_bytes(member, min(size, _NPY_BEGIN))
    wide = 4 if begin[6:7] in (b"\x02", b"\x03") else 2
    start = 8 + wide + int.from_bytes(begin[8 : 8 + wide], "little")
    match = _NPY_HEADER.fullmatch(begin[8 + wide : start]) if begin.startswith(b"\x93NUMPY") else None
    if match is None or start > len(begin):
        raise DamagedError(f"{member!r} is not a plain array")
    shape = tuple(int(n) for n in match[3].split(b",") if n.strip())
    try:
        entry = Declared(shape, np.dtype(match[1].decode()), match[2] == b"True", start)
    except TypeError as failure:
        raise DamagedError(f"{member!r}: {failure}") from None
    if not is_shape(shape) or entry.nbytes != size - start:
        raise DamagedError(f"{member!r} of shape {shape} and {entry.dtype} should not be {size - start:,} bytes")
    return entry


def _array(found: Archive, member: str, declared: Declared) -> Array:
    """Read the bytes of an array piece by piece into a new array."""
    try:
        array = np.empty(declared.shape[::-1] if declared.by_columns else declared.shape, declared.dtype)
    except ValueError as failure:  # 0 rows of 2⁶¹ numbers
        raise DamagedError(f"{member!r}: {failure}") from None
    with found.member(member) as file:
        file.read(declared.start)
        into = array.reshape(-1).view(np.uint8)
        done = 0
        while done < len(into):
            piece = file.read(min(len(into) - done, _PIECE))
            if not piece:
                raise DamagedError(f"{member!r} is cut short")
            into[done : done + len(piece)] = np.frombuffer(piece, np.uint8)
            done += len(piece)
    return array.T if declared.by_columns else array
