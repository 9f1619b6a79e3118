"""Table of the names on TensorFlow's pages: the test that shows the effect of each, and its recorded cases."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from docs.tables.markdown import table
from oracle.reader import Case, families, is_spec, load
from spec import test_first_generation_names, test_keras_names
from spec.pages import PAGES, Page
from spec.shows import SHOWN, place

MODULES = (test_first_generation_names, test_keras_names)  # imported because they fill SHOWN

# Names that `spec.facts` asks TensorFlow about, by program.
ASKED = {
    "first": {
        "names_of_variables": ("name", "scope_name"),
        "sharing_by_reuse": ("reuse",),
        "what_is_trainable": ("trainable",),
        "where_weights_start": ("initializer",),
        "sizes": ("output_size", "state_size"),
        "zero_states": ("zero_state",),
        "losses_and_updates": ("get_losses_for", "get_updates_for"),
        "initial_states": ("get_initial_state",),
        "apply_is_a_call": ("apply",),
    },
    "keras": {
        "where_keras_weights_start": ("kernel_initializer", "recurrent_initializer", "bias_initializer"),
        "keras_penalties": ("kernel_regularizer", "recurrent_regularizer", "bias_regularizer"),
        "dropout_masks": (
            "get_dropout_mask_for_cell", "get_recurrent_dropout_mask_for_cell", "reset_dropout_mask",
            "reset_recurrent_dropout_mask",
        ),
        "initial_states": ("get_initial_state",),
        "resetting_states": ("reset_states",),
        "implementation_under_recurrent_dropout": ("implementation",),
        "keras_constraints": ("kernel_constraint", "recurrent_constraint", "bias_constraint"),
    },
}  # fmt: skip


def tables() -> str:
    """Return one table for each page of TensorFlow's."""
    parts = []
    for page in PAGES:
        rows = [
            [section, f"`{name}`", _link(page, section, name), _count(page, section, name)]
            for section, name in page.names()
        ]
        address = f"`minigrad.{page.address}`"
        parts.append(f"### {page.title}\n\nHere: {address}.\n\n" + table(["kind", "name", "test", "recorded"], rows))
    return "\n".join(parts)


def _link(page: Page, section: str, name: str) -> str:
    file, function = place(SHOWN[page.title, section, name])
    return f"[`{file.removeprefix('tests/')}::{function}`](../{file})"


def _count(page: Page, section: str, name: str) -> str:
    """Return the number of recorded cases that set a name to another value than its default, or ``asked``, or ``–``."""
    if section in ("argument", "call argument"):
        found = sum(_uses(case, page, section, name) for case in _cases())
        if found:
            return str(found)
    asked = ASKED["first" if "rnn_cell" in page.title else "keras"]
    return "asked" if name.partition(":")[0] in {n for names in asked.values() for n in names} else "–"


@cache
def _cases() -> tuple[Case, ...]:
    """Return all recorded cases that have arrays."""
    return tuple(case for family in families() for case in load(family) if case.arrays)


def _uses(case: Case, page: Page, section: str, name: str) -> bool:
    if section == "call argument":
        given = {"training": bool(case.call.get("training")), "inputs": True}
        given |= {"mask": "mask" in case.arrays} | dict.fromkeys(("states", "initial_state"), "state/0" in case.arrays)
        return case.class_name == page.address and given[name]
    default = page.arguments[name]
    return any(kwargs.get(name, default) != default for kwargs in _made(case.spec, page.address))


def _made(value: Any, address: str) -> Iterator[dict[str, Any]]:
    """Yield the arguments of every object of a class in a spec."""
    if is_spec(value):
        if value["class_name"] == address:
            yield value["kwargs"]
        value = list(value["kwargs"].values())
    for part in value if isinstance(value, list) else []:
        yield from _made(part, address)
