"""The trace of one run of a cell over a sequence, as plain NumPy arrays."""

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

HELD = "held"  # the path around a masked step


class TraceError(MinigradError, AttributeError):
    """Raised for a name that is not in a trace, and for files and layers that cannot be traced."""


@dataclass(frozen=True, repr=False)
class Trace:
    """One run of one cell over a sequence of T steps, in the order of processing.

    The letters are those of the cell's equations. Each array is an attribute: ``trace.f``, ``trace.c``, ``trace.dc``,
    ``trace.dz_f``. States have T + 1 entries, with the initial state first: step t leads from ``trace.c[t]`` to
    ``trace.c[t + 1]``.

    Attributes:
        name: the layer's name, with the cell's name if the layer has several cells.
        kind: the equations: ``"lstm"``, ``"lstmp"`` (the first generation's), ``"gru"`` or ``"simple_rnn"``; for a
            custom cell its class. The trace of a custom cell has the states and their gradients, and the gates that
            its `Step` names.
        x: (T, batch, features), the inputs.
        outputs: (T, batch, units), the outputs.
        mask: (T, batch) of bools, False for masked rows; None if no row is masked.
        steps: T, the number of steps of the sequence.
        gates: letter → (T, batch, units).
        states: letter → (T + 1, batch, units).
        inner: letter → (T, batch, units), further cached values: for an LSTM `a`, the tanh of the new c.
        dstates: letter → ∂loss/∂state, (T + 1, batch, units): the complete gradient of the state, with the gradient
            through the output of the step before it. Empty before the backward pass.
        dgates: letter of a gate → ∂loss/∂(its pre-activation), (T, batch, units). Empty before the backward pass.
        ledger: letter of a state → path → (T, batch, units): entry t is the gradient from step t to the state before
            it along that path. The paths of a state sum to `arrived`. Empty before the backward pass.
        arrived: letter → (T, batch, units): the complete gradient from step t to the state before it. Empty before
            the backward pass.
        dx: (T, batch, features), ∂loss/∂x; None before the backward pass.
        every: the interval between the recorded steps 0, every, 2 · every …, which `at` lists. The arrays have an
            entry for each of these steps, and those of states one more for the end.
        go_backwards: whether the layer read the sequence from its end: step s received x at time T − 1 − s. The
            backward cell of `bidirectional_dynamic_rnn` receives each row reversed: its steps are counted in that
            order, and this is False.
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
        """Return an array by its letter."""
        if letter.startswith("__") or "gates" not in self.__dict__:
            raise AttributeError(letter)
        values = {**self.gates, **self.inner, **self.states}
        gradients = {**{f"d{s}": a for s, a in self.dstates.items()}, **{f"dz_{k}": a for k, a in self.dgates.items()}}
        if letter in values:
            return values[letter]
        if letter in gradients:
            return gradients[letter]
        names = [f"d{s}" for s in self.states] + [f"dz_{k}" for k in self.gates]
        if letter in names:
            raise self.no_gradients(letter)
        raise TraceError(str(unknown_name(f"trace of {self.name} ({self.kind})", letter, [*values, *names])))

    def no_gradients(self, name: str) -> GradientError:
        """Return the error for a gradient that is read before the backward pass."""
        return GradientError(
            f"trace of {self.name}: `{name}` is known after the backward pass. Call loss.backward() inside the `with` "
            "block, on a loss that depends on this layer."
        )

    def replaced(self, **changes: Any) -> Trace:
        """Return the same trace with other values of some fields."""
        return Trace(**{one.name: getattr(self, one.name) for one in fields(self)} | changes)

    def __repr__(self) -> str:
        """Return the name, the kind and the sizes."""
        _, B, units = self.outputs.shape
        gradients = "" if not self.dstates else ", with gradients"
        interval = f", every {self.every}" if self.every > 1 else ""
        return f"Trace({self.name}: {self.kind}, {self.steps} steps{interval}, batch {B}, {units} units{gradients})"

    @property
    def at(self) -> HostArray:
        """Recorded steps; entries of states precede them, and one more follows for the end."""
        return np.arange(0, self.steps, self.every)

    @property
    def times(self) -> HostArray:
        """Recorded steps as time steps of the sequence; they decrease if the layer goes backwards."""
        return self.steps - 1 - self.at if self.go_backwards else self.at

    def saliency(self) -> HostArray:
        """Return ‖∂loss/∂x_t‖, (T, batch), the influence of each input."""
        if self.dx is None:
            raise self.no_gradients("dx")
        return np.linalg.norm(self.dx, axis=-1)

    def forget_product(self) -> HostArray:
        """Return f_T ∘ … ∘ f_{t+1}, (T + 1, batch, units): the factor of c_t in c_T along the forget gates alone.

        In masked rows the factor of a step is 1.
        """
        if "f" not in self.gates:
            raise TraceError(f"trace of {self.name}: a {self.kind} cell has no forget gate.")
        if self.every > 1:
            raise TraceError(
                f"trace of {self.name}: the product needs all steps, this has one in {self.every}. Trace with every=1."
            )
        f = self.gates["f"]
        f = f if self.mask is None else np.where(self.mask[..., None], f, 1.0)
        return np.concatenate([np.cumprod(f[::-1], axis=0)[::-1], np.ones_like(f[:1])])

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a flat dictionary; nested ones have keys such as ``"gates/f"``."""
        flat: dict[str, Any] = {}
        for one in fields(self):
            flat.update(_flat(one.name, getattr(self, one.name)))
        return flat

    @classmethod
    def from_dict(cls, flat: Mapping[str, Any]) -> Trace:
        """Return the trace from a dictionary of `to_dict`."""
        nested: dict[str, Any] = {}
        for path, value in flat.items():
            *above, last = path.split("/")
            at = nested
            for name in above:
                at = at.setdefault(name, {})
            at[last] = value
        return cls(**nested)

    def save(self, file: str | PathLike[str]) -> None:
        """Write a NumPy archive (``.npz``) with exactly that name, readable without minigrad."""
        arrays = {path: value for path, value in self.to_dict().items() if value is not None}
        write_atomically(file, lambda out: np.savez_compressed(out, **arrays))

    @classmethod
    def load(cls, file: str | PathLike[str]) -> Trace:
        """Read a file of `save`.

        Raises:
            TraceError: the file cannot be read, is damaged, or does not hold a trace.
        """
        flat = read_arrays(file, TraceError, " Expected a file that Trace.save wrote.", texts=True)
        try:
            plain = {path: value.item() if value.ndim == 0 else value for path, value in flat.items()}
            return cls.from_dict({**plain, "mask": plain.get("mask")})
        except (TypeError, ValueError, LookupError, AttributeError) as error:  # other fields, or invalid values
            raise TraceError(f"{file}: holds no trace: {error}. Expected a file that Trace.save wrote.") from None


def _flat(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {path: value}
    return {key: leaf for name, part in value.items() for key, leaf in _flat(f"{path}/{name}", part).items()}
