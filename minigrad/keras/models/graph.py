"""The graph of a functional model: the calls recorded between its inputs and its outputs.

Layers come in Keras' order, so that weights and files have it too: by their depth, the greatest number of calls between
a layer's output and an output of the model, deepest first, and at one depth in the order in which a walk from the
outputs meets them.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import DataError, MinigradError, ShapeError, shown
from minigrad.keras.models.outputs import leaves
from minigrad.layers.inputs import InputLayer
from minigrad.layers.layer import Layer
from minigrad.layers.masks import mask_of
from minigrad.layers.symbol import Symbol, SymbolError, calls_of, run


class DisconnectedError(MinigradError, ValueError):
    """Raised where outputs need symbols that are not among the inputs."""


class Graph:
    """Calls from inputs to outputs.

    Args:
        where: the model, for messages.
        inputs: the symbols of the inputs: one, or a list or dictionary of them.
        outputs: the symbols of the outputs, in any structure.

    Attributes:
        calls: the calls, each after those that it needs.
        layers: the layers, inputs included.

    Raises:
        SymbolError: inputs or outputs are not symbols.
        DisconnectedError: (a ValueError) an output needs an input that is not among the inputs.
        DataError: (a ValueError) two layers have one name.
    """

    def __init__(self, where: str, inputs: Any, outputs: Any) -> None:
        self.where, self.inputs, self.outputs = where, inputs, outputs
        for name, given in (("inputs", inputs), ("outputs", outputs)):
            for leaf in tree.leaves(given, f"{where}: `{name}`") or [None]:
                if not isinstance(leaf, Symbol):
                    raise SymbolError(
                        f"{where}: `{name}`: expected symbols, which Input(shape) returns and layers that are called "
                        f"on them, got {shown(leaf)}."
                    )
        self.calls = calls_of(tree.leaves(outputs), tree.leaves(inputs))
        self._check_connected()
        self.layers = self._in_order()
        names = [layer.name for layer in self.layers]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise DataError(f"{where}: expected layers with different names, got two named {', '.join(twice)}.")

    def _check_connected(self) -> None:
        given = set(tree.leaves(self.inputs))
        known = given | {leaf for call in self.calls for leaf in tree.leaves(call.outputs) if isinstance(leaf, Symbol)}
        needed: list[tuple[Any, Symbol]] = [(call.function, s) for call in self.calls for s in call.inputs]
        needed += [("the list of outputs", s) for s in tree.leaves(self.outputs)]
        for user, symbol in needed:
            if symbol not in known:
                names = ", ".join(s.name for s in given)
                raise DisconnectedError(
                    f"{self.where}: expected all that the outputs depend on among `inputs`, {names}; "
                    f"{getattr(user, 'name', user)} takes {symbol!r}, which is not."
                )

    def _in_order(self) -> list[Layer]:
        """Return the layers, deepest first."""
        depths: dict[Any, int] = {}  # of calls, of inputs, and of layers
        for call in reversed(self.calls):
            depth = depths[call] = depths[call.function] = max(depths.get(call, 0), depths.get(call.function, 0))
            for symbol in call.inputs:
                source = symbol.call or symbol.layer
                depths[source] = max(depths.get(source, 0), depth + 1)
        met = {layer: k for k, layer in enumerate(self._met())}
        return sorted(met, key=lambda layer: (-depths.get(layer, 0), met[layer]))

    def _met(self) -> list[Layer]:
        """Return the layers in the order in which a walk from the outputs meets them, each before those it needs."""
        found, seen, waiting = dict[Layer, None](), set[Any](), leaves(self.outputs)[::-1]
        given = set(tree.leaves(self.inputs))
        while waiting:
            symbol = waiting.pop()
            call = None if symbol in given else symbol.call
            layer = symbol.layer if call is None else call.function
            if isinstance(layer, Layer):
                found.setdefault(layer)
            if call is not None and call not in seen:
                seen.add(call)
                waiting += call.inputs[::-1]
        for symbol in leaves(self.inputs):
            if symbol.layer is not None:
                found.setdefault(symbol.layer)
        return list(found)

    def run(self, inputs: Any) -> Any:
        """Return the outputs for tensors in the structure of the inputs.

        Raises:
            DataError: inputs are missing, or too many.
            ShapeError: an input has another shape than its symbol.
        """
        symbols = tree.leaves(self.inputs)
        given = self._in_structure(inputs, symbols)
        return run(self.outputs, {s: self._fitted(s, x) for s, x in zip(symbols, given, strict=True)})

    def _in_structure(self, inputs: Any, symbols: list[Symbol]) -> list[Any]:
        names = list(self.inputs) if isinstance(self.inputs, dict) else [s.name for s in symbols]
        given = tree.leaves(inputs)
        if isinstance(inputs, dict):
            if any(name not in inputs for name in names):
                got = ", ".join(map(str, inputs)) or "none"
                raise DataError(f"{self.where}: expected `inputs` {', '.join(map(str, names))}, got {got}.")
            taken = {name: inputs[name] for name in names}
            given = tree.leaves_like(self.inputs, taken) if isinstance(self.inputs, dict) else list(taken.values())
        if len(given) != len(symbols):
            expected = f"{len(symbols)} `inputs`, {', '.join(map(str, names))}"
            raise DataError(f"{self.where}: expected {expected}, got {len(given)}.")
        return given

    def _fitted(self, symbol: Symbol, x: Any) -> Any:
        if x is None:
            raise DataError(f"{self.where}: expected `inputs` with a tensor for {symbol.name!r}, got None.")
        if x.ndim == symbol.ndim - 1 and symbol.shape[-1] == 1:
            x = F.expand_dims(x, -1)  # (batch,) for (batch, 1), as in Keras
        if x.ndim != symbol.ndim or any(n not in (None, size) for n, size in zip(symbol.shape, x.shape, strict=True)):
            raise ShapeError(
                f"{self.where}: expected {symbol.name!r} of `inputs` of shape {symbol.shape}, got {tuple(x.shape)}."
            )
        cast = is_floating(x.dtype) and is_floating(symbol.dtype) and x.dtype != symbol.dtype
        return x.astype(symbol.dtype) if cast else x

    def seen(self) -> dict[int, tuple[Any, Any]]:
        """Return for each layer, by identity, the shapes of its first outputs and whether one carries a mask."""
        found: dict[int, tuple[Any, Any]] = {}
        for layer in self.layers:
            if isinstance(layer, InputLayer):
                found[id(layer)] = [layer.symbol.shape], False
        for call in self.calls:
            symbols = [s for s in tree.leaves(call.outputs) if isinstance(s, Symbol)]
            masked = any(mask_of(s.examples[0]) is not None for s in symbols)
            found.setdefault(id(call.function), ([s.shape for s in symbols], masked))
        return found

    def connections(self) -> dict[int, list[str]]:
        """Return for each layer, by identity, the names of the layers and operators whose outputs it takes."""
        found: dict[int, list[str]] = {}
        for call in self.calls:
            names = [getattr(s.call.function, "name", s.name) if s.call else s.name for s in call.inputs]
            found.setdefault(id(call.function), []).extend(names)
        return found
