"""A printed loop as a module, whose text is in a file next to Numba's cache, so that the next process finds both.

A file is named after its text, so it never changes. It is written under a temporary name and then renamed atomically,
since two processes may write it at once. Its modification time is a constant, by which Numba recognizes the file.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from minigrad_numba.compiling import cache_folder

_modules: dict[str, ModuleType] = {}
_lock = threading.Lock()


def module_of(title: str, text: str) -> ModuleType:
    """Return the module with this text, the same object for the same text.

    Args:
        title: the cell's name in messages, such as "LSTM".
        text: the text of the module.
    """
    with _lock:
        if text not in _modules:
            name = f"minigrad_loop_{title.lower()}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
            _modules[text] = _module(name, text)
        return _modules[text]


def _module(name: str, text: str) -> ModuleType:
    path = write_once(cache_folder(), name, text)
    module: Any = ModuleType(name)
    module.__file__ = str(path)
    exec(compile(text, str(path), "exec"), vars(module))  # noqa: S102  (the printer's text)
    sys.modules[name] = module  # where Numba looks for it
    return module  # type: ignore[no-any-return]


def write_once(folder: Path, name: str, text: str) -> Path:
    """Write a file with this text unless it exists; return its path."""
    path = folder / f"{name}.py"
    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(".py", name, folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.utime(temporary, (0, 0))
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path
