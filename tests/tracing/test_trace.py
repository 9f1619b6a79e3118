"""What `mg.trace` shows: the engine's own numbers, the ledger, Jacobians against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import tracing
from minigrad.compat.v1 import nn, reset_default_graph
from minigrad.errors import GradientError, MinigradError
from minigrad.keras import layers as L
from minigrad.recurrent.watch import watching
from minigrad.tracing import reading
from minigrad.tracing.trace import TraceError

B, T, I, H = 3, 5, 4, 3
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)  # a hole; a fully masked row

LAYERS: dict[str, Any] = {
    "lstm": lambda **o: L.LSTM(H, **o),
    "lstm of another activation": lambda **o: L.LSTM(H, activation="gelu", recurrent_activation="hard_sigmoid", **o),
    "lstm with recurrent dropout": lambda **o: L.LSTM(H, recurrent_dropout=0.3, dropout=0.2, **o),
    "second generation": lambda **o: mg.compat.v1.keras.layers.LSTM(H, **o),
    "gru": lambda **o: L.GRU(H, **o),
    "gru that resets before": lambda **o: L.GRU(H, reset_after=False, recurrent_dropout=0.3, **o),
    "simple": lambda **o: L.SimpleRNN(H, **o),
    "truncated": lambda **o: L.LSTM(H, tbptt=(2, 3), **o),
}


@pytest.fixture(autouse=True)
def _fresh_graph():
    reset_default_graph()
    yield
    assert not watching, "somebody is still being watched"


def run(layer: Any, masked: bool = True, training: bool = True) -> tuple[mg.Tensor, mg.Tensor, Any]:
    """x, the loss under random cotangents of all outputs, and the outputs."""
    rng = np.random.default_rng(3)
    x = mg.tensor(rng.standard_normal((B, T, I)), requires_grad=True)
    ys = layer(x, mask=mg.tensor(MASK) if masked else None, training=training)
    loss = sum(((y * rng.standard_normal(y.shape)).sum() for y in ys), start=mg.tensor(0.0, dtype="float64"))
    return x, loss, ys


def made(kind: str, **options: Any) -> Any:
    return LAYERS[kind](return_sequences=True, return_state=True, dtype="float64", **options)


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("masked", [False, True])
def test_the_ways_sum_to_the_whole(kind: str, masked: bool) -> None:
    layer = made(kind)
    with mg.trace(layer) as seen:
        run(layer, masked)[1].backward()
    for state, ways in seen.ledger.items():
        assert "held" in ways if masked else "held" not in ways
        np.testing.assert_allclose(sum(ways.values()), seen.arrived[state], rtol=0, atol=1e-12)
        assert all(np.abs(share).max() > 0 for share in ways.values())


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


def test_the_equations_hold() -> None:
    """Every letter means what the formulas of `lstm_step` say."""
    layer = made("lstm")
    with mg.trace(layer) as seen:
        run(layer, masked=False)[1].backward()
    W, U, b = layer.get_weights()
    σ = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    z_i, z_f, z_g, z_o = np.split(seen.x @ W + seen.h[:-1] @ U + b, 4, -1)
    for letter, expected in {"i": σ(z_i), "f": σ(z_f), "g": np.tanh(z_g), "o": σ(z_o)}.items():
        np.testing.assert_allclose(getattr(seen, letter), expected, atol=1e-12)
    np.testing.assert_allclose(seen.c[1:], seen.f * seen.c[:-1] + seen.i * seen.g, atol=1e-12)
    np.testing.assert_allclose(seen.a, np.tanh(seen.c[1:]), atol=1e-12)
    np.testing.assert_allclose(seen.h[1:], seen.o * seen.a, atol=1e-12)
    np.testing.assert_allclose(seen.outputs, seen.h[1:], atol=1e-12)
    dc = seen.dc[1:] + seen.dh[1:] * seen.o * (1 - seen.a**2)
    np.testing.assert_allclose(seen.dz_f, dc * seen.c[:-1] * seen.f * (1 - seen.f), atol=1e-12)
    np.testing.assert_allclose(seen.ledger["c"]["carousel"], dc * seen.f, atol=1e-12)
    np.testing.assert_allclose(seen.dc[:-1], seen.arrived["c"], atol=1e-12)


@pytest.mark.parametrize("kind", ["lstm", "gru", "simple"])
@pytest.mark.parametrize("state", ["h", "c"])
def test_jacobians_are_finite_differences(kind: str, state: str) -> None:
    """∂s_T/∂s_t: disturb the state before step t and run the rest again."""
    if state == "c" and kind != "lstm":
        pytest.skip("it has no c")
    layer = made(kind)
    with mg.trace(layer) as seen:
        run(layer, training=False)
    names = list(seen.states)
    place, ε = names.index(state), 1e-5
    norms = seen.jacobian_norms(state)
    assert norms.shape == (T + 1, B)
    np.testing.assert_array_equal(norms[-1], 1.0)
    for t in range(T):
        J = np.empty((B, H, H))
        for k in range(H):
            ends = []
            for sign in (1, -1):
                states = [seen.states[s][t].copy() for s in names]
                states[place][:, k] += sign * ε
                x, mask = seen.x[t:].swapaxes(0, 1), MASK[:, t:]
                ends.append(layer(x, initial_state=states, mask=mg.tensor(mask))[1 + place].numpy())
            J[:, :, k] = (ends[0] - ends[1]) / (2 * ε)
        np.testing.assert_allclose(norms[t], np.linalg.norm(J, 2, axis=(1, 2)), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(seen.jacobian_norms(state, norm="frobenius")[-1], np.sqrt(H))


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
    assert layer.path == "tape, op by op: unroll=True"


@pytest.mark.parametrize(
    "options", [{}, {"use_peepholes": True}, {"num_proj": 2, "use_peepholes": True, "cell_clip": 0.3}]
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
    with pytest.raises(TraceError, match=r"`f` of which layer\? There are forward_lstm"):
        seen.f  # noqa: B018


def test_every_run_is_there() -> None:
    layer = L.LSTM(2, stateful=True)
    with mg.trace(layer) as seen:
        layer(mg.ones((1, 3, 2)))
        layer(mg.ones((1, 4, 2)))
    first, second = seen.runs()
    assert (len(first.f), len(second.f)) == (3, 4)
    np.testing.assert_array_equal(second.c[0], first.c[-1])


def test_fewer_steps_and_units(tmp_path: Any) -> None:
    layer = L.LSTM(4)
    with mg.trace(layer) as whole:
        layer(mg.ones((2, 7, 3))).sum().backward()
    with mg.trace(layer, every=3, units=[1, 3]) as some:
        layer(mg.ones((2, 7, 3))).sum().backward()
    np.testing.assert_array_equal(some.f, whole.f[::3][..., [1, 3]])
    np.testing.assert_array_equal(some.dz_o, whole.dz_o[::3][..., [1, 3]])
    np.testing.assert_array_equal(some.c, whole.c[[0, 3, 6, 7]][..., [1, 3]])
    with pytest.raises(TraceError, match="the product wants every gate, this has every 3th"):
        some.forget_product()


def test_saved_and_loaded(tmp_path: Any) -> None:
    layer = made("gru")
    with mg.trace(layer) as seen:
        run(layer)[1].backward()
    before = seen[layer.name]
    before.save(tmp_path / "trace.npz")
    after = tracing.Trace.load(tmp_path / "trace.npz")
    assert after.to_dict().keys() == before.to_dict().keys()
    for key, value in before.to_dict().items():
        np.testing.assert_array_equal(after.to_dict()[key], value)
    np.testing.assert_array_equal(after.dz_r, before.dz_r)
    assert repr(after) == "Trace(gru: gru, 5 steps, batch 3, 3 units, with gradients)"


def test_what_gates_alone_would_leave() -> None:
    layer = made("lstm")
    with mg.trace(layer) as seen:
        run(layer)
    left = seen.forget_product()
    np.testing.assert_array_equal(left[-1], 1.0)
    np.testing.assert_array_equal(left[:, 2], 1.0)  # the row that rests throughout
    np.testing.assert_allclose(left[0, 0], np.prod(seen.f[:, 0], axis=0))


def test_second_derivatives_leave_no_trace_of_their_own() -> None:
    layer = made("lstm")
    with mg.trace(layer) as seen:
        x, loss, _ = run(layer)
        (dx,) = mg.grad([loss], [x], create_graph=True)
        with pytest.raises(GradientError):
            seen.dh  # noqa: B018
        (dx**2).sum().backward()


def test_on_every_backend(backend: Any) -> None:
    layer = L.LSTM(3, return_sequences=True, dtype="float64")
    x = mg.tensor(np.random.default_rng(0).standard_normal((B, T, I)), requires_grad=True)
    with mg.trace(layer) as seen:
        (layer(x, mask=mg.tensor(MASK)) ** 2).sum().backward()
    np.testing.assert_allclose(sum(seen.ledger["h"].values()), seen.arrived["h"], atol=1e-12)
    np.testing.assert_allclose(seen.dx, x.grad.numpy().swapaxes(0, 1), atol=1e-12)
    assert seen.jacobian_norms("c").shape == (T + 1, B)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_too_early() -> None:
    layer = L.LSTM(2)
    with mg.trace(layer) as seen:
        with pytest.raises(TraceError, match="lstm: it has not run"):
            seen.f  # noqa: B018
        layer(mg.ones((1, 2, 2)))
        with pytest.raises(GradientError, match=r"`dc` is known after the way back\. Call loss\.backward\(\) inside"):
            seen.dc  # noqa: B018
        with pytest.raises(GradientError, match="requires_grad=True"):
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
    with pytest.raises(ValueError, match="'spectral' or 'frobenius', got 'max'"):
        seen.jacobian_norms(norm="max")
    with pytest.raises(TraceError, match="no recurrent layer in"), mg.trace(L.Dense(2)):
        pass
    with pytest.raises(MinigradError, match="expected a layer, a model or a recurrent cell, got 3"), mg.trace(3):
        pass
    with pytest.raises(TraceError, match="`every`"), mg.trace(layer, every=0):
        pass


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LIMIT", 1000)
    layer = L.LSTM(2)
    with mg.trace(layer) as seen:
        layer(mg.ones((4, 10, 2)))
    with pytest.raises(reading.TooLargeError, match=r"10 steps, batch 4, 2 units would take 0.0 GiB. Take fewer steps"):
        seen.f  # noqa: B018
