"""Untrusted zip archives (``.npz``, ``.keras``): the directory is checked before anything is unpacked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from minigrad.engine.errors import MinigradError
from minigrad.engine.untrusted import bytes_on_disk, opened, oversized, room, size_of

DIRECTORY_BYTES = 8 * 2**20  # about 80,000 members
_LOCAL_HEADER = 30  # bytes, before a member's name
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED, _STREAMED = 0x1, 0x8
_DESCRIPTOR = 24  # bytes after a streamed member, at most
# Errors of zipfile and zlib on damaged bytes.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, RuntimeError, ValueError, LookupError,
    OverflowError,
)  # fmt: skip


class DamagedError(Exception):
    """Damaged archive. The message, the end of a sentence, says what is damaged."""


class Archive:
    """The members of a zip archive by name.

    Attributes:
        path: the file.
        sizes: the unpacked size of each member in bytes.
        disk_bytes: the bytes of the file that are on the disk.
        room: how many bytes may be allocated for the file; see `minigrad.engine.untrusted`.
    """

    def __init__(self, path: Any, file: BinaryIO, wanted: int, error: type[MinigradError], advice: str) -> None:
        self.path, self.disk_bytes, self.room = path, bytes_on_disk(file), room(file, wanted)
        self._error, self._advice = error, advice
        try:
            reader = _Reader(file)
            self._zip = zipfile.ZipFile(reader)
            reader.limit = size_of(file)
            members = self._zip.infolist()
            _check_members(members, self._zip.start_dir, file)
        except DamagedError:
            raise
        except _DAMAGE as failure:
            raise DamagedError(str(failure)) from None
        self.sizes = {member.filename: member.file_size for member in members}

    def check_room(self, names: list[str]) -> None:
        """Compare the unpacked size of some members with the room.

        Raises:
            MinigradError: they are larger.
        """
        declared = sum(self.sizes[name] for name in names)
        if declared > self.room:
            what = repr(names[0]) if len(names) == 1 else f"an archive of {len(names)} members"
            raise self._error(oversized(self.path, what, declared, self.disk_bytes, self.room) + self._advice)

    @contextmanager
    def member(self, name: str) -> Iterator[BinaryIO]:
        """Open a member to read. Its checksum is compared at its end.

        Raises:
            DamagedError: it cannot be unpacked.
        """
        try:
            with self._zip.open(name) as file:
                yield file  # type: ignore[misc]
                if file.read(1):
                    raise DamagedError(f"{name!r} is longer than its declared size")
        except MinigradError:
            raise
        except _DAMAGE as failure:
            raise DamagedError(f"{failure}") from None

    def first_bytes(self, name: str, count: int) -> bytes:
        """Return the first bytes of a member, unpacked; the others stay packed.

        Raises:
            DamagedError: it cannot be unpacked.
        """
        try:
            with self._zip.open(name) as file:
                return file.read(count)
        except _DAMAGE as failure:
            raise DamagedError(f"{failure}") from None

    def read(self, name: str, limit: int) -> bytes:
        """Return the content of a small member.

        Raises:
            DamagedError: it cannot be unpacked, or is larger than `limit` bytes.
        """
        if self.sizes[name] > limit:
            raise DamagedError(f"{name!r} declares {self.sizes[name]:,} bytes; expected at most {limit:,}")
        with self.member(name) as file:
            return file.read(self.sizes[name])


@contextmanager
def archive(path: Any, error: type[MinigradError], advice: str = "", wanted: int = 0) -> Iterator[Archive]:
    """Open a zip archive and check its directory.

    Args:
        path: the file.
        error: the class of the error to raise.
        advice: the end of each message: what to do about such a file.
        wanted: the bytes that the weights of the model need, if there is a model.

    Raises:
        MinigradError: an `error`: the file cannot be read.
        DamagedError: it is not a zip archive, or its directory is invalid: members overlap or share a name, or are
            encrypted or packed by another method than zip's deflate.
    """
    with opened(path, error) as file:
        yield Archive(path, file, wanted, error, advice)


class _Reader:
    """A file for `zipfile`, which reads a directory of any length at once: this one refuses a long one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.limit = file, DIRECTORY_BYTES
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, count: int = -1) -> bytes:
        if count > self.limit:
            raise DamagedError(f"it declares a directory of {count:,} bytes; expected at most {self.limit:,}")
        return self._file.read(self.limit if count < 0 else count)


def _check_members(members: list[zipfile.ZipInfo], end: int, file: BinaryIO) -> None:
    """Check a directory: each name once, each byte of the file in one place.

    Args:
        members: the directory.
        end: the position in the file where it begins, and the members end.
        file: the archive.

    Raises:
        DamagedError: names or places overlap, or a member is encrypted or packed by an unknown method.
    """
    names: set[str] = set()
    for member in members:
        if member.filename in names:
            raise DamagedError(f"it has two members named {member.filename!r}")
        names.add(member.filename)
        if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
            raise DamagedError(f"{member.filename!r} is encrypted, or packed by an unknown method")
        if member.compress_type == zipfile.ZIP_STORED and member.compress_size != member.file_size:
            raise DamagedError(f"{member.filename!r} has two sizes, {member.compress_size} and {member.file_size}")
    for member in sorted(members, key=lambda member: member.header_offset, reverse=True):
        rest = end - member.header_offset - member.compress_size - _local_header(file, member)
        if rest < 0:
            raise DamagedError(f"{member.filename!r} overlaps another member, or the file is cut short")
        if rest > (_DESCRIPTOR if member.flag_bits & _STREAMED else 0):
            raise DamagedError(f"it has {rest:,} bytes after {member.filename!r} that belong to no member")
        end = member.header_offset
    if end:
        raise DamagedError(f"it has {end:,} bytes before its first member")


def _local_header(file: BinaryIO, member: zipfile.ZipInfo) -> int:
    """Return the length of the header before a member's bytes."""
    if member.header_offset < 0:
        raise DamagedError(f"{member.filename!r} begins before the file")
    file.seek(member.header_offset)
    begin = file.read(_LOCAL_HEADER)
    if len(begin) < _LOCAL_HEADER or not begin.startswith(b"PK\x03\x04"):
        raise DamagedError(f"{member.filename!r} is not where its directory says, or the file is cut short")
    name, extra = struct.unpack("<HH", begin[-4:])
    return _LOCAL_HEADER + int(name) + int(extra)
