"""Windows of a series as batches, made when they are asked for."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from minigrad.engine import random
from minigrad.engine.errors import DataError, shown
from minigrad.engine.foreign import attempted
from minigrad.engine.kinds import count, flag, optional, positive_int
from minigrad.keras.utils.sequence import Sequence


class TimeseriesGenerator(Sequence):
    """Batches of windows of a series: x the `length` steps before each row, y the target at that row.

    Args:
        data: the series, (time, …).
        targets: as many targets.
        length: the number of steps of the series that a window covers.
        sampling_rate: the distance of two steps in a window.
        stride: the distance of two windows.
        start_index: the first row of the series that a window holds.
        end_index: the last row that is a target; the last of the series by default.
        shuffle: whether to draw the windows of a batch, with replacement, rather than take them in order.
        reverse: whether the last step of a window comes first.
        batch_size: the number of windows in a batch; the last one may have fewer.

    >>> series = TimeseriesGenerator(range(5), range(5), length=2, batch_size=3)
    >>> x, y = series[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1], [1, 2], [2, 3]], [2, 3, 4])
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
    ) -> None:
        where = "TimeseriesGenerator"
        sizes = [attempted(len, series) for series in (data, targets)]
        if None in sizes or sizes[0] != sizes[1]:
            raise DataError(
                f"{where}: expected `data` and `targets` of one length, got {shown(data)} and {shown(targets)}."
            )
        self.data, self.targets = data, targets
        self.length: int = positive_int.read(f"{where}: `length`", length)
        self.sampling_rate: int = positive_int.read(f"{where}: `sampling_rate`", sampling_rate)
        self.stride: int = positive_int.read(f"{where}: `stride`", stride)
        self.batch_size: int = positive_int.read(f"{where}: `batch_size`", batch_size)
        self.shuffle: bool = flag.read(f"{where}: `shuffle`", shuffle)
        self.reverse: bool = flag.read(f"{where}: `reverse`", reverse)
        self.start_index: int = count.read(f"{where}: `start_index`", start_index) + self.length
        last = optional(count).read(f"{where}: `end_index`", end_index)
        self.end_index: int = len(data) - 1 if last is None else last
        if self.start_index > self.end_index:
            raise DataError(
                f"{where}: expected `start_index` + `length` of at most {self.end_index}, the last row, got "
                f"{self.start_index}: no window fits."
            )

    def __len__(self) -> int:
        """Return the number of batches."""
        rows = self.batch_size * self.stride
        return (self.end_index - self.start_index + rows) // rows

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """Return the windows of a batch and their targets, NumPy arrays."""
        if self.shuffle:
            rows = random.generator().integers(self.start_index, self.end_index + 1, self.batch_size).tolist()
        else:
            whole = self.batch_size * self.stride
            first = self.start_index + whole * index
            rows = list(range(first, min(first + whole, self.end_index + 1), self.stride))
        windows = np.array([self.data[row - self.length : row : self.sampling_rate] for row in rows])
        return windows[:, ::-1] if self.reverse else windows, np.array([self.targets[row] for row in rows])

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain values, the series as JSON texts, as Keras does."""
        names = ("length", "sampling_rate", "stride", "start_index", "end_index", "shuffle", "reverse", "batch_size")
        series = {name: json.dumps(np.asarray(getattr(self, name)).tolist()) for name in ("data", "targets")}
        return {**series, **{name: getattr(self, name) for name in names}}

    def to_json(self, **kwargs: Any) -> str:
        """Return the class and the arguments as JSON; `kwargs`: for `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)
