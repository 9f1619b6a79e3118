"""Answers of a wrong form, for every exercise whose answer is a function: a sentence each, and no traceback."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from lessons.builder import run
from lessons.builder.lesson import Lesson, lessons
from lessons.builder.percent import Cell
from lessons.builder.variants import mapped

LESSONS = [one for one in lessons() if one.exercises()]
Function = Callable[..., Any]


def after(change: Function) -> Function:
    """A function of a function: the answer of the second, changed by the first."""

    def bad(function: Function) -> Function:
        @functools.wraps(function)
        def answer(*args: Any, **kwargs: Any) -> Any:
            return change(function(*args, **kwargs))

        return answer

    return bad


def too_long(x: Any) -> Any:
    return (*x, x[0]) if isinstance(x, tuple) else (x, x)


FORMS = {  # a change of the answer, what the message says of it
    "nothing": (lambda x: None, r"returned None\. Is there|of its cell"),
    "too long": (
        too_long,
        r"yours returned \d things|yours is a tuple of 2|should return a|\(2,\)|begin with|of Values",
    ),
    "tensors": (lambda x: mapped(mg.tensor, x), "is a Tensor of minigrad; this exercise computes with NumPy"),
    "NaN": (lambda x: mapped(lambda a: a * np.nan, x), "There is NaN in yours"),
    "transposed": (lambda x: mapped(np.transpose, x), "transposed"),
    "text": (lambda x: "text", "should be|should return|of its cell"),
    "one number": (
        lambda x: np.array(3.5),
        "should be|should return|should have|as many as|differ|begin with|of its cell",
    ),
    "complex numbers": (lambda x: np.array(3j), "should be|should return|should have|of its cell"),
    "a set": (lambda x: {"a"}, "should be|should return|of its cell"),
    "a dictionary": (lambda x: {"a": x}, "should be|should return|of its cell"),
    "a generator": (lambda x: (part for part in [x]), r"Put `tuple\(…\)` around it|of its cell"),
}
PASSES = {  # forms that leave these answers as they are: Values, single numbers, True and False, a vector
    "tensors": {"local_rules", "order", "caught", "fingerprint", "windowed", "backend", "multiplications"},
    "NaN": {"local_rules", "order", "caught", "fingerprint", "backend", "multiplications"},
    "one number": {"gradient_error"},
    "transposed": {"local_rules", "order", "slope", "gradient_error", "caught", "adam", "norms", "with_radius",
                   "forget_bias", "unbroadcast", "lstm_step", "peepholes", "fingerprint", "valid_mean", "reach",
                   "saturated", "probe", "backend", "multiplications"},
}  # fmt: skip


@pytest.fixture(params=LESSONS, ids=lambda lesson: lesson.name, scope="module")
def solved(request: pytest.FixtureRequest) -> Iterator[run.Run]:
    with run.at_hand(fast=True):
        yield run.run(request.param, request.param.solved(), fast=True)


def exercises(lesson: Lesson) -> Iterator[tuple[str, Cell, Cell, list[str]]]:
    """Name, cell, check and functions of each exercise that is made of functions and returns something."""
    checks = {cell.options["check"]: cell for cell in lesson.cells if "check" in cell.options}
    for cell in lesson.solved():
        name = cell.options.get("exercise", "")
        defined = [one.name for one in ast.parse(cell.text).body if isinstance(one, ast.FunctionDef)] if name else []
        if defined and name != "backward":
            yield name, cell, checks[name], defined


@pytest.mark.parametrize("form", FORMS)
def test_forms(solved: run.Run, form: str) -> None:
    change, says = FORMS[form]
    for name, cell, check, functions in exercises(solved.lesson):
        solved.names.update({each: after(change)(solved.names[each]) for each in functions})
        error = solved.cell(check)
        solved.cell(cell)
        if name in PASSES.get(form, ()):
            continue
        assert type(error).__name__ == "CheckError", f"{name}: {error!r}"
        assert re.search(says, str(error)), f"{name}: {error}"
        assert "\n" not in str(error)


def test_an_error_in_the_function_shows_its_line_alone(solved: run.Run) -> None:
    """Put a failing line in the place of the solution's last one."""
    for name, cell, check, _ in exercises(solved.lesson):
        lines = cell.text.splitlines()
        last = max(k for k, line in enumerate(lines) if line.strip().startswith("return"))
        indent = lines[last][: len(lines[last]) - len(lines[last].lstrip())]
        lines[last] = f"{indent}return np.ones(3) @ np.ones(4) if 'np' in globals() else 1 / 0"
        solved.cell(cell.with_text("\n".join(lines)))
        error = solved.cell(check)
        solved.cell(cell)
        assert type(error).__name__ == "CheckError", f"{name}: {error!r}"
        assert f"stops with an error in line {last + 1} of its cell, `{lines[last].strip()}`: " in str(error)
        assert error.__suppress_context__  # no lines of the check


@pytest.fixture
def tools() -> Iterator[ModuleType]:
    with run.at_hand(fast=True):
        import lesson_tools

        yield lesson_tools


LAYER = """
class Gated(mg.keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.W, self.V = (self.add_weight(n, shape) for n in "WV")
        self.b, self.a = (self.add_weight(n, shape[1:]) for n in "ba")

    def call(self, inputs):
        gate = mg.functional.sigmoid(inputs @ self.V + self.a)
        {}
"""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("pass", "returned None|CheckError"),
        ("return inputs @ self.U", "in line 14 of its cell, `return inputs @ self.U`: AttributeError"),
        ("return gate, gate", "should be"),
        ("return mg.tensor((gate * gate).numpy().T)", "transposed"),
        ("return gate * gate.numpy()", "Gated: "),
    ],
)
def test_a_layer_of_a_wrong_form(line: str, says: str) -> None:
    lesson = LESSONS[3]
    exercise = next(cell for cell in lesson.solved() if cell.options.get("exercise") == "gated")
    check = next(cell for cell in lesson.cells if cell.options.get("check") == "gated")
    front = next(cell for cell in lesson.cells if cell.kind == "code")
    done = run.Run(lesson)
    with run.at_hand(fast=True):
        done.cell(front)
        done.cell(exercise.with_text(LAYER.format(line)))
        error = done.cell(check)
    assert type(error).__name__ == "CheckError"
    assert re.search(says, str(error)), str(error)


@pytest.mark.parametrize(
    ("forward", "backward", "says"),
    [
        ("pass", "pass", r"forward returned None\. Is there"),
        ("return o * a, c_new, a", "pass", "forward should return h_new, c_new; yours returned 3 things"),
        ("return 1 / 0", "pass", r"forward stops with an error in line 10 of its cell, `return 1 / 0`: Zero"),
        ("return o * a, f * c + f * g", "pass", r"c_new: .* With coupled gates it is 1 − f\."),
        (
            "return o * a, c_new",
            "return dc",
            "backward should return the gradient of z_f, .*; yours returned one thing",
        ),
        (
            "return o * a, c_new",
            "return dc + k, dc, dc, dc",
            r"backward stops .* in line 13 of its cell, `return dc \+ k",
        ),
        (
            "return o * a, c_new",
            "print(dc)\n        return dc, dc, dc, dc",
            r"^Coupled\.backward: expected .*, got `print\(dc\)`",
        ),
        ("return o * a, c_new", "return dc, dc, dc, dc", "dz_f: 5 of 5 numbers differ"),
    ],
)
def test_a_cell_of_a_wrong_form(forward: str, backward: str, says: str) -> None:
    lesson = next(one for one in LESSONS if one.number == 13)
    check = next(cell for cell in lesson.cells if cell.options.get("check") == "coupled")
    exercise = next(cell for cell in lesson.cells if cell.options.get("exercise") == "coupled")
    needed = [cell for cell in lesson.cells if cell.kind == "code" and cell.text.startswith(("import", "class LSTM"))]
    done = run.Run(lesson)
    with run.at_hand(fast=True):
        for cell in (*needed, exercise.with_text(COUPLED.format(forward, backward)), check):
            error = done.cell(cell)
    assert type(error).__name__ == "CheckError", repr(error)
    assert re.search(says, str(error)), str(error)
    assert "\n" not in str(error)


COUPLED = """
class Coupled(Equations):
    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        {}

    def backward(dh, dc, f, g, o, a, c):
        {}
"""


@pytest.mark.parametrize(
    ("answer", "shape", "says"),
    [
        (np.tanh, (2,), "f should be an array of numbers; yours is a function."),
        ("text", (), "f should be a number; yours is of type str."),
        (["a", "b"], (2,), "f should be an array of numbers; yours is an array of <U1."),
        (np.array([1j, 2]), (2,), "f should be an array of numbers; yours is an array of complex128."),
        (np.ones((2, 1)), (2,), "f should be an array of shape (2,); yours has the shape (2, 1)."),
        ([1.0, 2.0], (), "f should be one number; yours has the shape (2,)."),
        ((np.ones(2), np.ones(2)), (2, 2), "f should be one array; yours is a tuple of 2 things."),
        (zip([1], [2], strict=True), (2,), "f returned a zip object. Put `tuple(…)` around it."),
    ],
)
def test_one_array(tools: ModuleType, answer: Any, shape: tuple[int, ...], says: str) -> None:
    with pytest.raises(tools.CheckError, match=re.escape(says)):
        tools.returned("f", answer, shape=shape)


def test_the_shape_of_each_part(tools: ModuleType) -> None:
    pair = tools.returned("f", ([1, 2], 3), "h", "c", shape=((2,), ()))
    assert pair[0].shape == (2,)
    assert tools.returned("f", ("any", [1, 2]), "h", "c", shape=(None, (2,)))[0] == "any"
    with pytest.raises(tools.CheckError, match=re.escape("c should be an array of shape (2, 1); yours has the shape")):
        tools.returned("f", ([1, 2], [[1, 2]]), "h", "c", shape=((2,), (2, 1)))


def test_tensors_where_they_are_allowed(tools: ModuleType) -> None:
    x = mg.tensor([1.0])
    assert tools.ask(lambda x: x, x) is x
    assert tools.ask(mg.tanh, np.ones(2), tensors=True).shape == (2,)
    with pytest.raises(tools.CheckError, match="tanh is a Tensor of minigrad; this exercise computes with NumPy"):
        tools.ask(mg.tanh, np.ones(2))


def test_nan_that_was_given_may_come_back(tools: ModuleType) -> None:
    assert np.isnan(tools.ask(lambda x: x, np.array([np.nan, 1.0]))[0])


def test_a_function_that_calls_itself_for_ever(tools: ModuleType) -> None:
    def f(x: Any) -> Any:
        return f(x)

    with pytest.raises(tools.CheckError, match=r"in line \d+ of its cell, `return f\(x\)`: it calls itself too"):
        tools.attempt(f, 1)


def test_an_attempt_returns_anything(tools: ModuleType) -> None:
    assert tools.attempt(lambda x: None, 1) is None
    with pytest.raises(NotImplementedError):
        tools.attempt(unsolved)
    with pytest.raises(tools.CheckError, match=r"should take the arguments that the exercise names: too many"):
        tools.attempt(unsolved, 1)


def unsolved() -> None:
    raise NotImplementedError("exercise 1 is yours to write")
