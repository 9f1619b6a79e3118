"""Output of a command that several processes run: process 0 prints, the others only what it cannot."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout

from minigrad.distributed.world import end_job, launched

PATIENCE = 3.0  # seconds in which process 0, if it fails too, ends the job


def in_one_voice(command: Callable[[], int]) -> int:
    """Run a command, and return its exit code; a failure of one process ends the job.

    An error that all processes meet is printed by process 0. One that another process meets alone is printed by it,
    with its number.
    """
    given = launched()
    if given is None or given[1] == 1:
        return command()
    own, words = given[0], io.StringIO()
    if own == 0:
        code = command()
    else:
        with open(os.devnull, "w") as nothing, redirect_stdout(nothing), redirect_stderr(words):
            code = command()
    if 0 < code < 128:  # from 128 on: a signal, which all processes have obeyed together
        if own > 0:
            time.sleep(PATIENCE)
            print(f"process {own}: {words.getvalue().strip()}", file=sys.stderr)
        end_job(code)
    return code
