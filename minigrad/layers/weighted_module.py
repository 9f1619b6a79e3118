"""The weights of a layer: made as its options say, and read and set as lists of arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from minigrad.engine.arguments import entries
from minigrad.engine.conversion import array_from
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import ShapeError, shown
from minigrad.engine.foreign import naming
from minigrad.engine.kinds import text
from minigrad.engine.tensor import Tensor
from minigrad.layers import call_context, checks, constraints, initializers, regularizers
from minigrad.layers.module import Module
from minigrad.layers.options import UninitializedError, flag
from minigrad.layers.weight import Weight

UNBUILT = "call it on data first, or build(input_shape)"


class WeightedModule(Module):
    """A module that makes weights with an initializer, a regularizer and a constraint: the base class of `Layer`."""

    dtype: Any
    built: bool

    # --- weights ------------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: str | None = None,
        shape: Iterable[int] = (),
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
    ) -> Weight:
        """Make a weight of the layer.

        Args:
            name: the weight's name; the names of the layers around are put before it.
            shape: the weight's shape.
            dtype: the layer's by default.
            initializer: a name, an object or a function of (shape, dtype); Glorot's uniform by default.
            regularizer: a penalty to add to `losses`.
            trainable: whether the optimizer updates the weight.
            constraint: a function applied to the weight after each update.
        """
        where = f"{self.name}.add_weight"
        trainable = flag.read(f"{where}: `trainable`", trainable)
        initializer = "glorot_uniform" if initializer is None else initializer
        start = initializers.option_kind.read(f"{where}: `initializer`", initializer)
        name = "weight" if name is None else text.read(f"{where}: `name`", name)
        dtype = self.dtype if dtype is None else dtype_name(dtype)
        shape = checks.read_weight_shape(where, shape)
        source = f"{where}: the initializer of {name!r}, {self._arguments_of(start, 'initializer', name)}"
        with naming(source):
            value = checks.check_result(source, start(shape, dtype=dtype), shape)
        weight = Weight(
            value,
            trainable=trainable,
            name=call_context.scoped(name) + ":0",
            dtype=dtype,
            regularizer=regularizers.option_kind.read(f"{where}: `regularizer`", regularizer),
            constraint=constraints.option_kind.read(f"{where}: `constraint`", constraint),
        )
        self._weights.append(weight)
        return weight

    def _arguments_of(self, value: Any, kind: str, weight: str = "") -> str:
        """Return the arguments that hold a value, else that of a weight, for messages: "`kernel_initializer`"."""
        names = [n for n, given in vars(self).items() if given is value and n.endswith(kind)]
        names = names or [n for n in vars(self) if n == f"{weight}_{kind}"]
        return " or ".join(f"`{n}`" for n in names) or f"`{kind}`"

    def _penalty_of(self, w: Weight) -> Any:
        """Return the penalty of a weight's regularizer, a single number."""
        regularizer: Any = w.regularizer
        source = self._arguments_of(regularizer, "regularizer")
        return checks.penalty(regularizer, w, f"{self.name}.losses: {source}")

    def _add_weight(self, name: str, shape: Iterable[int], options: str = "", **changes: Any) -> Weight:
        """Make a weight with the layer's options ``kernel_initializer``, ``kernel_regularizer`` …"""
        kinds = ("initializer", "regularizer", "constraint")
        return self.add_weight(name, shape, **{k: getattr(self, f"{options or name}_{k}") for k in kinds} | changes)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Raise an AttributeError; an unbuilt layer has no weights yet."""
            if name.startswith("_") or self.__dict__.get("built") or hasattr(type(self), name):
                return object.__getattribute__(self, name)  # with Python's message, or that of the property
            raise UninitializedError(f"{type(self).__name__}: no attribute `{name}`. For a weight: {UNBUILT}.")

    def get_weights(self) -> list[Any]:
        """Return copies of all weights, NumPy arrays."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Set all weights, from a list of arrays in the order of `weights`.

        Raises:
            ShapeError: the number or a shape is wrong; then nothing is set.
            DTypeError: a weight's dtype cannot hold its numbers; nothing is set either.
        """
        where = f"{self.name}.set_weights"
        own, given = self.weights, entries(weights)
        if given is None or len(own) != len(given):
            got = f"{shown(weights)}, which is not a list" if given is None else len(given)
            listed = ", ".join(f"{w.name} {w.shape}" for w in own)
            listed = f"It has: {listed}." if own else f"It has none{'' if self.built else f' yet: {UNBUILT}'}."
            raise ShapeError(f"{where}: expected `weights`, {len(own)} arrays, got {got}. {listed}{self._layout_hint}")
        tensors = [
            Tensor(array_from(x, w.dtype, w.backend, f"{where}: `weights`: {w.name}"), w.backend)
            for w, x in zip(own, given, strict=True)
        ]
        for w, value in zip(own, tensors, strict=True):
            if w.shape != value.shape:
                got = f"expected `weights` with {w.name} of shape {w.shape}, got {value.shape}.{self._layout_hint}"
                raise ShapeError(f"{where}: {got}")
        for w, value in zip(own, tensors, strict=True):
            w.assign(value)

    @property
    def _layout_hint(self) -> str:
        """Hint for weights saved by another generation or library."""
        recurrent = hasattr(self, "state_size") or hasattr(self, "cell")
        return " Weights in another layout are moved by minigrad.convert.relayout." if recurrent else ""

    def count_params(self) -> int:
        """Return the number of numbers in the weights; a ShapeError (ValueError) before they are made."""
        if not self.built:
            raise ShapeError(f"{self.name}.count_params: it has no weights yet: {UNBUILT}.")
        return sum(w.size for w in self.weights)
