"""Reading of HDF5 files as in `keras.storage.hdf5_content`, but in forks of one process: a hundred times faster."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.convert import hdf5_content, hdf5_worker
from minigrad.keras.storage.errors import ForeignFileError

SERVER = """if True:
    import os, runpy, sys
    import h5py
    worker = runpy.run_path(sys.argv[1])
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                path, answer, size, room = line.rstrip().split("|")
                worker["limit_memory_and_time"](int(room) + 256 * 2**20, 3)
                with open(path, "rb") as file, open(answer, "wb") as sink:
                    worker["send"](file, sink, int(size), int(room))
                code = 0
            finally:
                os._exit(code)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@contextmanager
def forked(folder: Any) -> Iterator[None]:
    """Read HDF5 files in forks inside the block."""
    before = hdf5_content._read_in_process
    command = [sys.executable, "-c", SERVER, hdf5_worker.__file__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def read(name: str, file: Any, size: int, room: int) -> Any:
            source, answer = os.path.join(folder, "source"), os.path.join(folder, "answer")
            file.seek(0)
            with open(source, "wb") as copy:
                copy.write(file.read())
            server.stdin.write(f"{source}|{answer}|{size}|{room}\n")
            server.stdin.flush()
            code = int(server.stdout.readline())
            with open(answer, "rb") as sent:
                try:
                    return hdf5_content._received(name, sent)
                except EOFError:
                    raise ForeignFileError(f"{name}: HDF5's library crashed ({code}).") from None

        hdf5_content._read_in_process = read
        try:
            yield
        finally:
            hdf5_content._read_in_process = before
            server.stdin.close()
