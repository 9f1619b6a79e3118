"""A cell's bodies as JavaScript: two functions of plain numbers, for one unit."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from minigrad.engine.errors import MinigradError
from minigrad.recurrent.description import Description, Line, Rule
from minigrad.recurrent.reader import names
from minigrad.recurrent.syntax import parse_expression

RESERVED = frozenset((
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete",
    "do", "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements",
    "import", "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public",
    "return", "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with",
    "yield", "held",
))  # fmt: skip
MATH = {
    "abs": "Math.abs", "sign": "Math.sign", "exp": "Math.exp", "expm1": "Math.expm1", "log": "Math.log", "log1p":
    "Math.log1p", "sqrt": "Math.sqrt", "sin": "Math.sin", "cos": "Math.cos", "tanh": "Math.tanh", "floor":
    "Math.floor", "maximum": "Math.max", "minimum": "Math.min",
}  # fmt: skip
SIGN = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<=",
    ast.BitAnd: "&&", ast.BitOr: "||",
}  # fmt: skip
RANK = {ast.BitOr: 1, ast.BitAnd: 2, ast.Add: 4, ast.Sub: 4, ast.Mult: 5, ast.Div: 5}
COMPARISON_RANK, UNARY_RANK = 3, 6
ERF = """// 2/√π e^(−x²) (x + 2x³/3 + 4x⁵/15 + …): all terms have one sign, so none of them cancel.
const erf = x => {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) sum += term *= 2 * x * x / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
};"""


class NoTextError(MinigradError, ValueError):
    """Error for a cell or an activation that has no counterpart in JavaScript."""


def javascript(d: Description, sigma: Rule, phi: Rule, held: Sequence[str] = ()) -> str:
    """Return the text of `forwardStep` and `backwardStep`.

    Each takes an object of numbers by name, and returns an object of all values that it computes, by name. A name that
    JavaScript reserves gets a ``_`` at its end, such as ``do_``.

    Args:
        d: the cell.
        sigma: σ.
        phi: φ.
        held: names of gates that can be held at a value. ``held.f`` is the value of f, or null if the gate computes it.
            No gradient flows from a held gate to its pre-activation.

    Raises:
        NoTextError: the cell multiplies inside its body, or an activation has no counterpart in JavaScript.
    """
    if d.inner or d.shared:
        raise NoTextError(f"{d.name}: one unit alone cannot be computed, since its body multiplies or shares gates.")
    text = [f"// {d.name}, one unit: σ is {sigma.name}, φ is {phi.name}. Columns: {', '.join(d.columns)}."]
    for word, rule in (("sigma", sigma), ("phi", phi)):
        arguments = "dy, y" if rule.from_output else "dy, y, x"
        text += [_function(word, "x", rule.forward, "y"), _function(f"d{word}", arguments, rule.backward, "dx")]
    text[1:1] = [ERF] if any("erf(" in t for t in text) else []
    text.append("const clip = (v, limit) => Math.min(Math.max(v, -limit), limit);")
    text.append("const dclip = (dy, y, limit) => Math.abs(y) < limit ? dy : 0;")
    text.append("const stop = v => v;\n")
    used = {word for line in (*d.forward, *d.backward) for word in ("clip", "stop") if word in line.text}
    text = [t for t in text if not (t.startswith(("const clip", "const dclip")) and "clip" not in used)]
    text = [t if not t.startswith("const stop") or "stop" in used else "" for t in text]
    text.append(_step("forwardStep", d.forward, held, {}))
    gate = {line.name: line.text for line in d.forward}
    text.append(_step("backwardStep", d.backward, held, {k: gate[k] for k in held}))
    return "\n".join(text)


def _function(name: str, arguments: str, lines: Sequence[Line], result: str) -> str:
    *before, last = lines
    if not before:
        return f"const {name} = ({arguments}) => {expression(last.text)};"
    body = " ".join(f"const {_safe(line.name)} = {expression(line.text)};" for line in before)
    return f"const {name} = ({arguments}) => {{ {body} return {expression(last.text)}; }};"


def _step(name: str, lines: Sequence[Line], held: Sequence[str], gates: dict[str, str]) -> str:
    computed = [line.name for line in lines]
    read = [n for line in lines for n in names(parse_expression(line.text)) if n not in computed]
    arguments = ", ".join(map(_safe, dict.fromkeys(read)))
    body = [f"  const {_safe(line.name)} = {_held(line, held, gates)};" for line in lines]
    returned = ", ".join(map(_safe, computed))
    return "\n".join(
        [f"function {name}({{ {arguments} }}, held = {{}}) {{", *body, f"  return {{ {returned} }};", "}\n"]
    )


def _held(line: Line, held: Sequence[str], gates: dict[str, str]) -> str:
    """The right side of a line; the value of a held gate replaces it."""
    text = expression(line.text)
    if not gates and line.name in held:
        return f"held.{line.name} ?? {text}"
    e = parse_expression(line.text)
    if gates and isinstance(e, ast.Call) and len(e.args) > 1 and ast.unparse(e.args[1]) in gates:
        return f"(held.{ast.unparse(e.args[1])} ?? null) === null ? {text} : 0"
    return text


def expression(text: str) -> str:
    """Return an expression of a line as JavaScript.

    >>> expression("f * (c - g) + phi(do)")
    'f * (c - g) + phi(do_)'
    """
    return _text(parse_expression(text), 0)


def _text(e: ast.expr, rank: int) -> str:
    if isinstance(e, ast.Name):
        return _safe(e.id)
    if isinstance(e, ast.Constant):
        return f"({e.value!r})" if rank >= UNARY_RANK and float(str(e.value)) < 0 else repr(e.value)
    if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.USub):
        text = f"-{_text(e.operand, UNARY_RANK)}"
        return f"({text})" if rank >= UNARY_RANK else text  # -(-v): in JavaScript, --v is another operator
    if isinstance(e, ast.BinOp) and type(e.op) in RANK:
        precedence = RANK[type(e.op)]
        text = f"{_text(e.left, precedence)} {SIGN[type(e.op)]} {_text(e.right, precedence + 1)}"
        return f"({text})" if precedence < rank else text
    if isinstance(e, ast.Compare):
        left, right = (_text(side, COMPARISON_RANK + 1) for side in (e.left, e.comparators[0]))
        text = f"{left} {SIGN[type(e.ops[0])]} {right}"
        return f"({text})" if rank > COMPARISON_RANK else text
    if isinstance(e, ast.Call):
        return _call(e, [_text(a, 0) for a in e.args], rank)
    raise NoTextError(f"{ast.unparse(e)!r} has no counterpart in JavaScript.")


def _call(e: ast.Call, arguments: list[str], rank: int) -> str:
    word = ast.unparse(e.func)
    if word == "where":
        text = f"{arguments[0]} ? {arguments[1]} : {arguments[2]}"
        return f"({text})" if rank else text
    if word == "clip" and len(arguments) == 3:
        return f"Math.min(Math.max({arguments[0]}, {arguments[1]}), {arguments[2]})"
    if word in MATH or word in ("sigma", "phi", "dsigma", "dphi", "clip", "dclip", "stop", "erf"):
        return f"{MATH.get(word, word)}({', '.join(arguments)})"
    raise NoTextError(f"{word} has no counterpart in JavaScript.")


def _safe(name: str) -> str:
    """The name; do, which JavaScript reserves, becomes do_, and do_ becomes do__, so that all names differ."""
    return f"{name}_" if name.rstrip("_") in RESERVED else name
