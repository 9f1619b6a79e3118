"""The printed part of a net's trainer: its constants, σ, and the lines of its equations for one cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from minigrad.engine.ops.pointwise import Sigmoid
from minigrad.papers.net import Net
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.description import Line
from minigrad.recurrent.rules import rule_of
from minigrad.recurrent.syntax import parse_expression

COMPILED_IMPORTS = """from minigrad_numba.compiling import compiled, helper, inlined, noalias
from minigrad_numba.scalar_functions import gate, gate_slope"""
PLAIN = '''def compiled(what):
    """Return the identity: there is no compiler."""
    return noalias


def noalias(function):
    """Return the function."""
    return function


helper, inlined, real = noalias, noalias, float


def sigma(z):
    """σ(z)"""
    return 1.0 / (1.0 + math.exp(-z)) if z > -700.0 else 0.0 * z


def dsigma(dy, y):
    """The gradient of z, where y = σ(z)."""
    return dy * (y * (1.0 - y))'''


UPSTREAM = ("dh_", "dc_", "dy_in_", "dy_out_")  # of the states h, c, y_in and y_out, in this order


def printed(net: Net, compiles: bool) -> str:
    """Return the text that comes before that of `loops`.

    Args:
        net: the net.
        compiles: whether Numba compiles the text; otherwise it is plain Python.
    """
    lines = [f"# {net.blocks} blocks of {net.size}: printed from {net.equations.__module__}.{net.equations.__name__}."]
    lines += ["", *([] if compiles else ["import math"]), "import numpy as np", ""]
    if compiles:
        lines += [*COMPILED_IMPORTS.splitlines(), "", "real = np.float64", *_sigma()]
    else:
        lines += ["", *PLAIN.splitlines()]
    return "\n".join([*lines, "", "", *_constants(net), *_functions(net, compiles)]) + "\n"


def lanes(n: int) -> int:
    """Return n, rounded up to a multiple of four."""
    return -(-n // 4) * 4


def _constants(net: Net) -> Iterator[str]:
    """Yield the constants, under the names of `minigrad.papers.kernel.names`."""
    carry = 0 if net.silent else net.recurrent
    values = {
        "BLOCKS": net.blocks, "SIZE": net.size, "CELLS": net.cells, "HIDDEN": net.hidden, "RECURRENT": net.recurrent,
        "SIGNAL": carry, "SHORTCUTS": net.shortcuts, "START": float(net.start), "FULL": net.full,
        "LANES": lanes(net.cells), "WIDTH": lanes(net.hidden),
    }  # fmt: skip
    yield from (f"{name} = {value}" for name, value in values.items())
    if net.output_gates:
        yield from (f"g_max = real({net.g_max!r})", f"h_max = real({net.h_max!r})")


def _sigma() -> list[str]:
    from minigrad_numba.rules import rule_text

    return ["", "", *rule_text("sigma", rule_of(Sigmoid))]


def _functions(net: Net, compiles: bool) -> Iterator[str]:
    """Yield `new_cache`, and `run_cells` and `cell_gradients` as loops over the cells v."""
    d, number = describe(net.equations), _number() if compiles else lambda line: line.text
    lines = {
        which: [f"{line.name} = {number(line)}" for line in getattr(d, which)] for which in ("forward", "backward")
    }
    cache, of, new = [f"{name}_" for name in d.cache], dict(d.gradients), dict(zip(d.states, d.new, strict=True))
    yield from (
        "",
        "",
        "@inlined",
        "def new_cache():",
        '    """Return the arrays of the cache: a number for each cell."""',
    )
    yield f"    return {', '.join('np.zeros(LANES)' for _ in cache)}"

    columns = {"z_in": "z_in_", "z_g": "z_g_", "z_out": "z_out_", "c": "c_"}
    results = {"c": "c_", "h": "h_", "y_in": "y_in_", "y_out": "y_out_"}
    yield from ("", "", "@noalias")
    arrays = dict.fromkeys([*columns.values(), *results.values(), "dc_in_", "dc_g_", *cache])
    yield f"def run_cells({', '.join(arrays)}):"
    yield f'    """{"; ".join(f"{line.name} = {line.text}" for line in d.forward)}; ∂c/∂z_in and ∂c/∂z_g."""'
    yield from ("    for v in range(LANES):", *(f"        {n} = {at}[v]" for n, at in columns.items()))
    yield from (f"        {line}" for line in lines["forward"])
    yield from (f"        {at}[v] = {new[state]}" for state, at in results.items() if state in new)
    yield from (f"        {at}[v] = {name}" for name, at in zip(d.cache, cache, strict=True))
    yield from (f"        {up} = real({int(state == 'c')})" for up, state in zip(d.upstream, d.states, strict=True))
    yield from (f"        {line}" for line in lines["backward"])
    yield from (f"        {at}[v] = {of[z]}" for z, at in (("z_in", "dc_in_"), ("z_g", "dc_g_")))

    results = {"z_in": "dz_in_", "z_g": "dz_g_", "z_out": "dz_out_", "c": "dc_old_"}
    yield from ("", "", "@helper")
    yield f"def cell_gradients(dh_, dc_, dy_in_, dy_out_, {', '.join(results.values())}, {', '.join(cache)}):"
    yield f'    """{"; ".join(f"{line.name} = {line.text}" for line in d.backward)}."""'
    yield "    for v in range(LANES):"
    given = zip([*d.upstream, *d.cache], [*UPSTREAM[: len(d.upstream)], *cache], strict=True)
    yield from (f"        {name} = {at}[v]" for name, at in given)
    yield from (f"        {line}" for line in lines["backward"])
    yield from (f"        {at}[v] = {of[z]}" for z, at in results.items() if z in of)


def _number() -> Callable[[Line], str]:
    """Return the function that prints a line's expression for Numba."""
    from minigrad_numba.rules import number_text

    def text(line: Line) -> str:
        found: Any = number_text(parse_expression(line.text))
        return str(found)

    return text
