"""Each layout against one step of its framework, written from the framework's documentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minigrad.convert import GRU_LAYOUTS, LSTM_LAYOUTS, relayout, relayout_gru

BATCH, FEATURES, UNITS = 3, 2, 4
numbers = np.random.default_rng(5)
X, H, C = (numbers.normal(size=(BATCH, n)) for n in (FEATURES, UNITS, UNITS))


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def cell(i: Any, f: Any, g: Any, o: Any) -> tuple[Any, Any]:
    c = sigmoid(f) * C + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def keras(w: dict[str, Any]) -> tuple[Any, Any]:
    """keras.layers.LSTMCell: z0, z1, z2, z3 = i, f, c, o."""
    i, f, c, o = np.split(X @ w["kernel"] + H @ w["recurrent_kernel"] + w["bias"], 4, 1)
    return cell(i, f, c, o)


def tf1(w: dict[str, Any]) -> tuple[Any, Any]:
    """rnn_cell.LSTMCell: i = input_gate, j = new_input, f = forget_gate, o = output_gate; forget_bias = 1."""
    i, j, f, o = np.split(np.concatenate([X, H], 1) @ w["kernel"] + w["bias"], 4, 1)
    return cell(i, f + 1.0, j, o)


def torch(w: dict[str, Any]) -> tuple[Any, Any]:
    """nn.LSTM: W_ih = (W_ii | W_if | W_ig | W_io), of shape (4·hidden_size, input_size)."""
    i, f, g, o = np.split(X @ w["weight_ih"].T + w["bias_ih"] + H @ w["weight_hh"].T + w["bias_hh"], 4, 1)
    return cell(i, f, g, o)


def onnx(w: dict[str, Any]) -> tuple[Any, Any]:
    """LSTM: W[iofc], R[iofc], B = [Wb[iofc], Rb[iofc]]."""
    Wb, Rb = np.split(w["B"][0], 2)
    i, o, f, c = np.split(X @ w["W"][0].T + Wb + H @ w["R"][0].T + Rb, 4, 1)
    return cell(i, f, c, o)


def chainer(w: dict[str, Any]) -> tuple[Any, Any]:
    """functions.lstm: rows a, i, f, o of unit 0, then those of unit 1 …"""
    z = (X @ w["upward/W"].T + w["upward/b"] + H @ w["lateral/W"].T).reshape(BATCH, UNITS, 4)
    a, i, f, o = (z[:, :, k] for k in range(4))
    return cell(i, f, a, o)


LSTM_STEPS = {"keras": keras, "tf1": tf1, "torch": torch, "onnx": onnx, "chainer": chainer}


def drawn(layouts: dict[str, Any], name: str) -> dict[str, Any]:
    """Nonzero weights in a layout."""
    gates = len(layouts[name].gates)
    if layouts[name].candidate:
        rows = FEATURES + UNITS
        shapes = {"gates/kernel": (rows, 2 * UNITS), "gates/bias": (2 * UNITS,)}
        shapes |= {"candidate/kernel": (rows, UNITS), "candidate/bias": (UNITS,)}
        return {key: np.random.default_rng(len(key)).normal(size=shape) for key, shape in shapes.items()}
    shapes = {
        "keras": {"kernel": (FEATURES, gates * UNITS), "recurrent_kernel": (UNITS, gates * UNITS)},
        "tf1": {"kernel": (FEATURES + UNITS, gates * UNITS)},
        "torch": {"weight_ih": (gates * UNITS, FEATURES), "weight_hh": (gates * UNITS, UNITS)},
        "onnx": {"W": (1, gates * UNITS, FEATURES), "R": (1, gates * UNITS, UNITS)},
        "chainer": {"upward/W": (gates * UNITS, FEATURES), "lateral/W": (gates * UNITS, UNITS)},
    }[name.partition("_")[0]]
    biases = {"torch": {"bias_ih": 1, "bias_hh": 1}, "onnx": {"B": 2}, "chainer": {"upward/b": 1}}
    bias = biases.get(name.partition("_")[0], {"bias": 1})
    shapes |= {key: (many * gates * UNITS,) for key, many in bias.items()}
    if layouts[name].direction_axis:
        shapes["B"] = (1, 2 * gates * UNITS)
    if layouts[name].state_bias == "stacked":
        shapes["bias"] = (2, gates * UNITS)
    return {key: np.random.default_rng(len(key)).normal(size=shape) for key, shape in shapes.items()}


def test_all_are_tried() -> None:
    assert LSTM_STEPS.keys() == LSTM_LAYOUTS.keys()
    assert GRU_STEPS.keys() == GRU_LAYOUTS.keys()


@pytest.mark.parametrize("src", LSTM_STEPS)
@pytest.mark.parametrize("dst", LSTM_STEPS)
def test_the_moved_weights_compute_the_same_step(src: str, dst: str) -> None:
    weights = drawn(LSTM_LAYOUTS, src)
    for ours, theirs in zip(LSTM_STEPS[src](weights), LSTM_STEPS[dst](relayout(weights, src, dst)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("layout", "letters"), [(layout, layout.letters) for layout in LSTM_LAYOUTS.values()])
def test_the_letters_are_those_of_the_gates(layout: Any, letters: str) -> None:
    candidate = {"tf1": "j", "keras": "c", "torch": "g", "onnx": "c", "chainer": "a"}[layout.name]
    assert letters == ", ".join(layout.gates.replace("g", candidate))


# --- the GRU ----------------------------------------------------------------------------------------------------------


def gru_tf1(w: dict[str, Any]) -> Any:
    """rnn_cell.GRUCell: r, u = split(sigmoid(gates)); c = tanh([x, r h] kernel + bias)."""
    gates = sigmoid(np.concatenate([X, H], 1) @ w["gates/kernel"] + w["gates/bias"])
    r, u = np.split(gates, 2, 1)
    c = np.tanh(np.concatenate([X, r * H], 1) @ w["candidate/kernel"] + w["candidate/bias"])
    return u * H + (1 - u) * c


def gru_keras(w: dict[str, Any]) -> Any:
    """keras.layers.GRUCell, reset_after=True."""
    x_z, x_r, x_h = np.split(X @ w["kernel"] + w["bias"][0], 3, 1)
    h_z, h_r, h_h = np.split(H @ w["recurrent_kernel"] + w["bias"][1], 3, 1)
    z, r = sigmoid(x_z + h_z), sigmoid(x_r + h_r)
    return z * H + (1 - z) * np.tanh(x_h + r * h_h)


def gru_keras_before(w: dict[str, Any]) -> Any:
    """keras.layers.GRUCell, reset_after=False."""
    x_z, x_r, x_h = np.split(X @ w["kernel"] + w["bias"], 3, 1)
    U_z, U_r, U_h = np.split(w["recurrent_kernel"], 3, 1)
    z, r = sigmoid(x_z + H @ U_z), sigmoid(x_r + H @ U_r)
    return z * H + (1 - z) * np.tanh(x_h + (r * H) @ U_h)


def gru_torch(w: dict[str, Any]) -> Any:
    """nn.GRU: W_ih = (W_ir | W_iz | W_in); n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 − z) n + z h."""
    x_r, x_z, x_n = np.split(X @ w["weight_ih"].T + w["bias_ih"], 3, 1)
    h_r, h_z, h_n = np.split(H @ w["weight_hh"].T + w["bias_hh"], 3, 1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    return (1 - z) * np.tanh(x_n + r * h_n) + z * H


def gru_onnx(w: dict[str, Any], linear_before_reset: bool = True) -> Any:
    """GRU: W[zrh], R[zrh], B = [Wb[zrh], Rb[zrh]]."""
    (W_z, W_r, W_h), (R_z, R_r, R_h) = np.split(w["W"][0], 3), np.split(w["R"][0], 3)
    Wb_z, Wb_r, Wb_h, Rb_z, Rb_r, Rb_h = np.split(w["B"][0], 6)
    z = sigmoid(X @ W_z.T + H @ R_z.T + Wb_z + Rb_z)
    r = sigmoid(X @ W_r.T + H @ R_r.T + Wb_r + Rb_r)
    state = r * (H @ R_h.T + Rb_h) if linear_before_reset else (r * H) @ R_h.T + Rb_h
    return (1 - z) * np.tanh(X @ W_h.T + state + Wb_h) + z * H


GRU_STEPS = {
    "keras": gru_keras,
    "tf1": gru_tf1,
    "keras_reset_before": gru_keras_before,
    "torch": gru_torch,
    "onnx": gru_onnx,
    "onnx_reset_before": lambda w: gru_onnx(w, linear_before_reset=False),
}
AFTER = ("keras", "torch", "onnx")
BEFORE = ("tf1", "keras_reset_before", "onnx_reset_before")


@pytest.mark.parametrize(("src", "dst"), [(s, d) for kind in (AFTER, BEFORE) for s in kind for d in kind])
def test_the_moved_weights_of_a_gru_compute_the_same_step(src: str, dst: str) -> None:
    weights = drawn(GRU_LAYOUTS, src)
    moved = relayout_gru(weights, src, dst)
    np.testing.assert_allclose(GRU_STEPS[src](weights), GRU_STEPS[dst](moved), rtol=0, atol=1e-14)
