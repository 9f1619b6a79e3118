"""Variables by name: nested scopes, sharing, and the defaults that a scope gives its variables."""

from __future__ import annotations

import contextvars
import re
import threading
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from answered import Wrong, assert_answered
from layer_errors import EXISTING_SHAPE, EXISTS, REUSE, WHOLE_SHAPE
from minigrad.compat import v1
from minigrad.compat.v1.variables import VariableError
from minigrad.engine.errors import DTypeError, ShapeError


def names() -> list[str]:
    return [w.name for w in v1.global_variables()]


# --- names ------------------------------------------------------------------------------------------------------------


def test_a_name_is_that_of_the_scopes_and_its_own() -> None:
    v1.get_variable("w", [2])
    with v1.variable_scope("a") as a, v1.variable_scope("b") as b:
        v1.get_variable("w", [2])
    assert (a.name, b.name, v1.get_variable_scope().name) == ("a", "a/b", "")
    assert names() == ["w:0", "a/b/w:0"]


def test_a_scope_can_be_entered_again_from_anywhere() -> None:
    with v1.variable_scope("a") as a:
        v1.get_variable("one", [2])
    with v1.variable_scope("other"), v1.variable_scope(a):
        v1.get_variable("two", [2])
    assert names() == ["a/one:0", "a/two:0"]


def test_a_default_name_is_made_unique_where_it_is_used() -> None:
    found = []
    for _ in range(3):
        with v1.variable_scope(None, default_name="cell") as scope:
            found.append(scope.name)
    with v1.variable_scope("a"):
        for _ in range(2):
            with v1.variable_scope(None, default_name="cell") as scope:
                found.append(scope.name)
    assert found == ["cell", "cell_1", "cell_2", "a/cell", "a/cell_1"]
    with v1.variable_scope("a"), v1.variable_scope(None, default_name="cell") as scope:  # entered again: from the start
        assert scope.name == "a/cell"


def test_the_scope_is_left_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), v1.variable_scope("a"):
        _ = 1 / 0
    assert v1.get_variable_scope().name == ""


# --- sharing ----------------------------------------------------------------------------------------------------------


def test_the_same_name_twice_is_an_error_without_reuse() -> None:
    v1.get_variable("w", [2])
    with pytest.raises(VariableError, match=f"Variable w {re.escape(EXISTS)}"):
        v1.get_variable("w", [2])


@pytest.mark.parametrize("reuse", [True, v1.AUTO_REUSE])
def test_with_reuse_it_is_the_same_variable(reuse: Any) -> None:
    with v1.variable_scope("a"):
        w = v1.get_variable("w", [2])
    with v1.variable_scope("a", reuse=reuse):
        assert v1.get_variable("w", [2]) is w
        assert v1.get_variable("w") is w
        with pytest.raises(ShapeError, match=rf"'a/w'\): {EXISTING_SHAPE}\(2,\), got \(3,\)"):
            v1.get_variable("w", [3])
    assert len(v1.global_variables()) == 1


def test_reuse_holds_for_the_scopes_inside() -> None:
    with v1.variable_scope("a"), v1.variable_scope("b"):
        w = v1.get_variable("w", [2])
    with (
        v1.variable_scope("a", reuse=True),
        v1.variable_scope("b", reuse=False),
    ):  # as in TensorFlow: it cannot be undone
        assert v1.get_variable("w") is w


def test_reuse_without_a_first_use() -> None:
    with v1.variable_scope("a", reuse=True), pytest.raises(VariableError, match="Variable a/w does not exist"):
        v1.get_variable("w", [2])
    with v1.variable_scope("a", reuse=v1.AUTO_REUSE):
        assert v1.get_variable("w", [2]) is v1.get_variable("w", [2])


def test_from_here_on() -> None:
    with v1.variable_scope("a") as scope:
        w = v1.get_variable("w", [2])
        assert not scope.reuse
        scope.reuse_variables()
        assert v1.get_variable("w") is w
    with v1.variable_scope("a") as scope:
        assert not scope.reuse


def test_a_new_variable_needs_a_shape() -> None:
    with pytest.raises(ShapeError, match="expected the `shape` of a new variable, got None"):
        v1.get_variable("w")


# --- defaults of a scope ----------------------------------------------------------------------------------------------


def test_what_a_scope_says_of_its_variables() -> None:
    how = {"initializer": "ones", "regularizer": mg.keras.regularizers.L2(0.5), "dtype": "float64"}
    with v1.variable_scope("a", **how), v1.variable_scope("b"):
        w = v1.get_variable("w", [2])
        own = v1.get_variable("own", [2], "float32", "zeros", mg.keras.regularizers.L2(0.25))
    assert (w.dtype.name, w.numpy().tolist(), float(w.regularizer(w).numpy())) == ("float64", [1.0, 1.0], 1.0)
    assert (own.dtype.name, own.numpy().tolist()) == ("float32", [0.0, 0.0])
    assert float(own.regularizer(w).numpy()) == 0.5
    with v1.variable_scope("c", initializer="zeros"):
        cell = v1.nn.rnn_cell.BasicRNNCell(2)
        v1.nn.dynamic_rnn(cell, np.ones((1, 2, 3), "float32"), dtype="float32")
    assert not cell.kernel.numpy().any()


def test_lists_of_variables() -> None:
    with v1.variable_scope("a"):
        w = v1.get_variable("w", [2])
        frozen = v1.get_variable("frozen", [2], trainable=False)
    b = v1.get_variable("b", [2])
    assert v1.global_variables() == [w, frozen, b]
    assert v1.global_variables("a/") == [w, frozen]
    assert v1.trainable_variables() == [w, b]
    assert v1.trainable_variables("a") == [w]


def test_a_reset_forgets_variables_scopes_and_names() -> None:
    with v1.variable_scope(None, default_name="cell"):
        w = v1.get_variable("w", [2])
    v1.reset_default_graph()
    assert v1.global_variables() == []
    with v1.variable_scope(None, default_name="cell") as scope:
        assert scope.name == "cell"
        assert v1.get_variable("w", [2]) is not w


# --- initializers that are constants ----------------------------------------------------------------------------------

CONSTANTS: list[Any] = [0.0, 0, False, 2.5, [1.0, 2.0, 3.0], np.ones(3), np.float32(0.0), mg.tensor([0.0, 0.0, 0.0])]


@pytest.mark.parametrize("value", CONSTANTS, ids=repr)
def test_a_constant_says_the_shape_itself(value: Any) -> None:
    w = v1.get_variable("w", initializer=value)
    np.testing.assert_array_equal(w.numpy(), np.asarray(value))
    with v1.variable_scope("a", initializer=value):
        np.testing.assert_array_equal(v1.get_variable("w").numpy(), np.asarray(value))
        with v1.variable_scope("b"), pytest.raises(VariableError, match="the initializer is a constant"):
            v1.get_variable("w", [3])
    with pytest.raises(ValueError, match=r"get_variable\('v'\): the initializer is a constant, .* got \(3,\)"):
        v1.get_variable("v", [3], initializer=value)
    assert names() == ["w:0", "a/w:0"]


def test_the_dtype_of_a_constant() -> None:
    found = [
        v1.get_variable("a", initializer=np.ones(3)),
        v1.get_variable("b", initializer=1.0),
        v1.get_variable("c", initializer=1.0, dtype="float64"),
    ]
    assert [w.dtype.name for w in found] == ["float64", "float32", "float64"]
    with pytest.raises(DTypeError, match="expected an initializer of float32, got one of float64"):
        v1.get_variable("d", initializer=np.ones(3), dtype="float32")


def test_a_shape_of_one_number() -> None:
    assert v1.get_variable("w", 3).shape == (3,)
    with v1.variable_scope("", reuse=True):
        assert v1.get_variable("w", 3).shape == (3,)
    assert v1.get_variable("scalar", []).shape == ()


BAD: dict[str, Wrong] = {
    "no name": (
        lambda: v1.get_variable("", [2]),
        VariableError,
        "get_variable: expected a name, got ''. Pass a text such as 'kernel'.",
    ),
    "a number for a name": (
        lambda: v1.get_variable(3, [2]),
        VariableError,
        "get_variable: expected a name, got 3. Pass a text such as 'kernel'.",
    ),
    "no size": (
        lambda: v1.get_variable("a", [2, "b"]),
        ShapeError,
        f"get_variable('a'): {WHOLE_SHAPE} [2, 'b'].",
    ),
    "a getter": (
        lambda: v1.get_variable("a", [2], custom_getter=print),
        VariableError,
        "get_variable: custom_getter is not supported. Change the variable that get_variable returns.",
    ),
    "reuse of a word": (
        lambda: v1.variable_scope("a", reuse="x"),
        VariableError,
        f"variable_scope: `reuse`: {REUSE}'x'.",
    ),
    "half a pattern": (
        lambda: v1.global_variables("a("),
        VariableError,
        "global_variables: `scope`: 'a(' is not a valid pattern: missing ), unterminated subpattern at position 1.",
    ),
    "a scope for a pattern": (
        lambda: v1.trainable_variables(3),
        VariableError,
        "global_variables: expected `scope`, a regular expression, got 3. Try scope.name.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name: str) -> None:
    assert_answered(BAD[name])


def test_what_speaks_of_a_graph_is_without_effect() -> None:
    how = {"use_resource": True, "caching_device": "/cpu:0", "partitioner": None}
    with v1.variable_scope("a", auxiliary_name_scope=False, **how):
        plain = v1.get_variable("w", [2], initializer="ones", collections=["mine"], validate_shape=False, **how)
    assert (plain.name, plain.numpy().tolist()) == ("a/w:0", [1.0, 1.0])
    with v1.variable_scope("a", None, None, "ones", None, None, None, None, True):  # TensorFlow's ninth
        assert v1.get_variable("w") is plain


def test_variables_are_found_by_a_pattern() -> None:
    """Variables by regular expression, as in TensorFlow."""
    for scope in ("ab", "xab"):
        with v1.variable_scope(scope):
            v1.get_variable("w", [2])
    found = {p: [w.name for w in v1.global_variables(p)] for p in ("ab", ".*ab", "a.", "^ab", "b", "ab/$")}
    assert found == {
        "ab": ["ab/w:0"], ".*ab": ["ab/w:0", "xab/w:0"], "a.": ["ab/w:0"], "^ab": ["ab/w:0"], "b": [], "ab/$": []
    }  # fmt: skip
    assert [w.name for w in v1.trainable_variables("x?ab")] == ["ab/w:0", "xab/w:0"]


def reused_then_reset(flow: Any) -> list[Any]:
    """`reuse` of the outermost scope in a flow of control, before and after a reset in another."""
    found, reusing, reset = [], threading.Event(), threading.Event()

    def run() -> None:
        v1.get_variable_scope().reuse_variables()
        found.append(v1.get_variable_scope().reuse)
        reusing.set()
        reset.wait(10)
        found.append(v1.get_variable_scope().reuse)
        found.append(v1.get_variable("w", [2]).name)

    thread = threading.Thread(target=flow, args=(run,))
    thread.start()
    reusing.wait(10)
    v1.reset_default_graph()
    reset.set()
    thread.join()
    return found


def run_inside_a_scope(run: Any) -> None:
    with v1.variable_scope("a", reuse=True):
        run()


@pytest.mark.parametrize("flow", [lambda run: run(), contextvars.Context().run, run_inside_a_scope])
def test_a_reset_ends_the_reuse_of_all_flows(flow: Any) -> None:
    assert reused_then_reset(flow) == [True, False, "w:0"]


def test_a_reset_in_a_copied_context_ends_the_reuse_outside() -> None:
    v1.get_variable_scope().reuse_variables()
    contextvars.copy_context().run(v1.reset_default_graph)  # as a cell of a notebook runs
    assert v1.get_variable_scope().reuse is False
