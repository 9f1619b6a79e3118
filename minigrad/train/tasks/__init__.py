"""The tasks, by name; each module's docstring is its definition, source and baseline."""

from minigrad.train.task import Task
from minigrad.train.tasks.adding import Adding
from minigrad.train.tasks.copy import Copy
from minigrad.train.tasks.reber import Reber
from minigrad.train.tasks.series import Series
from minigrad.train.tasks.temporal_order import TemporalOrder
from minigrad.train.tasks.text import Text

TASKS: dict[str, type[Task]] = {
    task.name: task for task in (Text, Reber, Adding, TemporalOrder, Copy, Series)
}

__all__ = ["TASKS", "Adding", "Copy", "Reber", "Series", "TemporalOrder", "Text"]
