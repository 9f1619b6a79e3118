# %% [markdown]
# # 11 · Dropout in recurrent nets
#
# Noise that is meant to help: where it may be put in a net with a memory, how long one draw of it lasts, and what it does to the state.
#
# **Minutes:** 60 · **Needs:** lessons 5 to 7; mean and variance of a sum of independent numbers
#
# After this lesson you can
#
# 1. derive the factor $1/(1-p)$, and compute the noise that dropout adds to a sum;
# 2. say what a new mask at every step does to a memory, and what one mask for the whole sequence does instead;
# 3. write an LSTM step with both of Keras' ways to mask, and name what each costs.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, check, line, picture, same, scaled, table

# %% [markdown]
# ## The formula
#
# While it is trained, dropout multiplies each number of $x$ by a random number of a **mask** $m$, independently:
#
# $$y = m \circ x, \qquad m_i = \begin{cases} 0 & \text{with probability } p,\\
#   \dfrac{1}{1-p} & \text{otherwise.}\end{cases}$$
#
# The factor makes the mean right: $\mathbb E[m_i] = p\cdot 0 + (1-p)\cdot\frac1{1-p} = 1$. So the *expected* input of the next layer is
# the same with and without dropout, and when training is over the mask is left out and nothing needs to be scaled. The
# gradient passes through the same mask: $dx = m \circ dy$.
#
# The mean is right, but the variance is not 0:
#
# $$\operatorname{Var}[m_i] = \frac{1}{1-p} - 1 = \frac{p}{1-p},
# \qquad \operatorname{Var}\Bigl[\sum_i m_i x_i w_i\Bigr] = \frac{p}{1-p}\sum_i x_i^2 w_i^2 .$$
#
# | | shape |
# |---|---|
# | $x$, $m$, $y$ of one step | `(batch, features)` |
# | a new mask at each step | `(time, batch, features)` numbers drawn |
# | one mask a sequence | `(batch, features)` numbers drawn, used at every step |
#
# ## An example for paper
#
# $x = (2, 4)$, weights $w = (1, \tfrac12)$, $p = \tfrac12$. Without dropout the sum is $4$. There are four masks, each with probability
# ¼: they give $8$, $4$, $4$ and $0$. The mean is $4$. The variance is $(16 + 0 + 0 + 16)/4 = 8$, and the formula says
# $1\cdot(4\cdot 1 + 16\cdot\tfrac14) = 8$.

# %%
x, w = np.array([2.0, 4.0]), np.array([1.0, 0.5])
sums = [
    (np.array(m) / 0.5 * x) @ w for m in ((1.0, 1.0), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0))
]
print("sums:", *sums, "  mean:", np.mean(sums), "  variance:", np.var(sums))

# %% [markdown]
# ## Exercise 1: dropout, and its noise
#
# Write two functions. `mask(u, p)` makes a mask of numbers `u` that are drawn uniformly from $[0, 1)$: drop where
# $u < p$. `noise(x, W, p)` is the standard deviation of each entry of $z = (m\circ x)\,W$, for $x$ of shape `(batch, features)` and $W$
# `(features, units)`.


# %% exercise="dropout"
def mask(u, p):
    """0 with probability p, else 1/(1 − p)."""
    ### BEGIN SOLUTION
    return (u >= p) / (1 - p)
    ### END SOLUTION


def noise(x, W, p):
    """The standard deviation of z = (m ∘ x) W, (batch, units)."""
    ### BEGIN SOLUTION
    return np.sqrt(p / (1 - p) * (x**2 @ W**2))
    ### END SOLUTION


# %% mistake="dropout"
def mask(u, p):
    return (u >= p) * 1.0


# %% mistake="dropout"
def mask(u, p):
    """p is taken for the probability to keep."""
    return (u < p) / p


# %% mistake="dropout"
def noise(x, W, p):
    """The variance of a coin, without the factor."""
    return np.sqrt(p * (1 - p) * (x**2 @ W**2))


# %% mistake="dropout"
def noise(x, W, p):
    """The square of the sum in place of the sum of the squares."""
    return np.sqrt(p / (1 - p)) * np.abs(x @ W)


# %% variant="dropout"
def mask(u, p):
    """In place."""
    keep = 1 - p
    u[:] = np.where(u < p, 0, 1 / keep)
    return u


def noise(x, W, p):
    """Every product for itself; the root of each factor."""
    x **= 2
    return (x[:, :, None] * W**2).sum(axis=1) ** 0.5 * (1 / (1 - p) - 1) ** 0.5


# %% check="dropout" points=2
draw = np.random.default_rng(0)
for p in (0.1, 0.25, 0.7):
    m = ask(mask, draw.random(200_000), p, shape=(200_000,))
    same(f"share of zeros, p = {p}", (m == 0).mean(), p, rtol=0.03)
    same(f"mean of the mask, p = {p}", m.mean(), 1.0, rtol=0.02)
    inputs, W = draw.normal(size=(2, 5)), draw.normal(size=(5, 3))
    z = (ask(mask, draw.random((100_000, 2, 5)), p, shape=(100_000, 2, 5)) * inputs) @ W
    same(
        f"noise, p = {p}, against {len(z)} draws",
        ask(noise, inputs, W, p),
        z.std(axis=0),
        rtol=0.03,
    )

# %% [markdown]
# ## How long does a mask last?
#
# In a net without time there is nothing to ask. In a recurrent net the same units are there at every step, and a mask may be
# drawn **for each step**, or **once for each sequence**. Side by side, for the 16 units of one row:

# %%
UNITS, STEPS, P = 16, 40, 0.25
mg.random.seed(5)
per_step = np.stack([mg.random.dropout_mask((UNITS,), P).numpy() for _ in range(STEPS)])
per_sequence = np.tile(mg.random.dropout_mask((UNITS,), P).numpy(), (STEPS, 1))


# %%
def draw_masks(left, right):
    for ax, m, title in (
        (left, per_step, "a new mask at each step"),
        (right, per_sequence, "one mask a sequence"),
    ):
        ax.imshow(m.T > 0, cmap="Greys_r", aspect="auto", interpolation="nearest")
        ax.set(xlabel="step t", ylabel="unit", title=title, yticks=range(0, UNITS, 5))
        ax.grid(False)


picture(
    draw_masks,
    alt="Two dropout masks of 16 units over 40 steps, black where a unit is dropped. Left, a new "
    "mask at each step: black squares are strewn at random over a quarter of the picture. "
    "Right, one mask for the sequence: a few whole rows are black from the first step to the "
    "last, the others are white throughout.",
    columns=2,
    size=(9.5, 2.8),
)

# %% [markdown]
# On the *inputs* of a layer either is harmless: at worst a word is misread. On what comes from the step before, it is not the
# same. Let a unit do nothing but remember, $c_t = c_{t-1}$, from $c_0 = 1$, and put a mask on its way:
#
# - **a new one at each step**: $c_T = \prod_t m_t$. It is $0$ unless the unit was lucky $T$ times, which has the probability $(1-p)^T$,
#   and then it is $(1-p)^{-T}$. The mean is 1, as promised. The second moment is $\mathbb E[c_T^2] = (1-p)^{-T}$;
# - **the same at each step**: $0$ with probability $p$, else $(1-p)^{-T}$. Not even the mean is right.

# %%
draw, T, many = np.random.default_rng(1), 20, 100_000
each_step = np.prod(
    masks_20 := np.where(draw.random((T, many)) < P, 0, 1 / (1 - P)), axis=0
)
one_mask = masks_20[0] ** T
table(
    [f"after {T} steps, p = {P}", "still alive", "a survivor's value", "expected alive"],
    [
        (
            "a new mask each step",
            f"{(each_step > 0).mean():.1%}",
            f"{each_step.max():.0f}",
            f"{(1 - P) ** T:.1%}",
        ),
        (
            "one mask",
            f"{(one_mask > 0).mean():.1%}",
            f"{one_mask.max():.0f}",
            f"{1 - P:.1%}",
        ),
    ],
)


# %%
def draw_memory(left, right):
    t = np.arange(0, 41)
    for k, p in enumerate((0.05, 0.1, 0.25, 0.5)):
        left.semilogy(t, (1 - p) ** t, label=f"p = {p}", **line(k))
        right.semilogy(t, (1 - p) ** -t.astype(float), label=f"p = {p}", **line(k))
    left.set(
        xlabel="steps remembered",
        ylabel="probability that it is still there",
        ylim=(1e-6, 1.5),
    )
    right.set(
        xlabel="steps remembered", ylabel="E[c²] with a new mask a step", ylim=(0.7, 1e6)
    )
    left.legend()


picture(
    draw_memory,
    alt="A unit that only remembers, with dropout on its own path and a new mask at each step. "
    "Left, the probability that its content is still there, logarithmic, against the steps: "
    "straight falling lines. After 40 steps it is 0.13 for p = 0.05, 0.015 for 0.1, 1e-5 "
    "for 0.25; for 0.5 it is below 1e-6 after 20. Right, the mean square of the content: the "
    "mirror image, rising to 8, 70 and 1e5 for the first three, and out of the picture for 0.5.",
    columns=2,
    size=(9.5, 3.5),
)

# %% [markdown]
# Either is the end of a memory. The conclusion of those who met it is the same each time: **never on the carousel.** $c$ itself
# is not masked; masks act on what *goes into* the gates, where a squashing function bounds the damage. Three places remain:
#
# | place | in Keras | the mask lasts |
# |---|---|---|
# | between layers: on the outputs of one, the inputs of the next | a `Dropout` layer | one draw for each step |
# | on $x_t$, as it enters the gates | `LSTM(…, dropout=p)` | the sequence |
# | on $h_{t-1}$, as it enters the gates | `LSTM(…, recurrent_dropout=p)` | the sequence |
#
# One mask a sequence is more than a matter of taste. It is the dropout that one would get by drawing a *net*, with some rows of
# $W$ and $U$ deleted, and running that net over the sequence: each mask is one of many thinned nets, the same at every
# step, and training averages over nets. With masks that change at every step no such net exists.
#
# ## One mask, or four?
#
# The gates of an LSTM are computed from the same $x_t$. Shall all four see the same mask? In Keras that is decided by an
# argument that sounds like a matter of speed:
#
# - `implementation=1`: four masks, one a gate: $z_k = (m_k\circ x)\,W_k + (r_k\circ h)\,U_k + b_k$, for $k = i, f, \tilde c, o$;
# - `implementation=2`: one mask, and so one large matrix product: $z = (m\circ x)\,W + h\,U + b$.
#
# With `recurrent_dropout` on, the layer always goes the first way. minigrad keeps that, so that a model gives the same numbers.

# %%
for options in (
    {"dropout": 0.5, "implementation": 1},
    {"dropout": 0.5, "implementation": 2},
    {"dropout": 0.5, "recurrent_dropout": 0.5, "implementation": 2},
):
    cell = mg.keras.layers.LSTMCell(3, **options)
    print(options, "→ implementation", cell.implementation)

# %% [markdown]
# ## Exercise 2: the step with masks
#
# Write `gates_with_masks(x, h, W, U, b, m, r)`: the pre-activations $z$, `(batch, 4 units)`, in the order $i, f, \tilde c, o$. `m` is
# `(4, batch, features)`, `r` is `(4, batch, units)`, one mask a gate. (For `implementation=2`, four copies of one
# mask.) The check takes the masks that a cell of minigrad has drawn, and compares the state after the step.


# %% exercise="masks"
def gates_with_masks(x, h, W, U, b, m, r):
    """z, (batch, 4 units), each gate with its own masks."""
    ### BEGIN SOLUTION
    parts = zip(np.split(W, 4, axis=1), np.split(U, 4, axis=1), m, r, strict=True)
    return (
        np.concatenate(
            [(m_k * x) @ W_k + (r_k * h) @ U_k for W_k, U_k, m_k, r_k in parts], axis=1
        )
        + b
    )
    ### END SOLUTION


# %% mistake="masks"
def gates_with_masks(x, h, W, U, b, m, r):
    """All gates see the first mask."""
    return (m[0] * x) @ W + (r[0] * h) @ U + b


# %% mistake="masks"
def gates_with_masks(x, h, W, U, b, m, r):
    """The state is not masked."""
    parts = zip(np.split(W, 4, axis=1), m, strict=True)
    return np.concatenate([(m_k * x) @ W_k for W_k, m_k in parts], axis=1) + h @ U + b


# %% mistake="masks"
def gates_with_masks(x, h, W, U, b, m, r):
    """The masks of f and o are exchanged."""
    parts = zip(
        np.split(W, 4, axis=1), np.split(U, 4, axis=1), m[[0, 3, 2, 1]], r, strict=True
    )
    return (
        np.concatenate(
            [(m_k * x) @ W_k + (r_k * h) @ U_k for W_k, U_k, m_k, r_k in parts], axis=1
        )
        + b
    )


# %% variant="masks"
def gates_with_masks(x, h, W, U, b, m, r):
    """In place, into an array of zeros; [x, h] in one product."""
    u = h.shape[1]
    z = np.zeros((len(x), 4 * u))
    m *= x
    r *= h
    for k in range(4):
        at = slice(k * u, (k + 1) * u)
        z[:, at] += np.hstack([m[k], r[k]]) @ np.vstack([W[:, at], U[:, at]]) + b[at]
    return z


# %% check="masks" points=3
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


draw = np.random.default_rng(2)
for options in ({"recurrent_dropout": 0.4, "implementation": 1}, {"implementation": 2}):
    mg.random.seed(6)
    cell = mg.keras.layers.LSTMCell(5, dropout=0.5, dtype="float64", **options)
    x, h, c = (mg.tensor(draw.normal(size=(3, n))) for n in (4, 5, 5))
    _, (h_new, c_new) = cell(x, [h, c], training=True)
    m = np.stack([k.numpy() for k in cell.get_dropout_mask_for_cell(x, True, 4)])
    drawn = cell.get_recurrent_dropout_mask_for_cell(h, True, 4)
    r = np.ones((4, 3, 5)) if drawn is None else np.stack([k.numpy() for k in drawn])
    m = m if cell.implementation == 1 else np.stack([m[0]] * 4)
    given = (x.numpy(), h.numpy(), *cell.get_weights(), m, r)
    z = ask(gates_with_masks, *given, shape=(3, 20))
    i, f, g, o = np.split(z, 4, axis=1)
    c_yours = sigmoid(f) * c.numpy() + sigmoid(i) * np.tanh(g)
    same(f"c_new, implementation {cell.implementation}", c_yours, c_new)
    same(
        f"h_new, implementation {cell.implementation}", sigmoid(o) * np.tanh(c_yours), h_new
    )

# %% [markdown]
# ## When are masks drawn?
#
# A recurrent *layer* draws them at the start of each call and uses them to its end. A *cell* that you call yourself, step by
# step, keeps its masks until `reset_dropout_mask()` and `reset_recurrent_dropout_mask()`. Forget that, and every sequence of the training gets the same
# mask: some inputs are never seen at all.

# %%
mg.random.seed(7)
layer = mg.keras.layers.LSTM(5, dropout=0.5, return_sequences=True)
ones = np.ones((1, 4, 6), np.float32)
shown = []
for _ in range(2):
    layer(ones, training=True)
    masks = layer.cell.get_dropout_mask_for_cell(mg.tensor(ones[:, 0]), True, 4)
    shown.append(masks[0].numpy()[0] > 0)
print("kept in the first call: ", *np.flatnonzero(shown[0]))
print("kept in the second call:", *np.flatnonzero(shown[1]))
quiet = [layer(ones, training=False).numpy() for _ in range(2)]
print("without training twice the same:", np.array_equal(*quiet))

# %% [markdown]
# ## How noisy does a state get?
#
# An LSTM of 32 units, one input sequence, 400 draws of the masks; the spread of $h_t$ over the draws, against the
# distance between the state without dropout and the mean of those with it. Only in *linear* nets is the mean right: a sigmoid
# of the mean is not the mean of the sigmoids.

# %%
DRAWS, LENGTH = scaled(400, 100), 30
sequence = np.repeat(np.random.default_rng(3).normal(size=(1, LENGTH, 8)), DRAWS, axis=0)


def spread(every_step, **options):
    """The standard deviation of h_t over the draws, and the error of their mean, root mean squares (time,)."""
    mg.random.seed(8)
    lstm = mg.keras.layers.LSTM(32, return_sequences=True, dtype="float64", **options)
    lstm.build((None, None, 8))  # the same weights each time
    if every_step:  # a new mask for each step: a Dropout layer before the LSTM
        h = lstm(
            mg.keras.layers.Dropout(P, dtype="float64")(sequence, training=True)
        ).numpy()
    else:
        h = lstm(sequence, training=True).numpy()
    without = lstm(sequence[:1], training=False).numpy()[0]
    return [
        np.sqrt((a**2).mean(axis=-1)) for a in (h.std(axis=0), h.mean(axis=0) - without)
    ]


spreads = {
    "inputs, a new mask each step": spread(True),
    "inputs, one mask a sequence": spread(False, dropout=P),
    "state, one mask a sequence": spread(False, recurrent_dropout=P),
}


# %%
def draw_spread(left, right):
    t = np.arange(1, LENGTH + 1)
    for k, (name, (std, bias)) in enumerate(spreads.items()):
        left.plot(t, std, label=name, **line(k))
        right.plot(t, bias, label=name, **line(k))
    left.set(xlabel="step t", ylabel="spread of h_t over the draws", ylim=(0, None))
    right.set(
        xlabel="step t", ylabel="|mean of h_t − h_t without dropout|", ylim=left.get_ylim()
    )
    right.legend()


picture(
    draw_spread,
    alt="Left, the spread of an LSTM's state over 400 draws of the masks, against the step. With "
    "masks on the inputs it is between 0.05 and 0.09 from the first step on, of about the same "
    "size whether masks are drawn for each step or once a sequence. With one mask on the state it is 0 at the "
    "first step, grows for some eight steps, and stays near 0.025. Right, on the same scale, "
    "how far the mean over the draws is from the state without dropout: about 0.01 for masks on "
    "the inputs and about 0.002 for masks on the state, small beside the spread but not 0.",
    columns=2,
    size=(9.5, 3.5),
)

# %% [markdown]
# Three things to see. The noise on the state has to build up: at the first step $h_0 = 0$, and there is nothing to drop. It is
# smaller here because the state of an untrained net is small; what counts is $\sum x^2w^2$, of exercise 1. And the mean is *nearly* what it
# is without dropout: what is left on the right is the price of switching the masks off for prediction.
#
# ## Exercise 3: the gradient under one mask
#
# One more argument for the same mask at every step. Take the simple net with a mask on the state,
# $h_t = \tanh(x_t W + (r\circ h_{t-1})\,U + b)$, and $r$ one mask for the sequence. Write
# `back_one_step(dh_t, h_t, U, r)`: from $\partial L/\partial h_t$ and $h_t$ the share that reaches $h_{t-1}$. The check runs
# it down a sequence and compares with the tape. Look at the result too: what do the dropped units get?


# %% exercise="back"
def back_one_step(dh_t, h_t, U, r):
    """∂L/∂h_{t−1}, as far as it comes through h_t: (batch, units)."""
    ### BEGIN SOLUTION
    ds_t = dh_t * (1 - h_t * h_t)
    return r * (ds_t @ U.T)
    ### END SOLUTION


# %% mistake="back"
def back_one_step(dh_t, h_t, U, r):
    return (dh_t * (1 - h_t * h_t)) @ U.T


# %% mistake="back"
def back_one_step(dh_t, h_t, U, r):
    """The mask is put on the wrong side of U."""
    return (r * dh_t * (1 - h_t * h_t)) @ U.T


# %% mistake="back"
def back_one_step(dh_t, h_t, U, r):
    """The mask without its factor."""
    return (r > 0) * ((dh_t * (1 - h_t * h_t)) @ U.T)


# %% variant="back"
def back_one_step(dh_t, h_t, U, r):
    """In place; the mask goes into U."""
    dh_t -= dh_t * h_t**2
    return np.stack([d @ (row[:, None] * U).T for d, row in zip(dh_t, r, strict=True)])


# %% check="back" points=2
draw = np.random.default_rng(4)
U = mg.tensor(0.5 * draw.normal(size=(6, 6)))
r = np.where(draw.random((2, 6)) < 0.4, 0.0, 1 / 0.6)
h_0 = mg.tensor(draw.normal(size=(2, 6)), requires_grad=True)
hs, dh = [h_0], draw.normal(size=(2, 6))
for x_t in draw.normal(size=(5, 2, 6)):
    hs.append(mg.tanh((hs[-1] * r) @ U + x_t))
(hs[-1] * dh).sum().backward()
for h_t in hs[:0:-1]:
    dh = ask(back_one_step, dh, h_t.numpy(), U.numpy(), r, shape=(2, 6))
same("dh_0, five steps back", dh, h_0.grad)
check((dh[r == 0] == 0).all(), "a unit that was dropped should get no gradient.")

# %% [markdown]
# A dropped unit gets no gradient, at *any* step: for this sequence it does not exist. The others see the net that is left, along
# the whole way back. With a new mask at each step every path through time is cut somewhere: a path over $T$ steps is whole
# with probability $(1-p)^T$, and the gradient that goes along it has the noise of the second figure.
#
# ## To think about
#
# 1. `dropout=0.5` on one-hot inputs, one mask a sequence: what is dropped is a *word*, for the whole text. With a new mask at each
#    step it is a *place*. Which would you choose for which task?
# 2. With `implementation=1` the input gate may see a word that the forget gate does not. Is that more noise, or less?
# 3. A stateful layer draws new masks for each window (lesson 10). What does that do to the argument about the thinned net?
# 4. Leave the dropout *on* when you predict, and predict a hundred times. What does the spread tell you, and what not?
#
# ## Summary
#
# - A mask is 0 or $1/(1-p)$: the mean is kept, and the noise of a sum is $\frac{p}{1-p}\sum x^2w^2$. Behind a nonlinearity even the
#   mean is kept approximately only.
# - A new mask at each step on the way of a memory leaves $(1-p)^T$ of it alive. So: not on $c$; on $x$ and $h$ where they enter the
#   gates, one mask a sequence.
# - `implementation=1` draws a mask for each gate, `implementation=2` one for all; `recurrent_dropout` means the former.
# - Layers draw masks anew at each call; a cell keeps them until they are reset.
#
# **Read:** Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", 2016; Semeniuta,
# Severyn and Barth, "Recurrent dropout without memory loss", 2016; Zaremba, Sutskever and Vinyals, "Recurrent neural network
# regularization", 2014.
#
# **In the source:** [`minigrad/layers/cell.py`](../minigrad/layers/cell.py), where masks are drawn and kept;
# [`minigrad/recurrent/dropout.py`](../minigrad/recurrent/dropout.py), where they meet the weights;
# [`minigrad/engine/random/draws.py`](../minigrad/engine/random/draws.py), `dropout_mask`.
