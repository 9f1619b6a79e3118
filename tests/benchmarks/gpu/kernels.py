"""Compare a backend's recurrent kernels with the formulas: outputs, final states and every gradient.

Both run on the same backend in the same dtype, with random weights, inputs and upstream gradients. Each case makes
three calls, since a kernel may record its launches at the second call and replay them from then on.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from benchmarks.gpu.roads import formulas_alone, ran_in_a_kernel, resolved

Row = dict[str, Any]

CALLS = 3
TOLERANCES = {"float32": 1e-4, "float64": 1e-10}  # of the largest number of each array
# (batch, time, features, units): small; usual; more units than a block has threads; a single row.
SHAPES = [(3, 5, 4, 3), (32, 20, 8, 64), (5, 9, 7, 129), (1, 6, 8, 16)]


def first_generation(units: int, dtype: str, **options: Any) -> Any:
    """Return a layer of the LSTM of 2016 with peepholes, projection and clips."""
    cell = mg.compat.v1.nn.rnn_cell.LSTMCell(
        units, use_peepholes=True, num_proj=max(1, units // 2), cell_clip=2.0, proj_clip=1.0, dtype=dtype
    )
    return mg.keras.layers.RNN(cell, dtype=dtype, **options)


KINDS: dict[str, Callable[..., Any]] = {
    "LSTM": mg.keras.layers.LSTM,
    "LSTM, hard sigmoid": mg.compat.v1.keras.layers.LSTM,
    "LSTM, no bias": lambda units, **options: mg.keras.layers.LSTM(units, use_bias=False, **options),
    "GRU": mg.keras.layers.GRU,
    "GRU, reset before": lambda units, **options: mg.keras.layers.GRU(units, reset_after=False, **options),
    "SimpleRNN": mg.keras.layers.SimpleRNN,
    "LSTM of 2016": first_generation,
}


class Case(NamedTuple):
    """One comparison.

    Attributes:
        kind: a name of KINDS.
        dtype: of the layer and of its inputs.
        mask: "none", or "holes": ragged rows with holes, one row that begins late and one that is masked throughout.
        zero_output: whether the output at masked steps is zero instead of the previous one.
        initial: whether the initial state is given, and is not zero.
        shape: (batch, time, features, units).
    """

    kind: str
    dtype: str
    mask: str
    zero_output: bool
    initial: bool
    shape: tuple[int, int, int, int]


def cases() -> Iterator[Case]:
    """Yield all cases; every kind comes early."""
    masks = [("none", False), ("holes", False), ("holes", True)]
    for shape, initial, mask, dtype, kind in itertools.product(SHAPES, [True, False], masks, TOLERANCES, KINDS):
        yield Case(kind, dtype, *mask, initial, shape)


def rows(backend: str | ModuleType, seconds: float, chosen: Iterable[Case] | None = None) -> Iterator[Row]:
    """Yield a row for each case, until the time is up.

    Args:
        backend: the one whose kernels are compared.
        seconds: after which no other case is begun.
        chosen: the cases; all of them by default.
    """
    module, deadline = resolved(backend), time.monotonic() + seconds
    plain, without = formulas_alone(module), set()
    listed = list(cases() if chosen is None else chosen)
    for number, case in enumerate(listed):
        if time.monotonic() > deadline:
            yield {"early": f"time is up after {number} of {len(listed)} cases"}
            return
        if case.kind in without:
            continue
        try:
            row = compared(module, plain, case)
        except Exception as error:  # noqa: BLE001  (any error of a library is a result, and counts as a failure)
            row = {"ok": False, "error": f"{type(error).__name__}: {error}".splitlines()[0]}
        if row["ok"] is None:
            without.add(case.kind)
        yield {**case._asdict(), **row}


def compared(backend: ModuleType, plain: ModuleType, case: Case) -> Row:
    """Return the largest difference of a case, relative to the largest number of the array, and where it is.

    The answer `ok` is None where the backend has no kernel for the cell.
    """
    found, path = numbers(backend, case)
    if not ran_in_a_kernel(path):
        return {"ok": None, "path": path}
    expected, formulas_path = numbers(plain, case)
    if ran_in_a_kernel(formulas_path):
        return {"ok": False, "path": path, "error": f"the kernels could not be switched off: {formulas_path}"}
    differences = {name: difference(found[name], expected[name]) for name in expected}
    where = max(differences, key=lambda name: differences[name])
    largest = differences[where]
    ok = largest <= TOLERANCES[case.dtype]
    row: Row = {"ok": ok, "path": path, "largest": largest, "where": where}
    return row if np.isfinite(largest) else {**row, "largest": None, "error": f"NaN, ∞, or another shape in {where}"}


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Return max |found − expected| / max |expected|; ∞ for another shape or dtype, and for NaN on either side."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return np.inf
    largest = float(abs(found - expected).max(initial=0.0))
    scale = float(abs(expected).max(initial=0.0)) or 1.0
    return largest / scale if np.isfinite([largest, scale]).all() else np.inf


def numbers(backend: ModuleType, case: Case) -> tuple[dict[str, np.ndarray], str]:
    """Return outputs, final states and gradients of some calls by name, and the layer's path."""
    B, T, I, H = case.shape
    rng = np.random.default_rng(11)
    found: dict[str, np.ndarray] = {}
    with mg.using(backend):
        layer = KINDS[case.kind](
            H, return_sequences=True, return_state=True, zero_output_for_mask=case.zero_output, dtype=case.dtype
        )
        layer.build((B, T, I))
        size = min(1.0, (I + H) ** -0.5)  # neither saturated nor chaotic
        layer.set_weights([size * rng.standard_normal(w.shape) for w in layer.weights])
        for call in range(CALLS):
            for name, array in one_call(layer, case, rng).items():
                found[f"{name}, call {call + 1}"] = array
        return found, layer.path


def one_call(layer: Any, case: Case, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Run the layer forward and backward on fresh random numbers."""
    B, T, I, _ = case.shape

    def leaf(*shape: int) -> Any:
        return mg.tensor(rng.standard_normal(shape), dtype=case.dtype, requires_grad=True)

    sizes = [int(size) for size in np.ravel(layer.cell.state_size)] if case.initial else []
    x, states = leaf(B, T, I), [leaf(B, size) for size in sizes]
    mask = None if case.mask == "none" else mg.tensor(holes(rng, B, T))
    tuple_of = getattr(type(layer.cell.state_size), "_make", list)  # cells of 2016 name their states
    ys = layer(x, initial_state=tuple_of(states) if states else None, mask=mask)
    inputs = [x, *states, *layer.weights]
    gradients = mg.grad(ys, inputs, [leaf(*y.shape).detach() for y in ys])
    outputs = ["y", *[f"final state {k}" for k in range(len(ys) - 1)]]
    names = ["x", *[f"initial state {k}" for k in range(len(states))], *[w.name for w in layer.weights]]
    named = dict(zip(outputs, ys, strict=True))
    named |= {f"d {short(name)}": gradient for name, gradient in zip(names, gradients, strict=True)}
    return {name: tensor.numpy() for name, tensor in named.items()}


def short(name: str) -> str:
    """Return a weight's name without its number and the automatic name of its layer.

    >>> short("lstm_cell_1/projection/kernel:0")
    'projection/kernel'
    """
    return name.split("/", 1)[-1].removesuffix(":0")


def holes(rng: np.random.Generator, B: int, T: int) -> np.ndarray:
    """Return a mask, (batch, time) of bools, of ragged rows with holes; see `Case`."""
    mask = (np.arange(T) < rng.integers(1, T + 1, (B, 1))) & (rng.random((B, T)) < 0.8)
    mask[0, : T // 2], mask[0, -1] = False, True
    if B > 1:
        mask[-1] = False
    return mask
