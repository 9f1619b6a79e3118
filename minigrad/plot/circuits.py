"""Circuit diagrams of the cells, as data: places of boxes, operators, wires and labels.

The state flows from left to right along the upper wire; the gates are on the lower wire, that of the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
Wire = tuple[Point, ...]


@dataclass(frozen=True)
class Circuit:
    """Circuit of one kind of cell.

    Attributes:
        title: the name of the cell.
        boxes: by letter: place, and the function of the box. ``"P"`` is drawn only for a projection.
        dots: places and signs of the operators.
        wires: paths; each ends in an arrow.
        ends: by letter: the place of the label of an input or output.
        sums: pairs (result, formula) written below the circuit, in the letters of the cell.
        peepholes: wires of the peepholes.
    """

    title: str
    boxes: dict[str, tuple[Point, str]]
    dots: tuple[tuple[Point, str], ...]
    wires: tuple[Wire, ...]
    ends: dict[str, Point]
    sums: tuple[tuple[str, str], ...]
    peepholes: tuple[Wire, ...] = ()


TOP, MIDDLE, LOW, BUS, RIGHT = 4.9, 3.4, 1.9, 0.9, 14.4  # heights of wires and boxes; right end of the wires
UNDER, OVER = LOW - 0.3, LOW + 0.3  # the foot and the head of a gate's box


def _lstm(title: str, g: str, h: str, σ: str) -> Circuit:
    """The LSTM of one generation; generations differ in letters and in σ."""
    f, i, c, o = 2.6, 5.2, 7.8, 11.0  # the columns of the gates and the candidate
    mix = (i + c) / 2
    return Circuit(
        title,
        boxes={
            "f": ((f, LOW), σ), "i": ((i, LOW), σ), g: ((c, LOW), "tanh"), "o": ((o, LOW), σ), "a": ((o, 4.15), "tanh"),
            "P": ((13.4, BUS), "P"),
        },
        dots=(((f, TOP), "×"), ((mix, TOP), "+"), ((mix, MIDDLE), "×"), ((o, MIDDLE), "×")),
        wires=(
            ((0.2, TOP), (f - 0.25, TOP)), ((f + 0.25, TOP), (mix - 0.25, TOP)), ((mix + 0.25, TOP), (RIGHT, TOP)),
            ((o, TOP), (o, 4.45)), ((o, 3.85), (o, MIDDLE + 0.25)),
            ((o + 0.25, MIDDLE), (12.8, MIDDLE), (12.8, BUS), (RIGHT, BUS)),
            ((0.2, BUS), (o, BUS), (o, UNDER)), ((1.1, 0.2), (1.1, BUS)),
            ((f, BUS), (f, UNDER)), ((i, BUS), (i, UNDER)), ((c, BUS), (c, UNDER)),
            ((f, OVER), (f, TOP - 0.25)), ((o, OVER), (o, MIDDLE - 0.25)), ((mix, MIDDLE + 0.25), (mix, TOP - 0.25)),
            ((i, OVER), (i, MIDDLE), (mix - 0.25, MIDDLE)), ((c, OVER), (c, MIDDLE), (mix + 0.25, MIDDLE)),
        ),
        ends={"c": (0.2, TOP), h: (0.2, BUS), "x": (1.1, 0.2), "c_new": (RIGHT, TOP), f"{h}_new": (RIGHT, BUS)},
        sums=(("c_new", f"f·c + i·{g}"), (f"{h}_new", "o·a")),
        peepholes=(
            ((1.3, TOP), (1.3, LOW), (f - 0.42, LOW)), ((9.9, TOP), (9.9, LOW), (o - 0.42, LOW)),
            ((1.3, LOW), (1.3, 1.25), (4.5, 1.25), (4.5, LOW), (i - 0.42, LOW)),
        ),
    )  # fmt: skip


R, Z, G, MIX = 2.8, 6.0, 9.4, 11.6  # the columns of a GRU

GRU = Circuit(
    "GRU",
    boxes={"r": ((R, LOW), "σ"), "z": ((Z, LOW), "σ"), "g": ((G, LOW), "tanh")},
    dots=(((Z, TOP), "×"), ((MIX, TOP), "+"), ((MIX, MIDDLE), "×"), ((R, MIDDLE), "×"), ((7.9, MIDDLE), "1−")),
    wires=(
        ((0.2, TOP), (Z - 0.25, TOP)), ((Z + 0.25, TOP), (MIX - 0.25, TOP)), ((MIX + 0.25, TOP), (RIGHT, TOP)),
        ((0.2, 0.5), (G + 0.15, 0.5), (G + 0.15, UNDER)), ((R + 0.15, 0.5), (R + 0.15, UNDER)),
        ((Z + 0.15, 0.5), (Z + 0.15, UNDER)), ((1.1, TOP), (1.1, 1.2), (R - 0.15, 1.2), (R - 0.15, UNDER)),
        ((R - 0.15, 1.2), (Z - 0.15, 1.2), (Z - 0.15, UNDER)), ((1.1, MIDDLE), (R - 0.25, MIDDLE)),
        ((R, OVER), (R, MIDDLE - 0.25)),
        ((R + 0.25, MIDDLE), (4.9, MIDDLE), (4.9, 0.85), (G - 0.15, 0.85), (G - 0.15, UNDER)),
        ((Z, OVER), (Z, TOP - 0.25)), ((Z, MIDDLE), (7.6, MIDDLE)), ((8.2, MIDDLE), (MIX - 0.25, MIDDLE)),
        ((G, OVER), (G, 2.95), (MIX, 2.95), (MIX, MIDDLE - 0.25)), ((MIX, MIDDLE + 0.25), (MIX, TOP - 0.25)),
    ),
    ends={"h": (0.2, TOP), "x": (0.2, 0.5), "h_new": (RIGHT, TOP)},
    sums=(("h_new", "z·h + (1 − z)·g"),),
)  # fmt: skip

SIMPLE = Circuit(
    "simple recurrent cell",
    boxes={"tanh": ((7.6, MIDDLE), "tanh")},
    dots=(((4.6, MIDDLE), "+"),),
    wires=(
        ((0.2, MIDDLE), (4.35, MIDDLE)), ((4.6, 1.4), (4.6, MIDDLE - 0.25)), ((4.85, MIDDLE), (7.05, MIDDLE)),
        ((8.15, MIDDLE), (RIGHT, MIDDLE)),
    ),
    ends={"h": (0.2, MIDDLE), "x": (4.6, 1.4), "h_new": (RIGHT, MIDDLE)},
    sums=(("h_new", "tanh(x W + h U + b)"),),
)  # fmt: skip

CIRCUITS: dict[str, Circuit] = {
    "first": _lstm("LSTM, first generation", "j", "m", "σ"),
    "second": _lstm("LSTM, second generation", "g", "h", "hard σ"),
    "third": _lstm("LSTM, third generation", "g", "h", "σ"),
    "gru": GRU,
    "simple_rnn": SIMPLE,
}
"""Circuits by name."""

CIRCUIT_OF_KIND = {"lstm": "third", "lstmp": "first", "gru": "gru", "simple_rnn": "simple_rnn"}
"""Name of the circuit, by kind of trace."""
