"""The progress that `fit` shows: a bar for each epoch on a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO

from minigrad.engine.errors import OptionError, shown
from minigrad.keras.callbacks.base import Callback, Logs
from minigrad.layers.options import choice

SECONDS_BETWEEN_REFRESHES = 0.1  # the numbers in the bar change at most this often, so that they can be read


def formatted(logs: Logs) -> str:
    """Return ``"loss: 0.1234 - accuracy: 0.9000"``."""
    return " - ".join(f"{name}: {value:{'.4f' if abs(value) >= 1e-3 else '.4g'}}" for name, value in logs.items())


class ProgbarLogger(Callback):
    """Show the progress of the training.

    Args:
        verbose: 1 or ``"auto"`` for a bar where the stream is a terminal, 2 for a line an epoch in any case.
        stream: the stream to write to; standard output by default.
    """

    def __init__(self, verbose: int | str = "auto", stream: TextIO | None = None) -> None:
        choice(0, 1, 2, "auto").read("ProgbarLogger: `verbose`", verbose)
        if stream is not None and not (hasattr(stream, "write") and hasattr(stream, "isatty")):
            raise OptionError(f"ProgbarLogger: `stream`: expected a text stream, got {shown(stream)}.")
        self._stream = sys.stdout if stream is None else stream
        self._with_bar = verbose != 2 and self._stream.isatty()
        self._bar: Any = None
        self._title, self._begin, self._refreshed = "", 0.0, 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the clock, and the bar."""
        params = self.params or {}
        self._title = f"Epoch {epoch + 1}/{params.get('epochs', '?')}"
        self._begin = time.perf_counter()
        if self._with_bar:
            from tqdm import tqdm  # noqa: PLC0415  (needed on a terminal only)

            layout = "{desc}: {n_fmt}/{total_fmt} |{bar:20}| {elapsed}{postfix}"
            self._bar = tqdm(total=params.get("steps"), desc=self._title, file=self._stream, bar_format=layout)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Advance the bar by a step."""
        if self._bar is not None:
            now = time.perf_counter()
            if now - self._refreshed >= SECONDS_BETWEEN_REFRESHES:
                self._refreshed = now
                self._bar.set_postfix_str(formatted(logs or {}), refresh=False)
            self._bar.update(1)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Show the epoch's numbers."""
        if self._bar is not None:
            self._bar.set_postfix_str(formatted(logs or {}))
            self.close()
        else:
            seconds = time.perf_counter() - self._begin
            print(f"{self._title} - {seconds:.1f}s - {formatted(logs or {})}", file=self._stream, flush=True)

    def close(self) -> None:
        """Close the bar and leave it on the screen, also after an interrupted training."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
