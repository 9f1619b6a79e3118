# %% [markdown]
# # 9 · Masks and variable length
#
# Sequences of different lengths in one batch: what a masked step does to the state, what it does to the gradient, and what to divide by.
#
# **Minutes:** 60 · **Needs:** lessons 5 to 7
#
# After this lesson you can
#
# 1. write the forward and the backward pass of a masked step, and say which gradient crosses a hole;
# 2. average a loss over the valid steps, so that more padding changes nothing;
# 3. test a model's handling of lengths by an invariant: a row in a batch must give what it gives alone.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, attempt, line, picture, returned, same, same_parts, table
from minigrad import plot
from minigrad.recurrent import LSTM, Formulas

# %% [markdown]
# ## Why there are masks
#
# Sentences have different lengths; an array has one. So short rows are filled up, *padded*, and a **mask** says which steps
# are real: $m_t = 1$ where the step counts, $0$ where it does not. Most masks look like the first three rows below. But
# some have a *hole*, such as a sensor that failed for a while, and some rows may be empty.

# %%
mask = np.ones((5, 12), bool)
mask[1, 8:] = False  # a shorter row, padded at the end
mask[2, :4] = False  # padded at the front
mask[3, 4:9] = False  # a hole
mask[4] = False  # empty


# %%
def draw_mask(ax):
    ax.imshow(mask, cmap="Greys_r", vmin=-1, vmax=1, aspect="equal")
    for row, step in np.ndindex(mask.shape):
        ax.text(step, row, int(mask[row, step]), ha="center", va="center")
    names = ["full", "padded at the end", "padded at the front", "with a hole", "empty"]
    ax.set_yticks(range(5), names)
    ax.set(xlabel="time step t")
    ax.grid(False)


picture(
    draw_mask,
    alt="A mask of five rows and twelve steps, ones on white and zeros on grey. The first row is all "
    "ones. The second ends after eight steps. The third begins after four steps of padding. The fourth "
    "has a hole from step 4 to step 8. The fifth is all zeros.",
    size=(7, 2.8),
)

# %% [markdown]
# ## The formula
#
# A masked step **keeps the state**. With $\hat h_t$ for the state that the cell would compute,
#
# $$\hat h_t = \text{step}(x_t, h_{t-1}), \qquad h_t = m_t\,\hat h_t + (1 - m_t)\,h_{t-1},$$
#
# and the same for $c$. The backward pass follows from the second equation: $h_t$ has two inputs, and each gets its share.
#
# $$d\hat h_t = m_t\,dh_t, \qquad dh_{t-1} \mathrel{+}= (1 - m_t)\,dh_t .$$
#
# | | shape |
# |---|---|
# | $m_t$ | `(batch, 1)`, so that it broadcasts over the units |
# | $h_t$, $c_t$, $dh_t$, $dc_t$ | `(batch, units)` |
#
# Where $m_t = 0$ the step gets no gradient at all: there is none for $W$, $U$, $b$, and none for $x_t$. But
# $dh_{t-1} = dh_t$: the gradient passes the step, **multiplied by exactly 1**. In a simple recurrent net, a hole is the only
# place where the gradient keeps its size for certain.
#
# ## An example for paper
#
# One unit, $h_t = \tanh(x_t + 0.5\,h_{t-1})$, $h_0 = 0$, three steps with $x = (1, 9, 0)$ and the mask $(1, 0, 1)$. The loss is $h_3$.
#
# | | $t=1$ | $t=2$ (masked) | $t=3$ |
# |---|---|---|---|
# | $h_t$ | $\tanh 1 = 0.762$ | $0.762$ | $\tanh 0.381 = 0.363$ |
# | $dh_t$ | $0.434$ | $0.868\cdot 0.5 = 0.434$ | $1$ |
# | $dx_t$ | $0.434\,(1 - 0.762^2) = 0.182$ | $0$ | $1 - 0.363^2 = 0.868$ |
#
# The net never sees the 9, and $dh_1 = dh_2$.

# %%
rnn = mg.keras.layers.SimpleRNN(1, return_sequences=True, dtype="float64", name="rnn")
rnn.build((None, None, 1))
rnn.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
x = mg.tensor(np.array([[[1.0], [9.0], [0.0]]]), requires_grad=True)
with mg.trace(rnn) as paper:
    rnn(x, mask=np.array([[True, False, True]]))[:, -1].sum().backward()
arrays = {"h": paper.h[1:], "dh": paper.dh[1:], "dx": paper.dx}
rows = [[name, *(f"{v:.3f}" for v in array[:, 0, 0])] for name, array in arrays.items()]
table(["", "t = 1", "t = 2", "t = 3"], rows)

# %% [markdown]
# ## The gradient through a hole
#
# A simple recurrent net again, with forty steps and a loss on the last $h$. It runs three times. First all steps count. Then
# steps 10 to 29 are masked. At last the same steps are "missing" in another, common way: $x_t = 0$, without a mask.

# %%
T, HOLE = 40, slice(10, 30)
x = np.random.default_rng(0).normal(size=(1, T, 4))
holed = np.ones((1, T), bool)
holed[:, HOLE] = False
zeroed = np.where(holed[..., None], x, 0.0)


def traced(layer, x, mask=None):
    """The trace of a layer; the loss is a random sum of the last h."""
    x = mg.tensor(x, requires_grad=True)
    with mg.trace(layer) as seen:
        (layer(x, mask=mask) * np.random.default_rng(1).normal(size=16)).sum().backward()
    return seen


def three_runs(seed):
    """The traces of one simple net: with all steps, with a hole, with zeros."""
    mg.random.seed(seed)
    rnn = mg.keras.layers.SimpleRNN(16, dtype="float64")
    rnn.build(x.shape)
    W, U, b = rnn.get_weights()
    rnn.set_weights([W, 0.95 * U, b])
    return {
        "all steps": traced(rnn, x),
        "a hole": traced(rnn, x, holed),
        "zeros, no mask": traced(rnn, zeroed),
    }


def norms_of(seen):
    """‖dh_t‖ for t = 0 … T."""
    return np.linalg.norm(seen.dh[:, 0], axis=-1)


runs = three_runs(2)
norms = {name: norms_of(seen) for name, seen in runs.items()}
table(
    ["‖dh_t‖", "t = 40", "t = 30", "t = 20", "t = 10", "t = 0"],
    [[name, *(f"{n[t]:.2g}" for t in (40, 30, 20, 10, 0))] for name, n in norms.items()],
)


# %%
def draw_hole(left, right):
    for ax in (left, right):
        ax.axvspan(10, 30, color="0.92", zorder=0)
        ax.text(20, 0.02, "the hole", ha="center", transform=ax.get_xaxis_transform())
    for k, (name, seen) in enumerate(runs.items()):
        left.semilogy(np.arange(T + 1), norms[name], label=name, **line(k))
        right.plot(np.arange(T + 1), seen.h[:, 0, 3], label=name, **line(k))
    left.set(
        xlabel="step t", ylabel="‖∂loss/∂h_t‖", title="the gradient, from right to left"
    )
    right.set(xlabel="step t", ylabel="h of unit 3", title="the state, from left to right")
    left.legend()


picture(
    draw_hole,
    alt="Two panels over 40 steps, with a hole from 10 to 30 shaded. Left, the norm of the gradient with "
    "respect to h_t, logarithmic: with all steps it falls steadily towards the left. With the hole it "
    "falls from 40 to 30, is exactly level across the hole, and falls again from 10 to 0. With zeros "
    "in place of a mask it falls within the hole too. Right, the state of one unit: with the "
    "hole it is constant from 10 to 30; with zeros it drifts; with all steps it jumps about.",
    columns=2,
    size=(10, 3.8),
)

# %% [markdown]
# Read the left figure from right to left, as the gradient goes. In the hole the curve is exactly level: these are the same
# bits. A zero *input* is something else. The net still computes $\tanh(h U + b)$ at each of these steps, and forgets. Over
# these steps the gradient becomes smaller, and each step adds its share to $dU$ and $db$. Five nets, with other random weights:

# %%
crossed = {}
for seed in range(2, 7):
    norms_of_net = [norms_of(seen) for seen in three_runs(seed).values()]
    crossed[seed] = [norm[10] / norm[30] for norm in norms_of_net]
rows = [[f"net {seed}", *(f"{x:.2g}" for x in shares)] for seed, shares in crossed.items()]
table(["‖dh_10‖ / ‖dh_30‖", "all steps", "a hole", "zeros, no mask"], rows)

# %% [markdown]
# With each net the hole gives exactly 1, and zeros as inputs give less. The ledger of lesson 7 has a separate path for masked
# steps, *held*. Here it is for an LSTM with the same hole:


# %%
def draw_ledger(ax):
    mg.random.seed(2)
    lstm = mg.keras.layers.LSTM(16, dtype="float64", name="LSTM")
    plot.gradient_ledger(traced(lstm, x, holed), ax=ax)


picture(draw_ledger, size=(9, 3.6))

# %% [markdown]
# ## Exercise 1: one step back, masked
#
# You have the backward pass of a step without a mask: `step_back(dh, dc)` returns $dz$, $dh$, $dc$, as your function did in
# lesson 7. Write the masked one *around* it. `m` is `(batch, 1)`, of zeros and ones: within one batch, some rows are masked
# at this step and others are not.


# %% exercise="masked_back"
def masked_back(dh, dc, m, step_back):
    """dz, and dh and dc for the step before."""
    ### BEGIN SOLUTION
    dz, dh_through, dc_through = step_back(m * dh, m * dc)
    return dz, dh_through + (1 - m) * dh, dc_through + (1 - m) * dc
    ### END SOLUTION


# %% [markdown] hint="masked_back"
# The gradient has two ways to the step before: through the step, and around it. Which share of $dh$ goes
# which way, for $m = 1$ and for $m = 0$?

# %% [markdown] hint="masked_back"
# Call `step_back` with $m\,dh$ and $m\,dc$. Its $dz$ is right as it is. Add $(1-m)\,dh$ to its $dh$, and
# $(1-m)\,dc$ to its $dc$.


# %% mistake="masked_back"
# dz is right. At a masked step dh is 0 in yours: the gradient should pass the step unchanged.
def masked_back(dh, dc, m, step_back):
    """No gradient around a masked step."""
    return step_back(m * dh, m * dc)


# %% mistake="masked_back"
# At a masked step dz should be 0: yours calls step_back with the whole dh and dc, so the weights
# get a gradient there.
def masked_back(dh, dc, m, step_back):
    """A gradient for the weights at a masked step."""
    dz, dh_step, dc_step = step_back(dh, dc)
    return dz, m * dh_step + (1 - m) * dh, m * dc_step + (1 - m) * dc


# %% mistake="masked_back"
# dz and dh are right. At a masked step dc is 0 in yours: the cell state is kept too, so its
# gradient passes as well.
def masked_back(dh, dc, m, step_back):
    """No gradient of c around a masked step."""
    dz, dh_step, dc_step = step_back(m * dh, m * dc)
    return dz, dh_step + (1 - m) * dh, dc_step


# %% mistake="masked_back"
# dz is right. Yours adds dh at each step; at a step that is not masked nothing goes around it.
def masked_back(dh, dc, m, step_back):
    """A way around each step, masked or not."""
    dz, dh_step, dc_step = step_back(m * dh, m * dc)
    return dz, dh_step + dh, dc_step + dc


# %% mistake="masked_back"
# m is 1 where the step counts. Yours treats m = 1 as masked, and m = 0 as real.
def masked_back(dh, dc, m, step_back):
    """m and 1 − m exchanged."""
    dz, dh_step, dc_step = step_back((1 - m) * dh, (1 - m) * dc)
    return dz, dh_step + m * dh, dc_step + m * dc


# %% mistake="masked_back"
# At a masked step dz should be 0. Yours calls step_back with m dh, and with the whole dc.
def masked_back(dh, dc, m, step_back):
    """dc without its mask."""
    dz, dh_step, dc_step = step_back(m * dh, dc)
    return dz, m * dh_step + (1 - m) * dh, m * dc_step + (1 - m) * dc


# %% mistake="masked_back"
# dz and dh are right. Around a masked step yours adds dh to dc: each state keeps its own gradient.
def masked_back(dh, dc, m, step_back):
    """dh in the place of dc."""
    dz, dh_step, dc_step = step_back(m * dh, m * dc)
    return dz, dh_step + (1 - m) * dh, dc_step + (1 - m) * dh


# %% mistake="masked_back"
# dz is right. Yours adds dh and dc around the real steps, with the factor m. They pass around the
# masked ones.
def masked_back(dh, dc, m, step_back):
    """Around the real steps."""
    dz, dh_step, dc_step = step_back(m * dh, m * dc)
    return dz, dh_step + m * dh, dc_step + m * dc


# %% mistake="masked_back"
# dz is right. At a masked step your dh has a share through the step too: it should be the given dh
# alone.
def masked_back(dh, dc, m, step_back):
    """The mask on dz alone."""
    dz, dh_step, dc_step = step_back(dh, dc)
    return m * dz, dh_step + (1 - m) * dh, dc_step + (1 - m) * dc


# %% mistake="masked_back"
# m has one number for each row of the batch: compute with it, and do not use `if`.
def masked_back(dh, dc, m, step_back):
    """A question about all rows at once."""
    if m:
        return step_back(dh, dc)
    return np.zeros((len(dh), 4 * dh.shape[1])), dh, dc


# %% mistake="masked_back"
# As soon as one row is masked, yours treats all rows as masked. Each row has its own m.
def masked_back(dh, dc, m, step_back):
    """All rows masked, if one is."""
    if m.all():
        return step_back(dh, dc)
    return np.zeros((len(dh), 4 * dh.shape[1])), dh, dc


# %% variant="masked_back"
def masked_back(dh, dc, m, step_back):
    """In place, row by row with `where`."""
    masked = m[:, 0] == 0
    into = [np.where(masked[:, None], 0, d) for d in (dh, dc)]
    dz, *through = step_back(*into)
    for d, new in zip((dh, dc), through, strict=True):
        d[~masked] = 0
        d += new
    return [dz, dh, dc]


# %% variant="masked_back"
def masked_back(dh, dc, m, step_back):
    """The whole gradient through the step, and the mask afterwards."""
    dz, dh_step, dc_step = step_back(dh, dc)
    return m * dz, np.where(m == 1, dh_step, dh), np.where(m == 1, dc_step, dc)


# %% [markdown]
# The check runs an LSTM over the five rows of the first figure, and minigrad's backward pass with them. First your function gets
# the right $dh$ and $dc$ of each step, so that the report can name the step at which it goes wrong. Then the check goes back
# through all steps with your function alone. From your $dz$ it gathers the gradients of the weights, and compares them,
# $dh_0$ and $dc_0$ with the layer's.

# %% check="masked_back" points=4
mg.random.seed(4)
draw = np.random.default_rng(3)
lstm = mg.keras.layers.LSTM(3, return_sequences=True, return_state=True, dtype="float64")
xs, dy = draw.normal(size=(5, 12, 2)), draw.normal(size=(5, 12, 3))
dh_T, dc_T = draw.normal(size=(2, 5, 3))
start = [mg.tensor(draw.normal(size=(5, 3)), requires_grad=True) for _ in range(2)]
dy[~mask] = 0  # the loss reads real steps, and the last state
with mg.trace(lstm) as seen:
    y, h_T, c_T = lstm(xs, mask=mask, initial_state=start)
    ((y * dy).sum() + (h_T * dh_T).sum() + (c_T * dc_T).sum()).backward()
formulas = Formulas(LSTM)
weights = formulas.Weights(*lstm.get_weights())


def your_step(t, dh, dc):
    """The answer of your function at step t."""
    state = seen.h[t], seen.c[t]
    _, kept = formulas.step(np, xs[:, t] @ weights.W + weights.b, state, weights)

    def step_back(dh, dc):
        (dz,), before = formulas.step_backward(np, (dh, dc), kept, state, weights)
        return dz, *before

    m = mask[:, t, None].astype(float)
    shape = ((5, 12), (5, 3), (5, 3))
    return ask(masked_back, dh, dc, m, step_back, parts=("dz", "dh", "dc"), shape=shape)


answers = [your_step(t, seen.dh[t + 1], seen.dc[t + 1]) for t in range(12)]
yours = [np.stack(arrays) for arrays in zip(*answers, strict=True)]
dz_right = np.concatenate([seen.dz_i, seen.dz_f, seen.dz_g, seen.dz_o], axis=-1)
dh_right, dc_right = seen.dh[:-1].copy(), seen.dc[:-1]
dh_right[1:] -= dy[:, :-1].swapaxes(0, 1)  # without the share of the loss
real = mask.T[..., None]
terms = {}
for name, right, after in (("dh", dh_right, seen.dh[1:]), ("dc", dc_right, seen.dc[1:])):
    around = np.where(real, 0, after)
    terms[name] = {f"(1 − m) {name}": around, f"{name} of the step": right - around}
axes = {"dz": "step row gates", "dh": "step row unit", "dc": "step row unit"}
right = (dz_right, dh_right, dc_right)
same_parts(("dz", "dh", "dc"), yours, right, axes=axes, masked={"dz": ~mask.T}, terms=terms)

dh, dc, dzs = dh_T, dc_T, []
for t in reversed(range(12)):
    dz, dh, dc = your_step(t, dh + dy[:, t], dc)
    dzs.insert(0, dz)
dzs = np.stack(dzs)
dW, dU, db = (w.grad for w in lstm.trainable_weights)
same("dW", np.einsum("btf,tbz->fz", xs, dzs), dW, axes="feature gates")
same("dU", np.einsum("tbu,tbz->uz", seen.h[:-1], dzs), dU, axes="unit gates")
same("db", dzs.sum((0, 1)), db, axes="gates")
same("dh₀", dh, start[0].grad, axes="row unit")
same("dc₀", dc, start[1].grad, axes="row unit")
same("dh₀ of the empty row: all of its dh", dh[4], dh_T[4])

# %% [markdown]
# ## What comes out at a masked step
#
# The *state* is kept. And the *output*? There are two conventions. Keras repeats the last output (zeros before the first real
# step), or returns zeros with `zero_output_for_mask=True`. `dynamic_rnn` of the first generation returns zeros after
# the end of each row, which is its `sequence_length`. The last state is the same with all of them: that of the last real
# step. Here is one row with 2 real steps of 4:

# %%
mg.compat.v1.reset_default_graph()
cell = mg.keras.layers.SimpleRNNCell(1, dtype="float64")
cell.build((None, 1))
cell.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
ones = np.ones((1, 4, 1))
valid = np.array([[True, True, False, False]])
results = {}
for name, zero_output in (("Keras, repeat", False), ("Keras, zeros", True)):
    layer = mg.keras.layers.RNN(
        cell,
        return_sequences=True,
        return_state=True,
        zero_output_for_mask=zero_output,
        dtype="float64",
    )
    results[name] = layer(ones, mask=valid)
results["dynamic_rnn"] = mg.compat.v1.nn.dynamic_rnn(
    cell, ones, sequence_length=[2], dtype="float64"
)
rows = []
for name, (y, last) in results.items():
    rows.append([name, *(f"{v:.3f}" for v in (*y.numpy().ravel(), last.item()))])
table(["", "y_1", "y_2", "y_3", "y_4", "last state"], rows)

# %% [markdown]
# So `y[:, -1]` is the last real output with one convention, and zero with another. If you need the last *state*, ask for it
# with `return_state=True`.

# %% [markdown]
# ## What to divide by
#
# There is a loss for every step, `(batch, time)`. Padded steps must not count in the sum, nor in the number by which it is
# divided. With the number of *valid* steps,
#
# $$L = \frac{\sum_{b,t} m_{b,t}\,\ell_{b,t}}{\sum_{b,t} m_{b,t}},$$
#
# every real step has the same weight, and more padding changes nothing. Two other ways are common, and each has a fault:
#
# - *Divide by batch × time.* One long row adds padding to all other rows, and the loss becomes smaller. So the length of
#   one row changes the *learning rate* of all.
# - *Average each row first, then the rows.* A word in a short sentence counts for more than a word in a long one.
#
# There is a trap. $0\cdot\infty$ is NaN, and at a padded step a net may well compute infinity or NaN, such as $\log 0$. Then
# it is not enough to *multiply* by the mask.
#
# ## Exercise 2: the mean over valid steps
#
# Write `mean_over_valid(losses, mask)`. Its result is $L$, also if there is infinity or NaN at padded steps.


# %% exercise="valid_mean"
def mean_over_valid(losses, mask):
    """The mean of losses (batch, time) where mask is True; a number."""
    ### BEGIN SOLUTION
    return np.where(mask, losses, 0.0).sum() / mask.sum()
    ### END SOLUTION


# %% [markdown] hint="valid_mean"
# How many valid steps are there, as a function of `mask`? Which function of NumPy *chooses* between two
# arrays, without any arithmetic?

# %% [markdown] hint="valid_mean"
# `np.where(mask, losses, 0.0)` puts 0 at each padded step, also in the place of NaN. Divide the sum of this array by
# `mask.sum()`.


# %% mistake="valid_mean"
# The sum is divided by batch × time. Divide by the number of valid steps.
def mean_over_valid(losses, mask):
    """The mean over all steps."""
    return np.where(mask, losses, 0.0).mean()


# %% mistake="valid_mean"
# Yours is the mean of the rows' means: a step in a short row counts for more than one in a long
# row.
def mean_over_valid(losses, mask):
    """Rows first."""
    rows = [row[real].mean() for row, real in zip(losses, mask, strict=True) if real.any()]
    return np.mean(rows)


# %% mistake="valid_mean"
# Only infinite padding gives NaN: 0 · ∞. Choose the valid losses, and do not multiply by the mask.
def mean_over_valid(losses, mask):
    """0 · ∞."""
    with np.errstate(invalid="ignore"):
        return (losses * mask).sum() / mask.sum()


# %% mistake="valid_mean"
# The padded losses are in the sum: yours changes with the number that is written there.
def mean_over_valid(losses, mask):
    """The padding in the sum."""
    return losses.sum() / mask.sum()


# %% mistake="valid_mean"
# The sum is divided by the number of rows. Divide by the number of valid steps.
def mean_over_valid(losses, mask):
    """Divided by the number of rows."""
    return np.where(mask, losses, 0.0).sum() / len(mask)


# %% variant="valid_mean"
def mean_over_valid(losses, mask):
    """The real ones alone."""
    return losses[mask].mean(dtype="float32")


# %% variant="valid_mean"
def mean_over_valid(losses, mask):
    """In place; a Python float."""
    losses[~mask] = 0
    return float(sum(losses.sum(axis=0))) / np.count_nonzero(mask)


# %% check="valid_mean" points=2
draw = np.random.default_rng(5)
rows = [draw.exponential(scale, n) for n, scale in ((12, 1), (8, 1), (3, 4))]
valid_losses = np.concatenate(rows)
right = valid_losses.mean()
total = valid_losses.sum()
others = {
    "the sum, not divided": total,
    "the sum, divided by the length of the longest row": total / 12,
    "the median": np.median(valid_losses),
}
for steps, filler in ((12, 0.0), (30, 7.0), (30, np.inf), (13, np.nan)):
    padded, real = np.full((3, steps), filler), np.zeros((3, steps), bool)
    for k, row in enumerate(rows):
        padded[k, : len(row)], real[k, : len(row)] = row, True
    call = (
        ask if np.isfinite(filler) else attempt
    )  # `ask` reports every NaN in the same words
    answer = returned("mean_over_valid", call(mean_over_valid, padded, real), shape=())
    same(f"padded to {steps} with {filler}", answer, right, others=others)

# %% [markdown]
# The same on the tape: `mg.where(mask, losses, 0.0)` gives padded steps the gradient 0. But if the infinity arises
# *before* the `where`, the backward pass multiplies this 0 by an infinite derivative, and that is NaN again. So put a
# harmless number in the place of the padding *before* the dangerous function, and not only after it:

# %%
p = mg.tensor(np.array([0.5, 0.0]), requires_grad=True)  # the second is padding
real = np.array([True, False])
with np.errstate(divide="ignore", invalid="ignore"):  # log 0, and 0 · ∞
    after = mg.grad(mg.where(real, mg.log(p), 0.0).sum(), [p])[0]
before = mg.grad(mg.log(mg.where(real, p, 1.0)).sum(), [p])[0]
print("where after the log: ", after.numpy())
print("where before the log:", before.numpy())

# %% [markdown]
# ## Exercise 3: reading backwards
#
# A bidirectional net also reads each row from its end. If you reverse the whole array, `x[:, ::-1]`, a short row begins with
# its padding. Write `reverse_valid(x, lengths)`: in each row, the first `lengths[b]` steps are in reverse order, and the
# padding stays in its place.


# %% exercise="reverse"
def reverse_valid(x, lengths):
    """x (batch, time, features), the valid steps of each row reversed."""
    ### BEGIN SOLUTION
    y = x.copy()
    for row, n in enumerate(lengths):
        y[row, :n] = x[row, :n][::-1]
    return y
    ### END SOLUTION


# %% [markdown] hint="reverse"
# Take one row with 4 valid steps of 7. At which step does its padding begin, before and after? If you write into `x`
# step by step, which numbers have you lost by the middle of the row?

# %% [markdown] hint="reverse"
# Begin with a copy of `x`. For each row with its length $n$, assign `x[row, :n][::-1]` to the first $n$ steps of the copy.


# %% mistake="reverse"
# The whole row is reversed, with its padding: a short row begins with padding in yours.
def reverse_valid(x, lengths):
    """The padding reversed too."""
    return x[:, ::-1].copy()


# %% mistake="reverse"
# Yours reverses one step too many: the first step of the padding is among the valid ones.
def reverse_valid(x, lengths):
    """One step too many."""
    y = x.copy()
    for row, n in enumerate(lengths):
        y[row, : n + 1] = x[row, : n + 1][::-1]
    return y


# %% mistake="reverse"
# Yours reverses one step too few: the last valid step has stayed in its place.
def reverse_valid(x, lengths):
    """One step too few."""
    y = x.copy()
    for row, n in enumerate(lengths):
        y[row, : n - 1] = x[row, : n - 1][::-1]
    return y


# %% mistake="reverse"
# The second half is a copy of the first: yours reads steps that it has written already.
def reverse_valid(x, lengths):
    """In place, step by step."""
    y = x.copy()
    for row, n in enumerate(lengths):
        for t in range(n):
            y[row, t] = y[row, n - 1 - t]
    return y


# %% mistake="reverse"
# The valid steps are right. The padding has changed: it should stay as it was.
def reverse_valid(x, lengths):
    """Zeros in the place of the padding."""
    y = np.zeros_like(x)
    for row, n in enumerate(lengths):
        y[row, :n] = x[row, :n][::-1]
    return y


# %% variant="reverse"
def reverse_valid(x, lengths):
    """In place."""
    for row, n in zip(x, lengths, strict=True):
        row[:n] = row[:n][::-1].copy()
    return x


# %% variant="reverse"
def reverse_valid(x, lengths):
    """By an index for each place."""
    t, n = np.arange(x.shape[1]), np.asarray(lengths)[:, None]
    return np.take_along_axis(x, np.where(t < n, n - 1 - t, t)[..., None], axis=1)


# %% [markdown]
# The check compares each row. Then it tests the invariant that finds nearly every mistake with lengths: **a row in a batch
# gives what it gives alone.**

# %% check="reverse" points=2
draw = np.random.default_rng(6)
lengths = [7, 4, 1, 2]
xs = draw.normal(size=(4, 7, 3))
turned = ask(reverse_valid, xs, lengths, shape=xs.shape)
for row, n in enumerate(lengths):
    expected = np.flip(xs[row, :n], axis=0)
    same(f"row {row}", turned[row, :n], expected, axes="step feature")
for row, n in enumerate(lengths):
    same(f"padding of row {row}", turned[row, n:], xs[row, n:], axes="step feature")
mg.random.seed(6)
lstm = mg.keras.layers.LSTM(5, dtype="float64")
in_batch = lstm(turned, mask=np.arange(7) < np.array(lengths)[:, None]).numpy()
for row, n in enumerate(lengths):
    alone = lstm(np.flip(xs[row : row + 1, :n], axis=1))[0]
    same(f"the LSTM on row {row}, in the batch and alone", in_batch[row], alone)

# %% [markdown]
# ## To think about
#
# 1. Pad at the front or at the end: is there a difference with a mask? And without one, if the last state is what counts?
# 2. In a hole $dh_{t-1} = dh_t$. A *learnt* gate that did the same would be a residual connection through time. To which
#    values must the LSTM's gates be set, so that its step comes close to a masked one?
# 3. The mean over valid steps gives a long row more weight than a short one. When is this right for your task, and when not?
# 4. Two computers share a batch, and each divides by its own number of valid steps. What is the mean of the two means?
#
# ## Summary
#
# - A masked step keeps the state: $h_t = m_t\hat h_t + (1-m_t)h_{t-1}$. Backward: $d\hat h_t = m_t\,dh_t$ and $dh_{t-1}\mathrel{+}=(1-m_t)\,dh_t$.
# - The gradient crosses a hole unchanged. The hole's inputs get no gradient, and it adds none to the weights. Zeros as inputs
#   are not a mask.
# - Outputs at masked steps are a matter of convention: repeated, or zero. Ask for the last state.
# - Divide by the number of valid steps. Use `where`, and use it before the dangerous function.
# - The test for all of it: a row in a batch gives what it gives alone, and more padding changes nothing.
#
# **In the source:** [`minigrad/recurrent/masks.py`](../minigrad/recurrent/masks.py), in which `Masked.step_backward` is exercise 1;
# [`minigrad/layers/rnn.py`](../minigrad/layers/rnn.py), the masks of a layer;
# [`minigrad/compat/v1/nn/rnn.py`](../minigrad/compat/v1/nn/rnn.py), `dynamic_rnn`.
