# %% [markdown]
# # 9 · Masks and variable length
#
# Sequences of different lengths in one batch: what a masked step does to the state, what it does to the gradient, and what to divide by.
#
# **Minutes:** 60 · **Needs:** lessons 5 to 7
#
# After this lesson you can
#
# 1. write the forward and the backward of a masked step, and say what reaches the other side of a hole;
# 2. average a loss over the steps that count, so that padding more changes nothing;
# 3. test a model's handling of lengths by an invariant: a row in a batch must give what it gives alone.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, line, picture, same, table
from minigrad import plot
from minigrad.recurrent import LSTM, Formulas

# %% [markdown]
# ## Why there are masks
#
# Sentences have different lengths; an array has one. So short rows are filled up, *padded*, and a **mask** says which steps
# are real: $m_t = 1$ where the step counts, $0$ where it does not. Most masks look like the first rows below. But
# some have a *hole*, a sensor that failed for a while, and some rows may be empty altogether.

# %%
mask = np.ones((5, 12), bool)
mask[1, 8:] = False  # a shorter row, padded at the end
mask[2, :4] = False  # padded at the front
mask[3, 4:9] = False  # a hole
mask[4] = False  # nothing at all


# %%
def draw_mask(ax):
    ax.imshow(mask, cmap="Greys_r", vmin=-1, vmax=1, aspect="equal")
    for row, step in np.ndindex(mask.shape):
        text = "1" if mask[row, step] else "0"
        ax.text(
            step,
            row,
            text,
            ha="center",
            va="center",
            color="0.0" if mask[row, step] else "1.0",
        )
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
# A masked step **rests**: the state stays what it was. With $\hat h_t$ for what the cell would compute,
#
# $$\hat h_t = \text{step}(x_t, h_{t-1}), \qquad h_t = m_t\,\hat h_t + (1 - m_t)\,h_{t-1},$$
#
# and the same for $c$. The way back, read off the second equation: $h_t$ has two inputs, and each gets its share.
#
# $$d\hat h_t = m_t\,dh_t, \qquad dh_{t-1} \mathrel{+}= (1 - m_t)\,dh_t .$$
#
# | | shape |
# |---|---|
# | $m_t$ | `(batch, 1)`, so that it broadcasts over the units |
# | $h_t$, $c_t$, $dh_t$, $dc_t$ | `(batch, units)` |
#
# Where $m_t = 0$ the step gets no gradient at all: nothing for $W$, $U$, $b$, nothing for $x_t$. And
# $dh_{t-1} = dh_t$: the gradient passes through, **multiplied by exactly 1**. A hole is the only place in a simple recurrent net
# in which nothing vanishes.
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
# The 9 is never seen, and $dh_1 = dh_2$.

# %%
rnn = mg.keras.layers.SimpleRNN(1, return_sequences=True, dtype="float64", name="rnn")
rnn.build((None, None, 1))
rnn.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
x = mg.tensor(np.array([[[1.0], [9.0], [0.0]]]), requires_grad=True)
with mg.trace(rnn) as paper:
    rnn(x, mask=np.array([[True, False, True]]))[:, -1].sum().backward()
table(
    ["", "t = 1", "t = 2", "t = 3"],
    [[name, *(f"{v:.3f}" for v in values)] for name, values in
     (("h", paper.h[1:, 0, 0]), ("dh", paper.dh[1:, 0, 0]), ("dx", paper.dx[:, 0, 0]))],
)  # fmt: skip

# %% [markdown]
# ## The gradient through a hole
#
# A simple recurrent net again, forty steps, a loss on the last $h$. Once all steps count; once steps 10 to 29 are masked. And
# once, as one sees it done, the same steps are "missing" by setting $x_t = 0$, without a mask:

# %%
T, HOLE = 40, slice(10, 30)
x = np.random.default_rng(0).normal(size=(1, T, 4))
holed = np.ones((1, T), bool)
holed[:, HOLE] = False
zeroed = np.where(holed[..., None], x, 0.0)


def looked_at(x, mask=None, kind=mg.keras.layers.SimpleRNN):
    mg.random.seed(2)
    layer = kind(16, dtype="float64", name=kind.__name__)
    layer.build(x.shape)
    W, U, b = layer.get_weights()
    layer.set_weights([W, 0.95 * U if kind is mg.keras.layers.SimpleRNN else U, b])
    x = mg.tensor(x, requires_grad=True)
    with mg.trace(layer) as seen:
        (layer(x, mask=mask) * np.random.default_rng(1).normal(size=16)).sum().backward()
    return seen


runs = {
    "all steps": looked_at(x),
    "a hole": looked_at(x, holed),
    "zeros, no mask": looked_at(zeroed),
}
norms = {name: np.linalg.norm(seen.dh[:, 0], axis=-1) for name, seen in runs.items()}
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
    "in place of a mask it goes on falling within the hole. Right, the state of one unit: with the "
    "hole it stands still from 10 to 30; with zeros it drifts; with all steps it jumps about.",
    columns=2,
    size=(10, 3.8),
)

# %% [markdown]
# Read the left figure from right to left, as the gradient travels. In the hole the curve is not nearly level, it is level:
# the same bits. A zero *input* is something else: the net goes on computing $\tanh(h U + b)$, forgets, and each of
# those steps takes its toll of the gradient, and leaves its share in $dU$ and $db$.
#
# The ledger of lesson 7 has a way of its own for it, *held*:


# %%
def draw_ledger(ax):
    plot.gradient_ledger(looked_at(x, holed, mg.keras.layers.LSTM), ax=ax)


picture(draw_ledger, size=(9, 3.6))

# %% [markdown]
# ## Exercise 1: one step back, masked
#
# You have the backward pass of a step that knows no mask: `step_back(dh, dc)` returns $dz$, $dh$, $dc$, as yours did in
# lesson 7. Write the masked one *around* it. `m` is `(batch, 1)`, of zeros and ones: within one batch some rows rest and
# others do not.


# %% exercise="masked_back"
def masked_back(dh, dc, m, step_back):
    """dz, and dh and dc for the step before."""
    ### BEGIN SOLUTION
    dz, dh_through, dc_through = step_back(m * dh, m * dc)
    return dz, dh_through + (1 - m) * dh, dc_through + (1 - m) * dc
    ### END SOLUTION


# %% mistake="masked_back"
def masked_back(dh, dc, m, step_back):
    """A row that rests stops the gradient."""
    return step_back(m * dh, m * dc)


# %% mistake="masked_back"
def masked_back(dh, dc, m, step_back):
    """A row that rests leaks into the weights."""
    dz, dh_step, dc_step = step_back(dh, dc)
    return dz, m * dh_step + (1 - m) * dh, m * dc_step + (1 - m) * dc


# %% mistake="masked_back"
def masked_back(dh, dc, m, step_back):
    """The cell state is forgotten: c rests too."""
    dz, dh_step, dc_step = step_back(m * dh, m * dc)
    return dz, dh_step + (1 - m) * dh, dc_step


# %% mistake="masked_back"
def masked_back(dh, dc, m, step_back):
    """The way around the step is open to all rows."""
    dz, dh_step, dc_step = step_back(m * dh, m * dc)
    return dz, dh_step + dh, dc_step + dc


# %% variant="masked_back"
def masked_back(dh, dc, m, step_back):
    """In place, row by row with `where`."""
    rests = m[:, 0] == 0
    into = [np.where(rests[:, None], 0, d) for d in (dh, dc)]
    dz, *through = step_back(*into)
    for d, new in zip((dh, dc), through, strict=True):
        d[~rests] = 0
        d += new
    return [dz, dh, dc]


# %% [markdown]
# The check runs an LSTM over the five rows of the first figure with minigrad, then goes back with your function, and
# compares with the layer's own gradients: those of the weights, gathered from your $dz$, and $dh_0$ and $dc_0$.

# %% check="masked_back" points=4
mg.random.seed(4)
draw = np.random.default_rng(3)
lstm = mg.keras.layers.LSTM(3, return_sequences=True, return_state=True, dtype="float64")
xs, dy, dh_T, dc_T = (draw.normal(size=s) for s in ((5, 12, 2), (5, 12, 3), (5, 3), (5, 3)))
start = [mg.tensor(draw.normal(size=(5, 3)), requires_grad=True) for _ in range(2)]
dy[~mask] = 0  # the loss looks at real steps, and at the last state
with mg.trace(lstm) as seen:
    y, h_T, c_T = lstm(xs, mask=mask, initial_state=start)
    ((y * dy).sum() + (h_T * dh_T).sum() + (c_T * dc_T).sum()).backward()

formulas = Formulas(LSTM)
weights = formulas.Weights(*lstm.get_weights())
dh, dc, dzs = dh_T, dc_T, []
for t in reversed(range(12)):
    before = seen.h[t], seen.c[t]
    _, kept = formulas.step(np, xs[:, t] @ weights.W + weights.b, before, weights)

    def step_back(dh, dc, kept=kept, before=before):
        (dz,), (dh, dc) = formulas.step_backward(np, (dh, dc), kept, before, weights)
        return dz, dh, dc

    given = (dh + dy[:, t], dc, mask[:, t, None].astype(float), step_back)
    dz, dh, dc = ask(masked_back, *given, parts=("dz", "dh", "dc"))
    dzs.append(dz)
dzs = np.stack(dzs[::-1])
same("dW", np.einsum("btf,tbz->fz", xs, dzs), lstm.trainable_weights[0].grad)
same("dU", np.einsum("tbu,tbz->uz", seen.h[:-1], dzs), lstm.trainable_weights[1].grad)
same("db", dzs.sum((0, 1)), lstm.trainable_weights[2].grad)
same("dh₀", dh, start[0].grad)
same("dc₀", dc, start[1].grad)
same("dh₀ of the empty row: all that came in", dh[4], dh_T[4])

# %% [markdown]
# ## What comes out at a masked step
#
# The *state* rests. What of the *output*? There are two customs. Keras repeats the last output (zeros, while there has been
# none yet), or puts out zeros with `zero_output_for_mask=True`. The first generation's `dynamic_rnn` puts out zeros beyond
# each row's `sequence_length`. The last state is the same for all: that of the last real step. One row of 2 real steps in 4:

# %%
mg.compat.v1.reset_default_graph()
ones = np.ones((1, 4, 1))
valid = np.array([[True, True, False, False]])
rows = []
for name, options in (("repeat", {}), ("zeros", {"zero_output_for_mask": True})):
    cell = mg.keras.layers.SimpleRNNCell(1, dtype="float64")
    cell.build((None, 1))
    cell.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1)])
    y, last = mg.keras.layers.RNN(
        cell, return_sequences=True, return_state=True, dtype="float64", **options
    )(ones, mask=valid)
    rows.append(
        (f"Keras, {name}", *(f"{v:.3f}" for v in y.numpy().ravel()), f"{last.item():.3f}")
    )
y, last = mg.compat.v1.nn.dynamic_rnn(cell, ones, sequence_length=[2], dtype="float64")
rows.append(
    (
        "dynamic_rnn",
        *(f"{v:.3f}" for v in y.numpy().ravel()),
        f"{last.numpy().item():.3f}",
    )
)
table(["", "y_1", "y_2", "y_3", "y_4", "last state"], rows)

# %% [markdown]
# So `y[:, -1]` is the last real output with one custom, and zero with another. Who wants the last *state* should ask for it.
#
# ## What to divide by
#
# A loss for every step, `(batch, time)`. Padded steps must not count in the sum, and not in the number that it is divided
# by. With the number of *valid* steps,
#
# $$L = \frac{\sum_{b,t} m_{b,t}\,\ell_{b,t}}{\sum_{b,t} m_{b,t}},$$
#
# every real step has the same weight, and padding the batch further changes nothing. Two others are often seen. Divide by
# batch × time, and the loss shrinks when one long row makes all others be padded: the *learning rate* depends on the company.
# Average each row first, and then the rows, and a word in a short sentence counts for more than one in a long sentence.
#
# There is a trap. $0\cdot\infty$ is NaN, and what a net computes at a padded step may well be infinite or NaN: a
# $\log 0$, say. To *multiply* by the mask is then not enough.
#
# ## Exercise 2: the mean over valid steps


# %% exercise="valid_mean"
def mean_over_valid(losses, mask):
    """The mean of losses (batch, time) where mask is True; a number."""
    ### BEGIN SOLUTION
    return np.where(mask, losses, 0.0).sum() / mask.sum()
    ### END SOLUTION


# %% mistake="valid_mean"
def mean_over_valid(losses, mask):
    """Divided by all steps."""
    return np.where(mask, losses, 0.0).mean()


# %% mistake="valid_mean"
def mean_over_valid(losses, mask):
    """Rows first."""
    rows = [row[real].mean() for row, real in zip(losses, mask, strict=True) if real.any()]
    return np.mean(rows)


# %% mistake="valid_mean"
def mean_over_valid(losses, mask):
    """0 · NaN."""
    with np.errstate(invalid="ignore"):
        return (losses * mask).sum() / mask.sum()


# %% variant="valid_mean"
def mean_over_valid(losses, mask):
    """Only the real ones are taken."""
    return losses[mask].mean(dtype="float32")


# %% variant="valid_mean"
def mean_over_valid(losses, mask):
    """In place; a Python float."""
    losses[~mask] = 0
    return float(sum(losses.sum(axis=0))) / np.count_nonzero(mask)


# %% check="valid_mean" points=2
draw = np.random.default_rng(5)
rows = [draw.exponential(size=n) for n in (12, 8, 3)]
for T_, filler in ((12, 0.0), (30, 7.0), (30, np.inf), (13, np.nan)):
    padded, real = np.full((3, T_), filler), np.zeros((3, T_), bool)
    for k, row in enumerate(rows):
        padded[k, : len(row)], real[k, : len(row)] = row, True
    expected = np.concatenate(rows).mean()
    same(f"padded to {T_} with {filler}", ask(mean_over_valid, padded, real), expected)

# %% [markdown]
# The same on the tape: `mg.where(mask, losses, 0.0)` gives padded steps the gradient 0. But if the infinity arose
# *before* the `where`, its derivative is $0\cdot\infty$ once more, on the way back. Put a harmless number in place of
# what is to be ignored before the dangerous function, not only after it:

# %%
p = mg.tensor(np.array([0.5, 0.0]), requires_grad=True)  # the second is padding
real = np.array([True, False])
with np.errstate(divide="ignore", invalid="ignore"):
    after = mg.grad(mg.where(real, mg.log(p), 0.0).sum(), [p])[0]
before = mg.grad(mg.log(mg.where(real, p, 1.0)).sum(), [p])[0]
print("where after the log: ", after.numpy())
print("where before the log:", before.numpy())

# %% [markdown]
# ## Exercise 3: reading backwards
#
# A bidirectional net reads each row from its end too. Turn the whole array round, `x[:, ::-1]`, and a short row begins with
# its padding. Write `reverse_valid(x, lengths)`: in each row the first `lengths[b]` steps in reverse order, and the
# padding where it was.


# %% exercise="reverse"
def reverse_valid(x, lengths):
    """x (batch, time, features), the valid steps of each row reversed."""
    ### BEGIN SOLUTION
    y = x.copy()
    for row, n in enumerate(lengths):
        y[row, :n] = x[row, :n][::-1]
    return y
    ### END SOLUTION


# %% mistake="reverse"
def reverse_valid(x, lengths):
    return x[:, ::-1].copy()


# %% mistake="reverse"
def reverse_valid(x, lengths):
    """One too far."""
    y = x.copy()
    for row, n in enumerate(lengths):
        y[row, : n + 1] = x[row, : n + 1][::-1]
    return y


# %% mistake="reverse"
def reverse_valid(x, lengths):
    """In place: the second half is a copy of what was just written."""
    y = x.copy()
    for row, n in enumerate(lengths):
        for t in range(n):
            y[row, t] = y[row, n - 1 - t]
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
# The invariant that catches nearly every mistake with lengths: **a row in a batch gives what it gives alone.**

# %% check="reverse" points=2
draw = np.random.default_rng(6)
lengths = [7, 4, 1, 2]
xs = draw.normal(size=(4, 7, 3))
mg.random.seed(6)
lstm = mg.keras.layers.LSTM(5, dtype="float64")
turned = ask(reverse_valid, xs, lengths, shape=xs.shape)
in_batch = lstm(turned, mask=np.arange(7) < np.array(lengths)[:, None]).numpy()
for row, n in enumerate(lengths):
    same(
        f"row {row}, {n} steps, as alone",
        in_batch[row],
        lstm(xs[row : row + 1, :n][:, ::-1])[0],
    )
for row, n in enumerate(lengths):
    same(f"the padding of row {row}", turned[row, n:], xs[row, n:])

# %% [markdown]
# ## To think about
#
# 1. Pad at the front or at the end: is there a difference with a mask? And without one, if the last state is what counts?
# 2. In a hole $dh_{t-1} = dh_t$. A *learnt* gate that did the same would be a residual connection through time. Which of the
#    LSTM's gates must be where, so that its step comes close to resting?
# 3. The mean over valid steps gives a long row more weight than a short one. When is this what you want, and when not?
# 4. Two computers share a batch, and each divides by its own number of valid steps. What is the mean of the two means?
#
# ## Summary
#
# - A masked step keeps the state: $h_t = m_t\hat h_t + (1-m_t)h_{t-1}$. Backwards $d\hat h_t = m_t\,dh_t$ and $dh_{t-1}\mathrel{+}=(1-m_t)\,dh_t$.
# - The gradient crosses a hole unchanged. The hole's inputs and the weights get none from it. Zeros as inputs are not a mask.
# - Outputs at masked steps are a matter of custom: repeated, or zero. Ask for the last state.
# - Divide by the number of valid steps; use `where`, and before the dangerous function.
# - The test for all of it: a row in a batch gives what it gives alone, and more padding changes nothing.
#
# **In the source:** [`minigrad/recurrent/masks.py`](../minigrad/recurrent/masks.py), in which `Masked.step_backward` is exercise 1;
# [`minigrad/layers/rnn.py`](../minigrad/layers/rnn.py), what a layer does with a mask;
# [`minigrad/compat/v1/nn/rnn.py`](../minigrad/compat/v1/nn/rnn.py), `dynamic_rnn`.
