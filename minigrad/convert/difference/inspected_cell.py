"""A recurrent cell of any API generation with its layout, its options, and its `ParametricCell`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.compat.v1.keras.layers import SimpleRNNCell
from minigrad.compat.v1.nn import rnn_cell
from minigrad.convert.difference.parametric_cell import ParametricCell, with_weights
from minigrad.convert.gates import split_gates
from minigrad.convert.layouts import GateLayout
from minigrad.convert.levels import kind_and_layout
from minigrad.engine import tree
from minigrad.engine.autograd import no_grad
from minigrad.engine.creation import tensor
from minigrad.engine.protocol import Array
from minigrad.keras.storage.errors import ConversionError
from minigrad.layers import activations
from minigrad.layers.options import REQUIRED
from minigrad.layers.rnn import RNN

_RNN_KERAS = GateLayout("keras", "h", "h", "kernel", "recurrent_kernel", "bias")
_RNN_TF1 = GateLayout("tf1", "h", "h", "kernel", None, "bias", bias_needed=True)
_OTHERS = "Bidirectional, stacks of cells and wrappers hold cells: pass those one by one."


@dataclass(frozen=True)
class InspectedCell:
    """A cell with the facts that decide its outputs.

    Attributes:
        cell: the cell.
        title: its public address and its name.
        layout: the layout of its weights.
        config: its options, as plain values.
        parametric: the same computation with every convention as a parameter, in float64.
    """

    cell: Any
    title: str
    layout: GateLayout
    config: dict[str, Any]
    parametric: ParametricCell

    @property
    def kind(self) -> str:
        """The kind of cell: LSTM, GRU or SimpleRNN."""
        return self.parametric.kind

    @property
    def sigma(self) -> Any:
        """The activation of the gates."""
        return getattr(self.cell, "recurrent_activation", activations.get("sigmoid"))

    @property
    def cell_first(self) -> bool:
        """True if c comes before h in the state."""
        return self.kind == "LSTM" and self.layout.name == "tf1"

    @property
    def dtype(self) -> str:
        """The dtype in which the cell computes."""
        return str(self.cell.dtype)

    @property
    def tolerance(self) -> float:
        """The largest difference that rounding explains in the cell's dtype."""
        return 1e-12 if self.dtype == "float64" else 1e-5 if self.dtype == "float32" else 1e-2

    def defaults(self) -> dict[str, Any]:
        """Return the defaults of the cell's class, as plain values."""
        options = type(self.cell)._options.items()
        return {name: o.kind.plain(o.kind.read(name, o.default)) for name, o in options if o.default is not REQUIRED}

    def state(self, h: Array, c: Array) -> Any:
        """Return the state in the structure that the cell takes."""
        if self.kind != "LSTM":
            return tree.unflatten(self.cell.state_size, [tensor(h)])
        if not self.cell_first:
            return [tensor(h), tensor(c)]
        if self.cell.state_is_tuple:
            return rnn_cell.LSTMStateTuple(tensor(c), tensor(h))
        return tensor(np.concatenate([c, h], 1))

    def call(self, x: Array, h: Array, c: Array) -> Array:
        """Run the cell over inputs (time, batch, features) without dropout, and return its outputs."""
        state, outputs = self.state(h, c), []
        with no_grad():
            for x_t in x:
                output, state = self.cell(tensor(x_t.astype(self.dtype)), state)
                outputs.append(output.numpy())
        return np.stack(outputs)


def inspect_cell(where: str, target: Any) -> InspectedCell:
    """Return a cell, or the cell of a recurrent layer, with its layout, options and parametric form.

    Raises:
        ConversionError: it is not a cell of minigrad, or has no weights yet.
    """
    cell = target.cell if isinstance(target, RNN) else target
    kind, layout = _kind(where, cell)
    title = f"{type(target).serialized_module}.{type(target).__name__} {target.name!r}"
    if not cell.built:
        raise ConversionError(
            f"{where}: {title} has no weights yet. Call it on data first, or build((None, features))."
        )
    bare = ParametricCell(
        kind,
        {}, {}, {}, np.zeros(0),
        σ=_on_arrays(getattr(cell, "recurrent_activation", activations.get("sigmoid"))),
        φ=_on_arrays(cell.activation),
        forget_bias=float(cell.forget_bias) if layout.adds_forget_bias else 0.0,
        reset_after=layout.reset_after,
        cell_clip=getattr(cell, "cell_clip", None),
        proj_clip=getattr(cell, "proj_clip", None),
    )  # fmt: skip
    parametric = with_weights(bare, split_gates(title, cell.get_weights(), layout))
    return InspectedCell(cell, title, layout, cell.get_config(), parametric)


def _kind(where: str, cell: Any) -> tuple[str, GateLayout]:
    found = kind_and_layout(cell)
    if found is not None:
        return found
    if isinstance(cell, SimpleRNNCell):
        return "SimpleRNN", _RNN_KERAS
    if isinstance(cell, rnn_cell.BasicRNNCell):
        return "SimpleRNN", _RNN_TF1
    given = f"the class {cell.__name__}" if isinstance(cell, type) else f"a {type(cell).__name__}"
    raise ConversionError(
        f"{where}: expected an LSTM, GRU or simple recurrent cell of any API generation, or a layer around one, got "
        f"{given}. {'Make an instance first.' if isinstance(cell, type) else _OTHERS}"
    )


def _on_arrays(function: Any) -> Callable[[Array], Array]:
    def apply(x: Array) -> Array:
        with no_grad():
            return function(tensor(x)).numpy()

    return apply
