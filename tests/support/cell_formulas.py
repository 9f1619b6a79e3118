"""The recurrent cells in mpmath's numbers, for one row, gate by gate as in their papers, without minigrad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

pytest.importorskip("mpmath", reason="needs mpmath: pip install -e '.[test]'")

import mpmath as mp

Vector = list[Any]
Matrix = list[Vector]
Step = Callable[[Vector, list[Vector], list[Any]], tuple[Vector, list[Vector]]]  # x, states, weights → output, states


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def hard_sigmoid(x: Any) -> Any:
    return min(max(x / 5 + mp.mpf(1) / 2, mp.mpf(0)), mp.mpf(1))


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x))


ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": mp.tanh,
    "sigmoid": sigmoid,
    "hard_sigmoid": hard_sigmoid,
    "softplus": softplus,
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: x * mp.tanh(softplus(x)),
    "gelu": lambda x: x * (1 + mp.erf(x / mp.sqrt(2))) / 2,
    "linear": lambda x: x,
}


def product(x: Vector, W: Matrix) -> Vector:
    return [mp.fdot(x, column) for column in zip(*W, strict=True)]


def added(*vectors: Vector) -> Vector:
    return [mp.fsum(parts) for parts in zip(*vectors, strict=True)]


def times(a: Vector, b: Vector) -> Vector:
    return [x * y for x, y in zip(a, b, strict=True)]


def parts(z: Vector, count: int) -> list[Vector]:
    n = len(z) // count
    return [z[k * n : (k + 1) * n] for k in range(count)]


def lstm(φ: str, σ: str, peepholes: bool = False, projected: bool = False, first: bool = False) -> Step:
    """The LSTM; `first`: the first generation's kernel, gate order i, j, f, o, forget bias 1, and state (c, m)."""

    def of(name: str, z: Vector) -> Vector:
        return [ACTIVATIONS[name](x) for x in z]

    def step(x: Vector, states: list[Vector], weights: list[Any]) -> tuple[Vector, list[Vector]]:
        if not first:
            (W, U, b), (h, c) = weights, states
            z_i, z_f, z_g, z_o = parts(added(product(x, W), product(h, U), b), 4)
        else:
            (W, b, *rest), (c, h) = weights, states
            z_i, z_g, z_f, z_o = parts(added(product([*x, *h], W), b), 4)
            z_f = [z + 1 for z in z_f]
        w_f, w_i, w_o = rest[:3] if peepholes else [[mp.mpf(0)] * len(c)] * 3
        i, f = of(σ, added(z_i, times(w_i, c))), of(σ, added(z_f, times(w_f, c)))
        c_new = added(times(f, c), times(i, of(φ, z_g)))
        h_new = times(of(σ, added(z_o, times(w_o, c_new))), of(φ, c_new))
        if projected:
            h_new = product(h_new, rest[-1])
        return h_new, [c_new, h_new] if first else [h_new, c_new]

    return step


def gru(φ: str, σ: str, reset_after: bool, first: bool = False) -> Step:
    """The GRU; `first`: the first generation's two kernels, gates r and u, candidate c."""

    def of(name: str, z: Vector) -> Vector:
        return [ACTIVATIONS[name](x) for x in z]

    def step(x: Vector, states: list[Vector], weights: list[Any]) -> tuple[Vector, list[Vector]]:
        (h,) = states
        if first:
            W, b, W_g, b_g = weights
            r, z = parts(of(σ, added(product([*x, *h], W), b)), 2)
            g = of(φ, added(product([*x, *times(r, h)], W_g), b_g))
        else:
            W, U, b = weights
            b_x, b_h = b if reset_after else (b, [mp.mpf(0)] * len(b))
            x_z, x_r, x_g = parts(added(product(x, W), b_x), 3)
            h_z, h_r, h_g = parts(added(product(h, U), b_h), 3)
            z, r = of(σ, added(x_z, h_z)), of(σ, added(x_r, h_r))
            inner = times(r, h_g) if reset_after else product(times(r, h), [row[2 * len(h) :] for row in U])
            g = of(φ, added(x_g, inner))
        h_new = added(times(z, h), times([1 - v for v in z], g))
        return h_new, [h_new]

    return step


def simple(φ: str, first: bool = False) -> Step:
    """The simple net; `first`: one kernel."""

    def step(x: Vector, states: list[Vector], weights: list[Any]) -> tuple[Vector, list[Vector]]:
        (h,) = states
        z = added(product([*x, *h], weights[0])) if first else added(product(x, weights[0]), product(h, weights[1]))
        h_new = [ACTIVATIONS[φ](v) for v in added(z, weights[-1])]
        return h_new, [h_new]

    return step


def run(step: Step, xs: Matrix, states: list[Vector], weights: list[Any], mask: Sequence[bool]) -> list[Vector]:
    """Return the outputs of all steps and the final states; a masked step repeats the output and keeps the states."""
    outputs, output = [], None
    for x, counts in zip(xs, mask, strict=True):
        new, states_new = step(x, states, weights)
        output = new if counts else output or [mp.mpf(0)] * len(new)
        states = states_new if counts else states
        outputs.append(output)
    return [*outputs, *states]
