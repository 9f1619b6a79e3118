"""The current graph: its variables, the names in it, and whether calls are recorded."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from types import TracebackType
from typing import Any

from minigrad.engine.flow import FlowStack
from minigrad.layers.symbol import replayed

_numbers = count()


class Graph:
    """Variables and recorded calls of a program of TensorFlow 1.

    Attributes:
        variables: the variables by name.
        initial: the function that returns a variable's first numbers, by the variable's identity.
        named: placeholders and operations by name.
        begun: whether calls are recorded: from the first placeholder or session on.
        number: unique in the process.

    >>> import minigrad as mg
    >>> v1 = mg.compat.v1
    >>> with v1.Graph().as_default():
    ...     x = v1.placeholder("float32", [None, 2])
    ...     with v1.Session() as session:
    ...         session.run(x * 2.0, {x: [[1.0, 2.0]]}).tolist()
    [[2.0, 4.0]]
    """

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self.initial: dict[int, Callable[[], Any]] = {}
        self.named: dict[str, Any] = {}
        self.begun = False
        self.number = next(_numbers)

    def add(self, name: str, variable: Any, initial: Callable[[], Any]) -> None:
        """Add a variable, and the function that returns its first numbers."""
        self.variables[name] = variable
        self.initial[id(variable)] = initial

    def unique_name(self, name: str) -> str:
        """Return a name that no placeholder or operation of the graph has, and reserve it."""
        found, k = name, 0
        while found in self.named:
            k += 1
            found = f"{name}_{k}"
        self.named[found] = None
        return found

    def as_default(self) -> _Block:
        """Return a `with` block in which this graph is the current one, and calls are recorded."""
        self.begun = True
        return _Block(self)

    def get_tensor_by_name(self, name: str) -> Any:
        """Return the placeholder or recorded tensor of a name such as ``"x:0"``.

        Raises:
            KeyError: no tensor has the name.
        """
        found = self.named.get(name.partition(":")[0])
        if found is None:
            raise KeyError(f"The graph has no tensor named {name!r}. Give the operation a name=.")
        return found

    get_operation_by_name = get_tensor_by_name


class _Block:
    """A `with` block of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def __enter__(self) -> Graph:
        _graphs.push(self.graph)
        return self.graph

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _graphs.drop(self.graph)


_graphs: FlowStack[Graph] = FlowStack("v1.Graph.as_default")
_outermost = Graph()
_always = False  # whether eager execution is disabled for the process


def current() -> Graph:
    """Return the current graph of this thread or task."""
    inside = _graphs.entries()
    return inside[-1] if inside else _outermost


def building() -> bool:
    """Return whether calls are recorded: in a graph that has begun, and outside a replay."""
    return current().begun and replayed.get() is None


def reset() -> None:
    """Begin a new outermost graph."""
    global _outermost
    _outermost = Graph()
    _outermost.begun = _always


def disable_eager_execution() -> None:
    """Record all calls of TensorFlow's functions from here on, as TensorFlow 1 does."""
    global _always
    _always = _outermost.begun = True


def enable_eager_execution() -> None:
    """Run all calls at once again, outside the blocks of graphs."""
    global _always
    _always = _outermost.begun = False


def executing_eagerly() -> bool:
    """Return whether calls run at once."""
    return not building()
