"""Constraints on weights, applied after each update. A constraint is called with a tensor and returns one."""

from __future__ import annotations

from typing import Any

from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import OptionError
from minigrad.engine.functional import clip, maximum, sqrt
from minigrad.engine.functional.half import narrowed, widened
from minigrad.engine.kinds import at_least_0
from minigrad.engine.tensor import Tensor
from minigrad.layers.catalogue import Catalogue
from minigrad.layers.options import Configured, axes, non_negative, option, optional

EPSILON = 1e-7  # as in Keras, so that a zero column is not divided by zero


class Constraint(Configured):
    """The base class; any function from a tensor to a tensor is a constraint too."""

    def __call__(self, w: Tensor) -> Tensor:
        """Return w as the constraint allows it."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(w).")


class NonNeg(Constraint):
    """max(w, 0)"""

    def __call__(self, w: Tensor) -> Tensor:
        """Return w without its negative part."""
        return maximum(as_tensor(w, None, "NonNeg: `w`"), 0.0)


class MaxNorm(Constraint):
    """w, its norm along the axis at most `max_value`."""

    max_value: float = option(non_negative, 2)
    axis: Any = option(axes, 0)

    def __call__(self, w: Tensor) -> Tensor:
        """Return w, shortened where it is too long."""
        w = as_tensor(w, None, "MaxNorm: `w`")
        norm = _norm(w, self.axis)
        return w * (clip(norm, 0.0, float(self.max_value)) / (norm + EPSILON))


class UnitNorm(Constraint):
    """w, its norm along the axis 1."""

    axis: Any = option(axes, 0)

    def __call__(self, w: Tensor) -> Tensor:
        """Return w, of length 1."""
        w = as_tensor(w, None, "UnitNorm: `w`")
        return w / (_norm(w, self.axis) + EPSILON)


class MinMaxNorm(Constraint):
    """w, its norm along the axis between `min_value` and `max_value`, reached to the fraction `rate` in one update."""

    min_value: float = option(at_least_0, 0.0)
    max_value: float = option(non_negative, 1.0)
    rate: float = option(at_least_0, 1.0)
    axis: Any = option(axes, 0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.min_value > self.max_value:
            top = f"`max_value` = {self.max_value}"
            raise OptionError(f"MinMaxNorm: expected `min_value` up to {top}, got {self.min_value}.")

    def __call__(self, w: Tensor) -> Tensor:
        """Return w, stretched or shortened."""
        w = as_tensor(w, None, "MinMaxNorm: `w`")
        norm = _norm(w, self.axis)
        wanted = self.rate * clip(norm, float(self.min_value), float(self.max_value)) + (1.0 - self.rate) * norm
        return w * (wanted / (norm + EPSILON))


def _norm(w: Tensor, axis: Any) -> Tensor:
    wide = widened(w)
    return narrowed(sqrt((wide * wide).sum(tuple(axis) if isinstance(axis, list) else axis, keepdims=True)), w)


max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_catalogue = Catalogue("constraint", "keras.constraints", (MaxNorm, MinMaxNorm, NonNeg, UnitNorm))
get, serialize, deserialize = _catalogue.get, _catalogue.serialize, _catalogue.deserialize
option_kind = optional(_catalogue.option)
