"""The printed loops as text: deterministic, importable, without name clashes; and the cells that are refused."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

numba = pytest.importorskip("numba")

from kernel_cases import BUILT_IN, ODD, Kind, assert_loop_is_formulas, case_of  # noqa: E402
from kernel_reasons import NO_FLOAT16  # noqa: E402
from minigrad.engine.ops.pointwise import Sigmoid, Tanh  # noqa: E402
from minigrad.engine.optional import LoopOptions  # noqa: E402
from minigrad.recurrent import Equations, phi, sigma, stop  # noqa: E402
from minigrad.recurrent.compiler import describe  # noqa: E402
from minigrad.recurrent.description import Line, Rule  # noqa: E402
from minigrad.recurrent.lstm import LSTM  # noqa: E402
from minigrad.recurrent.rules import rule_of  # noqa: E402
from minigrad_numba import compile as compile_loop  # noqa: E402
from minigrad_numba import compiling, source, text  # noqa: E402
from minigrad_numpy.activations import name_of  # noqa: E402
from recurrent.odd_cells import Net1997  # noqa: E402

OPTIONS = LoopOptions(rule_of(Sigmoid), rule_of(Tanh))


def printed(kind: Kind) -> str:
    case = case_of(kind, (1, 1, 1, 2))
    options = LoopOptions(rule_of(kind.sigma), rule_of(kind.phi), sizes=tuple(case.cell.sizes.items()))
    return text(case.cell.description(case.weights), kind.dtype, options)


@pytest.mark.parametrize("kind", [*BUILT_IN, *ODD], ids=str)
def test_the_text_is_a_module_of_short_lines(kind: Kind) -> None:
    written = printed(kind)
    tree = ast.parse(written)
    assert {"forward", "backward"} <= {f.name for f in tree.body if isinstance(f, ast.FunctionDef)}
    assert written.startswith(f"# {kind.equations.__name__}: its loop over time in {kind.dtype}")
    assert not [line for line in written.splitlines() if len(line) > 120 and " = " not in line]
    assert written == printed(kind)


def test_the_text_is_the_same_in_another_process() -> None:
    """No set decides an order, so that the cache on disk is found."""
    program = "from backends.test_numba_printer import *\nfor kind in [*BUILT_IN, *ODD]: print(printed(kind))"
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    texts = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert texts[0] == texts[1]
    assert texts[0].count("def forward(") == len([*BUILT_IN, *ODD])


def test_a_file_of_the_text_can_be_imported(tmp_path: Path) -> None:
    path = source.write_once(tmp_path, "loop", printed(Kind(LSTM)))
    spec = importlib.util.spec_from_file_location("loop_of_the_tests", path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    assert module.forward.py_func.__doc__
    before = path.stat().st_mtime_ns
    assert source.write_once(tmp_path, "loop", printed(Kind(LSTM))) == path
    path.write_text("# cut off")
    source.write_once(tmp_path, "loop", printed(Kind(LSTM)))
    assert path.read_text() == printed(Kind(LSTM))
    assert path.stat().st_mtime_ns == before, "the same text has the same time, by which Numba recognizes it"


# --- names ------------------------------------------------------------------------------------------------------------


class Clashing(Equations):
    """Names of Python, of the printed text, of its arrays and its imports."""

    states = "n", "t"
    products = "row unit len = x batch + n W_T + masked", "start = n units + range"

    def forward(row, unit, len, start, n, t, dy, *, real=0.5, float, gate):  # noqa: A002
        k = sigma(row) * n + dy
        at = k @ gate
        tanh = phi(unit + at) * real
        B = t + tanh * phi(len + start) * float
        return B, tanh


def test_any_names() -> None:
    case = case_of(Kind(Clashing, values={"float": 0.3}, h_masks="one"), (5, 3, 2, 4), "ragged")
    assert_loop_is_formulas(compile_module(), case)


def compile_module() -> Any:
    import minigrad_numba

    return minigrad_numba


# --- unusual cells ----------------------------------------------------------------------------------------------------


class Handed(Equations):
    """Two new states with one value, an unchanged state, a value without gradient, an inner product of a state."""

    states = "h", "c", "e"
    output = "c"
    products = "z u = x W + stop(c) U + x V"

    def forward(z, u, h, c, e, w, *, P, Q):
        v = h @ P
        r = (v * u) @ Q
        c_new = phi(z + w * r + stop(c))
        return c_new, c_new, e


@pytest.mark.parametrize("dropout", ["none", "each"])
def test_aliased_and_unchanged_states(dropout: str) -> None:
    case = case_of(Kind(Handed, x_masks=dropout, h_masks=dropout), (5, 3, 2, 4), "late")
    assert_loop_is_formulas(compile_module(), case)


# --- refused cells ----------------------------------------------------------------------------------------------------


def test_reasons() -> None:
    d = describe(LSTM)
    assert compile_loop(d, "float16", OPTIONS) == NO_FLOAT16
    assert compile_loop(d, "float32", OPTIONS._replace(sigma=None)) == "sigma is not elementwise"
    odd = Rule("Odd", (Line("y", "gamma(x)", 0),), (Line("dx", "dy", 0),), True)
    assert compile_loop(d, "float32", OPTIONS._replace(phi=odd)) == "the compiled loops have no function gamma"
    assert text(d, "float32", OPTIONS._replace(phi=odd)).startswith("# LSTM: the compiled loops have no function")
    clash = d._replace(backward=(*d.backward, Line("i", "dh", 0)), widths=(("h", "outputs"),))
    assert compile_loop(clash, "float32", OPTIONS) == "the name i has one value forward and another backward"


def test_wrong_shapes_are_an_error_before_anything_is_written() -> None:
    case = case_of(Kind(LSTM), (3, 2, 2, 4))
    loop = case.loop(compile_module())
    assert not isinstance(loop, str)
    short = case.weights._replace(U=case.weights.U[:, :-1])
    with pytest.raises(ValueError, match=r"LSTM: expected the weight U of shape \(4, 16\), got \(4, 15\)"):
        loop.forward(case.x, case.state, short, None, False)
    with pytest.raises(ValueError, match=r"LSTM: expected the state c of shape \(2, 4\), got \(2, 3\)"):
        loop.forward(case.x, (case.state[0], case.state[1][:, :3]), case.weights, None, False)
    net = case_of(Kind(Net1997, values={"blocks": 3}), (3, 2, 2, 4))
    loop = net.loop(compile_module())
    assert not isinstance(loop, str)
    with pytest.raises(ValueError, match="Net1997: expected blocks to divide 4 units, got 3"):
        loop.forward(net.x, net.state, net.weights, None, False)


def test_an_activation_named_tanh_with_another_rule() -> None:
    assert [name_of(rule_of(op)) for op in (Tanh, Sigmoid)] == ["tanh", "sigmoid"]
    rule = rule_of(Tanh)
    assert rule is not None
    half = rule._replace(forward=(Line("y", "0.5 * tanh(x)", 0),))
    assert name_of(half) == ""
    assert "real(0.5) * tanh(x)" in text(describe(LSTM), "float32", OPTIONS._replace(phi=half))


# --- the private flag -------------------------------------------------------------------------------------------------


def test_noalias_reaches_the_compiler() -> None:
    """A private option of Numba, since no public one exists: `minigrad_numba.compiling.noalias` sets it."""

    def add(a, b):  # type: ignore[no-untyped-def]
        for k in range(len(a)):
            a[k] += b[k]

    with_flag, without = compiling.noalias(add), compiling.inlined(add)
    for function in (with_flag, without):
        function.compile((numba.float64[::1], numba.float64[::1]))
    declared, undeclared = (next(iter(f.inspect_llvm().values())) for f in (with_flag, without))
    heads = [re.search(r"define .*@_ZN\d+(?!cpython).*", llvm) for llvm in (declared, undeclared)]
    counts = [0 if head is None else head[0].count("noalias") for head in heads]
    assert counts[0] > counts[1] > 0, (
        "Numba ignores `_compiler._customize_flags`, by which minigrad_numba.compiling.noalias declares that arrays "
        "do not overlap. The loops are correct, but a third slower. Find the new name of the flag."
    )
