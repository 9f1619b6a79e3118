"""Slides for each session of a plan: Markdown for Marp, from `slides/` and the lessons' own figures and formulas."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lessons.builder.lesson import Lesson
from lessons.builder.percent import LessonError
from lessons.kit import references
from lessons.kit.answers import answered
from lessons.kit.plans import Part, Plan, Session, clock, scripts

FOLDER = Path(__file__).with_name("slides")
STYLE = FOLDER / "theme.css"
REFERENCE = re.compile(r"^\{(figure|formula|table): ([^}]+)\}$", re.MULTILINE)
FULL, FEW = 14, 11  # slides of a session, without the first and the last: not many more, and not fewer
PAIRS = (
    "A third of the class done is the moment to show one solution that does not work, and to read what the check says."
)
CHECKS = "Each exercise has its check below it, with hints. It knows no answers: it measures."


@dataclass(frozen=True)
class Slide:
    """A slide of a lesson.

    Attributes:
        title: its heading.
        at: the beginning of the name of the part of the lesson's script that it belongs to.
        body: Markdown, with references such as ``{figure: unrolled}`` in separate lines.
        note: for the presenter.
        core: whether it stays where time is short.
    """

    title: str
    at: str
    body: str
    note: str
    core: bool = False


def slides(lesson: Lesson) -> list[Slide]:
    """Return the slides of a lesson, in the order of its script; exercises and questions come from the lesson itself.

    Raises:
        LessonError: a slide has another form, or belongs to no part of the script.
    """
    written = [_read(text, lesson) for text in re.split(r"^## ", _file(lesson), flags=re.MULTILINE)[1:]]
    script = scripts()[lesson.number]
    found = []
    for part in script:
        mine = [slide for slide in written if part.at.startswith(slide.at)]
        found += mine + _made(lesson, part)
    if missing := [slide.title for slide in written if slide not in found]:
        raise LessonError(f"slides/{lesson.number:02}.md: no part of the script for {missing}")
    return found


def _file(lesson: Lesson) -> str:
    return (FOLDER / f"{lesson.number:02}.md").read_text("utf-8")


def _read(text: str, lesson: Lesson) -> Slide:
    form = re.fullmatch(r"(.+)\nat: ([^,\n]+)(, core)?\n(.*)\nNote: (.+)", text.strip(), re.DOTALL)
    if form is None:
        raise LessonError(
            f"slides/{lesson.number:02}.md: expected a title, `at: …`, a text and `Note: …`: {text[:60]!r}"
        )
    return Slide(form[1], form[2], form[4].strip(), " ".join(form[5].split()), form[3] is not None)


def _made(lesson: Lesson, part: Part) -> list[Slide]:
    """Return the slide of an exercise, or of the questions at the end."""
    if part.at.startswith("Exercise"):
        heading = next(name for name, _ in references.sections(lesson) if name.startswith(part.at))
        asked = references.signatures(lesson, part.at)
        text = references.opening(lesson, part.at)
        body = f"{text}\n\n```python\n{asked}\n```\n\n{part.minutes} minutes, {part.what.partition(':')[0]}."
        return [Slide(heading, part.at, body, PAIRS)]
    if part.at == "To think about":
        numbers = [int(n) for n in re.findall(r"\d+", part.what)]
        chosen = [answered(lesson)[n - 1] for n in numbers]
        body = "\n".join(f"- {question}" for question, _ in chosen)
        note = " ".join(f"Question {n}: {answer}" for n, (_, answer) in zip(numbers, chosen, strict=True))
        return [Slide("To think about", part.at, body, note)]
    return []


def of_session(session: Session, every: dict[int, Lesson]) -> list[tuple[Lesson, Slide]]:
    """Return the slides of a session: all of its parts' slides, or only the core where they are many."""
    parts = [(part.lesson, part.at) for part in session.parts()]
    found = [
        (every[number], slide)
        for number in dict.fromkeys(n for n, _ in parts)
        for slide in slides(every[number])
        if any(n == number and at.startswith(slide.at) for n, at in parts)
    ]
    return found if len(found) <= FULL else _fewer(found)


def _fewer(found: list[tuple[Lesson, Slide]]) -> list[tuple[Lesson, Slide]]:
    """Return the core, and if that is little, some of the other slides, evenly spread."""
    others = [pair for pair in found if not pair[1].core]
    room = max(0, FEW - (len(found) - len(others)))
    chosen = [others[k * len(others) // room] for k in range(room)]
    return [pair for pair in found if pair[1].core or pair in chosen]


# --- as Markdown for Marp -----------------------------------------------------------------------------------------


def deck(plan: Plan, number: int, every: dict[int, Lesson]) -> tuple[str, dict[str, bytes]]:
    """Return the slides of a session as Markdown, and its pictures: the name of each file, and its content."""
    session = plan.sessions[number - 1]
    pictures: dict[str, bytes] = {}
    shown = [_title(plan, number, session)]
    for lesson, slide in of_session(session, every):
        body = REFERENCE.sub(lambda found, lesson=lesson: _shown(lesson, found, pictures), slide.body)
        shown.append(f"## {slide.title}\n\n{body}\n\n{_note(slide.note, *_words(lesson, slide))}")
    home = f"{session.home[0].upper()}{session.home[1:]}."
    shown.append(f"## At home\n\n{home}\n\n{_note(CHECKS)}")
    return f"{_front(session.title)}\n\n" + "\n\n---\n\n".join(shown) + "\n", pictures


def _front(title: str) -> str:
    style = "\n".join(f"  {line}" for line in STYLE.read_text("utf-8").splitlines())
    return f"---\nmarp: true\nmath: mathjax\npaginate: true\nlang: en\ntitle: {title!r}\nstyle: |\n{style}\n---"


def _title(plan: Plan, number: int, session: Session) -> str:
    times = "; ".join(
        f"{time} {'break' if slot.rest else slot.what or f'lesson {slot.parts[0].lesson}'}"
        for time, slot in clock(session)
    )
    head = f"# {session.title}\n\nSession {number} of {len(plan.sessions)} · {plan.minutes} minutes"
    return f"{head}\n\n{_note(f'Times: {times}.')}"


def _shown(lesson: Lesson, found: re.Match[str], pictures: dict[str, bytes]) -> str:
    if found[1] == "figure":
        figure = references.figure(lesson, found[2])
        file = f"figures/{lesson.number:02}-{figure.name}.{figure.suffix}"
        pictures[file] = figure.data
        alone = ' class="alone"' if found.string == found[0] else ""
        return f'<img src="{file}"{alone} alt="{html.escape(figure.alt)}">'
    return getattr(references, found[1])(lesson, found[2])


def _words(lesson: Lesson, slide: Slide) -> Iterator[str]:
    """Yield the descriptions of the figures of a slide."""
    for kind, name in REFERENCE.findall(slide.body):
        if kind == "figure":
            yield f"The figure in words: {references.figure(lesson, name).alt}"


def _note(*parts: str) -> str:
    """Return a presenter's note, as a comment."""
    return "<!--\n" + "\n\n".join(parts).replace("--", "–") + "\n-->"
