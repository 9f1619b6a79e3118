"""``python -m minigrad sample RUN``: what the model of a run does: text written, or examples solved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minigrad.train.cells import named_again
from minigrad.train.command_line import Parser, on_backend
from minigrad.train.errors import OptionError
from minigrad.train.folder import CONFIG, place, read_config
from minigrad.train.options import add_options
from minigrad.train.run import trained
from minigrad.train.task import Sampling

HELP = "show what the model of a run does"


def main(arguments: Sequence[str]) -> int:
    """Print the sample and return 0."""
    parser = Parser("sample", description=f"{HELP}: text written, or examples solved.")
    parser.add_argument("run", metavar="RUN", help="the folder of the run, or one of the checkpoints in it")
    parser.add_argument("--cell", metavar="MODULE:NAME", help="the run's cell once more, if it is one of your own")
    add_options(parser, Sampling)
    given = parser.read(arguments)
    folder = given.pop("run")
    run = place(folder)[0]
    name, options = read_config(run)
    named_again(f"sample {folder}", given.pop("cell"), options.cell)
    if name != "text":
        for flag in ("prompt", "temperature"):
            if given[flag] is not None:
                raise OptionError(f"--{flag}: only runs of the task 'text' take it; {folder} is of {name!r}.")
    settings = Sampling.from_text(given)
    with on_backend(options.backend, f"{run / CONFIG}: "):
        task, trainer = trained(folder)
        print(task.sample(trainer.predict, np.random.default_rng(settings.seed), settings))
    return 0
