"""Table 1: the embedded Reber grammar (section 5.1)."""

from __future__ import annotations

from minigrad.papers.net import Net, Start
from minigrad.papers.row import FULL, SILENT, Checked, Milestone, Reading, Row, biased, cells_only
from minigrad.papers.tasks.reber import EmbeddedReber

PER_STEP = Reading("weights change at every step", {"update": "step"}, before=True)
FULL_HALF = Reading("the full gradient, activations of 0.5", {"net.full": True, "net.start": 0.5})
SHORTCUTS = Reading(
    "another net: shortcuts and output biases", {"net.shortcuts": True, "net.output_biases": True, "weights": 332}
)
DISTINCT = Reading("training strings that differ", {"task.distinct": True}, before=True)
SUCCESSORS = Reading("targets are all symbols that may follow", {"task.successors": True}, before=True)
LAST = Reading("only the last output is tested, as in the later simulator", {"stop.last": True}, before=True)


def _row(blocks: int, size: int, rate: float, success: int, published: int) -> Row:
    """Return a row: one-hot symbols in and out, gate biases only, an error at every step.

    Three pairs of training and test sets, with ten nets each. A net has learnt when on all 512 strings every legal
    successor is more active than every illegal one; it is tested after every hundred strings.
    """
    net = Net(inputs=7, outputs=7, blocks=blocks, size=size, biases="gates", output_biases=False)
    other = {
        **biased(rate, 287 if size == 1 else 301), "per step": PER_STEP, "full": FULL, "full + start at 0.5": FULL_HALF,
        "silent": SILENT, "distinct strings": DISTINCT, "successors": SUCCESSORS, "last output": LAST,
        "gates not sources": cells_only(168 if size == 1 else 204),
    }  # fmt: skip
    return Row(
        table=1, name=f"{blocks} blocks of {size}, rate {rate}", task=EmbeddedReber(), net=net,
        weights=264 if size == 1 else 276, start=Start(width=0.2, output_gates=(-1.0, -2.0, -3.0, -4.0)), rate=rate,
        trials=30, success=success, groups=10,
        milestones=(Milestone(stop=Checked(sequences=512, tolerance=0.0), published=published),),
        readings={**other, **({"shortcuts": SHORTCUTS} if size == 2 else {})},
    )  # fmt: skip


ROWS = (
    _row(4, 1, 0.1, 100, 39_740),
    _row(3, 2, 0.1, 100, 21_730),
    _row(3, 2, 0.2, 97, 14_060),
    _row(4, 1, 0.5, 97, 9_500),
    _row(3, 2, 0.5, 100, 8_440),
)
