"""Levels of a stack of recurrent layers, as other frameworks count them, each of one direction or two.

A level of PyTorch's ``nn.LSTM(num_layers=2, bidirectional=True)``, or a node of ONNX, corresponds in minigrad to an
LSTM layer, a Bidirectional around one, one cell of a stack, or a bare cell of any API generation.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from minigrad.compat.v1.keras.layers import GRUCell, LSTMCell
from minigrad.compat.v1.nn import rnn_cell
from minigrad.convert.layouts import GRU_LAYOUTS, LSTM_LAYOUTS, GateLayout
from minigrad.convert.relayout import change_layout
from minigrad.engine.errors import ShapeError
from minigrad.engine.protocol import Array
from minigrad.keras.storage.errors import ConversionError
from minigrad.layers import activations
from minigrad.layers.layer import Layer
from minigrad.layers.rnn import RNN
from minigrad.layers.wrappers import Bidirectional

Kind = Literal["LSTM", "GRU"]


class Direction(NamedTuple):
    """One cell, and the direction in which it reads the sequence."""

    cell: Any
    layer: Any  # the recurrent layer around it, or the cell itself
    kind: Kind
    layout: GateLayout
    config: dict[str, Any]
    backwards: bool

    @property
    def name(self) -> str:
        """Name of the layer, for messages."""
        return str(getattr(self.layer, "name", type(self.layer).__name__))

    @property
    def units(self) -> int:
        """Size of the cell state."""
        return int(self.config.get("units") or self.config["num_units"])

    @property
    def outputs(self) -> int:
        """Size of the output: `units`, or the size of the projection."""
        return int(self.config.get("num_proj") or self.units)

    def activation(self, name: str) -> str:
        """Return the name of the cell's `activation` or `recurrent_activation`."""
        function = getattr(self.cell, name, None)
        if callable(function) and activations.rule(function) is None:
            return f"{activations.serialize(function)}, a custom function"
        return str(self.config.get(name, "sigmoid"))  # of the first generation's gates


class Level(NamedTuple):
    """One level of a stack: one direction, or forward and backward."""

    directions: tuple[Direction, ...]
    merge_mode: str | None = "concat"


def levels(where: str, target: Any) -> list[Level]:
    """Return the levels of a layer, cell, model or list of them, from the lowest up.

    Raises:
        ConversionError: a part is not an LSTM or GRU, or is wrapped in a way that other frameworks do not have.
    """
    if isinstance(target, (list, tuple)):
        try:
            return [level for part in target for level in levels(where, part)]
        except RecursionError:
            raise ConversionError(
                f"{where}: expected as `target` or `layer` a layer, a cell or a list of them, got a list that contains "
                "itself, or too many levels."
            ) from None
    if isinstance(target, Bidirectional):
        return [_bidirectional(where, target)]
    if isinstance(target, RNN):
        return [Level((d,)) for d in _directions(where, target.cell, target)]
    if hasattr(target, "layers"):
        return levels(where, list(target.layers))
    return [Level((d,)) for d in _directions(where, target, target)]


def _bidirectional(where: str, target: Bidirectional) -> Level:
    pair = [_directions(where, layer.cell, layer) for layer in (target.forward_layer, target.backward_layer)]
    if any(len(cells) > 1 for cells in pair):
        raise ConversionError(
            f"{where}: {target.name} runs one whole stack in each direction; in other frameworks each level reads "
            "both directions of the level below. Wrap each layer in its own Bidirectional."
        )
    forward, backward = (cells[0] for cells in pair)
    if forward.backwards:
        raise ConversionError(
            f"{where}: the first layer of {target.name} has go_backwards=True; in other frameworks the first of two "
            "directions is the forward one. Wrap a layer with go_backwards=False."
        )
    return Level((forward, backward), target.merge_mode)


def _directions(where: str, cell: Any, layer: Any) -> list[Direction]:
    if hasattr(cell, "cells"):  # StackedRNNCells, MultiRNNCell
        return [d for part in cell.cells for d in _directions(where, part, part if cell is layer else layer)]
    backwards = bool(getattr(layer, "go_backwards", False))
    config = cell.get_config() if isinstance(cell, Layer) else {}
    found = kind_and_layout(cell)
    if found is not None:
        return [Direction(cell, layer, *found, config, backwards)]
    named = getattr(cell, "name", None)
    argument = "layer" if where == "to_onnx" else "target"
    raise ConversionError(
        f"{where}: expected `{argument}` of LSTM or GRU layers or cells, got {type(cell).__name__}"
        f"{f' {named!r}' if named else ''}. Pass a list of the recurrent layers alone."
    )


def kind_and_layout(cell: Any) -> tuple[Kind, GateLayout] | None:
    """Return the kind of a cell, LSTM or GRU, and the layout of its weights; None for any other object."""
    if isinstance(cell, LSTMCell):
        return "LSTM", LSTM_LAYOUTS["keras"]
    if isinstance(cell, GRUCell):
        return "GRU", GRU_LAYOUTS["keras" if cell.reset_after else "keras_reset_before"]
    if isinstance(cell, (rnn_cell.BasicLSTMCell, rnn_cell.LSTMCell)):
        return "LSTM", LSTM_LAYOUTS["tf1"]
    if isinstance(cell, rnn_cell.GRUCell):
        return "GRU", GRU_LAYOUTS["tf1"]
    return None


# --- reading and setting weights --------------------------------------------------------------------------------------


def weights_of(direction: Direction, dst: str) -> dict[str, Array]:
    """Return the cell's weights in another layout; the bias includes a forget bias that is added at call.

    Raises:
        ConversionError: the cell has no weights yet, or they cannot be converted.
    """
    weights = direction.cell.get_weights()
    if not weights:
        raise ConversionError(
            f"{direction.name}: has no weights yet. Call the layer on data first, or build(input_shape)."
        )
    return change_layout(direction.name, direction.kind, weights, direction.layout, dst, _forget_bias(direction))


def converted_weights(direction: Direction, weights: dict[str, Array], src: str) -> list[Array]:
    """Return weights of another layout as the list that the cell's `set_weights` takes.

    Raises:
        ConversionError: the weights need a bias, peepholes or a projection that the cell does not have.
    """
    arrays = change_layout(direction.name, direction.kind, weights, src, direction.layout, _forget_bias(direction))
    uses_bias, bias = direction.config.get("use_bias", True), direction.layout.bias
    if not uses_bias and arrays.pop(bias, None) is not None:
        raise ConversionError(f"{direction.name}: was made with use_bias=False, but the weights have a bias.")
    if uses_bias and bias not in arrays:  # a bias of zeros changes nothing
        kernel = arrays[direction.layout.kernel]
        columns = kernel.shape[1]
        stacked = direction.layout.state_bias == "stacked"
        arrays[bias] = np.zeros((2, columns) if stacked else (columns,), kernel.dtype)
    return list(arrays.values())


def set_weights_together(where: str, new: Sequence[tuple[Direction, list[Array]]]) -> None:
    """Set the weights of several cells: all of them, or none if one does not fit.

    Raises:
        ShapeError: a number or a shape is wrong.
        DTypeError: a weight's dtype cannot hold its numbers.
    """
    for direction, arrays in new:
        expected, given = [w.shape for w in direction.cell.weights], [array.shape for array in arrays]
        if expected != given:
            raise ShapeError(
                f"{where}: expected weights of shapes {', '.join(map(str, expected))} for {direction.name}, got "
                f"{', '.join(map(str, given))}."
            )
    pairs = [(w, a) for direction, arrays in new for w, a in zip(direction.cell.weights, arrays, strict=True)]
    taken = [w.checked_array(array, f"{where}: {w.name}") for w, array in pairs]
    for (w, _), array in zip(pairs, taken, strict=True):
        w.array = array


def _forget_bias(direction: Direction) -> float | None:
    return float(direction.config["forget_bias"]) if direction.layout.adds_forget_bias else None


# --- options without a counterpart ------------------------------------------------------------------------------------

_CLIPS = {
    "cell_clip": "it clips the cell state c, which {to} cannot (ONNX's `clip` clips the gates' inputs)",
    "proj_clip": "it clips the projected output, which {to} cannot",
}


def check_options(direction: Direction, to: str, candidate: Collection[str], gates: Collection[str]) -> None:
    """Check that no option would make the same weights give other outputs in another framework.

    Args:
        direction: the cell.
        to: the framework, for the message.
        candidate: the names of its activations φ.
        gates: the names of its recurrent activations σ.

    Raises:
        ConversionError: an option has no counterpart.
    """
    for name, allowed in (("activation", candidate), ("recurrent_activation", gates)):
        given = direction.activation(name)
        if given not in allowed:
            raise ConversionError(
                f"{direction.name}: {name}={given!r} has no counterpart in {to}, whose {direction.kind} has "
                f"{' or '.join(sorted(allowed))} there: the same weights would give other outputs."
            )
    for name, why in _CLIPS.items():
        if direction.config.get(name) is not None:
            raise ConversionError(
                f"{direction.name}: {name}={direction.config[name]} has no counterpart in {to}: {why.format(to=to)}."
            )


def check_recurrent_dropout(direction: Direction, to: str) -> None:
    """Check that there is no recurrent dropout. Dropout of the inputs is allowed."""
    rate = direction.config.get("recurrent_dropout", 0.0)
    if rate:
        raise ConversionError(
            f"{direction.name}: recurrent_dropout={rate} has no counterpart in {to}, which does not drop the state: "
            "further training would give other numbers. For prediction alone, set recurrent_dropout to 0."
        )


def check_merge_mode(where: str, level: Level, to: str) -> None:
    """Check that the outputs of two directions are concatenated."""
    if len(level.directions) == 2 and level.merge_mode not in ("concat", None):
        raise ConversionError(
            f"{where}: merge_mode={level.merge_mode!r} has no counterpart in {to}, which concatenates the outputs of "
            "the two directions, as merge_mode='concat' does."
        )
