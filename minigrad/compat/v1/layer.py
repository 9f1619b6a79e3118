"""The base class of the layers of the first API generation: weights are variables, found by their scope's name."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from copy import copy
from typing import Any, ClassVar

from minigrad.compat.graphs.options import examples_of
from minigrad.compat.v1.variables import VariableScope, get_variable, variable_scope
from minigrad.engine import tree
from minigrad.engine.arguments import text
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, MinigradError
from minigrad.engine.flow import FlowAttribute
from minigrad.engine.foreign import with_name
from minigrad.engine.tensor import Tensor
from minigrad.layers import call_context, layer
from minigrad.layers.options import Option, anything, option
from minigrad.layers.recorded import symbol_in
from minigrad.layers.weight import Weight


class ScopeError(MinigradError, ValueError):
    """Raised when a layer has no scope yet."""


class Layer(layer.Layer):
    """The base class of the first generation's layers.

    Args:
        trainable: whether the optimizer updates the weights.
        name: the name of the layer and of its scope; by default the scope is ``"lstm_cell"``, ``"lstm_cell_1"`` …
        dtype: the dtype of the weights; that of the first floating input by default.
        _reuse: whether to share the variables of the scope.
        _scope: the scope of the weights; by default one of the layer's name, inside the scope of the first call.
    """

    dtype: Any = option(anything, None, keyword_only=True)

    serialized_module: ClassVar[str] = "compat.v1.layers"
    _of_inputs: Any = FlowAttribute[list[Any]]([])  # losses that depend on inputs

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = dict(zip([name for name, o in self._options.items() if not o.keyword_only], args, strict=False))
        if len(given) == len(args) and not given.keys() & kwargs.keys():  # else it is refused below
            args, kwargs = (), given | kwargs
        self._shares = kwargs.pop("_reuse", None)
        scope = kwargs.pop("_scope", None)
        dtype = kwargs.get("dtype")
        kwargs, self._later = examples_of(kwargs)
        if kwargs.get("name") is not None:
            text(f"{type(self).__name__}: `name`", kwargs["name"])
        self._base_name = kwargs.get("name") or self.serialized_name()
        kwargs["name"] = kwargs.get("name") or call_context.unique_name(type(self).__name__, first=1)
        super().__init__(*args, **kwargs)
        self.dtype = None if dtype is None else dtype_name(dtype)
        self._own_scope: VariableScope | None = None
        if scope is not None:
            self._open_scope(scope)

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        """Return the options, with `trainable`, `name` and `dtype` by position in a class that has no other."""
        found = super()._arranged(options)
        if not all(o.keyword_only for o in found.values()):
            return found
        by_position = {name: copy(found[name]) for name in ("trainable", "name", "dtype") if name in found}
        for o in by_position.values():
            o.keyword_only = False
        return by_position | {name: o for name, o in found.items() if name not in by_position}

    # --- the scope ----------------------------------------------------------------------------------------------------

    @property
    def scope_name(self) -> str:
        """The full name of the scope of the weights.

        Raises:
            ValueError: (a `ScopeError`) the layer has not been called.
        """
        if self._own_scope is None:
            raise ScopeError(
                f'No name available for layer scope because the layer "{self.name}" has not been used yet.'
            )
        return self._own_scope.name

    @property
    def graph(self) -> None:
        """None: there is no graph, because operations run at once."""
        return None

    def _open_scope(self, scope: Any = None) -> None:
        """Set the layer's scope, once: a new one below the current scope, or the one whose variables it shares."""
        if self._own_scope is None:
            if isinstance(scope, str):
                text(f"{self.name}: `scope`", scope)
            shared = scope if scope is not None else self._base_name
            entered = variable_scope(shared) if self._shares else variable_scope(scope, default_name=self._base_name)
            with entered as self._own_scope:
                pass

    def _scope_block(self) -> AbstractContextManager[VariableScope]:
        """Return the layer's scope, in which its variables are made once and then shared."""
        self._open_scope()
        return variable_scope(self._own_scope, reuse=bool(self.built or self._shares))

    # --- the layer ----------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, scope: Any = None, **kwargs: Any) -> Any:
        """Call the layer in its scope, and build it first if needed."""
        self._open_scope(scope)
        if self.dtype is None and symbol_in(f"{self.name}.call: `inputs`", inputs) is None:
            dtypes = [x.dtype for x in tree.leaves(self._as_inputs(inputs)) if x is not None]
            self.dtype = next((dtype_name(dtype) for dtype in dtypes if is_floating(dtype)), None)
        with self._scope_block():
            return super().__call__(inputs, *args, **kwargs)

    apply = __call__

    def _cast(self, x: Tensor) -> Tensor:
        return x if self.dtype is None else super()._cast(x)

    def add_weight(
        self,
        name: str | None = None,
        shape: Iterable[int] = (),
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = None,
        aggregation: Any = None,
        partitioner: Any = None,
    ) -> Weight:
        """Make or share a variable in the layer's scope. Arguments as in `minigrad.layers.layer.Layer`.

        The last four are TensorFlow's and without effect: there is no graph, and one device.

        Raises:
            DTypeError: the layer has neither a dtype nor floating inputs yet.
        """
        if (dtype or self.dtype) is None:
            raise DTypeError(
                f"{self.name}.build: the dtype is not known: expected a `dtype` or floating inputs, got neither. Pass "
                "dtype='float32'."
            )
        name = name or "weight"
        with self._scope_block():
            try:
                weight = get_variable(
                    name,
                    tuple(shape),
                    dtype or self.dtype,
                    initializer,
                    regularizer,
                    trainable and self.trainable,
                    constraint=constraint,
                )
            except MinigradError as error:
                if "`initializer`" in str(error):
                    source = self._arguments_of(initializer, "initializer", name).replace("`_", "`")
                    raise with_name(error, f"{self.name}: {source}") from error.__cause__
                raise
        self._weights.append(weight)
        return weight

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add a term or a list of terms to `losses`; they depend on `inputs`, or on no inputs for None."""
        super().add_loss(losses)
        if inputs is not None:
            self._of_inputs = [*self._input_losses(), *tree.leaves(losses)]

    def get_losses_for(self, inputs: Any) -> list[Any]:
        """Return the losses that depend on the inputs; for None those that depend on no inputs, as the weights' do."""
        depend = self._input_losses()
        return depend if inputs is not None else [x for x in self.losses if not any(x is own for own in depend)]

    def _input_losses(self) -> list[Any]:
        """Return the losses added together with inputs since the last call."""
        return [x for x in self._losses if any(x is own for own in self._of_inputs)]

    def get_updates_for(self, inputs: Any) -> list[Any]:
        """Return an empty list: operations run at once, so there are no update operations."""
        return []
