"""Weights of an LSTM or a GRU as one matrix per gate, from any framework's layout.

The caller passes the name with which error messages begin: that of a function, or of a layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import combinations
from typing import Any, NamedTuple, cast

import numpy as np

from minigrad.convert.layouts import GRU_LAYOUTS, LSTM_LAYOUTS, GateLayout
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError, shown
from minigrad.engine.foreign import attempted
from minigrad.engine.protocol import Array
from minigrad.keras.storage.errors import ConversionError

Gates = dict[str, Array]
Weights = Mapping[str, Any] | Sequence[Any]


class GateWeights(NamedTuple):
    """Weights of one cell, one array per gate."""

    W: Gates  # each (features, units)
    U: Gates  # each (outputs, units)
    b: Gates | None  # each (units,)
    b_h: Gates | None  # each (units,): the bias of h U, where the layout has one
    peepholes: Gates | None  # i, f, o, each (units,)
    P: Array | None  # (units, outputs)


@contextmanager
def prefix_errors(where: str) -> Iterator[None]:
    """Put a name before the messages of errors raised in the block."""
    try:
        yield
    except (ConversionError, DTypeError, ShapeError) as error:
        raise type(error)(f"{where}: {error}") from None


def split_gates(where: str, weights: Weights, layout: GateLayout) -> GateWeights:
    """Return the weights gate by gate.

    Args:
        where: the function or layer, for messages.
        weights: arrays by the names of the layout, or a list of them in its order.
        layout: the layout of these weights.

    Raises:
        ConversionError: `weights` is neither a list nor a dict.
        DTypeError: an array is not of floating point numbers.
        ShapeError: an array is missing, unknown, or not of the shape that the layout requires. If the arrays fit
            another layout, the message names it.
    """
    with prefix_errors(where):
        _check_container(weights)
        try:
            return _split_arrays(weights, layout)
        except ShapeError as error:
            raise ShapeError(f"{error}{_other_layout_hint(weights, layout)}") from None


def _check_container(weights: Any) -> None:
    if isinstance(weights, (Mapping, list, tuple)):
        return
    hint = " Pass the result of its get_weights()." if hasattr(weights, "get_weights") else ""
    given = type(weights).__name__ if hint else shown(weights)
    raise ConversionError(f"expected `weights`, a list of arrays or a dict of them by name, got {given}.{hint}")


def _split_arrays(weights: Weights, layout: GateLayout) -> GateWeights:
    arrays = _named(weights, layout)
    if layout.direction_axis:
        arrays = {name: _one_direction(name, array, layout) for name, array in arrays.items()}
    arrays = {name: transpose_if_needed(array, layout) for name, array in arrays.items()}
    if layout.candidate:
        arrays = _with_candidate(arrays, layout)
    P = arrays.get(layout.projection or "")
    W, U = _matrices(arrays, P, layout)
    gates = len(layout.gates)
    units = W.shape[1] // gates
    bias, state_bias = _biases(arrays, units * gates, layout)
    return GateWeights(
        _split(W, layout),
        _split(U, layout),
        None if bias is None else _split(bias, layout),
        None if state_bias is None else _split(state_bias, layout),
        _peepholes(arrays, units, layout),
        P,
    )


def _named(weights: Weights, layout: GateLayout) -> dict[str, Array]:
    """The arrays by name: exactly those of the layout."""
    if isinstance(weights, Mapping):
        given = {str(name): _array(f"{name!r}", array) for name, array in weights.items()}
    else:
        names = _names_of(len(weights), layout)
        given = {name: _array(f"{name!r}", array) for name, array in zip(names, weights, strict=True)}
    for names in name_sets(layout):
        if set(names) == set(given):
            return {name: given[name] for name in names}
    raise ShapeError(f"{layout.name!r} has the arrays {_listed(layout)}; got {', '.join(given) or 'none'}.")


def _listed(layout: GateLayout) -> str:
    return "; or ".join(", ".join(names) for names in name_sets(layout))


def _names_of(count: int, layout: GateLayout) -> tuple[str, ...]:
    for names in name_sets(layout):
        if len(names) == count:
            return names
    raise ShapeError(f"{layout.name!r} has the arrays {_listed(layout)}; got {count} arrays.")


def name_sets(layout: GateLayout) -> list[tuple[str, ...]]:
    """Return the combinations of arrays that a cell can have, in the framework's order."""
    groups = layout.optional
    chosen = [some for k in range(len(groups) + 1) for some in combinations(groups, k)]
    return [layout.needed + tuple(name for group in some for name in group) for some in chosen]


def _array(name: str, value: Any) -> Array:
    try:
        array = to_numpy(value)
    except ValueError:  # rows of different lengths
        raise ShapeError(f"expected {name}, an array, got {type(value).__name__}.") from None
    if not np.issubdtype(array.dtype, np.floating):
        raise DTypeError(f"expected {name} of floating point numbers, got {array.dtype}.")
    return array


def to_numpy(value: Any) -> Array:
    """Return a tensor of minigrad or PyTorch, an array or a nested list as a NumPy array."""
    found = attempted(np.asarray, value.numpy() if hasattr(value, "numpy") else value)
    if found is None:
        raise ShapeError(f"expected an array, got {shown(value)}, which is none.")
    return cast(Array, found)


def _one_direction(name: str, array: Array, layout: GateLayout) -> Array:
    if array.ndim < 2 or array.shape[0] != 1:
        raise ShapeError(
            f"expected {name!r} of {layout.name!r} with a first axis of length 1, got {array.shape}. Convert "
            "the two directions one by one: array[:1] and array[1:]."
        )
    return array[0]


def _with_candidate(arrays: dict[str, Array], layout: GateLayout) -> dict[str, Array]:
    """The arrays with those of the candidate joined to those of the gates."""
    joined = {}
    for gates, candidate in zip((layout.kernel, layout.bias), layout.candidate, strict=True):
        *rows, columns = arrays[gates].shape
        others = len(layout.gates) - 1
        _checked(candidate, arrays[candidate], (*rows, columns // others), layout)
        joined[gates] = np.concatenate([arrays[gates], arrays[candidate]], -1)
    return joined


def transpose_if_needed(array: Array, layout: GateLayout) -> Array:
    """Return a matrix with its axes swapped if the layout has the gates along the first axis."""
    return array.T if layout.transposed and array.ndim == 2 else array


def _matrices(arrays: dict[str, Array], P: Array | None, layout: GateLayout) -> tuple[Array, Array]:
    """W and U with the gates along the last axis; their shapes are checked."""
    names = [layout.kernel] + ([layout.recurrent] if layout.recurrent else [])
    for name in [*names, *([layout.projection] if P is not None and layout.projection else [])]:
        if arrays[name].ndim != 2:
            raise _shape_error(name, arrays[name], "with two axes", layout)
    gates = len(layout.gates)
    along, across = ("rows", "columns") if layout.transposed else ("columns", "rows")
    last = arrays[names[-1]]
    units = last.shape[1] // gates
    if last.shape[1] % gates or units == 0:
        raise _shape_error(names[-1], last, f"with a multiple of {gates} {along}, {gates} gates concatenated", layout)
    if P is not None and P.shape[0] != units:
        raise _shape_error(str(layout.projection), P, f"with {units} {across}, one a unit", layout)
    outputs = units if P is None else P.shape[1]
    if layout.recurrent is None:
        if last.shape[0] <= outputs:
            expected = f"with more than {outputs} rows, the input's and below them the state's"
            raise _shape_error(names[0], last, expected, layout)
        return last[:-outputs], last[-outputs:]
    if last.shape[0] != outputs:
        raise _shape_error(layout.recurrent, last, f"with {outputs} {across} to its {gates} × {units} {along}", layout)
    W = arrays[layout.kernel]
    if W.shape[1] != gates * units:
        raise _shape_error(layout.kernel, W, f"with {gates * units} {along}", layout)
    return W, last


def _shape_error(name: str, array: Array, expected: str, layout: GateLayout) -> ShapeError:
    shape = array.shape[::-1] if layout.transposed else array.shape
    hint = ""
    if array.ndim == 2 and array.shape[0] == len(layout.gates) * array.shape[1]:
        others = "'keras' and 'tf1'" if layout.transposed else "'torch', 'onnx' and 'chainer'"
        hint = f" It looks transposed, as in {others}."
    return ShapeError(f"expected {name!r} of {layout.name!r} {expected}, got shape {shape}.{hint}")


def _biases(arrays: dict[str, Array], columns: int, layout: GateLayout) -> tuple[Array | None, Array | None]:
    """The bias of x W and the bias of h U, each (gates · units,) or None."""
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
        raise ShapeError(f"expected {name!r} of {layout.name!r} with shape {shape}, got {array.shape}.")
    return array


def _split(array: Array, layout: GateLayout) -> Gates:
    """One array per gate, from (…, gates · units)."""
    gates = len(layout.gates)
    if layout.interleaved:
        array = array.reshape(*array.shape[:-1], -1, gates)
        return {gate: array[..., k] for k, gate in enumerate(layout.gates)}
    return dict(zip(layout.gates, np.split(array, gates, -1), strict=True))


# --- hints at another layout ------------------------------------------------------------------------------------------


def _other_layout_hint(weights: Weights, layout: GateLayout) -> str:
    """A hint for weights that do not fit: the layouts that they fit, or whose names they have."""
    kinds = {"an LSTM": LSTM_LAYOUTS.values(), "a GRU": GRU_LAYOUTS.values()}
    fits = [(o, kind) for kind, layouts in kinds.items() for o in layouts if o != layout and _fits(weights, o)]
    if fits:
        names = " or ".join(dict.fromkeys(f"{o.name!r} weights of {kind}" for o, kind in fits))
        return f" These look like {names}."
    others = [o for layouts in kinds.values() for o in layouts if o != layout and isinstance(weights, Mapping)]
    if isinstance(weights, Mapping) and any(set(names) == set(weights) for names in name_sets(layout)):
        return ""
    named = sorted({o.name for o in others if any(set(names) == set(weights) for names in name_sets(o))})
    return f" Those are the names of {' or '.join(map(repr, named))}." if named else ""


def _fits(weights: Weights, layout: GateLayout) -> bool:
    try:
        _split_arrays(weights, layout)
    except MinigradError:
        return False
    return True
