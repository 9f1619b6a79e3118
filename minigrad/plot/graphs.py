"""Drawing of the tape: every operation with the shape, value and gradient of its output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from minigrad.engine.arguments import dictionary, flag
from minigrad.engine.errors import DTypeError, GradientError, MinigradError, shown
from minigrad.engine.tape import Cotangents, Node
from minigrad.engine.tensor import Tensor, gradients
from minigrad.plot.alt import join_words
from minigrad.plot.drawing import Drawing
from minigrad.plot.graph_layout import GraphLayout, layered_layout

MAX_BOXES = 150  # more cannot be read
MAX_NUMBERS = 3  # of an array written in full
LETTER, LINE, PAD = 7.0, 15.0, 8.0  # pixels: width of a character, height of a line, around the text
FILLS = {"leaf": "#CFE8F7", "constant": "#EEEEEE", "operation": "#FFFFFF", "end": "#FBE3B4"}


@dataclass
class Box:
    """One box: a leaf, a constant, or an operation and its output."""

    kind: str
    lines: list[str]
    name: str


def graph(output: Tensor, names: Mapping[str, Tensor] | None = None, numbers: bool = True) -> Drawing:
    """Draw the graph of a tensor, from its leaves above to the tensor below, with ∂output/∂ of every box.

    Each box has the operation, the shape, the value and the gradient: up to three numbers in full, otherwise the norm.
    Leaves with a gradient are blue, constants grey. Nothing changes: no `.grad` is written, the graph is not freed.

    Args:
        output: a tensor on the tape; for several numbers, the gradient is that of their sum.
        names: names of tensors, ``{"x": x, "W": W}``; weights have names already.
        numbers: whether to write values and gradients.

    Returns:
        The drawing. Notebooks display it, ``.save("graph.svg")`` writes it.

    Raises:
        DTypeError: `output` is not a tensor.
        GradientError: nothing was recorded, or `backward` freed the graph.
        MinigradError: there are more than 150 boxes.

    >>> import minigrad as mg
    >>> w = mg.tensor(2.0, requires_grad=True)
    >>> graph(w * 3.0 + 1.0, {"w": w}).alt
    'Graph: 2 operations (1 Multiply and 1 Add), 1 leaf with a gradient (w), 2 constants. ∂output/∂w is 3.'
    """
    numbers = flag("graph: `numbers`", numbers)
    if not isinstance(output, Tensor):
        raise DTypeError(f"graph: expected `output`, a tensor, such as a loss, got {shown(output)}.")
    if output.node is None:
        raise GradientError(
            "graph: expected `output` on the tape, got one computed without inputs that require a gradient. Set "
            "requires_grad=True on an input."
        )
    found = _tensors(output)
    gradients_at = (
        gradients([output], [np.ones(output.shape)], into=Cotangents(list(found.values()))) if numbers else None
    )
    if names is not None:
        dictionary("graph: `names`", names)
    called = {id(t): name for name, t in (names or {}).items()}
    boxes, edges, place = _boxes(output, found, called, gradients_at)
    widths = {k: LETTER * max(map(len, box.lines)) + 2 * PAD for k, box in enumerate(boxes)}
    tall = LINE * max(len(box.lines) for box in boxes) + 2 * PAD
    layout = layered_layout(widths, edges, tall + 34)
    leaves = {boxes[place[key]].name: t for key, t in found.items() if t.node is None and t.requires_grad}
    return Drawing(_picture(boxes, widths, layout, tall), _words(boxes, leaves, gradients_at))


def _tensors(output: Tensor) -> dict[int, Tensor]:
    """Every tensor from which the output was computed, in order; by node, or by id if there is no node."""
    nodes: dict[int, Node] = {}
    found: dict[int, Tensor] = {}
    pending = [output]
    while pending:
        t = pending.pop()
        if t.node is None:
            found.setdefault(_key(t), t)
        elif t.node.serial not in nodes:
            if t.node.op is None:
                raise GradientError("graph: backward() freed this graph. Draw it before backward().")
            nodes[t.node.serial] = t.node
            found[_key(t)] = t
            pending += [x for x in t.node.inputs if isinstance(x, Tensor)]
        if len(found) > MAX_BOXES:
            raise MinigradError(f"graph: expected at most {MAX_BOXES} boxes, got more. Draw less, e.g. two time steps.")
    computed = sorted((t for t in found.values() if t.node is not None), key=_key, reverse=True)
    return {_key(t): t for t in [*(t for t in found.values() if t.node is None), *computed]}


def _key(t: Tensor) -> int:
    return id(t) if t.node is None else t.node.serial


def _boxes(
    output: Tensor, found: dict[int, Tensor], called: Mapping[int, str], gradients_at: Any
) -> tuple[list[Box], list[tuple[int, int]], dict[int, int]]:
    """The boxes, the edges as pairs of their indices, and the index of each tensor."""
    boxes: list[Box] = []
    edges: list[tuple[int, int]] = []
    place: dict[int, int] = {}
    for key, t in found.items():
        sources = []
        for x in () if t.node is None else t.node.inputs:
            if isinstance(x, Tensor):
                sources.append(place[_key(x)])
            elif x is not None:
                sources.append(len(boxes))
                boxes.append(Box("constant", [_short(np.asarray(x))], "a constant"))
        place[key] = len(boxes)
        boxes.append(_box(t, called.get(id(t), ""), t is output, gradients_at))
        edges += [(source, place[key]) for source in sources]
    return boxes, edges, place


def _box(t: Tensor, name: str, end: bool, gradients_at: Any) -> Box:
    name = name or getattr(t, "name", "").removesuffix(":0")
    op = "" if t.node is None or t.node.op is None else t.node.op.__name__
    kind = "end" if end else "operation" if op else "leaf" if t.requires_grad else "constant"
    head = f"{name} = {op}" if name and op else name or op or kind
    parts = t.node.y if t.node is not None and type(t.node.y) is tuple else ()
    lines = [f"{head} {f'{len(parts)} × ' if parts else ''}{t.shape}" if t.shape else head]
    if gradients_at is not None and not parts:
        lines.append(_short(t.numpy()))
        dx = gradients_at.get(t)
        if dx is not None and t.requires_grad:
            lines.append(f"∂: {_short(t.backend.to_numpy(dx))}")
    return Box(kind, lines, name or op)


def _short(a: Any) -> str:
    """A few numbers in full, or the norm of many."""
    if a.size <= MAX_NUMBERS:
        inside = ", ".join(f"{v + 0:.3g}" for v in a.ravel())  # + 0 removes the sign of −0
        return inside if a.ndim == 0 else f"[{inside}]"
    return f"‖·‖ = {np.linalg.norm(a.astype(np.float64)):.3g}"


def _picture(boxes: list[Box], widths: dict[int, float], layout: GraphLayout, tall: float) -> str:
    parts = [_edge(path, boxes[a], boxes[b], tall) for (a, b), path in layout.paths.items()]
    parts += [_drawn(box, *layout.places[k], widths[k]) for k, box in enumerate(boxes)]
    w, h = layout.width, layout.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0f} {h:.0f}" width="{w:.0f}" height="{h:.0f}" '
        f'font-family="monospace" font-size="11.5" text-anchor="middle">'
        f'<rect width="100%" height="100%" fill="#FFFFFF"/>{"".join(parts)}</svg>'
    )


def _drawn(box: Box, x: float, y: float, width: float) -> str:
    tall = _height(box)
    text = ""
    for n, line in enumerate(box.lines):
        style = ' font-weight="bold"' if n == 0 else ' fill="#A03E00"' if line.startswith("∂") else ""
        text += f'<text x="{x:.1f}" y="{y - tall / 2 + PAD + LINE * (n + 0.78):.1f}"{style}>{escape(line)}</text>'
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - tall / 2:.1f}" width="{width:.1f}" height="{tall:.1f}" '
        f'rx="{0 if box.kind == "constant" else 6}" fill="{FILLS[box.kind]}" stroke="#333333"/>{text}'
    )


def _height(box: Box) -> float:
    return LINE * len(box.lines) + 2 * PAD


def _edge(path: list[tuple[float, float]], above: Box, below: Box, tall: float) -> str:
    """A curve from the bottom of a box to the top of another, with an arrowhead.

    It bends between the rows only, and is straight between the boxes of a row.
    """
    (x, y), *bends, (end, head) = path
    d, y = f"M{x:.1f},{y + _height(above) / 2:.1f}", y + _height(above) / 2
    head -= _height(below) / 2 + 6
    for along, middle in bends:
        d += f"{_bow(x, y, along, middle - tall / 2)}V{middle + tall / 2:.1f}"
        x, y = along, middle + tall / 2
    d += _bow(x, y, end, head)
    tip = f"M{end - 4:.1f},{head:.1f}h8l-4,6Z"
    return f'<path d="{d}" fill="none" stroke="#555555" stroke-width="1.2"/><path d="{tip}" fill="#555555"/>'


def _bow(x0: float, y0: float, x1: float, y1: float) -> str:
    middle = (y0 + y1) / 2
    return f"C{x0:.1f},{middle:.1f} {x1:.1f},{middle:.1f} {x1:.1f},{y1:.1f}"


def _words(boxes: list[Box], leaves: Mapping[str, Tensor], gradients_at: Any) -> str:
    """The alt text."""
    ops = [box.lines[0].split(" = ")[-1].split(" (")[0] for box in boxes if box.kind in ("operation", "end")]
    counted = join_words([f"{ops.count(op)} {op}" for op in dict.fromkeys(ops)])
    constants = sum(box.kind == "constant" for box in boxes)
    leaf = "leaf" if len(leaves) == 1 else "leaves"
    text = f"Graph: {len(ops)} operation{'s' * (len(ops) != 1)} ({counted}), {len(leaves)} {leaf} with a gradient "
    text += f"({join_words(list(leaves)) if leaves else 'none'}), {constants} constant{'s' * (constants != 1)}."
    for name, t in leaves.items():
        dx = None if gradients_at is None else gradients_at.get(t)
        if dx is not None:
            text += f" ∂output/∂{name} is {_short(t.backend.to_numpy(dx))}."
    return text
