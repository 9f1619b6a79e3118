# %% [markdown]
# # 6 · The LSTM, forward
#
# A second state that is added to and not multiplied, and three gates that control it: the work of each, and their values before any training.
#
# **Minutes:** 75 · **Needs:** lessons 1 to 5
#
# After this lesson you can
#
# 1. write one step of the LSTM, say the shape of every array in it, and compute one on paper;
# 2. choose weights so that a unit stores, counts or forgets, and read from a picture of the gates which of these it does;
# 3. predict the memory of an untrained net with a forget bias of 0, 1 or 3, and choose a bias for a given distance.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, gate_orders, line, picture, same, table
from minigrad import plot

# %% [markdown]
# ## The idea
#
# In lesson 5 the state was *replaced* at every step, and the gradient multiplied by the same matrix each time. The LSTM has
# a second state, the **cell state** $c$. At each step a part of it is removed, and something is added.
#
# $$c_\text{new} = f\circ c + i\circ g$$
#
# There is no matrix between $c$ and $c_\text{new}$, and no tanh. $f$ says how much is kept, and $i$ how much is added: numbers
# between 0 and 1, one for each unit, which the net computes at each step. Such a number is a **gate**.
#
# ## The formula
#
# $$\begin{aligned}
# z &= x W + h U + b, \qquad z \text{ split into } z_i, z_f, z_g, z_o \\
# i &= \sigma(z_i) \qquad f = \sigma(z_f) \qquad o = \sigma(z_o) && \text{the gates: input, forget, output} \\
# g &= \tanh(z_g) && \text{the candidate: a new value} \\
# c_\text{new} &= f\circ c + i\circ g && \text{kept, plus added} \\
# a &= \tanh(c_\text{new}) \\
# h_\text{new} &= o\circ a && \text{the output}
# \end{aligned}$$
#
# with $\sigma(z) = 1/(1+e^{-z})$. The shapes:
#
# | | shape |
# |---|---|
# | $x$ | `(batch, features)` |
# | $h$, $c$, $i$, $f$, $g$, $o$, $a$ | `(batch, units)` |
# | $z$ | `(batch, 4 units)` |
# | $W$, $U$, $b$ | `(features, 4 units)`, `(units, 4 units)`, `(4 units,)` |
#
# The columns of $W$, $U$ and $b$ are in the order $i, f, g, o$: the first `units` columns make the input gate, and so on.
# That order is a convention (Keras has this one); lesson 8 is about the others.
#
# ## An example for paper
#
# One unit, one feature. $x = 1$, $h = 0.5$, $c = 1$, and the weights
#
# | | $i$ | $f$ | $g$ | $o$ |
# |---|---|---|---|---|
# | $W$ | 0.5 | −1 | 1 | 0 |
# | $U$ | 1 | 1 | −1 | 2 |
# | $b$ | 0 | 1 | 0 | 0 |
#
# Then $z_i = 0.5 + 0.5 + 0 = 1$, and in the same way $z_f = 0.5$, $z_g = 0.5$, $z_o = 1$. The gates:
# $i = o = \sigma(1) = 0.731$, $f = \sigma(0.5) = 0.622$, and $g = \tanh 0.5 = 0.462$. So
#
# $$c_\text{new} = 0.622\cdot 1 + 0.731\cdot 0.462 = 0.960, \qquad
#   h_\text{new} = 0.731\cdot\tanh 0.960 = 0.731\cdot 0.744 = 0.544 .$$
#
# The same step by minigrad. `mg.trace` records the gates of every step while a layer runs:

# %%
W = np.array([[0.5, -1.0, 1.0, 0.0]])
U = np.array([[1.0, 1.0, -1.0, 2.0]])
b = np.array([0.0, 1.0, 0.0, 0.0])


def lstm_with(W, U, b):
    """An LSTM layer with given weights, which returns h of all steps."""
    lstm = mg.keras.layers.LSTM(len(U), return_sequences=True, dtype="float64", name="lstm")
    lstm.build((None, None, len(W)))
    lstm.set_weights([W, U, b])
    return lstm


lstm = lstm_with(W, U, b)
h, c = np.array([[0.5]]), np.array([[1.0]])
with mg.trace(lstm) as paper:
    lstm(np.array([[[1.0]]]), initial_state=[h, c])
arrays = (
    paper.i[0],
    paper.f[0],
    paper.g[0],
    paper.o[0],
    paper.c[1],
    paper.a[0],
    paper.h[1],
)
numbers = [f"{array[0, 0]:.3f}" for array in arrays]  # row 0, unit 0
table(["i", "f", "g", "o", "c_new", "a", "h_new"], [numbers])


# %%
def draw_cell(ax):
    plot.cell_diagram(paper, ax=ax)


picture(draw_cell, size=(10.5, 5))

# %% [markdown]
# The line along the top is the **carousel**: $c$ enters on the left, is multiplied by $f$, gets $i\circ g$ added, and
# leaves on the right. The rest of the drawing computes the gates.
#
# ## Exercise 1: one step
#
# Write `lstm_step`. `np.split(z, 4, axis=-1)` cuts $z$ into its four parts.


# %% exercise="lstm_step"
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step(x, h, c, W, U, b):
    """h_new and c_new, each (batch, units)."""
    ### BEGIN SOLUTION
    z_i, z_f, z_g, z_o = np.split(x @ W + h @ U + b, 4, axis=-1)
    i, f, o = sigmoid(z_i), sigmoid(z_f), sigmoid(z_o)
    c_new = f * c + i * np.tanh(z_g)
    return o * np.tanh(c_new), c_new
    ### END SOLUTION


# %% [markdown] hint="lstm_step"
# Which lines of the formula give the four parts of $z$? Print their shapes.

# %% [markdown] hint="lstm_step"
# Split $z = xW + hU + b$ into four; σ for the first, second and fourth part, tanh for the third;
# $c_\text{new} = f\circ c + i\circ g$; $h_\text{new} = o\circ\tanh c_\text{new}$. Return
# $h_\text{new}$ first.


# %% mistake="lstm_step"
# The four parts of z are taken in the order i, g, f, o. Here it is i, f, g, o.
def lstm_step(x, h, c, W, U, b):
    """Gates in another order: i, g, f, o."""
    z_i, z_g, z_f, z_o = np.split(x @ W + h @ U + b, 4, axis=-1)
    c_new = c / (1 + np.exp(-z_f)) + np.tanh(z_g) / (1 + np.exp(-z_i))
    return np.tanh(c_new) / (1 + np.exp(-z_o)), c_new


# %% mistake="lstm_step"
# c_new is right. h_new is made from the old c: the tanh takes the new one.
def lstm_step(x, h, c, W, U, b):
    """h_new from the old c, not the new one."""
    z_i, z_f, z_g, z_o = np.split(x @ W + h @ U + b, 4, axis=-1)
    c_new = c / (1 + np.exp(-z_f)) + np.tanh(z_g) / (1 + np.exp(-z_i))
    return np.tanh(c) / (1 + np.exp(-z_o)), c_new


# %% mistake="lstm_step"
# c_new is right. h_new has no tanh around c_new.
def lstm_step(x, h, c, W, U, b):
    """h_new without a tanh."""
    z_i, z_f, z_g, z_o = np.split(x @ W + h @ U + b, 4, axis=-1)
    c_new = c / (1 + np.exp(-z_f)) + np.tanh(z_g) / (1 + np.exp(-z_i))
    return c_new / (1 + np.exp(-z_o)), c_new


# %% mistake="lstm_step"
# The candidate g goes through σ, like the gates. It has a tanh.
def lstm_step(x, h, c, W, U, b):
    """The candidate through σ, like the gates."""
    i, f, g, o = np.split(1 / (1 + np.exp(-(x @ W + h @ U + b))), 4, axis=-1)
    return o * np.tanh(f * c + i * g), f * c + i * g


# %% variant="lstm_step"
def lstm_step(x, h, c, W, U, b):
    """In place; gate by gate; a list."""
    u = h.shape[1]
    z = np.concatenate([x, h], axis=1) @ np.concatenate([W, U])
    z += b
    z[:, 2 * u : 3 * u] *= 2
    z = 1 / (1 + np.exp(-z))  # tanh z = 2 σ(2z) − 1
    c *= z[:, u : 2 * u]
    c += z[:, :u] * (2 * z[:, 2 * u : 3 * u] - 1)
    h[:] = z[:, 3 * u :] * np.tanh(c)
    return [h, c]


# %% [markdown]
# The check runs your step and minigrad's cell on the same batch of random rows.

# %% check="lstm_step" points=3
draw = np.random.default_rng(0)
x_, h_, c_ = (draw.normal(size=(5, n)) for n in (3, 4, 4))
W_, U_, b_ = (draw.normal(size=s) for s in ((3, 16), (4, 16), (16,)))
cell = mg.keras.layers.LSTMCell(4, dtype="float64")
cell.build((None, 3))


def right_step(W, U, b):
    """h_new and c_new by minigrad's cell."""
    cell.set_weights([W, U, b])
    _, state = cell(x_, [h_, c_])
    return [a.numpy() for a in state]


h_expected, c_expected = right_step(W_, U_, b_)
wrong = gate_orders(right_step, W_, U_, b_)
wrong["the result without x W"] = right_step(0 * W_, U_, b_)
wrong["the result without h U"] = right_step(W_, 0 * U_, b_)
wrong["the result without b"] = right_step(W_, U_, 0 * b_)
h_wrong = {name: h_new for name, (h_new, _) in wrong.items()} | {"c_new": c_expected}
c_wrong = {name: c_new for name, (_, c_new) in wrong.items()} | {"h_new": h_expected}
h_yours, c_yours = ask(lstm_step, x_, h_, c_, W_, U_, b_, parts=("h_new", "c_new"))
same("c_new", c_yours, c_expected, axes="row unit", others=c_wrong)
same("h_new", h_yours, h_expected, axes="row unit", others=h_wrong)

# %% [markdown]
# ## Gates over time: a unit that remembers
#
# To see the use of gates, let us *choose* weights. One unit, and two inputs at each step: a value $v_t$, and a flag $s_t$,
# *store this one*. The unit must ignore all other values.
#
# - The input gate should be open at $s_t = 1$ and shut otherwise: $z_i = 12\,s_t - 6$, so $i$ is 0.998 or 0.002.
# - The forget gate is the opposite: $z_f = 6 - 12\,s_t$. The old value is removed when a new one is stored.
# - The candidate is the value: $z_g = v_t$. The output gate is always open: $z_o = 6$.
#
# $U$ is zero: the gates need not know $h$.

# %%
# the columns i, f, g, o of the two inputs
STORE = np.array([[0.0, 0.0, 1.0, 0.0], [12.0, -12.0, 0.0, 0.0]])
memory = lstm_with(STORE, np.zeros((1, 4)), np.array([-6.0, 6.0, 0.0, 6.0]))
v = np.round(np.random.default_rng(2).uniform(-1, 1, 30), 2)
s = np.zeros(30)
s[[3, 14, 22]] = 1
with mg.trace(memory) as stored:
    memory(np.stack([v, s], axis=-1)[None])
c = stored.c[:, 0, 0]  # c before each step, and at last after step 29
rows = []
for t, following in ((3, 14), (14, 22), (22, 30)):
    numbers = (np.tanh(v[t]), c[t + 1], c[following])
    rows.append([t, f"{v[t]:.2f}", *(f"{number:.3f}" for number in numbers)])
table(["t", "v", "tanh v", "c after the step", "c before the next store"], rows)


# %%
def draw_memory(top, middle, bottom):
    steps = np.arange(30)
    top.plot(steps, v, label="value v", **line(0, marker=True))
    top.plot(steps[s == 1], v[s == 1], "k*", markersize=13, label="store this one")
    top.set(ylabel="input")
    top.legend(loc="upper left", bbox_to_anchor=(1, 1))
    plot.gates(stored, "ifo", ax=middle)
    for ax in (top, bottom):
        ax.set(xlim=(-0.5, 29.5))
    bottom.step(steps, stored.c[1:, 0, 0], where="post", **line(1))
    bottom.set(xlabel="time step t", ylabel="cell state c", ylim=(-1, 1))


picture(
    draw_memory,
    alt="Thirty time steps. Above, a value v that jumps about between −1 and 1, with stars at "
    "steps 3, 14 and 22, where it is stored. In the middle the gates: the input gate is "
    "near 0 and jumps to 1 at the stars; the forget gate is near 1 and drops to 0 there; the "
    "output gate stays at 1. Below, the cell state c: zero at first, then a staircase which "
    "jumps to tanh v at each star and stays almost level until the next.",
    rows=3,
    size=(8, 7),
)

# %% [markdown]
# Compare with lesson 5. There only an attractor could keep a state: one bit, with no gradient. This unit keeps a *real
# number*, and meanwhile $\partial c_\text{new}/\partial c = f = 0.998$. A unit that keeps a number keeps the gradient, too.
#
# ## Exercise 2: a unit that counts
#
# Choose the weights of one unit so that its $c$ **counts**. Two inputs: $x_t$, which is 0 or 1, and a flag $r_t$, *start
# again*. After every step, $c$ should be the number of ones since the last $r_t = 1$, including the step of the flag.
# An error of 0.05 is allowed, for counts up to 20. Return $W$ `(2, 4)`, $U$ `(1, 4)` and $b$ `(4,)`.
#
# Think first: which of $i$ and $g$ should depend on $x$, and which value must $g$ have?


# %% exercise="counter"
def counter():
    """W, U and b of a unit that counts; the rows of W are x and r, the columns i, f, g, o."""
    ### BEGIN SOLUTION
    W = np.array([[40.0, 0.0, 0.0, 0.0], [0.0, -40.0, 0.0, 0.0]])
    return W, np.zeros((1, 4)), np.array([-20.0, 20.0, 10.0, 10.0])
    ### END SOLUTION


# %% [markdown] hint="counter"
# A 1 must add 1 to $c$, and a 0 must add 0: $i\,g = x$. What should $f$ be at $r = 0$, and at $r =
# 1$?

# %% [markdown] hint="counter"
# Let $g$ be 1 always (a large bias for $g$, no weights), and let $i$ be a switch: $z_i = 40x - 20$.
# The forget gate is a switch for $r$ with the other sign: $z_f = 20 - 40r$. $U$ is zero.


# %% mistake="counter"
# For x = 0 the input gate is half open: σ(0) is 0.5. A 0 must add nothing.
def counter():
    """An input gate that is half open for a 0."""
    W = np.array([[20.0, 0.0, 0.0, 0.0], [0.0, -40.0, 0.0, 0.0]])
    return W, np.zeros((1, 4)), np.array([0.0, 20.0, 10.0, 10.0])


# %% mistake="counter"
# The forget gate is not quite open: 0.95 a step leaves less than a half after twenty steps.
# Make it larger.
def counter():
    """The forget gate leaks."""
    W = np.array([[40.0, 0.0, 0.0, 0.0], [0.0, -40.0, 0.0, 0.0]])
    return W, np.zeros((1, 4)), np.array([-20.0, 3.0, 10.0, 10.0])


# %% mistake="counter"
# The forget gate has the wrong sign for r: it keeps the count at r = 1 and loses it at r =
# 0.
def counter():
    """It starts again when r is 0."""
    W = np.array([[40.0, 0.0, 0.0, 0.0], [0.0, 40.0, 0.0, 0.0]])
    return W, np.zeros((1, 4)), np.array([-20.0, -20.0, 10.0, 10.0])


# %% mistake="counter"
# A 1 adds 0.76, which is tanh 1. The candidate must be very near to 1.
def counter():
    """0.76 for a 1: tanh 1."""
    W = np.array([[40.0, 0.0, 1.0, 0.0], [0.0, -40.0, 0.0, 0.0]])
    return W, np.zeros((1, 4)), np.array([-20.0, 20.0, 0.0, 10.0])


# %% variant="counter"
def counter():
    """Lists of whole numbers; the candidate tells a 1 from a 0 too."""
    return [[60, 0, 20, 0], [0, -60, 0, 0]], [[0, 0, 0, 0]], [-30, 30, 0, 30]


# %% variant="counter"
def counter():
    """The input gate always open: g alone tells a 1 from a 0."""
    W = np.zeros((2, 4), np.float32)
    W[0, 2], W[1, 1] = 9, -40
    return W, np.zeros((1, 4), int), np.array([20, 20, 0, 0], np.float32)


# %% check="counter" points=3
draw = np.random.default_rng(1)
ones, again = draw.integers(0, 2, (8, 30)), draw.random((8, 30)) < 0.1
again[0] = False
right = np.zeros((8, 30))
for t in range(30):
    before = right[:, t - 1] if t else 0
    right[:, t] = np.where(again[:, t], 0, before) + ones[:, t]
unit = lstm_with(*ask(counter, parts=("W", "U", "b"), shape=((2, 4), (1, 4), (4,))))
with mg.trace(unit) as seen:
    unit(np.stack([ones, again], axis=-1).astype(float))
x_is_1, r_is_1 = ones.T == 1, again.T
added, kept = (seen.i * seen.g)[..., 0], seen.f[..., 0]
table(
    ["in your unit", "mean", "should be"],
    [
        ("a 0 adds", f"{added[~x_is_1].mean():.3f}", 0),
        ("a 1 adds", f"{added[x_is_1].mean():.3f}", 1),
        ("at r = 0 it keeps", f"{kept[~r_is_1].mean():.3f}", 1),
        ("at r = 1 it keeps", f"{kept[r_is_1].mean():.3f}", 0),
    ],
)
c_of_8_rows = seen.c[1:, :, 0].T
same("c, for 8 rows of 30 steps", c_of_8_rows, right, rtol=0, atol=0.05, axes="row step")

# %% [markdown]
# ## How the state grows
#
# A counter shows another thing: $c$ has no bound. If $f$ and $i\,g$ are constant,
#
# $$c_T = i\,g\,(1 + f + f^2 + \dots + f^{T-1}) = i\,g\,\frac{1 - f^T}{1 - f}
#   \;\longrightarrow\; \frac{i\,g}{1-f}, \qquad\text{and for } f = 1:\quad c_T = T\,i\,g .$$
#
# The output is $h = o\tanh c$, and tanh is flat beyond 3. The output hardly shows whether a counter is at 5 or at 6:
# $\tanh 5 = 0.9999$. And in the backward pass, the gradient from $h$ to $c$ is multiplied by $1 - \tanh^2 c$.

# %%
FORGET = (0.5, 0.731, 0.953, 1.0)
T = 60
growth = {}
for f in FORGET:
    c = [0.0]
    for _ in range(T):
        c.append(f * c[-1] + 0.5)  # i g = 0.5
    growth[f] = np.array(c)
rows = []
for f, c in growth.items():
    limit = "none" if f == 1 else f"{0.5 / (1 - f):.4g}"
    rows.append([f, c[10], c[60], limit, f"{1 - np.tanh(c[60]) ** 2:.1e}"])
table(["f", "c after 10 steps", "after 60", "limit", "1 − tanh² c after 60"], rows)


# %%
def draw_growth(left, right):
    for k, (f, c) in enumerate(growth.items()):
        left.plot(c, label=f"f = {f:g}", **line(k))
        right.semilogy(1 - np.tanh(c) ** 2, label=f"f = {f:g}", **line(k))
    left.set(xlabel="time step t", ylabel="cell state c", title="the state, for i g = 0.5")
    right.set(xlabel="time step t", ylabel="1 − tanh² c", ylim=(1e-16, 2))
    right.set(title="the slope from h back to c")
    left.legend()


picture(
    draw_growth,
    alt="Left, the cell state c over 60 steps, with 0.5 added at each. For f = 0.5 it levels off "
    "at 1, for 0.731 at 1.9, for 0.953 it bends towards 10.6, for f = 1 it is a straight line "
    "that reaches 30. Right, the slope 1 − tanh² c, logarithmic: it stays at 0.4 for f = 0.5, "
    "at 0.1 for 0.731, falls to about 1e-8 for 0.953, and to 0 in rounding near step 37 for f = 1.",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# ## The forget bias
#
# Before training, weights are small and random, and the gates are near $\sigma(b)$. For the forget gate this is decisive:
# after $k$ steps about $f^k$ of $c$ is left.
#
# | forget bias | $f = \sigma(b_f)$ | half is gone after | of 1 is left after 20 steps | where |
# |---|---|---|---|---|
# | 0 | 0.500 | 1 step | 0.000001 | PyTorch, on average: its biases are small random numbers |
# | 1 | 0.731 | 2.2 steps | 0.002 | TensorFlow 1 (`forget_bias=1.0`, added at call), Keras (`unit_forget_bias=True`) |
# | 3 | 0.953 | 14 steps | 0.38 | chosen, if the memory must be long |
#
# The three frameworks at the first step, all from minigrad. By PyTorch's rule all numbers are uniform between
# $\pm 1/\sqrt{\text{units}}$, and there are two biases, which are added.

# %%
UNITS = 64
draw = np.random.default_rng(3)
x = draw.normal(size=(16, 40, 8))


def first_generation():
    mg.random.seed(5)
    with mg.compat.v1.variable_scope("first", reuse=False):
        cell = mg.compat.v1.nn.rnn_cell.LSTMCell(UNITS, dtype="float64")
        with mg.trace(cell) as seen:
            mg.compat.v1.nn.dynamic_rnn(cell, x, dtype="float64")
    return seen, cell.get_weights()[-1]


def keras(forget_bias=1.0):
    mg.random.seed(5)
    lstm = mg.keras.layers.LSTM(UNITS, dtype="float64", name="lstm")
    lstm.build(x.shape)
    W, U, b = lstm.get_weights()
    b[UNITS : 2 * UNITS] = forget_bias  # 1 is there already
    lstm.set_weights([W, U, b])
    with mg.trace(lstm) as seen:
        lstm(x)
    return seen, b


def like_torch():
    mg.random.seed(5)
    shapes, bound = ((8, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,)), UNITS**-0.5
    W, U, b_x, b_h = (draw.uniform(-bound, bound, s) for s in (*shapes, shapes[-1]))
    lstm = lstm_with(W, U, b_x + b_h)
    with mg.trace(lstm) as seen:
        lstm(x)
    return seen, b_x + b_h


mg.compat.v1.reset_default_graph()
born = {
    "bias 0 (as PyTorch)": like_torch(),
    "bias 1 (TensorFlow 1)": first_generation(),
    "bias 1 (Keras)": keras(),
    "bias 3": keras(3.0),
}
rows = []
for name, (seen, b) in born.items():
    # the forget gate's columns: the third quarter in TensorFlow 1 (i, g, f, o), else the second
    quarter = 2 if name == "bias 1 (TensorFlow 1)" else 1
    b_f = b[quarter * UNITS : (quarter + 1) * UNITS].mean()
    rows.append([name, f"{b_f:.2f}", f"{seen.f[0].mean():.3f}", f"{seen.f.mean():.3f}"])
table(["", "b_f as stored", "f at step 0, mean", "f over 40 steps, mean"], rows)

# %% [markdown]
# Look at the second row: the first generation *stores* zeros and adds 1 when it is called; Keras stores the 1. The resulting
# gates agree, up to the random weights; the numbers in the files do not. Lesson 8 returns to that. The last row sets a
# quarter of the bias only, its second `units` numbers. A `bias_initializer` of 3 would open all four gates, and new values
# would soon overwrite those that are kept.


# %%
def draw_left(ax):
    lags = np.arange(41)
    for k, (name, (seen, _)) in enumerate(born.items()):
        if k != 2:
            ax.semilogy(
                lags, seen.forget_product()[::-1].mean((1, 2)), label=name, **line(k)
            )
    for f in (0.5, 0.731, 0.953):
        ax.semilogy(lags, f**lags, color="0.6", linewidth=0.7)
    ax.set(xlabel="lag T − t, in steps", ylabel="share of c that is left", ylim=(1e-9, 1.5))
    ax.legend(title="thin: σ(b) to the power of the lag")


picture(
    draw_left,
    alt="The product of the forget gates, mean over units and rows, against the lag, logarithmic, "
    "for untrained nets. With a forget bias near 0 it falls below 1e-9 within 33 steps, with 1 "
    "to about 3e-6 within 40 steps, with 3 only to about 0.14. The curves are close to thin "
    "straight lines, σ(b) to the power of the lag; the lowest bends away upwards a little.",
    size=(7, 4),
)

# %% [markdown]
# ## Exercise 3: a bias for a distance
#
# In some data an input matters for about $k$ steps. Write `forget_bias_for(k)`: the $b_f$ with which **half** of $c$ is
# left after $k$ steps, if the gate depends on its bias alone. ($\sigma$ has an inverse: solve $f = 1/(1+e^{-b})$ for $b$.)


# %% exercise="forget_bias"
def forget_bias_for(k):
    """The forget bias that leaves a half of c after k steps."""
    ### BEGIN SOLUTION
    f = 0.5 ** (1 / k)
    return np.log(f / (1 - f))
    ### END SOLUTION


# %% [markdown] hint="forget_bias"
# After $k$ steps $f^k$ of $c$ is left. For which $f$ is that a half?

# %% [markdown] hint="forget_bias"
# $f = 2^{-1/k}$, and $f = 1/(1+e^{-b})$ solved for $b$ is $b = \log\dfrac{f}{1-f}$.


# %% mistake="forget_bias"
# This is f itself. The bias is the number whose σ is f.
def forget_bias_for(k):
    """f itself, not its bias."""
    return 0.5 ** (1 / k)


# %% mistake="forget_bias"
# 1/(1 − f) = k leaves about 1/e after k steps, a third. Here a half should be left: f to
# the power of k is 1/2.
def forget_bias_for(k):
    """A rule of thumb: 1/(1 − f) = k, so 1/e is left, not a half."""
    return np.log(max(k - 1, 1e-9))


# %% mistake="forget_bias"
# The sign is wrong: a long memory needs a large bias.
def forget_bias_for(k):
    return -np.log(0.5 ** (1 / k) / (1 - 0.5 ** (1 / k)))


# %% variant="forget_bias"
def forget_bias_for(k):
    """With expm1; an array without axes."""
    return np.array(-np.log(np.expm1(np.log(2) / k)))


# %% variant="forget_bias"
def forget_bias_for(k):
    """A Python float: −log(1/f − 1)."""
    return float(-np.log(2 ** (1 / k) - 1))


# %% check="forget_bias" points=2
for k in (1, 5, 20, 300):
    b_k = np.array([0.0, ask(forget_bias_for, k, shape=()), 0.0, 0.0])
    layer = lstm_with(np.zeros((1, 4)), np.zeros((1, 4)), b_k)
    with mg.trace(layer) as seen:
        layer(np.zeros((1, k, 1)), initial_state=[np.zeros((1, 1)), np.ones((1, 1))])
    same(f"the rest of c = 1 after {k} steps", seen.c[-1], [[0.5]])

# %% [markdown]
# Tallec and Ollivier, "Can recurrent neural networks warp time?", 2018, go further: they draw a $k$ at random
# for each *unit*, so that a layer has short memories and long ones from the start.
#
# ## Saturation
#
# A gate that is always near 0 or near 1 is *saturated*: it acts like a switch, and $\sigma'$, at most $1/4$, is near 0, so
# it learns slowly. Each mark in the next figure is a unit. The horizontal axis shows how often its gate is nearly shut
# (below 0.1), the vertical axis how often it is nearly open (above 0.9). Left is an untrained net, right the same with $W$
# and $U$ fifteen times as large:

# %%
fresh = keras()[0]
mg.random.seed(5)
wild = mg.keras.layers.LSTM(UNITS, dtype="float64", name="fifteen times")
wild.build(x.shape)
W, U, b = wild.get_weights()
wild.set_weights([15 * W, 15 * U, b])
with mg.trace(wild) as saturated:
    wild(x)
rows = []
for name, seen in (("untrained", fresh), ("fifteen times", saturated)):
    slopes = [(gate * (1 - gate)).mean() for gate in (seen.i, seen.f, seen.o)]
    rows.append([name, *(f"{slope:.3f}" for slope in slopes)])
table(["mean of σ′ = σ (1 − σ)", "i", "f", "o"], rows)


# %%
def draw_saturation(left, right):
    plot.saturation(fresh, ax=left)
    plot.saturation(saturated, ax=right)


picture(draw_saturation, columns=2, size=(9.5, 4.6))

# %% [markdown]
# This untrained net has its marks in the lower left corner: its gates are half open. A *forget* gate in the upper left
# corner belongs to a unit that remembers: it is saturated, and it should be. Lesson 12 measures the gates of trained nets.
#
# ## To think about
#
# 1. In the counter, $g$ was constant. Could $g$ depend on $x$ instead, with an input gate that is always open? Which is better if
#    $x$ may also be −1, and the unit is to count down?
# 2. Cho and others' GRU has $i = 1 - f$. Which of the units of this lesson can it still be? How does $c$ grow?
# 3. The first LSTM, of 1997, had no forget gate: $c_\text{new} = c + i\circ g$. What is
#    $\partial c_\text{new}/\partial c$ along the carousel, and why did Gers add the gate two years later?
# 4. Why σ for the gates and tanh for the candidate? What could a unit not do if $g$ lay between 0 and 1?
#
# ## Summary
#
# - $c_\text{new} = f\circ c + i\circ g$, $h_\text{new} = o\circ\tanh c_\text{new}$. The gates are $\sigma$ of a linear function of $x$ and $h$.
# - With the forget gate open and the input gate shut, a unit keeps a *real* number; $c$ has no bound, but $h$ has.
# - Before training, $f\approx\sigma(b_f)$, and $f^k$ is left after $k$ steps: a forget bias sets a length of memory.
# - A saturated gate is a switch: good for keeping, slow to learn.
#
# **Read:** Hochreiter and Schmidhuber, "Long short-term memory", 1997; Gers, Schmidhuber and Cummins, "Learning to forget",
# 1999; Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network architectures", 2015, on the bias.
#
# **In the source:** [`minigrad/recurrent/lstm.py`](../minigrad/recurrent/lstm.py) is the step, in the letters of this
# lesson; [`minigrad/tracing/trace.py`](../minigrad/tracing/trace.py) documents traces.

# %% [markdown]
# ## Your net
#
# In [`mynet.py`](mynet.py), fill in two functions:
#
# - `lstm_step(x, h, c, W, U, b)` is exercise 1. It also returns the cache $(i, f, g, o, a)$, which lesson 7 needs.
# - `lstm_forward(xs, h, c, W, U, b)` is the loop over the steps. It keeps all states, the first one included.

# %%
from lesson_net import your_net

your_net(6)
