"""The training of the page in a real browser, against minigrad's SGD on the same batch."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import run_in_browser
from minigrad.playground import task
from minigrad.playground.networks import Network

LIMIT = 1e-9  # after a hundred steps; roundings grow with each
RUNS = [("fresh", 8, 100), ("unbiased", 3, 20), ("trained", 12, 20)]
SOURCE = files("minigrad.playground").joinpath("training.js").read_text("utf-8")
MUTANTS = {
    "no momentum": ("momentum * v - rate * dw", "-rate * dw"),
    "uphill": ("momentum * v - rate * dw", "momentum * v + rate * dw"),
    "a sum for the mean": ("batch.length * units, zero", "units, zero"),
    "the gradient without its 2": ("2 * e / count", "e / count"),
    "the mark one step early": ("Math.floor(places[n] * T)", "Math.max(0, Math.floor(places[n] * T) - 1)"),
    "the targets not scaled": ("0.8 * row[T - 1]", "row[T - 1]"),
    "b does not learn": ('for (const key of ["W", "U", "b"]) {', 'for (const key of ["W", "U"]) {'),
}
SCRIPT = """
const train = (descend, batchOf, atRest) => (key, T, steps) => {
  const { W, U, b } = networkOf(key), batch = batchOf(start.task, T), held = batch[0].x.map(free), losses = [];
  let weights = { W, U, b }, v = atRest(weights);
  for (let n = 0; n < steps; n++) {
    const next = descend(weights, v, batch, held, start.task);
    losses.push(next.loss);
    weights = { b, ...next.weights };
    v = { ...v, ...next.v };
  }
  return { losses, weights };
};
const found = { all: %(runs)s.map(run => train(descend, batchOf, atRest)(...run)) };
const mutants = { %(mutants)s };
for (const [name, parts] of Object.entries(mutants)) found[name] = [train(...parts)("unbiased", 3, 3)];
return found;
"""


@pytest.fixture(scope="module")
def found(page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    sources = []
    for name, (there, instead) in MUTANTS.items():
        assert SOURCE.count(there) == (2 if name == "b does not learn" else 1) or "key of" in there, name
        mutant = SOURCE.replace(there, instead)
        sources.append(f"{json.dumps(name)}: (() => {{ {mutant} return [descend, batchOf, atRest]; }})()")
    script = SCRIPT % {"runs": json.dumps(RUNS), "mutants": ",\n".join(sources)}
    ran: dict[str, Any] = run_in_browser(page, script, tmp_path_factory.mktemp("training"))
    return ran


def difference(run: dict[str, Any], net: Network, T: int, steps: int) -> float:
    """The largest difference from minigrad's losses and weights."""
    losses, weights = task.descended(net, steps, T)
    pairs = [(run["losses"], losses), *zip((run["weights"][key] for key in "WUb"), weights, strict=True)]
    return max(float(np.abs(np.array(a) - b).max()) for a, b in pairs)


@pytest.mark.parametrize("n", range(len(RUNS)), ids=[f"{key}, T = {T}" for key, T, _ in RUNS])
def test_it_is_minigrads(found: dict[str, Any], nets: dict[str, Network], n: int) -> None:
    key, T, steps = RUNS[n]
    assert difference(found["all"][n], nets[key], T, steps) < LIMIT


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_noticed(found: dict[str, Any], nets: dict[str, Network], name: str) -> None:
    assert difference(found[name][0], nets["unbiased"], 3, 3) > 1e-4


def test_a_hundred_steps_teach_it(found: dict[str, Any]) -> None:
    losses = found["all"][0]["losses"]
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("T", [2, 8, task.LONGEST])
def test_the_batch_is_the_task_of_the_trained_network(T: int) -> None:
    x, y = (a.numpy() for a in task.batch(T))
    assert x.shape == (task.COUNT, T, 2)
    assert (x[:, :, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y, 0.8 * np.stack([x[x[:, :, 1] == 1][:, 0], x[:, -1, 0]], 1))
    assert len(set(x[:, :, 1].argmax(axis=1))) == T


def test_a_page_whose_training_is_wrong_warns(page: str, tmp_path: Path) -> None:
    wrong = page.replace("momentum * v - rate * dw", "momentum * v - 1.001 * rate * dw")
    assert run_in_browser(wrong, 'return byId("agreement").textContent;', tmp_path).endswith(
        ": do not trust this page."
    )
