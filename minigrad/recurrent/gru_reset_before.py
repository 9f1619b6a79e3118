"""The gated recurrent unit of 2014, whose reset gate acts before the product: its equations, and their gradient."""

from __future__ import annotations

from typing import Any

from minigrad.recurrent.equations import Equations, dphi, dsigma, phi, sigma


class GRUResetBefore(Equations):
    """One step of the GRU, the reset gate acting on h before the product (Keras' ``reset_after=False``).

        x_z, x_r, x_g = x W + b        h_z, h_r = h U
        z     = σ(x_z + h_z)           r = σ(x_r + h_r)
        k     = r h                    h_g = k U_g
        g     = φ(x_g + h_g)
        h_new = z h + (1 − z) g

    Derivation. As in `minigrad.recurrent.gru` down to ds_g, which here passes a matrix before it meets the reset gate:

        g     = φ(x_g + k U_g)         ds_g = dg φ′        dk = ds_g U_gᵀ
        k     = r h                    dr = dk h           to h, besides dh z: dk r

    Source: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder–Decoder".
    """

    states = "h"
    products = "x_z x_r x_g = x W + b", "h_z h_r = h U"
    direct = "past the gates"

    def forward(x_z: Any, x_r: Any, x_g: Any, h_z: Any, h_r: Any, h: Any, *, U_g: Any) -> Any:
        z, r = sigma(x_z + h_z), sigma(x_r + h_r)
        k = r * h
        h_g = k @ U_g
        g = phi(x_g + h_g)
        h_new = z * h + (1 - z) * g
        return h_new

    def backward(dh: Any, z: Any, r: Any, g: Any, h: Any, U_g: Any) -> Any:
        dz, dg = dh * (h - g), dh * (1 - z)
        ds_z, ds_g = dsigma(dz, z), dphi(dg, g)
        dk = ds_g @ U_g.T
        ds_r = dsigma(dk * h, r)
        return ds_z, ds_r, ds_g, ds_z, ds_r, dh * z + dk * r
