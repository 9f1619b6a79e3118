"""Cells of a user's own: gradients by hand, derived, on the tape and by finite differences; masks, stacks, wrappers."""

from __future__ import annotations

import math
from contextlib import nullcontext
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.keras import layers as L
from minigrad.recurrent import Equations
from minigrad.testing import check_cell, check_gradient, on_tape
from recurrent.odd_cells import CELLS, CUT, Coupled, Net1997, Truncated1997

UNITS = 4
X = np.random.default_rng(1).standard_normal((4, 5, 3))
MASK = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1]], bool)
every_cell = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.__name__)


def made(cell: type[Equations], **options: Any) -> Any:
    return L.EquationCell(cell, UNITS, dtype="float64", **CELLS[cell], **options)


def layer_of(cell: type[Equations], **options: Any) -> Any:
    """A layer with random weights, biases among them."""
    layer = L.RNN(made(cell), return_sequences=True, return_state=True, dtype="float64", **options)
    layer(X)
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(0, 0.6, w.shape) for w in layer.get_weights()])
    return layer


def states_of(layer: Any, seed: int = 3) -> list[Any]:
    rng = np.random.default_rng(seed)
    sizes = np.ravel(layer.cell.state_size)
    widths = zip(layer.cell.whole.states, sizes, strict=True)
    return [rng.standard_normal((len(X), int(size))) for _, size in widths]


@every_cell
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"zero_output_for_mask": True}], ids=str)
def test_explicit_bptt_is_the_tapes_gradient(
    cell: type[Equations], options: dict[str, Any], backend: ModuleType
) -> None:
    layer, found = layer_of(cell, **options), []
    initial = [mg.tensor(s, requires_grad=True) for s in states_of(layer)]
    x = mg.tensor(X, requires_grad=True)
    for tape in (False, True):
        if tape:
            with on_tape(layer):
                outputs = layer(x, mask=MASK, initial_state=initial)
            assert layer.path == "tape, op by op: mg.testing.on_tape"
        else:
            outputs = layer(x, mask=MASK, initial_state=initial)
            assert layer.path.startswith("explicit BPTT")
        rng = np.random.default_rng(4)
        loss = sum((y * rng.standard_normal(y.shape)).sum() for y in outputs)
        gradients = mg.grad(loss, [x, *initial, *layer.trainable_weights])
        found.append([y.numpy() for y in outputs] + [np.zeros(1) if g is None else g.numpy() for g in gradients])
    for by_hand, tapes in zip(*found, strict=True):
        np.testing.assert_allclose(*np.broadcast_arrays(by_hand, tapes), rtol=1e-11, atol=1e-13)


@every_cell
def test_first_and_second_derivatives(cell: type[Equations]) -> None:
    layer = layer_of(cell)
    states = states_of(layer)

    def run(x: mg.Tensor, *states: mg.Tensor) -> Any:
        return layer(x, mask=MASK, initial_state=list(states))

    if cell in CUT:
        with pytest.raises(mg.errors.GradientCheckError):
            check_gradient(run, X, *states, weights=layer.trainable_weights, max_elements=20)
    else:
        check_gradient(
            run, X, *states, weights=layer.trainable_weights, max_elements=20, second_order=cell is not Net1997
        )


@every_cell
def test_second_derivatives_are_the_tapes(cell: type[Equations]) -> None:
    """Cells with a stopped gradient too: finite differences would see through it, the tape does not."""
    layer = layer_of(cell)
    x, *initial = (mg.tensor(v, requires_grad=True) for v in (X, *states_of(layer)))
    leaves, found = [x, *initial, *layer.trainable_weights], []
    for block in (nullcontext(), on_tape(layer)):
        with block:
            y, *states = layer(x, mask=MASK, initial_state=initial)
            loss = (y**3).sum() + sum((s**2).sum() for s in states)
            first = [g for g in mg.grad(loss, leaves, create_graph=True) if g is not None]
            found.append([g.numpy() for g in mg.grad(sum((g**2).sum() for g in first), leaves) if g is not None])
    for by_hand, tapes in zip(*found, strict=True):
        np.testing.assert_allclose(by_hand, tapes, rtol=1e-9, atol=1e-11)


@every_cell
def test_the_hand_written_backward_is_the_derived_one(cell: type[Equations]) -> None:
    check_cell(cell, **CELLS[cell])


@every_cell
def test_one_step_by_hand_is_a_step_of_the_sequence(cell: type[Equations]) -> None:
    layer = layer_of(cell)
    y, *final = layer(X)
    state: Any = layer.cell.get_initial_state(batch_size=len(X), dtype="float64")
    state = state if isinstance(state, list) else [state]
    for t in range(X.shape[1]):
        output, state = layer.cell(X[:, t], state)
        np.testing.assert_allclose(output.numpy(), y[:, t].numpy(), rtol=1e-12, atol=1e-14)
    for one, other in zip(state, final, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12, atol=1e-14)


@every_cell
def test_a_configuration_makes_the_same_cell(cell: type[Equations]) -> None:
    layer = layer_of(cell)
    again = L.RNN.from_config(layer.get_config())
    again(X)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X)[0].numpy(), layer(X)[0].numpy())
    assert again.cell.equations is cell


@every_cell
def test_dropout_draws_its_masks_once_a_sequence(cell: type[Equations]) -> None:
    """The loop and the tape see the same masks, so their numbers agree; the gradient is that of those masks."""
    found = []
    for tape in (False, True):
        mg.random.seed(5)
        layer = L.RNN(made(cell, dropout=0.4, recurrent_dropout=0.3), return_sequences=True, dtype="float64")
        layer(X)
        mg.random.seed(6)
        x = mg.tensor(X, requires_grad=True)
        if tape:
            with on_tape(layer):
                y = layer(x, training=True)
        else:
            y = layer(x, training=True)
        (y * np.cos(np.arange(y.size).reshape(y.shape))).sum().backward()
        found.append(
            [y.numpy(), x.grad.numpy(), *(w.grad.numpy() for w in layer.trainable_weights if w.grad is not None)]
        )
    for loop, taped in zip(*found, strict=True):
        np.testing.assert_allclose(loop, taped, rtol=1e-11, atol=1e-13)


def test_the_net_of_1997_has_the_papers_weights() -> None:
    """Two blocks of two cells for two inputs: 88 weights, and five of the output unit."""
    layer, dense = L.RNN(L.EquationCell(Net1997, 4, blocks=2)), L.Dense(1)
    dense(layer(np.zeros((1, 3, 2))))
    assert layer.count_params() == 88
    assert layer.count_params() + dense.count_params() == 93
    assert layer.cell.state_size == [4, 4, 2, 2]


def test_the_truncated_gradient_reaches_back_through_the_cell_state_alone() -> None:
    """∂h_t/∂x_u, which for u < t passes through the cell state: no gradient of a gate leaves its step."""
    layer = layer_of(Truncated1997)
    x = mg.tensor(X, requires_grad=True)
    y, *_ = layer(x)
    (dx,) = mg.grad(y[:, -1].sum(), [x])
    whole = layer_of(Net1997)
    whole.set_weights(layer.get_weights())
    (dx_whole,) = mg.grad(whole(x)[0][:, -1].sum(), [x])
    np.testing.assert_allclose(dx[:, -1].numpy(), dx_whole[:, -1].numpy(), rtol=1e-12)
    assert np.abs(dx[:, :-1].numpy() - dx_whole[:, :-1].numpy()).max() > 1e-3
    assert np.abs(dx[:, 0].numpy()).min() > 0


@pytest.mark.parametrize(
    "build",
    [
        lambda: L.Bidirectional(L.RNN(made(Coupled), return_sequences=True, dtype="float64"), dtype="float64"),
        lambda: L.RNN(
            [made(Coupled), L.GRUCell(3, dtype="float64"), made(Net1997)], return_sequences=True, dtype="float64"
        ),
        lambda: L.RNN(made(Coupled), return_sequences=True, unroll=True, dtype="float64"),
        lambda: L.RNN(made(Coupled), return_sequences=True, tbptt=(2, 3), dtype="float64"),
    ],
    ids=["bidirectional", "stacked", "unrolled", "truncated"],
)
def test_in_every_place_where_a_cell_can_stand(build: Any) -> None:
    layer = build()
    y = layer(X, mask=MASK)
    y.sum().backward()
    assert all(w.grad is not None and np.isfinite(w.grad.numpy()).all() for w in layer.trainable_weights)
    if getattr(layer, "tbptt", None) is None:
        check_gradient(lambda x: layer(x, mask=MASK), X, weights=layer.trainable_weights, max_elements=0)


def test_in_dynamic_rnn() -> None:
    cell = made(Coupled)
    y, state = mg.compat.v1.nn.dynamic_rnn(cell, X, sequence_length=[5, 3, 0, 1], dtype="float64")
    assert y.shape == (4, 5, UNITS)
    assert not y[1, 3:].numpy().any()
    assert len(state) == 2


def test_traced() -> None:
    layer = layer_of(Coupled)
    with mg.trace(layer) as seen:
        y, *_ = layer(mg.tensor(X, requires_grad=True), mask=MASK)
        (y * y).sum().backward()
    assert list(seen.gates) == ["f", "g", "o"]
    for state in ("h", "c"):
        total = sum(seen.ledger[state].values())
        np.testing.assert_allclose(total, seen.arrived[state], rtol=1e-12, atol=1e-14)
    assert math.isfinite(seen.jacobian_norms().h[0].max() if hasattr(seen.jacobian_norms(), "h") else 0.0)
