"""Windows of a series, drawn up as batches once for all epochs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.engine import random
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import DataError, shown
from minigrad.engine.foreign import attempted
from minigrad.engine.kinds import count, flag, optional, positive_int, seed


class Windows:
    """Batches of windows, as `timeseries_dataset_from_array` returns them; a loop over them can be run again.

    Args:
        series: the data, and the targets if there are any; arrays whose first axis is time.
        starts: the first row of each window.
        offsets: the rows of a window, counted from its first.
        batch_size: the number of windows in a batch; None for single windows.
        source: the generator of the order; None for the order of the series.
    """

    def __init__(self, series: list[Any], starts: Any, offsets: Any, batch_size: int | None, source: Any) -> None:
        self._series, self._starts, self._offsets = series, starts, offsets
        self._batch, self._source = batch_size, source

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(len(self._starts) / (self._batch or 1))

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of windows, or (windows, targets), as tensors; in a new order each time if shuffled."""
        starts = self._starts if self._source is None else self._source.permutation(self._starts)
        data, *targets = self._series
        for k in range(len(self)):
            here = starts[k] if self._batch is None else starts[k * self._batch :][: self._batch]
            windows = as_tensor(data[np.add.outer(here, self._offsets)])
            yield (windows, as_tensor(targets[0][here])) if targets else windows

    def take(self, count: int) -> Windows:
        """Return the first batches alone."""
        some = self._starts[: count * (self._batch or 1)]
        return Windows(self._series, some, self._offsets, self._batch, self._source)


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
) -> Windows:
    """Return batches of windows of a series, for `fit` and for loops.

    Args:
        data: the series, (time, …).
        targets: for each row the target of the window that begins there; None for windows alone.
        sequence_length: the number of steps in a window.
        sequence_stride: the distance of two windows.
        sampling_rate: the distance of two steps in a window.
        batch_size: the number of windows in a batch; the last one may have fewer. None for single windows.
        shuffle: whether to take the windows in a new order in each epoch.
        seed: of the order; minigrad's generator by default.
        start_index: the first row that is used.
        end_index: the row after the last one that is used.

    Returns:
        An iterable of (windows, targets), (batch, time, …) and (batch, …).

    Raises:
        DataError: no window fits.

    >>> windows = timeseries_dataset_from_array([0.0, 1.0, 2.0, 3.0], None, sequence_length=3)
    >>> [batch.tolist() for batch in windows]
    [[[0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]]
    """
    where = "timeseries_dataset_from_array"
    sizes = {"sequence_length": sequence_length, "sequence_stride": sequence_stride, "sampling_rate": sampling_rate}
    length, stride, rate = (positive_int.read(f"{where}: `{name}`", value) for name, value in sizes.items())
    batch_size = optional(positive_int).read(f"{where}: `batch_size`", batch_size)
    series = [_series(where, "data", data)]
    if targets is not None:
        series += [_series(where, "targets", targets)]
    total = len(series[0])
    first = optional(count).read(f"{where}: `start_index`", start_index) or 0
    last = optional(count).read(f"{where}: `end_index`", end_index)
    last = total if last is None else min(last, total)
    series = [part[first:last] for part in series]
    windows = last - first - (length - 1) * rate
    if targets is not None:
        windows = min(windows, len(series[1]))
    if windows < 1:
        raise DataError(
            f"{where}: expected at least {1 + (length - 1) * rate} rows of `data`, which a window of `sequence_length` "
            f"{length} with `sampling_rate` {rate} covers, and one of `targets`, got rows "
            f"{first} (`start_index`) to {last} (`end_index`)."
        )
    source, shuffled = _generator(where, seed), flag.read(f"{where}: `shuffle`", shuffle)
    order = source if shuffled else None
    return Windows(series, np.arange(0, windows, stride), rate * np.arange(length), batch_size, order)


def _series(where: str, name: str, value: Any) -> Any:
    """Return a series of numbers on the host."""
    array = attempted(np.asarray, value, np.asarray(None))
    if array.dtype.kind not in "biuf" or not array.ndim or hasattr(value, "filled"):
        raise DataError(f"{where}: expected `{name}` of shape (time, …), of numbers, got {shown(value)}.")
    return array


def _generator(where: str, given: int | None) -> Any:
    chosen = seed.read(f"{where}: `seed`", given)
    return random.generator() if chosen is None else random.generator_for(chosen)
