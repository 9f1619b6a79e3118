"""A recurrent cell with everything that a gradient can get wrong: what the tests of `minigrad.recurrent` run.

Random cotangents on every output, initial states that are not zero, a ragged mask with a hole and a fully masked row,
all gradients. `reference` writes the four cells down a second time, gate by gate as in their papers, and shares no
line with minigrad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import erf
from typing import Any

import numpy as np

import minigrad as mg
import minigrad_numpy
from minigrad import functional as F
from minigrad.engine.ops import pointwise as ops
from minigrad.engine.tensor import apply
from minigrad.recurrent import GRU, LSTM, LSTMP, Formulas, GRUResetBefore, SequenceOp, SequenceOptions, SimpleRNN, bptt

T, BATCH, FEATURES, UNITS, PROJECTED = 5, 4, 3, 2, 3
MASK = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [0, 1, 1, 0, 1]], dtype=bool).T  # (time, batch)

Gradients = dict[str, np.ndarray]

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Tanh": np.tanh,
    "Sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
    "HardSigmoid": lambda x: np.clip(0.2 * x + 0.5, 0.0, 1.0),
    "Relu": lambda x: np.maximum(x, 0.0),
    "Elu": lambda x: np.where(x > 0.0, x, np.exp(x) - 1.0),
    "Softsign": lambda x: x / (1.0 + np.abs(x)),
    "Softplus": lambda x: np.log(1.0 + np.exp(x)),
    "Swish": lambda x: x / (1.0 + np.exp(-x)),
    "Gelu": lambda x: 0.5 * x * (1.0 + np.vectorize(erf)(x / np.sqrt(2.0))),
    "Mish": lambda x: x * np.tanh(np.log(1.0 + np.exp(x))),
    "Linear": lambda x: x,
}


@dataclass(frozen=True)
class Situation:
    """A cell, what it is run on, and ∂loss/∂ what comes out."""

    step: Formulas
    x: np.ndarray  # (time, batch, features)
    state: tuple[np.ndarray, ...]
    weights: Any  # the step's named tuple, dropout masks included
    dy: np.ndarray
    dstate: tuple[np.ndarray, ...]
    mask: np.ndarray | None
    zero_output: bool = False
    tbptt: tuple[int, int] | None = None

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """Everything that has a gradient, by name."""
        found = {"x": self.x} | {f"state {k}": s for k, s in enumerate(self.state)}
        return found | {n: w for n, w in self.weights._asdict().items() if w is not None and not n.endswith("masks")}

    def at(self, inputs: dict[str, Any]) -> Situation:
        """The same with other inputs."""
        states = tuple(inputs[f"state {k}"] for k in range(len(self.state)))
        return replace(self, x=inputs["x"], state=states, weights=self.weights._replace(**_of(self.weights, inputs)))


def _of(weights: Any, named: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name in weights._fields}


def lstm(φ: Any = ops.Tanh, σ: Any = ops.Sigmoid, separate: bool = False) -> Formulas:
    return Formulas(LSTM, σ, φ, separate)


def gru(φ: Any = ops.Tanh, σ: Any = ops.Sigmoid, reset_after: bool = True, separate: bool = False) -> Formulas:
    return Formulas(GRU if reset_after else GRUResetBefore, σ, φ, separate)


def simple(φ: Any = ops.Tanh) -> Formulas:
    return Formulas(SimpleRNN, phi=φ)


def lstmp(φ: Any = ops.Tanh, forget_bias: float = 1.0, cell_clip: Any = None, proj_clip: Any = None) -> Formulas:
    return Formulas(LSTMP, phi=φ, forget_bias=forget_bias, cell_clip=cell_clip, proj_clip=proj_clip)


GATES = {LSTM: 4, GRU: 3, GRUResetBefore: 3, SimpleRNN: 1}


def situation(
    step: Formulas, seed: int = 0, x_masks: int = 0, h_masks: int = 0, bias: bool = True, **fields: Any
) -> Situation:
    """A random one; `x_masks` and `h_masks` say how many dropout masks there are."""
    rng = np.random.default_rng(seed)
    gates, count = GATES[step.equations], len(step.states)
    weights: dict[str, Any] = {
        "W": rng.normal(0, 0.8, (FEATURES, gates * UNITS)),
        "U": rng.normal(0, 0.8, (UNITS, gates * UNITS)),
        "b": rng.normal(0, 0.5, gates * UNITS) if bias else None,
        "x_masks": _dropped(rng, x_masks, FEATURES),
        "h_masks": _dropped(rng, h_masks, UNITS),
    }
    if step.equations is GRU and bias:
        weights["b_h"] = rng.normal(0, 0.5, gates * UNITS)
    if step.equations is GRUResetBefore:
        weights["U"], weights["U_g"] = np.split(weights["U"], [2 * UNITS], 1)
    return Situation(
        step,
        x=rng.standard_normal((T, BATCH, FEATURES)),
        state=tuple(rng.standard_normal((BATCH, UNITS)) for _ in range(count)),
        weights=step.Weights(**weights),
        dy=rng.standard_normal((T, BATCH, UNITS)),
        dstate=tuple(rng.standard_normal((BATCH, UNITS)) for _ in range(count)),
        **{"mask": MASK, **fields},
    )


def lstmp_situation(
    step: Formulas, seed: int = 0, peepholes: bool = False, projected: bool = False, **fields: Any
) -> Situation:
    """A random one of the first generation's cell."""
    rng = np.random.default_rng(seed)
    outputs = PROJECTED if projected else UNITS
    W, U = np.split(rng.normal(0, 0.8, (FEATURES + outputs, 4 * UNITS)), [FEATURES])
    weights: dict[str, Any] = {
        "W": W,
        "U": U,
        "b": rng.normal(0, 0.5, 4 * UNITS),
    }
    if peepholes:
        weights |= {name: rng.normal(0, 0.8, UNITS) for name in ("w_f", "w_i", "w_o")}
    if projected:
        weights["P"] = rng.normal(0, 0.8, (UNITS, outputs))
    sizes = UNITS, outputs
    return Situation(
        step,
        x=rng.standard_normal((T, BATCH, FEATURES)),
        state=tuple(rng.standard_normal((BATCH, size)) for size in sizes),
        weights=step.Weights(**weights),
        dy=rng.standard_normal((T, BATCH, outputs)),
        dstate=tuple(rng.standard_normal((BATCH, size)) for size in sizes),
        **{"mask": MASK, **fields},
    )


def _dropped(rng: np.random.Generator, count: int, size: int) -> np.ndarray | None:
    return (rng.random((count, BATCH, size)) < 0.6) / 0.6 if count else None


# --- forward, written a second time -----------------------------------------------------------------------------------


def reference(s: Situation) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """The outputs and the final state."""
    kinds = {LSTM: _lstm, GRU: _gru, GRUResetBefore: _gru, SimpleRNN: _simple, LSTMP: _lstmp}
    one_step = kinds[s.step.equations]
    k = s.step.output
    state, output, outputs = s.state, np.zeros_like(s.state[k]), []
    for t in range(len(s.x)):
        new = one_step(s, s.x[t], state)
        counts = np.ones((BATCH, 1), bool) if s.mask is None else s.mask[t][:, None]
        output = np.where(counts, new[k], np.zeros_like(output) if s.zero_output else output)
        state = tuple(np.where(counts, n, old) for n, old in zip(new, state, strict=True))
        outputs.append(output)
    return np.stack(outputs), state


def _product(v: np.ndarray, matrix: np.ndarray, masks: np.ndarray | None, gate: int) -> np.ndarray:
    seen = v if masks is None else v * masks[min(gate, len(masks) - 1)]
    return seen @ _columns(matrix, gate)


def _columns(a: np.ndarray | None, gate: int) -> Any:
    return 0.0 if a is None else a[..., gate * UNITS : (gate + 1) * UNITS]


def _lstm(s: Situation, x: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    w, (h, c) = s.weights, state
    φ, σ = ACTIVATIONS[s.step.activation.__name__], ACTIVATIONS[s.step.recurrent_activation.__name__]
    i, f, g, o = (_product(x, w.W, w.x_masks, k) + _product(h, w.U, w.h_masks, k) + _columns(w.b, k) for k in range(4))
    c_new = σ(f) * c + σ(i) * φ(g)
    return σ(o) * φ(c_new), c_new


def _gru(s: Situation, x: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    w, (h,) = s.weights, state
    φ, σ = ACTIVATIONS[s.step.activation.__name__], ACTIVATIONS[s.step.recurrent_activation.__name__]
    of_x = [_product(x, w.W, w.x_masks, k) + _columns(w.b, k) for k in range(3)]
    after = s.step.equations is GRU
    U, b_h = (w.U, w.b_h) if after else (np.concatenate([w.U, w.U_g], 1), None)
    of_h = [_product(h, U, w.h_masks, k) + _columns(b_h, k) for k in range(3)]
    z, r = σ(of_x[0] + of_h[0]), σ(of_x[1] + of_h[1])
    candidate = r * of_h[2] if after else _product(r * h, U, w.h_masks, 2)
    g = φ(of_x[2] + candidate)
    return (z * h + (1 - z) * g,)


def _simple(s: Situation, x: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    w, (h,) = s.weights, state
    φ = ACTIVATIONS[s.step.activation.__name__]
    return (φ(_product(x, w.W, w.x_masks, 0) + _product(h, w.U, w.h_masks, 0) + _columns(w.b, 0)),)


def _lstmp(s: Situation, x: np.ndarray, state: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    w, (c, m), option = s.weights, state, s.step.options
    φ, σ = ACTIVATIONS[s.step.activation.__name__], ACTIVATIONS["Sigmoid"]
    i, j, f, o = np.split(x @ w.W + m @ w.U + w.b, 4, -1)
    seen = [0.0 if peephole is None else peephole for peephole in (w.w_i, w.w_f, w.w_o)]
    c_new = _clipped(σ(f + option["forget_bias"] + seen[1] * c) * c + σ(i + seen[0] * c) * φ(j), option["cell_clip"])
    n = σ(o + seen[2] * c_new) * φ(c_new)
    return c_new, n if w.P is None else _clipped(n @ w.P, option["proj_clip"])


def _clipped(v: np.ndarray, limit: float | None) -> np.ndarray:
    return v if limit is None else np.minimum(np.maximum(v, -limit), limit)


# --- the roads to the gradient ----------------------------------------------------------------------------------------


def loss(s: Situation) -> float:
    y, state = reference(s)
    return float((s.dy * y).sum() + sum((d * n).sum() for d, n in zip(s.dstate, state, strict=True)))


def by_differences(s: Situation) -> Gradients:
    """Finite differences of fourth order of `reference`, element by element; off by 1e-11 or so."""
    found, h = {}, 1e-3
    for name, value in s.inputs.items():
        gradient = np.zeros_like(value)
        for index in np.ndindex(value.shape):

            def change(size: float, name: str = name, value: np.ndarray = value, index: Any = index) -> float:
                moved = [value.copy(), value.copy()]
                moved[0][index] += size
                moved[1][index] -= size
                one, other = (loss(s.at({**s.inputs, name: v})) for v in moved)
                return one - other

            gradient[index] = (8 * change(h) - change(2 * h)) / (12 * h)
        found[name] = gradient
    return found


def by_loop(s: Situation) -> Gradients:
    """The explicit loop on NumPy arrays."""
    *_, cache = bptt.forward(minigrad_numpy, s.step, s.x, s.state, s.weights, s.mask, s.zero_output)
    g = bptt.backward(minigrad_numpy, s.step, s.dy, s.dstate, s.x, s.weights, cache, s.tbptt)
    return _named(s, g.x, g.state, g.weights)


def _named(s: Situation, dx: Any, dstate: Any, dweights: Any) -> Gradients:
    by_name = {"x": dx} | {f"state {k}": d for k, d in enumerate(dstate)}
    by_name |= dict(zip(s.weights._fields, dweights, strict=True))
    return {name: by_name[name] for name in s.inputs}


def _tensors(s: Situation) -> tuple[dict[str, mg.Tensor], Situation]:
    """The inputs as leaves, and the situation with them in it."""
    leaves = {name: mg.tensor(value, requires_grad=True) for name, value in s.inputs.items()}
    masks = {n: mg.tensor(w) for n, w in s.weights._asdict().items() if w is not None and n.endswith("masks")}
    on_tape = s.at(leaves)
    return leaves, replace(on_tape, weights=on_tape.weights._replace(**masks))


def _gradients(s: Situation, leaves: dict[str, mg.Tensor], outputs: list[mg.Tensor]) -> Gradients:
    found = mg.grad(outputs, list(leaves.values()), [s.dy, *s.dstate])
    return {n: np.zeros(x.shape) if g is None else g.numpy() for (n, x), g in zip(leaves.items(), found, strict=True)}


def by_tape(s: Situation) -> Gradients:
    """`step` run with xp = functional, each of its operations on the tape; masks as in the docstring of `masks`."""
    leaves, t = _tensors(s)
    state: Any = t.state
    output, outputs = mg.zeros_like(state[t.step.output]), []
    for k in range(len(s.x)):
        new, _ = t.step.step(F, t.step.project(F, t.x[k], t.weights), state, t.weights)
        output_new = new[t.step.output]
        if t.mask is not None:
            counts = mg.tensor(t.mask[k][:, None])
            output_new = mg.where(counts, output_new, mg.zeros_like(output) if t.zero_output else output)
            new = tuple(mg.where(counts, n, old) for n, old in zip(new, state, strict=True))
        state, output = new, output_new
        outputs.append(output)
    return _gradients(s, leaves, [mg.stack(outputs), *state])


def node(s: Situation, leaves: dict[str, mg.Tensor] | None = None) -> list[mg.Tensor]:
    """The outputs and the final state, from one node on the tape."""
    t = _tensors(s)[1] if leaves is None else _tensors(s)[1].at(leaves)
    mask = None if t.mask is None else mg.tensor(t.mask).array
    plan = SequenceOptions(t.step, len(t.state), mask, t.zero_output, t.tbptt)
    return list(apply(SequenceOp, t.x, *t.state, *t.weights, options=plan))


def by_node(s: Situation) -> Gradients:
    leaves, _ = _tensors(s)
    return _gradients(s, leaves, node(s, leaves))


def same(one: Gradients, other: Gradients, rtol: float, atol: float) -> None:
    """Fails, naming the gradient that differs and by how much, unless all agree."""
    assert one.keys() == other.keys()
    for name, gradient in one.items():
        np.testing.assert_allclose(gradient, other[name], rtol=rtol, atol=atol, err_msg=f"∂loss/∂{name}")


# --- the cells to try -------------------------------------------------------------------------------------------------

CASES: dict[str, Situation] = {
    "lstm": situation(lstm()),
    "lstm, no mask": situation(lstm(), 1, mask=None),
    "lstm, zero output": situation(lstm(), 2, zero_output=True),
    "lstm, separate products": situation(lstm(separate=True), 3),
    "lstm, no bias": situation(lstm(), 4, bias=False),
    "lstm, one mask each": situation(lstm(), 5, x_masks=1, h_masks=1),
    "lstm, a mask a gate": situation(lstm(separate=True), 6, x_masks=4, h_masks=4),
    "lstm, masks of x alone": situation(lstm(), 7, x_masks=4),
    "lstm, masks of h alone": situation(lstm(), 8, h_masks=4),
    "lstm, relu, hard_sigmoid": situation(lstm(ops.Relu, ops.HardSigmoid), 19),  # a seed with no kink near by
    "lstm, swish, sigmoid": situation(lstm(ops.Swish), 10),  # the derivatives ask for the arguments
    "lstm, gelu, mish, zero output": situation(lstm(ops.Gelu, ops.Mish), 11, x_masks=1, zero_output=True),
    "lstm, linear, softsign": situation(lstm(ops.Linear, ops.Softsign), 12),
    "gru": situation(gru()),
    "gru, no mask": situation(gru(), 1, mask=None),
    "gru, zero output": situation(gru(), 2, zero_output=True),
    "gru, no bias": situation(gru(), 3, bias=False),
    "gru, a mask a gate": situation(gru(separate=True), 4, x_masks=3, h_masks=3),
    "gru, one mask each": situation(gru(), 5, x_masks=1, h_masks=1),
    "gru, gelu, hard_sigmoid": situation(gru(ops.Gelu, ops.HardSigmoid), 6),
    "gru, reset before": situation(gru(reset_after=False), 7),
    "gru, reset before, no bias": situation(gru(reset_after=False), 8, bias=False, zero_output=True),
    "gru, reset before, a mask a gate": situation(gru(reset_after=False, separate=True), 9, x_masks=3, h_masks=3),
    "gru, reset before, one mask each": situation(gru(ops.Softplus, reset_after=False), 10, x_masks=1, h_masks=1),
    "gru, reset before, swish": situation(gru(ops.Swish, ops.Swish, reset_after=False), 11),
    "simple": situation(simple()),
    "simple, no mask, no bias": situation(simple(), 1, mask=None, bias=False),
    "simple, zero output, masks": situation(simple(), 2, zero_output=True, x_masks=1, h_masks=1),
    "simple, elu": situation(simple(ops.Elu), 3),
    "simple, mish": situation(simple(ops.Mish), 4, h_masks=1),
    "lstmp": lstmp_situation(lstmp()),
    "lstmp, no mask": lstmp_situation(lstmp(forget_bias=0.3), 1, mask=None),
    "lstmp, peepholes": lstmp_situation(lstmp(), 2, peepholes=True),
    "lstmp, projection, zero output": lstmp_situation(lstmp(), 3, projected=True, zero_output=True),
    "lstmp, cell clip": lstmp_situation(lstmp(cell_clip=0.6), 4),
    "lstmp, proj clip": lstmp_situation(lstmp(proj_clip=0.3), 5, projected=True),
    "lstmp, swish": lstmp_situation(lstmp(ops.Swish), 6, peepholes=True),
    "lstmp, everything": lstmp_situation(lstmp(cell_clip=0.6, proj_clip=0.3), 7, True, True),
    "lstmp, everything, softsign": lstmp_situation(lstmp(ops.Softsign, 0.3, 0.6, 0.3), 9, True, True, zero_output=True),
}
