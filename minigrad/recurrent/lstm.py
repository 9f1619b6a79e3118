"""The LSTM: its equations, and their gradient derived by hand."""

from __future__ import annotations

from typing import Any

from minigrad.recurrent.equations import Equations, dphi, dsigma, phi, sigma


class LSTM(Equations):
    """One step of the LSTM.

    The cell state c is a carousel: the kept part of the old state, f c, plus the new part that is let in, i g. Three
    gates let in (i), keep (f) and show (o); σ is their activation, φ that of the candidate g and of the shown c.

        z_i, z_f, z_g, z_o = x W + h U + b
        i = σ(z_i)    f = σ(z_f)    g = φ(z_g)    o = σ(z_o)
        c_new = f c + i g
        a     = φ(c_new)
        h_new = o a

    Derivation. dh and dc are the upstream gradients ∂loss/∂h_new and ∂loss/∂c_new. Reading the lines upwards, each
    gives one term of the chain rule:

        h_new = o a            do = dh a        da = dh o
        a     = φ(c_new)       dc += da φ′                      c_new is read twice: by a, and by the next step
        c_new = f c + i g      df = dc c    di = dc g    dg = dc i       dc_old = dc f
        i = σ(z_i), …          dz_i = di σ′,   dz_f = df σ′,   dz_g = dg φ′,   dz_o = do σ′

    The rest is the same for every cell. Through the products, dh_old = dz Uᵀ and dx = dz Wᵀ; summed over all steps and
    rows, dW = xᵀ dz, dU = hᵀ dz, db = Σ dz. Along the carousel the gradient is multiplied by f alone, by no matrix and
    no φ′: that is how an error can last.

    Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; the forget gate: Gers et al., 1999, "Learning to
    Forget".
    """

    states = "h", "c"
    output = "h"
    products = "z_i z_f z_g z_o = x W + h U + b"
    direct = "carousel"

    def forward(z_i: Any, z_f: Any, z_g: Any, z_o: Any, c: Any) -> Any:
        i, f, g, o = sigma(z_i), sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + i * g
        a = phi(c_new)
        h_new = o * a
        return h_new, c_new

    def backward(dh: Any, dc: Any, i: Any, f: Any, g: Any, o: Any, a: Any, c: Any) -> Any:
        do = dh * a
        dc = dc + dphi(dh * o, a)
        di, df, dg = dc * g, dc * c, dc * i
        dz_i, dz_f, dz_g, dz_o = dsigma(di, i), dsigma(df, f), dphi(dg, g), dsigma(do, o)
        return dz_i, dz_f, dz_g, dz_o, dc * f
