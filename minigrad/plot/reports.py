"""Report on one run of a model: all pictures of its recurrent layers in one page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.engine.arguments import text
from minigrad.engine.errors import MinigradError, shown
from minigrad.plot.backward import gradient_flow, gradient_ledger, jacobian_norms
from minigrad.plot.cell import cell_diagram
from minigrad.plot.circuits import CIRCUIT_OF_KIND
from minigrad.plot.drawing import svg
from minigrad.plot.forward import cell_state, gate_heatmap, gates, saturation
from minigrad.plot.inputs import saliency
from minigrad.plot.page import Page
from minigrad.plot.style import CANDIDATES
from minigrad.plot.view import View
from minigrad.tracing import Trace, Tracer
from minigrad.tracing.jacobian import MAX_QUICK_COST, cost

CaptionedPicture = tuple[str, Callable[[], Any]]
"""A caption, and the function that draws the picture."""


def report(seen: Tracer, title: str, tokens: Sequence[str] | None = None, row: int = 0) -> Page:
    """Return a page with the gates, states and gradients of every layer: figures, and the numbers of each step.

    Args:
        seen: the tracer, after the backward pass.
        title: the title of the page.
        tokens: the token at each time step of the sequence.
        row: the row of the batch.

    Raises:
        GradientError: `backward` was not called.
        IndexRangeError: there is no such row.
        MinigradError: `seen` is not a tracer.
    """
    if not isinstance(seen, Tracer):
        raise MinigradError(f"report: expected `seen` of `with mg.trace(model) as seen:`, got {shown(seen)}.")
    page = Page(text("report: `title`", title))
    for n, name in enumerate(seen.names):
        trace = seen[name]
        units = trace.outputs.shape[2]
        page.heading(f"{name} ({trace.kind}, {units} units)")
        for k, (caption, draw) in enumerate(_pictures(seen, name, tokens, row)):
            page.picture(svg(draw(), f"p{n}-{k}"), caption)
        if _takes_long(trace):
            page.text(f"The norms of the Jacobians are left out: {units} units over {trace.steps} steps take too long.")
        page.heading("The numbers of each step", 3).table(*_numbers(trace, tokens, row))
    return page


def _pictures(seen: Tracer, name: str, tokens: Sequence[str] | None, row: int) -> Iterator[CaptionedPicture]:
    """The pictures of a layer, with their captions."""
    trace = seen[name]
    real = [k for k in trace.gates if k not in CANDIDATES]
    last = len(trace.outputs) - 1
    if trace.dx is not None:
        yield "Influence of each input on the loss.", lambda: saliency(trace, tokens, row)
    yield "The gates over time.", lambda: gates(trace, row=row, tokens=tokens)
    for k in [k for k in ("f", "z") if k in trace.gates]:
        yield f"The gate {k} of each unit.", lambda k=k: gate_heatmap(trace, k, row, tokens=tokens)  # type: ignore[misc]
    state = "c" if "c" in trace.states else "h"
    yield f"The state {state} after each step.", lambda: cell_state(trace, state, row, tokens=tokens)
    if real:
        yield "Fraction of steps at which gates are nearly closed, and nearly open.", lambda: saturation(trace, row=row)
    for s in trace.states:
        yield f"Gradient of {s} by its distance from the end.", lambda s=s: gradient_flow({name: trace}, s, row)  # type: ignore[misc]
    yield "Shares of the paths by which the gradient arrives.", lambda: gradient_ledger(trace, row=row)
    if not _takes_long(trace):
        yield (
            "Effect of a change in the state on the last state, exactly, and by forget gates alone.",
            lambda: jacobian_norms({name: seen}, state, row, layer=name),
        )
    if trace.every == 1 and trace.kind in CIRCUIT_OF_KIND:
        yield "The last step of unit 0, with its numbers.", lambda: cell_diagram(trace, last, row)


def _takes_long(trace: Trace) -> bool:
    return cost(trace.steps, *trace.outputs.shape[1:]) > MAX_QUICK_COST


def _numbers(trace: Trace, tokens: Sequence[str] | None, row: int) -> tuple[list[str], list[list[Any]]]:
    """The columns and rows of the table."""
    view = View(trace, "report", row)
    columns: dict[str, Any] = {"step": view.steps.tolist()}
    if tokens is not None:
        columns["read"] = ["␣" if t == " " else repr(t)[1:-1] for t in view.read(tokens) or ()]
    columns |= {f"{k}, mean": view.of(a).mean(axis=1).tolist() for k, a in trace.gates.items()}
    # If steps were left out, the trace has the state before each step, but not the state after it.
    when, part = ("after", slice(1, None)) if trace.every == 1 else ("before", slice(None, -1))
    columns |= {f"‖{k}‖ {when}": _norms(view.of(a)[part]) for k, a in trace.states.items()}
    columns |= {f"‖∂loss/∂{k}‖ {when}": _norms(view.of(a)[part]) for k, a in trace.dstates.items()}
    if trace.dx is not None:
        columns["‖∂loss/∂x‖"] = trace.saliency()[:, row].tolist()
    return list(columns), [list(line) for line in zip(*columns.values(), strict=True)]


def _norms(a: Any) -> list[float]:
    return [float(v) for v in np.linalg.norm(a, axis=1)]
