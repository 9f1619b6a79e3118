"""Tell the results: a Markdown page for readers and the same numbers as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.gpu import suite

Row = dict[str, Any]

TITLES = {
    "machine": "Machine",
    "kernels": "Kernels against formulas",
    "times": "Times",
    "tests": "Tests",
}

MOST_FAILING = 40  # lines of a table; the JSON has all


class Report:
    """The results so far, and the two files that hold them.

    Args:
        folder: where the files go.
        date: of the start, as "2026-11-30 11:42 UTC".
        command: as the user typed it.

    Attributes:
        markdown: the page's file.
        log: a file for the tests' output.
        parts: by name, the rows of each part and how it ended.
    """

    def __init__(self, folder: Path, date: str, command: str) -> None:
        stamp = "".join(c if c.isalnum() else "-" for c in date.removesuffix(" UTC"))
        self.markdown, self.json = folder / f"gpu-{stamp}.md", folder / f"gpu-{stamp}.json"
        self.log = folder / f"gpu-{stamp}-tests.log"
        self.date, self.command = date, command
        self.parts: dict[str, dict[str, Any]] = {}

    def begin(self, part: str) -> None:
        """Open a part; it counts as running until `end`."""
        self.parts[part] = {"ended": "running", "seconds": 0.0, "rows": []}
        self.write()

    def add(self, part: str, row: Row) -> None:
        """Enter a row and write the files again."""
        self.parts[part]["rows"].append(row)
        self.write()

    def end(self, part: str, how: str, seconds: float) -> None:
        """Close a part; `how` is "done" or says why it ended early."""
        self.parts[part] |= {"ended": how, "seconds": round(seconds, 1)}
        self.write()

    def verdicts(self) -> dict[str, tuple[bool, str]]:
        """Return for each part whether all is well, and the sentence that says so."""
        found = {}
        for name, part in self.parts.items():
            well, sentence = VERDICTS[name](part["rows"])
            early = "" if part["ended"] == "done" else f" ({part['ended']})"
            found[name] = well and (part["ended"] == "done"), sentence + early
        return found

    def write(self) -> None:
        """Write both files; each is whole at any time."""
        told = {"date": self.date, "command": self.command, "parts": self.parts}
        replaced(self.json, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        replaced(self.markdown, self.page())

    def page(self) -> str:
        """Return the Markdown page: the verdicts, then the parts."""
        lines = [f"# minigrad on a GPU, {self.date}", "", f"`{self.command}`", ""]
        for name, (well, sentence) in self.verdicts().items():
            lines.append(f"- **{TITLES[name]}**: {'' if well else '**attention:** '}{sentence}")
        for name, part in self.parts.items():
            lines += ["", f"## {TITLES[name]}", "", f"{part['seconds']:.0f} s, {part['ended']}.", ""]
            lines += TABLES[name](part["rows"])
        return "\n".join(lines) + "\n"


def replaced(file: Path, text: str) -> None:
    """Write a file in one step, so that an interruption leaves the old one."""
    beside = file.with_name(file.name + ".new")
    beside.write_text(text, "utf-8")
    beside.replace(file)


# --- the sentences ----------------------------------------------------------------------------------------------------


def of_machine(rows: Sequence[Row]) -> tuple[bool, str]:
    """Name the GPU."""
    values = [row["value"] for row in rows if row.get("fact", "").startswith("GPU")]
    return bool(rows), values[0] if values else "not known yet"


def of_kernels(rows: Sequence[Row]) -> tuple[bool, str]:
    """Count the cases that agree."""
    tried = [row for row in rows if row.get("ok") is not None]
    agree = sum(row["ok"] for row in tried)
    without = sorted({row["kind"] for row in rows if "kind" in row and row.get("ok") is None})
    early = [row["early"] for row in rows if "early" in row]
    sentence = f"{agree} of {len(tried)} cases agree" + f"; no kernel for {', '.join(without)}" * bool(without)
    return bool(tried) and agree == len(tried) and not early, "; ".join([sentence, *early])


def of_times(rows: Sequence[Row]) -> tuple[bool, str]:
    """Give the geometric means of the ratios."""
    timed = [row for row in rows if "what" in row]
    failed = sum(bool(row["failed"]) for row in timed)
    others = list(dict.fromkeys(name for row in timed for name in row["ratios"]))
    means = []
    for other in others:
        medians = [row["ratios"][other][1] for row in timed if other in row["ratios"]]
        means.append(f"kernels / {other} {math.exp(sum(map(math.log, medians)) / len(medians)):.2f}")
    told = f", {', '.join(means)} (geometric mean)" if means else ""
    early = [row["early"] for row in rows if "early" in row]
    told = f"{len(timed)} rows{told}" + f"; {failed} with a failure" * bool(failed)
    return bool(timed) and not failed and not early, "; ".join([told, *early])


def of_tests(rows: Sequence[Row]) -> tuple[bool, str]:
    """Give the counts."""
    totals = [row for row in rows if "counts" in row]
    if not totals:
        return False, "not finished"
    counts, status = totals[-1]["counts"], totals[-1]["status"]
    told = ", ".join(f"{number} {result}" for result, number in counts.items())
    told = told or ("no test was selected" if status == suite.NO_TESTS else f"none ran: {totals[-1]['last']}")
    stopped = "; stopped at the time limit" if totals[-1]["stopped"] else ""
    return bool(counts.get("passed")) and status == 0, told + stopped


VERDICTS: dict[str, Callable[[Sequence[Row]], tuple[bool, str]]] = {
    "machine": of_machine,
    "kernels": of_kernels,
    "times": of_times,
    "tests": of_tests,
}

# --- the tables -------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Return a Markdown table; nothing where it has no rows."""
    if not body:
        return []
    cells = [head, ["---"] * len(head), *body]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells]


def machine_table(rows: Sequence[Row]) -> list[str]:
    """Return one line for each fact."""
    return table(["", ""], [[row["fact"], row["value"]] for row in rows if "fact" in row])


def kernels_table(rows: Sequence[Row]) -> list[str]:
    """Return a line for each kind and dtype, then the cases that differ."""
    lines = ["The largest difference, relative to the largest number of the array in which it is.", ""]
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if "kind" in row:
            groups.setdefault((row["kind"], row["dtype"]), []).append(row)
    body = []
    for (kind, dtype), group in groups.items():
        worst = max(
            (row for row in group if row.get("largest") is not None), key=lambda row: row["largest"], default=None
        )
        difference = ["", ""] if worst is None else [f"{worst['largest']:.1e}", worst["where"]]
        agree = (
            f"{sum(bool(row['ok']) for row in group)} of {len(group)}" if group[0]["ok"] is not None else "no kernel"
        )
        body.append([kind, dtype, agree, *difference, next((row["path"] for row in group if "path" in row), "")])
    lines += table(["cell", "dtype", "agree", "largest difference", "in", "`layer.path`"], body)
    failing = [row for row in rows if row.get("ok") is False]
    body = [[case_in_words(row), row.get("error") or f"{row['largest']:.1e} in {row['where']}"] for row in failing]
    return lines + [""] * bool(body) + table(["differs", ""], body[:MOST_FAILING])


def case_in_words(row: Row) -> str:
    """Return which case a row is of."""
    options = ["masked" * (row["mask"] != "none"), "zero output" * row["zero_output"], "initial state" * row["initial"]]
    return ", ".join(filter(None, [row["kind"], row["dtype"], str(tuple(row["shape"])), *options]))


def times_table(rows: Sequence[Row]) -> list[str]:
    """Return a line for each size: milliseconds, then the kernels' ratios with their middle half."""
    notes = [row[key] for row in rows for key in ("note", "early") if key in row]
    timed = [row for row in rows if "what" in row]
    names = list(dict.fromkeys(name for row in timed for name in row["ms"]))
    others = [name for name in names if any(name in row["ratios"] for row in timed)]
    head = ["", *[f"{name}, ms" for name in names], *[f"kernels / {name}" for name in others], "rounds", ""]
    body = []
    for row in timed:
        ms = [f"{row['ms'][name]:.3g}" if name in row["ms"] else "" for name in names]
        ratios = [ratio_in_words(row["ratios"].get(name)) for name in others]
        failed = "; ".join(f"{name}: {what}" for name, what in row["failed"].items())
        body.append([row["what"], *ms, *ratios, str(row["rounds"]), failed])
    about = "Forward and backward, float32, (batch, time, features, units); for the model, (batch, time, vocabulary, "
    about += "embedding, units). Smaller is better; the middle half of the rounds' ratios is in brackets."
    return [about, "", *(f"- {note}" for note in notes), "", *table(head, body)]


def ratio_in_words(quartiles: Sequence[float] | None) -> str:
    """Return the median and the middle half."""
    return "" if quartiles is None else f"**{quartiles[1]:.2f}** ({quartiles[0]:.2f} … {quartiles[2]:.2f})"


def tests_table(rows: Sequence[Row]) -> list[str]:
    """Return pytest's last line, then the tests that did not pass."""
    last = [f"`{row['last']}`" for row in rows if "last" in row]
    body = [[row["result"], f"`{row['test']}`", row["reason"]] for row in rows if "test" in row]
    return [*last, "", *table(["", "test", "reason"], body[:MOST_FAILING])]


TABLES: dict[str, Callable[[Sequence[Row]], list[str]]] = {
    "machine": machine_table,
    "kernels": kernels_table,
    "times": times_table,
    "tests": tests_table,
}
