"""Odd values that a call accepts, and why. Every accepted (recipe, argument, value) of a full run is in a table.

`accepted.json` maps each argument to the values that it accepts, exactly as a full run found them. The table was read
argument by argument; the reasons below are those of whole arguments and calls. An argument with one meaning in all
recipes has one entry; else its entries are under "recipe argument". A value that is not listed fails the test: refuse
it with a sentence, or add it (`python -m fuzz --accept`) and say why here.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("accepted.json")
WITHOUT_EFFECT = {
    **dict.fromkeys(
        ("parallel_iterations", "swap_memory", "caching_device", "partitioner", "use_resource", "collections",
         "validate_shape", "synchronization", "aggregation", "auxiliary_name_scope", "jit_compile",
         "steps_per_execution", "clear_after_read", "tensor_array_name", "handle", "flow", "infer_shape", "device",
         "colocate_with_first_write_call", "input_size", "num_unit_shards", "num_proj_shards", "is_legacy_optimizer"),
        "arguments of TensorFlow for graphs, devices and servers: accepted, without effect, as documented",
    ),
}  # fmt: skip
RECORDS = {
    **dict.fromkeys(
        ("keras.layers.InputSpec", "compat.v1.keras.layers.InputSpec", "rnn_cell.LSTMStateTuple", "convert.GateLayout",
         "convert.KerasFile", "convert.KerasLayer", "train.Batch", "train.ModelShape", "train.Score", "train.option",
         "train.adapted", "train.Options"),
        "tuples and dataclasses that hold what they are given; their readers check it",
    ),
    "callbacks.CallbackList": "a part of fit, which gives it `model` and `params`",
    "keras.Model": "a base class, whose arguments are those of a custom constructor",
}  # fmt: skip
OF_NO_CHECK = {
    "Layer.compute_mask inputs": "the base class returns the mask that it is given",
    "Layer.compute_mask mask": "the same",
    "built LSTM.compute_mask inputs": "the mask alone decides",
    "Bidirectional.compute_mask inputs": "the mask alone decides",
    "TimeDistributed.compute_mask inputs": "the mask alone decides",
    "Model.compute_loss x": "as in Keras: for models that override it",
    "Model.compute_metrics x": "as in Keras: for models that override it",
    "TensorArray element_shape": "read only for an empty array",
    "TensorArray name": "without effect, as all arguments for graphs",
    "Model.get_layer() name": "the index decides",
    "variable_scope default_name": "the name decides",
    "variable_scope values": "a nest of tensors for graphs, without effect",
}


CALLED = (
    "print_fn",
    "on_epoch_end",
    "activation",
    "schedule",
)  # `int` raises a ValueError or TypeError when it is called


def raised_by_the_user(argument: str, label: str) -> bool:
    """Return whether an error comes from a function of the user, which was called rightly."""
    return label == "int" and argument in CALLED


@cache
def unnamed() -> set[str]:
    """Return the "recipe argument" pairs whose messages name a part inside, such as the cell of a layer."""
    return set(json.loads(FILE.with_name("unnamed.json").read_text()))


@cache
def table() -> dict[str, set[str]]:
    """Return the accepted values by argument, or by recipe and argument."""
    return {key: set(labels) for key, labels in json.loads(FILE.read_text()).items()}


def reviewed(recipe: str, argument: str, label: str) -> bool:
    """Return whether it is known, and said above or in the table, that a call accepts an odd value."""
    if argument in WITHOUT_EFFECT or recipe in RECORDS or f"{recipe} {argument}" in OF_NO_CHECK:
        return True
    known = table()
    return label in known.get(f"{recipe} {argument}", known.get(argument, set()))


def recorded(found: dict[tuple[str, str], set[str]]) -> dict[str, list[str]]:
    """Return the table of a full run, from the accepted values by recipe and argument."""
    by_argument: dict[str, list[tuple[str, set[str]]]] = {}
    for (recipe, argument), labels in found.items():
        if argument not in WITHOUT_EFFECT and recipe not in RECORDS and f"{recipe} {argument}" not in OF_NO_CHECK:
            by_argument.setdefault(argument, []).append((recipe, labels))
    entries: dict[str, list[str]] = {}
    for argument, each in sorted(by_argument.items()):
        sets = [frozenset(labels) for _, labels in each]
        common = max(set(sets), key=lambda s: (sets.count(s), sorted(s)))
        entries[argument] = sorted(common)
        entries |= {f"{recipe} {argument}": sorted(labels) for recipe, labels in sorted(each) if labels != common}
    return entries
