"""The page in a real browser: bars are dragged, keys pressed, and every number on the page is checked.

After each act the page says what all its bars show; minigrad computes the same, gates held and all, on the tape.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from browser import run_in_browser
from lstm_on_tape import GATES, case_of, on_the_tape
from minigrad.playground.experiments import EXPERIMENTS, Experiment, T
from minigrad.playground.networks import Network

LIMIT = 1e-12

ACTS = """
const handle = (row, at) => document.querySelector(`.handle[data-row="${row}"][data-at="${at}"]`);
const finger = (target, type, clientX) => target.dispatchEvent(new PointerEvent(type, { clientX, clientY: 0,
  pointerId: 7, pointerType: "touch", button: type === "pointerdown" ? 0 : -1, bubbles: true, cancelable: true }));
const drag = (row, at, value) => {
  const one = handle(row, at), { high, low } = RIVER.find(each => each.key === row);
  const way = (value - Number(one.getAttribute("aria-valuenow"))) / (high - low) * RANGE;
  finger(one, "pointerdown", 0);
  finger(window, "pointermove", way);
  finger(window, "pointerup", way);
};
const turn = (row, at, value) => {
  const input = document.querySelector(`.one[data-row="${row}"][data-at="${at}"] input`);
  input.value = value;
  for (const type of ["input", "change"]) input.dispatchEvent(new Event(type, { bubbles: true }));
};
const press = (row, at, key) => handle(row, at).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const click = selector => document.querySelector(selector).dispatchEvent(new MouseEvent("click", { bubbles: true }));
const text = id => document.getElementById(id).textContent;
const places = (selector, get) => Object.fromEntries([...document.querySelectorAll(selector)].map(one =>
  [`${one.dataset.row} ${one.dataset.at}`, get(one)]));
const shows = () => ({
  bars: { ...places(".one", one => Number(one.querySelector("data").value)),
    ...places(".handle", one => Number(one.getAttribute("aria-valuenow"))) },
  texts: { ...places(".one", one => one.querySelector("data").textContent),
    ...places(".handle", one => one.getAttribute("aria-valuetext")) },
  mine: Object.keys(places(".handle.mine", () => 1)),
  ways: [...document.querySelectorAll("#flow title")].map(title => title.textContent),
  text: text("text"), story: text("story"), held: text("held"), about: text("about"), step: text("lines"),
  pressed: [...document.querySelectorAll("[aria-pressed=true]")].map(one => one.textContent),
});
"""


def act(name: str) -> str:
    """JavaScript that records the state of the page after an action."""
    return f"found[{json.dumps(name)}] = shows();\n"


SCRIPT = (
    ACTS
    + "const found = {};\n"
    + act("opened")
    + 'drag("f", "3 0", 0.25);'
    + act("a gate")
    + 'drag("g", "2 1", -0.5); drag("o", "7 0", 0.5);'
    + act("three gates")
    + 'found.spoken = handle("f", "3 0").getAttribute("aria-valuetext");'
    + 'turn("W0", "1", 1.5); turn("U1", "2", -0.75); turn("b0", "7", 0.5);'
    + act("weights")
    + 'drag("x", "4 0", -1.25);'
    + act("an input")
    + 'drag("loss_weights", "5 1", -0.5);'
    + act("the loss")
    + 'press("f", "3 0", "Delete");'
    + act("released by a key")
    + 'handle("g", "2 1").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));'
    + act("released by a double click")
    + "click('[data-held=\"7 o 0\"]');"
    + act("released by its button")
    + 'drag("i", "0 0", 1); drag("i", "1 0", 1); click("#release");'
    + act("all released")
    + "click('#picker [data-step=\"6\"]');"
    + act("step 7 chosen")
    + """
const select = document.getElementById("network");
select.value = "unbiased";
select.dispatchEvent(new Event("input"));
select.dispatchEvent(new Event("change"));
"""
    + act("another network")
    + """
for (const { key } of start.experiments) { click(`#experiments [data-key=${key}]`); found[key] = shows(); }
const stops = [...document.querySelectorAll(".handle"), ...document.querySelectorAll(".one input")];
found.keys = {
  stops: stops.filter(one => one.tabIndex === 0).length,
  names: stops.map(one => one.getAttribute("aria-label")),
  nameless: [...document.querySelectorAll("button, select, input, [role=slider]")].filter(one =>
    !(one.textContent.trim() || one.getAttribute("aria-label") || one.closest("label"))).length,
};
found.agreement = text("agreement");
found.fetched = performance.getEntriesByType("resource").map(entry => entry.name);
found.width = [document.documentElement.scrollWidth, window.innerWidth];
return found;
"""
)


@pytest.fixture(scope="module")
def found(page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run_in_browser(page, SCRIPT, tmp_path_factory.mktemp("wide"))


def bars_of(case: dict[str, Any]) -> dict[str, float]:
    """The expected values of all bars, by row and place."""
    numbers = on_the_tape(case)
    named = {"c": "c_new", "h": "h_new", "carousel": "ledger.c.carousel"}
    named |= {f"way_{k}": f"ledger.h.{k}" for k in GATES}
    rows = {k: k for k in (*GATES, "dh", "dc", "dc_through_o", "dx", *(f"dz_{k}" for k in GATES))} | named
    shown = {
        f"{row} {t} {u}": numbers[f"{name} {t}"][u] for row, name in rows.items() for t in range(T) for u in (0, 1)
    }
    for t in range(T):
        for u in (0, 1):
            shown[f"way_h {t} {u}"] = sum(numbers[f"ledger.h.{k} {t}"][u] for k in GATES)
            shown[f"x {t} {u}"], shown[f"loss_weights {t} {u}"] = case["x"][t, u], case["loss_weights"][t, u]
    for letter, weight in case["weights"].items():
        for name, matrix in ((letter, np.atleast_2d(weight)), (f"d{letter}", np.atleast_2d(numbers[f"d{letter}"]))):
            shown |= {f"{name}{n} {column}": v for n, row in enumerate(matrix) for column, v in enumerate(row)}
    return shown


def check(shows: dict[str, Any], case: dict[str, Any]) -> None:
    expected = bars_of(case)
    assert shows["bars"].keys() == expected.keys()
    wrong = {k: (shows["bars"][k], v) for k, v in expected.items() if not abs(shows["bars"][k] - v) <= LIMIT}
    assert wrong == {}


def hold(t: int, k: str, u: int, value: float) -> Callable[[dict[str, Any]], None]:
    def change(case: dict[str, Any]) -> None:
        case["held"][t, GATES.index(k), u] = value

    return change


def turn_weights(case: dict[str, Any]) -> None:
    case["weights"]["W"][0, 1], case["weights"]["U"][1, 2], case["weights"]["b"][7] = 1.5, -0.75, 0.5


CHANGES: dict[str, list[Callable[[dict[str, Any]], None]]] = {
    "opened": [],
    "a gate": [hold(3, "f", 0, 0.25)],
    "three gates": [hold(2, "g", 1, -0.5), hold(7, "o", 0, 0.5)],
    "weights": [turn_weights],
    "an input": [lambda case: case["x"].__setitem__((4, 0), -1.25)],
    "the loss": [lambda case: case["loss_weights"].__setitem__((5, 1), -0.5)],
    "released by a key": [hold(3, "f", 0, np.nan)],
    "released by a double click": [hold(2, "g", 1, np.nan)],
    "released by its button": [hold(7, "o", 0, np.nan)],
    "all released": [],
    "step 7 chosen": [],
}


@pytest.mark.parametrize("name", CHANGES)
def test_everything_follows(found: dict[str, Any], nets: dict[str, Network], name: str) -> None:
    case = case_of(EXPERIMENTS[0], nets)
    for each, changes in CHANGES.items():
        for change in changes:
            change(case)
        if each == name:
            break
    check(found[name], case)
    held = [
        f"{k} {t} {u}"
        for k in GATES
        for t in range(T)
        for u in (0, 1)
        if not np.isnan(case["held"][t, GATES.index(k), u])
    ]
    assert found[name]["mine"] == held


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: each.key)
def test_an_experiment_is_set(found: dict[str, Any], nets: dict[str, Network], experiment: Experiment) -> None:
    shows = found[experiment.key]
    check(shows, case_of(experiment, nets))
    assert shows["text"] == experiment.text
    assert shows["about"] == nets[experiment.network].text
    assert shows["pressed"] == [experiment.name, str(experiment.step + 1)]


def test_another_network_keeps_held_gates_and_loss_weights(found: dict[str, Any], nets: dict[str, Network]) -> None:
    case = case_of(EXPERIMENTS[0], nets)
    case["weights"] = dict(zip("WUb", nets["unbiased"].weights, strict=True))
    case["x"][4, 0], case["loss_weights"][5, 1] = -1.25, -0.5
    check(found["another network"], case)


def test_a_drag_changes_what_is_seen(found: dict[str, Any]) -> None:
    before, after = found["opened"], found["a gate"]
    assert after["texts"]["f 3 0"] == "0.25, held by you"
    changed = {key.split()[0] for key, value in after["texts"].items() if value != before["texts"][key]}
    assert {"f", "c", "h", "dh", "dc", "dz_f", "dz_g", "carousel", "way_g", "dx", "dW0", "dU0", "db0"} <= changed
    assert before["held"] == "You hold no gate."
    assert after["held"] == "You hold f₄ of unit 1 = 0.25 ×"
    assert found["spoken"] == "0.25, held by you"
    assert before["story"] != after["story"]
    assert before["ways"] != after["ways"]
    assert "Forward: step 4" in after["step"]


def test_the_picture_tells_the_same_numbers(found: dict[str, Any], nets: dict[str, Network]) -> None:
    shown = [way for way in found["cut"]["ways"] if way.startswith("step 6, unit 1")]
    dc = bars_of(case_of(EXPERIMENTS[1], nets))["dc 5 0"]
    assert set(shown) == {f"step 6, unit 1: f = 0 lets 0 of {dc:.2f} through"}
    assert not any("NaN" in way or "undefined" in way for shows in found.values() for way in _ways(shows))


def _ways(shows: Any) -> list[str]:
    return shows.get("ways", []) if isinstance(shows, dict) else []


def test_the_story_is_true(found: dict[str, Any], nets: dict[str, Network]) -> None:
    numbers = on_the_tape(case_of(EXPERIMENTS[1], nets))
    story = found["cut"]["story"]
    assert f"{abs(numbers['dc_through_o 7']).sum():.2f} of it reaches the memory c₈." in story
    assert f"At the first step {abs(numbers['dc_0']).sum():.3f} arrives at c₀" in story
    sent = [
        [abs(numbers[f"{way} {t}"]).sum() for way in ("ledger.c.carousel", *(f"ledger.h.{k}" for k in GATES))]
        for t in range(T)
    ]
    share = np.mean([row[0] / sum(row) for row in sent])
    assert f"it goes {100 * share:.0f}\xa0% by the carousel and" in story
    assert "The narrowest place on the carousel is f₆ of unit 1: open by 0," in story
    assert "No gradient at all goes back." in found["shut"]["story"]
    assert "it goes 100\xa0% by the carousel. The narrowest" in found["unwritten"]["story"]
    assert "The loss weight of h₈ is 1.00, and others after 7 earlier steps." in found["every"]["story"]
    assert "No forget gate blocks any of it." in found["open"]["story"]
    assert found["open"]["held"] == "You hold 16 gates."


def test_one_step_in_numbers(found: dict[str, Any], nets: dict[str, Network]) -> None:
    numbers = on_the_tape(case_of(EXPERIMENTS[1], nets))
    step = found["cut"]["step"]
    assert "Forward: step 6" in step
    assert "Backward: step 6" in step
    assert f"z_fxW + hU + b{numbers['z_f 5'][0]:.2f}".replace("-", "−") in step
    assert "fσ z_f0 held" in step
    assert "to c₅carousel: dc ∘ f0" in step
    assert "Forward: step 7" in found["step 7 chosen"]["step"]


def test_every_handle_has_a_name_and_a_tab_stop(found: dict[str, Any]) -> None:
    keys = found["keys"]
    assert keys["stops"] == len(keys["names"]) == len(set(keys["names"])) == (4 + 1 + 1) * 16 + 5 * 8
    assert "forget gate f, step 3, unit 2" in keys["names"]
    assert "input x₂, step 8" in keys["names"]
    assert keys["nameless"] == 0


def test_the_page_checks_itself(found: dict[str, Any]) -> None:
    assert found["agreement"] == (
        f"The {8 * 2 * 19} numbers of the first picture and the 50 of 10 steps of training, computed here, "
        "are minigrad's to within 10⁻¹²."
    )


def test_nothing_is_fetched(found: dict[str, Any]) -> None:
    assert found["fetched"] == []


def test_a_page_of_wrong_numbers_warns(page: str, tmp_path: Path) -> None:
    right, wrong = "c_new = f * c + i * g;", "c_new = c + i * g;"
    assert page.count(right) == 1
    said = run_in_browser(page.replace(right, wrong), 'return byId("agreement").textContent;', tmp_path)
    assert said.startswith("The numbers computed here differ from minigrad's by ")
    assert said.endswith(": do not trust this page.")


def test_it_fits_the_window(found: dict[str, Any]) -> None:
    assert found["width"][0] <= found["width"][1] == 1400
