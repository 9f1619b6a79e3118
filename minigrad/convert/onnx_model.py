"""Export of one recurrent layer as an ONNX model: a graph of a single node, LSTM or GRU.

    X (time, batch, features)   [sequence_lens (batch,)]   [initial_h, initial_c (directions, batch, units)]
    → Y (time, directions, batch, units), Y_h, [Y_c] (directions, batch, units)

These are ONNX's axes: time first (``np.swapaxes(x, 0, 1)`` of minigrad's inputs), and one axis for the two directions
of a Bidirectional. A layer with `go_backwards` becomes the direction ``"reverse"``, whose Y is in the order of the
inputs; minigrad returns the outputs of such a layer in the order in which they are computed. Past a row's length, Y is
zero and the state keeps its value. For a row of length 0, onnxruntime returns a zero state, even if the initial
state is not zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.convert.gates import to_numpy
from minigrad.convert.levels import (
    Direction,
    Level,
    check_merge_mode,
    check_options,
    check_recurrent_dropout,
    levels,
    weights_of,
)
from minigrad.engine.arguments import flag
from minigrad.engine.errors import DTypeError
from minigrad.engine.foreign import naming
from minigrad.engine.protocol import Array
from minigrad.keras.storage.errors import ConversionError, missing_library
from minigrad.keras.storage.paths import file_name, writing

OPSET = 14  # version of the operators LSTM and GRU; onnxruntime 1.7 and later

# Names in minigrad and in ONNX, with α and β if the operator has them. Here hard_sigmoid is clip(0.2 x + 0.5, 0, 1).
_ACTIVATIONS: dict[str, tuple[str, float | None, float | None]] = {
    "elu": ("Elu", 1.0, None),
    "hard_sigmoid": ("HardSigmoid", 0.2, 0.5),
    "linear": ("Affine", 1.0, 0.0),
    "relu": ("Relu", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "softplus": ("Softplus", None, None),
    "softsign": ("Softsign", None, None),
    "tanh": ("Tanh", None, None),
}


def to_onnx(layer: Any, path: Any, lengths: bool = False, initial_state: bool = False) -> None:
    """Write an LSTM or GRU as an ONNX model of one node, operator set 14.

    Args:
        layer: an LSTM or GRU, an RNN around one cell, a Bidirectional, or a bare cell of any API generation. It must
            have weights. The model has the layer's dtype; onnxruntime runs float32.
        path: the file; an existing one is replaced.
        lengths: whether the model has the input `sequence_lens` (see `sequence_lengths`).
        initial_state: whether the model has the input `initial_h` and, for an LSTM, `initial_c`.

    Raises:
        ConversionError: an option has no counterpart in ONNX.
        DTypeError: `path` is not a path.
        ForeignFileError: the file cannot be written, e.g. because the folder does not exist.
        MissingLibraryError: onnx is not installed.
    """
    name = file_name("to_onnx", path, "The layer comes first, then the file.")
    lengths, initial_state = flag("to_onnx: `lengths`", lengths), flag("to_onnx: `initial_state`", initial_state)
    try:
        import onnx
    except ImportError:
        raise missing_library("to_onnx", "onnx", "onnx") from None
    level = _one_level(layer)
    for direction in level.directions:
        check_options(direction, "ONNX", _ACTIVATIONS, _ACTIVATIONS)
        check_recurrent_dropout(direction, "ONNX")
        if lengths:
            _check_masked_outputs(direction)
    arrays = _arrays(level)
    first = level.directions[0]
    inputs = ["X", *(name if name in arrays else "" for name in ("W", "R", "B"))]
    inputs += ["sequence_lens" if lengths else "", "initial_h" if initial_state else ""]
    outputs = ["Y", "Y_h"]
    if first.kind == "LSTM":
        inputs += ["initial_c" if initial_state else "", "P" if "P" in arrays else ""]
        outputs += ["Y_c"]
    while not inputs[-1]:
        inputs.pop()
    node = onnx.helper.make_node(first.kind, inputs, outputs, **_attributes(level))
    free = [name for name in inputs if name and name not in arrays]
    graph = onnx.helper.make_graph(
        [node],
        first.name,
        [_value(onnx, name, level, arrays["W"]) for name in free],
        [_value(onnx, name, level, arrays["W"]) for name in outputs],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model_gen_version(graph, opset_imports=[opset], producer_name="minigrad")
    onnx.checker.check_model(model, full_check=True)
    with writing(name):
        onnx.save(model, name)


def sequence_lengths(mask: Any) -> Array:
    """Return the lengths of the rows of a mask, (batch,) of int32, for ONNX's `sequence_lens`.

    Args:
        mask: (batch, time) of bools: True for the first steps of a row, then False.

    Raises:
        ConversionError: a row has a hole, or is padded on the left.
        DTypeError: the mask is not of bools.

    >>> sequence_lengths([[True, True, False], [False, False, False]])
    array([2, 0], dtype=int32)
    """
    with naming("sequence_lengths: `mask`"):
        array = to_numpy(mask)
    if array.dtype != np.bool_ or array.ndim != 2:
        raise DTypeError(
            f"sequence_lengths: expected `mask` of bools, (batch, time), got {array.dtype} of shape {array.shape}."
        )
    late = array[:, 1:] & ~array[:, :-1]
    if late.any():
        row = int(np.flatnonzero(late.any(1))[0])
        raise ConversionError(
            f"sequence_lengths: row {row} of the mask is True after a step that is False: a mask with holes, or "
            "padded on the left, cannot be written as lengths. Pad at the end only."
        )
    return array.sum(1, dtype=np.int32)


def _one_level(layer: Any) -> Level:
    found = levels("to_onnx", layer)
    if len(found) != 1:
        raise ConversionError(f"to_onnx: expected one layer, for one node, got {len(found)}. Write one file for each.")
    check_merge_mode("to_onnx", found[0], "ONNX")
    kinds = {(d.kind, d.layout.name, d.units, d.config.get("use_bias", True)) for d in found[0].directions}
    if len(kinds) > 1:
        raise ConversionError(
            "to_onnx: expected two directions of one kind and size, both with a bias or both without, for one node, "
            f"got {' and '.join(f'{d.kind} of {d.units} units' for d in found[0].directions)}."
        )
    return found[0]


def _check_masked_outputs(direction: Direction) -> None:
    """Check that outputs past a row's length are zeros, as in ONNX; Keras' layers repeat the last output."""
    sequences = getattr(direction.layer, "return_sequences", False)
    if sequences and not getattr(direction.layer, "zero_output_for_mask", True):
        raise ConversionError(
            f"{direction.name}: past a row's length ONNX's outputs are zero, and this layer repeats the last one. Make "
            "it with zero_output_for_mask=True, or with return_sequences=False and use Y_h alone."
        )


def _arrays(level: Level) -> dict[str, Array]:
    """The arrays W, R, B and P of all directions."""
    first = level.directions[0]
    dst = "onnx_reset_before" if first.kind == "GRU" and not first.layout.reset_after else "onnx"
    each = [weights_of(direction, dst) for direction in level.directions]
    return {name: np.concatenate([arrays[name] for arrays in each]) for name in each[0]}


def _attributes(level: Level) -> dict[str, Any]:
    """The node's attributes."""
    first = level.directions[0]
    direction = "bidirectional" if len(level.directions) == 2 else "reverse" if first.backwards else "forward"
    functions, alphas, betas = [], [], []
    for d in level.directions:
        φ, σ = _ACTIVATIONS[d.activation("activation")], _ACTIVATIONS[d.activation("recurrent_activation")]
        for function, α, β in (σ, φ, φ) if d.kind == "LSTM" else (σ, φ):
            functions.append(function)
            alphas += [] if α is None else [α]
            betas += [] if β is None else [β]
    attributes = {"hidden_size": first.units, "direction": direction, "activations": functions}
    attributes |= {"activation_alpha": alphas} if alphas else {}
    attributes |= {"activation_beta": betas} if betas else {}
    return attributes | ({"linear_before_reset": int(first.layout.reset_after)} if first.kind == "GRU" else {})


def _value(onnx: Any, name: str, level: Level, W: Array) -> Any:
    """The description of an input or output: its dtype and axes."""
    directions, units, features = len(level.directions), level.directions[0].units, W.shape[2]
    axes: dict[str, list[Any]] = {
        "X": ["time", "batch", features],
        "sequence_lens": ["batch"],
        "Y": ["time", directions, "batch", units],
    }
    dtype = np.dtype(np.int32) if name == "sequence_lens" else W.dtype
    kind = onnx.helper.np_dtype_to_tensor_dtype(dtype)
    return onnx.helper.make_tensor_value_info(name, kind, axes.get(name, [directions, "batch", units]))
