"""Malicious files: HDF5 files that refer to others, and files that declare more than they hold."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

PLACES = {"weights.h5": "layers/dense/vars/0", "h5": "dense/kernel", "keras": "layers/dense/vars/0"}
"""The place of the first weight in each kind of file."""

CONFIG = {
    "class_name": "Sequential",
    "config": {"name": "s", "layers": [{"class_name": "Dense", "config": {"name": "dense", "units": 2}}]},
}


def keras_file(folder: Path, kind: str, put: Callable[[Any, str], None]) -> Path:
    """Write a file of one kernel, which `put(file, place)` adds.

    Args:
        folder: the folder for it.
        kind: a key of PLACES.
        put: puts the kernel at a place in the HDF5 file.
    """
    import h5py

    path = folder / f"model.{kind}"
    inner = folder / "inner.h5" if kind == "keras" else path
    with h5py.File(inner, "w", libver="latest") as file:
        if kind == "h5":
            file.attrs["keras_version"], file.attrs["layer_names"] = "2.15.0", [b"dense"]
            file.create_group("dense").attrs["weight_names"] = [b"kernel"]
        else:
            file.create_group("layers/dense/vars")
        put(file, PLACES[kind])
    if kind == "keras":
        archive(path, {"config.json": json.dumps(CONFIG).encode(), "model.weights.h5": inner.read_bytes()})
        inner.unlink()
    return path


def archive(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Write a zip archive."""
    with zipfile.ZipFile(path, "w", method) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


def npy(array: Any) -> bytes:
    """Return an array in NumPy's format 1.0."""
    return header(array.dtype.str, array.shape) + array.tobytes()


def header(descr: Any, shape: Any, by_columns: Any = False) -> bytes:
    """Return the header of an array in NumPy's format 1.0, with any description."""
    text = f"{{'descr': {descr!r}, 'fortran_order': {by_columns!r}, 'shape': {shape!r}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


class Member(NamedTuple):
    """A member of a zip archive, with any declared sizes.

    Attributes:
        name: its name in the directory.
        packed: its bytes in the archive.
        method: 0, stored, or 8, deflated.
        size: its declared size.
        crc: its declared checksum; None for that of `packed`.
        flags: bit 0 marks it as encrypted.
        at: its place in the file; None for the place after the one before.
        local: its name at that place; None for the same.
    """

    name: str
    packed: bytes
    method: int = 0
    size: int | None = None
    crc: int | None = None
    flags: int = 0
    at: int | None = None
    local: str | None = None


def crafted(path: Path, members: list[Member]) -> Path:
    """Write a zip archive byte by byte."""
    body, directory = b"", b""
    for m in members:
        at = len(body) if m.at is None else m.at
        crc = zlib.crc32(m.packed) if m.crc is None else m.crc
        size = len(m.packed) if m.size is None else m.size
        wide = size >= 2**32 - 1
        extra = struct.pack("<HHQQ", 1, 16, size, len(m.packed)) if wide else b""
        sizes = (2**32 - 1, 2**32 - 1) if wide else (len(m.packed), size)
        for_name = (m.name if m.local is None else m.local).encode()
        fields = struct.pack("<HHHHHIII", 45, m.flags, m.method, 0, 0x21, crc, *sizes)
        if m.at is None:
            body += b"PK\x03\x04" + fields + struct.pack("<HH", len(for_name), len(extra)) + for_name + extra + m.packed
        directory += b"PK\x01\x02" + struct.pack("<H", 45) + fields
        directory += struct.pack("<HHHHHII", len(m.name.encode()), len(extra), 0, 0, 0, 0, at) + m.name.encode() + extra
    count = min(len(members), 2**16 - 1)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path


def deflated_zeros(mebibytes: int, begin: bytes = b"") -> bytes:
    """Return a deflate stream of `begin` and many MiB of zeros, without compressing them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(begin) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + block * mebibytes + packer.flush()
