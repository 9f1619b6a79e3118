"""Recognition of the activations that have hand-written code, by their rules.

A rule's name does not identify an activation, since any activation can be named Tanh. Its lines must equal these.
"""

from __future__ import annotations

from typing import Any

_RULES = {
    ("y = tanh(x)", "dx = dy * (1.0 - y * y)"): "tanh",
    ("_1 = exp(-abs(x)); y = where(x >= 0, 1.0, _1) / (1.0 + _1)", "dx = dy * (y * (1.0 - y))"): "sigmoid",
    ("y = clip(0.2 * x + 0.5, 0.0, 1.0)", "dx = where((y > 0.0) & (y < 1.0), 0.2 * dy, 0.0)"): "hard_sigmoid",
}


def name_of(rule: Any) -> str:
    """Return "tanh", "sigmoid" or "hard_sigmoid"; "" for any other activation.

    Args:
        rule: `minigrad.recurrent.description.Rule`, or None.
    """
    if rule is None:
        return ""
    forward, backward = (
        "; ".join(f"{line.name} = {line.text}" for line in part) for part in (rule.forward, rule.backward)
    )
    return _RULES.get((forward, backward), "")
