"""Checks of a cell: its two bodies and its products, read and compared with each other."""

from __future__ import annotations

import ast
import linecache
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from minigrad.engine.errors import unknown_name
from minigrad.recurrent.compiler.body import ALONE, CheckedBody
from minigrad.recurrent.compiler.derived import Derived
from minigrad.recurrent.compiler.widths import UNITS, apart, matrix_of
from minigrad.recurrent.description import Product
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.errors import EquationsError
from minigrad.recurrent.reader import Assignment, names, product

_SOURCE = re.compile(r"(stop\()?(\w+)(\))?")


def bodies(equations: type[Equations], needs_argument: Collection[str]) -> tuple[CheckedBody, CheckedBody | Derived]:
    """Return the forward body and the backward one, in which ``dphi(dy, y)`` is ``dphi(dy, y, z)`` where φ needs z.

    Raises:
        EquationsError: they cannot be read, or do not fit each other or the states.
    """
    title = equations.__qualname__
    for what in ("states", "products"):
        given = getattr(equations, what)
        if not (isinstance(given, (tuple, list)) and given and all(isinstance(text, str) for text in given)):
            raise EquationsError(f"{title}: {what}: expected a string, or a tuple of them, got {given!r}.")
    states = [apart(s)[0] for s in equations.states]
    if not callable(getattr(equations, "forward", None)):
        raise EquationsError(f"{title}: expected a function `forward`, got none. Write one: def forward(z, …).")
    forward = CheckedBody(f"{title}.forward", equations.forward, needs_argument, states)
    _check_states(title, forward, equations.states)
    _check_numbers(forward)
    if len(forward.returns) != len(states):
        raise forward.error(
            forward.number,
            f"expected the new states {', '.join(states)}, got {len(forward.returns)} values",
            f"return {len(states)}, in the order of `states`",
        )
    if equations.backward is None:
        weights = re.findall(r"\w+", " ".join(equations.products))
        backward: CheckedBody | Derived = Derived(forward, states, {*states, *weights})
    else:
        of_forward = {*states, *forward.arguments, *forward.options, *(line.name for line in forward.lines)}
        backward = CheckedBody(f"{title}.backward", equations.backward, taken=of_forward)
        _check_backward(forward, backward, states)
    completed = _Completed(forward, backward, needs_argument)
    for line in backward.lines:
        line.value = completed.visit(line.value)
    backward.returns = [completed.visit(e) for e in backward.returns]
    return forward, backward


def _check_states(title: str, forward: CheckedBody, texts: Sequence[str]) -> None:
    """Refuse states that are not names, or that name several values."""
    states = [apart(text)[0] for text in texts]
    for text, state in zip(texts, states, strict=True):
        where = _line_of(text, title, forward)
        if not all(part.isidentifier() for part in apart(text)):
            raise EquationsError(f"{where}: states: expected a name, got {text!r}. Write states = 'h', 'c'.")
        if states.count(state) > 1:
            raise EquationsError(f"{where}: the state `{state}` is there twice. Give each state a different name.")
        if state in forward.options:
            raise forward.error(
                forward.first, f"the state `{state}` comes after the *", "put it before the *, or leave it out"
            )
        forward.check_name(state, forward.first)


def _check_numbers(forward: CheckedBody) -> None:
    """Refuse a number, such as an option, in place of a value for each unit, and a value in place of a number."""
    matrices = {matrix_of(line.value) for line in forward.lines} - {""}
    numbers = set(forward.options) - matrices
    for name, number, e in [*((a.name, a.number, a.value) for a in forward.lines), *_returned(forward)]:
        for part in ast.walk(e):
            product = isinstance(part, ast.BinOp) and isinstance(part.op, ast.MatMult)
            if not (product or isinstance(part, ast.Call)):
                continue
            source = part.left if isinstance(part, ast.BinOp) else part.args[0]  # type: ignore[attr-defined]
            if set(names(source)) <= numbers:
                what = f"`{forward.in_text(part)}` is computed from numbers alone"  # type: ignore[arg-type]
                raise forward.error(number, what, "compute it outside, and give it as an option")
            if _word(part) == "clip" and not set(names(part.args[1])) <= numbers:  # type: ignore[arg-type,attr-defined]
                limit = ast.unparse(part.args[1])  # type: ignore[attr-defined]
                raise forward.error(number, f"the limit `{limit}` of clip is not a number", "give it as an option")
        wrong = [] if matrix_of(e) else sorted(matrices & set(names(e)))
        if wrong:
            what = f"the inner matrix `{wrong[0]}` is not the right factor of @"
            raise forward.error(number, what, "rename the option if it is another value")
        if set(names(e)) <= numbers:
            if not name:
                what = f"the new state `{forward.in_text(e)}` is a number"
                raise forward.error(number, what, "compute it from columns, states or parameters")
            numbers.add(name)


def _returned(forward: CheckedBody) -> list[tuple[str, int, ast.expr]]:
    return [("", forward.number, e) for e in forward.returns]


def _check_backward(forward: CheckedBody, backward: CheckedBody, states: list[str]) -> None:
    n, first = len(states), backward.lines[0].number if backward.lines else backward.number
    asked = [*backward.arguments[n:], *backward.options]
    if len(backward.arguments) < n:
        raise backward.error(first, f"expected the gradients of {', '.join(states)} as first arguments", "add them")
    known = Counter(
        [*{*forward.arguments, *states}, *forward.options, *(forward.written(line.name) for line in forward.lines)]
    )
    for name in backward.arguments[:n]:
        if name in known:
            raise backward.error(
                first, f"the gradient `{name}` has the name of a value of forward", f"call it, for example, `d{name}`"
            )
    for name in asked:
        if name not in known:
            where = f"{backward.where}, line {first} of {backward.file}: argument"
            message = f"{unknown_name(where, name, known)} Ask for a value that forward has, by its name."
            raise EquationsError(message, backward.file, first)
        if known[name] > 1:
            raise backward.error(first, f"`{name}` has several values in forward", "give each a different name there")
    if len(backward.returns) != len(forward.arguments):
        raise backward.error(
            backward.number,
            f"expected a gradient for each of {', '.join(forward.arguments)}, got {len(backward.returns)}",
            "return one for each positional argument of forward, in their order; 0 for none",
        )


def check_left(
    body: CheckedBody, lines: Sequence[Assignment], new: Mapping[str, str], of_rows: Collection[str]
) -> None:
    """Refuse values that are not a vector for each row after the absent parts are removed.

    Args:
        body: the forward body.
        lines: its lines without the absent parts.
        new: the name of each new state, "" for an absent one.
        of_rows: the columns and states.

    Raises:
        EquationsError: an activation of numbers, an inner product or a new state of numbers and parameters, a division
            by what is absent.
    """
    check_divisions(body, lines)
    numbers, rows = set(body.options), set(of_rows)
    for line in lines:
        read, whole = set(names(line.value)), next((a.value for a in body.lines if a.name == line.name), line.value)
        if _word(line.value) in ALONE and read <= numbers:
            what = f"all of the argument in `{body.in_text(whole)}` is absent, as None says"
            raise body.error(line.number, what, "give it a value, or write a cell without it")
        if matrix_of(line.value) and not read & rows:
            what = f"the source in `{body.in_text(whole)}` is the same for every row"
            raise body.error(line.number, what, "compute it from a column or a state")
        (numbers if read <= numbers else rows if read & rows else set()).add(line.name)
    for state, name in new.items():
        if not name:
            advice = "remove the state, or compute it from values of the step"
            raise body.error(body.number, f"the new {state} is 0", advice)
        if name not in rows:
            what = f"the new {state} is the same for every row: it is computed from parameters and numbers alone"
            raise body.error(body.number, what, "compute it from a column or a state")


def check_divisions(body: CheckedBody | Derived, lines: Sequence[Assignment]) -> None:
    """Refuse a division by an absent value, or by 0.

    Raises:
        EquationsError: there is one.
    """
    for line in lines:
        for part in ast.walk(line.value):
            if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Div) and _is_zero(part.right):
                what = f"`{body.in_text(part)}` divides by 0, or by what is absent, as None says"
                raise body.error(line.number, what, "give it a value")


def _is_zero(e: ast.expr) -> bool:
    return isinstance(e, ast.Constant) and e.value == 0


def check_matrix(
    forward: CheckedBody, line: Assignment, lines: Sequence[Assignment], back: Sequence[Assignment]
) -> None:
    """Refuse an inner matrix that is not in exactly one product of forward and one of backward.

    Raises:
        EquationsError: it is not.
    """
    matrix = matrix_of(line.value)
    there, here = (sum(matrix_of(a.value) == matrix for a in of) for of in (back, lines))
    if here == 1 and not there:
        what = f"no gradient reaches `{forward.in_text(line.value)}`"
        advice = f"let it reach a new state other than through stop(…); a backward by hand needs ds = dv @ {matrix}.T"
        raise forward.error(line.number, what, advice)
    if (here, there) != (1, 1):
        what = f"the inner matrix `{matrix}` does not take part in one product here and in one of backward"
        raise forward.error(line.number, what, f"write one v = s @ {matrix}, and there one ds = dv @ {matrix}.T")


class _Completed(ast.NodeTransformer):
    """A transformer that adds the argument that dsigma and dphi need and checks their y against forward."""

    def __init__(self, forward: CheckedBody, backward: CheckedBody | Derived, needs: Collection[str]) -> None:
        self.backward, self.needs = backward, needs
        own = {line.name: line.value for line in backward.lines}
        self.made = {**{line.name: line.value for line in forward.lines}, **own}  # backward's names hide forward's

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        word = _word(node).removeprefix("d")
        if _word(node) in ALONE or word not in ALONE:
            return node
        y = ast.unparse(node.args[1])
        made = self.made.get(y)
        in_text = self.backward.in_text
        if not isinstance(made, ast.Call) or _word(made) != word:
            raise EquationsError(
                f"{self.backward.where}, line {node.lineno} of {self.backward.file}: `{in_text(node)}`: expected a "
                f"name to which forward assigned {word}(…), got {in_text(node.args[1])}. The "
                "derivative is computed from the output.",
                self.backward.file,
                node.lineno,
            )
        argument = [made.args[0]] if word in self.needs else []
        return ast.copy_location(ast.Call(node.func, [*node.args, *argument], []), node)


def _word(e: ast.expr) -> str:
    """The word that an expression calls, "" if it calls none."""
    return e.func.id if isinstance(e, ast.Call) and isinstance(e.func, ast.Name) else ""


# --- products ---------------------------------------------------------------------------------------------------------


def products_of(
    equations: type[Equations], forward: CheckedBody, backward: CheckedBody | Derived, absent: Collection[str]
) -> tuple[tuple[Product, ...], dict[str, str]]:
    """Return the products, and the width of each column and state.

    Raises:
        EquationsError: a product cannot be read, or names a source or a column that is not there.
    """
    title = equations.__qualname__
    declared = dict(apart(s) for s in equations.states)
    states = list(declared)
    if equations.output and equations.output not in states:
        raise EquationsError(
            str(unknown_name(f"{_line_of('output', title, forward)}: output", equations.output, states))
        )
    found, weights = [], Counter[str]()
    for text in equations.products:
        product, widths = _product(_line_of(text, title, forward), text, states)
        weights.update([*(term.matrix for term in product.terms), *([product.bias] if product.bias else [])])
        declared |= widths
        found.append(product._replace(bias="" if product.bias in absent else product.bias))
    columns = [c for product in found for c in product.columns]
    _check_columns(title, forward, columns, states)
    values = [*columns, *states, *forward.arguments, *(forward.written(line.name) for line in forward.lines)]
    if isinstance(backward, CheckedBody):
        values += [*backward.arguments, *(backward.written(line.name) for line in backward.lines)]
    twice = [name for name, n in weights.items() if n > 1 or name in {*values, *forward.options}]
    if twice:
        where = _line_of(next(text for text in equations.products if twice[0] in text.split()), title, forward)
        raise EquationsError(f"{where}: `{twice[0]}` names two things. Give each weight a different name.")
    for name in weights:
        forward.check_name(name, forward.first)
    widths = {width: name for name, width in declared.items() if width != UNITS}
    for width in widths.keys() & {*values, *forward.options, *weights}:
        where = _line_of(f"{widths[width]}:{width}", title, forward)
        raise EquationsError(f"{where}: `{width}` is a width and something else. Give the width a different name.")
    if not any(term.source == "x" for product in found for term in product.terms):
        raise EquationsError(
            f"{title}: no product reads the input x. Write one, such as products = 'z = x W + h U + b'."
        )
    return tuple(found), declared


def _line_of(text: str, title: str, forward: CheckedBody) -> str:
    """Return the class with the line before `forward` that holds this text, or the class alone."""
    for number, line in reversed([*enumerate(linecache.getlines(forward.file)[: forward.number], 1)]):
        if text and text in line:
            return f"{title}, line {number} of {forward.file}"
    return title


def _check_columns(title: str, forward: CheckedBody, columns: list[str], states: list[str]) -> None:
    missing = [c for c in columns if c not in forward.arguments]
    if missing:
        raise forward.error(
            forward.number,
            f"the products make `{missing[0]}`, which is not an argument",
            "add it, or take it from the products",
        )
    twice = [c for c, n in Counter([*columns, *states]).items() if n > 1]
    if twice:
        where = _line_of(twice[0], title, forward)
        raise EquationsError(f"{where}: `{twice[0]}` is made twice. Give each column and state a different name.")
    matrices = {n for line in forward.lines for n in names(line.value) if f"@ {n}" in ast.unparse(line.value)}
    wrong = [m for m in sorted(matrices) if m in forward.arguments]
    if wrong:
        raise forward.error(
            forward.number, f"the inner matrix `{wrong[0]}` is a positional argument", "put it after a *"
        )


def _product(title: str, text: str, states: list[str]) -> tuple[Product, dict[str, str]]:
    """Return the product that ``"z_i:blocks z_f = x W + stop(h) U + b"`` says, checked, and its columns' widths."""
    form = "'columns = source matrix + source matrix + bias'"
    if text.count("=") != 1:
        raise EquationsError(f"{title}: expected a product {form}, got {text!r}. Write 'z = x W + h U + b'.")
    biases = 0
    for part in text.split("=")[1].split("+"):
        words = part.split()
        source = _SOURCE.fullmatch(words[0]) if words else None
        stopped = source is not None and bool(source[1])
        if source is None or stopped != bool(source[3]) or len(words) > 2 or (len(words) == 1 and (stopped or biases)):
            raise EquationsError(f"{title}: in the product {text!r}, expected {form}, got {part.strip()!r}.")
        biases += len(words) == 1
        if len(words) == 2 and source[2] not in ("x", *states):
            where = f"{title}: in the product {text!r}, source"
            raise EquationsError(str(unknown_name(where, source[2], ["x", *states])))
    found = product(text)
    columns = [apart(column) for column in found.columns]
    named = [*(n for column in columns for n in column), *(t.matrix for t in found.terms)]
    if not columns or not found.terms or not all(n.isidentifier() for n in [*named, found.bias or "b"]):
        raise EquationsError(f"{title}: expected a product {form}, got {text!r}. Write 'z = x W + h U + b'.")
    return found._replace(columns=tuple(name for name, _ in columns)), dict(columns)
