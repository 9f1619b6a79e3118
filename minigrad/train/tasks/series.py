"""Forecast of the next value in a column of a CSV file.

The last fifth of the series is held out. The mean of the training part is subtracted from the values, which
are then divided by its spread (standard deviation). The model outputs the *change* to the next value, in units
of the spread of the training part's changes: an output of 0 is the baseline. Batches are
windows from random positions. For the validation the model reads the whole series once, from the
start, and only the changes in the last fifth are measured.

Source: the persistence forecast as the reference of every forecast: R. Hyndman and A. Koehler,
Another look at measures of forecast accuracy, 2006 (there it scales the error, here it is the
baseline).

Baseline: persistence, x̂ₜ₊₁ = xₜ. Its mean squared error is the mean of (xₜ₊₁ − xₜ)² over the last
fifth; each run computes it on its data. On a random walk no forecast is better.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from minigrad.engine.errors import shown
from minigrad.engine.protocol import Array
from minigrad.train import csv_column
from minigrad.train.batch import Batch
from minigrad.train.errors import CheckpointError, DataError, OptionError
from minigrad.train.measures import standard_error
from minigrad.train.options import adapted, option
from minigrad.train.task import LARGEST_SIZE, ModelShape, Predict, RunOptions, Sampling, Score, Task


@dataclass(frozen=True, kw_only=True)
class SeriesOptions(RunOptions):
    """Options of the forecast."""

    steps: int = adapted(RunOptions, "steps", 1000)
    units: int = adapted(RunOptions, "units", 32)
    file: str | None = option(None, "the CSV file, with a first line of column names (required)")
    column: str | None = option(None, "the column to forecast: its name, or its place from 0 (required)")
    delimiter: str = option(",", "the character between two cells")
    decimal: str = option(".", "the decimal sign")
    thousands: str = option("", "the separator of thousands")
    window: int = option(32, "values in a training sequence", minimum=1, ceiling=LARGEST_SIZE)


class Series(Task):
    """Forecast of the next value in a column of numbers, compared with persistence."""

    name = "series"
    options_type = SeriesOptions
    items = "values"
    unit = "squared error (scaled)"
    per_unit = 1.0
    metric = "mean_squared_error"

    def __init__(self, options: SeriesOptions) -> None:
        super().__init__(options)
        self.values, self.found = _column(
            options.file, options.column, options.delimiter, options.decimal, options.thousands
        )
        self.split = len(self.values) * 4 // 5
        if self.split < options.window + 1:
            raise DataError(
                f"--file {options.file}: expected at least {math.ceil((options.window + 1) * 5 / 4)} "
                f"values for a window of {options.window}, of which a fifth is held out, got "
                f"{len(self.values)}. Take a longer series, or a smaller --window."
            )
        training = self.values[: self.split]
        with np.errstate(over="ignore", invalid="ignore"):  # NaN and infinity are checked below
            self.mean, self.spread = float(training.mean()), float(training.std())
            self.change = float(np.diff(training).std())
        if not math.isfinite(self.spread + self.change):
            raise DataError(f"--column {options.column}: the values are too large for their spread to be computed.")
        if not self.spread or not self.change:
            raise DataError(
                f"--column {options.column}: the first {self.split} values are constant or grow by the same "
                "amount each time; there is nothing to learn."
            )

    @classmethod
    def restore(cls, options: SeriesOptions, facts: Mapping[str, Any]) -> Self:
        """Return the task with the scale and the last values of the series, without the file."""
        task = cls.__new__(cls)
        Task.__init__(task, options)
        scale: list[Any] = [facts.get(name) for name in ("mean", "spread", "change")]
        last = facts.get("last_values")
        if not all(type(each) is float for each in scale) or 0.0 in scale[1:]:
            raise CheckpointError(f"expected the mean and the spreads of the series, got {shown(scale)}.")
        if not isinstance(last, list) or len(last) < 2 or not all(type(each) is float for each in last):
            raise CheckpointError(f"expected the last values of the series, got {shown(last)}.")
        task.mean, task.spread, task.change = scale
        task.values = np.array(last)
        return task

    def facts(self) -> dict[str, Any]:
        """Return the scale, the number of values, and the last values to forecast from."""
        scale = {"mean": self.mean, "spread": self.spread, "change": self.change}
        last = self.values[-4 * self.options.window :].tolist()
        return {**scale, "count": len(self.values), "last_values": last}

    def notes(self) -> list[str]:
        """Return a line with the number of values, and one that says where they were found."""
        held_out = len(self.values) - self.split
        source = f"{self.options.file}, column {self.options.column}"
        return [f"{source}: {len(self.values):,} values; the last {held_out:,} are held out", self.found]

    def shape(self) -> ModelShape:
        """Return the scaled value as input, the scaled change as output, squared error."""
        return ModelShape(inputs=1, outputs=1, symbols=False, head="values")

    def _scaled(self, values: Array) -> Array:
        return ((values - self.mean) / self.spread).astype(np.float32)[..., None]

    def batch(self, generator: np.random.Generator, position: int) -> Batch:
        """Return windows from random positions in the training part."""
        window = self.options.window
        starts = generator.integers(0, self.split - window, self.options.batch)
        return self._windows(self.values[starts[:, None] + np.arange(window + 1)])

    def probe(self, generator: np.random.Generator, text: str) -> tuple[Batch, list[str] | None]:
        """Return the last window."""
        return self._windows(self.values[None, -self.options.window - 1 :]), None

    def _windows(self, values: Array) -> Batch:
        """Return windows of values, (batch, window + 1), as a batch."""
        changes = (np.diff(values) / self.change).astype(np.float32)[..., None]
        return Batch(self._scaled(values[:, :-1]), changes, np.ones(changes.shape[:2], np.float32))

    def evaluate(self, predict: Predict) -> dict[str, float]:
        """Return the mean squared error over the last fifth, in the square of the column's unit."""
        outputs, _ = predict(self._scaled(self.values[None, :-1]))
        forecast = self.values[:-1] + outputs[0, :, 0].astype(np.float64) * self.change
        squared = ((forecast - self.values[1:]) ** 2)[self.split - 1 :]
        mse = float(squared.mean())
        return {
            "mean_squared_error": mse,
            "root_mean_squared_error": math.sqrt(mse),
            "standard_error": standard_error(squared - self._persistence()),
        }

    def baseline(self) -> Score:
        """Return the mean squared error of the last value as the forecast of the next."""
        return Score("persistence", float(self._persistence().mean()))

    def _persistence(self) -> Array:
        """Return the squared error of each forecast of the baseline over the last fifth."""
        return np.diff(self.values)[self.split - 1 :] ** 2

    def sample(self, predict: Predict, generator: np.random.Generator, settings: Sampling) -> str:
        """Return forecasts beyond the end of the series, each from the values before it."""
        values = self.values[-4 * self.options.window :]
        lines = [f"last value: {values[-1]:g}"]
        outputs, states = predict(self._scaled(values[None]))
        value = values[-1]
        for ahead in range(1, (settings.length or 3) + 1):
            value = value + float(outputs[0, -1, 0]) * self.change
            lines.append(f"forecast {ahead} ahead: {value:g}")
            outputs, states = predict(self._scaled(np.array([[value]])), states)
        return "\n".join(lines)


def read_column(file: str | None, column: str | None, delimiter: str, decimal: str = ".", thousands: str = "") -> Array:
    """Return the numbers of a CSV column, (values,) float64; see `minigrad.train.csv_column.read_column`."""
    return _column(file, column, delimiter, decimal, thousands).values


def _column(file: str | None, column: str | None, delimiter: str, decimal: str, thousands: str) -> csv_column.Column:
    if file is None or column is None:
        raise OptionError("series: expected --file PATH and --column NAME, and both are needed.")
    return csv_column.read_column(file, column, delimiter, decimal, thousands)
