"""What a cell of any API generation computes, with every convention in which they differ as a parameter.

The equations are those of `minigrad.recurrent`: `lstmp` for the LSTMs, `gru`, `gru_reset_before` and `simple_rnn`. They
run in float64, step by step: it is there to change one convention at a time and see what becomes of the output
(`minigrad.convert.difference`). That it says what the cells compute is checked each time it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.convert.gates import Gates, Parts
from minigrad.engine import registry
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array
from minigrad.recurrent import GRU, LSTMP, Formulas, GRUResetBefore, SimpleRNN

ORDER = {"LSTM": "igfo", "GRU": "zrg", "SimpleRNN": "h"}  # in which the equations have their columns

Activation = Callable[[Array], Array]


@dataclass(frozen=True)
class Formula:
    """What a cell computes.

    Attributes:
        kind: ``"LSTM"``, ``"GRU"`` or ``"SimpleRNN"``.
        W: one matrix a gate, each (features, units).
        U: each (outputs, units).
        b: each (units,): all biases that are just added, in one sum.
        b_h: (units,): of a GRU with the reset afterwards, the bias that the reset gate acts on; else zeros.
        σ: of the gates.
        φ: of the candidate, and of the cell state on its way out.
        forget_bias: added to the forget gate at call.
        reset_after: does the reset gate act on h U + b_h, or on h?
        peepholes: w_i, w_f, w_o by gate, each (units,).
        P: the projection, (units, outputs).
        cell_clip: None does not clip.
        proj_clip: None does not clip.
    """

    kind: str
    W: Gates
    U: Gates
    b: Gates
    b_h: Array
    σ: Activation
    φ: Activation
    forget_bias: float = 0.0
    reset_after: bool = False
    peepholes: Gates | None = None
    P: Array | None = None
    cell_clip: float | None = None
    proj_clip: float | None = None

    @property
    def units(self) -> int:
        """The size of the cell state."""
        return int(next(iter(self.W.values())).shape[1])

    @property
    def outputs(self) -> int:
        """The size of the output."""
        return self.units if self.P is None else int(self.P.shape[1])

    @property
    def features(self) -> int:
        """The size of the inputs."""
        return int(next(iter(self.W.values())).shape[0])

    def run(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Runs a sequence.

        Args:
            x: (time, batch, features).
            h: (batch, outputs).
            c: (batch, units); of a GRU or a SimpleRNN, anything.

        Returns:
            h after each step, (time, batch, outputs), and c after each step.
        """
        step, weights = self._step()
        xp, lstm = registry.resolve("numpy"), self.kind == "LSTM"
        hs, cs = [], []
        with np.errstate(all="ignore"):  # numbers that are none are reported by whoever asked
            for x_t in x:
                new, _ = step.step(xp, step.project(xp, x_t, weights), (c, h) if lstm else (h,), weights)
                h, c = new[-1], new[0] if lstm else c
                hs.append(h)
                cs.append(c)
        return np.stack(hs), np.stack(cs)

    def _step(self) -> tuple[Formulas, tuple[Array | None, ...]]:
        """The equations of the kind with these conventions, and their weights."""
        sigma, phi = _op(self.σ), _op(self.φ)
        W, U, b = (_side_by_side(gates, ORDER[self.kind]) for gates in (self.W, self.U, self.b))
        if self.kind == "LSTM":
            own: dict[str, Any] = {"forget_bias": self.forget_bias, "cell_clip": self.cell_clip}
            lstm = Formulas(LSTMP, sigma, phi, **own, proj_clip=None if self.P is None else self.proj_clip)
            peepholes = {f"w_{k}": w for k, w in (self.peepholes or {}).items()}
            return lstm, lstm.Weights(W=W, U=U, b=b, P=self.P, **peepholes)
        if self.kind == "SimpleRNN":
            simple = Formulas(SimpleRNN, sigma, phi)
            return simple, simple.Weights(W=W, U=U, b=b)
        if not self.reset_after:
            before = Formulas(GRUResetBefore, sigma, phi)
            u = 2 * self.units
            return before, before.Weights(W=W, U=U[:, :u], U_g=U[:, u:], b=b)
        after = Formulas(GRU, sigma, phi)
        return after, after.Weights(W=W, U=U, b=b, b_h=np.concatenate([np.zeros(2 * self.units), self.b_h]))


def _op(function: Activation) -> type[Op]:
    """A function of arrays as an activation without a derivative."""
    return type("Function", (Op,), {"forward": lambda xp, x: function(x)})


def _side_by_side(gates: Gates, order: str) -> Array:
    return np.concatenate([gates[gate] for gate in order], -1)


def largest(difference: Array) -> float:
    """Returns the largest absolute value."""
    return float(np.max(np.abs(difference), initial=0.0))


def with_weights(formula: Formula, parts: Parts) -> Formula:
    """Returns the formula with other weights: gate by gate, in float64, the biases that are just added in one sum."""
    double = {gate: W.astype(np.float64) for gate, W in parts.W.items()}
    zeros = np.zeros(next(iter(double.values())).shape[1])
    b = {gate: zeros if parts.b is None else parts.b[gate].astype(np.float64) for gate in double}
    b_h = {gate: zeros if parts.b_h is None else parts.b_h[gate].astype(np.float64) for gate in double}
    apart = "g" if formula.reset_after else ""  # where the two biases are not just added
    return replace(
        formula,
        W=double,
        U={gate: U.astype(np.float64) for gate, U in parts.U.items()},
        b={gate: b[gate] if gate == apart else b[gate] + b_h[gate] for gate in double},
        b_h=b_h[apart] if apart else zeros,
        peepholes=None if parts.peepholes is None else {k: w.astype(np.float64) for k, w in parts.peepholes.items()},
        P=None if parts.P is None else parts.P.astype(np.float64),
    )
