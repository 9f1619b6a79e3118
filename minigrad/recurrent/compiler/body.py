"""Checks of a cell's bodies, statement by statement and expression by expression, as they are read.

`minigrad.recurrent.reader.Body` reads a correct body. `CheckedBody` refuses any other; the error names the line and the
correction. It also reads forms that the plain reader does not: ``a += e``, ``+ a``, ``a ** 2`` and ``v @ M``, which
gets a separate line as σ and φ do.
"""

from __future__ import annotations

import ast
import inspect
import re
import tokenize
from collections.abc import Callable, Collection
from itertools import count
from keyword import iskeyword
from math import isfinite
from types import CodeType
from typing import Any

from minigrad.recurrent.errors import EquationsError
from minigrad.recurrent.reader import Assignment, Body
from minigrad.recurrent.syntax import parse

WORDS = {"sigma": 1, "phi": 1, "clip": 2, "stop": 1, "dsigma": 2, "dphi": 2, "dclip": 3}
"""Words that a body can call, and their numbers of arguments."""
ALONE = ("sigma", "phi")
"""Words whose calls get separate lines: ``o * phi(c)`` becomes ``_1 = phi(c)`` and ``o * _1``."""
RESERVED = frozenset((
    "Cache", "concat", "h_masks", "matmul", "separate", "split", "step", "step_backward", "step_values", "sum",
    "summands", "transpose", "x_masks",
))  # fmt: skip
"""Names that the formulas made of a body use, `minigrad.recurrent.lines`."""


class CheckedBody(Body):
    """One function of a cell as assignments, each statement and expression checked before it is read.

    Args:
        where: for messages, ``"Coupled.forward"``.
        function: the function.
        needs_argument: the words among "sigma" and "phi" whose argument needs a name.
        taken: names of other values; a line that assigns to one of them gets a second name.

    Raises:
        EquationsError: the function holds something that the equations do not allow.
    """

    def __init__(
        self,
        where: str,
        function: Callable[..., Any],
        needs_argument: Collection[str] = (),
        taken: Collection[str] = (),
    ) -> None:
        self.where, self._needs, self.file, self._numbers = where, needs_argument, source_file(function), count(1)
        self._in_text: dict[str, str] = {}  # second name: the name in the text
        super().__init__(function, taken)
        if not self.returns:
            raise self.error(self.first, "expected a return at its end, got none", "return the values by name")

    def error(self, number: int, what: str, advice: str) -> EquationsError:
        """Return the error that names the line."""
        message = f"{self.where}, line {number} of {self.file}: {what}. {advice[0].upper()}{advice[1:]}."
        return EquationsError(message, self.file, number)

    def written(self, name: str) -> str:
        """Return the name that a value has in the text: the same name, unless an earlier line has it."""
        return self._in_text.get(name, name)

    def in_text(self, e: ast.expr) -> str:
        """Return an expression with the names of the source text, and unnamed values written out."""
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
                f"{self.where}: its source text is not available, as in a program that is piped to python. Save the "
                "cell in a file, or define it in a notebook."
            ) from None
        tree = _first_statement("".join(lines))
        named = getattr(function, "__name__", "") != "<lambda>"
        if tree is None or (named and not _is_text_of(tree, function)):
            raise EquationsError(
                f"{self.where}: {source_file(function)} has changed since it was imported, and a cell is read from its "
                "text. Import it again, or restart Python."
            )
        if not isinstance(tree, ast.FunctionDef):
            raise self.error(first, f"expected a function, got {ast.unparse(tree)[:40]!r}", "write it with def")
        ast.increment_lineno(tree, first - 1)
        if tree.args.vararg or tree.args.kwarg or tree.args.posonlyargs or tree.args.defaults:
            given = ast.unparse(tree.args)
            raise self.error(
                tree.lineno, f"expected plain arguments, got ({given})", "name each; options follow a * with defaults"
            )
        assigned = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        for name in (*(a.arg for a in (*tree.args.args, *tree.args.kwonlyargs)), *sorted(assigned)):
            self.check_name(name, tree.lineno)
        return tree

    def check_name(self, name: str, number: int) -> None:
        """Raise an error if the formulas reserve a name."""
        if name.startswith("_"):
            raise self.error(number, f"`{name}` is reserved, as all names that begin with _", "choose another name")
        if name in RESERVED:
            raise self.error(number, f"`{name}` is reserved for the formulas", "choose another name")
        if name in WORDS:
            raise self.error(number, f"`{name}` is a word of the equations", "choose another name for the value")
        if name in ("self", "cls"):
            raise self.error(number, f"`{name}` is not a value of a cell: a body is a plain function", "leave it out")
        if not name.isidentifier() or iskeyword(name):
            raise self.error(number, f"`{name}` is not a name", "choose a word of letters, digits and _")
        if name == "x":
            raise self.error(
                number, "only products can read `x`, the input", "make a column of it: products = 'z = x W + b'"
            )

    # --- statements ---------------------------------------------------------------------------------------------------

    def _read(self, statement: ast.stmt) -> None:
        number = statement.lineno
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return  # a docstring
        if self.returns:
            raise self.error(number, f"`{_short(statement)}` comes after the return", "remove it")
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            old = ast.copy_location(ast.Name(statement.target.id, ast.Load()), statement)
            value = ast.copy_location(ast.BinOp(old, statement.op, statement.value), statement)
            statement = ast.copy_location(ast.Assign([statement.target], value), statement)
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            self._check_sides(statement)
        elif not isinstance(statement, ast.Return) or statement.value is None:
            what = f"expected `name = expression` or the return, got `{_short(statement)}`"
            raise self.error(number, what, _advice(statement))
        super()._read(statement)

    def _check_sides(self, statement: ast.Assign) -> None:
        """Refuse a tuple with too many or too few values, and a target that is not a name."""
        target, value = statement.targets[0], statement.value
        left = target.elts if isinstance(target, ast.Tuple) else [target]
        if isinstance(value, ast.Tuple) and not isinstance(target, ast.Tuple):
            self._value(value)  # raises the error of the value
        if isinstance(target, ast.Tuple) and not (isinstance(value, ast.Tuple) and len(value.elts) == len(left)):
            what = f"expected one value for each name, got `{_short(statement)}`"
            raise self.error(statement.lineno, what, "write a value for each name")
        for one in left:
            if not isinstance(one, ast.Name):
                what = f"expected a name on the left, got `{_short(one)}`"
                raise self.error(statement.lineno, what, "assign to a name")

    # --- expressions --------------------------------------------------------------------------------------------------

    def _assign(self, name: str, value: ast.expr, number: int) -> None:
        super()._assign(name, value, number)
        self._in_text[self.lines[-1].name] = name

    def _own_line(self, value: ast.expr) -> ast.expr:
        """Give an expression a line, and return the name of its value."""
        if isinstance(value, ast.Name):
            return value
        name = next(name for n in self._numbers if (name := f"_{n}") not in self._others)
        self.lines.append(Assignment(name, value, value.lineno))
        return ast.copy_location(ast.Name(name, ast.Load()), value)

    def _value(self, e: Any, inside: bool = False) -> Any:
        if isinstance(e, ast.Name):
            self._check_known(e)
        elif isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.UAdd):
            return self._value(e.operand, inside)
        elif isinstance(e, ast.BinOp) and isinstance(e.op, ast.MatMult):
            left = self._own_line(self._value(e.left, True))
            value = ast.copy_location(ast.BinOp(left, e.op, self._matrix(e.right)), e)
            return self._own_line(value) if inside else value
        elif isinstance(e, ast.BinOp) and isinstance(e.op, ast.Pow):
            return self._square(e)
        elif isinstance(e, ast.Call):
            return self._call(e, inside)
        elif not _is_arithmetic(e):
            advice = f"use names, numbers, + - * / @ and the words {', '.join(WORDS)}"
            raise self.error(e.lineno, f"`{_short(e)}` is not allowed in equations", advice)
        return super()._value(e, inside)

    def _call(self, e: ast.Call, inside: bool) -> ast.expr:
        word = e.func.id if isinstance(e.func, ast.Name) else ""
        if word not in WORDS or e.keywords or len(e.args) != WORDS[word]:
            known = ", ".join(f"{name}({', '.join('abc'[:n])})" for name, n in WORDS.items())
            raise self.error(e.lineno, f"`{_short(e)}` is not a word of the equations", f"the words are {known}")
        call = super()._value(e, inside)
        if word in self._needs:
            call.args = [self._own_line(a) for a in call.args]
        return self._own_line(call) if inside and word in ALONE else call

    def _matrix(self, e: ast.expr) -> ast.expr:
        """Return the right side of @: the name of an inner matrix, or its transpose."""
        name = e.value if isinstance(e, ast.Attribute) and e.attr == "T" else e
        if not isinstance(name, ast.Name):
            raise self.error(
                e.lineno, f"expected an inner matrix on the right of @, got `{_short(e)}`", "name it: v @ P, or v @ P.T"
            )
        self._check_known(name)
        return e

    def _square(self, e: ast.BinOp) -> ast.expr:
        if not (isinstance(e.right, ast.Constant) and e.right.value == 2):
            raise self.error(e.lineno, f"`{_short(e)}`: the only power is ** 2", "write a product")
        v = self._own_line(self._value(e.left, True))
        return ast.copy_location(ast.BinOp(v, ast.Mult(), v), e)

    def _check_known(self, e: ast.Name) -> None:
        if e.id in self._now:
            return
        if e.id in self._assigned:
            raise self.error(e.lineno, f"`{e.id}` is used before it is given a value", "move the line up")
        raise self.error(
            e.lineno, f"unknown name `{e.id}`", "a state or column is an argument, in backward any value of forward; a "
            f"number of your own is an option: def forward(…, *, {e.id}=1.0)",
        )  # fmt: skip


def source_file(function: Callable[..., Any]) -> str:
    """Return the file that holds a function."""
    return function.__code__.co_filename


def _first_statement(text: str) -> ast.stmt | None:
    """The first statement; a comment or a string in it may be indented less than the statement."""
    indented = text[:1].isspace()
    try:
        tree: Any = parse(f"if True:\n{text}" if indented else text)
        found: ast.stmt = (tree.body[0] if indented else tree).body[0]
    except (SyntaxError, IndexError):
        return None
    ast.increment_lineno(found, -indented)
    return found


def _is_text_of(tree: ast.stmt, function: Callable[..., Any]) -> bool:
    """Return whether a function was compiled from this text: its names, numbers and operations are the same."""
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
    """Advice on a statement that a body cannot hold."""
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return "write one name, one = and one expression on a line"
    return "a body runs for all rows and units at once: it has no loop, no branch and no other statement"


def _short(node: ast.AST) -> str:
    text = ast.unparse(node).splitlines()[0]
    return text if len(text) <= 60 else f"{text[:57]}…"


def _is_arithmetic(e: ast.expr) -> bool:
    """Return whether an expression is a finite number, a sum, difference, product or quotient, or has a minus sign."""
    if isinstance(e, ast.Constant):
        return type(e.value) in (int, float) and isfinite(float(str(e.value)))
    if isinstance(e, ast.UnaryOp):
        return isinstance(e.op, ast.USub)
    return isinstance(e, ast.BinOp) and isinstance(e.op, (ast.Add, ast.Sub, ast.Mult, ast.Div))
