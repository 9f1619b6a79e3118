"""Widths: the number of elements that each name of a cell stands for."""

from __future__ import annotations

from typing import Any

import pytest

from minigrad.recurrent import LSTM, LSTMP, Equations, EquationsError, GRUResetBefore, phi, sigma
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.compiler.widths import apart, matrix_of
from recurrent.odd_cells import Net1997


class Shared(Equations):
    states = "h"
    products = "z_k:groups z_g = x W + h U + b"

    def forward(z_k, z_g, h):
        k = sigma(z_k)
        slow = k * 0.5
        return slow * h + (1 - slow) * phi(z_g)


class Projected(Equations):
    states = "c", "m:outputs"
    output = "m"
    products = "z = x W + m U + b"

    def forward(z, c, *, P):
        c = c + phi(z)
        n = phi(c) @ P
        m = 2 * n
        return c, m


def widths(equations: type[Equations], **how: Any) -> dict[str, str]:
    return dict(describe(equations, **how).widths)


def test_apart() -> None:
    assert apart("z_i:blocks") == ("z_i", "blocks")
    assert apart("c") == ("c", "units")


def test_all_of_one_width() -> None:
    assert widths(LSTM) == {}
    assert describe(LSTM).shared == ()
    assert widths(GRUResetBefore) == {}  # its inner products are of units


def test_a_shared_width() -> None:
    """Lines with fewer numbers than `units`: those without a shared gate that is spread over its block."""
    found = describe(Shared)
    assert found.shared == ("groups",)
    assert dict(found.widths) == {"z_k": "groups"}
    assert describe(Net1997).shared == ("blocks",)
    names = {n for n, w in describe(Net1997).widths if w == "blocks"}
    assert {"z_in", "z_out", "y_in", "y_out"} <= names
    assert not {"z_g", "c", "h"} & names


def test_a_projected_width() -> None:
    found = describe(Projected)
    assert found.shared == ()
    of = dict(found.widths)
    assert {n for n in of if not n.startswith("d") and not n.startswith("_")} == {"m", "n", *found.new[1:]}
    assert of["m"] == "outputs"
    assert of[found.inner[0].dv] == "outputs"
    assert of[found.upstream[1]] == "outputs"
    assert found.upstream[0] not in of


def test_without_its_matrix_a_projection_has_the_width_of_the_cell() -> None:
    assert widths(LSTMP)["m"] == "outputs"
    assert widths(LSTMP, absent=frozenset({"P", "proj_clip"})) == {}


def test_a_state_of_another_width_than_it_says() -> None:
    class Wrong(Projected):
        states = "c:outputs", "m"

    with pytest.raises(
        EquationsError, match=r"Wrong.forward, line \d+ of .*: expected outputs numbers for the new c.* got units"
    ):
        describe(Wrong)


def test_matrix_of() -> None:
    import ast

    found = [matrix_of(ast.parse(text, mode="eval").body) for text in ("v @ P", "dv @ P.T", "a * b", "phi(v)")]
    assert found == ["P", "P", "", ""]
