"""The memory cells of 2000, as equations: with forget gates, or with a constant decay of the state in their place."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.recurrent.equations import Equations, dsigma, sigma


class ForgetGates(Equations):
    """One step of memory cells with forget gates, with the truncated gradient.

    Cells and gates read the inputs and the cells' outputs of the step before; the cells have no biases. All cells of a
    block have the same three gates.

        z_in, z_g, z_out, z_f = x W + stop(h) U + b               one of each: W_in, W_g, W_out, W_f …
        y_in  = σ(z_in)    y_out = σ(z_out)    y_f = σ(z_f)
        g     = 2 g_max s − g_max,  s = σ(z_g)                     in [−g_max, g_max]
        c_new = y_f c + y_in g
        a     = 2 h_max r − h_max,  r = σ(c_new)                   in [−h_max, h_max]
        h_new = y_out a

    Derivation. dh and dc are the upstream gradients of the two new states.

        h_new = y_out a           da = dh y_out      dz_out = dh a σ′
        a     = 2 h_max r − …     dc += 2 h_max da σ′(c_new)
        c_new = y_f c + y_in g    dz_in = dc g σ′    dz_g = 2 g_max dc y_in σ′    dz_f = dc c σ′    dc_old = dc y_f

    ∂c_new/∂c is y_f: a gate that is closed ends a state and the memory of how weights made it.

    Source: Gers, Schmidhuber and Cummins, 2000, "Learning to Forget: Continual Prediction with LSTM", sections 2 and 3.
    """

    states = "h", "c"
    products: ClassVar[Any] = (
        "z_in:blocks = x W_in + stop(h) U_in + b_in",
        "z_g = x W_g + stop(h) U_g",
        "z_out:blocks = x W_out + stop(h) U_out + b_out",
        "z_f:blocks = x W_f + stop(h) U_f + b_f",
    )
    direct = "carousel"

    def forward(z_in: Any, z_g: Any, z_out: Any, z_f: Any, c: Any, *, g_max: Any = 2.0, h_max: Any = 1.0) -> Any:
        y_in, y_out, y_f, s = sigma(z_in), sigma(z_out), sigma(z_f), sigma(z_g)
        g = 2 * g_max * s - g_max
        c_new = y_f * c + y_in * g
        r = sigma(c_new)
        a = 2 * h_max * r - h_max
        h_new = y_out * a
        return h_new, c_new

    def backward(
        dh: Any, dc: Any, c: Any, y_in: Any, y_out: Any, y_f: Any, s: Any, g: Any, r: Any, a: Any,
        g_max: Any, h_max: Any,
    ) -> Any:  # fmt: skip
        dc = dc + 2 * h_max * dsigma(dh * y_out, r)
        dz_in = dsigma(dc * g, y_in)
        dz_g = 2 * g_max * dsigma(dc * y_in, s)
        dz_out = dsigma(dh * a, y_out)
        dz_f = dsigma(dc * c, y_f)
        return dz_in, dz_g, dz_out, dz_f, dc * y_f


class StateDecay(Equations):
    """The same cells without forget gates: c_new = decay c + y_in g. Standard cells have decay 1.

    Source: as for `ForgetGates`; "LSTM with state decay" in Table 2.
    """

    states = "h", "c"
    products: ClassVar[Any] = ForgetGates.products[:3]
    direct = "carousel"

    def forward(
        z_in: Any, z_g: Any, z_out: Any, c: Any, *, decay: Any = 1.0, g_max: Any = 2.0, h_max: Any = 1.0
    ) -> Any:
        y_in, y_out, s = sigma(z_in), sigma(z_out), sigma(z_g)
        g = 2 * g_max * s - g_max
        c_new = decay * c + y_in * g
        r = sigma(c_new)
        a = 2 * h_max * r - h_max
        h_new = y_out * a
        return h_new, c_new

    def backward(
        dh: Any, dc: Any, y_in: Any, y_out: Any, s: Any, g: Any, r: Any, a: Any, decay: Any, g_max: Any, h_max: Any
    ) -> Any:
        dc = dc + 2 * h_max * dsigma(dh * y_out, r)
        dz_in = dsigma(dc * g, y_in)
        dz_g = 2 * g_max * dsigma(dc * y_in, s)
        dz_out = dsigma(dh * a, y_out)
        return dz_in, dz_g, dz_out, dc * decay
