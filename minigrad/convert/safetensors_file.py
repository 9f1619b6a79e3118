"""Safetensors files, read and written with nothing but NumPy.

    8 bytes     N, the length of the header, little-endian
    N bytes     the header, JSON: {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}
    the rest    the arrays, end to end, little-endian, rows first; the offsets count from here

Nothing in such a file is ever run, unlike in a pickle.

Source: the format's description, https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from minigrad.backend.protocol import Array
from minigrad.convert.errors import ForeignFileError
from minigrad.convert.paths import content, file_name, writing
from minigrad.errors import DTypeError, shown

# In the order in which the arrays are written: the wide ones first, so that all stay aligned.
_DTYPES = {
    "U64": "<u8", "I64": "<i8", "F64": "<f8", "F32": "<f4", "U32": "<u4", "I32": "<i4", "F16": "<f2", "U16": "<u2",
    "I16": "<i2", "I8": "|i1", "U8": "|u1", "BOOL": "|b1",
}  # fmt: skip
_NAMES = {np.dtype(dtype): name for name, dtype in _DTYPES.items()}
_ABOUT = "__metadata__"  # the one key of the header that is no array


def write_safetensors(path: Any, arrays: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> None:
    """Writes named arrays, for ``safetensors.torch.load_file`` and everybody else.

    Args:
        path: the file; an old one is replaced.
        arrays: arrays by name, e.g. what `to_torch_state_dict` returns.
        metadata: strings by name, such as ``{"format": "pt"}``.

    Raises:
        ForeignFileError: the file cannot be written, e.g. for there is no such folder.
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
    temporary = f"{name}.{os.getpid()}.tmp"
    try:
        with writing(name), open(temporary, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            file.writelines(blocks)
        with writing(name):
            os.replace(temporary, name)
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)


def read_safetensors(path: Any) -> dict[str, Array]:
    """Reads all arrays of a file.

    Returns:
        New arrays by name, in the order of the file's header.

    Raises:
        ForeignFileError: there is no such file, it is cut short, or it is no safetensors file.
    """
    name = file_name("read_safetensors", path)
    header, data = _header(name, content(name))
    arrays = {key: _read(name, key, entry, data) for key, entry in header.items() if key != _ABOUT}
    used = sum(array.nbytes for array in arrays.values())
    if used != len(data):
        raise ForeignFileError(f"{name}: expected {used} bytes of numbers, as the header says, got {len(data)}.")
    return arrays


def _header(name: str, found: bytes) -> tuple[dict[str, Any], bytes]:
    # A header's length can begin like a file of torch.save, but then a header follows.
    if found[:2] in (b"PK", b"\x80\x02") and found[8:9] != b"{":
        raise ForeignFileError(
            f"{name}: is a file of torch.save, not a safetensors file. Write one with "
            "safetensors.torch.save_file(module.state_dict(), path)."
        )
    end = 8 + int.from_bytes(found[:8], "little")
    if end > len(found):
        raise ForeignFileError(f"{name}: is cut short, or is no safetensors file: its header should end at byte {end}.")
    try:
        header = json.loads(found[8:end].decode("utf-8"))
    except ValueError as error:
        raise ForeignFileError(f"{name}: is no safetensors file: its header is no JSON ({error}).") from None
    if not isinstance(header, dict):
        raise ForeignFileError(f"{name}: is no safetensors file: its header is no JSON object.")
    return header, found[end:]


def _read(name: str, key: str, entry: Any, data: bytes) -> Array:
    try:
        dtype, shape, (start, end) = (
            str(entry["dtype"]),
            tuple(map(int, entry["shape"])),
            map(int, entry["data_offsets"]),
        )
    except (KeyError, TypeError, ValueError):
        raise ForeignFileError(f"{name}: is no safetensors file: its header says of {key!r}: {entry!r}.") from None
    if dtype not in _DTYPES:
        raise ForeignFileError(f"{name}: {key!r} is of dtype {dtype}; expected one of {', '.join(_DTYPES)}.")
    size = prod(shape) * np.dtype(_DTYPES[dtype]).itemsize
    if min(shape, default=0) < 0 or not 0 <= start <= end <= len(data) or end - start != size:
        raise ForeignFileError(
            f"{name}: is cut short, or damaged: {key!r} of shape {shape} should be bytes {start} to {end} of "
            f"{len(data)}."
        )
    array = np.frombuffer(data, _DTYPES[dtype], prod(shape), start).reshape(shape)
    return array.astype(array.dtype.newbyteorder("="))
