"""Table 7: the adding problem (section 5.4)."""

from __future__ import annotations

from minigrad.papers.net import Net, Start
from minigrad.papers.row import FULL, SILENT, Milestone, Reading, Row, Window, biased, cells_only
from minigrad.papers.tasks.marked_pairs import MarkedPairs

NET = Net(inputs=2, outputs=1, blocks=2, size=2)
START = Start(width=0.1, input_gates=(-3.0, -6.0))
SQUARED = Reading("the tolerance is of the squared error", {"stop.tolerance": 0.04**0.5}, before=True)
SQUARED_BOTH = Reading(
    "tolerance and mean are of the squared error", {"stop.tolerance": 0.04**0.5, "stop.squared": True}, before=True
)
FIRST = Reading("the marker of a marked first pair stays −1", {"task.first_marker": -1.0}, before=True)
TENTH = Reading("errors below 0.1", {"stop.tolerance": 0.1})


def _row(T: int, wrong: str, published: int) -> Row:
    """Return a row: stop when the last 2,000 errors are below 0.04 and their mean is below 0.01."""
    stop = Window(length=2_000, tolerance=0.04, mean_below=0.01)
    readings = {
        **biased(0.5, 101), "squared": SQUARED, "all squared": SQUARED_BOTH, "below 0.1": TENTH, "silent": SILENT,
        "first marker": FIRST, "full": FULL, "gates not sources": cells_only(61),
    }  # fmt: skip
    return Row(
        table=7, name=f"T = {T}", task=MarkedPairs(T), net=NET, weights=93, start=START, rate=0.5, trials=10,
        milestones=(Milestone(stop=stop, published=published, test=wrong),), test=2_560, readings=readings,
    )  # fmt: skip


ROWS = (
    _row(100, "1 of 2560 wrong", 74_000),
    _row(500, "0 of 2560 wrong", 209_000),
    _row(1_000, "1 of 2560 wrong", 853_000),
)
