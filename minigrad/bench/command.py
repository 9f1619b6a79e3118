"""``python -m minigrad bench``: read the command line, run the parts, print each table row by row."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad.bench.contenders import Contenders
from minigrad.bench.harness import Effort
from minigrad.bench.models import MODELS
from minigrad.bench.processes import processes
from minigrad.bench.report import Row, Section, header, render_header
from minigrad.bench.sections import BASE, CHARACTER_MODEL, FIRST_CALLS, SECTIONS, SIZES, Benchmark, Size, profile
from minigrad.engine.errors import unknown_name
from minigrad.engine.registry import DEFAULT, backends, resolve
from minigrad.train.command_line import PROGRAM, Parser, output_file
from minigrad.train.errors import OptionError
from minigrad.train.options import Options, add_options, option

HELP = "compare minigrad with PyTorch and TensorFlow on this machine"
COMMAND = f"{PROGRAM} bench"
QUICK = {"rounds": "2", "patience": "0", "sizes": "1,2"}  # checks only that everything runs
IS_PYTHON = "import sys; print('python', sys.version_info[0])"


@dataclass(frozen=True, kw_only=True)
class BenchOptions(Options):
    """Options of the command."""

    only: str = option(",".join(SECTIONS), "the parts to run; mpi, several processes, only where it is named")
    sizes: str = option(
        "1,2,3,4,5,6", "sizes of the LSTM: rows of its table, or batch x time x features x units: 1x100x8x16"
    )
    rows: str = option(",".join(MODELS), "rows of the part models")
    backends: str | None = option(None, "backends of minigrad, such as numpy,numba (default: all that are available)")
    torch_python: str | None = option(None, "an interpreter that has PyTorch (default: this one)")
    tf_python: str | None = option(None, "an interpreter that has TensorFlow (default: this one)")
    rounds: int = option(9, "measurements of each contender", minimum=1)
    patience: float = option(
        20.0, "seconds, for each row, during which rounds disturbed by other processes are repeated", minimum=0
    )
    threads: int = option(2, "threads of each contender", minimum=1)
    json: str | None = option(None, "write all numbers to this file")
    markdown: str | None = option(None, "write the tables to this file")


def main(arguments: Sequence[str]) -> int:
    """Measure and return 0."""
    parser = Parser("bench", description=_description(), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="check that everything runs: 20 seconds for minigrad alone"
    )
    parser.add_argument(
        "--profile",
        action="store_true",
        help="then show where minigrad's time goes, row by row, and the products' part",
    )
    add_options(parser, BenchOptions)
    given = parser.read(arguments)
    quick, measure_shares = given.pop("quick"), given.pop("profile")
    options = BenchOptions.from_text({**given, **{k: v for k, v in QUICK.items() if quick and given[k] is None}})
    names = _listed("--only", options.only, {**SECTIONS, "mpi": processes})
    reporter = Reporter(file_for("--json", options.json), file_for("--markdown", options.markdown))
    benchmark = _benchmark(options, names, quick, reporter)
    try:
        benchmark.connect()
        reporter.begin(header(options.threads, options.rounds, benchmark.versions, benchmark.missing))
        for name in names:
            (processes if name == "mpi" else SECTIONS[name])(benchmark)
        if measure_shares:
            profile(benchmark)
    finally:  # an interruption loses no measurement
        benchmark.close()
        reporter.write()
    return 0


def _benchmark(options: BenchOptions, parts: Sequence[str], quick: bool, reporter: Reporter) -> Benchmark:
    """Return the benchmark that the options describe."""
    rows = _listed("--rows", options.rows, MODELS)
    return Benchmark(
        Contenders(
            _backends(options.backends),
            interpreter("--torch-python", options.torch_python),
            interpreter("--tf-python", options.tf_python),
            parts,
        ),
        Effort(options.rounds, options.patience, 0.02 if quick else 0.2),
        options.threads,
        sizes=[size(word) for word in options.sizes.split(",")],
        growth=(1, 2) if quick else (1, 2, 4, 8),
        base=(4, 25, 8, 16) if quick else BASE,
        model=(4, 16, 96, 8, 16) if quick else CHARACTER_MODEL,
        models={name: MODELS[name].small if quick else MODELS[name].sizes for name in rows},
        first_calls=0 if quick or len(rows) < len(MODELS) else FIRST_CALLS,
        on_section=reporter.section,
        on_row=reporter.row,
    )


class Reporter:
    """Output of a benchmark: each line is printed at once, the files are written at the end.

    Args:
        json_file: the file for the numbers, or None.
        markdown_file: the file for the tables, or None.
    """

    def __init__(self, json_file: Path | None = None, markdown_file: Path | None = None) -> None:
        self._json, self._markdown = json_file, markdown_file
        self._head: dict[str, Any] = {}
        self._sections: list[Section] = []
        self._lines: list[str] = []

    def begin(self, head: dict[str, Any]) -> None:
        """Print the header above all tables."""
        self._head = head
        self._write_line(render_header(head))

    def section(self, section: Section) -> None:
        """Print the head of a table."""
        self._sections.append(section)
        self._write_line(section.head())

    def row(self, section: Section, row: Row) -> None:
        """Print a row."""
        self._write_line(section.line(row))

    def write(self) -> None:
        """Write the files, unless nothing was printed."""
        if not self._lines:
            return
        if self._markdown is not None:
            self._markdown.write_text("\n".join(self._lines) + "\n", "utf-8")
        if self._json is not None:
            sections = [section.to_dict() for section in self._sections]
            content = {**self._head, "sections": sections}
            self._json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def _write_line(self, text: str) -> None:
        self._lines.append(text)
        print(text, flush=True)


# --- the command line -------------------------------------------------------------------------------------------------


def size(word: str) -> Size:
    """Return the size that a word of ``--sizes`` stands for.

    Raises:
        OptionError: the word is not a size.

    >>> size("2"), size("4x20x8x16")
    ((16, 50, 8, 32), (4, 20, 8, 16))
    """
    numbers = [int(part) if part.strip().isdecimal() else 0 for part in word.split("x")]
    if len(numbers) == 1 and 1 <= numbers[0] <= len(SIZES):
        return list(SIZES)[numbers[0] - 1]
    if len(numbers) != 4 or min(numbers) < 1:
        raise OptionError(
            f"--sizes: expected the number of a row, 1 to {len(SIZES)}, or batch x time x features x units such as "
            f"1x100x8x16, got {word!r}. Several are separated by commas."
        )
    batch, time, features, units = numbers
    return batch, time, features, units


def interpreter(flag: str, path: str | None) -> str:
    """Return the path of a Python interpreter.

    Args:
        flag: the option that names it.
        path: the option's value; None for the running interpreter.

    Raises:
        OptionError: the path is not that of a Python 3 interpreter.
    """
    if path is None:
        return sys.executable
    found = shutil.which(str(Path(path).expanduser()))
    if found is None:
        raise OptionError(f"{flag} {path}: there is no such program. Expected the path of a Python interpreter.")
    try:
        done = subprocess.run([found, "-c", IS_PYTHON], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OptionError(f"{flag} {path}: cannot be run: {error}.") from None
    if done.stdout.strip() != "python 3":
        raise OptionError(f"{flag} {path}: expected a Python 3 interpreter, got another program.")
    return found


def file_for(flag: str, path: str | None) -> Path | None:
    """Return the file to write, checked before the benchmark starts.

    Args:
        flag: the option that names it.
        path: the option's value, or None.

    Raises:
        OptionError: the folder does not exist, or the path is not that of a regular file.
    """
    if path is None:
        return None
    file = output_file(flag, path)
    if not file.parent.is_dir():
        raise OptionError(f"{flag} {path}: there is no folder {file.parent}. Make it first.")
    return file


def _listed(flag: str, text: str, known: Iterable[str]) -> list[str]:
    """Return the names in a comma-separated list, in the order of `known`."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in known:
            raise OptionError(str(unknown_name(f"{COMMAND}: {flag}", name, known)))
    return [name for name in known if name in names]


def _backends(text: str | None) -> list[str]:
    """Return the named backends, each of which must work; by default all available ones, the default first."""
    if text is None:
        available = [name for name, state in backends().items() if state == "available"]
        return sorted(available, key=lambda name: name != DEFAULT)
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        resolve(name)
    return names


def _description() -> str:
    parts = "\n".join(f"  {name:<9}{part.__doc__}" for name, part in SECTIONS.items())
    sizes = "\n".join(f"  {k}        {size}" for k, size in enumerate(SIZES, 1))
    return f"{HELP}.\n\nparts:\n{parts}\n\nsizes (batch, time, features, units):\n{sizes}"
