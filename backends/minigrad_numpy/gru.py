"""The loop over time of the GRU that resets afterwards, fused for NumPy.

Forward, Keras' gate order z, r, g in the columns of W, U, b and b_h; σ is the recurrent activation:

    x_z, x_r, x_g = x W + b        h_z, h_r, h_g = h U + b_h
    z     = σ(x_z + h_z)    r = σ(x_r + h_r)    the gates: update, reset
    g     = tanh(x_g + r ∘ h_g)
    h_new = z ∘ h + (1 − z) ∘ g

Backward, dh being ∂loss/∂h_new as it arrives. Every line is dh times a factor that is known before dh is:

    ds_g  = dh ∘ ((1 − z) ∘ (1 − g²))
    ds_z  = dh ∘ ((h − g) ∘ σ′_z)
    ds_r  = dh ∘ ((1 − z) ∘ (1 − g²) ∘ h_g ∘ σ′_r)
    dh_g  = dh ∘ ((1 − z) ∘ (1 − g²) ∘ r)
    dh    = dh ∘ z + [ds_z, ds_r, dh_g] Uᵀ                        to the step before
    dx    = [ds_z, ds_r, ds_g] Wᵀ       dW = Σ xᵀ [ds_z, ds_r, ds_g]       dU = Σ hᵀ [ds_z, ds_r, dh_g]

The tricks are those of `minigrad_numpy.lstm`. Here the rows are in the order g, z, r, h_g: what x sees of the gradient
are the first three, what h sees the last three. x_g is computed for a block of steps at once, since it must not be
added to h_g.

Source: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder–Decoder"; this variant is cuDNN's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import add, copyto, dot, matmul, multiply, subtract, tanh

from minigrad_numpy.loops import (
    CACHE,
    GATE_ACTIVATIONS,
    GateActivation,
    Mask,
    lying_as,
    ordered,
    outputs,
    read_mask,
    room_to_gather,
    stacked,
    steps_in,
    turned,
    walked_back,
)
from minigrad_numpy.memory import carved
from minigrad_numpy.packed import packed

Array = Any


class Kept(NamedTuple):
    """What the way back needs: five floats a unit and step, and the last h."""

    gates: Array  # (time, 4, units, batch): g, z, r, h_g
    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: Mask | None
    recurrent_activation: str

    def window(self, start: int, stop: int) -> Kept:
        """What the steps start … stop − 1 kept: `backward` can run through these alone (truncated BPTT)."""
        mask = self.mask and self.mask.window(start, stop)
        return self._replace(gates=self.gates[start:stop], h=self.h[start : stop + 1], mask=mask)


def forward(
    x: Array,
    h0: Array,
    W: Array,
    U: Array,
    b: Array | None,
    b_h: Array | None,
    mask: Array | None = None,
    *,
    zero_output: bool = False,
    recurrent_activation: str = "sigmoid",
) -> tuple[Array, Array, Kept]:
    """Runs the GRU over a sequence.

    Args:
        x: (time, batch, features), float32 or float64 as all the others.
        h0: (batch, units).
        W: (features, 3 units), columns in the order z, r, g.
        U: (units, 3 units).
        b: (3 units,), of the input's product, or None.
        b_h: (3 units,), of the state's product, or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and repeats its previous output.
        zero_output: at masked steps the output is zero instead of repeated.
        recurrent_activation: ``"sigmoid"`` or ``"hard_sigmoid"``, clip(0.2 z + 0.5, 0, 1).

    Returns:
        y (time, batch, units) and h_T (batch, units), both the caller's own, and what `backward` needs.
    """
    (T, B, I), H = x.shape, len(U)
    σ = GATE_ACTIVATIONS[recurrent_activation]
    kind = "gru", recurrent_activation, b is None, b_h is None
    present = [w for w in (W, U, b, b_h) if w is not None]
    weights = packed(kind, present, lambda: _matrices(W, U, b, b_h, σ))
    masked = read_mask(mask, zero_output)
    n = steps_in(CACHE, (I + H + 1) * B * x.itemsize, T)
    gates, h = carved(x.dtype, (T, 4, H, B), (T + 1, B, H))
    (x1h1,) = carved(x.dtype, (n + 1, I + H + 2, B))
    x1h1[:, I], x1h1[:, -1] = 1.0, 1.0
    h[0], x1h1[0, I + 1 : -1] = h0, h0.T
    for start in range(0, T, n):
        stop = min(start + n, T)
        m = stop - start
        turned(x[start:stop], x1h1[:m, :I])
        rows = masked.rows[start:stop] if masked else [None] * m
        _forward_block(weights, x1h1[: m + 1], gates[start:stop], rows, σ)
        h[start + 1 : stop + 1] = x1h1[1 : m + 1, I + 1 : -1].transpose(0, 2, 1)
        x1h1[0, I + 1 : -1] = x1h1[m, I + 1 : -1]
    return outputs(h, x, masked), h[T].copy(), Kept(gates, h, masked, recurrent_activation)


def _forward_block(
    weights: tuple[Array, Array, Array], x1h1: Array, gates: Array, rows: list[Array | None], σ: GateActivation
) -> None:
    """The loop of `forward` over the steps of one block; x1h1 has one row more, for the h that leaves it."""
    M, M_x, M_h = weights
    m, _, H, B = gates.shape
    part, one = np.empty((H, B), gates.dtype), np.ones((), gates.dtype)
    h1, h = x1h1[:, -1 - H :], x1h1[:, -1 - H : -1]
    matmul(M_x, x1h1[:m, : -1 - H], gates[:, 0])
    zr, squash = gates[:, 1:3].reshape(m, 2 * H, B), σ.squash
    with np.errstate(over="ignore"):  # exp(−s) = ∞ makes σ = 0, as it should be
        for x1h1_t, h1_t, h_t, h_new, zr_t, (g, z, r, h_g), row in zip(
            x1h1, h1, h, h[1:], zr, gates, rows, strict=False
        ):
            dot(M, x1h1_t, zr_t)
            squash(zr_t, one)
            dot(M_h, h1_t, h_g)
            multiply(r, h_g, part)
            add(g, part, g)
            tanh(g, g)
            subtract(h_t, g, part)  # h_new = g + z ∘ (h − g)
            multiply(z, part, part)
            add(g, part, h_new)
            if row is not None:
                copyto(h_new, h_t, where=row)


def backward(
    dy: Array | None, dh_T: Array | None, kept: Kept, x: Array, W: Array, U: Array, *, needs_dx: bool = True
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Walks back through the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where nothing of the loss comes through y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        kept: what `forward` kept.
        x: (time, batch, features), as `forward` had it; W and U likewise.
        W: (features, 3 units).
        U: (units, 3 units).
        needs_dx: is ∂loss/∂x wanted?

    Returns:
        dx (None if not wanted), dh0, dW, dU, db, db_h.
    """
    (T, B, I), H = x.shape, len(U)
    n = steps_in(CACHE, 5 * H * B * x.itemsize, T)
    shapes = [(n, 5, H, B), (n, H, B), (n, H, B)]
    F, h, dy_block, *room = carved(x.dtype, *shapes, *room_to_gather(x, H, 4 * H, n))
    dy_block[...] = 0.0
    dz = F[:, :4].reshape(n, 4 * H, B)
    steps = list(zip(dy_block, F, dz[:, H:], F[:, 4], strict=True))
    W_gzr = packed("gru back", (W,), lambda: ordered(W, 3, [2, 0, 1]))
    dx = lying_as(x, I) if needs_dx else None
    dh = np.zeros((H, B), x.dtype) if dh_T is None else dh_T.T.copy()

    def block(start: int, stop: int) -> Array:
        m, part = stop - start, kept.window(start, stop)
        turned(part.h[:m], h[:m])
        _factors(part, h[:m], F[:m])
        if dy is not None:
            turned(dy[start:stop], dy_block[:m])
            if part.mask:
                copyto(dy_block[:m], 0.0, where=part.mask.silent[:, None])
        for dy_t, F_t, dz_h, dh_z in reversed(steps[:m]):
            add(dh, dy_t, dh)
            multiply(F_t, dh, F_t)
            dot(U, dz_h, dh)
            add(dh, dh_z, dh)
        if dx is not None:
            dx[start:stop] = matmul(W_gzr, dz[:m, : 3 * H]).transpose(0, 2, 1)
        return dz[:m]

    dM = walked_back(x, kept.h, n, block, room).reshape(I + H + 1, 4, H)
    zrg, zrh = dM[:, [1, 2, 0]].reshape(-1, 3 * H), dM[:, [1, 2, 3]].reshape(-1, 3 * H)
    return dx, dh.T.copy(), zrg[:I].copy(), zrh[I:-1].copy(), zrg[-1].copy(), zrh[-1].copy()


def _factors(kept: Kept, h: Array, F: Array) -> None:
    """Writes what dh is multiplied by to give ds_g, ds_z, ds_r, dh_g and the dh that goes past the gates.

    Where a row rests they are 0, 0, 0, 0 and 1.
    """
    g, z, r, h_g = (kept.gates[:, k] for k in range(4))
    ds_g, ds_z, ds_r, dh_g, dh_z = (F[:, k] for k in range(5))
    GATE_ACTIVATIONS[kept.recurrent_activation].slope(kept.gates[:, 1:3], F[:, 1:3])
    subtract(h, g, h)
    multiply(ds_z, h, ds_z)
    multiply(g, g, ds_g)
    subtract(1.0, ds_g, ds_g)
    subtract(1.0, z, dh_g)
    multiply(ds_g, dh_g, ds_g)
    multiply(ds_r, ds_g, ds_r)
    multiply(ds_r, h_g, ds_r)
    multiply(ds_g, r, dh_g)
    dh_z[...] = z
    if kept.mask:
        copyto(F[:, :4], 0.0, where=kept.mask.hold[:, None, None])
        copyto(dh_z, 1.0, where=kept.mask.hold[:, None])


def _matrices(W: Array, U: Array, b: Array | None, b_h: Array | None, σ: GateActivation) -> tuple[Array, Array, Array]:
    """What [x; 1; h; 1] is multiplied by for z and r, [x; 1] for x_g, and [h; 1] for h_g."""
    I, H = len(W), len(U)
    columns = np.concatenate([stacked(W, b), stacked(U, b_h)])
    M = np.empty(columns.shape[::-1], U.dtype)
    turned(columns[None], M[None])
    gates = M[: 2 * H]
    gates *= σ.scale
    gates[:, I] += σ.shift
    return gates, M[2 * H :, : I + 1], M[2 * H :, I + 1 :].copy()
