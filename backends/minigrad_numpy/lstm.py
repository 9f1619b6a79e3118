"""The LSTM's loop over time, fused for NumPy: the numbers of the plain formulas, several times faster.

Forward, Keras' gate order i, f, g, o in the columns of W, U and b; σ is the recurrent activation:

    z     = x W + b + h U
    i     = σ(z_i)    f = σ(z_f)    g = tanh(z_g)    o = σ(z_o)
    c_new = f ∘ c + i ∘ g
    h_new = o ∘ tanh(c_new)

Backward, dh and dc being ∂loss/∂h_new and ∂loss/∂c_new as they arrive. Each line is a gradient times a factor, and the
factors are known before the first gradient is; with a = tanh(c_new):

    dz_o  = dh ∘ (a ∘ σ′_o)
    dc   += dh ∘ (o ∘ (1 − a²))
    dz_i  = dc ∘ (g ∘ σ′_i)     dz_f = dc ∘ (c ∘ σ′_f)     dz_g = dc ∘ (i ∘ (1 − g²))
    dc    = dc ∘ f              dh   = dz Uᵀ               to the step before
    dx    = dz Wᵀ       dW = Σ xᵀ dz       dU = Σ hᵀ dz       db = Σ dz

How it is made fast. What each trick gave was measured alone, on two cores with AVX2, float32, (batch, time, features,
units) as said.

- *Units by batch.* Inside, a step is an array (4 units, batch), not (batch, 4 units): a gate is then one contiguous
  piece. NumPy's elementwise functions copy a non-contiguous operand piece by piece through a buffer, which makes them
  three to five times slower; and the product of (4 units, units) by (units, batch) is a tenth faster than the other way
  round on two threads.
- *One product a step.* x, h and a constant 1 stand below each other in one array, W, U and b side by side in one
  matrix M: z = M [x; h; 1] needs no addition, and dM = Σ dz [x; h; 1]ᵀ is all three weight gradients at once.
- *Rows in the order o, i, f, g, c.* The three gates that need σ lie together, and so do the pairs [i f] and [g c]: one
  call gives i ∘ g and f ∘ c. A step at batch 1 costs little but its calls (0.4 µs each), of which nine are left.
- *σ by exp.* 1/(1 + exp(−z)) in three calls in place, with the minus sign in M, takes 2 ns a number where NumPy's tanh
  alone takes 2.6 ns; ½ + ½ tanh(z/2) would save one call a step at batch 1 and lose everywhere else.
- *Factors first.* All that does not depend on dh and dc is computed for many steps at once before the loop backward;
  the loop is left with six calls and the product.
- *Blocks.* Steps are handled in runs that fit the cache, and their gradients gathered until the product for the weight
  gradients is as fast as one over the whole sequence. Buffers are made once; memory beyond what is kept does not grow
  with time.

Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; with the forget gate of Gers et al., 1999.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import add, copyto, dot, multiply, subtract, tanh

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

O_I_F_G = [3, 0, 1, 2]  # where the order inside finds its gates in Keras' i, f, g, o
I_F_G_O = [1, 2, 3, 0]  # and back


class Kept(NamedTuple):
    """What the way back needs: seven floats a unit and step, and the last h."""

    gates: Array  # (time, 5, units, batch): o, i, f, g and the old c
    a: Array  # (time, units, batch): tanh(c_new)
    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: Mask | None
    recurrent_activation: str

    def window(self, start: int, stop: int) -> Kept:
        """What the steps start … stop − 1 kept: `backward` can run through these alone (truncated BPTT)."""
        mask = self.mask and self.mask.window(start, stop)
        return self._replace(gates=self.gates[start:stop], a=self.a[start:stop], h=self.h[start : stop + 1], mask=mask)


def forward(
    x: Array,
    h0: Array,
    c0: Array,
    W: Array,
    U: Array,
    b: Array | None,
    mask: Array | None = None,
    *,
    zero_output: bool = False,
    recurrent_activation: str = "sigmoid",
) -> tuple[Array, Array, Array, Kept]:
    """Runs the LSTM over a sequence.

    Args:
        x: (time, batch, features), float32 or float64 as all the others.
        h0: (batch, units).
        c0: (batch, units).
        W: (features, 4 units), columns in the order i, f, g, o.
        U: (units, 4 units).
        b: (4 units,), or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and c and repeats its previous output.
        zero_output: at masked steps the output is zero instead of repeated.
        recurrent_activation: ``"sigmoid"`` or ``"hard_sigmoid"``, clip(0.2 z + 0.5, 0, 1).

    Returns:
        y (time, batch, units), h_T and c_T (batch, units), all of them the caller's own, and what `backward` needs.
    """
    (T, B, I), H = x.shape, len(U)
    σ = GATE_ACTIVATIONS[recurrent_activation]
    present = (W, U) if b is None else (W, U, b)
    M = packed(("lstm", recurrent_activation), present, lambda: _joined(W, U, b, σ))
    masked = read_mask(mask, zero_output)
    gates, a, h = carved(x.dtype, (T, 5, H, B), (T, H, B), (T + 1, B, H))
    n = steps_in(CACHE, (I + H + 1) * B * x.itemsize, T)
    xh1, c_T = carved(x.dtype, (n + 1, I + H + 1, B), (H, B))  # x, h and 1; the last h opens the next block
    c = [*gates[:, 4], c_T]
    xh1[:, -1] = 1.0
    h[0], c[0][...], xh1[0, I:-1] = h0, c0.T, h0.T
    for start in range(0, T, n):
        stop = min(start + n, T)
        m = stop - start
        turned(x[start:stop], xh1[:m, :I])
        rows = masked.rows[start:stop] if masked else [None] * m
        _forward_block(M, xh1[: m + 1], gates[start:stop], c[start + 1 : stop + 1], a[start:stop], rows, σ)
        h[start + 1 : stop + 1] = xh1[1 : m + 1, I:-1].transpose(0, 2, 1)
        xh1[0, I:-1] = xh1[m, I:-1]
    return outputs(h, x, masked), h[T].copy(), c_T.T.copy(), Kept(gates, a, h, masked, recurrent_activation)


def _forward_block(
    M: Array, xh1: Array, gates: Array, c: list[Array], a: Array, rows: list[Array | None], σ: GateActivation
) -> None:
    """The loop of `forward` over the steps of one block; xh1 has one row more, for the h that leaves it."""
    m, _, H, B = gates.shape
    products, one = np.empty((2, H, B), a.dtype), np.ones((), a.dtype)
    (ig, fc), h = products, xh1[:, -1 - H : -1]
    z, oif, g, o = gates[:, :4].reshape(m, 4 * H, B), gates[:, :3], gates[:, 3], gates[:, 0]
    pairs = gates[:, 1:3], gates[:, 3:]
    h_t, squash = h[0], σ.squash
    with np.errstate(over="ignore"):  # exp(−z) = ∞ makes σ = 0, as it should be
        for xh1_t, z_t, oif_t, g_t, i_f, g_c, c_new, a_t, o_t, h_new, row in zip(
            xh1, z, oif, g, *pairs, c, a, o, h[1:], rows, strict=False
        ):
            dot(M, xh1_t, z_t)
            squash(oif_t, one)
            tanh(g_t, g_t)
            multiply(i_f, g_c, products)
            add(ig, fc, c_new)
            tanh(c_new, a_t)
            multiply(o_t, a_t, h_new)
            if row is not None:
                copyto(c_new, g_c[1], where=row)
                copyto(h_new, h_t, where=row)
            h_t = h_new


def backward(
    dy: Array | None,
    dh_T: Array | None,
    dc_T: Array | None,
    kept: Kept,
    x: Array,
    W: Array,
    U: Array,
    *,
    needs_dx: bool = True,
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Walks back through the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where nothing of the loss comes through y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        dc_T: ∂loss/∂c_T, (batch, units), or None.
        kept: what `forward` kept.
        x: (time, batch, features), as `forward` had it; W and U likewise.
        W: (features, 4 units).
        U: (units, 4 units).
        needs_dx: is ∂loss/∂x wanted?

    Returns:
        dx (None if not wanted), dh0, dc0, dW, dU, db.
    """
    (T, B, I), H = x.shape, len(U)
    J = I if needs_dx else 0
    M = packed(  # (x and h, 4 units)
        ("lstm back", needs_dx), (W, U), lambda: ordered(np.concatenate([W[:J], U]), 4, O_I_F_G)
    )
    n = steps_in(CACHE, 6 * H * B * x.itemsize, T)
    shapes = [(n, 6, H, B), (n, J + H, B), (n, H, B)]
    F, dxh, dy_block, *room = carved(x.dtype, *shapes, *room_to_gather(x, H, 4 * H, n))
    dy_block[...] = 0.0
    dz = F[:, 1:5].reshape(n, 4 * H, B)
    steps = list(zip(dy_block, F[:, 0], F[:, 1], F[:, 2:], F[:, 5], dz, dxh, dxh[:, J:], strict=True))
    dx = lying_as(x, I) if needs_dx else None
    dh, dc = (np.zeros((H, B), x.dtype) if d is None else d.T.copy() for d in (dh_T, dc_T))

    def block(start: int, stop: int) -> Array:
        nonlocal dh, dc
        m, part = stop - start, kept.window(start, stop)
        _factors(part, F[:m])
        if dy is not None:
            turned(dy[start:stop], dy_block[:m])
            if part.mask:
                copyto(dy_block[:m], 0.0, where=part.mask.silent[:, None])
        dh, dc = _backward_block(M, steps[:m], part.mask.rows if part.mask else [None] * m, dh, dc)
        if dx is not None:
            dx[start:stop] = dxh[:m, :J].transpose(0, 2, 1)
        return dz[:m]

    dM = ordered(walked_back(x, kept.h, n, block, room), 4, I_F_G_O)
    return dx, dh.T.copy(), dc.T.copy(), dM[:I].copy(), dM[I:-1].copy(), dM[-1].copy()


def _backward_block(
    M: Array, steps: list[tuple[Array, ...]], rows: list[Array | None], dh: Array, dc: Array
) -> tuple[Array, Array]:
    """The loop of `backward` over the steps of one block; returns dh and dc for the block before."""
    for (dy, dc_h, dz_o, dz_ifg_dc, dc_new, dz, dxh, dh_new), row in zip(reversed(steps), reversed(rows), strict=True):
        add(dh, dy, dh)
        multiply(dc_h, dh, dc_h)
        multiply(dz_o, dh, dz_o)
        add(dc, dc_h, dc)
        multiply(dz_ifg_dc, dc, dz_ifg_dc)
        dot(M, dz, dxh)
        if row is not None:
            copyto(dh_new, dh, where=row)
        dh, dc = dh_new, dc_new
    return dh.copy(), dc.copy()  # what they are views of is about to be used again


def _factors(kept: Kept, F: Array) -> None:
    """Writes what dh (the first two) and dc (the other four) are multiplied by, for the steps of one block.

        o ∘ (1 − a²)    a ∘ σ′_o    g ∘ σ′_i    c ∘ σ′_f    i ∘ (1 − g²)    f

    The products are, in this order: what dc receives, dz_o, dz_i, dz_f, dz_g, and dc for the step before. Where a row
    rests they are 0, 0, 0, 0, 0 and dc.
    """
    gates, a = kept.gates, kept.a
    o, i, f, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]
    GATE_ACTIVATIONS[kept.recurrent_activation].slope(gates[:, :3], F[:, 1:4])
    multiply(F[:, 1], a, F[:, 1])
    multiply(F[:, 2:4], gates[:, 3:5], F[:, 2:4])
    for y, by, out in (a, o, F[:, 0]), (g, i, F[:, 4]):
        multiply(y, y, out)
        subtract(1.0, out, out)
        multiply(out, by, out)
    F[:, 5] = f
    if kept.mask:
        rests = kept.mask.hold[:, None, None]
        copyto(F[:, :5], 0.0, where=rests)
        copyto(F[:, 5:], 1.0, where=rests)


def _joined(W: Array, U: Array, b: Array | None, σ: GateActivation) -> Array:
    """M, (4 units, features + units + 1), with z = M [x; h; 1] as σ's `squash` wants it."""
    columns = ordered(stacked(W, U, b), 4, O_I_F_G)
    M = np.empty(columns.shape[::-1], U.dtype)
    turned(columns[None], M[None])
    gates = M[: 3 * len(U)]
    gates *= σ.scale
    gates[:, -1] += σ.shift
    return M
