"""What a hand-written `backward` may say, held against the derived one."""

from __future__ import annotations

import pytest

import minigrad as mg
from minigrad.recurrent import Equations, EquationsError, dphi, dsigma, phi, sigma


class Again(Equations):
    """Coupled gates; `backward` computes φ and σ again rather than asking for them."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f = sigma(z_f)
        g = phi(z_g)
        c_new = f * c + (1 - f) * g
        return sigma(z_o) * phi(c_new), c_new

    def backward(dh, dc, f, g, c_new, z_o, c):
        a, o = phi(c_new), sigma(z_o)
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * (c - g), f), dphi(dc * (1 - f), g), dsigma(dh * a, o), dc * f


class Hidden(Again):
    """`a` is no value of φ in backward, whatever it is in forward."""

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, c_new, c):
        a = 2 * c_new
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * (c - g), f), dphi(dc * (1 - f), g), dsigma(dh * a, o), dc * f


@pytest.mark.parametrize("activation", ["tanh", "softsign", "swish", "softmax"])
@pytest.mark.parametrize("recurrent_activation", ["sigmoid", "hard_sigmoid", "swish", "softmax"])
def test_backward_may_compute_activations_again(activation: str, recurrent_activation: str) -> None:
    mg.testing.check_cell(Again, activation, recurrent_activation)


def test_a_name_of_backward_hides_the_one_of_forward() -> None:
    with pytest.raises(EquationsError, match=r"dphi\(dh \* o, a\).*expected a name to which forward assigned phi"):
        mg.testing.check_cell(Hidden)
