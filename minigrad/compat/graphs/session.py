"""Sessions: `run` replays the recorded calls that its fetches need, first those that read variables, then updates."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from minigrad.compat.graphs import state
from minigrad.compat.graphs.tensors import GraphTensor, Operation, run_in_default_session
from minigrad.engine import tree
from minigrad.engine.creation import tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import MinigradError, ShapeError, shown
from minigrad.engine.flow import FlowStack
from minigrad.engine.foreign import naming
from minigrad.engine.tensor import Tensor
from minigrad.layers.symbol import Call, Symbol, calls_of, replayed


class FeedError(MinigradError, ValueError):
    """Raised for a placeholder without numbers, and for a key of `feed_dict` that is not a tensor of the graph."""


class FetchError(MinigradError, TypeError, ValueError):
    """Raised for a fetch that is not a tensor, an operation or a variable of the session's graph."""


_sessions: FlowStack[Session] = FlowStack("v1.Session")


class Session:
    """A run of a graph's calls, inside a `with` block the default one.

    Args:
        target: without effect.
        graph: the graph; the current one by default.
        config: without effect.
    """

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph if graph is not None else state.current()
        self.graph.begun = True
        self._blocks: list[Any] = []

    def __enter__(self) -> Self:
        self._blocks.append(block := self.graph.as_default())
        block.__enter__()
        _sessions.push(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _sessions.drop(self)
        self._blocks.pop().__exit__(kind, error, trace)

    as_default = lambda self: self  # noqa: E731

    def close(self) -> None:
        """Close the session."""
        _sessions.drop(self)

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Return the numbers of tensors and variables, in the structure of the fetches; None for operations.

        All fetches of one run see the variables before its updates, unless `control_dependencies` says otherwise.

        Args:
            fetches: a tensor, an operation, a variable or a name ``"x:0"``, or nested lists, tuples and dictionaries.
            feed_dict: numbers by placeholder, or by any other tensor of the graph.
            options: without effect.
            run_metadata: without effect.

        Raises:
            FeedError: a placeholder has no numbers.
            FetchError: a fetch is of another graph, or none.
            ShapeError: the numbers have another shape than their placeholder.
        """
        wanted = tree.map(self._fetched, fetches)
        known = self._fed(feed_dict or {})
        leaves = tree.leaves(wanted)
        values = _Values(known, {leaf: leaf.numpy() for leaf in leaves if not isinstance(leaf, (Symbol, Operation))})
        values.compute([leaf.done if isinstance(leaf, Operation) else leaf for leaf in leaves])
        return tree.map(values.fetched, wanted)

    def _fetched(self, fetch: Any) -> Any:
        found = self.graph.get_tensor_by_name(fetch) if isinstance(fetch, str) else fetch
        if isinstance(found, (GraphTensor, Operation)) and found.graph is not self.graph:
            raise FetchError(
                f"Session.run: expected fetches of the session's graph, got {found.name!r} of another one. Make the "
                "session with Session(graph=…), or reset_default_graph() before the graph is made."
            )
        if not isinstance(found, (GraphTensor, Operation, Tensor)):
            raise FetchError(
                f"Session.run: expected tensors, operations and variables as `fetches`, got {shown(fetch)}. Fetch None "
                "for nothing: leave it out."
            )
        return found

    def _fed(self, feed_dict: dict[Any, Any]) -> dict[Symbol, Any]:
        known: dict[Symbol, Any] = {}
        for key, value in feed_dict.items():
            symbols = tree.leaves(self.graph.get_tensor_by_name(key) if isinstance(key, str) else key)
            values = [value] if len(symbols) == 1 else tree.leaves(value)
            if len(symbols) != len(values):
                raise FeedError(f"Session.run: expected {len(symbols)} values for {shown(key)} in `feed_dict`.")
            for symbol, numbers in zip(symbols, values, strict=True):
                known[symbol] = self._numbers(symbol, numbers)
        return known

    def _numbers(self, symbol: Any, value: Any) -> Tensor:
        if not isinstance(symbol, GraphTensor) or symbol.graph is not self.graph:
            raise FeedError(
                f"Session.run: expected placeholders of the session's graph as keys of `feed_dict`, got "
                f"{shown(symbol)}."
            )
        where = f"Session.run: `feed_dict`: {symbol.name!r}"
        with naming(where):
            given = tensor(value)
            found = given if given.dtype == symbol.dtype else given.astype(symbol.dtype)
        fits = found.ndim == symbol.ndim and all(
            n in (None, size) for n, size in zip(symbol.shape, found.shape, strict=False)
        )
        if not (fits or symbol.any_shape):
            raise ShapeError(f"{where}: expected numbers of shape {symbol.shape}, got {found.shape}.")
        return found


class _Values:
    """The values of symbols in one run."""

    def __init__(self, known: dict[Symbol, Any], variables: dict[Any, Any]) -> None:
        self.known, self.variables = known, variables
        for symbol in known:
            self._watch(symbol)

    def compute(self, symbols: list[Any]) -> None:
        """Replay the calls that lead to symbols, those that change variables last."""
        calls = calls_of([s for s in symbols if isinstance(s, Symbol)], self.known)
        late: set[Call] = set()
        for call in calls:
            if getattr(call, "updates", False) or any(s.call in late for s in call.inputs if s not in self.known):
                late.add(call)
        before = replayed.set(self.value)
        try:
            for call in [*(c for c in calls if c not in late), *(c for c in calls if c in late)]:
                self._replay(call)
            for symbol in symbols:
                if isinstance(symbol, Symbol):
                    self.value(symbol)
        finally:
            replayed.reset(before)

    def _replay(self, call: Call) -> None:
        result = call.replay(self.value)
        flat = tree.leaves_like(call.outputs, result)
        for symbol, value in zip(tree.leaves(call.outputs), flat, strict=True):
            if isinstance(symbol, Symbol):
                self.known[symbol] = value
                self._watch(symbol)

    def _watch(self, symbol: Any) -> None:
        """Let a value require a gradient that the graph asks for."""
        value = self.known[symbol]
        if symbol.watched and isinstance(value, Tensor) and is_floating(value.dtype) and not value.requires_grad:
            self.known[symbol] = value = value.detach()
            value.requires_grad = True

    def value(self, symbol: Any) -> Any:
        """Return the value of a symbol; those in closures are computed here."""
        if symbol not in self.known:
            if symbol.call is None:
                raise FeedError(
                    f"Session.run: expected numbers for the placeholder {symbol.name!r}, {symbol.shape} of "
                    f"{dtype_name(symbol.dtype)}, got none. Write feed_dict={{{symbol.name}: …}}."
                )
            self.compute([symbol])
        return self.known[symbol]

    def fetched(self, leaf: Any) -> Any:
        """Return what `run` returns for a fetch."""
        if isinstance(leaf, Operation):
            return None
        if not isinstance(leaf, Symbol):
            return self.variables[leaf]
        found = self.known[leaf].numpy()
        return found if found.shape else found[()]


class InteractiveSession(Session):
    """A session that is the default one from its beginning until `close`."""

    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        _sessions.push(self)


def get_default_session() -> Session | None:
    """Return the default session, or None."""
    found = _sessions.entries()
    return found[-1] if found else None


def _run_in_default(fetch: Any, feed_dict: Any, session: Any) -> Any:
    chosen = session if session is not None else get_default_session()
    if chosen is None:
        raise FetchError(
            f"{fetch.name}: expected a default session, got none. Use `with Session():`, InteractiveSession(), or "
            "session=…."
        )
    return chosen.run(fetch, feed_dict)


run_in_default_session.append(_run_in_default)
