"""Messages of the lessons' helper to students."""

from __future__ import annotations

import builtins
import re
import struct
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

import minigrad as mg
import minigrad.plot
from lessons.builder.lesson import lessons
from lessons.builder.run import at_hand, run

ALT = "A line that rises from zero to one over ten steps of time."


@pytest.fixture
def tools() -> Iterator[ModuleType]:
    with at_hand(fast=True):
        import lesson_tools

        yield lesson_tools


def test_fast(tools: ModuleType) -> None:
    assert tools.FAST
    assert tools.scaled(100, 3) == 3
    with at_hand(fast=False):
        import lesson_tools

        assert lesson_tools.scaled(100, 3) == 100


def test_same_accepts(tools: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    tools.same("dx", np.array([1.0, 2.0 + 1e-9]), mg.tensor([1.0, 2.0], dtype="float64"))
    tools.same("loss", 1, 1.0)
    assert capsys.readouterr().out.splitlines() == [
        "dx: as expected (largest difference 1.0e-09)",
        "loss: as expected (largest difference 0.0e+00)",
    ]


@pytest.mark.parametrize(
    ("yours", "says"),
    [
        (None, "dx is None. Does your function return it"),
        (..., "dx is Ellipsis"),
        ([1.0, 2.0], r"should have shape \(2, 2\); yours has \(2,\)"),
        ("four", "should be numbers; yours is of type str"),
        ([[1.0, 2.0], [3.0, 5.0]], r"1 of 4 numbers differ, most at dx\[1, 1\]: yours 5, expected 4"),
        ([[2.0, 4.0], [6.0, 8.0]], "Yours is 2 times as large everywhere"),
        ([[0.0, 0.0], [0.0, 0.0]], "Yours is 0 everywhere"),
        (np.array([[True, True], [True, False]]), r"expected 4\. Yours is True and False, not numbers\."),
        ([[np.nan, 2.0], [3.0, 4.0]], r"most at dx\[0, 0\]: yours nan.*There is NaN in yours"),
    ],
)
def test_same_says_what_differs(tools: ModuleType, yours: Any, says: str) -> None:
    with pytest.raises(tools.CheckError, match=says) as raised:
        tools.same("dx", yours, [[1.0, 2.0], [3.0, 4.0]])
    assert raised.value._render_traceback_()[0].startswith("Not yet: dx")


def test_a_picture_has_alt_text(tools: ModuleType) -> None:
    picture = tools.picture(lambda ax: ax.plot([0, 1], **tools.line(0)), ALT)
    assert picture.alt == ALT
    content = picture.png()
    assert content[1:4] == b"PNG"
    assert struct.unpack(">IIBB", content[16:26]) == (2 * 715, 2 * 374, 8, 3), "twice as sharp, with a palette"
    assert repr(picture) == f"Figure: {ALT}"
    two = tools.picture(lambda left, right: (left.plot([0, 1]), right.plot([1, 0])), ALT, columns=2)
    assert len(two.figure.axes) == 2
    with pytest.raises(ValueError, match="to say in a sentence what there is to see"):
        tools.picture(lambda ax: None, "A line.")


def test_what_minigrads_plots_say_of_themselves(tools: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mg.plot, "alt_text", lambda figure: f"{ALT} {len(figure.axes)}", raising=False)
    assert tools.picture(lambda a, b: None, columns=2).alt == f"{ALT} 2"


def test_a_drawing(tools: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = SimpleNamespace(svg="<svg></svg>", alt=ALT)
    shown: list[Any] = []
    display = SimpleNamespace(display=lambda data, metadata=None, raw=False: shown.append((data, metadata)))
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    tools.picture(drawing)._ipython_display_()
    assert shown[0] == (
        {"image/svg+xml": "<svg></svg>", "text/plain": f"Figure: {ALT}"},
        {"image/svg+xml": {"alt": ALT}},
    )
    assert f"<p>{ALT}</p>" in shown[1][0]["text/html"]


def test_the_same_picture_twice_is_the_same_file(tools: ModuleType) -> None:
    draws = [tools.picture(lambda ax: ax.plot([0, 1], label="a"), ALT).png() for _ in range(2)]
    assert draws[0] == draws[1]


def test_lines_differ_in_more_than_colour(tools: ModuleType) -> None:
    looks = [tools.line(k, marker=True) for k in range(7)]
    for what in ("color", "linestyle", "marker"):
        assert len({str(look[what]) for look in looks}) == 7


def test_what_a_function_returned_has_a_form(tools: ModuleType) -> None:
    pair = (np.ones(2), np.ones(3))
    assert all(a is b for a, b in zip(tools.returned("f", pair, "h", "c"), pair, strict=True))
    listed = tools.returned("f", [[1, 2], 3.0], "h", "c")
    assert isinstance(listed[0], np.ndarray)
    assert tools.returned("f", np.ones((2, 3)), "h", "c")[1].shape == (3,)
    assert tools.returned("f", [[1, 2]], shape=(1, 2)).dtype.kind == "i"
    assert tools.returned("f", 0.5, shape=()) == 0.5
    tracked = mg.tensor([1.0, 2.0], requires_grad=True)
    assert tools.returned("f", tracked, shape=(2,)) is tracked
    for answer, asked, says in (
        (None, (), "f returned None. Is there a `return`"),
        (0.0, ("h", "c"), "f should return h, c; yours returned one thing."),
        ((1, 2, 3), ("h", "c"), "f should return h, c; yours returned 3 things."),
        ((1, None), ("h", "c"), "f: c of what yours returned is None."),
    ):
        with pytest.raises(tools.CheckError, match=re.escape(says)):
            tools.returned("f", answer, *asked)
    with pytest.raises(tools.CheckError, match=re.escape("of shape (2,); yours has the shape ().")):
        tools.returned("f", 1.0, shape=(2,))
    with pytest.raises(tools.CheckError, match="f should be one array; yours is a list of parts that do not fit"):
        tools.returned("f", [[1], [1, 2]], shape=(2,))


class Pair(NamedTuple):
    a: np.ndarray
    b: float


def test_a_function_is_asked_with_copies_and_told_what_it_writes(
    tools: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Arrays inside lists, tuples, dictionaries and NamedTuples; a NaN that stays does not count as a change."""

    def greedy(x: Any, deep: Any, n: int, *, key: Any) -> Any:
        x += 1
        deep[0]["a"].a[0] = 5
        key[0] = np.nan
        return [x.sum(), n]

    x, inner, key = np.zeros(2), Pair(np.zeros(2), 1.0), np.array([np.nan, 1.0])
    for _ in range(2):
        total, n = tools.ask(greedy, x, ({"a": inner}, [1]), 3, key=key, parts=("the sum", "n"))
        assert (total, n) == (2.0, 3)
    assert not x.any()
    assert not inner.a.any()
    assert capsys.readouterr().out == (
        "greedy writes into its argument `x`, `deep`. That costs no points: a check passes copies. But a caller who "
        "still needs the old numbers has lost them.\n"
    )


def test_what_is_asked_has_the_arguments_and_the_form(tools: ModuleType) -> None:
    with pytest.raises(tools.CheckError, match="<lambda> should take the arguments that the exercise names: missing"):
        tools.ask(lambda x, y: x, 1)
    with pytest.raises(tools.CheckError, match="should return h, c; yours returned one thing"):
        tools.ask(lambda x: x, 1, parts=("h", "c"))
    with pytest.raises(NotImplementedError, match="exercise 1"):
        tools.ask(unsolved, 1)
    assert tools.ask(lambda x: x, {"a": 1}) == {"a": 1}


def unsolved(x: Any) -> None:
    raise NotImplementedError("exercise 1 is yours to write")


def test_medians_draw_every_run(tools: ModuleType) -> None:
    figure = tools.picture(lambda ax: tools.medians(ax, [1, 2], [[0, 5], [1, 6], [9, 9]], "net", 0), ALT).figure
    middle, *points = figure.axes[0].lines
    assert list(middle.get_ydata()) == [1, 6]
    assert sorted(y for one in points for y in one.get_ydata()) == [0, 1, 5, 6, 9, 9]


def test_without_matplotlib_one_sentence(tools: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for module in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, module)
    picture = tools.picture(lambda ax: ax.plot([0, 1]), ALT)
    assert repr(picture) == tools.NO_MATPLOTLIB
    assert "python -m pip install matplotlib" in tools.NO_MATPLOTLIB
    two = next(one for one in lessons() if one.number == 2)
    assert run(two, two.solved(), fast=True).errors == []  # all but the figures works


def test_table(tools: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    tools.table(["name", "value"], [("a", 0.123456), ("long name", 2)])
    assert capsys.readouterr().out == "name        value\n---------  ------\na          0.1235\nlong name       2\n"


def test_an_argument_that_must_stay_as_it_is(tools: ModuleType) -> None:
    def setitem(x: Any, index: int, value: float) -> Any:
        x[index] = value
        return x

    assert tools.ask(setitem, np.zeros(2), 0, 1.0).tolist() == [1.0, 0.0]
    with pytest.raises(tools.CheckError, match=r"put writes into its argument `x`\. Here it should leave it"):
        tools.ask(setitem, np.zeros(2), 0, 1.0, called="put", unchanged=True)


def test_of_a_gap_jupyter_shows_the_sentence_alone(tools: ModuleType) -> None:
    def gap(x: Any) -> Any:
        raise NotImplementedError("exercise 1 is yours to write")

    with pytest.raises(NotImplementedError) as raised:
        tools.ask(gap, 1.0)
    assert raised.value._render_traceback_() == ["NotImplementedError: exercise 1 is yours to write"]


def test_a_function_whose_signature_python_does_not_know(tools: ModuleType) -> None:
    assert tools.ask(np.frombuffer, b"abc", dtype=np.uint8).tolist() == [97, 98, 99]
    assert tools.ask(dict.fromkeys, "a") == {"a": None}
