"""The reader of cells: from `Equations` to a `Description`, as text.

The bodies of a cell are straight-line code, assignments and one return, so reading them is a small compiler:

1. **Products.** ``"z_i z_f = x W + h U + b"`` is split into columns, terms and a bias.
2. **Bodies.** Each assignment becomes a line. A name that is assigned twice gets a second name (``dc``, ``dc_2``), so
   that a name stands for one value.
3. **The cache.** It holds what the backward lines read of the forward ones, and nothing else.

`minigrad.recurrent.compiler` adds to these steps: it checks a user's cell, gives each σ and φ a line, reads inner
products and widths, takes out absent parts, and derives a missing backward.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain, count
from typing import Any

from minigrad.recurrent.description import Description, Line, Product, Term
from minigrad.recurrent.equations import Equations


def read(equations: type[Equations]) -> Description:
    """Return the description of a cell that has products and elementwise lines, and nothing absent."""
    products, states = tuple(map(product, equations.products)), equations.states
    forward = Body(equations.forward)
    new = named(forward.lines, forward.returns, [f"{s}_new" for s in states], forward.number, forward.arguments)
    taken = {*states, *forward.arguments, *(line.name for line in forward.lines)}
    backward: Any = Body(equations.backward, taken)  # type: ignore[arg-type]
    upstream = backward.arguments[: len(states)]
    d = [f"d{a}" for a in forward.arguments]
    found = named(backward.lines, backward.returns, d, backward.number, taken, upstream)
    gradients = tuple((a, d) for a, d in zip(forward.arguments, found, strict=True) if d)
    cache = cached([c for p in products for c in p.columns], forward.lines, backward.lines, found, states)
    return Description(
        name=f"{equations.__module__}.{equations.__qualname__}", states=states, output=equations.output or states[0],
        products=products, inner=(), parameters=(), options=(), widths=(), shared=(), again=(), direct=equations.direct,
        forward=as_lines(forward.lines), new=tuple(new), cache=tuple(cache), upstream=tuple(upstream),
        backward=as_lines(backward.lines), gradients=gradients,
    )  # fmt: skip


def product(text: str) -> Product:
    """Return a product from its text, such as ``"z_i z_f = x W + stop(h) U + b"``."""
    columns, right = text.split("=")
    terms, bias = list[Term](), ""
    for part in right.split("+"):
        source, *matrix = part.split()
        if not matrix:
            bias = source
        elif source.startswith("stop("):
            terms.append(Term(source[5:-1], matrix[0], flows=False))
        else:
            terms.append(Term(source, matrix[0], flows=True))
    return Product(tuple(columns.split()), tuple(terms), bias)


class Assignment:
    """name = expression, and the number of its line."""

    def __init__(self, name: str, value: ast.expr, number: int) -> None:
        self.name, self.value, self.number = name, value, number


class Body:
    """One function of a cell as assignments.

    `lines` are the assignments, each name once, and `returns` the returned expressions; `arguments` and `options` are
    the names of the positional and of the keyword-only arguments. A line that assigns to a name in `taken`, which
    stands for another value, gets a second name.
    """

    def __init__(self, function: Callable[..., Any], taken: Collection[str] = ()) -> None:
        self.file, self._others = function.__code__.co_filename, taken
        tree = self._parsed(function)
        self.first = self.number = tree.lineno
        self.arguments, self.options = ([a.arg for a in part] for part in (tree.args.args, tree.args.kwonlyargs))
        self.lines: list[Assignment] = []
        self.returns: list[ast.expr] = []
        self._assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self._now = {name: name for name in (*self.arguments, *self.options)}  # a name in the text: its name here
        for statement in tree.body:
            self._read(statement)

    def _parsed(self, function: Callable[..., Any]) -> Any:
        """Return the syntax tree of a function, with the line numbers of its file."""
        lines, first = inspect.getsourcelines(function)
        return ast.increment_lineno(ast.parse(textwrap.dedent("".join(lines))).body[0], first - 1)

    def _read(self, statement: Any) -> None:
        """Read ``a = e``, ``a, b = e, f`` or ``return e, f``."""
        right = statement.value.elts if isinstance(statement.value, ast.Tuple) else [statement.value]
        if isinstance(statement, ast.Return):
            self.returns, self.number = [self._value(e, True) for e in right], statement.lineno
            return
        (target,) = statement.targets
        left: Any = target.elts if isinstance(target, ast.Tuple) else [target]
        for name, value in list(zip(left, [self._value(e) for e in right], strict=True)):
            self._assign(name.id, value, statement.lineno)

    def _assign(self, name: str, value: ast.expr, number: int) -> None:
        """Add a line; a name that is taken gets a number, as in ``dc_2``."""
        taken = {*self._others, *self.arguments, *self.options, *(line.name for line in self.lines)}
        names = chain([name], (f"{name}_{n}" for n in count(2)))
        new = next(new for new in names if new not in taken and (new == name or new not in self._assigned))
        self.lines.append(Assignment(new, value, number))
        self._now[name] = new

    def _value(self, e: Any, inside: bool = False) -> Any:
        """Return an expression in the names of this body; `inside` (for subclasses): a part of another one."""
        if isinstance(e, ast.Name):
            return ast.copy_location(ast.Name(self._now[e.id], ast.Load()), e)
        if isinstance(e, ast.UnaryOp):
            return ast.copy_location(ast.UnaryOp(e.op, self._value(e.operand, True)), e)
        if isinstance(e, ast.BinOp):
            return ast.copy_location(ast.BinOp(self._value(e.left, True), e.op, self._value(e.right, True)), e)
        if isinstance(e, ast.Call):
            return ast.copy_location(ast.Call(e.func, [self._value(a, True) for a in e.args], []), e)
        return e


def named(
    lines: list[Assignment], returns: Iterable[ast.expr], wanted: Sequence[str], number: int, taken: Collection[str],
    given: Collection[str] = (),
) -> list[str]:  # fmt: skip
    """Return a name for each returned value: its own, that of a new line, or "" for 0, which has no gradient."""
    found, made = list[str](), {*given, *(line.name for line in lines)}
    for value, name in zip(returns, wanted, strict=True):
        if isinstance(value, ast.Constant) and value.value == 0:
            name = ""
        elif isinstance(value, ast.Name) and value.id in made:
            name = value.id
        else:
            while name in {*taken, *given, *(line.name for line in lines)}:
                name += "_"
            lines.append(Assignment(name, value, number))
        found.append(name)
    return found


def cached(
    columns: Iterable[str], forward: Iterable[Assignment], backward: Iterable[Assignment],
    returned: Iterable[str], at_hand: Collection[str],
) -> list[str]:  # fmt: skip
    """Return the names, of the columns and forward lines, that the backward lines read or return."""
    read = {*returned, *(n for line in backward for n in names(line.value))}
    return [n for n in (*columns, *(line.name for line in forward)) if n in read and n not in at_hand]


def names(e: ast.AST) -> list[str]:
    """Return the names of values in an expression, without the words, each once, in order."""
    words = {id(n.func) for n in ast.walk(e) if isinstance(n, ast.Call)}
    return list(dict.fromkeys(n.id for n in ast.walk(e) if isinstance(n, ast.Name) and id(n) not in words))


def as_lines(lines: Iterable[Assignment]) -> tuple[Line, ...]:
    """Return assignments as text."""
    return tuple(Line(a.name, ast.unparse(ast.fix_missing_locations(a.value)), a.number) for a in lines)
