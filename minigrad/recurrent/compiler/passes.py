"""The compiler of cells: the reader's passes for a custom cell with parameters, clips and inner products.

1. **Checks.** A cell that cannot be read, or that contradicts itself, is refused (`checked.py`, `body.py`).
2. **Derivation.** A missing backward is derived from forward (`derived.py`).
3. **Simplification.** Absent parts are left out (`simplify.py`).
4. **Inner products and widths** are read (`widths.py`).

For a cell that has none of this the result is that of `minigrad.recurrent.reader.read`.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from minigrad.recurrent.compiler.body import ALONE, CheckedBody
from minigrad.recurrent.compiler.checked import bodies, check_divisions, check_left, check_matrix, products_of
from minigrad.recurrent.compiler.derived import Derived
from minigrad.recurrent.compiler.simplify import ABSENT, needed_lines, simplified, without_absent, written
from minigrad.recurrent.compiler.widths import Widths, apart, matrix_of
from minigrad.recurrent.description import Description, Inner
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.reader import Assignment, as_lines, cached, named, names


def describe(
    equations: type[Equations], absent: frozenset[str] = frozenset(), needs_argument: frozenset[str] = frozenset()
) -> Description:
    """Return the description of a cell.

    Args:
        equations: the cell.
        absent: names of its absent weights and options.
        needs_argument: which of "sigma" and "phi" have a derivative that needs more than the output.

    Raises:
        EquationsError: the equations cannot be read, or contradict each other; the message names the line.
    """
    key: Any = equations
    return _described(key, absent, needs_argument)


@lru_cache(None)
def _described(equations: type[Equations], absent: frozenset[str], needs_argument: frozenset[str]) -> Description:
    forward, backward = bodies(equations, needs_argument)
    products, declared = products_of(equations, forward, backward, absent)
    states, known = [apart(s)[0] for s in equations.states], dict[str, Any].fromkeys(absent, ABSENT)
    output, taken = equations.output or states[0], {*states, *(w for p in products for w in p.weights)}
    columns, matrices = [c for p in products for c in p.columns], {matrix_of(line.value) for line in forward.lines}
    lines, new = _forward(forward, states, columns, known, taken)
    taken |= {*forward.arguments, *forward.options, *(line.name for line in lines)}
    back, gradients = _backward(backward, forward.arguments, absent, known, taken)
    inner = tuple(_inner(forward, line, lines, back, output) for line in lines if matrix_of(line.value))
    back = needed_lines(back, [*(d for _, d in gradients), *(i.dv for i in inner)])
    parameters = [a for a in forward.arguments if a not in {*absent, *columns, *states}]
    options = [o for o in forward.options if o not in {*absent, *matrices}]
    at_hand = {*states, *parameters, *options, *matrices}
    again = _again(lines, back, dict(gradients), inner, at_hand)
    sources = {i.source for i in inner} - {a.name for a in again}
    cache = cached(columns, lines, back, {*sources, *dict(gradients).values()}, at_hand)
    lines = needed_lines(lines, [*new, *cache])
    upstream = backward.arguments[: len(states)]
    widths = Widths(forward, declared, dict(zip(states, new, strict=True)), lines, bool(matrices & absent))
    widths.read_backward(dict(zip(states, upstream, strict=True)), back, inner)
    return Description(
        name=f"{equations.__module__}.{equations.__qualname__}", states=tuple(states), output=output,
        products=products, inner=inner, parameters=tuple(parameters), options=tuple(options), widths=widths.others(),
        shared=tuple(widths.shared), forward=as_lines(lines), new=tuple(new), cache=tuple(cache),
        upstream=tuple(upstream), backward=as_lines(back), gradients=gradients, again=as_lines(again),
        direct=equations.direct,
    )  # fmt: skip


def _forward(
    body: CheckedBody, states: Sequence[str], columns: Sequence[str], known: dict[str, Any], taken: set[str]
) -> tuple[list[Assignment], list[str]]:
    """Return the lines of forward without what is absent, and the name of each new state."""
    lines = without_absent(body.lines, known)
    returns = [written(simplified(e, known)) for e in body.returns]
    new = named(lines, returns, [f"{s}_new" for s in states], body.number, {*taken, *body.arguments, *body.options})
    check_left(body, lines, dict(zip(states, new, strict=True)), {*columns, *states})
    return lines, new


def _backward(
    body: CheckedBody | Derived, arguments: Sequence[str], absent: Collection[str], known: dict[str, Any],
    taken: set[str],
) -> tuple[list[Assignment], tuple[tuple[str, str], ...]]:  # fmt: skip
    """Return the lines of backward without what is absent, and (argument of forward, its gradient) for each of them."""
    lines = without_absent(body.lines, known)
    returns = [written(simplified(e, known)) for e in body.returns]
    upstream = {*body.arguments} - taken
    found = named(lines, returns, [f"d{a}" for a in arguments], body.number, {*taken, *body.options}, upstream)
    check_divisions(body, lines)
    return lines, tuple((a, d) for a, d in zip(arguments, found, strict=True) if d and a not in absent)


def _again(
    lines: Sequence[Assignment], back: Sequence[Assignment], gradients: dict[str, str], inner: Iterable[Inner],
    at_hand: set[str],
) -> list[Assignment]:  # fmt: skip
    """Return the lines that the backward pass computes again: sources of inner products that nothing else reads."""
    read = {*gradients.values(), *(n for a in back for n in names(a.value))}
    sources = {i.source for i in inner}
    return [a for a in lines if a.name in sources - read and _cheap(a, read | at_hand)]


def _inner(
    forward: CheckedBody, line: Assignment, lines: Sequence[Assignment], back: Sequence[Assignment], output: str
) -> Inner:
    """Return an inner product with its backward product."""
    matrix, source = matrix_of(line.value), names(line.value)[0]
    check_matrix(forward, line, lines, back)
    gradients = [names(a.value)[0] for a in back if matrix_of(a.value) == matrix]
    reach, made = [source], {a.name: a.value for a in lines}
    for name in reach:  # back through elementwise lines; an activation ends the path
        value = made.get(name)
        if value is not None and not (isinstance(value, ast.Call) and value.func.id in ALONE):  # type: ignore[attr-defined]
            reach += [n for n in names(value) if n not in reach]
    return Inner(line.name, source, matrix, gradients[0], output in reach)


def _cheap(line: Assignment, at_hand: Collection[str]) -> bool:
    """True if a line is elementwise arithmetic of available values: the backward pass computes it again."""
    arithmetic = not any(isinstance(n, (ast.Call, ast.MatMult)) for n in ast.walk(line.value))
    return arithmetic and set(names(line.value)) <= set(at_hand)
