"""Variables by name: scopes in scopes, sharing, and what a scope hands to its variables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.variables import VariableError
from minigrad.errors import ShapeError


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
    with pytest.raises(VariableError, match=r"Variable w already exists, disallowed\. Did you mean to set reuse=True"):
        v1.get_variable("w", [2])


@pytest.mark.parametrize("reuse", [True, v1.AUTO_REUSE])
def test_with_reuse_it_is_the_same_variable(reuse: Any) -> None:
    with v1.variable_scope("a"):
        w = v1.get_variable("w", [2])
    with v1.variable_scope("a", reuse=reuse):
        assert v1.get_variable("w", [2]) is w
        assert v1.get_variable("w") is w
        with pytest.raises(ShapeError, match=r"expected a/w of shape \(3,\), but it exists with \(2,\)"):
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
    with pytest.raises(ShapeError, match="the shape of the new variable w is missing"):
        v1.get_variable("w")


# --- what a scope hands on --------------------------------------------------------------------------------------------


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
