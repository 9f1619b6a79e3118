"""A printed loop as a module: its text lies in a file, beside what Numba keeps on disk, so that both are found again.

A file is named after its text, so it never changes. It is written under another name and then moved, all at once, since
two processes may come at the same time; and its time is set to a fixed one, by which Numba tells that it is the same.
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
    """Returns the module with this text, the same one for the same text.

    Args:
        title: a name for people, such as "LSTM".
        text: the module.
    """
    with _lock:
        if text not in _modules:
            name = f"minigrad_loop_{title.lower()}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
            _modules[text] = _module(name, text)
        return _modules[text]


def _module(name: str, text: str) -> ModuleType:
    path = written(cache_folder(), name, text)
    module: Any = ModuleType(name)
    module.__file__ = str(path)
    exec(compile(text, str(path), "exec"), vars(module))  # noqa: S102  (text of our own)
    sys.modules[name] = module  # where Numba looks for it
    return module  # type: ignore[no-any-return]


def written(folder: Path, name: str, text: str) -> Path:
    """Returns the file with this text, which is written unless it is there."""
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
