"""`tf.Variable`: a weight by TensorFlow's name, with `assign_add` and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

from minigrad.compat.graphs import state
from minigrad.compat.graphs.tensors import GraphVariable, value_of
from minigrad.compat.graphs.updates import assign, assign_add, assign_sub
from minigrad.compat.ops.arrays import convert
from minigrad.engine.dtypes import is_floating
from minigrad.engine.tensor import Tensor


class Variable(GraphVariable):
    """Numbers that operations read and `assign` changes.

    Args:
        initial_value: the first numbers, or a function without arguments that returns them.
        trainable: whether a tape watches it and an optimizer updates it; by default if it is floating.
        validate_shape: without effect.
        caching_device: without effect.
        name: the name, without ``:0``.
        variable_def: without effect.
        dtype: the dtype; that of the first numbers by default.
        import_scope: without effect.
        constraint: a function applied to the numbers after each update of an optimizer.

    >>> v = Variable([1.0, 2.0])
    >>> v.assign_add([1.0, 1.0]).numpy().tolist()
    [2.0, 3.0]
    """

    __slots__ = ()

    def __init__(
        self, initial_value: Any, trainable: bool | None = None, validate_shape: bool = True,
        caching_device: Any = None, name: str | None = None, variable_def: Any = None, dtype: Any = None,
        import_scope: Any = None, constraint: Callable[[Tensor], Tensor] | None = None, **without_effect: Any,
    ) -> None:  # fmt: skip
        start = initial_value
        first = convert(value_of(start() if callable(start) else start), dtype).detach()
        floating = is_floating(first.dtype)
        super().__init__(
            first, floating if trainable is None else trainable and floating, f"{name or 'Variable'}:0",
            constraint=constraint,
        )  # fmt: skip
        graph = state.current()
        if graph.begun:
            full = graph.unique_name(name or "Variable")
            self.name = f"{full}:0"
            graph.add(full, self, lambda: convert(value_of(start() if callable(start) else start), self.dtype))

    def assign(self, value: Any, *_: Any, **__: Any) -> Self:  # type: ignore[override]
        """Replace the numbers, and return the variable."""
        if state.building():
            return assign(self, value)  # type: ignore[no-any-return]
        super().assign(convert(value, None if hasattr(value, "dtype") else self.dtype))
        return self

    def assign_add(self, delta: Any, *_: Any, **__: Any) -> Self:
        """Add to the numbers, and return the variable."""
        if state.building():
            return assign_add(self, delta)  # type: ignore[no-any-return]
        return self.assign(self.detach() + convert(delta, None if hasattr(delta, "dtype") else self.dtype))

    def assign_sub(self, delta: Any, *_: Any, **__: Any) -> Self:
        """Subtract from the numbers, and return the variable."""
        if state.building():
            return assign_sub(self, delta)  # type: ignore[no-any-return]
        return self.assign(self.detach() - convert(delta, None if hasattr(delta, "dtype") else self.dtype))


class TensorSpec(NamedTuple):
    """Shape and dtype of an argument, for `tf.function`, which reads neither here."""

    shape: Any
    dtype: Any = "float32"
    name: str | None = None
