# %% [markdown]
# # 10 · Truncation and stateful training
#
# A sequence that never ends: how far back the gradient should go, what is lost where it is cut, and how a state crosses a border that stops the gradient.
#
# **Minutes:** 75 · **Needs:** lessons 5 to 7; the cosine of two vectors
#
# After this lesson you can
#
# 1. say for any `tbptt=(k1, k2)` which loss reaches which input, and draw it as a band matrix;
# 2. state the cost of the backward pass in time and memory, and the effect of k1 and of k2 on it;
# 3. train on a stream with a carried state, and show that detaching it is truncation.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, check, line, medians, picture, same, scaled, table
from minigrad.plot import input_gradients, tbptt_band

# %% [markdown]
# Backpropagation through time needs the whole sequence, and then goes back through all of it. A book has a million letters; a
# sensor never stops. No computer keeps a million states, and training cannot wait for the end of the book before its first
# step. So the backward pass is cut. This lesson is about where to cut it, and at what price.
#
# ## The formula
#
# There is a loss at every step, $L = \sum_t L_t$. The gradient of the weights is a double sum, over losses and over the steps at which
# the weights were used:
#
# $$\frac{dL}{d\theta} \;=\; \sum_{t=1}^{T}\ \sum_{u=1}^{t}\ \frac{\partial L_t}{\partial h_t}\,
#   \frac{\partial h_t}{\partial h_u}\,\frac{\partial h_u}{\partial \theta}\bigg|_{\text{at step } u}.$$
#
# Truncation leaves terms out. It has two numbers, $k_1 \le k_2$. **After every $k_1$ steps**, the gradient of the losses of these
# $k_1$ steps goes back **through at most $k_2$ steps**, counted from the last of them:
#
# | | which terms stay | name |
# |---|---|---|
# | $(T, T)$ | all | BPTT |
# | $(1, k_2)$ | those with $t - u < k_2$: a band of constant width | truncated BPTT as it was first proposed |
# | $(k, k)$ | those in which $t$ and $u$ lie in the same window of $k$ steps, where $k$ divides $T$ | the usual training loop |
#
# The *forward* pass does not change: the states are exact, and the net may use an input of long ago. But where the gradient
# is cut, training does not tell the net how to use it better.
#
# Shapes: the matrix with entry $\lVert\partial L_t/\partial x_u\rVert$ is $(T, T)$, row $t$ for the loss, column $u$ for the
# input. Above the diagonal it is 0, since no loss depends on the future.
#
# ## An example for paper
#
# One linear unit, $h_t = u\,h_{t-1} + x_t$ with $u = \tfrac12$, input $1, 0, 0, 0$, and the loss $L = h_4$. Forward:
# $h = 1, \tfrac12, \tfrac14, \tfrac18$. Step $t$ uses $u$ once, and its share in $dL/du$ is $u^{4-t}\,h_{t-1}$:
#
# | step | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|
# | $h_{t-1}$ | 0 | 1 | 1/2 | 1/4 |
# | $u^{4-t}$ | 1/8 | 1/4 | 1/2 | 1 |
# | share | 0 | 1/4 | 1/4 | 1/4 |
#
# The sum is $\tfrac34 = 3u^2$, as it should be, because $h_4 = u^3$. With $k_2 = 1$ there remains $\tfrac14$, with $k_2 = 2$
# there remains $\tfrac12$. Every share has the same size here: *the part that is cut off is old, but it is not small*.


# %%
def paper(k2):
    """dL/du of the example, with a backward pass that is cut after k2 steps."""
    unit = mg.keras.layers.SimpleRNN(
        1, activation="linear", use_bias=False, tbptt=(1, k2), dtype="float64"
    )
    unit.build((1, 4, 1))
    unit.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5)])
    unit(np.array([1.0, 0, 0, 0]).reshape(1, 4, 1)).sum().backward()
    return unit.trainable_weights[1].grad.item()


print("k2:   ", *(f"{k2:6d}" for k2 in (1, 2, 3, 4)))
print("dL/du:", *(f"{paper(k2):6.2f}" for k2 in (1, 2, 3, 4)))

# %% [markdown]
# ## The band
#
# Any recurrent layer takes `tbptt=(k1, k2)`. Below is the same LSTM three times, with the same weights and the same input.
# `input_gradients` sends each loss back alone, and records which inputs get a gradient.

# %%
T, features, units = 24, 4, 16
x = np.random.default_rng(0).normal(size=(2, T, features))


def lstm(tbptt=None, kind=mg.keras.layers.LSTM, seed=1, **options):
    """A layer with the same weights at every call with the same seed."""
    mg.random.seed(seed)
    layer = kind(units, return_sequences=True, tbptt=tbptt, dtype="float64", **options)
    layer.build(x.shape)  # here, so that the seed decides on its weights
    return layer


bands = {k: input_gradients(lstm(k), x) for k in (None, (1, 6), (6, 6))}


# %%
def draw_bands(*axes):
    for ax, (k, band) in zip(axes, bands.items(), strict=True):
        tbptt_band(band, window=6 if k == (1, 6) else None, ax=ax)
        ax.set_title("whole" if k is None else f"tbptt = {k}")


picture(
    draw_bands,
    alt="Three matrices of the norm of ∂L_t/∂x_u, loss t downwards, input u across, the colour "
    "logarithmic, exact zeros grey. Left, whole: the lower triangle is full and fades away "
    "from the diagonal. Middle, (1, 6): a band, six entries wide at the diagonal, whose left "
    "edge is marked by a dashed staircase; the rest is grey. Right, (6, 6): four triangles "
    "along the diagonal, each six by six; a loss at the start of a window reaches one input "
    "only, a loss at the end six.",
    columns=3,
    size=(13, 3.8),
)

# %% [markdown]
# Inside the band, each number is *exactly* the one of the left matrix. Outside, the numbers are not small: they are 0. And look
# at the right matrix. With $(k, k)$ the *average* reach is only $(k+1)/2$ steps: the first loss of each window reaches its own
# input only. Between the two is every other $(k_1, k_2)$: the first loss of a window goes back $k_2 - k_1 + 1$ steps, the last
# one $k_2$.
#
# ## Exercise 1: the reach of each loss
#
# Write `reach(T, k1, k2)`: for each $t = 0, \dots, T-1$ the earliest $u$ that the loss of step $t$ reaches, an array of `T`
# whole numbers. The last window may be shorter than $k_1$. It too goes back from *its* last step.


# %% exercise="reach"
def reach(T, k1, k2):
    """The earliest step that each loss reaches: (T,) whole numbers, counted from 0."""
    ### BEGIN SOLUTION
    t = np.arange(T)
    stop = np.minimum((t // k1 + 1) * k1, T)
    return np.maximum(0, stop - k2)
    ### END SOLUTION


# %% [markdown] hint="reach"
# All losses of a window go back together, so they all reach the same step. At which step does the window of step $t$ end?

# %% [markdown] hint="reach"
# The window of $t$ ends before step $s = (\lfloor t/k_1\rfloor + 1)\,k_1$, or before $T$ if that is
# smaller (`np.minimum`). Its losses reach $s - k_2$, or 0 if that is negative (`np.maximum`).


# %% mistake="reach"
# This is the reach for k1 = 1, where each loss goes back k2 steps from its own step. In a window of
# k1 steps, count from the last step of the window.
def reach(T, k1, k2):
    """The band, for every k1."""
    return np.maximum(0, np.arange(T) - k2 + 1)


# %% mistake="reach"
# Yours goes back too far: count k2 steps from the last step of the window, and that step is the
# first of them.
def reach(T, k1, k2):
    """Counted from the start of the window."""
    return np.maximum(0, np.arange(T) // k1 * k1 - k2)


# %% mistake="reach"
# The last window is shorter than k1, and yours takes it for a whole one: it ends with the sequence.
def reach(T, k1, k2):
    """The last window as a whole one."""
    return np.maximum(0, (np.arange(T) // k1 + 1) * k1 - k2)


# %% mistake="reach"
# In yours no loss goes back beyond the start of its window. It may: k2 can be larger than k1.
def reach(T, k1, k2):
    """The start of the window."""
    return np.arange(T) // k1 * k1


# %% mistake="reach"
# Where the sequence begins, there are fewer than k2 steps to go back.
def reach(T, k1, k2):
    """Steps before the first one."""
    return np.minimum((np.arange(T) // k1 + 1) * k1, T) - k2


# %% mistake="reach"
# Where fewer than k2 steps are left, stop at 0. Yours turns the negative numbers into positive ones.
def reach(T, k1, k2):
    """Absolute values."""
    return np.abs(np.minimum((np.arange(T) // k1 + 1) * k1, T) - k2)


# %% mistake="reach"
# Yours goes back k2 steps from the first step of the window. Count from its last step: the later
# losses of a window bring the earlier ones with them.
def reach(T, k1, k2):
    """From the first step of the window."""
    return np.maximum(0, np.arange(T) // k1 * k1 - k2 + 1)


# %% mistake="reach"
# Yours is right with k1 and k2 exchanged: a backward pass runs every k1 steps, and goes back k2.
def reach(T, k1, k2):
    """k1 and k2 exchanged."""
    return np.maximum(0, np.minimum((np.arange(T) // k2 + 1) * k2, T) - k1)


# %% mistake="reach"
# Yours counts the steps from each loss back to the earliest one. The number of that earliest step is
# wanted.
def reach(T, k1, k2):
    """A distance."""
    t = np.arange(T)
    return t - np.maximum(0, np.minimum((t // k1 + 1) * k1, T) - k2) + 1


# %% mistake="reach"
# This is where each window ends. From there the gradient goes back k2 steps.
def reach(T, k1, k2):
    """The end of the window."""
    return np.minimum((np.arange(T) // k1 + 1) * k1, T)


# %% mistake="reach"
# Yours is the reach of the last window, for all losses. Each window has its own.
def reach(T, k1, k2):
    """The last window, for all."""
    return np.full(T, max(0, T - k2))


# %% mistake="reach"
# In yours every loss reaches step 0. That is the whole gradient: nothing is cut.
def reach(T, k1, k2):
    """The whole gradient."""
    return np.zeros(T, int)


# %% variant="reach"
def reach(T, k1, k2):
    """A loop, a list of Python's whole numbers."""
    found = []
    for start in range(0, T, k1):
        stop = min(start + k1, T)
        found += [max(stop - k2, 0)] * (stop - start)
    return found


# %% check="reach" points=2
for k1, k2 in ((1, 5), (4, 4), (3, 8), (7, 9), (24, 24)):
    has_gradient = input_gradients(lstm((k1, k2)), x[:, :23]) > 0
    yours = ask(reach, 23, k1, k2, shape=(23,))
    earliest = np.min(yours)
    check(
        earliest >= 0,
        f"reach for ({k1}, {k2}): yours has {earliest}, before the first step, 0.",
    )
    same(f"reach for ({k1}, {k2})", yours, has_gradient.argmax(axis=1), axes="step")

# %% [markdown]
# ## What it costs
#
# The forward pass is $T$ steps in every case. In the backward pass, each of the $T/k_1$ windows goes back $k_2$ steps, together
# $T\,k_2/k_1$. The states that must be in memory at one time are those of the last $k_2$ steps, if each window goes back
# as soon as it has run forward. (A layer with `tbptt=` that gets a whole sequence returns *one* gradient, at its end, and
# keeps all $T$ states until then. To save the memory, give it one window after another, as below.) We can count the steps of
# the backward pass: `windows(T, (k1, k2))` is minigrad's own list of windows. For each it gives the first step, the step after
# the last one, and the earliest step that is reached.

# %%
from minigrad.recurrent.truncation import windows

LONG = 1000
plans = {"whole": None, "(1, 20)": (1, 20), "(5, 20)": (5, 20), "(20, 20)": (20, 20)}
rows = []
for name, k in plans.items():
    lengths, reaches = [], []
    for start, stop, earliest in windows(LONG, k):
        lengths.append(stop - earliest)
        reaches += [t - earliest + 1 for t in range(start, stop)]
    rows.append((name, LONG, sum(lengths), max(lengths), f"{np.mean(reaches):.1f}"))
table(["(k1, k2)", "steps forward", "steps back", "states needed", "mean reach"], rows)


# %%
def draw_cost(left, right):
    k1s = np.arange(1, 65)
    for n, k2 in enumerate((64, 128, 256)):
        shares = []
        for k1 in k1s:
            steps = [stop - earliest for _, stop, earliest in windows(LONG, (int(k1), k2))]
            shares.append(sum(steps) / LONG)
        left.loglog(k1s, shares, label=f"k₂ = {k2}", **line(n))
    left.axhline(1, color="0.4", linewidth=0.8)
    left.set(
        xlabel="k₁, steps between two backward passes", ylabel="steps back per step forward"
    )
    left.legend()
    lengths = np.arange(1, 2001)
    kept = 7 * 256 * 32 * 4 / 2**20  # i, f, g, o, a, h, c; 256 units, 32 rows, 4 bytes
    right.plot(lengths, kept * lengths, label="whole", **line(0))
    right.plot(lengths, kept * np.minimum(lengths, 100), label="k₂ = 100", **line(1))
    right.set(
        xlabel="length T of the sequence, in steps",
        ylabel="cached for the backward pass, MiB",
    )
    right.legend()


picture(
    draw_cost,
    alt="The cost of BPTT. Left, both axes logarithmic: steps of the backward pass per step forward, "
    "against k₁, for k₂ of 64, 128 and 256. Each is a falling line, k₂ divided by k₁: from 60, "
    "120 and 220 at k₁ = 1 to about 1, 2 and 4 at k₁ = 64. Right: what an LSTM of 256 "
    "units with a batch of 32 caches for the backward pass, seven arrays a step: i, f, g, o, a, h and c. "
    "For the whole sequence it grows in a straight line to 438 MiB at 2000 steps; with k₂ = 100 it "
    "stays at 22 MiB.",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# So the backward pass of $(1, k_2)$ is $k_2$ times as long as the forward pass. That of $(k, k)$ is as long as in BPTT. Run window
# by window, it never needs more than $k$ steps in memory, and the optimiser can take a step after each window. This is why
# $(k, k)$ is the usual choice.
#
# ## How wrong is it?
#
# A truncated gradient is *biased*: its mean over the data is not the true gradient, and no batch size corrects that. Its
# direction counts, so we measure the cosine between the truncated and the whole gradient, of all weights together. At every
# step the loss asks for the input of ten steps before, $L_t = \lVert y_t - x_{t-10}\rVert^2$. The nets differ in their forget
# bias, so in their memory. Of each there are five, with other random weights.

# %%
LAG, LENGTH = 10, scaled(60, 40)
stream = np.random.default_rng(2).normal(size=(16, LENGTH, features))


def gradient(tbptt, seed, forget_bias):
    """The gradient of all weights as one vector, of the echo's loss."""
    layer = lstm(tbptt, seed=seed)
    W, U, b = layer.get_weights()
    b[units : 2 * units] = forget_bias
    layer.set_weights([W, U, b])
    y = layer(stream)
    ((y[:, LAG:, :features] - stream[:, :-LAG]) ** 2).mean().backward()
    return np.concatenate([w.grad.numpy().ravel() for w in layer.trainable_weights])


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


REACHES = (1, 2, 4, 8, 10, 12, 20, 40)
NETS = range(1, scaled(6, 2))
cosines = {}  # a row for each net, a column for each reach
for forget_bias in (-1, 1, 4):
    found = []
    for seed in NETS:
        whole = gradient(None, seed, forget_bias)
        cut = [gradient((1, k2), seed, forget_bias) for k2 in REACHES]
        found.append([cosine(vector, whole) for vector in cut])
    cosines[forget_bias] = np.array(found)
rows = []
for forget_bias, found in cosines.items():
    cells = []
    for k2 in (1, 4, 10, 20):
        column = found[:, REACHES.index(k2)]
        cells.append(f"{np.median(column):.2f} ({column.min():.2f} to {column.max():.2f})")
    rows.append([f"forget bias {forget_bias}", *cells])
table(["cosine: median (range)", *(f"k2 = {k2}" for k2 in (1, 4, 10, 20))], rows)


# %%
def draw_cosines(ax):
    for k, (forget_bias, found) in enumerate(cosines.items()):
        medians(ax, REACHES, found, f"LSTM, forget bias {forget_bias}", k)
    ax.axvline(LAG + 1, color="0.4", linewidth=0.8)
    ax.set(xlabel="k₂, steps back", ylabel="cosine of truncated and whole gradient")
    ax.legend()


picture(
    draw_cosines,
    alt="The cosine of the truncated and the whole gradient against k₂, for three kinds of LSTM: the "
    "median of five nets as a line, each net as a point. With "
    "forget bias −1 it is 0.96 at k₂ = 1 and 1 from k₂ = 4 on. With forget bias 1 it rises "
    "from 0.67 to 0.94 at k₂ = 10 and is 1 from k₂ = 12 on, right of a vertical line at 11, "
    "where the lag of the task ends. With forget bias 4 it rises slowly, from 0.23 over 0.51 at "
    "k₂ = 10 to 0.92 at k₂ = 40, and its points are far apart.",
)

# %% [markdown]
# A net that forgets fast loses little: the part that is cut off had vanished already. **The better the memory, the more the
# truncation costs**, with each of the five nets. And these are the nets that we need for a long task. The cosine is not
# everything, either: a small share of the gradient may be the only one that teaches the net to remember.
#
# ## Exercise 2: the truncated backward pass, by hand
#
# For the simple net of lesson 5, $h_t = \tanh(x_t W + h_{t-1}U + b)$, write `truncated_gradient(hs, dy, U, k1, k2)`. `hs` are the
# states $h_0 \dots h_T$, `(T + 1, batch, units)`; `dy` is $\partial L_t/\partial h_t$, `(T, batch, units)`. For each window,
# start with $dh = 0$ after its last step. Go back step by step, as far as $k_2$ allows. Add `dy` *at the window's own steps
# only*, and sum up $h_{t-1}^\top ds_t$, where $ds_t$ is the gradient of the number inside the tanh.
# (`windows(T, (k1, k2))` from above may help.)


# %% exercise="truncated"
def truncated_gradient(hs, dy, U, k1, k2):
    """dU, (units, units), of the truncated backward pass."""
    ### BEGIN SOLUTION
    dU = np.zeros_like(U)
    for start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(earliest, stop)):
            if t >= start:
                dh = dh + dy[t]
            ds = dh * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU
    ### END SOLUTION


# %% [markdown] hint="truncated"
# Without truncation this is the loop of lesson 5. How many such loops are there now, and at which step does each begin and
# end? In a loop that goes back beyond its window: whose losses are those of the earlier steps?

# %% [markdown] hint="truncated"
# For each `start, stop, earliest`: $dh = 0$, then $t$ from `stop − 1` down to `earliest`. If $t\ge$ `start`, add `dy[t]` to
# $dh$. Then $ds = dh\circ(1-h^2)$ with the state *after* the step, `hs[t + 1]`; add `hs[t].T @ ds` to $dU$; and
# $dh = ds\,U^\top$ for the step before.


# %% mistake="truncated"
# At the steps before the window yours adds dy again: these losses belong to earlier windows, and
# count once.
def truncated_gradient(hs, dy, U, k1, k2):
    """Every loss within reach, in each window."""
    dU = np.zeros_like(U)
    for _start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(earliest, stop)):
            ds = (dh + dy[t]) * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
# In yours the gradient ends where the window begins. It goes back k2 steps from the window's end.
def truncated_gradient(hs, dy, U, k1, k2):
    """The loop ends where the window begins."""
    dU = np.zeros_like(U)
    for start, stop, _earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(start, stop)):
            ds = (dh + dy[t]) * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
# This is the whole gradient: yours does not cut it. Each window begins with dh = 0.
def truncated_gradient(hs, dy, U, k1, k2):
    """A gradient that is not cut."""
    dU, dh = np.zeros_like(U), np.zeros_like(dy[0])
    for t in reversed(range(len(dy))):
        ds = (dh + dy[t]) * (1 - hs[t + 1] ** 2)
        dU += hs[t].T @ ds
        dh = ds @ U.T
    return dU


# %% mistake="truncated"
# dU is made with the state after the step, hs[t + 1]. The product h U reads the state before it.
def truncated_gradient(hs, dy, U, k1, k2):
    """dU from the state after the step."""
    dU = np.zeros_like(U)
    for start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(earliest, stop)):
            dh = dh + dy[t] if t >= start else dh
            ds = dh * (1 - hs[t + 1] ** 2)
            dU += hs[t + 1].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
# The slope of the tanh is taken at the state before the step. The tanh made the state after it.
def truncated_gradient(hs, dy, U, k1, k2):
    """The slope at the state before the step."""
    dU = np.zeros_like(U)
    for start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(earliest, stop)):
            dh = dh + dy[t] if t >= start else dh
            ds = dh * (1 - hs[t] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
# On its way to the step before, the gradient is multiplied by U in yours. It is multiplied by the
# transpose of U.
def truncated_gradient(hs, dy, U, k1, k2):
    """U in the place of its transpose."""
    dU = np.zeros_like(U)
    for start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(earliest, stop)):
            dh = dh + dy[t] if t >= start else dh
            ds = dh * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U
    return dU


# %% mistake="truncated"
# Only one step of the last window is there: add up the shares of all steps.
def truncated_gradient(hs, dy, U, k1, k2):
    """dU overwritten at each step."""
    dU = np.zeros_like(U)
    for start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(earliest, stop)):
            dh = dh + dy[t] if t >= start else dh
            ds = dh * (1 - hs[t + 1] ** 2)
            dU = hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
# In yours dh is passed from one window to the next in the loop. Set it to 0 after the last step of
# each window.
def truncated_gradient(hs, dy, U, k1, k2):
    """dh set to 0 once."""
    dU, dh = np.zeros_like(U), np.zeros_like(dy[0])
    for start, stop, earliest in windows(len(dy), (k1, k2)):
        for t in reversed(range(earliest, stop)):
            dh = dh + dy[t] if t >= start else dh
            ds = dh * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
# Only the loss of each window's last step is there. All steps of the window have a loss.
def truncated_gradient(hs, dy, U, k1, k2):
    """The loss of the last step only."""
    dU = np.zeros_like(U)
    for _start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = dy[stop - 1]
        for t in reversed(range(earliest, stop)):
            ds = dh * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
# Your loop over the steps runs forward in time. The gradient goes from the last step to the first.
def truncated_gradient(hs, dy, U, k1, k2):
    """The loop forward in time."""
    dU = np.zeros_like(U)
    for start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in range(earliest, stop):
            dh = dh + dy[t] if t >= start else dh
            ds = dh * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% variant="truncated"
def truncated_gradient(hs, dy, U, k1, k2):
    """Each loss alone, in place; the shares in a list."""
    np.multiply(hs, hs, out=(squares := np.empty_like(hs)))
    shares = []
    for t in range(len(dy)):
        start = t - t % k1
        stop = min(start + k1, len(dy))
        dh = dy[t]
        for u in range(t, max(0, stop - k2) - 1, -1):
            dh *= 1 - squares[u + 1]
            shares.append(hs[u].T @ dh)
            dh = dh @ U.T
    return sum(shares)


# %% [markdown]
# The check compares with a layer that has `tbptt=(k1, k2)`. First it takes the losses of one window at a time, so that the
# report can name the window; then all of them.

# %% check="truncated" points=4
dy_all = np.random.default_rng(3).normal(size=(T, 2, units))


def share_of(dy, k):
    """Your dU and the layer's, for given gradients of the losses."""
    rnn = lstm(k, mg.keras.layers.SimpleRNN)
    y = rnn(x)
    y.backward(mg.tensor(dy.swapaxes(0, 1)))
    hs = np.concatenate([np.zeros((1, 2, units)), y.numpy().swapaxes(0, 1)])
    U = rnn.get_weights()[1]
    yours = ask(truncated_gradient, hs, dy, U, *k, shape=(units, units))
    return yours, rnn.trainable_weights[1].grad.numpy()


for k in ((4, 10), (1, 4), (5, 5), (T, T)):
    shares = []
    for start in range(0, T, k[0]):
        dy_window = np.zeros_like(dy_all)
        dy_window[start : start + k[0]] = dy_all[start : start + k[0]]
        shares.append(share_of(dy_window, k))
    yours, right = np.array(shares).swapaxes(0, 1)
    same(f"dU of each window, tbptt={k}", yours, right, axes="window row column")
    same(f"dU of all windows, tbptt={k}", *share_of(dy_all, k))

# %% [markdown]
# ## The state crosses, the gradient does not
#
# Now the stream that never ends. Cut it into windows, run the layer on one window at a time, and start each from the state in
# which the one before it ended. There are two ways to write this:
#
# - **by hand**: `y, h, c = layer(window, initial_state=[h, c])` with `return_state=True`, and then `h = h.detach()`: the same
#   numbers, cut off from the tape;
# - **`stateful=True`**: the layer keeps its last states, detached, and starts the next call from them, row by row, until
#   `reset_states()`. Row $r$ of one batch must therefore be the *continuation* of row $r$ of the batch before.

# %%
stateful = lstm(stateful=True)
whole = lstm()(x)
pieces = np.concatenate([stateful(x[:, t : t + 6]).numpy() for t in range(0, T, 6)], axis=1)
print("in windows of 6, as in one piece:", np.allclose(pieces, whole.numpy()))
stateful.reset_states()
print(
    "after reset_states(), as at the start:",
    np.allclose(stateful(x[:, :6]).numpy(), pieces[:, :6]),
)

# %% [markdown]
# How must text be arranged for that? Not as a shuffled list of sentences. A text of $N$ letters is cut into `batch` long
# pieces, one for each row, and each window takes the next `k` letters of *every* piece:
#
# ```text
#              window 1   window 2   window 3
# row 0        THE_CAT    _SAT_ON    _THE_MA
# row 1        T._IT_W    AS_A_GO    OD_MAT.
# ```
#
# Two errors are common. If the windows are shuffled, each starts from the state of another text. If `reset_states()` is
# missing before the validation text, it starts in the middle of the training text.
#
# Without `detach()` the tape would grow from window to window, until the memory is full. minigrad, like other systems, frees
# a graph after its backward pass, and a second `backward()` that runs into the freed part raises an error. So you notice a
# missing `detach` at once, *if* you call `backward` in every window. If you add up the losses first, there is no error.
#
# ## Exercise 3: detaching is truncating
#
# Write `windowed(layer, x, k, loss)`. It runs `layer` (made with `return_sequences=True, return_state=True`) over windows of
# `k` steps, and carries the state by hand. For each window's output `y`, which begins at step `start`, it calls
# `loss(y, start).backward()`; the gradients add up in the weights. It returns the outputs of all windows joined,
# `(batch, T, units)`. The gradients must be those of `tbptt=(k, k)` on the whole sequence, where $k$ divides $T$. (Where
# it does not, the two differ in the last, shorter window: `tbptt` still goes back $k$ steps from its end, across a border
# where a detached state stops the gradient.)


# %% exercise="windowed"
def windowed(layer, x, k, loss):
    """The outputs, (batch, T, units), of windows of k steps; adds their gradients to the weights."""
    ### BEGIN SOLUTION
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)
    ### END SOLUTION


# %% [markdown] hint="windowed"
# What crosses from one window to the next: the state, the gradient, or both? Which of `backward` and `detach` must come
# first in each window?

# %% [markdown] hint="windowed"
# Begin with `state = None`. For each `start` in `range(0, T, k)`: `y, *state = layer(x[:, start : start + k],
# initial_state=state)`; then `loss(y, start).backward()`; then replace each array of `state` by its `.detach()`. Collect
# `y.numpy()`, and join the pieces along axis 1.


# %% mistake="windowed"
# The first window is right, and each other one starts from a state of zeros: pass the state of the
# window before.
def windowed(layer, x, k, loss):
    """A state of zeros in each window."""
    outputs = []
    for start in range(0, x.shape[1], k):
        y, *_ = layer(x[:, start : start + k])
        loss(y, start).backward()
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. The gradient is the whole one, and nothing is cut: call backward for each
# window, and then detach its states.
def windowed(layer, x, k, loss):
    """Losses added up, and states not detached."""
    state, outputs, total = None, [], 0.0
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        total = total + loss(y, start)
        outputs.append(y.numpy())
    total.backward()
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. The gradient is that of the last window only: call backward in each window.
def windowed(layer, x, k, loss):
    """The last window only."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    loss(y, start).backward()
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The second backward runs into the graph of the window before: detach the states after each window.
def windowed(layer, x, k, loss):
    """No detach."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. Each loss is called with start = 0 in yours: it compares all windows with
# the beginning of the sequence.
def windowed(layer, x, k, loss):
    """The loss of the first window, each time."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, 0).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right, and the weights have no gradient: backward was not called.
def windowed(layer, x, k, loss):
    """Without backward."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# Yours is a list of the windows. Join them along the axis of time.
def windowed(layer, x, k, loss):
    """The windows one by one."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return outputs


# %% mistake="windowed"
# The first window is right. Then h and c are exchanged: the layer returns h first, and takes it
# first.
def windowed(layer, x, k, loss):
    """h and c exchanged."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, h, c = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [c.detach(), h.detach()]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. `start` is the step at which the window begins; yours counts windows.
def windowed(layer, x, k, loss):
    """The number of the window."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start // k).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. Yours takes the loss of the last step of each window only: all of its steps
# have one.
def windowed(layer, x, k, loss):
    """The last step of each window."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y[:, -1:], start + k - 1).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. The loss of the first window is missing.
def windowed(layer, x, k, loss):
    """Without the first loss."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        if start:
            loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. The loss of the last window is missing.
def windowed(layer, x, k, loss):
    """Without the last loss."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        if start + k < x.shape[1]:
            loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The outputs are right. Yours cuts the gradient after each step: a window has k of them, and the
# gradient goes back to its first.
def windowed(layer, x, k, loss):
    """Windows of one step."""
    state, outputs = None, []
    for start in range(x.shape[1]):
        y, *state = layer(x[:, start : start + 1], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# Yours runs the windows from the last to the first. Forward in time the first window comes first; within
# a window `backward` goes back.
def windowed(layer, x, k, loss):
    """The last window first."""
    state, outputs = None, []
    for start in reversed(range(0, x.shape[1], k)):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The first two windows are right: each later one starts from the state after the first. Replace the
# state after every window.
def windowed(layer, x, k, loss):
    """The state of the first window, each time."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *last = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        if state is None:
            state = [s.detach() for s in last]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The first window is right. Then h crosses the border and c does not: an LSTM's state is both.
def windowed(layer, x, k, loss):
    """Without c."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [state[0].detach(), 0 * state[1].detach()]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The first window is right. Then c crosses the border and h does not: an LSTM's state is both.
def windowed(layer, x, k, loss):
    """Without h."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [0 * state[0].detach(), state[1].detach()]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The first window is right. Then yours starts from h in the place of c: the layer returns both.
def windowed(layer, x, k, loss):
    """h twice."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [state[0].detach(), state[0].detach()]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# The windows lie below each other: join them along axis 1, that of time.
def windowed(layer, x, k, loss):
    """Joined along the batch."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=0)


# %% mistake="windowed"
# One window comes back, and all of them are wanted: collect the outputs, and join them.
def windowed(layer, x, k, loss):
    """The last window's output."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return outputs[-1]


# %% mistake="windowed"
# The last window is missing: `range(0, T, k)` ends before T, so it needs no T − k.
def windowed(layer, x, k, loss):
    """One window too few."""
    state, outputs = None, []
    for start in range(0, x.shape[1] - k, k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# A window of k steps ends at step start + k. In yours it ends at step k, so the second one is empty.
def windowed(layer, x, k, loss):
    """Up to step k."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start:k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
# `detach` before the loss cuts the graph that `backward` needs. First `backward`, then detach the states.
def windowed(layer, x, k, loss):
    """Detached outputs."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y.detach(), start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% variant="windowed"
def windowed(layer, x, k, loss):
    """Zeros to begin with, h and c by name, and a list of Tensors."""
    h, c = (np.zeros((len(x), layer.units)) for _ in range(2))
    pieces = np.split(x, range(k, x.shape[1], k), axis=1)
    for n, piece in enumerate(pieces):
        y, h, c = layer(piece, initial_state=[h, c])
        loss(y, n * k).backward()
        h, c, pieces[n] = h.numpy(), c.numpy(), y.detach()
    return mg.concat(pieces, axis=1)


# %% check="windowed" points=3
wanted = np.random.default_rng(4).normal(size=(2, T, units))


def loss_of(y, start):
    """Σ (y − wanted)², of a window that begins at step `start`."""
    return ((y - wanted[:, start : start + y.shape[1]]) ** 2).sum()


for k in (6, 8):
    yours, theirs = lstm(return_state=True), lstm((k, k))
    y = theirs(x)
    loss_of(y, 0).backward()
    outputs = ask(windowed, yours, x, k, loss_of, shape=(2, T, units))
    same(f"outputs, k = {k}", outputs, y, axes="row step unit")
    names = (("dW", "feature gates"), ("dU", "unit gates"), ("db", "gates"))
    weights = zip(names, yours.trainable_weights, theirs.trainable_weights, strict=True)
    for (name, axes), mine, right in weights:
        check(
            mine.grad is not None, f"k = {k}: {name} is None, so no gradient was computed."
        )
        same(f"{name}, k = {k}", mine.grad, right.grad, axes=axes)

# %% [markdown]
# ## What is learnt beyond the border?
#
# The input is a stream of random bits, $\pm 1$. At each step the net should return the bit of **eight steps before**. It is
# trained statefully on windows of 8 and of 32 steps, with five seeds. Both see the same number of steps of the stream, with
# the same learning rate. (So the optimiser takes four times as many steps with the short windows. It does not help them.)

# %%
DELAY, TOTAL, SEEDS = 8, scaled(32 * 250, 32 * 20), range(scaled(5, 1))


def echo(k, seed):
    """The loss after each window of k steps, over all the training."""
    draw = np.random.default_rng(seed)
    mg.random.seed(seed)
    cell = mg.keras.layers.LSTM(24, return_sequences=True, stateful=True)
    net = mg.keras.Sequential([cell, mg.keras.layers.Dense(1)])
    optimizer, losses = mg.keras.optimizers.Adam(0.01), []
    bits = draw.choice([-1.0, 1.0], size=(32, TOTAL + DELAY, 1)).astype(np.float32)
    for t in range(DELAY, TOTAL + DELAY, k):
        loss = ((net(bits[:, t : t + k]) - bits[:, t - DELAY : t - DELAY + k]) ** 2).mean()
        weights = net.trainable_weights
        optimizer.apply_gradients(zip(mg.grad(loss, weights), weights, strict=True))
        losses.append(loss.item())
    return losses


echoes = {}  # for each length of a window, an array (seeds, windows)
for k in (8, 32):
    echoes[k] = np.array([echo(k, seed) for seed in SEEDS])
ends = {k: losses[:, -256 // k :].mean(axis=1) for k, losses in echoes.items()}
rows = []
for k, found in ends.items():
    rows.append([f"windows of {k}", *(f"{v:.2f}" for v in (*found, np.median(found)))])
table(
    ["mean squared error at the end", *(f"seed {seed}" for seed in SEEDS), "median"], rows
)


# %%
def draw_echoes(left, right):
    for n, (k, losses) in enumerate(echoes.items()):
        width = max(1, 128 // k)
        mean_of = np.ones(width) / width
        smooth = np.array([np.convolve(one, mean_of, "valid") for one in losses])
        steps = np.arange(losses.shape[1])[width - 1 :] * k
        left.plot(steps, np.median(smooth, axis=0), label=f"windows of {k}", **line(n))
        for one in smooth:
            left.plot(steps, one, color=line(n)["color"], linewidth=0.5, alpha=0.5)
        medians(right, [n], ends[k][:, None], f"windows of {k}", n)
        right.plot([n - 0.2, n + 0.2], [np.median(ends[k])] * 2, color="0.2")
    for ax in (left, right):
        ax.axhline(1, color="0.4", linewidth=0.8)
        ax.set(ylabel="mean squared error", ylim=(0, 1.15))
    left.set(xlabel="steps of the stream")
    left.legend(loc="lower left")
    right.set_xticks([0, 1], [f"windows of {k}" for k in echoes])
    right.set(xlim=(-0.5, 1.5), title="at the end")


picture(
    draw_echoes,
    alt="Left, the mean squared error of the echo against the steps of the stream, smoothed, thin for single seeds, thick for "
    "the median. With windows of 8 it stays near a level line at 1, the error of a net that always returns 0. With windows of "
    "32 it falls. Right, the error at the end, a point for each seed. Medians and ranges: "
    + "; ".join(
        f"windows of {k}: {np.median(v):.2f}, from {v.min():.2f} to {v.max():.2f}"
        for k, v in ends.items()
    )
    + ".",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# The state crosses every border, so in both runs the bit *could* be in the state. But in a window of 8 no gradient goes back
# farther than 7 steps (eight posts, seven gaps), so no gradient tells the net to keep it. In a window of 32 the same is true
# for the first eight losses; the other 24 reach their bit. With windows of 8 the error of every seed ends within
# a few hundredths of 1, which is the error of a net that always returns 0. So: **choose $k_2$ longer than the dependency that
# the net should learn**, by a good factor where $k_1 = k_2$.
#
# ## To think about
#
# 1. With $(k, k)$ the borders are always at the same places. What would change if the windows' lengths were drawn at random?
# 2. Stateful training with a batch of one shows the net a text from its first to its last letter, in order. Which assumption of
#    stochastic gradient descent does this violate?
# 3. A stateful net changes its weights in the middle of the stream: the state that it carries was computed by *older* weights.
#    When does that matter?
# 4. $(1, k_2)$ costs $k_2$ times the forward pass and gives every loss the same reach. Find a $(k_1, k_2)$ with which every loss
#    has at least half of that reach, and with at most three steps back for one step forward.
#
# ## Summary
#
# - `tbptt=(k1, k2)`: after every $k_1$ steps, go back $k_2$. $(1, k_2)$ is a band, $(k, k)$ are triangles along the diagonal.
#   Inside, gradients are exact; outside, 0. The forward pass does not change.
# - Steps back: $T k_2/k_1$. Memory: $k_2$ steps.
# - A truncated gradient is biased, and the better the net remembers, the larger is the bias.
# - A carried and detached state gives $(k, k)$ on a stream without end. Each row must continue where it ended, and the state
#   must be reset where a new text begins.
#
# **Read:** Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
# 1990; Tallec and Ollivier, "Unbiasing truncated backpropagation through time", 2017.
#
# **In the source:** [`minigrad/recurrent/truncation.py`](../minigrad/recurrent/truncation.py), `windows` and `through_windows`;
# [`minigrad/layers/rnn.py`](../minigrad/layers/rnn.py), where the state is carried;
# [`minigrad/train/tasks/text.py`](../minigrad/train/tasks/text.py), which arranges a text in streams.
