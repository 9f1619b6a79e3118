"""The LSTM with extras, the first API generation's: its equations, and their gradient derived by hand."""

from __future__ import annotations

from typing import Any

from minigrad.recurrent.equations import Equations, dphi, dsigma, phi, sigma
from minigrad.recurrent.words import clip, dclip


class LSTMP(Equations):
    """One step of the LSTM with peepholes, projection, clips and a forget bias. Absent parts drop out.

    It is the LSTM of `minigrad.recurrent.lstm` with extras, in the letters of 2016: the candidate is j, the output m,
    the columns are in the order i, j, f, o and the states in the order c, m.

        z_i, z_j, z_f, z_o = x W + m U + b
        i     = σ(z_i + w_i c)                        peepholes w: the gates see the cell
        f     = σ(z_f + forget_bias + w_f c)          the forget bias is added here; it is not part of b
        j     = φ(z_j)
        c_new = clip(f c + i j)                       to ±cell_clip
        o     = σ(z_o + w_o c_new)
        a     = φ(c_new)
        n     = o a
        m_new = clip(n P)                             projected to fewer numbers, to ±proj_clip

    Derivation. As for the LSTM, with four more terms. A clip passes the gradient where it did not act. Through the
    projection, dn = dp Pᵀ. The output gate's peephole reads c_new, so it adds dz_o w_o to dc before the clip; those of
    i and f read the old c, so they add dz_i w_i + dz_f w_f to the gradient of the step before. Each w's gradient is
    the sum of its dz times the c that it multiplied.

    Source: Gers and Schmidhuber, 2000, "Recurrent Nets that Time and Count" (peepholes); Sak et al., 2014, "Long
    Short-Term Memory Recurrent Neural Network Architectures for Large Scale Acoustic Modeling" (projection).
    """

    states = "c", "m:outputs"
    output = "m"
    products = "z_i z_j z_f z_o = x W + m U + b"
    direct = "carousel"

    def forward(
        z_i: Any, z_j: Any, z_f: Any, z_o: Any, c: Any, w_i: Any, w_f: Any, w_o: Any,
        *, forget_bias: Any = 1.0, cell_clip: Any = None, proj_clip: Any = None, P: Any,
    ) -> Any:  # fmt: skip
        i, f = sigma(z_i + w_i * c), sigma(z_f + forget_bias + w_f * c)
        j = phi(z_j)
        c_new = clip(f * c + i * j, cell_clip)
        o = sigma(z_o + w_o * c_new)
        a = phi(c_new)
        n = o * a
        m_new = clip(n @ P, proj_clip)
        return c_new, m_new

    def backward(
        dc: Any, dm: Any, i: Any, j: Any, f: Any, o: Any, a: Any, c: Any, m_new: Any,
        w_i: Any, w_f: Any, w_o: Any, cell_clip: Any, proj_clip: Any, P: Any,
    ) -> Any:  # fmt: skip
        dp = dclip(dm, m_new, proj_clip)
        dn = dp @ P.T
        c_now = clip(f * c + i * j, cell_clip)  # c_new again: cheaper to compute than to cache
        dz_o = dsigma(dn * a, o)
        dc = dclip(dc + dphi(dn * o, a) + dz_o * w_o, c_now, cell_clip)
        dz_i, dz_j, dz_f = dsigma(dc * j, i), dphi(dc * i, j), dsigma(dc * c, f)
        dc = dc * f + dz_i * w_i + dz_f * w_f
        return dz_i, dz_j, dz_f, dz_o, dc, dz_i * c, dz_f * c, dz_o * c_now
