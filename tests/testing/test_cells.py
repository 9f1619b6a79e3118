"""`check_cell` notices a fault of a thousandth and names its argument; `on_tape` runs any cell op by op."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat import v1
from minigrad.compat.v1.nn import rnn_cell as rc
from minigrad.engine.errors import GradientCheckError, MinigradError
from minigrad.keras import layers as L
from minigrad.recurrent import GRU, LSTM, LSTMP, Equations, EquationsError, GRUResetBefore, SimpleRNN
from minigrad.testing import check_cell, on_tape
from recurrent.odd_cells import CELLS

BUILT_IN = (LSTM, LSTMP, GRU, GRUResetBefore, SimpleRNN)
BATCH, TIME, FEATURES = 2, 3, 4
X = np.random.default_rng(0).standard_normal((BATCH, TIME, FEATURES))


@pytest.mark.parametrize("equations", BUILT_IN, ids=lambda e: e.__name__)
def test_the_built_in_cells(equations: type[Equations]) -> None:
    for seed in range(3):
        check_cell(equations, seed=seed)
    check_cell(equations, "relu", "hard_sigmoid")
    check_cell(equations, "softmax", "swish")
    if equations is LSTMP:
        check_cell(LSTMP, cell_clip=0.3, proj_clip=0.2, forget_bias=0.0)
        check_cell(LSTMP, P=None, w_i=None, w_f=None, w_o=None)


@pytest.mark.parametrize("equations", CELLS, ids=lambda e: e.__name__)
def test_cells_of_any_kind(equations: type[Equations]) -> None:
    check_cell(equations, **CELLS[equations])


# What stands in a built-in backward, the same a thousandth larger, and the argument whose gradient it is.
FAULTS = {
    "z_i": (LSTM, "dsigma(di, i)", "1.001 * dsigma(di, i)"),
    "z_f": (LSTM, "dc * c, ", "1.001 * dc * c, "),
    "z_g": (LSTM, "dphi(dg, g)", "dphi(1.001 * dg, g)"),
    "z_o": (LSTM, "do = dh * a", "do = dh * a * 1.001"),
    "c": (LSTM, ", dc * f", ", 1.001 * dc * f"),
    "z": (SimpleRNN, "dphi(dh, h_new)", "1.001 * dphi(dh, h_new)"),
    "h_g": (GRU, "ds_g * r,", "1.001 * ds_g * r,"),
    "h": (GRU, "dh * z", "1.001 * dh * z"),
    "w_o": (LSTMP, "dz_o * c_now", "1.001 * dz_o * c_now"),
    "P": (LSTMP, "dp = dclip(dm, m_new, proj_clip)", "dp = 1.001 * dclip(dm, m_new, proj_clip)"),
}


def changed(equations: type[Equations], there: str, instead: str, folder: Path) -> type[Equations]:
    """The cell with another text, from a file of its own."""
    text = Path(__import__(equations.__module__, fromlist=["x"]).__file__).read_text("utf-8")
    assert text.count(there) == 1, there
    file = folder / "faulty.py"
    file.write_text(text.replace(there, instead), "utf-8")
    space: dict[str, Any] = {"__name__": "faulty"}
    exec(compile(file.read_text("utf-8"), file, "exec"), space)
    return space[equations.__name__]


@pytest.mark.parametrize("argument", FAULTS)
def test_a_fault_of_a_thousandth_is_named(argument: str, tmp_path: Path) -> None:
    equations, there, instead = FAULTS[argument]
    faulty = changed(equations, there, instead, tmp_path)
    with pytest.raises(GradientCheckError) as caught:
        check_cell(faulty)
    said = re.fullmatch(
        rf"check_cell: {equations.__name__}\.backward: ∂loss/∂(\w+): at \([\d, ]+\) it returns (\S+), the derived "
        r"gradient is (\S+); they differ by (\S+) \(allowed: \S+\)\.",
        str(caught.value),
    )
    assert said, str(caught.value)
    first = {"P": "z_i"}.get(argument, argument)  # whatever passes through P is wrong too; z_i is the first of it
    assert said[1] == first
    by_hand, derived, error = (float(number.rstrip(";,")) for number in said.groups()[1:])
    assert error == pytest.approx(abs(by_hand - derived), rel=1e-2)
    check_cell(faulty, rtol=0.01)


def test_a_sign_and_a_nan() -> None:
    class Wrong(SimpleRNN):
        def backward(dh, h_new):
            return -dh

    class NoNumber(SimpleRNN):
        def backward(dh, h_new):
            return dh / (h_new - h_new)

    with pytest.raises(GradientCheckError, match="∂loss/∂z"):
        check_cell(Wrong)
    with np.errstate(all="ignore"), pytest.raises(GradientCheckError, match=r"∂loss/∂z.*(nan|inf)"):
        check_cell(NoNumber)


def test_what_cannot_be_read_is_said_as_everywhere() -> None:
    class Short(SimpleRNN):
        def backward(dh):
            return dh, dh

    with pytest.raises(EquationsError, match="expected a gradient for each of z, got 2"):
        check_cell(Short)
    with pytest.raises(MinigradError, match="unknown"):
        check_cell(LSTM, "tanhh")


# --- on_tape ----------------------------------------------------------------------------------------------------------


def model() -> Any:
    return mg.keras.Sequential([L.LSTM(3, return_sequences=True), L.Dense(2), L.GRU(2)])


HOLDERS: dict[str, Callable[[], Any]] = {
    "layer": lambda: L.LSTM(3),
    "unrolled": lambda: L.GRU(3, unroll=True),
    "stack": lambda: L.RNN([L.LSTMCell(3), L.GRUCell(2, reset_after=False)]),
    "both ways": lambda: L.Bidirectional(L.SimpleRNN(3, return_sequences=True)),
    "model": model,
    "first generation": lambda: L.RNN(rc.LSTMCell(3, use_peepholes=True, num_proj=2, dtype="float32")),
    "equations": lambda: L.RNN(L.EquationCell(LSTM, 3)),
}


def gradients(layer: Any) -> list[np.ndarray]:
    x = mg.tensor(X.astype("float32"), requires_grad=True)
    y = layer(x)
    found = mg.grad((y * y).sum(), [x, *layer.trainable_weights])
    return [y.numpy(), *(g.numpy() for g in found)]


def recurrent_layers(layer: Any) -> list[Any]:
    if isinstance(layer, L.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    return [part for part in getattr(layer, "layers", [layer]) if isinstance(part, L.RNN)]


@pytest.mark.usefixtures("fresh_variables")
@pytest.mark.parametrize("name", HOLDERS)
def test_whatever_holds_a_cell_runs_op_by_op(name: str) -> None:
    layer = HOLDERS[name]()
    by_hand = gradients(layer)
    assert all(part.path.startswith("explicit BPTT") for part in recurrent_layers(layer))
    with on_tape(layer):
        taped = gradients(layer)
        assert recurrent_layers(layer)
        assert [part.path for part in recurrent_layers(layer)] == [
            "tape, op by op: mg.testing.on_tape" for _ in recurrent_layers(layer)
        ]
    for one, other in zip(by_hand, taped, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    layer(mg.tensor(X.astype("float32")))
    assert all(part.path.startswith("explicit BPTT") for part in recurrent_layers(layer))  # outside it is as before


@pytest.mark.usefixtures("fresh_variables")
@pytest.mark.parametrize("cell", [lambda: L.GRUCell(4), lambda: rc.LSTMCell(4), lambda: L.EquationCell(LSTM, 4)])
def test_a_cell_called_by_hand(cell: Callable[[], Any]) -> None:
    """One node outside, some twenty inside."""
    made = cell()
    x = mg.tensor(X[:, 0].astype("float32"))
    state = made.get_initial_state(batch_size=BATCH, dtype="float32")
    output, _ = made(x, state)
    with on_tape(made):
        taped, _ = made(x, state)
    np.testing.assert_allclose(output.numpy(), taped.numpy(), rtol=1e-5, atol=1e-6)
    assert output.node.op.__name__ == "StepOp"
    assert taped.node.op.__name__ != "StepOp"


def test_an_error_inside_ends_it() -> None:
    layer = L.LSTM(3)
    with pytest.raises(RuntimeError, match="mine"), on_tape(layer):
        raise RuntimeError("mine")
    layer(X)
    assert layer.path.startswith("explicit BPTT")


def test_inside_one_another() -> None:
    one, other = L.LSTM(3), L.GRU(3)
    with on_tape(one):
        with on_tape(other):
            one(X), other(X)
        assert "on_tape" in one.path
        assert "on_tape" in other.path
        one(X), other(X)
        assert "on_tape" in one.path
        assert "on_tape" not in other.path


@pytest.mark.parametrize("wrong", [3, "lstm", None, L.Dense, mg.ones((2,))])
def test_what_holds_no_cell(wrong: Any) -> None:
    with pytest.raises(MinigradError, match="on_tape: expected a recurrent layer or cell, or a model that holds some"):
        on_tape(wrong)
    with pytest.raises(MinigradError, match="expected a recurrent layer or cell"):
        on_tape(L.Dense(2))


def test_dynamic_rnn_on_tape() -> None:
    v1.reset_default_graph()
    cell = rc.GRUCell(3)
    with on_tape(cell):
        v1.nn.dynamic_rnn(cell, X.astype("float32"), dtype="float32")
    assert cell.path == "tape, op by op: mg.testing.on_tape"
    v1.reset_default_graph()
