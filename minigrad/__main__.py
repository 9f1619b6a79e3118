"""``python -m minigrad``: train, sample, bench and what else there is."""

from __future__ import annotations

import sys

from minigrad.bench import command as bench
from minigrad.playground import command as playground
from minigrad.train.command_line import main
from minigrad.train.commands import doctor, sample, trace, train

COMMANDS = {
    "train": (train.HELP, train.main),
    "sample": (sample.HELP, sample.main),
    "trace": (trace.HELP, trace.main),
    "playground": (playground.HELP, playground.main),
    "doctor": (doctor.HELP, doctor.main),
    "bench": (bench.HELP, bench.main),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], COMMANDS))
