"""Files and outputs of other frameworks (`oracle/record/keras_files.py`, `torch_modules.py`), and their models."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg

DATA = Path(__file__).resolve().parent / "data"
L = mg.keras.layers


@cache
def torch_cases() -> dict[str, dict[str, Any]]:
    """Recorded modules by name: their ``arguments`` and ``arrays``."""
    about = json.loads((DATA / "torch.json").read_text("utf-8"))
    cases = {}
    with np.load(DATA / "torch.npz") as vectors:
        for name, case in about["cases"].items():
            sizes = [int(np.prod(shape)) for shape in case["arrays"].values()]
            pieces = np.split(vectors[name], np.cumsum(sizes)[:-1])
            arrays = {k: p.reshape(s) for (k, s), p in zip(case["arrays"].items(), pieces, strict=True)}
            cases[name] = {"arguments": case["arguments"], "arrays": arrays}
    return cases


def group(arrays: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The arrays whose names begin with the prefix, without it."""
    return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}


@cache
def keras_answers(three: bool) -> dict[str, Any]:
    """The inputs ``x``; of each model ``NAME/y`` and ``NAME/weight/k``."""
    with np.load(DATA / f"keras{'3' if three else ''}.npz") as arrays:
        return dict(arrays)


def sequential() -> Any:
    """The model of ``sequential.*``."""
    return mg.keras.Sequential(
        [
            L.Input((None, 3)),
            L.LSTM(4, return_sequences=True, dtype="float64"),
            L.Bidirectional(L.GRU(3, return_sequences=True, dtype="float64"), dtype="float64"),
            L.RNN(
                [L.LSTMCell(2, dtype="float64"), L.GRUCell(2, reset_after=False, dtype="float64")],
                return_sequences=True,
                dtype="float64",
            ),
            L.TimeDistributed(L.Dense(2, dtype="float64"), dtype="float64"),
            L.LSTM(3, activation="relu", name="late", dtype="float64"),
            L.Dense(2, name="out", dtype="float64"),
        ]
    )


class Subclassed(mg.keras.Model):
    """The model of ``subclassed.*``."""

    def __init__(self) -> None:
        super().__init__(name="subclassed")
        self.lstm = L.LSTM(3, return_sequences=True, dtype="float64")
        self.cell = L.LSTM(2, dtype="float64")
        self.head = L.Dense(2, dtype="float64")
        self.many = [L.Dense(2, dtype="float64"), L.Dense(2, dtype="float64")]
        self.scale = self.add_weight("scale", (1,), dtype="float64")

    def call(self, x: Any) -> Any:
        x = self.head(self.cell(self.lstm(x)))
        for layer in self.many:
            x = layer(x)
        return x * self.scale


def many() -> Any:
    """The model of ``many.*``."""
    return mg.keras.Sequential([L.Input((2,)), *(L.Dense(2, dtype="float64") for _ in range(12))])


def draw(layer: Any, seed: int = 0, dtype: str = "float64") -> Any:
    """Set all weights of a built layer to random multiples of 1/1024, and return it."""
    numbers = np.random.default_rng(seed)
    layer.set_weights([(numbers.integers(-1024, 1025, w.shape) / 1024).astype(dtype) for w in layer.weights])
    return layer
