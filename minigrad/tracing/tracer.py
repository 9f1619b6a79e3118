"""`trace`: recording of recurrent layers while they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from operator import index
from typing import Any

from minigrad.engine.arguments import among, entries, is_index
from minigrad.engine.errors import MinigradError, shown, unknown_name
from minigrad.layers.cell_adapter import ONE_NODE_A_STEP, OP_BY_OP, adapter_of
from minigrad.layers.layer import Layer
from minigrad.recurrent.watch import Watch, is_watched, watching
from minigrad.tracing import jacobian
from minigrad.tracing.assembly import assemble, state_letters
from minigrad.tracing.trace import HostArray, Trace, TraceError


class Tracer:
    """Traces of the recurrent layers of a model.

    ``tracer["lstm"]`` is the `Trace` of a layer's last run, `runs` returns all of them. If there is one recurrent layer
    only, its letters are attributes of the tracer: ``tracer.f`` is ``tracer["lstm"].f``.
    """

    def __init__(self, found: dict[str, tuple[Any, Any]], every: int, units: list[int] | None) -> None:
        self._layers = {name: layer for name, (layer, _) in found.items()}
        self._cells = {name: cell for name, (_, cell) in found.items()}
        self._every, self._units, cells = every, units, self._cells
        self._watches: dict[str, list[Watch]] = {name: [] for name in cells}
        self._read: dict[tuple[str, int, bool], Trace] = {}

    @property
    def names(self) -> list[str]:
        """Names of the recurrent layers, from first to last."""
        return list(self._cells)

    def runs(self, name: str | None = None) -> list[Trace]:
        """Return all traces of a layer, in the order of its runs."""
        name = self._one(name)
        return [self._trace(name, k) for k in range(len(self._watches[name]))]

    def __getitem__(self, name: str) -> Trace:
        """Return the trace of a layer's last run."""
        self._last(name)
        return self._trace(name, len(self._watches[name]) - 1)

    def __getattr__(self, letter: str) -> Any:
        """Return an attribute of the only layer's trace."""
        if letter.startswith("_"):
            raise AttributeError(letter)
        return getattr(self[self._one(None, letter)], letter)

    def jacobian_norms(self, state: str = "h", name: str | None = None, norm: str = "spectral") -> HostArray:
        """Return ‖∂s_T/∂s_t‖ for t = 0 … T, (T + 1, batch), computed exactly.

        Args:
            state: the letter of the state: ``"h"`` or ``"c"``; the first generation's output is ``"m"``.
            name: the layer's name, if there are several.
            norm: ``"spectral"``, the largest singular value, or ``"frobenius"``.

        Raises:
            TraceError: the layer has not run, or the layer or the state does not exist.
            TooLargeError: one step's matrices would take more than a gibibyte.
            ValueError: `norm` is not a norm.
        """
        name = self._one(name, "jacobian_norms")
        watch = self._last(name)
        states = state_letters(watch)
        if not among(state, states):
            raise TraceError(str(unknown_name(f"jacobian_norms of {name}: state", state, states)))
        return jacobian.norms(watch, states.index(state), norm)

    def _one(self, name: str | None, requested: str = "runs") -> str:
        """Return the name of a layer; without a name, of the only layer."""
        if name is not None:
            if not among(name, self._cells):
                raise TraceError(str(unknown_name("trace: layer `name`", name, self._cells)))
            return name
        if len(self._cells) > 1:
            names = ", ".join(self._cells)
            raise TraceError(
                f"trace: `{requested}`: expected the name of a layer, one of {names}. Write tracer[{self.names[0]!r}]."
            )
        return self.names[0]

    def _last(self, name: str) -> Watch:
        runs = self._watches[self._one(name)]
        if not runs or runs[-1].xp is None:
            raise TraceError(f"trace of {name}: {_not_run(self._layers[name])}")
        return runs[-1]

    def _trace(self, name: str, run: int) -> Trace:
        watch = self._watches[name][run]
        key = (name, run, bool(watch.steps))
        if key not in self._read:
            backwards = bool(getattr(self._layers[name], "go_backwards", False))
            self._read[key] = assemble(watch, name, self._every, self._units, backwards)
        return self._read[key]


@contextmanager
def trace(layer: Any, every: int = 1, units: Any = None) -> Iterator[Tracer]:
    """Record recurrent layers while they run: gates and states of every step, and their gradients after `backward`.

    Inside the block the explicit loop over time runs in its formulas, without kernels and unrolling; the numbers are
    equal. Runs of the current thread or task are recorded, and of tasks that were created inside the block.

    Args:
        layer: a recurrent layer, a model or layer that contains some, or a cell that `dynamic_rnn` will run.
        every: the interval between the steps to keep.
        units: indices of the units to keep, ``range(8)``, ``[0, 3]`` or ``5``; None keeps all.

    Yields:
        A `Tracer`. It holds the cache of every run, on the device, for as long as it lives.

    Raises:
        TraceError: `layer` contains no recurrent cell or is being traced already, or `every` or `units` are invalid.

    >>> import minigrad as mg
    >>> lstm = mg.keras.layers.LSTM(3)
    >>> with mg.trace(lstm) as seen:
    ...     loss = lstm(mg.ones((2, 5, 4))).sum()
    ...     loss.backward()
    >>> seen.f.shape, seen.c.shape, seen.dc.shape  # (time, batch, units)
    ((5, 2, 3), (6, 2, 3), (6, 2, 3))
    """
    if type(every) is not int or every < 1:
        raise TraceError(f"trace: expected `every` to be a positive whole number, got {shown(every)}.")
    tracer = Tracer(_cells(layer), every, _indices(units))
    for name, cell in tracer._cells.items():
        if is_watched([cell]):
            raise TraceError(f"trace: {name} is being traced already.")
    runs = {id(cell): tracer._watches[name] for name, cell in tracer._cells.items()}
    watching.push(runs)
    try:
        yield tracer
    finally:
        runs.clear()  # tasks that were created inside the block may still run
        watching.drop(runs)


def _indices(units: Any) -> list[int] | None:
    """Return the units to keep as a list; their number is checked when the layer has run."""
    if units is None:
        return None
    given = [units] if is_index(units) else entries(units) or []
    indices = [index(u) for u in given if is_index(u)]
    if not indices or len(indices) < len(given) or min(indices) < 0:
        raise TraceError(f"trace: expected `units` to be indices such as range(8), got {shown(units)}.")
    return indices


def _not_run(layer: Any) -> str:
    """Return the reason why a layer has no trace."""
    path = getattr(layer, "path", "")
    how, _, reason = path.partition(": ")
    if how in (ONE_NODE_A_STEP, OP_BY_OP) and reason != "unroll=True":
        advice = "give the cell `step` and `step_backward`, as minigrad.recurrent.Step has them, or write Equations"
        if reason == "mg.testing.on_tape":
            advice = "trace it outside of on_tape"
        on = "on the" if how == OP_BY_OP else "by"
        return f"its last run was {on} {path}. Only the explicit loop over time can be traced: {advice}."
    caller = "layer or model" if hasattr(layer, "cell") else "layer that runs the cell, or dynamic_rnn,"
    return f"it has not run. Call the {caller} inside the `with` block."


def _cells(layer: Any) -> dict[str, tuple[Any, Any]]:
    """Return name → (the layer that runs a cell, the cell) for all cells in a layer."""
    found: dict[str, tuple[Any, Any]] = {}
    for name, runs, cell in _named(layer):
        label, n = name, 1
        while label in found:
            label, n = f"{name}_{n}", n + 1
        found[label] = runs, cell
    if not found:
        raise TraceError(f"trace: there is no recurrent layer in {layer!r}.")
    return found


def _named(layer: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, layer, cell) of every innermost cell; the name has the cell's name if a layer has several."""
    cell = getattr(layer, "cell", None)
    if cell is None and hasattr(layer, "state_size"):
        cell = layer
    if cell is not None:
        inner = adapter_of(cell).innermost()
        for each in inner:
            own = getattr(each, "name", type(each).__name__)
            yield (layer.name if len(inner) == 1 and hasattr(layer, "name") else f"{layer.name}/{own}"), layer, each
    elif isinstance(layer, Layer):
        for part in layer._sublayers():
            yield from _named(part)
    else:
        raise MinigradError(f"trace: expected a layer, a model or a recurrent cell, got {shown(layer)}.")
