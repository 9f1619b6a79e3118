"""First, second and third derivatives of recurrent layers, where gates meet exactly 0, saturate, or see padding.

All three generations, all formulas, along one direction in the inputs, the initial states and every weight at once.
Right values are mpmath's, of the equations in `cell_formulas`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("mpmath", reason="needs mpmath: pip install -e '.[test]'")

import mpmath as mp
import numpy as np

import cell_formulas as formulas
import minigrad as mg
from derivatives import recorded, true
from minigrad.compat import v1

FEATURES, UNITS, T = 2, 2, 3
LAYERS, OLD, CELLS = mg.keras.layers, v1.keras.layers, v1.nn.rnn_cell
BOTH = {"return_sequences": True, "return_state": True, "dtype": "float64"}


@dataclass
class Kind:
    """A recurrent layer, and its equations.

    Attributes:
        make: the layer, or the first generation's cell.
        step: the equations of one step.
        states: the lengths of the states.
        by_hand: whether a cell is called step by step, and not run by a layer.
    """

    make: Callable[[], Any]
    step: formulas.Step
    states: tuple[int, ...] = (UNITS,)
    by_hand: bool = False


def lstm(layer: Any = LAYERS.LSTM, φ: str = "tanh", σ: str = "sigmoid", **kwargs: Any) -> Kind:
    kwargs = {"activation": φ, "recurrent_activation": σ, **BOTH, **kwargs}
    return Kind(lambda: layer(UNITS, **kwargs), formulas.lstm(φ, σ), (UNITS, UNITS))


def gru(layer: Any = LAYERS.GRU, φ: str = "tanh", σ: str = "sigmoid", after: bool = True, **kwargs: Any) -> Kind:
    kwargs = {"activation": φ, "recurrent_activation": σ, **BOTH, **kwargs}
    if layer is LAYERS.GRU:
        kwargs["reset_after"] = after
    return Kind(lambda: layer(UNITS, **kwargs), formulas.gru(φ, σ, after))


def simple(layer: Any = LAYERS.SimpleRNN, φ: str = "tanh", **kwargs: Any) -> Kind:
    return Kind(lambda: layer(UNITS, activation=φ, **BOTH, **kwargs), formulas.simple(φ))


def peephole_lstm(φ: str = "tanh", projected: bool = False) -> Kind:
    kwargs = {"use_peepholes": True, "num_proj": 3 if projected else None, "dtype": "float64"}
    step = formulas.lstm(φ, "sigmoid", peepholes=True, projected=projected, first=True)
    activation = getattr(mg.keras.activations, φ)
    return Kind(
        lambda: CELLS.LSTMCell(UNITS, activation=activation, **kwargs), step, (UNITS, 3 if projected else UNITS)
    )


KINDS = {
    "lstm": lstm(),
    "lstm, implementation 1": lstm(implementation=1),
    "lstm, unrolled": lstm(unroll=True),
    "lstm, swish": lstm(φ="swish"),
    "lstm, mish, softplus": lstm(φ="mish", σ="softplus"),
    "lstm, gelu, hard_sigmoid": lstm(φ="gelu", σ="hard_sigmoid"),
    "RNN(LSTMCell)": Kind(
        lambda: LAYERS.RNN(LAYERS.LSTMCell(UNITS, dtype="float64"), **BOTH),
        formulas.lstm("tanh", "sigmoid"),
        (UNITS, UNITS),
    ),
    "gru": gru(),
    "gru, unrolled": gru(unroll=True),
    "gru, reset before": gru(after=False),
    "gru, reset before, swish": gru(φ="swish", after=False),
    "gru, hard_sigmoid": gru(σ="hard_sigmoid"),
    "simple": simple(),
    "simple, sigmoid": simple(φ="sigmoid"),
    "simple, mish": simple(φ="mish", unroll=True),
    "second generation, lstm": lstm(OLD.LSTM, σ="hard_sigmoid"),
    "second generation, lstm, sigmoid": lstm(OLD.LSTM),
    "second generation, gru": gru(OLD.GRU, after=False),
    "second generation, simple": simple(OLD.SimpleRNN, φ="softplus"),
    "first generation, basic": Kind(
        lambda: CELLS.BasicRNNCell(UNITS, dtype="float64"), formulas.simple("tanh", first=True)
    ),
    "first generation, basic lstm": Kind(
        lambda: CELLS.BasicLSTMCell(UNITS, dtype="float64"),
        formulas.lstm("tanh", "sigmoid", first=True),
        (UNITS, UNITS),
    ),
    "first generation, lstm": peephole_lstm(),
    "first generation, lstm, projected": peephole_lstm(projected=True),
    "first generation, lstm, swish": peephole_lstm("swish"),
    "first generation, gru": Kind(
        lambda: CELLS.GRUCell(UNITS, dtype="float64"), formulas.gru("tanh", "sigmoid", False, first=True)
    ),
    "LSTMCell by hand": Kind(
        lambda: LAYERS.LSTMCell(UNITS, dtype="float64"), formulas.lstm("tanh", "sigmoid"), (UNITS, UNITS), by_hand=True
    ),
    "GRUCell by hand": Kind(
        lambda: LAYERS.GRUCell(UNITS, dtype="float64"), formulas.gru("tanh", "sigmoid", True), by_hand=True
    ),
    "second generation, LSTMCell by hand": Kind(
        lambda: OLD.LSTMCell(UNITS, dtype="float64"),
        formulas.lstm("tanh", "hard_sigmoid"),
        (UNITS, UNITS),
        by_hand=True,
    ),
    "first generation, lstm by hand": replace(peephole_lstm(projected=True), by_hand=True),
}


@dataclass
class Place:
    """The inputs, how large weights, biases and states are, and which steps count."""

    x: Any
    weights: float = 1.0
    biases: float = 0.0
    states: float = 0.0
    mask: tuple[bool, ...] = (True,) * T


PLACES = {
    "zeros": Place([[0, 0]] * T),
    "zeros, no weights": Place([[0, 0]] * T, weights=0.0),
    "padding before": Place([[0, 0], [0, 0], [0.5, -1.0]]),
    "padding between": Place([[1.0, -0.5], [0, 0], [0.5, 0.25]], states=0.5),
    "tiny": Place([[1e-300, -1e-300], [1e-8, 0.0], [-1e-8, 1e-16]], states=1e-12),
    "saturated": Place([[60.0, -40.0], [-80.0, 0.0], [0.0, 0.0]]),
    "masked": Place([[0, 0], [0, 0], [0.5, -1.0]], mask=(False, True, True)),
    "in the middle": Place([[0.5, -1.0], [0.25, 0.75], [1.0, 1.0]], biases=0.25, states=0.5),
}


def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Multiples of 1/64 from −1 to 1, none of them 0."""
    return rng.integers(1, 65, shape) * rng.choice([-1, 1], shape) / 64


def called(kind: Kind, layer: Any, x: mg.Tensor, states: list[mg.Tensor], mask: tuple[bool, ...]) -> list[mg.Tensor]:
    """The output of each step, then the final states."""
    first = isinstance(layer, CELLS.RNNCell)
    state: Any = CELLS.LSTMStateTuple(*states) if len(states) == 2 else states[0]
    if kind.by_hand:
        state, outputs = state if first else states, []
        for k in range(T):
            y, state = layer(x[:, k], state)
            outputs.append(y)
        return [*outputs, *state]
    if first:
        y, state = v1.nn.dynamic_rnn(layer, x, initial_state=state)
        final = list(state) if isinstance(state, tuple) else [state]
    else:
        y, *final = layer(x, initial_state=states, mask=None if all(mask) else np.array([mask]))
    return [*[y[:, k] for k in range(T)], *final]


def moved(p: Any, v: Any, t: Any) -> Any:
    """p + t v, of nested lists."""
    return [moved(a, b, t) for a, b in zip(p, v, strict=True)] if isinstance(p, list) else mp.mpf(p) + t * v


RIGHT: dict[tuple[int, int], list[float]] = {}  # value and derivatives, the same on every backend


@pytest.mark.parametrize("backend", ["numpy", "numba"], indirect=True)  # those with hand-written loops
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_derivatives_to_the_third(kind: Kind, place: Place, backend: ModuleType, fresh_variables: None) -> None:
    layer, rng = kind.make(), np.random.default_rng(0)
    if kind.by_hand or isinstance(layer, CELLS.RNNCell):
        place = replace(place, mask=(True,) * T)  # they take no mask
    x = np.array([place.x], dtype=float)
    states = [place.states * draw(rng, (1, n)) for n in kind.states]
    tensors = [mg.tensor(s, requires_grad=True) for s in [x, *states]]
    called(kind, layer, tensors[0], tensors[1:], place.mask)  # builds it
    values = [(place.biases if "bias" in w.name else place.weights) * draw(rng, w.shape) for w in layer.weights]
    layer.set_weights(values)
    outputs = called(kind, layer, tensors[0], tensors[1:], place.mask)
    cotangents = [draw(rng, y.shape) for y in outputs]
    loss = sum(((y * c).sum() for y, c in zip(outputs, cotangents, strict=True)), mg.tensor(0.0, "float64"))
    points = [x, *states, *values]
    directions = [draw(rng, p.shape) for p in points]

    def along(t: Any) -> Any:
        at_t = [moved(p.tolist(), v.tolist(), t) for p, v in zip(points, directions, strict=True)]
        n = 1 + len(states)
        ys = formulas.run(kind.step, at_t[0][0], [s[0] for s in at_t[1:n]], at_t[n:], place.mask)
        return mp.fsum(mp.fdot(y, c[0].tolist()) for y, c in zip(ys, cotangents, strict=True))

    key = (id(kind), id(place.x))
    if key not in RIGHT:
        RIGHT[key] = [float(along(0.0)), *true(along, 0.0)]
    got = [loss.item(), *recorded(loss, [*tensors, *layer.weights], directions)]
    np.testing.assert_allclose(got, RIGHT[key], rtol=1e-9, atol=1e-11)


def test_an_lstm_of_ones_on_zeros(backend: ModuleType) -> None:
    """∂²y/∂x₀² against central differences of ∂y/∂x₀, h 1e-5: an error of about 1e-10."""
    layer = LAYERS.LSTM(1, kernel_initializer="ones", recurrent_initializer="ones", dtype="float64")

    def slope(x_0: float) -> tuple[mg.Tensor, mg.Tensor]:
        x = mg.tensor(np.array([[[x_0], [0.0]]]), requires_grad=True)
        return x, mg.grad(layer(x).sum(), x, create_graph=True)[0][0, 0, 0]

    x, dx = slope(0.0)
    second = mg.grad(dx, x)[0][0, 0, 0].item()
    assert second == pytest.approx((slope(1e-5)[1].item() - slope(-1e-5)[1].item()) / 2e-5, rel=1e-8)
    assert second == pytest.approx(0.4092823, rel=1e-6)
