"""Training toy models: tasks with baselines, runs that can be gone on with, the command line.

One can

- train and go on: `Run.create(folder, options, task).train()`, `Run.resume(folder).train()`;
- add a task: a subclass of `Task` or `GeneratedTask` with options of its own, entered in `TASKS`;
- use a trained model: `trained(folder)` gives the task and the `Trainer` that holds the model.

The same from a shell: ``python -m minigrad train TASK``.
"""

from minigrad.train.errors import CheckpointError, DataError, OptionError, RunError
from minigrad.train.options import Options, adapted, option
from minigrad.train.run import Run, trained
from minigrad.train.task import Batch, GeneratedTask, RunOptions, Sampling, Score, Shape, Task
from minigrad.train.tasks import TASKS
from minigrad.train.trainer import Trainer

__all__ = [
    "TASKS",
    "Batch",
    "CheckpointError",
    "DataError",
    "GeneratedTask",
    "OptionError",
    "Options",
    "Run",
    "RunError",
    "RunOptions",
    "Sampling",
    "Score",
    "Shape",
    "Task",
    "Trainer",
    "adapted",
    "option",
    "trained",
]
