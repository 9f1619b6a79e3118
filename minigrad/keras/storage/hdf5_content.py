"""Attributes and weights of an HDF5 file, read by a separate process (`minigrad.keras.storage.hdf5_worker`)."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from math import prod
from multiprocessing import spawn
from pathlib import Path
from threading import Timer
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from minigrad.engine.protocol import Array
from minigrad.keras.storage import hdf5_worker
from minigrad.keras.storage.errors import ForeignFileError, missing_library

_START = "import json, runpy, sys; sys.path[:] = json.loads(sys.argv.pop(1)); sys.argv.pop(0); "
_START += "runpy.run_path(sys.argv[0], run_name='__main__')"
_NO_PROCESSES = ("emscripten", "wasi")  # Python in a browser: HDF5 runs in this process
SECONDS, BYTES_PER_SECOND = 10, 10_000_000  # of processor time
_ANSWER_BYTES = 2**30  # of the description of all arrays


class Hdf5Content(NamedTuple):
    """Attributes and weights of a file.

    Attributes:
        attributes: strings by the path of a group, ``""`` for the root, and the attribute's name.
        arrays: the weights by path.
    """

    attributes: dict[str, dict[str, list[str]]]
    arrays: dict[str, Array]


def read_hdf5(name: str, file: BinaryIO, size: int, room: int) -> Hdf5Content:
    """Read an HDF5 file from an untrusted source.

    Args:
        name: the file, for messages.
        file: the open file.
        size: its length in bytes.
        room: the largest size of its arrays in bytes.

    Raises:
        ForeignFileError: it is not an HDF5 file, is damaged, declares more than `room`, or holds unsupported content.
        MissingLibraryError: h5py is not installed.
    """
    if find_spec("h5py") is None:
        raise missing_library("read_keras", "h5py", "keras-files")
    if sys.platform in _NO_PROCESSES or not spawn.get_executable():
        sink = io.BytesIO()
        hdf5_worker.send(file, sink, size, room)
        sink.seek(0)
        return _received(name, sink)
    return _read_in_process(name, file, size, room)


def _read_in_process(name: str, file: BinaryIO, size: int, room: int) -> Hdf5Content:
    seconds = SECONDS + room // BYTES_PER_SECOND
    command = [os.fsdecode(spawn.get_executable()), "-I", "-S", "-c", _START]
    command += [json.dumps([str(Path(entry).resolve()) for entry in sys.path]), hdf5_worker.__file__]
    file.seek(0)
    with subprocess.Popen(  # noqa: S603 (this Python runs a module of minigrad)
        [*command, str(size), str(room), str(seconds)],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        timer = Timer(
            1 + 10 * seconds, process.kill
        )  # for a system without a limit of processor time, or a process that waits
        timer.start()
        try:
            return _received(name, process.stdout)
        except EOFError:
            code = process.wait()
            how = f"signal {-code}" if code < 0 else f"exit status {code}"
            raise ForeignFileError(
                f"{name}: is damaged: HDF5's library crashed while it read the file ({how}), or took more than "
                f"{seconds} seconds or {room:,} bytes. It ran in a separate process."
            ) from None
        finally:
            timer.cancel()
            process.kill()


def _received(name: str, answer: Any) -> Hdf5Content:
    """Read the answer of the worker.

    Raises:
        ForeignFileError: the worker refused the file.
        EOFError: the answer is incomplete.
    """
    _check_accepted(name, answer)
    described = json.loads(_exactly(answer, _length(answer)))
    arrays = {}
    for path, dtype, shape in described["arrays"]:
        _check_accepted(name, answer)
        array = np.empty(prod(shape), dtype)
        _fill(answer, array)
        arrays[path] = array.reshape(shape)
    return Hdf5Content(described["attributes"], arrays)


def _check_accepted(name: str, answer: Any) -> None:
    if _exactly(answer, 1) == b"\x00":
        raise ForeignFileError(f"{name}: {_exactly(answer, _length(answer)).decode('utf-8', 'replace')}")


def _length(answer: Any) -> int:
    return min(int.from_bytes(_exactly(answer, 8), "little"), _ANSWER_BYTES)


def _exactly(answer: Any, count: int) -> bytes:
    found: bytes = answer.read(count)
    if len(found) < count:
        raise EOFError
    return found


def _fill(answer: Any, array: Array) -> None:
    into = array.view(np.uint8).data
    if into.nbytes and answer.readinto(into) < into.nbytes:
        raise EOFError
