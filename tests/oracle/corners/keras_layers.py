"""Recurrent layers of Keras: masks, directions and states together, cells of a user's own, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import corner, error_of, fill, flat, given, named, with_gradients

STATE = np.linspace(-1, 1, 4).reshape(2, 2).astype("float32")
LONG = np.sin(np.arange(40)).reshape(2, 5, 4).astype("float32")
HOLES = np.array([[True, False, True, True, False], [False, True, True, False, False]])
NONE_LEFT = np.array([[False] * 5, [True, True, False, False, False]])
NAMES = "LSTM", "GRU", "SimpleRNN", "RNN", "Stacked", "second LSTM", "second GRU"


def made(tf: Any, name: str, **options: Any) -> Any:
    layers, second = tf.keras.layers, tf.compat.v1.keras.layers
    if name == "RNN":
        layer = layers.RNN(layers.GRUCell(2, reset_after=False), **options)
    elif name == "Stacked":
        layer = layers.RNN([layers.LSTMCell(3), layers.SimpleRNNCell(2)], **options)
    else:
        layer = getattr(second if "second" in name else layers, name.split()[-1])(2, **options)
    return layer


def filled(tf: Any, name: str, batch: int = 2, **options: Any) -> Any:
    layer = made(tf, name, **options)
    layer.build((5, batch, 4) if options.get("time_major") else (batch, 5, 4))
    fill(layer)
    return layer


# --- options together -------------------------------------------------------------------------------------------------


@corner(*NAMES)
def backwards_with_states_and_masks(tf: Any, name: str) -> Any:
    """go_backwards, return_state, return_sequences, zero_output_for_mask."""
    found = []
    for options in (
        {"go_backwards": True, "return_state": True},
        {"go_backwards": True, "return_state": True, "return_sequences": True},
        {"go_backwards": True, "return_sequences": True, "zero_output_for_mask": True},
        {"unroll": True, "go_backwards": True, "return_sequences": True, "return_state": True},
    ):
        if "second" in name and "zero_output_for_mask" in options:
            continue
        layer = filled(tf, name, **options)
        for mask in (None, HOLES, NONE_LEFT):
            given_mask = None if mask is None else given(tf, mask)
            found.append(with_gradients(tf, lambda x, m=given_mask, one=layer: named(one(x, mask=m)), LONG))
    return found


@corner(*NAMES)
def stateful_with_masks(tf: Any, name: str) -> Any:
    """Three calls, each with another mask; then a reset."""
    layer = filled(tf, name, stateful=True, return_sequences=True)
    found = [layer(given(tf, LONG), mask=given(tf, mask)) for mask in (HOLES, NONE_LEFT, ~HOLES)]
    states = [state.numpy() for state in flat(layer.states)]
    layer.reset_states()
    return [*found, states, layer(given(tf, LONG)), named(layer.states)]


@corner(*NAMES)
def time_major_with_everything(tf: Any, name: str) -> Any:
    options = {"time_major": True, "go_backwards": True, "return_sequences": True, "return_state": True}
    layer = filled(tf, name, **options)
    mask = given(tf, HOLES.T)
    return [
        with_gradients(tf, lambda x: named(layer(x, mask=mask)), LONG.transpose(1, 0, 2)),
        named(layer(given(tf, LONG.transpose(1, 0, 2)))),
    ]


@corner("LSTM", "GRU", "SimpleRNN")
def two_halves_of_a_sequence(tf: Any, name: str) -> Any:
    """A stateful layer over two halves, and the layer over the whole."""
    layer = filled(tf, name, stateful=True)
    layer(given(tf, LONG[:, :2]))
    other = filled(tf, name)
    return [layer(given(tf, LONG[:, 2:])), other(given(tf, LONG))]


@corner("list", "tuple", "inputs", "one")
def initial_states(tf: Any, how: str) -> Any:
    """The forms in which they can be given."""
    lstm, gru = filled(tf, "LSTM", return_state=True), filled(tf, "GRU", return_state=True)
    h, c, x = given(tf, STATE), given(tf, 2 * STATE), given(tf, LONG)
    if how == "inputs":
        return [lstm([x, h, c]), gru([x, h])]
    if how == "one":
        return [gru(x, initial_state=h), gru(x, initial_state=[h])]
    states = {"list": [h, c], "tuple": (h, c)}[how]
    return [lstm(x, initial_state=states)]


@corner("LSTM", "GRU", "Stacked")
def carried_states_and_given_ones(tf: Any, name: str) -> Any:
    """Calls of a stateful layer with an `initial_state`, before and after the first."""
    layer = filled(tf, name, stateful=True)
    sizes = {"LSTM": [2, 2], "GRU": [2], "Stacked": [3, 3, 2]}[name]
    states = [given(tf, np.full((2, n), 0.3, "float32")) for n in sizes]
    if name == "Stacked":
        states = [states[:2], states[2]]
    x = given(tf, LONG)
    return [layer(x, initial_state=states), layer(x, initial_state=states), layer(x)]


@corner()
def resetting_to_numbers(tf: Any) -> Any:
    """reset_states(states) and its errors."""
    lstm, gru = filled(tf, "LSTM", stateful=True), filled(tf, "GRU", stateful=True)
    x = given(tf, LONG)
    lstm.reset_states([STATE, 2 * STATE])
    gru.reset_states(STATE)
    found = [lstm(x), gru(x)]
    gru.reset_states([STATE])
    lstm.reset_states((2 * STATE, STATE))
    return [
        *found, lstm(x), gru(x),
        error_of(lambda: lstm.reset_states([STATE])),
        error_of(lambda: lstm.reset_states([STATE, STATE, STATE])),
        error_of(lambda: lstm.reset_states([STATE, STATE[:1]])),
        error_of(lambda: gru.reset_states(STATE[:, :1])),
        error_of(lambda: filled(tf, "GRU").reset_states()),
        error_of(lambda: made(tf, "GRU", stateful=True).reset_states()),
    ]  # fmt: skip


@corner("one step", "one row", "no rows", "one feature", "long")
def odd_sizes_of_inputs(tf: Any, what: str) -> Any:
    x = {
        "one step": LONG[:, :1], "one row": LONG[:1], "no rows": LONG[:0], "one feature": LONG[:, :, :1],
        "long": np.tile(LONG, (1, 20, 1)),
    }[what]  # fmt: skip
    found = []
    for name in ("LSTM", "GRU", "SimpleRNN", "Stacked"):
        layer = made(tf, name, return_state=True, return_sequences=True)
        layer.build((None, None, x.shape[-1]))
        fill(layer)
        found.append(named(layer(given(tf, x))))
    return found


@corner("bool", "int32", "uint8")
def masks_of_other_dtypes(tf: Any, dtype: str) -> Any:
    layer = filled(tf, "LSTM", return_sequences=True)
    mask = given(tf, HOLES.astype(dtype))
    return (
        [layer(given(tf, LONG), mask=mask)] if dtype == "bool" else error_of(lambda: layer(given(tf, LONG), mask=mask))
    )


@corner("LSTM", "GRU", "SimpleRNN", "RNN", "Stacked")
def what_a_layer_refuses(tf: Any, name: str) -> Any:
    layer, x = filled(tf, name), given(tf, LONG)
    state = given(tf, STATE)
    return [
        error_of(lambda: layer(x[:, 0])),
        error_of(lambda: layer(x[:, :, :3])),
        error_of(lambda: layer(x, initial_state=[state] * 5)),
        error_of(lambda: layer([x, state, state, state, state])),
        error_of(lambda: made(tf, name, no_such=1)),
        error_of(lambda: layer.get_initial_state(x)),
    ]


@corner()
def constructors_that_are_refused(tf: Any) -> Any:
    layers = tf.keras.layers
    return [
        error_of(lambda: layers.LSTM(0)),
        error_of(lambda: layers.LSTM(-2)),
        error_of(lambda: layers.LSTMCell(0)),
        error_of(lambda: layers.GRU(0)),
        error_of(lambda: layers.SimpleRNN(-1)),
        error_of(lambda: layers.RNN("cell")),
        error_of(lambda: layers.RNN(layers.LSTM(2))),
        error_of(lambda: layers.RNN(object())),
        error_of(lambda: layers.StackedRNNCells([layers.Dense(2)])),
        error_of(lambda: layers.LSTM(2, activation="no such")),
        error_of(lambda: layers.LSTM(2, kernel_initializer="no such")),
        error_of(lambda: layers.LSTM(2, kernel_constraint="no such")),
        error_of(lambda: layers.Bidirectional("layer")),
        error_of(lambda: layers.Bidirectional(layers.LSTM(2), merge_mode="no such")),
        error_of(lambda: layers.TimeDistributed("layer")),
        error_of(lambda: layers.TimeDistributed(layers.Dense(2))(given(tf, LONG[:, 0]))),
        error_of(lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2))),
        error_of(lambda: layers.Bidirectional(layers.LSTM(2), backward_layer=layers.LSTM(2, go_backwards=True))),
        error_of(
            lambda: layers.Bidirectional(
                layers.LSTM(2), backward_layer=layers.LSTM(2, go_backwards=True, return_sequences=True)
            )
        ),
        error_of(layers.LSTM),
        error_of(layers.RNN),
    ]


# --- attributes, losses, trainable parts ------------------------------------------------------------------------------


@corner("LSTM", "GRU", "SimpleRNN", "second LSTM", "second GRU")
def attributes_of_a_layer(tf: Any, name: str) -> Any:
    layer = filled(tf, name, dropout=0.25, recurrent_dropout=0.5, return_state=True)
    own = [
        getattr(layer, key, "absent")
        for key in ("units", "use_bias", "dropout", "recurrent_dropout", "implementation", "return_state", "stateful",
                    "go_backwards", "time_major", "unroll", "reset_after", "unit_forget_bias", "supports_masking")
    ]  # fmt: skip
    return [
        own, layer.activation.__name__, [list(w.shape) for w in layer.weights], layer.count_params(),
        len(layer.trainable_weights), [s is None for s in named(layer.states)], layer.cell.units,
        named(layer.cell.state_size), layer.cell.output_size,
    ]  # fmt: skip


@corner("layer", "cell", "both", "again")
def frozen_parts(tf: Any, what: str) -> Any:
    layer = filled(tf, "LSTM")
    if what in ("layer", "both", "again"):
        layer.trainable = False
    if what in ("cell", "both"):
        layer.cell.trainable = False
    if what == "again":
        layer.trainable = True
    return [len(layer.trainable_weights), len(layer.non_trainable_weights), len(layer.weights)]


@corner("kernel", "recurrent", "bias", "activity", "all")
def losses(tf: Any, which: str) -> Any:
    names = ["kernel", "recurrent", "bias", "activity"] if which == "all" else [which]
    found = []
    for name in ("LSTM", "GRU", "SimpleRNN"):
        options = {f"{n}_regularizer": tf.keras.regularizers.L1L2(0.1, 0.2) for n in names}
        layer = filled(tf, name, return_sequences=True, **options)
        layer(given(tf, LONG))
        found.append([len(layer.losses), sum(float(loss) for loss in layer.losses)])
    return found


@corner("compute_mask", "sequences", "state")
def masks_of_outputs(tf: Any, how: str) -> Any:
    options = {"compute_mask": {}, "sequences": {"return_sequences": True}, "state": {"return_state": True}}[how]
    found = []
    for name in ("LSTM", "Stacked"):
        mask = filled(tf, name, **options).compute_mask(given(tf, LONG), given(tf, HOLES))
        found.append([] if mask is None else [m is None for m in mask] if isinstance(mask, list) else mask)
    return found
