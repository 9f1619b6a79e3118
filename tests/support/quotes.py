"""Wordings of messages that several test files quote: each belongs in one place, a constant in this folder.

``python tests/support/quotes.py`` lists them. A quote is a run of five words, four of them in plain letters, in a
string of the package and in a string of a test. Docstrings are left out, and a name with dots is one word. In a
pattern, `.*` and its like end a run.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ("minigrad", "backends")
SUPPORT = "tests/support"  # all of its files count as one place
TOOLS = ("tests/benchmarks/gpu",)  # programs with further messages

RUN = 5  # words
HOLE = re.compile(r"\\[dwsSDWbAZ][+*?]?|\.[+*]\??|[|^$]|\[[^\]]*\][+*?]")
WORD = re.compile(r"[\w`'][\w.:/@`'’-]*")
PLAIN = re.compile(r"[A-Za-z][a-z'’-]+|a|A")

Words = tuple[str, ...]
Places = dict[str, int]  # file → line


def runs(text: str) -> Iterator[Words]:
    """Yield the runs of words of a text or pattern."""
    for part in HOLE.split(text):
        words = [word.strip(".:`'’") for word in WORD.findall(re.sub(r"\\(.)", r"\1", part))]
        for start in range(len(words) - RUN + 1):
            run = tuple(words[start : start + RUN])
            if sum(bool(PLAIN.fullmatch(word)) for word in run) >= RUN - 1:
                yield run


def strings(source: str) -> Iterator[ast.Constant]:
    """Yield the strings of a module except docstrings; of an f-string, the parts between the values."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


def quoted(package: dict[str, str], tests: dict[str, str]) -> dict[Words, Places]:
    """Return the runs of words of the package that two places of the tests quote, with these places.

    Args:
        package: path → source of the package's modules.
        tests: path → source of the tests.
    """
    messages = {run for source in package.values() for text in strings(source) for run in runs(text.value)}
    found: defaultdict[Words, dict[str, tuple[str, int]]] = defaultdict(dict)
    for path, source in tests.items():
        place = SUPPORT if path.startswith(f"{SUPPORT}/") else path
        for text in strings(source):
            for run in messages.intersection(runs(text.value)):
                found[run].setdefault(place, (path, text.lineno))
    return {run: dict(places.values()) for run, places in found.items() if len(places) > 1}


def load(*areas: str) -> dict[str, str]:
    """Return path → source of the Python files of the repository in these folders."""
    paths = [path for area in areas for path in sorted((ROOT / area).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def listed() -> list[str]:
    """Return a line for each wording of this repository that several places quote."""
    tests = {path: source for path, source in load("tests").items() if not path.startswith(TOOLS)}
    wordings: defaultdict[tuple[tuple[str, int], ...], list[Words]] = defaultdict(list)
    for run, places in quoted(load(*PACKAGE), tests).items():
        wordings[tuple(sorted(places.items()))].append(run)
    return [
        f"{', '.join(f'{path}:{line}' for path, line in places)}: {' '.join(found[0])}"
        for places, found in sorted(wordings.items())
    ]


if __name__ == "__main__":
    print("\n".join(listed()))
