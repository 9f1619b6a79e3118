"""Tables 4, 5 and 6: the two-sequence problem, with noise and signal on the same channel (section 5.3)."""

from __future__ import annotations

from minigrad.papers.net import Net, Start
from minigrad.papers.row import SILENT, Checked, Milestone, Reading, Row, biased, cells_only
from minigrad.papers.tasks.two_sequences import TwoSequences

NET = Net(inputs=1, outputs=1, blocks=3, output_biases=False)
START = Start(width=0.1, input_gates=(-1.0, -3.0, -5.0), output_gates=(-2.0, -4.0, -6.0))
DEVIATION = Reading("noise of standard deviation 0.2", {"task.deviation": 0.2}, before=True)
NOISY = Reading("noise on the informative elements too", {"task.noisy": True})
READINGS = {"silent": SILENT, "gates not sources": cells_only(48)}


def _classes(table: int, T: int, N: int, wrong: str, published: tuple[int, int], fewer_than: int, mean: float) -> Row:
    """Return a row of Table 4 or 5, with two stops, tested on 256 new sequences after every hundred.

    ST1: fewer than `fewer_than` errors above 0.2. ST2: and a mean absolute error below `mean`.
    """
    stops = [Checked(sequences=256, tolerance=0.2, fewer_than=fewer_than, mean_below=m) for m in (float("inf"), mean)]
    return Row(
        table=table, name=f"T = {T}, N = {N}", task=TwoSequences(T, N, noisy=table == 5), net=NET, weights=102,
        start=START, rate=1.0, trials=10, test=2_560,
        milestones=(
            Milestone(name="ST1", stop=stops[0], published=published[0]),
            Milestone(name="ST2", stop=stops[1], published=published[1], test=f"{wrong} wrong"),
        ),
        readings={**biased(1.0, 112), **READINGS, "deviation 0.2": DEVIATION},
    )  # fmt: skip


def _noisy_targets(N: int, wrong: str, published: int) -> Row:
    """Return a row of Table 6: targets 0.2 and 0.8 with noise of variance 0.1.

    A net has learnt when no error from the target without noise is above 0.1, and their mean is below 0.015.
    """
    stop = Checked(sequences=256, tolerance=0.1, mean_below=0.015)
    return Row(
        table=6, name=f"T = 100, N = {N}",
        task=TwoSequences(100, N, targets=(0.2, 0.8), target_deviation=0.1**0.5), net=NET, weights=102, start=START,
        rate=0.1, trials=10, test=2_560,
        milestones=(Milestone(stop=stop, published=published, test=wrong),),
        readings={**biased(0.1, 112), **READINGS, "noisy elements": NOISY},
    )  # fmt: skip


ROWS = (
    _classes(4, 100, 3, "0.000195", (27_380, 39_850), 1, 0.01),
    _classes(4, 100, 1, "0.000117", (58_370, 64_330), 1, 0.01),
    _classes(4, 1_000, 3, "0.000078", (446_850, 452_460), 1, 0.01),
    _classes(5, 100, 3, "0.00828", (41_740, 43_250), 6, 0.04),
    _classes(5, 100, 1, "0.01500", (74_950, 78_430), 6, 0.04),
    _classes(5, 1_000, 1, "0.01207", (481_060, 485_080), 6, 0.04),
    _noisy_targets(3, "0.00558 wrong, mean error 0.014", 269_650),
    _noisy_targets(1, "0.00441 wrong, mean error 0.012", 565_640),
)
