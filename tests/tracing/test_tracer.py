"""Tracing of every kind of layer, on every backend, at no cost when it is off."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import ONE_NODE_A_STEP
from minigrad.compat.v1 import nn
from minigrad.engine.errors import GradientError, IndexRangeError, MinigradError
from minigrad.keras import layers as L
from minigrad.recurrent import bptt
from minigrad.recurrent.watch import Watch
from minigrad.tracing.trace import TraceError
from tool_errors import AFTER_BACKWARD, UNITS_FROM_0
from traced import LAYERS, B, H, I, T, made, run


@pytest.mark.parametrize("kind", LAYERS)
def test_it_changes_no_number(kind: str) -> None:
    found = []
    for traced in (False, True):
        mg.random.seed(4)
        layer = made(kind)
        if traced:
            with mg.trace(layer) as seen:
                x, loss, ys = run(layer)
                loss.backward()
            assert "traced" in layer.path
            np.testing.assert_allclose(seen.dx, x.grad.numpy().swapaxes(0, 1), rtol=0, atol=1e-12)
            np.testing.assert_array_equal(seen.x, x.numpy().swapaxes(0, 1))
        else:
            x, loss, ys = run(layer)
            loss.backward()
        found.append([t.numpy() for t in (loss, *ys, x.grad, *(w.grad for w in layer.weights))])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def test_unrolled_or_not() -> None:
    """While it is traced an unrolled layer runs in the loop: same numbers, and there is something to see."""
    found = []
    for unroll in (False, True):
        mg.random.seed(4)
        layer = made("lstm", unroll=unroll)
        with mg.trace(layer) as seen:
            run(layer)[1].backward()
        found.append(seen["lstm" if not unroll else seen.names[0]].to_dict())
    for key in set(found[0]) - {"name"}:
        np.testing.assert_array_equal(found[0][key], found[1][key])
    run(layer)
    assert layer.path == f"{ONE_NODE_A_STEP}unroll=True"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_peepholes": True},
        {"num_proj": 2, "use_peepholes": True, "cell_clip": 0.3},
        {"num_proj": 2, "use_peepholes": True, "cell_clip": 0.3, "proj_clip": 0.1, "activation": "swish"},
    ],
)
def test_the_first_generation(options: dict[str, Any]) -> None:
    cell = nn.rnn_cell.LSTMCell(H, **options, dtype="float64")
    x = mg.tensor(np.random.default_rng(0).standard_normal((B, T, I)), requires_grad=True)
    with mg.trace(cell) as seen:
        y, state = nn.dynamic_rnn(cell, x, sequence_length=[5, 2, 0], dtype="float64")
        ((y**2).sum() + (state.c**3).sum()).backward()
    assert list(seen.gates) == ["i", "j", "f", "o"]
    assert seen.kind == "lstmp"
    for letter, ways in seen.ledger.items():
        np.testing.assert_allclose(sum(ways.values()), seen.arrived[letter], rtol=0, atol=1e-12)
    assert ("i" in seen.ledger["c"]) == ("use_peepholes" in options)
    assert seen.jacobian_norms("m").shape == (T + 1, B)


def test_models_stacks_and_both_directions() -> None:
    model = mg.keras.Sequential(
        [
            L.Bidirectional(L.LSTM(2, return_sequences=True)),
            L.RNN([L.LSTMCell(3), L.GRUCell(4)], return_sequences=True),
            L.SimpleRNN(2),
        ]
    )
    with mg.trace(model) as seen:
        model(mg.ones((B, T, I))).sum().backward()
    kinds = [seen[name].kind for name in seen.names]
    assert kinds == ["lstm", "lstm", "lstm", "gru", "simple_rnn"]
    assert [name.split("_")[0] for name in seen.names[:2]] == ["forward", "backward"]
    assert [seen[name].outputs.shape[-1] for name in seen.names] == [2, 2, 3, 4, 2]
    assert all(np.abs(seen[name].dh).max() > 0 for name in seen.names)
    with pytest.raises(TraceError, match=r"`f`: expected the name .*, one of forward_lstm"):
        seen.f  # noqa: B018


def test_every_run_is_there() -> None:
    layer = L.LSTM(2, stateful=True)
    with mg.trace(layer) as seen:
        layer(mg.ones((1, 3, 2)))
        layer(mg.ones((1, 4, 2)))
    first, second = seen.runs()
    assert (len(first.f), len(second.f)) == (3, 4)
    np.testing.assert_array_equal(second.c[0], first.c[-1])


class Leaky:
    """A custom cell: h_new = h + (x − h) w, whose formulas are for (batch, units) only."""

    state_size, output_size = I, I

    def __init__(self) -> None:
        self.weights = [mg.tensor(np.linspace(0.1, 0.7, I), requires_grad=True)]

    def call(self, x: Any, states: Any) -> Any:
        h = states[0] + (x - states[0]) * self.weights[0]
        return h, [h]

    def step(self, xp: Any, x: Any, state: Any, weights: Any) -> Any:
        return (state[0] + (x - state[0]) * weights[0],), x

    def step_backward(self, xp: Any, dstate: Any, x: Any, state: Any, weights: Any) -> Any:
        (dh,) = dstate
        return (dh * weights[0], xp.sum(dh * (x - state[0]), 0)), (dh - dh * weights[0],)


def test_a_cell_of_ones_own() -> None:
    cell = Leaky()
    layer = L.RNN(cell, return_sequences=True, return_state=True, dtype="float64")
    with mg.trace(layer) as seen:
        x, loss, _ = run(layer)
        loss.backward()
    assert (seen.kind, list(seen.gates), list(seen.states)) == ("Leaky", [], ["s0"])
    np.testing.assert_allclose(sum(seen.ledger["s0"].values()), seen.arrived["s0"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(seen.dx, x.grad.numpy().swapaxes(0, 1), atol=1e-12)
    left = 1 - cell.weights[0].numpy()
    np.testing.assert_allclose(seen.jacobian_norms("s0")[:, 0], [left.max() ** (T - t) for t in range(T + 1)])
    np.testing.assert_allclose(seen.jacobian_norms("s0")[:, 2], 1)


class OnTheTape(L.Layer):
    """A cell without a hand-derived backward pass."""

    state_size = I

    def call(self, x: Any, states: Any) -> Any:
        h = mg.tanh(x + states[0])
        return h, [h]


def _traced(kind: str) -> Any:
    """The same weights and inputs at every call."""
    mg.random.seed(4)
    layer = made(kind)
    with mg.trace(layer) as seen:
        x, loss, ys = run(layer, training=False)
        loss.backward()
    return seen, x, ys


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple"])
def test_on_every_backend(backend: Any, kind: str) -> None:
    """Traced values equal those of the engine on that backend, and those of NumPy's backend."""
    seen, x, ys = _traced(kind)
    name = seen.names[0]
    with mg.using("numpy"):
        expected = _traced(kind)[0]
    for key, value in expected[expected.names[0]].to_dict().items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(seen[name].to_dict()[key], value, rtol=1e-12, atol=1e-12, err_msg=key)
            assert type(seen[name].to_dict()[key]) is np.ndarray
    np.testing.assert_array_equal(seen.outputs, ys[0].numpy().swapaxes(0, 1))
    np.testing.assert_allclose(seen.dx, x.grad.numpy().swapaxes(0, 1), atol=1e-12)
    for state in seen.states:
        np.testing.assert_allclose(sum(seen.ledger[state].values()), seen.arrived[state], rtol=0, atol=1e-12)
        norms = seen.jacobian_norms(state)
        np.testing.assert_allclose(norms, expected.jacobian_norms(state), rtol=1e-9, atol=1e-12)


def test_it_is_free_when_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """No record and no callback without a trace; a layer that was traced runs as before."""
    layer = made("truncated")
    run(layer)
    before = layer.path
    with mg.trace(layer) as seen:
        run(layer)[1].backward()
    watches = [weakref.ref(watch) for watch in seen._watches[seen.names[0]]]
    del seen
    assert watches
    assert [watch() for watch in watches] == [None], "the arrays of a tracer are freed with it"

    def refuse(*_: Any) -> None:
        raise AssertionError("recorded without a trace")

    for name in ("__init__", "record_forward", "recorder", "record_backward"):
        monkeypatch.setattr(Watch, name, refuse)
    asked = []
    monkeypatch.setattr(bptt, "backward", lambda *a, _way=bptt.backward: asked.append(a) or _way(*a))
    run(layer)[1].backward()
    assert layer.path == before
    assert [a[-1] for a in asked] == [None], "the loop has a callback without a trace"


def test_too_early() -> None:
    layer = L.LSTM(2)
    with mg.trace(layer) as seen:
        with pytest.raises(TraceError, match=r"lstm: it has not run\. Call the layer or model inside the `with`"):
            seen.f  # noqa: B018
        layer(mg.ones((1, 2, 2)))
        with pytest.raises(GradientError, match=rf"`dc`{AFTER_BACKWARD}\. Call loss\.backward"):
            seen.dc  # noqa: B018
        with pytest.raises(GradientError, match=f"`dx`{AFTER_BACKWARD}"):
            seen.saliency()
        with pytest.raises(TraceError, match="already"), mg.trace(layer):
            pass


def test_what_is_not_there() -> None:
    layer = L.GRU(2)
    with mg.trace(layer) as seen:
        layer(mg.ones((1, 2, 2)))
    with pytest.raises(TraceError, match="'q'"):
        seen.q  # noqa: B018
    with pytest.raises(TraceError, match="no forget gate"):
        seen.forget_product()
    with pytest.raises(TraceError, match="state"):
        seen.jacobian_norms("c")
    with pytest.raises(ValueError, match="'spectral', 'frobenius', got 'max'"):
        seen.jacobian_norms(norm="max")
    with pytest.raises(TraceError, match="no recurrent layer in"), mg.trace(L.Dense(2)):
        pass
    with pytest.raises(MinigradError, match="expected a layer, a model or a recurrent cell, got 3"), mg.trace(3):
        pass
    for every in (0, -1, 2.5, True):
        with pytest.raises(TraceError, match="`every`"), mg.trace(layer, every=every):
            pass
    for units in ([], [-1], 1.5, "all"):
        with pytest.raises(TraceError, match="`units`"), mg.trace(layer, units=units):
            pass
    with mg.trace(layer, units=[0, 2]) as seen:
        layer(mg.ones((1, 2, 2)))
    with pytest.raises(IndexRangeError, match=f"trace of gru: {UNITS_FROM_0}1, got 2"):
        seen.z  # noqa: B018


def test_what_only_runs_on_the_tape() -> None:
    layer = L.RNN(OnTheTape())
    with mg.trace(layer) as seen:
        layer(mg.ones((1, 2, I)))
    with pytest.raises(TraceError, match="on the tape, op by op: OnTheTape offers no step_backward"):
        seen.h  # noqa: B018
    cell = L.LSTMCell(2)
    with mg.trace(cell) as seen:
        cell(mg.ones((1, 2)), [mg.zeros((1, 2))] * 2)
    with pytest.raises(TraceError, match="Call the layer that runs the cell, or dynamic_rnn"):
        seen.h  # noqa: B018
