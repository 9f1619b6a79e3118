"""Pictures of gradients with respect to the inputs: saliency, and the band of truncated BPTT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.engine import functional
from minigrad.engine.arguments import at_least, function
from minigrad.engine.autograd import grad
from minigrad.engine.creation import tensor
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.engine.tensor import Tensor
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text, range_text
from minigrad.plot.view import HostArray, Source, View, three_axes, to_host, trace_of
from minigrad.tracing import Trace, Tracer

COLUMNS = 40  # tokens in a line of text


def saliency(source: Source, tokens: Sequence[str] | None = None, row: int = 0, ax: Any = None) -> Any:
    """Draw ‖∂loss/∂x_t‖, the influence of each input on the loss, as bars or as the background of tokens.

    Args:
        source: a trace, or the norms themselves, (T,) or (T, batch).
        tokens: the token at each time step of the sequence; they are drawn as text on colours, darker for larger norms.
        row: the row of the batch.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        GradientError: `backward` was not called.
        IndexRangeError: there is no such row.
        ShapeError: there is not one token for each step.
    """
    if isinstance(source, (Trace, Tracer)):
        trace = trace_of(source, "saliency")
        norms = trace.saliency()
    else:
        norms = to_host(source, "saliency: `source`")
        if not 1 <= norms.ndim <= 2 or not norms.size:
            raise ShapeError(f"saliency: expected `source`, norms (T,) or (T, batch), got shape {norms.shape}.")
        norms = norms.reshape(len(norms), -1)
        trace = trace_of(norms[..., None], "saliency")
    view = View(trace, "saliency", row)
    values, steps = norms[:, row], view.steps
    read = view.read(tokens)
    if tokens is None or read is None:
        ax = _bars(style.axes(ax), view, values)
    else:
        whole = np.full(len(tokens), np.nan)
        whole[steps] = values
        ax = _text(style.axes(ax, (7.0, 0.9 + 0.34 * -(-len(tokens) // COLUMNS))), tokens, whole)
    ax.set_title(view.title)
    order = np.argsort(-values, kind="stable")[:3]
    most = [f"{steps[k]}" + ("" if read is None else f" ({read[k]!r})") for k in order]
    share = values.max() / (values.sum() or 1)
    return add_alt_text(
        ax,
        f"{'Bars' if tokens is None else 'Coloured text'}: the norm of ∂loss/∂x{view.about}, {range_text(values)}. "
        f"Most depends on the inputs at steps {', '.join(most)}; the largest is {share:.0%} of the sum.",
    )


def _bars(ax: Any, view: View, values: HostArray) -> Any:
    ax.bar(view.steps, values, width=0.8 * view.trace.every, color=style.BLUE)
    style.hatch_masked(ax, view.steps, view.masked)
    style.steps_axis(ax, view.steps)
    ax.set_ylabel("‖∂loss/∂xₜ‖, in units of the loss")
    return ax


def _text(ax: Any, tokens: Sequence[str], values: HostArray) -> Any:
    """Draw lines of tokens, each on the colour of its value; NaN has no colour."""
    lines = -(-len(values) // COLUMNS)
    cells = np.full(lines * COLUMNS, np.nan)
    cells[: len(values)] = values
    image = ax.imshow(
        cells.reshape(lines, COLUMNS),
        cmap="Blues",
        vmin=0,
        vmax=np.nanmax(values) or 1,
        aspect="auto",
        interpolation="nearest",
    )
    for k, token in enumerate(tokens):
        dark = values[k] > 0.6 * np.nanmax(values)
        ax.text(
            k % COLUMNS, k // COLUMNS, style.visible(token), ha="center", va="center", family="monospace", fontsize=9,
            color="white" if dark else "black",
        )  # fmt: skip
    ax.set(xticks=[], yticks=range(lines), yticklabels=[f"{COLUMNS * k}" for k in range(lines)])
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.set_ylabel("first step\nof the line")
    ax.spines[:].set_visible(False)
    ax.set_box_aspect(0.055 * lines)
    ax.figure.colorbar(image, ax=ax, pad=0.02, aspect=10).set_label("‖∂loss/∂xₜ‖")
    return ax


def tbptt_band(band: Any, window: int | None = None, ax: Any = None) -> Any:
    """Draw the matrix ‖∂L_t/∂x_u‖: each row is the influence of all inputs on the loss of one step.

    Truncated backpropagation through time gives a band at the diagonal and exact zeros beyond it.

    Args:
        band: (T, T), row t, column u; `input_gradients` computes it.
        window: k2, the number of steps that gradients should pass; a line marks their expected end.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        ShapeError: `band` is not a square matrix.

    Source: R. Williams and J. Peng, An efficient gradient-based algorithm for on-line training, 1990.
    """
    values = to_host(band, "tbptt_band: `band`")
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ShapeError(f"tbptt_band: expected `band`, a matrix (T, T), got shape {values.shape}.")
    if not (values > 0).any():
        raise MinigradError(
            "tbptt_band: expected `band` with gradients above 0, got 0 everywhere. Check that the loss depends on x."
        )
    ax = style.axes(ax, (6.0, 4.8))
    from matplotlib.colors import LogNorm

    T, positive = len(values), values[values > 0]
    scale = LogNorm(vmin=max(positive.min(), positive.max() * 1e-8), vmax=positive.max())
    ax.set_facecolor("#E8E8E8")
    ax.grid(visible=False)
    image = ax.imshow(np.where(values > 0, values, np.nan), cmap=style.SEQUENTIAL, norm=scale, interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, pad=0.02).set_label("‖∂Lₜ/∂xᵤ‖ (grey: exactly 0)")
    if window is not None:
        window = at_least("tbptt_band: `window`", window, 1)
        left = np.arange(T) - window + 0.5  # left edge of the last input inside the window
        borders = np.stack([np.arange(T) - 0.5, np.arange(T) + 0.5], axis=1).ravel()
        ax.plot(left.repeat(2), borders, color=style.VERMILION, linestyle="--", label=f"k₂ = {window}")
        ax.set(xlim=(-0.5, T - 0.5), ylim=(T - 0.5, -0.5))
        ax.legend(loc="upper right")
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("u, the time step of the input")
    ax.set_ylabel("t, the time step of the loss")
    reach = max(int(t - u) for t, u in np.argwhere(values > 0)) + 1
    below = values[np.tril_indices(T)]
    return add_alt_text(
        ax,
        f"Matrix on a logarithmic scale: the norm of ∂L_t/∂x_u, {T} losses by {T} inputs, {range_text(positive, 2)}. "
        f"A loss reaches back {reach} steps at most; {(below == 0).mean():.0%} of the entries at or below the "
        "diagonal are exactly 0.",
    )


def input_gradients(layer: Any, x: Any) -> HostArray:
    """Return ‖∂L_t/∂x_u‖, (T, T), where L_t is the sum of the layer's output at step t.

    Args:
        layer: a layer that returns a sequence, such as an LSTM with ``return_sequences=True``.
        x: (batch, T, features). The norm is over the batch, too.

    Raises:
        ShapeError: the layer does not return a sequence.
    """
    function("input_gradients: `layer`", layer)
    x = tensor(three_axes(x, "input_gradients: `x`"), requires_grad=True)
    with naming("input_gradients: `layer` called on `x`"):
        y = layer(x)
    if not isinstance(y, Tensor):
        raise DTypeError(f"input_gradients: expected `layer` to return a tensor, got {shown(y)}.")
    if y.ndim != 3 or y.shape[1] != x.shape[1]:
        raise ShapeError(
            f"input_gradients: expected `layer` to return {x.shape[1]} outputs for `x`, got shape {y.shape}. Make the "
            "layer with return_sequences=True."
        )
    rows = [grad(functional.sum(y[:, t]), [x])[0] for t in range(x.shape[1])]
    return np.stack([np.linalg.norm(dx.numpy(), axis=(0, 2)) for dx in rows if dx is not None])
