"""State dicts of PyTorch's ``nn.LSTM`` and ``nn.GRU`` as plain arrays; PyTorch is not needed.

A state dict names its arrays by level and direction:

    weight_ih_l0  weight_hh_l0  bias_ih_l0  bias_hh_l0  [weight_hr_l0]       the lowest level
    weight_ih_l0_reverse  …                                                  its backward direction
    weight_ih_l1  …                                                          the next, which reads the outputs below

With PyTorch installed, ``{k: v.numpy() for k, v in module.state_dict().items()}`` converts its tensors to arrays, and
``{k: torch.from_numpy(v) for k, v in arrays.items()}`` converts arrays to tensors. A safetensors file works too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.convert.levels import (
    Direction,
    Level,
    check_merge_mode,
    check_options,
    check_recurrent_dropout,
    converted_weights,
    levels,
    set_weights_together,
    weights_of,
)
from minigrad.engine.arguments import text
from minigrad.engine.errors import shown
from minigrad.engine.protocol import Array
from minigrad.keras.storage.errors import ConversionError
from minigrad.layers.rnn import RNN
from minigrad.layers.wrappers import Bidirectional

_NAME = re.compile(r"(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)(?:_l([0-9]{1,4})(_reverse)?)?$")
_SUFFIXES = ("", "_reverse")


def to_torch_state_dict(target: Any, prefix: str = "") -> dict[str, Array]:
    """Return the weights of recurrent layers as the state dict of one PyTorch module.

    Args:
        target: an LSTM or GRU, a Bidirectional around one, a bare cell of any API generation, a stack of cells, or a
            list of these, from the lowest up.
        prefix: put before each name, e.g. ``"encoder.rnn."``.

    Returns:
        Arrays for ``nn.LSTM(features, units, num_layers, bidirectional=…, proj_size=…)``, or ``nn.GRU``. A forget bias
        that a cell adds at call is stored in bias_hh. `dropout` is not a weight, and acts in training only: PyTorch
        drops outputs of a level, minigrad drops its inputs.

    Raises:
        ConversionError: an option has no counterpart in PyTorch, or the layers do not form one module.

    >>> from minigrad.keras.layers import LSTM
    >>> layer = LSTM(2)
    >>> layer.build((None, None, 3))
    >>> {name: array.shape for name, array in to_torch_state_dict(layer).items()}
    {'weight_ih_l0': (8, 3), 'weight_hh_l0': (8, 2), 'bias_ih_l0': (8,), 'bias_hh_l0': (8,)}
    """
    where = "to_torch_state_dict"
    text(f"{where}: `prefix`", prefix)
    stack = _stack(where, target)
    state: dict[str, Array] = {}
    for k, level in enumerate(stack):
        for direction, suffix in zip(level.directions, _SUFFIXES, strict=False):
            check_recurrent_dropout(direction, "PyTorch")
            arrays = weights_of(direction, "torch")
            state |= {f"{prefix}{name}_l{k}{suffix}": array for name, array in arrays.items()}
    _check_one_module(where, stack, state, prefix)
    return state


def from_torch_state_dict(state: Mapping[str, Any], target: Any, prefix: str = "") -> None:
    """Set the weights of recurrent layers from the state dict of a PyTorch module.

    Args:
        state: arrays by PyTorch's names; names that do not begin with `prefix` are ignored.
        target: as for `to_torch_state_dict`; layers without weights are built. Two biases become their sum if the
            layer has one.
        prefix: the beginning of the names of the recurrent module, e.g. ``"encoder.rnn."``.

    Raises:
        ConversionError: the module does not match `target`: other levels or directions, an option that PyTorch does not
            have, or a projection for a layer without one.
        ShapeError: an array does not fit. Nothing has been set then.
    """
    where = "from_torch_state_dict"
    if not isinstance(state, Mapping):
        raise ConversionError(
            f"{where}: expected `state`, a dict of arrays by PyTorch's names, got {shown(state)}. The state dict comes "
            "first, then the layers. Get one from a module with state_dict()."
        )
    wrong_keys = [key for key in list[Any](state) if not isinstance(key, str)]
    if wrong_keys:
        raise ConversionError(
            f"{where}: expected `state`, a dict of arrays by PyTorch's names, got {shown(wrong_keys[0])}."
        )
    text(f"{where}: `prefix`", prefix)
    stack = _stack(where, target)
    cells = _by_cell(where, state, prefix)
    keys = [(k, suffix) for k, level in enumerate(stack) for suffix in _SUFFIXES[: len(level.directions)]]
    if set(keys) != set(cells):
        raise ConversionError(
            f"{where}: expected {_described(keys)}, as the target has, got {_described(list(cells))} in the state dict."
        )
    directions = [d for level in stack for d in level.directions]
    converted = [(d, converted_weights(d, cells[key], "torch")) for d, key in zip(directions, keys, strict=True)]
    _build(target, [np.shape(cells[k, ""]["weight_ih"])[1] for k in range(len(stack))])
    set_weights_together(where, converted)


def _stack(where: str, target: Any) -> list[Level]:
    """The levels of the target, checked for options without a counterpart in PyTorch."""
    stack = levels(where, target)
    if not stack:
        raise ConversionError(f"{where}: expected `target`, at least one LSTM or GRU layer or cell, got none.")
    for level in stack:
        check_merge_mode(where, level, "PyTorch")
        if len(level.directions) == 1 and level.directions[0].backwards:
            raise ConversionError(
                f"{where}: {level.directions[0].name} has go_backwards=True, and PyTorch has no module that runs "
                "backward alone. Convert the weights of a layer with go_backwards=False, and flip the inputs."
            )
        for direction in level.directions:
            check_options(direction, "PyTorch", ("tanh",), ("sigmoid",))
    return stack


def _check_one_module(where: str, stack: list[Level], state: Mapping[str, Array], prefix: str) -> None:
    """Check that the levels form one module: the same sizes, each with the outputs below as inputs."""

    def described(d: Direction, level: Level) -> str:
        bias = "a bias" if d.config.get("use_bias", True) else "no bias"
        reads = "two directions" if len(level.directions) == 2 else "one direction"
        return f"{d.kind} of {d.units} units, {d.outputs} outputs, with {bias}, {reads}"

    kinds = {described(d, level): None for level in stack for d in level.directions}
    if len(kinds) != 1:
        raise ConversionError(
            f"{where}: one module of PyTorch has levels of one kind and size, got {'; '.join(kinds)}. "
            "Convert them one by one."
        )
    for k, (level, below) in enumerate(zip(stack[1:], stack, strict=False), 1):
        reads, outputs = state[f"{prefix}weight_ih_l{k}"].shape[1], sum(d.outputs for d in below.directions)
        if reads != outputs:
            raise ConversionError(
                f"{where}: {level.directions[0].name} reads {reads} features, and the level below outputs {outputs}. "
                "Make the layers of matching sizes."
            )


def _by_cell(where: str, state: Mapping[str, Any], prefix: str) -> dict[tuple[int, str], dict[str, Any]]:
    """The arrays of each (level, direction)."""
    cells: dict[tuple[int, str], dict[str, Any]] = {}
    others = []
    for name, array in state.items():
        match = _NAME.match(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if match:
            cells.setdefault((int(match[2] or 0), match[3] or ""), {})[match[1]] = array
        elif name.startswith(prefix):
            others.append(name)
    if others or not cells:
        prefixes = sorted({name[: found.start()] for name in state if (found := _NAME.search(name))})
        hint = f" There are recurrent modules with prefix {' and '.join(map(repr, prefixes))}." if prefixes else ""
        listed = ", ".join(others[:4] or list(state)[:4]) or "nothing"
        raise ConversionError(
            f"{where}: expected `state` with names such as '{prefix}weight_ih_l0' alone after the prefix {prefix!r}, "
            f"got {listed}.{hint}"
        )
    return cells


def _described(cells: list[tuple[int, str]]) -> str:
    numbers = {k for k, _ in cells}
    reads = "two directions" if any(suffix for _, suffix in cells) else "one direction"
    return f"{len(numbers)} level{'s' if len(numbers) > 1 else ''} of {reads}"


def _build(target: Any, features: list[int]) -> None:
    """Build the layers that have no weights yet."""
    recurrent = isinstance(target, (RNN, Bidirectional))
    parts = target if isinstance(target, (list, tuple)) else getattr(target, "layers", None)
    if parts is not None and not recurrent:
        for part in parts:
            _build(part, features)
            features = features[len(levels("from_torch_state_dict", part)) :]
    elif not target.built:
        target.build((None, None, features[0]) if recurrent else (None, features[0]))
