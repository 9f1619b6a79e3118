"""One step of the built-in cells."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import FIRST_GENERATION, ONE_STEP, WRAP_THE_CELL
from minigrad.compat.v1.nn.rnn_cell import LSTMStateTuple
from minigrad.engine.errors import ShapeError
from minigrad.keras import layers as L
from minigrad.layers.call_context import clear_session
from minigrad.layers.cell import Cell
from minigrad.layers.recurrence import Recurrence
from minigrad.layers.states import StateError
from minigrad.layers.weight import Weight
from minigrad.testing import check_gradient

RNG = np.random.default_rng(0)
X, H, C = RNG.standard_normal((3, 4)), RNG.standard_normal((3, 2)), RNG.standard_normal((3, 2))
CELLS: list[tuple[Any, list[np.ndarray]]] = [
    (L.LSTMCell(2, dtype="float64"), [H, C]),
    (L.LSTMCell(2, "relu", "hard_sigmoid", implementation=1, dtype="float64"), [H, C]),
    (L.LSTMCell(2, lambda x: x * 0.5, dtype="float64"), [H, C]),
    (L.GRUCell(2, dtype="float64"), [H]),
    (L.GRUCell(2, reset_after=False, use_bias=False, dtype="float64"), [H]),
    (L.SimpleRNNCell(2, dtype="float64"), [H]),
]


@pytest.mark.parametrize(("cell", "states"), CELLS)
def test_gradients(cell: Any, states: list[np.ndarray]) -> None:
    cell(X, states)

    def run(x: mg.Tensor, *given: mg.Tensor) -> list[mg.Tensor]:
        output, new = cell(x, list(given))
        return [output, *new]

    check_gradient(run, X, *states, weights=cell.weights)


@pytest.mark.parametrize(("cell", "states"), CELLS)
def test_the_states_keep_their_structure(cell: Any, states: list[np.ndarray]) -> None:
    for structure in (list, tuple):
        output, new = cell(X, structure(states))
        assert type(new) is structure
        assert [s.shape for s in new] == [(3, 2)] * len(states)
        np.testing.assert_array_equal(output.numpy(), new[0].numpy())
    if len(states) == 1:
        output, new = cell(X, states[0])
        assert new is output


def test_weights_and_their_names() -> None:
    clear_session()
    cell = L.GRUCell(2)
    cell(X, [H])
    assert [(w.name, w.shape) for w in cell.weights] == [
        ("gru_cell/kernel:0", (4, 6)),
        ("gru_cell/recurrent_kernel:0", (2, 6)),
        ("gru_cell/bias:0", (2, 6)),
    ]
    within = L.GRU(2)
    within(X[None])
    assert within.weights[0].name == "gru/gru_cell/kernel:0"


@pytest.mark.parametrize("inputs", [np.ones((1, 9), int), [[1.0] * 9], np.ones((1, 9))])
def test_dropout_masks_have_the_dtype_in_which_the_cell_computes(inputs: Any) -> None:
    (mask,) = mg.keras.layers.LSTMCell(2, dropout=0.2).get_dropout_mask_for_cell(inputs, True)
    assert (mask.shape, mask.dtype.name) == ((1, 9), "float32")
    assert set(mask.numpy().ravel()) <= {np.float32(0.0), np.float32(1.25)}


def test_dropout_masks_of_a_bare_cell_last_until_they_are_reset() -> None:
    cell = L.LSTMCell(2, dropout=0.5, recurrent_dropout=0.5, dtype="float64")
    first, _ = cell(X, [H, C], training=True)
    again, _ = cell(X, [H, C], training=True)
    np.testing.assert_array_equal(first.numpy(), again.numpy())
    cell.reset_dropout_mask()
    cell.reset_recurrent_dropout_mask()
    other, _ = cell(X, [H, C], training=True)
    assert not np.allclose(other.numpy(), first.numpy())


@pytest.mark.parametrize(("cell_class", "gates"), [(L.LSTMCell, 4), (L.GRUCell, 3)])
@pytest.mark.parametrize("implementation", [1, 2])
def test_implementation_1_has_a_dropout_mask_for_each_gate(cell_class: Any, gates: int, implementation: int) -> None:
    """With ones for weights and inputs, each gate shows how many inputs it saw."""
    cell = cell_class(1, dropout=0.5, implementation=implementation, use_bias=False, dtype="float64")
    cell.build((8, 6))
    x = mg.tensor(np.ones((8, 6)))
    x_masks, h_masks = cell._masks(x, mg.tensor(np.ones((8, 1))), training=True)
    assert h_masks is None
    assert x_masks.shape == ((gates if implementation == 1 else 1), 8, 6)
    cell.set_weights([np.ones((6, gates)), np.zeros((1, gates))])
    z = cell.time_step().project(mg.functional, x, cell.step_weights(x_masks, None)).numpy()
    seen = x_masks.numpy().sum(-1)
    np.testing.assert_allclose(z, np.broadcast_to(seen.T, z.shape))


BAD: list[tuple[Any, str]] = [
    (
        lambda: L.LSTMCell(2, name="cell")(X[:, None], [H, C]),
        f"cell.call: {ONE_STEP}, got (3, 1, 4). {WRAP_THE_CELL}",
    ),
    (
        lambda: L.LSTMCell(2)(X, [H]),
        ("call: expected `states` of shapes (3, 2), (3, 2), got (3, 2). cell.get_initial_state(inputs) makes zeros."),
    ),
    (
        lambda: L.GRUCell(2)(X, [H[:2]]),
        "call: expected `states` of shapes (3, 2), got (2, 2). cell.get_initial_state(inputs) makes",
    ),
    (lambda: L.SimpleRNNCell(2)(X, []), "simple_rnn_cell.call: expected `states` of shapes (3, 2), got none."),
]


@pytest.mark.parametrize(("act", "message"), BAD)
def test_bad_input(act: Any, message: str) -> None:
    with pytest.raises(ShapeError) as caught:
        act()
    assert message in str(caught.value)


def test_what_a_cell_must_define() -> None:
    class Empty(Cell):
        pass

    with pytest.raises(NotImplementedError, match="Empty must define `equations`, a minigrad"):
        Empty(2)(X, [H])


def test_the_state_of_the_first_generation():
    """(c, h) and [h, c] have equal shapes, so only the type can tell."""
    state = LSTMStateTuple(c=mg.zeros((2, 3)), h=mg.ones((2, 3)))
    cell = L.LSTMCell(3)
    with pytest.raises(StateError, match=re.escape(FIRST_GENERATION)):
        cell(mg.ones((2, 4)), state)
    assert cell(mg.ones((2, 4)), [state.h, state.c])[0].shape == (2, 3)


def test_the_step_by_its_earlier_name() -> None:
    class Earlier(mg.keras.layers.LSTMCell):
        def formulas(self) -> Any:
            return super().formulas()

    class Later(Earlier):
        def time_step(self) -> Any:
            return super().time_step()

    known = mg.keras.layers.LSTMCell(2)
    assert known.formulas() is known.time_step()
    assert not Earlier.can_plan
    for cell in (Earlier(2), Later(2)):
        assert cell.formulas() is cell.time_step() is known.time_step()
    assert Recurrence(known.time_step(), (), len).around is len
    assert Weight([1.0]).taken([2.0], "x").tolist() == [2.0]


@pytest.mark.parametrize("cell_class", [L.SimpleRNNCell, L.GRUCell, L.LSTMCell], ids=lambda cell: cell.__name__)
@pytest.mark.parametrize("given", [np.asarray, np.ndarray.tolist], ids=["an array", "a list"])
def test_call_takes_inputs_that_are_not_tensors(cell_class: Any, given: Any) -> None:
    cell = cell_class(3)
    cell.build((None, 2))
    x = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)
    for _ in range(2):  # without a plan and with one
        states = [mg.ones((4, 3)) for _ in np.atleast_1d(cell.state_size)]
        y, _ = cell.call(given(x), states)
        np.testing.assert_array_equal(y.numpy(), cell.call(mg.tensor(x), states)[0].numpy())


def test_a_state_of_two_dtypes_has_no_dtype() -> None:
    state = LSTMStateTuple(mg.zeros((1, 2)), mg.zeros((1, 2), "float64"))
    assert not hasattr(state, "dtype")
    with pytest.raises(TypeError, match="expected c and h of one dtype, got float32 and float64"):
        _ = state.dtype
