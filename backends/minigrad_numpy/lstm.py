"""The LSTM's loop over time, fused for NumPy: the numbers of the plain formulas, several times as fast.

Forward, Keras' gate order i, f, g, o in the columns of W, U and b; σ is the recurrent activation:

    z     = x W + b + h U
    i     = σ(z_i)    f = σ(z_f)    g = tanh(z_g)    o = σ(z_o)
    c_new = f ∘ c + i ∘ g
    h_new = o ∘ tanh(c_new)

Backward, with the upstream gradients dh = ∂loss/∂h_new and dc = ∂loss/∂c_new, and a = tanh(c_new). Each line is a
gradient times a factor, and the factors do not depend on the gradients:

    dz_o  = dh ∘ (a ∘ σ′_o)
    dc   += dh ∘ (o ∘ (1 − a²))
    dz_i  = dc ∘ (g ∘ σ′_i)     dz_f = dc ∘ (c ∘ σ′_f)     dz_g = dc ∘ (i ∘ (1 − g²))
    dc    = dc ∘ f              dh   = dz Uᵀ               to the step before
    dx    = dz Wᵀ       dW = Σ xᵀ dz       dU = Σ hᵀ dz       db = Σ dz

Optimizations. The effect of each was measured alone, on two cores with AVX2, in float32.

- *Units by batch.* A step is an array (4 units, batch), not (batch, 4 units), so each gate is contiguous. NumPy's
  elementwise functions copy a non-contiguous operand piece by piece through a buffer, which makes them three to five
  times slower. The product of (4 units, units) by (units, batch) is also a tenth faster than its transpose, on two
  threads.
- *One product a step.* x, h and a constant 1 are stacked in one array; W, U and b are joined in one matrix M. So
  z = M [x; h; 1] needs no addition, and dM = Σ dz [x; h; 1]ᵀ holds all three weight gradients.
- *Rows in the order o, i, f, g, c.* The three gates that need σ are adjacent, and so are the pairs [i f] and [g c]: one
  call gives i ∘ g and f ∘ c. At batch 1 the cost of a step is its calls (0.4 µs each), of which nine are left.
- *σ by exp.* 1/(1 + exp(−z)) in three calls in place, with the minus sign in M, takes 2 ns a number; NumPy's tanh alone
  takes 2.6 ns. ½ + ½ tanh(z/2) saves one call a step at batch 1, and is slower at every other size.
- *Factors first.* The factors do not depend on dh and dc, so they are computed for many steps at once, before the
  backward loop. Six calls and the product remain in the loop.
- *Blocks.* Steps are processed in blocks that fit the processor's cache. The gradients of the blocks are gathered until
  one product for the weight gradients is as fast as one over the whole sequence. The buffers are allocated once;
  memory beyond the cached arrays does not grow with time.

Source: Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory"; with the forget gate of Gers et al., 1999.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy import add, copyto, dot, multiply, subtract, tanh

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
    is_small,
    outputs,
    read_mask,
    reorder_gates,
    stack_weights,
    steps_in,
    transposed,
    weight_gradients,
)
from minigrad_numpy.memory import allocate
from minigrad_numpy.packed import packed

Array = Any

O_I_F_G = [3, 0, 1, 2]  # from Keras' order i, f, g, o to the order of this loop
I_F_G_O = [1, 2, 3, 0]  # the inverse


class Cache(NamedTuple):
    """Cached arrays for the backward pass: seven floats per unit and step, and the last h."""

    gates: Array  # (time, 5, units, batch): o, i, f, g and the old c
    a: Array  # (time, units, batch): tanh(c_new)
    h: Array  # (time + 1, batch, units): h₀ … h_T
    mask: LoopMask | None
    recurrent_activation: str

    def window(self, start: int, stop: int) -> Cache:
        """Return the cache of the steps start … stop − 1, for `backward` over these alone (truncated BPTT)."""
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
) -> tuple[Array, Array, Array, Cache]:
    """Run the LSTM over a sequence.

    Args:
        x: (time, batch, features), float32 or float64, as all other arrays.
        h0: (batch, units).
        c0: (batch, units).
        W: (features, 4 units), columns in the order i, f, g, o.
        U: (units, 4 units).
        b: (4 units,), or None.
        mask: (time, batch) of bools, or None. Where False, the row keeps h and c and repeats its previous output.
        zero_output: whether the output is zero at masked steps, instead of repeated.
        recurrent_activation: ``"sigmoid"`` or ``"hard_sigmoid"``, clip(0.2 z + 0.5, 0, 1).

    Returns:
        y (time, batch, units), h_T and c_T (batch, units), new arrays all of them; and the cache for `backward`.
    """
    (T, B, I), H = x.shape, len(U)
    σ = GATE_ACTIVATIONS[recurrent_activation]
    present = (W, U) if b is None else (W, U, b)
    small = is_small(4 * H, I + H + 1, B)
    M = packed(("lstm", recurrent_activation, small), present, lambda: _joined_weights(W, U, b, σ, small))
    loop_mask = read_mask(mask, zero_output)
    gates, a, h = allocate(x.dtype, (T, 5, H, B), (T, H, B), (T + 1, B, H))
    n = steps_in(BLOCK_BYTES, (I + H + 1) * B * x.itemsize, T)
    xh1, c_T = allocate(x.dtype, (n + 1, I + H + 1, B), (H, B))  # x, h and 1; the last h opens the next block
    c = [*gates[:, 4], c_T]
    xh1[:, -1] = 1.0
    h[0], c[0][...], xh1[0, I:-1] = h0, c0.T, h0.T
    for start in range(0, T, n):
        stop = min(start + n, T)
        m = stop - start
        copy_transposed(x[start:stop], xh1[:m, :I])
        masked_rows = loop_mask.by_step[start:stop] if loop_mask else [None] * m
        _forward_block(M, xh1[: m + 1], gates[start:stop], c[start + 1 : stop + 1], a[start:stop], masked_rows, σ)
        h[start + 1 : stop + 1] = xh1[1 : m + 1, I:-1].transpose(0, 2, 1)
        xh1[0, I:-1] = xh1[m, I:-1]
    return outputs(h, x, loop_mask), h[T].copy(), c_T.T.copy(), Cache(gates, a, h, loop_mask, recurrent_activation)


def _forward_block(
    M: Array, xh1: Array, gates: Array, c: list[Array], a: Array, masked_rows: list[Array | None], σ: GateActivation
) -> None:
    """Run the forward loop over the steps of one block; xh1 has one step more, for the h after the block."""
    m, _, H, B = gates.shape
    products, one = np.empty((2, H, B), a.dtype), np.array(1, a.dtype)
    (ig, fc), h = products, xh1[:, -1 - H : -1]
    z, oif, g, o = gates[:, :4].reshape(m, 4 * H, B), gates[:, :3], gates[:, 3], gates[:, 0]
    pairs = gates[:, 1:3], gates[:, 3:]
    h_t, activate = h[0], σ.activate
    with np.errstate(over="ignore"):  # exp(−z) = ∞ gives the right σ = 0
        for xh1_t, z_t, oif_t, g_t, i_f, g_c, c_new, a_t, o_t, h_new, masked_t in zip(
            xh1, z, oif, g, *pairs, c, a, o, h[1:], masked_rows, strict=False
        ):
            dot(M, xh1_t, z_t)
            activate(oif_t, one)
            tanh(g_t, g_t)
            multiply(i_f, g_c, products)
            add(ig, fc, c_new)
            tanh(c_new, a_t)
            multiply(o_t, a_t, h_new)
            if masked_t is not None:
                copyto(c_new, g_c[1], where=masked_t)
                copyto(h_new, h_t, where=masked_t)
            h_t = h_new


def backward(
    dy: Array | None,
    dh_T: Array | None,
    dc_T: Array | None,
    cache: Cache,
    x: Array,
    W: Array,
    U: Array,
    *,
    needs_dx: bool = True,
) -> tuple[Array | None, Array, Array, Array, Array, Array]:
    """Run the backward pass over the sequence; it can be called any number of times.

    Args:
        dy: ∂loss/∂y, (time, batch, units), or None where the loss does not depend on y.
        dh_T: ∂loss/∂h_T, (batch, units), or None.
        dc_T: ∂loss/∂c_T, (batch, units), or None.
        cache: from `forward`.
        x: (time, batch, features), the argument of `forward`, as are W and U.
        W: (features, 4 units).
        U: (units, 4 units).
        needs_dx: whether to compute ∂loss/∂x.

    Returns:
        dx (None without `needs_dx`), dh0, dc0, dW, dU, db.
    """
    (T, B, I), H = x.shape, len(U)
    J = I if needs_dx else 0
    M = packed(  # (x and h, 4 units)
        ("lstm back", needs_dx), (W, U), lambda: reorder_gates(np.concatenate([W[:J], U]), 4, O_I_F_G)
    )
    n = steps_in(BLOCK_BYTES, 6 * H * B * x.itemsize, T)
    shapes = [(n, 6, H, B), (n, J + H, B), (n, H, B)]
    F, dxh, dy_block, *buffers = allocate(x.dtype, *shapes, *gradient_buffers(x, H, 4 * H, n))
    dz = F[:, 1:5].reshape(n, 4 * H, B)
    dys = [None] * n if dy is None else dy_block
    steps = list(zip(dys, F[:, 0], F[:, 1], F[:, 2:], F[:, 5], dz, dxh, dxh[:, J:], strict=True))
    dx = empty_like(x, I) if needs_dx else None
    dh, dc = (np.zeros((H, B), x.dtype) if d is None else d.T.copy() for d in (dh_T, dc_T))

    def block(start: int, stop: int) -> Array:
        nonlocal dh, dc
        m, part = stop - start, cache.window(start, stop)
        _factors(part, F[:m])
        copy_upstream(dy, part.mask, start, dy_block[:m])
        dh, dc = _backward_block(M, steps[:m], part.mask.by_step if part.mask else [None] * m, dh, dc)
        if dx is not None:
            dx[start:stop] = dxh[:m, :J].transpose(0, 2, 1)
        return dz[:m]

    dM = columns(weight_gradients(x, cache.h, n, block, buffers), 4, I_F_G_O)
    return dx, dh.T.copy(), dc.T.copy(), dM[:I], dM[I:-1], dM[-1]


def _backward_block(
    M: Array, steps: list[tuple[Array, ...]], masked_rows: list[Array | None], dh: Array, dc: Array
) -> tuple[Array, Array]:
    """Run the backward loop over the steps of one block; return dh and dc for the block before."""
    for (dy, dc_h, dz_o, dz_ifg_dc, dc_new, dz, dxh, dh_new), masked_t in zip(
        reversed(steps), reversed(masked_rows), strict=True
    ):
        if dy is not None:
            add(dh, dy, dh)
        multiply(dc_h, dh, dc_h)
        multiply(dz_o, dh, dz_o)
        add(dc, dc_h, dc)
        multiply(dz_ifg_dc, dc, dz_ifg_dc)
        dot(M, dz, dxh)
        if masked_t is not None:
            copyto(dh_new, dh, where=masked_t)
        dh, dc = dh_new, dc_new
    return dh.copy(), dc.copy()  # both are views of buffers that the next block overwrites


def _factors(cache: Cache, F: Array) -> None:
    """Write the factors of dh (the first two) and of dc (the other four), for the steps of one block.

        o ∘ (1 − a²)    a ∘ σ′_o    g ∘ σ′_i    c ∘ σ′_f    i ∘ (1 − g²)    f

    Their products with dh and dc are, in this order: the addend of dc, dz_o, dz_i, dz_f, dz_g, and dc for the step
    before. In a masked row the products are 0, 0, 0, 0, 0 and dc.
    """
    gates, a = cache.gates, cache.a
    o, i, f, g = gates[:, 0], gates[:, 1], gates[:, 2], gates[:, 3]
    GATE_ACTIVATIONS[cache.recurrent_activation].derivative(gates[:, :3], F[:, 1:4])
    multiply(F[:, 1], a, F[:, 1])
    multiply(F[:, 2:4], gates[:, 3:5], F[:, 2:4])
    for y, by, out in (a, o, F[:, 0]), (g, i, F[:, 4]):
        multiply(y, y, out)
        subtract(1.0, out, out)
        multiply(out, by, out)
    F[:, 5] = f
    if cache.mask:
        masked = cache.mask.masked[:, None, None]
        copyto(F[:, :5], 0.0, where=masked)
        copyto(F[:, 5:], 1.0, where=masked)


def _joined_weights(W: Array, U: Array, b: Array | None, σ: GateActivation, by_columns: bool) -> Array:
    """Return M, (4 units, features + units + 1); σ's `activate` takes z = M [x; h; 1]."""
    M = transposed(reorder_gates(stack_weights(W, U, b), 4, O_I_F_G), by_columns)
    gates = M[: 3 * len(U)]
    gates *= σ.scale
    gates[:, -1] += σ.shift
    return M
