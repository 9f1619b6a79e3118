"""Untrusted files: declared sizes are compared with the content, only plain files are read, and JSON has limits."""

from __future__ import annotations

import errno
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from file_errors import CANNOT_READ
from minigrad.convert import read_keras, read_safetensors, write_safetensors
from minigrad.engine import untrusted
from minigrad.engine.errors import MinigradError
from minigrad.engine.npz import read_arrays, write_arrays
from minigrad.engine.untrusted import (
    ALWAYS,
    JSON_DEPTH,
    JSON_VALUES,
    RATIO,
    bytes_on_disk,
    is_shape,
    opened,
    parse_json,
    room,
    size_of,
)
from minigrad.tracing.trace import Trace


class StrangeError(MinigradError):
    """The error that the tests ask for."""


def test_a_plain_file_is_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with opened(tmp_path / "a", StrangeError) as file:
        assert (size_of(file), file.read()) == (3, b"abc")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("pipe", f"pipe: {CANNOT_READ} expected a plain file, got a device or a pipe."),
        ("zero", f"zero: {CANNOT_READ} expected a plain file, got a device or a pipe."),
        ("folder", "folder: cannot be read: Is a directory."),
        ("nowhere", "nowhere: cannot be read: No such file or directory."),
        ("nul\0l", "cannot be read: embedded null byte."),
    ],
)
def test_what_is_no_plain_file_is_refused_at_once(kind: str, says: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    begin = time.perf_counter()
    with pytest.raises(StrangeError) as caught, opened(tmp_path / kind, StrangeError):
        pass
    assert says in str(caught.value)
    assert time.perf_counter() - begin < 1


class Fails(io.FileIO):
    """A file of whose bytes only the first can be read, as on a broken disk."""

    whole = 0

    def readinto(self, buffer: Any) -> int | None:
        if self.tell() >= self.whole:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().readinto(memoryview(buffer)[: self.whole - self.tell()])

    readall = None  # type: ignore[assignment]  # BufferedReader then reads piece by piece


@pytest.mark.parametrize("kind", ["npz", "safetensors", "keras", "trace"])
def test_a_disk_that_fails_while_a_file_is_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"a.{kind}"
    readers: dict[str, Callable[[], Any]] = {
        "npz": lambda: read_arrays(path, StrangeError),
        "safetensors": lambda: read_safetensors(path),
        "keras": lambda: read_keras(path),
        "trace": lambda: Trace.load(path),
    }
    if kind == "safetensors":
        write_safetensors(path, {"a": np.ones(5000)})
    else:
        write_arrays(path, {"a": np.ones(5000)})
    size = path.stat().st_size
    monkeypatch.setattr(untrusted.os, "fdopen", lambda descriptor, mode: io.BufferedReader(Fails(descriptor, mode)))
    for Fails.whole in (0, 1, 8, 50, 4096, 20_000, size - 30, size - 1):
        with pytest.raises(MinigradError, match=rf"a\.{kind}: "):
            readers[kind]()


@pytest.mark.skipif(not hasattr(os, "SEEK_HOLE"), reason="the system does not tell holes")
@pytest.mark.parametrize("length", [10**9, 10**12])
def test_holes_are_not_on_the_disk(length: int, tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.write(b"begin" * 1000)
        file.seek(length // 2)
        file.write(b"middle" * 1000)
        file.truncate(length)
    with opened(tmp_path / "sparse", StrangeError) as file:
        file.read(3)
        assert size_of(file) == length
        assert bytes_on_disk(file) < 10**6
        assert room(file) == ALWAYS
        assert room(file, 7 * 10**9) == ALWAYS + 7 * 10**9
        assert file.read(2) == b"in"  # the place is kept


def test_a_large_file_may_take_more(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(range(256)) * (ALWAYS // RATIO // 128))
    with opened(tmp_path / "large", StrangeError) as file:
        assert room(file) == RATIO * size_of(file) > ALWAYS


@pytest.mark.parametrize("shape", [[], [0], [2, 3], [1] * 32, (5,)])
def test_shapes(shape: Any) -> None:
    assert is_shape(shape)


@pytest.mark.parametrize("shape", [[2.0], [2.9], [-1], [True], ["3"], [None], [[3]], [2**62], [1] * 70, None, 3, "12"])
def test_what_is_no_shape(shape: Any) -> None:
    assert not is_shape(shape)


@pytest.mark.parametrize("value", [{}, [], {"a": [1, 2.5, None, True, "ä", {"b": {}}]}, "[[[[{,:", -0.0, 10**100])
def test_json(value: Any) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "Expecting value"),
        (b"{} x", "Extra data"),
        (b"\xff", "can't decode"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' occurs twice"),
        (b"[1e400]", "1e400 is too large"),
        (b"[-1e999]", "-1e999 is too large"),
        (b"[" + b"9" * 5000 + b"]", "4300 digits"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply"),
        (b"[" * (JSON_DEPTH + 1) + b"]" * (JSON_DEPTH + 1), "nested more than 100 deep"),
        (b"[" + b"[]," * (JSON_VALUES // 2) + b"1]", "at most 1,000,000 values, got up to 1,000,001"),
        (b" " * (2**24 + 1), "at most 16,777,216 bytes, got 16,777,217"),
    ],
)
def test_json_that_is_refused(text: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_json(text)


def test_json_as_deep_as_may_be() -> None:
    assert parse_json(b"[" * JSON_DEPTH + b"]" * JSON_DEPTH)[0][0][0]
