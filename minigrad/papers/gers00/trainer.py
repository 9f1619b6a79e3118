"""The compiled trainer of a net of 2000: its printed equations and the loops, compiled where there is Numba."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from minigrad.engine.ops.pointwise import Sigmoid
from minigrad.papers.gers00.net import BLOCKS, CELLS, INPUTS, ROWS, SIZE, Array, Net2000
from minigrad.papers.gers00.stream import Bits, graph
from minigrad.papers.kernel.build import MARK, has_numba
from minigrad.papers.kernel.printing import COMPILED_IMPORTS, PLAIN
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.description import Line
from minigrad.recurrent.rules import rule_of
from minigrad.recurrent.syntax import parse_expression

CHUNK = 1 << 16  # random bits drawn at once
COLUMNS = ("z_in", "z_g", "z_out", "z_f")


def text_of(net: Net2000, compiles: bool = True) -> str:
    """Return the module of a net's trainer as text.

    Args:
        net: the net.
        compiles: whether Numba compiles the text; otherwise it is plain Python.
    """
    lines = [f"# Printed from {net.equations.__module__}.{net.equations.__name__}.", ""]
    if compiles:
        from minigrad_numba.rules import rule_text

        lines += ["import numpy as np", COMPILED_IMPORTS, "", "real = np.float64", "", ""]
        lines += rule_text("sigma", rule_of(Sigmoid))
    else:
        lines += ["import math", "import numpy as np", "", "", *PLAIN.splitlines()]
    values = {
        "BLOCKS": BLOCKS, "SIZE": SIZE, "CELLS": CELLS, "INPUTS": INPUTS, "ROWS": ROWS, "HIDDEN": net.hidden,
        "CELLS_AT": BLOCKS, "OUT_AT": BLOCKS + CELLS, "FORGET_AT": 2 * BLOCKS + CELLS, "FORGET": net.forget,
    }  # fmt: skip
    options = {"g_max": 2.0, "h_max": 1.0, "decay": net.decay}
    lines += ["", "", *(f"{name} = {value}" for name, value in values.items())]
    lines += [f"{name} = real({value!r})" for name, value in options.items()]
    loops = Path(__file__).with_name("loops.py").read_text("utf-8")
    return "\n".join([*lines, *_functions(net, compiles)]) + "\n\n\n" + loops[loops.index(MARK) :]


def _functions(net: Net2000, compiles: bool) -> Iterator[str]:
    """Yield `new_cache`, and `run_cells` and `cell_gradients` as loops over the cells v."""
    d, number = describe(net.equations), _number() if compiles else lambda line: line.text
    forward, backward = ([f"        {line.name} = {number(line)}" for line in part] for part in (d.forward, d.backward))
    cache, of, new = [f"{name}_all" for name in d.cache], dict(d.gradients), dict(zip(d.states, d.new, strict=True))
    up = dict(zip(d.states, d.upstream, strict=True))

    yield from ("", "", "@noalias", "def new_cache():", '    """Return the arrays of the cache."""')
    yield f"    return {', '.join('np.zeros(CELLS)' for _ in cache)}"

    columns = [name for name in COLUMNS if name in d.columns]
    yield from ("", "", "@noalias")
    given = ", ".join(f"{name}_all" for name in COLUMNS)
    yield f"def run_cells({given}, c_all, h_all, slopes, {', '.join(cache)}):"
    yield f'    """{"; ".join(f"{line.name} = {line.text}" for line in d.forward)}; the slopes of c_new."""'
    yield "    for v in range(CELLS):"
    yield from (f"        {name} = {name}_all[v]" for name in columns)
    yield "        c = c_all[v]"
    yield from forward
    yield from (f"        {at}[v] = {name}" for name, at in zip(d.cache, cache, strict=True))
    yield from (f"        c_all[v] = {new['c']}", f"        h_all[v] = {new['h']}")
    yield from (f"        {up['h']} = real(0)", f"        {up['c']} = real(1)")
    yield from backward
    slopes = [of.get(name, "") for name in ("z_in", "z_g", "z_f", "c")]
    yield from (f"        slopes[{k}, v] = {name}" for k, name in enumerate(slopes) if name)

    keep = "y_f" if net.forget else "decay"
    yield from ("", "", "@noalias", f"def cell_gradients(dh_all, dz_out_all, dc_all, {', '.join(cache)}):")
    yield f'    """{"; ".join(f"{line.name} = {line.text}" for line in d.backward)}."""'
    yield "    for v in range(CELLS):"
    yield from (f"        {name} = {at}[v]" for name, at in zip(d.cache, cache, strict=True))
    yield f"        {keep} = real(1)  # if nothing is forgotten, the gradient of the old c is that of the new one"
    yield from ("        c = real(0)", f"        {up['h']} = dh_all[v]", f"        {up['c']} = real(0)")
    yield from backward
    yield from (f"        dz_out_all[v] = {of['z_out']}", f"        dc_all[v] = {of['c']}")


def _number() -> Callable[[Line], str]:
    """Return the function that prints a line's expression for Numba."""
    from minigrad_numba.rules import number_text

    return lambda line: str(number_text(parse_expression(line.text)))


@cache
def functions_of(net: Net2000, compiles: bool) -> Any:
    """Return the module of a net's trainer, with `learn` and `check`."""
    text = text_of(net, compiles)
    if compiles:
        from minigrad_numba.source import module_of

        return module_of("papers", text)
    space: dict[str, Any] = {}
    exec(compile(text, "<trainer>", "exec"), space)  # noqa: S102  (the printer's text)
    return SimpleNamespace(**space)


class Trainer2000:
    """A net with its weights, which learns from streams and is tested on streams.

    Args:
        net: the net.
        W: the first hidden weights.
        V: the first output weights.
        rate: the learning rate at the start of a stream.
        factor: its factor from symbol to symbol.
        reset: whether states are reset from outside after each string.
        longest: the length at which a stream ends.
        compiles: whether to use Numba; by default where it is installed.

    Attributes:
        W: the hidden weights (rows, hidden).
        V: the output weights (output rows, outputs).
    """

    def __init__(
        self, net: Net2000, W: Array, V: Array, rate: float, factor: float = 1.0, reset: bool = False,
        longest: int = 100_000, compiles: bool | None = None,
    ) -> None:  # fmt: skip
        self.net, self.W, self.V, self.reset, self.longest = net, W.copy(), V.copy(), reset, longest
        self._states = np.zeros(CELLS), np.zeros(CELLS), np.zeros((3, ROWS, CELLS))
        self._at, self._rates = np.zeros(5, np.int64), np.array([rate, rate, factor])
        self._of = functions_of(net, has_numba() if compiles is None else compiles)
        self._bits: Bits = np.zeros(0, np.int64)
        self.symbols = 0

    symbols: int
    """The number of symbols learnt from."""

    def learn(self, random: np.random.Generator, streams: int, tested: int) -> tuple[int, int]:
        """Learn from streams until one reached `tested` symbols.

        Args:
            random: the source of the streams' bits.
            streams: the most streams.
            tested: the length.

        Returns:
            the number of streams, negative if the net diverged in the last one; and the length of the last one that
            ended.
        """
        self._at[3] = streams
        while self._at[3] > 0:
            if self._at[1] == len(self._bits):
                self._bits, self._at[1] = random.integers(2, size=CHUNK), 0
            first = int(self._at[1])
            found = self._of.learn(
                self.W, self.V, *self._states, *graph(), self._bits, self._at, self._rates, self.reset, self.longest,
                tested,
            )  # fmt: skip
            self.symbols += int(self._at[1]) - first
            if found < 0:
                return -(streams - int(self._at[3]) + 1), int(self._at[4])
            if found > 0:
                break
        return streams - int(self._at[3]), int(self._at[4])

    def check(self, bits: Bits) -> int:
        """Return the number of symbols of a stream before the first wrong prediction, without learning."""
        return int(self._of.check(self.W, self.V, *graph(), bits, self.reset))
