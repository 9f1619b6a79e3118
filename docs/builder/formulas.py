"""LaTeX in a page as HTML, typeset by KaTeX when the site is built: a reader's browser runs no script for it.

KaTeX places every sign by itself, with its own fonts, so that Chromium and Firefox show the same; their MathML differs
from each other in fences, braces and the gaps around functions. The program is in docs/builder/katex, its style sheet
and fonts in docs/assets/katex, version 0.19.1 from the npm registry, without the fonts' older formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from py_mini_racer import JSEvalException, MiniRacer

KATEX = Path(__file__).with_name("katex") / "katex.min.js"
CODE = re.compile(r"(^(?P<fence>```+).*?^(?P=fence)$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(
    r"\$\$(?P<block>.+?)\$\$|(?P<before>\(?)(?<![\\$\w])\$(?P<inline>[^$]+?)\$(?![\w$])(?P<after>[.,;:)]*)", re.DOTALL
)
SPECIAL = str.maketrans({mark: f"&#{ord(mark)};" for mark in "*_[]`|\\~"})  # signs with a meaning in Markdown
Formula = tuple[str, bool]  # LaTeX, and whether it is displayed
_TYPESET: dict[Formula, str] = {}


class FormulaError(Exception):
    """Raised when a formula cannot be shown."""


def with_formulas(text: str) -> str:
    """Return a page with its formulas, ``$…$`` and ``$$…$$``, as HTML. Code is left alone.

    Raises:
        FormulaError: KaTeX does not know a word of a formula.
    """
    parts, end = [], 0
    for code in CODE.finditer(text):
        parts += [text[end : code.start()], code[0]]
        end = code.end()
    parts.append(text[end:])
    typeset(_latex(formula) for part in parts[::2] for formula in FORMULA.finditer(part))
    return "".join(part if k % 2 else FORMULA.sub(_html, part) for k, part in enumerate(parts))


def displayed(latex: str) -> str:
    """Return one displayed formula as HTML."""
    return with_formulas(f"$${latex}$$")


def typeset(formulas: Iterable[Formula]) -> None:
    """Typeset formulas, each once in the life of the process."""
    new = [formula for formula in dict.fromkeys(formulas) if formula not in _TYPESET]
    if not new:
        return
    with MiniRacer() as engine:
        engine.eval(KATEX.read_text("utf-8"))
        for latex, display in new:
            try:
                html = engine.call("katex.renderToString", latex, {"displayMode": display, "strict": "error"})
            except JSEvalException as error:
                raise FormulaError(f"KaTeX cannot typeset {latex!r}: {str(error).strip()}") from None
            _TYPESET[latex, display] = _for_markdown(html)


def _for_markdown(html: str) -> str:
    """Return HTML of KaTeX that Markdown leaves as it is, in one line, and without the LaTeX."""
    html = re.sub(r"<annotation.*?</annotation>", "", html, flags=re.DOTALL)
    html = html.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "").replace("\n", " ")
    html = html.replace('class="katex-html"', 'class="katex-html" data-search-exclude')  # MathML is text enough
    return re.sub(r"(?<=>)[^<]+", lambda between: between[0].translate(SPECIAL), html)


def _latex(formula: re.Match[str]) -> Formula:
    """Return what is typeset; signs next to an inline formula become a part of it, so that no line begins with them."""
    if formula["block"] is not None:
        return formula["block"].strip(), True
    before, after = (rf"\text{{{signs}}}" if signs else "" for signs in (formula["before"], formula["after"]))
    return f"{before}{formula['inline']}{after}", False


def _html(formula: re.Match[str]) -> str:
    kind = "span" if formula["block"] is None else "div"
    return f'<{kind} class="formula">{_TYPESET[_latex(formula)]}</{kind}>'
