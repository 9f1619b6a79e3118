"""Options of small runs, and what ends one before its last step."""

from __future__ import annotations

import signal

from minigrad.train.interrupt import Interruption
from minigrad.train.progress import Silent
from minigrad.train.tasks import TASKS


def options_of(task, corpus, **more):
    given = {"steps": 40, "batch": 3, "units": 6, "evaluate_every": 10, "save_every": 7, **more}
    if task == "text":
        given |= {"file": str(corpus), "window": 8, "embedding": 5}
    return TASKS[task].options_type(**given)


class StopAt(Silent):
    """Interrupts as Ctrl-C does, once a step is done."""

    def __init__(self, step):
        self.at, self.interruption = step, Interruption()

    def update(self, step, loss, items):
        if step == self.at:
            self.interruption.note(signal.SIGINT, None)


class Crash(Silent):
    """Ends as a power cut does, in the middle of a step."""

    def __init__(self, step):
        self.at = step

    def update(self, step, loss, items):
        if step == self.at:
            raise SystemExit
