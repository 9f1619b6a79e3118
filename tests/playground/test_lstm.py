"""lstm.js and the equations of one unit in a real browser: every gate, state, gradient and way of random LSTMs.

The browser starts once, for the code as it is and for the mutants, which the same comparison must notice.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from browser import run_in_browser
from lstm_on_tape import GATES, on_the_tape
from minigrad.playground.builder import equations_of_one_unit

LIMIT = 1e-12
SOURCE = files("minigrad.playground").joinpath("lstm.js").read_text("utf-8")
CODE = equations_of_one_unit() + SOURCE

# Changes to the equations of one unit or to lstm.js: a text that occurs once, and its replacement.
MUTANTS = {
    "the forget gate does not act on c": ("f * c + i * g", "c + i * g"),
    "the input gate does not act on g": ("f * c + i * g", "f * c + g"),
    "h without tanh": ("h_new = o * a", "h_new = o * c_new"),
    "Keras' order of the gates changed": ('["i", "f", "g", "o"]', '["i", "g", "f", "o"]'),
    "a candidate between 0 and 1": ("held.g ?? phi(z_g)", "held.g ?? sigma(z_g)"),
    "the slope of σ for tanh": ("dphi(dg, g)", "dsigma(dg, g)"),
    "no tanh′ on the way into c": ("dc + dphi(dh * o, a)", "dc + dh * o"),
    "nothing along the carousel": ("dc_2 = dc + dphi", "dc_2 = dphi"),
    "the carousel without its gate": ("dc_ = dc_2 * f", "dc_ = dc_2"),
    "di of the gate": ("di = dc_2 * g", "di = dc_2 * i"),
    "df of the old dc": ("df = dc_2 * c", "df = dc * c"),
    "do without the cell": ("do_ = dh * a", "do_ = dh"),
    "U not transposed": ("+= dz * U[m][column];  ", "+= dz * U[u][columnOf(k, m, units)];  "),
    "one gate left out of dh": ("sum(GATES.map(k => d.ledger.h[k][m]))", "sum([...'ifg'].map(k => d.ledger.h[k][m]))"),
    "a held gate passes its gradient on": ("(held.f ?? null) === null ?", "true ?"),
    "a held gate computes its value": ("held.f ?? sigma(z_f)", "sigma(z_f)"),
    "a gate held at 0 computes its value": ("held.o ?? sigma(z_o)", "held.o || sigma(z_o)"),
    "another unit's gates are held": ("unit(held, u));", "unit(held, 0));"),
    "the loss of the last step alone": ("loss_weights[t].map(", "loss_weights[x.length - 1].map("),
    "dU of the new h": ("dz * s.h[m];", "dz * s.h_new[m];"),
    "db of the last step": ("db[column] += dz;", "db[column] = dz;"),
    "the sigmoid of |z|": ("(x >= 0 ? 1.0 : _1) / (1.0 + _1)", "1.0 / (1.0 + _1)"),
}

SCRIPT = """
const cases = {cases}, few = cases.slice(0, {few});
const run = (forward, backward, cases) => cases.map(({{ weights, x, held, h_0, c_0, loss_weights, dc_T }}) => {{
  const steps = forward(weights, x, held, h_0, c_0);
  return {{ steps, back: backward(weights, x, held, steps, loss_weights, dc_T) }};
}});
const mutants = {{ {mutants} }};
const found = {{ all: run(forward, backward, cases) }};
for (const [name, [forward, backward]] of Object.entries(mutants)) found[name] = run(forward, backward, few);
return found;
"""


def cases() -> list[dict[str, Any]]:
    """Random LSTMs of several sizes: a third with no gate held, some of large weights that saturate."""
    rng = np.random.default_rng(7)
    found = []
    for n in range(30):
        T, features, units = (int(k) for k in (rng.integers(2, 9), rng.integers(1, 4), rng.integers(2, 4)))
        scale = 300.0 if n == 29 else (0.5, 1.0, 2.5)[n % 3]
        held = np.where(rng.random((T, 4, units)) < (0.0 if n % 3 == 1 else 0.35), rng.random((T, 4, units)), np.nan)
        held = np.where(rng.random(held.shape) < 0.2, np.round(held), held)  # 0 and 1 among them
        W, U, b = (scale * rng.standard_normal(s) for s in ((features, 4 * units), (units, 4 * units), (4 * units,)))
        found.append({
            "weights": {"W": W, "U": U, "b": b}, "x": rng.standard_normal((T, features)), "held": held,
            "h_0": rng.standard_normal(units), "c_0": rng.standard_normal(units),
            "loss_weights": rng.standard_normal((T, units)), "dc_T": rng.standard_normal(units),
        })  # fmt: skip
    return found


CASES = cases()
FEW = 9


def as_json(case: dict[str, Any]) -> dict[str, Any]:
    """The argument of lstm.js: null for each gate that is not held."""
    plain = {key: value.tolist() for key, value in case.items() if key not in ("held", "weights")}
    plain["weights"] = {key: value.tolist() for key, value in case["weights"].items()}
    plain["held"] = [
        {k: [None if np.isnan(v) else v for v in row.tolist()] for k, row in zip(GATES, step, strict=True)}
        for step in case["held"]
    ]
    return plain


def as_traced(case: dict[str, Any]) -> dict[str, Any]:
    """The trace of a layer with these weights, in which no gate is held."""
    T, units = case["loss_weights"].shape
    layer = mg.keras.layers.LSTM(units, return_sequences=True, return_state=True, dtype="float64")
    layer.build((1, T, case["x"].shape[1]))
    layer.set_weights([case["weights"][key] for key in "WUb"])
    x = mg.tensor(case["x"][None], requires_grad=True)
    with mg.trace(layer) as seen:
        y, _, c = layer(x, initial_state=[case["h_0"][None], case["c_0"][None]])
        ((y * case["loss_weights"]).sum() + (c * case["dc_T"]).sum()).backward()
    by_step = {**seen.gates, **seen.inner, **{f"dz_{k}": a for k, a in seen.dgates.items()}, "dx": seen.dx}
    by_step |= {"h": seen.h[:-1], "c": seen.c[:-1], "h_new": seen.h[1:], "c_new": seen.c[1:]}
    by_step |= {"dh": seen.dh[1:], "dc_arrived": seen.dc[1:]}
    by_step |= {f"ledger.{s}.{way}": a for s, ways in seen.ledger.items() for way, a in ways.items()}
    whole = {f"d{key}": w.grad.numpy() for key, w in zip("WUb", layer.weights, strict=True)}
    whole |= {f"d{s}_0": seen.arrived[s][0, 0] for s in "hc"}
    return {**{f"{name} {t}": array[t, 0] for name, array in by_step.items() for t in range(T)}, **whole}


def in_browser(run: dict[str, Any]) -> dict[str, Any]:
    """The result of lstm.js, under the same names."""
    flat = {name: value for name, value in run["back"].items() if name != "steps"}
    for t, (step, back) in enumerate(zip(run["steps"], run["back"]["steps"], strict=True)):
        ledger = back.pop("ledger")
        assert back.pop("dc_2") == back["dc"]  # by the names in the equations: dc once it is complete,
        assert back.pop("dc_") == ledger["c"]["carousel"]  # and what the body returns for the old c
        flat |= {f"{name} {t}": value for name, value in {**step, **back}.items()}
        flat |= {f"ledger.{s}.{way} {t}": value for s, ways in ledger.items() for way, value in ways.items()}
    return {name.replace("do_", "do"): np.array(value, float) for name, value in flat.items()}


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Names of values that differ by more than LIMIT, relative to values above 1."""
    assert expected.keys() <= found.keys(), expected.keys() - found.keys()
    return [
        name
        for name, value in expected.items()
        if not np.all(np.abs(found[name] - value) <= LIMIT * np.maximum(1.0, np.abs(value)))
    ]


@pytest.fixture(scope="module")
def ran(page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Results of the page's code, under "all", and of each mutant."""
    sources = []
    for name, (there, instead) in MUTANTS.items():
        assert CODE.count(there) == 1, name
        mutant = CODE.replace(there, instead)
        sources.append(f"{json.dumps(name)}: (() => {{ {mutant} return [forward, backward]; }})()")
    script = SCRIPT.format(cases=json.dumps([as_json(c) for c in CASES]), few=FEW, mutants=",\n".join(sources))
    found = run_in_browser(page, script, tmp_path_factory.mktemp("browser"))
    return {name: [in_browser(run) for run in runs] for name, runs in found.items()}


@pytest.mark.parametrize("n", range(len(CASES)))
def test_every_number_is_minigrads(ran: dict[str, Any], n: int) -> None:
    expected = on_the_tape(CASES[n])
    assert differences(ran["all"][n], expected) == []
    assert set(ran["all"][n]) == set(expected)  # nothing is left out


@pytest.mark.parametrize("n", [n for n, case in enumerate(CASES) if np.isnan(case["held"]).all()])
def test_every_number_is_what_trace_sees(ran: dict[str, Any], n: int) -> None:
    assert differences(ran["all"][n], as_traced(CASES[n])) == []


def test_cases_hold_every_gate_somewhere() -> None:
    held = [~np.isnan(case["held"]) for case in CASES]
    assert sum(h.any() for h in held) == 20
    assert all(sum(int(h[:, n].sum()) for h in held[:FEW]) > 5 for n in range(4))
    assert {0.0, 1.0} <= {float(v) for case in CASES[:FEW] for v in case["held"].ravel()}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(ran: dict[str, Any], name: str) -> None:
    assert any(differences(run, on_the_tape(case)) for run, case in zip(ran[name], CASES[:FEW], strict=True))


def test_the_page_holds_the_code_as_it_is(page: str) -> None:
    assert SOURCE in page
    assert equations_of_one_unit() in page
