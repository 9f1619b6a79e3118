"""Plans by the minute: `plans.toml` says which parts of which lessons, `scripts.toml` how long each part takes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lessons.builder.lesson import Lesson
from lessons.builder.percent import LessonError

FOLDER = Path(__file__).parent
UNIQUE = (8, 10, 14)  # lessons on what other courses do not have: each plan holds them


@dataclass(frozen=True)
class Part:
    """A part of a lesson's script: `at` is the beginning of a heading of the lesson."""

    lesson: int
    minutes: int
    at: str
    what: str


@dataclass(frozen=True)
class Slot:
    """A few minutes of a session: parts of a lesson, a break, or something else.

    Attributes:
        minutes: how long.
        what: in words; empty for parts.
        parts: of a lesson.
        rest: whether it is a break.
    """

    minutes: int
    what: str = ""
    parts: tuple[Part, ...] = ()
    rest: bool = False


@dataclass(frozen=True)
class Session:
    """A session: its title, its slots in their order, and the homework."""

    title: str
    home: str
    slots: tuple[Slot, ...]

    @property
    def minutes(self) -> int:
        """Sum of the slots."""
        return sum(slot.minutes for slot in self.slots)

    def parts(self) -> list[Part]:
        """Return the parts of lessons, in their order."""
        return [part for slot in self.slots for part in slot.parts]


@dataclass(frozen=True)
class Plan:
    """A plan: `audience` says for whom, `minutes` is the length of each session."""

    title: str
    audience: str
    minutes: int
    sessions: tuple[Session, ...]

    def left_out(self) -> dict[int, list[Part]]:
        """Return, for each lesson that is taught in part, the parts that are left out of class."""
        taught = {part for session in self.sessions for part in session.parts()}
        numbers = sorted({part.lesson for part in taught})
        missing = {n: [part for part in scripts()[n] if part not in taught] for n in numbers}
        return {n: parts for n, parts in missing.items() if parts}

    def lessons(self) -> set[int]:
        """Return the numbers of the lessons that are taught, whole or in part."""
        return {part.lesson for session in self.sessions for part in session.parts()}


def scripts() -> dict[int, list[Part]]:
    """Return the parts of each lesson."""
    read = tomllib.loads((FOLDER / "scripts.toml").read_text("utf-8"))["lesson"]
    return {int(n): [Part(int(n), *part) for part in one["parts"]] for n, one in read.items()}


def plans() -> list[Plan]:
    """Return the plans.

    Raises:
        LessonError: an entry names a part that the lesson's script does not hold.
    """
    read = tomllib.loads((FOLDER / "plans.toml").read_text("utf-8"))["plan"]
    return [
        Plan(one["title"], one["for"], one["minutes"], tuple(_session(session) for session in one["sessions"]))
        for one in read
    ]


def _session(read: dict[str, Any]) -> Session:
    return Session(read["title"], read["home"], tuple(_slot(entry) for entry in read["entries"]))


def _slot(entry: dict[str, Any]) -> Slot:
    if "lesson" not in entry:
        return Slot(entry["minutes"], entry.get("what", ""), rest=entry.get("break", False))
    script = scripts()[entry["lesson"]]
    named = [_named(script, beginning) for beginning in entry.get("only", entry.get("without", ()))]
    parts = [part for part in script if (part in named) == ("only" in entry)] if named else script
    return Slot(sum(part.minutes for part in parts), parts=tuple(parts))


def _named(script: list[Part], beginning: str) -> Part:
    found = [part for part in script if part.at.startswith(beginning)]
    if len(found) != 1:
        raise LessonError(f"plans.toml: lesson {script[0].lesson} has {len(found)} parts that begin with {beginning!r}")
    return found[0]


# --- as Markdown --------------------------------------------------------------------------------------------------


def clock(session: Session) -> Iterator[tuple[str, Slot, Part | None]]:
    """Yield each part, and each slot without parts, with its time, such as ``"0:20 – 0:47"``."""
    at = 0
    for slot in session.slots:
        for part in slot.parts or (None,):
            minutes = slot.minutes if part is None else part.minutes
            yield f"{_time(at)} – {_time(at + minutes)}", slot, part
            at += minutes


def _time(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def overview(every: list[Lesson]) -> str:
    """Return the plans in short: a row for each session."""
    parts = []
    for plan in plans():
        parts += [f"**{plan.title}**, for {plan.audience}:", _overview(plan), difference(plan, every)]
    return "\n\n".join(parts)


def _overview(plan: Plan) -> str:
    lines = ["| session | lessons, with their minutes in class | at home |", "|---|---|---|"]
    for k, session in enumerate(plan.sessions, 1):
        taught: dict[int, int] = {}
        for part in session.parts():
            taught[part.lesson] = taught.get(part.lesson, 0) + part.minutes
        cells = ", ".join(f"{n} ({minutes})" for n, minutes in taught.items())
        lines.append(f"| {k} | {cells} | {session.home} |")
    return "\n".join(lines)


def difference(plan: Plan, every: list[Lesson]) -> str:
    """Return a list of what is left out of class, lesson by lesson, and of the lessons that are not taught."""
    minutes = {lesson.number: lesson.minutes for lesson in every}
    said = []
    for n, parts in plan.left_out().items():
        short = minutes[n] - sum(part.minutes for part in parts)
        said.append(f"lesson {n} has {short} of its {minutes[n]} minutes, without {_listed(parts)}")
    never = sorted(set(minutes) - plan.lessons())
    if never:
        said.append(f"not taught: {', '.join(map(str, never))}")
    return "\n".join(["Left out of class:", "", *(f"- {one}" for one in said)]) if said else "All of it is taught."


def _listed(parts: list[Part]) -> str:
    return ", ".join(f'"{part.at}"' if not part.at.startswith("Exercise") else part.at.lower() for part in parts)


def page(every: list[Lesson]) -> str:
    """Return the plans by the minute."""
    titles = {lesson.number: lesson.title for lesson in every}
    text = ["# Plans by the minute", "For the lecturer. Times count from the beginning of the session."]
    for plan in plans():
        text += [f"## {plan.title}", f"For {plan.audience}.", difference(plan, every)]
        for k, session in enumerate(plan.sessions, 1):
            text += [f"### Session {k}: {session.title}", _by_the_minute(session, titles), f"At home: {session.home}."]
    return "\n\n".join(text) + "\n"


def _by_the_minute(session: Session, titles: dict[int, str]) -> str:
    lines = ["| time | minutes | | |", "|---|---|---|---|"]
    for time, slot, part in clock(session):
        if part is None:
            lines.append(f"| {time} | {slot.minutes} | {'**break**' if slot.rest else ''} | {slot.what} |")
            continue
        if part is slot.parts[0]:
            lines.append(f"| | | **{part.lesson} · {titles[part.lesson]}** | |")
        lines.append(f"| {time} | {part.minutes} | {part.lesson} · {part.at} | {part.what} |")
    return "\n".join(lines)


def headings(lesson: Lesson) -> list[str]:
    """Return the headings of a lesson, without its title."""
    text = "\n".join(cell.text for cell in lesson.cells if cell.kind == "markdown")
    return re.findall(r"^###? (.+)$", text, flags=re.MULTILINE)
