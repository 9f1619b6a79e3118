"""`tf.Variable`: a weight by TensorFlow's name, with `assign_add` and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

from minigrad.compat.ops.arrays import convert
from minigrad.engine import functional as F
from minigrad.engine.dtypes import is_floating
from minigrad.engine.tensor import Tensor
from minigrad.layers.tensor_shape import TensorShape
from minigrad.layers.weight import Weight


class Variable(Weight):
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
        first = convert(initial_value() if callable(initial_value) else initial_value, dtype).detach()
        floating = is_floating(first.dtype)
        super().__init__(
            first, floating if trainable is None else trainable and floating, f"{name or 'Variable'}:0",
            constraint=constraint,
        )  # fmt: skip

    def value(self) -> Tensor:
        """Return the numbers, through which gradients pass to the variable."""
        return F.linear(self) if is_floating(self.dtype) else F.getitem(self, ...)

    read_value = value

    def assign(self, value: Any, *_: Any, **__: Any) -> Self:  # type: ignore[override]
        """Replace the numbers, and return the variable."""
        super().assign(convert(value, None if hasattr(value, "dtype") else self.dtype))
        return self

    def assign_add(self, delta: Any, *_: Any, **__: Any) -> Self:
        """Add to the numbers, and return the variable."""
        return self.assign(self.detach() + convert(delta, None if hasattr(delta, "dtype") else self.dtype))

    def assign_sub(self, delta: Any, *_: Any, **__: Any) -> Self:
        """Subtract from the numbers, and return the variable."""
        return self.assign(self.detach() - convert(delta, None if hasattr(delta, "dtype") else self.dtype))

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return TensorShape(self.shape)


class TensorSpec(NamedTuple):
    """Shape and dtype of an argument, for `tf.function`, which reads neither here."""

    shape: Any
    dtype: Any = "float32"
    name: str | None = None
