"""First, second and third derivatives where a stable formula has a seam: at 0, near it, far out, at ties, at kinks.

Right values are mpmath's. Where a function has a true kink, the table says which derivatives it takes; the first is
TensorFlow's (`tests/keras/losses/test_kinks.py` has the recorded ones), but for `maximum` and `minimum`, which share
a tie.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")
pytest.importorskip("mpmath", reason="needs mpmath: pip install -e '.[test]'")

import mpmath as mp
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad as mg
from derivatives import Row, at, check, true
from minigrad import functional as F
from minigrad.engine.ops import arithmetic, indexing, loss, pointwise, reduction, shape
from minigrad.engine.ops.op import MultiOp, Op
from minigrad.engine.ops.pointwise import SELU_ALPHA, SELU_SCALE

NEAR = (0.0, -0.0, 1e-300, -1e-300, 1e-16, -1e-16, 1e-8, -1e-8, 1e-3, -1e-3)
MIDDLE = (0.5, -0.5, 1.0, -1.0, 3.0, -3.0, 20.0, -20.0, 40.0, -40.0)
FAR = (800.0, -800.0, 1e4, -1e4, 1e8, -1e8, 1e17, -1e17, 1e150, -1e150)
EVERYWHERE = (*NEAR, *MIDDLE, *FAR)
OFF_0 = tuple(t for t in EVERYWHERE if t != 0.0)
POSITIVE = (1e-8, 1e-3, 0.5, 1.0, 3.0, 40.0, 1e4, 1e17)
FLAT = (0.0, 0.0, 0.0)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + mp.exp(-x))


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x)) if x < 1000 else x + mp.exp(-x)


def constant(c: float) -> Any:
    return lambda x: mp.mpf(c)


def linear(x: Any) -> Any:
    return x


def negative(x: Any) -> Any:
    return -x


def power(n: float) -> Row:
    return Row(f"x ** {n}", lambda x: x**n, lambda x: x**n, EVERYWHERE[:-2] if n >= 0 else OFF_0[4:18])


SMOOTH = [
    Row("sigmoid", F.sigmoid, sigmoid, EVERYWHERE),
    Row("softplus", F.softplus, softplus, EVERYWHERE),
    Row("swish", F.swish, lambda x: x * sigmoid(x), EVERYWHERE),
    Row("mish", F.mish, lambda x: x * mp.tanh(softplus(x)), EVERYWHERE),
    Row("gelu", F.gelu, lambda x: x * (1 + mp.erf(x / mp.sqrt(2))) / 2, EVERYWHERE),
    Row("tanh", F.tanh, mp.tanh, EVERYWHERE),
    Row("erf", F.erf, mp.erf, EVERYWHERE),
    Row("linear", F.linear, linear, EVERYWHERE),
    Row("sin", F.sin, mp.sin, (*NEAR, *MIDDLE)),
    Row("cos", F.cos, mp.cos, (*NEAR, *MIDDLE)),
    Row("exp", F.exp, mp.exp, (*NEAR, *MIDDLE)),
    Row("expm1", F.expm1, mp.expm1, (*NEAR, *MIDDLE)),
    Row("log", F.log, mp.log, POSITIVE),
    Row("log1p", F.log1p, mp.log1p, (*NEAR, *POSITIVE, -0.5)),
    Row("sqrt", F.sqrt, mp.sqrt, POSITIVE),
    *map(power, (0, 1, 2, 3, 4, 2.0, 5.0, -1, -2.0)),
    Row("x ** tensor of 2", lambda x: x ** mg.tensor(2.0, "float64"), lambda x: x**2, EVERYWHERE[:-2]),
    Row("x ** 2.5", lambda x: x**2.5, lambda x: x**2.5, POSITIVE),
    Row("x ** x", lambda x: x**x, lambda x: x**x, (0.5, 1.0, 3.0)),
    Row("x ** (3 + x)", lambda x: x ** (3.0 + x), lambda x: x ** (3 + x), (1e-3, 1.0), kinks={0.0: (0.0, 0.0, 6.0)}),
    Row("0 ** (3 + x)", lambda x: (0.0 * x) ** (3.0 + x), constant(0), (0.0, 1e-8, 1.0)),
    Row("2 ** x", lambda x: 2.0**x, lambda x: mp.mpf(2) ** x, (*NEAR, *MIDDLE)),
    Row("x³ / (1 + x²)", lambda x: x * x * x / (1.0 + x * x), lambda x: x**3 / (1 + x**2), (*NEAR, *MIDDLE)),
    Row("-x - x", lambda x: -x - x, lambda x: -2 * x, EVERYWHERE),
    *[
        Row(
            f"binary_cross_entropy, target {z}",
            lambda x, z=z: F.binary_cross_entropy(x, mg.zeros_like(x) + z),
            lambda x, z=z: (1 - z) * softplus(x) + z * softplus(-x),
            EVERYWHERE,
        )
        for z in (0.0, 0.25, 1.0)
    ],
    Row(
        "binary_cross_entropy, of the target",
        lambda z: F.binary_cross_entropy(3.0 * z, z),
        lambda z: (1 - z) * softplus(3 * z) + z * softplus(-3 * z),
        (0.0, 1e-300, 1e-8, 0.5, 1.0),
    ),
    Row("mean_squared_error", lambda x: F.mean_squared_error(x, x * x), lambda x: (x - x * x) ** 2, (*NEAR, *MIDDLE)),
]

# Piece by piece; at a kink the derivatives that are taken there: those of one side, or their mean.
KINKED = [
    Row("abs", F.abs, points=OFF_0, pieces=lambda t: linear if t > 0 else negative, kinks={0.0: FLAT}),
    Row("sign", F.sign, points=OFF_0, pieces=constant, kinks={0.0: FLAT}),
    Row("floor", F.floor, points=OFF_0[:9], pieces=constant, kinks={0.0: FLAT, 1.0: FLAT}),
    Row("relu", F.relu, points=OFF_0, pieces=lambda t: linear if t > 0 else constant(0), kinks={0.0: FLAT}),
    Row("elu", F.elu, points=EVERYWHERE, pieces=lambda t: linear if t > 0 else mp.expm1),
    *[
        Row(
            f"elu, alpha {alpha}",
            lambda x, alpha=alpha: F.elu(x, alpha),
            points=EVERYWHERE,
            pieces=lambda t, alpha=alpha: linear if t > 0 else lambda x: alpha * mp.expm1(x),
        )
        for alpha in (0.3, 0.0, -0.5)
    ],
    Row(
        "selu",
        F.selu,
        points=OFF_0,
        pieces=lambda t: lambda x: SELU_SCALE * (x if t > 0 else SELU_ALPHA * mp.expm1(x)),
        kinks={0.0: (SELU_SCALE, 0.0, 0.0)},
    ),
    Row(
        "softsign",
        F.softsign,
        points=OFF_0,
        pieces=lambda t: lambda x: x / (1 + x) if t > 0 else x / (1 - x),
        kinks={0.0: (1.0, 0.0, 0.0)},  # the second derivative jumps from 2 to −2: its mean
    ),
    Row(
        "hard_sigmoid",
        F.hard_sigmoid,
        points=(*NEAR, 2.4, -2.4, 2.6, -2.6, *FAR),
        pieces=lambda t: (lambda x: x / 5) if abs(t) < 2.5 else constant(0),
        kinks={2.5: (0.2, 0.0, 0.0), -2.5: (0.2, 0.0, 0.0)},  # the ends belong to the line
    ),
    Row(
        "clip",
        lambda x: F.clip(x, -1.0, 0.5) * x,
        points=(*NEAR, 0.4, 0.6, -0.9, -1.1, *FAR[:-2]),
        pieces=lambda t: lambda x: x * (x if -1 < t < 0.5 else 0.5 if t > 0 else -1),
        kinks={0.5: (1.0, 2.0, 0.0), -1.0: (-2.0, 2.0, 0.0)},  # the ends belong to the line
    ),
    Row(
        "maximum(x³, 0)",
        lambda x: F.maximum(x**3, 0.0),
        points=OFF_0[4:18],
        pieces=lambda t: (lambda x: x**3) if t > 0 else constant(0),
        kinks={0.0: (0.0, 0.0, 3.0)},  # each side gets half
    ),
    Row(
        "minimum(x, x²)",
        lambda x: F.minimum(x, x**2),
        points=(-0.5, 1e-8, 0.5, 1.5),
        pieces=lambda t: linear if t < 0 or t > 1 else lambda x: x**2,
        kinks={0.0: (0.5, 1.0, 0.0), 1.0: (1.5, 1.0, 0.0)},  # each side gets half
    ),
    Row(
        "where",
        lambda x: F.where(x > 0.0, x**3, x * x),
        points=(*NEAR, *MIDDLE),
        pieces=lambda t: lambda x: x**3 if t > 0 else x**2,
    ),
]

# Functions of several numbers, along a line through a point where they tie, vanish, or lie far apart.
PLACES = {
    "zeros": [0.0, 0.0, 0.0, 0.0],
    "ties": [1.5, 1.5, 1.5, -2.0],
    "tiny": [1e-300, -1e-300, 1e-8, 0.0],
    "apart": [40.0, -40.0, 0.0, 39.0],
    "far": [1e4, -1e4, 0.0, 1e4],
}
V, C = [0.5, -1.25, 2.0, 0.75], [1.0, -0.5, 0.25, 2.0]  # the line's direction, and what the outputs are weighed with


def logsumexp(xs: list[Any]) -> Any:
    return mp.log(sum(mp.exp(x) for x in xs))


def softmax(xs: list[Any]) -> list[Any]:
    return [mp.exp(x - logsumexp(xs)) for x in xs]


def variance(xs: list[Any]) -> Any:
    mean = sum(xs) / len(xs)
    return sum((x - mean) ** 2 for x in xs) / len(xs)


def cumulated(xs: list[Any]) -> list[Any]:
    return [sum(xs[: k + 1]) for k in range(len(xs))]


def moved(x: mg.Tensor) -> mg.Tensor:
    """x², by way of every operation that moves numbers, and back in its order."""
    a, b = F.split(F.transpose(F.broadcast_to(x.reshape(1, 4), (2, 4))), 2, 0)
    y = F.flip(F.concat([b, a], 0), 0)[:, 0]
    first, *rest = F.unstack(F.pad(y, ((1, 1),)))
    y = F.getitem(F.stack([first, *rest]), slice(1, 5))
    y = F.scatter_add(mg.zeros((4,), "float64"), np.array([0, 1, 2, 3]), F.take(y, np.array([1, 0, 3, 2])))
    y = F.squeeze(F.expand_dims(y, 0), 0).astype("float64")
    return y * x


VECTORS: dict[str, tuple[Any, Any]] = {
    "softmax": (F.softmax, softmax),
    "log_softmax": (F.log_softmax, lambda xs: [x - logsumexp(xs) for x in xs]),
    "logsumexp": (F.logsumexp, logsumexp),
    "softmax_cross_entropy": (
        lambda x: F.softmax_cross_entropy(x.reshape(1, 4), [1]) + F.softmax_cross_entropy(x.reshape(2, 2), [0, 1]),
        lambda xs: logsumexp(xs) - xs[1] + (logsumexp(xs[:2]) - xs[0] + logsumexp(xs[2:]) - xs[3]) / 2,
    ),
    "prod": (F.prod, mp.fprod),
    "norm": (lambda x: F.sqrt((x * x).sum()), mp.norm),
    "x / norm": (lambda x: x / F.sqrt((x * x).sum()), lambda xs: [x / mp.norm(xs) for x in xs]),
    "var": (F.var, variance),
    "cumsum of squares": (lambda x: F.cumsum(x * x), lambda xs: cumulated([x * x for x in xs])),
    "x xᵀ x": (lambda x: (x.reshape(4, 1) @ x.reshape(1, 4)) @ x, lambda xs: [x * sum(a * a for a in xs) for x in xs]),
    "moved": (moved, lambda xs: [x * x for x in xs]),
    "astype": (lambda x: (x.astype("float32") * 0.0).astype("float64") + x * x, lambda xs: [x * x for x in xs]),
}


def along(name: str, place: list[float]) -> Row:
    """A function of several numbers as one of the number t, at place + t V."""
    ours, theirs = VECTORS[name]

    def our_line(t: mg.Tensor) -> mg.Tensor:
        y = ours(mg.tensor(place, "float64") + t * np.array(V))
        return (y * np.array(C)).sum() if y.ndim else y

    def their_line(t: Any) -> Any:
        y = theirs([mp.mpf(x) + t * v for x, v in zip(place, V, strict=True)])
        return sum(c * x for c, x in zip(C, y, strict=True)) if isinstance(y, list) else y

    return Row(name, our_line, their_line, (0.0,))


SINGULAR = [("norm", "zeros"), ("x / norm", "zeros")]  # a norm has no derivative at 0, and minigrad's is not finite
LINES = [along(name, place) for name in VECTORS for label, place in PLACES.items() if (name, label) not in SINGULAR]

# Ties of a whole group share the gradient; a max of smooth functions adds no curvature.
TIES = [
    Row("max", lambda t: F.max(F.stack([t, t * t, 2.0 - t, t - 5.0])), kinks={1.0: ((1 + 2 - 1) / 3, 2 / 3, 0.0)}),
    Row("min", lambda t: F.min(F.stack([t, t**3, 9.0 + t])), kinks={1.0: (2.0, 3.0, 3.0), 0.0: (0.5, 0.0, 3.0)}),
]


@pytest.mark.parametrize("row", [*SMOOTH, *KINKED, *LINES, *TIES], ids=lambda row: row.name)
def test_derivatives_to_the_third(row: Row, backend: ModuleType) -> None:
    assert check(row)


COMPOSED = {row.name: row for row in SMOOTH if row.points == EVERYWHERE and "**" not in row.name}
layers = st.tuples(
    st.sampled_from(sorted(COMPOSED)), st.sampled_from([1.0, -2.0, 0.5]), st.sampled_from([0.0, 1e-8, 1])
)


@given(st.lists(layers, min_size=2, max_size=4), st.sampled_from([*NEAR, 0.5, -1.0, 3.0]))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_functions_of_functions(chain: list[tuple[str, float, float]], t: float) -> None:
    """f(a g(b h(…) + c) + d) at points where the innermost argument is 0, nearly 0, or neither."""

    def ours(x: Any) -> Any:
        for name, a, b in chain:
            x = COMPOSED[name].ours(a * x + b)
        return x

    def theirs(x: Any) -> Any:
        for name, a, b in chain:
            x = COMPOSED[name].theirs(a * x + b)
        return x

    np.testing.assert_allclose(at(ours, t), true(theirs, t), rtol=1e-8, atol=1e-10)


def test_the_tables_miss_no_operation() -> None:
    """At least one row for every operation with a derivative, for itself and not inside another."""
    met: set[type[Op]] = set()
    for row in (*SMOOTH, *KINKED, *LINES, *TIES):
        at(row.ours, (*row.points, *row.kinks)[0], met)
    modules = (arithmetic, indexing, loss, pointwise, reduction, shape)
    ops = {op for module in modules for op in vars(module).values() if isinstance(op, type) and issubclass(op, Op)}
    assert ops - {Op, MultiOp} <= met


def test_the_tables_miss_no_activation() -> None:
    rows = {row.name for row in (*SMOOTH, *KINKED)} | set(VECTORS)
    names = set(mg.keras.activations.__all__) - {"deserialize", "get", "serialize", "exponential"}
    assert names <= rows


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "swish", "mish", "gelu", "tanh", "elu", "selu", "softsign"])
def test_float32_has_the_same_derivatives(name: str, backend: ModuleType) -> None:
    """Three derivatives in float32, at 0, near 0 and far out, to float32's digits: no formula loses them."""
    function = getattr(F, name)
    for t in (0.0, 1e-30, -1e-30, 1e-4, -1e-4, 1.0, -1.0, 1e8, -1e8):
        leaf = mg.tensor(t, "float32", requires_grad=True)
        y = function(leaf)
        for want in at(function, t):
            (y,) = mg.grad(y, leaf, create_graph=True)
            assert y.item() == pytest.approx(want, rel=1e-4, abs=1e-6)
