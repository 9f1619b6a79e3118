"""LaTeX becomes MathML that Markdown leaves alone."""

from __future__ import annotations

import doctest
import json

import pytest

pytest.importorskip("latex2mathml", reason="the site's formulas want pip install -e '.[docs]'")

from docs.builder import formulas
from docs.builder.formulas import FORMULA, FormulaError, with_formulas
from docs.builder.lessons import notebooks


def test_what_the_docstrings_show() -> None:
    assert doctest.testmod(formulas) == (0, 1)


def test_a_block_stands_by_itself() -> None:
    page = with_formulas("Before\n\n$$a_1 \\circ b$$\n\nafter")
    assert page.startswith('Before\n\n<div class="formula"><math display="block">')
    assert page.endswith("</math></div>\n\nafter")
    assert "<msub><mi>a</mi><mn>1</mn></msub>" in page


def test_lines_are_aligned() -> None:
    page = with_formulas("$$\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}$$")
    assert page.count("<mtr>") == 2


def test_what_markdown_would_read_is_written_otherwise() -> None:
    page = with_formulas("$a * b | c$ and $d * e$")
    assert "*" not in page
    assert "|" not in page


def test_a_sign_after_a_formula_stays_with_it() -> None:
    assert with_formulas("($x$), $y$.").count(")</span>") == 1
    assert with_formulas("so $y$.").endswith("</math>.</span>")


def test_what_is_added_is_one_sign() -> None:
    assert "<mo>&#x0002B;&#x0003D;</mo>" in with_formulas("$a \\mathrel{+}= b$")


def test_code_and_prices_are_left_alone() -> None:
    text = "`$x$` and\n\n```text\n$y$\n```\n\nand 5$ or \\$6\n"
    assert with_formulas(text) == text


def test_what_the_converter_does_not_know_is_an_error() -> None:
    with pytest.raises(FormulaError, match="nosuchword"):
        with_formulas("$\\nosuchword x$")


def test_every_formula_of_the_lessons_is_one() -> None:
    seen = 0
    for notebook in notebooks():
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        seen += len(FORMULA.findall(text))
        assert "\\frac" not in with_formulas(text)
    assert seen > 500
