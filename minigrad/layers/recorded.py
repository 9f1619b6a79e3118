"""The calls that were recorded on a layer, `minigrad.layers.symbol`: its symbols and their shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine import random, tree
from minigrad.engine.errors import MinigradError, ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.layers import checks
from minigrad.layers.symbol import input_symbol
from minigrad.layers.tensor_shape import TensorShape


class NoSymbolsError(MinigradError, AttributeError):
    """Raised for the symbols of a layer that was called on none, or of a model that was not made from symbols."""


class Recorded:
    """The part of a layer that says on which symbols it was called."""

    _recorded: Any = ()

    @property
    def input(self) -> Any:
        """The symbols that the layer was called on.

        Raises:
            NoSymbolsError: (an AttributeError) it was called on none, or several times.
        """
        return self._only_call("input")[0]

    @property
    def output(self) -> Any:
        """The symbols that the layer returned.

        Raises:
            NoSymbolsError: (an AttributeError) it was called on no symbols, or several times.
        """
        return self._only_call("output")[1]

    @property
    def input_shape(self) -> Any:
        """The shapes of `input`, in its structure."""
        return shapes_of(self._only_call("input_shape")[0])

    @property
    def output_shape(self) -> Any:
        """The shapes of `output`, in its structure."""
        return shapes_of(self._only_call("output_shape")[1])

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the outputs for inputs of a shape; the layer itself stays as it is.

        Args:
            input_shape: with the batch first and None for sizes that may be any, such as (None, None, 8); a list or
                dictionary of shapes for several inputs.

        Returns:
            A TensorShape, or for several outputs a list of them.

        Raises:
            ShapeError: the shape does not fit the layer, or it needs a size that is None.
        """
        where = f"{vars(self).get('name')}.compute_output_shape: `input_shape`"
        state = random.get_state()
        try:
            with naming(where):
                symbols = map_shapes(where, input_shape, lambda shape: input_symbol(shape, "float32", "the input"))
                layer: Any = type(self).from_config(self.get_config())  # type: ignore[attr-defined]
                return shapes_of(layer(symbols), TensorShape)
        finally:
            random.set_state(state)  # that of the weights just drawn

    def _only_call(self, name: str) -> Any:
        count = len(self._recorded)
        if count == 1:
            return self._recorded[0]
        called = f"was called {count} times on them" if count else "has not been called on any"
        raise NoSymbolsError(f"{vars(self).get('name')}.{name}: expected one call on symbols; the layer {called}.")


def shapes_of(symbols: Any, kind: Callable[[Any], Any] = tree.Leaf) -> Any:
    """Return the shapes of symbols, in their structure."""
    return tree.map(lambda s: kind(s.shape), symbols)


def map_shapes(where: str, shapes: Any, function: Callable[[Any], Any]) -> Any:
    """Return function(shape) for each shape in a list or dictionary of shapes, or for the one."""
    if checks.is_shape(shapes):
        return function(tuple(shapes))
    if isinstance(shapes, dict):
        return {name: map_shapes(where, shape, function) for name, shape in shapes.items()}
    if not isinstance(shapes, (list, tuple)) or not shapes:
        raise ShapeError(f"{where}: expected a shape such as (None, 10, 8), or a list of shapes, got {shown(shapes)}.")
    return [map_shapes(where, shape, function) for shape in shapes]


def symbol_in(where: str, inputs: Any) -> Any:
    """Return the first symbol among the inputs, or None.

    A symbol stands for a tensor that is given later. It has a method `record_call(layer, inputs, args, kwargs)`, which
    returns symbols for the outputs.
    """
    if not isinstance(inputs, (list, tuple, dict)):
        return inputs if hasattr(inputs, "record_call") else None
    numbers = checks.is_list_of_numbers(where, inputs)
    return None if numbers else next((x for x in tree.leaves(inputs) if hasattr(x, "record_call")), None)
