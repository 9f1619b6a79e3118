"""ONNX models run by onnxruntime: the outputs and states are those of the layer."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from file_errors import NAME_OF_A_FILE
from tool_errors import CLIPS_STATE, NO_PROJECTION

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from convert.recorded import L, draw
from minigrad.compat.v1.nn import rnn_cell
from minigrad.convert import ConversionError, ForeignFileError, MissingLibraryError, relayout, sequence_lengths, to_onnx
from minigrad.convert.onnx_model import OPSET
from minigrad.engine.errors import DTypeError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

BATCH, TIME, FEATURES, UNITS = 4, 6, 3, 5
LENGTHS = np.array([6, 3, 0, 1], np.int32)  # one row is all padding
MASK = np.arange(TIME) < LENGTHS[:, None]
V1 = mg.compat.v1.keras.layers
numbers = np.random.default_rng(8)
X = numbers.normal(size=(BATCH, TIME, FEATURES)).astype(np.float32)


def run(path: Path, lengths: bool = False, states: Any = None, x: Any = X) -> dict[str, Any]:
    """Outputs of onnxruntime with the batch first and the directions apart: Y (directions, batch, time, units)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {"X": x.swapaxes(0, 1)} | ({"sequence_lens": LENGTHS} if lengths else {})
    feed |= dict(zip(("initial_h", "initial_c"), states or (), strict=False))
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, feed), strict=True))
    return {**found, "Y": found["Y"].transpose(1, 2, 0, 3)}


def built(layer: Any, features: int = FEATURES) -> Any:
    layer.build((None, None, features))
    return draw(layer, dtype="float32")


def states_for(name: str, directions: int = 1) -> list[Any]:
    count = 1 if name.startswith("gru") else 2
    return [numbers.normal(size=(directions, BATCH, UNITS)).astype(np.float32) for _ in range(count)]


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(theirs, ours.numpy(), rtol=1e-5, atol=2e-6)


LAYERS: dict[str, Any] = {
    "lstm": lambda **o: L.LSTM(UNITS, **o),
    "lstm_without_bias": lambda **o: L.LSTM(UNITS, use_bias=False, **o),
    "second_generation": lambda **o: V1.LSTM(UNITS, **o),  # with the hard sigmoid
    "rnn_around_a_cell": lambda **o: L.RNN(L.LSTMCell(UNITS), **o),
    "gru": lambda **o: L.GRU(UNITS, **o),
    "gru_reset_before": lambda **o: L.GRU(UNITS, reset_after=False, **o),
    "gru_without_bias": lambda **o: L.GRU(UNITS, use_bias=False, **o),
    "gru_of_the_second_generation": lambda **o: V1.GRU(UNITS, **o),
}


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_one_direction(name: str, backwards: bool, start: bool, lengths: bool, tmp_path: Path) -> None:
    layer = built(
        LAYERS[name](
            return_sequences=True, return_state=True, zero_output_for_mask=True, go_backwards=backwards, name=name
        )
    )
    states = states_for(name) if start else None
    to_onnx(layer, tmp_path / "m.onnx", lengths=lengths, initial_state=start)
    theirs = run(tmp_path / "m.onnx", lengths, states)
    y, *last = layer(X, mask=MASK if lengths else None, initial_state=[s[0] for s in states] if states else None)
    close(mg.flip(y, 1) if backwards else y, theirs["Y"][0])
    rows = LENGTHS > 0 if lengths else np.ones(BATCH, bool)
    for ours, state in zip(last, ("Y_h", "Y_c"), strict=False):
        np.testing.assert_allclose(theirs[state][0][rows], ours.numpy()[rows], rtol=1e-5, atol=2e-6)
        np.testing.assert_array_equal(theirs[state][0][~rows], 0.0)  # where ours is the initial state


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("merge_mode", ["concat", None])
def test_two_directions(name: str, merge_mode: Any, lengths: bool, tmp_path: Path) -> None:
    inner = LAYERS[name](return_sequences=True, return_state=True, name=name)
    layer = built(L.Bidirectional(inner, merge_mode=merge_mode))
    states = states_for(name, directions=2)
    to_onnx(layer, tmp_path / "m.onnx", lengths=lengths, initial_state=True)
    theirs = run(tmp_path / "m.onnx", lengths, states)
    initial = [s[way] for way in range(2) for s in states]
    result = layer(X, mask=MASK if lengths else None, initial_state=initial)
    both = mg.split(result[0], 2, -1) if merge_mode == "concat" else result[:2]
    for way in range(2):
        close(both[way], theirs["Y"][way])
    last = result[-2 * len(states) :]
    rows = LENGTHS > 0 if lengths else np.ones(BATCH, bool)
    for k, state in enumerate(("Y_h", "Y_c")[: len(states)]):
        for way in range(2):
            ours = last[way * len(states) + k].numpy()
            np.testing.assert_allclose(theirs[state][way][rows], ours[rows], rtol=1e-5, atol=2e-6)


ACTIVATIONS = ["elu", "hard_sigmoid", "linear", "relu", "sigmoid", "softplus", "softsign", "tanh"]


@pytest.mark.parametrize("gates", ["sigmoid", "hard_sigmoid", "tanh"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", [L.LSTM, L.GRU])
def test_activations(kind: Any, activation: str, gates: str, tmp_path: Path) -> None:
    layer = built(kind(UNITS, activation=activation, recurrent_activation=gates, return_sequences=True))
    to_onnx(layer, tmp_path / "m.onnx")
    theirs = run(tmp_path / "m.onnx")["Y"][0]
    ours = layer(X).numpy()
    np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-4 * np.abs(ours).max())


def test_two_directions_with_activations_of_their_own(tmp_path: Path) -> None:
    """Three functions for each direction, with α and β in their order."""
    forward = L.LSTM(UNITS, activation="elu", recurrent_activation="hard_sigmoid", return_sequences=True)
    backward = L.LSTM(UNITS, activation="linear", return_sequences=True, go_backwards=True)
    layer = built(L.Bidirectional(forward, backward_layer=backward))
    to_onnx(layer, tmp_path / "m.onnx")
    theirs = run(tmp_path / "m.onnx")["Y"]
    for way, ours in enumerate(mg.split(layer(X), 2, -1)):
        close(ours, theirs[way])


@settings(deadline=None)  # onnxruntime loads a model each time: the time is that of the machine
@given(
    st.integers(1, 4), st.integers(1, 5), st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**32 - 1), st.booleans()
)
def test_any_sizes(batch: int, time: int, features: int, units: int, seed: int, start: bool) -> None:
    generator = np.random.default_rng(seed)
    layer = L.LSTM(units, return_sequences=True, return_state=True)
    layer.build((None, None, features))
    draw(layer, seed, "float32")
    x = generator.normal(size=(batch, time, features)).astype(np.float32)
    states = [generator.normal(size=(1, batch, units)).astype(np.float32) for _ in range(2)] if start else None
    with tempfile.TemporaryDirectory() as folder:
        to_onnx(layer, Path(folder) / "m.onnx", initial_state=start)
        theirs = run(Path(folder) / "m.onnx", states=states, x=x)
    y, h, c = layer(x, initial_state=[s[0] for s in states] if states else None)
    for ours, output in ((y, theirs["Y"]), (h, theirs["Y_h"]), (c, theirs["Y_c"])):
        close(ours, output[0])


def first_generation(**options: Any) -> Any:
    cell = rnn_cell.LSTMCell(UNITS, dtype="float32", **options)
    cell.build((None, FEATURES))
    return draw(cell, dtype="float32")


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -2.0])
@pytest.mark.parametrize("peepholes", [True, False])
def test_the_first_generation_with_peepholes_and_an_added_forget_bias(
    peepholes: bool, forget_bias: float, tmp_path: Path
) -> None:
    cell = first_generation(use_peepholes=peepholes, forget_bias=forget_bias)
    to_onnx(cell, tmp_path / "m.onnx", initial_state=True)
    states = [numbers.normal(size=(1, BATCH, UNITS)).astype(np.float32) for _ in range(2)]
    theirs = run(tmp_path / "m.onnx", states=states)
    state = rnn_cell.LSTMStateTuple(c=states[1][0], h=states[0][0])
    for t in range(TIME):
        y, state = cell(X[:, t], state)
        close(y, theirs["Y"][0][:, t])
    close(state.h, theirs["Y_h"][0])
    close(state.c, theirs["Y_c"][0])


def test_the_gru_of_the_first_generation(tmp_path: Path) -> None:
    cell = rnn_cell.GRUCell(UNITS, dtype="float32")
    cell.build((None, FEATURES))
    to_onnx(draw(cell, dtype="float32"), tmp_path / "m.onnx")
    theirs = run(tmp_path / "m.onnx")
    state = cell.zero_state(BATCH, "float32")
    for t in range(TIME):
        y, state = cell(X[:, t], state)
        close(y, theirs["Y"][0][:, t])


def test_the_model_is_one_node_of_the_stated_operator_set(tmp_path: Path) -> None:
    to_onnx(built(L.LSTM(UNITS, name="encoder")), tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    assert [node.op_type for node in model.graph.node] == ["LSTM"]
    assert [(o.domain, o.version) for o in model.opset_import] == [("", OPSET)]
    assert model.graph.name == "encoder"
    assert [v.name for v in model.graph.input] == ["X"]
    assert [v.name for v in model.graph.output] == ["Y", "Y_h", "Y_c"]
    assert {t.name: tuple(t.dims) for t in model.graph.initializer} == {"W": (1, 20, 3), "R": (1, 20, 5), "B": (1, 40)}
    onnx.checker.check_model(model, full_check=True)


def test_float64_stays_float64(tmp_path: Path) -> None:
    layer = L.LSTM(UNITS, dtype="float64")
    layer.build((None, None, FEATURES))
    to_onnx(layer, tmp_path / "m.onnx")
    (kernel, *_) = onnx.load(tmp_path / "m.onnx").graph.initializer
    expected = relayout(layer.get_weights(), "keras", "onnx")["W"]
    np.testing.assert_array_equal(onnx.numpy_helper.to_array(kernel), expected)


# --- options without a counterpart ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            L.LSTM(2, activation="selu"),
            "activation='selu' has no counterpart in ONNX, whose LSTM has elu or hard_sigmoid",
        ),
        (L.LSTM(2, recurrent_dropout=0.1), "recurrent_dropout=0.1 has no counterpart in ONNX"),
        (L.Bidirectional(L.LSTM(2), merge_mode="mul"), "merge_mode='mul' has no counterpart in ONNX"),
        (L.RNN([L.LSTMCell(2), L.LSTMCell(2)]), "expected one layer, for one node, got 2"),
        (
            L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(3, go_backwards=True)),
            "two directions of one kind and size.*got LSTM of 2 units and LSTM of 3 units",
        ),
        (L.SimpleRNN(2), "got SimpleRNNCell"),
    ],
)
def test_what_has_no_counterpart(layer: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=message):
        to_onnx(built(layer), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell_clip": 3.0}, f"cell_clip=3.0 has no counterpart in ONNX: {CLIPS_STATE}.*the gates' inputs"),
        ({"num_proj": 2, "proj_clip": 3.0}, r"proj_clip=3.0 has no counterpart in ONNX: it clips the projected output"),
        ({"num_proj": 2}, f"{NO_PROJECTION}'onnx'"),
    ],
)
def test_what_of_the_first_generation_has_no_counterpart(options: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=message):
        to_onnx(first_generation(**options), tmp_path / "m.onnx")


def test_repeated_outputs_have_no_counterpart_in_lengths(tmp_path: Path) -> None:
    layer = built(L.LSTM(2, return_sequences=True, name="encoder"))
    with pytest.raises(ConversionError, match="encoder: past a row's length ONNX's outputs are zero"):
        to_onnx(layer, tmp_path / "m.onnx", lengths=True)
    to_onnx(built(L.LSTM(2)), tmp_path / "m.onnx", lengths=True)


def test_lengths_of_a_mask() -> None:
    np.testing.assert_array_equal(sequence_lengths(MASK), LENGTHS)
    np.testing.assert_array_equal(sequence_lengths(mg.tensor(MASK)), LENGTHS)
    assert sequence_lengths(MASK).dtype == np.int32


@pytest.mark.parametrize("row", [[True, False, True], [False, True, True], [False, False, True]])
def test_a_mask_with_holes_has_no_lengths(row: list[bool]) -> None:
    with pytest.raises(
        ConversionError, match=r"row 1 of the mask is True after.*a mask with holes, or padded on the left"
    ):
        sequence_lengths([[True, True, False], row])


@pytest.mark.parametrize("mask", [np.ones((2, 3)), np.ones(3, bool)])
def test_a_mask_that_is_none(mask: Any) -> None:
    with pytest.raises(DTypeError, match=r"expected `mask` of bools, \(batch, time\), got"):
        sequence_lengths(mask)


def test_without_onnx_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'minigrad-bptt\[onnx\]'"):
        to_onnx(built(L.LSTM(2)), tmp_path / "m.onnx")


def test_a_path_that_is_none_and_a_folder_that_is_missing(tmp_path: Path) -> None:
    layer = built(L.LSTM(2))
    for path in (3, None, L.LSTM(2)):
        with pytest.raises(DTypeError, match=f"to_onnx: {NAME_OF_A_FILE}(3|None|LSTM)"):
            to_onnx(layer, path)
    with pytest.raises(ForeignFileError, match=r"missing/a\.onnx: cannot be written: No such file"):
        to_onnx(layer, tmp_path / "missing" / "a.onnx")
