"""Operations that change variables: `assign`, initializers, `group`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.compat.graphs import state
from minigrad.compat.graphs.tensors import GraphTensor, GraphVariable, Operation, record
from minigrad.engine.creation import as_tensor, tensor
from minigrad.engine.tensor import Tensor
from minigrad.layers.symbol import replayed
from minigrad.layers.weight import Weight


class _Example:
    """The place of a function that changes variables while its call is recorded."""

    updates = True

    def __call__(self, *_: Any) -> Any:
        return tensor(0.0)


def updating(change: Callable[..., Any], inputs: list[Any], name: str, like: Any = None) -> GraphTensor:
    """Record a call that changes variables; its result is of the form of `like`."""
    if replayed.get() is not None:  # in a branch of tf.cond, or the like
        return record(change, tuple(inputs), {}, name)  # type: ignore[no-any-return]
    found: GraphTensor = record(_Example(), tuple(inputs), {}, name)
    if like is not None:
        found.examples = (as_tensor(like).detach(), as_tensor(like).detach())
    found.call.function = change  # type: ignore[union-attr]
    return found


def _assign(how: Callable[[Tensor, Tensor], Tensor], name: str) -> Callable[..., Any]:
    def function(ref: Any, value: Any, validate_shape: Any = None, use_locking: Any = None, name: Any = name) -> Any:
        if not state.building():
            Weight.assign(ref, how(ref.detach(), as_tensor(value, ref.dtype)))
            return ref

        def change(new: Any) -> Tensor:
            Weight.assign(ref, how(ref.detach(), as_tensor(new, ref.dtype)))
            now: Tensor = ref.detach()
            return now

        given = value.value() if isinstance(value, GraphVariable) else value
        return updating(change, [given], name, ref)

    function.__doc__ = f"{name}: change a variable, and return its new numbers."
    function.__name__ = function.__qualname__ = name
    return function


assign = _assign(lambda old, new: new, "assign")
assign_add = _assign(lambda old, new: old + new, "assign_add")
assign_sub = _assign(lambda old, new: old - new, "assign_sub")


def variables_initializer(var_list: Any, name: str = "init") -> Operation:
    """Return the operation that gives variables their first numbers, drawn again at each run."""
    graph = state.current()
    graph.begun = True

    def change() -> Tensor:
        for variable in var_list() if callable(var_list) else var_list:
            Weight.assign(variable, graph.initial[id(variable)]())
        return tensor(0.0)

    return Operation(updating(change, [], name))


def global_variables_initializer() -> Operation:
    """Return the operation that gives all variables of the graph their first numbers."""
    graph = state.current()
    return variables_initializer(lambda: [v for v in graph.variables.values() if id(v) in graph.initial])


def group(*inputs: Any, name: str = "group_deps") -> Operation:
    """Return an operation that has run when all of these have."""
    flat = [each for part in inputs for each in (part if isinstance(part, (list, tuple)) else [part])]
    needed = [each.done if isinstance(each, Operation) else each for each in flat if each is not None]
    return Operation(record(_nothing, (needed,), {}, name))


def no_op(name: str = "NoOp") -> Operation:
    """Return an operation that changes nothing, after those of `control_dependencies`."""
    return group(name=name)


def _nothing(_: Any) -> Tensor:
    return tensor(0.0)
