"""A cell as data: its names and its two bodies; and the words of a body, on tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.recurrent import LSTM, Equations, clip, dclip, dphi, dsigma, phi, sigma, stop
from minigrad.recurrent.equations import EQUATIONS


class Leaky(Equations):
    """A leaky unit, whose single state and product are plain texts."""

    states = "h"
    products = "z = x W + b"

    def forward(z: Any, h: Any, *, rate: float = 0.5) -> Any:
        return h + rate * (phi(z) - h)

    def backward(dh: Any, z: Any, rate: float) -> Any:
        return dphi(dh * rate, phi(z)), dh * (1.0 - rate)


def test_a_single_text_is_a_tuple_of_one() -> None:
    assert Leaky.states == ("h",)
    assert Leaky.products == ("z = x W + b",)


def test_bodies_are_plain_functions() -> None:
    h_new = Leaky.forward(mg.tensor(0.0), mg.tensor(2.0), rate=0.25)
    assert h_new.item() == 1.5
    assert LSTM.states == ("h", "c")


def test_a_cell_is_found_by_module_and_class() -> None:
    assert EQUATIONS["minigrad.recurrent.lstm:LSTM"] is LSTM
    assert EQUATIONS[f"{__name__}:Leaky"] is Leaky


def test_another_forward_drops_the_backward_of_its_base() -> None:
    class Linear(Leaky):
        def forward(z: Any, h: Any) -> Any:
            return h + z

    class Renamed(Leaky):
        products = "z = x V + b"

    assert Linear.backward is None
    assert Renamed.backward is Leaky.backward


def test_letters_are_written_as_python_reads_names() -> None:
    class Micro(Equations):
        states = "\u00b5"  # the micro sign, which Python reads as the Greek letter in a name

        def forward(z: Any, µ: Any) -> Any:
            return µ + z

    assert Micro.states == ("\u03bc",)


# --- the words of a body ---------------------------------------------------------------------------------------------

Z = np.linspace(-2.0, 2.0, 9)


@pytest.mark.parametrize(("word", "rule"), [(sigma, dsigma), (phi, dphi)])
def test_the_rule_of_an_activation_is_its_derivative(word: Any, rule: Any) -> None:
    z = mg.tensor(Z, requires_grad=True)
    y = word(z)
    dy = np.random.default_rng(0).normal(size=Z.shape)
    (dz,) = mg.grad(y, [z], [mg.tensor(dy)])
    np.testing.assert_allclose(rule(mg.tensor(dy), y.detach()).numpy(), dz.numpy(), rtol=1e-13)
    ε = 1e-6
    slope = (word(mg.tensor(Z + ε)) - word(mg.tensor(Z - ε))).numpy() / (2 * ε)
    np.testing.assert_allclose(dz.numpy(), dy * slope, rtol=1e-8)


def test_sigma_and_phi_are_the_logistic_function_and_tanh() -> None:
    np.testing.assert_allclose(sigma(mg.tensor(Z)).numpy(), 1 / (1 + np.exp(-Z)), rtol=1e-14)
    np.testing.assert_allclose(phi(mg.tensor(Z)).numpy(), np.tanh(Z), rtol=1e-14)


def test_clip_passes_the_gradient_where_it_does_not_act() -> None:
    y = clip(mg.tensor(Z), 1.2)
    np.testing.assert_array_equal(y.numpy(), np.clip(Z, -1.2, 1.2))
    dv = dclip(mg.tensor(np.full(Z.shape, 3.0)), y, 1.2)
    np.testing.assert_array_equal(dv.numpy(), np.where(abs(Z) < 1.2, 3.0, 0.0))
    v = mg.tensor(Z)
    assert clip(v, None) is v
    assert dclip(v, v, None) is v


def test_stop_passes_no_gradient() -> None:
    v = mg.tensor(Z, requires_grad=True)
    (dv,) = mg.grad((stop(v) * v).sum(), [v])
    np.testing.assert_array_equal(dv.numpy(), Z)
