"""Where batches come from: arrays, cut and shuffled; or whatever yields batches.

A batch is a tuple ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``, as in Keras, of tensors or of lists or
dictionaries of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from numbers import Real
from typing import Any

from minigrad.engine import functional as F
from minigrad.engine import random, registry, tree
from minigrad.engine.errors import DataError, MinigradError, ShapeError
from minigrad.engine.tensor import Tensor, constant
from minigrad.keras.bounds import real
from minigrad.layers.options import positive_int

Batch = tuple[Any, ...]
PARTS = ("x", "y", "sample_weight")


def tensors(what: str, structure: Any) -> Any:
    """Returns arrays, or lists and dictionaries of them, as tensors. A list of numbers is one array.

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

    if isinstance(structure, dict):
        return {key: tensors(what, part) for key, part in structure.items()}
    first = next(iter(tree.leaves(structure)), None)
    return read(structure) if isinstance(first, (int, float)) else tree.map(read, structure)


class Arrays:
    """Examples along the first axis of arrays.

    Args:
        where: who asks, for messages.
        x: the inputs.
        y: the targets, or None.
        sample_weight: a weight for each example, or None.
        batch_size: how many examples a batch has; the last one may have fewer.

    Attributes:
        steps: how many batches there are.
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
            listed = ", ".join(f"`{name}` of {size}" for name, size in sizes) or "none"
            hint = " A list of arrays is several inputs or outputs; np.stack makes one array of rows."
            raise DataError(
                f"{where}: expected arrays with the same number of examples, at least one, got {listed}."
                + (hint if any(isinstance(part, (list, tuple)) for part in parts) else "")
            )
        self.size = sizes[0][1]
        self._batch: int = positive_int.read(f"{where}: `batch_size`", 32 if batch_size is None else batch_size)
        self.steps: int | None = math.ceil(self.size / self._batch)

    def batches(self, shuffle: bool = False) -> Iterator[Batch]:
        """Yields all batches; in a new order, drawn from minigrad's generator, if shuffled."""
        order = constant(random.generator().permutation(self.size), registry.current()) if shuffle else None
        for start in range(0, self.size, self._batch):
            here = slice(start, start + self._batch)
            rows = here if order is None else order[here]
            yield tuple(_rows(part, rows) for part in self._parts)

    def whole(self) -> Batch:
        """Returns all examples as one batch."""
        return self._parts

    def divided(self, fraction: Any) -> tuple[Arrays, Batch]:
        """Returns the first examples, and the last ones, a fraction of all, for validation: (x, y, sample_weight)."""
        part = real("a fraction between 0 and 1", lambda x: 0 < x < 1).read("fit: `validation_split`", fraction)
        cut = math.floor(self.size * (1.0 - part))
        if cut in (0, self.size):
            raise DataError(f"fit: validation_split={fraction} of {self.size} examples leaves one of the parts empty.")
        first, last = (
            unpacked(tuple(_rows(part, rows) for part in self._parts)) for rows in (slice(cut), slice(cut, None))
        )
        return Arrays(self._where, *first, self._batch), last


def taken(where: str, batches: Iterator[Batch], steps: int | None) -> Iterator[Batch]:
    """Yields so many batches, or all of them.

    Raises:
        DataError: there are fewer than that, or none at all.
    """
    done = 0
    for batch in islice(batches, steps):
        yield batch
        done += 1
    if done < (steps or 1):
        raise DataError(
            f"{where}: the data ended after {done} of {steps or 'its'} steps. An iterator runs once: give "
            "something that can be iterated over anew each time, or ask for fewer steps."
        )


def _rows(part: Any, rows: Any) -> Any:
    def read(x: Any) -> Any:
        if x is None:
            return None
        return x[rows] if isinstance(rows, slice) else F.take(x, rows)

    return tree.map(read, part)


class Stream:
    """Batches that somebody else makes.

    Args:
        where: who asks, for messages.
        source: an iterator or a generator, which runs once; something that can be iterated over anew for each epoch;
            or a sequence of batches with ``len`` and ``[…]``.

    Attributes:
        steps: how many batches an epoch has, where that is known.
    """

    def __init__(self, where: str, source: Any) -> None:
        self._where, self._source = where, source
        self._once = iter(source) if hasattr(source, "__next__") else None
        self.steps: int | None = len(source) if hasattr(source, "__len__") else None

    def batches(self, shuffle: bool = False) -> Iterator[Batch]:
        """Yields the batches; those of a sequence in a new order, if shuffled."""
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
    """Returns where the batches come from."""
    is_data = isinstance(x, (Tensor, list, tuple, dict)) or hasattr(x, "__array__")
    if is_data:
        return Arrays(where, x, y, sample_weight, batch_size)
    if not (hasattr(x, "__iter__") or hasattr(x, "__getitem__")):
        raise DataError(f"{where}: `x`: expected arrays or something that yields batches, got {type(x).__name__}.")
    given = [n for n, v in (("y", y), ("sample_weight", sample_weight), ("batch_size", batch_size)) if v is not None]
    if given:
        raise DataError(f"{where}: `x` yields whole batches, so `{given[0]}` cannot be given beside it.")
    return Stream(where, x)


def unpacked(batch: Any, where: str = "a batch") -> tuple[Any, Any, Any]:
    """Returns (x, y, sample_weight), None for what a batch lacks."""
    parts = batch if isinstance(batch, tuple) else (batch,)
    if not 1 <= len(parts) <= 3:
        raise DataError(f"{where}: expected (x,), (x, y) or (x, y, sample_weight), got a tuple of {len(parts)}.")
    return (*parts, *[None] * (3 - len(parts)))


def with_class_weight(where: str, class_weight: Any) -> Callable[[Batch], Batch]:
    """Returns a function that multiplies the sample weights of a batch by the weight of each example's class.

    Args:
        where: who asks, for messages.
        class_weight: a dictionary, the weight of each class 0, 1, …

    Raises:
        DataError: a class is left out, or has no number.
        ShapeError: the targets are no classes: neither (batch,), (batch, 1) nor one-hot, (batch, classes).
    """
    expected = f"{where}: `class_weight`: expected a dictionary with a number for each class 0, 1, …"
    if not isinstance(class_weight, dict) or set(class_weight) != set(range(len(class_weight))):
        raise DataError(f"{expected}, got {class_weight!r}.")
    table = [class_weight[k] for k in range(len(class_weight))]
    if not all(isinstance(weight, Real) for weight in table):
        raise DataError(f"{expected}, got {class_weight!r}.")

    def weigh(batch: Batch) -> Batch:
        x, y, sample_weight = unpacked(batch)
        if not isinstance(y, Tensor) or y.ndim > 2:
            raise ShapeError(f"{where}: `class_weight` wants targets (batch,), (batch, 1) or one-hot (batch, classes).")
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
