"""The built site in Chromium and Firefox: formulas in their boxes, narrow windows, schemes, and axe-core's findings."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from built_site import Site
from site_browser import run_on_site

pytest.importorskip("mkdocstrings", reason="the site needs pip install -e '.[docs]'")
pytest.importorskip("zensical", reason="the site needs pip install -e '.[docs]'")
pytest.importorskip("py_mini_racer", reason="the site needs pip install -e '.[docs]'")

BROWSERS = ("chromium", "firefox")
SIX = (
    "index.html", "lessons/05_vanishing_gradient.html", "lessons/07_lstm_backward.html", "derivations/lstm-step.html",
    "reference/minigrad.keras.layers.LSTMCell.html", "benchmarks.html",
)  # fmt: skip
AXE = "axe-core@4.14.1"

# Of every formula: its box is as high as its signs, in the page's column, and where it is wider, it scrolls.
FORMULAS = """
const wrong = [];
let seen = 0;
for (const address of ADDRESSES) for (const width of [420, 1400]) {
  const page = await open_page(address, width);
  const column = page.querySelector("article").getBoundingClientRect();
  const style = frame.contentWindow.getComputedStyle;
  for (const box of page.querySelectorAll("div.formula")) {
    seen += 1;
    if (!box.clientWidth) continue;  // in a folded part
    const say = why => wrong.push(`${address} at ${width}: ${why}: ${box.querySelector(".katex-html").textContent}`);
    const edges = box.getBoundingClientRect();
    if (box.scrollHeight > box.clientHeight) say(`${box.scrollHeight} high in ${box.clientHeight}`);
    if (edges.left < column.left - 1 || edges.right > column.right + 1) say("outside the column");
    if (box.scrollWidth > box.clientWidth && (width > 1000 || style(box).overflowX !== "auto")) say("too wide");
    if (box.scrollWidth > box.clientWidth && box.tabIndex !== 0) say("the keyboard cannot scroll it");
    if (box.scrollWidth <= box.clientWidth && [...box.querySelectorAll(".katex-html .katex-base")].some(part => {
      const { left, right } = part.getBoundingClientRect();
      return left < edges.left - 1 || right > edges.right + 1;
    })) say("cut off");
  }
  for (const formula of page.querySelectorAll("span.formula")) {
    const scrolls = formula.closest(".md-typeset__scrollwrap, details");
    if (!scrolls && formula.getBoundingClientRect().right > column.right + 1) {
      wrong.push(`${address} at ${width}: in a line, too wide: ${formula.textContent}`);
    }
  }
  if (!frame.contentDocument.fonts.check("16px KaTeX_Main")) wrong.push(`${address}: KaTeX's fonts are missing`);
}
return { wrong, seen };
"""
NARROW = """
const wrong = [];
for (const address of ADDRESSES) {
  const { scrollWidth, clientWidth } = (await open_page(address, 420)).scrollingElement;
  if (scrollWidth > clientWidth) wrong.push(`${address}: ${scrollWidth} in ${clientWidth}`);
}
return wrong;
"""
SCHEMES = """
const seen = {};
for (const name of ["light", "dark"]) {
  const page = await open_page("derivations/lstm-step.html", 1400, name);
  const style = element => frame.contentWindow.getComputedStyle(element);
  const link = page.querySelector("a.picture"), image = link.querySelector("img");
  link.click();
  const large = page.querySelector("dialog.large");
  seen[name] = {
    ground: style(page.body).backgroundColor, formula: style(page.querySelector(".formula .katex-html")).color,
    bars: [...page.querySelectorAll("div.formula, .md-typeset__scrollwrap, a.picture")].map(
      box => style(box).scrollbarColor),
    filter: style(image).filter, open: large.open, wider: large.querySelector("img").width > image.width,
    alt: large.querySelector("img").alt === image.alt,
  };
  large.click();
  seen[name].closed = !large.open;
}
const home = await open_page("index.html", 1400, "dark");
seen.frame = home.querySelector("iframe.playground").getAttribute("src");
return seen;
"""
FAULTS = """
const wrong = [];
for (const address of ADDRESSES) for (const scheme of ["light", "dark"]) {
  const page = await open_page(address, 1400, scheme);
  const script = Object.assign(page.createElement("script"), { src: "/axe.min.js" });
  await new Promise(done => { script.onload = done; page.head.append(script); });
  const { violations } = await frame.contentWindow.axe.run(page, { iframes: false, resultTypes: ["violations"] });
  for (const { id, impact, nodes } of violations) {
    if (!["serious", "critical"].includes(impact)) continue;
    wrong.push([address, scheme, id, nodes.length, nodes[0].html.slice(0, 200)]);
  }
}
return wrong;
"""


def addresses(site: Site, text: str = "") -> list[str]:
    """Return the pages with a text, those that show files of source excepted."""
    pages = sorted(path.relative_to(site.mkdocs).as_posix() for path in site.mkdocs.rglob("*.html"))
    own = [page for page in pages if not page.startswith("source/") and page not in ("404.html", "playground.html")]
    return [page for page in own if text in (site.mkdocs / page).read_text("utf-8")]


def on(script: str, pages: list[str] | tuple[str, ...]) -> str:
    return script.replace("ADDRESSES", json.dumps(pages))


@pytest.mark.slow
@pytest.mark.parametrize("name", BROWSERS)
def test_every_displayed_formula_is_within_its_box(site: Site, name: str, tmp_path: Path) -> None:
    pages = addresses(site, 'class="formula"')
    assert len(pages) > 30
    found = run_on_site(name, site.mkdocs, on(FORMULAS, pages), tmp_path)
    assert found["wrong"] == []
    assert found["seen"] > 200


@pytest.mark.slow
@pytest.mark.parametrize("name", BROWSERS)
def test_no_page_scrolls_sideways_on_a_phone(site: Site, name: str, tmp_path: Path) -> None:
    assert run_on_site(name, site.mkdocs, on(NARROW, addresses(site)), tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", BROWSERS)
def test_formulas_figures_and_frames_follow_the_scheme(site: Site, name: str, tmp_path: Path) -> None:
    seen = run_on_site(name, site.mkdocs, SCHEMES, tmp_path)
    light, dark = seen["light"], seen["dark"]
    assert light["ground"] != dark["ground"]
    assert light["formula"] != dark["formula"]
    assert light["filter"] == "none"
    assert "auto" not in dark["bars"], "a white scrollbar, in Firefox"
    assert not set(light["bars"]) & set(dark["bars"])
    assert "invert" in dark["filter"]
    assert all(one[key] for one in (light, dark) for key in ("open", "wider", "alt", "closed"))
    assert seen["frame"] == "playground.html#embed&scheme=dark"


@pytest.mark.slow
def test_axe_finds_no_serious_fault(site: Site, tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("there is no npm here, to fetch axe-core with")
    done = subprocess.run([npm, "pack", AXE], cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"there is no answer to npm here: {done.stderr[-200:]}")
    with tarfile.open(next(tmp_path.glob("*.tgz"))) as package:
        (site.mkdocs / "axe.min.js").write_bytes(package.extractfile("package/axe.min.js").read())  # type: ignore[union-attr]
    try:
        found = run_on_site("chromium", site.mkdocs, on(FAULTS, SIX), tmp_path / "profile")
    finally:
        (site.mkdocs / "axe.min.js").unlink()
    assert found == []
