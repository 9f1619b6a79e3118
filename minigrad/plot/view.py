"""What a picture is drawn from: a trace, a tracer of one layer, or plain arrays; of it one row and some units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine.errors import DTypeError, IndexRangeError, MinigradError, ShapeError, shown, unknown_name
from minigrad.plot.alt import counted
from minigrad.tracing import Trace, Tracer

HostArray = Any
Source = Any
"""A `Trace`, a `Tracer` of one layer, an array (T, batch, units), (T, units) or (T,), or arrays by letter."""

SAME = {"h": "m", "m": "h", "g": "j", "j": "g"}  # what the first generation calls otherwise


def trace_of(source: Source, where: str, field: str = "gates", letter: str = "f") -> Trace:
    """Returns the trace that is meant; plain arrays become one.

    Args:
        source: what the user gave.
        where: the function that asks.
        field: of a trace: where plain arrays belong.
        letter: what a single array is.
    """
    if isinstance(source, Trace):
        return source
    if isinstance(source, Tracer):
        if len(source.names) > 1:
            names = ", ".join(source.names)
            raise MinigradError(f"{where}: of which layer? There are {names}: give it tracer[{source.names[0]!r}].")
        return source[source.names[0]]
    arrays = source if isinstance(source, Mapping) else {letter: source}
    cubes = {key: cube(array, where) for key, array in arrays.items()}
    if len({c.shape for c in cubes.values()}) != 1:
        shapes = ", ".join(f"{key} {c.shape}" for key, c in cubes.items())
        raise ShapeError(f"{where}: expected arrays of one shape, got {shapes or 'none'}.")
    whole = next(iter(cubes.values()))
    steps = len(whole) - (field in ("states", "dstates"))  # states have one more, that before the first step
    given: dict[str, Any] = {"gates": {}, "states": {}}
    given[field] = {letter: cubes} if field == "ledger" else cubes
    return Trace("", "arrays", np.zeros((steps, whole.shape[1], 0)), whole[:steps], None, steps, **given)


def cube(array: Any, where: str) -> HostArray:
    """Returns (T, batch, units) of what lacks a batch, or units too."""
    a = host(array, where)
    if not 1 <= a.ndim <= 3 or not a.size:
        raise ShapeError(f"{where}: expected an array (T, batch, units), (T, units) or (T,), got shape {a.shape}.")
    return a if a.ndim == 3 else a.reshape(len(a), 1, -1)


def host(array: Any, where: str) -> HostArray:
    """Returns an array of numbers.

    Raises:
        DTypeError: it is none, such as the layer in place of its trace.
    """
    try:
        return np.asarray(array, np.float64)
    except (TypeError, ValueError):
        raise DTypeError(
            f"{where}: expected a trace, or an array of numbers, got {shown(array)}. A trace is what "
            "`with mg.trace(layer) as seen:` saw."
        ) from None


def named(sources: Any, where: str) -> Mapping[Any, Any]:
    """Returns several sources by name, as they were given.

    Raises:
        MinigradError: they have no names.
    """
    if not isinstance(sources, Mapping):
        raise MinigradError(f"{where}: expected traces by name, {{'first': seen_1, …}}, got {shown(sources)}.")
    return sources


class View:
    """One row of a trace, and some of its units.

    Attributes:
        trace: the trace.
        row: the row of the batch.
        units: the units' indices.
        steps: the time steps of the sequence that the entries belong to; they fall where the layer goes backwards.
        after: the same of the states after the first: state n + 1 is there after step ``after[n]``.
        rests: for each step whether the row rested.
    """

    def __init__(self, trace: Trace, where: str, row: int = 0, units: Any = None) -> None:
        _, batch, width = trace.outputs.shape
        for array in (*trace.gates.values(), *trace.states.values()):
            width = max(width, array.shape[-1])  # with a projection fewer come out than there are inside
        within(where, "row", [row], batch)
        self.trace, self.where, self.row = trace, where, row
        self.units = list(range(width)) if units is None else [units] if isinstance(units, int) else list(units)
        within(where, "units", self.units, width)
        self.steps = trace.times
        after = np.append(trace.at[1:], trace.steps) - 1
        self.after = trace.steps - 1 - after if trace.go_backwards else after
        self.rests = np.zeros(len(self.steps), bool) if trace.mask is None else ~trace.mask[:, row]

    def of(self, array: HostArray) -> HostArray:
        """Returns (T, units) of an array of the trace."""
        inside = [u for u in self.units if u < array.shape[-1]]
        return array[:, self.row][:, inside]

    def awake(self, array: HostArray) -> HostArray:
        """The same, NaN where the row rested."""
        return np.where(self.rests[:, None], np.nan, self.of(array))

    def read(self, tokens: Sequence[str] | None) -> list[str] | None:
        """Returns of the tokens of a sequence those that were read at the steps drawn, in their order.

        Raises:
            ShapeError: there is not one token for each time step.
        """
        if tokens is None:
            return None
        if len(tokens) != self.trace.steps:
            raise ShapeError(
                f"{self.where}: expected `tokens` to be one for each of {self.trace.steps} time steps, got "
                f"{len(tokens)}."
            )
        return [tokens[t] for t in self.steps]

    @property
    def title(self) -> str:
        """Of which layer, and of which row where there are several."""
        batch = self.trace.outputs.shape[1]
        parts = [self.trace.name, f"row {self.row} of {batch}" if batch > 1 else ""]
        return ", ".join(part for part in parts if part)

    @property
    def about(self) -> str:
        """The same in words, with the number of steps, which of them are drawn, and what rests."""
        of = f" of {self.title}" if self.title else ""
        resting, every = int(self.rests.sum()), self.trace.every
        some = f", one in {every} of them drawn" if every > 1 else ""
        backwards = ", read from the last to the first" if self.trace.go_backwards else ""
        masked = f", {resting} of {'these' if every > 1 else 'them'} masked" if resting else ""
        return f"{of} over {counted(self.trace.steps, 'time step')}{some}{backwards}{masked}"

    def meaning(self) -> str:
        """Says what a line is that stands for the units."""
        return f"unit {self.units[0]}" if len(self.units) == 1 else f"mean of {len(self.units)} units"


def within(where: str, what: str, indices: Any, size: int) -> None:
    """Checks indices, and names the range.

    Raises:
        IndexRangeError: one is outside, or there is none.
    """
    wrong = [k for k in indices if not (isinstance(k, (int, np.integer)) and 0 <= k < size)]
    if wrong or not indices:
        got = repr(wrong[0]) if wrong else "none"
        raise IndexRangeError(f"{where}: expected `{what}` from 0 to {size - 1}, got {got}.")


def letter_of(where: str, letter: str, known: Mapping[str, Any]) -> str:
    """Returns the letter, or what this generation calls the same thing.

    Raises:
        UnknownNameError: there is no such thing.
    """
    found = letter if letter in known else SAME.get(letter, letter)
    if found not in known:
        raise unknown_name(f"{where}: letter", letter, known)
    return found


def letters_of(where: str, letters: str | Sequence[str] | None, trace: Trace) -> list[str]:
    """Returns the gates that are meant: one, several, or all."""
    wanted = [letters] if isinstance(letters, str) and letters in trace.gates else letters or trace.gates
    return [letter_of(where, k, trace.gates) for k in wanted]


def by_name(sources: Any, where: str) -> dict[str, Any]:
    """Returns several sources by name; one alone gets the name of its layer."""
    if isinstance(sources, Mapping):
        if not sources:
            raise MinigradError(f"{where}: expected at least one trace, got none.")
        return dict(sources)
    name = sources.names[0] if isinstance(sources, Tracer) and sources.names else getattr(sources, "name", "")
    return {name if isinstance(name, str) else "": sources}
