"""tanh and σ for compiled loops, written so that the compiler vectorizes them.

Both use e^y. Let n be the integer nearest to y / ln 2, and r = y − n ln 2, so |r| ≤ ½ ln 2:

    e^y = 2ⁿ (1 + p),       p = eʳ − 1 = r + r²/2! + r³/3! + …

    tanh x = ±E / (E + 2)                       E = e^(2|x|) − 1 = 2ⁿ p + (2ⁿ − 1),  exact to the last digits at x ≈ 0
    σ(x)   = 1 / (1 + e), or e / (1 + e)        e = e^(−|x|); the first for x ≥ 0, the second for x < 0

The code has no branches, calls or conversions to integers. n is rounded by adding a number whose last binary digit has
the value 1, and 2ⁿ is made by shifting these digits into the exponent of a float. NaN propagates through every line.

Accuracy: at most 2 units in the last place from the true value, in float32 and in float64, over the whole range,
denormal numbers included; ±∞ give the limits. Tests check this. (NumPy's float32 functions are off by up to 1.4 units
in tanh and 3.5 in 1/(1 + exp(−x)).)
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from minigrad_numba.compiling import INLINED, inlined

Function = Callable[..., Any]

LN2 = decimal.Decimal("0.6931471805599453094172321214581765680755")


def _exponential(real: Any, whole: Any, terms: int) -> tuple[Any, Any, Any]:
    """Return the parts of e^y for a dtype, y → (p, 2 · bias + n) and bias + n → 2ⁿ, and e^y for y ≤ 0.

    A float stores its exponent plus a bias, and so do these functions; then no number is negative.

    Args:
        real: the dtype.
        whole: the unsigned integer type of as many bits.
        terms: the number of terms of the series for p, odd.
    """
    about = np.finfo(real)
    per_ln2 = real(1 / LN2)
    ln2_high = real(math.floor(LN2 * 2**10) / 2**10)  # few enough digits that n · ln2_high is exact
    ln2_low = real(LN2 - decimal.Decimal(float(ln2_high)))
    rounder = real(1.5 * 2**about.nmant)
    exponent = whole(about.nmant)  # the position of its lowest bit
    bias, bits_of_rounder = whole(about.maxexp - 1), rounder.view(whole)
    lowest = real(math.log(about.smallest_subnormal) - 1.5)  # below this, e^y is 0
    zero, one, bit = real(0), real(1), whole(1)
    series = tuple((real(1 / math.factorial(k)), real(1 / math.factorial(k + 1))) for k in range(terms - 1, 1, -2))

    @inlined
    def parts(y):  # type: ignore[no-untyped-def]
        shifted = real(y * per_ln2 + rounder)
        n = shifted - rounder
        r = (y - n * ln2_high) - n * ln2_low
        r_2, s = r * r, zero
        for c, c_next in series:  # two terms at a time: half as many dependent lines
            s = s * r_2 + (c + c_next * r)
        return r + r_2 * s, whole(shifted.view(whole) - bits_of_rounder + bias + bias)

    @inlined
    def power(n):  # type: ignore[no-untyped-def]
        return whole(n << exponent).view(real)

    def exponential(y):  # type: ignore[no-untyped-def]
        y = lowest if y < lowest else y
        p, n = parts(y)
        half = whole(n >> bit)
        return (p + one) * power(half) * power(whole(n - half))  # in two factors: 2ⁿ may be too small for a float

    return parts, power, exponential


def _quotient(one: Any) -> Any:
    """Return the function a / (b + e) for the dtype of this 1."""

    @inlined
    def quotient(a, b, e):  # type: ignore[no-untyped-def]
        """a / (b + e), corrected for the rounding of the sum and the division."""
        d = b + e
        lost = e - (d - b)
        per_d = one / d
        q = a * per_d
        return q + ((a - q * d) - q * lost) * per_d

    return quotient


def _functions(real: Any, whole: Any, terms: int) -> tuple[Function, ...]:
    """Return tanh, the gate's σ and its derivative, and e^y for y ≤ 0, for a dtype."""
    zero, one, two = real(0), real(1), real(2)
    (parts, power, exponential), quotient = _exponential(real, whole, terms), _quotient(one)
    inlined_exponential = inlined(exponential)
    fifth, middle = real(0.2), real(0.5)
    sign = whole(1 << (np.iinfo(whole).bits - 1))
    bias = whole(np.finfo(real).maxexp - 1)
    far = real(0.8 * np.finfo(real).nmant)  # beyond this, tanh is 1

    def tanh(x):  # type: ignore[no-untyped-def]
        y = two * abs(x)
        y = far if y > far else y
        p, n = parts(y)
        scale = power(whole(n - bias))
        E = scale * p + (scale - one)
        y = real(quotient(E, two, E))
        return whole(y.view(whole) | (real(x).view(whole) & sign)).view(real)

    @inlined
    def sigmoid(x):  # type: ignore[no-untyped-def]
        e = inlined_exponential(-abs(x))
        return quotient(one if x >= zero else e, one, e)

    def gate(x, hard):  # type: ignore[no-untyped-def]
        y = fifth * x + middle
        y = zero if y < zero else y
        y = one if y > one else y
        return y if hard else sigmoid(x)

    def gate_slope(y, hard):  # type: ignore[no-untyped-def]
        if hard:
            return fifth if zero < y < one else zero
        return y - y * y

    return tanh, gate, gate_slope, exponential


_BY_DTYPE = {types.float32: _functions(np.float32, np.uint32, 7), types.float64: _functions(np.float64, np.uint64, 13)}


def tanh(x: Any) -> Any:
    """tanh x, in compiled code."""
    return np.tanh(x)


def exponential(y: Any) -> Any:
    """e^y for y ≤ 0, in compiled code."""
    return np.exp(y)


def gate(x: Any, hard: bool) -> Any:
    """The gates' activation, in compiled code: σ(x), or clip(0.2 x + 0.5, 0, 1) if `hard`."""
    return np.clip(0.2 * x + 0.5, 0.0, 1.0) if hard else 1.0 / (1.0 + np.exp(-x))


def gate_slope(y: Any, hard: bool) -> Any:
    """The derivative of `gate`, from its value y."""
    return np.where((y > 0.0) & (y < 1.0), 0.2, 0.0) if hard else y - y * y


@overload(tanh, jit_options=INLINED)
def _tanh(x):  # type: ignore[no-untyped-def]
    return _BY_DTYPE[x][0]


@overload(exponential, jit_options=INLINED)
def _exponential_of(y):  # type: ignore[no-untyped-def]
    return _BY_DTYPE[y][3]


@overload(gate, jit_options=INLINED)
def _gate(x, hard):  # type: ignore[no-untyped-def]
    return _BY_DTYPE[x][1]


@overload(gate_slope, jit_options=INLINED)
def _gate_slope(y, hard):  # type: ignore[no-untyped-def]
    return _BY_DTYPE[y][2]
