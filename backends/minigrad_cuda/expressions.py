"""Translation of Python expressions to C, and names that are free in C, CUDA and the printed kernels."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t class compl
const const_cast constexpr continue decltype default delete do double dynamic_cast else enum explicit export
extern false float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr
operator or or_eq private protected public register reinterpret_cast return short signed sizeof static
static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename
typeof union unsigned using virtual void volatile wchar_t while xor xor_eq threadIdx blockIdx blockDim gridDim
warpSize linux unix i386 main
"""
KEYWORDS = frozenset(_KEYWORDS.split())
"""Keywords of C++ and CUDA, and lower-case macros."""
PRINTER_NAMES = ("real", "at", "row", "unit", "mask", "masked", "batch", "nth")
"""Names that the printer uses in a kernel."""
FUNCTION_NAMES = {
    "sigma": "sigma", "phi": "phi", "dsigma": "dsigma", "dphi": "dphi", "dclip": "dclip", "abs": "fabs", "sign": "sign",
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "sqrt": "sqrt", "sin": "sin", "cos": "cos",
    "tanh": "tanh", "erf": "erf", "floor": "floor", "maximum": "maximum", "minimum": "minimum",
}  # fmt: skip
SIGNS: dict[type[ast.AST], tuple[str, int]] = {
    ast.BitAnd: ("&&", 1), ast.BitOr: ("||", 1), ast.Add: ("+", 3), ast.Sub: ("-", 3), ast.Mult: ("*", 4),
    ast.Div: ("/", 4), ast.Lt: ("<", 2), ast.LtE: ("<=", 2), ast.Gt: (">", 2), ast.GtE: (">=", 2), ast.Eq: ("==", 2),
    ast.NotEq: ("!=", 2),
}  # fmt: skip
UNARY = 5


class UnsupportedError(Exception):
    """Raised for a cell that cannot be printed; the message gives the reason in a few words."""


class Names:
    """A source of names that are free in a kernel, the same for the same cell.

    Args:
        taken: names already in use.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {*KEYWORDS, *PRINTER_NAMES, *taken}

    def fresh(self, preferred: str) -> str:
        """Return the preferred name, or a similar one that is free, and reserve it.

        >>> names = Names()
        >>> names.fresh("z_i"), names.fresh("double"), names.fresh("double"), names.fresh("M_PI"), names.fresh("ζ")
        ('z_i', 'double_', 'double__', 'M_PI_', 'u3b6')
        """
        name = re.sub(r"(^|_)_(\d)", r"\1v\2", preferred)  # _1, a value without a name in the equations
        name = "".join(c if c.isascii() else f"u{ord(c):x}" for c in name)
        if len(name) > 1 and name.isupper():
            name += "_"  # it may be a macro, such as NULL, NAN or M_PI
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def names_of(text: str) -> list[str]:
    """Return the names of values in an expression, each once, in order; function names are excluded.

    >>> names_of("sigma(z + w * c) * z")
    ['z', 'w', 'c']
    """
    tree = ast.parse(text, mode="eval")
    words = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in words]
    return list(dict.fromkeys(node.id for node in sorted(found, key=lambda node: node.col_offset)))


def c_text(text: str, names: Mapping[str, str]) -> str:
    """Return an expression in C.

    Args:
        text: the expression, as in a description.
        names: the C name of each value.

    Raises:
        UnsupportedError: it calls an unknown function or uses an unsupported operator.

    >>> c_text("f * c + (1 - f) * 0.5", {"f": "f", "c": "c"})
    'f * c + (1 - f) * (real)0.5'
    """
    return _Writer(names).text_of(ast.parse(text, mode="eval").body, 0)


class _Writer:
    """Writer of an expression; `rank` is the precedence of the surrounding operator."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def text_of(self, e: ast.expr, rank: int) -> str:
        if isinstance(e, ast.Name):
            return self.names[e.id]
        if isinstance(e, ast.Constant) and isinstance(e.value, (int, float)):
            return f"(real){_integer_text(e) or repr(float(e.value))}"
        if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.USub):
            return _in_parentheses(f"-{self.text_of(e.operand, UNARY + 1)}", UNARY, rank)
        if isinstance(e, ast.UnaryOp) and isinstance(e.op, ast.UAdd):
            return self.text_of(e.operand, rank)
        if isinstance(e, ast.BinOp) and type(e.op) in SIGNS:
            return self._binary(e.left, type(e.op), e.right, rank)
        if isinstance(e, ast.Compare) and len(e.ops) == 1 and type(e.ops[0]) in SIGNS:
            return self._binary(e.left, type(e.ops[0]), e.comparators[0], rank)
        if isinstance(e, ast.Call) and isinstance(e.func, ast.Name):
            return self._call(e.func.id, e.args, rank)
        raise UnsupportedError(f"the kernel cannot compute `{ast.unparse(e)}`")

    def _binary(self, left: ast.expr, kind: type[ast.AST], right: ast.expr, rank: int) -> str:
        sign, own = SIGNS[kind]
        both = [
            _integer_text(e) if _converts_to_real(other) and _integer_text(e) else self.text_of(e, own + k)
            for k, (e, other) in enumerate(((left, right), (right, left)))
        ]
        return _in_parentheses(f"{both[0]} {sign} {both[1]}", own, rank)

    def _call(self, word: str, arguments: list[ast.expr], rank: int) -> str:
        given = [self.text_of(a, 0) for a in arguments]
        if word == "stop":
            return self.text_of(arguments[0], rank)
        if word == "where":
            condition, a, b = (self.text_of(a, 1) for a in arguments)
            return _in_parentheses(f"{condition} ? {a} : {b}", 0, rank)
        if word == "clip" and len(given) == 2:
            return f"clip({', '.join(given)})"
        if word == "clip":
            return f"minimum(maximum({given[0]}, {given[1]}), {given[2]})"
        if word not in FUNCTION_NAMES:
            raise UnsupportedError(f"the kernel has no function {word}")
        return f"{FUNCTION_NAMES[word]}({', '.join(given)})"


def _in_parentheses(text: str, own: int, rank: int) -> str:
    return f"({text})" if own < rank else text


def _converts_to_real(e: ast.expr) -> bool:
    """Return True if C converts an int to real when this expression is the other operand."""
    return any(isinstance(node, ast.Name) for node in ast.walk(e)) and not isinstance(e, ast.Compare)


def _integer_text(e: ast.expr) -> str:
    """Return a small whole number as an int of C; "" for anything else."""
    value = e.value if isinstance(e, ast.Constant) else None
    return str(int(value)) if isinstance(value, (int, float)) and float(value).is_integer() and abs(value) < 1e6 else ""


FUNCTIONS: dict[str, str] = {
    "sign": "real sign(real x) { return x > 0 ? 1 : x < 0 ? -1 : x; }",
    "maximum": "real maximum(real a, real b) { return a >= b || a != a ? a : b; }  // NaN, if one of them is",
    "minimum": "real minimum(real a, real b) { return a <= b || a != a ? a : b; }",
    "clip": "real clip(real v, real limit) { return v < -limit ? -limit : v > limit ? limit : v; }",
    "dclip": "real dclip(real dy, real y, real limit) { return y > -limit && y < limit ? dy : 0; }",
}
"""Device functions that CUDA does not provide."""


def functions_text(lines: Sequence[str], sigma: Any, phi: Any) -> list[str]:
    """Return the device functions that the kernels call, each before its first use.

    Args:
        lines: the lines of the kernels.
        sigma: σ, a `minigrad.recurrent.description.Rule`.
        phi: φ, a `Rule` too.
    """
    rules: list[str] = []
    for word, rule in (("sigma", sigma), ("phi", phi)):
        c_name = _called_names(lines)
        if c_name & {word, f"d{word}"} and rule is None:
            raise UnsupportedError(f"{word} is not elementwise")
        if word in c_name:
            rules += _function(f"real {word}(real x)", rule.forward)
        if f"d{word}" in c_name:
            rules += _function(f"real d{word}(real dy, real y{'' if rule.from_output else ', real x'})", rule.backward)
    c_name = _called_names([*lines, *rules])
    return [*(f"__device__ {text}" for name, text in FUNCTIONS.items() if name in c_name), *rules]


def _called_names(lines: Sequence[str]) -> set[str]:
    return {name for line in lines for name in re.findall(r"(\w+)\(", line)}


def _function(head: str, lines: Sequence[Any]) -> list[str]:
    """Return a rule's lines as a function."""
    names = _SameNames()
    *others, last = [(line.name, c_text(line.text, names)) for line in lines]
    body = [*(f"    real {name} = {text};" for name, text in others), f"    return {last[1]};"]
    return [f"__device__ {head}", "{", *body, "}"]


class _SameNames(dict[str, str]):
    """A mapping of each name to itself: the names of a rule are x, y, dy, _1, _2, …"""

    def __missing__(self, name: str) -> str:
        return name
