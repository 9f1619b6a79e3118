"""One step of a cell as two Python functions: its products, then the lines of its bodies, with their line numbers.

For the LSTM (names that begin with _ come from this module):

    def step(_z, h, c, U):
        z_i, z_f, z_g, z_o = split(_z + matmul(h, U), 4, -1)
        …                                                        the lines of forward
        return (h_new, c_new), Cache(i, f, g, o, a)

    def step_backward(dh, dc, i, f, g, o, a, c, U):
        …                                                        the lines of backward
        _dz = concat((dz_i, dz_f, dz_g, dz_o), -1)
        return (_dz,), (matmul(_dz, transpose(U)), dc_)
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from minigrad.engine.errors import GradientError
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.compiler.widths import UNITS
from minigrad.recurrent.description import Description, Line
from minigrad.recurrent.dropout import product, product_dx
from minigrad.recurrent.reader import names
from minigrad.recurrent.step import Same
from minigrad.recurrent.syntax import parse, parse_expression

Function = Callable[..., Any]


class Layout(NamedTuple):
    """The form in which a step is written.

    Attributes:
        d: the cell.
        thinned: True if there are recurrent dropout masks, `_h_masks`.
        separate: one small product for each column.
        z: for each product, the name of its part of x W + b; "" where the product does not read x.
    """

    d: Description
    thinned: bool
    separate: bool
    z: tuple[str, ...]


Text = tuple[list[Line], str]
"""The lines of a function, and the returned expression."""


def step_text(of: Layout, letters: Sequence[str] = ()) -> Text:
    """Return the text of a step, which gives (new states, cache); with `letters`, the values of these names."""
    d, number = of.d, of.d.forward[0].number
    widths = dict(d.widths)
    lines = [Line(left, text, number) for k in range(len(d.products)) for left, text in _columns(of, k, widths)]
    lines += [Line(s, f"_spread({s}, {widths[s]!r})", number) for s in d.states if widths.get(s) in d.shared]
    lines += [_inner(of, line) for line in d.forward]
    new = [
        f"_first({n}, {widths[s]!r})" if widths.get(s) in d.shared else n for s, n in zip(d.states, d.new, strict=True)
    ]
    result = _tuple(letters) if letters else f"{_tuple(new)}, Cache({', '.join(d.cache)})"
    return lines, result


def step_backward_text(of: Layout) -> Text:
    """Return the text of a step backward, which gives (dz, ∂loss/∂state).

    dz is a tuple: for each product the gradients of its columns side by side; for each inner product its dv, and then
    its source, as `Same`; for each parameter its gradient.
    """
    d, gradient, widths = of.d, dict(of.d.gradients), dict(of.d.widths)
    number = d.backward[-1].number if d.backward else d.forward[0].number
    lines = _before_backward(of)
    lines += [_inner(of, line) for line in (*d.backward, *d.again)]
    for k, p in enumerate(d.products):
        parts = [_summed(gradient[c], widths.get(c), d) if c in gradient else _nothing(d, c) for c in p.columns]
        lines.append(Line(f"_dz{k}", parts[0] if len(parts) == 1 else f"concat({_tuple(parts)}, -1)", number))
    direct = [_summed(gradient[s], widths.get(s), d) if s in gradient else "" for s in d.states]
    own = [f"_first({s}, {widths[s]!r})" if widths.get(s) in d.shared else s for s in d.states]
    states = [_of_state(of, s, direct[k]) or f"_no_gradient({own[k]})" for k, s in enumerate(d.states)]
    dz = [*(f"_dz{k}" for k in range(len(d.products))), *(i.dv for i in d.inner)]
    dz += [f"_same({i.source})" for i in d.inner]
    dz += [f"sum({gradient[n]}, 0)" if n in gradient else f"_no_gradient({n})" for n in d.parameters]
    return lines, f"{_tuple(dz)}, {_tuple(states)}"


def summands_text(of: Layout) -> tuple[Text, list[tuple[str, str]]]:
    """Return the text of the summands of ∂loss/∂state, without the summands of the products.

    Returns:
        The text, and for each summand its state and its path: the column whose gradient it passes on, or "" for the
        direct path.
    """
    d, gradient = of.d, dict(of.d.gradients)
    column = {g: c for c, g in reversed(d.gradients) if c in d.columns}
    column |= {
        line.name: column.get(i.dv, "") for i in d.inner for line in d.backward if line.text == f"{i.dv} @ {i.matrix}.T"
    }
    text = {line.name: line.text for line in d.backward}
    lines, number = _before_backward(of), d.forward[0].number
    paths: list[tuple[str, str]] = []
    lines += [_inner(of, line) for line in d.backward]
    for s in d.states:
        for term in _summands(text.get(gradient[s], gradient[s])) if s in gradient else ():
            path = next((column[n] for n in names(parse_expression(term)) if n in column), "")
            lines.append(Line(f"_summand{len(paths)}", _summed(term, dict(d.widths).get(s), d), number))
            paths.append((s, path))
    result = _tuple([f"_summand{k}" for k in range(len(paths))])
    return (lines or [Line("_", "0", number)], result), paths


def _summands(text: str) -> list[str]:
    """The terms of a sum.

    >>> _summands("a * b + c - d")
    ['a * b', 'c', '-d']
    """
    e = parse_expression(text)
    if not isinstance(e, ast.BinOp) or not isinstance(e.op, (ast.Add, ast.Sub)):
        return [text]
    right = ast.unparse(e.right)
    return [*_summands(ast.unparse(e.left)), *([f"-{right}"] if isinstance(e.op, ast.Sub) else _summands(right))]


def words(xp: Xp, sigma: type[Op], phi: type[Op]) -> dict[str, Any]:
    """Return the words of the lines as functions of an array namespace."""
    return {
        "sigma": partial(sigma.forward if xp is Op.functional else sigma.formula, xp),
        "phi": partial(phi.forward if xp is Op.functional else phi.formula, xp),
        "dsigma": partial(getattr(sigma, "backward", _no_rule), xp),
        "dphi": partial(getattr(phi, "backward", _no_rule), xp),
        "clip": lambda v, limit: xp.clip(v, -limit, limit),
        "dclip": lambda dy, y, limit: xp.where((y > -limit) & (y < limit), dy, 0.0),
        "stop": getattr(xp, "stop_gradient", lambda v: v),
        "matmul": xp.matmul, "transpose": xp.transpose, "split": xp.split, "concat": xp.concat, "sum": xp.sum,
        "_product": partial(product, xp),
        "_product_dx": partial(product_dx, xp),
        "_masks": lambda masks, start, stop: cut_masks(xp, masks, start, stop),
        "_same": Same,
        "_no_gradient": lambda like: xp.zeros(like.shape, like.dtype),
    }  # fmt: skip


def _no_rule(xp: Xp, dy: Array, y: Array, x: Array) -> Array:
    raise GradientError("An activation without a derivative rule runs forward only, or on the tape.")


def first_masks(d: Description, source: str) -> list[int]:
    """Return for each product, then for each inner one, the place of its first dropout mask of a source."""
    counts = [len(p.columns) * any(t.source == source for t in p.terms) for p in d.products]
    counts += [int(i.recurrent and source == d.output) for i in d.inner]
    return [sum(counts[:k]) for k in range(len(counts))]


def cut_masks(xp: Xp, masks: Array | None, start: int, stop: int) -> Array | None:
    """Return a product's dropout masks among those of all columns; the one mask of all, or None."""
    return masks if masks is None or masks.shape[0] == 1 else xp.getitem(masks, slice(start, stop))


# --- the products as text ---------------------------------------------------------------------------------------------


def _before_backward(of: Layout) -> list[Line]:
    """Return the lines that give states of a shared width, and their upstream gradients, the shape of the body."""
    d, widths = of.d, dict(of.d.widths)
    number, lines = (d.backward or d.forward)[0].number, []
    for s, up in zip(d.states, d.upstream, strict=True):
        if widths.get(s) in d.shared:
            lines.append(Line(up, f"_into_first({up}, {widths[s]!r})", number))
            lines.append(Line(s, f"_spread({s}, {widths[s]!r})", number))
    return lines


def _columns(of: Layout, k: int, widths: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The lines (left side, text) that make the columns of a product."""
    p, d = of.d.products[k], of.d
    own = of.z[k] or p.bias
    total = " + ".join([*([own] if own else []), *_terms(of, k, "{source}", "matmul({source}, {matrix})", "_product")])
    if len(p.columns) == 1:
        yield p.columns[0], total
    elif len({widths.get(c) for c in p.columns}) == 1:
        yield ", ".join(p.columns), f"split({total}, {len(p.columns)}, -1)"
    else:
        yield ", ".join(p.columns), f"_parts({total}, {[(widths.get(c, UNITS),) for c in p.columns]})"
    for c in p.columns:
        if widths.get(c) in d.shared:
            yield c, f"_spread({c}, {widths[c]!r})"


def _terms(of: Layout, k: int, value: str, plain: str, function: str, only: str = "") -> Iterator[str]:
    """The products of the states with their matrices in product k, by `plain` or, with masks, by `function`."""
    p, d = of.d.products[k], of.d
    for term in p.terms:
        if term.source == "x" or (only and not (term.source == only and term.flows)):
            continue
        thinned = of.thinned and term.source == d.output
        named = {"source": term.source if term.flows else f"stop({term.source})", "matrix": term.matrix}
        if not thinned and not of.separate:
            yield plain.format(**named)
            continue
        start = first_masks(d, d.output)[k]
        masks = f"_masks(_h_masks, {start}, {start + len(p.columns)})" if thinned else "None"
        separate = f", {of.separate}" if function == "_product" else ""
        yield f"{function}({value.format(**named)}, {term.matrix}, {masks}, {len(p.columns)}{separate})"


def _of_state(of: Layout, state: str, direct: str) -> str:
    """Return the text of ∂loss/∂state: the summand of the body, then those of the products; "" without any."""
    terms = [direct] if direct else []
    for k in range(len(of.d.products)):
        terms += _terms(of, k, f"_dz{k}", f"matmul(_dz{k}, transpose({{matrix}}))", "_product_dx", state)
    return " + ".join(terms)


def _inner(of: Layout, line: Line) -> Line:
    """Return the line with further arguments: the dropout mask of an inner product, the third of a derivative rule."""
    left, at, right = line.text.partition(" @ ")
    if not at:
        return line
    matrix = right.removesuffix(".T")
    k = [i.matrix for i in of.d.inner].index(matrix)
    if of.thinned and of.d.inner[k].recurrent:
        start = first_masks(of.d, of.d.output)[len(of.d.products) + k]
        function = "_product_dx" if right.endswith(".T") else "_product"
        return line._replace(text=f"{function}({left}, {matrix}, _masks(_h_masks, {start}, {start + 1}), 1)")
    return line._replace(text=f"matmul({left}, {f'transpose({matrix})' if right.endswith('.T') else matrix})")


def _summed(gradient: str, width: str | None, d: Description) -> str:
    return f"_summed({gradient}, {width!r})" if width in d.shared else gradient


def _nothing(d: Description, column: str) -> str:
    """Return zeros of a column's width, the gradient of a column that the loss does not depend on."""
    widths = dict(d.widths)
    width = widths.get(column, UNITS)
    in_body = {up: widths.get(s, UNITS) for s, up in zip(d.states, d.upstream, strict=True)}
    as_wide = [up for up, w in in_body.items() if width == (UNITS if w in d.shared else w)]
    return f"_no_gradient({as_wide[0]})" if as_wide else f"_zeros({d.upstream[0]}, {width!r})"


def _tuple(items: Sequence[str]) -> str:
    return f"({', '.join(items)}{',' * (len(items) == 1)})"


# --- from text to functions -------------------------------------------------------------------------------------------


class _WithNone(ast.NodeTransformer):
    """A transformer that adds the argument None where a rule needs none: dsigma(dy, y) is dsigma(dy, y, None)."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("dsigma", "dphi") and len(node.args) == 2:
            node.args.append(ast.Constant(None))
        return node


def function(name: str, text: Text, space: dict[str, Any], file: str) -> tuple[Function, list[str]]:
    """Return a function of this text, each line with its number in the file, and the names of its arguments."""
    definition = definition_of(name, text, space)
    tree = ast.fix_missing_locations(ast.Module([definition], []))
    exec(compile(tree, file, "exec"), space)  # noqa: S102  (text of this module and of the reader)
    return space[name], [a.arg for a in definition.args.args]


def definition_of(name: str, text: Text, space: dict[str, Any]) -> ast.FunctionDef:
    """Return the definition of a function, whose arguments are the names that its lines read and do not assign."""
    lines, result = text
    made, arguments, body = set(space), dict[str, None](), list[ast.stmt]()
    for line in lines:
        statement: Any = _at(_WithNone().visit(parse(f"{line.name} = {line.text}").body[0]), line.number)
        arguments |= dict.fromkeys(n for n in _in_order(statement.value) if n not in made)
        made |= set(names(statement.targets[0]))
        body.append(statement)
    definition: Any = parse(f"def {name}(): return {result}").body[0]
    arguments |= dict.fromkeys(n for n in _in_order(definition.body[0].value) if n not in made)
    definition.args.args = [ast.arg(n) for n in arguments]
    _at(definition, lines[0].number)
    definition.body = [*body, _at(definition.body[0], lines[-1].number)]
    whole: ast.FunctionDef = definition
    return whole


def _in_order(e: ast.expr) -> list[str]:
    """The names of values in an expression, from left to right."""
    words = {id(n.func) for n in ast.walk(e) if isinstance(n, ast.Call)}
    found = [n for n in ast.walk(e) if isinstance(n, ast.Name) and id(n) not in words]
    return [n.id for n in sorted(found, key=lambda n: n.col_offset)]


def _at(tree: Any, number: int) -> Any:
    """The tree with the same line number for all of its nodes."""
    parts: Iterator[Any] = ast.walk(tree)
    for part in parts:
        if hasattr(part, "lineno"):
            part.lineno = part.end_lineno = number
    return tree
