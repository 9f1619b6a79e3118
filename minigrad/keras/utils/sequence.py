"""Sequence: batches by their number, for `fit`, `evaluate` and `predict`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Sequence:
    """The base class of sources of batches. A subclass defines ``__getitem__`` and ``__len__``.

    >>> class Squares(Sequence):
    ...     def __len__(self):
    ...         return 2
    ...
    ...     def __getitem__(self, k):
    ...         return [[float(k)]], [[float(k * k)]]
    >>> list(Squares())
    [([[0.0]], [[0.0]]), ([[1.0]], [[1.0]])]
    """

    def __getitem__(self, index: int) -> Any:
        """Return a batch, (x,), (x, y) or (x, y, sample_weight)."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index).")

    def __len__(self) -> int:
        """Return the number of batches."""
        raise NotImplementedError(f"{type(self).__name__} must define __len__().")

    def on_epoch_end(self) -> None:
        """Change the batches after an epoch; by default they stay."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches in their order, once."""
        for k in range(len(self)):
            yield self[k]
