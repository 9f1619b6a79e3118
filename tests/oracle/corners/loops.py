"""dynamic_rnn, static_rnn, their two directions and raw_rnn: odd arguments and structures."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from oracle.corners import X, corner, error_of, fill, float32, given, named, with_gradients

STATE = np.linspace(-1, 1, 4).reshape(2, 2).astype("float32")


def gru(tf: Any, units: int = 2) -> Any:
    """A cell with its weights."""
    cell = tf.compat.v1.nn.rnn_cell.GRUCell(units)
    cell(given(tf, X[:, 0]), cell.zero_state(2, float32(tf)))
    fill(cell)
    return cell


def lstm(tf: Any) -> Any:
    cell = tf.compat.v1.nn.rnn_cell.LSTMCell(3, num_proj=2)
    cell(given(tf, X[:, 0]), cell.zero_state(2, float32(tf)))
    fill(cell)
    return cell


# --- dynamic_rnn ------------------------------------------------------------------------------------------------------


@corner(
    {"parallel_iterations": 1}, {"swap_memory": True}, {"parallel_iterations": 64, "swap_memory": True},
    {"sequence_length": [2, 1]}, {"sequence_length": np.array([3, 1])}, {"sequence_length": np.array([0, 0], "int32")},
    {"sequence_length": (3, 3)}, {"scope": "other"}, {"initial_state": STATE},
    {"sequence_length": [1, 2], "initial_state": STATE},
)  # fmt: skip
def dynamic(tf: Any, options: dict[str, Any]) -> Any:
    cell = gru(tf)
    options = {**options, "dtype": float32(tf)}
    if "initial_state" in options:
        options["initial_state"] = given(tf, options["initial_state"])
    return with_gradients(tf, lambda x: [*tf.compat.v1.nn.dynamic_rnn(cell, x, **options)], X)


@corner("dynamic", "both", "keras", "stacked keras", "second", "projection")
def time_major_with_lengths(tf: Any, name: str) -> Any:
    v1, layers = tf.compat.v1, tf.keras.layers
    cell = {
        "dynamic": lambda: gru(tf),
        "both": lambda: gru(tf),
        "projection": lambda: lstm(tf),
        "keras": lambda: layers.LSTMCell(2),
        "stacked keras": lambda: layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)]),
        "second": lambda: v1.keras.layers.LSTMCell(2),
    }[name]()  # type: ignore[no-untyped-call]
    if "keras" in name or name == "second":
        cell.build((None, 4))
        fill(cell)
    x = X.transpose(1, 0, 2)

    def run(x: Any) -> Any:
        options = {"sequence_length": [1, 3], "time_major": True, "dtype": float32(tf)}
        if name == "both":
            return named(v1.nn.bidirectional_dynamic_rnn(cell, gru(tf), x, **options))
        return named(v1.nn.dynamic_rnn(cell, x, **options))

    return with_gradients(tf, run, x)


@corner()
def what_dynamic_rnn_refuses(tf: Any) -> Any:
    nn, cell, x = tf.compat.v1.nn, gru(tf), given(tf, X)
    known = {"dtype": float32(tf)}
    return [
        error_of(lambda: nn.dynamic_rnn(cell, x)),
        error_of(lambda: nn.dynamic_rnn("cell", x, **known)),
        error_of(lambda: nn.dynamic_rnn([cell], x, **known)),
        error_of(lambda: nn.dynamic_rnn(tf.compat.v1.nn.rnn_cell.GRUCell, x, **known)),
        error_of(lambda: nn.dynamic_rnn(cell, x[:, 0], **known)),
        error_of(lambda: nn.dynamic_rnn(cell, x, sequence_length=[[1, 2]], **known)),
        error_of(lambda: nn.static_rnn(cell, x, **known)),
        error_of(lambda: nn.static_rnn(cell, [], **known)),
        error_of(lambda: nn.static_rnn(cell, [x[:, 0]])),
        error_of(lambda: nn.static_rnn(cell, [x[:, 0], x[:1, 0]], **known)),
        error_of(lambda: nn.static_rnn(3, [x[:, 0]], **known)),
        error_of(lambda: nn.raw_rnn(3, lambda *_: None)),
        error_of(lambda: nn.raw_rnn(cell, 3)),
        error_of(lambda: nn.bidirectional_dynamic_rnn(cell, 3, x, **known)),
        error_of(lambda: nn.bidirectional_dynamic_rnn(3, cell, x, **known)),
        error_of(lambda: nn.static_bidirectional_rnn(cell, cell, x, **known)),
        error_of(lambda: nn.static_bidirectional_rnn(cell, cell, [], **known)),
    ]


@corner("steps", "empty batch", "one step")
def odd_sizes(tf: Any, what: str) -> Any:
    cell = gru(tf)
    x = {"steps": X[:, :1], "empty batch": X[:0], "one step": X[:1, :1]}[what]
    return named(tf.compat.v1.nn.dynamic_rnn(cell, given(tf, x), dtype=float32(tf)))


@corner("float64", "float32")
def dtypes(tf: Any, dtype: str) -> Any:
    """Inputs of a dtype give outputs of it."""
    cell = tf.compat.v1.nn.rnn_cell.BasicRNNCell(2, dtype=dtype)
    x = given(tf, X.astype(dtype))
    y, state = tf.compat.v1.nn.dynamic_rnn(cell, x, dtype=dtype)
    return [str(y.numpy().dtype), str(state.numpy().dtype)]


@cache
def nested_cell(tf: Any) -> Any:
    class Nested(tf.compat.v1.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        """Inputs (a, b), state (s, (t, u)), outputs (y, (z,))."""

        state_size = property(lambda self: (4, (4, 2)))
        output_size = property(lambda self: (4, (2,)))

        def call(self, inputs: Any, state: Any) -> Any:
            a, b = inputs
            s, (t, u) = state
            s, t, u = s + a, 0.5 * t + a * a, u - b[:, :2]
            return (s * t, (u + 1.0,)), (s, (t, u))

    return Nested


@corner("dynamic", "lengths", "static", "static lengths")
def nested_inputs_and_outputs(tf: Any, how: str) -> Any:
    nn, cell = tf.compat.v1.nn, nested_cell(tf)()

    def run(a: Any, b: Any) -> Any:
        options: dict[str, Any] = {"dtype": float32(tf)}
        if "lengths" in how:
            options["sequence_length"] = [1, 2]
        if "static" in how:
            return named(nn.static_rnn(cell, [(a[:, t], b[:, t]) for t in range(3)], **options))
        return named(nn.dynamic_rnn(cell, (a, b), **options))

    return with_gradients(tf, run, X, 2 * X)


@corner("get", "zero")
def an_initial_state_of_the_cells_own(tf: Any, how: str) -> Any:
    """get_initial_state or zero_state that is not zero."""

    class Own(tf.compat.v1.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        state_size = property(lambda self: 4)
        output_size = property(lambda self: 4)

        def call(self, inputs: Any, state: Any) -> Any:
            return state + inputs, 0.5 * state + inputs

        def zero_state(self, batch_size: Any, dtype: Any) -> Any:
            return 3.0 + super().zero_state(batch_size, dtype)

    if how == "get":

        def start(self: Any, inputs: Any = None, batch_size: Any = None, dtype: Any = None) -> Any:
            return given(tf, np.ones((2, 4), "float32"))

        Own.get_initial_state = start
    nn, cell, x = tf.compat.v1.nn, Own(), given(tf, X)
    found = [*nn.dynamic_rnn(cell, x, dtype=float32(tf))]
    if how == "zero":
        found += [*nn.static_rnn(cell, [x[:, 0]], dtype=float32(tf))]
    return found


@corner(None, [2, 1], [0, 3])
def both_directions(tf: Any, lengths: Any) -> Any:
    """Cells of two sizes, one from its own state."""
    one, other = gru(tf), lstm(tf)
    nn, pair = tf.compat.v1.nn, tf.compat.v1.nn.rnn_cell.LSTMStateTuple
    options: dict[str, Any] = {"sequence_length": lengths, "dtype": float32(tf)}

    def dynamic(x: Any, s: Any) -> Any:
        wide = tf.concat([s, s[:, :1]], 1)
        state = pair(wide, s)
        return named(nn.bidirectional_dynamic_rnn(one, other, x, initial_state_bw=state, **options))

    def static(x: Any, s: Any) -> Any:
        steps = [x[:, 0], x[:, 1], x[:, 2]]
        return named(nn.static_bidirectional_rnn(one, other, steps, initial_state_fw=s, **options))

    return [with_gradients(tf, dynamic, X, STATE), with_gradients(tf, static, X, STATE)]


# --- raw_rnn ----------------------------------------------------------------------------------------------------------


def stacked(arrays: Any) -> Any:
    """The TensorArrays in a structure as tensors."""
    if isinstance(arrays, (list, tuple)):
        return [stacked(part) for part in arrays]
    if isinstance(arrays, dict):
        return [stacked(arrays[key]) for key in sorted(arrays)]
    return arrays.stack()


EMITS = (
    "default", "output", "pair", "dictionary", "integers", "scalar", "wide", "nested", "state",
)  # fmt: skip


@corner(*EMITS)
def what_raw_rnn_emits(tf: Any, what: str) -> Any:
    """emit_output in several structures; rows end after 2 steps and after 3."""
    cell, v1 = gru(tf), tf.compat.v1
    lengths = given(tf, np.array([2, 3], "int32"))

    def like() -> Any:
        zero = given(tf, np.zeros(2, "float32"))
        return {
            "default": None, "output": zero, "pair": (zero, zero), "dictionary": {"a": zero, "b": zero},
            "integers": given(tf, np.array(0, "int32")), "scalar": given(tf, np.array(0, "float32")),
            "wide": given(tf, np.zeros((2, 2), "float32")), "nested": (zero, (zero, zero)), "state": zero,
        }[what]  # fmt: skip

    def emit(y: Any, s: Any, time: Any) -> Any:
        return {
            "default": lambda: y, "output": lambda: 2.0 * y, "pair": lambda: (y, -y),
            "dictionary": lambda: {"a": y, "b": 3.0 * y},
            "integers": lambda: given(tf, np.array([5, 7], "int32")), "scalar": lambda: y[:, 0],
            "wide": lambda: tf.stack([y, s], 1), "nested": lambda: (y, (s, y * s)), "state": lambda: s,
        }[what]()  # type: ignore[no-untyped-call]  # fmt: skip

    def run(x: Any) -> Any:
        steps = [x[:, 0], x[:, 1], x[:, 2]]

        def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
            state = cell.zero_state(2, float32(tf)) if output is None else state
            out = like() if output is None else emit(output, state, time)
            t = int(time)
            return time >= lengths, steps[min(t, 2)], state, out, None

        arrays, final, loop_state = v1.nn.raw_rnn(cell, loop)
        return [stacked(arrays), final, loop_state is None]

    return with_gradients(tf, run, X)


@corner("number", "tensor", "pair", "array", "text")
def loop_states(tf: Any, what: str) -> Any:
    """A loop state of several kinds."""
    cell, v1 = gru(tf), tf.compat.v1
    x = given(tf, X)

    def first() -> Any:
        if what == "array":
            return v1.TensorArray(float32(tf), size=0, dynamic_size=True, clear_after_read=False)
        number = given(tf, np.array(1.0, "float32"))
        return {"number": 1, "tensor": number, "pair": (number, 2 * number)}.get(what, number)

    def after(before: Any, output: Any, time: int) -> Any:
        if what == "array":
            return before.write(time - 1, output)
        return tuple(2 * part for part in before) if what == "pair" else before * 3

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        t = int(time)
        if output is None:
            return t >= 3, x[:, 0], cell.zero_state(2, float32(tf)), None, first()
        return t >= 3, x[:, min(t, 2)], state, output, after(loop_state, output, t)

    arrays, final, found = v1.nn.raw_rnn(cell, wrapped(tf, loop))
    return [
        arrays.stack(),
        final,
        found.stack() if what == "array" else named(found) if what == "pair" else float(found),
    ]


def wrapped(tf: Any, loop: Any) -> Any:
    """The loop function with `finished` as a tensor."""

    def run(*arguments: Any) -> Any:
        done, *others = loop(*arguments)
        return (given(tf, np.array([bool(done)] * 2)), *others)

    return run


@corner("dropped", "doubled", "swapped")
def a_state_that_the_loop_changes(tf: Any, how: str) -> Any:
    cell, v1 = lstm(tf), tf.compat.v1
    x = given(tf, X)

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        t = int(time)
        if output is None or how == "dropped":
            state = cell.zero_state(2, float32(tf))
        elif how == "doubled":
            state = type(state)(2.0 * state.c, state.h)
        else:
            state = type(state)(state.c, -state.h)
        return t >= 3, x[:, min(t, 2)], state, output, None

    arrays, final, _ = v1.nn.raw_rnn(cell, wrapped(tf, loop))
    return [arrays.stack(), named(final)]


@corner("wrong structure", "no state", "no tuple", "four parts", "other structure later")
def what_raw_rnn_refuses(tf: Any, what: str) -> Any:
    cell, v1 = gru(tf), tf.compat.v1
    x = given(tf, X[:, 0])

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        done = given(tf, np.array([int(time) >= 2] * 2))
        first = output is None
        state = cell.zero_state(2, float32(tf)) if first else state
        if what == "wrong structure":
            return done, x, (state, state), None, None
        if what == "no state":
            return done, x, None, None, None
        if what == "no tuple":
            return done
        if what == "four parts":
            return done, x, state, output
        return done, x, state, (None if first else (output, output)), None

    return error_of(lambda: v1.nn.raw_rnn(cell, loop)) != "none"


@corner()
def raw_rnn_that_ends_at_once(tf: Any) -> Any:
    cell, v1 = gru(tf), tf.compat.v1
    x = given(tf, X[:, 0])

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        return given(tf, np.array([True, True])), x, given(tf, STATE), None, None

    _, final, _ = v1.nn.raw_rnn(cell, loop)
    return final


@corner()
def raw_rnn_is_dynamic_rnn(tf: Any) -> Any:
    cell, v1 = lstm(tf), tf.compat.v1
    lengths = given(tf, np.array([1, 3], "int32"))

    def run(x: Any) -> Any:
        def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
            state = cell.zero_state(2, float32(tf)) if output is None else state
            return time >= lengths, x[:, min(int(time), 2)], state, output, None

        arrays, final, _ = v1.nn.raw_rnn(cell, loop)
        y, state = v1.nn.dynamic_rnn(cell, x, sequence_length=[1, 3], dtype=float32(tf), time_major=False)
        return [arrays.stack(), named(final), y, named(state)]

    return with_gradients(tf, run, X)


@corner()
def what_the_loop_function_is_given(tf: Any) -> Any:
    cell, v1, seen = gru(tf), tf.compat.v1, []
    x = given(tf, X[:, 0])

    def loop(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
        seen.append([int(time), output is None, state is None])
        state = cell.zero_state(2, float32(tf)) if output is None else state
        return given(tf, np.array([int(time) >= 2] * 2)), x, state, output, None if output is None else 4

    v1.nn.raw_rnn(cell, loop)
    return seen
