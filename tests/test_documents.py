"""Runs of the code in README.md, CONTRIBUTING.md and the pages of docs/, as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.builder.program import BLOCK, blocks, run

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", *(p.relative_to(ROOT).as_posix() for p in sorted(ROOT.glob("docs/**/*.md")))]
NOT_RUN = {"", "sh", "text"}  # drawings, and commands to install with


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in PAGES if blocks(text(name))])
def test_code_runs_as_printed(name: str) -> None:
    """All blocks of a page run in one program, in order; one that begins with ``# file.py`` is that file."""
    assert len(run(name, blocks(text(name)))) == len(blocks(text(name)))


@pytest.mark.parametrize("name", PAGES)
def test_no_block_is_left_out(name: str) -> None:
    """Blocks of Python in one spelling: a block in another would not be run."""
    languages = {language for language, _ in BLOCK.findall(text(name))}
    assert languages <= {"python", *NOT_RUN}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_files(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", page.read_text("utf-8"))
    assert len(links) >= 5 or page.parent != ROOT
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_anchors_lead_to_headings(name: str) -> None:
    page = ROOT / name
    for link, anchor in re.findall(r"\]\(([^)#:]*)#([\w-]+)\)", page.read_text("utf-8")):
        target = page.parent / link if link else page
        assert anchor in anchors(target.read_text("utf-8")), f"{link}#{anchor}"


def anchors(text: str) -> set[str]:
    """Those of the headings, as GitHub and Python-Markdown make them."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def test_there_are_pages() -> None:
    assert {"docs/masks.md", "docs/arguments.md", "docs/your-code-says.md"} <= set(PAGES)
    assert blocks(text("docs/masks.md"))
