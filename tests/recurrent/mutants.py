"""Ways to get a recurrent cell's backward pass wrong, each one piece of the source replaced.

Sixteen bugs of an LSTM, several of which are, or were, in programs that people use; five of its extras; and for any
cell, every expression of its backward body a little wrong.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from minigrad.recurrent import LSTM, LSTMP, Equations, arrays, bptt, equations, formulas, masks
from minigrad.recurrent.formulas import Formulas

_count = iter(range(1_000_000))


def written(text: str, space: dict[str, Any]) -> dict[str, Any]:
    """Run a text as if it were in a file, so that its functions have a source; return its names."""
    name = f"<mutant {next(_count)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    found = dict(space)
    exec(compile(text, name, "exec"), found)
    return found


def with_backward(cell: type[Equations], text: str) -> type[Equations]:
    """The cell with another backward body, given as text."""
    made = written(textwrap.dedent(text), vars(equations))["backward"]
    return type(cell.__name__, (cell,), {"backward": made})


def backward_of(cell: type[Equations]) -> str:
    """The source of a cell's backward body."""
    return textwrap.dedent(inspect.getsource(cell.backward))


@dataclass(frozen=True)
class Mutant:
    """A text in a source and its replacement: in the backward body of a cell, or in a module."""

    of: Any
    line: str
    wrong: str

    def source(self, text: str) -> str:
        times = text.count(self.line)
        assert times == 1, f"{self.of.__name__}: {self.line!r} occurs {times} times"
        return text.replace(self.line, self.wrong)

    def cell(self) -> type[Equations]:
        """The cell with the wrong line."""
        return with_backward(self.of, self.source(backward_of(self.of)))

    def module(self) -> ModuleType:
        """The module with the wrong line."""
        text = Path(str(self.of.__file__)).read_text(encoding="utf-8")
        found = ModuleType("mutant")
        vars(found).update(written(self.source(text), {"__name__": self.of.__name__}))
        return found


def wrong_formulas(cell: type[Equations], step: Formulas) -> Formulas:
    """The formulas of another cell, with the options of a step."""
    return Formulas(cell, step.recurrent_activation, step.activation, step.separate, **step.options)


_START = "dz: list[Any] = [None] * T"
_BIAS = "xp.sum(d, (0, 1))"
_BEFORE = "before = xp.stack([state[h] for state in states])"
_BACK = "xp.matmul(d, xp.transpose(weights[U]))"

MUTANTS = {
    "forget gate without σ′": Mutant(LSTM, "dsigma(df, f)", "df"),
    "no dh to the step before": Mutant(arrays, f"dh = {_BACK}", f"dh = 0.0 * {_BACK}"),
    "no dc to the step before": Mutant(LSTM, "dc * f\n", "0.0 * dc\n"),
    "dc assigned, not added": Mutant(LSTM, "dc = dc + dphi", "dc = dphi"),
    "no tanh′(c)": Mutant(LSTM, "dc + dphi(dh * o, a)", "dc + dh * o"),
    "bias gradients copied from one gate": Mutant(
        arrays, f"= {_BIAS}", f"= xp.concat([xp.split({_BIAS}, 4, 0)[0]] * 4)"
    ),
    "bias gradient averaged": Mutant(arrays, f"= {_BIAS}", f"= {_BIAS} / (d.shape[0] * d.shape[1])"),
    "two gates swapped": Mutant(LSTM, "return dz_i, dz_f,", "return dz_f, dz_i,"),
    "recurrent gradient from h_t": Mutant(
        arrays, _BEFORE, _BEFORE.replace("in states", "in [*states[1:], states[-1]]")
    ),
    "forget gradient from c_t": Mutant(LSTM, "dc * g, dc * c,", "dc * g, dc * (f * c + i * g),"),
    "no dx": Mutant(arrays, "dx_W = rows_matmul(", "dx_W = 0.0 * rows_matmul("),
    "no gradient of the initial state": Mutant(
        bptt, "return dz, dstate\n", "return dz, tuple(0.0 * ds for ds in dstate)\n"
    ),
    "cotangent of h_T ignored": Mutant(bptt, _START, f"{_START}\n    dstate = (0.0 * dstate[0], *dstate[1:])"),
    "cotangent of c_T ignored": Mutant(
        bptt, _START, f"{_START}\n    dstate = (dstate[0], 0.0 * dstate[1], *dstate[2:])"
    ),
    "a masked step kills the gradient": Mutant(
        masks, "dmasked = tuple(xp.where(row, 0.0, ds) for ds in dstate)", "dmasked = tuple(0.0 * ds for ds in dstate)"
    ),
    "a masked step leaks into the gates": Mutant(
        masks, "dstate = tuple(xp.where(row, ds, 0.0) for ds in dstate)", "dstate = tuple(ds for ds in dstate)"
    ),
}

# Mutants of the first generation's additions: peepholes, projection and clips.
EXTRAS = {
    "peepholes: no second way from the gates to the cell": Mutant(LSTMP, "dz_i * w_i + dz_f * w_f", "dz_i * w_i"),
    "peepholes: the output gate's from c_t-1": Mutant(LSTMP, "dz_o * c_now", "dz_o * c"),
    "projection: dP one and a half times as large": Mutant(
        formulas, "product_dW(xp, source", "1.5 * product_dW(xp, source"
    ),
    "cell clip: the gradient passes where it acted": Mutant(
        LSTMP,
        "dc = dclip(dc + dphi(dn * o, a) + dz_o * w_o, c_now, cell_clip)",
        "dc = dc + dphi(dn * o, a) + dz_o * w_o",
    ),
    "proj clip: the gradient passes where it acted": Mutant(LSTMP, "dp = dclip(dm, m_new, proj_clip)", "dp = dm"),
}


# --- every expression a little wrong ----------------------------------------------------------------------------------


def a_little_wrong(cell: type[Equations]) -> Iterator[tuple[str, type[Equations]]]:
    """Yield the cell once for each expression of its backward body that can be replaced, with that one replaced."""
    text = backward_of(cell)
    for change in (_scaled, _halved, _without_derivative):
        k = 0
        while (made := _changed(text, change, k)) is not None:
            yield made[0], with_backward(cell, made[1])
            k += 1


def _changed(text: str, change: Callable[[ast.expr], ast.expr | None], k: int) -> tuple[str, str] | None:
    """The text with the k-th expression that `change` knows replaced; None if there is none."""
    tree = ast.parse(text)
    seen = [-1]
    label = [""]

    class Change(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            node = self.generic_visit(node)
            made = (
                change(node)
                if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", None), ast.Load | None)
                else None
            )
            if made is None:
                return node
            seen[0] += 1
            if seen[0] != k:
                return node
            label[0] = f"{ast.unparse(node)} → {ast.unparse(made)}"
            return made

    for statement in tree.body[0].body:  # type: ignore[attr-defined]
        statement.value = Change().visit(statement.value)
    return (label[0], ast.unparse(ast.fix_missing_locations(tree))) if label[0] else None


def _scaled(node: ast.expr) -> ast.expr | None:
    """A product or a sum, 0.1 % too large."""
    arithmetic = isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult)
    return ast.BinOp(ast.Constant(1.001), ast.Mult(), node) if arithmetic else None


def _halved(node: ast.expr) -> ast.expr | None:
    """The left half of a sum or a product."""
    return node.left if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub, ast.Mult)) else None


def _without_derivative(node: ast.expr) -> ast.expr | None:
    """The upstream gradient without the derivative."""
    return node.args[0] if isinstance(node, ast.Call) else None
