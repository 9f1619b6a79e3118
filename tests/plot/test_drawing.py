"""Figures as SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from minigrad.plot import Drawing, alt_text, gates, svg


def test_a_figure_as_one_element(tmp_path):
    ax = gates({"f": [0.2, 0.8]})
    drawing = svg(ax)
    root = ET.fromstring(drawing.svg)
    assert drawing.svg.startswith("<svg ")
    assert root.get("role") == "img"
    assert root.get("aria-label") == alt_text(ax) == alt_text(drawing) == drawing.alt
    assert "metadata" not in drawing.svg
    assert not re.search(r'(?:src|href)="http', drawing.svg)
    drawing.save(tmp_path / "gates.svg")
    ET.parse(tmp_path / "gates.svg")


def test_the_same_figure_gives_the_same_bytes():
    first, second = (svg(gates({"f": [0.2, 0.8]}), "a").svg for _ in range(2))
    assert first == second


def test_two_drawings_in_one_page_share_no_id():
    ids = [set(re.findall(r'\bid="([^"]+)"', svg(gates({"f": [0.2, 0.8]}), name).svg)) for name in ("a", "b")]
    assert ids[0]
    assert not ids[0] & ids[1]
    text = svg(gates({"f": [0.2, 0.8]}), "a").svg
    referred = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    assert referred
    assert referred <= ids[0]


def test_quotes_and_signs_in_the_alt_text():
    drawing = Drawing('<svg xmlns="http://www.w3.org/2000/svg"></svg>', 'a < b & "c"')
    assert ET.fromstring(drawing.svg).get("aria-label") == 'a < b & "c"'
    assert repr(drawing) == "Drawing('a < b & \"c\"')"
