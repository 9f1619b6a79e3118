"""Pages in one file."""

from __future__ import annotations

from html_pages import Reader
from minigrad.plot import Page, gates, svg


def test_a_page_is_whole_and_escapes_what_it_is_given(tmp_path):
    page = Page("a < b").heading("<h>").text("x & y").table(["<c>", "n"], [["<d>", 0.123456789], ["e", 3]], "<cap>")
    page.picture(svg(gates({"f": [0.2, 0.8]}), "p"), "the <gate>")
    reader = Reader(page.html())
    words = "".join(reader.words)
    for part in ("a < b", "<h>", "x & y", "<c>", "<d>", "<cap>", "the <gate>", "0.1235", "Lines: gates over 2"):
        assert part in words
    assert len(reader.all("svg")) == len(reader.all("figure")) == 1
    assert reader.foreign() == []
    page.save(tmp_path / "new" / "page.html")
    assert (tmp_path / "new" / "page.html").read_text("utf-8") == page.html()


def test_in_a_notebook_it_keeps_to_itself():
    frame = Reader(Page("t").text('"quoted"')._repr_html_())
    (attributes,) = frame.all("iframe")
    assert attributes["srcdoc"] == Page("t").text('"quoted"').html()
