"""Animation of a training: one picture for each epoch and a slider, in one HTML page."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from minigrad.engine.arguments import at_least, function, text
from minigrad.engine.errors import MinigradError, shown
from minigrad.engine.foreign import naming
from minigrad.plot import style
from minigrad.plot.alt import alt_text
from minigrad.plot.forward import gates
from minigrad.plot.page import Page
from minigrad.plot.view import check_named

PLAYER = """
<figure><img id="frame" alt=""><figcaption id="words"></figcaption></figure>
<p><button id="play" type="button">Play</button>
<label>frame <input id="at" type="range" min="0" value="0" style="width: 60%"></label> <output id="name"></output></p>
<script>
const frames = FRAMES, at = document.getElementById("at"), play = document.getElementById("play");
let timer = null;
function show() {
  const [name, png, alt] = frames[at.value];
  const frame = document.getElementById("frame");
  frame.src = "data:image/png;base64," + png; frame.alt = alt;
  document.getElementById("words").textContent = alt; document.getElementById("name").textContent = name;
}
function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
function next() { if (+at.value >= frames.length - 1) stop(); else { at.value = +at.value + 1; show(); } }
at.max = frames.length - 1;
at.addEventListener("input", () => { stop(); show(); });
play.addEventListener("click", () => {
  if (timer) return stop();
  if (+at.value >= frames.length - 1) { at.value = 0; show(); }
  timer = setInterval(next, PAUSE); play.textContent = "Pause";
});
show();
</script>
"""


def animate(
    traces: Mapping[Any, Any], draw: Callable[..., Any] = gates, title: str = "", pause: int = 400, **options: Any
) -> Page:
    """Draw the same picture of each of several traces, on one scale, as frames to step or play through.

    Args:
        traces: the arguments of `draw`, by epoch or another name of the frame, in order.
        draw: a function of `minigrad.plot`, or another that draws into `ax` and returns it.
        title: the title of the page.
        pause: milliseconds between frames.
        **options: options of `draw`, such as ``units=3``.

    Returns:
        A page that needs no network. Notebooks display it, ``.save("film.html")`` writes it.

    Raises:
        MinigradError: `traces` is empty or has no names.

    >>> import minigrad as mg
    >>> model, x = mg.keras.Sequential([mg.keras.layers.LSTM(4), mg.keras.layers.Dense(1)]), mg.ones((8, 5, 2))
    >>> model.compile("adam", "mse")
    >>> seen = {}
    >>> for epoch in range(3):
    ...     with mg.trace(model) as seen[f"epoch {epoch}"]:
    ...         _ = model(x[:1])
    ...     _ = model.fit(x, mg.ones((8, 1)), verbose=0)
    >>> animate(seen, title="gates in training").title
    'gates in training'
    """
    if not check_named(traces, "animate"):
        raise MinigradError("animate: expected `traces`, at least one, got none.")
    function("animate: `draw`", draw)
    pause, title = at_least("animate: `pause`", pause, 0), text("animate: `title`", title)
    figures = {str(name): _drawn(draw, trace, str(name), options) for name, trace in traces.items()}
    limits = [ax.get_ylim() for ax in figures.values()]
    scale = min(min(pair) for pair in limits), max(max(pair) for pair in limits)
    frames = []
    for name, ax in figures.items():
        if not ax.yaxis_inverted():
            ax.set_ylim(scale)
        out = io.BytesIO()
        ax.figure.savefig(out, format="png", dpi=110, metadata={"Software": None})
        frames.append([name, base64.b64encode(out.getvalue()).decode(), f"{name}: {alt_text(ax)}"])
    page = Page(title or f"{len(frames)} frames of {getattr(draw, '__name__', 'a picture')}")
    data = json.dumps(frames, ensure_ascii=False).replace("</", "<\\/")
    first = f'<noscript><img src="data:image/png;base64,{frames[0][1]}" alt="{escape(frames[0][2])}"></noscript>'
    page.parts.append(PLAYER.replace("PAUSE", str(int(pause))).replace("FRAMES", data) + first)
    return page


def _drawn(draw: Callable[..., Any], trace: Any, name: str, options: Mapping[str, Any]) -> Any:
    """One frame, with its name as the title."""
    with naming(f"animate: `draw` of {name!r} of `traces`"):
        ax = draw(trace, ax=style.axes(None), **options)
    if not hasattr(ax, "set_title"):
        raise MinigradError(f"animate: expected `draw`, a function that returns its `ax`, got a result {shown(ax)}.")
    ax.set_title(" · ".join(part for part in (ax.get_title(), name) if part))
    return ax
