"""Differences between two cells that change no number of a call: array names, state types, options, defaults."""

from __future__ import annotations

from typing import Any

from minigrad.convert.difference.inspected_cell import InspectedCell
from minigrad.convert.difference.table import Row

# Options that `conventions` compares.
_CONVENTIONS = {
    "activation", "cell_clip", "forget_bias", "name", "num_proj", "num_units", "proj_clip", "recurrent_activation",
    "reset_after", "state_is_tuple", "units", "use_bias", "use_peepholes",
}  # fmt: skip
_NOTES = {
    "dropout": "acts in training only",
    "recurrent_dropout": "acts in training only",
    "implementation": "the same numbers, by one product or one per gate; other dropout masks",
    "dtype": "rounding",
    "_initializer": "initial weights only",
    "_regularizer": "acts in training only",
    "_constraint": "acts in training only",
}


def rows_without_effect(a: InspectedCell, b: InspectedCell) -> list[Row]:
    """Return a row for each difference that changes no number of a call.

    Args:
        a: the first cell.
        b: the second cell.
    """
    rows = [("arrays", _arrays(a), _arrays(b), "minigrad.convert converts between them")]
    rows.append(("state", _state(a), _state(b), "the same states, in another structure"))
    options = [name for name in a.config if name in b.config and name not in _CONVENTIONS]
    rows += [(name, _shown(a.config[name]), _shown(b.config[name]), _note(name)) for name in options]
    one, other = a.defaults(), b.defaults()
    differing = [name for name in one if name in other and one[name] != other[name] and name != "dtype"]
    texts = [", ".join(f"{name}={_shown(defaults[name])}" for name in differing) for defaults in (one, other)]
    rows.append(("defaults", texts[0], texts[1], "of the classes"))
    return [Row(name, of_a, of_b, note=note) for name, of_a, of_b, note in rows if of_a != of_b]


def _note(option: str) -> str:
    return next((note for ending, note in _NOTES.items() if option.endswith(ending)), "changes no number of a call")


def _shown(value: Any) -> str:
    """An option as text; the class name of a serialized object."""
    return str(value["class_name"]) if isinstance(value, dict) and "class_name" in value else str(value)


def _arrays(cell: InspectedCell) -> str:
    layout = cell.layout
    if layout.recurrent is not None:
        return f"{layout.kernel} and {layout.recurrent}"
    return " and ".join(f"{name}, rows [x; h]" for name in (layout.kernel, *layout.candidate[:1]))


def _state(cell: InspectedCell) -> str:
    if cell.kind != "LSTM":
        return "h" if cell.layout.name == "tf1" else "[h]"
    if not cell.cell_first:
        return "[h, c]"
    return "LSTMStateTuple(c, h)" if cell.cell.state_is_tuple else "one tensor, c and h concatenated"
