"""The page used as by a person: fingers, keys, undo, links, the journey, questions, training, colours, a frame."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools import CONTROL, SHIFT, Page, running
from minigrad.playground import task
from minigrad.playground.networks import Network
from minigrad.playground.questions import QUESTIONS

STATE = "JSON.stringify(state)"
PHONE = {"width": 390, "height": 844, "touch": True}


@pytest.fixture(scope="module")
def address(page: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("use") / "playground.html"
    file.write_text(page, "utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with running(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def shown(browser: Page, address: str) -> Iterator[Page]:
    browser.media(prefers_color_scheme="light", prefers_reduced_motion="no-preference")
    browser.open(address)
    yield browser
    assert browser.errors == []


def handle(row: str, t: int, u: int) -> str:
    return f'.handle[data-row="{row}"][data-at="{t} {u}"]'


def text(page: Page, name: str) -> str:
    found: str = page.run(f"document.getElementById({json.dumps(name)}).textContent")
    return found


@pytest.mark.parametrize(
    "window", [{"width": 1400, "height": 900}, PHONE, {"width": 420, "height": 900}], ids=["wide", "phone", "420"]
)
def test_no_handle_is_below_the_fold(shown: Page, address: str, window: dict[str, Any]) -> None:
    shown.open(address, **window)
    inside = shown.run("""(() => {
      const hidden = one => { const r = one.getBoundingClientRect();
        return r.bottom > innerHeight || r.right > innerWidth + 1 || r.left < 0 || !r.height; };
      return [[...document.querySelectorAll(".handle, #T, #bias, #network, #undo")].filter(hidden).length,
        document.documentElement.scrollWidth - innerWidth];
    })()""")
    assert inside[0] == 0
    assert inside[1] <= 0
    shown.open(f"{address}#tab=weights", **window)
    assert shown.run("Math.max(...[...document.querySelectorAll('#weights input')]"
                     ".map(one => one.getBoundingClientRect().bottom)) < innerHeight")  # fmt: skip


def test_a_finger_drags_a_door(shown: Page, address: str) -> None:
    shown.open(address, **PHONE)
    before = text(shown, "story")
    shown.touch(handle("f", 5, 0), dy=35)  # half of the range, downwards
    assert shown.run("state.held[5].f[0]") == pytest.approx(0.5, abs=0.08)
    assert text(shown, "story") != before
    assert text(shown, "held").startswith("You hold f₆ of unit 1 = ")
    assert shown.run("[scrollX, scrollY]") == [0, 0]
    shown.touch(handle("x", 4, 1), dx=14)
    assert shown.run("state.x[4][1]") == pytest.approx(0.8)
    shown.touch(handle("f", 5, 0))
    shown.run("tapped.time = Infinity")  # the machine may be slow
    shown.touch(handle("f", 5, 0))  # two taps release it
    assert shown.run("state.held[5].f[0]") is None
    shown.touch(handle("i", 0, 0))  # without a move
    assert shown.run("state.held[0].i[0]") is None
    assert shown.run("state.step") == 0


def test_a_bar_with_controls_for_a_finger(shown: Page, address: str) -> None:
    shown.open(address, **PHONE)
    assert shown.run("byId('fingers').hidden")
    shown.touch(handle("f", 5, 0))
    assert shown.run("byId('fingers').hidden") is False
    assert text(shown, "finger-name") == "forget gate f, step 6, unit 1: 0.99"
    small = """[...document.querySelectorAll("#fingers button, #fingers input")].filter(one => {
      const r = one.getBoundingClientRect(); return r.height && (r.height < 44 || r.width < 44); }).length"""
    top = "document.querySelector('#fingers').getBoundingClientRect().top"
    lowest = "Math.max(...[...document.querySelectorAll('.handle')].map(one => one.getBoundingClientRect().bottom))"
    assert shown.run(f"[{small}, {top} >= {lowest}]") == [0, True]
    shown.run("byId('finger').value = 0.5; byId('finger').dispatchEvent(new Event('input'))")
    shown.run("byId('finger').dispatchEvent(new Event('change'))")
    assert shown.run("state.held[5].f[0]") == 0.5
    shown.touch("#less")
    assert shown.run("state.held[5].f[0]") == pytest.approx(0.45)
    assert shown.run(f"[{small}, byId('let-go').hidden]") == [0, False]
    shown.click("#undo")
    assert shown.run("state.held[5].f[0]") == 0.5
    shown.touch("#let-go")
    assert shown.run("state.held[5].f[0]") is None
    shown.run("setSteps(4); follow()")  # the handle is gone
    assert shown.run("byId('fingers').hidden")
    shown.touch(handle("x", 3, 1))
    shown.touch("#more")
    assert shown.run("[state.x[3][1], byId('let-go').hidden]") == [0.25, True]
    shown.touch("#river-title, #text")
    assert shown.run("byId('fingers').hidden")


def test_a_mouse_drags_a_gate_beyond_its_limit(shown: Page) -> None:
    shown.drag(handle("o", 7, 0), 0, 300)
    assert shown.run("state.held[7].o[0]") == 0
    shown.drag(handle("g", 7, 0), 500, 0)
    assert shown.run("state.held[7].g[0]") == 1


def test_tab_reaches_each_handle_and_keys_change_it(shown: Page) -> None:
    shown.run(f"document.querySelector({json.dumps(handle('f', 2, 0))}).focus()")
    shown.press("Tab")
    name = "document.activeElement.getAttribute('aria-label')"
    assert shown.run(name) == "forget gate f, step 3, unit 2"
    assert shown.run("document.activeElement.getAttribute('role')") == "slider"
    keys = {
        "Home": 0,
        "ArrowUp": 0.01,
        "ArrowRight": 0.02,
        "PageUp": 0.12,
        "ArrowDown": 0.11,
        "ArrowLeft": 0.1,
        "End": 1,
    }
    for key, value in keys.items():
        shown.press(key)
        assert shown.run("state.held[2].f[1]") == pytest.approx(value), key
        assert float(shown.run("document.activeElement.getAttribute('aria-valuenow')")) == pytest.approx(value)
    assert shown.run("document.activeElement.getAttribute('aria-valuetext')") == "1.00, held by you"
    shown.press("Delete")
    assert shown.run("state.held[2].f[1]") is None
    stops = shown.run("[...document.querySelectorAll('.handle')].length")
    assert stops == 6 * 2 * 8
    assert shown.run("document.querySelector('.skip').hash") == "#after"


def test_undo_and_redo(shown: Page) -> None:
    states = [shown.run(STATE)]
    for act in (
        lambda: shown.drag(handle("f", 3, 0), 0, 30),
        lambda: shown.click("[data-key=fresh]"),
        lambda: shown.drag(handle("x", 3, 0), 10, 0),
        lambda: shown.run("byId('T').value = 5; for (const type of ['input', 'change']) "
                          "byId('T').dispatchEvent(new Event(type))"),
        lambda: shown.click("#release"),  # nothing is held: no step of undo
    ):  # fmt: skip
        act()
        states.append(shown.run(STATE))
    states.pop()
    assert len(set(states)) == len(states) == 5
    for state in states[-2::-1]:
        shown.press("z", CONTROL)
        assert shown.run(STATE) == state
    assert shown.run("byId('undo').disabled")
    shown.press("z", CONTROL)
    assert shown.run(STATE) == states[0]
    for state in states[1:3]:
        shown.press("z", CONTROL | SHIFT)
        assert shown.run(STATE) == state
    shown.click("#redo")
    assert shown.run(STATE) == states[3]
    shown.click("#undo")
    shown.drag(handle("g", 0, 0), 10, 0)  # a new change ends what could be made again
    assert shown.run("byId('redo').disabled")


def test_presses_of_one_key_are_one_step_of_undo(shown: Page) -> None:
    before = shown.run(STATE)
    shown.run("Date.now = () => 0")  # the machine may be slow
    shown.run(f"document.querySelector({json.dumps(handle('i', 2, 0))}).focus()")
    for _ in range(5):
        shown.press("ArrowDown")
    assert shown.run("state.held[2].i[0]") is not None
    shown.press("z", CONTROL)
    assert json.loads(shown.run(STATE))["held"] == json.loads(before)["held"]


def test_a_link_gives_the_state_again(shown: Page, address: str) -> None:
    shown.click("[data-key=every]")
    shown.run("setNetwork('trained'); setSteps(11); setForgetBias(0.1 + 0.2); done()")
    shown.drag(handle("x", 9, 1), 13, 0)
    shown.drag(handle("g", 2, 1), 0, 9)
    shown.drag(handle("loss_weights", 4, 1), 0, 9)
    shown.run("state.weights = descend(state.weights, atRest(state.weights), batchOf(start.task, 11), state.held, "
              "start.task).weights; done()")  # fmt: skip
    link, state = shown.run("location.hash"), shown.run(STATE)
    shown.open(address + link)
    assert shown.run(STATE) == state
    assert shown.run("byId('wrong').hidden")
    assert shown.run("location.hash") == link
    for key in shown.run("start.experiments.map(one => one.key)"):
        shown.run(f"location.hash = '#try={key}'")
        shown.until(f"state.experiment === '{key}'")
        again = shown.run("(() => { const before = JSON.stringify(state), text = written(); read(text);"
                          " return [before === JSON.stringify(state), text]; })()")  # fmt: skip
        assert again == [True, f"try={key}"]


BAD = {
    "T=99": "T=99 is not a whole number from 2 to 12",
    "T=-3": "T=-3 is not a whole number",
    "T=4.5": "T=4.5 is not a whole number",
    "T=": "T= is not a whole number",
    "T=NaN": "T=NaN is not",
    "try=nothing": "try=nothing is not one of memory, cut",
    "try=__proto__": "try=__proto__ is not one of",
    "net=constructor": "net=constructor is not one of trained, fresh, unbiased",
    "step=9": "step=9 is not a step from 1 to 8",
    "step=0": "step=0 is not a step",
    "hold=f9.1:0": "hold=f9.1:0 is not a list of gates",
    "hold=f1.3:0": "is not a list of gates",
    "hold=f1.1:2": "is not a list of gates",
    "hold=f1.1:1e999": "is not a list of gates",
    "hold=,,,": "is not a list of gates",
    "hold=1.1:0": "is not a list of gates",
    "loss=i1.1:0": "is not a list of loss weights",
    "loss=8.1:-7": "is not a list of loss weights",
    "x=1,2,3": "is not 16 numbers from -2 to 2",
    "b=0,0,0,0,0,0,0,Infinity": "is not 8 numbers",
    "W=0x10,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0": "is not 16 numbers",
    "scheme=pink": "scheme=pink is none of light, dark",
    "tab=nowhere": "tab=nowhere is none of",
    "what=1": "a part “what”",
    "%E0%A4%A": "which this page does not know",
    "<img src=x onerror=alert(1)>": "which this page does not know",
    "=&=&;;&&&": "which this page does not know",
}


def test_an_address_of_garbage_gets_a_sentence(browser: Page, address: str) -> None:
    browser.open(f"{address}#{next(iter(BAD))}")
    default = browser.run("(() => { setExperiment('memory'); return JSON.stringify(state); })()")
    for part, says in BAD.items():
        browser.run(f"history.replaceState(null, '', '#' + {json.dumps(part)}); readAddress()")
        found = browser.run("[byId('wrong').textContent, byId('wrong').hidden, byId('wrong').children.length]")
        assert says in found[0], part
        assert [*found[1:], browser.run(STATE)] == [False, 0, default], part
    assert browser.errors == []


def test_only_the_bad_part_of_an_address_is_left_out(shown: Page, address: str) -> None:
    shown.open(f"{address}#try=fresh&T=77&hold=f3.2:0.25")
    assert json.loads(shown.run(STATE))["held"][2]["f"] == [None, 0.25]
    assert shown.run("[state.network, state.x.length]") == ["fresh", 8]
    assert "T=77" in text(shown, "wrong")


def test_sliders_of_steps_and_of_the_forget_bias(shown: Page) -> None:
    for T in (2, 12, 8):
        shown.run(f"byId('T').value = {T}; byId('T').dispatchEvent(new Event('input'))")
        assert shown.run("[state.x.length, document.querySelectorAll('.handle').length]") == [T, 12 * T]
        assert text(shown, "T-value") == str(T)
        assert shown.run("state.loss_weights.map(row => row[0])") == [0] * (T - 1) + [1]
    shown.click("[data-key=fresh]")
    shown.run("byId('bias').value = -2; byId('bias').dispatchEvent(new Event('input'))")
    assert shown.run("state.weights.b") == [0, 0, -2, -2, 0, 0, 0, 0]
    assert text(shown, "bias-value") == "−2.00"


def test_the_journey(shown: Page) -> None:
    fronts = "[journey.front, journey.playing, byId('whole').hidden]"
    assert shown.run(fronts) == [None, False, True]
    shown.click("#one-step")
    assert shown.run(fronts) == [8, False, False]
    assert text(shown, "caption").startswith("The gradient starts at h₈, with loss weight 1.00.")
    shown.click("#one-step")
    assert text(shown, "caption").startswith("Step 8 passes ")
    x = shown.run("Number(document.querySelector('#passed rect').getAttribute('x')) / size.column")
    assert 6.5 < x < 7.1
    shown.click("#play")
    shown.until("journey.front > 6 && journey.front < 6.9")
    shown.click("#play")
    assert shown.run(fronts) == [6, False, False]
    shown.click("#whole")
    assert shown.run(fronts) == [None, False, True]


def test_the_journey_jumps_where_motion_is_unwelcome(shown: Page) -> None:
    shown.media(prefers_reduced_motion="reduce")
    shown.run("window.fronts = new Set(); document.querySelector('.front').setAttribute = (_, d) => fronts.add(d)")
    shown.click("#play")
    shown.until("journey.front === 7")
    shown.click("#play")
    assert shown.run("fronts.size") <= 2


def test_predict_then_reveal(shown: Page) -> None:
    shown.click("#tab-predict")
    for n, question in enumerate(QUESTIONS):
        assert question.text in text(shown, "question")
        assert shown.run("state.experiment") == question.before
        assert shown.run("byId('reveal').disabled")
        said = (question.right + n) % 3
        shown.click(f'#question input[value="{said}"]')
        assert question.answer not in text(shown, "question")
        shown.click("#reveal")
        assert question.answer in text(shown, "question")
        expected = (
            "Right. " if not n else f"You said “{question.choices[said]}”; it is “{question.choices[question.right]}”."
        )
        assert expected in text(shown, "question")
        assert shown.run("state.experiment") == question.after
        shown.click("#next-question")
    assert "Question 1 of 3" in text(shown, "question")


def test_training_shows_the_gates_and_is_one_step_of_undo(shown: Page, nets: dict[str, Network]) -> None:
    shown.click("#tab-train")
    shown.click("#fresh")
    before, gates = shown.run(STATE), shown.run("compute().steps[2].i[0]")
    shown.click("#train")
    shown.until("training.step > 10")
    assert shown.run(f"Number(document.querySelector({json.dumps(handle('i', 2, 0))}).ariaValueNow)") != gates
    shown.until("!training.running")
    losses, (W, *_) = task.descended(nets["fresh"], 100)
    assert shown.run("training.losses") == pytest.approx(losses, abs=1e-9)
    assert shown.run("state.weights.W.flat()") == pytest.approx(W.ravel().tolist(), abs=1e-9)
    assert text(shown, "loss-now").startswith("Loss after 100 steps: 0.00")
    assert len(shown.run("byId('curve').getAttribute('points').split(' ')")) == 100
    shown.click("#undo")
    assert shown.run(STATE) == before
    shown.click("#train")
    shown.until("training.step > 3")
    shown.click("#train")
    assert shown.run("[training.running, training.step < 100]") == [False, True]


def test_dark_and_light(shown: Page, address: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    assert shown.run(ground) == "rgb(255, 255, 255)"
    shown.click("#scheme")
    assert shown.run(ground) == "rgb(22, 24, 28)"
    shown.media(prefers_color_scheme="dark")
    shown.open(address)
    assert shown.run(f"[{ground}, byId('scheme').getAttribute('aria-pressed')]") == ["rgb(22, 24, 28)", "true"]
    shown.open(f"{address}?scheme=light")
    assert shown.run(ground) == "rgb(255, 255, 255)"
    shown.drag(handle("f", 3, 0), 0, 20)
    state = shown.run(STATE)
    shown.run("location.hash = '#embed&scheme=dark'")  # the page around changes the frame's address
    shown.until(f"{ground} === 'rgb(22, 24, 28)'")
    assert shown.run(STATE) == state
    shown.click("#scheme")
    assert shown.run(ground) == "rgb(255, 255, 255)"
    shown.run("postMessage({ scheme: 'dark' }, '*'); postMessage({ scheme: 'pink' }, '*'); postMessage(null, '*')")
    shown.until(f"{ground} === 'rgb(22, 24, 28)'")


@pytest.mark.parametrize("part", ["?embed#try=cut", "#try=cut&embed"])
def test_in_a_frame(shown: Page, address: str, part: str) -> None:
    shown.open(address + part, 760, 640)
    assert shown.run("state.experiment") == "cut"
    assert shown.run("byId('wrong').hidden")
    bottom = shown.run(
        "Math.max(...[...document.querySelectorAll('.handle')].map(one => one.getBoundingClientRect().bottom))"
    )
    assert bottom < 640
    assert shown.run("getComputedStyle(byId('equations')).display") == "none"
    shown.drag(handle("f", 3, 0), 0, 20)
    assert shown.run("byId('whole-page').getAttribute('href') === '?#' + written()")
    assert shown.run("location.href.includes('embed')")
