"""The Python of a page: found, run, and shown with its output and its pictures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lessons.builder.markdown import figure

BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(r"# (\w+\.py)\n")
CHILD = Path(__file__).with_name("child.py")


class ProgramError(Exception):
    """Raised when the Python of a page fails."""


@dataclass(frozen=True)
class Seen:
    """Output of one block.

    Attributes:
        text: the printed text.
        svg: the picture made by its last line; empty if there is none.
        alt: description of the picture.
    """

    text: str = ""
    svg: str = ""
    alt: str = ""


def blocks(text: str) -> list[str]:
    """Return the Python of a page, block by block."""
    return [code for language, code in BLOCK.findall(text) if language == "python"]


def run(page: str, program: Sequence[str]) -> list[Seen]:
    """Run all blocks of a page in one program, in order, and return the output of each. Warnings are errors.

    A block that begins with ``# file.py`` becomes that file, for the others to import.

    Args:
        page: its name, for messages.
        program: the blocks.

    Raises:
        ProgramError: one of them failed.
    """
    files = [FILE.match(block) for block in program]
    with TemporaryDirectory() as folder:
        here = Path(folder, "page")
        here.mkdir()
        for block, file in zip(program, files, strict=True):
            if file:
                (here / file[1]).write_text(block, "utf-8")
        given, results = Path(folder, "blocks.json"), Path(folder, "results.json")
        given.write_text(json.dumps([b for b, file in zip(program, files, strict=True) if not file]), "utf-8")
        command = [sys.executable, "-W", "error", str(CHILD), str(given), str(results)]
        process = subprocess.run(command, capture_output=True, text=True, cwd=here, check=False)
        if process.returncode:
            raise ProgramError(f"{page}: its Python does not run.\n{process.stderr}")
        seen = iter([Seen(one["text"], **(one["picture"] or {})) for one in json.loads(results.read_text("utf-8"))])
    return [Seen() if file else next(seen) for file in files]


def shown(text: str, name: str, folder: Path) -> str:
    """Return a page with the output of each block below it, and write the pictures.

    Args:
        text: the page.
        name: of the page, without suffix: its pictures go to ``folder/name/figure-1.svg`` and on.
        folder: where the page goes.

    Raises:
        ProgramError: a block failed.
    """
    program = blocks(text)
    if not program:
        return text
    seen, pictures = iter(run(name, program)), []

    def with_output(block: re.Match[str]) -> str:
        if block[1] != "python":
            return block[0]
        one, parts = next(seen), [block[0]]
        if one.text.strip():
            parts.append(f"```text\n{one.text.rstrip()}\n```")
        if one.svg:
            pictures.append(one.svg)
            parts.append(figure(one.alt, f"{name}/figure-{len(pictures)}.svg"))
        return "\n\n".join(parts)

    page = BLOCK.sub(with_output, text)
    for number, picture in enumerate(pictures, 1):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / f"figure-{number}.svg").write_text(picture, "utf-8")
    return page
