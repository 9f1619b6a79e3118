"""The README of each archive."""

from __future__ import annotations

from collections.abc import Collection

from lessons.builder.lesson import Lesson

STUDENTS = """\
# minigrad: the notebooks of the course
1. Install Python 3.11 or newer, and unpack this archive. Open a terminal in the folder that holds this file.
2. Linux and macOS: `python3 -m venv .venv`, then `.venv/bin/python -m pip install "./{wheel}[lessons]"`.
3. Windows: `py -m venv .venv`, then `.venv\\Scripts\\python -m pip install ".\\{wheel}[lessons]"`.
4. Start with `.venv/bin/python -m jupyter lab` (Windows: `.venv\\Scripts\\python -m jupyter lab`). It needs no network.
5. Open `{first}`, then go on in the order of the numbers. Keep the other files next to the notebooks: they use them.
6. In a hosted notebook service, upload `minigrad-students.zip` next to the notebook. Its first cell installs minigrad.
7. An exercise is a function with a gap. The cell below it checks your function, and says what is wrong and where.
8. Two hints are folded after each exercise. The second is nearly the answer.
9. *Run All* continues after a failed check, so an exercise can wait. Questions to think about have no check.
"""

LECTURER = """\
# minigrad: the lecturer's files

`INSTRUCTOR.md` says how to teach the course: sessions, stumbling blocks, handing out, grading. **Do not hand out this
archive**: it holds all solutions. `minigrad-students.zip` is for students, and its files are here too.

| folder | content |
|---|---|
| here | the students' files: notebooks, wheel, and the modules that the notebooks use |
| `solutions/` | the solved notebooks, with nbgrader's markers and points |
{kit}
## Installing

In a terminal in this folder, with Python 3.11 or newer (on Windows, `py` for `python3` and `.venv\\Scripts\\python` for
`.venv/bin/python`):

```sh
python3 -m venv .venv
.venv/bin/python -m pip install "./{wheel}[lessons,grading]"
.venv/bin/python -m jupyter lab
```

After that no network is needed. A solved notebook runs in `solutions/`, next to the modules that it uses.
{teaching}
## Grading

"Solutions and grading" in `INSTRUCTOR.md` has the commands for nbgrader, which the second line above installs. They
start from this folder.

## The lessons

| lesson | subject | minutes | solved |
|---|---|---|---|
{table}
"""


TEACHING = """
## Teaching

1. Choose one of the three plans in `kit/plans.md`; each has the clock of each session.
2. {slides}
3. Run the session's solved notebooks once, and read the "Where students stumble" of its lessons in `INSTRUCTOR.md`.
4. Give students `minigrad-students.zip`, and try it on the room's machines the day before.
"""
PAGES = """\
Open the session's slides in a browser: `kit/slides/5-sessions-01.html` is session 1 of the plan with five. The key P
   opens the presenter's view: the time of each slide, what to ask, and the answers."""
MARKDOWN = """\
The slides in `kit/slides` are Markdown for [Marp](https://marp.app), and were not made into pages. With Node.js,
   `npx @marp-team/marp-cli --html kit/slides/5-sessions-01.md` makes a page of session 1 of the plan with five."""


def students_readme(wheel: str, first: str) -> str:
    """Return the ten lines for students.

    Args:
        wheel: the name of the wheel's file.
        first: the name of the first notebook.
    """
    return STUDENTS.format(wheel=wheel, first=first)


def lecturer_readme(wheel: str, every: list[Lesson], names: Collection[str]) -> str:
    """Return the README of the lecturer's archive.

    Args:
        wheel: the name of the wheel's file.
        every: all lessons.
        names: the files of the kit.
    """
    rows = [
        f"| [{one.number} · {one.title}]({one.notebook.name}) | {one.line} | {one.minutes} "
        f"| [solved](solutions/{one.notebook.name}) |"
        for one in every
    ]
    kit = "| `kit/` | plans by the minute, slides, answers to all questions, the examination, the rubric |\n"
    slides = PAGES if any(name.endswith(".html") for name in names) else MARKDOWN
    teaching = TEACHING.format(slides=slides) if names else ""
    return LECTURER.format(wheel=wheel, kit=kit if names else "", teaching=teaching, table="\n".join(rows))
