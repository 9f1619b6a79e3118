"""The loop over time of the GRU that resets after the product, fused for NumPy.

Forward, Keras' gate order z, r, g in the columns of W, U, b and b_h; σ is the recurrent activation:

    x_z, x_r, x_g = x W + b        h_z, h_r, h_g = h U + b_h
    z     = σ(x_z + h_z)    r = σ(x_r + h_r)    the gates: update, reset
    g     = tanh(x_g + r ∘ h_g)
    h_new = z ∘ h + (1 − z) ∘ g

Backward, with the upstream gradient dh = ∂loss/∂h_new. Every line is dh times a factor that does not depend on dh:

    ds_g  = dh ∘ ((1 − z) ∘ (1 − g²))
    ds_z  = dh ∘ ((h − g) ∘ σ′_z)
    ds_r  = dh ∘ ((1 − z) ∘ (1 − g²) ∘ h_g ∘ σ′_r)
    dh_g  = dh ∘ ((1 − z) ∘ (1 − g²) ∘ r)
    dh    = dh ∘ z + [ds_z, ds_r, dh_g] Uᵀ                        to the step before
    dx    = [ds_z, ds_r, ds_g] Wᵀ       dW = Σ xᵀ [ds_z, ds_r, ds_g]       dU = Σ hᵀ [ds_z, ds_r, dh_g]

The optimizations are those of `minigrad_numpy.lstm`. Here the rows are in the order g, z, r, h_g. The gradient of x
uses the first three, the gradient of h the last three. x_g is computed for a block of steps at once, since it must not
be added to h_g.

Source: Cho et al., 2014, "Learning Phrase Representations using RNN Encoder–Decoder"; this variant is cuDNN's.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import add, copyto, dot, matmul, multiply, subtract, tanh

from minigrad_numpy.loops import (
    BLOCK_BYTES,
    GATE_ACTIVATIONS,
    GateActivation,
    LoopMask,
    columns,
    copy_transposed,
    copy_upstream,
    empty_like,
    gradient_buffers,
    outputs,
    read_mask,
    reorder_gates,
    stack_weights,
    steps_in,
    weight_gradients,
)
from minigrad_numpy.memory import allocate
from minigrad_numpy.packed import packed

Array = Any


class Cache(NamedTuple):
    """Cached arrays for the backward pass: five floats per unit and step, and the last h."""

    gates: Array  # (time, 4, units, batch): g, z, r, h_g
    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: LoopMask | None
    recurrent_activation: str

    def window(self, start: int, stop: int) -> Cache:
        """Return the cache of the steps start … stop − 1, for `backward` over these alone (truncated BPTT)."""
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
) -> tuple[Array, Array, Cache]:
    """Run the GRU over a sequence.

    Args:
        x: (time, batch, features), float32 or float64, as all other arrays.
        h0: (batch, units).
        W: (features, 3 units), columns in the order z, r, g.
        U: (units, 3 units).
        b: (3 units,), of the input's product, or None.
        b_h: (3 units,), of the state's product, or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and repeats its previous output.
        zero_output: whether the output is zero at masked steps, instead of repeated.
        recurrent_activation: ``"sigmoid"`` or ``"hard_sigmoid"``, clip(0.2 z + 0.5, 0, 1).

    Returns:
        y (time, batch, units) and h_T (batch, units), both new arrays; and the cache for `backward`.
    """
    (T, B, I), H = x.shape, len(U)
    σ = GATE_ACTIVATIONS[recurrent_activation]
    kind = "gru", recurrent_activation, b is None, b_h is None
    present = [w for w in (W, U, b, b_h) if w is not None]
    weights = packed(kind, present, lambda: _matrices(W, U, b, b_h, σ))
    loop_mask = read_mask(mask, zero_output)
    n = steps_in(BLOCK_BYTES, (I + H + 1) * B * x.itemsize, T)
    gates, h = allocate(x.dtype, (T, 4, H, B), (T + 1, B, H))
    (x1h1,) = allocate(x.dtype, (n + 1, I + H + 2, B))
    x1h1[:, I], x1h1[:, -1] = 1.0, 1.0
    h[0], x1h1[0, I + 1 : -1] = h0, h0.T
    for start in range(0, T, n):
        stop = min(start + n, T)
        m = stop - start
        copy_transposed(x[start:stop], x1h1[:m, :I])
        masked_rows = loop_mask.by_step[start:stop] if loop_mask else [None] * m
        _forward_block(weights, x1h1[: m + 1], gates[start:stop], masked_rows, σ)
        h[start + 1 : stop + 1] = x1h1[1 : m + 1, I + 1 : -1].transpose(0, 2, 1)
        x1h1[0, I + 1 : -1] = x1h1[m, I + 1 : -1]
    return outputs(h, x, loop_mask), h[T].copy(), Cache(gates, h, loop_mask, recurrent_activation)


def _forward_block(
    weights: tuple[Array, Array, Array], x1h1: Array, gates: Array, masked_rows: list[Array | None], σ: GateActivation
) -> None:
    """Run the forward loop over the steps of one block; x1h1 has one step more, for the h after the block."""
    M, M_x, M_h = weights
    m, _, H, B = gates.shape
    part, one = np.empty((H, B), gates.dtype), np.ones((), gates.dtype)
    h1, h = x1h1[:, -1 - H :], x1h1[:, -1 - H : -1]
    matmul(M_x, x1h1[:m, : -1 - H], gates[:, 0])
    zr, activate = gates[:, 1:3].reshape(m, 2 * H, B), σ.activate
    with np.errstate(over="ignore"):  # exp(−s) = ∞ gives the right σ = 0
        for x1h1_t, h1_t, h_t, h_new, zr_t, (g, z, r, h_g), masked_t in zip(
            x1h1, h1, h, h[1:], zr, gates, masked_rows, strict=False
        ):
            dot(M, x1h1_t, zr_t)
            activate(zr_t, one)
            dot(M_h, h1_t, h_g)
            multiply(r, h_g, part)
            add(g, part, g)
            tanh(g, g)
            subtract(h_t, g, part)  # h_new = g + z ∘ (h − g)
            multiply(z, part, part)
            add(g, part, h_new)
            if masked_t is not None:
                copyto(h_new, h_t, where=masked_t)


def backward(
    dy: Array | None, dh_T: Array | None, cache: Cache, x: Array, W: Array, U: Array, *, needs_dx: bool = True
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Run the backward pass over the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where the loss does not depend on y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        cache: from `forward`.
        x: (time, batch, features), the argument of `forward`, as are W and U.
        W: (features, 3 units).
        U: (units, 3 units).
        needs_dx: whether to compute ∂loss/∂x.

    Returns:
        dx (None without `needs_dx`), dh0, dW, dU, db, db_h.
    """
    (T, B, I), H = x.shape, len(U)
    n = steps_in(BLOCK_BYTES, 5 * H * B * x.itemsize, T)
    shapes = [(n, 5, H, B), (n, H, B), (n, H, B)]
    F, h, dy_block, *buffers = allocate(x.dtype, *shapes, *gradient_buffers(x, H, 4 * H, n))
    dz = F[:, :4].reshape(n, 4 * H, B)
    steps = list(zip([None] * n if dy is None else dy_block, F, dz[:, H:], F[:, 4], strict=True))
    W_gzr = packed("gru back", (W,), lambda: reorder_gates(W, 3, [2, 0, 1]))
    dx = empty_like(x, I) if needs_dx else None
    dh = np.zeros((H, B), x.dtype) if dh_T is None else dh_T.T.copy()

    def block(start: int, stop: int) -> Array:
        m, part = stop - start, cache.window(start, stop)
        copy_transposed(part.h[:m], h[:m])
        _factors(part, h[:m], F[:m])
        copy_upstream(dy, part.mask, start, dy_block[:m])
        for dy_t, F_t, dz_h, dh_z in reversed(steps[:m]):
            if dy_t is not None:
                add(dh, dy_t, dh)
            multiply(F_t, dh, F_t)
            dot(U, dz_h, dh)
            add(dh, dh_z, dh)
        if dx is not None:
            dx[start:stop] = matmul(W_gzr, dz[:m, : 3 * H]).transpose(0, 2, 1)
        return dz[:m]

    dM = weight_gradients(x, cache.h, n, block, buffers)
    zrg, zrh = columns(dM, 4, [1, 2, 0]), columns(dM, 4, [1, 2, 3])
    return dx, dh.T.copy(), zrg[:I], zrh[I:-1], zrg[-1], zrh[-1]


def _factors(cache: Cache, h: Array, F: Array) -> None:
    """Write the factors of dh that give ds_g, ds_z, ds_r, dh_g, and the dh that bypasses the gates.

    In a masked row they are 0, 0, 0, 0 and 1.
    """
    g, z, r, h_g = (cache.gates[:, k] for k in range(4))
    ds_g, ds_z, ds_r, dh_g, dh_z = (F[:, k] for k in range(5))
    GATE_ACTIVATIONS[cache.recurrent_activation].derivative(cache.gates[:, 1:3], F[:, 1:3])
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
    if cache.mask:
        copyto(F[:, :4], 0.0, where=cache.mask.masked[:, None, None])
        copyto(dh_z, 1.0, where=cache.mask.masked[:, None])


def _matrices(W: Array, U: Array, b: Array | None, b_h: Array | None, σ: GateActivation) -> tuple[Array, Array, Array]:
    """Return the matrices that multiply [x; 1; h; 1] for z and r, [x; 1] for x_g, and [h; 1] for h_g."""
    I, H = len(W), len(U)
    columns = np.concatenate([stack_weights(W, b), stack_weights(U, b_h)])
    M = np.empty(columns.shape[::-1], U.dtype)
    copy_transposed(columns[None], M[None])
    gates = M[: 2 * H]
    gates *= σ.scale
    gates[:, I] += σ.shift
    return gates, M[2 * H :, : I + 1], M[2 * H :, I + 1 :].copy()
