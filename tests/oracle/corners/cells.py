"""First-generation cells: odd arguments, stacks in stacks, wrappers around wrappers."""

from __future__ import annotations

from typing import Any

import numpy as np

from oracle.corners import X, corner, error_of, fill, float32, given, is_ours, named, with_gradients

STATE = np.linspace(-1, 1, 4).reshape(2, 2).astype("float32")


def cells_of(tf: Any) -> Any:
    return tf.compat.v1.nn.rnn_cell


def made(tf: Any, name: str) -> Any:
    c = cells_of(tf)
    return {
        "basic": lambda: c.BasicRNNCell(2),
        "relu": lambda: c.BasicRNNCell(2, activation="relu"),
        "gru": lambda: c.GRUCell(2),
        "gru relu": lambda: c.GRUCell(2, activation="relu"),
        "basic lstm": lambda: c.BasicLSTMCell(2),
        "basic lstm forget 0": lambda: c.BasicLSTMCell(2, forget_bias=0.0),
        "basic lstm sigmoid": lambda: c.BasicLSTMCell(2, activation="sigmoid"),
        "lstm": lambda: c.LSTMCell(2),
        "lstm concatenated": lambda: c.LSTMCell(2, state_is_tuple=False),
        "lstm negative forget": lambda: c.LSTMCell(2, forget_bias=-1.0),
        "lstm peepholes": lambda: c.LSTMCell(2, use_peepholes=True),
        "lstm projection": lambda: c.LSTMCell(3, num_proj=2),
        "lstm everything": lambda: c.LSTMCell(
            3, use_peepholes=True, num_proj=2, cell_clip=0.3, proj_clip=0.2, forget_bias=0.5, activation="softsign"
        ),
        "residual": lambda: c.ResidualWrapper(c.GRUCell(4)),
        "residual of residual": lambda: c.ResidualWrapper(c.ResidualWrapper(c.BasicRNNCell(4))),
        "residual function": lambda: c.ResidualWrapper(c.GRUCell(2), residual_fn=lambda x, y: y - x[:, :2]),
        "dropout of ones": lambda: c.DropoutWrapper(c.LSTMCell(2), 1.0, 1.0, 1.0),
        "device": lambda: c.DeviceWrapper(c.GRUCell(2), "/cpu:0"),
        "stack": lambda: c.MultiRNNCell([c.GRUCell(3), c.LSTMCell(2)]),
        "stack of stacks": lambda: c.MultiRNNCell(
            [c.MultiRNNCell([c.GRUCell(3), c.LSTMCell(2)]), c.MultiRNNCell([c.BasicRNNCell(2)])]
        ),
        "stack of wrappers": lambda: c.MultiRNNCell(
            [c.DropoutWrapper(c.LSTMCell(4), 1.0), c.ResidualWrapper(c.GRUCell(4))]
        ),
        "stack concatenated": lambda: c.MultiRNNCell(
            [c.GRUCell(3), c.LSTMCell(2, state_is_tuple=False)], state_is_tuple=False
        ),
        "wrapper of a stack": lambda: c.ResidualWrapper(c.MultiRNNCell([c.GRUCell(3), c.BasicRNNCell(4)])),
        "one in a stack": lambda: c.MultiRNNCell([c.BasicLSTMCell(2)]),
    }[name]()  # type: ignore[no-untyped-call]


ALL = (
    "basic", "relu", "gru", "gru relu", "basic lstm", "basic lstm forget 0", "basic lstm sigmoid", "lstm",
    "lstm concatenated", "lstm negative forget", "lstm peepholes", "lstm projection", "lstm everything", "residual",
    "residual of residual", "residual function", "dropout of ones", "device", "stack", "stack of stacks",
    "stack of wrappers", "stack concatenated", "wrapper of a stack", "one in a stack",
)  # fmt: skip


@corner(*ALL)
def two_steps(tf: Any, name: str) -> Any:
    """A cell called twice, its sizes and its state."""
    cell = made(tf, name)
    start = cell.zero_state(2, float32(tf))
    cell(given(tf, X[:, 0]), start)
    fill(cell)

    def run(x: Any, z: Any) -> Any:
        y, state = cell(x, start)
        y_again, state = cell(z, state)
        return [y, y_again, named(state)]

    sizes = named(cell.state_size), cell.output_size
    return [*sizes, with_gradients(tf, run, X[:, 0], X[:, 1])]


@corner(*ALL)
def over_a_sequence(tf: Any, name: str) -> Any:
    """dynamic_rnn with rows of several lengths, then the same by static_rnn."""
    cell, v1 = made(tf, name), tf.compat.v1
    v1.nn.dynamic_rnn(cell, given(tf, X), dtype=float32(tf), scope="made")
    fill(cell)

    def dynamic(x: Any) -> Any:
        y, state = v1.nn.dynamic_rnn(cell, x, sequence_length=[1, 3], dtype=float32(tf))
        return [y, named(state)]

    def static(x: Any) -> Any:
        y, state = v1.nn.static_rnn(cell, [x[:, 0], x[:, 1], x[:, 2]], sequence_length=[0, 2], dtype=float32(tf))
        return [y, named(state)]

    return [with_gradients(tf, dynamic, X), with_gradients(tf, static, X)]


@corner()
def a_cell_twice_in_a_stack(tf: Any) -> Any:
    """Two layers with the same weights."""
    c = cells_of(tf)
    one = c.BasicRNNCell(4)
    stack = c.MultiRNNCell([one, one])
    stack(given(tf, X[:, 0]), stack.zero_state(2, float32(tf)))
    fill(one)
    y, _ = stack(given(tf, X[:, 0]), stack.zero_state(2, float32(tf)))
    return [y, len({id(w) for w in stack.trainable_weights})]


@corner()
def what_is_refused(tf: Any) -> Any:
    """Constructors and calls that raise."""
    c, x = cells_of(tf), given(tf, X)
    gru = c.GRUCell(2)
    return [
        error_of(lambda: c.MultiRNNCell([])),
        error_of(lambda: c.MultiRNNCell(c.GRUCell(2))),
        error_of(lambda: c.MultiRNNCell([c.LSTMCell(2)], state_is_tuple=False)),
        error_of(lambda: c.DropoutWrapper(gru, 1.5)),
        error_of(lambda: c.DropoutWrapper(gru, -0.1)),
        error_of(lambda: c.DropoutWrapper(gru, output_keep_prob=1.01)),
        error_of(lambda: c.DropoutWrapper(gru, state_keep_prob=-1)),
        error_of(lambda: c.DropoutWrapper("cell")),
        error_of(lambda: c.DropoutWrapper(gru, 0.5, variational_recurrent=True)),
        error_of(lambda: c.DropoutWrapper(gru, 0.5, variational_recurrent=True, dtype=float32(tf))),
        error_of(lambda: c.DropoutWrapper(gru, 0.5, variational_recurrent=True, input_size=4, dtype=float32(tf))),
        error_of(lambda: c.DropoutWrapper(gru, dropout_state_filter_visitor=3)),
        error_of(lambda: gru(x, given(tf, STATE))),
        error_of(lambda: c.ResidualWrapper(c.GRUCell(2))(x[:, 0], given(tf, STATE))),
        error_of(lambda: c.MultiRNNCell([gru])(x[:, 0], given(tf, STATE))),
        error_of(lambda: c.GRUCell(2).build((None, None))),
        error_of(lambda: c.LSTMCell(2).build((2, None))),
        error_of(lambda: c.BasicRNNCell(2).build((2, None))),
        error_of(lambda: c.BasicRNNCell(2, activation="no such")),
    ]


@corner()
def a_state_as_a_list(tf: Any) -> Any:
    """A list for the tuple of a MultiRNNCell."""
    c = cells_of(tf)
    stack = c.MultiRNNCell([c.GRUCell(2), c.BasicRNNCell(2)])
    state = [given(tf, STATE), given(tf, STATE)]
    stack(given(tf, X[:, 0]), state)
    fill(stack)
    y, new = stack(given(tf, X[:, 0]), state)
    return [y, list(new), type(new).__name__]


@corner("names", "repr", "fields", "replace", "unpacked", "equal")
def an_lstm_state(tf: Any, what: str) -> Any:
    state = cells_of(tf).LSTMStateTuple(given(tf, STATE), given(tf, 2 * STATE))
    c, h = state
    return {
        "names": lambda: [state.c, state.h, state[0], state[-1]],
        "repr": lambda: type(state).__name__,
        "fields": lambda: list(state._fields),
        "replace": lambda: list(state._replace(c=state.h)),
        "unpacked": lambda: [c, h, len(state)],
        "equal": lambda: cells_of(tf).LSTMStateTuple(1, 2) == (1, 2),
    }[what]()  # type: ignore[no-untyped-call]


@corner()
def the_dtype_of_an_lstm_state(tf: Any) -> Any:
    pair = cells_of(tf).LSTMStateTuple
    mixed = pair(given(tf, STATE), given(tf, STATE.astype("float64")))
    same = pair(given(tf, STATE), given(tf, STATE))
    return [str(getattr(same.dtype, "name", same.dtype)), error_of(lambda: mixed.dtype)]


@corner()
def the_filter_of_dropped_states(tf: Any) -> Any:
    """Without a visitor c of an LSTM state keeps its numbers; with one, it says which."""
    c = cells_of(tf)
    ones = np.ones((2, 2), "float32")
    state = c.LSTMStateTuple(given(tf, ones), given(tf, ones))
    seen = []

    def visitor(substate: Any) -> Any:
        seen.append(type(substate).__name__)
        return not isinstance(substate, c.LSTMStateTuple) and False

    cell = c.LSTMCell(2)
    wrapper = c.DropoutWrapper(cell, state_keep_prob=1e-9, seed=3)
    wrapper(given(tf, X[:, 0]), state)
    fill(cell)
    _, kept = cell(given(tf, X[:, 0]), state)
    _, dropped = wrapper(given(tf, X[:, 0]), state)
    _, visited = c.DropoutWrapper(cell, state_keep_prob=1e-9, dropout_state_filter_visitor=visitor)(
        given(tf, X[:, 0]), state
    )
    return [kept.c, dropped.c, dropped.h, list(visited), seen[:1]]


@corner()
def keep_probabilities_as_tensors(tf: Any) -> Any:
    """Tensors of 1."""
    c = cells_of(tf)
    cell = c.GRUCell(2)
    one = given(tf, np.array(1.0, "float32"))
    wrapper = c.DropoutWrapper(cell, one, one, one)
    wrapper(given(tf, X[:, 0]), given(tf, STATE))
    fill(cell)
    return [*wrapper(given(tf, X[:, 0]), given(tf, STATE))]


@corner()
def a_cell_of_ones_own(tf: Any) -> Any:
    """A cell with variables made in `call`, by get_variable."""
    v1 = tf.compat.v1

    class Own(v1.nn.rnn_cell.RNNCell):  # type: ignore[misc]
        state_size = property(lambda self: 2)
        output_size = property(lambda self: 2)

        def build(self, shape: Any) -> None:
            self.w = self.add_weight("w", (int(shape[-1]), 2))
            self.built = True

        def call(self, inputs: Any, state: Any) -> Any:
            new = state * 0.5 + (inputs @ self.w)
            return new, new

    cell = Own()
    cell(given(tf, X[:, 0]), given(tf, STATE))
    fill(cell)
    stacked = v1.nn.rnn_cell.MultiRNNCell([cell])
    return [
        *cell(given(tf, X[:, 0]), given(tf, STATE)),
        with_gradients(tf, lambda x: [v1.nn.dynamic_rnn(cell, x, dtype=float32(tf))[0]], X),
        stacked(given(tf, X[:, 0]), (given(tf, STATE),))[0],
    ]


@corner("basic", "gru", "lstm", "lstm everything", "basic lstm sigmoid")
def a_copy_from_the_configuration(tf: Any, name: str) -> Any:
    cell = made(tf, name)
    config = cell.get_config()
    again = type(cell).from_config(config)
    known = {key: value for key, value in config.items() if isinstance(value, (int, float, str)) or value is None}
    known.pop("name")
    known.pop("dtype", None)
    return [named(again.state_size), again.output_size, sorted(known.items()) if is_ours(tf) or True else 0]


@corner("float64", "float32")
def the_dtype_of_a_cell(tf: Any, dtype: str) -> Any:
    """Weights and outputs have the dtype of the cell, or of the first inputs."""
    c = cells_of(tf)
    x, state = X[:, 0].astype(dtype), STATE.astype(dtype)
    early, late = c.BasicRNNCell(2, dtype=dtype), c.BasicRNNCell(2)
    found = []
    for cell in (early, late):
        y, _ = cell(given(tf, x), given(tf, state))
        found += [str(getattr(w.dtype, "name", w.dtype)) for w in cell.weights] + [str(y.numpy().dtype)]
    return found
