"""Operations beside the recurrent loops that are one pass over their numbers here, and many in NumPy.

`fused` maps the name of an operation to what computes it. `refuses(*arrays)` says in a few words why it cannot, and
nothing if it can. Formulas and numbers are those of `minigrad.engine.ops.loss` and `minigrad.keras.optimizers.adam`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from minigrad_numba.activations import exponential
from minigrad_numba.compiling import INLINED, compiled
from minigrad_numba.loops import plain
from minigrad_numpy.compile import DTYPES

Array = Any


class Fused:
    """An operation in compiled code."""

    def refuses(self, *arrays: Array) -> str:
        """Says why it cannot run with these arrays."""
        dtypes = {array.dtype for array in arrays}
        return "" if len(dtypes) == 1 and dtypes.pop() in DTYPES else "the compiled code knows one real dtype at a time"


class SoftmaxCrossEntropy(Fused):
    """y = ln Σⱼ e^xⱼ − x_label over the last axis; NaN where the label is no class."""

    def forward(self, x: Array, labels: Array) -> tuple[Array, Array]:
        """Returns y, and softmax x for the way back.

        Args:
            x: (…, classes), float32 or float64.
            labels: integers (…).
        """
        softmax, y = np.empty(x.shape, x.dtype), np.empty(labels.shape, x.dtype)
        rows = x.reshape(-1, x.shape[-1])
        _softmax(plain(rows), _flat(labels), softmax.reshape(rows.shape), y.reshape(-1))
        return y, softmax

    def backward(self, dy: Array, labels: Array, softmax: Array) -> Array:
        """Returns dx = dy (softmax x − onehot(label))."""
        dx = np.empty(softmax.shape, softmax.dtype)
        rows = softmax.reshape(-1, softmax.shape[-1])
        _softmax_back(plain(dy.reshape(-1)), _flat(labels), rows, dx.reshape(rows.shape))
        return dx


def _flat(labels: Array) -> Array:
    return plain(labels.reshape(-1).astype(np.int64, copy=False))


@njit(**{**INLINED, "fastmath": {"contract", "reassoc"}})
def _sum(p):  # type: ignore[no-untyped-def]
    """Σ p, in an order that suits vector instructions."""
    total = p.dtype.type(0)
    for j in range(len(p)):
        total += p[j]
    return total


@compiled("the softmax cross-entropy")
def _softmax(x, labels, softmax, y):  # type: ignore[no-untyped-def]
    """Fills softmax and y."""
    one, no_class = x.dtype.type(1), x.dtype.type(np.nan)
    for row in range(len(x)):
        z, p = x[row], softmax[row]
        largest = z[0]
        for j in range(len(z)):
            largest = max(largest, z[j])
        for j in range(len(z)):
            p[j] = exponential(z[j] - largest)
        total = _sum(p)
        label, per_total = labels[row], one / total
        y[row] = np.log(total) - (z[label] - largest) if 0 <= label < len(z) else no_class
        for j in range(len(z)):
            p[j] *= per_total


@compiled("the softmax cross-entropy's gradient")
def _softmax_back(dy, labels, softmax, dx):  # type: ignore[no-untyped-def]
    """Fills dx."""
    for row in range(len(dx)):
        d, p = dx[row], softmax[row]
        for j in range(len(p)):
            d[j] = dy[row] * p[j]
        label = labels[row]
        if 0 <= label < len(p):
            d[label] -= dy[row]


class Adam(Fused):
    """m ← m + (1 − β₁) (g − m),   v ← v + (1 − β₂) (g² − v),   Δ = η m / (√v + ε)"""

    def refuses(self, *arrays: Array) -> str:
        """Says why it cannot run with g, m and v: what is written to has to be the array itself, not a copy of it."""
        g, *slots = arrays
        in_place = all(slot.flags.carray for slot in slots)
        return super().refuses(g, *slots) or ("" if in_place else "the compiled code writes to contiguous arrays alone")

    def __call__(
        self, g: Array, m: Array, v: Array, rate: float, beta_1: float, beta_2: float, epsilon: float
    ) -> Array:
        """Returns Δ; m and v are written to.

        Args:
            g: the gradient, float32 or float64; m and v are of its shape, and contiguous.
            m: the running mean of g.
            v: that of g².
            rate: η, corrected for the zeros that m and v started from.
            beta_1: β₁.
            beta_2: β₂.
            epsilon: ε.
        """
        real, step = g.dtype.type, np.empty(g.shape, g.dtype)
        flat = [plain(array).reshape(-1) for array in (g, m, v, step)]
        _adam(*flat, real(rate), real(1.0 - beta_1), real(1.0 - beta_2), real(epsilon))
        return step


@compiled("Adam's update")
def _adam(g, m, v, step, rate, of_g, of_square, epsilon):  # type: ignore[no-untyped-def]
    """Fills step, and brings m and v up to date."""
    for k in range(len(g)):
        m[k] += of_g * (g[k] - m[k])
        v[k] += of_square * (g[k] * g[k] - v[k])
        step[k] = rate * m[k] / (np.sqrt(v[k]) + epsilon)


fused: dict[str, Any] = {"softmax_cross_entropy": SoftmaxCrossEntropy(), "adam": Adam()}
