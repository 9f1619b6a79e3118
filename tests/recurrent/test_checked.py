"""Checks of a hand-written `backward` against the derived one."""

from __future__ import annotations

import pytest

import minigrad as mg
from minigrad.recurrent import Equations, EquationsError, dphi, dsigma, phi, sigma
from minigrad.testing import check_cell
from tool_errors import ASSIGNED_PHI


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
    """`a` is not a value of φ in backward, even if it is one in forward."""

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
    with pytest.raises(EquationsError, match=rf"dphi\(dh \* o, a\).*{ASSIGNED_PHI}"):
        mg.testing.check_cell(Hidden)


class OwnLines(Equations):
    """A cell whose two bodies have lines without a name, and a parameter that can be absent."""

    states = "h", "c"
    products = "z y = x W + h U + b"

    def forward(z, y, c, p):
        u = phi(z + p * c)
        v = sigma(y)
        c_new = u * v + (p * c) ** 2
        a = phi(c_new)
        return a * v, c_new

    def backward(dh, dc, u, v, a, c, p):
        one = (v + 1) ** 2 / ((v + 1) * (v + 1))
        dc = dc * one + dphi(dh * v, a)
        du = dphi(dc * v, u)
        of_square = 2 * p * c * dc
        return du, dsigma(dc * u + dh * a, v), (du + of_square) * p, (du + of_square) * c


class Numbered(Equations):
    """Names that end in a number, as a name does that the reader gives to a second assignment."""

    states = "h"
    products = "z_1 z_2 = x W + h U + b"

    def forward(z_1, z_2, h):
        a_1 = phi(z_1)
        a_2 = sigma(z_2)
        a_1_2 = a_1 * a_2
        return a_1_2 + h

    def backward(dh, a_1, a_2):
        return dphi(dh * a_2, a_1), dsigma(dh * a_1, a_2), dh


@pytest.mark.parametrize("activation", ["tanh", "gelu", "swish", "softmax"])
@pytest.mark.parametrize("recurrent_activation", ["sigmoid", "gelu"])
@pytest.mark.parametrize("absent", [{}, {"p": None}])
def test_a_line_of_one_body_is_no_line_of_the_other(activation: str, recurrent_activation: str, absent: dict) -> None:
    mg.testing.check_cell(OwnLines, activation, recurrent_activation, **absent)


def test_names_may_end_in_a_number() -> None:
    mg.testing.check_cell(Numbered)


def test_a_gradient_has_a_name_of_its_own() -> None:
    class Taken(Numbered):
        def backward(a_1, a_2):
            return a_1, a_1, a_1

    class TakenByState(Numbered):
        def backward(h, a_1):
            return h, h, h

    for equations, name in ((Taken, "a_1"), (TakenByState, "h")):
        with pytest.raises(
            EquationsError, match=rf"line \d+ .*the gradient `{name}` has the name of a value of forward"
        ):
            mg.testing.check_cell(equations)


class Plus(Equations):
    """A pair of bodies, to be inherited from."""

    products = "z = x W + h U"

    def forward(z, h):
        a = phi(z)
        return a * h

    def backward(dh, a, h):
        return dphi(dh * h, a), dh * a


class Same(Plus):
    """The same forward in another class, with a custom backward."""

    def backward(dh, a, h):
        return dphi(dh * h, a), a * dh


class Minus(Plus):
    """Another forward, of the same names."""

    def forward(z, h):
        a = phi(z)
        return h - a


class Forward:
    """The same as a mixin."""

    def forward(z, h):
        a = phi(z)
        return h - a


class Backward:
    """A backward of Plus as a mixin."""

    def backward(dh, a, h):
        return dphi(dh * h, a), dh * a


def test_a_backward_goes_with_the_forward_that_it_was_written_for() -> None:
    """Inherited apart from it, from a base or a mixin, it would be silently wrong; the derived one runs instead."""
    pairs = {
        ("Mixed", (Forward, Plus)): None,
        ("Crossed", (Same, Minus)): None,
        ("Below", (Plus,)): Plus.backward,
        ("MixedBack", (Backward, Plus)): Backward.backward,
        ("Both", (Forward, Backward, Plus)): None,
        ("Child", (Minus,)): None,
    }
    for (name, bases), backward in pairs.items():
        made = type(name, bases, {})
        assert made.backward is backward, name
        check_cell(made)
