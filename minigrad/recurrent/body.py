"""From a function's source text to assignments: what `forward` and `backward` of a cell are read into.

A body is straight-line code, so it can be read as text: it holds assignments and one return, and its expressions know
numbers, names, ``+ - * /``, a handful of words and ``v @ M``. Three things are done to it here:

- a name that is assigned twice gets a second name (``dc``, ``dc_2``), so that a name stands for one value;
- σ, φ and ``@`` are given a line of their own: ``o * phi(c)`` becomes ``_1 = phi(c)`` and ``o * _1``;
- whatever else stands there is refused, with its line and what to write in its place.
"""

from __future__ import annotations

import ast
import inspect
import re
import tokenize
from collections.abc import Callable, Collection, Iterator
from itertools import count
from keyword import iskeyword
from math import isfinite
from types import CodeType
from typing import Any

from minigrad.recurrent.equations import EquationsError

WORDS = {"sigma": 1, "phi": 1, "clip": 2, "stop": 1, "dsigma": 2, "dphi": 2, "dclip": 3}
"""What a body can call, and with how many arguments."""
ALONE = ("sigma", "phi")
RESERVED = frozenset((
    "Cache", "concat", "h_masks", "look", "matmul", "separate", "split", "step", "step_backward", "sum",
    "transpose", "ways", "x_masks",
))  # fmt: skip
"""Names that stand in the formulas which are made of a body, `minigrad.recurrent.lines`."""


class Assignment:
    """name = expression, and where it stands."""

    def __init__(self, name: str, value: ast.expr, number: int) -> None:
        self.name, self.value, self.number = name, value, number


class Body:
    """One function of a cell, read.

    Args:
        where: for messages, ``"Coupled.forward"``.
        function: the function.
        needs_argument: words, "sigma" or "phi", whose argument is to have a name.
        taken: names that stand for other values: a line that assigns to one gets a second name.

    Attributes:
        file: the source file.
        arguments: names of the positional arguments.
        options: keyword-only arguments and their defaults; `inspect.Parameter.empty` where there is none.
        lines: the assignments, each name once.
        returns: what is returned, one expression for each value.
        first: the line of its head.
        number: the line of the return.
    """

    def __init__(
        self,
        where: str,
        function: Callable[..., Any],
        needs_argument: Collection[str] = (),
        taken: Collection[str] = (),
    ) -> None:
        self._needs, self._others = needs_argument, taken
        self._in_text: dict[str, str] = {}  # a second name -> the name in the text
        self.where, self.file = where, source_file(function)
        tree = self._parsed(function)
        self.arguments = [a.arg for a in tree.args.args]
        parameters = inspect.signature(function).parameters.values()
        self.options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        self.lines: list[Assignment] = []
        self.returns: list[ast.expr] = []
        self.first = self.number = tree.lineno
        self._now = {name: name for name in (*self.arguments, *self.options)}  # a name in the text: its name here
        self._assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self._numbers = count(1)
        for name in (*self._now, *sorted(self._assigned)):
            self.check_name(name, tree.lineno)
        for statement in tree.body:
            self._read(statement)
        if not self.returns:
            raise self.error(tree.lineno, "expected a return at its end, got none", "return the values by name")

    def error(self, number: int, what: str, advice: str) -> EquationsError:
        """Return the error that names the line."""
        message = f"{self.where}, line {number} of {self.file}: {what}. {advice[0].upper()}{advice[1:]}."
        return EquationsError(message, self.file, number)

    def written(self, name: str) -> str:
        """Return the name that a value has in the text; its own, unless an earlier line has that."""
        return self._in_text.get(name, name)

    def in_text(self, e: ast.expr) -> str:
        """Return an expression as the text has it: with the names there, and values without a name written out."""
        return re.sub(r"\w+", lambda word: self._word_in_text(word[0]), ast.unparse(e))

    def _word_in_text(self, word: str) -> str:
        value = next((line.value for line in self.lines if line.name == word), None) if word[0] == "_" else None
        if value is None:
            return self.written(word)
        return f"({self.in_text(value)})" if isinstance(value, ast.BinOp) else self.in_text(value)

    def _parsed(self, function: Callable[..., Any]) -> ast.FunctionDef:
        try:
            lines, first = inspect.getsourcelines(function)
        except (SyntaxError, tokenize.TokenError):
            lines, first = [], 0
        except (OSError, TypeError):
            raise EquationsError(
                f"{self.where}: its source text cannot be had, as in a program that is piped to python. Save the cell "
                "in a file, or define it in a notebook."
            ) from None
        tree = _first_statement("".join(lines))
        named = getattr(function, "__name__", "") != "<lambda>"
        if tree is None or (named and not _is_text_of(tree, function)):
            raise EquationsError(
                f"{self.where}: {source_file(function)} has changed since it was imported, and a cell is read from its "
                "text. Import it again, or start anew."
            )
        if not isinstance(tree, ast.FunctionDef):
            raise self.error(first, f"expected a function, got {ast.unparse(tree)[:40]!r}", "write it with def")
        ast.increment_lineno(tree, first - 1)
        if tree.args.vararg or tree.args.kwarg or tree.args.posonlyargs or tree.args.defaults:
            given = ast.unparse(tree.args)
            raise self.error(
                tree.lineno, f"expected plain arguments, got ({given})", "name each; options follow a * with defaults"
            )
        return tree

    def check_name(self, name: str, number: int) -> None:
        """Raise an error if a name is taken by what the formulas are written with."""
        if name.startswith("_"):
            raise self.error(number, f"`{name}` is reserved, as all names that begin with _", "choose another name")
        if name in RESERVED:
            raise self.error(number, f"`{name}` is reserved for the formulas", "choose another name")
        if name in WORDS:
            raise self.error(number, f"`{name}` is a word of the equations", "choose another name for the value")
        if name in ("self", "cls"):
            raise self.error(number, f"`{name}` is no value of a cell: its bodies are plain functions", "leave it out")
        if not name.isidentifier() or iskeyword(name):
            raise self.error(number, f"`{name}` is no name", "choose a word of letters, digits and _")
        if name == "x":
            raise self.error(
                number, "`x`, the input, is seen by products alone", "make a column of it: products = 'z = x W + b'"
            )

    # --- statements ---------------------------------------------------------------------------------------------------

    def _read(self, statement: ast.stmt) -> None:
        number = statement.lineno
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return  # a docstring
        if self.returns:
            raise self.error(number, f"`{_short(statement)}` stands behind the return", "take it away")
        if isinstance(statement, ast.Return) and statement.value is not None:
            values = statement.value.elts if isinstance(statement.value, ast.Tuple) else [statement.value]
            self.returns = [self._value(value, True) for value in values]
            self.number = number
            return
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            old = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement)
            value: ast.expr = ast.copy_location(ast.BinOp(old, statement.op, statement.value), statement)
            pairs: list[tuple[ast.expr, ast.expr]] = [(statement.target, value)]
        elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            pairs = list(self._pairs(statement))
        else:
            what = f"expected `name = expression` or the return, got `{_short(statement)}`"
            raise self.error(number, what, _advice(statement))
        read = [(target, self._value(value)) for target, value in pairs]
        for target, value in read:
            if not isinstance(target, ast.Name):
                raise self.error(number, f"expected a name on the left, got `{_short(target)}`", "assign to a name")
            self._assign(target.id, value, number)

    def _pairs(self, statement: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
        target, value = statement.targets[0], statement.value
        if not isinstance(target, ast.Tuple):
            yield target, value
        elif isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts):
            yield from zip(target.elts, value.elts, strict=True)
        else:
            raise self.error(
                statement.lineno,
                f"expected as many values as names, got `{_short(statement)}`",
                "write a value for each",
            )

    def _assign(self, name: str, value: ast.expr, number: int) -> None:
        new, taken = name, {*self._others, *self.arguments, *self.options, *(line.name for line in self.lines)}
        numbers = count(2)
        while new in taken or (new != name and new in self._assigned):
            new = f"{name}_{next(numbers)}"
        self.lines.append(Assignment(new, value, number))
        self._now[name], self._in_text[new] = new, name

    def _own_line(self, value: ast.expr) -> ast.expr:
        """Gives an expression a line of its own, and returns the name of its value."""
        if isinstance(value, ast.Name):
            return value
        name = f"_{next(self._numbers)}"
        while name in self._others:  # forward's `_1` is another value
            name = f"_{next(self._numbers)}"
        self.lines.append(Assignment(name, value, value.lineno))
        return ast.copy_location(ast.Name(name, ast.Load()), value)

    # --- expressions --------------------------------------------------------------------------------------------------

    def _value(self, e: ast.expr, inside: bool = False) -> ast.expr:
        """Returns an expression in the names of this body; `inside` a larger one, σ, φ and @ get their own line."""
        if isinstance(e, ast.Name):
            return ast.copy_location(ast.Name(self._known(e), ast.Load()), e)
        if isinstance(e, ast.Constant) and type(e.value) in (int, float) and isfinite(float(str(e.value))):
            return e
        if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.UAdd):
            return self._value(e.operand, inside)
        if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.USub):
            return ast.copy_location(ast.UnaryOp(e.op, self._value(e.operand, True)), e)
        if isinstance(e, ast.BinOp) and isinstance(e.op, ast.MatMult):
            product = ast.BinOp(self._own_line(self._value(e.left, True)), e.op, self._matrix(e.right))
            return self._placed(ast.copy_location(product, e), inside)
        if isinstance(e, ast.BinOp) and isinstance(e.op, ast.Pow):
            return self._square(e)
        if isinstance(e, ast.BinOp) and isinstance(e.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
            return ast.copy_location(ast.BinOp(self._value(e.left, True), e.op, self._value(e.right, True)), e)
        if isinstance(e, ast.Call):
            return self._call(e, inside)
        raise self.error(
            e.lineno,
            f"`{_short(e)}` is nothing that the equations know",
            f"use names, numbers, + - * / @ and the words {', '.join(WORDS)}",
        )

    def _placed(self, e: ast.expr, inside: bool) -> ast.expr:
        return self._own_line(e) if inside else e

    def _call(self, e: ast.Call, inside: bool) -> ast.expr:
        word = e.func.id if isinstance(e.func, ast.Name) else ""
        if word not in WORDS or e.keywords or len(e.args) != WORDS[word]:
            known = ", ".join(f"{name}({', '.join('abc'[:n])})" for name, n in WORDS.items())
            raise self.error(e.lineno, f"`{_short(e)}` is no word of the equations", f"the words are {known}")
        arguments = [self._value(a, True) for a in e.args]
        if word in self._needs:
            arguments = [self._own_line(a) for a in arguments]
        call = ast.copy_location(ast.Call(e.func, arguments, []), e)
        return self._placed(call, inside and word in ALONE)

    def _matrix(self, e: ast.expr) -> ast.expr:
        """Returns the right side of @: the name of an inner matrix, or its transpose."""
        name = e.value if isinstance(e, ast.Attribute) and e.attr == "T" else e
        if not isinstance(name, ast.Name):
            raise self.error(
                e.lineno, f"expected an inner matrix on the right of @, got `{_short(e)}`", "name it: v @ P, or v @ P.T"
            )
        self._known(name)
        return e

    def _square(self, e: ast.BinOp) -> ast.expr:
        if not (isinstance(e.right, ast.Constant) and e.right.value == 2):
            raise self.error(e.lineno, f"`{_short(e)}`: the only power is ** 2", "write a product")
        v = self._own_line(self._value(e.left, True))
        return ast.copy_location(ast.BinOp(v, ast.Mult(), v), e)

    def _known(self, e: ast.Name) -> str:
        if e.id in self._now:
            return self._now[e.id]
        if e.id in self._assigned:
            raise self.error(e.lineno, f"`{e.id}` is used before it is given a value", "move the line up")
        raise self.error(
            e.lineno, f"unknown name `{e.id}`", "a state or column is an argument, in backward any value of forward; a "
            f"number of your own is an option: def forward(…, *, {e.id}=1.0)",
        )  # fmt: skip


def source_file(function: Callable[..., Any]) -> str:
    """Returns the file in which a function stands."""
    return function.__code__.co_filename


def _first_statement(text: str) -> ast.stmt | None:
    """The first statement, which may be indented deeper than a comment or a string in it."""
    indented = text[:1].isspace()
    try:
        tree: Any = ast.parse(f"if True:\n{text}" if indented else text)
        found: ast.stmt = (tree.body[0] if indented else tree).body[0]
    except (SyntaxError, IndexError):
        return None
    ast.increment_lineno(found, -indented)
    return found


def _is_text_of(tree: ast.stmt, function: Callable[..., Any]) -> bool:
    """Returns whether a function was compiled from this text: its names, numbers and operations are the same."""
    module = compile(ast.Module([tree], []), "text", "exec", dont_inherit=True)
    texts, own = [c for c in module.co_consts if isinstance(c, CodeType)], inspect.unwrap(function).__code__
    return any(
        _essence(code) == _essence(own) and (own.co_freevars or code.co_code == own.co_code)  # free: another opcode
        for code in texts
    )


def _essence(code: CodeType) -> tuple[Any, ...]:
    numbers = [c for c in code.co_consts if isinstance(c, (int, float))]
    return code.co_name, code.co_varnames, {*code.co_names, *code.co_freevars}, repr(numbers)


def _advice(statement: ast.stmt) -> str:
    """What to write in place of a statement that a body does not know."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return "write one name, one = and one expression on a line"
    return (
        "a body is read, and runs for all rows and units at once: it has no loop and no branch, and no other statement"
    )


def _short(node: ast.AST) -> str:
    text = ast.unparse(node).splitlines()[0]
    return text if len(text) <= 60 else f"{text[:57]}…"


def names(e: ast.AST) -> list[str]:
    """Returns the names of values in an expression, the words left out, each once, in order."""
    words = {id(n.func) for n in ast.walk(e) if isinstance(n, ast.Call)}
    found = [n for n in ast.walk(e) if isinstance(n, ast.Name) and id(n) not in words]
    return list(dict.fromkeys(n.id for n in found))
