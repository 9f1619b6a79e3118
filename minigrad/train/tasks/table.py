"""The tasks by name, for `python -m minigrad train`. A new task is entered here."""

from __future__ import annotations

from minigrad.engine.arguments import among
from minigrad.engine.errors import unknown_name
from minigrad.train.errors import OptionError
from minigrad.train.task import Task
from minigrad.train.tasks.adding import Adding
from minigrad.train.tasks.copy import Copy
from minigrad.train.tasks.reber import Reber
from minigrad.train.tasks.series import Series
from minigrad.train.tasks.temporal_order import TemporalOrder
from minigrad.train.tasks.text import Text

TASKS: dict[str, type[Task]] = {task.name: task for task in (Text, Reber, Adding, TemporalOrder, Copy, Series)}


def find(name: str) -> type[Task]:
    """Return the task of a name.

    Raises:
        OptionError: no task has that name; the message suggests the nearest one.

    >>> find("copy").metric
    'bits_per_symbol'
    """
    if not among(name, TASKS):
        raise OptionError(str(unknown_name("train: task", name, TASKS)))
    return TASKS[name]
