"""Random configurations of a recurrent cell: one step, its layer over a sequence, RNN around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.reader import Case
from oracle.record.draw import MASKS, UNBOUNDED, balanced, generator, given, mask, normal, scale_for
from oracle.record.layers import Setup, record

SIZES = {
    "batch": [1, 2, 3, 4],
    "time": [1, 2, 3, 5, 7],
    "features": [1, 2, 3, 5],
    "units": [1, 2, 3, 5],
}
LAYER = {
    "return_sequences": [True, False],
    "return_state": [True, True, False],
    "go_backwards": [False, True],
    "time_major": [False, False, True],
    "unroll": [False, True],
    "zero_output_for_mask": [False, False, True],
}
CALL = {"mask": MASKS, "initial_state": [True, True, False]}
Options = dict[str, Any]


def scale_of(options: Options) -> float:
    """Return the largest numbers to draw for these options."""
    return scale_for(*(value for key, value in options.items() if key.endswith("activation")))


def sequence(rng: np.random.Generator, drawn: Options, scale: float) -> dict[str, Any]:
    """Input and mask of a draw, time first where the layer has it so."""
    batch, time = drawn["batch"], drawn["time"]
    x = normal(rng, (batch, time, drawn["features"]), 2 * scale)
    made = mask(rng, drawn["mask"], batch, time)
    if drawn.get("time_major"):
        x, made = x.swapaxes(0, 1), None if made is None else made.T
    return {"x": x, "mask": made}


def layer_options(drawn: Options) -> Options:
    """The options of the layer around a cell that a user would have to write down."""
    return given({key: drawn[key] for key in LAYER if key in drawn}, **dict.fromkeys(LAYER, False))


def note(drawn: Options) -> dict[str, Any]:
    """Notes for the reader of a failing test, and places where TensorFlow contradicts itself."""
    info = {"mask": drawn["mask"]}
    if drawn["unroll"] and drawn["go_backwards"] and drawn["zero_output_for_mask"] and drawn["mask"] != "none":
        info["tensorflow_bug"] = "unrolled backwards, outputs are zeroed by the mask in its original order"
    return info


def tame(options: Options) -> Options:
    """Two unbounded activations explode over seven steps; the one of the gates is kept."""
    if options.get("activation") in UNBOUNDED and options.get("recurrent_activation", "tanh") in UNBOUNDED:
        return {**options, "activation": "softsign"}
    return options


def title(number: int, *parts: str | None) -> str:
    """``lstmcell_007``, ``rnn_lstmcell_012``: class names, what sets the group apart, a number."""
    return "_".join([*(part.rsplit(".", 1)[-1].lower() for part in parts if part), f"{number:03d}"])


def avoid_crash(drawn: Options) -> Options:
    """Outputs of all steps: TensorFlow raises if the mask of all steps meets the output of one."""
    if drawn["unroll"] and drawn["zero_output_for_mask"] and drawn["mask"] != "none":
        return {**drawn, "return_sequences": True}
    return drawn


def cells(family: str, class_name: str, n: int, states: int, grid: Options) -> list[Case]:
    """Single steps of a cell with `states` states of one size."""
    rng = generator(f"{family}/{class_name}")
    cases = []
    for i, drawn in enumerate(balanced(rng, n, {**SIZES, **grid})):
        options = {key: drawn[key] for key in grid}
        scale = scale_of(options)
        setup = Setup(
            title(i, class_name),
            class_name,
            {"units": drawn["units"], **options, "dtype": "float64"},
            normal(rng, (drawn["batch"], drawn["features"]), 2 * scale),
            states=[normal(rng, (drawn["batch"], drawn["units"]), 2 * scale) for _ in range(states)],
            state_argument="states",
            scale=scale,
        )
        cases.append(record(family, setup))
    return cases


def sequences(
    family: str,
    class_name: str,
    n: int,
    states: int,
    grid: Options,
    *,
    cell: str | None = None,
    label: str | None = None,
) -> list[Case]:
    """Whole sequences through a layer whose cell has `states` states of one size.

    With `cell`, the class is RNN and takes the options of `grid` through a cell of that class name;
    `label` tells groups of the same class apart.
    """
    rng = generator(f"{family}/{class_name}/{cell}/{label}")
    cases = []
    for i, drawn in enumerate(balanced(rng, n, {**SIZES, **grid, **LAYER, **CALL})):
        drawn = avoid_crash(drawn)
        options = tame({key: drawn[key] for key in grid})
        scale = scale_of(options)
        kwargs = {"units": drawn["units"], **options}
        if cell is not None:
            kwargs = {"cell": {"class_name": cell, "kwargs": {**kwargs, "dtype": "float64"}}}
        shape = (drawn["batch"], drawn["units"])
        setup = Setup(
            title(i, class_name, cell, label),
            class_name,
            {**kwargs, **layer_options(drawn), "dtype": "float64"},
            **sequence(rng, drawn, scale),
            states=[normal(rng, shape, 2 * scale) for _ in range(states)] if drawn["initial_state"] else None,
            scale=scale,
            info=note(drawn),
        )
        cases.append(record(family, setup))
    return cases
