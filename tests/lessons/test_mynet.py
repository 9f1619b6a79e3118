"""The growing project: the student's file is made from the lecturer's, is checked, and trains as minigrad does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lessons.builder import mynet
from lessons.builder.lesson import BEGIN, BESIDE, END, REGION
from lessons.builder.run import at_hand

SOLVED = mynet.SOLUTION.read_text("utf-8")
SKELETON = mynet.SKELETON.read_text("utf-8")


@pytest.fixture(scope="module")
def tools() -> Iterator[ModuleType]:
    with at_hand(fast=True):
        import lesson_net

        yield lesson_net


def loaded(tools: ModuleType, folder: Path, source: str) -> Any:
    (folder / "mynet.py").write_text(source, "utf-8")
    return tools.load(folder / "mynet.py")


def states(tools: ModuleType, net: Any, lesson: int = 99) -> dict[str, str]:
    return {name: says for _, name, says in tools.progress(net, lesson)}


# --- the student's file -----------------------------------------------------------------------------------------------


def test_the_students_file_is_made_from_the_lecturers() -> None:
    """If this fails: delete lessons/mynet.py, and run `python -m lessons build 0`."""
    assert mynet.skeleton(SOLVED) == SKELETON
    assert "mynet.py" in BESIDE


def test_it_holds_no_solution() -> None:
    secret = {line.strip() for found in REGION.finditer(SOLVED) for line in found[2].splitlines()}
    elsewhere = {line.strip() for line in REGION.sub("", SOLVED).splitlines()}
    assert len(secret - elsewhere) > 50
    assert (secret - elsewhere) & {line.strip() for line in SKELETON.splitlines()} == set()
    assert BEGIN not in SKELETON
    assert END not in SKELETON


def test_each_gap_says_whose_it_is(tools: ModuleType) -> None:
    gaps = re.findall(r'NotImplementedError\("(\w+) \(lesson (\d+)\) is yours to write"\)', SKELETON)
    assert gaps == [(name, str(number)) for number, name, _ in tools.PARTS]
    assert len(gaps) == SOLVED.count(BEGIN)
    assert set(states(tools, tools.load(mynet.SKELETON)).values()) == {"yours to write"}


def test_it_needs_numpy_alone() -> None:
    imported = [node for node in ast.walk(ast.parse(SOLVED)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(node) for node in imported] == ["import numpy as np"]


def test_a_students_work_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mynet, "SKELETON", tmp_path / "mynet.py")
    assert mynet.write_skeleton()
    assert (tmp_path / "mynet.py").read_text("utf-8") == SKELETON
    (tmp_path / "mynet.py").write_text("mine = 1\n", "utf-8")
    assert not mynet.write_skeleton()
    assert (tmp_path / "mynet.py").read_text("utf-8") == "mine = 1\n"


# --- the solution -----------------------------------------------------------------------------------------------------


def test_the_solution_passes_every_check(tools: ModuleType) -> None:
    assert set(states(tools, tools.load(mynet.SOLUTION)).values()) == {"right"}


def test_twenty_losses_agree_with_minigrads(tools: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """From the same weights and pieces, in float64, with all 64 units of lesson 0."""
    losses, yours, theirs = tools.side_by_side(tools.load(mynet.SOLUTION), steps=20)
    assert losses.shape == (20, 2)
    assert abs(losses[:, 0] - losses[:, 1]).max() <= 1e-10
    assert losses[-1, 0] < losses[0, 0] - 1
    assert max(abs(mine - want).max() for mine, want in zip(yours, theirs, strict=True)) <= 1e-10
    tools.compare_with_minigrad(mynet.SOLUTION)
    assert capsys.readouterr().out.endswith("All twenty losses agree to 1e-10. This is your net.\n")


def test_losses_that_differ_are_reported(tools: ModuleType, tmp_path: Path) -> None:
    """Change the clearing of gradients, which no single check sees before the training."""
    net = loaded(
        tools, tmp_path, SOLVED.replace("self.eta, self.t = weights, eta, 0", "self.eta, self.t = weights, eta, 1")
    )
    assert "the loss of step 2: 1 of 1 numbers differ" in states(tools, net)["train_step"]


def test_your_net_writes(tools: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    written = tools.your_net_writes(steps=3, length=40, text="Ein Text über nichts.\n" * 30, path=mynet.SOLUTION)
    bits, _, text = repr(written).split("\n", 2)
    assert re.fullmatch(r"\d\.\d\d bits per character", bits)
    assert len(text) == 40
    assert set(text) <= set("Ein Text über nichts.\n")
    assert tools.your_net_writes(path=mynet.SKELETON) is None
    assert "Your net still needs order (lesson 1), backward (lesson 1)" in capsys.readouterr().out


# --- the checks -------------------------------------------------------------------------------------------------------

MISTAKES = [  # the part, its right code, the wrong code, the check's message
    ("order", "return finished[::-1]", "return finished", "the list should begin with root"),
    ("order", "seen.add(id(tensor))", "pass", "is in the list twice"),
    ("backward", "dy if y.grad is None else y.grad + dy", "dy", "dx after 2 calls: 2 of 2 numbers differ"),
    ("backward", "arrived[id(x)] + dx if id(x) in arrived else dx", "dx", "Yours is 1/4 times as large everywhere"),
    ("backward", "            continue\n", "", "stops with an error in line"),
    ("unbroadcast", "keepdims=True)\n    ### END", "keepdims=False)\n    ### END", "should have shape"),
    ("unbroadcast", "dy.sum(axis=copied", "dy.mean(axis=copied", "(2, 1), broadcast to (2, 3)"),
    ("unbroadcast", "dy.sum(axis=copied, keepdims=True)", "None", "returned None"),
    ("add", "tuple(unbroadcast(dz, shape) for shape in shapes)", "(dz, dz)", "dy should have shape (3,)"),
    ("add", "        (x, y),\n", "        (y, x),\n", "should be the arguments x, y, in this order"),
    ("add", "    shapes = x.data", "    return x.data + y.data\n    shapes = x.data", "add should return a Tensor"),
    ("matmul", "dy @ w.data.T, x.data", "dy @ w.data, x.data", "the rule of matmul stops with an error in line"),
    ("matmul", "x.data.reshape(-1, n).T @ dy.reshape(-1, m)", "x.data.T @ dy", "the rule of matmul stops"),
    ("cross_entropy", " / targets.size", "", "12 times as large"),
    ("cross_entropy", "dy * (np.exp", "(np.exp", "dscores"),
    ("cross_entropy", " - scores.data.max(axis=-1, keepdims=True)", "", "inf"),
    ("cross_entropy", "log_p[is_target].mean()", "log_p[is_target].sum()", "Yours is the sum, not the mean"),
    ("Dense", "add(matmul(x, self.V), self.a)", "matmul(x, self.V)", "y: "),
    ("adam", "eta_t * m / (np.sqrt(v) + epsilon)",
     "eta * m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)", "Yours is lesson 4's form"),
    ("adam", "(np.sqrt(v) + epsilon)", "(v + epsilon)", "w after step 1"),
    ("adam", "beta_2 * v + (1 - beta_2) * dw * dw", "beta_2 * v + (1 - beta_2) * dw", "There is NaN in yours"),
    ("lstm_step", "z_i, z_f, z_g, z_o = np", "z_i, z_g, z_f, z_o = np", "h_new"),
    ("lstm_step", "a = np.tanh(c_new)", "a = np.tanh(c)", "h_new"),
    ("lstm_step", "c_new, (i, f, g, o, a)", "c_new, (i, f, o, g, a)", "h_new, c_new: right. cache"),
    ("lstm_step", "return o * a, c_new, (i, f, g, o, a)", "return o * a, c_new", "should return h_new, c_new, cache"),
    ("lstm_forward", "hs, cs, caches = [h], [c], []", "hs, cs, caches = [], [], []", "hs should have shape (7, 5, 4)"),
    ("lstm_forward", "h, c, cache = lstm_step", "h, _, cache = lstm_step", "hs: "),
    ("step_backward", "dc_new = dc_new + dh_new", "dc_new = dc_new * 1 if True else dh_new", "dz: "),
    ("step_backward", "return dz, dz @ U.T, dc_new * f", "return dz, dz @ U.T, dc_new", "dz, dh: right. dc"),
    ("step_backward", "dc_new * c * f * (1 - f),\n", "\n", "stops with an error in line"),
    ("lstm_backward", "hs[:-1].reshape", "hs[1:].reshape", "dW, db: right. dU"),
    ("lstm_backward", "caches[t], cs[t], U", "caches[t], cs[t + 1], U", "dW: "),
    ("lstm_backward", "dh + dhs[t]", "dhs[t]", "dW: "),
    ("lstm_backward", "dz.sum(axis=0)\n", "dz.mean(axis=0)\n", "dW, dU: right. db"),
    ("train_step", "net(pieces[:-1])", "net(pieces[1:])", "the loss of step 1"),
    ("train_step", "    backward(loss)\n", "", "stops with an error"),
    ("train_step", "    optimizer.step()\n", "", "the loss of step 2"),
    ("train_step", "    return float(loss.data)\n", "", "train_step returned None"),
]  # fmt: skip


@pytest.mark.parametrize(("part", "right", "wrong", "says"), MISTAKES)
def test_a_mistake_is_noticed_in_its_own_part(
    tools: ModuleType, tmp_path: Path, part: str, right: str, wrong: str, says: str
) -> None:
    assert SOLVED.count(right) == 1
    net = loaded(tools, tmp_path, SOLVED.replace(right, wrong))
    for _, name, found in tools.progress(net, 99):
        if name == part:
            break
        assert found == "right", name
    assert found.startswith("Not yet: ")
    assert says in found


def test_every_part_has_a_mistake(tools: ModuleType) -> None:
    assert {part for part, *_ in MISTAKES} == {name for _, name, _ in tools.PARTS}


@pytest.mark.parametrize(("part", "right", "other"), [
    ("lstm_forward", "return np.array(hs), np.array(cs), caches", "return hs, cs, caches"),
    ("lstm_step", "(i, f, g, o, a)\n", "[i, f, g, o, a]\n"),
    ("add", "tuple(unbroadcast(dz, shape) for shape in shapes)", "[unbroadcast(dz, shape) for shape in shapes]"),
    ("adam", "m = beta_1 * m + (1 - beta_1) * dw", "m += (1 - beta_1) * (dw - m)"),
    ("unbroadcast", "dy = dy.sum(axis=tuple(range(dy.ndim - len(shape))))",
     "while dy.ndim > len(shape):\n        dy = dy.sum(0)"),
])  # fmt: skip
def test_other_right_answers_are_accepted(tools: ModuleType, tmp_path: Path, part: str, right: str, other: str) -> None:
    assert right in SOLVED
    assert states(tools, loaded(tools, tmp_path, SOLVED.replace(right, other)))[part].startswith("right")


def test_a_part_that_waits_for_another(tools: ModuleType, tmp_path: Path) -> None:
    start = SOLVED.index("    ### BEGIN", SOLVED.index("def add"))
    found = states(
        tools, loaded(tools, tmp_path, SOLVED[:start] + mynet.skeleton(SOLVED[start:]).replace("(lesson )", ""))
    )
    assert found["Dense"] == "yours to write"
    dense = SOLVED.replace(
        "    shapes = x.data.shape, y.data.shape\n", '    raise NotImplementedError("add (lesson 2) is …")\n'
    )
    found = states(tools, loaded(tools, tmp_path, dense))
    assert found["Dense"] == "waits for another part: add (lesson 2) is …"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("x = (1,\n", "mynet.py, line 1: '(' was never closed: `x = (1,`"),
        ("import numpy as np\n1 / 0\n", "mynet.py stops with an error: ZeroDivisionError"),
        ("", "mynet.py has no `order`"),
        (None, "There is no .*mynet.py next to this notebook. Copy it"),
    ],
)
def test_a_file_that_cannot_be_used_gets_a_sentence(
    tools: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str | None, says: str
) -> None:
    if source is not None:
        (tmp_path / "mynet.py").write_text(source, "utf-8")
    tools.your_net(1, tmp_path / "mynet.py")
    assert re.search(says if source is None else re.escape(says), capsys.readouterr().out)


def test_an_edit_counts_at_once(tools: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new reading of the file at each check."""
    path = tmp_path / "mynet.py"
    for source, says in (
        (SKELETON, "yours to write"),
        (SOLVED, "right"),
        (SOLVED.replace("[::-1]", "[::+1]"), "Not yet"),
    ):
        path.write_text(source, "utf-8")
        tools.your_net(1, path)
        assert f"  1  order          {says}" in capsys.readouterr().out
