"""Reader and writer of safetensors files, with NumPy alone.

    8 bytes     N, the length of the header, little-endian
    N bytes     the header, JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
    the rest    the arrays, end to end, little-endian, rows first; the offsets count from here

Unlike a pickle, such a file contains no code.

Source: the format's description, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from minigrad.engine.arguments import dictionary
from minigrad.engine.arguments import text as a_text
from minigrad.engine.errors import DTypeError, shown
from minigrad.engine.protocol import Array
from minigrad.engine.untrusted import bytes_on_disk, is_shape, opened, oversized, parse_json, room, size_of
from minigrad.keras.storage.errors import ForeignFileError
from minigrad.keras.storage.paths import file_name, write_file

# In the order in which the arrays are written: wide types first, so that all arrays are aligned.
_DTYPES = {
    "U64": "<u8", "I64": "<i8", "F64": "<f8", "F32": "<f4", "U32": "<u4", "I32": "<i4", "F16": "<f2", "U16": "<u2",
    "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
HEADER_BYTES = 100_000_000  # the limit of the package `safetensors`
_ABOUT = "__metadata__"  # the only key of the header that is not an array


def write_safetensors(path: Any, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Write named arrays, which ``safetensors.torch.load_file`` and other readers load.

    Args:
        path: the file; an existing one is replaced, atomically and only by a complete file.
        arrays: arrays by name, e.g. from `to_torch_state_dict`.
        metadata: strings by name, such as ``{"format": "pt"}``.

    Raises:
        ForeignFileError: the file cannot be written, e.g. because the folder does not exist, or the path is a device.
        DTypeError: the format does not have a dtype; or `path` is not a path, or `arrays` not a dict.
    """
    name = file_name("write_safetensors", path, "The file comes first, then the arrays.")
    if not isinstance(arrays, Mapping):
        raise DTypeError(f"write_safetensors: expected `arrays`, a dict of arrays by name, got {shown(arrays)}.")
    about = dictionary("write_safetensors: `metadata`", {} if metadata is None else metadata)
    for key, value in about.items():
        a_text(f"write_safetensors: `metadata`: {key!r}", value)
    given = {key: np.asarray(array) for key, array in arrays.items()}
    little = {key: array.dtype.newbyteorder("<") for key, array in given.items()}
    for key, dtype in little.items():
        if dtype not in _NAMES:
            raise DTypeError(f"write_safetensors: `arrays`[{shown(key)}]: expected numbers or bools, got {dtype}.")
    header: dict[str, Any] = {_ABOUT: dict(about)} if about else {}
    blocks, start = [], 0
    for key in sorted(given, key=lambda key: (list(_NAMES).index(little[key]), key)):
        array = given[key].astype(little[key], order="C")
        end = start + array.nbytes
        header[key] = {"dtype": _NAMES[little[key]], "shape": list(array.shape), "data_offsets": [start, end]}
        blocks.append(array.tobytes())
        start = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    write_file(name, lambda file: file.writelines([len(text).to_bytes(8, "little"), text, *blocks]))


def read_safetensors(path: Any) -> dict[str, Array]:
    """Read all arrays of a file.

    An untrusted file is safe to read: sizes declared in its header are compared with the file before memory is
    allocated. The format has no checksum, so changed numbers are not detected.

    Returns:
        New arrays by name, in the order of the file's header.

    Raises:
        ForeignFileError: the file is missing, cut short, damaged, or not a safetensors file.
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
    # The length of a header can begin with the same bytes as a file of torch.save, but then a header follows.
    if begin[:2] in (b"PK", b"\x80\x02") and begin[8:9] != b"{":
        raise ForeignFileError(
            f"{name}: is a file of torch.save, not a safetensors file. Write one with "
            "safetensors.torch.save_file(module.state_dict(), path)."
        )
    length = int.from_bytes(begin[:8], "little")
    if size < 8 or 8 + length > size:
        raise ForeignFileError(
            f"{name}: is cut short, or is not a safetensors file: its header should end at byte {8 + length} of {size}."
        )
    if length > HEADER_BYTES:
        raise ForeignFileError(
            f"{name}: is not a safetensors file: its header declares {length:,} bytes; "
            f"expected at most {HEADER_BYTES:,}."
        )
    file.seek(8)
    try:
        text = file.read(length)
        header = parse_json(text, HEADER_BYTES)
    except ValueError as error:
        raise ForeignFileError(f"{name}: is not a safetensors file: its header is not JSON ({error}).") from None
    if not isinstance(header, dict) or not text.startswith(b"{"):
        raise ForeignFileError(f"{name}: is not a safetensors file: its header is not a JSON object.")
    about = header.get(_ABOUT, {})
    if not isinstance(about, dict) or not all(isinstance(text, str) for text in about.values()):
        raise ForeignFileError(
            f"{name}: is not a safetensors file: its header's {_ABOUT} has values that are not strings."
        )
    return header


def _entry(name: str, key: str, entry: Any, size: int) -> _Entry:
    """The dtype, shape and offsets of an array in the header."""
    found = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = (found.get(part) for part in ("dtype", "shape", "data_offsets"))
    if not (isinstance(dtype, str) and is_shape(shape) and is_shape(offsets) and len(offsets) == 2):
        raise ForeignFileError(
            f"{name}: is damaged, or not a safetensors file: its header describes {key!r} as {entry!r:.200}."
        )
    if dtype not in _DTYPES:
        raise ForeignFileError(f"{name}: {key!r} is of dtype {dtype:.20}; expected one of {', '.join(_DTYPES)}.")
    parsed = _Entry(np.dtype(_DTYPES[dtype]), tuple(shape), *offsets)
    if parsed.end - parsed.start != prod(shape) * parsed.dtype.itemsize:
        raise ForeignFileError(
            f"{name}: is cut short, or damaged: {key!r} of shape {parsed.shape} should be bytes {parsed.start} to "
            f"{parsed.end} of {size}."
        )
    return parsed


def _check_offsets(name: str, entries: Mapping[str, _Entry], size: int) -> None:
    """Check that each array begins at the end of the one before it, and that the last ends with the file."""
    end = 0
    for key, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].end)):
        if entry.start != end:
            fault = "overlaps the one before it" if entry.start < end else "leaves a gap before it"
            raise ForeignFileError(f"{name}: is damaged: {key!r} {fault}: expected byte {end}, got {entry.start}.")
        end = entry.end
        if end > size:
            raise ForeignFileError(
                f"{name}: is cut short, or damaged: {key!r} of shape {entry.shape} should be bytes {entry.start} to "
                f"{end} of {size}."
            )
    if end != size:
        raise ForeignFileError(f"{name}: expected {end} bytes of numbers, as in the header, got {size}.")


def _read(name: str, key: str, entry: _Entry, file: BinaryIO, begin: int) -> Array:
    """Read an array into new memory."""
    try:
        array = np.empty(entry.shape, entry.dtype)
    except ValueError as error:  # 0 rows of 2⁶¹ numbers
        raise ForeignFileError(f"{name}: is damaged: {key!r} cannot be of shape {entry.shape} ({error}).") from None
    file.seek(begin + entry.start)
    count = file.readinto(array.reshape(-1).view(np.uint8).data) if array.size else 0  # type: ignore[attr-defined]
    if count != array.nbytes:
        raise ForeignFileError(f"{name}: is cut short: {key!r} ends after {count} bytes of {array.nbytes}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)
