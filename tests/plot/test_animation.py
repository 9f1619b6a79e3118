"""Frames of a training with a slider."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from html_pages import Reader
from minigrad.engine.errors import MinigradError
from minigrad.plot import animate, cell_state, gate_heatmap
from tool_errors import NO_TRACES


def frames(page: Any) -> list[list[str]]:
    (found,) = re.findall(r"const frames = (\[.*\]), at = ", page.html())
    return json.loads(found)


def test_a_frame_for_each_trace(make: Any) -> None:
    page = animate({"epoch 1": make(), "epoch </script>": make()}, units=1, pause=250)
    names, pngs, alts = zip(*frames(page), strict=True)
    assert names == ("epoch 1", "epoch </script>")
    assert all(png.startswith("iVBORw0KGgo") for png in pngs)
    assert alts[0].startswith("epoch 1: Lines: gates of lstm")
    reader = Reader(page.html())
    assert len(reader.all("script")) == 1
    assert reader.foreign() == []
    assert "setInterval(next, 250)" in page.html()


def test_all_frames_have_one_scale() -> None:
    seen: list[Any] = []

    def draw(source: Any, ax: Any) -> Any:
        seen.append(cell_state(source, ax=ax))
        return seen[-1]

    animate({1: [0.0, 1.0, 2.0], 2: [0.0, -5.0, 9.0]}, draw)
    low, high = seen[0].get_ylim()
    assert seen[1].get_ylim() == (low, high)
    assert low < -5
    assert high > 9
    assert seen[0].get_title() == "1"


def test_other_pictures_and_no_picture(make: Any) -> None:
    assert len(frames(animate({0: make()}, gate_heatmap, gate="i"))) == 1
    with pytest.raises(MinigradError, match=NO_TRACES):
        animate({})
