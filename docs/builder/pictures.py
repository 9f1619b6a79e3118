"""Pictures of a page: links that `assets/site.js` opens large, and that stay legible on a narrow window."""

from __future__ import annotations

import re
import struct
from pathlib import Path

PICTURE = re.compile(r"^!\[(?P<alt>(?:\\.|[^\]\\])*)\]\((?P<file>[^)\s]+)\)$", re.MULTILINE)
PIXELS = {"pt": 4 / 3, "px": 1.0, "": 1.0}
DPI = 110  # of a figure of a lesson that has one pixel for each pixel of the page; sharper files have more
LEGIBLE = 0.7  # of its size; a narrower window scrolls the picture sideways, within its box


def with_large_pictures(text: str, folder: Path) -> str:
    """Return a page whose pictures, each alone in its line, have their sizes and open large at a click.

    Args:
        text: the page.
        folder: that of the page, which the pictures' addresses begin from.
    """

    def linked(found: re.Match[str]) -> str:
        width, height = size_of(folder / found["file"])
        size = f'width="{width:.0f}" height="{height:.0f}"'  # the page does not move when it arrives
        style = f"min-width: {LEGIBLE * width:.0f}px; max-width: min(100%, {width:.0f}px)"
        image = f'![{found["alt"]}]({found["file"]}){{ {size} loading="lazy" style="{style}" }}'
        return f"[{image}]({found['file']}){{ .picture }}"

    return PICTURE.sub(linked, text)


def size_of(picture: Path) -> tuple[float, float]:
    """Return the width and the height of an SVG or PNG file in pixels."""
    if picture.suffix == ".png":
        content = picture.read_bytes()
        width, height = struct.unpack(">II", content[16:24])
        scale = max(1, round(_dots_an_inch(content) / DPI))
        return width / scale, height / scale
    start = picture.read_text("utf-8").partition("<svg")[2].partition(">")[0]
    return _pixels(start, "width"), _pixels(start, "height")


def _dots_an_inch(png: bytes) -> float:
    """Return the resolution that a PNG file names, in dots an inch, or 0."""
    before, _, chunk = png.partition(b"pHYs")
    return struct.unpack(">I", chunk[:4])[0] * 0.0254 if chunk and b"IDAT" not in before else 0.0


def _pixels(attributes: str, name: str) -> float:
    number, unit = re.search(rf'\b{name}="([\d.]+)(pt|px|)"', attributes).groups()  # type: ignore[union-attr]
    return float(number) * PIXELS[unit]
