"""Third generation: layers around layers, and layers before a recurrent layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.reader import Case
from oracle.record.draw import BOUNDED, MASKS, UNBOUNDED, balanced, generator, given, mask, normal
from oracle.record.grids import LAYER, SIZES, Options, avoid_crash, layer_options, note, sequence
from oracle.record.layers import Setup, record

KINDS = ("LSTM", "GRU", "SimpleRNN")
STATES = {"LSTM": 2, "GRU": 1, "SimpleRNN": 1}


def spec(class_name: str, **kwargs: Any) -> dict[str, Any]:
    """An object of ``keras``, float64 where it is a layer."""
    if class_name.startswith("layers."):
        kwargs["dtype"] = "float64"
    return {"class_name": f"keras.{class_name}", "kwargs": kwargs}


def _states(rng: np.random.Generator, kind: str, batch: int, units: int) -> list[np.ndarray]:
    return [normal(rng, (batch, units)) for _ in range(STATES[kind])]


def keras_stacked() -> list[Case]:
    """RNN around two or three cells of any kind, through StackedRNNCells or a plain list."""
    family = "keras_stacked"
    rng = generator(family)
    grid = {
        **{key: SIZES[key] for key in ("batch", "time", "features")},
        **{f"kind{i}": KINDS for i in range(3)},
        **{f"units{i}": [1, 2, 3, 4] for i in range(3)},
        "cells": [2, 3],
        "as_list": [False, True],
        "reverse_state_order": [False, False, False, True],
        "mask": MASKS,
        "initial_state": [True, False],
        **LAYER,
    }
    return [
        record(family, _stacked(rng, f"stacked_{i:03d}", avoid_crash(drawn)))
        for i, drawn in enumerate(balanced(rng, 40, grid))
    ]


def _stacked(rng: np.random.Generator, name: str, drawn: Options) -> Setup:
    chosen = [(drawn[f"kind{i}"], drawn[f"units{i}"]) for i in range(drawn["cells"])]
    info = note(drawn)
    if drawn["reverse_state_order"] and not drawn["as_list"]:
        chosen = chosen[:1] * drawn["cells"]  # TensorFlow raises for cells of different sizes
        info["tensorflow_bug"] = "reverse_state_order reverses state_size only, no state"
    cell: Any = [spec(f"layers.{kind}Cell", units=units) for kind, units in chosen]
    states: list[Any] = [_states(rng, kind, drawn["batch"], units) for kind, units in chosen]
    states = [nest if len(nest) > 1 else nest[0] for nest in states]
    if not drawn["as_list"]:
        backwards = {"reverse_state_order": True} if drawn["reverse_state_order"] else {}
        cell = spec("layers.StackedRNNCells", cells=cell, **backwards)
    return Setup(
        name,
        "keras.layers.RNN",
        {"cell": cell, **layer_options(drawn), "dtype": "float64"},
        **sequence(rng, drawn, 0.5),
        states=states if drawn["initial_state"] else None,
        info=info,
    )


def keras_bidirectional() -> list[Case]:
    """Both directions over one sequence, in every merge mode."""
    family = "keras_bidirectional"
    rng = generator(family)
    grid = {
        **SIZES,
        "kind": ["LSTM", "LSTM", "GRU", "SimpleRNN"],
        "merge_mode": ["concat", "sum", "ave", "mul", None],
        "around": ["layer", "layer", "RNN", "backward_layer"],
        "mask": MASKS,
        "initial_state": [True, False],
        **{key: LAYER[key] for key in ("return_sequences", "return_state", "time_major")},
        "unroll": [False, False, False, False, True],
        "go_backwards": [False, False, False, True],
        "zero_output_for_mask": [False],
    }
    return [
        record(family, _bidirectional(rng, f"bidirectional_{i:03d}", drawn))
        for i, drawn in enumerate(balanced(rng, 60, grid))
    ]


def _bidirectional(rng: np.random.Generator, name: str, drawn: Options) -> Setup:
    kind, units, options = drawn["kind"], drawn["units"], layer_options(drawn)
    layer = spec(f"layers.{kind}", units=units, **options)
    if drawn["around"] == "RNN":
        layer = spec("layers.RNN", cell=spec(f"layers.{kind}Cell", units=units), **options)
    kwargs = {"layer": layer, "merge_mode": drawn["merge_mode"], "dtype": "float64"}
    if drawn["around"] == "backward_layer":
        other = {**options, "go_backwards": not drawn["go_backwards"]}
        kwargs["backward_layer"] = spec(f"layers.{kind}", units=units, activation="softsign", **other)
    states = [s for _ in range(2) for s in _states(rng, kind, drawn["batch"], units)]
    return Setup(
        name,
        "keras.layers.Bidirectional",
        kwargs,
        **sequence(rng, drawn, 0.5),
        states=states if drawn["initial_state"] else None,
        info=note_both_ways(drawn),
    )


def note_both_ways(drawn: Options) -> dict[str, Any]:
    """As `note`; Bidirectional zeroes masked outputs if it returns all."""
    zeroed = {"zero_output_for_mask": drawn["return_sequences"], "go_backwards": True}
    return note({**drawn, **zeroed})


def keras_chains() -> list[Case]:
    """Dense, TimeDistributed, Activation, and Sequential models in which a mask is made and passed on."""
    family = "keras_chains"
    rng = generator(family)
    made = [*_dense(rng), *_distributed(rng), *_activations(rng), *_masking(rng), *_embedding(rng)]
    return [record(family, setup) for setup in made]


def _dense(rng: np.random.Generator) -> list[Setup]:
    grid = {
        "shape": [(3,), (2, 3), (2, 3, 2)],
        "activation": [*BOUNDED, *UNBOUNDED],
        "use_bias": [True, False],
        "units": [1, 3, 4],
        "batch": [1, 3],
    }
    return [
        Setup(
            f"dense_{i:03d}",
            "keras.layers.Dense",
            {key: drawn[key] for key in ("units", "activation", "use_bias")} | {"dtype": "float64"},
            normal(rng, (drawn["batch"], *drawn["shape"])),
        )
        for i, drawn in enumerate(balanced(rng, 14, grid))
    ]


def _distributed(rng: np.random.Generator) -> list[Setup]:
    dense = spec("layers.Dense", units=3, activation="tanh")
    lstm = spec("layers.LSTM", units=2)
    shapes = [(dense, (2, 4, 3)), (dense, (1, 2, 3, 2)), (dense, (3, 1, 2)), (lstm, (2, 3, 4, 2))]
    inner = [
        Setup(
            f"timedistributed_{i:03d}",
            "keras.layers.TimeDistributed",
            {"layer": layer, "dtype": "float64"},
            normal(rng, shape),
        )
        for i, (layer, shape) in enumerate(shapes)
    ]
    for i, kind in enumerate(MASKS[1:]):
        layers = [
            spec("layers.Masking", mask_value=0.0),
            spec("layers.LSTM", units=3, return_sequences=True),
            spec("layers.TimeDistributed", layer=spec("layers.Dense", units=2)),
            spec("layers.GRU", units=2),
        ]
        x = _masked(rng, kind, (3, 5, 2), 0.0)
        inner.append(Setup(f"timedistributed_masked_{i:03d}", "keras.Sequential", {"layers": layers}, x))
    return inner


def _activations(rng: np.random.Generator) -> list[Setup]:
    names = [*BOUNDED, *(name for name in UNBOUNDED if name), "softmax"]
    return [
        Setup(
            f"activation_{name}",
            "keras.layers.Activation",
            {"activation": name, "dtype": "float64"},
            normal(rng, (2, 3, 4)),
        )
        for name in names
    ]


def _masked(rng: np.random.Generator, kind: str, shape: tuple[int, ...], value: float) -> np.ndarray:
    """An input whose masked steps hold `value` in every feature, and some others in one feature."""
    x = normal(rng, shape)
    x[0, 0, 0] = value
    made = mask(rng, kind, shape[0], shape[1])
    if made is not None:
        x[~made] = value
    return x


def _masking(rng: np.random.Generator) -> list[Setup]:
    grid = {
        **SIZES,
        "time": [2, 3, 5],
        "features": [2, 3],
        "kind": KINDS,
        "mask": MASKS[1:],
        "mask_value": [0.0, -1.0],
        **{key: [False, True] for key in ("return_sequences", "go_backwards", "bidirectional")},
    }
    setups = []
    for i, drawn in enumerate(balanced(rng, 24, grid)):
        layer = spec(f"layers.{drawn['kind']}", units=drawn["units"], **layer_options(drawn))
        if drawn["bidirectional"]:
            layer = spec("layers.Bidirectional", layer=layer)
        layers = [
            spec("layers.Masking", mask_value=drawn["mask_value"]),
            layer,
            spec("layers.Dense", units=2),
        ]
        shape = (drawn["batch"], drawn["time"], drawn["features"])
        x = _masked(rng, drawn["mask"], shape, drawn["mask_value"])
        name = f"masking_{i:03d}"
        info = {"mask": drawn["mask"]}
        setups.append(Setup(name, "keras.Sequential", {"layers": layers}, x, info=info))
    return setups


def _embedding(rng: np.random.Generator) -> list[Setup]:
    grid = {
        **SIZES,
        "kind": KINDS,
        "mask": MASKS,
        "mask_zero": [True, True, False],
        "depth": [1, 2],
        "return_sequences": [False, True],
    }
    setups = []
    for i, drawn in enumerate(balanced(rng, 24, grid)):
        steps = mask(rng, drawn["mask"], drawn["batch"], drawn["time"])
        x = rng.integers(1, 6, size=(drawn["batch"], drawn["time"]))
        if steps is not None:
            x[~steps] = 0
        inner = [
            spec(f"layers.{drawn['kind']}", units=drawn["units"], return_sequences=True)
            for _ in range(drawn["depth"] - 1)
        ]
        last = given({"return_sequences": drawn["return_sequences"]}, return_sequences=False)
        layers = [
            spec("layers.Embedding", input_dim=6, output_dim=3, mask_zero=drawn["mask_zero"]),
            *inner,
            spec(f"layers.{drawn['kind']}", units=2, **last),
        ]
        info = {"mask": drawn["mask"]}
        setups.append(Setup(f"embedding_{i:03d}", "keras.Sequential", {"layers": layers}, x, info=info))
    return setups


REGULARIZERS = [
    None,
    "l2",
    spec("regularizers.L1", l1=0.05),
    spec("regularizers.L2", l2=0.1),
    spec("regularizers.L1L2", l1=0.02, l2=0.03),
    spec("regularizers.OrthogonalRegularizer", factor=0.1, mode="rows"),
    spec("regularizers.OrthogonalRegularizer", factor=0.1, mode="columns"),
]
PENALIZED = ("LSTM", "GRU", "SimpleRNN", "Dense", "Embedding", "Bidirectional", "RNN")


def keras_penalties() -> list[Case]:
    """Regularizers of weights and activity: ``layer.losses``, and gradients that go through them."""
    family = "keras_penalties"
    rng = generator(family)
    grid = {
        "layer": PENALIZED,
        "kernel_regularizer": REGULARIZERS,
        "recurrent_regularizer": REGULARIZERS,
        "bias_regularizer": REGULARIZERS[:5],
        "activity_regularizer": REGULARIZERS[:5],
        "return_state": [False, True],
        "return_sequences": [False, True],
    }
    return [
        record(family, _penalized(rng, f"penalties_{i:03d}", drawn)) for i, drawn in enumerate(balanced(rng, 49, grid))
    ]


def _penalized(rng: np.random.Generator, name: str, drawn: Options) -> Setup:
    kind = drawn["layer"]
    weights = {key: drawn[key] for key in ("kernel_regularizer", "bias_regularizer")}
    recurrent = weights | {"recurrent_regularizer": drawn["recurrent_regularizer"]}
    activity = {"activity_regularizer": drawn["activity_regularizer"]}
    flow = given({key: drawn[key] for key in ("return_sequences", "return_state")}, **_OFF)
    x = normal(rng, (3, 4, 2))
    if kind == "Dense":
        made = spec("layers.Dense", units=2, **weights, **activity)
    elif kind == "Embedding":
        x = rng.integers(0, 5, size=(3, 4))
        table = {"embeddings_regularizer": drawn["kernel_regularizer"], **activity}
        made = spec("layers.Embedding", input_dim=5, output_dim=2, **table)
    elif kind == "Bidirectional":
        made = spec("layers.Bidirectional", layer=spec("layers.LSTM", units=2, **recurrent, **flow))
    elif kind == "RNN":
        made = spec("layers.RNN", cell=spec("layers.GRUCell", units=2, **recurrent), **flow)
    else:
        made = spec(f"layers.{kind}", units=2, **recurrent, **activity, **flow)
    return Setup(name, made["class_name"], made["kwargs"], x)


_OFF = {"return_sequences": False, "return_state": False}
