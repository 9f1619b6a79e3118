"""Unusual custom cells, each different from minigrad's cells in one respect, most without a hand-written backward."""

from __future__ import annotations

from minigrad.recurrent import LSTM, Equations, clip, dphi, dsigma, phi, sigma, stop

ALPHA = 0.25


class Coupled(Equations):
    """The LSTM whose gates are coupled, i = 1 − f; with a backward by hand. Source: Greff et al., 2017."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        h_new = o * a
        return h_new, c_new

    def backward(dh, dc, f, g, o, a, c):
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * (c - g), f), dphi(dc * (1 - f), g), dsigma(dh * a, o), dc * f


class NoBias(Equations):
    """A product without a bias, and one number for a state, a column and a gate."""

    states = "s"
    products = "v = x A + s B"

    def forward(v, s):
        return (s + phi(v)) / 2


class PeepholeGRU(Equations):
    """Two products, and two parameters: the gates also read h, each unit its own."""

    products = "x_z x_r x_g = x W + b", "h_z h_r h_g = h U"

    def forward(x_z, x_r, x_g, h_z, h_r, h_g, h, p_z, p_r):
        z, r = sigma(x_z + h_z + p_z * h), sigma(x_r + h_r + p_r * h)
        g = phi(x_g + r * h_g)
        return z * h + (1 - z) * g


class TwoInner(Equations):
    """Two products inside the body, one after the other, the first of an expression."""

    states = "h"
    products = "z_a z_b = x W + h U + b"

    def forward(z_a, z_b, h, *, P, Q):
        k = phi((sigma(z_a) * h) @ P + z_b)
        return phi(k @ Q) + 0.5 * h


class ThreeStates(Equations):
    """Three states of which the output is the last; the first is read by the products alone."""

    states = "slow", "fast", "y"
    output = "y"
    products = "z_s z_f z_y = x W + slow U + y V + b"

    def forward(z_s, z_f, z_y, fast, y):
        fast_new = 0.5 * fast + phi(z_f)
        slow_new = 0.9 * y + 0.1 * sigma(z_s)
        return slow_new, fast_new, sigma(z_y) * fast_new


class Leaky(Equations):
    """An option with a default and one without: a leaky integrator that is clipped."""

    products = "z = x W + h U + b"

    def forward(z, h, *, rate, limit=0.8):
        return clip((1 - rate) * h + rate * phi(z), limit)


class NoFeedback(Equations):
    """A cell whose states no matrix multiplies. After Lei et al., 2018, "Simple Recurrent Units"."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + b"

    def forward(z_f, z_g, z_o, c):
        f, o = sigma(z_f), sigma(z_o)
        c_new = f * c + (1 - f) * z_g
        return o * phi(c_new) + (1 - o) * z_g, c_new


class Divided(Equations):
    """Division by what depends on everything, a square, a sign, and names that printers may trip over."""

    states = "k", "t"
    products = "row double = x W + k U + n"

    def forward(row, double, k, t):
        B = sigma(row) + 1
        H = -(phi(double) ** 2)
        t += H / B
        k = k / (1 + t * t)
        return k, t


class Stopped(LSTM):
    """The LSTM whose output gate gets no gradient from the cell state; the body inherited from it is not used."""

    def forward(z_i, z_f, z_g, z_o, c):
        c_new = sigma(z_f) * c + sigma(z_i) * phi(z_g)
        return sigma(z_o) * phi(stop(c_new)), c_new


class StoppedInner(Equations):
    """An inner product without a gradient to its left factor."""

    states = "h", "c"
    products = "z y = x W + h U + b"

    def forward(z, y, c, *, P, k=0.5):
        a = phi(z) * c
        m = stop(a) @ P
        return m + stop(k * c) * sigma(y) * a, clip(a + c, k)


class LongLines(Equations):
    """Lines that are longer than a line of printed text, with brackets that begin no call, and fractions."""

    states = "h"
    products = "z y = x W + h U + b"

    def forward(z, y, h, *, k=3):
        half, twice = 1 / 2, 2 * k
        sevenths = 7 / twice
        g = sigma(y)
        a_rather_long_name = (half * phi(z) + h / 3 + h * h * (1 / 7) * g) * (2 / 3) + (1 / 3) * h * g * sevenths * (
            half + g
        )
        another_rather_long_name = half * phi(z) * (2 / 3) + 3 * h / 4 * half * (
            1 / 7 * k * h + a_rather_long_name * (g + half)
        )
        return (a_rather_long_name + another_rather_long_name) * (
            g * half * half + another_rather_long_name * (half - g)
        )


class Net1997(Equations):
    """The net of 1997: gates are sources too, and shared by the cells of a block; `full` of its gradient.

    Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory", appendix A.1.
    """

    states = "h", "c", "y_in:blocks", "y_out:blocks"
    products = "z_in:blocks z_g z_out:blocks = x W + h U + y_in V_in + y_out V_out + b"

    def forward(z_in, z_g, z_out, c):
        y_in, y_out = sigma(z_in), sigma(z_out)
        g = 4 * sigma(z_g) - 2
        c_new = c + y_in * g
        h = 2 * sigma(c_new) - 1
        return y_out * h, c_new, y_in, y_out


class Truncated1997(Net1997):
    """The same with the truncated gradient: no gradient leaves the cell through the products."""

    products = "z_in:blocks z_g z_out:blocks = x W + stop(h) U + stop(y_in) V_in + stop(y_out) V_out + b"


CELLS = {
    Coupled: {}, NoBias: {}, PeepholeGRU: {}, TwoInner: {}, ThreeStates: {}, Leaky: {"rate": 0.3}, NoFeedback: {},
    Divided: {}, Net1997: {"blocks": 2}, Stopped: {}, Truncated1997: {"blocks": 2}, StoppedInner: {},
    LongLines: {},
}  # fmt: skip
"""Each cell, and the options and widths that it needs."""
CUT = (Stopped, Truncated1997, StoppedInner)  # those whose gradient is not that of their outputs
