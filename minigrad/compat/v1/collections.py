"""Collections of a graph, and blocks without effect: `get_collection`, `name_scope`, `device`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.compat.graphs import state
from minigrad.compat.graphs.tensors import Operation
from minigrad.compat.graphs.updates import global_variables_initializer, no_op
from minigrad.compat.v1.variables import global_variables, trainable_variables


class GraphKeys:
    """Names of collections."""

    GLOBAL_VARIABLES = VARIABLES = "variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    LOSSES = "losses"
    UPDATE_OPS = "update_ops"


def add_to_collection(name: str, value: Any) -> None:
    """Add a value to a collection of the graph."""
    vars(state.current()).setdefault("collections", {}).setdefault(name, []).append(value)


def get_collection(key: str, scope: str | None = None) -> list[Any]:
    """Return the values of a collection, for variables those whose names begin with the scope."""
    if key == GraphKeys.GLOBAL_VARIABLES:
        return list(global_variables(scope))
    if key == GraphKeys.TRAINABLE_VARIABLES:
        return list(trainable_variables(scope))
    return list(vars(state.current()).get("collections", {}).get(key, []))


@contextmanager
def name_scope(name: Any = None, default_name: Any = None, values: Any = None) -> Iterator[str]:
    """Run a `with` block whose operations keep their names; variables are named by `variable_scope`."""
    yield f"{name or default_name}/"


@contextmanager
def device(device_name: Any = None) -> Iterator[None]:
    """Run a `with` block on the current backend; `minigrad.using` chooses another."""
    yield


class ConfigProto:
    """Settings of a session; without effect."""

    def __init__(self, **without_effect: Any) -> None:
        self.gpu_options = self
        self.allow_growth = True


def local_variables_initializer() -> Operation:
    """Return an operation that changes nothing: there are no local variables."""
    return no_op()


global_variables_initializer_of_2015 = global_variables_initializer
