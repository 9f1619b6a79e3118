"""Penalties on large weights or outputs. A regularizer is called with a tensor and returns a number, a Tensor."""

from __future__ import annotations

from minigrad.functional import abs as absolute
from minigrad.layers.catalogue import Catalogue
from minigrad.layers.options import Configured, number, option, optional
from minigrad.tensor import Tensor


class Regularizer(Configured):
    """The base class; any function of a tensor will do as well."""

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(x).")


class L1L2(Regularizer):
    """l1 Σ |x| + l2 Σ x²"""

    l1: float = option(number, 0.0)
    l2: float = option(number, 0.0)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty."""
        return self.l1 * absolute(x).sum() + self.l2 * (x * x).sum()


class L1(Regularizer):
    """l1 Σ |x|"""

    l1: float = option(number, 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty."""
        return self.l1 * absolute(x).sum()


class L2(Regularizer):
    """l2 Σ x²"""

    l2: float = option(number, 0.01)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty."""
        return self.l2 * (x * x).sum()


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Returns ``L1L2(l1, l2)``."""
    return L1L2(l1, l2)


l1, l2 = L1, L2

_catalogue = Catalogue("regularizer", "keras.regularizers", (L1, L1L2, L2), {"l1_l2": l1_l2})
get, serialize, deserialize = _catalogue.get, _catalogue.serialize, _catalogue.deserialize
option_kind = optional(_catalogue.option)
