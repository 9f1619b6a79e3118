# %% [markdown]
# # 10 · Truncation and stateful training
#
# A sequence that never ends: how far back the gradient should go, what is lost where it is cut, and how a state crosses the border that a gradient does not.
#
# **Minutes:** 75 · **Needs:** lessons 5 to 7; the cosine of two vectors
#
# After this lesson you can
#
# 1. say for any `tbptt=(k1, k2)` which loss hears which input, and draw it as a band matrix;
# 2. state what the way back costs in time and memory, and what each of k1 and k2 does to it;
# 3. train on a stream with a carried state, and show that detaching it is truncation.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, check, line, medians, picture, same, scaled, table
from minigrad.plot import input_gradients, tbptt_band

# %% [markdown]
# Backpropagation through time wants the whole sequence first, then walks all of it back. A book has a million letters; a
# sensor never stops. Nobody keeps a million states, and nobody waits for the end of the book to take the first step. So the
# way back is cut, and what follows is about where, and at what price.
#
# ## The formula
#
# A loss at every step, $L = \sum_t L_t$. The gradient of the weights is a double sum, over losses and over the steps at which
# the weights were used:
#
# $$\frac{dL}{d\theta} \;=\; \sum_{t=1}^{T}\ \sum_{u=1}^{t}\ \frac{\partial L_t}{\partial h_t}\,
#   \frac{\partial h_t}{\partial h_u}\,\frac{\partial h_u}{\partial \theta}\bigg|_{\text{at step } u}.$$
#
# Truncation leaves terms out. It has two numbers. **After every $k_1$ steps**, the losses of these $k_1$ steps are sent back
# **through at most $k_2$ steps**, counted from the last of them ($k_1 \le k_2$):
#
# | | which terms stay | name |
# |---|---|---|
# | $(T, T)$ | all | BPTT |
# | $(1, k_2)$ | those with $t - u < k_2$: a band of even width | truncated BPTT as it was first proposed |
# | $(k, k)$ | those in which $t$ and $u$ lie in the same window of $k$ steps, where $k$ divides $T$ | what nearly every training loop does |
#
# Nothing changes on the way *forward*: the states are exact, and the net may well use what it saw long ago. It just does not
# hear how to improve on it.
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
# there remains $\tfrac12$. Every share has the same size here: *what is cut off is not small because it is long ago*.


# %%
def paper(k2):
    """dL/du of the example, the way back cut after k2 steps."""
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
# Any recurrent layer takes `tbptt=(k1, k2)`. Below, the same LSTM with the same weights and the same input, three times. For
# each row one loss is sent back alone, and we look at which inputs hear of it.

# %%
T, features, units = 24, 4, 16
x = np.random.default_rng(0).normal(size=(2, T, features))


def lstm(tbptt=None, kind=mg.keras.layers.LSTM, **options):
    """The same weights at every call."""
    mg.random.seed(1)
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
    "along the diagonal, each six by six; a loss at the start of a window hears one input "
    "only, one at the end six.",
    columns=3,
    size=(13, 3.8),
)

# %% [markdown]
# What is inside the band has *exactly* the value that it has on the left. What is outside is not small: it is 0. And look at
# the right: with $(k, k)$ the *average* reach is only $(k+1)/2$ steps. The first loss of each window hears nothing but its
# own input. Between the two lies every $(k_1, k_2)$: a loss in a window goes back $k_2 - k_1 + 1$ steps if it comes first,
# and $k_2$ if it comes last.
#
# ## Exercise 1: who hears whom
#
# Write `reach(T, k1, k2)`: for each $t = 0, \dots, T-1$ the earliest $u$ that the loss of step $t$ reaches, an array of `T`
# whole numbers. The last window may be shorter than $k_1$; it too is sent back from *its* last step.


# %% exercise="reach"
def reach(T, k1, k2):
    """The earliest step that each loss hears of: (T,) whole numbers, counted from 0."""
    ### BEGIN SOLUTION
    t = np.arange(T)
    stop = np.minimum((t // k1 + 1) * k1, T)
    return np.maximum(0, stop - k2)
    ### END SOLUTION


# %% mistake="reach"
def reach(T, k1, k2):
    """The band, for every k1."""
    return np.maximum(0, np.arange(T) - k2 + 1)


# %% mistake="reach"
def reach(T, k1, k2):
    """Counted from the start of the window."""
    return np.maximum(0, np.arange(T) // k1 * k1 - k2)


# %% mistake="reach"
def reach(T, k1, k2):
    """The last window is taken for a whole one."""
    return np.maximum(0, (np.arange(T) // k1 + 1) * k1 - k2)


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
    heard = input_gradients(lstm((k1, k2)), x[:, :23]) > 0
    same(f"reach for ({k1}, {k2})", ask(reach, 23, k1, k2), heard.argmax(axis=1))

# %% [markdown]
# ## What it costs
#
# Forward is $T$ steps in every case. Backward, each of the $T/k_1$ windows walks $k_2$ steps, together
# $T\,k_2/k_1$. The states that have to be kept at one time are those of the last $k_2$ steps, if each window is walked back
# as soon as it has been run. (A layer with `tbptt=` that is handed a whole sequence gives *one* gradient, at its end, and
# keeps all $T$ states until then. What saves the memory is to hand it window after window, as below.) We can count the
# steps of the way back: minigrad's loop says which windows it walks.

# %%
from minigrad.recurrent.truncation import windows

LONG = 1000
plans = {"whole": None, "(1, 20)": (1, 20), "(5, 20)": (5, 20), "(20, 20)": (20, 20)}
rows = []
for name, k in plans.items():
    walks = [stop - earliest for _, stop, earliest in windows(LONG, k)]
    heard = [
        t - earliest + 1
        for start, stop, earliest in windows(LONG, k)
        for t in range(start, stop)
    ]
    rows.append((name, LONG, sum(walks), max(walks), f"{np.mean(heard):.1f}"))
table(["(k1, k2)", "steps forward", "steps back", "states needed", "mean reach"], rows)


# %%
def draw_cost(left, right):
    k1s = np.arange(1, 65)
    for n, k2 in enumerate((64, 128, 256)):
        back = [
            sum(stop - early for _, stop, early in windows(LONG, (int(k1), k2)))
            for k1 in k1s
        ]
        left.loglog(k1s, np.array(back) / LONG, label=f"k₂ = {k2}", **line(n))
    left.axhline(1, color="0.4", linewidth=0.8)
    left.set(xlabel="k₁, steps between two ways back", ylabel="steps back per step forward")
    left.legend()
    lengths = np.arange(1, 2001)
    kept = 7 * 256 * 32 * 4 / 2**20  # i, f, g, o, a, h, c; 256 units, 32 rows, 4 bytes
    right.plot(lengths, kept * lengths, label="whole", **line(0))
    right.plot(lengths, kept * np.minimum(lengths, 100), label="k₂ = 100", **line(1))
    right.set(
        xlabel="length T of the sequence, in steps", ylabel="kept for the way back, MiB"
    )
    right.legend()


picture(
    draw_cost,
    alt="The cost of BPTT. Left, both axes logarithmic: steps of the way back per step forward, "
    "against k₁, for k₂ of 64, 128 and 256. Each is a falling line, k₂ divided by k₁: from 60, "
    "120 and 220 at k₁ = 1 to about 1, 2 and 4 at k₁ = 64. Right: what an LSTM of 256 "
    "units with a batch of 32 keeps for the way back, seven arrays a step: i, f, g, o, a, h and c. "
    "For the whole way it grows in a straight line to 438 MiB at 2000 steps; with k₂ = 100 it "
    "stays at 22 MiB.",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# So the way back of $(1, k_2)$ is $k_2$ times as long as the way forward. That of $(k, k)$ is as long as in BPTT; run window
# by window, it never needs more than $k$ steps in memory, and the optimiser can take a step after each. That is why it won.
#
# ## How wrong is it?
#
# A truncated gradient is *biased*: its mean over the data is not the true gradient, and no batch size mends that. Its
# direction counts, so we measure the cosine between the truncated and the whole gradient, of all weights together. The loss
# asks at every step for what came in ten steps before, $L_t = \lVert y_t - x_{t-10}\rVert^2$, and the nets differ in memory:

# %%
LAG, LENGTH = 10, scaled(60, 40)
stream = np.random.default_rng(2).normal(size=(16, LENGTH, features))


def gradient(tbptt, kind, **options):
    """The gradient of all weights as one vector, of the echo's loss."""
    layer = lstm(tbptt, kind, **options)
    y = layer(stream)
    ((y[:, LAG:, :features] - stream[:, :-LAG]) ** 2).mean().backward()
    return np.concatenate([w.grad.numpy().ravel() for w in layer.trainable_weights])


def biased(forget):
    """A bias (4 units,) whose forget quarter is `forget`; the order is i, f, c, o."""

    def start(shape, dtype=None):
        return mg.tensor(np.repeat([0.0, forget, 0.0, 0.0], shape[0] // 4), dtype=dtype)

    return {"bias_initializer": start, "unit_forget_bias": False}


NETS = {
    "LSTM, forget bias −1": (mg.keras.layers.LSTM, biased(-1.0)),
    "LSTM, forget bias 1": (mg.keras.layers.LSTM, biased(1.0)),
    "LSTM, forget bias 4": (mg.keras.layers.LSTM, biased(4.0)),
}
REACHES = (1, 2, 4, 6, 8, 10, 12, 15, 20, 30, 40)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


cosines = {}
for name, (kind, options) in NETS.items():
    whole = gradient(None, kind, **options)
    cosines[name] = [cosine(gradient((1, k2), kind, **options), whole) for k2 in REACHES]
table(
    ["cosine with the whole gradient", *(f"k2={k}" for k in (1, 4, 10, 20))],
    [
        (name, *(f"{found[REACHES.index(k)]:.2f}" for k in (1, 4, 10, 20)))
        for name, found in cosines.items()
    ],
)


# %%
def draw_cosines(ax):
    for k, (name, found) in enumerate(cosines.items()):
        ax.plot(REACHES, found, label=name, **line(k, marker=True))
    ax.axvline(LAG + 1, color="0.4", linewidth=0.8)
    ax.set(xlabel="k₂, steps back", ylabel="cosine of truncated and whole gradient")
    ax.legend()


picture(
    draw_cosines,
    alt="The cosine of the truncated and the whole gradient against k₂, for three LSTMs. With "
    "forget bias −1 it is 0.96 at k₂ = 1 and 1 from k₂ = 4 on. With forget bias 1 it rises "
    "from 0.66 to 0.93 at k₂ = 10 and jumps to 1 at k₂ = 12, right of a vertical line at 11, "
    "where the lag of the task ends. With forget bias 4 it rises slowly, from 0.23 over 0.5 at "
    "k₂ = 10 to 0.93 at k₂ = 40.",
)

# %% [markdown]
# A net that forgets fast loses little: what is cut off had vanished already. **The better the memory, the more the truncation
# costs**, and just for those nets that we want. Nor does the cosine say everything: a small share of the
# gradient may be the only one that teaches the net to remember.
#
# ## Exercise 2: the truncated way back, by hand
#
# For the simple net of lesson 5, $h_t = \tanh(x_t W + h_{t-1}U + b)$, write `truncated_gradient(hs, dy, U, k1, k2)`. `hs` are the
# states $h_0 \dots h_T$, `(T + 1, batch, units)`; `dy` is $\partial L_t/\partial h_t$, `(T, batch, units)`. For each window,
# start with $dh = 0$ after its last step, walk back as far as it may, take in `dy` *of the window's own steps only*, and
# gather $h_{t-1}^\top ds_t$. (`windows(T, (k1, k2))` from above may help.)


# %% exercise="truncated"
def truncated_gradient(hs, dy, U, k1, k2):
    """dU, (units, units), of the truncated way back."""
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


# %% mistake="truncated"
def truncated_gradient(hs, dy, U, k1, k2):
    """Every loss on the way is taken in, again and again."""
    dU = np.zeros_like(U)
    for _start, stop, earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(earliest, stop)):
            ds = (dh + dy[t]) * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
def truncated_gradient(hs, dy, U, k1, k2):
    """The way back ends where the window begins."""
    dU = np.zeros_like(U)
    for start, stop, _earliest in windows(len(dy), (k1, k2)):
        dh = np.zeros_like(dy[0])
        for t in reversed(range(start, stop)):
            ds = (dh + dy[t]) * (1 - hs[t + 1] ** 2)
            dU += hs[t].T @ ds
            dh = ds @ U.T
    return dU


# %% mistake="truncated"
def truncated_gradient(hs, dy, U, k1, k2):
    """The gradient is not cut at all."""
    dU, dh = np.zeros_like(U), np.zeros_like(dy[0])
    for t in reversed(range(len(dy))):
        ds = (dh + dy[t]) * (1 - hs[t + 1] ** 2)
        dU += hs[t].T @ ds
        dh = ds @ U.T
    return dU


# %% variant="truncated"
def truncated_gradient(hs, dy, U, k1, k2):
    """Every loss for itself, in place; the shares in a list."""
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


# %% check="truncated" points=4
dy = np.random.default_rng(3).normal(size=(2, T, units))
for k in ((1, 4), (5, 5), (4, 10), (T, T)):
    rnn = lstm(k, mg.keras.layers.SimpleRNN)
    y = rnn(x)
    y.backward(mg.tensor(dy))
    hs = np.concatenate([np.zeros((1, 2, units)), y.numpy().swapaxes(0, 1)])
    _, U, _ = rnn.get_weights()
    yours = ask(truncated_gradient, hs, dy.swapaxes(0, 1), U, *k)
    same(f"dU for tbptt={k}", yours, rnn.trainable_weights[1].grad)

# %% [markdown]
# ## The state crosses, the gradient does not
#
# Now the stream that never ends. Cut it into windows, run the layer on one window at a time, and start each from the state in
# which the one before it ended. Two ways to write it down:
#
# - **by hand**: `y, h, c = layer(window, initial_state=[h, c])` with `return_state=True`, and then `h = h.detach()`: the same
#   numbers, with no past on the tape;
# - **`stateful=True`**: the layer keeps its last states, detached, and starts the next call from them, row by row, until
#   `reset_states()`. Row $r$ of one batch must therefore be the *continuation* of row $r$ of the batch before.

# %%
stateful = lstm(stateful=True)
whole = lstm()(x)
pieces = np.concatenate([stateful(x[:, t : t + 6]).numpy() for t in range(0, T, 6)], axis=1)
print("in windows of 6, as in one piece:", np.allclose(pieces, whole.numpy()))
stateful.reset_states()
print(
    "after reset_states() it starts anew:",
    np.allclose(stateful(x[:, :6]).numpy(), pieces[:, :6]),
)

# %% [markdown]
# How must text be laid out for that? Not as a list of sentences, shuffled. A text of $N$ letters is cut into `batch` long
# pieces, one for each row, and each window takes the next `k` letters of *every* piece:
#
# ```text
#              window 1   window 2   window 3
# row 0        THE_CAT    _SAT_ON    _THE_MA
# row 1        T._IT_W    AS_A_GO    OD_MAT.
# ```
#
# Two ways to spoil it: shuffle the windows, and each starts from the state of a stranger; or leave `reset_states()` out
# before the validation text, and it starts in the middle of a thought.
#
# Without `detach()` the tape would go on growing, window after window, until memory ends; minigrad, as other systems, frees
# a graph once it was walked, and the second `backward()` that runs into the freed part raises an error. So a missing
# `detach` is seen at once, *if* you call `backward` in every window. If you add up the losses first, nothing complains.
#
# ## Exercise 3: detaching is truncating
#
# Write `windowed(layer, x, k, loss)`: run `layer` (made with `return_sequences=True, return_state=True`) over windows of `k`
# steps with the state carried by hand, call `loss(y, start).backward()` for each window's output, and return the outputs of
# all windows joined, `(batch, T, units)`. The gradients pile up in the weights. What comes out must be what
# `tbptt=(k, k)` gives on the whole sequence, where $k$ divides $T$. (Where it does not, the two differ in the last, shorter
# window: `tbptt` still goes back $k$ steps from its end, across a border that the detached state does not let through.)


# %% exercise="windowed"
def windowed(layer, x, k, loss):
    """Trains on windows of k steps: the outputs, (batch, T, units), gradients added to the weights."""
    ### BEGIN SOLUTION
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        loss(y, start).backward()
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)
    ### END SOLUTION


# %% mistake="windowed"
def windowed(layer, x, k, loss):
    """The state is forgotten at each border."""
    outputs = []
    for start in range(0, x.shape[1], k):
        y, *_ = layer(x[:, start : start + k])
        loss(y, start).backward()
        outputs.append(y.numpy())
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
def windowed(layer, x, k, loss):
    """Nothing is detached, and the losses are added up."""
    state, outputs, total = None, [], 0.0
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        total = total + loss(y, start)
        outputs.append(y.numpy())
    total.backward()
    return np.concatenate(outputs, axis=1)


# %% mistake="windowed"
def windowed(layer, x, k, loss):
    """Only the last window is learnt from."""
    state, outputs = None, []
    for start in range(0, x.shape[1], k):
        y, *state = layer(x[:, start : start + k], initial_state=state)
        state = [s.detach() for s in state]
        outputs.append(y.numpy())
    loss(y, start).backward()
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


for k in (4, 8):
    yours, theirs = lstm(return_state=True), lstm((k, k))
    y = theirs(x)
    loss_of(y, 0).backward()
    outputs = ask(windowed, yours, x, k, loss_of)
    same(f"outputs, k = {k}", outputs, y)
    for a, b in zip(yours.trainable_weights, theirs.trainable_weights, strict=True):
        check(
            a.grad is not None, f"k = {k}: {a.name} got no gradient. Was backward() called?"
        )
        same(f"d{a.name.split('/')[-1]}, k = {k}", a.grad, b.grad)

# %% [markdown]
# ## What is learnt beyond the border?
#
# A stream of random bits, $\pm 1$, and a net that is to say at each step what came in **eight steps before**. Trained
# statefully on windows of 8 and of 32 steps, with five seeds; the same number of steps of the stream for both, and the same learning
# rate. (So the optimiser takes four times as many steps with the short windows. It does not help them.)

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


echoes = {
    k: np.array([echo(k, seed) for seed in SEEDS]) for k in (8, 32)
}  # (seeds, windows)
ends = {k: losses[:, -256 // k :].mean(axis=1) for k, losses in echoes.items()}
table(
    ["mean squared error at the end", *(f"seed {seed}" for seed in SEEDS), "median"],
    [
        (f"windows of {k}", *(f"{v:.2f}" for v in (*found, np.median(found))))
        for k, found in ends.items()
    ],
)


# %%
def draw_echoes(left, right):
    for n, (k, losses) in enumerate(echoes.items()):
        width = max(1, 128 // k)
        smooth = np.array(
            [np.convolve(one, np.ones(width) / width, "valid") for one in losses]
        )
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
    "the median. With windows of 8 it stays near a level line at 1, which is knowing nothing. With windows of 32 it falls. "
    "Right, the error at the end, a point for each seed. Medians and ranges: "
    + "; ".join(
        f"windows of {k}: {np.median(v):.2f}, from {v.min():.2f} to {v.max():.2f}"
        for k, v in ends.items()
    )
    + ".",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# The state crosses every border, so in both runs the bit *could* be there. But in a window of 8 no gradient travels
# farther than 7 steps (eight posts, seven gaps), and nobody tells the net to keep it. In a window of 32 the first
# eight losses are no better off; the other three of four hear of their bit. With windows of 8 every seed ends within a few
# hundredths of knowing nothing. So: **choose $k_2$ longer than the dependency that you want to be learnt**, by a good factor where
# $k_1 = k_2$.
#
# ## To think about
#
# 1. With $(k, k)$ the borders always fall on the same places. What would change if the windows' lengths were drawn at random?
# 2. Stateful training with a batch of one shows the net a text from its first to its last letter, in order. What assumption of
#    stochastic gradient descent is hurt?
# 3. A stateful net changes its weights in the middle of the stream: the state that it carries was computed by *older* weights.
#    When does that matter?
# 4. $(1, k_2)$ costs $k_2$ times the forward pass and gives every loss the same reach. Find a $(k_1, k_2)$ with half of that
#    reach at least for every loss, and at most three steps back for one forward.
#
# ## Summary
#
# - `tbptt=(k1, k2)`: after every $k_1$ steps, go back $k_2$. $(1, k_2)$ is a band, $(k, k)$ are triangles along the diagonal.
#   Inside, gradients are exact; outside, 0. Forward nothing changes.
# - Steps back: $T k_2/k_1$. Memory: $k_2$ steps.
# - A truncated gradient is biased, and the more so the better the net remembers.
# - A carried and detached state gives $(k, k)$ on a stream without end. Rows must go on where they ended, and the state must be
#   reset where a new text begins.
#
# **Read:** Williams and Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
# 1990; Tallec and Ollivier, "Unbiasing truncated backpropagation through time", 2017.
#
# **In the source:** [`minigrad/recurrent/truncation.py`](../minigrad/recurrent/truncation.py), `windows` and `through_windows`;
# [`minigrad/layers/rnn.py`](../minigrad/layers/rnn.py), where the state is carried;
# [`minigrad/train/tasks/text.py`](../minigrad/train/tasks/text.py), which lays a text out in streams.
