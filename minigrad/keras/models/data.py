"""Sources of batches: arrays, cut and shuffled; or an iterable of batches.

A batch is a tuple ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``, as in Keras, of tensors or of lists or
dictionaries of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import reduce
from itertools import islice
from numbers import Real
from typing import Any
from zlib import crc32

from minigrad.engine import functional as F
from minigrad.engine import random, registry, tree
from minigrad.engine.conversion import constant
from minigrad.engine.errors import DataError, MinigradError, ShapeError, shown
from minigrad.engine.kinds import below_1
from minigrad.engine.tensor import Tensor
from minigrad.layers.checks import is_list_of_numbers
from minigrad.layers.options import positive_int

Batch = tuple[Any, ...]
PARTS = ("x", "y", "sample_weight")


def tensors(what: str, structure: Any) -> Any:
    """Return arrays, or lists and dictionaries of arrays, as tensors. A list of numbers is one array.

    Args:
        what: the argument, for messages: ``"fit: `x`"``.
        structure: the arrays.
    """

    def read(x: Any) -> Any:
        if x is None or isinstance(x, Tensor):
            return x
        try:
            return constant(x, registry.current(), what)
        except MinigradError as error:
            raise DataError(str(error)) from None

    one_array = is_list_of_numbers(what, structure)
    if isinstance(structure, dict):
        return {key: tensors(what, part) for key, part in structure.items()}
    return read(structure) if one_array else tree.map(read, structure)


class Arrays:
    """Examples along the first axis of arrays.

    Args:
        where: the caller, for messages.
        x: the inputs.
        y: the targets, or None.
        sample_weight: a weight for each example, or None.
        batch_size: the number of examples in a batch; the last one may have fewer.

    Attributes:
        steps: the number of batches.
    """

    def __init__(self, where: str, x: Any, y: Any, sample_weight: Any, batch_size: int | None) -> None:
        self._where = where
        parts = [tensors(f"{where}: `{n}`", part) for n, part in zip(PARTS, (x, y, sample_weight), strict=True)]
        while len(parts) > 1 and parts[-1] is None:
            parts.pop()
        self._parts = tuple(parts)
        sizes = [
            (name, t.shape[0] if t.ndim else 0)
            for name, part in zip(PARTS, parts, strict=False)
            for t in tree.leaves(part)
            if t is not None
        ]
        if len({size for _, size in sizes}) != 1 or sizes[0][1] == 0:
            listed = ", ".join(f"`{name}` of {size}" for name, size in sizes) or "none in `x`"
            hint = " A list of arrays is several inputs or outputs; np.stack makes one array of rows."
            raise DataError(
                f"{where}: expected arrays with the same number of examples, at least one, got {listed}."
                + (hint if any(isinstance(part, (list, tuple)) for part in parts) else "")
            )
        self.size = sizes[0][1]
        self._batch: int = positive_int.read(f"{where}: `batch_size`", 32 if batch_size is None else batch_size)
        self.steps: int | None = math.ceil(self.size / self._batch)

    def batches(self, shuffle: bool = False) -> Iterator[Batch]:
        """Yield all batches; with `shuffle` in a new order, drawn from minigrad's generator."""
        order = constant(random.generator().permutation(self.size), registry.current()) if shuffle else None
        for start in range(0, self.size, self._batch):
            here = slice(start, start + self._batch)
            rows = here if order is None else order[here]
            yield tuple(_rows(part, rows) for part in self._parts)

    def fingerprint(self) -> int:
        """Return a number that differs, almost certainly, for other examples."""
        arrays = [t.numpy() for part in self._parts for t in tree.leaves(part) if t is not None]
        return reduce(lambda before, array: crc32(array.tobytes(), before), arrays, self._batch)

    def whole(self) -> Batch:
        """Return all examples as one batch."""
        return self._parts

    def split(self, fraction: Any) -> tuple[Arrays, Batch]:
        """Return the first examples, and the last fraction of all for validation, as (x, y, sample_weight)."""
        part = below_1.read("fit: `validation_split`", fraction)
        cut = math.floor(self.size * (1.0 - part))
        if cut in (0, self.size):
            raise DataError(
                f"fit: validation_split={fraction} of {self.size} examples leaves one of the parts empty. Choose "
                "another fraction, or pass validation_data."
            )
        first, last = (
            unpacked(tuple(_rows(part, rows) for part in self._parts)) for rows in (slice(cut), slice(cut, None))
        )
        return Arrays(self._where, *first, self._batch), last


def first_batches(where: str, batches: Iterator[Batch], steps: int | None) -> Iterator[Batch]:
    """Yield `steps` batches, or all of them for None.

    Raises:
        DataError: there are fewer batches, or none at all.
    """
    done = 0
    for batch in islice(batches, steps):
        yield batch
        done += 1
    if done < (steps or 1):
        raise DataError(
            f"{where}: the data ended after {done} of {steps or 'its'} steps. An iterator runs once: pass as `x` "
            "an iterable `x` that restarts each time, or fewer steps: `steps_per_epoch`, or `steps`."
        )


def _rows(part: Any, rows: Any) -> Any:
    def read(x: Any) -> Any:
        if x is None:
            return None
        return x[rows] if isinstance(rows, slice) else F.take(x, rows)

    return tree.map(read, part)


class Stream:
    """Batches from the user's iterable.

    Args:
        where: the caller, for messages.
        source: an iterator or a generator, which runs once; an iterable that restarts for each epoch; or a sequence
            of batches with ``len`` and ``[…]``.

    Attributes:
        steps: the number of batches in an epoch, or None if it is not known.
    """

    def __init__(self, where: str, source: Any) -> None:
        self._where, self._source = where, source
        self._once = iter(source) if hasattr(source, "__next__") else None
        self.steps: int | None = len(source) if hasattr(source, "__len__") else None

    def fingerprint(self) -> int:
        """Return 0: batches are not known before they are drawn."""
        return 0

    def batches(self, shuffle: bool = False) -> Iterator[Batch]:
        """Yield the batches; with `shuffle` those of a sequence in a new order."""
        if self._once is not None:
            yield from map(self._read, self._once)
        elif self.steps is not None and hasattr(self._source, "__getitem__"):
            order = random.generator().permutation(self.steps).tolist() if shuffle else range(self.steps)
            for k in order:
                yield self._read(self._source[k])
            getattr(self._source, "on_epoch_end", lambda: None)()
        else:
            yield from map(self._read, self._source)

    def _read(self, batch: Any) -> Batch:
        parts = unpacked(batch, self._where)[: len(batch) if isinstance(batch, tuple) else 1]
        return tuple(tensors(f"{self._where}: `{n}`", part) for n, part in zip(PARTS, parts, strict=False))


def source_of(where: str, x: Any, y: Any, sample_weight: Any, batch_size: int | None) -> Arrays | Stream:
    """Return the source of the batches: the arrays, or the iterable `x`."""
    is_data = isinstance(x, (Tensor, list, tuple, dict)) or hasattr(x, "__array__")
    if is_data:
        return Arrays(where, x, y, sample_weight, batch_size)
    if not (hasattr(x, "__iter__") or hasattr(x, "__getitem__")):
        raise DataError(f"{where}: `x`: expected arrays or an iterable of batches, got {type(x).__name__}.")
    given = [n for n, v in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)) if v is not None]
    if given:
        raise DataError(
            f"{where}: `x` yields whole batches: expected no `{given[0]}`, got one. Yield (x, y[, sample_weight]) "
            "from it."
        )
    return Stream(where, x)


def unpacked(batch: Any, where: str = "a batch") -> tuple[Any, Any, Any]:
    """Return (x, y, sample_weight), with None for each part that a batch lacks."""
    parts = batch if isinstance(batch, tuple) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise DataError(f"{where}: expected (x,), (x, y) or (x, y, sample_weight), got a tuple of {len(parts)}.")
    return (*parts, *[None] * (3 - len(parts)))


def class_weighter(where: str, class_weight: Any) -> Callable[[Batch], Batch]:
    """Return a function that multiplies the sample weights of a batch by the weight of each example's class.

    Args:
        where: the caller, for messages.
        class_weight: a dictionary from each class 0, 1, … to its weight.

    Raises:
        DataError: a class is missing, or its weight is not a number.
        ShapeError: the targets are neither (batch,), (batch, 1) nor one-hot, (batch, classes).
    """
    expected = f"{where}: `class_weight`: expected a dictionary with a number for each class 0, 1, …"
    if not isinstance(class_weight, dict) or set(class_weight) != set(range(len(class_weight))):
        raise DataError(f"{expected}, got {shown(class_weight)}.")
    table = [class_weight[k] for k in range(len(class_weight))]
    if not all(isinstance(weight, Real) for weight in table):
        raise DataError(f"{expected}, got {shown(class_weight)}.")

    def weigh(batch: Batch) -> Batch:
        x, y, sample_weight = unpacked(batch)
        if not isinstance(y, Tensor) or y.ndim > 2:
            got = y.shape if isinstance(y, Tensor) else type(y).__name__
            raise ShapeError(
                f"{where}: `class_weight`: expected targets (batch,), (batch, 1) or one-hot (batch, classes), got "
                f"{got}. Pass sample_weight instead."
            )
        given = y.argmax(-1) if y.ndim == 2 and y.shape[-1] > 1 else y.reshape(-1)
        labels = given.astype("int64")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= len(table) or bool(F.any(labels != given)):
            raise DataError(
                f"{where}: `class_weight` has the classes 0 to {len(table) - 1}, but the targets go from "
                f"{float(given.min()):g} to {float(given.max()):g}. Targets must be whole numbers, each with a weight."
            )
        weights = F.take(constant(table, y.backend), labels)
        return x, y, tree.map(lambda given: weights if given is None else weights * given, sample_weight)

    return weigh
