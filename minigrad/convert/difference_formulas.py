"""One formula for each kind of cell, with every convention in which the API generations differ as a parameter.

    LSTM        z_k   = x W_k + h U_k + b_k                           for the gates k = i, f, g, o
                i     = σ(z_i [+ w_i ∘ c])      f = σ(z_f + forget_bias [+ w_f ∘ c])      g = φ(z_g)
                c_new = f ∘ c + i ∘ g                                 [clipped to ±cell_clip]
                h_new = σ(z_o [+ w_o ∘ c_new]) ∘ φ(c_new) [P]         [clipped to ±proj_clip]
    GRU         h_new = z ∘ h + (1 − z) ∘ g,    g = φ(x W_g + b_g + (r ∘ h) U_g), or with the reset afterwards
                                                g = φ(x W_g + b_g + r ∘ (h U_g + b_h))
    SimpleRNN   h_new = φ(x W + h U + b)

Plain NumPy in float64, step by step: it is there to change one convention at a time and see what becomes of the output
(`minigrad.convert.difference`). That it says what the cells compute is checked each time it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from minigrad.backend.protocol import Array
from minigrad.convert.gates import Gates, Parts

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
        step = {"LSTM": self._lstm, "GRU": self._gru, "SimpleRNN": self._simple_rnn}[self.kind]
        hs, cs = [], []
        with np.errstate(all="ignore"):  # numbers that are none are reported by whoever asked
            for x_t in x:
                h, c = step(x_t, h, c)
                hs.append(h)
                cs.append(c)
        return np.stack(hs), np.stack(cs)

    def _z(self, k: str, x: Array, h: Array) -> Array:
        return x @ self.W[k] + h @ self.U[k] + self.b[k]

    def _lstm(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        w = self.peepholes or dict.fromkeys("ifo", 0.0)
        i = self.σ(self._z("i", x, h) + w["i"] * c)
        f = self.σ(self._z("f", x, h) + self.forget_bias + w["f"] * c)
        c_new = _clipped(f * c + i * self.φ(self._z("g", x, h)), self.cell_clip)
        h_new = self.σ(self._z("o", x, h) + w["o"] * c_new) * self.φ(c_new)
        return (h_new if self.P is None else _clipped(h_new @ self.P, self.proj_clip)), c_new

    def _gru(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        z, r = self.σ(self._z("z", x, h)), self.σ(self._z("r", x, h))
        of_h = r * (h @ self.U["g"] + self.b_h) if self.reset_after else (r * h) @ self.U["g"] + self.b_h
        g = self.φ(x @ self.W["g"] + self.b["g"] + of_h)
        return z * h + (1.0 - z) * g, c

    def _simple_rnn(self, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
        return self.φ(self._z("h", x, h)), c


def _clipped(x: Array, limit: float | None) -> Array:
    return x if limit is None else np.clip(x, -limit, limit)


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
