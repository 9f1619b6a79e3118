"""Errors of a cell's equations."""

from __future__ import annotations

import linecache

from minigrad.engine.errors import MinigradError


class EquationsError(MinigradError, SyntaxError):
    """Raised for equations of a cell that cannot be read, or contradict each other; the message names the line.

    Args:
        message: the whole message.
        file: the file that holds the line: a traceback shows the line itself.
        number: its number.
    """

    def __init__(self, message: str, file: str = "", number: int = 0) -> None:
        super().__init__(message)
        if number:
            self.filename, self.lineno, self.text = file, number, linecache.getline(file, number)

    def __str__(self) -> str:  # SyntaxError's text repeats the file and the line
        return str(self.msg)
