"""Effects of the pages' names besides arithmetic: names, sharing, initial values, penalties. Run with either package.

Each function is one small program on `tf`, TensorFlow or minigrad, and returns plain values. `record_facts.py` writes
down what TensorFlow 2.15.1 answers, and `test_facts.py` asks minigrad the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

X = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
STATE = np.random.default_rng(1).standard_normal((2, 3, 2)).astype("float32")
FACTS: dict[str, Callable[[Any], Any]] = {}


def fact(program: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Add a program to `FACTS`."""
    FACTS[program.__name__] = program
    return program


# --- what differs between a graph and operations that run at once -----------------------------------------------------


@contextmanager
def fresh(tf: Any) -> Iterator[None]:
    """No variables and no names from before; in TensorFlow a graph."""
    if tf.__name__ == "minigrad":
        tf.compat.v1.reset_default_graph()
        tf.keras.backend.clear_session()
        yield
        tf.compat.v1.reset_default_graph()
    else:
        with tf.Graph().as_default():
            yield


def given(tf: Any, array: Any) -> Any:
    return array if tf.__name__ == "minigrad" else tf.constant(array)


def values(tf: Any, tensors: list[Any]) -> list[Any]:
    """Their numbers."""
    if not tensors:
        return []
    if tf.__name__ == "minigrad":
        return [t.numpy() for t in tensors]
    with tf.compat.v1.Session() as session:
        session.run(tf.compat.v1.global_variables_initializer())
        return list(session.run(tensors))


def error_of(action: Callable[[], Any]) -> list[str]:
    """Python's own class of the error that an action raises, and the beginning of what it says."""
    try:
        action()
    except ValueError as error:
        return ["ValueError", str(error).partition(",")[0].partition(".")[0]]
    except TypeError:
        return ["TypeError"]
    return ["none"]


def first(tf: Any, **options: Any) -> Any:
    return tf.compat.v1.nn.rnn_cell.LSTMCell(2, **options)


def called(tf: Any, cell: Any) -> Any:
    """The cell, after one step."""
    sizes = [STATE[0], np.ones((3, cell.output_size), "float32")]
    cell(given(tf, X), tf.compat.v1.nn.rnn_cell.LSTMStateTuple(*(given(tf, s) for s in sizes)))
    return cell


def names(variables: Any) -> list[str]:
    return [v.name for v in variables]


# --- the first generation ---------------------------------------------------------------------------------------------


@fact
def names_of_variables(tf: Any) -> Any:
    one, two, named = first(tf), first(tf, use_peepholes=True, num_proj=3), first(tf, name="reader")
    with tf.compat.v1.variable_scope("outer"):
        called(tf, one)
    called(tf, two)
    called(tf, named)
    return {
        "cells": [one.name, two.name, named.name],
        "scopes": [one.scope_name, two.scope_name, named.scope_name],
        "variables": names(tf.compat.v1.global_variables()),
    }


@fact
def sharing_by_reuse(tf: Any) -> Any:
    called(tf, first(tf, name="shared"))
    again = called(tf, first(tf, name="shared", reuse=True))
    with tf.compat.v1.variable_scope("scope"):
        called(tf, first(tf))
    with tf.compat.v1.variable_scope("scope", reuse=True):
        inside = called(tf, first(tf))
    return {
        "again": names(again.weights),
        "inside": names(inside.weights),
        "variables": names(tf.compat.v1.global_variables()),
    }


@fact
def reuse_without_a_first_use(tf: Any) -> Any:
    return error_of(lambda: called(tf, first(tf, name="never", reuse=True)))


@fact
def a_second_use_without_reuse(tf: Any) -> Any:
    with tf.compat.v1.variable_scope("scope"):
        called(tf, first(tf))

    def again() -> None:
        with tf.compat.v1.variable_scope("scope"):
            called(tf, first(tf))

    return error_of(again)


@fact
def what_is_trainable(tf: Any) -> Any:
    frozen, free = called(tf, first(tf, trainable=False, name="frozen")), called(tf, first(tf, name="free"))
    return {
        "frozen": [names(frozen.trainable_weights), names(frozen.weights)],
        "free": names(free.trainable_weights),
        "trainable": names(tf.compat.v1.trainable_variables()),
    }


@fact
def where_weights_start(tf: Any) -> Any:
    start = tf.keras.initializers.Constant(0.5)
    cell = called(tf, first(tf, initializer=start, use_peepholes=True, num_proj=3))
    return [
        [name, np.unique(v).tolist()] for name, v in zip(names(cell.weights), values(tf, cell.weights), strict=True)
    ]


@fact
def sizes(tf: Any) -> Any:
    cells = first(tf), first(tf, num_proj=3), first(tf, num_proj=3, state_is_tuple=False)
    return [[cell.output_size, cell.state_size, type(cell.state_size).__name__] for cell in cells]


@fact
def zero_states(tf: Any) -> Any:
    found = []
    for cell in (first(tf, num_proj=3), first(tf, state_is_tuple=False)):
        state = cell.zero_state(3, "float32")
        parts = list(state) if isinstance(state, tuple) else [state]
        found.append([type(state).__name__ * isinstance(state, tuple), [list(v.shape) for v in values(tf, parts)]])
    return found


@fact
def losses_and_updates(tf: Any) -> Any:
    """A loss that depends on the inputs, and one that depends on none."""
    cell, x = first(tf, initializer=tf.keras.initializers.Constant(0.5)), given(tf, X)
    output, _ = cell(x, cell.zero_state(3, "float32"))
    cell.add_loss(output[0, 0], inputs=x)
    cell.add_loss(given(tf, np.ones((), "float32")))
    return {
        "of inputs": len(cell.get_losses_for(x)),
        "of none": len(cell.get_losses_for(None)),
        "all": len(cell.losses),
        "updates": [len(cell.get_updates_for(x)), len(cell.get_updates_for(None))],
    }


@fact
def states_of_another_structure(tf: Any) -> Any:
    """The refused ones."""
    both = given(tf, np.concatenate(list(STATE), 1))
    pair = tf.compat.v1.nn.rnn_cell.LSTMStateTuple(*(given(tf, s) for s in STATE))
    return [
        error_of(lambda: first(tf)(given(tf, X), both)) != ["none"],
        error_of(lambda: first(tf, state_is_tuple=False)(given(tf, X), both)) != ["none"],
        error_of(lambda: first(tf)(given(tf, X), pair)) != ["none"],
    ]


@fact
def a_dtype_is_inferred(tf: Any) -> Any:
    cell = first(tf)
    cell(given(tf, X.astype("float64")), cell.zero_state(3, "float64"))
    return [str(np.dtype(v.dtype.name)) for v in cell.weights]


# --- Keras ------------------------------------------------------------------------------------------------------------


def keras(tf: Any) -> Iterator[tuple[str, Any, Any]]:
    """The classes of the four other pages, and a shape to build them with."""
    yield "v1 cell", tf.compat.v1.keras.layers.LSTMCell, (3, 4)
    yield "cell", tf.keras.layers.LSTMCell, (3, 4)
    yield "layer", tf.keras.layers.LSTM, (3, 5, 4)


def built(made: Any, shape: Any) -> Any:
    made.build(shape)
    return made


@fact
def where_keras_weights_start(tf: Any) -> Any:
    found: dict[str, Any] = {}
    for name, cls, shape in keras(tf):
        for unit in (True, False):
            for which in ("kernel", "recurrent", "bias"):
                start = {f"{which}_initializer": tf.keras.initializers.Constant(0.5), "unit_forget_bias": unit}
                zeros = {f"{w}_initializer": "zeros" for w in ("kernel", "recurrent", "bias")}
                layer = built(cls(2, **(zeros | start)), shape)
                found[f"{name}, {which}, {unit}"] = [v.tolist() for v in values(tf, layer.weights)]
    return found


@fact
def keras_penalties(tf: Any) -> Any:
    found: dict[str, Any] = {}
    for name, cls, shape in keras(tf):
        for which in ("kernel", "recurrent", "bias"):
            options = {f"{which}_regularizer": tf.keras.regularizers.L2(0.5)}
            starts = {f"{w}_initializer": tf.keras.initializers.Constant(0.5) for w in ("kernel", "recurrent", "bias")}
            layer = built(cls(2, **starts, **options), shape)
            found[f"{name}, {which}"] = [float(v) for v in values(tf, list(layer.losses))]
    return found


@fact
def keras_constraints(tf: Any) -> Any:
    """The weight that each belongs to, and its values for −1 and 2."""
    found: dict[str, Any] = {}
    for name, cls, shape in keras(tf):
        for which in ("kernel", "recurrent", "bias"):
            layer = built(cls(2, **{f"{which}_constraint": tf.keras.constraints.NonNeg()}), shape)
            made = [w.constraint(given(tf, np.array([-1.0, 2.0], "float32"))) for w in layer.weights if w.constraint]
            bare = [v.tolist() if hasattr(v, "tolist") else v for v in values(tf, made)]
            found[f"{name}, {which}"] = [[w.constraint is not None for w in layer.weights], bare]
    return found


@fact
def implementation_under_recurrent_dropout(tf: Any) -> Any:
    return {
        f"{name}, {rate}": cls(2, recurrent_dropout=rate).implementation
        for name, cls, _ in keras(tf)
        for rate in (0.0, 0.5)
    }


@fact
def dropout_masks(tf: Any) -> Any:
    """Their count, shape and numbers, and whether they are kept."""
    found: dict[str, Any] = {}
    for name, cls, _ in keras(tf):
        for which in ("dropout", "recurrent_dropout"):
            if not hasattr(cls, f"get_{which}_mask_for_cell"):
                continue  # the second generation's layer
            layer, x = cls(2, **{which: 0.5}), given(tf, np.ones((50, 4), "float32"))
            get, reset = getattr(layer, f"get_{which}_mask_for_cell"), getattr(layer, f"reset_{which}_mask")
            masks = get(x, True, count=3)
            kept = get(x, False, count=1) is masks
            reset()
            ones = get(x, training=False, count=2)
            arrays = values(tf, [*masks, *ones])
            found[f"{name}, {which}"] = [
                kept, len(masks), [[list(a.shape), np.unique(a).tolist()] for a in arrays],
                getattr(cls(2), f"get_{which}_mask_for_cell")(x, True) is None,
            ]  # fmt: skip
    return found


@fact
def initial_states(tf: Any) -> Any:
    x = given(tf, X)
    found: dict[str, Any] = {}
    for name, cell in (
        ("first", first(tf)),
        ("v1", tf.compat.v1.keras.layers.LSTMCell(2)),
        ("v2", tf.keras.layers.LSTMCell(2)),
    ):
        by_inputs, by_size = cell.get_initial_state(inputs=x), cell.get_initial_state(batch_size=5, dtype="float64")
        found[name] = [
            [type(state).__name__ == "LSTMStateTuple", len(state), [[list(s.shape), s.dtype.name] for s in state]]
            for state in (by_inputs, by_size)
        ]
    return found


@fact
def resetting_states(tf: Any) -> Any:
    """The errors: not stateful, batch size unknown, and states that do not fit."""
    layer = tf.keras.layers.LSTM(2, stateful=True, batch_input_shape=(3, None, 4))
    layer.build((3, None, 4))
    ones = np.ones((3, 2), "float32")

    def raised(action: Callable[[], Any]) -> str:
        try:
            action()
        except AttributeError:
            return "AttributeError"
        except ValueError:
            return "ValueError"
        return "none"

    return [
        raised(lambda: tf.keras.layers.LSTM(2).reset_states()),
        raised(lambda: tf.keras.layers.LSTM(2, stateful=True).reset_states()),
        raised(lambda: layer.reset_states([ones])),
        raised(lambda: layer.reset_states([ones[:2], ones[:2]])),
    ]


@fact
def apply_is_a_call(tf: Any) -> Any:
    cell, pair = first(tf, initializer=tf.keras.initializers.Constant(0.5)), tf.compat.v1.nn.rnn_cell.LSTMStateTuple
    output, _ = cell.apply(given(tf, X), pair(*(given(tf, s) for s in STATE)))
    return values(tf, [output])[0].tolist()


def answers(tf: Any) -> dict[str, Any]:
    """The answers of all programs."""
    found = {}
    for name, program in FACTS.items():
        with fresh(tf):
            found[name] = program(tf)
    return found
