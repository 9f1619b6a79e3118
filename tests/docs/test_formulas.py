"""LaTeX becomes HTML that Markdown leaves alone."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

pytest.importorskip("py_mini_racer", reason="the site's formulas need pip install -e '.[docs]'")

import markdown

from docs.builder.formulas import FORMULA, KATEX, FormulaError, displayed, with_formulas
from docs.builder.lessons import notebooks
from docs.builder.links import ROOT
from minigrad.show import latex
from minigrad.show.command import CELLS

STYLES = ROOT / "docs" / "assets" / "katex"


def text_of(html: str) -> str:
    """The visible text: that of the part without MathML."""
    return re.sub(r"<[^>]*>|\u200b", "", re.sub(r"<math>.*?</math>|<math .*?</math>", "", html))


def test_a_block_stands_by_itself() -> None:
    page = with_formulas("Before\n\n$$a_1 \\circ b$$\n\nafter")
    assert page.startswith('Before\n\n<div class="formula"><span class="katex-display">')
    assert page.endswith("</span></div>\n\nafter")
    assert "<msub><mi>a</mi><mn>1</mn></msub>" in page  # for screen readers


def test_one_line_each() -> None:
    # KaTeX's braces have paths of several lines; Markdown ends a block of HTML at some.
    assert "\n" not in displayed(r"\underbrace{a + b}_{c}")


def test_lines_are_aligned() -> None:
    page = with_formulas("$$\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}$$")
    assert page.count("<mtr>") == 2


def test_what_markdown_would_read_is_written_otherwise() -> None:
    page = with_formulas("$a * b | c$ and $d * e$ and $\\|U\\|$ and $[a](b)$")
    assert not set("*|[_\\") & set(re.sub(r"<[^>]*>", "", page))
    assert unescape(markdown.markdown(page)) == unescape(f"<p>{page}</p>")


def test_signs_next_to_a_formula_stay_with_it() -> None:
    assert text_of(with_formulas("($x$), $y$.")) == "(x), y."
    assert re.fullmatch(r'so <span class="formula">.*</span>', with_formulas("so $y$."))


def test_a_function_has_a_gap_after_it() -> None:
    gap = '<span class="mop">tanh</span><span class="mspace" style="margin-right:0.1667em;"></span>'
    assert gap in with_formulas(r"$\tanh 0.5$")


def test_code_and_prices_are_left_alone() -> None:
    text = "`$x$` and\n\n```text\n$y$\n```\n\nand 5$ or \\$6\n"
    assert with_formulas(text) == text


def test_a_word_that_katex_does_not_know_is_an_error() -> None:
    with pytest.raises(FormulaError, match=r"\\nosuchword"):
        with_formulas("$\\nosuchword x$")


def test_every_formula_of_the_lessons_is_one() -> None:
    seen = 0
    for notebook in notebooks():
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        seen += len(FORMULA.findall(text))
        assert "\\frac" not in with_formulas(text)
    assert seen > 500


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_what_minigrad_prints_of_a_cell_is_latex(cell: type) -> None:
    assert with_formulas("\n\n".join(f"$${block}$$" for block in latex(cell).split("\n\n"))).count("<mtable") == 3


def test_fonts_are_there_and_have_a_licence() -> None:
    style = (STYLES / "katex.min.css").read_text("utf-8")
    fonts = set(re.findall(r"url\(([^)]+)\)", style))
    assert fonts == {f"fonts/{path.name}" for path in (STYLES / "fonts").iterdir()}
    for folder in (STYLES, KATEX.parent):
        assert (folder / "LICENSE").read_text("utf-8").startswith("The MIT License")


def test_style_sheet_and_program_are_of_one_version() -> None:
    (version,) = set(re.findall(r'content:"(\d+\.\d+\.\d+)"', (STYLES / "katex.min.css").read_text("utf-8")))
    assert f'"{version}"' in KATEX.read_text("utf-8")
