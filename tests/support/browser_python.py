"""Take away from a process the modules and calls that Python in a browser lacks; it must run before other imports.

The list is of Pyodide 314.0.6 (Python 3.14, Emscripten): each module of the standard library was imported there, and a
thread, a process and a connection started. Older releases also lack `fcntl` and `termios`.
"""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
from importlib.abc import MetaPathFinder
from typing import Any, NoReturn

MISSING = frozenset({
    "_curses", "_multiprocessing", "_posixshmem", "curses", "dbm", "ensurepip", "fcntl", "grp", "msvcrt", "pwd",
    "readline", "resource", "syslog", "termios", "tkinter", "turtle", "venv", "winreg",
    "llvmlite", "numba", "cupy", "torch", "h5py", "onnx", "onnxruntime", "threadpoolctl",
})  # fmt: skip


class Missing(MetaPathFinder):
    """Finder that refuses the missing modules."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def no_thread(*args: Any, **kwargs: Any) -> NoReturn:
    raise RuntimeError("can't start new thread")


def no_process(*args: Any, **kwargs: Any) -> NoReturn:
    raise OSError(errno.ENOSYS, "emscripten does not support processes.")


def no_connection(*args: Any, **kwargs: Any) -> NoReturn:
    raise OSError(errno.EHOSTUNREACH, "Host is unreachable")


def take_away() -> None:
    """Take away the modules, threads, processes and sockets; no import can bring them back."""
    for name in [name for name in sys.modules if name.partition(".")[0] in MISSING]:
        del sys.modules[name]
    sys.meta_path.insert(0, Missing())
    threading.Thread.start = no_thread  # type: ignore[method-assign]
    subprocess.Popen.__init__ = no_process  # type: ignore[method-assign]
    for name in ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system", "popen"):
        if hasattr(os, name):
            setattr(os, name, no_process)
    socket.socket.connect = no_connection  # type: ignore[method-assign]
    socket.socket.bind = no_connection  # type: ignore[method-assign]
