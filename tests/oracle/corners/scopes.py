"""Variable scopes of the first generation: names, sharing, and what is refused.

TensorFlow runs these in a graph, where variables are shared by their names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from oracle.corners import X, corner, error_of, float32, given, is_ours


def in_graph(tf: Any, run: Callable[[], Any]) -> Any:
    """Return the result of `run`: names and shapes, no numbers."""
    if is_ours(tf):
        return run()
    with tf.Graph().as_default():
        return run()


def variables(tf: Any) -> list[Any]:
    """Names without the scope of a device, and shapes."""
    return [[v.name, [int(n) for n in v.shape]] for v in tf.compat.v1.trainable_variables()]


def cell_of(tf: Any, name: str) -> Any:
    c = tf.compat.v1.nn.rnn_cell
    return {
        "basic": lambda: c.BasicRNNCell(2),
        "gru": lambda: c.GRUCell(2),
        "basic lstm": lambda: c.BasicLSTMCell(2),
        "lstm": lambda: c.LSTMCell(2, use_peepholes=True, num_proj=3),
        "named": lambda: c.LSTMCell(2, name="mine"),
        "stack": lambda: c.MultiRNNCell([c.GRUCell(2), c.LSTMCell(2), c.GRUCell(3)]),
        "stack of stacks": lambda: c.MultiRNNCell([c.MultiRNNCell([c.GRUCell(2)]), c.BasicRNNCell(2)]),
        "dropout": lambda: c.DropoutWrapper(c.LSTMCell(2), 1.0),
        "residual": lambda: c.ResidualWrapper(c.GRUCell(4)),
        "device": lambda: c.DeviceWrapper(c.BasicRNNCell(2), "/cpu:0"),
        "stack of wrappers": lambda: c.MultiRNNCell([c.DropoutWrapper(c.GRUCell(2)), c.DropoutWrapper(c.GRUCell(2))]),
        "wrapper of a stack": lambda: c.DropoutWrapper(c.MultiRNNCell([c.GRUCell(2), c.GRUCell(2)])),
    }[name]()  # type: ignore[no-untyped-call]


CELLS = (
    "basic", "gru", "basic lstm", "lstm", "named", "stack", "stack of stacks", "dropout", "residual", "device",
    "stack of wrappers", "wrapper of a stack",
)  # fmt: skip


@corner(*CELLS)
def names_of_variables(tf: Any, name: str) -> Any:
    """In dynamic_rnn, static_rnn and both directions, one after the other."""
    nn = tf.compat.v1.nn

    def run() -> Any:
        x = given(tf, X)
        nn.dynamic_rnn(cell_of(tf, name), x, dtype=float32(tf))
        nn.static_rnn(cell_of(tf, name), [x[:, 0], x[:, 1]], dtype=float32(tf), scope="steps")
        nn.bidirectional_dynamic_rnn(cell_of(tf, name), cell_of(tf, name), x, dtype=float32(tf))
        nn.static_bidirectional_rnn(cell_of(tf, name), cell_of(tf, name), [x[:, 0]], dtype=float32(tf), scope="b")
        return variables(tf)

    return in_graph(tf, run)


@corner(*CELLS)
def names_of_a_call(tf: Any, name: str) -> Any:
    """A cell called alone, in a scope, and with a given scope."""
    v1 = tf.compat.v1

    def run() -> Any:
        x = given(tf, X[:, 0])

        def call(*scope: Any) -> None:
            cell = cell_of(tf, name)
            cell(x, cell.zero_state(2, float32(tf)), *scope)

        call()
        with v1.variable_scope("outer"):
            call()
            with v1.variable_scope("inner"):
                call()
        if name not in ("dropout", "residual", "device", "wrapper of a stack"):
            call("given")
        return variables(tf)

    return in_graph(tf, run)


@corner("dynamic_rnn", "static_rnn")
def two_loops_without_a_scope(tf: Any, loop: str) -> Any:
    """A second cell in the scope of the first."""
    nn = tf.compat.v1.nn

    def run() -> Any:
        x = given(tf, X)
        inputs = x if loop == "dynamic_rnn" else [x[:, 0]]

        def once() -> None:
            getattr(nn, loop)(tf.compat.v1.nn.rnn_cell.GRUCell(2), inputs, dtype=float32(tf))

        return [error_of(once), error_of(once), variables(tf)]

    return in_graph(tf, run)


@corner("reuse", "auto", "reuse_variables", "reuse of the cell", "second time", "one cell", "scope object")
def sharing(tf: Any, how: str) -> Any:
    """Two calls that share their variables, or may not."""
    v1 = tf.compat.v1
    c = v1.nn.rnn_cell

    def loop(cell: Any) -> Any:
        return v1.nn.dynamic_rnn(cell, given(tf, X), dtype=float32(tf))

    def run() -> Any:
        error = "none"
        if how == "one cell":
            cell = c.LSTMCell(2)
            loop(cell)
            error = error_of(lambda: loop(cell))
        elif how == "reuse_variables":
            with v1.variable_scope("s") as scope:
                loop(c.LSTMCell(2))
                scope.reuse_variables()
                error = error_of(lambda: loop(c.LSTMCell(2)))
        elif how == "scope object":
            with v1.variable_scope("s") as scope:
                loop(c.LSTMCell(2))
            with v1.variable_scope(scope, reuse=True):
                error = error_of(lambda: loop(c.LSTMCell(2)))
        else:
            for second in (False, True):
                reuse = {"reuse": second, "auto": v1.AUTO_REUSE}.get(how)
                own = {"reuse": True} if how == "reuse of the cell" and second else {}
                with v1.variable_scope("s", reuse=reuse):
                    error = error_of(lambda own=own: loop(c.LSTMCell(2, **own)))
        return [variables(tf), error]

    return in_graph(tf, run)


@corner("True before", "another size", "another name", "nested reuse", "get after", "get before")
def refusals(tf: Any, how: str) -> Any:
    v1 = tf.compat.v1
    c = v1.nn.rnn_cell

    def loop(units: int, **options: Any) -> Any:
        return v1.nn.dynamic_rnn(c.BasicRNNCell(units, **options), given(tf, X), dtype=float32(tf))

    def run() -> Any:
        if how == "True before":
            with v1.variable_scope("s", reuse=True):
                return error_of(lambda: loop(2))
        if how == "another size":
            with v1.variable_scope("s"):
                loop(2)
            with v1.variable_scope("s", reuse=True):
                return error_of(lambda: loop(3))
        if how == "another name":
            with v1.variable_scope("s"):
                loop(2, name="a")
            with v1.variable_scope("s", reuse=True):
                return error_of(lambda: loop(2, name="b"))
        if how == "nested reuse":
            with v1.variable_scope("s"):
                loop(2)
            with v1.variable_scope("s", reuse=True), v1.variable_scope("rnn", reuse=False):
                return error_of(lambda: v1.get_variable("basic_rnn_cell/kernel", [6, 2]))
        if how == "get after":
            v1.get_variable("w", [2])
            return error_of(lambda: v1.get_variable("w", [2]))
        return error_of(lambda: use(v1))

    def use(v1: Any) -> None:
        with v1.variable_scope("s", reuse=True):
            v1.get_variable("w", [2])

    return in_graph(tf, run)


@corner("initializer", "nested", "of the cell")
def what_cells_take_from_a_scope(tf: Any, what: str) -> Any:
    """Kernels from the initializer of a scope."""
    v1 = tf.compat.v1
    constant = tf.keras.initializers.Constant if is_ours(tf) else v1.constant_initializer
    ones, halves = constant(1.0), constant(0.5)

    def run() -> Any:
        with v1.variable_scope("s", initializer=ones):
            if what == "nested":
                with v1.variable_scope("t", initializer=halves):
                    return call()
            return call(**({"kernel_initializer": halves} if what == "of the cell" else {}))

    def call(**options: Any) -> Any:
        cell = v1.nn.rnn_cell.GRUCell(2, **options)
        cell(given(tf, X[:, 0]), cell.zero_state(2, float32(tf)))
        return [w.numpy() for w in cell.weights]

    return run()


@corner()
def get_variables(tf: Any) -> Any:
    v1 = tf.compat.v1

    def run() -> Any:
        with v1.variable_scope("a") as a:
            v1.get_variable("w", [2, 3])
            with v1.variable_scope("b"):
                v1.get_variable("w", shape=(3,), trainable=False)
            v1.get_variable("u", initializer=np.ones((2, 2), "float32")) if is_ours(tf) else v1.get_variable(
                "u", initializer=given(tf, np.ones((2, 2), "float32"))
            )
        with v1.variable_scope(None, default_name="a"):
            v1.get_variable("w", [1])
        with v1.variable_scope(None, default_name="a"):
            v1.get_variable("w", [1])
        with v1.variable_scope(a, reuse=True):
            again = v1.get_variable("w", [2, 3])
        with v1.variable_scope(v1.get_variable_scope(), reuse=v1.AUTO_REUSE):
            v1.get_variable("z", [1])
            v1.get_variable("z", [1])
        names = [v.name for v in v1.global_variables()]
        return [variables(tf), names, again.name, a.name, v1.get_variable_scope().name]

    return in_graph(tf, run)
