"""Graphs of TensorFlow 1: messages, the switch between recording and running, options, and closures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg

V1 = mg.compat.v1


@pytest.fixture(autouse=True)
def session() -> Iterator[Any]:
    with V1.Graph().as_default(), V1.Session() as session:
        yield session


def test_a_placeholder_without_numbers_is_named(session: Any) -> None:
    x = V1.placeholder("float", [None, 2], name="features")
    with pytest.raises(ValueError, match=r"'features', \(None, 2\) of float32, got none. Write feed_dict"):
        session.run(x * 2.0)


def test_numbers_of_another_shape_are_refused(session: Any) -> None:
    x = V1.placeholder("float", [None, 2], name="features")
    with pytest.raises(ValueError, match=r"'features': expected numbers of shape \(None, 2\), got \(3, 4\)"):
        session.run(x, {x: np.zeros((3, 4))})


def test_a_fetch_of_another_graph_is_refused(session: Any) -> None:
    with V1.Graph().as_default():
        other = V1.constant(1.0, name="other")
    with pytest.raises(ValueError, match=r"'other' of another one\. Make the session with Session"):
        session.run(other)
    with pytest.raises(ValueError, match="as keys of `feed_dict`"):
        session.run(V1.constant(1.0), {other: 2.0})
    with pytest.raises(TypeError, match="expected tensors, operations and variables"):
        session.run(3)


def test_a_shape_that_cannot_fit_is_found_when_the_graph_is_made() -> None:
    x = V1.placeholder("float", [None, 3], name="x")
    with pytest.raises(ValueError, match=r"matmul: .*x \(None, 3\)"):
        V1.matmul(x, V1.ones([4, 2]))


@pytest.mark.parametrize("use", [bool, float, int, len, list, np.asarray, np.sum, lambda y: y.numpy()])
def test_a_symbol_has_no_numbers(use: Any) -> None:
    y = V1.placeholder("float", [None], name="x") * 2.0
    with pytest.raises(TypeError, match=r"mul.*session.run\(mul, feed_dict\)"):
        use(y)


def test_no_default_session() -> None:
    x = mg.compat.v1.constant(1.0)
    before = V1.get_default_session()
    before.close()
    with pytest.raises(TypeError, match="expected a default session, got none"):
        x.eval()


def test_a_name_that_the_graph_does_not_have(session: Any) -> None:
    with pytest.raises(KeyError, match="no tensor named 'nothing:0'"):
        session.run("nothing:0")


def test_outside_graphs_calls_run_at_once(session: Any) -> None:
    assert not V1.executing_eagerly()
    V1.reset_default_graph()  # the outermost one; this block's stays
    assert not V1.executing_eagerly()


def test_gradients_of_layers_with_weights_inside(session: Any) -> None:
    """The gradient of a cell's kernel by the graph is that of the tape on the same numbers."""
    x = V1.placeholder("float", [None, 3, 4])
    cell = V1.nn.rnn_cell.GRUCell(2)
    y, _ = V1.nn.dynamic_rnn(cell, x, dtype="float32")
    weights = V1.trainable_variables()
    graph = V1.gradients(V1.reduce_sum(y * y), weights)
    data = np.sin(np.arange(24.0)).reshape(2, 3, 4).astype("float32")
    found = session.run(graph, {x: data})
    weights = [mg.tensor(w.numpy(), requires_grad=True) for w in weights]
    again = V1.nn.rnn_cell.GRUCell(2)
    with V1.Graph().as_default() as other:
        other.begun = False
        outputs, _ = V1.nn.dynamic_rnn(again, mg.tensor(data), dtype="float32")
        again.set_weights([w.numpy() for w in weights])
        outputs, _ = V1.nn.dynamic_rnn(again, mg.tensor(data), dtype="float32")
        expected = mg.grad(mg.sum(outputs * outputs), V1.trainable_variables())
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two.numpy(), rtol=1e-5, atol=1e-6)


def test_a_closure_passes_gradients(session: Any) -> None:
    x = V1.placeholder("float", [])
    w = V1.Variable(3.0)
    y = V1.cond(x > 0.0, lambda: w * x * x, lambda: -w)
    dw, dx = V1.gradients(y, [w, x])
    assert session.run([y, dw, dx], {x: 2.0}) == [12.0, 4.0, 12.0]
    assert session.run([y, dw], {x: -2.0}) == [-3.0, -1.0]


def test_an_optimizer_without_gradients() -> None:
    with pytest.raises(ValueError, match="no gradient for any variable"):
        V1.train.GradientDescentOptimizer(0.1).apply_gradients([(None, V1.Variable(1.0))])
    with pytest.raises(mg.errors.GradientError, match="expected `loss`, a tensor of a graph"):
        V1.train.GradientDescentOptimizer(0.1).minimize(3.0)


def test_an_optimizer_without_variables() -> None:
    with pytest.raises(ValueError, match="expected variables to optimize, got none"):
        V1.train.GradientDescentOptimizer(0.1).minimize(V1.placeholder("float", []) * 2.0)


def test_a_file_without_a_variable_names_it(session: Any, tmp_path: Any) -> None:
    V1.Variable(1.0, name="a")
    path = V1.train.Saver().save(session, str(tmp_path / "m"))
    V1.Variable(1.0, name="b")
    with pytest.raises(ValueError, match="got none named b"):
        V1.train.Saver().restore(session, path)
