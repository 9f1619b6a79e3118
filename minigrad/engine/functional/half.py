"""float16: functions that sum many numbers compute in float32 and round once, at the end.

A sum of float16 overflows at 65,520, and so does a count; from 2,048 on it no longer grows by ones.
"""

from __future__ import annotations

from minigrad.engine.dtypes import is_half
from minigrad.engine.functional.elementwise import astype
from minigrad.engine.tensor import Tensor


def widened(x: Tensor) -> Tensor:
    """Return x, in float32 if it is float16."""
    return astype(x, "float32") if is_half(x.dtype) else x


def narrowed(y: Tensor, like: Tensor) -> Tensor:
    """Return y, in float16 if `like` is."""
    return astype(y, "float16") if is_half(like.dtype) else y
