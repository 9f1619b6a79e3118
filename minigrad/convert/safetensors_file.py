"""Safetensors files, read and written with nothing but NumPy.

    8 bytes     N, the length of the header, little-endian
    N bytes     the header, JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
    the rest    the arrays, end to end, little-endian, rows first; the offsets count from here

Nothing in such a file is ever run, unlike in a pickle.

Source: the format's description, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from minigrad.convert.errors import ForeignFileError
from minigrad.convert.paths import file_name, write_whole
from minigrad.engine.errors import DTypeError, shown
from minigrad.engine.protocol import Array
from minigrad.engine.untrusted import bytes_on_disk, is_shape, opened, oversized, parse_json, room, size_of

# In the order in which the arrays are written: the wide ones first, so that all stay aligned.
_DTYPES = {
    "U64": "<u8", "I64": "<i8", "F64": "<f8", "F32": "<f4", "U32": "<u4", "I32": "<i4", "F16": "<f2", "U16": "<u2",
    "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
HEADER_BYTES = 100_000_000  # as the package `safetensors` allows
_ABOUT = "__metadata__"  # the one key of the header that is no array


def write_safetensors(path: Any, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Writes named arrays, for ``safetensors.torch.load_file`` and everybody else.

    Args:
        path: the file; an old one is replaced, at once and only when the new one is whole.
        arrays: arrays by name, e.g. what `to_torch_state_dict` returns.
        metadata: strings by name, such as ``{"format": "pt"}``.

    Raises:
        ForeignFileError: the file cannot be written, e.g. for there is no such folder, or the path is that of a device.
        DTypeError: the format has no such dtype; or `path` or `arrays` is none.
    """
    name = file_name("write_safetensors", path, "The file comes first, then the arrays.")
    if not isinstance(arrays, Mapping):
        raise DTypeError(f"write_safetensors: expected `arrays`, a dict of arrays by name, got {shown(arrays)}.")
    given = {key: np.asarray(array) for key, array in arrays.items()}
    little = {key: array.dtype.newbyteorder("<") for key, array in given.items()}
    for key, dtype in little.items():
        if dtype not in _NAMES:
            raise DTypeError(f"write_safetensors: {key!r}: expected numbers or bools, got {dtype}.")
    header: dict[str, Any] = {_ABOUT: dict(metadata)} if metadata else {}
    blocks, start = [], 0
    for key in sorted(given, key=lambda key: (list(_NAMES).index(little[key]), key)):
        array = given[key].astype(little[key], order="C")
        end = start + array.nbytes
        header[key] = {"dtype": _NAMES[little[key]], "shape": list(array.shape), "data_offsets": [start, end]}
        blocks.append(array.tobytes())
        start = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    write_whole(name, lambda file: file.writelines([len(text).to_bytes(8, "little"), text, *blocks]))


def read_safetensors(path: Any) -> dict[str, Array]:
    """Reads all arrays of a file.

    A file from a stranger is safe to read: what its header declares is compared with the file before memory is
    allocated. The format has no checksum, so numbers that were changed on the way are not noticed.

    Returns:
        New arrays by name, in the order of the file's header.

    Raises:
        ForeignFileError: there is no such file, it is cut short or damaged, or it is no safetensors file.
    """
    name = file_name("read_safetensors", path)
    with opened(name, ForeignFileError) as file:
        header = _header(name, file)
        begin, held, allowed = file.tell(), bytes_on_disk(file), room(file)
        size = size_of(file) - begin
        entries = {key: _entry(name, key, header[key], size) for key in header if key != _ABOUT}
        _check_offsets(name, entries, size)
        declared = sum(entry.end - entry.start for entry in entries.values())
        if declared > allowed:  # in a sparse file
            raise ForeignFileError(oversized(name, "its header", declared, held, allowed))
        return {key: _read(name, key, entry, file, begin) for key, entry in entries.items()}


class _Entry(NamedTuple):
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    end: int


def _header(name: str, file: BinaryIO) -> dict[str, Any]:
    size, begin = size_of(file), file.read(9)
    # A header's length can begin like a file of torch.save, but then a header follows.
    if begin[:2] in (b"PK", b"\x80\x02") and begin[8:9] != b"{":
        raise ForeignFileError(
            f"{name}: is a file of torch.save, not a safetensors file. Write one with "
            "safetensors.torch.save_file(module.state_dict(), path)."
        )
    length = int.from_bytes(begin[:8], "little")
    if size < 8 or 8 + length > size:
        raise ForeignFileError(
            f"{name}: is cut short, or is no safetensors file: its header should end at byte {8 + length} of {size}."
        )
    if length > HEADER_BYTES:
        raise ForeignFileError(
            f"{name}: is no safetensors file: its header declares {length:,} bytes; expected at most {HEADER_BYTES:,}."
        )
    file.seek(8)
    try:
        text = file.read(length)
        header = parse_json(text, HEADER_BYTES)
    except ValueError as error:
        raise ForeignFileError(f"{name}: is no safetensors file: its header is no JSON ({error}).") from None
    if not isinstance(header, dict) or not text.startswith(b"{"):
        raise ForeignFileError(f"{name}: is no safetensors file: its header is no JSON object.")
    about = header.get(_ABOUT, {})
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise ForeignFileError(f"{name}: is no safetensors file: its header's {_ABOUT} holds more than texts.")
    return header


def _entry(name: str, key: str, entry: Any, size: int) -> _Entry:
    """What the header says of an array."""
    found = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = (found.get(part) for part in ("dtype", "shape", "data_offsets"))
    if not (isinstance(dtype, str) and is_shape(shape) and is_shape(offsets) and len(offsets) == 2):
        raise ForeignFileError(
            f"{name}: is damaged, or no safetensors file: its header says of {key!r}: {entry!r:.200}."
        )
    if dtype not in _DTYPES:
        raise ForeignFileError(f"{name}: {key!r} is of dtype {dtype:.20}; expected one of {', '.join(_DTYPES)}.")
    made = _Entry(np.dtype(_DTYPES[dtype]), tuple(shape), *offsets)
    if made.end - made.start != prod(shape) * made.dtype.itemsize:
        raise ForeignFileError(
            f"{name}: is cut short, or damaged: {key!r} of shape {made.shape} should be bytes {made.start} to "
            f"{made.end} of {size}."
        )
    return made


def _check_offsets(name: str, entries: Mapping[str, _Entry], size: int) -> None:
    """Each array begins where the one before it ends, and the last one ends where the file does."""
    end = 0
    for key, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].end)):
        if entry.start != end:
            what = "overlaps the one before it" if entry.start < end else "leaves a gap before it"
            raise ForeignFileError(f"{name}: is damaged: {key!r} {what}: expected byte {end}, got {entry.start}.")
        end = entry.end
        if end > size:
            raise ForeignFileError(
                f"{name}: is cut short, or damaged: {key!r} of shape {entry.shape} should be bytes {entry.start} to "
                f"{end} of {size}."
            )
    if end != size:
        raise ForeignFileError(f"{name}: expected {end} bytes of numbers, as the header says, got {size}.")


def _read(name: str, key: str, entry: _Entry, file: BinaryIO, begin: int) -> Array:
    """Reads an array into new memory."""
    try:
        array = np.empty(entry.shape, entry.dtype)
    except ValueError as error:  # 0 rows of 2⁶¹ numbers
        raise ForeignFileError(f"{name}: is damaged: {key!r} cannot be of shape {entry.shape} ({error}).") from None
    file.seek(begin + entry.start)
    count = file.readinto(array.reshape(-1).view(np.uint8).data) if array.size else 0  # type: ignore[attr-defined]
    if count != array.nbytes:
        raise ForeignFileError(f"{name}: is cut short: {key!r} ends after {count} bytes of {array.nbytes}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)
