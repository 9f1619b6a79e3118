# %% [markdown]
# # 11 · Dropout in recurrent nets
#
# Noise that helps: the places for it in a net with a memory, the time that one draw of it lasts, and its effect on the state.
#
# **Minutes:** 60 · **Needs:** lessons 5 to 7; mean and variance of a sum of independent numbers
#
# After this lesson you can
#
# 1. derive the factor $1/(1-p)$, and compute the noise that dropout adds to a sum;
# 2. say how a new mask at every step changes a memory, and how one mask for the whole sequence does;
# 3. write an LSTM step with both of Keras' kinds of masks, and name the cost of each.

# %%
from itertools import product

import numpy as np

import minigrad as mg
from lesson_tools import ask, check, line, picture, same, same_parts, scaled, table

# %% [markdown]
# ## The formula
#
# During training, dropout multiplies each number of $x$ by a random number of a **mask** $m$, independently:
#
# $$y = m \circ x, \qquad m_i = \begin{cases} 0 & \text{with probability } p,\\
#   \dfrac{1}{1-p} & \text{otherwise.}\end{cases}$$
#
# The factor makes the mean right: $\mathbb E[m_i] = p\cdot 0 + (1-p)\cdot\frac1{1-p} = 1$. So the *expected* input of the next layer is
# the same with and without dropout. After the training the mask is left out, and nothing has to be scaled. The gradient is multiplied by
# the same mask: $dx = m \circ dy$.
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
# | one mask for a sequence | `(batch, features)` numbers drawn, used at every step |
#
# ## An example for paper
#
# $x = (2, 4)$, weights $w = (1, \tfrac12)$, $p = \tfrac12$. Without dropout the sum is $4$. There are four masks, each with probability
# ¼: they give $8$, $4$, $4$ and $0$. The mean is $4$. The variance is $(16 + 0 + 0 + 16)/4 = 8$, and the formula says
# $1\cdot(4\cdot 1 + 16\cdot\tfrac14) = 8$.

# %%
x, w = np.array([2.0, 4.0]), np.array([1.0, 0.5])
kept = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])  # the four masks
sums = (kept / 0.5 * x) @ w
print("sums:", *sums, "  mean:", sums.mean(), "  variance:", sums.var())

# %% [markdown]
# ## Exercise 1: dropout, and its noise
#
# Write two functions. `mask(u, p)` makes a mask from numbers `u` that are drawn uniformly from $[0, 1)$: drop where $u < p$.
# `noise(x, W, p)` is the standard deviation of each number of $z = (m\circ x)\,W$, for $x$ of shape `(batch, features)` and $W$
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
    variance = p / (1 - p) * (x**2 @ W**2)
    return np.sqrt(variance)
    ### END SOLUTION


# %% [markdown] hint="dropout"
# What is `u >= p` as numbers? For the noise: which formula above has the variance of such a sum, and how do you write $\sum_i x_i^2 w_i^2$ as a
# matrix product?

# %% [markdown] hint="dropout"
# The mask is `u >= p`, divided by $1 - p$. The noise is the root of $\frac{p}{1-p}$ times the matrix product of the squares of $x$ and the
# squares of $W$.


# %% mistake="dropout"
# The factor is missing: a number that is kept is divided by 1 − p, so that the mean stays right.
def mask(u, p):
    """Without the factor."""
    return (u >= p) * 1.0


# %% mistake="dropout"
# Your p is the probability to keep. Here p is the probability to drop.
def mask(u, p):
    """Probability to keep for probability to drop."""
    return (u < p) / p


# %% mistake="dropout"
# The factor is 1/p. The mean is right with 1/(1 − p), because the share 1 − p is kept.
def mask(u, p):
    """Another factor."""
    return (u >= p) / p


# %% mistake="dropout"
# Your variance is p (1 − p), that of a mask of 0 and 1. The factor 1/(1 − p) makes it larger.
def noise(x, W, p):
    """The variance of a mask without the factor."""
    return np.sqrt(p * (1 - p) * (x**2 @ W**2))


# %% mistake="dropout"
# The noise of each term is independent, so the squares of the terms add up. Yours is the square of the sum.
def noise(x, W, p):
    """The square of the sum in place of the sum of the squares."""
    return np.sqrt(p / (1 - p)) * np.abs(x @ W)


# %% mistake="dropout"
# This is the variance. The standard deviation is its root.
def noise(x, W, p):
    """The variance."""
    return p / (1 - p) * (x**2 @ W**2)


# %% mistake="dropout"
# The factor p/(1 − p) is missing: without dropout there is no noise.
def noise(x, W, p):
    """For p = 1/2 only."""
    return np.sqrt(x**2 @ W**2)


# %% mistake="dropout"
# Dropped and kept numbers are exchanged: drop where u < p.
def mask(u, p):
    """The wrong side."""
    return (u < p) / (1 - p)


# %% mistake="dropout"
# The kept numbers are multiplied by 1 − p. They have to be divided by it: they make up for those that are dropped.
def mask(u, p):
    """Multiplied in the place of divided."""
    return (u >= p) * (1 - p)


# %% mistake="dropout"
# The mask is multiplied by u. It has two values only, 0 and 1/(1 − p).
def mask(u, p):
    """The mask applied to u."""
    return u * (u >= p) / (1 - p)


# %% mistake="dropout"
# Your function draws new numbers. The random numbers are its argument u.
def mask(u, p):
    """Another draw."""
    return (np.random.default_rng(0).random(u.shape) >= p) / (1 - p)


# %% mistake="dropout"
# Your factor is 1/(1 − p), the mean of the squares of the mask. The variance is this minus the square of the mean, 1.
def noise(x, W, p):
    """The second moment."""
    return np.sqrt(1 / (1 - p) * (x**2 @ W**2))


# %% mistake="dropout"
# The root is taken of the sum only. It belongs around the whole variance, with its factor p/(1 − p).
def noise(x, W, p):
    """A root too short."""
    return p / (1 - p) * np.sqrt(x**2 @ W**2)


# %% mistake="dropout"
# p and 1 − p are exchanged: the noise grows with p.
def noise(x, W, p):
    """A factor upside down."""
    return np.sqrt((1 - p) / p * (x**2 @ W**2))


# %% mistake="dropout"
# x is not squared. The variance of m x w is that of m, times the square of x w.
def noise(x, W, p):
    """x without its square."""
    return np.sqrt(p / (1 - p) * np.abs(x @ W**2))


# %% mistake="dropout"
# This is the noise of one number of the mask. Each z is a sum of such numbers, times x and W.
def noise(x, W, p):
    """The noise of the mask alone."""
    return np.full((len(x), W.shape[1]), np.sqrt(p / (1 - p)))


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


# %% [markdown]
# The check of the noise takes all 32 masks of five features, each with its probability, and computes the standard deviation of $z$ from them.


# %% check="dropout" points=2
def all_masks(n, p):
    """Every mask of n numbers, and its probability."""
    dropped = np.array(list(product([True, False], repeat=n)))
    return np.where(dropped, 0, 1 / (1 - p)), np.where(dropped, p, 1 - p).prod(axis=1)


draw = np.random.default_rng(0)
for p in (0.3, 0.1, 0.7):
    u = draw.random(1000)
    m = ask(mask, u, p, shape=(1000,))
    dropped, kept = m[u < p], m[u >= p]
    same(f"the mask where u < p, p = {p}", dropped, 0 * dropped)
    same(f"the mask where u ≥ p, p = {p}", kept, np.full(kept.shape, 1 / (1 - p)))
    inputs, W = draw.normal(size=(2, 5)), draw.normal(size=(5, 3))
    masks, probability = all_masks(5, p)
    z = (masks[:, None] * inputs) @ W  # (32, rows, units)
    mean = np.tensordot(probability, z, 1)
    expected = np.sqrt(np.tensordot(probability, (z - mean) ** 2, 1))
    yours = ask(noise, inputs, W, p, shape=(2, 3))
    same(f"noise, p = {p}", yours, expected, axes="row unit")

# %% [markdown]
# ## How long does a mask last?
#
# In a net without time this question does not arise. In a recurrent net the same units are there at every step, and a mask may be
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
        (right, per_sequence, "one mask for the sequence"),
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
# On the *inputs* of a layer both are harmless: at worst a word is misread. On a value that comes from the step before, they are not. Let a
# unit only remember, $c_t = c_{t-1}$, from $c_0 = 1$, and put a mask between the steps:
#
# - **a new mask at each step**: $c_T = \prod_t m_t$. It is $0$, except if the unit was kept $T$ times, which has the probability
#   $(1-p)^T$; then it is $(1-p)^{-T}$. The mean is 1, as it should be. The mean of the square is $\mathbb E[c_T^2] = (1-p)^{-T}$;
# - **the same mask at each step**: $0$ with probability $p$, else $(1-p)^{-T}$. Not even the mean is right.

# %%
T, ROWS = 20, 100_000
draw = np.random.default_rng(1)
masks_of_each_step = np.where(draw.random((T, ROWS)) < P, 0, 1 / (1 - P))
each_step = np.prod(masks_of_each_step, axis=0)
one_mask = masks_of_each_step[0] ** T
rows = []
for name, c_T, probability in (
    ("a new mask at each step", each_step, (1 - P) ** T),
    ("one mask", one_mask, 1 - P),
):
    share = (c_T > 0).mean()
    rows.append([name, f"{share:.1%}", f"{probability:.1%}", f"{c_T.max():.0f}"])
header = ["share that is not 0", "its probability", "value of those"]
table([f"after {T} steps, p = {P}", *header], rows)


# %%
def draw_memory(left, right):
    t = np.arange(0, 41)
    for k, p in enumerate((0.05, 0.1, 0.25, 0.5)):
        left.semilogy(t, (1 - p) ** t, label=f"p = {p}", **line(k))
        right.semilogy(t, (1 - p) ** -t.astype(float), label=f"p = {p}", **line(k))
    left.set(
        xlabel="steps remembered",
        ylabel="probability that c is not 0",
        ylim=(1e-6, 1.5),
    )
    right.set(xlabel="steps remembered", ylabel="mean of c²", ylim=(0.7, 1e6))
    left.legend()


picture(
    draw_memory,
    alt="A unit that only remembers, with dropout between the steps and a new mask at each step. "
    "Left, the probability that its value is not 0, logarithmic, against the steps: "
    "straight falling lines. After 40 steps it is 0.13 for p = 0.05, 0.015 for 0.1, 1e-5 "
    "for 0.25; for 0.5 it is below 1e-6 after 20. Right, the mean square of the value: the "
    "mirror image, rising to 8, 70 and 1e5 for the first three, and out of the picture for 0.5.",
    columns=2,
    size=(9.5, 3.5),
)

# %% [markdown]
# Both destroy the memory. The papers below all draw the same conclusion: **never on the carousel.** $c$ itself is not masked. Masks act
# on the inputs of the gates, where σ and tanh limit the damage. Three places remain:
#
# | place | in Keras | the mask lasts |
# |---|---|---|
# | between layers: on the outputs of one, the inputs of the next | a `Dropout` layer | one draw for each step |
# | on $x_t$, as an input of the gates | `LSTM(…, dropout=p)` | the sequence |
# | on $h_{t-1}$, as an input of the gates | `LSTM(…, recurrent_dropout=p)` | the sequence |
#
# There is a reason for one mask in a sequence. It is as if one drew a *net*, with some rows of $W$ and $U$ deleted, and ran that net over
# the sequence: each mask is one of many **thinned nets**, the same at every step, and training takes the mean over such nets. With masks that
# change at every step there is no such net.
#
# ## One mask, or four?
#
# The gates of an LSTM are computed from the same $x_t$. Should all four have the same mask? In Keras an argument decides this, whose name
# suggests that it is about speed:
#
# - `implementation=1`: four masks, one for each gate: $z_k = (m_k\circ x)\,W_k + (r_k\circ h)\,U_k + b_k$, for $k = i, f, g, o$;
# - `implementation=2`: one mask, and so one large matrix product: $z = (m\circ x)\,W + h\,U + b$.
#
# With `recurrent_dropout` the layer always takes the first one. minigrad does the same, so that a model gives the same numbers.

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
# Write `gates_with_masks(x, h, W, U, b, m, r)`: the $z$ of all gates, `(batch, 4 units)`, in the order $i, f, g, o$. `m` is
# `(4, batch, features)` and `r` is `(4, batch, units)`: a mask for each gate. (For `implementation=2`, `m` has four copies of one mask, and `r`
# is 1 everywhere.)


# %% exercise="masks"
def gates_with_masks(x, h, W, U, b, m, r):
    """z, (batch, 4 units), each gate with its own masks."""
    ### BEGIN SOLUTION
    W_of, U_of, b_of = (np.split(weight, 4, axis=-1) for weight in (W, U, b))
    parts = [(m[k] * x) @ W_of[k] + (r[k] * h) @ U_of[k] + b_of[k] for k in range(4)]
    return np.concatenate(parts, axis=1)
    ### END SOLUTION


# %% [markdown] hint="masks"
# Write the formula of `implementation=1` for one gate, $k$. Which columns of $W$, $U$ and $b$ belong to it?

# %% [markdown] hint="masks"
# `np.split(W, 4, axis=-1)` cuts the columns into those of $i$, $f$, $g$, $o$; in the same way $U$ and $b$. For each gate compute
# $(m_k\circ x)\,W_k + (r_k\circ h)\,U_k + b_k$, and put the four results next to each other with `np.concatenate`, along axis 1.


# %% mistake="masks"
# The first mask is used for all four gates. Each gate has its own.
def gates_with_masks(x, h, W, U, b, m, r):
    """One mask for all gates."""
    return (m[0] * x) @ W + (r[0] * h) @ U + b


# %% mistake="masks"
# x has its masks, h has none: r is not used.
def gates_with_masks(x, h, W, U, b, m, r):
    """The state without a mask."""
    parts = zip(np.split(W, 4, axis=1), m, strict=True)
    return np.concatenate([(m_k * x) @ W_k for W_k, m_k in parts], axis=1) + h @ U + b


# %% mistake="masks"
# h has its masks, x has none: m is not used.
def gates_with_masks(x, h, W, U, b, m, r):
    """The input without a mask."""
    parts = zip(np.split(U, 4, axis=1), r, strict=True)
    return np.concatenate([(r_k * h) @ U_k for U_k, r_k in parts], axis=1) + x @ W + b


# %% mistake="masks"
# The masks of f and o are exchanged for x: the order is i, f, g, o.
def gates_with_masks(x, h, W, U, b, m, r):
    """Masks in another order."""
    parts = zip(
        np.split(W, 4, axis=1), np.split(U, 4, axis=1), m[[0, 3, 2, 1]], r, strict=True
    )
    return (
        np.concatenate(
            [(m_k * x) @ W_k + (r_k * h) @ U_k for W_k, U_k, m_k, r_k in parts], axis=1
        )
        + b
    )


# %% mistake="masks"
# The mask is on the products x W and h U. It belongs on x and h, before the product.
def gates_with_masks(x, h, W, U, b, m, r):
    """Masks after the product, by the mean of each."""
    m_k, r_k = (np.repeat(a.mean(axis=2).T, h.shape[1], axis=1) for a in (m, r))
    return m_k * (x @ W) + r_k * (h @ U) + b


# %% mistake="masks"
# The bias b is missing in your z.
def gates_with_masks(x, h, W, U, b, m, r):
    """Without a bias."""
    parts = zip(np.split(W, 4, axis=1), np.split(U, 4, axis=1), m, r, strict=True)
    return np.concatenate(
        [(m_k * x) @ W_k + (r_k * h) @ U_k for W_k, U_k, m_k, r_k in parts], axis=1
    )


# %% mistake="masks"
# The masks are used in reverse order. The order of the gates is i, f, g, o.
def gates_with_masks(x, h, W, U, b, m, r):
    """Masks from the last to the first."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append((m[3 - k] * x) @ W[:, at] + (r[3 - k] * h) @ U[:, at] + b[at])
    return np.concatenate(parts, axis=1)


# %% mistake="masks"
# x has four masks, h has the first one of r for all gates.
def gates_with_masks(x, h, W, U, b, m, r):
    """One mask for h."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append((m[k] * x) @ W[:, at] + (r[0] * h) @ U[:, at] + b[at])
    return np.concatenate(parts, axis=1)


# %% mistake="masks"
# h has four masks, x has the first one of m for all gates.
def gates_with_masks(x, h, W, U, b, m, r):
    """One mask for x."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append((m[0] * x) @ W[:, at] + (r[k] * h) @ U[:, at] + b[at])
    return np.concatenate(parts, axis=1)


# %% mistake="masks"
# Each gate gets the bias of the input gate. Cut b into four parts, too.
def gates_with_masks(x, h, W, U, b, m, r):
    """The first bias."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append((m[k] * x) @ W[:, at] + (r[k] * h) @ U[:, at] + b[: h.shape[1]])
    return np.concatenate(parts, axis=1)


# %% mistake="masks"
# The four parts are right, but in the order i, g, f, o. Here it is i, f, g, o.
def gates_with_masks(x, h, W, U, b, m, r):
    """Another order of the gates."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append((m[k] * x) @ W[:, at] + (r[k] * h) @ U[:, at] + b[at])
    return np.concatenate([parts[k] for k in (0, 2, 1, 3)], axis=1)


# %% mistake="masks"
# σ is applied already. Return z, before any activation.
def gates_with_masks(x, h, W, U, b, m, r):
    """With an activation."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append((m[k] * x) @ W[:, at] + (r[k] * h) @ U[:, at] + b[at])
    return 1 / (1 + np.exp(-np.concatenate(parts, axis=1)))


# %% mistake="masks"
# The product of h and U is missing.
def gates_with_masks(x, h, W, U, b, m, r):
    """Without the state."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append((m[k] * x) @ W[:, at] + b[at])
    return np.concatenate(parts, axis=1)


# %% mistake="masks"
# The mean of the four masks is used for all gates. Each gate has a separate mask.
def gates_with_masks(x, h, W, U, b, m, r):
    """A mean of masks."""
    parts = []
    for k in range(4):
        at = slice(k * h.shape[1], (k + 1) * h.shape[1])
        parts.append(
            (m.mean(axis=0) * x) @ W[:, at] + (r.mean(axis=0) * h) @ U[:, at] + b[at]
        )
    return np.concatenate(parts, axis=1)


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


# %% [markdown]
# The check runs one step of a layer, takes the masks that the layer has drawn, and compares your gates with those of a trace.


# %% check="masks" points=3
def step_of_a_layer(x, h, c, **options):
    """The gates of one step by minigrad, the weights, and the masks, four for x and four for h."""
    mg.random.seed(6)
    layer = mg.keras.layers.LSTM(5, dropout=0.5, dtype="float64", **options)
    layer.build((None, None, x.shape[1]))
    weights = [draw.normal(size=w.shape) for w in layer.get_weights()]
    layer.set_weights(weights)
    with mg.trace(layer) as seen:
        layer(x[:, None], initial_state=[h, c], training=True)
    cell = layer.cell
    m = [one.numpy() for one in cell.get_dropout_mask_for_cell(mg.tensor(x), True, 4)]
    drawn = cell.get_recurrent_dropout_mask_for_cell(mg.tensor(h), True, 4)
    r = [np.ones_like(h)] * 4 if drawn is None else [one.numpy() for one in drawn]
    m = m if cell.implementation == 1 else [m[0]] * 4
    return [getattr(seen, k)[0] for k in "ifgo"], weights, np.stack(m), np.stack(r)


GATES = ("i", "f", "g", "o")
draw = np.random.default_rng(2)
x_, h_, c_ = (draw.normal(size=(3, n)) for n in (4, 5, 5))
for options in ({"recurrent_dropout": 0.4, "implementation": 1}, {"implementation": 2}):
    right, weights, m, r = step_of_a_layer(x_, h_, c_, **options)
    z = ask(gates_with_masks, x_, h_, *weights, m, r, shape=(3, 20))
    z_i, z_f, z_g, z_o = np.split(z, 4, axis=1)
    i, f, o = (1 / (1 + np.exp(-part)) for part in (z_i, z_f, z_o))
    same_parts(GATES, (i, f, np.tanh(z_g), o), right, axes=dict.fromkeys(GATES, "row unit"))

# %% [markdown]
# ## When are masks drawn?
#
# A recurrent *layer* draws them at the start of each call and uses them to its end. A *cell* that you call yourself, step by step, keeps its
# masks until `reset_dropout_mask()` and `reset_recurrent_dropout_mask()`. If you forget these, every sequence of the training gets the same
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
print("without training, two calls give the same numbers:", np.array_equal(*quiet))

# %% [markdown]
# ## How noisy does a state get?
#
# An LSTM of 32 units, one input sequence, and 400 draws of the masks. Two numbers for each step: the spread of $h_t$ over the draws (its
# standard deviation), and the distance between the mean of $h_t$ over the draws and $h_t$ without dropout. Only *linear* nets keep the mean:
# σ of a mean is not the mean of the σ. We take five nets, each with other weights and another sequence.

# %%
DRAWS, LENGTH, SEEDS = scaled(400, 100), 30, range(scaled(5, 2))


def spread(seed, a_new_mask_at_each_step=False, **options):
    """The spread of h_t over the draws, and the error of their mean: root mean squares over the units."""
    sequence = np.random.default_rng(seed).normal(size=(1, LENGTH, 8))
    copies = np.repeat(sequence, DRAWS, axis=0)  # a row for each draw
    mg.random.seed(seed)
    lstm = mg.keras.layers.LSTM(32, return_sequences=True, dtype="float64", **options)
    without = lstm(sequence, training=False).numpy()[0]
    if a_new_mask_at_each_step:
        copies = mg.keras.layers.Dropout(P, dtype="float64")(copies, training=True)
    h = lstm(copies, training=True).numpy()
    over_draws = h.std(axis=0), h.mean(axis=0) - without  # (time, units) each
    return [np.sqrt((values**2).mean(axis=-1)) for values in over_draws]


spreads = {
    "inputs, a new mask at each step": [spread(seed, True) for seed in SEEDS],
    "inputs, one mask for a sequence": [spread(seed, dropout=P) for seed in SEEDS],
    "state, one mask for a sequence": [spread(seed, recurrent_dropout=P) for seed in SEEDS],
}


def over_nets(values):
    """The median, the smallest and the largest of a few numbers, as a text."""
    return f"{np.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


late = {name: np.array(nets)[:, :, 10:].mean(axis=-1) for name, nets in spreads.items()}
rows = [[name, *map(over_nets, values.T)] for name, values in late.items()]
title = "steps 11 to 30: median (range) over the nets"
table([title, "spread", "error of the mean"], rows)


# %%
def draw_spread(left, right):
    t = np.arange(1, LENGTH + 1)
    for k, (name, nets) in enumerate(spreads.items()):
        for ax, values in zip((left, right), np.swapaxes(nets, 0, 1), strict=True):
            ax.plot(t, np.median(values, axis=0), label=name, **line(k))
            low, high = values.min(axis=0), values.max(axis=0)
            ax.fill_between(t, low, high, color=line(k)["color"], alpha=0.2, linewidth=0)
    left.set(xlabel="step t", ylabel="spread of h_t over the draws", ylim=(0, None))
    right.set(xlabel="step t", ylabel="|mean of h_t − h_t without dropout|")
    right.set_ylim(left.get_ylim())
    right.legend()


picture(
    draw_spread,
    alt="Three nets with dropout over 30 steps; for each the median of five nets as a line and their range as a band. "
    "Left, the spread of h_t over the draws. With masks on the inputs it is about 0.044 at the first step and near 0.065 from "
    "the eighth step on, for masks of each step and for one mask; the band of the latter is wider. With one mask on the state it "
    "is 0 at the first step, grows for about ten steps, and stays near 0.023. Right, on the same scale, the error of the "
    "mean: about 0.009 for masks on the inputs and about 0.001 for masks on the state.",
    columns=2,
    size=(9.5, 3.5),
)

# %% [markdown]
# Three results, with each of the five nets. The noise on the state has to build up: at the first step $h_0 = 0$, and there is nothing to
# drop. Later its spread is about a third of that with masks on the inputs, because the state of an untrained net is small: by exercise 1
# the noise depends on $\sum x^2w^2$. And the mean is *nearly* that without dropout. With masks on the inputs its error is about a seventh of
# the spread, and this error remains when the masks are switched off for prediction. With masks on the state it is not larger than a mean
# of 400 draws must have by chance, $0.023/\sqrt{400} \approx 0.001$.
#
# ## Exercise 3: the gradient under one mask
#
# Here is another reason to use the same mask at every step. Take the simple net with a mask on the state,
# $h_t = \tanh(x_t W + (r\circ h_{t-1})\,U + b)$, where $r$ is one mask for the sequence. Write `back_one_step(dh_t, h_t, U, r)`: from
# $\partial L/\partial h_t$ and $h_t$ the share that reaches $h_{t-1}$. When it is right, look at the result: what do the dropped units get?


# %% exercise="back"
def back_one_step(dh_t, h_t, U, r):
    """∂L/∂h_{t−1}, the part that comes through h_t: (batch, units)."""
    ### BEGIN SOLUTION
    ds_t = dh_t * (1 - h_t * h_t)
    return r * (ds_t @ U.T)
    ### END SOLUTION


# %% [markdown] hint="back"
# Go through the formula from the outside to the inside: tanh, the product with $U$, the mask. In which order does the gradient meet them?

# %% [markdown] hint="back"
# First the slope of tanh, $ds_t = dh_t\circ(1 - h_t\circ h_t)$, then $U^\top$ from the right, and at last the factor $r$.


# %% mistake="back"
# The mask is missing: h_{t−1} is multiplied by r, so its gradient is, too.
def back_one_step(dh_t, h_t, U, r):
    """Without the mask."""
    return (dh_t * (1 - h_t * h_t)) @ U.T


# %% mistake="back"
# The mask is applied before U. Forward it acts on h_{t−1}, before the product; so backward it comes after it.
def back_one_step(dh_t, h_t, U, r):
    """The mask on the wrong side of U."""
    return (r * dh_t * (1 - h_t * h_t)) @ U.T


# %% mistake="back"
# Your mask is 0 or 1. The factor 1/(1 − p) of the mask is in the gradient as well.
def back_one_step(dh_t, h_t, U, r):
    """The mask without its factor."""
    return (r > 0) * ((dh_t * (1 - h_t * h_t)) @ U.T)


# %% mistake="back"
# The slope of tanh, 1 − h², is missing.
def back_one_step(dh_t, h_t, U, r):
    """Without the slope."""
    return r * (dh_t @ U.T)


# %% mistake="back"
# U is not transposed: backward it is Uᵀ.
def back_one_step(dh_t, h_t, U, r):
    """U in the place of its transpose."""
    return r * ((dh_t * (1 - h_t * h_t)) @ U)


# %% mistake="back"
# The mask is applied twice, before and after U. Forward it is applied once.
def back_one_step(dh_t, h_t, U, r):
    """Two masks."""
    return r * ((r * dh_t * (1 - h_t * h_t)) @ U.T)


# %% mistake="back"
# The slope of tanh is 1 − h², not 1 − h: is the square missing?
def back_one_step(dh_t, h_t, U, r):
    """A slope without its square."""
    return r * ((dh_t * (1 - h_t)) @ U.T)


# %% mistake="back"
# The slope of tanh is applied after U. tanh is the last thing in the formula, so it is the first one backward.
def back_one_step(dh_t, h_t, U, r):
    """The slope on the wrong side."""
    return r * (1 - h_t * h_t) * (dh_t @ U.T)


# %% mistake="back"
# dh_t itself is added. h_{t−1} is only inside the tanh: there is no path around it.
def back_one_step(dh_t, h_t, U, r):
    """A path too many."""
    return dh_t + r * ((dh_t * (1 - h_t * h_t)) @ U.T)


# %% mistake="back"
# Your gradient is divided by the factor of the mask. Backward it is multiplied by the same r.
def back_one_step(dh_t, h_t, U, r):
    """The mask divided."""
    return np.where(r > 0, 1 / np.maximum(r, 1), 0) * ((dh_t * (1 - h_t * h_t)) @ U.T)


# %% mistake="back"
# The slope is taken at r ∘ h_t. The mask acts on h_{t−1} when it is read, not on the output h_t.
def back_one_step(dh_t, h_t, U, r):
    """A masked slope."""
    return r * ((dh_t * (1 - (r * h_t) ** 2)) @ U.T)


# %% variant="back"
def back_one_step(dh_t, h_t, U, r):
    """In place; the mask goes into U."""
    dh_t -= dh_t * h_t**2
    return np.stack([d @ (row[:, None] * U).T for d, row in zip(dh_t, r, strict=True)])


# %% [markdown]
# The check compares one step, and then five, with the gradients of the tape.

# %% check="back" points=2
draw = np.random.default_rng(4)
U = 0.5 * draw.normal(size=(6, 6))
r = np.where(draw.random((2, 6)) < 0.4, 0.0, 1 / 0.6)
inputs, dh_T = draw.normal(size=(5, 2, 6)), draw.normal(size=(2, 6))
h_0 = draw.normal(size=(2, 6))
for steps in (1, 5):
    start = mg.tensor(h_0, requires_grad=True)
    hs = [start]
    for x_t in inputs[:steps]:
        hs.append(mg.tanh((hs[-1] * r) @ mg.tensor(U) + x_t))
    (hs[-1] * dh_T).sum().backward()
    dh = dh_T
    for h_t in hs[:0:-1]:
        dh = ask(back_one_step, dh, h_t.numpy(), U, r, shape=(2, 6))
    same(
        f"dh_0 after {steps} steps" if steps > 1 else "dh_0 after one step",
        dh,
        start.grad,
        axes="row unit",
    )
check((dh[r == 0] == 0).all(), "A unit that was dropped should get no gradient.")

# %% [markdown]
# A dropped unit gets no gradient, at *any* step: in this sequence it does not exist. The gradient of the others goes through the net that is
# left, at all steps. With a new mask at each step every path through time is interrupted at some step: a path over $T$ steps is whole with
# probability $(1-p)^T$, and its gradient has the noise of the second figure.
#
# ## To think about
#
# 1. `dropout=0.5` on one-hot inputs, one mask for a sequence: a dropped feature is a *word*, for the whole text. With a new mask at each
#    step it is a *place*. Which would you choose for which task?
# 2. With `implementation=1` the input gate may see a word that the forget gate does not. Is that more noise, or less?
# 3. A stateful layer draws new masks for each window (lesson 10). What does that do to the argument about the thinned net?
# 4. Leave the dropout *on* when you predict, and predict a hundred times. What does the spread tell you, and what not?
#
# ## Summary
#
# - A mask is 0 or $1/(1-p)$: it keeps the mean, and the noise of a sum has the variance $\frac{p}{1-p}\sum x^2w^2$. After a nonlinear
#   function the mean is only nearly right.
# - A new mask at each step on a memory leaves it whole with the probability $(1-p)^T$ only. So: no mask on $c$; on $x$ and $h$ as inputs
#   of the gates, one mask for a sequence.
# - `implementation=1` draws a mask for each gate, `implementation=2` one for all; `recurrent_dropout` uses the first.
# - Layers draw new masks at each call; a cell keeps them until they are reset.
#
# **Read:** Gal and Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", 2016; Semeniuta,
# Severyn and Barth, "Recurrent dropout without memory loss", 2016; Zaremba, Sutskever and Vinyals, "Recurrent neural network
# regularization", 2014.
#
# **In the source:** [`minigrad/layers/cell.py`](../minigrad/layers/cell.py) draws the masks and keeps them;
# [`minigrad/recurrent/dropout.py`](../minigrad/recurrent/dropout.py) applies them;
# `dropout_mask` is in [`minigrad/engine/random/draws.py`](../minigrad/engine/random/draws.py).
