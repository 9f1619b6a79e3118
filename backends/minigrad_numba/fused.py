"""Fused operations other than recurrent loops: one pass over their numbers, where NumPy takes many.

`fused` maps the name of an operation to its implementation. `unsupported(*arrays)` returns the reason why it cannot
run, in a few words, or "" if it can. The formulas and numbers are those of `minigrad.engine.ops.loss` and
`minigrad.keras.optimizers.adam`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from minigrad_numba.activations import exponential
from minigrad_numba.compiling import INLINED, compiled
from minigrad_numba.loops import contiguous
from minigrad_numpy.compile import DTYPES

Array = Any


class Fused:
    """An operation in compiled code."""

    def unsupported(self, *arrays: Array) -> str:
        """Return the reason why it cannot run with these arrays, or ""."""
        dtypes = {array.dtype for array in arrays}
        return (
            "" if len(dtypes) == 1 and dtypes.pop() in DTYPES else "the compiled code supports one real dtype at a time"
        )


class SoftmaxCrossEntropy(Fused):
    """y = ln Σⱼ e^xⱼ − x_label over the last axis; NaN if the label is not a class."""

    def forward(self, x: Array, labels: Array) -> tuple[Array, Array]:
        """Return y, and softmax x for the backward pass.

        Args:
            x: (…, classes), float32 or float64.
            labels: integers (…).
        """
        softmax, y = np.empty(x.shape, x.dtype), np.empty(labels.shape, x.dtype)
        rows = x.reshape(-1, x.shape[-1])
        _softmax(contiguous(rows), _flat(labels), softmax.reshape(rows.shape), y.reshape(-1))
        return y, softmax

    def backward(self, dy: Array, labels: Array, softmax: Array) -> Array:
        """Return dx = dy (softmax x − onehot(label))."""
        dx = np.empty(softmax.shape, softmax.dtype)
        rows = softmax.reshape(-1, softmax.shape[-1])
        _softmax_back(contiguous(dy.reshape(-1)), _flat(labels), rows, dx.reshape(rows.shape))
        return dx


def _flat(labels: Array) -> Array:
    return contiguous(labels.reshape(-1).astype(np.int64, copy=False))


@njit(**{**INLINED, "fastmath": {"contract", "reassoc"}})
def _sum(p):  # type: ignore[no-untyped-def]
    """Σ p, in an order that can be vectorized."""
    total = p.dtype.type(0)
    for j in range(len(p)):
        total += p[j]
    return total


@compiled("the softmax cross-entropy")
def _softmax(x, labels, softmax, y):  # type: ignore[no-untyped-def]
    """Fill softmax and y."""
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
    """Fill dx."""
    for row in range(len(dx)):
        d, p = dx[row], softmax[row]
        for j in range(len(p)):
            d[j] = dy[row] * p[j]
        label = labels[row]
        if 0 <= label < len(p):
            d[label] -= dy[row]


class Adam(Fused):
    """m ← m + (1 − β₁) (g − m),   v ← v + (1 − β₂) (g² − v),   Δ = η m / (√v + ε)"""

    def unsupported(self, *arrays: Array) -> str:
        """Return the reason why it cannot run with g, m and v, or ""; m and v are written in place, not copied."""
        g, *slots = arrays
        in_place = all(slot.flags.carray for slot in slots)
        reason = "" if in_place else "the compiled code writes to contiguous arrays only"
        return super().unsupported(g, *slots) or reason

    def __call__(
        self, g: Array, m: Array, v: Array, rate: float, beta_1: float, beta_2: float, epsilon: float
    ) -> Array:
        """Return Δ; update m and v in place.

        Args:
            g: the gradient, float32 or float64; m and v are of its shape, and contiguous.
            m: the running mean of g.
            v: the running mean of g².
            rate: η, corrected for the zeros that m and v started from.
            beta_1: β₁.
            beta_2: β₂.
            epsilon: ε.
        """
        real, step = g.dtype.type, np.empty(g.shape, g.dtype)
        flat = [contiguous(array).reshape(-1) for array in (g, m, v, step)]
        _adam(*flat, real(rate), real(1.0 - beta_1), real(1.0 - beta_2), real(epsilon))
        return step


@compiled("Adam's update")
def _adam(g, m, v, step, rate, of_g, of_square, epsilon):  # type: ignore[no-untyped-def]
    """Fill step, and update m and v in place."""
    for k in range(len(g)):
        m[k] += of_g * (g[k] - m[k])
        v[k] += of_square * (g[k] * g[k] - v[k])
        step[k] = rate * m[k] / (np.sqrt(v[k]) + epsilon)


fused: dict[str, Any] = {"softmax_cross_entropy": SoftmaxCrossEntropy(), "adam": Adam()}
