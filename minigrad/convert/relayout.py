"""Conversion of the weights of an LSTM or a GRU between frameworks' layouts: pure functions on plain arrays.

The arrays are split into one matrix per gate, and these are joined in the other layout's order:

    W_k (features, units), U_k (outputs, units), b_k (units,)     for each gate k

Only two sums are computed. If one framework adds two biases and the other stores one, b = b_x + b_h. If one adds a
forget bias at call and the other stores it, b_f = b_f + forget_bias; it is added to b_h if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from minigrad.convert.gates import (
    Gates,
    GateWeights,
    Weights,
    name_sets,
    prefix_errors,
    split_gates,
    transpose_if_needed,
)
from minigrad.convert.layouts import GRU_LAYOUTS, LSTM_LAYOUTS, GateLayout
from minigrad.engine.arguments import number
from minigrad.engine.errors import unknown_name
from minigrad.engine.foreign import naming
from minigrad.engine.protocol import Array
from minigrad.keras.storage.errors import ConversionError


def relayout(
    weights: Weights, src: str | GateLayout, dst: str | GateLayout, *, forget_bias: float | None = None
) -> dict[str, Array]:
    """Convert the weights of an LSTM from one framework's layout to another's.

    Args:
        weights: arrays by the names of the layout `src`, or a list of them in its order, as `layer.get_weights()`
            returns them.
        src: the layout of `weights`: ``"tf1"``, ``"keras"``, ``"torch"``, ``"onnx"``, ``"chainer"``, or a custom
            `GateLayout`.
        dst: the layout of the result.
        forget_bias: the number that a cell of the first generation adds to the forget gate at call; 1 by default, as
            in that cell. From ``"tf1"`` it is added to the bias; to ``"tf1"`` it is subtracted from the bias.

    Returns:
        New arrays by the names of the layout `dst`, in its order: ``layer.set_weights(list(result.values()))``. The
        conversion back gives the same numbers, except for the rounding of the two sums (see the module).

    Raises:
        ConversionError: the other framework has no peepholes, or no projection.
        ShapeError: the arrays do not have the layout `src`.

    >>> import numpy as np
    >>> keras = {"kernel": np.array([[1.0, 2.0, 3.0, 4.0]]), "recurrent_kernel": np.zeros((1, 4)), "bias": np.ones(4)}
    >>> relayout(keras, "keras", "tf1")["kernel"][0]  # i, f, c, o → i, j, f, o
    array([1., 3., 2., 4.])
    >>> relayout(keras, "keras", "tf1")["bias"]
    array([1., 1., 0., 1.])
    """
    return change_layout("relayout", "LSTM", weights, src, dst, forget_bias)


def relayout_gru(weights: Weights, src: str | GateLayout, dst: str | GateLayout) -> dict[str, Array]:
    """Convert the weights of a GRU from one framework's layout to another's.

    Args:
        weights: as for `relayout`.
        src: the layout of `weights`: ``"keras"`` (with `reset_after`), ``"torch"``, ``"onnx"`` (linear_before_reset =
            1); or ``"tf1"``, ``"keras_reset_before"``, ``"onnx_reset_before"``, where the reset gate acts on h.
        dst: the layout of the result.

    Returns:
        New arrays, as from `relayout`.

    Raises:
        ConversionError: the reset gate acts in another place.
        ShapeError: the arrays do not have the layout `src`.
    """
    return change_layout("relayout_gru", "GRU", weights, src, dst)


def change_layout(
    where: str,
    kind: Literal["LSTM", "GRU"],
    weights: Weights,
    src: str | GateLayout,
    dst: str | GateLayout,
    forget_bias: float | None = None,
) -> dict[str, Array]:
    """Return the weights in another layout; messages begin with `where`, a function or a layer."""
    known = LSTM_LAYOUTS if kind == "LSTM" else GRU_LAYOUTS
    one, other = _layout(f"{where}: src", src, known), _layout(f"{where}: dst", dst, known)
    with prefix_errors(where):
        _check_reset_gate(one, other)
    added = _forget_bias(where, forget_bias, one, other)
    with naming(f"{where}: `weights`"):
        parts = split_gates(where, weights, one)
    stored = int(one.adds_forget_bias) - int(other.adds_forget_bias)
    with prefix_errors(where):
        return join_gates(_add_forget_bias(parts, stored * added, other), other)


def _layout(where: str, layout: Any, known: Mapping[str, GateLayout]) -> GateLayout:
    if isinstance(layout, GateLayout):
        return layout
    if not isinstance(layout, str) or layout not in known:
        raise unknown_name(where, layout, known, "A custom GateLayout is accepted too.")
    return known[layout]


def _forget_bias(where: str, given: Any, one: GateLayout, other: GateLayout) -> float:
    if given is None:
        return 1.0
    added = number(f"{where}: `forget_bias`", given)
    if not (one.adds_forget_bias or other.adds_forget_bias):
        raise ConversionError(
            f"{where}: forget_bias={given} was given, but neither {one.name!r} nor {other.name!r} adds a forget bias "
            "at call: both store it in the bias already. Leave it out."
        )
    return added


def _check_reset_gate(one: GateLayout, other: GateLayout) -> None:
    if one.reset_after == other.reset_after:
        return
    places = {True: "h U, after the product", False: "h, before the product"}
    raise ConversionError(
        f"{one.name!r} cannot be converted to {other.name!r}: its reset gate acts on {places[one.reset_after]}, the "
        f"other's on {places[other.reset_after]}; no weights make the two equal."
    )


# --- sums and joined arrays -------------------------------------------------------------------------------------------


def _add_forget_bias(parts: GateWeights, amount: float, layout: GateLayout) -> GateWeights:
    """The weights with a number added to the forget gate's bias: that of h U, if the layout or the weights have one."""
    if amount == 0.0:
        return parts
    zeros = {gate: np.zeros(W.shape[1], W.dtype) for gate, W in parts.W.items()}
    b, b_h = parts.b or zeros, parts.b_h
    if b_h is None and layout.state_bias == "none":
        return parts._replace(b={**b, "f": _plus(b["f"], amount)})
    b_h = b_h or zeros
    return parts._replace(b=b, b_h={**b_h, "f": _plus(b_h["f"], amount)})


def _plus(b: Array, amount: float) -> Array:
    return b + b.dtype.type(amount)


def join_gates(parts: GateWeights, layout: GateLayout) -> dict[str, Array]:
    """Return the arrays of a layout, by name and in its order.

    Raises:
        ConversionError: the layout has no place for the peepholes or the projection.
    """
    _check_representable(parts, layout)
    W, U = _join(parts.W, layout), _join(parts.U, layout)
    arrays = {layout.kernel: np.concatenate([W, U])} if layout.recurrent is None else {layout.kernel: W}
    if layout.recurrent is not None:
        arrays[layout.recurrent] = U
    if parts.P is not None:
        arrays[str(layout.projection)] = parts.P
    arrays |= _joined_biases(parts, layout)
    if parts.peepholes is not None:
        of_gates = [parts.peepholes[gate] for gate in layout.peephole_gates]
        arrays |= dict(zip(layout.peepholes, np.split(np.concatenate(of_gates), len(layout.peepholes)), strict=True))
    if layout.candidate:
        arrays = _without_candidate(arrays, layout)
    order = next(names for names in name_sets(layout) if set(names) == set(arrays))
    arrays = {name: np.array(transpose_if_needed(arrays[name], layout), order="C") for name in order}
    return {name: array[None] for name, array in arrays.items()} if layout.direction_axis else arrays


def _without_candidate(arrays: dict[str, Array], layout: GateLayout) -> dict[str, Array]:
    """The arrays with those of the candidate split from those of the gates."""
    split = {}
    for gates, candidate in zip((layout.kernel, layout.bias), layout.candidate, strict=True):
        units = arrays[gates].shape[-1] // len(layout.gates)
        split[gates], split[candidate] = arrays[gates][..., :-units], arrays[gates][..., -units:]
    return split


def _check_representable(parts: GateWeights, layout: GateLayout) -> None:
    if parts.peepholes is not None and not layout.peepholes:
        raise ConversionError(
            f"peepholes cannot be converted to {layout.name!r}: its gates do not read the cell state, and "
            "no other weights have the same effect."
        )
    if parts.P is not None and layout.projection is None:
        raise ConversionError(
            f"a projection cannot be converted to {layout.name!r}: its LSTM outputs o ∘ φ(c) unchanged, and "
            "has no matrix P."
        )


def _joined_biases(parts: GateWeights, layout: GateLayout) -> dict[str, Array]:
    b, b_h = parts.b, parts.b_h
    zeros = {gate: np.zeros(W.shape[1], W.dtype) for gate, W in parts.W.items()}
    if b is None:
        if not layout.bias_needed:
            return {}
        b = zeros
    if layout.state_bias == "none":
        summed = b if b_h is None else {gate: b[gate] + b_h[gate] for gate in b}
        return {layout.bias: _join(summed, layout)}
    pair = _join(b, layout), _join(b_h or zeros, layout)
    if layout.state_bias == "apart":
        return dict(zip((layout.bias, layout.state_bias_name), pair, strict=True))
    return {layout.bias: np.stack(pair) if layout.state_bias == "stacked" else np.concatenate(pair)}


def _join(gates: Gates, layout: GateLayout) -> Array:
    """One array (…, gates · units) from one array per gate."""
    ordered = [gates[gate] for gate in layout.gates]
    if not layout.interleaved:
        return np.concatenate(ordered, -1)
    together = np.stack(ordered, -1)
    return together.reshape(*together.shape[:-2], -1)
