"""A recurrent cell of any API generation, with every convention in which generations differ as a parameter.

The equations are those of `minigrad.recurrent`: `lstmp` for the LSTMs, `gru`, `gru_reset_before` and `simple_rnn`. They
run in float64, step by step, so that `minigrad.convert.difference` can change one convention at a time. Each use checks
that the outputs are those of the cell itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minigrad.convert.gates import Gates, GateWeights
from minigrad.engine import registry
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array
from minigrad.recurrent import GRU, LSTMP, Formulas, GRUResetBefore, SimpleRNN

ORDER = {"LSTM": "igfo", "GRU": "zrg", "SimpleRNN": "h"}  # of the columns in the equations

Activation = Callable[[Array], Array]


@dataclass(frozen=True)
class ParametricCell:
    """A cell in float64: its weights, gate by gate, and its conventions.

    Attributes:
        kind: ``"LSTM"``, ``"GRU"`` or ``"SimpleRNN"``.
        W: one matrix per gate, each (features, units).
        U: one matrix per gate, each (outputs, units).
        b: one vector per gate, each (units,): the sum of all biases that are only added.
        b_h: (units,): in a GRU with `reset_after`, the bias that the reset gate acts on; otherwise zeros.
        σ: the activation of the gates.
        φ: the activation of the candidate and of the new cell state.
        forget_bias: the number added to the forget gate at call.
        reset_after: True if the reset gate acts on h U + b_h, False if it acts on h.
        peepholes: w_i, w_f, w_o by gate, each (units,).
        P: the projection, (units, outputs).
        cell_clip: the limit of |c|, or None.
        proj_clip: the limit of the projected output, or None.
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
        """Size of the cell state."""
        return int(next(iter(self.W.values())).shape[1])

    @property
    def outputs(self) -> int:
        """Size of the output."""
        return self.units if self.P is None else int(self.P.shape[1])

    @property
    def features(self) -> int:
        """Size of the inputs."""
        return int(next(iter(self.W.values())).shape[0])

    def run(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        """Run a sequence.

        Args:
            x: (time, batch, features).
            h: (batch, outputs).
            c: (batch, units); unused by a GRU and a SimpleRNN.

        Returns:
            h after each step, (time, batch, outputs), and c after each step.
        """
        step, weights = self._step()
        xp, lstm = registry.resolve("numpy"), self.kind == "LSTM"
        hs, cs = [], []
        with np.errstate(all="ignore"):  # the caller reports NaN and infinity
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
            options: dict[str, Any] = {"forget_bias": self.forget_bias, "cell_clip": self.cell_clip}
            lstm = Formulas(LSTMP, sigma, phi, **options, proj_clip=None if self.P is None else self.proj_clip)
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
    """An activation without a derivative, from a function of arrays."""
    return type("Function", (Op,), {"forward": lambda xp, x: function(x)})


def _side_by_side(gates: Gates, order: str) -> Array:
    return np.concatenate([gates[gate] for gate in order], -1)


def largest(difference: Array) -> float:
    """Return the largest absolute value."""
    return float(np.max(np.abs(difference), initial=0.0))


def with_weights(cell: ParametricCell, parts: GateWeights) -> ParametricCell:
    """Return the cell with other weights, in float64; biases that are only added become one sum."""
    double = {gate: W.astype(np.float64) for gate, W in parts.W.items()}
    zeros = np.zeros(next(iter(double.values())).shape[1])
    b = {gate: zeros if parts.b is None else parts.b[gate].astype(np.float64) for gate in double}
    b_h = {gate: zeros if parts.b_h is None else parts.b_h[gate].astype(np.float64) for gate in double}
    separate = "g" if cell.reset_after else ""  # the gate whose two biases are not simply added
    return replace(
        cell,
        W=double,
        U={gate: U.astype(np.float64) for gate, U in parts.U.items()},
        b={gate: b[gate] if gate == separate else b[gate] + b_h[gate] for gate in double},
        b_h=b_h[separate] if separate else zeros,
        peepholes=None if parts.peepholes is None else {k: w.astype(np.float64) for k, w in parts.peepholes.items()},
        P=None if parts.P is None else parts.P.astype(np.float64),
    )
