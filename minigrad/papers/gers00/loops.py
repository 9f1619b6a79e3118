"""Online learning of a net of 2000 on endless streams, and tests on them, as loops for a compiler.

The text of this file after its imports follows the printed text of a net in one module. A stream is a walk through the
graph of the grammar, one random bit a symbol. It ends at the first wrong prediction, or at its longest length.
"""

# ruff: noqa: I001  (which would give each name a line)
import numpy as np

from minigrad.papers.gers00.names import (
    BLOCKS, CELLS, CELLS_AT, FORGET, FORGET_AT, HIDDEN, INPUTS, OUT_AT, ROWS, SIZE, cell_gradients, compiled, dsigma,
    helper, new_cache, noalias, run_cells, sigma,
)  # fmt: skip

# --- the text begins ------------------------------------------------------------------------------


@noalias
def sources(y, symbol, h):  # type: ignore[no-untyped-def]
    """Set the sources of a step: the symbol, the cells of the step before; y ends with a 1 for the biases."""
    for i in range(INPUTS):
        y[i] = 0.0
    y[symbol] = 1.0
    for v in range(CELLS):
        y[INPUTS + v] = h[v]


@noalias
def net_inputs(W, y, symbol, z):  # type: ignore[no-untyped-def]
    """z = y W"""
    for j in range(HIDDEN):
        z[j] = W[symbol, j] + W[ROWS - 1, j]
    for m in range(INPUTS, ROWS - 1):
        for j in range(HIDDEN):
            z[j] += y[m] * W[m, j]


@noalias
def spread(z, z_in, z_g, z_out, z_f):  # type: ignore[no-untyped-def]
    """Give each cell the net inputs of its block's gates."""
    for v in range(CELLS):
        z_in[v] = z[v // SIZE]
        z_g[v] = z[CELLS_AT + v]
        z_out[v] = z[OUT_AT + v // SIZE]
        if FORGET:
            z_f[v] = z[FORGET_AT + v // SIZE]


@noalias
def add_sums(sums, y, slopes):  # type: ignore[no-untyped-def]
    """∂c/∂w = ∂c/∂c_old ∂c_old/∂w + ∂c/∂z y for the weights of input gates, cells and forget gates."""
    for k in range(3):
        for m in range(ROWS):
            for v in range(CELLS):
                sums[k, m, v] = slopes[3, v] * sums[k, m, v] + slopes[k, v] * y[m]


@helper
def outputs(V, h, symbol, p):  # type: ignore[no-untyped-def]
    """Run the output units, which read the cells of the same step and the symbol."""
    last = CELLS + INPUTS
    for k in range(len(p)):
        p[k] = V[CELLS + symbol, k] + V[last, k]
    for v in range(CELLS):
        for k in range(len(p)):
            p[k] += h[v] * V[v, k]
    for k in range(len(p)):
        p[k] = sigma(p[k])


@helper
def largest_error(p, one, other, error):  # type: ignore[no-untyped-def]
    """Write y − t in `error`, where t is 1 for both symbols that may follow; return its largest size, NaN too."""
    worst = 0.0
    for k in range(len(p)):
        error[k] = p[k] - (1.0 if k in (one, other) else 0.0)
        size = abs(error[k])
        worst = size if not size <= worst else worst
    return worst


@helper
def output_update(V, h, symbol, p, error, rate, dh):  # type: ignore[no-untyped-def]
    """Return the gradients of the cells' outputs in dh, and update V."""
    for v in range(CELLS):
        dh[v] = 0.0
    for k in range(len(p)):
        delta = dsigma(error[k], p[k])
        for v in range(CELLS):
            dh[v] += delta * V[v, k]
            V[v, k] -= rate * delta * h[v]
        V[CELLS + symbol, k] -= rate * delta
        V[CELLS + INPUTS, k] -= rate * delta


@noalias
def hidden_update(W, sums, y, dc, dz_out, rate):  # type: ignore[no-untyped-def]
    """Update W by the truncated gradient: dc ∂c/∂w for input gates, cells and forget gates, dz_out y for the rest."""
    for m in range(ROWS):
        for b in range(BLOCKS):
            d_in, d_out, d_f = 0.0, 0.0, 0.0
            for v in range(b * SIZE, b * SIZE + SIZE):
                d_in += dc[v] * sums[0, m, v]
                d_out += dz_out[v]
                d_f += dc[v] * sums[2, m, v]
            W[m, b] -= rate * d_in
            W[m, OUT_AT + b] -= rate * d_out * y[m]
            if FORGET:
                W[m, FORGET_AT + b] -= rate * d_f
        if m < ROWS - 1:  # cells have no biases
            for v in range(CELLS):
                W[m, CELLS_AT + v] -= rate * dc[v] * sums[1, m, v]


@helper
def forget_all(c, h, sums):  # type: ignore[no-untyped-def]
    """Set states, outputs and sums to 0."""
    c[:] = 0.0
    h[:] = 0.0
    sums[:] = 0.0


@compiled("the trainer of continual nets")
def learn(W, V, c, h, sums, symbols, after, bits, at, rates, reset, longest, tested):  # type: ignore[no-untyped-def]
    """Learn from streams, one update a symbol, until one reached `tested` symbols, the last one, or the last bit.

    Args:
        W: (rows, hidden), changed in place, as V and the states.
        V: (output rows, outputs).
        c: (cells,).
        h: (cells,).
        sums: (3, rows, cells), ∂c/∂w of input gates, cells and forget gates.
        symbols: (nodes, 2), the symbol of each edge of the graph.
        after: (nodes, 2), the node that it leads to.
        bits: (many,), random.
        at: the node, the next bit, the length of this stream, the streams that are left, and the length of the last
            stream that ended.
        rates: the learning rate now, at the start of a stream, and its factor from symbol to symbol.
        reset: whether states are reset after each string.
        longest: the length at which a stream ends.
        tested: the length from which a stream ends the call.

    Returns:
        1 if a stream of at least `tested` symbols ended, 0 if bits or streams have run out, −1 if the net diverged.
    """
    y, z, p, error = np.zeros(ROWS), np.zeros(HIDDEN), np.zeros(V.shape[1]), np.zeros(V.shape[1])
    z_in, z_g, z_out, z_f = np.zeros(CELLS), np.zeros(CELLS), np.zeros(CELLS), np.zeros(CELLS)
    slopes, dh, dz_out, dc, cache = np.zeros((4, CELLS)), np.zeros(CELLS), np.zeros(CELLS), np.zeros(CELLS), new_cache()
    y[ROWS - 1] = 1.0
    while at[1] < len(bits) and at[3] > 0:
        bit = bits[at[1]]
        symbol, node = symbols[at[0], bit], after[at[0], bit]
        sources(y, symbol, h)
        net_inputs(W, y, symbol, z)
        spread(z, z_in, z_g, z_out, z_f)
        run_cells(z_in, z_g, z_out, z_f, c, h, slopes, *cache)
        add_sums(sums, y, slopes)
        outputs(V, h, symbol, p)
        worst = largest_error(p, symbols[node, 0], symbols[node, 1], error)
        output_update(V, h, symbol, p, error, rates[0], dh)
        cell_gradients(dh, dz_out, dc, *cache)
        hidden_update(W, sums, y, dc, dz_out, rates[0])
        rates[0] *= rates[2]
        at[0], at[1], at[2] = node, at[1] + 1, at[2] + 1
        if not worst < np.inf:
            return -1
        if not worst < TOLERANCE or at[2] >= longest:
            at[0], at[2], at[3], at[4] = 0, 0, at[3] - 1, at[2]
            rates[0] = rates[1]
            forget_all(c, h, sums)
            if at[4] >= tested:
                return 1
        elif reset and node == 0:
            forget_all(c, h, sums)
    return 0


TOLERANCE = 0.49
"""The error that every output of a right prediction is below."""


@compiled("the test of continual nets")
def check(W, V, symbols, after, bits, reset):  # type: ignore[no-untyped-def]
    """Run a stream without learning, and return the number of symbols before the first wrong prediction.

    Args:
        W: see `learn`, as for V, symbols, after and reset.
        V: see above.
        symbols: see above.
        after: see above.
        bits: (longest,), one for each symbol.
        reset: see above.
    """
    y, z, p, error = np.zeros(ROWS), np.zeros(HIDDEN), np.zeros(V.shape[1]), np.zeros(V.shape[1])
    z_in, z_g, z_out, z_f = np.zeros(CELLS), np.zeros(CELLS), np.zeros(CELLS), np.zeros(CELLS)
    c, h, slopes, cache, node = np.zeros(CELLS), np.zeros(CELLS), np.zeros((4, CELLS)), new_cache(), 0
    for n in range(len(bits)):
        symbol, node = symbols[node, bits[n]], after[node, bits[n]]
        sources(y, symbol, h)
        net_inputs(W, y, symbol, z)
        spread(z, z_in, z_g, z_out, z_f)
        run_cells(z_in, z_g, z_out, z_f, c, h, slopes, *cache)
        outputs(V, h, symbol, p)
        if not largest_error(p, symbols[node, 0], symbols[node, 1], error) < TOLERANCE:
            return n
        if reset and node == 0:
            c[:] = 0.0
            h[:] = 0.0
    return len(bits)
