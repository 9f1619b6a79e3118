"""Charts of the page on benchmarks: ratios to PyTorch as bars, with every round, the targets, and which are missed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from minigrad.plot.alt import add_alt_text
from minigrad.plot.drawing import Drawing, svg
from minigrad.plot.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, figure

Row = Mapping[str, Any]

ASSETS = Path(__file__).resolve().parents[1] / "assets"
STYLES = {  # contender → its name in the charts, colour and hatch
    "minigrad, numpy": ("minigrad, NumPy", BLUE, ""),
    "minigrad, numba": ("minigrad, Numba", ORANGE, "////"),
    "torch, fused Adam, inference mode": ("PyTorch, fused Adam, inference mode", SKY, "...."),
    "torch.nn.LSTMCell, a loop": ("PyTorch, LSTMCell in a loop", PURPLE, "----"),
    "tf.keras.layers.LSTM": ("TensorFlow", GREEN, "xxxx"),
    "tensorflow": ("TensorFlow", GREEN, "xxxx"),
}
TITLES = {"models": "Models", "lstm": "LSTM, forward and backward"}
WIDTH, POINTS = 5.8, 9  # inches, about 420 points: in a window of that width the letters have their size
BAR, GAP = 0.17, 0.3  # inches


def charts(sections: Mapping[str, Sequence[Row]]) -> dict[str, Drawing]:
    """Return the charts of the tables that have one and were measured, by the tables' names."""
    return {name: chart(name, sections[name]) for name in TITLES if charted(sections.get(name, []))}


def renew(sections: Mapping[str, Sequence[Row]]) -> Iterator[Path]:
    """Write the charts again, and yield those that changed."""
    for name, drawing in charts(sections).items():
        old = path(name).read_text("utf-8") if path(name).exists() else ""
        if drawing.svg != old:
            drawing.save(path(name))
            yield path(name)


def path(name: str) -> Path:
    """Return the file of a chart."""
    return ASSETS / f"benchmarks-{name}.svg"


def charted(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of a chart: those with a ratio."""
    return [row for row in rows if row["ratio"] is not None and row["contender"] in STYLES]


def missed(row: Row) -> bool:
    """Return whether a row misses its target, a ratio or a time."""
    if row.get("limit") is not None:
        return bool(row["value"] is None or row["value"] > row["limit"])
    return row["target"] is not None and (row["ratio"] is None or row["ratio"]["median"] > row["target"])


def alt(name: str, rows: Sequence[Row]) -> str:
    """Return a chart in words: each ratio, and its target if it has one."""
    sentences = []
    for measure, own in _by_measure(charted(rows)).items():
        parts = [f"{STYLES[row['contender']][0]} {_ratio(row)}{_target(row)}" for row in own]
        sentences.append(f"{measure}: {'; '.join(parts)}.")
    return f"{TITLES[name]}, time as a ratio to PyTorch, smaller is better. {' '.join(sentences)}"


def _by_measure(rows: Sequence[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["measure"], []).append(row)
    return groups


def _ratio(row: Row) -> str:
    return f"{row['ratio']['median']:.2f}" if row["ratio"]["median"] < 10 else f"{row['ratio']['median']:.0f}"


def _target(row: Row) -> str:
    if row["target"] is None:
        return ""
    return f" (target {row['target']:g}, {'missed' if missed(row) else 'met'})"


def chart(name: str, rows: Sequence[Row]) -> Drawing:
    """Return the chart of a table."""
    groups = _by_measure(charted(rows))
    names = {STYLES[row["contender"]] for row in charted(rows)}
    height = sum(GAP + BAR * len(own) for own in groups.values())
    ax = figure((WIDTH, height + 0.75 + 0.17 * len(names))).add_subplot()
    y = 0.0
    for measure, own in groups.items():
        ax.text(
            0.01, y + 0.65 * GAP, measure, transform=ax.get_yaxis_transform(), size=POINTS, va="center", weight="bold"
        )
        for k, row in enumerate(own):
            _bar(ax, y + GAP + BAR * (k + 0.5), row, _rounds(row, rows))
        y += GAP + BAR * len(own)
    _frame(ax, height, charted(rows))
    return svg(add_alt_text(ax, alt(name, rows)), name)


def _rounds(row: Row, rows: Sequence[Row]) -> list[float]:
    """Return the ratios of a row, round by round."""
    for other in rows:
        if (other["measure"], other["contender"]) == (row["measure"], row["versus"]):
            return [a / b for a, b in zip(row.get("rounds", []), other.get("rounds", []), strict=True)]
    return []


def _bar(ax: Any, y: float, row: Row, rounds: Sequence[float]) -> None:
    """Draw one contender: a bar to the median, a point for each round, the target as an upright line, the ratio."""
    name, colour, hatch = STYLES[row["contender"]]
    median, target = row["ratio"]["median"], row["target"]
    ax.barh(y, median, 0.85 * BAR, color=colour, hatch=hatch, edgecolor="white", linewidth=0, label=name)
    ax.plot(rounds, [y] * len(rounds), "o", color=BLACK, markersize=2.6, markeredgecolor="white", markeredgewidth=0.3)
    if target is not None:
        ax.plot([target, target], [y - BAR / 2, y + BAR / 2], color=BLACK, linewidth=2.2, label="target")
    end = max([median, *rounds, *([] if target is None else [target])])
    text = f"{_ratio(row)}, target {target:g} missed" if missed(row) else _ratio(row)
    ax.annotate(
        text, (end, y), (4, 0), textcoords="offset points", va="center", size=POINTS - 1,
        weight="bold" if missed(row) else "normal",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
    )  # fmt: skip


def _frame(ax: Any, height: float, rows: Sequence[Row]) -> None:
    """Draw PyTorch's line, the scale and the legend."""
    ends = [end for row in rows for end in (row["ratio"]["median"], row["target"] or 1.0, 1.0)]
    ax.set_xscale("log")
    ax.set_xlim(min(ends) / 2, max(ends) * 6)  # on the right, room for the words
    ax.set_ylim(height + BAR / 2, 0)
    ax.axvline(1.0, color=BLACK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.5, label="PyTorch")
    ax.set_yticks([])
    ax.spines[["left", "right", "top"]].set_visible(False)
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 100) if min(ends) / 2 <= t <= max(ends) * 2]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks], size=POINTS)
    ax.minorticks_off()
    ax.set_xlabel("time as a ratio to PyTorch; smaller is better", size=POINTS)
    found = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    ax.figure.legend(found.values(), found.keys(), loc="outside upper left", fontsize=POINTS, frameon=False)
