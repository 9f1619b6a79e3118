"""Third generation: layers that carry their state from one batch to the next."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case
from oracle.record.cases_wrappers import KINDS, STATES, note_both_ways, spec
from oracle.record.draw import MASKS, balanced, generator, normal
from oracle.record.grids import SIZES, Options, layer_options, sequence
from oracle.record.layers import Setup, caller, numbers, randomize, start, weight_facts

# Sequences of calls and resets; "given" is a call with an initial state.
STORIES = (
    ("call", "call", "reset", "call"),
    ("call", "reset_to", "call", "call"),
    ("given", "call", "given"),
    ("call", "given", "reset", "given"),
)


def keras_stateful() -> list[Case]:
    """Stories of calls and resets, in ``info["events"]``; the arrays of a call are under ``CALL/``."""
    family = "keras_stateful"
    rng = generator(family)
    grid = {
        **SIZES,
        "time": [1, 2, 3, 4],
        "kind": ["LSTM", "LSTM", "GRU", "SimpleRNN"],
        "around": ["layer", "layer", "RNN", "stack", "Bidirectional"],
        "usual": [True, False],
        "story": STORIES,
        "mask": MASKS,
        "go_backwards": [False, False, True],
        "return_sequences": [True, False],
        "return_state": [True, False],
        "time_major": [False, False, False, True],
        "unroll": [False, False, True],
    }
    return [_tell(family, rng, f"stateful_{i:03d}", drawn) for i, drawn in enumerate(balanced(rng, 40, grid))]


def _subject(drawn: Options) -> tuple[dict[str, Any], int]:
    """The layer's spec, and how many flat states it has."""
    kind, units = drawn["kind"], drawn["units"]
    options = {**layer_options(drawn), "stateful": True}
    cell = {} if drawn["usual"] else {"activation": "softsign"}
    if drawn["around"] == "layer":
        return spec(f"layers.{kind}", units=units, **cell, **options), STATES[kind]
    if drawn["around"] == "RNN":
        inner = spec(f"layers.{kind}Cell", units=units, **cell)
        return spec("layers.RNN", cell=inner, **options), STATES[kind]
    if drawn["around"] == "stack":
        inner = [spec(f"layers.{k}Cell", units=units, **cell) for k in (kind, KINDS[0])]
        return spec("layers.RNN", cell=inner, **options), STATES[kind] + STATES[KINDS[0]]
    inner = spec(f"layers.{kind}", units=units, **cell, **options)
    return spec("layers.Bidirectional", layer=inner), 2 * STATES[kind]


def _nested(drawn: Options, flat: list[np.ndarray]) -> list[Any]:
    """Flat states laid out as the layer takes them."""
    if drawn["around"] != "stack":
        return flat
    first = flat[: STATES[drawn["kind"]]]
    return [first if len(first) > 1 else first[0], flat[len(first) :]]


def _states(layer: Any) -> list[np.ndarray]:
    parts = [getattr(layer, name, None) for name in ("forward_layer", "backward_layer")]
    if parts[0] is None:
        parts = [layer]
    return [state.numpy() for part in parts for state in tf.nest.flatten(part.states)]


def _tell(family: str, rng: np.random.Generator, name: str, drawn: Options) -> Case:
    made, count = _subject(drawn)

    def draw_states() -> list[Any]:
        shape = (drawn["batch"], drawn["units"])
        return _nested(drawn, [normal(rng, shape) for _ in range(count)])

    def setup_for(states: list[Any] | None) -> Setup:
        drawn_input = sequence(rng, drawn, 0.5)
        return Setup(name, made["class_name"], made["kwargs"], **drawn_input, states=states)

    first = setup_for(None)
    layer = start(first)
    caller(layer, first)(tf.constant(first.x), None)
    randomize(layer, rng, first.scale)
    layer.reset_states()
    arrays = {f"weight/{i}": value for i, value in enumerate(layer.get_weights())}
    events: list[dict[str, Any]] = []
    for number, event in enumerate(drawn["story"]):
        prefix = f"{event.split('_')[0]}{number}"
        if event == "reset":
            layer.reset_states()
            events.append({"reset": None})
        elif event == "reset_to":
            flat = tf.nest.flatten(draw_states())
            layer.reset_states(flat)
            arrays |= {f"{prefix}/state/{i}": value for i, value in enumerate(flat)}
            events.append({"reset": prefix})
        else:
            setup = setup_for(draw_states() if event == "given" else None)
            found, facts = numbers(layer, setup, rng)
            found |= {f"state_after/{i}": value for i, value in enumerate(_states(layer))}
            arrays |= {f"{prefix}/{key}": value for key, value in found.items()}
            events.append({"call": prefix, **facts})
    noted = note_both_ways(drawn) if drawn["around"] == "Bidirectional" else {"mask": drawn["mask"]}
    info = {"weights": weight_facts(layer.weights), "events": events, **noted}
    return Case(family, name, made["class_name"], made["kwargs"], {}, layer.get_config(), info, arrays)
