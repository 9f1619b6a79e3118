"""The reader of cells: from `Equations` to a `Description`, as text.

The bodies of a cell are straight-line code: assignments and one return, whose expressions hold names, numbers,
``+ - * /`` and a few words. Reading them is a small compiler:

1. **Products.** ``"z_i z_f = x W + h U + b"`` is split into columns, terms and a bias.
2. **Bodies.** Each assignment becomes a line. A name that is assigned twice gets a second name (``dc``, ``dc_2``), so
   that a name stands for one value; σ and φ get a line of their own: ``o * phi(c)`` becomes ``_1 = phi(c)`` and
   ``o * _1``.
3. **The cache.** It holds what the backward lines read of the forward ones, and nothing else.

Everything else is made from the description: formulas on any array namespace, compiled loops, JavaScript, mathematics.
`minigrad.recurrent.compiler` adds to these steps: it checks a user's cell, reads inner products and widths, takes out
what is absent, and derives a missing backward.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import count
from typing import Any

from minigrad.recurrent.description import Description, Line, Product, Term
from minigrad.recurrent.equations import Equations

ALONE = ("sigma", "phi")
"""Words that get a line of their own."""


class Assignment:
    """name = expression, and the number of its line."""

    def __init__(self, name: str, value: ast.expr, number: int) -> None:
        self.name, self.value, self.number = name, value, number


class Body:
    """One function of a cell as assignments.

    Args:
        function: the function.
        taken: names of other values: a line that assigns to one gets a second name.

    Attributes:
        file: the source file.
        arguments: names of the positional arguments.
        options: names of the keyword-only arguments.
        lines: the assignments, each name once.
        returns: the returned expressions.
        first: the line of its head.
        number: the line of the return.
    """

    def __init__(self, function: Callable[..., Any], taken: Collection[str] = ()) -> None:
        self.file, self._others, self._numbers = source_file(function), taken, count(1)
        tree = self._parsed(function)
        self.first = self.number = tree.lineno
        self.arguments, self.options = ([a.arg for a in part] for part in (tree.args.args, tree.args.kwonlyargs))
        self.lines: list[Assignment] = []
        self.returns: list[ast.expr] = []
        self._assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self._now = {name: name for name in (*self.arguments, *self.options)}  # a name in the text: its name here
        self._in_text: dict[str, str] = {}  # and the reverse
        for statement in tree.body:
            self._read(statement)

    def _parsed(self, function: Callable[..., Any]) -> ast.FunctionDef:
        lines, first = inspect.getsourcelines(function)
        tree: Any = ast.increment_lineno(ast.parse(textwrap.dedent("".join(lines))).body[0], first - 1)
        return tree  # type: ignore[no-any-return]

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
        new, taken = name, {*self._others, *self.arguments, *self.options, *(line.name for line in self.lines)}
        numbers = count(2)
        while new in taken or (new != name and new in self._assigned):
            new = f"{name}_{next(numbers)}"
        self.lines.append(Assignment(new, value, number))
        self._now[name], self._in_text[new] = new, name

    def _value(self, e: Any, inside: bool = False) -> ast.expr:
        """Return an expression in the names of this body; `inside` another one, σ and φ get a line of their own."""
        if isinstance(e, ast.Name):
            new: ast.expr = ast.Name(self._now[e.id], ast.Load())
        elif isinstance(e, ast.UnaryOp):
            new = ast.UnaryOp(e.op, self._value(e.operand, True))
        elif isinstance(e, ast.BinOp):
            new = ast.BinOp(self._value(e.left, True), e.op, self._value(e.right, True))
        elif isinstance(e, ast.Call):
            new = ast.Call(e.func, [self._value(a, True) for a in e.args], [])
        else:
            return e  # type: ignore[no-any-return]
        alone = inside and isinstance(e, ast.Call) and e.func.id in ALONE  # type: ignore[attr-defined]
        return self._own_line(ast.copy_location(new, e)) if alone else ast.copy_location(new, e)

    def _own_line(self, value: ast.expr) -> ast.expr:
        """Give an expression a line of its own, and return the name of its value."""
        if isinstance(value, ast.Name):
            return value
        name = next(name for n in self._numbers if (name := f"_{n}") not in self._others)
        self.lines.append(Assignment(name, value, value.lineno))
        return ast.copy_location(ast.Name(name, ast.Load()), value)


def read(equations: type[Equations]) -> Description:
    """Return the description of a cell that has products and elementwise lines, and nothing absent."""
    products, states = tuple(map(product, equations.products)), equations.states
    columns = [column for p in products for column in p.columns]
    forward = Body(equations.forward)
    new = named(forward.lines, forward.returns, [f"{s}_new" for s in states], forward.number, forward.arguments)
    taken = {*states, *forward.arguments, *(line.name for line in forward.lines)}
    backward: Any = Body(equations.backward, taken)  # type: ignore[arg-type]
    upstream = backward.arguments[: len(states)]
    wanted = [f"d{a}" for a in forward.arguments]
    found = named(backward.lines, backward.returns, wanted, backward.number, taken, upstream)
    gradients = tuple((a, d) for a, d in zip(forward.arguments, found, strict=True) if d)
    cache = cached(columns, forward.lines, backward.lines, gradients, states)
    return Description(
        f"{equations.__module__}.{equations.__qualname__}", states, equations.output or states[0], products, (), (), (),
        (), (), as_lines(forward.lines), tuple(new), tuple(cache), tuple(upstream), as_lines(backward.lines), gradients,
        (), equations.direct,
    )  # fmt: skip


def product(text: str) -> Product:
    """Return the product that ``"z_i z_f = x W + stop(h) U + b"`` says."""
    left, right = text.split("=")
    terms, bias = list[Term](), ""
    for source, *matrix in map(str.split, right.split("+")):
        if matrix:
            terms.append(Term(source.removeprefix("stop(").rstrip(")"), matrix[0], not source.startswith("stop(")))
        else:
            bias = source
    return Product(tuple(left.split()), tuple(terms), bias)


def named(
    lines: list[Assignment], returns: Iterable[ast.expr], wanted: Sequence[str], number: int, taken: Collection[str],
    given: Collection[str] = (),
) -> list[str]:  # fmt: skip
    """Return a name for each returned value: its own, that of a new line, or "" for 0, which is no gradient."""
    found, made = list[str](), {*given, *(line.name for line in lines)}
    for value, name in zip(returns, wanted, strict=True):
        if isinstance(value, ast.Constant) and value.value == 0:
            found.append("")
        elif isinstance(value, ast.Name) and value.id in made:
            found.append(value.id)
        else:
            while name in {*taken, *given, *(line.name for line in lines)}:
                name += "_"
            lines.append(Assignment(name, value, number))
            found.append(name)
    return found


def cached(
    columns: Iterable[str], forward: Iterable[Assignment], backward: Iterable[Assignment],
    gradients: Iterable[tuple[str, str]], at_hand: Collection[str], more: Collection[str] = (),
) -> list[str]:  # fmt: skip
    """Return the names that the backward lines read, with `more`, of the columns and forward lines."""
    read = {*more, *(d for _, d in gradients), *(n for line in backward for n in names(line.value))}
    return [n for n in (*columns, *(line.name for line in forward)) if n in read and n not in at_hand]


def names(e: ast.AST) -> list[str]:
    """Return the names of values in an expression, without the words, each once, in order."""
    words = {id(n.func) for n in ast.walk(e) if isinstance(n, ast.Call)}
    found = [n for n in ast.walk(e) if isinstance(n, ast.Name) and id(n) not in words]
    return list(dict.fromkeys(n.id for n in found))


def as_lines(lines: Iterable[Assignment]) -> tuple[Line, ...]:
    """Return assignments as text."""
    return tuple(Line(a.name, ast.unparse(ast.fix_missing_locations(a.value)), a.number) for a in lines)


def source_file(function: Callable[..., Any]) -> str:
    """Return the file in which a function stands."""
    return function.__code__.co_filename
