"""The conventions in which two cells can differ, each with a function that aligns the second cell with the first.

The numbers show whether weights were converted. If the gates' matrices agree when each cell's are read in the order of
its layout, the orders differ without effect. If they agree when both are read in the first cell's order, the arrays
were copied without conversion. Likewise with the forget bias: the two agree, or differ by one number in every unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.convert.difference.inspected_cell import InspectedCell
from minigrad.convert.difference.parametric_cell import ParametricCell, largest, with_weights
from minigrad.convert.gates import Gates, split_gates
from minigrad.layers import activations

Alignment = Callable[[ParametricCell], ParametricCell]


@dataclass(frozen=True)
class Convention:
    """A convention that can change the output.

    Attributes:
        name: its name in the table.
        values: the convention of the first cell, and that of the second, as text.
        align: returns the second cell with the first cell's convention.
        note: the reason why aligning has no effect; "" if it can have one.
        of_state: True for the order of the arrays in the initial state.
    """

    name: str
    values: tuple[str, str]
    align: Alignment = lambda cell: cell
    note: str = ""
    of_state: bool = False


def conventions(a: InspectedCell, b: InspectedCell) -> tuple[list[Convention], bool]:
    """Return the conventions in which two cells differ, and whether their weights are the same after conversion.

    Args:
        a: the first cell.
        b: the second cell.

    Returns:
        The conventions in the order in which to align them; True if the weights are the same.
    """
    tolerance = max(a.tolerance, b.tolerance)
    found: list[Convention] = []
    aligned = b.parametric  # with all conventions found so far
    for find in (_gate_order, _forget_bias, _reset, _bias):
        convention = find(a, b, aligned, tolerance)
        if convention is not None:
            found.append(convention)
            aligned = convention.align(aligned)
    unconverted = [k.name for k in found if k.name in ("gate order", "forget bias") and not k.note]
    weights, same = _weights(a.parametric, aligned, tolerance, unconverted)
    return [*found, weights, *_functions(a, b), *_parts(a.parametric, b.parametric)], same and not unconverted


# --- conventions seen in the weights ----------------------------------------------------------------------------------


def _gate_order(a: InspectedCell, b: InspectedCell, cell: ParametricCell, tolerance: float) -> Convention | None:
    if a.layout.gates == b.layout.gates:
        return None
    name, values = "gate order", (a.layout.letters, b.layout.letters)
    if _same_matrices(a.parametric, cell, tolerance):
        return Convention(name, values, note="no effect: the weights were converted")
    parts = split_gates(b.title, b.cell.get_weights(), replace(b.layout, gates=a.layout.gates))
    if _same_matrices(a.parametric, with_weights(cell, parts), tolerance):
        return Convention(name, values, lambda f: with_weights(f, parts))
    return Convention(name, values, note="the weights differ in either order")


def _same_matrices(one: ParametricCell, other: ParametricCell, tolerance: float) -> bool:
    return max(_furthest(one.W, other.W), _furthest(one.U, other.U)) <= tolerance


def _furthest(one: Gates, other: Gates) -> float:
    return max(largest(one[gate] - other[gate]) for gate in one)


def _forget_bias(a: InspectedCell, b: InspectedCell, cell: ParametricCell, tolerance: float) -> Convention | None:
    if a.kind != "LSTM":
        return None
    name, values = "forget bias", (_forget_bias_text(a), _forget_bias_text(b))
    db = _bias_difference(a.parametric, cell)
    shift = db["f"]
    uniform = float(np.ptp(shift)) <= tolerance and max(largest(db[gate]) for gate in "igo") <= tolerance
    if largest(shift) <= tolerance:
        differ = a.parametric.forget_bias != b.parametric.forget_bias
        return Convention(name, values, note="no effect: the sum is the same") if differ else None
    if uniform:
        return Convention(name, values, lambda f: replace(f, b={**f.b, "f": f.b["f"] + shift}))
    return Convention(name, values, note="the biases differ otherwise") if values[0] != values[1] else None


def _forget_bias_text(cell: InspectedCell) -> str:
    b = cell.parametric.b["f"]
    low, high = f"{b.min():.3g}", f"{b.max():.3g}"
    stored = f"{low} stored" if low == high else f"{low} to {high} stored"
    if not cell.layout.adds_forget_bias:
        return stored if cell.config["use_bias"] else "none: no bias"
    added = f"{cell.parametric.forget_bias:g} added at call"
    return added if low == high == "0" else f"{added}, {stored}"


def _bias_difference(one: ParametricCell, other: ParametricCell) -> Gates:
    """The first cell's biases minus the second's, gate by gate, including a forget bias that is added at call."""
    db = {gate: one.b[gate] - other.b[gate] for gate in one.b}
    return db | {"f": db["f"] + (one.forget_bias - other.forget_bias)} if "f" in db else db


def _reset(a: InspectedCell, b: InspectedCell, cell: ParametricCell, tolerance: float) -> Convention | None:
    if a.kind != "GRU" or a.parametric.reset_after == b.parametric.reset_after:
        return None
    places = {True: "on h U + b_h", False: "on h, before the product"}
    after = a.parametric.reset_after

    def align(f: ParametricCell) -> ParametricCell:
        if after:
            return replace(f, reset_after=True)
        return replace(f, reset_after=False, b={**f.b, "g": f.b["g"] + f.b_h}, b_h=np.zeros_like(f.b_h))

    return Convention("reset gate", (places[after], places[not after]), align)


def _bias(a: InspectedCell, b: InspectedCell, cell: ParametricCell, tolerance: float) -> Convention | None:
    uses = [inspected.config.get("use_bias", True) for inspected in (a, b)]
    if uses[0] == uses[1]:
        return None
    name, values = "bias", ("used" if uses[0] else "none", "used" if uses[1] else "none")
    db, b_h = _bias_difference(a.parametric, cell), a.parametric.b_h - cell.b_h
    if max(map(largest, (*db.values(), b_h))) <= tolerance:
        return Convention(name, values, note="no effect: all other biases are zero")
    return Convention(name, values, lambda f: replace(f, b=_plus(f.b, db), b_h=f.b_h + b_h))


def _plus(gates: Gates, more: Gates) -> Gates:
    return {gate: gates[gate] + more[gate] for gate in gates}


def _weights(
    one: ParametricCell, other: ParametricCell, tolerance: float, unconverted: list[str]
) -> tuple[Convention, bool]:
    """The remaining difference of the weights once all conventions above are aligned.

    It is aligned by adding differences, so that it can be aligned alone too.
    """
    W, U = ({k: x[k] - y[k] for k in x} for x, y in ((one.W, other.W), (one.U, other.U)))
    b, b_h = _bias_difference(one, other), one.b_h - other.b_h
    w = {k: one.peepholes[k] - other.peepholes[k] for k in "ifo"} if one.peepholes and other.peepholes else None
    P = None if one.P is None or other.P is None else one.P - other.P
    arrays = [*W.values(), *U.values(), *b.values(), b_h, *(w or {}).values(), *([] if P is None else [P])]
    furthest = max(map(largest, arrays))

    def align(f: ParametricCell) -> ParametricCell:
        return replace(
            f,
            W=_plus(f.W, W),
            U=_plus(f.U, U),
            b=_plus(f.b, b),
            b_h=f.b_h + b_h,
            peepholes=_plus(f.peepholes, w) if f.peepholes and w else f.peepholes,
            P=f.P if f.P is None or P is None else f.P + P,
        )

    if furthest > tolerance:
        return Convention("weights", ("", f"differ by up to {furthest:.3g}"), align), False
    same = f"the same, but for {' and '.join(unconverted)}" if unconverted else "the same after minigrad.convert"
    return Convention("weights", ("", same), align), True


# --- conventions set by options ---------------------------------------------------------------------------------------


def _functions(a: InspectedCell, b: InspectedCell) -> list[Convention]:
    found = []
    for name, one, other, align in (
        ("recurrent_activation", a.sigma, b.sigma, _setting("σ", a.parametric.σ)),
        ("activation", a.cell.activation, b.cell.activation, _setting("φ", a.parametric.φ)),
    ):
        if one is not other:
            found.append(Convention(name, (activations.serialize(one), activations.serialize(other)), align))
    return found


def _parts(one: ParametricCell, other: ParametricCell) -> list[Convention]:
    found = []
    for name, field, texts in (
        ("peepholes", "peepholes", [_has(f.peepholes, "i, f, o read c") for f in (one, other)]),
        ("projection", "P", [_has(f.P, f"to {f.outputs}") for f in (one, other)]),
        ("cell_clip", "cell_clip", [_has(f.cell_clip, f"±{f.cell_clip}") for f in (one, other)]),
        ("proj_clip", "proj_clip", [_has(f.proj_clip, f"±{f.proj_clip}") for f in (one, other)]),
    ):
        if texts[0] != texts[1]:
            found.append(Convention(name, (texts[0], texts[1]), _setting(field, getattr(one, field))))
    return found


def _has(value: Any, text: str) -> str:
    return "none" if value is None else text


def _setting(field: str, value: Any) -> Alignment:
    return lambda cell: replace(cell, **{field: value})
