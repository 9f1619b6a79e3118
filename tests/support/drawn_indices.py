"""Indices drawn at random: valid ones of every kind for the brackets of x[…], and some invalid ones."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


class Third:
    """An object that NumPy takes for the integer 2, as it has ``__index__``."""

    def __index__(self) -> int:
        return 2

    def __repr__(self) -> str:
        return "Third()"


class Index:
    """One index for arrays of a shape.

    Attributes:
        shape: of the array that it reads.
        ours: the index, with Tensors in it now and then.
        numpys: the same with arrays in their place.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self.shape = tuple(rng.choice(5, rng.integers(0, 5), p=[0.04, 0.16, 0.3, 0.3, 0.2]).tolist())
        parts: list[tuple[Any, Any]] = []
        axis = 0
        while axis < len(self.shape) and rng.random() < 0.8:
            ours, numpys, axes = self._part(axis)
            parts.append((ours, numpys))
            axis += axes
        if rng.random() < 0.04:  # one too many
            parts.append((0, 0))
        self.ours, self.numpys = (tuple(part) for part in zip(*parts, strict=True)) if parts else ((), ())
        if len(parts) == 1 and not isinstance(self.ours[0], tuple) and rng.random() < 0.7:
            self.ours, self.numpys = self.ours[0], self.numpys[0]

    def __repr__(self) -> str:
        return f"zeros({self.shape})[{self.ours!r}]"

    def _part(self, axis: int) -> tuple[Any, Any, int]:
        """Return one entry, ours and NumPy's, and the number of axes that it reads."""
        rng, n = self._rng, self.shape[axis]
        kind = rng.integers(0, 16)
        if kind < 6:
            return *self._array(n), 1
        if kind < 8:
            part: Any = self._integer(n)
            part = [part, np.int64(part), np.int32(part), np.array(part)][rng.integers(4)]
            return part, part, 1
        if kind < 10:
            a, b, c = (None if rng.random() < 0.4 else int(k) for k in rng.integers(-6, 7, 3))
            part = slice(a if rng.random() < 0.7 or a is None else np.int64(a), b, c)
            return part, part, 1
        if kind == 10:
            axes = int(rng.integers(1, len(self.shape) - axis + 1))
            sides = list(self.shape[axis : axis + axes])
            if rng.random() < 0.1:
                sides[0] += 1
            mask = self._as_some_sequence(rng.random(sides) < 0.5)
            return mask, mask, axes
        odd: list[Any] = [None, Ellipsis, True, False, np.True_, np.array(False), Third(), range(2)]
        wrong: list[Any] = [
            "a",
            1.0,
            np.array([0.0]),
            {0},
            [0.5],
            [[0], [0, 0]],
            1j,
            b"0",
            [None],
            [slice(1)],
            object(),
        ]
        part = wrong[rng.integers(len(wrong))] if kind == 15 else odd[rng.integers(len(odd))]
        return part, part, 1 if isinstance(part, (Third, range)) else 0

    def _integer(self, n: int) -> int:
        low, high = (-n, n) if n and self._rng.random() < 0.97 else (-n - 2, n + 2)
        return int(self._rng.integers(low, high))

    def _array(self, n: int) -> tuple[Any, Any]:
        """Places on an axis of length n, with repetitions."""
        rng = self._rng
        likely = {(2,): 0.5, (3,): 0.05, (1,): 0.1, (3, 2): 0.1, (2, 1): 0.1, (1, 2, 2): 0.09, (0,): 0.05, (2, 0): 0.01}
        sides = list(likely)[rng.choice(len(likely), p=list(likely.values()))]
        places = np.array([self._integer(n) for _ in range(int(np.prod(sides)))], "int64").reshape(sides)
        form = rng.integers(0, 3)
        if form == 0:
            dtype = INTEGERS[rng.integers(len(INTEGERS))]
            places = np.abs(places).astype(dtype) if dtype.startswith("u") else places.astype(dtype)
            return places, places
        if form == 1 and rng.random() < 0.3:
            return mg.tensor(places), places
        nested = self._as_some_sequence(places)
        return nested, nested

    def _as_some_sequence(self, array: Any) -> Any:
        """Nested lists or tuples, or a mixture."""

        def nested(x: Any) -> Any:
            if not isinstance(x, list):
                return x
            return (tuple if self._rng.random() < 0.5 else list)(nested(part) for part in x)

        return nested(array.tolist()) if self._rng.random() < 0.7 else array
