"""``python -m minigrad trace RUN``: a page of figures and numbers from inside the model of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from minigrad.engine.protocol import Array
from minigrad.engine.random import generator_for
from minigrad.plot.page import Page
from minigrad.plot.reports import report
from minigrad.plot.style import figure
from minigrad.tracing import trace
from minigrad.train.batch import Batch
from minigrad.train.cells import add_run_arguments, import_run_cell
from minigrad.train.command_line import Parser, on_backend, output_file
from minigrad.train.errors import OptionError
from minigrad.train.folder import CONFIG, locate, read_config
from minigrad.train.measures import log_softmax
from minigrad.train.options import Options, add_options, option
from minigrad.train.run import trained
from minigrad.train.task import Task
from minigrad.train.trainer import LOSSES, Trainer

HELP = "show the gates and gradients of the model of a run"


@dataclass(frozen=True, kw_only=True)
class TraceOptions(Options):
    """Options of the command."""

    text: str | None = option(None, "text: the text that the model reads; the loss is that of its last character")
    step: int | None = option(
        None, "the last time step, whose loss is propagated back (default: the last with a weight)", minimum=0
    )
    seed: int = option(0, "other tasks: seed of the example")
    out: str | None = option(None, "the HTML file to write (default: trace.html in the run's folder)")


def main(arguments: Sequence[str]) -> int:
    """Write the page and return 0."""
    parser = Parser("trace", description=f"{HELP}: an HTML page with figures and numbers.")
    add_run_arguments(parser)
    add_options(parser, TraceOptions)
    given = parser.read(arguments)
    path, cell = given.pop("run"), given.pop("cell")
    settings = TraceOptions.from_text(given)
    out = output_file("--out", settings.out) if settings.out else None
    folder = locate(path)[0]
    name, options = read_config(folder)
    import_run_cell(f"trace {path}", cell, options.cell)
    if (name == "text") != (settings.text is not None):
        fault = "expected the text for the model to read" if name == "text" else "only runs of the task 'text' take it"
        raise OptionError(f"--text: {fault}; {folder} is of {name!r}.")
    try:
        figure()
    except ImportError as error:
        raise OptionError(f"trace: {error}") from None
    with on_backend(options.backend, f"{folder / CONFIG}: "):
        task, trainer = trained(path)
        page = _page(task, trainer, settings)
    out = out or folder / "trace.html"
    page.save(out)
    print(f"{out}: {len(page.parts)} parts; open it in a browser.")
    return 0


def _page(task: Task, trainer: Trainer, settings: TraceOptions) -> Page:
    """Run the model on one sequence, propagate the loss of one step back, and return the page about it."""
    whole, tokens = task.probe(generator_for(settings.seed), settings.text or "")
    step = _traced_step(whole, settings.step)
    batch = Batch(*(array[:, : step + 1] for array in whole[:3]))  # later steps have no influence
    tokens = tokens and tokens[: step + 1]
    with trace(trainer.model) as seen:
        outputs, _ = trainer.model(batch.inputs, training=False)
        last = np.arange(step + 1)[None] == step
        loss = LOSSES[task.shape().head](outputs, batch._replace(weights=last.astype(np.float32)))
        loss.backward()
    page = report(seen, f"A run of {task.name}: {trainer.options.cell}, seen from inside", tokens)
    read = f"Read: {''.join(tokens)!r}. " if tokens else ""
    begin = Page("").text(
        f"{read}{step + 1} time steps, 0 to {step}. The loss is that of the last alone, "
        f"{float(loss.item()) * task.per_unit:.4g} {task.unit}; the pictures of the backward pass start from it."
    )
    if tokens and len(task.alphabet) == task.shape().outputs:
        expected = _likeliest(outputs.numpy()[0, step], task.alphabet, int(batch.targets[0, step]))
        begin.table(["after that step", "probability"], expected)
    page.parts[:0] = begin.parts
    return page


def _traced_step(batch: Batch, step: int | None) -> int:
    counted = np.flatnonzero(batch.weights[0])
    if step is None:
        return int(counted[-1])
    if step not in counted:
        raise OptionError(
            f"--step: expected a step whose loss counts, {counted[0]} to {counted[-1]} in this sequence, got {step}."
        )
    return step


def _likeliest(logits: Array, alphabet: str, right: int) -> list[list[object]]:
    """Return the five likeliest symbols, and the right one, with their probabilities."""
    p = np.exp(log_softmax(logits))
    shown = list(dict.fromkeys([*np.argsort(-p, kind="stable")[:5].tolist(), right]))
    return [[repr(alphabet[k]) + (" (right)" if k == right else ""), float(p[k])] for k in shown]
