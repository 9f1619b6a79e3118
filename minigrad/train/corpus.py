"""Training text: a file that the user names, or the Python standard library of this machine."""

from __future__ import annotations

import hashlib
import math
import sysconfig
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from pathlib import Path

import numpy as np

from minigrad.engine.files import read_file
from minigrad.engine.protocol import Array
from minigrad.train.errors import DataError

UNKNOWN = "\N{REPLACEMENT CHARACTER}"
"""Replacement for every character outside of the vocabulary; always its first entry."""

# Tests, installed packages, and modules that hold tables or prose instead of code.
EXCLUDED = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__"}
EXCLUDED |= {"encodings", "pydoc_data", "entities.py"}
MAX_PER_FILE = 20_000  # characters
MAX_FILE_BYTES = 1 << 30  # the task takes about ten times as much memory
MAX_CHARACTER_BYTES = 4  # in UTF-8


def read_text(path: str | Path, characters: int | None = None) -> str:
    """Return the text of a UTF-8 file, each line end as one newline.

    Args:
        path: the file.
        characters: the number of characters needed; None reads all. Only as many bytes as these can take are read.

    Raises:
        DataError: the file is missing, unreadable, empty, too large, or not UTF-8 (the message names the byte).
    """
    first = math.inf if characters is None else MAX_CHARACTER_BYTES * characters + len(BOM_UTF8)
    data = read_bytes(path, int(first) if first <= MAX_FILE_BYTES else None)
    try:
        text = getincrementaldecoder("utf-8-sig")().decode(data, final=len(data) != first)
    except UnicodeDecodeError as error:
        encoding = "UTF-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "LATIN1"
        raise DataError(
            f"--file {path}: expected UTF-8 text, but byte {error.start} (of {len(data)}) is "
            f"0x{data[error.start]:02x}, which is invalid there. Convert the file, e.g. with "
            f"iconv -f {encoding} -t UTF-8."
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_bytes(path: str | Path, first: int | None = None) -> bytes:
    """Return the content of a file that is not empty, or its `first` bytes."""
    data = read_file(path, DataError, f"--file {path}", most=MAX_FILE_BYTES, first=first)
    if not data:
        raise DataError(f"--file {path}: expected text, got an empty file. Name another one.")
    return data


def standard_library(limit: int) -> str:
    """Return source files of the standard library, one after the other, up to `limit` characters.

    The choice and the order of files depend on their names alone. Files are sorted by the hash of
    their path, which mixes packages well and is equal in every run. Only the first 20,000 characters
    of each file are taken, so that no file dominates the text or the part held out.

    Raises:
        DataError: the library's folder has no source files.
    """
    root = Path(sysconfig.get_path("stdlib"))
    files = [
        path.relative_to(root) for path in root.rglob("*.py") if not EXCLUDED.intersection(path.relative_to(root).parts)
    ]
    files.sort(key=lambda path: hashlib.sha256(path.as_posix().encode()).digest())
    parts, length = [], 0
    for path in files:
        if length >= limit:
            break
        text = read_text(root / path)[:MAX_PER_FILE] if (root / path).stat().st_size else ""
        parts.append(text)
        length += len(text)
    if not length:
        raise DataError(f"text: expected Python source files in {root}, got none. Name a text with --file PATH.")
    return "".join(parts)[:limit]


class Vocabulary:
    """The characters of a model and their numbers; number 0 stands for every other character."""

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._numbers = np.zeros(0x110000, np.int32)
        self._numbers[_code_points(characters)] = np.arange(len(characters))
        self._numbers[ord(UNKNOWN)] = 0

    @classmethod
    def of(cls, text: str, limit: int) -> Vocabulary:
        """Return the vocabulary of a text: its `limit` − 1 most frequent characters, sorted."""
        points, counts = np.unique(_code_points(text), return_counts=True)
        frequent = points[np.argsort(-counts, kind="stable")[: limit - 1]]
        characters = sorted(chr(point) for point in frequent if chr(point) != UNKNOWN)
        return cls(UNKNOWN + "".join(characters))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> Array:
        """Return the numbers of a text's characters, (characters,) int32."""
        return self._numbers[_code_points(text)]

    def decode(self, numbers: Array) -> str:
        """Return the text that numbers stand for."""
        return "".join(self.characters[number] for number in numbers)

    def missing(self, text: str) -> list[str]:
        """Return the characters of a text that are outside of the vocabulary, sorted."""
        return sorted(set(text) - set(self.characters[1:]))


def _code_points(text: str) -> Array:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
