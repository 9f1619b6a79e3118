"""LaTeX in a page as MathML, which browsers typeset themselves: no script and no font is fetched."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.DOTALL | re.MULTILINE)
FORMULA = re.compile(
    r"\$\$(?P<block>.+?)\$\$|(?<![\\$\w])\$(?P<inline>[^$]+?)\$(?![\w$])(?P<after>[.,;:)]?)", re.DOTALL
)
# \mathrel{+}= as the converter writes it: an operator in an operator, and a gap after it.
ASSIGNED = re.compile(r"<mo><mrow><mo>([^<]+)</mo></mrow></mo><mo>&#x0003D;</mo>")
# Characters between the tags that have a meaning in Markdown.
SPECIAL = str.maketrans({mark: f"&#{ord(mark)};" for mark in "*_[]`|\\~"})


class FormulaError(Exception):
    """Raised when a formula cannot be shown."""


def with_formulas(text: str) -> str:
    """Return a page with its formulas, ``$…$`` and ``$$…$$``, as MathML. Code is left alone.

    >>> with_formulas("$x$ costs `$5$`")
    '<span class="formula"><math display="inline"><mrow><mi>x</mi></mrow></math></span> costs `$5$`'
    """
    parts = CODE.split(text)
    return "".join(part if k % 2 else FORMULA.sub(_mathml, part) for k, part in enumerate(parts))


def _mathml(formula: re.Match[str]) -> str:
    block = formula["block"] is not None
    latex = (formula["block"] or formula["inline"]).replace("{aligned}", "{split}")  # the name that the converter knows
    mathml = convert(latex, display="block" if block else "inline")
    if "&</mi>" in mathml or "\\" in mathml:
        raise FormulaError(f"the converter left something of this formula as it was: {latex}")
    mathml = mathml.replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    mathml = ASSIGNED.sub(r"<mo>\1&#x0003D;</mo>", mathml)
    mathml = re.sub(r"(?<=>)[^<]+", lambda between: between[0].translate(SPECIAL), mathml)
    if block:
        return f'<div class="formula">{mathml}</div>'
    return f'<span class="formula">{mathml}{formula["after"]}</span>'  # so that no line begins with a comma
