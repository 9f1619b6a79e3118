"""Callbacks that keep the logs of each epoch: in memory, or in a file of comma-separated values."""

from __future__ import annotations

import os
from typing import Any

from minigrad.engine.errors import shown
from minigrad.engine.files import cannot_write, is_path, write_atomically
from minigrad.engine.kinds import text
from minigrad.keras.callbacks.base import Callback, Logs
from minigrad.layers.options import OptionError, flag


class History(Callback):
    """The logs of all epochs, as `fit` returns them.

    Attributes:
        history: for each name in the logs, its values, one for each epoch.
        epoch: the numbers of the epochs.
    """

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append the logs."""
        self.epoch.append(epoch)
        for name, value in self.read_logs("on_epoch_end", logs).items():
            self.history.setdefault(name, []).append(value)


class CSVLogger(Callback):
    """Write a line of numbers for each epoch, under a line of names.

    Args:
        filename: the file. Missing folders of the path are created, as `ModelCheckpoint` does.
        separator: the text between two numbers.
        append: whether to add to an existing file, under its names.
    """

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        if not text.read("CSVLogger: `separator`", separator):
            raise OptionError("CSVLogger: `separator`: expected a text between two numbers such as ',', got ''.")
        if not is_path(filename):
            raise OptionError(f"CSVLogger: `filename`: expected the path of a file, got {shown(filename)}.")
        self.filename, self.separator = str(os.fspath(filename)), separator
        self.append = flag.read("CSVLogger: `append`", append)
        self._names: list[str] = []

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Empty the file, or read the names in it."""
        self._names = []
        if self.silent:  # process 0 writes
            return
        if self.append and os.path.exists(self.filename):
            with open(self.filename, encoding="utf-8") as file:
                self._names = file.readline().rstrip("\n").split(self.separator)[1:]
        else:
            write_atomically(self.filename, lambda file: None)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Append a line."""
        logs = logs or {}
        if self.silent:
            return
        try:
            with open(self.filename, "a", encoding="utf-8") as file:
                if not self._names:
                    self._names = sorted(logs)
                    print("epoch", *self._names, sep=self.separator, file=file)
                print(epoch, *(logs.get(name, "NA") for name in self._names), sep=self.separator, file=file)
        except OSError as error:
            raise cannot_write(self.filename, error) from None
