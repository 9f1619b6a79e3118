"""Online learning of one net, as loops for a compiler: forward, sums of RTRL, gradients, updates, stops, tests.

The text of this file after its imports follows the printed text of a net in one module, whose constants the compiler
then knows. The rows of the hidden weights W are inputs, recurrent sources (cells, input gates, output gates) and a row
of biases; its columns are input gates, cells and output gates, then zeros up to a multiple of four. The rows of the
output weights V are cells, inputs where there are shortcuts, and a row of biases.
"""

# ruff: noqa: I001  (which would give each name a line)
import numpy as np

from minigrad.papers.kernel.names import (
    BLOCKS, CELLS, HIDDEN, LANES, RECURRENT, SHORTCUTS, SIGNAL, SIZE, START, WIDTH, cell_gradients, compiled, dsigma,
    helper, inlined, new_cache, noalias, run_cells, sigma,
)  # fmt: skip

# --- the text begins ------------------------------------------------------------------------------


@noalias
def net_inputs(W, symbols, x, n, t, before, z):  # type: ignore[no-untyped-def]
    """z = y W for the sources y: the inputs, the activations of the step before, 1. Four columns are one vector."""
    inputs = len(W) - RECURRENT - 1
    for j in range(0, WIDTH, 4):
        b = inputs + RECURRENT
        z_0, z_1, z_2, z_3 = W[b, j], W[b, j + 1], W[b, j + 2], W[b, j + 3]
        if symbols.size:
            s = symbols[n, t]
            z_0, z_1, z_2, z_3 = z_0 + W[s, j], z_1 + W[s, j + 1], z_2 + W[s, j + 2], z_3 + W[s, j + 3]
        else:
            for i in range(inputs):
                y = x[n, t, i]
                z_0, z_1 = z_0 + y * W[i, j], z_1 + y * W[i, j + 1]
                z_2, z_3 = z_2 + y * W[i, j + 2], z_3 + y * W[i, j + 3]
        for m in range(SIGNAL):
            y, i = before[m], inputs + m
            z_0, z_1 = z_0 + y * W[i, j], z_1 + y * W[i, j + 1]
            z_2, z_3 = z_2 + y * W[i, j + 2], z_3 + y * W[i, j + 3]
        z[j], z[j + 1], z[j + 2], z[j + 3] = z_0, z_1, z_2, z_3


@noalias
def spread(z, z_in, z_g, z_out):  # type: ignore[no-untyped-def]
    """Give each cell the net inputs of its block's gates."""
    for v in range(CELLS):
        z_in[v] = z[v // SIZE]
        z_g[v] = z[BLOCKS + v]
        z_out[v] = z[HIDDEN - BLOCKS + v // SIZE]


@noalias
def remember(h, y_in, y_out, before):  # type: ignore[no-untyped-def]
    """Make the activations of this step the sources of the next."""
    for v in range(CELLS):
        before[v] = h[v]
    for b in range(BLOCKS):
        before[CELLS + b] = y_in[b * SIZE]
        before[CELLS + BLOCKS + b] = y_out[b * SIZE]


@noalias
def add_sums(sums, symbols, x, n, t, before, local):  # type: ignore[no-untyped-def]
    """∂c/∂w += ∂c/∂z y for the weight of each source y. Four cells are one vector."""
    inputs = len(sums) - RECURRENT - 1
    for v in range(0, LANES, 4):
        d_0, d_1, d_2, d_3 = local[v], local[v + 1], local[v + 2], local[v + 3]
        if symbols.size:
            add_four(sums, symbols[n, t], v, 1.0, d_0, d_1, d_2, d_3)
        else:
            for i in range(inputs):
                add_four(sums, i, v, x[n, t, i], d_0, d_1, d_2, d_3)
        for m in range(SIGNAL):
            add_four(sums, inputs + m, v, before[m], d_0, d_1, d_2, d_3)
        add_four(sums, inputs + RECURRENT, v, 1.0, d_0, d_1, d_2, d_3)


@inlined
def add_four(sums, row, v, y, d_0, d_1, d_2, d_3):  # type: ignore[no-untyped-def]
    """sums[row, v … v + 3] += y d"""
    sums[row, v] += y * d_0
    sums[row, v + 1] += y * d_1
    sums[row, v + 2] += y * d_2
    sums[row, v + 3] += y * d_3


@helper
def outputs(V, symbols, x, n, t, h, y):  # type: ignore[no-untyped-def]
    """Run the output units, which read the cells of the same step."""
    for k in range(len(y)):
        y[k] = V[len(V) - 1, k]
        for v in range(CELLS):
            y[k] += h[v] * V[v, k]
        if SHORTCUTS and symbols.size:
            y[k] += V[CELLS + symbols[n, t], k]
        elif SHORTCUTS:
            for i in range(x.shape[2]):
                y[k] += x[n, t, i] * V[CELLS + i, k]
        y[k] = sigma(y[k])


@helper
def output_gradients(V, symbols, x, n, t, h, y, error, dV, dh):  # type: ignore[no-untyped-def]
    """Add the gradient of V for the errors of a step, and return that of the cells' outputs in dh."""
    for v in range(LANES):
        dh[v] = 0.0
    for k in range(len(y)):
        delta = dsigma(error[k], y[k])
        for v in range(CELLS):
            dh[v] += delta * V[v, k]
            dV[v, k] += delta * h[v]
        if SHORTCUTS and symbols.size:
            dV[CELLS + symbols[n, t], k] += delta
        elif SHORTCUTS:
            for i in range(x.shape[2]):
                dV[CELLS + i, k] += delta * x[n, t, i]
        dV[len(V) - 1, k] += delta


@helper
def hidden_gradients(sums_in, sums_g, symbols, x, n, t, before, e_s, e_out, dW):  # type: ignore[no-untyped-def]
    """Add the truncated gradient of W: e_s ∂c/∂w for input gates and cells, e_out y for output gates."""
    inputs = len(sums_g) - RECURRENT - 1
    for m in range(len(sums_g)):
        for v in range(CELLS):
            dW[m, v // SIZE] += e_s[v] * sums_in[m, v]
            dW[m, BLOCKS + v] += e_s[v] * sums_g[m, v]
    if HIDDEN == CELLS + BLOCKS:  # no output gates
        return
    for v in range(CELLS):
        j = BLOCKS + CELLS + v // SIZE
        if symbols.size:
            dW[symbols[n, t], j] += e_out[v]
        else:
            for i in range(inputs):
                dW[i, j] += e_out[v] * x[n, t, i]
        for m in range(SIGNAL):
            dW[inputs + m, j] += e_out[v] * before[m]
        dW[inputs + RECURRENT, j] += e_out[v]


@helper
def update(W, dW, learns, rate):  # type: ignore[no-untyped-def]
    """W −= rate dW where a weight learns; dW is 0 again."""
    for m in range(len(W)):
        for j in range(W.shape[1]):
            W[m, j] -= rate * learns[m, j] * dW[m, j]
            dW[m, j] = 0.0


@helper
def put_off(dW, late):  # type: ignore[no-untyped-def]
    """late = dW; dW is 0 again."""
    late[:] = dW
    dW[:] = 0.0


@helper
def update_both(W, V, dW, dV, learns_W, learns_V, rate):  # type: ignore[no-untyped-def]
    """Update the hidden and the output weights."""
    update(W, dW, learns_W, rate)
    update(V, dV, learns_V, rate)


@helper
def update_or_put_off(W, V, dW, dV, learns_W, learns_V, rate, late):  # type: ignore[no-untyped-def]
    """Update the weights after a sequence, or keep its gradients until later."""
    if late[0].size:
        put_off(dW, late[0])
        put_off(dV, late[1])
    else:
        update_both(W, V, dW, dV, learns_W, learns_V, rate)


@inlined
def is_target(symbol, k):  # type: ignore[no-untyped-def]
    """Return whether k is the symbol, or belongs to the set whose complement's bits it holds."""
    return symbol == k or (symbol < 0 and (~symbol >> k) & 1 == 1)


@helper
def errors_of(y, classes, targets, n, t, error):  # type: ignore[no-untyped-def]
    """Write y − t, and return the largest, the sum and the sum of squares of its absolute values."""
    worst, total, squares = 0.0, 0.0, 0.0
    for k in range(len(y)):
        target = (1.0 if is_target(classes[n, t], k) else 0.0) if classes.size else targets[n, k]
        error[k] = y[k] - target
        size = abs(error[k])
        worst = size if not size <= worst else worst  # NaN too
        total += size
        squares += size * size
    return worst, total, squares


@inlined
def larger(a, b):  # type: ignore[no-untyped-def]
    """Return the larger number; NaN if one of them is NaN."""
    return a if not a <= b and b == b else b


@helper
def watch(wrong, means, state, worst, total, squares, rule):  # type: ignore[no-untyped-def]
    """Take a sequence into the window of the last ones, and return whether the stop is reached.

    A sequence is correct only if its error is below the tolerance, so NaN is wrong.

    Args:
        wrong: (window,), 1 for each sequence of the window that is wrong.
        means: (window,), the errors that are averaged.
        state: the number of sequences so far, of wrong ones in the window, and the sum of `means`; instead of the sum,
            the window's length times the exponential average, which begins at the first error.
        worst: the largest error of this sequence.
        total: the sum of its errors.
        squares: the sum of their squares.
        rule: the tolerance, the number of wrong ones to stay below, the mean to stay below, 1 for squared errors, 1 for
            an exponential average.
    """
    n = len(wrong)
    if n == 0:
        return False
    at, last = int(state[0]) % n, state[2]
    state[1] -= wrong[at]
    state[2] -= means[at]
    wrong[at] = 0.0 if worst < rule[0] else 1.0
    means[at] = squares if rule[3] > 0.0 else total
    state[0] += 1.0
    state[1] += wrong[at]
    if rule[4] > 0.0:
        state[2] = last + means[at] - last / n if state[0] > 1.0 else n * means[at]
    else:
        state[2] += means[at]
    return state[0] >= n and state[1] < rule[1] and state[2] / n < rule[2]


@inlined
def begin(before, c):  # type: ignore[no-untyped-def]
    """Reset a net before a sequence."""
    for m in range(len(before)):
        before[m] = START
    for v in range(LANES):
        c[v] = 0.0


@compiled("the trainer of a net")
def learn(  # type: ignore[no-untyped-def]
    W, V, learns_W, learns_V, rate, per_step, late, symbols, x, lengths, classes, targets, wrong, means, state, rule,
    totals,
):  # fmt: skip
    """Learn from sequences until the stop, and return how many: negative if the last one has no finite error.

    Args:
        W: (rows, hidden), changed in place.
        V: (output rows, outputs), changed in place.
        learns_W: 1 for the weights that learn, 2 for sums of two weights.
        learns_V: likewise.
        rate: the learning rate.
        per_step: whether weights change at every step with a target rather than after a sequence.
        late: the gradients of W and V of the sequence before, which change weights after the first step of this one;
            empty where weights change earlier.
        symbols: (sequences, time), or empty.
        x: (sequences, time, inputs), or empty.
        lengths: (sequences,).
        classes: (sequences, time) where every step has a target, else empty.
        targets: (sequences, outputs), of the last step, else empty.
        wrong: see `watch`; empty for no stop.
        means: see `watch`.
        state: see `watch`.
        rule: see `watch`.
        totals: (sequences,), gets the sum of each sequence's errors.
    """
    z, z_in, z_g, z_out = np.zeros(WIDTH), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    c, h, y_in, y_out = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    before, y, error = np.zeros(CELLS + 2 * BLOCKS), np.zeros(V.shape[1]), np.zeros(V.shape[1])
    dc_in, dc_g, cache = np.zeros(LANES), np.zeros(LANES), new_cache()
    sums_in, sums_g, dW, dV = np.zeros((len(W), LANES)), np.zeros((len(W), LANES)), np.zeros_like(W), np.zeros_like(V)
    dh, no, (dz_in, dz_g), (e_out, e_s) = np.zeros(LANES), np.zeros(LANES), np.zeros((2, LANES)), np.zeros((2, LANES))
    for n in range(len(lengths)):
        begin(before, c)
        sums_in[:] = sums_g[:] = 0.0
        worst, total, squares = 0.0, 0.0, 0.0
        for t in range(lengths[n]):
            net_inputs(W, symbols, x, n, t, before, z)
            spread(z, z_in, z_g, z_out)
            run_cells(z_in, z_g, z_out, c, h, y_in, y_out, dc_in, dc_g, *cache)
            add_sums(sums_in, symbols, x, n, t, before, dc_in)
            add_sums(sums_g, symbols, x, n, t, before, dc_g)
            if classes.size or t == lengths[n] - 1:
                outputs(V, symbols, x, n, t, h, y)
                found = errors_of(y, classes, targets, n, t, error)
                worst, total, squares = larger(found[0], worst), total + found[1], squares + found[2]
                output_gradients(V, symbols, x, n, t, h, y, error, dV, dh)
                cell_gradients(dh, no, no, no, dz_in, dz_g, e_out, e_s, *cache)  # ∂c/∂c = 1: e_s is of this step's c
                hidden_gradients(sums_in, sums_g, symbols, x, n, t, before, e_s, e_out, dW)
                if per_step:
                    update_both(W, V, dW, dV, learns_W, learns_V, rate)
            remember(h, y_in, y_out, before)
            if t == 0 and late[0].size:
                update_both(W, V, late[0], late[1], learns_W, learns_V, rate)
        if not per_step:
            update_or_put_off(W, V, dW, dV, learns_W, learns_V, rate, late)
        totals[n] = total
        if not total < np.inf:
            return -(n + 1)
        if watch(wrong, means, state, worst, total, squares, rule):
            return n + 1
    return len(lengths)


@compiled("the test of a net")
def check(  # type: ignore[no-untyped-def]
    W, V, symbols, x, lengths, classes, targets, legal, last, tolerance, fewer_than, found
):
    """Run sequences without learning until `fewer_than` of them are wrong, and return how many.

    Args:
        W: (rows, hidden).
        V: (output rows, outputs).
        symbols: see `learn`, as for x, lengths, classes and targets.
        x: see above.
        lengths: see above.
        classes: see above.
        targets: see above.
        legal: (sequences, time), the sets of symbols that may follow, for the ranking of symbols; else empty.
        last: whether the last step alone counts.
        tolerance: a sequence is correct if its error is below it.
        fewer_than: the number of wrong sequences after which the rest is left out.
        found: (sequences, 4), gets the largest error, the sum of errors, of their squares, and 1 for wrong.
    """
    z, z_in, z_g, z_out = np.zeros(WIDTH), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    c, h, y_in, y_out = np.zeros(LANES), np.zeros(LANES), np.zeros(LANES), np.zeros(LANES)
    before, y, error = np.zeros(CELLS + 2 * BLOCKS), np.zeros(V.shape[1]), np.zeros(V.shape[1])
    dc_in, dc_g, cache = np.zeros(LANES), np.zeros(LANES), new_cache()
    many = 0
    for n in range(len(lengths)):
        begin(before, c)
        found[n] = 0.0
        correct = True
        for t in range(lengths[n]):
            net_inputs(W, symbols, x, n, t, before, z)
            spread(z, z_in, z_g, z_out)
            run_cells(z_in, z_g, z_out, c, h, y_in, y_out, dc_in, dc_g, *cache)
            if (classes.size and not last) or t == lengths[n] - 1:
                outputs(V, symbols, x, n, t, h, y)
                worst, total, squares = errors_of(y, classes, targets, n, t, error)
                if legal.size:
                    worst = ranking(y, legal[n, t])
                found[n, 0] = larger(worst, found[n, 0])
                found[n, 1] += total
                found[n, 2] += squares
                correct = correct and worst < tolerance
            remember(h, y_in, y_out, before)
        found[n, 3] = 0.0 if correct else 1.0
        many += 0 if correct else 1
        if many >= fewer_than:
            return n + 1
    return len(lengths)


@helper
def ranking(y, legal):  # type: ignore[no-untyped-def]
    """Return −1 if every legal symbol is more active than every other, else 1; NaN is in no order."""
    for k in range(len(y)):
        for j in range(len(y)):
            if (legal >> k) & 1 == 1 and (legal >> j) & 1 == 0 and not y[k] > y[j]:
                return 1.0
    return -1.0
