"""Tables 2 and 3: noise-free and noisy sequences with long time lags (section 5.2)."""

from __future__ import annotations

from minigrad.papers.net import Net, Start
from minigrad.papers.row import COMMON, SILENT, Checked, Growth, Milestone, Reading, Row, Window, cells_only, doubled
from minigrad.papers.tasks.long_lags import Distractors, NoiseFree

P = 100
GROWING = Net(
    inputs=P + 1, outputs=P + 1, blocks=1, biases="none", output_biases=False, shortcuts=True, sources="none",
    output_gates=False,
)  # fmt: skip
PER_STEP = Reading("weights change at every step", {"update": "step"}, before=True)
AT_ONCE = Reading("the cell is there from the start", {"grows": None}, before=True)
LAST = Reading("only the last output is tested, as in the later simulator", {"stop.last": True}, before=True)
SLOW = {
    "windows of 200": Reading("the cell is added on windows of 200 sequences", {"grows": Growth(window=200)}),
    "windows of 1000": Reading("the cell is added on windows of 1,000 sequences", {"grows": Growth(window=1_000)}),
    "1 %": Reading("the cell is added when the error falls by less than 1 %", {"grows": Growth(falls=0.01)}),
}


def _growing(name: str, random_middle: bool, published: int) -> Row:
    """Return a row of Table 2: the next symbol at every step; one cell with an input gate, g in [0, 1], h(s) = s.

    The net begins without the cell, which is added when the mean error of a hundred sequences is not below that of the
    hundred before. It has learnt when all errors are below 0.25 on 10,000 sequences: in 2a at every step, in 2b at the
    last.
    """
    stop = Checked(sequences=10_000 if random_middle else 100, tolerance=0.25, last=random_middle)
    return Row(
        table=2, name=name, task=NoiseFree(P, random_middle), net=GROWING, weights=10_504, start=Start(width=0.2),
        rate=1.0, trials=18, milestones=(Milestone(stop=stop, published=published),), grows=Growth(),
        readings={
            "per step": PER_STEP, "cell from the start": AT_ONCE, **SLOW, "factor 2": doubled(1.0),
            **({} if random_middle else {"last output": LAST}),
        },
    )  # fmt: skip


def _distractors(q: int, p: int, weights: int, published: int) -> Row:
    """Return a row of Table 3: two blocks of one cell without biases, an error at the last step only.

    A net has learnt when both errors are below 0.2 for 10,000 successive sequences, which count.
    """
    stop = Window(length=10_000, tolerance=0.2)
    from_start = Reading("the 10,000 sequences without an error do not count", {"stop.count": "start"}, before=True)
    silent = {"net.silent": True, "stop.count": "start"}
    return Row(
        table=3, name=f"q = {q}, p = {p}", task=Distractors(q, p),
        net=Net(inputs=p + 4, outputs=2, blocks=2, biases="none", output_biases=False), weights=weights,
        start=Start(width=0.2), rate=0.01, trials=20, milestones=(Milestone(stop=stop, published=published),),
        readings={
            "streak start": from_start, **COMMON, "factor 2": doubled(0.01),
            "gates not sources": cells_only(6 * p + 40),
            "silent + streak start": Reading(f"{SILENT.text}; {from_start.text}", silent),
        },
    )  # fmt: skip


ROWS = (
    _growing("2a, p = 100", False, 5_040),
    _growing("2b, p = 100", True, 5_680),
    _distractors(50, 50, 364, 30_000),
    _distractors(100, 100, 664, 31_000),
    _distractors(200, 200, 1_264, 33_000),
    _distractors(500, 500, 3_064, 38_000),
    _distractors(1_000, 1_000, 6_064, 49_000),
    _distractors(1_000, 500, 3_064, 49_000),
    _distractors(1_000, 200, 1_264, 75_000),
    _distractors(1_000, 100, 664, 135_000),
    _distractors(1_000, 50, 364, 203_000),
)
