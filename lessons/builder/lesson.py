"""A lesson: its source, and its versions: the student's, the solved one, one with another answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lessons.builder.percent import Cell, LessonError, parse

FOLDER = Path(__file__).resolve().parents[1]
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"  # nbgrader's markers
BESIDE = (  # files that the notebooks need
    "lesson_tools.py", "lesson_checks.py", "lesson_diagnosis.py", "lesson_mistakes.py", "lesson_mistakes.json",
    "lesson_text.py", "tales.txt", "lesson_net.py", "lesson_net_checks.py", "mynet.py",
)  # fmt: skip
LEFT_OUT = ("mistake", "variant")  # cells that tests put in a solution's place, and that appear in no notebook
OPTIONS = {"exercise", "check", "points", "hint", *LEFT_OUT}
REGION = re.compile(rf"^([ \t]*){BEGIN}\n(.*?)^[ \t]*{END}$", re.DOTALL | re.MULTILINE)
FRONT = re.compile(
    r"# (?P<number>\d+) · (?P<title>[^\n]+)\n\n(?P<line>[^\n]+)\n\n"
    r"\*\*Minutes:\*\* (?P<minutes>\d+) · \*\*Needs:\*\* (?P<needs>[^\n]+)\n\n"
    r"After this lesson you can\n\n(?P<goals>(?:\d\. [^\n]+\n?(?:   [^\n]+\n?)*)+)"
)


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        name: the file's, ``"05_vanishing_gradient"``.
        source: the whole text.
        cells: its cells, in their order.
        number: 1, 2, 3 …
        title: without the number.
        line: what it is about, in one line.
        minutes: in class.
        needs: what a student should know before.
        goals: what a student can do afterwards.
    """

    name: str
    source: str
    cells: tuple[Cell, ...]
    number: int
    title: str
    line: str
    minutes: int
    needs: str
    goals: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the source."""
        return sha256(self.source.encode()).hexdigest()

    @property
    def notebook(self) -> Path:
        """Path of the student's notebook."""
        return FOLDER / f"{self.name}.ipynb"

    def exercises(self) -> list[str]:
        """The names of the exercises, in their order."""
        return [cell.options["exercise"] for cell in self.cells if "exercise" in cell.options]

    def solutions(self) -> list[str]:
        """Return the text between the markers, region by region."""
        return [found[2] for cell in self.cells for found in REGION.finditer(cell.text)]

    def solved(self) -> list[Cell]:
        """Return the cells of the lecturer's version, with solutions and markers."""
        return [cell for cell in self.cells if not set(LEFT_OUT) & set(cell.options)]

    def for_students(self) -> list[Cell]:
        """Return the cells without solutions."""
        numbers = {name: k for k, name in enumerate(self.exercises(), 1)}
        return [
            cell.with_text(REGION.sub(_left_out(numbers[cell.options["exercise"]]), cell.text))
            if "exercise" in cell.options
            else cell
            for cell in self.solved()
        ]

    def mistakes(self) -> Iterator[tuple[str, Cell, Cell]]:
        """Yield the mistakes that a check must notice: exercise, wrong cell, check cell."""
        return self._instead("mistake")

    def variants(self) -> Iterator[tuple[str, Cell, Cell]]:
        """Yield other right answers, which a check must accept: exercise, cell, check cell."""
        return self._instead("variant")

    def _instead(self, kind: str) -> Iterator[tuple[str, Cell, Cell]]:
        checks = {cell.options["check"]: cell for cell in self.cells if "check" in cell.options}
        for cell in self.cells:
            if kind in cell.options:
                yield cell.options[kind], cell, checks[cell.options[kind]]


def diagnosis(mistake: Cell) -> str:
    """Return the sentence with which a check answers a mistake: the comment at the head of its cell."""
    lines = itertools.takewhile(lambda line: line.startswith("# "), mistake.text.splitlines())
    return " ".join(line.removeprefix("# ").strip() for line in lines)


def _left_out(number: int) -> str:
    return rf'\1# your code here\n\1raise NotImplementedError("exercise {number} is yours to write")'


def read(path: Path) -> Lesson:
    """Read a lesson's source.

    Raises:
        LessonError: something is missing or out of order; says what and where.
    """
    source = path.read_text("utf-8")
    try:
        cells = tuple(parse(source))
        front = FRONT.fullmatch(cells[0].text.strip() + "\n") if cells and cells[0].kind == "markdown" else None
        if front is None:
            raise LessonError(
                "the first cell must be markdown: `# 5 · Title`, a line on what it is about, `**Minutes:** 60 · "
                "**Needs:** …`, `After this lesson you can`, and three numbered goals"
            )
        _check(cells)
    except LessonError as error:
        raise LessonError(f"{path.name}: {error}") from None
    goals = tuple(" ".join(goal.split()) for goal in re.split(r"^\d\. ", front["goals"], flags=re.MULTILINE)[1:])
    return Lesson(
        path.stem, source, cells, int(front["number"]), front["title"], front["line"], int(front["minutes"]),
        front["needs"], goals,
    )  # fmt: skip


def _check(cells: tuple[Cell, ...]) -> None:
    """Check that each exercise has a solution and a check after it, and its mistakes and variants between the two."""
    unchecked, hints = "", 0
    for cell in cells:
        says = cell.options
        if extra := set(says) - OPTIONS:
            raise LessonError(f"line {cell.line}: unknown options {sorted(extra)}; there are {sorted(OPTIONS)}")
        _check_markers(cell)
        for option in (*LEFT_OUT, "hint", "check"):
            if option in says and says[option] != unchecked:
                raise LessonError(f"line {cell.line}: {option}={says[option]!r} must come after its exercise")
        if "exercise" in says and unchecked:
            break
        hints = hints + 1 if "hint" in says else 0 if "exercise" in says else hints
        if "check" in says and hints not in (0, 2):
            raise LessonError(f"line {cell.line}: an exercise has two hints, or none; {says['check']!r} has {hints}")
        unchecked = says.get("exercise", "" if "check" in says else unchecked)
    if unchecked:
        raise LessonError(f"exercise {unchecked!r} has no check")


def _check_markers(cell: Cell) -> None:
    """Check that solutions are in exercises, between pairs of markers."""
    marked = cell.text.count(BEGIN)
    if marked != cell.text.count(END) or marked != len(REGION.findall(cell.text)):
        raise LessonError(f"line {cell.line}: `{BEGIN}` and `{END}` must come in pairs, each on a separate line")
    if ("exercise" in cell.options) != (marked > 0):
        raise LessonError(f'line {cell.line}: a cell with exercise="…" holds a solution, and no other does')


def lessons(folder: Path = FOLDER / "source") -> list[Lesson]:
    """Return all lessons, by their numbers."""
    return [read(path) for path in sorted(folder.glob("[0-9]*.py"))]
