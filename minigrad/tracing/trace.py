"""What happened in one run of a cell over a sequence, as plain NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from typing import Any

import numpy as np

from minigrad.engine.errors import GradientError, MinigradError, unknown_name
from minigrad.engine.files import write_atomically
from minigrad.engine.npz import read_arrays

HostArray = Any
Arrays = Mapping[str, HostArray]

HELD = "held"  # the way past a masked step


class TraceError(MinigradError, AttributeError):
    """What was asked for is not in a trace."""


@dataclass(frozen=True, repr=False)
class Trace:
    """One run of one cell over a sequence of T steps, in the order in which they were processed.

    The letters are those of the cell's equations, and each array can be had by its letter: ``trace.f``, ``trace.c``,
    ``trace.dc``, ``trace.dz_f``. States have T + 1 entries, the one before the first step among them: step t leads from
    ``trace.c[t]`` to ``trace.c[t + 1]``.

    Attributes:
        name: the layer's name, and the cell's where the layer has several.
        kind: which equations: ``"lstm"``, ``"lstmp"`` (the first generation's), ``"gru"`` or ``"simple_rnn"``; of a
            cell of one's own its class. Of that one the trace has the states and what comes back to them, and of the
            gates those that its `Step` names.
        x: (T, batch, features), what went in.
        outputs: (T, batch, units), what came out.
        mask: (T, batch) of bools, False where a row rested; None if none did.
        steps: T, how many steps the sequence has.
        gates: by letter, (T, batch, units).
        states: by letter, (T + 1, batch, units).
        inner: by letter, (T, batch, units), what else is worth a look: of an LSTM `a`, the tanh of the new c.
        dstates: by letter, ∂loss/∂state, (T + 1, batch, units): all that reaches the state, what comes through the
            output of the step before it included. Empty before the way back.
        dgates: by the gate's letter, ∂loss/∂(its pre-activation), (T, batch, units). Empty before the way back.
        ledger: by the state's letter and by way, (T, batch, units): entry t is what step t sent back to the state
            before it by that way. The ways of a state sum to `arrived`. Empty before the way back.
        arrived: by letter, (T, batch, units): the whole of what step t sent back. Empty before the way back.
        dx: (T, batch, features), ∂loss/∂x; None before the way back.
        every: which steps are here: 0, every, 2 · every … With more than 1, the arrays have an entry for each of
            these, and those of states one more, for the end; `at` says which steps they are.
        go_backwards: the layer read the sequence from its end: step s was given x at time T − 1 − s. The backward cell
            of `bidirectional_dynamic_rnn` is handed each row turned round from its own end: its steps are counted
            from there, and this is False.
    """

    name: str
    kind: str
    x: HostArray
    outputs: HostArray
    mask: HostArray | None
    steps: int
    gates: Arrays
    states: Arrays
    inner: Arrays = field(default_factory=dict)
    dstates: Arrays = field(default_factory=dict)
    dgates: Arrays = field(default_factory=dict)
    ledger: Mapping[str, Arrays] = field(default_factory=dict)
    arrived: Arrays = field(default_factory=dict)
    dx: HostArray | None = None
    every: int = 1
    go_backwards: bool = False

    def __getattr__(self, letter: str) -> HostArray:
        """An array by its letter."""
        if letter.startswith("__") or "gates" not in self.__dict__:
            raise AttributeError(letter)
        there = {**self.gates, **self.inner, **self.states}
        back = {**{f"d{s}": a for s, a in self.dstates.items()}, **{f"dz_{k}": a for k, a in self.dgates.items()}}
        if letter in there:
            return there[letter]
        if letter in back:
            return back[letter]
        wanted = [f"d{s}" for s in self.states] + [f"dz_{k}" for k in self.gates]
        if letter in wanted:
            raise self.no_gradients(letter)
        raise TraceError(str(unknown_name(f"trace of {self.name} ({self.kind})", letter, [*there, *wanted])))

    def no_gradients(self, what: str) -> GradientError:
        """The error of who asks for a gradient before there is one."""
        return GradientError(
            f"trace of {self.name}: `{what}` is known after the way back. Call loss.backward() inside the `with` "
            "block, on a loss that depends on this layer."
        )

    def replaced(self, **changes: Any) -> Trace:
        """Return the same trace with other values of some fields."""
        return Trace(**{one.name: getattr(self, one.name) for one in fields(self)} | changes)

    def __repr__(self) -> str:
        """The sizes, and what there is to look at."""
        _, B, units = self.outputs.shape
        back = "" if not self.dstates else ", with gradients"
        which = f", every {self.every}" if self.every > 1 else ""
        return f"Trace({self.name}: {self.kind}, {self.steps} steps{which}, batch {B}, {units} units{back})"

    @property
    def at(self) -> HostArray:
        """The steps that are here: of states, the entry is that before the step, and one follows for the end."""
        return np.arange(0, self.steps, self.every)

    @property
    def times(self) -> HostArray:
        """The same as time steps of the sequence: where the layer goes backwards they fall."""
        return self.steps - 1 - self.at if self.go_backwards else self.at

    def saliency(self) -> HostArray:
        """Return ‖∂loss/∂x_t‖, (T, batch): how much each input mattered."""
        if self.dx is None:
            raise self.no_gradients("dx")
        return np.linalg.norm(self.dx, axis=-1)

    def forget_product(self) -> HostArray:
        """Return f_T ∘ … ∘ f_{t+1}, (T + 1, batch, units): what would be left of c_t, if gates were all there is.

        Where a row rests nothing is forgotten.
        """
        if "f" not in self.gates:
            raise TraceError(f"trace of {self.name}: a {self.kind} cell has no forget gate.")
        if self.every > 1:
            raise TraceError(
                f"trace of {self.name}: the product wants all steps, this has one in {self.every}. Trace with every=1."
            )
        f = self.gates["f"]
        f = f if self.mask is None else np.where(self.mask[..., None], f, 1.0)
        return np.concatenate([np.cumprod(f[::-1], axis=0)[::-1], np.ones_like(f[:1])])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain dictionaries and arrays, nested ones under ``"gates/f"``."""
        flat: dict[str, Any] = {}
        for one in fields(self):
            flat.update(_flat(one.name, getattr(self, one.name)))
        return flat

    @classmethod
    def from_dict(cls, flat: Mapping[str, Any]) -> Trace:
        """Return the trace of which `to_dict` made the dictionary."""
        nested: dict[str, Any] = {}
        for path, value in flat.items():
            *above, last = path.split("/")
            at = nested
            for name in above:
                at = at.setdefault(name, {})
            at[last] = value
        return cls(**nested)

    def save(self, file: str | PathLike[str]) -> None:
        """Write a NumPy archive (``.npz``), which can be read without minigrad, under just that name."""
        arrays = {path: value for path, value in self.to_dict().items() if value is not None}
        write_atomically(file, lambda out: np.savez_compressed(out, **arrays))

    @classmethod
    def load(cls, file: str | PathLike[str]) -> Trace:
        """Read what `save` wrote.

        Raises:
            TraceError: the file cannot be read, is damaged, or holds no trace.
        """
        flat = read_arrays(file, TraceError, " Expected a file that Trace.save wrote.", texts=True)
        try:
            plain = {path: value.item() if value.ndim == 0 else value for path, value in flat.items()}
            return cls.from_dict({**plain, "mask": plain.get("mask")})
        except (TypeError, ValueError, LookupError, AttributeError) as error:  # other fields, or texts that are none
            raise TraceError(f"{file}: holds no trace: {error}. Expected a file that Trace.save wrote.") from None


def _flat(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {path: value}
    return {key: leaf for name, part in value.items() for key, leaf in _flat(f"{path}/{name}", part).items()}
