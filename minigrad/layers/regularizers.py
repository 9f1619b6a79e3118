"""Penalties on large weights or outputs. A regularizer is called with a tensor and returns a number, a Tensor."""

from __future__ import annotations

from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import ShapeError
from minigrad.engine.functional import abs as absolute
from minigrad.engine.functional import arange, maximum, one_hot, sqrt, transpose
from minigrad.engine.functional.half import narrowed, widened
from minigrad.engine.kinds import at_least_0
from minigrad.engine.tensor import Tensor
from minigrad.layers.catalogue import Catalogue
from minigrad.layers.options import Configured, choice, option, optional


class Regularizer(Configured):
    """The base class; any function of a tensor is a regularizer too."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(x).")


class L1L2(Regularizer):
    """l1 Σ |x| + l2 Σ x²"""

    l1: float = option(at_least_0, 0.0)
    l2: float = option(at_least_0, 0.0)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty."""
        x = as_tensor(x, None, "L1L2: `x`")
        wide = widened(x)
        return narrowed(self.l1 * absolute(wide).sum() + self.l2 * (wide * wide).sum(), x)


class L1(Regularizer):
    """l1 Σ |x|"""

    l1: float = option(at_least_0, 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty."""
        x = as_tensor(x, None, "L1: `x`")
        return narrowed(self.l1 * absolute(widened(x)).sum(), x)


class L2(Regularizer):
    """l2 Σ x²"""

    l2: float = option(at_least_0, 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty."""
        x = as_tensor(x, None, "L2: `x`")
        wide = widened(x)
        return narrowed(self.l2 * (wide * wide).sum(), x)


class OrthogonalRegularizer(Regularizer):
    """factor · the mean |cosine| between two rows (or columns) of a matrix."""

    factor: float = option(at_least_0, 0.01)
    mode: str = option(choice("rows", "columns"), "rows")

    def __call__(self, x: Tensor) -> Tensor:
        """Return the penalty of a matrix; a ShapeError if x is not one."""
        x = as_tensor(x, None, "OrthogonalRegularizer: `x`")
        if x.ndim != 2:
            raise ShapeError(f"OrthogonalRegularizer: `x`: expected a matrix, got shape {x.shape}.")
        wide = widened(x)
        rows = wide if self.mode == "rows" else transpose(wide)
        rows = rows / sqrt(maximum((rows * rows).sum(1, keepdims=True), 1e-12))
        n = rows.shape[0]
        cosines = rows @ transpose(rows) * (1.0 - one_hot(arange(n), n, wide.dtype))
        return narrowed(absolute(cosines).sum() * (self.factor / max(1, n * (n - 1))), x)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Return ``L1L2(l1, l2)``."""
    return L1L2(l1, l2)


l1, l2 = L1, L2

_catalogue = Catalogue("regularizer", "keras.regularizers", (L1, L1L2, L2, OrthogonalRegularizer), {"l1_l2": l1_l2})
get, serialize, deserialize = _catalogue.get, _catalogue.serialize, _catalogue.deserialize
option_kind = optional(_catalogue.option)
