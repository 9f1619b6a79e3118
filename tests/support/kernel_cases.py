"""Cells, shapes and masks drawn at random, and their results by a backend's loop and by the formulas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minigrad_numpy as xp
from minigrad.engine.ops import pointwise as ops
from minigrad.engine.ops.op import Op
from minigrad.recurrent import Equations, bptt
from minigrad.recurrent.backend_loop import BackendLoop, backend_loop
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.gru import GRU
from minigrad.recurrent.gru_reset_before import GRUResetBefore
from minigrad.recurrent.lines import first_masks
from minigrad.recurrent.lstm import LSTM
from minigrad.recurrent.lstmp import LSTMP
from minigrad.recurrent.simple_rnn import SimpleRNN
from recurrent.odd_cells import CELLS, Net1997, PeepholeGRU, ThreeStates, TwoInner
from rows import drawing, masks

Array = Any
trying = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass(frozen=True)
class Kind:
    """A cell with its activations and options.

    Attributes:
        equations: the cell.
        sigma: σ.
        phi: φ.
        values: its options.
        absent: the weights that it does not have.
        dtype: in which it is compared.
        x_masks: how many dropout masks of x there are: "none", "one", or one for "each" column.
        h_masks: likewise of the output state.
    """

    equations: type[Equations]
    sigma: type[Op] = ops.Sigmoid
    phi: type[Op] = ops.Tanh
    values: dict[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    dtype: str = "float64"
    x_masks: str = "none"
    h_masks: str = "none"

    def __str__(self) -> str:
        dropout = f"-{self.x_masks}-{self.h_masks}" if (self.x_masks, self.h_masks) != ("none", "none") else ""
        named = f"{self.equations.__name__}-{self.sigma.__name__}-{self.phi.__name__}-{self.dtype}"
        return f"{named}{''.join(f'-no_{w}' for w in self.absent)}{dropout}"


NO_LIMITS = {"cell_clip": None, "proj_clip": None}
NO_PEEPHOLES = ("w_i", "w_f", "w_o")
BUILT_IN = [
    Kind(LSTM),
    Kind(LSTM, ops.HardSigmoid, dtype="float32", absent=("b",)),
    Kind(LSTM, ops.HardSigmoid, ops.Gelu, x_masks="each", h_masks="each"),
    Kind(LSTM, ops.Softsign, ops.Swish, dtype="float32", h_masks="one"),
    Kind(SimpleRNN),
    Kind(SimpleRNN, phi=ops.Mish, dtype="float32", x_masks="one", h_masks="one"),
    Kind(SimpleRNN, phi=ops.Relu, absent=("b",)),
    Kind(GRU),
    Kind(GRU, ops.Softsign, ops.Elu, dtype="float32", absent=("b_h",), x_masks="each"),
    Kind(GRUResetBefore, x_masks="one", h_masks="each"),
    Kind(GRUResetBefore, ops.HardSigmoid, ops.Softplus, dtype="float32", absent=("b",)),
    Kind(LSTMP, values={"forget_bias": 0.7, "cell_clip": 0.5, "proj_clip": 0.4}, h_masks="each"),
    Kind(LSTMP, ops.Tanh, ops.Selu, {"cell_clip": 0.5, "proj_clip": None}, (*NO_PEEPHOLES, "P"), x_masks="each"),
    Kind(LSTMP, values=NO_LIMITS, absent=("w_f", "b"), dtype="float32", h_masks="one"),
]
ODD = [
    *(Kind(cell, values=values) for cell, values in CELLS.items()),
    Kind(PeepholeGRU, ops.HardSigmoid, ops.Sigmoid, dtype="float32", h_masks="each"),
    Kind(TwoInner, ops.HardSigmoid, ops.Softsign, h_masks="each"),
    Kind(ThreeStates, ops.Tanh, ops.Linear, dtype="float32", x_masks="one", h_masks="each"),
    Kind(Net1997, ops.Softsign, values={"blocks": 2}, x_masks="one", h_masks="one"),
]
"""Cells that cover every activation, dtype and kind of dropout; each pair is one compilation."""


@dataclass
class Case:
    """A cell, its inputs, and ∂loss/∂(its outputs); all arrays are read-only."""

    cell: Formulas
    weights: Any
    x: Array
    state: tuple[Array, ...]
    dy: Array | None
    dstate: tuple[Array | None, ...]
    mask: Array | None
    zero_output: bool
    needs_dx: bool = True

    def loop(self, backend: Any) -> BackendLoop | str:
        """Return the backend's loop, or the reason why there is none."""
        return backend_loop(backend, self.cell, self.weights, str(self.x.dtype))

    def by_loop(self, backend: Any) -> list[Array]:
        """Return outputs, final states and all gradients by the backend's loop; None for absent ones."""
        loop = self.loop(backend)
        assert not isinstance(loop, str), loop
        y, state_T, cache = loop.forward(self.x, self.state, self.weights, self.mask, self.zero_output)
        gradients = loop.backward(self.dy, self.dstate, self.x, self.weights, cache, self.needs_dx)
        return [y, *state_T, *flat(gradients)]

    def by_formulas(self) -> list[Array]:
        """Return the same by the formulas, in NumPy."""
        y, state_T, kept = bptt.forward(xp, self.cell, self.x, self.state, self.weights, self.mask, self.zero_output)
        dy = np.zeros_like(y) if self.dy is None else self.dy
        dstate = tuple(np.zeros_like(s) if d is None else d for d, s in zip(self.dstate, self.state, strict=True))
        gradients = bptt.backward(xp, self.cell, dy, dstate, self.x, self.weights, kept)
        dx, *others = flat(gradients)
        return [y, *state_T, dx if self.needs_dx else None, *others]


def flat(gradients: Any) -> list[Array]:
    dx, dstate, dweights = gradients
    return [dx, *dstate, *dweights]


def case_of(
    kind: Kind, shape: tuple[int, int, int, int], mask: str = "none", zero_output: bool = False, seed: int = 0,
    **given: Any,
) -> Case:  # fmt: skip
    """A case of a cell.

    Args:
        kind: the cell.
        shape: (time, batch, features, units).
        mask: "none", "ragged" or "late".
        zero_output: at masked steps the output is zero.
        seed: of all numbers.
        given: `zero_state`, `needs_dx`, `dy`, `dstate` and `turned`, True or False.
    """
    (T, B, I, H), rng = shape, np.random.default_rng(seed)
    cell, sizes = _cell(kind, H)
    plain, scale = drawing(rng, kind.dtype), np.asarray(min(1.0, (I + H) ** -0.5), kind.dtype)

    def draw(*shape: int) -> Array:  # neither saturated nor chaotic; turned round in memory
        array = plain(*shape) * scale
        array = np.asfortranarray(array) if given.get("turned") else array
        array.flags.writeable = False
        return array

    width = dict(cell.whole.widths)
    of_states = [sizes[width.get(s, "units")] for s in cell.whole.states]
    state = tuple(draw(B, n) for n in of_states)
    if given.get("zero_state"):
        state = tuple(np.zeros_like(s) for s in state)
    weights = {n: draw(*s) for n, s in shapes(cell.whole, I, sizes).items() if n not in kind.absent}
    dropout = _dropout(kind, cell, rng, B, I, of_states[cell.output])
    return Case(
        cell, cell.Weights(**weights, **dropout), draw(T, B, I), state,
        draw(T, B, of_states[cell.output]) if given.get("dy", True) else None,
        tuple(draw(B, n) if given.get("dstate", True) else None for n in of_states),
        masks(rng, T, B, mask), zero_output, given.get("needs_dx", True),
    )  # fmt: skip


def _cell(kind: Kind, H: int) -> tuple[Formulas, dict[str, int]]:
    values = dict(kind.values)
    sizes = {"units": H} | ({"outputs": H if "P" in kind.absent else max(1, H // 2)} if kind.equations is LSTMP else {})
    own = {width for _, width in Formulas(kind.equations).whole.widths} & set(values)
    if own:
        sizes |= {width: values[width] for width in own}
        values["units"] = H
    return Formulas(kind.equations, kind.sigma, kind.phi, **values), sizes


def shapes(d: Any, features: int, sizes: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """The shapes of a cell's weights."""
    width = dict(d.widths)
    found: dict[str, tuple[int, ...]] = {}
    for p in d.products:
        total = sum(sizes[width.get(c, "units")] for c in p.columns)
        for term in p.terms:
            rows = features if term.source == "x" else sizes[width.get(term.source, "units")]
            found[term.matrix] = rows, total
        found |= {p.bias: (total,)} if p.bias else {}
    for i in d.inner:
        found[i.matrix] = sizes[width.get(i.source, "units")], sizes[width.get(i.v, "units")]
    return found | dict.fromkeys(d.parameters, (sizes["units"],))


def _dropout(kind: Kind, cell: Formulas, rng: Any, B: int, I: int, H: int) -> dict[str, Array]:
    d, found = cell.whole, {}
    for name, source, count, size in (("x_masks", "x", kind.x_masks, I), ("h_masks", d.output, kind.h_masks, H)):
        of_inner = sum(i.recurrent for i in d.inner) if source == d.output else 0
        each = sum(len(p.columns) for p in d.products if any(t.source == source for t in p.terms)) + of_inner
        assert each >= max(first_masks(d, source)), source
        n = {"none": 0, "one": 1, "each": each}[count]
        if n:
            found[name] = (rng.random((n, B, size)) < 0.7).astype(kind.dtype) / np.asarray(0.7, kind.dtype)
    return found


def assert_loop_is_formulas(backend: Any, case: Case, **tolerances: float) -> None:
    """Compare to 1e-10 in float64, and to 2e-4 in float32, relative to the largest number of each array and to 1."""
    tolerance = {"float64": 1e-10, "float32": 2e-4, **tolerances}[str(case.x.dtype)]
    for a, b in zip(case.by_loop(backend), case.by_formulas(), strict=True):
        assert (a is None) is (b is None)
        if a is not None:
            assert (a.shape, a.dtype) == (b.shape, case.x.dtype)
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(1.0, abs(b).max(initial=0.0)))


def anything(test: Callable[..., None]) -> Callable[..., None]:
    """Draw shapes, masks, and the set of requested gradients."""
    return given(
        shape=st.tuples(st.integers(1, 12), st.integers(1, 20), st.integers(1, 9), st.integers(1, 10).map((2).__mul__)),
        mask=st.sampled_from(["none", "ragged", "late"]),
        zero_output=st.booleans(),
        seed=st.integers(0, 2**32 - 1),
        zero_state=st.booleans(),
        needs_dx=st.booleans(),
        dy=st.booleans(),
        dstate=st.booleans(),
        turned=st.booleans(),
    )(test)
