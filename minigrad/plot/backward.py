"""Pictures of the backward pass: the size of the gradient at each step, and the paths by which it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine.arguments import text
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text, join_words, range_text
from minigrad.plot.view import HostArray, Source, View, by_name, check_indices, letter_of, to_host, trace_of
from minigrad.tracing import Trace, Tracer


def gradient_flow(models: Any, state: str = "h", row: int | None = None, ax: Any = None) -> Any:
    """Draw ‖∂loss/∂state_t‖ against the lag T − t.

    On the logarithmic scale, a straight line is a gradient that shrinks (or grows) by the same factor at every step.

    Args:
        models: a trace, ∂loss/∂state, (T + 1, batch, units), or several of these by name.
        state: the letter of the state; ``"h"`` also selects the first generation's m.
        row: a row of the batch; by default the mean of all rows.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        GradientError: `backward` was not called.
        IndexRangeError: there is no such row.
    """
    norms, lags, letters = {}, {}, []
    for name, source in by_name(models, "gradient_flow").items():
        trace = trace_of(source, "gradient_flow", "dstates", text("gradient_flow: `state`", state), "models")
        k = state if trace.kind == "arrays" else letter_of("gradient_flow", state, trace.states, "state")
        dstate = trace.dstates[k] if trace.kind == "arrays" else getattr(trace, f"d{k}")
        norms[name] = _of_row("gradient_flow", np.linalg.norm(dstate, axis=-1), row)
        lags[name] = trace.steps - np.append(trace.at, trace.steps)
        letters.append(k)
    ax = style.axes(ax)
    letter = "/".join(dict.fromkeys(letters))
    ax.set_ylabel(f"‖∂loss/∂{letter}ₜ‖, in units of the loss")
    return _against_lag(ax, norms, lags, f"the norm of ∂loss/∂{letter}_t{_row_text(row)}")


def _row_text(row: int | None) -> str:
    return ", the mean of the rows," if row is None else f" of row {row}"


def jacobian_norms(
    models: Any,
    state: str = "c",
    row: int | None = None,
    norm: str = "spectral",
    layer: str | None = None,
    ax: Any = None,
) -> Any:
    """Draw ‖∂state_T/∂state_t‖ against the lag T − t, and the product of the forget gates.

    The product is that of the unit with the largest one. It would be the norm if the carousel were the only path of the
    gradient. Where the two lines differ, the gradient takes other paths.

    Args:
        models: a `Tracer` of one layer, norms (T + 1, batch) or (T + 1,), or several of these by name.
        state: the letter of the state.
        row: a row of the batch; by default the mean of all rows.
        norm: ``"spectral"`` or ``"frobenius"``.
        layer: the name of the layer, if a tracer has several.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        MinigradError: a `Trace` was given, which does not have the weights that Jacobians need.
        IndexRangeError: there is no such row.
    """
    norms, products = {}, {}
    for name, source in by_name(models, "jacobian_norms").items():
        if isinstance(source, Trace):
            raise MinigradError(
                "jacobian_norms: expected `models`, a tracer, which has the weights, got a trace. Pass the tracer."
            )
        if not isinstance(source, Tracer):
            norms[name] = _of_row("jacobian_norms", to_host(source, "jacobian_norms: `models`"), row)
            continue
        trace = trace_of(source, "jacobian_norms", argument="models") if layer is None else source[layer]
        k = letter_of("jacobian_norms", state, trace.states, "state")
        norms[name] = _of_row("jacobian_norms", source.jacobian_norms(k, layer, norm), row)
        if "f" in trace.gates and trace.every == 1:
            products[f"{name}: product of forget gates"] = _of_row(
                "jacobian_norms", trace.forget_product().max(axis=-1), row
            )
    ax = style.axes(ax)
    ax.set_ylabel(f"‖∂{state}_T/∂{state}ₜ‖ ({norm} norm, no unit)")
    lines = norms | products
    lags = {name: np.arange(len(line))[::-1] for name, line in lines.items()}
    return _against_lag(ax, lines, lags, f"the {norm} norm of ∂{state}_T/∂{state}_t{_row_text(row)}")


def _of_row(where: str, norms: HostArray, row: int | None) -> HostArray:
    """The norms of a row, or the mean of all rows, (T + 1,)."""
    if not norms.ndim or not norms.size:
        raise ShapeError(f"{where}: expected `models`, norms (T + 1, batch) or (T + 1,), got shape {norms.shape}.")
    norms = norms.reshape(len(norms), -1)
    check_indices(where, "row", [0 if row is None else row], norms.shape[1])
    return norms.mean(axis=1) if row is None else norms[:, row]


def _against_lag(ax: Any, lines: dict[str, HostArray], at: Mapping[str, HostArray], what: str) -> Any:
    """Draw lines over the lag, the end of the sequence at the left; zeros appear only in the labels."""
    texts = []
    for n, (name, values) in enumerate(lines.items()):
        back, lags = values[::-1], at[name][::-1]
        lost = np.flatnonzero(back == 0)
        tail = f", 0 from lag {lags[lost[0]]} on" if lost.size and (back[lost[0] :] == 0).all() else ""
        label = (name + tail).removeprefix(", ")
        ax.plot(lags, np.where(back > 0, back, np.nan), label=label or None, **style.line_style(n, len(back)))
        texts.append(f"{name or 'it'}: {_ends(back, lags)}{tail}")
    scale = ""
    if any((v > 0).any() for v in lines.values()):
        ax.set_yscale("log")
        scale = " on a logarithmic scale"
    ax.set_xlabel("lag T − t (steps before the end)")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(axis="y", color="#E5E5E5", linewidth=0.6)
    if ax.get_legend_handles_labels()[1]:
        style.legend(ax)
    return add_alt_text(ax, f"Lines{scale}: {what} against the lag. {'; '.join(texts)}.")


def _ends(back: HostArray, lags: HostArray) -> str:
    """The first and last value of a line in words, from the first that is not 0."""
    first = int((back > 0).argmax())  # also 0 if all are 0
    begins = f"{back[first]:.2g} at lag {lags[first]}"
    before = f"0 before, {begins}" if first else begins
    change = f", {back[-1] / back[first]:.2g} times that" if back[-1] > 0 else ""
    return f"{before}, {back[-1]:.2g} at lag {lags[-1]}{change}"


def gradient_ledger(source: Source, state: str | None = None, row: int = 0, units: Any = None, ax: Any = None) -> Any:
    """Draw the gradient ledger: the share of each path by which a step's gradient reaches the state before it.

    The share of a path is the mean absolute value of its summand over the units, divided by the sum over all paths.

    Args:
        source: a trace, or arrays by path, (T, batch, units).
        state: the letter of the state that the gradient reaches; all states by default.
        row: the row of the batch.
        units: index or indices of the units; all by default.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        GradientError: `backward` was not called.
        IndexRangeError: there is no such row or unit.
    """
    where = "gradient_ledger"
    state = None if state is None else text(f"{where}: `state`", state)
    trace = trace_of(source, where, "ledger", state or "state")
    if not trace.ledger:
        raise trace.no_gradients("ledger")
    states = list(trace.ledger) if state is None else [letter_of(where, state, trace.ledger, "state")]
    view = View(trace, where, row, units)
    paths = {(path, s): np.abs(view.of(a)).mean(axis=1) for s in states for path, a in trace.ledger[s].items()}
    whole = sum(paths.values())
    ax = style.axes(ax)
    shares = _stacked(ax, view, paths, whole)
    style.steps_axis(ax, view.steps)
    ax.set_ylim(0, 1)
    ax.set_ylabel("share of the gradient\nthat step t sent back")
    ax.set_title(view.title)
    style.legend(ax)
    passed = whole > 0
    texts = [f"{path} {share[passed].mean():.0%}" for path, share in shares.items()] if passed.any() else ["nothing"]
    lost = "" if whole.all() else f" {int((whole == 0).sum())} of the steps pass nothing back."
    return add_alt_text(
        ax,
        f"Stacked bars: by which paths the gradient reaches {join_words(states)}{view.about}, as shares. On the mean: "
        f"{join_words(texts)}.{lost} The sum of the mean absolute gradients is {range_text(whole)}.",
    )


def _stacked(ax: Any, view: View, paths: dict[tuple[str, str], HostArray], whole: HostArray) -> dict[str, HostArray]:
    """Draw the bars, and return the shares by label."""
    bottom, shares = np.zeros(len(whole)), {}
    for n, ((path, state), size) in enumerate(paths.items()):
        share = np.divide(size, whole, out=np.zeros_like(size), where=whole > 0)
        p, label = style.style_index(path, n), f"{path if len(path) > 1 else f'through {path}'} → {state}"
        ax.bar(
            view.steps, share, bottom=bottom, width=0.92 * view.trace.every, label=label,
            facecolor=style.COLOURS[p] + "A0", edgecolor="white", hatch=style.HATCHES[p], linewidth=0,
        )  # fmt: skip
        bottom, shares[label] = bottom + share, share
    return shares
