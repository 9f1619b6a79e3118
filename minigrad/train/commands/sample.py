"""``python -m minigrad sample RUN``: generated text, or solved examples, from the model of a run."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.random import generator_for
from minigrad.train.cells import add_run_arguments, import_run_cell
from minigrad.train.command_line import Parser, on_backend
from minigrad.train.errors import OptionError
from minigrad.train.folder import CONFIG, locate, read_config
from minigrad.train.options import add_options
from minigrad.train.run import trained
from minigrad.train.task import Sampling

HELP = "show samples from the model of a run"


def main(arguments: Sequence[str]) -> int:
    """Print the sample and return 0."""
    parser = Parser("sample", description=f"{HELP}: generated text, or solved examples.")
    add_run_arguments(parser)
    add_options(parser, Sampling)
    given = parser.read(arguments)
    folder = given.pop("run")
    run = locate(folder)[0]
    name, options = read_config(run)
    import_run_cell(f"sample {folder}", given.pop("cell"), options.cell)
    if name != "text":
        for flag in ("prompt", "temperature"):
            if given[flag] is not None:
                raise OptionError(f"--{flag}: only runs of the task 'text' take it; {folder} is of {name!r}.")
    settings = Sampling.from_text(given)
    with on_backend(options.backend, f"{run / CONFIG}: "):
        task, trainer = trained(folder)
        print(task.sample(trainer.predict, generator_for(settings.seed), settings))
    return 0
