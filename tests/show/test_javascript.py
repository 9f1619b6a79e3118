"""The JavaScript of one unit, run in a real browser, against the formulas that minigrad runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import minigrad_numpy as xp
from browser import run_in_browser
from minigrad.layers import activations
from minigrad.layers.equation_cell import EquationCell
from minigrad.recurrent import GRU, LSTM, Equations, GRUResetBefore, SimpleRNN, clip, phi, sigma, stop
from minigrad.recurrent.backend_loop import options_of
from minigrad.show.javascript import NoTextError, expression, javascript
from recurrent.odd_cells import Coupled, Net1997
from tool_errors import NO_ONE_UNIT, SINCE_IT_MULTIPLIES

NAMES = [name for name in activations._KNOWN if name != "softmax"]
CELLS = {"lstm": LSTM, "gru": GRU, "simple_rnn": SimpleRNN, "coupled": Coupled}
PAGE = "<html><head></head><body></body></html>"


class Signs(Equations):
    """Cases that are easily mistranslated: signs before signs, brackets, clips, names that JavaScript reserves."""

    states = "c", "do"
    products = "var let = x W + c U + do V + b"

    def forward(var, let, c, do, *, limit=0.4):
        new = -(-var) - (let - (c - -do)) / (2 + let * let)  # noqa: B002
        c = clip(new + stop(c), limit) - +sigma(-let)
        do = -phi(var) * -do
        return c, do


def made(equations: type[Equations], sigma: str, phi: str) -> tuple[Any, str]:
    """A cell's formulas, and its JavaScript."""
    cell = activations.bind(equations, activations.get(sigma), activations.get(phi), separate=False)
    description = cell.description((True,) * len(cell.whole.weights))
    options: Any = options_of(cell, description, (0, 0))
    return cell, javascript(description, options.sigma, options.phi)


CASES = {f"{kind}, {name}": (CELLS[kind], name, name) for kind in CELLS for name in NAMES}
CASES |= {"lstm, as it is": (LSTM, "sigmoid", "tanh"), "signs": (Signs, "sigmoid", "tanh")}


def numbers(equations: type[Equations], seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Columns, states and options, and the upstream gradients of a description, by name."""
    rng = np.random.default_rng(seed)
    cell, _ = made(equations, "sigmoid", "tanh")
    d = cell.whole
    known = {name: float(v) for name, v in zip([*d.columns, *d.states], rng.normal(0, 2, 99), strict=False)}
    upstream = {name: float(v) for name, v in zip(d.upstream, rng.standard_normal(9), strict=False)}
    return known | {name: float(cell.options[name]) for name in d.options}, upstream


def expected(equations: type[Equations], sigma: str, phi: str, seed: int) -> dict[str, float]:
    """Each value and gradient of one unit, from the formulas on arrays: x = the columns, W the identity, U zero."""
    cell, _ = made(equations, sigma, phi)
    known, upstream = numbers(equations, seed)
    d = cell.whole
    x = np.array([[known[c] for c in d.columns]])
    n = len(d.columns)
    weights: dict[str, Any] = {}
    start = 0
    for p in d.products:
        size = len(p.columns)
        for term in p.terms:
            weights[term.matrix] = np.eye(n)[:, start : start + size] if term.source == "x" else np.zeros((1, size))
        if p.bias:
            weights[p.bias] = np.zeros(size)
        if not any(t.source == "x" for t in p.terms):  # its columns by the bias
            weights[p.bias] = x[0, start : start + size]
        start += size
    named = cell.Weights(**weights)
    state = tuple(np.array([[known[s]]]) for s in d.states)
    new, cache = cell.step(xp, cell.project(xp, x, named), state, named)
    dz, dstate = cell.step_backward(xp, tuple(np.array([[upstream[u]]]) for u in d.upstream), cache, state, named)
    found = {f"new {s}": v[0, 0] for s, v in zip(d.states, new, strict=True)}
    columns = np.concatenate([part[0] for part in dz[: len(d.products)]])
    gradients = zip([*d.columns, *d.states], [*columns, *(of_state[0, 0] for of_state in dstate)], strict=True)
    return found | {f"d {argument}": float(v) for argument, v in gradients}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, float]]]:
    """For each case, what its JavaScript returned for three sets of numbers, forward and backward together."""
    parts = []
    for name, (equations, *names) in CASES.items():
        _, text = made(equations, *names)
        inputs = [[{_safe(k): v for k, v in part.items()} for part in numbers(equations, seed)] for seed in range(3)]
        parts.append(
            f"{json.dumps(name)}: (() => {{ {text}\n return {json.dumps(inputs)}.map(([known, up]) => {{"
            "const there = forwardStep(known); "
            "return {...there, ...backwardStep({...known, ...there, ...up}), ...up}; }); })()"
        )
    script = f"const found = {{ {','.join(parts)} }}; return found;"
    return run_in_browser(PAGE, script, tmp_path_factory.mktemp("browser"))


def _safe(name: str) -> str:
    return f"{name}_" if name in ("var", "let", "do", "new") else name


@pytest.mark.parametrize("name", CASES)
def test_one_unit_is_minigrads(name: str, ran: dict[str, list[dict[str, float]]]) -> None:
    equations, sigma, phi = CASES[name]
    cell, _ = made(equations, sigma, phi)
    d = cell.description((True,) * len(cell.whole.weights))
    gradient = dict(d.gradients)
    for seed in range(3):
        wanted = expected(equations, sigma, phi, seed)
        known, _ = numbers(equations, seed)
        got = {_safe(k): v for k, v in known.items()} | ran[name][seed]
        for s, new in zip(d.states, d.new, strict=True):
            assert got[_safe(new)] == pytest.approx(wanted[f"new {s}"], rel=1e-12, abs=1e-14), (s, seed)
        for argument, of in gradient.items():
            assert got[_safe(of)] == pytest.approx(wanted[f"d {argument}"], rel=1e-12, abs=1e-14), (argument, seed)


TEXTS = {
    "a + b - c": "a + b - c",
    "a - (b + c)": "a - (b + c)",
    "a - (b - c)": "a - (b - c)",
    "a / (b * c)": "a / (b * c)",
    "a * (b + c)": "a * (b + c)",
    "-(a + b)": "-(a + b)",
    "-(-a)": "-(-a)",
    "a - -b": "a - -b",
    "2.5 * -1e-07": "2.5 * (-1e-07)",
    "where(x > 0.0, x, -x)": "x > 0.0 ? x : -x",
    "1.0 + where(x >= 0, 1.0, _1)": "1.0 + (x >= 0 ? 1.0 : _1)",
    "where((x >= 0.0) & (x <= 1.0), dy, 0.0)": "x >= 0.0 && x <= 1.0 ? dy : 0.0",
    "clip(v, -1.0, 1.0)": "Math.min(Math.max(v, -1.0), 1.0)",
    "maximum(x, 0.0) * expm1(y)": "Math.max(x, 0.0) * Math.expm1(y)",
    "do * new": "do_ * new_",
    "do * do_ + held__": "do_ * do__ + held___",
}


@pytest.mark.parametrize(("text", "written"), TEXTS.items(), ids=TEXTS)
def test_an_expression(text: str, written: str) -> None:
    assert expression(text) == written


@pytest.mark.parametrize("text", ["v @ P", "round(x)", "a if b else c", "a ** 2", "a[0]"])
def test_what_has_no_counterpart(text: str) -> None:
    with pytest.raises(NoTextError, match="has no counterpart in JavaScript"):
        expression(text)


@pytest.mark.parametrize("equations", [GRUResetBefore, Net1997], ids=lambda e: e.__name__)
def test_a_body_of_several_units(equations: type[Equations]) -> None:
    cell = EquationCell(equations, 4, **({"blocks": 2} if equations is Net1997 else {})).time_step()
    rules: Any = options_of(cell, cell.whole, (0, 0))
    with pytest.raises(NoTextError, match=f"{NO_ONE_UNIT}{SINCE_IT_MULTIPLIES} or shares"):
        javascript(cell.whole, rules.sigma, rules.phi)


def test_only_what_is_called_is_written() -> None:
    _, plain = made(LSTM, "sigmoid", "tanh")
    _, gelu = made(LSTM, "sigmoid", "gelu")
    assert not any(f"const {word} " in plain for word in ("clip", "dclip", "stop", "erf"))
    assert "const erf " in gelu
    _, signs = made(Signs, "sigmoid", "tanh")
    assert all(f"const {word} " in signs for word in ("clip", "dclip", "stop"))
