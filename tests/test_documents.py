"""What README.md, CONTRIBUTING.md and the pages of docs/ show is run, as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", "CONTRIBUTING.md", *(p.relative_to(ROOT).as_posix() for p in sorted(ROOT.glob("docs/**/*.md")))]
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_RUN = {"", "sh", "text"}  # drawings, and commands to install with


def blocks(name: str) -> list[str]:
    """The Python of a page."""
    return [code for language, code in BLOCK.findall((ROOT / name).read_text("utf-8")) if language == "python"]


@pytest.mark.parametrize("name", [name for name in PAGES if blocks(name)])
def test_code_runs_as_printed(name: str, tmp_path: Path) -> None:
    """All blocks of a page run in one program, in order; one that begins with ``# file.py`` is that file."""
    program = []
    for block in blocks(name):
        file = re.match(r"# (\w+\.py)\n", block)
        if file:
            (tmp_path / file[1]).write_text(block, "utf-8")
        else:
            program.append(block)
    assert program
    (tmp_path / "page.py").write_text("\n".join(program), "utf-8")
    command = [sys.executable, "-W", "error", "page.py"]
    process = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("name", PAGES)
def test_no_block_is_left_out(name: str) -> None:
    """A block in another spelling of Python would not be run."""
    languages = {language for language, _ in BLOCK.findall((ROOT / name).read_text("utf-8"))}
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
    assert blocks("docs/masks.md")
