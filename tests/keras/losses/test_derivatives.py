"""First, second and third derivatives of every loss: at 0, near it, far out, at equal numbers and at kinks.

Right values are mpmath's, of the loss's formula. At a kink the first derivative is TensorFlow's (`test_kinks.py`).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("mpmath", reason="needs mpmath: pip install -e '.[test]'")

import mpmath as mp
import numpy as np

import minigrad as mg
from derivatives import Row, check
from minigrad.keras import losses

NEAR = (0.0, -0.0, 1e-300, -1e-300, 1e-16, 1e-8, -1e-8, 1e-3, -1e-3)
MIDDLE = (0.4, -0.4, 2.0, -2.0, 20.0, -20.0, 40.0, -40.0)
FAR = (800.0, -800.0, 1e8, -1e8)
REALS = (*NEAR, *MIDDLE, *FAR)
INSIDE = (1e-6, 0.25, 0.5, 0.75, 1 - 1e-6)
ε = losses.functions.EPSILON


def row(name: str, target: float, theirs: Any = None, points: Any = REALS, call: Any = None, **rest: Any) -> Row:
    """A loss as a function of one prediction."""
    function = getattr(losses, name)

    def ours(t: mg.Tensor) -> mg.Tensor:
        return function(np.array([[target]]), t.reshape(1, 1), **(call or {}))

    return Row(f"{name}, target {target}, {call or ''}", ours, theirs, points, **rest)


def softplus(x: Any) -> Any:
    return mp.log1p(mp.exp(x)) if x < 1000 else x + mp.exp(-x)


def sign(t: float) -> int:
    return 1 if t > 0 else -1


def huber(target: float, δ: float) -> Row:
    def piece(t: float) -> Any:
        d = t - target
        return lambda x: (x - target) ** 2 / 2 if abs(d) <= δ else δ * (sign(d) * (x - target) - mp.mpf(δ) / 2)

    ends = {target + δ: (δ, 1.0, 0.0), target - δ: (-δ, 1.0, 0.0)}  # the ends belong to the parabola
    return row("huber", target, points=(*REALS, target), call={"delta": δ}, pieces=piece, kinks=ends)


def hinge(target: float) -> Row:
    def piece(t: float) -> Any:
        return lambda x: 1 - target * x if target * t < 1 else mp.mpf(0)

    return row("hinge", target, points=REALS, pieces=piece, kinks={1 / target: (-target, 0.0, 0.0)})


def absolute(target: float) -> Row:
    points = [t for t in (*REALS, 0.75) if t != target]
    pieces, kinks = (lambda t: lambda x: sign(t - target) * x), {target: (0.0, 0.0, 0.0)}
    return row("mean_absolute_error", target, points=points, pieces=pieces, kinks=kinks)


def percentage(target: float) -> Row:
    points = [t for t in REALS[:-2] if t != target]
    pieces = lambda t: lambda x: 100 * sign(t - target) * (x - target) / abs(target)  # noqa: E731
    kinks = {target: (0.0, 0.0, 0.0)}
    return row("mean_absolute_percentage_error", target, points=points, pieces=pieces, kinks=kinks)


def logarithmic(target: float) -> Row:
    def piece(t: float) -> Any:
        return lambda x: (mp.log(x + 1) - mp.log(mp.mpf(target) + 1)) ** 2 if t > ε else mp.mpf(0)

    points = (*MIDDLE, 1e-3, 1e-6, -1e-3, 0.0, 800.0, -800.0)
    return row("mean_squared_logarithmic_error", target, points=points, pieces=piece)


def binary(z: float, smoothing: float = 0.0) -> Row:
    smooth = z * (1 - smoothing) + smoothing / 2

    def piece(t: float) -> Any:
        return lambda p: -(smooth * mp.log(p + ε) + (1 - smooth) * mp.log(1 - p + ε)) if ε < t < 1 - ε else mp.mpf(0)

    call = {"label_smoothing": smoothing}
    return row("binary_crossentropy", z, points=(*INSIDE, 0.0, 1.0, -1.0, 2.0), call=call, pieces=piece)


def divergence(y: float) -> Row:
    def piece(t: float) -> Any:
        return lambda p: y * mp.log(y / p) if ε < t < 1 else mp.mpf(0)

    ends = {1.0: (-y, y, -2 * y)}  # the end belongs to the logarithm
    return row("kl_divergence", y, points=(*INSIDE, 0.0, -1.0, 2.0), pieces=piece, kinks=ends)


ROWS = [
    *[row("mean_squared_error", y, lambda x, y=y: (x - y) ** 2, (*REALS[:-2], y)) for y in (0.0, 1.0, -2.5)],
    *[absolute(y) for y in (0.0, 0.5)],
    *[percentage(y) for y in (0.5, -2.5)],
    *[logarithmic(y) for y in (0.5, 3.0)],
    *[row("log_cosh", y, lambda x, y=y: x - y + softplus(2 * (y - x)) - mp.log(2)) for y in (0.0, 0.5)],
    *[huber(y, δ) for y in (0.0, 1.0) for δ in (1.0, 0.25)],
    *[hinge(y) for y in (0.25, -1.0)],
    *[
        row(
            "binary_crossentropy",
            z,
            lambda x, z=z: (1 - z) * softplus(x) + z * softplus(-x),
            call={"from_logits": True},
        )
        for z in (0.0, 0.25, 1.0)
    ],
    *[binary(z, s) for z in (0.0, 0.3, 1.0) for s in (0.0, 0.2)],
    *[divergence(y) for y in (0.25, 1.0)],
    *[row("poisson", y, lambda p, y=y: p - y * mp.log(p + ε), (1e-8, 1e-3, 0.5, 1.0, 40.0, 1e8)) for y in (0.0, 2.0)],
]

# Losses of several classes, along a line through a point where they tie, vanish or lie far apart.
V, LABELS = (0.5, -1.25, 2.0), (0.2, 0.7, 0.1)
LOGITS = ([0.0, 0.0, 0.0], [1.5, 1.5, -2.0], [1e-300, -1e-8, 0.0], [40.0, -40.0, 39.0], [1e4, 0.0, -1e4])
PROBABILITIES = ([1 / 3, 1 / 3, 1 / 3], [0.5, 0.25, 0.25], [2.0, 1.0, 1.0])


def logs(xs: list[Any]) -> list[Any]:
    """ln softmax."""
    total = mp.log(sum(mp.exp(x) for x in xs))
    return [x - total for x in xs]


def classes(name: str, target: Any, place: list[float], formula: Any, from_logits: bool) -> Row:
    function = getattr(losses, name)

    def ours(t: mg.Tensor) -> mg.Tensor:
        return function(target, (mg.tensor(place, "float64") + t * np.array(V)).reshape(1, 3), from_logits=from_logits)

    def theirs(t: Any) -> Any:
        return formula([mp.mpf(x) + t * v for x, v in zip(place, V, strict=True)])

    return Row(f"{name} at {place}", ours, theirs, (0.0,))


def cross(xs: list[Any]) -> Any:
    return -sum(y * x for y, x in zip(LABELS, logs(xs), strict=True))


def of_probabilities(ps: list[Any]) -> Any:
    return cross([mp.log(p) for p in ps])


ROWS += [
    *[classes("categorical_crossentropy", np.array([LABELS]), x, cross, True) for x in LOGITS],
    *[classes("categorical_crossentropy", np.array([LABELS]), p, of_probabilities, False) for p in PROBABILITIES],
    *[
        classes("sparse_categorical_crossentropy", np.array([k]), x, lambda xs, k=k: -logs(xs)[k], True)
        for k in (0, 1)
        for x in LOGITS
    ],
    *[
        classes(
            "sparse_categorical_crossentropy",
            np.array([k]),
            p,
            lambda ps, k=k: -logs([mp.log(q) for q in ps])[k],
            False,
        )
        for k in (0, 2)
        for p in PROBABILITIES[:2]
    ],
]


@pytest.mark.parametrize("one", ROWS, ids=lambda one: one.name)
def test_derivatives_to_the_third(one: Row, backend: ModuleType) -> None:
    assert check(one)


def test_the_tables_miss_no_loss() -> None:
    named = {one.name.partition(",")[0].partition(" at ")[0] for one in ROWS}
    assert {function.__name__ for function in losses.catalogue.FUNCTIONS.values()} == named
