"""A bar on a terminal, lines elsewhere."""

from __future__ import annotations

import io

import pytest

from minigrad.train import progress
from minigrad.train.progress import Bar, Lines, Silent, progress_on


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by one second at each look."""
    now = iter(range(10**6))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(now)))


def test_the_stream_decides():
    assert isinstance(progress_on(1, 0, "bits", "steps", Terminal()), Bar)
    assert isinstance(progress_on(1, 0, "bits", "steps", io.StringIO()), Lines)


@pytest.mark.usefixtures("clock")
def test_lines_every_few_seconds_and_at_the_end(monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 5.0)
    stream = io.StringIO()
    lines = progress_on(20, 0, "bits per character", "characters", stream)
    for step in range(1, 11):
        lines.update(step, 2.0, 2048)
    lines.close()
    written = stream.getvalue().splitlines()
    assert written[0].startswith("step 3/20: 2.000 bits per character, ")
    assert " characters/s, " in written[0]
    assert written[0].endswith(" s left")
    assert [line.split(":")[0] for line in written] == ["step 3/20", "step 6/20", "step 9/20", "step 10/20"]


def test_lines_show_no_carriage_return():
    stream = io.StringIO()
    lines = progress_on(2, 0, "bits", "steps", stream)
    lines.update(1, 2.0, 5)
    lines.note("half way")
    lines.close()
    lines.close()
    assert "\r" not in stream.getvalue()
    assert stream.getvalue().splitlines()[0] == "half way"
    assert len(stream.getvalue().splitlines()) == 2


def test_a_bar_shows_loss_and_speed_and_begins_where_the_run_goes_on():
    stream = Terminal()
    bar = progress_on(100, 50, "bits per character", "characters", stream)
    for step in range(51, 101):
        bar.update(step, 2.0, 2048)
    bar.note("done")
    bar.close()
    assert "50/100" in stream.getvalue()
    last = stream.getvalue().split("\r")[-1]
    assert "100/100" in last
    assert "2.000 bits per character" in last
    assert "characters/s" in last
    assert "done\n" in stream.getvalue()


def test_the_loss_shown_is_a_running_mean():
    stream = io.StringIO()
    lines = progress_on(2, 0, "bits", "steps", stream)
    lines.update(1, 2.0, 5)
    lines.update(2, 4.0, 5)
    lines.close()
    assert "step 2/2: 2.100 bits" in stream.getvalue()


def test_silence():
    silent = Silent()
    silent.update(1, 2.0, 5)
    silent.note("x")
    silent.close()
