"""Progress of a training run: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol, TextIO

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 5.0
SMOOTHING = 0.05  # weight of the newest step in the running averages of loss and speed


class Progress(Protocol):
    """Receiver of the progress of each step."""

    def update(self, step: int, loss: float, items: int) -> None:
        """Record a completed step: its loss in the unit shown, and the number of items read."""

    def note(self, text: str) -> None:
        """Show a line of text."""

    def close(self) -> None:
        """Show the last state and end."""


class _RunningAverages:
    """Running averages of loss and speed: losses of single batches vary too much to be read."""

    def __init__(self) -> None:
        self.loss = float("nan")
        self.speed = 0.0
        self._last = time.perf_counter()

    def update(self, loss: float, items: int) -> None:
        """Add one step to the averages."""
        now = time.perf_counter()
        speed, self._last = items / max(now - self._last, 1e-9), now
        first = self.speed == 0.0
        self.speed += (speed - self.speed) * (1.0 if first else SMOOTHING)
        self.loss = loss if self.loss != self.loss else self.loss + SMOOTHING * (loss - self.loss)

    def restart(self) -> None:
        """Exclude the time since the last step from the speed: it was not spent on training."""
        self._last = time.perf_counter()


class Bar:
    """A progress bar with loss and speed.

    Args:
        steps: the number of steps of the whole run.
        start: the number of completed steps.
        unit: the unit of the loss.
        items: the unit of the speed's count, for example ``characters``.
        stream: the stream to write to.
    """

    def __init__(self, steps: int, start: int, unit: str, items: str, stream: TextIO) -> None:
        self._unit, self._items, self._running = unit, items, _RunningAverages()
        self._bar: Any = tqdm(
            total=steps,
            initial=start,
            unit="step",
            file=stream,
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
        )

    def update(self, step: int, loss: float, items: int) -> None:
        """Advance the bar by a step."""
        running = self._running
        running.update(loss, items)
        text = f"{running.loss:.3f} {self._unit}, {running.speed:,.0f} {self._items}/s"
        self._bar.set_postfix_str(text, refresh=False)
        self._bar.update(1)

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        self._bar.write(text, file=self._bar.fp)
        self._running.restart()

    def close(self) -> None:
        """Close the bar and leave it visible."""
        self._bar.close()


class Lines:
    """Plain lines for a file or a pipe. The arguments are those of `Bar`."""

    def __init__(self, steps: int, start: int, unit: str, items: str, stream: TextIO) -> None:
        self._steps, self._unit, self._items, self._stream = steps, unit, items, stream
        self._running, self._start = _RunningAverages(), start
        self._begin = self._shown = time.perf_counter()
        self._line = ""

    def update(self, step: int, loss: float, items: int) -> None:
        """Write a line if the last one is old enough."""
        self._running.update(loss, items)
        now = time.perf_counter()
        left = (self._steps - step) * (now - self._begin) / max(step - self._start, 1)
        self._line = (
            f"step {step}/{self._steps}: {self._running.loss:.3f} {self._unit}, "
            f"{self._running.speed:,.0f} {self._items}/s, {left:.0f} s left"
        )
        if now - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = now
            self._write()

    def note(self, text: str) -> None:
        """Write a line."""
        print(text, file=self._stream, flush=True)
        self._running.restart()

    def close(self) -> None:
        """Write the state at the last step, unless it has been shown."""
        self._write()

    def _write(self) -> None:
        if self._line:
            print(self._line, file=self._stream, flush=True)
        self._line = ""


class Silent:
    """Progress that shows nothing, for use from programs."""

    def update(self, step: int, loss: float, items: int) -> None:
        """Ignore the step."""

    def note(self, text: str) -> None:
        """Ignore the text."""

    def close(self) -> None:
        """End without output."""


def progress_on(steps: int, start: int, unit: str, items: str, stream: TextIO | None = None) -> Progress:
    """Return a bar where the stream (stderr) is a terminal, else plain lines."""
    stream = sys.stderr if stream is None else stream
    kind = Bar if stream.isatty() else Lines
    return kind(steps, start, unit, items, stream)
