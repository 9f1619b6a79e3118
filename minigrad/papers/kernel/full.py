"""Learning by the full gradient: BPTT over each sequence, whose steps are stored.

The text of this file after its imports follows that of `loops` in the module of a net with the full gradient.
"""

# ruff: noqa: I001  (which would give each name a line)
import numpy as np

from minigrad.papers.kernel.loops import (
    begin, errors_of, larger, net_inputs, output_gradients, outputs, remember, spread, update_both, watch,
)  # fmt: skip
from minigrad.papers.kernel.names import (
    BLOCKS, CELLS, HIDDEN, LANES, RECURRENT, SIZE, WIDTH, cell_gradients, compiled, helper, new_cache, run_cells,
)  # fmt: skip

# --- the text begins ------------------------------------------------------------------------------


@helper
def step_back(W, symbols, x, n, t, before, upstream, dc, gradients, cache, dW):  # type: ignore[no-untyped-def]
    """Run one step of BPTT: add the gradient of W, and return those of the step before in `upstream` and dc.

    Args:
        W: see `learn`, as for symbols and x.
        symbols: see above.
        x: see above.
        n: the sequence.
        t: the step.
        before: the activations of the step before.
        upstream: (3, lanes), the gradients of h, y_in and y_out; in its first cell that of a block's gate.
        dc: (lanes,), the gradient of c.
        gradients: (4, lanes), gets dz_in, dz_g, dz_out and dc.
        cache: the cache of the step.
        dW: the gradient of W.
    """
    cell_gradients(
        upstream[0], dc, upstream[1], upstream[2], gradients[0], gradients[1], gradients[2], gradients[3], *cache
    )
    dz, inputs = np.zeros(HIDDEN), len(W) - RECURRENT - 1
    for v in range(CELLS):
        dz[v // SIZE] += gradients[0, v]
        dz[BLOCKS + v] = gradients[1, v]
        dz[BLOCKS + CELLS + v // SIZE] += gradients[2, v]
        dc[v] = gradients[3, v]
    upstream[:] = 0.0
    for j in range(HIDDEN):
        if symbols.size:
            dW[symbols[n, t], j] += dz[j]
        else:
            for i in range(inputs):
                dW[i, j] += x[n, t, i] * dz[j]
        dW[inputs + RECURRENT, j] += dz[j]
        for m in range(RECURRENT):
            dW[inputs + m, j] += before[m] * dz[j]
            kind = 0 if m < CELLS else 1 + (m - CELLS) // BLOCKS
            upstream[kind, m if m < CELLS else (m - CELLS) % BLOCKS * SIZE] += W[inputs + m, j] * dz[j]


@helper
def run_back(W, V, symbols, x, n, counts, befores, hs, ys, errors, caches, cache, dW, dV):  # type: ignore[no-untyped-def]
    """Run BPTT over a sequence whose steps are stored, and add the gradients of W and V.

    Args:
        W: see `learn`, as for V, symbols and x.
        V: see above.
        symbols: see above.
        x: see above.
        n: the sequence.
        counts: (steps,), whether a step has a target.
        befores: (steps, sources), the activations of the step before.
        hs: (steps, lanes), the cells' outputs.
        ys: (steps, outputs).
        errors: (steps, outputs), y − t.
        caches: (steps, values, lanes).
        cache: the arrays of one step's cache.
        dW: the gradient of W.
        dV: the gradient of V.
    """
    upstream, dc, gradients, dh = np.zeros((3, LANES)), np.zeros(LANES), np.zeros((4, LANES)), np.zeros(LANES)
    for t in range(len(counts) - 1, -1, -1):
        if counts[t]:
            output_gradients(V, symbols, x, n, t, hs[t], ys[t], errors[t], dV, dh)
            upstream[0] += dh
        for k in range(len(cache)):
            cache[k][:] = caches[t, k]
        step_back(W, symbols, x, n, t, befores[t], upstream, dc, gradients, cache, dW)


@compiled("the trainer of a net with the full gradient")
def learn_full(  # type: ignore[no-untyped-def]
    W, V, learns_W, learns_V, rate, per_step, late, symbols, x, lengths, classes, targets, wrong, means, state, rule,
    totals,
):  # fmt: skip
    """Learn as `learn` does, by the full gradient; weights change after each sequence. The arguments are the same."""
    z, z_in, z_g, z_out = np.zeros(WIDTH), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    c, h, y_in, y_out = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    before, y, error = np.zeros(CELLS + 2 * BLOCKS), np.zeros(V.shape[1]), np.zeros(V.shape[1])
    dc_in, dc_g, cache = np.zeros(LANES), np.zeros(LANES), new_cache()
    dW, dV, longest = np.zeros_like(W), np.zeros_like(V), lengths.max()
    befores, hs = np.zeros((longest, len(before))), np.zeros((longest, LANES))
    caches, ys, errors = (
        np.zeros((longest, len(cache), LANES)),
        np.zeros((longest, len(y))),
        np.zeros((longest, len(y))),
    )
    for n in range(len(lengths)):
        begin(before, c)
        worst, total, squares, counts = 0.0, 0.0, 0.0, np.zeros(lengths[n])
        for t in range(lengths[n]):
            befores[t] = before
            net_inputs(W, symbols, x, n, t, before, z)
            spread(z, z_in, z_g, z_out)
            run_cells(z_in, z_g, z_out, c, h, y_in, y_out, dc_in, dc_g, *cache)
            for k in range(len(cache)):
                caches[t, k] = cache[k]
            if classes.size or t == lengths[n] - 1:
                outputs(V, symbols, x, n, t, h, y)
                found = errors_of(y, classes, targets, n, t, error)
                worst, total, squares = larger(found[0], worst), total + found[1], squares + found[2]
                hs[t], ys[t], errors[t], counts[t] = h, y, error, 1.0
            remember(h, y_in, y_out, before)
        run_back(W, V, symbols, x, n, counts, befores, hs, ys, errors, caches, cache, dW, dV)
        update_both(W, V, dW, dV, learns_W, learns_V, rate)
        totals[n] = total
        if not total < np.inf:
            return -(n + 1)
        if watch(wrong, means, state, worst, total, squares, rule):
            return n + 1
    return len(lengths)
