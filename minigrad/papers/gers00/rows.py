"""The five rows of Table 2: nets, learning, published results; and the rules that all rows share."""

from __future__ import annotations

from dataclasses import dataclass

from minigrad.papers.gers00.net import Net2000

TABLE = 2
STREAMS = 30_000
"""The most training streams of a net."""
LONGEST = 100_000
"""The symbols at which a stream ends, in training and in tests."""
TESTS = 10
"""Test streams after a training stream; a net is perfect if none of them has an error."""
GOOD = 1_000
"""The least mean length of error-free test streams of a good net, and of a training stream before a test."""
SYMBOLS = 60_000_000
"""The most symbols of a net, in training and tests together: a limit of this laboratory, not of the paper."""
RATE = 0.5
NETS = 100
"""The paper's number of nets for each row."""


@dataclass(frozen=True)
class Published:
    """The published result of a row, of 100 nets.

    Attributes:
        perfect: the percentage of perfect nets.
        streams: their mean number of training streams; None without any.
        good: the percentage of good nets.
        good_length: their mean error-free test stream; None without any.
        rest: the percentage of the others.
        rest_length: likewise.
    """

    perfect: int
    streams: int | None
    good: int
    good_length: int | None
    rest: int
    rest_length: int


@dataclass(frozen=True)
class Row2000:
    """A row of the table.

    Attributes:
        name: the algorithm.
        net: the net.
        weights: the number of its weights, as printed, or as follows for nets without forget gates.
        published: the published result.
        reset: whether states are reset from outside at the end of each string.
        factor: the factor of the learning rate from symbol to symbol within a stream.
    """

    name: str
    net: Net2000
    weights: int
    published: Published
    reset: bool = False
    factor: float = 1.0


STANDARD = Net2000(forget=False)

ROWS = (
    Row2000("standard, external reset", STANDARD, 360, Published(74, 7_441, 0, None, 26, 31), reset=True),
    Row2000("standard", STANDARD, 360, Published(0, None, 1, 1_166, 99, 37)),
    Row2000("state decay 0.9", Net2000(forget=False, decay=0.9), 360, Published(0, None, 0, None, 100, 56)),
    Row2000("forget gates", Net2000(), 424, Published(18, 18_889, 29, 39_171, 53, 145)),
    Row2000("forget gates, decaying rate", Net2000(), 424, Published(62, 14_087, 6, 68_464, 32, 30), factor=0.99),
)
