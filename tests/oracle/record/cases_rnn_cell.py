"""First generation: single steps of the cells of ``compat.v1.nn.rnn_cell`` and of the wrappers."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case, build
from oracle.record.draw import balanced, generator, normal
from oracle.record.graphs import Run, group, record, regroup
from oracle.record.grids import SIZES, Options, title
from oracle.record.layers import indices
from oracle.record.store import plain

CELLS = "compat.v1.nn.rnn_cell"
ACTIVATIONS = [None, "tanh", "sigmoid", "hard_sigmoid", "softsign", "relu", "elu", "softplus"]
# Clips so small that they act in part of the entries.
LSTM = {
    "use_peepholes": [False, True],
    "cell_clip": [None, None, 0.75, 0.3],
    "num_proj": [None, None, 1, 3],
    "proj_clip": [None, 0.4, 0.1],
    "forget_bias": [1.0, 0.0, 2.5],
    "state_is_tuple": [True, True, False],
    "activation": ACTIVATIONS,
}
BASIC = {key: LSTM[key] for key in ("forget_bias", "state_is_tuple", "activation")}
DEFAULTS = {
    "use_peepholes": False,
    "cell_clip": None,
    "num_proj": None,
    "proj_clip": None,
    "forget_bias": 1.0,
    "state_is_tuple": True,
    "activation": None,
}
GRIDS: dict[str, Options] = {
    "LSTMCell": LSTM,
    "BasicLSTMCell": BASIC,
    "BasicRNNCell": {"activation": ACTIVATIONS},
    "GRUCell": {"activation": ACTIVATIONS},
}
COUNTS = {"LSTMCell": 72, "BasicLSTMCell": 18, "BasicRNNCell": 8, "GRUCell": 12}


def spec(name: str, **kwargs: Any) -> dict[str, Any]:
    """A cell or wrapper of the first generation."""
    return {"class_name": f"{CELLS}.{name}", "kwargs": kwargs}


def cell_spec(name: str, units: int, drawn: Options) -> dict[str, Any]:
    """A cell with those drawn options that differ from the defaults."""
    options = {k: drawn[k] for k in GRIDS[name] if drawn.get(k, DEFAULTS[k]) != DEFAULTS[k]}
    if "num_proj" not in options:
        options.pop("proj_clip", None)
    return spec(name, num_units=units, **options, dtype="float64")


def states_for(rng: np.random.Generator, cell: Any, batch: int) -> Any:
    """Random states in the nest that the cell takes."""
    return tf.nest.map_structure(lambda size: normal(rng, (batch, size)), cell.state_size)


def described(cell: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """The cell from a separate graph, and its configuration if it has one."""
    with tf.Graph().as_default():
        made = build(cell, tf)
        try:
            return made, plain(made.get_config())
        except (NotImplementedError, TypeError):  # an argument that is not a plain value
            return made, None


def step(name: str, cell: dict[str, Any], x: np.ndarray, rng: np.random.Generator) -> Run:
    """One step of a cell from random states."""
    made, config = described(cell)
    states = states_for(rng, made, len(x))

    def wire(tensors: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        again = build(cell, tf)
        nested = again(tensors["x"], regroup(states, "state", tensors))
        return nested, dropped(again)

    inputs = {"x": x, **group("state", states)}
    nests = {"states": indices(states)}
    return Run(name, cell["class_name"], cell["kwargs"], wire, inputs, nests, config=config)


def dropped(cell: Any) -> dict[str, Any]:
    """The variational masks of a DropoutWrapper, zeros and ones; nothing for other cells."""
    if not getattr(cell, "_variational_recurrent", False):
        return {}
    found = {}
    for part in ("input", "state", "output"):
        noise = getattr(cell, f"_recurrent_{part}_noise")
        keep = getattr(cell, f"_{part}_keep_prob")
        if noise is not None and keep < 1:
            found |= group(f"keep/{part}", tf.nest.map_structure(lambda n: tf.floor(keep + n), noise))  # noqa: B023
    return found


def v1_rnn_cell() -> list[Case]:
    """Cells with every option, then the wrappers around them."""
    family = "v1_rnn_cell"
    cases = []
    for name, grid in GRIDS.items():
        rng = generator(f"{family}/{name}")
        for i, drawn in enumerate(balanced(rng, COUNTS[name], {**SIZES, **grid})):
            x = normal(rng, (drawn["batch"], drawn["features"]))
            cell = cell_spec(name, drawn["units"], drawn)
            cases.append(record(family, step(title(i, name), cell, x, rng)))
    rng = generator(f"{family}/wrappers")
    for i, (cell, features) in enumerate(wrappers(rng)):
        x = normal(rng, (3, features))
        cases.append(record(family, step(title(i, cell["class_name"]), cell, x, rng)))
    return cases


def wrappers(rng: np.random.Generator) -> list[tuple[dict[str, Any], int]]:
    """Specs of wrapped cells, and how many features they take."""
    grid = {
        "kind": [*GRIDS, "LSTMCell"],
        "other": ["LSTMCell", "GRUCell"],
        "wrapper": ["multi", "multi", "multi_flat", "residual", "dropout", "keep", "nested"],
        "units": [2, 3],
        **LSTM,
        "num_proj": [None],
        "state_is_tuple": [True],
    }
    return [_wrapped(drawn) for drawn in balanced(rng, 35, grid)]


def _wrapped(drawn: Options) -> tuple[dict[str, Any], int]:
    units = drawn["units"]
    cell = cell_spec(drawn["kind"], units, drawn)
    other = cell_spec(drawn["other"], 2, {})
    if drawn["wrapper"] == "multi":
        return spec("MultiRNNCell", cells=[cell, other]), 3
    if drawn["wrapper"] == "multi_flat":
        flat = {**drawn, "state_is_tuple": False}
        cells = [cell_spec(drawn["kind"], units, flat), cell_spec("LSTMCell", 2, flat)]
        return spec("MultiRNNCell", cells=cells, state_is_tuple=False), 2
    if drawn["wrapper"] == "residual":
        return spec("ResidualWrapper", cell=cell), units
    keep = {"input_keep_prob": 1.0, "state_keep_prob": 1.0, "output_keep_prob": 1.0}
    if drawn["wrapper"] == "keep":
        return spec("DropoutWrapper", cell=cell, **keep), 3
    if drawn["wrapper"] == "nested":
        inner = spec("ResidualWrapper", cell=spec("DropoutWrapper", cell=cell))
        return spec("MultiRNNCell", cells=[inner, spec("ResidualWrapper", cell=cell_spec("GRUCell", units, {}))]), units
    keep = {"input_keep_prob": 0.5, "state_keep_prob": 0.6, "output_keep_prob": 0.7}
    variational = {"variational_recurrent": True, "input_size": 3, "dtype": "float64"}
    return spec("DropoutWrapper", cell=cell, **keep, **variational), 3
