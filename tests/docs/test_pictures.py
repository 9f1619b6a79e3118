"""Pictures of a page become links to themselves, with a least width at which they are legible."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from docs.builder.links import ROOT
from docs.builder.pictures import LEGIBLE, size_of, with_large_pictures

CHART = ROOT / "docs" / "assets" / "benchmarks-lstm.svg"
PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000003e80000019008060000")  # 1000 x 400: the first bytes


@pytest.mark.parametrize(
    ("name", "content", "size"),
    [
        ("a.svg", b'<svg role="img" width="300pt" height="9pt">', (400.0, 12.0)),
        ("b.svg", b'<?xml version="1.0"?>\n<svg viewBox="0 0 1 1" width="300.5" height="2">', (300.5, 2.0)),
        ("c.svg", b'<svg height="1" width="77px">', (77.0, 1.0)),
        ("d.png", PNG, (1000.0, 400.0)),
        ("two.png", PNG + b"\1\2\3 pHYs" + struct.pack(">IIB", 8661, 8661, 1), (500.0, 200.0)),  # 220 dots an inch
        ("one.png", PNG + b"\1\2\3 pHYs" + struct.pack(">IIB", 4331, 4331, 1), (1000.0, 400.0)),  # 110
        ("no.png", PNG + b"\1\2\3 IDATpHYs" + struct.pack(">IIB", 8661, 8661, 1), (1000.0, 400.0)),  # in the pixels
    ],
)
def test_the_size_in_pixels(tmp_path: Path, name: str, content: bytes, size: tuple[float, float]) -> None:
    (tmp_path / name).write_bytes(content)
    assert size_of(tmp_path / name) == size


def test_a_picture_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / "d.png").write_bytes(PNG)
    page = with_large_pictures("Before\n\n![one \\[of\\] two](d.png)\n\nafter ![not alone](d.png)", tmp_path)
    least = f"min-width: {LEGIBLE * 1000:.0f}px; max-width: min(100%, 1000px)"
    image = f'![one \\[of\\] two](d.png){{ width="1000" height="400" loading="lazy" style="{least}" }}'
    assert page == f"Before\n\n[{image}](d.png){{ .picture }}\n\nafter ![not alone](d.png)"


def test_the_charts_have_a_size() -> None:
    assert size_of(CHART)[0] > 400
