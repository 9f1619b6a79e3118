"""Sequential: a model of layers one after the other."""

from __future__ import annotations

from functools import reduce
from typing import Any

from minigrad.engine import tree
from minigrad.engine.arguments import dictionary, listed
from minigrad.engine.errors import DataError, DTypeError, MinigradError, ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.keras.models import summary
from minigrad.keras.models.model import Model
from minigrad.layers import serialization
from minigrad.layers.custom_objects import CustomObjectScope
from minigrad.layers.inputs import InputLayer
from minigrad.layers.layer import Layer
from minigrad.layers.masks import with_mask
from minigrad.layers.module import Module
from minigrad.layers.recorded import NoSymbolsError
from minigrad.layers.symbol import Symbol

NESTED = 40  # levels of nested models; each level takes several frames of Python's stack


def nesting(layer: Layer) -> int:
    """Return the number of levels of nested models in a layer, a model itself included."""
    deepest, waiting = 0, [(layer, 0)]
    while waiting:
        one, level = waiting.pop()
        level += isinstance(one, Model)
        deepest = max(deepest, level)
        waiting += [(inner, level) for inner in one._sublayers()]
    return deepest


class EmptyModelError(MinigradError, TypeError, ValueError):
    """Removal of a layer from a model without layers. Keras raises a TypeError."""


class Sequential(Model):
    """A model of layers, each of which takes the output of the one before.

    Args:
        layers: the layers. If the first has an `input_shape`, or is an `Input`, the weights are made at once.
        name: unique by default.

    >>> from minigrad.keras.layers import Dense
    >>> model = Sequential([Dense(4, activation="tanh", input_shape=(3,)), Dense(2)])
    >>> model.output_shape, model.count_params()
    ((None, 2), 26)
    """

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._stack: list[Layer] = []
        self._outputs: dict[int, tuple[Any, Any]] = {}
        self._input_shape: Any = None
        self._ends: tuple[Symbol, Any] | None = None
        one = [] if layers is None else [layers] if isinstance(layers, Layer) else layers
        given = listed("Sequential: `layers`", one)
        with naming("Sequential: `layers`"):
            for layer in given:
                self._append(layer)
        self._build_if_known()

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order, without an `Input`."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    def add(self, layer: Layer) -> None:
        """Add a layer at the end; one that does not fit raises, and leaves the model unchanged."""
        built = self.built
        self._append(layer)
        try:
            self._build_if_known()
        except Exception:
            self._stack.pop()
            self.built = built
            raise

    def pop(self) -> None:
        """Remove the last layer.

        Raises:
            EmptyModelError: (a TypeError and a ValueError) there is no layer.
        """
        if not self.layers:
            raise EmptyModelError(f"{self.name}.pop: there is no layer to remove. Add one first.")
        self._stack.pop()
        self.built, self._ends = bool(self.layers) and self.built, None

    def _append(self, layer: Any) -> None:
        if isinstance(layer, Symbol) and layer.layer is not None:
            layer = layer.layer
        if not isinstance(layer, Layer):
            raise DTypeError(f"{self.name}.add: `layer`: expected a layer, got {shown(layer)}.")
        if nesting(layer) >= NESTED:
            raise self._too_deep("add")
        if any(layer is other or layer.name == other.name for other in self._stack):
            raise ValueError(
                f"{self.name}.add: there is a layer named {layer.name!r} already. Give each its own name; a "
                "Sequential can use a layer once only."
            )
        self._stack.append(layer)
        self.built, self._ends = False, None

    def _too_deep(self, where: str) -> DataError:
        return DataError(f"{self.name}.{where}: models are nested {NESTED} deep: add their layers instead.")

    def _build_if_known(self) -> None:
        shape = self._input_shape or (self._stack[0].batch_input_shape if self._stack else None)
        if shape is not None and self.layers:
            self.build(shape)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape, e.g. (None, 10, 8), or of the known shape.

        Raises:
            ShapeError: a layer needs a size that is None in the shape.
        """
        self._input_shape = self._with_known_batch(input_shape) or self._input_shape
        if self._input_shape is None:
            return
        self._outputs = {}
        Model.build(self, self._input_shape)
        batch, *sizes = self._input_shape
        if None in sizes:
            by_ones, self._outputs = self._outputs, {}
            self._build_again((batch, *(2 if n is None else n for n in sizes)))
            self._outputs = summary.common_shapes(by_ones, self._outputs)

    def _with_known_batch(self, shape: Any) -> Any:
        """Return a shape, its batch that of the first layer where it is None."""
        known = self._stack[0].batch_input_shape if self._stack else None
        return (known[0], *shape[1:]) if shape and known and shape[0] is None else shape

    def _build_again(self, shape: Any) -> None:
        """Build with another size where the shape has None, to find the output sizes that follow from it."""
        try:
            Model.build(self, shape)
        except ShapeError as error:
            raise ShapeError(
                f"{self.name}.build: a layer needs a size that is None in the shape {self._input_shape}. "
                f"Pass the whole input_shape, or input_length where the first layer is an Embedding. ({error})"
            ) from error

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the last layer's output."""
        x = inputs if mask is None else tree.map(with_mask, inputs, mask)
        for layer in self._stack:
            x = layer(x)
            self._outputs[id(layer)] = summary.seen_of(x)
        return x

    def _as_inputs(self, inputs: Any) -> Any:
        x = super()._as_inputs(inputs)
        if isinstance(x, (list, tuple, dict)):
            raise DataError(
                f"{self.name}: a Sequential takes one array, got {len(x)} in a {type(x).__name__}. Targets are a "
                "separate argument, as in fit(x, y); for several inputs write a Model with a `call`."
            )
        return x

    def _parts(self) -> list[Module]:
        return [*self._stack]

    def _output_name(self) -> str | None:
        return self._stack[-1].name if self._stack else None

    def _scope_name(self) -> str:
        return ""  # as in Keras: the weights' names begin with the layers'

    def _build_once(self, inputs: Any) -> None:
        if nesting(self) > NESTED:  # a model inside has grown
            raise self._too_deep("call")
        self.built = True

    def _seen(self) -> dict[int, tuple[Any, Any]]:
        return self._outputs

    # --- as a graph ---------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> list[Symbol]:
        """The symbol of the input, in a list; the layers have an `output` from then on."""
        return [self._only_call("inputs")[0]]

    @property
    def outputs(self) -> list[Symbol]:
        """The symbol of the output, in a list."""
        return tree.leaves(self._only_call("outputs")[1])

    def _only_call(self, name: str) -> Any:
        """Return the symbols of the input and the output; at the first request the layers are called on them."""
        if self._input_shape is None:
            raise NoSymbolsError(
                f"{self.name}.{name}: the shape of the inputs is not known. Give the first layer an input_shape, or "
                "build(input_shape)."
            )
        if self._ends is None:
            first = self._stack[0]
            dtype = first.dtype if isinstance(first, InputLayer) else None
            x: Any = InputLayer(batch_input_shape=self._input_shape, dtype=dtype).symbol
            self._ends = x, reduce(lambda y, layer: layer(y), self.layers, x)
        return self._ends

    @property
    def input_shape(self) -> Any:
        """The shape of the inputs, the batch first."""
        return self._input_shape if self._input_shape is not None else self._only_call("input_shape")

    @property
    def output_shape(self) -> Any:
        """The shape of the last call's output, the batch as None unless it is fixed; None before any call."""
        shapes, _ = self._outputs.get(id(self._stack[-1]), (None, None)) if self._stack else (None, None)
        if shapes and self._input_shape:
            shapes = [(self._input_shape[0], *shape[1:]) for shape in shapes]
        return shapes[0] if shapes and len(shapes) == 1 else shapes

    def get_config(self) -> dict[str, Any]:
        """Return the layers as plain values."""
        layers = [serialization.serialize(layer) for layer in self._stack]
        return {"name": self.name, "layers": layers, "build_input_shape": self._input_shape}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Sequential:
        """Return a new model, with new weights, from the value of `get_config`; `custom_objects`: as for a layer."""
        where = "Sequential.from_config: `config`"
        described = dictionary(where, config).get("layers")
        with naming(where):
            with CustomObjectScope(custom_objects):
                layers = [serialization.deserialize(layer) for layer in listed(f"{where}: layers", described)]
            model = cls(layers, name=config.get("name"))
            model.build(config.get("build_input_shape"))
        return model
