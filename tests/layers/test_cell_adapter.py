"""Cells of a user's own: with formulas and without, as a layer and as a plain object, nested, with constants."""

from __future__ import annotations

from copy import copy, deepcopy
from typing import Any, ClassVar

import numpy as np
import pytest

import minigrad as mg
from layer_errors import STATE_STRUCTURE
from minigrad.engine import tree
from minigrad.keras import layers as L
from minigrad.layers.cell_adapter import adapter_of
from minigrad.layers.options import OptionError, OptionTypeError
from minigrad.layers.states import StateError
from minigrad.recurrent import Step
from minigrad.testing import check_gradient

FIRST = mg.compat.v1.nn.rnn_cell
RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 5, 4))
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)
WEIGHTS = [RNG.standard_normal((4, 2)), RNG.standard_normal((2, 2))]


class Minimal(L.Layer):
    """The cell of Keras' guide: `state_size` is a number, and `states` a list of one tensor."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        self.units = units
        self.state_size = units
        super().__init__(**kwargs)

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), initializer="uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(shape=(self.units, self.units), initializer="uniform", name="recurrent")

    def call(self, inputs: Any, states: Any) -> Any:
        prev_output = states[0]
        output = mg.tanh(inputs @ self.kernel + prev_output @ self.recurrent_kernel)
        return output, [output]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class Formulas:
    """The step of the same cell and its derivative, for the explicit loop."""

    def step(self, xp: Any, z: Any, state: Any, weights: Any) -> Any:
        kernel, recurrent = weights
        (h,) = state
        output = xp.tanh(xp.matmul(z, kernel) + xp.matmul(h, recurrent))
        return (output,), (z, output)

    def step_backward(self, xp: Any, dstate: Any, kept: Any, state: Any, weights: Any) -> Any:
        (dh,), (h,), (z, output), (kernel, recurrent) = dstate, state, kept, weights
        ds = dh * (1.0 - output * output)
        dkernel, drecurrent = xp.matmul(xp.transpose(z), ds), xp.matmul(xp.transpose(h), ds)
        dx, dh = xp.matmul(ds, xp.transpose(kernel)), xp.matmul(ds, xp.transpose(recurrent))
        return (dx, dkernel, drecurrent), (dh,)


class MinimalWithFormulas(Formulas, Minimal):
    """As a layer."""


class PlainWithFormulas(Formulas):
    """As a plain object, with weights that it made itself."""

    state_size = 2

    def __init__(self) -> None:
        self.weights = [mg.tensor(w, requires_grad=True) for w in WEIGHTS]

    def call(self, inputs: Any, states: Any) -> Any:
        (output,), _ = self.step(mg.functional, inputs, states, self.weights)
        return output, [output]


class PlainStep(Step):
    """As a `Step`."""

    name: ClassVar[str] = ""
    state_size = 2
    step, step_backward = Formulas.step, Formulas.step_backward
    call = PlainWithFormulas.call

    def __init__(self) -> None:
        self.weights = [mg.tensor(w, requires_grad=True) for w in WEIGHTS]


def results(cell: Any, **options: Any) -> tuple[list[np.ndarray], str]:
    """Outputs and all gradients under random cotangents, and the path."""
    rng = np.random.default_rng(1)
    layer = L.RNN(cell, return_sequences=True, return_state=True, dtype="float64", **options)
    layer.build(X.shape)
    if isinstance(cell, L.Layer):
        cell.set_weights(WEIGHTS)
    x, h = mg.tensor(X, requires_grad=True), mg.tensor(rng.standard_normal((3, 2)), requires_grad=True)
    outputs = layer(x, mask=MASK, initial_state=[h])
    cotangents = [rng.standard_normal(y.shape) for y in outputs]
    gradients = mg.grad(outputs, [x, h, *cell.weights], cotangents)
    return [y.numpy() for y in outputs] + [g.numpy() for g in gradients if g is not None], layer.path


ON_THE_TAPE = results(Minimal(2, dtype="float64"))


def test_keras_guide() -> None:
    """A list of one tensor as the state, not the tensor itself, whose first row would fit all rows without an error."""
    numbers, path = ON_THE_TAPE
    assert path == "tape, op by op: Minimal offers no step_backward"
    built_in = L.SimpleRNN(2, return_sequences=True, return_state=True, use_bias=False, dtype="float64")
    built_in.build(X.shape)
    built_in.set_weights(WEIGHTS)
    h = np.random.default_rng(1).standard_normal((3, 2))
    for mine, expected in zip(numbers, built_in(X, mask=MASK, initial_state=[h]), strict=False):
        np.testing.assert_allclose(mine, expected.numpy(), rtol=1e-13)


@pytest.mark.parametrize("cell_class", [lambda: MinimalWithFormulas(2, dtype="float64"), PlainWithFormulas, PlainStep])
def test_with_a_step_of_its_own(cell_class: Any) -> None:
    numbers, path = results(cell_class())
    assert path.startswith("explicit BPTT, formulas of ")
    for one, other in zip(numbers, ON_THE_TAPE[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    unrolled, path = results(cell_class(), unroll=True)
    assert path == "tape, op by op: unroll=True"
    for one, other in zip(unrolled, ON_THE_TAPE[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_a_step_of_its_own_by_finite_differences() -> None:
    cell = MinimalWithFormulas(2, dtype="float64")
    layer = L.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    layer.build(X.shape)
    check_gradient(lambda x, h: layer(x, mask=MASK, initial_state=[h]), X, np.ones((3, 2)), weights=layer.weights)


def test_a_frozen_weight_stays_in_its_place() -> None:
    """All weights of a step in the order in which they were made, trainable or not."""
    cell = MinimalWithFormulas(2, dtype="float64")
    layer = L.RNN(cell, dtype="float64")
    y = layer(X)
    cell.kernel.trainable = False
    np.testing.assert_array_equal(layer(X).numpy(), y.numpy())
    cell.trainable = False
    np.testing.assert_array_equal(layer(X).numpy(), y.numpy())


class Squashed(L.LSTMCell):
    """Overrides what a step does."""

    def call(self, inputs: Any, states: Any, training: Any = None) -> Any:
        output, new = super().call(inputs, states, training)
        return 0.5 * output, [0.5 * output, new[1]]


class SkippingStack(L.StackedRNNCells):
    """Overrides what a step of a stack does."""

    def call(self, inputs: Any, states: Any, constants: Any = None, training: Any = None) -> Any:
        output, new = super().call(inputs, states, constants, training)
        return output + inputs, new


@pytest.mark.parametrize(
    "make", [lambda: Squashed(4, dtype="float64"), lambda: SkippingStack([L.GRUCell(4, dtype="float64")])]
)
def test_a_cell_that_overrides_call_is_called(make: Any) -> None:
    cell = make()
    layer = L.RNN(cell, dtype="float64")
    y = layer(X[:, :1])
    assert layer.path == f"tape, op by op: {type(cell).__name__} overrides call"
    direct, _ = cell(X[:, 0], cell.get_initial_state(batch_size=3, dtype="float64"))
    np.testing.assert_array_equal(y.numpy(), direct.numpy())


# --- nested inputs and states, constants ------------------------------------------------------------------------------


class Nested(L.Layer):
    """Two inputs, two states of different shapes, two outputs; as in Keras' guide."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state_size = [4, (2, 2)]
        self.output_size = (4, 2)

    def build(self, input_shapes: Any) -> None:
        (batch, one), (other_batch, other) = input_shapes
        assert batch == other_batch
        self.kernel = self.add_weight("kernel", (one, other))

    def call(self, inputs: Any, states: Any) -> Any:
        a, b = inputs
        total, (product, previous) = states
        total, product = total + a, product + b * (a @ self.kernel) + 0.5 * previous
        return (total, product), [total, (product, b)]


def test_nested_inputs_states_and_outputs() -> None:
    a, b = X, X[..., :2] - 0.5
    layer = L.RNN(Nested(dtype="float64"), return_sequences=True, return_state=True, dtype="float64")
    (totals, products), *states = layer((a, b))
    assert layer.path == "tape, op by op: the inputs are nested"
    np.testing.assert_allclose(totals.numpy(), np.cumsum(a, 1), rtol=1e-12)
    kernel = layer.cell.kernel.numpy()
    before = np.concatenate([np.zeros_like(b[:, :1]), b[:, :-1]], 1)
    np.testing.assert_allclose(products.numpy(), np.cumsum(b * (a @ kernel) + 0.5 * before, 1), rtol=1e-12)
    assert [s.shape for s in tree.leaves(states)] == [(3, 4), (3, 2), (3, 2)]
    np.testing.assert_array_equal(states[1][1].numpy(), b[:, -1])
    np.testing.assert_array_equal(totals.numpy()[:, -1], L.RNN(layer.cell, dtype="float64")((a, b))[0].numpy())


def test_nested_inputs_have_gradients() -> None:
    layer = L.RNN(Nested(dtype="float64"), return_sequences=True, dtype="float64")
    layer((X, X[..., :2]))
    check_gradient(lambda a, b: layer((a, b), mask=MASK), X, X[..., :2], weights=layer.weights)


class Shifted(L.SimpleRNNCell):
    """A cell that takes constants."""

    def call(self, inputs: Any, states: Any, training: Any = None, constants: Any = None) -> Any:
        return super().call(inputs + constants[0], states, training)


def test_constants() -> None:
    layer = L.RNN(Shifted(2, dtype="float64"), dtype="float64")
    plain = L.SimpleRNN(2, dtype="float64")
    shift = RNG.standard_normal((3, 4))
    y = layer(X, constants=[shift])
    assert layer.path == "tape, op by op: the cell is given constants"
    plain.build(X.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(y.numpy(), plain(X + shift[:, None]).numpy(), rtol=1e-13)
    counted = L.RNN(layer.cell, num_constants=1, dtype="float64")
    np.testing.assert_array_equal(counted([X, shift]).numpy(), y.numpy())
    states = RNG.standard_normal((3, 2))
    given = counted([X, states, shift])
    np.testing.assert_array_equal(given.numpy(), layer(X, initial_state=[states], constants=[shift]).numpy())


def test_constants_go_to_those_cells_of_a_stack_that_take_them() -> None:
    stack = [L.SimpleRNNCell(4, dtype="float64"), Shifted(2, dtype="float64")]
    layer = L.RNN(stack, dtype="float64")
    shift = RNG.standard_normal((3, 4))
    y = layer(X, constants=[shift])
    lower = L.RNN(stack[0], return_sequences=True, dtype="float64")(X)
    upper = L.RNN(stack[1], dtype="float64")(lower, constants=[shift])
    np.testing.assert_allclose(y.numpy(), upper.numpy(), rtol=1e-13)
    with pytest.raises(OptionTypeError, match="takes no `constants`"):
        adapter_of(stack[0]).caller(2, None, [shift])


# --- the adapter ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda: Minimal(2, dtype="float64"), PlainStep, lambda: FIRST.BasicRNNCell(2)])
def test_a_cell_is_adapted_once(make: Any) -> None:
    layer = L.RNN(make(), dtype="float64")
    adapter = layer._adapter
    for _ in range(2):
        layer(X)
        assert layer._adapter is adapter
    layer.cell = PlainWithFormulas()
    assert layer._adapter is not adapter
    assert layer._adapter.cell is layer.cell


def test_a_stack_adapts_a_cell_that_is_replaced() -> None:
    stack = L.StackedRNNCells([L.GRUCell(3, dtype="float64"), PlainStep()])
    first, second = adapter_of(stack).parts
    stack.cells[1] = L.SimpleRNNCell(2, dtype="float64")
    assert [part.cell for part in adapter_of(stack).parts] == stack.cells
    assert adapter_of(stack).parts[0] is first
    assert adapter_of(stack).parts[1] is not second
    assert L.RNN(stack, dtype="float64")(X).shape == (3, 2)


def test_a_copy_of_a_cell_has_an_adapter_of_its_own() -> None:
    layer = L.RNN([Minimal(2, dtype="float64"), L.LSTMCell(2, dtype="float64")], dtype="float64")
    layer(X)
    for other in (copy(layer.cell), deepcopy(layer.cell), deepcopy(layer).cell):
        assert adapter_of(other).cell is other


# --- making another one -----------------------------------------------------------------------------------------------


def test_a_layer_with_its_own_constructor_is_made_again_from_its_config() -> None:
    layer = L.Bidirectional(L.RNN(Minimal(2)), name="both")
    assert layer(X.astype("float32")).shape == (3, 4)
    assert len(layer.weights) == 4
    assert len({id(w) for w in layer.weights}) == 4
    again = L.Bidirectional.from_config(layer.get_config())
    assert again.forward_layer.cell.units == 2


def test_a_plain_cell_can_be_run_but_not_made_again() -> None:
    layer = L.RNN(PlainStep(), dtype="float64")
    layer(X)
    for act in (layer.get_config, lambda: L.Bidirectional(layer)):
        with pytest.raises(OptionError) as caught:
            act()
        message = "PlainStep: its arguments are not known, so it cannot be copied. Derive PlainStep from Layer."
        assert str(caught.value) == message


# --- named tuples -----------------------------------------------------------------------------------------------------

C, H = np.ones((3, 2)), np.zeros((3, 2))


class Swapping(FIRST.RNNCell):
    """A cell of the first generation that returns its state in some structure or other."""

    state_size = FIRST.LSTMStateTuple(2, 2)  # type: ignore[assignment]
    output_size = 2  # type: ignore[assignment]

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs[:, :2], self.answer(state)


LISTS: list[Any] = [lambda c, h: [h, c], lambda c, h: [[h, c]]]
NAMED: list[Any] = [FIRST.LSTMStateTuple, lambda c, h: (c, h), lambda c, h: [FIRST.LSTMStateTuple(c, h)]]


@pytest.mark.parametrize("swapped", LISTS)
def test_a_list_is_no_named_state(swapped: Any) -> None:
    """[h, c] is Keras' order, (c, h) the first generation's, and the shapes are the same."""
    wanted = rf"{STATE_STRUCTURE} .*LSTMStateTuple\(c=2, h=2\).* Write LSTMStateTuple\(…\)"
    new, of_stack = (wanted.replace("`initial_state`", name) for name in ("the new state", "`states`"))
    with pytest.raises(StateError, match=f"Swapping.call: {new}"):
        mg.compat.v1.nn.dynamic_rnn(Swapping(lambda s: swapped(*s)), X, dtype="float64")
    for cell in (FIRST.LSTMCell(2), Swapping(lambda s: s)):
        with pytest.raises(StateError, match=f"call: {wanted}"):
            L.RNN(cell, dtype="float64")(X, initial_state=swapped(C, H))
    stack = L.StackedRNNCells([FIRST.LSTMCell(2), FIRST.LSTMCell(2)])
    for states in ([swapped(C, H)] * 2, [H, C, H, C]):
        with pytest.raises(StateError, match=f"call: {wanted}"):
            L.RNN(stack, dtype="float64")(X, initial_state=states)
        with pytest.raises(StateError, match=f"call: {of_stack}"):
            stack(X[:, 0], states)


@pytest.mark.parametrize("together", NAMED)
def test_a_named_state_or_a_plain_tuple_is_c_and_h(together: Any) -> None:
    _, state = mg.compat.v1.nn.dynamic_rnn(
        Swapping(lambda s: together(*s)), X, initial_state=FIRST.LSTMStateTuple(C, H)
    )
    np.testing.assert_array_equal(state.c.numpy(), C)
    layer = L.RNN(Swapping(lambda s: s), return_state=True, dtype="float64")
    np.testing.assert_array_equal(layer(X, initial_state=together(C, H))[1].numpy(), C)
    np.testing.assert_array_equal(layer([X, FIRST.LSTMStateTuple(C, H)])[1].numpy(), C)


class Keeping(FIRST.RNNCell):
    """A cell that keeps its state."""

    state_size, output_size = Swapping.state_size, 2  # type: ignore[assignment]

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs[:, :2], state


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("count", [1, 2])
def test_a_stack_of_named_states(count: int, unroll: bool) -> None:
    stack = L.StackedRNNCells([Keeping() for _ in range(count)])
    layer = L.RNN(stack, return_state=True, unroll=unroll, dtype="float64")
    for states in ([FIRST.LSTMStateTuple(C, H)] * count, [(C, H)] * count, ((C, H),) * count):
        _, *final = layer(X, initial_state=states)
        assert len(final) == count
        for state in final:
            np.testing.assert_array_equal(state.c.numpy(), C)
    layer(X, initial_state=final)  # as it came out


def test_both_directions_of_the_first_generation() -> None:
    layer = L.Bidirectional(L.RNN(Keeping(), return_state=True, dtype="float64"))
    states = layer(X, initial_state=[FIRST.LSTMStateTuple(C, H), FIRST.LSTMStateTuple(C + 1.0, H)])[1:]
    assert [s.numpy()[0, 0] for s in states] == [1.0, 0.0, 2.0, 0.0]
