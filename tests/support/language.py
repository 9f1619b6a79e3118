"""The rules of language: first lines of docstrings, and words that this project does not use.

`test_language.py` holds them. ``python tests/support/language.py PATH …`` lists the places, one a line.

The first line of a docstring is an imperative, a noun phrase or the equation: never a question, never a clause with a
finite verb. The words are mannerisms that stand in the way of a reader whose first language is not English.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TREES = ("minigrad", "backends", "docs", "examples", "lessons/builder", "lessons/bundle", "lessons/kit", "tests")
FILES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "lessons/README.md",
    "lessons/INSTRUCTOR.md",
    "lessons/__init__.py",
    "lessons/__main__.py",
    "lessons/lesson_tools.py",
    "lessons/lesson_checks.py",
    "lessons/lesson_diagnosis.py",
    "lessons/lesson_mistakes.py",
    "lessons/lesson_net.py",
    "lessons/lesson_net_checks.py",
    "lessons/lesson_text.py",
    "lessons/mynet.py",
    "lessons/source/00_first_net.py",
    "lessons/source/mynet.py",
    "lessons/source/01_scalar_autograd.py",
    "lessons/source/02_broadcasting.py",
    "lessons/source/03_checking_gradients.py",
    "lessons/source/04_layers_and_optimisers.py",
    "lessons/source/05_vanishing_gradient.py",
    "lessons/source/06_lstm_forward.py",
    "lessons/source/07_lstm_backward.py",
    "lessons/source/08_three_generations.py",
    "lessons/source/09_masks.py",
    "lessons/source/10_truncation_and_state.py",
    "lessons/source/11_dropout.py",
    "lessons/source/12_reading_gates.py",
    "lessons/source/13_backends.py",
    "lessons/source/14_sixteen_bugs.py",
)

# --- first lines ----------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


QUESTIONS = _words(
    """What Who Whose Which Where How Is Are May Does Do Did Can Has Have Was Were When Why Will Should Must"""
)
FINITE = _words(
    "is are was were has have had does do did can cannot may must will would could should come stand lie go consist"
)
VERBS = _words(  # of the third person, and nothing else: "makes", but not "names", which is a noun as well
    """accepts adds allows applies appends begins belongs binds brings builds chooses clears closes collects comes
    compares compiles computes contains converts copies creates defines deletes describes divides does drops empties
    ensures expects fills finds follows forgets frees gets gives goes gathers happens holds imports joins keeps knows
    lays leaves lets lies listens loads looks makes means measures merges moves multiplies needs offers opens owes
    passes prints puts raises reads receives records refuses registers rejects remembers removes renders replaces
    reports reserves resolves restores returns runs saves says sends serves sets shows spares splits stands starts stays
    stops stores switches takes tells trains tries waits walks wants writes yields"""
)
NOUNS = _words(  # nouns too
    """answers bounds calls copies counts divides draws drops figures forms functions guards hatches imports labels
    limits logs lists looks maps marks means measures moves names needs orders passes plots prints records registers
    reports reserves runs shapes shares sorts splits starts stops stores sums switches tests turns uses values weighs
    weights"""
)
BEHIND_NOUNS = _words(  # "Names of the states", but "Names the states"
    """about across after along and as at before behind between by for from in inside into of on or out outside over
    per that to under where which with within without"""
)
INSIDE = VERBS - NOUNS - _words("holds leaves offers reads replaces shows stands stays tries waits walks writes")
SUBORDINATE = _words(  # behind these a finite verb belongs to a side clause
    """after although and as because before but by how if or since so than that though until what when where whether
    which while who whose why with without unless once"""
)


def first_line(text: str) -> str | None:
    """Return what is wrong with the first line of a docstring, or None."""
    line = text.strip().split("\n")[0].strip()
    words = re.findall(r"[^\s]+", line)
    if not words:
        return None
    head = words[0].strip("`'\"(,:;.")
    if head in QUESTIONS:
        return "question"
    if line.rstrip("`'\")").endswith("?"):
        return "question"
    if words[0].rstrip(",.:;").isalpha() and head[:1].isupper() and _is_verb(head.lower(), words[1:]):
        return "third person"
    return "clause" if _has_finite_verb(line) else None


def _is_verb(word: str, rest: list[str]) -> bool:
    if word in NOUNS:
        return bool(rest) and not (rest[0].lower() in BEHIND_NOUNS or rest[0].endswith(("ed", "en")))
    return word in VERBS


def _has_finite_verb(line: str) -> bool:
    """Return whether a finite verb stands in the main clause, whose end is the first comma, colon or conjunction."""
    clause = re.split(r"[,;:(=→]|``|`| – | — |\.\s", line.rstrip("."))[0]
    for place, word in enumerate(clause.split()):
        if word.lower() in SUBORDINATE:
            return False
        if place and (word in FINITE or word in INSIDE):
            return True
    return False


# --- words ----------------------------------------------------------------------------------------

BANNED = (
    r"ways? back", r"ways? forward", r"ways? out", r"one's own", r"nobody", r"somebody", r"whoever",
    r"who (?:trains|teaches|reads|has|calls|wants|asks|writes|looks|knows)", r"gone on with", r"go(?:es)? on with",
    r"what came", r"(?:is|are) to be", r"hand(?:s|ed|ing)? on", r"hands? (?:a|the|its) masks? on",
    r"looks at", r"told", r"says? of (?:itself|themselves)", r"for good", r"wants", r"owes?", r"likes",
    r"knows? nothing", r"never heard", r"hears?", r"anew", r"beside", r"behind", r"alike", r"at hand", r"by place",
    r"shall", r"be had", r"will do", r"mends?", r"once more", r"so many", r"of (?:its|their|his) own", r"nothing of",
    r"says? nothing", r"what becomes", r"whatever", r"whichever", r"(?:has|have) not (?:a|an|one|two)",
    r"one (?:\w+ )?an? (?:gate|cell|epoch|example|row|case|sequence)", r"floats an? \w+", r"stood",
    r"as of (?:the|`)", r"stands? (?!for|alone)\w+",
    r"(?<!there )(?:is|are|was|were|be) no (?!longer|more|less|fewer|larger|smaller|faster|slower)\w+",
)  # fmt: skip
GAP = r"\s+(?:#\s+)?"
MANNERISM = re.compile(
    r"\b(?:" + "|".join(BANNED).replace("(?<!there )", r"(?<!there\s)").replace(" ", GAP) + r")\b", re.IGNORECASE
)
# A sentence whose subject is a clause, "What is left is …"; a question may begin like that.
SUBJECT_CLAUSE = re.compile(r"(?:\A|[.!?:]\s|\n\n)\s*(What\b[^.?!]*[.?!]?)")


def mannerisms(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, the words) of each mannerism in a text."""
    for found in MANNERISM.finditer(text):
        if re.search(r"\b(?:by|at|other)\s$", text[: found.start()]):  # by hand on paper
            continue
        yield found.start(), " ".join(found[0].split())
    for sentence in SUBJECT_CLAUSE.finditer(text):
        if not sentence[1].endswith("?"):
            yield sentence.start(1), " ".join(sentence[1].split()[:4]) + " …"


# A line of the lecturer's slides that names a heading of a lesson, `at: What it costs` or `{table: What comes next}`.
REFERENCE = re.compile(r"at: .+|\{(?:figure|formula|table): .+\}")


# --- files ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """One place that breaks a rule; `kind` is "first line" or "mannerism"."""

    where: str
    line: int
    kind: str
    what: str

    @property
    def area(self) -> str:
        """Directory whose places are counted together: ``minigrad/engine``, ``docs``, ``.`` for the root."""
        parts = self.where.split("/")[:-1]
        return "/".join(parts[: 1 if parts[:1] in (["docs"], ["backends"], ["lessons"]) else 2]) or "."

    def __str__(self) -> str:
        return f"{self.where}:{self.line}: {self.kind}: {self.what}"


def texts(source: str) -> Iterator[tuple[int, str, bool]]:
    """Yield (line, text, is a docstring) of every docstring, comment block and message in a Python file."""
    docstrings = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings.add(id(node.value))
            yield node.lineno, node.value.value, True
        if isinstance(node, ast.JoinedStr):
            parts = [part for part in node.values if isinstance(part, ast.Constant)]
            docstrings |= {id(part) for part in parts}
            pieces = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
            yield node.lineno, "".join(map(str, pieces)), False
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value, False
    yield from _comments(source)


def _comments(source: str) -> Iterator[tuple[int, str, bool]]:
    """Yield every comment; comments on successive lines are one text."""
    block: list[str] = []
    start = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row = token.start[0]
            if block and row != start + len(block):
                yield start, "\n".join(block), False
                block = []
            start = start if block else row
            block.append(token.string.lstrip("#:! "))
    if block:
        yield start, "\n".join(block), False


def prose(page: str) -> str:
    """Return a Markdown page with code, except its comments, and references blanked out, and its lines kept."""
    lines, code = [], False
    for line in page.split("\n"):
        if line.lstrip().startswith("```"):
            code = not code
            lines.append("")
        elif code:
            lines.append(line.partition("# ")[2])
        else:
            lines.append("" if REFERENCE.fullmatch(line) else line)
    return "\n".join(lines)


def check(path: Path, root: Path = ROOT) -> list[Place]:
    """Return the places of one file that break a rule."""
    where = path.resolve().relative_to(root).as_posix()
    text = path.read_text("utf-8")
    found = []
    if path.suffix == ".md":
        for offset, words in mannerisms(prose(text)):
            found.append(Place(where, prose(text).count("\n", 0, offset) + 1, "mannerism", words))
        return found
    for line, part, is_docstring in texts(text):
        if not is_docstring and re.fullmatch(r"[\w.]*", part):  # a name
            continue
        fault = first_line(part) if is_docstring else None
        if fault:
            found.append(Place(where, line, "first line", f"{fault}: {part.strip().splitlines()[0]}"))
        for offset, words in mannerisms(part):
            found.append(Place(where, line + part.count("\n", 0, offset), "mannerism", words))
    return sorted(set(found), key=lambda place: (place.line, place.kind, place.what))


def files(root: Path = ROOT) -> list[Path]:
    """Return every file that the rules hold for; the two that list the words are left out."""
    paths = [path for tree in TREES for ext in ("py", "md") for path in sorted((root / tree).rglob(f"*.{ext}"))]
    paths += [root / name for name in FILES if (root / name).is_file()]
    others = ("language.py", "test_language.py", "node_modules")  # `npm ci` for the slides makes the last
    return [path for path in paths if not set(others) & set(path.parts) and path.is_file()]


def main(arguments: list[str]) -> int:
    """Print the places in the given files and directories, or everywhere; return 1 if there are any."""
    chosen = [Path(name).resolve() for name in arguments] or [ROOT]
    places = [
        place for path in files() if any(path.is_relative_to(choice) for choice in chosen) for place in check(path)
    ]
    for place in places:
        print(place)
    kinds = [place.kind for place in places]
    print(f"{kinds.count('first line')} first lines, {kinds.count('mannerism')} mannerisms")
    return bool(places)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
