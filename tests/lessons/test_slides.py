"""Slides made by Marp, and measured in Chromium. Needs `npm ci --prefix lessons/kit/slides` and Chromium."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from lessons.builder.command import main
from lessons.builder.lesson import lessons
from lessons.builder.percent import LessonError
from lessons.kit import marp, plans, slides

pytestmark = pytest.mark.slow
EVERY = {lesson.number: lesson for lesson in lessons()}
MEASURE = """
<script>
addEventListener("load", () => {
  const slides = [...document.querySelectorAll("section")];
  const over = slides.filter((s) => s.scrollHeight > s.clientHeight + 1 || s.scrollWidth > s.clientWidth + 1);
  const broken = [...document.images].filter((image) => image.naturalWidth === 0);
  document.body.dataset.slides = slides.length;
  document.body.dataset.over = over.map((s) => s.querySelector("h1, h2").textContent).join("; ");
  document.body.dataset.broken = broken.map((image) => image.src).join("; ");
});
</script>
"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is not installed")
    try:
        marp.marp()
    except LessonError as error:
        pytest.skip(str(error))
    return found


def pages(file: Path) -> int:
    """Count the pages of a PDF file."""
    content = file.read_bytes()
    streams = [content]
    for found in re.finditer(rb"stream\r?\n(.*?)endstream", content, re.DOTALL):
        try:
            streams.append(zlib.decompress(found[1]))
        except zlib.error:  # not a compressed stream
            continue
    return max(len(re.findall(rb"/Type\s*/Page\b", one)) for one in (b"".join(streams),))


@pytest.mark.usefixtures("chromium")
def test_pages_and_pdf_files(tmp_path: Path) -> None:
    assert main(["slides", str(tmp_path), "--sessions", "2"]) == 0
    for name in ("2-sessions-01", "2-sessions-02"):
        text = (tmp_path / f"{name}.html").read_text("utf-8")
        count = text.count("<section")
        assert count >= 11
        assert text.count("bespoke-marp-note") >= count, "the presenter's notes"
        images = re.findall(r"<img [^>]*>", text)
        assert images
        for image in images:
            assert re.search(r'alt="[^"]{40,}"', image)
            assert (tmp_path / re.search(r'src="([^"]+)"', image)[1]).is_file()
        assert not re.search(r"""(?:src|href)=["']?https?:|url\(["']?https?:|@import""", text), "fetched from elsewhere"
        assert pages(tmp_path / f"{name}.pdf") == count


def test_nothing_sticks_out_of_a_slide(chromium: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All slides of all lessons in one deck."""
    monkeypatch.setattr(slides, "FULL", 1000)
    slots = tuple(plans.Slot(1, parts=tuple(script)) for script in plans.scripts().values())
    everything = plans.Plan("All", "all", len(slots), (plans.Session("All", "all of it", slots),))
    (file,) = marp.write_markdown([everything], EVERY, tmp_path)
    marp._run([marp.marp(), "--no-stdin", "--html", "--template", "bare", str(file)])
    page = file.with_suffix(".html")
    page.write_text(page.read_text("utf-8") + MEASURE, "utf-8")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    options = ["--headless", "--disable-gpu", *root, "--allow-file-access-from-files", "--virtual-time-budget=20000"]
    command = [chromium, *options, "--dump-dom", page.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True).stdout
    body = re.search(r"<body[^>]*>", dom)[0]
    assert int(re.search(r'data-slides="(\d+)"', body)[1]) > 100
    assert 'data-broken=""' in body
    assert re.search(r'data-over="([^"]*)"', body)[1] == ""
