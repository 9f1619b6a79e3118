"""Table 8: the multiplication problem (section 5.5)."""

from __future__ import annotations

from minigrad.papers.hochreiter97.experiment_4 import NET
from minigrad.papers.net import Start
from minigrad.papers.row import SILENT, Milestone, Reading, Row, Window, biased, cells_only
from minigrad.papers.tasks.marked_pairs import MarkedPairs

RANDOM = Reading("random biases of input gates: Table 10", {"start.input_gates": ()}, before=True)
SQUARED = Reading("the tolerance is of the squared error", {"stop.tolerance": 0.04**0.5}, before=True)


def _stop(wrong: int) -> Window:
    """Return the stop with fewer than n_seq of the last 2,000 errors above 0.04."""
    return Window(length=2_000, tolerance=0.04, fewer_than=wrong)


ROWS = (
    Row(
        table=8, name="T = 100", task=MarkedPairs(100, product=True), net=NET, weights=93,
        start=Start(width=0.1, input_gates=(-3.0, -6.0)),  # the architecture of 5.4, by the text
        rate=0.1, trials=10, test=2_560,
        milestones=(
            Milestone(name="n_seq = 140", stop=_stop(140), published=482_000, test='139 of 2560 wrong, "MSE" 0.0223'),
            Milestone(name="n_seq = 13", stop=_stop(13), published=1_273_000, test='14 of 2560 wrong, "MSE" 0.0139'),
        ),
        readings={
            **biased(0.1, 101), "random gates": RANDOM, "squared": SQUARED, "silent": SILENT,
            "gates not sources": cells_only(61),
        },
    ),
)  # fmt: skip
