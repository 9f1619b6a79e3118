"""The simple recurrent network: its equations, and their gradient derived by hand."""

from __future__ import annotations

from typing import Any

from minigrad.recurrent.equations import Equations, dphi, phi


class SimpleRNN(Equations):
    """One step of the simple recurrent network: all of the state passes through one matrix and one φ.

        z     = x W + h U + b
        h_new = φ(z)

    Derivation. dh is the upstream gradient ∂loss/∂h_new: dz = dh φ′. The step before receives dz Uᵀ, so over k steps
    the gradient is multiplied k times by φ′ and by Uᵀ: it vanishes or explodes.

    Source: Elman, 1990, "Finding Structure in Time".
    """

    states = "h"
    products = "z = x W + h U + b"

    def forward(z: Any) -> Any:
        h_new = phi(z)
        return h_new

    def backward(dh: Any, h_new: Any) -> Any:
        return dphi(dh, h_new)
