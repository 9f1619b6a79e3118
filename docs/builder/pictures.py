"""Pictures of a page: links that `assets/site.js` opens large, and that stay legible on a narrow window."""

from __future__ import annotations

import re
import struct
from pathlib import Path

PICTURE = re.compile(r"^!\[(?P<alt>(?:\\.|[^\]\\])*)\]\((?P<file>[^)\s]+)\)$", re.MULTILINE)
SVG_SIZE = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)(pt|px|)"')
PIXELS = {"pt": 4 / 3, "px": 1.0, "": 1.0}
LEGIBLE = 0.7  # of its size; a narrower window scrolls the picture sideways, within its box


def with_large_pictures(text: str, folder: Path) -> str:
    """Return a page whose pictures, each alone in its line, have their sizes and open large at a click.

    Args:
        text: the page.
        folder: that of the page, which the pictures' addresses begin from.
    """

    def linked(found: re.Match[str]) -> str:
        width = width_of(folder / found["file"])
        style = f"min-width: {LEGIBLE * width:.0f}px; max-width: min(100%, {width:.0f}px)"
        image = f'![{found["alt"]}]({found["file"]}){{ loading="lazy" style="{style}" }}'
        return f"[{image}]({found['file']}){{ .picture }}"

    return PICTURE.sub(linked, text)


def width_of(picture: Path) -> float:
    """Return the width of an SVG or PNG file in pixels."""
    if picture.suffix == ".png":
        return float(struct.unpack(">I", picture.read_bytes()[16:20])[0])
    width, unit = SVG_SIZE.search(picture.read_text("utf-8")).groups()  # type: ignore[union-attr]
    return float(width) * PIXELS[unit]
