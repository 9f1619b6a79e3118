# %% [markdown]
# # 8 · Three API generations, same weights
#
# Three cells called LSTMCell in one library's history, and a fourth next door: the order of their weights, the bias that they add silently, and how to move a model without changing a number.
#
# **Minutes:** 75 · **Needs:** lessons 6 and 7
#
# After this lesson you can
#
# 1. name the conventions in which two LSTM cells may differ, and say which of them change the numbers;
# 2. move weights between the generations, and from PyTorch, and prove that the outputs stay the same;
# 3. find the convention that causes a difference, by changing one at a time.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, line, picture, returned, same, table
from minigrad import convert, plot

# %% [markdown]
# ## One equation, three cells
#
# You find a model from 2016, with its weights. The code says `LSTMCell`. So does yours. The shapes fit. You load it, and
# it computes nonsense, or, worse, it is only a little less good than the paper says. What happened?
#
# All three compute *some* LSTM of lesson 6. Here is what they agree about, and what not:
#
# | | first: `compat.v1.nn.rnn_cell` | second: `compat.v1.keras.layers` | third: `keras.layers` |
# |---|---|---|---|
# | weights | one kernel, the rows of $x$ above those of $h$ | `kernel` and `recurrent_kernel` | as the second |
# | order of the columns | $i, j, f, o$ | $i, f, \tilde c, o$ | as the second |
# | forget bias | 1, **added at call**; zeros in the file | 1 in the bias's **initial value** | as the second |
# | σ of the gates | sigmoid | **hard sigmoid** | sigmoid |
# | state | a tuple $(c, h)$ | a list $[h, c]$ | as the second |
# | more | peepholes, projection, clipping of $c$ | | |
#
# ($j$, $\tilde c$ and $g$ are three names for the candidate; $m$ is the first generation's name for $h$.) In formulas, with
# $[x, m]$ for the two put side by side:
#
# $$\begin{aligned}
# \text{first:}\quad & z = [x, m]\,K + b, & c_\text{new} &= \sigma(z_f + 1)\circ c + \sigma(z_i)\circ\tanh(z_j) \\
# \text{second:}\quad & z = xW + hU + b, & c_\text{new} &= \operatorname{hard}\sigma(z_f)\circ c + \operatorname{hard}\sigma(z_i)\circ\tanh(z_{\tilde c}) \\
# \text{third:}\quad & z = xW + hU + b, & c_\text{new} &= \sigma(z_f)\circ c + \sigma(z_i)\circ\tanh(z_{\tilde c})
# \end{aligned}$$
#
# | | shape |
# |---|---|
# | $K$ | `(features + units, 4 units)` |
# | $W$, $U$ | `(features, 4 units)`, `(units, 4 units)` |
# | $b$ | `(4 units,)` |
#
# (Dashed in the first drawing: peepholes, which exercise 3 is about. They are off unless one asks for them.)


# %%
def draw_cells(top, middle, bottom):
    plot.cell_diagram("first", peepholes=True, ax=top)
    plot.cell_diagram("second", ax=middle)
    plot.cell_diagram("third", ax=bottom)


picture(
    draw_cells,
    alt="Three circuits, one above the other, with the same wires: c runs along the top, times f, plus "
    "the input gate times the candidate; tanh of the new c times o goes out at the bottom right. In "
    "the first generation the state is called m and the candidate j, and dashed wires, the "
    "peepholes, lead from c to the boxes of f and i, and from the new c to that of o. In the second "
    "the gates' boxes say hard σ. In the third they say σ.",
    rows=3,
    size=(9, 11),
)

# %% [markdown]
# ## An example for paper
#
# The step of lesson 6: $x = 1$, $h = 0.5$, $c = 1$, and $z = (1,\ 0.5,\ 0.5,\ 1)$ for $i, f, g, o$.
#
# **Third.** $c_\text{new} = 0.622 + 0.731\cdot 0.462 = 0.960$, and $h_\text{new} = 0.544$. You know it.
#
# **First.** The same numbers in $K$, in its own order: row of $x$: $(0.5,\ 1,\ {-1},\ 0)$, row of $h$: $(1,\ {-1},\ 1,\ 2)$. And the
# bias: in the third generation $b_f = 1$. Here the cell adds 1 by itself, so the bias *in the file* must be 0. Then
# $z_f = -1 + 0.5 + 0 = -0.5$, and the gate is $\sigma(-0.5 + 1) = 0.622$. Same step.
#
# **Second.** $\operatorname{hard}\sigma(z) = 0.2\,z + 0.5$, clipped to $[0, 1]$: $i = o = 0.7$ and $f = 0.6$. So
# $c_\text{new} = 0.6 + 0.7\cdot 0.462 = 0.923$ and $h_\text{new} = 0.7\tanh 0.923 = 0.509$. **Same weights, other numbers.**

# %%
mg.compat.v1.reset_default_graph()
first = mg.compat.v1.nn.rnn_cell.LSTMCell(1, dtype="float64")
second = mg.compat.v1.keras.layers.LSTMCell(1, dtype="float64")
third = mg.keras.layers.LSTMCell(1, dtype="float64")
for cell in (first, second, third):
    cell.build((None, 1))

W, U, b = np.array([[0.5, -1, 1, 0]]), np.array([[1.0, 1, -1, 2]]), np.array([0.0, 1, 0, 0])
first.set_weights([np.array([[0.5, 1, -1, 0], [1.0, -1, 1, 2]]), np.zeros(4)])
second.set_weights([W, U, b])
third.set_weights([W, U, b])

x, h, c = np.ones((1, 1)), np.full((1, 1), 0.5), np.ones((1, 1))
_, after = first(x, mg.compat.v1.nn.rnn_cell.LSTMStateTuple(c=c, h=h))
rows = [("first", after.c.item(), after.h.item())]
for name, cell in (("second", second), ("third", third)):
    _, (h_new, c_new) = cell(x, [h, c])
    rows.append((name, c_new.item(), h_new.item()))
table(["generation", "c_new", "h_new"], [[n, f"{c:.3f}", f"{h:.3f}"] for n, c, h in rows])

# %% [markdown]
# ## Exercise 1: from third to first
#
# Write `to_first(W, U, b)`: the kernel and the bias of the first generation's cell, for the weights of a third generation's.
# Three things are to be done: put the two matrices together, change the order of the columns, and remember what is
# added at call.


# %% exercise="to_first"
def to_first(W, U, b):
    """K (features + units, 4 units) and the bias, for the first generation."""

    ### BEGIN SOLUTION
    def reordered(a):
        i, f, g, o = np.split(a, 4, axis=-1)
        return i, g, f, o

    K = np.concatenate(reordered(np.concatenate([W, U])), axis=-1)
    i, g, f, o = reordered(b)
    return K, np.concatenate([i, g, f - 1, o])
    ### END SOLUTION


# %% mistake="to_first"
def to_first(W, U, b):
    """The columns stay where they were."""
    taken = b.copy()
    taken[len(b) // 4 : len(b) // 2] -= 1
    return np.concatenate([W, U]), taken


# %% mistake="to_first"
def to_first(W, U, b):
    """The forget bias acts twice."""
    u = len(b) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return np.concatenate([W, U])[:, order], b[order]


# %% mistake="to_first"
def to_first(W, U, b):
    """The state's rows above those of the input."""
    u = len(b) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return np.concatenate([U, W])[:, order], (b - np.repeat([0, 1, 0, 0], u))[order]


# %% mistake="to_first"
def to_first(W, U, b):
    """1 is taken from the candidate's bias."""
    u = len(b) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return np.concatenate([W, U])[:, order], b[order] - np.repeat([0, 1, 0, 0], u)


# %% variant="to_first"
def to_first(W, U, b):
    """In place, with a table of columns; a list."""
    u = b.size // 4
    b[u : 2 * u] -= 1
    order = [g * u + k for g in (0, 2, 1, 3) for k in range(u)]
    return [np.vstack([W, U])[:, order], b[order]]


# %% [markdown]
# The check runs both cells over a sequence, with random weights of yours and theirs. (`convert.relayout` could do it for you;
# use it to compare, once yours works.)

# %% check="to_first" points=3
draw = np.random.default_rng(0)
W_, U_, b_ = (draw.normal(size=s) for s in ((3, 16), (4, 16), (16,)))
mg.compat.v1.reset_default_graph()
one, three = (
    mg.compat.v1.nn.rnn_cell.LSTMCell(4, dtype="float64"),
    mg.keras.layers.LSTMCell(4, dtype="float64"),
)
for cell in (one, three):
    cell.build((None, 3))
three.set_weights([W_, U_, b_])
xs = draw.normal(size=(2, 9, 3))
K_, bias_ = ask(to_first, W_, U_, b_, parts=("K", "the bias"))
one.set_weights(
    [returned("K", K_, shape=(7, 16)), returned("the bias", bias_, shape=(16,))]
)
outputs, state = mg.compat.v1.nn.dynamic_rnn(one, xs, dtype="float64")
ys, _, c_last = mg.keras.layers.RNN(
    three, return_sequences=True, return_state=True, dtype="float64"
)(xs)
same("h of all steps", outputs, ys)
same("c at the end", state.c, c_last)

# %% [markdown]
# ## Over time
#
# Whether a small difference at one step stays small depends on what the net does with it. Three cells of 16 units with the *same* weights, moved by
# `convert.relayout`, which knows where everybody puts what:

# %%
draw = np.random.default_rng(1)
x = draw.normal(size=(1, 40, 5))
mg.random.seed(3)
mg.compat.v1.reset_default_graph()
first = mg.compat.v1.nn.rnn_cell.LSTMCell(16, dtype="float64")
second = mg.compat.v1.keras.layers.LSTMCell(16, dtype="float64")
third = mg.keras.layers.LSTMCell(16, dtype="float64")
for cell in (first, second, third):
    cell.build((None, 5))
W, U, b = third.get_weights()
third.set_weights([2 * W, 2 * U, b])  # so that the gates move
second.set_weights(third.get_weights())
names = ("kernel", "recurrent_kernel", "bias")
moved = convert.relayout(dict(zip(names, third.get_weights(), strict=True)), "keras", "tf1")
first.set_weights(list(moved.values()))

with mg.trace(first) as of_first:
    mg.compat.v1.nn.dynamic_rnn(first, x, dtype="float64")


def over_time(cell):
    with mg.trace(cell) as seen:
        mg.keras.layers.RNN(cell, dtype="float64")(x)
    return seen


generations = {"third": over_time(third), "first": of_first, "second": over_time(second)}
table(
    ["generation", "largest |Δc|, step 0", "over 40 steps"],
    [[name, *(f"{np.round(np.abs(seen.c[1:n + 1] - generations['third'].c[1:n + 1]).max(), 6):.2g}" for n in (1, 40))]
     for name, seen in generations.items()],
)  # fmt: skip


# %%
def draw_generations(ax):
    plot.compare_generations(generations, "c", units=2, ax=ax)


picture(
    draw_generations,
    alt="Above, the cell state c of one unit over 40 time steps, in the third, the first and the "
    "second generation, all with the same weights. Third and first lie upon each other. The second "
    "follows them closely and is a little off at many steps. Below, the difference from the third "
    "generation: zero for the first, up to 0.065 for the second, at step 22.",
    size=(8, 5),
)

# %% [markdown]
# ## The hard sigmoid
#
# The second generation's default for its gates is a line with two corners, which was fast to compute on the machines of
# 2015: $\operatorname{hard}\sigma(z) = \min(1, \max(0,\ 0.2\,z + 0.5))$. It is close to σ, and different in one respect
# that matters for training: beyond $\pm 2.5$ its slope is not small but **zero**. A gate that has come there gets no gradient
# at all from this step.
#
# ## Exercise 2: the hard sigmoid, and its slope
#
# Write `hard(z)`, which returns the value and the slope, two arrays of $z$'s shape.


# %% exercise="hard"
def hard(z):
    """hard σ(z), and its derivative."""
    ### BEGIN SOLUTION
    y = np.clip(0.2 * z + 0.5, 0, 1)
    return y, np.where(np.abs(z) < 2.5, 0.2, 0.0)
    ### END SOLUTION


# %% mistake="hard"
def hard(z):
    """The slope of the sigmoid."""
    y = np.clip(0.2 * z + 0.5, 0, 1)
    return y, y * (1 - y)


# %% mistake="hard"
def hard(z):
    """The later Keras' definition: z / 6 + 1 / 2."""
    return np.clip(z / 6 + 0.5, 0, 1), np.where(np.abs(z) < 3, 1 / 6, 0.0)


# %% mistake="hard"
def hard(z):
    """The corners are forgotten on the way back."""
    return np.clip(0.2 * z + 0.5, 0, 1), np.full(z.shape, 0.2)


# %% variant="hard"
def hard(z):
    """In place, with comparisons; the slope from the value."""
    z *= 0.2
    z += 0.5
    z[z < 0] = 0
    z[z > 1] = 1
    return z, 0.2 * ((z > 0) & (z < 1))


# %% check="hard" points=2
z = np.random.default_rng(2).uniform(-5, 5, (4, 25))
t = mg.tensor(z, requires_grad=True)
expected = mg.keras.activations.hard_sigmoid(t)
expected.sum().backward()
parts = ("the value", "the slope")
y, slope = ask(hard, z, parts=parts)
same("the value", y, expected)
same("the slope", slope, t.grad)
h = 1e-3
ahead, behind = (ask(hard, z + step, parts=parts)[0] for step in (h, -h))
same("the slope, by differences of yours", (ahead - behind) / (2 * h), t.grad, atol=1e-3)


# %%
def draw_sigmas(left, right):
    z = np.linspace(-6, 6, 481)
    t = mg.tensor(z, requires_grad=True)
    for k, (name, f) in enumerate(
        (
            ("sigmoid", mg.keras.activations.sigmoid),
            ("hard sigmoid", mg.keras.activations.hard_sigmoid),
        )
    ):
        y = f(t)
        left.plot(z, y.numpy(), label=name, **line(k))
        right.plot(z, mg.grad(y.sum(), [t])[0].numpy(), label=name, **line(k))
    left.set(xlabel="pre-activation z", ylabel="gate")
    right.set(xlabel="pre-activation z", ylabel="slope of the gate")
    left.legend()


picture(
    draw_sigmas,
    alt="Left, the sigmoid, a smooth S, and the hard sigmoid, a straight line from 0 at z = −2.5 to "
    "1 at 2.5 with level ends; they are never farther apart than 0.08. Right, their slopes: a bell "
    "with its top of 0.25 at 0, and a box 0.2 high from −2.5 to 2.5, zero outside.",
    columns=2,
    size=(9, 3.4),
)

# %% [markdown]
# ## Finding the cause
#
# Back to the model of 2016. Somebody has loaded its kernel into the third generation by cutting it in two, for the shapes
# fit. Which convention has been violated? The method is the one of every science: change *one thing at a time*.
# `convert.explain_difference` does it, with all conventions that it knows of. `alone`: what remains of the
# difference if only this one is put right. `so far`: if this one and all above it are.

# %%
careless = mg.keras.layers.LSTMCell(16, dtype="float64")
careless.build((None, 5))
K, bias = first.get_weights()
careless.set_weights([K[:5], K[5:], bias])


def explained(found):
    """The rows that say something about the numbers."""
    return [
        [row.convention, row.a, row.b, f"{row.alone:.3f}", f"{row.so_far:.3f}"]
        for row in found.rows
        if row.alone is not None and not row.note
    ]


found = convert.explain_difference(first, careless)
print(f"max |Δh| = {found.max_h:.3f}; the causes: {', '.join(found.causes)}\n")
table(
    ["convention", "the old model", "the careless copy", "alone", "so far"],
    explained(found),
)

# %%
found = convert.explain_difference(second, third)
print(f"max |Δh| = {found.max_h:.3f}; the cause: {', '.join(found.causes)}\n")
table(["convention", "second", "third", "alone", "so far"], explained(found))

# %% [markdown]
# Look at *alone* in the first table: to put one thing right may leave the difference as large as before, or make it larger,
# as long as the other is wrong. Two errors do not add up; that is why one must not stop after the first attempt.
# (And `weights` says in both that it is no cause: they are the same once moved.)
#
# ## Exercise 3: peepholes
#
# The first generation can do something that the later ones cannot: its gates may look at $c$. With one number a unit for each
# of three gates, $w_i$, $w_f$, $w_o$:
#
# $$\begin{aligned}
# c_\text{new} &= \sigma(z_f + 1 + w_f\circ c)\circ c + \sigma(z_i + w_i\circ c)\circ\tanh(z_j) \\
# m_\text{new} &= \sigma(z_o + w_o\circ c_\text{new})\circ\tanh(c_\text{new})
# \end{aligned}$$
#
# Mind which $c$ the output gate sees. Write the step.


# %% exercise="peepholes"
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """c_new and m_new, each (batch, units)."""
    ### BEGIN SOLUTION
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    c_new = sigmoid(z_f + 1 + w_f * c) * c + sigmoid(z_i + w_i * c) * np.tanh(z_j)
    return c_new, sigmoid(z_o + w_o * c_new) * np.tanh(c_new)
    ### END SOLUTION


# %% mistake="peepholes"
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """The output gate looks at the old c."""
    s = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    new = s(z_f + 1 + w_f * c) * c + s(z_i + w_i * c) * np.tanh(z_j)
    return new, s(z_o + w_o * c) * np.tanh(new)


# %% mistake="peepholes"
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """No 1 is added at call."""
    s = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    new = s(z_f + w_f * c) * c + s(z_i + w_i * c) * np.tanh(z_j)
    return new, s(z_o + w_o * new) * np.tanh(new)


# %% mistake="peepholes"
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """Keras' order of the columns."""
    s = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    z_i, z_f, z_j, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    new = s(z_f + 1 + w_f * c) * c + s(z_i + w_i * c) * np.tanh(z_j)
    return new, s(z_o + w_o * new) * np.tanh(new)


# %% variant="peepholes"
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """In place; two products; the 1 goes into the bias."""
    u, n = c.shape[1], x.shape[1]
    b[2 * u : 3 * u] += 1
    z = x @ K[:n] + (m @ K[n:] + b)
    z[:, :u] += w_i * c
    z[:, 2 * u : 3 * u] += w_f * c
    c *= 1 / (1 + np.exp(-z[:, 2 * u : 3 * u]))
    c += np.tanh(z[:, u : 2 * u]) / (1 + np.exp(-z[:, :u]))
    z[:, 3 * u :] += w_o * c
    return [c, np.tanh(c) / (1 + np.exp(-z[:, 3 * u :]))]


# %% check="peepholes" points=3
draw = np.random.default_rng(4)
mg.compat.v1.reset_default_graph()
cell = mg.compat.v1.nn.rnn_cell.LSTMCell(4, use_peepholes=True, dtype="float64")
cell.build((None, 3))
cell.set_weights([draw.normal(size=w.shape) for w in cell.get_weights()])
x_, c_, m_ = (draw.normal(size=(5, n)) for n in (3, 4, 4))
_, after = cell(x_, mg.compat.v1.nn.rnn_cell.LSTMStateTuple(c=c_, h=m_))
given = (x_, c_, m_, *cell.get_weights())
c_new, m_new = ask(peephole_step, *given, parts=("c_new", "m_new"))
same("c_new", c_new, after.c)
same("m_new", m_new, after.h)

# %% [markdown]
# ## What peepholes are for: keeping time
#
# When the output gate is shut, $m = 0$, and without peepholes no gate can know what $c$ is. With them, a unit can be a
# clock. Three units, no input and $K = 0$: each adds 0.1 to its $c$ at every step ($i = 1$, $g = 0.1$). As soon as $c$ is
# above a threshold $\theta$, the output gate opens, and one step later the forget gate shuts, and all begins anew. Both
# gates see $c$ through their peepholes only:
#
# $$z_f + 1 = 200\,(\theta - c), \qquad z_o = 200\,(c_\text{new} - \theta) .$$

# %%
theta = np.array([0.45, 0.95, 1.45])
mg.compat.v1.reset_default_graph()
clock = mg.compat.v1.nn.rnn_cell.LSTMCell(3, use_peepholes=True, dtype="float64")
clock.build((None, 1))
bias = [
    np.full(3, 20.0),
    np.full(3, np.arctanh(0.1)),
    200 * theta - 1,
    -200 * theta,
]  # i, j, f, o
w_f, w_i, w_o = np.full(3, -200.0), np.zeros(3), np.full(3, 200.0)
clock.set_weights([np.zeros((4, 12)), np.concatenate(bias), w_f, w_i, w_o])
with mg.trace(clock) as ticking:
    mg.compat.v1.nn.dynamic_rnn(clock, np.zeros((1, 60, 1)), dtype="float64")
table(
    ["threshold", "ticks at steps", "period"],
    [[t, ", ".join(map(str, at[:4])) + " …", np.diff(at)[0]]
     for t, at in ((t, np.flatnonzero(ticking.m[1:, 0, k] > 0.3)) for k, t in enumerate(theta))],
)  # fmt: skip


# %%
def draw_clock(top, bottom):
    for k, t in enumerate(theta):
        top.plot(ticking.c[1:, 0, k], label=f"θ = {t}", **line(k))
        bottom.plot(ticking.m[1:, 0, k], label=f"θ = {t}", **line(k))
    top.set(ylabel="cell state c", title="inside")
    bottom.set(xlabel="time step t", ylabel="output m", title="outside")
    top.legend(loc="upper left", bbox_to_anchor=(1, 1))


picture(
    draw_clock,
    alt="Three units with peepholes over 60 steps without any input. Above, their cell states: saw "
    "teeth that rise by 0.1 at each step and fall back to 0.1 once they have passed 0.45, 0.95 or "
    "1.45. Below, their outputs: zero, but for a tick at the top of each tooth, every 5, 10 and 15 "
    "steps.",
    rows=2,
    size=(8, 5),
)

# %% [markdown]
# ## Exercise 4: from PyTorch
#
# PyTorch's LSTM has the order $i, f, g, o$ too. But its matrices multiply from the left, and it has two biases:
#
# $$z = W_\text{ih}\,x + b_\text{ih} + W_\text{hh}\,h + b_\text{hh}, \qquad
#   W_\text{ih}:\ \texttt{(4 units, features)}, \quad W_\text{hh}:\ \texttt{(4 units, units)} .$$
#
# Write `from_torch`, which returns the third generation's $W$, $U$, $b$. With 8 features and 2 units, as in the check, one of
# the matrices is square: a transpose that is forgotten there raises no error.


# %% exercise="from_torch"
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """W (features, 4 units), U (units, 4 units), b (4 units,)."""
    ### BEGIN SOLUTION
    return weight_ih.T, weight_hh.T, bias_ih + bias_hh
    ### END SOLUTION


# %% mistake="from_torch"
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """Only one of the biases."""
    return weight_ih.T, weight_hh.T, bias_ih


# %% mistake="from_torch"
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """Made to fit by reshape."""
    return weight_ih.reshape(weight_ih.shape[::-1]), weight_hh.T, bias_ih + bias_hh


# %% mistake="from_torch"
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """A forget bias of 1 on top, as Keras has it."""
    extra = np.repeat([0.0, 1.0, 0.0, 0.0], len(bias_ih) // 4)
    return weight_ih.T, weight_hh.T, bias_ih + bias_hh + extra


# %% variant="from_torch"
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """In place; a list; single precision."""
    bias_hh += bias_ih
    return [np.transpose(a).astype("float32") for a in (weight_ih, weight_hh, bias_hh)]


# %% check="from_torch" points=2
draw = np.random.default_rng(5)
w_ih, w_hh, b_ih, b_hh = (draw.normal(size=s) for s in ((8, 8), (8, 2), (8,), (8,)))
target = mg.keras.layers.LSTM(2, dtype="float64")
target.build((None, None, 8))
target.set_weights(ask(from_torch, w_ih, w_hh, b_ih, b_hh, parts=("W", "U", "b")))
x_, h_, c_ = (draw.normal(size=(5, n)) for n in (8, 2, 2))
z = (
    w_ih @ x_.T + b_ih[:, None] + w_hh @ h_.T + b_hh[:, None]
).T  # PyTorch's formula, as it stands above
_, (_, c_new) = target.cell(x_, [h_, c_])
i, f, g, o = np.split(z, 4, axis=-1)
same("c_new", c_new, c_ / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i)))
back = convert.to_torch_state_dict(target)
same("weight_ih, there and back", back["weight_ih_l0"], w_ih)
same("weight_hh, there and back", back["weight_hh_l0"], w_hh)
same("the sum of the biases", back["bias_ih_l0"] + back["bias_hh_l0"], b_ih + b_hh)

# %% [markdown]
# ## To think about
#
# 1. The forget bias *in the file* or *at call*: which is better when weights are decayed towards 0 during training?
# 2. After training, is there any way to tell from a first generation's file with which `forget_bias` it was trained?
# 3. A model was trained with the hard sigmoid. Must one keep it for ever? What would you try, and how would you measure what it costs?
# 4. Two biases add up to one. Yet a net with two trains differently from a net with one. Why? (What is the gradient of each?)
#
# ## Summary
#
# - The equation is one; conventions differ: order of gates, arrangement of the matrices, where the forget bias is, which σ, order
#   of the state.
# - Order and arrangement change no number if they are respected, and nobody warns if they are not: shapes fit.
# - `hard_sigmoid` is another function. No rearrangement of weights mends that; set `recurrent_activation="sigmoid"`.
# - A difference is explained when putting right *all* causes leaves nothing but rounding.
#
# **Read:** Gers and Schmidhuber, "Recurrent nets that time and count", 2000, on peepholes; Sak, Senior and Beaufays, "Long
# short-term memory recurrent neural network architectures for large scale acoustic modeling", 2014, on the projection.
#
# **In the source:** [`minigrad/recurrent/lstmp.py`](../minigrad/recurrent/lstmp.py) is the first generation's step,
# [`minigrad/layers/lstm.py`](../minigrad/layers/lstm.py) the second's cell and the base of the third's, and
# [`minigrad/convert/layouts.py`](../minigrad/convert/layouts.py) the table of who puts what where.
