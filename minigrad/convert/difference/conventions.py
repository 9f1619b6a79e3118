"""The conventions in which two cells can differ, each with what makes the second's the first's.

Whether weights were moved is seen from the numbers. If the gates' matrices agree when each cell's are read in its own
order, the orders differ and do no harm; if they agree when both are read in the first's order, somebody copied arrays
that should have been moved. Likewise with the forget bias: the two agree, or differ by one number in every unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.convert.difference.cells import Reading
from minigrad.convert.difference.formulas import Formula, largest, with_weights
from minigrad.convert.difference.table import Row
from minigrad.convert.gates import Gates, take_apart
from minigrad.layers import activations

Align = Callable[[Formula], Formula]


@dataclass(frozen=True)
class Convention:
    """A convention that can change the output.

    Attributes:
        name: what it is called in the table.
        said: what the first cell does, and what the second.
        align: makes the second's formula follow the first's convention.
        note: why that changes nothing.
        of_state: is it the order of the state that was handed over?
    """

    name: str
    said: tuple[str, str]
    align: Align = lambda formula: formula
    note: str = ""
    of_state: bool = False


def conventions(a: Reading, b: Reading) -> tuple[list[Convention], bool]:
    """Returns where two cells differ, in the order in which to align them; and are the weights the same once moved?"""
    tolerance = max(a.tolerance, b.tolerance)
    found: list[Convention] = []
    formula = b.formula  # as it is when all conventions found so far are aligned
    for find in (_gate_order, _forget_bias, _reset, _bias):
        convention = find(a, b, formula, tolerance)
        if convention is not None:
            found.append(convention)
            formula = convention.align(formula)
    unmoved = [k.name for k in found if k.name in ("gate order", "forget bias") and not k.note]
    weights, same = _weights(a.formula, formula, tolerance, unmoved)
    return [*found, weights, *_functions(a, b), *_parts(a.formula, b.formula)], same and not unmoved


# --- what the weights say ---------------------------------------------------------------------------------------------


def _gate_order(a: Reading, b: Reading, formula: Formula, tolerance: float) -> Convention | None:
    if a.layout.gates == b.layout.gates:
        return None
    name, said = "gate order", (a.layout.letters, b.layout.letters)
    if _same_matrices(a.formula, formula, tolerance):
        return Convention(name, said, note="no harm: the weights were moved")
    parts = take_apart(b.title, b.cell.get_weights(), replace(b.layout, gates=a.layout.gates))
    if _same_matrices(a.formula, with_weights(formula, parts), tolerance):
        return Convention(name, said, lambda f: with_weights(f, parts))
    return Convention(name, said, note="the weights are others in either order")


def _same_matrices(one: Formula, other: Formula, tolerance: float) -> bool:
    return max(_furthest(one.W, other.W), _furthest(one.U, other.U)) <= tolerance


def _furthest(one: Gates, other: Gates) -> float:
    return max(largest(one[gate] - other[gate]) for gate in one)


def _forget_bias(a: Reading, b: Reading, formula: Formula, tolerance: float) -> Convention | None:
    if a.kind != "LSTM":
        return None
    name, said = "forget bias", (_forgetting(a), _forgetting(b))
    apart = _biases_apart(a.formula, formula)
    shift = apart["f"]
    in_one_step = float(np.ptp(shift)) <= tolerance and max(largest(apart[gate]) for gate in "igo") <= tolerance
    if largest(shift) <= tolerance:
        differ = a.formula.forget_bias != b.formula.forget_bias
        return Convention(name, said, note="no harm: the sum is the same") if differ else None
    if in_one_step:
        return Convention(name, said, lambda f: replace(f, b={**f.b, "f": f.b["f"] + shift}))
    return Convention(name, said, note="the biases differ in themselves") if said[0] != said[1] else None


def _forgetting(reading: Reading) -> str:
    b = reading.formula.b["f"]
    low, high = f"{b.min():.3g}", f"{b.max():.3g}"
    stored = f"{low} stored" if low == high else f"{low} to {high} stored"
    if not reading.layout.adds_forget_bias:
        return stored if reading.config["use_bias"] else "none: no bias"
    added = f"{reading.formula.forget_bias:g} added at call"
    return added if low == high == "0" else f"{added}, {stored}"


def _biases_apart(one: Formula, other: Formula) -> Gates:
    """What one's biases have that the other's have not, what is added at call included."""
    apart = {gate: one.b[gate] - other.b[gate] for gate in one.b}
    return apart | {"f": apart["f"] + (one.forget_bias - other.forget_bias)} if "f" in apart else apart


def _reset(a: Reading, b: Reading, formula: Formula, tolerance: float) -> Convention | None:
    if a.kind != "GRU" or a.formula.reset_after == b.formula.reset_after:
        return None
    places = {True: "on h U + b_h", False: "on h, before the product"}
    after = a.formula.reset_after

    def align(f: Formula) -> Formula:
        if after:
            return replace(f, reset_after=True)
        return replace(f, reset_after=False, b={**f.b, "g": f.b["g"] + f.b_h}, b_h=np.zeros_like(f.b_h))

    return Convention("reset gate", (places[after], places[not after]), align)


def _bias(a: Reading, b: Reading, formula: Formula, tolerance: float) -> Convention | None:
    uses = [reading.config.get("use_bias", True) for reading in (a, b)]
    if uses[0] == uses[1]:
        return None
    name, said = "bias", ("used" if uses[0] else "none", "used" if uses[1] else "none")
    apart, b_h = _biases_apart(a.formula, formula), a.formula.b_h - formula.b_h
    if max(map(largest, (*apart.values(), b_h))) <= tolerance:
        return Convention(name, said, note="no harm: the rest of it is zero")
    return Convention(name, said, lambda f: replace(f, b=_plus(f.b, apart), b_h=f.b_h + b_h))


def _plus(gates: Gates, more: Gates) -> Gates:
    return {gate: gates[gate] + more[gate] for gate in gates}


def _weights(one: Formula, other: Formula, tolerance: float, unmoved: list[str]) -> tuple[Convention, bool]:
    """What is left between the weights once all above is aligned; as sums, so that it can be aligned alone too."""
    W, U = ({k: x[k] - y[k] for k in x} for x, y in ((one.W, other.W), (one.U, other.U)))
    b, b_h = _biases_apart(one, other), one.b_h - other.b_h
    w = {k: one.peepholes[k] - other.peepholes[k] for k in "ifo"} if one.peepholes and other.peepholes else None
    P = None if one.P is None or other.P is None else one.P - other.P
    arrays = [*W.values(), *U.values(), *b.values(), b_h, *(w or {}).values(), *([] if P is None else [P])]
    furthest = max(map(largest, arrays))

    def align(f: Formula) -> Formula:
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
    said = f"the same, but for {' and '.join(unmoved)}" if unmoved else "the same after minigrad.convert"
    return Convention("weights", ("", said), align), True


# --- what the options say ---------------------------------------------------------------------------------------------


def _functions(a: Reading, b: Reading) -> list[Convention]:
    found = []
    for name, one, other, align in (
        ("recurrent_activation", a.sigma, b.sigma, _setting("σ", a.formula.σ)),
        ("activation", a.cell.activation, b.cell.activation, _setting("φ", a.formula.φ)),
    ):
        if one is not other:
            found.append(Convention(name, (activations.serialize(one), activations.serialize(other)), align))
    return found


def _parts(one: Formula, other: Formula) -> list[Convention]:
    found = []
    for name, field, said in (
        ("peepholes", "peepholes", [_has(f.peepholes, "i, f, o see c") for f in (one, other)]),
        ("projection", "P", [_has(f.P, f"to {f.outputs}") for f in (one, other)]),
        ("cell_clip", "cell_clip", [_has(f.cell_clip, f"±{f.cell_clip}") for f in (one, other)]),
        ("proj_clip", "proj_clip", [_has(f.proj_clip, f"±{f.proj_clip}") for f in (one, other)]),
    ):
        if said[0] != said[1]:
            found.append(Convention(name, (said[0], said[1]), _setting(field, getattr(one, field))))
    return found


def _has(value: Any, said: str) -> str:
    return "none" if value is None else said


def _setting(field: str, value: Any) -> Align:
    return lambda formula: replace(formula, **{field: value})


# --- what changes no number of a call ---------------------------------------------------------------------------------

# These are conventions of their own, above.
_CONVENTIONS = {
    "activation", "cell_clip", "forget_bias", "name", "num_proj", "num_units", "proj_clip", "recurrent_activation",
    "reset_after", "state_is_tuple", "units", "use_bias", "use_peepholes",
}  # fmt: skip
_NOTES = {
    "dropout": "acts in training only",
    "recurrent_dropout": "acts in training only",
    "implementation": "the same numbers, by one product or one a gate; other dropout masks",
    "dtype": "rounding",
    "_initializer": "where the weights start",
    "_regularizer": "acts in training only",
    "_constraint": "acts in training only",
}


def _note(option: str) -> str:
    return next((note for ending, note in _NOTES.items() if option.endswith(ending)), "changes no number of a call")


def silent(a: Reading, b: Reading) -> list[Row]:
    """Returns what differs and changes no number of a call: the arrays, the state's type, options, defaults."""
    rows = [("arrays", _arrays(a), _arrays(b), "minigrad.convert moves between them")]
    rows.append(("state", _state(a), _state(b), "by name, both mean the same"))
    options = [name for name in a.config if name in b.config and name not in _CONVENTIONS]
    rows += [(name, _shown(a.config[name]), _shown(b.config[name]), _note(name)) for name in options]
    one, other = a.defaults(), b.defaults()
    differing = [name for name in one if name in other and one[name] != other[name] and name != "dtype"]
    texts = [", ".join(f"{name}={_shown(defaults[name])}" for name in differing) for defaults in (one, other)]
    rows.append(("defaults", texts[0], texts[1], "of the classes"))
    return [Row(name, of_a, of_b, note=note) for name, of_a, of_b, note in rows if of_a != of_b]


def _shown(value: Any) -> str:
    """An option; of a serialized object the name."""
    return str(value["class_name"]) if isinstance(value, dict) and "class_name" in value else str(value)


def _arrays(reading: Reading) -> str:
    layout = reading.layout
    if layout.recurrent is not None:
        return f"{layout.kernel} and {layout.recurrent}"
    return " and ".join(f"{name}, rows [x; h]" for name in (layout.kernel, *layout.candidate[:1]))


def _state(reading: Reading) -> str:
    if reading.kind != "LSTM":
        return "h" if reading.layout.name == "tf1" else "[h]"
    if not reading.cell_first:
        return "[h, c]"
    return "LSTMStateTuple(c, h)" if reading.cell.state_is_tuple else "one tensor, c and h side by side"
