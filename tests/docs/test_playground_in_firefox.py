"""The playground in Firefox, used by fingers, keys, the mouse and links. In Chromium: tests/playground/test_use.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from marionette import Page, running
from minigrad.playground.builder import playground

pytestmark = pytest.mark.slow
pytest.importorskip("mkdocstrings", reason="like the tests of the site, in .ci/run")
PHONE = (390, 844)
STATE = "JSON.stringify(state)"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("page") / "playground.html"
    file.write_text(playground(), "utf-8")
    return file.as_uri()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    dark = {"layout__css__prefers-color-scheme__content-override": 0}
    with running(tmp_path_factory.mktemp("firefox"), **dark) as found:
        yield found


def handle(row: str, t: int, u: int) -> str:
    return f'.handle[data-row="{row}"][data-at="{t} {u}"]'


def focus(page: Page, selector: str) -> None:
    page.run("document.querySelector(arguments[0]).focus()", selector)


def test_the_numbers_are_minigrads_and_no_handle_is_below_the_fold(page: Page, address: str) -> None:
    page.open(address, *PHONE)
    assert "to within 10⁻¹²" in page.see("byId('agreement').textContent")
    lowest = "Math.max(...[...document.querySelectorAll('.handle')].map(one => one.getBoundingClientRect().bottom))"
    assert page.see(f"[{lowest} <= innerHeight, document.documentElement.scrollWidth <= innerWidth]") == [True, True]


def test_a_finger(page: Page, address: str) -> None:
    page.open(address, *PHONE)
    page.point("touch", handle("f", 5, 0), dy=35)
    assert page.see("state.held[5].f[0]") == pytest.approx(0.5, abs=0.08)
    assert page.see("[scrollX, scrollY]") == [0, 0]
    assert page.see("byId('fingers').hidden") is False
    small = "one => one.clientHeight && (one.clientHeight < 42 || one.clientWidth < 42)"  # without their borders
    assert page.see(f"[...document.querySelectorAll('#fingers button, #fingers input')].filter({small}).length") == 0
    page.point("touch", "#more")
    assert page.see("state.held[5].f[0]") == pytest.approx(0.55, abs=0.08)
    page.point("touch", "#let-go")
    assert page.see("state.held[5].f[0]") is None
    page.point("touch", handle("x", 4, 1), dx=14)
    assert page.see("state.x[4][1]") == pytest.approx(0.8)
    page.run("window.scrollTo(0, 0)")
    page.point("touch", "#text")
    assert page.see("byId('fingers').hidden")


def test_keys_undo_and_redo(page: Page, address: str) -> None:
    page.open(address)
    focus(page, handle("f", 2, 0))
    page.press("Tab")
    assert page.see("document.activeElement.getAttribute('aria-label')") == "forget gate f, step 3, unit 2"
    start = page.see(STATE)
    page.see("void (Date.now = () => 0)")  # all presses within a second
    for key, value in {"Home": 0, "ArrowUp": 0.01, "PageUp": 0.11, "ArrowLeft": 0.1, "End": 1}.items():
        page.press(key)
        assert page.see("state.held[2].f[1]") == pytest.approx(value), key
    page.press("Control", "z")
    assert json.loads(page.see(STATE))["held"] == json.loads(start)["held"]
    page.press("Control", "Shift", "z")
    assert page.see("state.held[2].f[1]") == 1
    page.press("Delete")
    assert page.see("state.held[2].f[1]") is None


def test_a_mouse_and_the_link(page: Page, address: str) -> None:
    page.open(address)
    page.point("mouse", handle("o", 7, 0), dy=300)
    assert page.see("state.held[7].o[0]") == 0
    page.see("void (setSteps(11), setForgetBias(0.3), done())")
    link, state = page.see("[location.hash, JSON.stringify(state)]")
    assert "hold=o8.1:0" in link
    page.open(address + link)
    assert page.see(STATE) == state
    page.open(f"{address}#T=99")
    assert "T=99 is not a whole number from 2 to 12" in page.see("byId('wrong').textContent")


def test_training_and_the_journey(page: Page, address: str) -> None:
    page.open(address)
    page.see("void byId('one-step').click()")
    assert page.see("byId('caption').textContent").startswith("The gradient starts at h₈")
    page.see("void (byId('tab-train').click(), byId('fresh').click(), byId('train').click())")
    page.until("!training.running && training.losses.length === 100")
    assert page.see("byId('loss-now').textContent").startswith("Loss after 100 steps: 0.00")


def test_scrollbars_follow_the_scheme(page: Page, address: str) -> None:
    """Firefox draws white ones in a dark frame unless they get colours."""
    bars = "getComputedStyle(document.documentElement).scrollbarColor"
    page.open(address)
    dark = page.see(f"[{bars}, getComputedStyle(document.body).backgroundColor]")
    assert dark[1] in dark[0]
    page.open(f"{address}?scheme=light")
    light = page.see(f"[{bars}, getComputedStyle(document.body).backgroundColor]")
    assert light[1] in light[0]
    assert dark != light
