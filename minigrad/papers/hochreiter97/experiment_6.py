"""Table 9: temporal order, with two and with three symbols (section 5.6)."""

from __future__ import annotations

from minigrad.papers.net import Net, Start
from minigrad.papers.row import SILENT, Milestone, Reading, Row, Window, biased, cells_only
from minigrad.papers.tasks.order import TemporalOrder

STOP = Window(length=2_000, tolerance=0.3, mean_below=0.1)
"""The last 2,000 sequences are correct, all errors below 0.3, and their mean error is below 0.1."""
READINGS = {
    "silent": SILENT,
    "exponential": Reading("an exponential average of errors", {"stop.average": "exponential"}),
}
HALF_RATE = Reading("learning rate 0.5", {"rate": 0.5})

ROWS = (
    Row(
        table=9, name="6a", task=TemporalOrder(((10, 20), (50, 60))), net=Net(inputs=8, outputs=4, blocks=2, size=2),
        weights=156, start=Start(width=0.1, input_gates=(-2.0, -4.0)), rate=0.5, trials=20, test=2_560,
        milestones=(Milestone(stop=STOP, published=31_390, test="1 of 2560 wrong"),),
        readings={**biased(0.5, 164), **READINGS, "gates not sources": cells_only(124)},
    ),
    Row(
        table=9, name="6b", task=TemporalOrder(((10, 20), (33, 43), (66, 76))),
        net=Net(inputs=8, outputs=8, blocks=3, size=2), weights=308,
        start=Start(width=0.1, input_gates=(-2.0, -4.0, -6.0)), rate=0.1, trials=10, test=2_560,
        milestones=(Milestone(stop=STOP, published=571_100, test="2 of 2560 wrong"),),
        readings={**biased(0.1, 320), **READINGS, "rate 0.5": HALF_RATE, "gates not sources": cells_only(236)},
    ),
)  # fmt: skip
