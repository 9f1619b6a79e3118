"""Assembly of the playground's page from its scripts and from weights, numbers and texts that minigrad computes.

The page needs no other file. Its policy (``Content-Security-Policy: default-src 'none'``) makes the browser refuse
every access to the network.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import asdict
from html import escape
from importlib.resources import files
from typing import Any

from minigrad.engine.creation import tensor
from minigrad.engine.errors import MinigradError
from minigrad.engine.ops.pointwise import Sigmoid, Tanh
from minigrad.keras.layers import LSTM
from minigrad.playground import task
from minigrad.playground.experiments import EXPERIMENTS, LAST
from minigrad.playground.networks import MORE, UNITS, Network, X, networks
from minigrad.playground.questions import QUESTIONS
from minigrad.plot import style
from minigrad.recurrent import lstm
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.rules import rule_of
from minigrad.show.javascript import javascript
from minigrad.tracing import Trace, trace

SCRIPTS = (
    "lstm.js", "training.js", "state.js", "link.js", "words.js", "rows.js", "flow.js", "handles.js", "fingers.js",
    "journey.js", "tables.js", "panels.js", "page.js",
)  # fmt: skip
DARK = {  # the same hues on a dark ground
    style.BLUE: "#5AB0E8", style.VERMILION: "#F5874A", style.GREEN: "#3CC9A0", style.PURPLE: "#DB93D9",
    style.ORANGE: "#E69F00", style.SKY: "#9AD4F7", style.BLACK: "#E4E4E4",
}  # fmt: skip
PATHS = ("carousel", "i", "f", "g", "o")
DASHES = {"-": "", "--": "6 3", "-.": "8 2 1 2"}  # of matplotlib's named line styles


def playground(home: str = "") -> str:
    """Return the page as HTML: an LSTM over eight steps with gates, weights and inputs to drag.

    It trains a network, which takes a second.

    The page shows itself in a frame when its address ends with ``?embed``: short, with a link to the whole page. The
    part after ``#`` is a state, such as the address of any playground shows:

        <iframe src="playground.html?embed#try=cut" title="An LSTM to take apart" loading="lazy"
          style="width: 100%; height: 640px; border: 0"></iframe>

    ``scheme=dark`` or ``scheme=light``, and ``tab=train``, ``tab=predict``, ``tab=weights`` or ``tab=numbers``, go
    after ``?`` or ``#``. A page that changes its colours tells the frame:
    ``frame.contentWindow.postMessage({scheme: "dark"}, "*")``.

    Args:
        home: the address of the page to link back to; without one there is no link.
    """
    nets = networks()
    parts = {
        "style": _read("page.css"),
        "colours": " ".join(f"--{k}: light-dark({look['colour']}, {look['dark']});" for k, look in looks().items()),
        "home": f'<a id="home" href="{escape(home)}">All lessons and pages</a>' if home else "",
        "scripts": "\n".join(f"<script>\n{text}</script>" for text in (equations_of_one_unit(), *map(_read, SCRIPTS))),
        "data": _json(data(nets)),
        "equations": equations(),
    }
    page = _read("page.html")
    for name, part in parts.items():
        before, mark, after = page.partition("{{" + name + "}}")
        if not mark:
            raise MinigradError(f"playground: page.html has no place for {name}: expected {{{{{name}}}}} in it.")
        page = before + part + after
    return page


def equations_of_one_unit() -> str:
    """Return the LSTM's equations as JavaScript in which each gate can be held at a value."""
    ops: Any = (Sigmoid, Tanh)
    sigma, phi = (rule for rule in map(rule_of, ops) if rule is not None)
    return javascript(describe(lstm.LSTM), sigma, phi, held=("i", "f", "g", "o"))


def data(nets: list[Network]) -> dict[str, Any]:
    """Return the initial data of the scripts, as values for JSON.

    Args:
        nets: the networks.
    """
    return {
        "x": X,
        "units": UNITS,
        "looks": looks(),
        "networks": [
            {"key": net.key, "name": net.name, "text": net.text, **dict(zip("WUb", _lists(net.weights), strict=True))}
            for net in nets
        ],
        "experiments": [asdict(each) for each in EXPERIMENTS],
        "questions": [asdict(each) for each in QUESTIONS],
        "longest_x": X + MORE,
        "task": task.sequences(),
        "expected": expected(nets[0]),
        "descended": descended(next(net for net in nets if net.key == "fresh")),
    }


def looks() -> dict[str, dict[str, Any]]:
    """Return the name, colour and dashes of each path and state in minigrad's pictures."""
    found = {}
    for key in (*PATHS, "h", "c", "a"):
        place = style.style_index(key)
        line = style.LINES[place]
        dashes = DASHES[line] if isinstance(line, str) else " ".join(f"{3 * number}" for number in line[1])
        found[key] = {"name": style.NAMES.get(key, key), "colour": style.COLOURS[place], "dashes": dashes}
        found[key]["dark"] = DARK[style.COLOURS[place]]
        found[key]["scale"] = style.SCALES.get(key, "0 closed, 1 open") if key in ("i", "f", "o") else ""
    return found


def traced(net: Network, loss_weights: tuple[tuple[int, int, float], ...] = LAST) -> Trace:
    """Return minigrad's trace of a network on the page's inputs.

    Args:
        net: the network.
        loss_weights: the weights of h in the loss: step, unit, weight.
    """
    layer = LSTM(UNITS, return_sequences=True, dtype="float64")
    layer.build((1, len(X), len(X[0])))
    layer.set_weights(list(net.weights))
    x = tensor([X], "float64", requires_grad=True)
    with trace(layer) as seen:
        h = layer(x)
        sum((h[0, t, u] * value for t, u, value in loss_weights), start=tensor(0.0, "float64")).backward()
    return seen[seen.names[0]]


def expected(net: Network) -> dict[str, Any]:
    """Return minigrad's numbers for the initial page; the page compares the browser's numbers with them.

    Args:
        net: the initial network.
    """
    seen = traced(net)
    after = {"c_new": seen.c[1:], "h_new": seen.h[1:], "dh": seen.dh[1:], "dc_arrived": seen.dc[1:], "dx": seen.dx}
    by_step = {**seen.gates, **seen.inner, **after, **{f"dz_{k}": dz for k, dz in seen.dgates.items()}}
    paths = {f"ledger.{state}.{path}": a for state, by_path in seen.ledger.items() for path, a in by_path.items()}
    return {name: array[:, 0].tolist() for name, array in {**by_step, **paths}.items()}


def descended(net: Network) -> dict[str, Any]:
    """Return minigrad's losses and weights of the first steps of training, which the page compares with its own.

    Args:
        net: the network to start from.
    """
    losses, weights = task.descended(net, task.CHECKED)
    return {"network": net.key, "losses": losses, **dict(zip("WUb", _lists(tuple(weights)), strict=True))}


def equations() -> str:
    """Return the derivation in the docstring of `minigrad/recurrent/lstm.py` as HTML."""
    blocks = inspect.cleandoc(lstm.LSTM.__doc__ or "").split("\n\n")[1:]
    tags = ["pre" if block.startswith("    ") else "p" for block in blocks]
    texts = [inspect.cleandoc(block) if tag == "pre" else block for tag, block in zip(tags, blocks, strict=True)]
    page = "\n".join(f"<{tag}>{escape(text)}</{tag}>" for tag, text in zip(tags, texts, strict=True))
    return re.sub("`(.+?)`", r"<code>\1</code>", page)


def _lists(arrays: tuple[Any, ...]) -> list[Any]:
    return [array.tolist() for array in arrays]


def _json(values: dict[str, Any]) -> str:
    """JSON that is valid inside a script element."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")


def _read(name: str) -> str:
    return files("minigrad.playground").joinpath(name).read_text("utf-8")
