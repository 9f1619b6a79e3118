"""Arguments that the elementwise functions accept and refuse; their numbers are tested with the operations."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from minigrad.engine.errors import DTypeError, UnknownNameError


def test_anything_numerical_goes_in() -> None:
    for x in (1.0, [1.0], np.array(1.0, "float32"), mg.tensor(1.0)):
        y = F.exp(x)
        assert isinstance(y, mg.Tensor)
        assert y.dtype == "float32"
    assert F.add(1, 2.5).item() == 3.5


def test_clip_takes_two_numbers() -> None:
    x = mg.tensor([-2.0, 0.5, 2.0])
    assert F.clip(x, np.float64(-1), 1).tolist() == [-1.0, 0.5, 1.0]
    assert F.clip(x, -1.0, np.float32(1)).dtype == "float32"
    for low in (None, mg.tensor(0.0), np.zeros(3), "0"):
        with pytest.raises(DTypeError, match=r"clip: expected `low` to be a number.*mg.minimum\(mg.maximum"):
            F.clip(x, low, 1.0)


def test_astype() -> None:
    x = mg.tensor([0.0, 1.5])
    for dtype in ("float64", np.float64, "int64", "bool"):
        assert F.astype(x, dtype).numpy().dtype == np.dtype(dtype)
    with pytest.raises(UnknownNameError, match="Did you mean 'float32'"):
        F.astype(x, "float23")


def test_every_name_that_numpy_has_is_at_the_top_level_too() -> None:
    ours = {name for name in F.__all__ if hasattr(np, name)}
    assert ours <= set(mg.__all__)
    for name in ours:
        assert getattr(mg, name) is getattr(F, name)
