"""The tasks, one file each; the docstring of each module gives its definition, source and baseline."""

from minigrad.train.tasks.adding import Adding
from minigrad.train.tasks.copy import Copy
from minigrad.train.tasks.reber import Reber
from minigrad.train.tasks.series import Series
from minigrad.train.tasks.table import TASKS, find
from minigrad.train.tasks.temporal_order import TemporalOrder
from minigrad.train.tasks.text import Text

__all__ = ["TASKS", "Adding", "Copy", "Reber", "Series", "TemporalOrder", "Text", "find"]
