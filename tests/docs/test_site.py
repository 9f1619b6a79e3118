"""The site as MkDocs builds it, strictly, and as Zensical does: whole, and with nothing from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from built_site import Site

pytest.importorskip("mkdocstrings", reason="the site needs pip install -e '.[docs]'")
pytest.importorskip("zensical", reason="the site needs pip install -e '.[docs]'")
pytest.importorskip("py_mini_racer", reason="the site needs pip install -e '.[docs]'")

from docs.builder.lessons import notebooks
from docs.builder.links import ROOT
from docs.builder.program import BLOCK, blocks
from docs.builder.site import written_by_hand
from lessons.builder.lesson import BESIDE

# Attributes by which a browser fetches something for a page without being asked to.
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
VOID_OF_NETWORK = ("canonical", "next", "prev")  # links that say where a page is, and fetch nothing


class Page(HTMLParser):
    """The elements of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.styles: list[str] = []
        self._in = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))
        self._in = tag

    def handle_data(self, data: str) -> None:
        if self._in == "style":
            self.styles.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.seen if name == tag]

    def fetched(self) -> Iterator[str]:
        """The addresses of what a browser fetches for the page."""
        for tag, attributes in self.seen:
            if tag in FETCHED and attributes.get("rel") not in VOID_OF_NETWORK:
                yield attributes.get(FETCHED[tag], "")
            yield from re.findall(r"\S+(?= |,|$)", attributes.get("srcset", ""))
            yield from addresses_in(attributes.get("style", ""))
        for style in self.styles:
            yield from addresses_in(style)


parsed = cache(Page)


def addresses_in(css: str) -> list[str]:
    """Return the addresses that a style sheet fetches."""
    return re.findall(r"""(?:url\(|@import\s)\s*["']?([^"')\s;]+)""", css)


def foreign(addresses: Iterator[str] | list[str]) -> list[str]:
    return [address for address in addresses if re.match(r"(?:[a-z]+:)?//", address.strip())]


def html(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


@pytest.mark.slow
def test_zensical_builds_the_same_pages(site: Site) -> None:
    pages = {path.relative_to(site.mkdocs) for path in html(site.mkdocs)}
    assert {path.relative_to(site.zensical) for path in html(site.zensical)} == pages
    markdown = {path.relative_to(site.pages).with_suffix(".html") for path in site.pages.rglob("*.md")}
    assert pages == markdown | {Path("404.html"), Path("playground.html")}
    assert len(pages) > 150


@pytest.mark.slow
@pytest.mark.parametrize("builder", ["mkdocs", "zensical"])
def test_nothing_is_fetched_from_elsewhere(site: Site, builder: str) -> None:
    folder: Path = getattr(site, builder)
    for path in html(folder):
        page = parsed(path)
        assert foreign(page.fetched()) == [], path
        assert "mermaid" not in [attributes.get("class") for _, attributes in page.seen]  # the theme would fetch it
    for path in folder.rglob("*.css"):
        assert foreign(addresses_in(path.read_text("utf-8"))) == [], path


@pytest.mark.slow
@pytest.mark.parametrize("builder", ["mkdocs", "zensical"])
def test_every_picture_is_there_and_says_what_it_shows(site: Site, builder: str) -> None:
    folder: Path = getattr(site, builder)
    pictures = 0
    for path in html(folder):
        for image in parsed(path).all("img"):
            pictures += 1
            assert len(image.get("alt", "").strip()) > 20, path
            assert image["src"].startswith("data:") or (path.parent / image["src"]).exists(), (path, image["src"])
    assert pictures > 50


@pytest.mark.slow
def test_every_page_has_one_title(site: Site) -> None:
    for path in html(site.mkdocs):
        assert len(parsed(path).all("h1")) == 1, path


@pytest.mark.slow
def test_the_search_knows_the_pages(site: Site) -> None:
    index = json.loads((site.mkdocs / "search" / "search_index.json").read_text("utf-8"))
    places = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {"glossary.html", "reference/minigrad.keras.layers.LSTMCell.html", "derivations/masks.html"} <= places
    assert not any(place.startswith("source/") for place in places)


@pytest.mark.slow
def test_every_block_of_python_on_the_site_is_run(site: Site) -> None:
    """Those of the pages by `test_documents`, those of the lessons by their tests, docstrings' as doctests."""
    known = {block for name in written_by_hand() for block in blocks((ROOT / name).read_text("utf-8"))}
    for notebook in notebooks():
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        known |= {"".join(cell["source"]) + "\n" for cell in cells if cell["cell_type"] == "code"}
    found = 0
    for path in site.pages.rglob("*.md"):
        if path.relative_to(site.pages).parts[0] == "source":
            continue
        text = path.read_text("utf-8")
        assert {language for language, _ in BLOCK.findall(text)} <= {"python", "sh", "text", ""}, path
        found += len(blocks(text))
        assert [block for block in blocks(text) if block not in known] == [], path
    assert found > 100


@pytest.mark.slow
def test_no_solution_is_on_the_site(site: Site) -> None:
    lessons = [site.mkdocs / "lessons" / f"{notebook.stem}.html" for notebook in notebooks()]
    assert len(lessons) == 15
    for path in lessons:
        assert "BEGIN SOLUTION" not in path.read_text("utf-8"), path


@pytest.mark.slow
def test_a_notebook_can_be_taken_away_with_what_it_imports(site: Site) -> None:
    for built in (site.mkdocs, site.zensical):
        for file in (*notebooks(), *(ROOT / "lessons" / name for name in BESIDE)):
            assert (built / "lessons" / file.name).read_bytes() == file.read_bytes(), built


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<script src="https://unpkg.com/x">', ["https://unpkg.com/x"]),
        ('<link rel="stylesheet" href="//fonts.example/css">', ["//fonts.example/css"]),
        ('<img srcset="https://a.b/c.png 2x" src="c.png">', ["https://a.b/c.png"]),
        ('<p style="background: url(http://a.b/c.png)">', ["http://a.b/c.png"]),
        ("<style>@import 'https://a.b/c.css';</style>", ["https://a.b/c.css"]),
        ('<a href="https://a.b/">out</a><img src="data:image/png;base64,x"><script src="a.js">', []),
    ],
)
def test_what_comes_from_elsewhere_is_seen(text: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text, "utf-8")
    assert foreign(Page(tmp_path / "page.html").fetched()) == found
