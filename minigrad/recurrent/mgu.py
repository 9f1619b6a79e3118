"""The minimal gated unit: its equations, and their gradient derived by hand."""

from __future__ import annotations

from typing import Any

from minigrad.recurrent.equations import Equations, dphi, dsigma, phi, sigma


class MGU(Equations):
    """One step of the minimal gated unit: one gate does the work of the GRU's two.

    The forget gate f decides how much of the past the candidate g sees, and how much of the state g replaces.

        x_f, x_g = x W + b             h_f = h U
        f     = σ(x_f + h_f)
        k     = f h                    h_g = k U_g
        g     = φ(x_g + h_g)
        h_new = (1 − f) h + f g

    Derivation. dh is the upstream gradient ∂loss/∂h_new; s_f and s_g are the arguments of σ and φ:

        h_new = (1 − f) h + f g        df = dh (g − h)     dg = dh f           past the gate: dh (1 − f)
        g     = φ(x_g + k U_g)         ds_g = dg φ′        dk = ds_g U_gᵀ
        k     = f h                    df += dk h          to h, besides: dk f
        f     = σ(x_f + h_f)           ds_f = df σ′

    Source: Zhou, Wu, Zhang and Zhou, 2016, "Minimal Gated Unit for Recurrent Neural Networks".
    """

    states = "h"
    products = "x_f x_g = x W + b", "h_f = h U"
    direct = "past the gate"

    def forward(x_f: Any, x_g: Any, h_f: Any, h: Any, *, U_g: Any) -> Any:
        f = sigma(x_f + h_f)
        k = f * h
        h_g = k @ U_g
        g = phi(x_g + h_g)
        h_new = (1 - f) * h + f * g
        return h_new

    def backward(dh: Any, f: Any, g: Any, h: Any, U_g: Any) -> Any:
        ds_g = dphi(dh * f, g)
        dk = ds_g @ U_g.T
        df = dh * (g - h) + dk * h
        ds_f = dsigma(df, f)
        return ds_f, ds_g, ds_f, dh * (1 - f) + dk * f
