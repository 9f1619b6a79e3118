"""Training of toy models: tasks with baselines, runs that can be resumed, the command line.

- Train and resume: `Run.create(folder, options, task).train()`, `Run.resume(folder).train()`.
- Add a task: write a subclass of `Task` or `GeneratedTask` with its own options, and enter it in `TASKS`.
- Use a trained model: `trained(folder)` returns the task and the `Trainer` that holds the model.

The same from a shell: ``python -m minigrad train TASK``.
"""

from minigrad.train.batch import Batch
from minigrad.train.errors import CheckpointError, DataError, OptionError, RunError
from minigrad.train.options import Options, adapted, option
from minigrad.train.run import Run, trained
from minigrad.train.task import GeneratedTask, ModelShape, RunOptions, Sampling, Score, Shape, Task
from minigrad.train.tasks import TASKS
from minigrad.train.trainer import Trainer

__all__ = [
    "TASKS",
    "Batch",
    "CheckpointError",
    "DataError",
    "GeneratedTask",
    "ModelShape",
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
