"""The reader of cells: from `Equations` to a `Description`, a small compiler.

1. **Products** are split into columns, sources and matrices, **bodies** into assignments (`checked.py`, `body.py`); a
   missing backward is derived (`derived.py`).
2. **Simplification** takes out what the cell does not have (`simplify.py`).
3. **The cache.** What the backward lines read of the forward ones is kept, and nothing else; other lines are dropped.

Everything else is made from the description: formulas on any array namespace, compiled loops, JavaScript, mathematics.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from minigrad.recurrent.body import ALONE, Assignment, Body, names
from minigrad.recurrent.checked import bodies, check_divisions, check_left, check_matrix, products_of
from minigrad.recurrent.derived import Derived
from minigrad.recurrent.description import Description, Inner, Line
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.simplify import NOTHING, live, present, simplified
from minigrad.recurrent.widths import Widths, apart, matrix_of


def describe(
    equations: type[Equations], absent: frozenset[str] = frozenset(), needs_argument: frozenset[str] = frozenset()
) -> Description:
    """Returns the description of a cell.

    Args:
        equations: the cell.
        absent: names of weights and options that it does not have.
        needs_argument: which of "sigma" and "phi" have a derivative that cannot be told from the output.

    Raises:
        EquationsError: the equations cannot be read, or contradict each other; the message names the line.
    """
    key: Any = equations
    return _described(key, absent, needs_argument)


@cache
def _described(equations: type[Equations], absent: frozenset[str], needs_argument: frozenset[str]) -> Description:
    forward, backward = bodies(equations, needs_argument)
    products, declared = products_of(equations, forward, backward, absent)
    states, known = [apart(s)[0] for s in equations.states], dict[str, Any].fromkeys(absent, NOTHING)
    output, taken = equations.output or states[0], {*states, *(w for p in products for w in p.weights)}
    columns, matrices = [c for p in products for c in p.columns], {matrix_of(line.value) for line in forward.lines}
    lines, new = _forward(forward, states, columns, known, taken)
    taken |= {*forward.arguments, *forward.options, *(line.name for line in lines)}
    back, gradients = _backward(backward, forward.arguments, absent, known, taken)
    inner = tuple(_inner(forward, line, lines, back, output) for line in lines if matrix_of(line.value))
    back = live(back, [*(d for _, d in gradients), *(i.dv for i in inner)])
    parameters = [a for a in forward.arguments if a not in {*absent, *columns, *states}]
    options = [o for o in forward.options if o not in {*absent, *matrices}]
    at_hand = {*states, *parameters, *options, *matrices}
    cached, again = _cached(columns, lines, back, dict(gradients), inner, at_hand)
    lines = live(lines, [*new, *cached])
    upstream = backward.arguments[: len(states)]
    widths = Widths(forward, declared, dict(zip(states, new, strict=True)), lines, bool(matrices & absent))
    widths.read_backward(dict(zip(states, upstream, strict=True)), back, inner)
    return Description(
        f"{equations.__module__}.{equations.__qualname__}", tuple(states), output, products, inner, tuple(parameters),
        tuple(options), widths.others(), tuple(widths.shared), _written(lines), tuple(new), tuple(cached),
        tuple(upstream), _written(back), gradients, _written(again), equations.direct,
    )  # fmt: skip


def _forward(
    body: Body, states: Sequence[str], columns: Sequence[str], known: dict[str, Any], taken: set[str]
) -> tuple[list[Assignment], list[str]]:
    """The lines of forward without what is absent, and the name of each new state."""
    lines = present(body.lines, known)
    new = _named(lines, body, [f"{s}_new" for s in states], known, {*taken, *body.arguments})
    check_left(body, lines, dict(zip(states, new, strict=True)), {*columns, *states})
    return lines, new


def _backward(
    body: Body | Derived, arguments: Sequence[str], absent: Collection[str], known: dict[str, Any], taken: set[str]
) -> tuple[list[Assignment], tuple[tuple[str, str], ...]]:
    """The lines of backward without what is absent, and (argument of forward, its gradient) where there is one."""
    lines = present(body.lines, known)
    found = _named(lines, body, [f"d{a}" for a in arguments], known, taken)
    check_divisions(body, lines)
    return lines, tuple((a, d) for a, d in zip(arguments, found, strict=True) if d and a not in absent)


def _cached(
    columns: Sequence[str], lines: Sequence[Assignment], back: Sequence[Assignment], gradients: dict[str, str],
    inner: Iterable[Inner], at_hand: set[str],
) -> tuple[list[str], list[Assignment]]:  # fmt: skip
    """The names to keep, and the lines to compute once more: sources of inner products that nothing else reads."""
    asked = {*gradients.values(), *(n for a in back for n in names(a.value))}
    sources = {i.source for i in inner}
    again = [a for a in lines if a.name in sources - asked and _cheap(a, asked | at_hand)]
    asked |= sources - {a.name for a in again}
    return [n for n in (*columns, *(a.name for a in lines)) if n in asked - at_hand], again


def _named(
    lines: list[Assignment], body: Body | Derived, wanted: Sequence[str], known: dict[str, Any], taken: set[str]
) -> list[str]:
    """The names of returned values; a value without one gets a line, and what is nothing or 0 the name ""."""
    found, made = list[str](), {line.name for line in lines} | ({*body.arguments} - taken)
    for e, name in zip(body.returns, wanted, strict=True):
        value = simplified(e, known)
        if value is NOTHING or (isinstance(value, ast.Constant) and value.value == 0):
            found.append("")
        elif isinstance(value, ast.Name) and value.id in made:
            found.append(value.id)
        else:
            while name in {*taken, *body.arguments, *body.options, *(line.name for line in lines)}:
                name += "_"
            lines.append(Assignment(name, value, body.number))
            found.append(name)
    return found


def _inner(
    forward: Body, line: Assignment, lines: Sequence[Assignment], back: Sequence[Assignment], output: str
) -> Inner:
    """An inner product and its way back."""
    matrix, source = matrix_of(line.value), names(line.value)[0]
    check_matrix(forward, line, lines, back)
    gradients = [names(a.value)[0] for a in back if matrix_of(a.value) == matrix]
    reach, made = [source], {a.name: a.value for a in lines}
    for name in reach:  # back through elementwise lines; an activation ends the way
        value = made.get(name)
        if value is not None and not (isinstance(value, ast.Call) and value.func.id in ALONE):  # type: ignore[attr-defined]
            reach += [n for n in names(value) if n not in reach]
    return Inner(line.name, source, matrix, gradients[0], output in reach)


def _cheap(line: Assignment, at_hand: Collection[str]) -> bool:
    """True if a line is elementwise arithmetic of what is at hand: it is computed again rather than kept."""
    arithmetic = not any(isinstance(n, (ast.Call, ast.MatMult)) for n in ast.walk(line.value))
    return arithmetic and set(names(line.value)) <= set(at_hand)


def _written(lines: Iterable[Assignment]) -> tuple[Line, ...]:
    return tuple(Line(a.name, ast.unparse(ast.fix_missing_locations(a.value)), a.number) for a in lines)
