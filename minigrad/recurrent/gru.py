"""The gated recurrent unit whose reset gate acts after the product: its equations, and their gradient by hand."""

from __future__ import annotations

from typing import Any

from minigrad.recurrent.equations import Equations, dphi, dsigma, phi, sigma


class GRU(Equations):
    """One step of the GRU, the reset gate acting on the product h U (Keras' ``reset_after=True``).

    The update gate z mixes the old state with the candidate g; the reset gate r decides how much of the past g sees.

        x_z, x_r, x_g = x W + b        h_z, h_r, h_g = h U + b_h
        z     = σ(x_z + h_z)           r = σ(x_r + h_r)
        g     = φ(x_g + r h_g)
        h_new = z h + (1 − z) g

    Derivation. dh is the upstream gradient ∂loss/∂h_new; s_z, s_r and s_g are the arguments of σ, σ and φ:

        h_new = z h + (1 − z) g        dz = dh (h − g)     dg = dh (1 − z)     past the gates: dh z
        g     = φ(x_g + r h_g)         ds_g = dg φ′        dr = ds_g h_g       dh_g = ds_g r
        z, r  = σ(…)                   ds_z = dz σ′        ds_r = dr σ′

    x_z and h_z are added, so both receive ds_z; likewise r.

    Source: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder–Decoder"; the variant that resets
    afterwards is cuDNN's.
    """

    states = "h"
    products = "x_z x_r x_g = x W + b", "h_z h_r h_g = h U + b_h"
    direct = "past the gates"

    def forward(x_z: Any, x_r: Any, x_g: Any, h_z: Any, h_r: Any, h_g: Any, h: Any) -> Any:
        z, r = sigma(x_z + h_z), sigma(x_r + h_r)
        g = phi(x_g + r * h_g)
        h_new = z * h + (1 - z) * g
        return h_new

    def backward(dh: Any, z: Any, r: Any, g: Any, h_g: Any, h: Any) -> Any:
        dz, dg = dh * (h - g), dh * (1 - z)
        ds_z, ds_g = dsigma(dz, z), dphi(dg, g)
        ds_r = dsigma(ds_g * h_g, r)
        return ds_z, ds_r, ds_g, ds_z, ds_r, ds_g * r, dh * z
