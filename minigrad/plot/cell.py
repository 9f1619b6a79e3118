"""Circuit diagram of a cell, with the numbers of one step."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from minigrad.engine.arguments import among, flag
from minigrad.engine.arguments import name as check_name
from minigrad.engine.errors import IndexRangeError, MinigradError, unknown_name
from minigrad.engine.foreign import naming
from minigrad.plot import style
from minigrad.plot.alt import add_alt_text
from minigrad.plot.circuits import CIRCUIT_OF_KIND, CIRCUITS, Circuit, Wire
from minigrad.plot.scaled import write
from minigrad.plot.view import Source, View, check_indices, trace_of
from minigrad.tracing import Trace

Numbers = dict[str, tuple[float, float | None]]
"""Values by letter, and after the backward pass ∂loss/∂value (of a gate: ∂loss/∂ its pre-activation)."""


def cell_diagram(
    source: Source = "third",
    step: int = 0,
    row: int = 0,
    unit: int = 0,
    generation: str | None = None,
    peepholes: bool | None = None,
    ax: Any = None,
) -> Any:
    """Draw a cell as a circuit, with the numbers of one unit at one step and their gradients below.

    The drawing scales with the axes; at 8 by 4 inches or more it is easy to read.

    Args:
        source: a trace; arrays by letter, (T, batch, units), with a `generation`; or, without numbers, one of
            ``"first"``, ``"second"``, ``"third"`` (generations of the LSTM), ``"gru"``, ``"simple_rnn"``.
        step: the index of a step in the trace; of a layer that goes backwards, step 0 reads the last time step.
        row: the row of the batch.
        unit: the unit whose numbers are written.
        generation: the name of the circuit. For a traced LSTM with the hard sigmoid, pass ``"second"``: its equations
            are those of the third, so the trace does not determine the generation.
        peepholes: whether to draw the first generation's peepholes; by default, if the trace shows some after the
            backward pass.
        ax: matplotlib axes to draw into; by default those of a new figure.

    Returns:
        The axes.

    Raises:
        IndexRangeError: there is no such step, row or unit.
        MinigradError: the trace holds every n-th step only, without the state after a step.
        UnknownNameError: there is no such circuit.
    """
    where, numbers, title, gates = "cell_diagram", {}, [], []
    peepholes = None if peepholes is None else flag(f"{where}: `peepholes`", peepholes)
    generation = None if generation is None else check_name(f"{where}: `generation`", generation, CIRCUITS)
    if isinstance(source, str):
        name = source
    else:
        trace = trace_of(source, where)
        name = generation or CIRCUIT_OF_KIND.get(trace.kind, trace.kind)
        gates = list(trace.gates)
        numbers = _numbers(trace, _view(trace, where, row, unit), step)
        peepholes = "i" in trace.ledger.get("c", {}) if peepholes is None else peepholes
        title = _title(trace, step, row, unit)
    if not among(name, CIRCUITS):
        raise unknown_name(f"{where}: `source`", name, CIRCUITS)
    circuit, projected = CIRCUITS[name], _projected(numbers)
    ax = style.axes(ax, (10.5, 4.6))
    _circuit(ax, circuit, bool(peepholes), projected)
    _letters(ax, circuit, numbers)
    sums = [] if len(title) > 1 else _sums(circuit, numbers, projected)
    write(ax, 7.6, -0.4, "\n".join(sums), 0.25, ha="center", va="top", family="monospace")
    ax.set_title("\n".join([": ".join([circuit.title, *title[:1]]), *title[1:]]), fontsize=11, wrap=True)
    ax.set(xlim=(-2.3, 17.5), ylim=(-1.3, 5.6), aspect="equal")
    ax.set_axis_off()
    texts = [
        f"{k} {_number(v)}"
        + ("" if d is None else f" (gradient {'of the pre-activation ' * (k in gates)}{_number(d)})")
        for k, (v, d) in numbers.items()
    ]
    about = f"Circuit: {': '.join([circuit.title, *title])}."
    return add_alt_text(ax, about, "; ".join([", ".join(texts) or "without numbers", *sums]) + ".")


def _title(trace: Trace, step: int, row: int, unit: int) -> list[str]:
    """The lines of the title: layer, unit, row and step; whether the step is masked."""
    whose = [trace.name] * bool(trace.name)
    line = ", ".join([*whose, f"unit {unit}", f"row {row}", f"time step {trace.times[step]}"])
    masked = trace.mask is not None and not trace.mask[step, row]
    return [line, "masked: the state is held, and the gates are not used"] if masked else [line]


def _view(trace: Trace, where: str, row: int, unit: int) -> View:
    with naming(f"{where}: `unit`"):
        return View(trace, where, row, unit)


def _numbers(trace: Trace, view: View, step: int) -> Numbers:
    """The numbers of one unit at one step."""
    check_indices(view.where, "step", [step], len(view.steps))
    if trace.every > 1:
        raise MinigradError(
            f"cell_diagram: the trace of {trace.name} holds one step in {trace.every}, and not the state after "
            "it. Trace with every=1."
        )
    if len(view.units) != 1:
        raise IndexRangeError(f"cell_diagram: expected one `unit`, got {len(view.units)} units.")
    row, (unit,) = view.row, view.units

    def at(array: Any, t: int) -> float | None:
        return float(array[t, row, unit]) if array is not None and unit < array.shape[-1] else None

    found = {k: (at(a, step), at(trace.dgates.get(k), step)) for k, a in trace.gates.items()}
    found |= {k: (at(a, step), None) for k, a in trace.inner.items()}
    for k, a in trace.states.items():
        found[k] = at(a, step), at(trace.dstates.get(k), step)
        found[f"{k}_new"] = at(a, step + 1), at(trace.dstates.get(k), step + 1)
    return {k: (v, d) for k, (v, d) in found.items() if v is not None}


def _circuit(ax: Any, circuit: Circuit, peepholes: bool, projected: bool) -> None:
    """Draw the wires, then the boxes and operators."""
    for wire in circuit.wires:
        _wire(ax, wire, style.BLACK, "-")
    for wire in circuit.peepholes if peepholes else ():
        _wire(ax, wire, style.BLUE, "--")
    for letter, ((x, y), does) in circuit.boxes.items():
        if letter != "P" or projected:
            _node(ax, x, y, does, "round,pad=0.35", style.COLOURS[style.style_index(letter, 6)], 2)
    for (x, y), sign in circuit.dots:
        _node(ax, x, y, sign, "circle,pad=0.15", "black", 1)


def _node(ax: Any, x: float, y: float, text: str, shape: str, colour: str, width: float) -> None:
    frame = {"boxstyle": shape, "facecolor": "white", "edgecolor": colour, "linewidth": width}
    write(ax, x, y, text, 0.26, ha="center", va="center", bbox=frame)


def _wire(ax: Any, wire: Wire, colour: str, line: str) -> None:
    xs, ys = zip(*wire, strict=True)
    ax.plot(xs, ys, color=colour, linestyle=line, linewidth=1.3, zorder=1)
    end, along = np.array(wire[-1]), np.subtract(wire[-1], wire[-2])
    along = 0.2 * along / np.linalg.norm(along)
    aside = 0.4 * along[::-1] * (1, -1)
    ax.fill(*zip(end, end - along + aside, end - along - aside, strict=True), color=colour, linewidth=0, zorder=1)


def _letters(ax: Any, circuit: Circuit, numbers: Numbers) -> None:
    """Write the letter and number of each wire: to the right of a gate's output, or outside of the wire's end."""
    for letter, ((x, y), does) in circuit.boxes.items():
        if letter == "a":
            _write(ax, letter, numbers, x + 0.75, y - 0.1, "left")
        elif letter not in ("P", does):
            _write(ax, letter, numbers, x + 0.1, y + 0.65, "left")
    for letter, (x, y) in circuit.ends.items():
        if letter == "x" and x > 1:
            _write(ax, letter, numbers, x, y - 0.4, "center")
        else:
            _write(ax, letter, numbers, x + (0.15 if x > 2 else -0.15), y, "left" if x > 2 else "right")


def _write(ax: Any, letter: str, numbers: Numbers, x: float, y: float, side: str) -> None:
    """Write a letter with its value, and its gradient below in another colour."""
    value, gradient = numbers.get(letter, (None, None))
    text = letter if value is None else f"{letter} = {_number(value)}"
    write(ax, x, y, text, 0.24, va="bottom", ha=side, fontweight="bold")
    if gradient is not None:
        write(ax, x, y, f"∂: {_number(gradient)}", 0.24, va="top", ha=side, color="#A03E00")


def _number(value: float) -> str:
    return f"{value + 0.0:.3g}".replace("-", "−")  # + 0.0 removes the sign of −0


def _sums(circuit: Circuit, numbers: Numbers, projected: bool) -> list[str]:
    """The equations with numbers in place of the letters: f·c + i·g = 0.5·1 + 0.2·0.3 = 0.56."""

    def filled(letter: re.Match[str]) -> str:
        number = _number(numbers[letter[0]][0])
        return f"({number})" if number.startswith("−") else number

    lines = []
    for result, formula in circuit.sums:
        known = result in numbers and all(k in numbers for k in re.findall(r"[a-z]\w*", formula))
        if projected and result == "m_new":
            lines.append("m_new = (o ∘ a) P")
        elif known:
            whole = re.sub(r"[a-z]\w*", filled, formula)
            lines.append(f"{result} = {formula} = {whole} = {_result(result, numbers)}")
        else:
            lines.append(f"{result} = {formula}")
    return lines


def _result(result: str, numbers: Numbers) -> str:
    """The result as text; for a clipped state also its value before clipping."""
    value = numbers[result][0]
    if result == "c_new":
        f, c, i, g = (numbers[k][0] for k in ("f", "c", "i", "g" if "g" in numbers else "j"))
        if not np.isclose(f * c + i * g, value, rtol=1e-3, atol=1e-5):
            return f"{_number(f * c + i * g)}, clipped to {_number(value)}"
    return _number(value)


def _projected(numbers: Numbers) -> bool:
    """True if the output of a first-generation cell is not o ∘ a, so that it has a projection."""
    if "j" not in numbers:
        return False
    o, a, m = (numbers.get(k, (np.nan, None))[0] for k in ("o", "a", "m_new"))
    return not np.isclose(o * a, m, rtol=1e-4, atol=1e-6)
