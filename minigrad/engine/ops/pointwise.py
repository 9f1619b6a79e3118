"""Functions of one number, applied to every element: y and dx have the shape of x.

Where the derivative follows from y, it is computed from y (`from_output`). A recurrent cell that caches its gates then
has their derivatives too, and need not cache x.
"""

from __future__ import annotations

from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp

# The constants of Klambauer et al., 2017, "Self-Normalizing Neural Networks", to double precision.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
SQRT_HALF = 0.7071067811865476
INV_SQRT_TAU = 0.3989422804014327  # 1 / √(2π)
TWO_OVER_SQRT_PI = 1.1283791670955126
FAR = 40.0  # from there on e^(−x²) and e^(−x²/2) are 0 in float64, and x² may overflow


class Abs(Op):
    """y = |x|, with derivative 0 at 0."""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.abs(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * xp.sign(x)


class Sign(Op):
    """y = −1, 0 or 1; flat everywhere, so the gradient is 0."""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.sign(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * 0.0


class Floor(Op):
    """y = the largest integer ≤ x; flat almost everywhere, so the gradient is 0."""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.floor(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * 0.0


class Exp(Op):
    """y = eˣ"""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return xp.exp(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * y


class Expm1(Op):
    """y = eˣ − 1, exact for small x too."""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return xp.expm1(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * (y + 1.0)


class Log(Op):
    """y = ln x"""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.log(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy / x


class Log1p(Op):
    """y = ln(1 + x), exact for small x too."""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.log1p(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy / (1.0 + x)


class Sqrt(Op):
    """y = √x"""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return xp.sqrt(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return 0.5 * dy / y


class Sin(Op):
    """y = sin x"""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.sin(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * xp.cos(x)


class Cos(Op):
    """y = cos x"""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.cos(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return -dy * xp.sin(x)


class Erf(Op):
    """y = 2/√π ∫₀ˣ e^(−t²) dt"""

    def forward(xp: Xp, x: Array) -> Array:
        return xp.erf(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        x = xp.clip(x, -FAR, FAR)
        return dy * TWO_OVER_SQRT_PI * xp.exp(-x * x)


class Clip(Op):
    """y = min(max(x, low), high); the gradient passes where low ≤ x ≤ high."""

    def forward(xp: Xp, x: Array, *, low: float, high: float) -> Array:
        return xp.clip(x, low, high)

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, low: float, high: float) -> Array:
        return xp.where((x >= low) & (x <= high), dy, 0.0)


# --- activations ----------------------------------------------------------------------------------------------------


class Linear(Op):
    """y = x, the same array. The derivative needs neither. Not `from_output`, because a cached y is a cached x."""

    def forward(xp: Xp, x: Array) -> Array:
        return x

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy


class Tanh(Op):
    """y = tanh x"""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return xp.tanh(x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * (1.0 - y * y)


class Sigmoid(Op):
    """y = σ(x) = 1 / (1 + e⁻ˣ), computed from e^(−|x|), which cannot overflow."""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        e = xp.exp(-xp.abs(x))
        return xp.where(x >= 0, 1.0, e) / (1.0 + e)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * (y * (1.0 - y))


class HardSigmoid(Op):
    """y = clip(0.2 x + 0.5, 0, 1), the one of Keras 1 and 2 (Keras 3 divides by 6).

    y′ = 0.2 where |x| ≤ 2.5, both ends included, as in TensorFlow, else 0. Where y alone is known, the ends are flat.
    """

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return xp.clip(0.2 * x + 0.5, 0.0, 1.0)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        if x is None:
            return xp.where((y > 0.0) & (y < 1.0), 0.2 * dy, 0.0)
        line = 0.2 * x + 0.5
        return xp.where((line >= 0.0) & (line <= 1.0), 0.2 * dy, 0.0)


class Relu(Op):
    """y = max(x, 0), with derivative 0 at 0."""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return xp.maximum(x, 0.0)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return xp.where(y > 0.0, dy, 0.0)


class Elu(Op):
    """y = x where x > 0, else α(eˣ − 1); all derivatives at 0 are those of the second. Source: Clevert et al., 2016."""

    from_output = True

    def forward(xp: Xp, x: Array, *, alpha: float = 1.0) -> Array:
        return xp.where(x > 0.0, x, alpha * xp.expm1(xp.minimum(x, 0.0)))

    def backward(xp: Xp, dy: Array, y: Array, x: Array, *, alpha: float = 1.0) -> Array:
        straight = (y if x is None else x) > 0.0  # with α < 0, y is positive on both sides
        return dy * xp.where(straight, 1.0, y + alpha)


class Selu(Op):
    """y = λ x where x > 0, else λ α(eˣ − 1); y′ = λ at 0, as in TensorFlow. Source: Klambauer et al., 2017."""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return SELU_SCALE * xp.where(x > 0.0, x, SELU_ALPHA * xp.expm1(xp.minimum(x, 0.0)))

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return dy * xp.where(y >= 0.0, SELU_SCALE, y + SELU_SCALE * SELU_ALPHA)


class Softplus(Op):
    """y = ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)); y′ = σ(x) = 1 − e⁻ʸ"""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return xp.maximum(x, 0.0) + xp.log1p(xp.exp(-xp.abs(x)))

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        return -dy * xp.expm1(-y)


class Softsign(Op):
    """y = x / (1 + |x|); y′ = (1 − |y|)²"""

    from_output = True

    def forward(xp: Xp, x: Array) -> Array:
        return x / (1.0 + xp.abs(x))

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        slope = 1.0 - xp.abs(y)
        return dy * slope * slope


class Swish(Op):
    """y = x σ(x); y′ = σ(x)(1 + x (1 − σ(x))), where no large numbers cancel. Source: Ramachandran et al., 2017."""

    def forward(xp: Xp, x: Array) -> Array:
        return x * Sigmoid.forward(xp, x)

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        s = Sigmoid.forward(xp, x)
        return dy * (s * (1.0 + x * (1.0 - s)))


class Gelu(Op):
    """y = x Φ(x), with Φ(x) = ½(1 + erf(x/√2)) the normal distribution; y′ = Φ(x) + x φ(x).

    Source: Hendrycks and Gimpel, 2016, the exact form and not its tanh approximation.
    """

    def forward(xp: Xp, x: Array) -> Array:
        return 0.5 * x * (1.0 + xp.erf(x * SQRT_HALF))

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        x = xp.clip(x, -FAR, FAR)
        density = INV_SQRT_TAU * xp.exp(-0.5 * x * x)
        return dy * (0.5 * (1.0 + xp.erf(x * SQRT_HALF)) + x * density)


class Mish(Op):
    """y = x tanh(softplus x); with t = tanh(softplus x), y′ = t + x (1 − t²) σ(x). Source: Misra, 2019."""

    def forward(xp: Xp, x: Array) -> Array:
        return x * xp.tanh(Softplus.forward(xp, x))

    def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
        t = xp.tanh(Softplus.forward(xp, x))
        return dy * (t + x * (1.0 - t * t) * Sigmoid.forward(xp, x))
