"""Derivatives up to the third along a line: by `create_graph`, and by mpmath from a formula."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("mpmath", reason="needs mpmath: pip install -e '.[test]'")

import mpmath as mp
import numpy as np

import minigrad as mg
from minigrad.engine.ops.op import Op

ORDERS = (1, 2, 3)
DIGITS = 60  # of mpmath's numbers, so that its finite differences are exact to more digits than a float has
Number = Any  # of mpmath


@dataclass
class Row:
    """A function of one number, and the points of its derivatives.

    Attributes:
        name: for the report.
        ours: the function of a Tensor.
        theirs: its formula, of mpmath's numbers. Where it is made of pieces, the formula that holds at a point: a
            function from the point to the piece, given as `pieces`.
        points: where it is smooth.
        kinks: where it is not: the three derivatives that minigrad takes there.
    """

    name: str
    ours: Callable[[mg.Tensor], Any]
    theirs: Callable[[Number], Number] | None = None
    points: Sequence[float] = ()
    pieces: Callable[[float], Callable[[Number], Number]] | None = None
    kinks: dict[float, tuple[float, float, float]] = field(default_factory=dict)

    def expected(self) -> Iterator[tuple[float, list[float]]]:
        """Yield each point with its three derivatives."""
        yield from ((t, true(self.theirs or self.pieces(t), t)) for t in self.points)
        yield from ((t, list(three)) for t, three in self.kinks.items())


def true(formula: Callable[[Number], Number], t: float) -> list[float]:
    """Return a formula's first three derivatives at t, by mpmath."""
    with mp.workdps(DIGITS + max(0, round(math.log10(abs(t) or 1.0)))):
        return [float(mp.diff(formula, mp.mpf(t), n)) for n in ORDERS]


def recorded(
    loss: mg.Tensor, leaves: Sequence[mg.Tensor], directions: Sequence[Any], ops: set[type[Op]] | None = None
) -> list[float]:
    """Return the first three derivatives of a loss along directions in its leaves, by gradients of gradients.

    Args:
        loss: one number, computed from the leaves.
        leaves: the leaves.
        directions: an array for each leaf.
        ops: set to which the operations of the loss are added.
    """
    found: list[float] = []
    if ops is not None:
        ops |= ops_behind(loss)
    for _ in ORDERS:
        dxs = mg.grad(loss, leaves, create_graph=True) if loss.requires_grad else [None] * len(leaves)
        parts = [(dx * v).sum() for dx, v in zip(dxs, directions, strict=True) if dx is not None]
        loss = sum(parts, mg.tensor(0.0, "float64"))
        found.append(loss.item())
    return found


def at(ours: Callable[[mg.Tensor], Any], t: float, ops: set[type[Op]] | None = None) -> list[float]:
    """Return the first three derivatives at t of a function of one Tensor, whose outputs are summed."""
    leaf = mg.tensor(t, "float64", requires_grad=True)
    return recorded(ours(leaf).sum(), [leaf], [1.0], ops)


def ops_behind(y: mg.Tensor) -> set[type[Op]]:
    """Return the operations that a tensor was computed with."""
    found, seen, ahead = set(), set(), [y.node]
    while ahead:
        node = ahead.pop()
        if node is not None and node.serial not in seen:
            seen.add(node.serial)
            found.add(node.op)
            ahead += [getattr(x, "node", None) for x in node.inputs]
    return found


def check(row: Row) -> int:
    """Compare all derivatives at all points of a row; fail with the whole list of differences.

    Returns:
        Number of compared pairs (point, order).
    """
    wrong, tried = [], 0
    for t, expected in row.expected():
        for order, got, want in zip(ORDERS, at(row.ours, t), expected, strict=True):
            tried += 1
            if not np.isclose(got, want, rtol=1e-9, atol=1e-12):
                wrong.append(f"{row.name}: derivative {order} at {t!r} is {got!r}, right is {want!r}")
    assert not wrong, "\n".join(wrong)
    return tried
