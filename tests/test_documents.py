"""What README.md and CONTRIBUTING.md show is run, as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_code_runs_as_printed(name: str, tmp_path: Path) -> None:
    """All blocks of a page run in one program, in order; one that begins with ``# file.py`` is that file."""
    program = []
    for block in re.findall(r"```python\n(.*?)```", (ROOT / name).read_text("utf-8"), re.DOTALL):
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


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_lead_to_files(name: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", (ROOT / name).read_text("utf-8"))
    assert len(links) >= 5
    assert [link for link in links if not (ROOT / link).exists()] == []
