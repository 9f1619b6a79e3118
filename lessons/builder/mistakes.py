"""The typical mistakes, as a file for the checks: by which numbers each is recognised, and what a check then says.

The file holds no code. A mistake is most of a solution, so that only the numbers of its answers leave the source.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from lessons.builder.lesson import FOLDER, Lesson, diagnosis
from lessons.builder.percent import LessonError
from lessons.builder.run import Run, at_hand, run

MISTAKES = FOLDER / "lesson_mistakes.json"
Mistakes = list[dict[str, Any]]


def marks(lesson: Lesson) -> Mistakes:
    """Return the exercise, the place, the mark and the diagnosis of each mistake that has a diagnosis.

    A lesson whose trainings are shorter in the tests is run both ways, for its numbers may differ.

    Raises:
        LessonError: two mistakes with different diagnoses cannot be distinguished, or a check stops for another reason.
    """
    if not any(diagnosis(wrong) for _, wrong, _ in lesson.mistakes()):
        return []
    found: Mistakes = []
    for fast in (False, True) if "scaled(" in lesson.source else (True,):
        found += [one for one in _marks(lesson, run(lesson, lesson.solved(), fast), fast) if one not in found]
    for k, one in enumerate(found):
        for other in found[:k]:
            if one["says"] != other["says"] and numbers_agree(one, other):
                raise LessonError(
                    f"{lesson.name}: the numbers of two mistakes of {one['exercise']!r} agree: {one['says']!r} and "
                    f"{other['says']!r}"
                )
    return found


def _marks(lesson: Lesson, solved: Run, fast: bool) -> Mistakes:
    """Return the mistakes of one run."""
    right = {cell.options["exercise"]: cell for cell in lesson.solved() if "exercise" in cell.options}
    found = []
    with at_hand(fast):
        for name, wrong, check in lesson.mistakes():
            solved.cell(wrong)
            error, says = solved.cell(check), diagnosis(wrong)
            solved.cell(right[name])
            if not says:
                continue
            place, mark = getattr(error, "place", ""), getattr(error, "mark", [])
            if not place:
                raise LessonError(f"{lesson.name}.py:{wrong.line}: the check gives no diagnosis for {error!r}")
            found.append({"exercise": name, "place": place, "mark": mark, "says": says})
    return found


def numbers_agree(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether the numbers of two mistakes agree."""
    away = np.abs(np.subtract(one["mark"], other["mark"])).max() if one["place"] == other["place"] else np.inf
    return bool(away <= 1e-4 * one["mark"][-1] + 1e-9)


def write_mistakes(lesson: Lesson, path: Path = MISTAKES) -> None:
    """Put the mistakes of one lesson into the file, where it has any; those of the others stay."""
    every = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    every[lesson.name] = marks(lesson)
    lessons = []
    for name, found in sorted(every.items()):
        if found:
            lines = ",\n".join(f"  {json.dumps(one, ensure_ascii=False)}" for one in found)
            lessons.append(f"{json.dumps(name)}: [\n{lines}\n]")
    path.write_text("{\n" + ",\n".join(lessons) + "\n}\n", "utf-8")
