"""Folders that the commands write to, checked before the work begins."""

from __future__ import annotations

import os
from pathlib import Path

from lessons.builder.percent import LessonError


def folder_to_write(folder: Path, name: str = "FOLDER") -> Path:
    """Make a folder; return it.

    Args:
        folder: its path.
        name: of the command's argument.

    Raises:
        LessonError: it cannot be made, or not be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LessonError(f"expected {name} to be a folder to write to, got {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LessonError(f"expected {name} to be a folder to write to, got {folder}: Permission denied")
    return folder
