"""An activation's rules as text: evaluated number by number, they give what its op gives."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
import pytest

import minigrad_numpy as xp
from minigrad.engine.ops import pointwise
from minigrad.engine.ops.op import Op
from minigrad.engine.ops.reduction import Softmax
from minigrad.engine.protocol import Array, Xp
from minigrad.layers import activations
from minigrad.recurrent.description import Line, Rule
from minigrad.recurrent.rules import WORDS, rule_of

RULES: dict[str, type[Op]] = {name: activations.rule(activations.get(name)) for name in activations._KNOWN}
ELEMENTWISE = {name: op for name, op in RULES.items() if op is not Softmax}
OTHERS = (pointwise.Abs, pointwise.Sin, pointwise.Cos, pointwise.Erf, pointwise.Expm1, pointwise.Log1p, pointwise.Floor)
POINTS = [-45.0, -3.0, -2.5, -1.0, -0.3, -1e-9, 0.0, 1e-9, 0.3, 1.0, 2.5, 3.0, 45.0]

# One number at a time, in Python's own mathematics: neither NumPy nor minigrad.
NUMBERS: dict[str, Any] = {name: getattr(math, name) for name in WORDS if hasattr(math, name)} | {
    "abs": abs, "sign": lambda x: float((x > 0) - (x < 0)), "maximum": max, "minimum": min,
    "clip": lambda x, low, high: min(max(x, low), high), "where": lambda b, x, y: x if b else y,
}  # fmt: skip


def run(lines: tuple[Line, ...], **known: Any) -> float:
    """The value of the last of some lines."""
    for line in lines:
        known[line.name] = eval(line.text, {**NUMBERS}, known)
    return float(known[lines[-1].name])


@pytest.mark.parametrize("op", [*ELEMENTWISE.values(), *OTHERS], ids=lambda op: op.__name__)
def test_the_lines_are_the_op(op: type[Op]) -> None:
    rule = rule_of(op)
    assert rule is not None
    assert rule.name == op.__name__
    assert rule.from_output is op.from_output
    for x in POINTS:
        if op is pointwise.Log1p and x <= -1:
            continue
        at = np.array([x])
        y = op.formula(xp, at)
        assert run(rule.forward, x=x) == pytest.approx(y[0], rel=1e-14, abs=1e-300), x
        dx = op.backward(xp, np.array([0.7]), y, None if op.from_output else at)
        given = {"dy": 0.7, "y": float(y[0])} | ({} if op.from_output else {"x": x})
        assert run(rule.backward, **given) == pytest.approx(dx[0], rel=1e-13, abs=1e-300), x


@pytest.mark.parametrize("op", ELEMENTWISE.values(), ids=ELEMENTWISE)
def test_a_line_is_arithmetic_of_what_stands_before_it(op: type[Op]) -> None:
    rule: Any = rule_of(op)
    for lines, given in ((rule.forward, {"x"}), (rule.backward, {"dy", "y", *([] if rule.from_output else ["x"])})):
        known = set(given)
        for line in lines:
            tree = ast.parse(line.text, mode="eval")
            read = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
            assert read <= known | WORDS
            assert line.name not in known
            known.add(line.name)
        assert lines[-1].name == {"x": "y"}.get(*given if len(given) == 1 else ["dy"], "dx")


def test_what_is_not_elementwise_has_none() -> None:
    class NoBackward(Op):
        def forward(xp: Xp, x: Array) -> Array:
            return xp.exp(x)

    class Mean(Op):
        def forward(xp: Xp, x: Array) -> Array:
            return x - xp.mean(x)

        def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
            return dy

    class Looped(Op):
        def forward(xp: Xp, x: Array) -> Array:
            for _ in range(2):
                x = xp.exp(x)
            return x

        def backward(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
            return dy

    for op in (Softmax, NoBackward, Mean, Looped):
        assert rule_of(op) is None


def test_a_rule_that_uses_another_ops() -> None:
    """Lines of a called rule in place of the call, with new names; constants are numbers."""
    rule: Any = rule_of(pointwise.Swish)
    text = " ".join(line.text for line in (*rule.forward, *rule.backward))
    assert "Sigmoid" not in text
    assert "xp." not in text
    selu: Any = rule_of(pointwise.Selu)
    assert repr(pointwise.SELU_SCALE) in selu.forward[-1].text
    assert isinstance(rule, Rule)
    assert rule_of(pointwise.Swish) is rule
