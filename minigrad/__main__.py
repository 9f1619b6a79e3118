"""``python -m minigrad``: the commands train, sweep, sample, trace, show, playground, doctor, bench and papers."""

from __future__ import annotations

import signal
import sys

from minigrad.bench import command as bench
from minigrad.engine import interrupt
from minigrad.papers import command as papers
from minigrad.playground import command as playground
from minigrad.show import command as show
from minigrad.train.command_line import main
from minigrad.train.commands import doctor, sample, sweep, trace, train
from minigrad.train.interrupt import raise_once
from minigrad.train.voice import in_one_voice

COMMANDS = {
    "train": (train.HELP, train.main),
    "sweep": (sweep.HELP, sweep.main),
    "sample": (sample.HELP, sample.main),
    "trace": (trace.HELP, trace.main),
    "show": (show.HELP, show.main),
    "playground": (playground.HELP, playground.main),
    "doctor": (doctor.HELP, doctor.main),
    "bench": (bench.HELP, bench.main),
    "papers": (papers.HELP, papers.main),
}


def run() -> int:
    """Run the command and return the exit code; Ctrl-C raises KeyboardInterrupt in it, and nowhere else."""
    ours = signal.getsignal(signal.SIGINT) is interrupt.leave
    try:
        if ours:
            signal.signal(signal.SIGINT, raise_once)
        return in_one_voice(lambda: main(sys.argv[1:], COMMANDS))
    except KeyboardInterrupt:
        return interrupt.INTERRUPTED
    finally:
        if ours:  # too late to interrupt the command
            signal.signal(signal.SIGINT, lambda number, frame: None)


if __name__ == "__main__":
    sys.exit(run())
