"""Further words of a cell's equations: clips and stopped gradients, as they act on tensors and numbers."""

from __future__ import annotations

from typing import Any

from minigrad.engine.ops.op import Op


def clip(v: Any, limit: float | None) -> Any:
    """v clipped to ±limit; v itself where the limit is None."""
    return v if limit is None else Op.functional.clip(v, -limit, limit)


def dclip(dy: Any, y: Any, limit: float | None) -> Any:
    """The gradient of v, where y = clip(v, limit): dy where the clip did not act, 0 where it did."""
    return dy if limit is None else Op.functional.where((y > -limit) & (y < limit), dy, 0.0)


def stop(v: Any) -> Any:
    """v as a constant: no gradient passes through it."""
    return Op.functional.stop_gradient(v)
