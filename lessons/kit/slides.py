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
from lessons.kit.plans import Part, Plan, Session, Slot, clock, scripts

FOLDER = Path(__file__).with_name("slides")
STYLE = FOLDER / "theme.css"
REFERENCE = re.compile(r"^\{(figure|formula|table): ([^}]+)\}$", re.MULTILINE)
FULL = 14  # slides of lessons in a session; where there are more, parts with several slides show their core only
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
        return [Slide(heading, part.at, body, PAIRS, core=True)]
    if part.at == "To think about":
        numbers = [int(n) for n in re.findall(r"\d+", part.what)]
        chosen = [answered(lesson)[n - 1] for n in numbers]
        body = "\n".join(f"- {question}" for question, _ in chosen)
        note = " ".join(f"Question {n}: {answer}" for n, (_, answer) in zip(numbers, chosen, strict=True))
        return [Slide("To think about", part.at, body, note)]
    return []


def of_session(session: Session, every: dict[int, Lesson]) -> dict[Part, list[Slide]]:
    """Return the slides of each part of a session: all of them, or only the core where the session has many.

    A part without a core slide keeps its first one, so that all minutes of the plan have slides.
    """
    found = {
        part: [slide for slide in slides(every[part.lesson]) if part.at.startswith(slide.at)]
        for part in session.parts()
    }
    if sum(map(len, found.values())) <= FULL:
        return found
    return {part: [slide for slide in shown if slide.core] or shown[:1] for part, shown in found.items()}


# --- as Markdown for Marp -----------------------------------------------------------------------------------------


def deck(plan: Plan, number: int, every: dict[int, Lesson]) -> tuple[str, dict[str, bytes]]:
    """Return the slides of a session as Markdown, and its pictures: the name of each file, and its content."""
    session = plan.sessions[number - 1]
    pictures: dict[str, bytes] = {}
    shown, mine = [_title(plan, number, session)], of_session(session, every)
    for time, slot, part in clock(session):
        if part is None:
            shown.append(_between(slot, time))
            continue
        for slide in mine[part]:
            lesson = every[part.lesson]
            body = REFERENCE.sub(lambda found, lesson=lesson: _shown(lesson, found, pictures), slide.body)
            note = _note(f"{time}: {part.what}.", slide.note, *_words(lesson, slide))
            shown.append(f"## {slide.title}\n\n{body}\n\n{note}")
    home = f"{session.home[0].upper()}{session.home[1:]}."
    shown.append(f"## At home\n\n{home}\n\n{_note(CHECKS)}")
    return f"{_front(session.title)}\n\n" + "\n\n---\n\n".join(shown) + "\n", pictures


def _between(slot: Slot, time: str) -> str:
    """Return the slide of a break, or of minutes that belong to no lesson."""
    title = "Break" if slot.rest else slot.what
    return f"## {title}\n\n{slot.minutes} minutes\n\n{_note(f'{time}: {title}.')}"


def _front(title: str) -> str:
    style = "\n".join(f"  {line}" for line in STYLE.read_text("utf-8").splitlines())
    return f"---\nmarp: true\nmath: mathjax\npaginate: true\nlang: en\ntitle: {title!r}\nstyle: |\n{style}\n---"


def _title(plan: Plan, number: int, session: Session) -> str:
    starts: list[str] = []
    for time, slot, part in clock(session):
        if part is None or part is slot.parts[0]:
            what = f"lesson {part.lesson}" if part else "break" if slot.rest else slot.what
            starts.append(f"{time.partition(' ')[0]} {what}")
    head = f"# {session.title}\n\nSession {number} of {len(plan.sessions)} · {plan.minutes} minutes"
    times = "; ".join(starts)
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
