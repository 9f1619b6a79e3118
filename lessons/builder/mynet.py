"""The student's file of the growing project, `mynet.py`: the lecturer's text of it with gaps for the solutions."""

from __future__ import annotations

import re

from lessons.builder.lesson import FOLDER, REGION

SOLUTION = FOLDER / "source" / "mynet.py"
SKELETON = FOLDER / "mynet.py"
WHERE = re.compile(r"^# --- lesson (\d+)|^class (\w+)|^( *)def (\w+)", re.MULTILINE)


def skeleton(source: str) -> str:
    """Return the text with a gap in place of each solution, which names its function and lesson when it is called."""

    def gap(found: re.Match[str]) -> str:
        lesson = owner = name = ""
        for number, a_class, indent, function in WHERE.findall(source[: found.start()]):
            lesson, owner = number or lesson, a_class or owner
            name = name if not function else owner if indent else function
        says = f'raise NotImplementedError("{name} (lesson {lesson}) is yours to write")'
        return f"{found[1]}# your code here\n{found[1]}{says}"

    return REGION.sub(gap, source)


def write_skeleton() -> bool:
    """Write `mynet.py`, unless there is one: it may hold a student's work. Return whether it was written."""
    if SKELETON.exists():
        return False
    SKELETON.write_text(skeleton(SOLUTION.read_text("utf-8")), "utf-8")
    return True
