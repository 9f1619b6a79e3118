"""Weights of an LSTM or a GRU from one framework's layout to another's: pure functions on plain arrays.

Every layout is taken apart into one matrix a gate and put together again in the other's order:

    W_k (features, units), U_k (outputs, units), b_k (units,)     for each gate k

Nothing is computed save two sums. Where one framework adds two biases and the other stores one, b = b_x + b_h. Where
one adds a forget bias at call and the other stores it, b_f = b_f + forget_bias; it goes into b_h where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from minigrad.backend.protocol import Array
from minigrad.convert.errors import ConversionError
from minigrad.convert.layouts import GRU_LAYOUTS, LSTM_LAYOUTS, GateLayout
from minigrad.errors import DTypeError, ShapeError, unknown_name

Gates = dict[str, Array]
Weights = Mapping[str, Any] | Sequence[Any]


class Parts(NamedTuple):
    """The weights of one cell, one array a gate."""

    W: Gates  # each (features, units)
    U: Gates  # each (outputs, units)
    b: Gates | None  # each (units,)
    b_h: Gates | None  # each (units,): the bias of h U, where the layout has one
    peepholes: Gates | None  # i, f, o, each (units,)
    P: Array | None  # (units, outputs)


def relayout(
    weights: Weights, src: str | GateLayout, dst: str | GateLayout, *, forget_bias: float | None = None
) -> dict[str, Array]:
    """Moves the weights of an LSTM from one framework's layout to another's.

    Args:
        weights: arrays by the names of the layout `src`, or a list of them in its order, as `layer.get_weights()`
            returns them.
        src: the layout they have: ``"tf1"``, ``"keras"``, ``"torch"``, ``"onnx"``, ``"chainer"``, or one's own.
        dst: the layout to make.
        forget_bias: what a cell of the first generation adds to the forget gate at call, 1 by default as there. It is
            stored in the bias on the way out of ``"tf1"``, and taken out of it on the way in.

    Returns:
        New arrays by the names of the layout `dst`, in its order: ``layer.set_weights(list(result.values()))``. Moving
        them back gives the same numbers, but for the rounding of the two sums (see the module).

    Raises:
        ConversionError: the other framework has no peepholes, or no projection.
        ShapeError: the arrays do not have the layout that `src` says.

    >>> import numpy as np
    >>> keras = {"kernel": np.array([[1.0, 2.0, 3.0, 4.0]]), "recurrent_kernel": np.zeros((1, 4)), "bias": np.ones(4)}
    >>> relayout(keras, "keras", "tf1")["kernel"][0]  # i, f, c, o → i, j, f, o
    array([1., 3., 2., 4.])
    >>> relayout(keras, "keras", "tf1")["bias"]
    array([1., 1., 0., 1.])
    """
    one, other = _layout("relayout: src", src, LSTM_LAYOUTS), _layout("relayout: dst", dst, LSTM_LAYOUTS)
    if forget_bias is not None and not (one.adds_forget_bias or other.adds_forget_bias):
        raise ConversionError(
            f"relayout: forget_bias={forget_bias} was given, but neither {one.name!r} nor {other.name!r} adds a forget "
            "bias at call: both store it in the bias already. Leave it out."
        )
    parts = take_apart(weights, one)
    stored = int(one.adds_forget_bias) - int(other.adds_forget_bias)
    added = 1.0 if forget_bias is None else forget_bias
    return put_together(_fold(parts, stored * added, other), other)


def relayout_gru(weights: Weights, src: str | GateLayout, dst: str | GateLayout) -> dict[str, Array]:
    """Moves the weights of a GRU from one framework's layout to another's.

    Args:
        weights: as of `relayout`.
        src: the layout they have: ``"keras"`` (with `reset_after`), ``"torch"``, ``"onnx"`` (linear_before_reset = 1);
            or ``"tf1"``, ``"keras_reset_before"``, ``"onnx_reset_before"``, where the reset gate acts on h.
        dst: the layout to make.

    Returns:
        New arrays, as of `relayout`.

    Raises:
        ConversionError: the reset gate acts in another place.
        ShapeError: the arrays do not have the layout that `src` says.
    """
    one, other = _layout("relayout_gru: src", src, GRU_LAYOUTS), _layout("relayout_gru: dst", dst, GRU_LAYOUTS)
    if one.reset_after != other.reset_after:
        places = {True: "h U, after the product", False: "h, before the product"}
        raise ConversionError(
            f"relayout_gru: {one.name!r} cannot be moved to {other.name!r}: its reset gate acts on "
            f"{places[one.reset_after]}, the other's on {places[other.reset_after]}; no weights make the two equal."
        )
    return put_together(take_apart(weights, one), other)


def _layout(where: str, layout: str | GateLayout, known: Mapping[str, GateLayout]) -> GateLayout:
    if isinstance(layout, GateLayout):
        return layout
    if layout not in known:
        raise unknown_name(where, layout, known, "A GateLayout of your own will do as well.")
    return known[layout]


# --- apart ------------------------------------------------------------------------------------------------------------


def take_apart(weights: Weights, layout: GateLayout) -> Parts:
    """Returns the weights gate by gate.

    Raises:
        ShapeError: an array is missing, unknown, or not of the shape that the layout says.
    """
    arrays = _named(weights, layout)
    if layout.direction_axis:
        arrays = {name: _one_direction(name, array, layout) for name, array in arrays.items()}
    arrays = {name: _upright(array, layout) for name, array in arrays.items()}
    if layout.candidate:
        arrays = _with_candidate(arrays, layout)
    P = arrays.get(layout.projection or "")
    W, U = _matrices(arrays, P, layout)
    gates = len(layout.gates)
    units = W.shape[1] // gates
    bias, state_bias = _biases(arrays, units * gates, layout)
    return Parts(
        _split(W, layout),
        _split(U, layout),
        None if bias is None else _split(bias, layout),
        None if state_bias is None else _split(state_bias, layout),
        _peepholes(arrays, units, layout),
        P,
    )


def _named(weights: Weights, layout: GateLayout) -> dict[str, Array]:
    """The arrays by name, all of them the layout's, and none missing."""
    if isinstance(weights, Mapping):
        given = {str(name): _array(f"{name!r}", array) for name, array in weights.items()}
    else:
        names = _names_of(len(weights), layout)
        given = {name: _array(f"{name!r}", array) for name, array in zip(names, weights, strict=True)}
    for names in _sets_of_names(layout):
        if set(names) == set(given):
            return {name: given[name] for name in names}
    listed = "; or ".join(", ".join(names) for names in _sets_of_names(layout))
    others = [*GRU_LAYOUTS.values(), *LSTM_LAYOUTS.values()]
    fits = sorted({o.name for o in others if any(set(names) == set(given) for names in _sets_of_names(o))})
    hint = f" Those are the names of {' or '.join(map(repr, fits))}." if fits else ""
    raise ShapeError(f"relayout: {layout.name!r} has the arrays {listed}; got {', '.join(given) or 'none'}.{hint}")


def _names_of(count: int, layout: GateLayout) -> tuple[str, ...]:
    for names in _sets_of_names(layout):
        if len(names) == count:
            return names
    listed = "; or ".join(", ".join(names) for names in _sets_of_names(layout))
    raise ShapeError(f"relayout: {layout.name!r} has the arrays {listed}; got {count} arrays.")


def _sets_of_names(layout: GateLayout) -> list[tuple[str, ...]]:
    """Which arrays may come together, in the framework's order."""
    groups = layout.optional
    chosen = [some for k in range(len(groups) + 1) for some in combinations(groups, k)]
    return [layout.needed + tuple(name for group in some for name in group) for some in chosen]


def _array(name: str, value: Any) -> Array:
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    if not np.issubdtype(array.dtype, np.floating):
        raise DTypeError(f"relayout: expected {name} of floating point numbers, got {array.dtype}.")
    return array


def _one_direction(name: str, array: Array, layout: GateLayout) -> Array:
    if array.ndim < 2 or array.shape[0] != 1:
        raise ShapeError(
            f"relayout: expected {name!r} of {layout.name!r} with a first axis of length 1, got {array.shape}. Move "
            "the two directions one by one: array[:1] and array[1:]."
        )
    return array[0]


def _with_candidate(arrays: dict[str, Array], layout: GateLayout) -> dict[str, Array]:
    """The gates' arrays and the candidate's side by side."""
    joined = {}
    for gates, candidate in zip((layout.kernel, layout.bias), layout.candidate, strict=True):
        *rows, columns = arrays[gates].shape
        others = len(layout.gates) - 1
        _checked(candidate, arrays[candidate], (*rows, columns // others), layout)
        joined[gates] = np.concatenate([arrays[gates], arrays[candidate]], -1)
    return joined


def _upright(array: Array, layout: GateLayout) -> Array:
    """With the gates along the last axis."""
    return array.T if layout.transposed and array.ndim == 2 else array


def _matrices(arrays: dict[str, Array], P: Array | None, layout: GateLayout) -> tuple[Array, Array]:
    """W and U with the gates along the last axis, their shapes checked."""
    names = [layout.kernel] + ([layout.recurrent] if layout.recurrent else [])
    for name in [*names, *([layout.projection] if P is not None and layout.projection else [])]:
        if arrays[name].ndim != 2:
            raise _unfit(name, arrays[name], "two axes", layout)
    gates = len(layout.gates)
    last = arrays[names[-1]]
    units = last.shape[1] // gates
    if last.shape[1] % gates or units == 0:
        raise _unfit(names[-1], last, f"a multiple of {gates} {_axis(layout)}", layout)
    if P is not None and P.shape[0] != units:
        raise _unfit(str(layout.projection), P, f"{units} units", layout)
    outputs = units if P is None else P.shape[1]
    if layout.recurrent is None:
        if last.shape[0] <= outputs:
            raise _unfit(names[0], last, f"more than {outputs} rows, the input's and below them the state's", layout)
        return last[:-outputs], last[-outputs:]
    if last.shape[0] != outputs:
        raise _unfit(layout.recurrent, last, f"{outputs} by {gates} × {units}", layout)
    W = arrays[layout.kernel]
    if W.shape[1] != gates * units:
        raise _unfit(layout.kernel, W, f"{gates * units} {_axis(layout)}", layout)
    return W, last


def _axis(layout: GateLayout) -> str:
    return "rows" if layout.transposed else "columns"


def _unfit(name: str, array: Array, expected: str, layout: GateLayout) -> ShapeError:
    gates, shape = len(layout.gates), array.shape[::-1] if layout.transposed else array.shape
    stand = f"({gates} units, …)" if layout.transposed else f"(…, {gates} units)"
    hint = ""
    if array.ndim == 2 and array.shape[0] == gates * array.shape[1]:
        others = "'keras' and 'tf1'" if layout.transposed else "'torch', 'onnx' and 'chainer'"
        hint = f" It looks transposed, as in {others}."
    return ShapeError(
        f"relayout: expected {name!r} of {layout.name!r} as {stand} with {expected}, got shape {shape}.{hint}"
    )


def _biases(arrays: dict[str, Array], columns: int, layout: GateLayout) -> tuple[Array | None, Array | None]:
    """The bias of x W and that of h U, each (gates · units,) or None."""
    if layout.bias not in arrays:
        return None, None
    bias = arrays[layout.bias]
    if layout.state_bias == "stacked":
        bias = _checked(layout.bias, bias, (2, columns), layout)
        return bias[0], bias[1]
    if layout.state_bias == "joined":
        bias = _checked(layout.bias, bias, (2 * columns,), layout)
        return bias[:columns], bias[columns:]
    bias = _checked(layout.bias, bias, (columns,), layout)
    if layout.state_bias == "none":
        return bias, None
    return bias, _checked(layout.state_bias_name, arrays[layout.state_bias_name], (columns,), layout)


def _peepholes(arrays: dict[str, Array], units: int, layout: GateLayout) -> Gates | None:
    if not layout.peepholes or layout.peepholes[0] not in arrays:
        return None
    each = len(layout.peephole_gates) // len(layout.peepholes) * units
    found = np.concatenate([_checked(name, arrays[name], (each,), layout) for name in layout.peepholes])
    return dict(zip(layout.peephole_gates, np.split(found, len(layout.peephole_gates)), strict=True))


def _checked(name: str, array: Array, shape: tuple[int, ...], layout: GateLayout) -> Array:
    if array.shape != shape:
        raise ShapeError(f"relayout: expected {name!r} of {layout.name!r} with shape {shape}, got {array.shape}.")
    return array


def _split(array: Array, layout: GateLayout) -> Gates:
    """One array a gate, from (…, gates · units)."""
    gates = len(layout.gates)
    if layout.interleaved:
        array = array.reshape(*array.shape[:-1], -1, gates)
        return {gate: array[..., k] for k, gate in enumerate(layout.gates)}
    return dict(zip(layout.gates, np.split(array, gates, -1), strict=True))


# --- the sums, and together -------------------------------------------------------------------------------------------


def _fold(parts: Parts, amount: float, layout: GateLayout) -> Parts:
    """Adds a number to the forget gate's bias: to that of h U where the layout or the parts have one."""
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


def put_together(parts: Parts, layout: GateLayout) -> dict[str, Array]:
    """Returns the arrays of a layout, by name and in its order.

    Raises:
        ConversionError: the layout has no place for the peepholes or the projection.
    """
    _refuse_what_has_no_place(parts, layout)
    W, U = _join(parts.W, layout), _join(parts.U, layout)
    made = {layout.kernel: np.concatenate([W, U])} if layout.recurrent is None else {layout.kernel: W}
    if layout.recurrent is not None:
        made[layout.recurrent] = U
    if parts.P is not None:
        made[str(layout.projection)] = parts.P
    made |= _joined_biases(parts, layout)
    if parts.peepholes is not None:
        of_gates = [parts.peepholes[gate] for gate in layout.peephole_gates]
        made |= dict(zip(layout.peepholes, np.split(np.concatenate(of_gates), len(layout.peepholes)), strict=True))
    if layout.candidate:
        made = _without_candidate(made, layout)
    order = next(names for names in _sets_of_names(layout) if set(names) == set(made))
    arrays = {name: np.array(_upright(made[name], layout), order="C") for name in order}
    return {name: array[None] for name, array in arrays.items()} if layout.direction_axis else arrays


def _without_candidate(made: dict[str, Array], layout: GateLayout) -> dict[str, Array]:
    """The gates' arrays and the candidate's apart."""
    apart = {}
    for gates, candidate in zip((layout.kernel, layout.bias), layout.candidate, strict=True):
        units = made[gates].shape[-1] // len(layout.gates)
        apart[gates], apart[candidate] = made[gates][..., :-units], made[gates][..., -units:]
    return apart


def _refuse_what_has_no_place(parts: Parts, layout: GateLayout) -> None:
    if parts.peepholes is not None and not layout.peepholes:
        raise ConversionError(
            f"relayout: peepholes cannot be moved to {layout.name!r}: its gates do not see the cell state, and no "
            "weights make up for that."
        )
    if parts.P is not None and layout.projection is None:
        raise ConversionError(
            f"relayout: a projection cannot be moved to {layout.name!r}: its LSTM hands o ∘ φ(c) on as it is, so there "
            "is no place for P."
        )


def _joined_biases(parts: Parts, layout: GateLayout) -> dict[str, Array]:
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
    """(…, gates · units), from one array a gate."""
    in_order = [gates[gate] for gate in layout.gates]
    if not layout.interleaved:
        return np.concatenate(in_order, -1)
    together = np.stack(in_order, -1)
    return together.reshape(*together.shape[:-2], -1)
