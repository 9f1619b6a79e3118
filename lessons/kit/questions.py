"""Examination questions: read from `exam/`, their numbers computed by minigrad, their bugs run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from lessons.builder.percent import Cell, LessonError, parse
from minigrad import convert
from minigrad.engine.ops.op import Op
from minigrad.plot import input_gradients
from minigrad.recurrent import LSTM
from minigrad.recurrent.truncation import windows
from minigrad.train.tasks import Adding
from minigrad.train.trainer import Trainer

FOLDER = Path(__file__).with_name("exam")
KINDS = {"pencil": "Numbers for pencil and paper", "bugs": "Find the bug", "gates": "Read the gates"}
PLACE = re.compile(r"«(\w+)(?::([^»]+))?»")  # «c_new:.3f»: a number that the question's code computes
ROLES = ("bug", "fix", "proof")


@dataclass
class Question:
    """A question of the examination.

    Attributes:
        name: unique.
        kind: ``"pencil"``, ``"bugs"`` or ``"gates"``.
        lesson: the lesson that it belongs to.
        goal: which of the lesson's goals it tests, 1, 2 or 3.
        points: for a full answer.
        text: Markdown, with places for numbers.
        answer: Markdown, with places for numbers.
        code: computes the numbers, or, by its role, the code with a bug, the right code and the proof.
    """

    name: str
    kind: str
    lesson: int
    goal: int
    points: int
    text: str
    answer: str = ""
    code: dict[str, str] = field(default_factory=dict)


def questions() -> list[Question]:
    """Return all questions, kind by kind.

    Raises:
        LessonError: a file breaks the format.
    """
    found: list[Question] = []
    for kind in KINDS:
        for cell in parse((FOLDER / f"{kind}.py").read_text("utf-8")):
            _take(cell, kind, found)
    return found


def _take(cell: Cell, kind: str, found: list[Question]) -> None:
    """Add a cell to the question that it belongs to, or begin a new one."""
    says = dict(cell.options)
    if "question" in says:
        found.append(Question(says.pop("question"), kind, text=cell.text, **says))
    elif "answer" in says:
        if not found or says["answer"] != found[-1].name:
            raise LessonError(f"{kind}.py, line {cell.line}: the answer {says['answer']!r} must follow its question")
        found[-1].answer = cell.text
    else:
        found[-1].code[next((role for role in ROLES if role in says), "numbers")] = cell.text


# --- code of the questions ----------------------------------------------------------------------------------------


def compare(forward: Callable[..., Any], backward: Callable[..., Any], *inputs: Any) -> None:
    """Check a backward pass ``backward(dy, *inputs)`` by `mg.testing.check_gradient`."""

    class Asked(Op):
        def forward(xp: Any, *inputs: Any) -> Any:  # noqa: N805
            return forward(*inputs)

        def backward(xp: Any, dy: Any, y: Any, *inputs: Any) -> Any:  # noqa: N805
            return backward(dy, *inputs)

    with mg.using("numpy"):
        mg.testing.check_gradient(lambda *inputs: Op.apply(Asked, *inputs), *inputs)


def lstm_of(W: Any, b: Any) -> Any:
    """Return an LSTM layer of one unit, its gates independent of h."""
    lstm = mg.keras.layers.LSTM(1, return_sequences=True, dtype="float64")
    lstm.build((None, None, len(W)))
    lstm.set_weights([np.asarray(W, float), np.zeros((1, 4)), np.asarray(b, float)])
    return lstm


def traced(layer: Any, x: Any) -> Any:
    """Return the trace of a layer on an input."""
    with mg.trace(layer) as seen:
        layer(x)
    return seen


def number(value: float, digits: int = 2) -> str:
    """Return a number with a minus sign as it is printed."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def markdown_table(header: list[Any], rows: list[list[Any]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in lines)


def columns(seen: Any, gates: str, *states: str) -> str:
    """Return the gates and states of the first unit of a trace over time, as a table."""
    rows = [[k, *(number(v) for v in seen.gates[k][:, 0, 0])] for k in gates]
    rows += [[f"{s} after it", *(number(v) for v in getattr(seen, s)[1:, 0, 0])] for s in states]
    return markdown_table(["step", *range(len(seen.f))], rows)


def names() -> dict[str, Any]:
    """Return the names that the code of a question may use."""
    draw = np.random.default_rng(0)
    return {
        "np": np, "mg": mg, "LSTM": LSTM, "convert": convert, "windows": windows, "input_gradients": input_gradients,
        "Adding": Adding, "Trainer": Trainer, "compare": compare, "lstm_of": lstm_of, "traced": traced,
        "number": number, "markdown_table": markdown_table, "columns": columns, "draw": draw,
        "normals": lambda *shapes: [draw.normal(size=shape) for shape in shapes],
    }  # fmt: skip


def run(*codes: str) -> dict[str, Any]:
    """Run pieces of code, one after another, and return their names."""
    space = names()
    for code in codes:
        exec(compile(code, "<exam>", "exec"), space)  # noqa: S102  (of this repository)
    return space


# --- as Markdown --------------------------------------------------------------------------------------------------


def filled(question: Question) -> tuple[str, str]:
    """Return a question and its answer with all numbers in their places."""
    if question.kind == "bugs":
        asked = f"{question.text}\n\n```python\n{question.code['bug']}\n```"
        return asked, f"{changed_lines(question)}\n\n{question.answer}"
    space = run(question.code["numbers"])

    def put(place: re.Match[str]) -> str:
        value = space[place[1]]
        text = format(value, place[2] or "")
        return text.replace("-", "−") if isinstance(value, float) and "$" not in text else text

    return PLACE.sub(put, question.text), PLACE.sub(put, question.answer)


def changed_lines(question: Question) -> str:
    """Return the lines in which the right code differs from the wrong one."""
    lines = difflib.unified_diff(*(question.code[role].splitlines() for role in ("bug", "fix")), lineterm="", n=0)
    return "\n".join(["```diff", *(line for line in lines if not line.startswith(("---", "+++", "@@"))), "```"])


def pages() -> tuple[str, str]:
    """Return the examination without and with its answers."""
    plain, solved = ["# Examination questions"], ["# Examination questions, with answers"]
    for k, question in enumerate(questions(), 1):
        asked, answer = filled(question)
        if question.kind not in {q.kind for q in questions()[: k - 1]}:
            for part in (plain, solved):
                part.append(f"## {KINDS[question.kind]}")
        head = f"**{k}.** (lesson {question.lesson}, {question.points} points)"
        plain.append(f"{head} {asked}")
        solved += [f"{head} {asked}", f"*Answer, for goal {question.goal} of the lesson:*", answer]
    return "\n\n".join(plain) + "\n", "\n\n".join(solved) + "\n"
