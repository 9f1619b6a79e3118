"""`python -m minigrad show`: each form of each cell, and the errors for bad input."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import minigrad_cuda
from minigrad.engine import registry
from minigrad.engine.errors import MinigradError
from minigrad.layers import activations
from minigrad.show.command import CELLS, main
from minigrad.show.forms import FORMS, text_of
from minigrad.train import command_line
from tool_errors import FOR_BACKWARD, NO_ONE_UNIT, SINCE_IT_MULTIPLIES

MINE = """
from minigrad.recurrent import Equations, phi, sigma


class Coupled(Equations):
    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c, *, rate):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g * rate
        return o * phi(c_new), c_new


class Unreadable(Coupled):
    def forward(z_f, z_g, z_o, c):
        if c:
            return z_f, z_g
"""


def said(capsys: Any, *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a user's module, which the command line imports."""
    (tmp_path / "cells_to_show.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "cells_to_show"
    sys.modules.pop("cells_to_show", None)


@pytest.mark.parametrize("name", CELLS)
def test_outline(name: str, capsys: Any) -> None:
    text = said(capsys, name)
    d = activations.bind(CELLS[name], *_tanh(), separate=False).whole
    assert text.startswith(f"# {d.name}\n")
    for part in ("# products", "# forward", "# the new states", FOR_BACKWARD, "# backward"):
        assert part in text
    for weight in d.weights:
        assert weight in text
    assert text == said(capsys, name, "--as", "outline")


def _tanh() -> tuple[Any, Any]:
    return activations.get("sigmoid"), activations.get("tanh")


@pytest.mark.parametrize("name", CELLS)
def test_python(name: str, capsys: Any) -> None:
    tree = ast.parse(said(capsys, name, "--as", "python"))
    assert [part.name for part in tree.body if isinstance(part, ast.FunctionDef)] == ["step", "step_backward"]


@pytest.mark.parametrize("name", CELLS)
def test_latex(name: str, capsys: Any) -> None:
    assert said(capsys, name, "--as", "latex").count(r"\begin{aligned}") == 3


@pytest.mark.parametrize("name", ["lstm", "gru", "simple_rnn"])
def test_js(name: str, capsys: Any) -> None:
    text = said(capsys, name, "--as", "js", "--activation", "swish", "--recurrent-activation", "hard_sigmoid")
    assert "function forwardStep" in text
    assert "function backwardStep" in text
    assert "σ is HardSigmoid, φ is Swish" in text


@pytest.mark.parametrize("form", ["numba", "cuda"])
@pytest.mark.parametrize("name", CELLS)
def test_a_backends_text(name: str, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Request to the backend with the cell, the dtype and the options; its text is printed unchanged."""
    asked: list[Any] = []
    backend = ModuleType("pretended")
    backend.text = lambda *of: asked.append(of) or "// of the backend"  # type: ignore[attr-defined]
    monkeypatch.setattr(registry, "resolve", lambda name: backend if name == "numba" else None)
    monkeypatch.setattr(minigrad_cuda, "text", backend.text)
    assert text_of(CELLS[name], form, *_tanh(), "float64") == "// of the backend"
    ((description, dtype, options),) = asked
    assert description.name.endswith(CELLS[name].__name__)
    assert dtype == "float64"
    assert (options.sigma.name, options.phi.name) == ("Sigmoid", "Tanh")
    assert [n for n, _ in options.values] == list(description.options)


@pytest.mark.parametrize("form", ["outline", "python", "latex", "js"])
@pytest.mark.parametrize("name", CELLS)
def test_it_is_the_same_each_time(name: str, form: str) -> None:
    """In another process too, with another hash seed."""
    if form == "js" and name in ("lstmp", "gru_reset_before", "mgu"):
        return
    run = [sys.executable, "-m", "minigrad", "show", name, "--as", form]
    seeds = ["0", "1"] if name == "lstmp" else ["1"]
    texts = set()
    for seed in seeds:
        own = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONHASHSEED": seed}
        done = subprocess.run(run, capture_output=True, text=True, encoding="utf-8", check=True, env=own)
        texts.add(done.stdout)
    assert texts == {text_of(CELLS[name], form, *_tanh()) + "\n"}


def test_a_custom_cell(mine: str, capsys: Any) -> None:
    assert "z_f z_g z_o = x W + h U + b" in said(capsys, f"{mine}:Coupled")
    for form in ("python", "latex", "js"):
        assert said(capsys, f"{mine}:Coupled", "--as", form)


REFUSED = {
    "a form": (["lstm", "--as", "rust"], "show: form: expected one of 'outline', 'python', 'numba', "),
    "a cell": (["lstn"], "show: unknown name 'lstn'. Did you mean 'lstm'?"),
    "no cell": ([], "show: the following arguments are required: CELL"),
    "an activation": (["gru", "--activation", "tanhh"], "unknown name 'tanhh'. Did you mean 'tanh'?"),
    "a dtype": (["gru", "--as", "numba", "--dtype", "int8"], "show: dtype: expected one of 'float16', 'float32'"),
    "softmax": (["lstm", "--as", "js", "--activation", "softmax"], "show: phi, softmax, is not elementwise"),
    "softmax for gates": (["lstm", "--as", "numba", "--recurrent-activation", "softmax"], "show: sigma, softmax, is"),
    "an inner product": (["gru_reset_before", "--as", "js"], NO_ONE_UNIT),
    "a projection": (["lstmp", "--as", "js"], f"{NO_ONE_UNIT}{SINCE_IT_MULTIPLIES}"),
    "no module": (["no_such_module:Cell"], "the module 'no_such_module' cannot be imported"),
    "a module without cells": (["json:Cell"], "minigrad.recurrent.Equations, got json:Cell. json has: none"),
    "another of its names": (["{mine}:Couplet"], "cells_to_show has: Coupled, Unreadable"),
    "a body": (["{mine}:Unreadable"], "Unreadable.forward, line 17 of "),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str, mine: str, capsys: Any) -> None:
    """One line of error and the exit status 2, without a traceback."""
    arguments, message = REFUSED[name]
    arguments = [a.format(mine=mine) for a in arguments]
    assert command_line.main(["show", *arguments], {"show": ("", main)}) == 2
    error = capsys.readouterr().err
    assert error.startswith("minigrad: ")
    assert message in error
    assert error.count("\n") == 1


def test_softmax_where_nothing_is_elementwise() -> None:
    with pytest.raises(MinigradError, match="no loop can compute one number after another"):
        text_of(CELLS["lstm"], "cuda", activations.get("softmax"), activations.get("tanh"))
    assert "def step" in text_of(CELLS["lstm"], "python", activations.get("softmax"), activations.get("softmax"))


def test_all_forms_are_tried() -> None:
    assert set(FORMS) == {"outline", "python", "latex", "js", "numba", "cuda"}
