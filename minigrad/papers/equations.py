"""The network of 1997, as equations: memory cells in blocks, whose two gates are sources of the next step too."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.recurrent.equations import Equations, dsigma, sigma


class Net1997(Equations):
    """One step of the memory cells of 1997, with the truncated gradient.

    The cell state c is a carousel without a forget gate. Two gates, of which all cells of a block have the same, let in
    (y_in) and show (y_out). Every cell and gate reads the inputs, and all cells and gates of the step before.

        z_in, z_g, z_out = x W + stop(h) U + stop(y_in) V + stop(y_out) Q + b         one of each: W_in, W_g, W_out …
        y_in  = σ(z_in)    y_out = σ(z_out)
        g     = 2 g_max s − g_max,  s = σ(z_g)            in [−g_max, g_max]: 2 in the text
        c_new = c + y_in g
        a     = 2 h_max r − h_max,  r = σ(c_new)          in [−h_max, h_max]: 1 in the text
        h_new = y_out a

    Derivation. dh, dc, dy_in and dy_out are the upstream gradients of the four new states.

        h_new = y_out a        da = dh y_out      dz_out = (dh a + dy_out) σ′
        a     = 2 h_max r …    dc += 2 h_max da σ′(c_new)
        c_new = c + y_in g     dz_in = (dc g + dy_in) σ′     dz_g = 2 g_max dc y_in σ′     dc_old = dc

    ∂c_new/∂c is 1, so an error neither grows nor decays in a cell. The sources of the products are stopped: no error
    leaves a cell through the step before. Then ∂c_t/∂w = Σ_τ ∂c_τ/∂z_τ source_τ is a sum that can be kept while the
    net runs, and truncated real-time recurrent learning costs as little as that sum.

    Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory", sections 4 and A.1, equations 3 to 41.
    """

    states = "h", "c", "y_in:blocks", "y_out:blocks"
    products: ClassVar[Any] = (
        "z_in:blocks = x W_in + stop(h) U_in + stop(y_in) V_in + stop(y_out) Q_in + b_in",
        "z_g = x W_g + stop(h) U_g + stop(y_in) V_g + stop(y_out) Q_g + b_g",
        "z_out:blocks = x W_out + stop(h) U_out + stop(y_in) V_out + stop(y_out) Q_out + b_out",
    )
    direct = "carousel"

    def forward(z_in: Any, z_g: Any, z_out: Any, c: Any, *, g_max: Any = 2.0, h_max: Any = 1.0) -> Any:
        in_new, out_new, s = sigma(z_in), sigma(z_out), sigma(z_g)
        g = 2 * g_max * s - g_max
        c_new = c + in_new * g
        r = sigma(c_new)
        a = 2 * h_max * r - h_max
        h_new = out_new * a
        return h_new, c_new, in_new, out_new

    def backward(
        dh: Any, dc: Any, dy_in: Any, dy_out: Any,
        in_new: Any, out_new: Any, s: Any, g: Any, r: Any, a: Any, g_max: Any, h_max: Any,
    ) -> Any:  # fmt: skip
        dc = dc + 2 * h_max * dsigma(dh * out_new, r)
        dz_in = dsigma(dc * g + dy_in, in_new)
        dz_g = 2 * g_max * dsigma(dc * in_new, s)
        dz_out = dsigma(dh * a + dy_out, out_new)
        return dz_in, dz_g, dz_out, dc


class FullGradient(Net1997):
    """The same net with the full gradient: errors pass through the products to the step before."""

    products = tuple(p.replace("stop(", "").replace(")", "") for p in Net1997.products)


class CellsAsSources(Net1997):
    """The same net without gates as sources: cells and gates read the inputs and the cells of the step before."""

    products = (
        "z_in:blocks = x W_in + stop(h) U_in + b_in",
        "z_g = x W_g + stop(h) U_g + b_g",
        "z_out:blocks = x W_out + stop(h) U_out + b_out",
    )


class WithoutRecurrence(Net1997):
    """The same net without signals from the step before, except the cell state."""

    products = "z_in:blocks = x W_in + b_in", "z_g = x W_g + b_g", "z_out:blocks = x W_out + b_out"


class WithoutOutputGate(Equations):
    """The cell of experiment 2a: an input gate, g = σ in [0, 1], h the identity, no recurrent connections.

        y_in = σ(z_in)    g = σ(z_g)    c_new = h_new = c + y_in g

    Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory", section 5.2.
    """

    states = "h", "c"
    products = "z_in:blocks = x W_in + b_in", "z_g = x W_g + b_g"
    direct = "carousel"

    def forward(z_in: Any, z_g: Any, c: Any) -> Any:
        in_new, g = sigma(z_in), sigma(z_g)
        c_new = c + in_new * g
        return c_new, c_new

    def backward(dh: Any, dc: Any, in_new: Any, g: Any) -> Any:
        dc = dc + dh
        return dsigma(dc * g, in_new), dsigma(dc * in_new, g), dc
