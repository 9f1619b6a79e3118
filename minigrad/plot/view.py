"""Sources of pictures, a trace, a tracer of one layer, or plain arrays, and the row and units to draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine.arguments import among, is_index, listed, text
from minigrad.engine.errors import DTypeError, IndexRangeError, MinigradError, ShapeError, shown, unknown_name
from minigrad.engine.foreign import attempted
from minigrad.plot.alt import count_text
from minigrad.tracing import Trace, Tracer

HostArray = Any
Source = Any
"""A `Trace`, a `Tracer` of one layer, an array (T, batch, units), (T, units) or (T,), or arrays by letter."""

REAL = "biuf"  # NumPy's kinds of dtypes with real numbers
SYNONYMS = {"h": "m", "m": "h", "g": "j", "j": "g"}  # letters that differ in the first generation


def trace_of(source: Source, where: str, field: str = "gates", letter: str = "f", argument: str = "source") -> Trace:
    """Return the trace of a source; plain arrays become a trace.

    Args:
        source: the user's argument.
        where: the calling function, for messages.
        field: the field of a trace that plain arrays fill.
        letter: the letter of a single array.
        argument: the argument's name, for messages.
    """
    where = f"{where}: `{argument}`"
    if isinstance(source, Trace):
        return source
    if isinstance(source, Tracer):
        if len(source.names) > 1:
            names = ", ".join(source.names)
            raise MinigradError(
                f"{where}: expected one layer, got a tracer of {names}. Pass tracer[{source.names[0]!r}]."
            )
        return source[source.names[0]]
    arrays = source if isinstance(source, Mapping) else {letter: source}
    cubes = {key: three_axes(array, where) for key, array in arrays.items()}
    if len({c.shape for c in cubes.values()}) != 1:
        shapes = ", ".join(f"{key} {c.shape}" for key, c in cubes.items())
        raise ShapeError(f"{where}: expected arrays of one shape, got {shapes or 'none'}.")
    whole = next(iter(cubes.values()))
    steps = len(whole) - (field in ("states", "dstates"))  # states include the initial one
    if not steps:
        raise ShapeError(f"{where}: expected states (T + 1, batch, units), the initial one first, got {whole.shape}.")
    given: dict[str, Any] = {"gates": {}, "states": {}}
    given[field] = {letter: cubes} if field == "ledger" else cubes
    return Trace("", "arrays", np.zeros((steps, whole.shape[1], 0)), whole[:steps], None, steps, **given)


def three_axes(array: Any, where: str) -> HostArray:
    """Return an array with the axes (T, batch, units), adding those that it lacks."""
    a = to_host(array, where)
    if not 1 <= a.ndim <= 3 or not a.size:
        raise ShapeError(f"{where}: expected an array (T, batch, units), (T, units) or (T,), got shape {a.shape}.")
    return a if a.ndim == 3 else a.reshape(len(a), 1, -1)


def to_host(array: Any, where: str) -> HostArray:
    """Return an array of float64 on the host.

    Raises:
        DTypeError: it is not an array of numbers, e.g. a layer instead of its trace.
    """
    a = attempted(np.asarray, array, np.asarray(None))  # ragged lists
    if a.dtype.kind not in REAL or isinstance(
        array, np.ma.MaskedArray
    ):  # NumPy would read numbers out of texts and records, and NaN out of None, and drop masks
        raise DTypeError(
            f"{where}: expected a trace, or an array of numbers, got {shown(array)}. Record a trace: "
            "`with mg.trace(layer) as seen:`."
        )
    return a.astype(np.float64)


def check_named(sources: Any, where: str, argument: str = "traces") -> Mapping[Any, Any]:
    """Check that several sources have names, and return them.

    Raises:
        MinigradError: they have no names.
    """
    if not isinstance(sources, Mapping):
        raise MinigradError(f"{where}: expected `{argument}` by name, {{'first': seen_1, …}}, got {shown(sources)}.")
    return sources


class View:
    """One row and some units of a trace.

    Attributes:
        trace: the trace.
        row: the row of the batch.
        units: the units' indices.
        steps: the time step of each entry; decreasing if the layer goes backwards.
        after: the time step after which each state but the first is reached: ``after[n]`` for state n + 1.
        masked: for each step, True if it is masked in this row.
    """

    def __init__(self, trace: Trace, where: str, row: int = 0, units: Any = None) -> None:
        _, batch, width = trace.outputs.shape
        for array in (*trace.gates.values(), *trace.states.values()):
            width = max(width, array.shape[-1])  # with a projection, the output has fewer units than the cell
        check_indices(where, "row", [row], batch)
        self.trace, self.where, self.row = trace, where, row
        self.units = list(range(width)) if units is None else units_in(where, units)
        check_indices(where, "units", self.units, width)
        self.steps = trace.times
        after = np.append(trace.at[1:], trace.steps) - 1
        self.after = trace.steps - 1 - after if trace.go_backwards else after
        self.masked = np.zeros(len(self.steps), bool) if trace.mask is None else ~trace.mask[:, row]

    def of(self, array: HostArray) -> HostArray:
        """Return the row and units of an array of the trace, (T, units)."""
        inside = [u for u in self.units if u < array.shape[-1]]
        return array[:, self.row][:, inside]

    def unmasked(self, array: HostArray) -> HostArray:
        """Return the row and units of an array, with NaN at masked steps."""
        return np.where(self.masked[:, None], np.nan, self.of(array))

    def read(self, tokens: Sequence[str] | None) -> list[str] | None:
        """Return the tokens at the drawn steps, in the order of the steps.

        Raises:
            ShapeError: there is not one token for each time step.
        """
        if tokens is None:
            return None
        if not isinstance(tokens, str):
            tokens = [text(f"{self.where}: `tokens`", token) for token in listed(f"{self.where}: `tokens`", tokens)]
        if len(tokens) != self.trace.steps:
            raise ShapeError(
                f"{self.where}: expected `tokens` to be one for each of {self.trace.steps} time steps, got "
                f"{len(tokens)}."
            )
        return [tokens[t] for t in self.steps]

    @property
    def title(self) -> str:
        """The layer, and the row if there are several."""
        batch = self.trace.outputs.shape[1]
        parts = [self.trace.name, f"row {self.row} of {batch}" if batch > 1 else ""]
        return ", ".join(part for part in parts if part)

    @property
    def about(self) -> str:
        """The layer and row in words, with the number of steps, those drawn and those masked."""
        of = f" of {self.title}" if self.title else ""
        masked_steps, every = int(self.masked.sum()), self.trace.every
        some = f", one in {every} of them drawn" if every > 1 else ""
        backwards = ", read from the last to the first" if self.trace.go_backwards else ""
        masked = f", {masked_steps} of {'these' if every > 1 else 'them'} masked" if masked_steps else ""
        return f"{of} over {count_text(self.trace.steps, 'time step')}{some}{backwards}{masked}"

    def meaning(self) -> str:
        """Return the meaning of a line: one unit, or the mean of several."""
        return f"unit {self.units[0]}" if len(self.units) == 1 else f"mean of {len(self.units)} units"


def check_indices(where: str, name: str, indices: Any, size: int) -> None:
    """Check that indices are within the range.

    Raises:
        IndexRangeError: an index is outside, or there is none.
    """
    wrong = [k for k in indices if not (is_index(k) and 0 <= k < size)]
    if wrong or not indices:
        got = shown(wrong[0]) if wrong else "none"
        raise IndexRangeError(f"{where}: expected `{name}` from 0 to {size - 1}, got {got}.")


def units_in(where: str, units: Any) -> list[int]:
    """Return one unit or several as a list."""
    several = isinstance(units, Iterable) and getattr(units, "shape", None) != ()
    return listed(f"{where}: `units`", units) if several else [units]


def letter_of(where: str, letter: Any, known: Mapping[str, Any], argument: str = "letter") -> str:
    """Return a letter, or its synonym in this generation; messages call it by its argument.

    Raises:
        UnknownNameError: the cell has neither.
    """
    found = letter if not isinstance(letter, str) or letter in known else SYNONYMS.get(letter, letter)
    if not among(found, known):
        raise unknown_name(f"{where}: `{argument}`", letter, known)
    return found


def letters_of(where: str, letters: str | Sequence[str] | None, trace: Trace) -> list[str]:
    """Return the letters of the selected gates: one, several, or all."""
    chosen: Any = [letters] if isinstance(letters, str) and letters in trace.gates else letters
    if chosen is None or (isinstance(chosen, (str, list, tuple)) and not chosen):
        chosen = list(trace.gates)
    if not isinstance(chosen, str):
        chosen = listed(f"{where}: `letters`", chosen)
    return [letter_of(where, k, trace.gates, "letters") for k in chosen]


def by_name(sources: Any, where: str) -> dict[str, Any]:
    """Return sources by name; a single source gets the name of its layer."""
    if isinstance(sources, Mapping):
        if not sources:
            raise MinigradError(f"{where}: expected `models`, at least one trace, got none.")
        return dict(sources)
    name = sources.names[0] if isinstance(sources, Tracer) and sources.names else getattr(sources, "name", "")
    return {name if isinstance(name, str) else "": sources}
