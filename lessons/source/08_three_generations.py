# %% [markdown]
# # 8 · Three API generations, same weights
#
# Three cells called LSTMCell in one library's history, and a fourth in another library: the order of their weights, the bias that they add silently, and how to move a model without changing a number.
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
from lesson_tools import ask, line, picture, same, same_parts, table
from minigrad import convert, plot

# %% [markdown]
# ## One equation, three cells
#
# You find a model from 2016, with its weights. The code says `LSTMCell`, and so does your code. The shapes fit. You load
# the weights, and the model computes nonsense. Or, worse, it is only a little less good than the paper says. What happened?
#
# All three cells compute *some* LSTM of lesson 6. The table shows where they agree, and where they differ:
#
# | | first: `compat.v1.nn.rnn_cell` | second: `compat.v1.keras.layers` | third: `keras.layers` |
# |---|---|---|---|
# | weights | one kernel, the rows of $x$ above those of $h$ | `kernel` and `recurrent_kernel` | as the second |
# | order of the columns | $i, j, f, o$ | $i, f, \tilde c, o$ | as the second |
# | forget bias | 1, **added at call**; zeros in the file | 1 in the bias's **initial value** | as the second |
# | σ of the gates | sigmoid | **hard sigmoid** | sigmoid |
# | state | a tuple $(c, h)$ | a list $[h, c]$ | as the second |
# | options | peepholes, projection, clipping of $c$ | | |
#
# $j$, $\tilde c$ and $g$ are three names for the candidate; $m$ is the first generation's name for $h$. In formulas, where
# $[x, m]$ means $x$ and $m$ side by side in one array:
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
# The dashed lines in the first drawing are peepholes, the subject of exercise 3. A cell has them only with `use_peepholes=True`.


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
# **Third.** As in lesson 6: $c_\text{new} = 0.622 + 0.731\cdot 0.462 = 0.960$, and $h_\text{new} = 0.544$.
#
# **First.** The same numbers in $K$, in its own order: row of $x$: $(0.5,\ 1,\ {-1},\ 0)$, row of $h$: $(1,\ {-1},\ 1,\ 2)$. And the
# bias: in the third generation $b_f = 1$. In the first generation the cell itself adds 1, so the bias *in the file* must be
# 0. Then $z_f = -1 + 0.5 + 0 = -0.5$, and the gate is $\sigma(-0.5 + 1) = 0.622$. This is the same step.
#
# **Second.** $\operatorname{hard}\sigma(z) = 0.2\,z + 0.5$, clipped to $[0, 1]$: $i = o = 0.7$ and $f = 0.6$. So
# $c_\text{new} = 0.6 + 0.7\cdot 0.462 = 0.923$ and $h_\text{new} = 0.7\tanh 0.923 = 0.509$. **The weights are the same, the
# numbers are not.**

# %%
mg.compat.v1.reset_default_graph()
first = mg.compat.v1.nn.rnn_cell.LSTMCell(1, dtype="float64")
second = mg.compat.v1.keras.layers.LSTMCell(1, dtype="float64")
third = mg.keras.layers.LSTMCell(1, dtype="float64")
for cell in (first, second, third):
    cell.build((None, 1))

W = np.array([[0.5, -1.0, 1.0, 0.0]])
U = np.array([[1.0, 1.0, -1.0, 2.0]])
b = np.array([0.0, 1.0, 0.0, 0.0])
K = np.array([[0.5, 1.0, -1.0, 0.0], [1.0, -1.0, 1.0, 2.0]])
first.set_weights([K, np.zeros(4)])
second.set_weights([W, U, b])
third.set_weights([W, U, b])

x, h, c = np.ones((1, 1)), np.full((1, 1), 0.5), np.ones((1, 1))
_, after = first(x, mg.compat.v1.nn.rnn_cell.LSTMStateTuple(c=c, h=h))
rows = [("first", f"{after.c.item():.3f}", f"{after.h.item():.3f}")]
for name, cell in (("second", second), ("third", third)):
    _, (h_new, c_new) = cell(x, [h, c])
    rows.append((name, f"{c_new.item():.3f}", f"{h_new.item():.3f}"))
table(["generation", "c_new", "h_new"], rows)

# %% [markdown]
# ## Exercise 1: from third to first
#
# Write `to_first(W, U, b)`. It gets the weights of a cell of the third generation, and returns the kernel and the bias for
# a cell of the first. Do three things: put the two matrices together, change the order of the columns, and remember the
# number that is added at call.


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


# %% [markdown] hint="to_first"
# $[x, m]\,K$ must be $xW + mU$: which matrix is above? Which part of the columns comes second in $K$, and
# which part comes second in $W$? With which $b_f$ in the file is the sum $b_f + 1$ the number that you were given?

# %% [markdown] hint="to_first"
# Put $W$ above $U$ (`np.concatenate([W, U])`). Cut this array, and $b$, into four parts by `np.split(…, 4,
# axis=-1)`: they are $i, f, g, o$. Put them together in the order $i, g, f, o$ along the last axis. In
# the bias, take 1 from the part of $f$.


# %% mistake="to_first"
# The columns are in the order i, f, g, o, as they were. The first generation has i, j, f, o.
def to_first(W, U, b):
    """The old order of the columns."""
    taken = b.copy()
    taken[len(b) // 4 : len(b) // 2] -= 1
    return np.concatenate([W, U]), taken


# %% mistake="to_first"
# The columns of K are in the right order, those of the bias are still i, f, g, o.
def to_first(W, U, b):
    """The old order in the bias alone."""
    u = len(b) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return np.concatenate([W, U])[:, order], b - np.repeat([0, 1, 0, 0], u)


# %% mistake="to_first"
# K is right, and the forget bias acts twice: it is in the file, and the cell adds 1 at call.
def to_first(W, U, b):
    """A forget bias that acts twice."""
    u = len(b) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return np.concatenate([W, U])[:, order], b[order]


# %% mistake="to_first"
# K is right. The cell adds 1 at call, so take 1 from the forget bias; yours has 1 more.
def to_first(W, U, b):
    """1 added in place of subtracted."""
    u = len(b) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return np.concatenate([W, U])[:, order], (b + np.repeat([0, 1, 0, 0], u))[order]


# %% mistake="to_first"
# The rows of U are above those of W. In [x, m] the input comes first.
def to_first(W, U, b):
    """The rows of the state above those of the input."""
    u = len(b) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return np.concatenate([U, W])[:, order], (b - np.repeat([0, 1, 0, 0], u))[order]


# %% mistake="to_first"
# K is right. The 1 is taken from the bias of the candidate: after the columns have moved, f is
# the third part.
def to_first(W, U, b):
    """1 less in the bias of the candidate."""
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
# The check compares your arrays with those of `convert.relayout`, which moves weights between libraries. Then it runs both
# cells over a sequence: the outputs must agree.

# %% check="to_first" points=3
draw = np.random.default_rng(0)
W_, U_, b_ = (draw.normal(size=s) for s in ((3, 16), (4, 16), (16,)))
parts = ("K", "bias")
K_, bias_ = ask(to_first, W_, U_, b_, parts=parts, shape=((7, 16), (16,)))
right = convert.relayout([W_, U_, b_], "keras", "tf1").values()
axes = {"K": "row gates_ijfo", "bias": "gates_ijfo"}
same_parts(parts, (K_, bias_), right, axes=axes)

mg.compat.v1.reset_default_graph()
one = mg.compat.v1.nn.rnn_cell.LSTMCell(4, dtype="float64")
three = mg.keras.layers.LSTMCell(4, dtype="float64")
for cell in (one, three):
    cell.build((None, 3))
one.set_weights([K_, bias_])
three.set_weights([W_, U_, b_])
xs = draw.normal(size=(2, 9, 3))
outputs, state = mg.compat.v1.nn.dynamic_rnn(one, xs, dtype="float64")
loop = mg.keras.layers.RNN(three, return_sequences=True, return_state=True, dtype="float64")
ys, _, c_last = loop(xs)
same("h of all steps", outputs, ys, axes="row step unit")
same("c at the end", state.c, c_last, axes="row unit")

# %% [markdown]
# ## Over time
#
# Does a small difference at one step stay small? That depends on the net. Here are three cells of 16 units with the *same*
# weights, moved by `convert.relayout`, which knows where each library stores which number. The table has five nets,
# with other random weights each.


# %%
def three_cells(seed):
    """A cell of each generation, all three with the same random weights."""
    mg.random.seed(seed)
    mg.compat.v1.reset_default_graph()
    first = mg.compat.v1.nn.rnn_cell.LSTMCell(16, dtype="float64")
    second = mg.compat.v1.keras.layers.LSTMCell(16, dtype="float64")
    third = mg.keras.layers.LSTMCell(16, dtype="float64")
    for cell in (first, second, third):
        cell.build((None, 5))
    W, U, b = third.get_weights()
    weights = [2 * W, 2 * U, b]  # larger, so that the gates move
    third.set_weights(weights)
    second.set_weights(weights)
    first.set_weights(list(convert.relayout(weights, "keras", "tf1").values()))
    return first, second, third


x = np.random.default_rng(1).normal(size=(1, 40, 5))


def traced(cell):
    """The trace of a cell of any generation over the 40 steps of x."""
    with mg.trace(cell) as seen:
        if isinstance(cell, mg.compat.v1.nn.rnn_cell.LSTMCell):
            mg.compat.v1.nn.dynamic_rnn(cell, x, dtype="float64")
        else:
            mg.keras.layers.RNN(cell, dtype="float64")(x)
    return seen


SEEDS = range(3, 8)
rows, largest = [], []
for seed in SEEDS:
    first, second, third = [traced(cell) for cell in three_cells(seed)]
    if seed == SEEDS[0]:  # for the figure
        generations = {"third": third, "first": first, "second": second}
    for name, seen in (("first", first), ("second", second)):
        difference = np.abs(seen.c - third.c)  # c[0] is the state before step 0
        numbers = np.round([difference[1].max(), difference.max()], 6)
        rows.append([f"net {seed}: {name}", *(f"{number:.2g}" for number in numbers)])
        largest.append(numbers)
table(["largest |Δc| from the third", "step 0", "over 40 steps"], rows)


# %%
def draw_generations(ax):
    plot.compare_generations(generations, "c", units=2, ax=ax)


picture(
    draw_generations,
    alt="Above, the cell state c of unit 2 over 40 time steps, in the third, the first and the "
    "second generation, all with the same weights. The curves of the third and the first are the same. The second "
    "follows them closely and differs a little at many steps. Below, the difference from the third "
    "generation: zero for the first, up to 0.065 for the second, at step 22.",
    size=(8, 5),
)

# %% [markdown]
# With each of the five nets the first generation gives the numbers of the third. The second differs by 0.01 to 0.03 at the
# first step. Over forty steps its largest difference becomes about five to ten times as large. The figure shows one unit of
# the first net.

# %% [markdown]
# ## The hard sigmoid
#
# The second generation uses another function for its gates, a line with two corners:
# $\operatorname{hard}\sigma(z) = \min(1, \max(0,\ 0.2\,z + 0.5))$. It was chosen because it was fast to compute on the machines
# of 2015. It is close to σ. One difference matters for training: beyond $\pm 2.5$ its slope is not small but **zero**. A
# gate in that range gets no gradient at all from this step.
#
# ## Exercise 2: the hard sigmoid, and its slope
#
# Write `hard(z)`. It returns the value and the slope, two arrays of the shape of $z$.


# %% exercise="hard"
def hard(z):
    """hard σ(z), and its derivative."""
    ### BEGIN SOLUTION
    y = np.clip(0.2 * z + 0.5, 0, 1)
    return y, np.where(np.abs(z) < 2.5, 0.2, 0.0)
    ### END SOLUTION


# %% [markdown] hint="hard"
# Where is the line cut off? Solve $0.2\,z + 0.5 = 0$ and $0.2\,z + 0.5 = 1$. What is the slope of a
# level piece?

# %% [markdown] hint="hard"
# The value: `np.clip(0.2 * z + 0.5, 0, 1)`. The slope is 0.2 where $|z| < 2.5$, and 0 elsewhere:
# `np.where` chooses between the two.


# %% mistake="hard"
# The slope is y (1 − y), that of the sigmoid. This function is a line: what is the slope of a
# line?
def hard(z):
    """The slope of the sigmoid."""
    y = np.clip(0.2 * z + 0.5, 0, 1)
    return y, y * (1 - y)


# %% mistake="hard"
# Yours is z/6 + 1/2, the hard sigmoid of later versions of Keras. Here it is 0.2 z + 0.5.
def hard(z):
    """The definition of later versions of Keras, z / 6 + 1 / 2."""
    return np.clip(z / 6 + 0.5, 0, 1), np.where(np.abs(z) < 3, 1 / 6, 0.0)


# %% mistake="hard"
# The value is right. The slope is 0.2 everywhere: beyond the corners the function is level.
def hard(z):
    """A slope without the corners."""
    return np.clip(0.2 * z + 0.5, 0, 1), np.full(z.shape, 0.2)


# %% mistake="hard"
# The value is not cut off at 0 and 1: beyond the corners it is 0 or 1.
def hard(z):
    """A line without corners."""
    return 0.2 * z + 0.5, np.where(np.abs(z) < 2.5, 0.2, 0.0)


# %% mistake="hard"
# The value is the sigmoid itself, a smooth curve. The hard sigmoid is a line with two corners.
def hard(z):
    """The sigmoid."""
    y = 1 / (1 + np.exp(-z))
    return y, y * (1 - y)


# %% mistake="hard"
# The value is not cut off at 1: above 2.5 it is 1.
def hard(z):
    """A line with one corner."""
    return np.maximum(0, 0.2 * z + 0.5), np.where(np.abs(z) < 2.5, 0.2, 0.0)


# %% variant="hard"
def hard(z):
    """In place, with comparisons; the slope from the value."""
    z *= 0.2
    z += 0.5
    z[z < 0] = 0
    z[z > 1] = 1
    return z, 0.2 * ((z > 0) & (z < 1))


# %% check="hard" points=2
z = np.random.default_rng(2).uniform(-5, 5, 100)
z = np.sort(z).reshape(4, 25)  # row 0 has the smallest numbers
t = mg.tensor(z, requires_grad=True)
expected = mg.keras.activations.hard_sigmoid(t)
expected.sum().backward()
parts = ("value", "slope")
yours = ask(hard, z, parts=parts, shape=(z.shape, z.shape))
same_parts(parts, yours, (expected, t.grad))
step = 1e-3
ahead, behind = (ask(hard, z + way, parts=parts)[0] for way in (step, -step))
by_differences = (ahead - behind) / (2 * step)
same("slope, by differences of your values", by_differences, t.grad, atol=1e-3)


# %%
def draw_sigmas(left, right):
    z = np.linspace(-6, 6, 481)
    t = mg.tensor(z, requires_grad=True)
    functions = {
        "sigmoid": mg.keras.activations.sigmoid,
        "hard sigmoid": mg.keras.activations.hard_sigmoid,
    }
    for k, (name, function) in enumerate(functions.items()):
        y = function(t)
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
# Back to the model of 2016. A colleague has cut its kernel in two and loaded it into the third generation, because the
# shapes fit. Which convention does this violate? The method is the usual one of science: change *one thing at a time*.
# `convert.explain_difference` does this with each convention that it knows. The column `alone` shows the difference that
# remains if only this convention is put right. The column `so far` shows what remains if this one and all above it are.


# %%
def careless_copy(first):
    """A cell of the third generation with the weights of the first, cut in two and not moved."""
    cell = mg.keras.layers.LSTMCell(16, dtype="float64")
    cell.build((None, 5))
    K, bias = first.get_weights()
    cell.set_weights([K[:5], K[5:], bias])
    return cell


def explained(found):
    """The rows of an explanation that have numbers."""
    return [
        [row.convention, row.a, row.b, f"{row.alone:.3f}", f"{row.so_far:.3f}"]
        for row in found.rows
        if row.alone is not None and not row.note
    ]


first, second, third = three_cells(3)
found = convert.explain_difference(first, careless_copy(first))
print(f"max |Δh| = {found.max_h:.3f}; the causes: {', '.join(found.causes)}\n")
table(
    ["convention", "the old model", "the careless copy", "alone", "so far"],
    explained(found),
)

# %% [markdown]
# Now the second generation against the third, with the same weights:

# %%
found = convert.explain_difference(second, third)
print(f"max |Δh| = {found.max_h:.3f}; the cause: {', '.join(found.causes)}\n")
table(["convention", "second", "third", "alone", "so far"], explained(found))

# %% [markdown]
# Read the column *alone* of the first table. With the forget bias put right alone, the difference is *larger* than before.
# Is that an accident of this net? Here are all five:

# %%
remains = {}
for seed in SEEDS:
    first, _, _ = three_cells(seed)
    found = convert.explain_difference(first, careless_copy(first))
    order, bias = [row for row in found.rows if row.convention in found.causes]
    remains[seed] = (found.max_h, order.alone, bias.alone, bias.so_far)
rows = [
    [f"net {seed}", *(f"{x:.3f}" for x in numbers)] for seed, numbers in remains.items()
]
table(["max |Δh|", "as loaded", "order right", "bias right", "both right"], rows)

# %% [markdown]
# With each of the five nets the right order alone helps. The right forget bias alone does not: the difference is even a
# little larger. Two errors do not add up. So do not stop after the first attempt, and do not undo a correction because the
# numbers got worse.
# (The rows `weights` say that the weights are not a cause: they are the same once they are moved.)
#
# ## Exercise 3: peepholes
#
# The first generation has an option that the later ones lack: its gates may read $c$. This takes one number for each unit
# and each of three gates, $w_i$, $w_f$, $w_o$:
#
# $$\begin{aligned}
# c_\text{new} &= \sigma(z_f + 1 + w_f\circ c)\circ c + \sigma(z_i + w_i\circ c)\circ\tanh(z_j) \\
# m_\text{new} &= \sigma(z_o + w_o\circ c_\text{new})\circ\tanh(c_\text{new})
# \end{aligned}$$
#
# Which $c$ does the output gate read? Write the step.


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


# %% [markdown] hint="peepholes"
# Print the shape of `np.concatenate([x, m], axis=-1) @ K + b`. In which order are its four parts? Which of the four
# has no peephole?

# %% [markdown] hint="peepholes"
# Split $z = [x, m]\,K + b$ into $z_i, z_j, z_f, z_o$, in this order. Then the two lines of the formula, as they
# are: `sigmoid(z_f + 1 + w_f * c)` multiplies $c$, `sigmoid(z_i + w_i * c)` multiplies $\tanh z_j$, and the
# output gate is `sigmoid(z_o + w_o * c_new)`.


# %% mistake="peepholes"
# c_new is right. The output gate reads the old c: its peephole sees the new one.
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """The output gate with the old c."""
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    c_new = sigmoid(z_f + 1 + w_f * c) * c + sigmoid(z_i + w_i * c) * np.tanh(z_j)
    return c_new, sigmoid(z_o + w_o * c) * np.tanh(c_new)


# %% mistake="peepholes"
# The forget gate has no 1 added: in this generation the cell adds it at call.
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """A forget gate without the 1."""
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    c_new = sigmoid(z_f + w_f * c) * c + sigmoid(z_i + w_i * c) * np.tanh(z_j)
    return c_new, sigmoid(z_o + w_o * c_new) * np.tanh(c_new)


# %% mistake="peepholes"
# The columns are taken in the order i, f, j, o of Keras. This generation has i, j, f, o.
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """The order of the columns of Keras."""
    z_i, z_f, z_j, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    c_new = sigmoid(z_f + 1 + w_f * c) * c + sigmoid(z_i + w_i * c) * np.tanh(z_j)
    return c_new, sigmoid(z_o + w_o * c_new) * np.tanh(c_new)


# %% mistake="peepholes"
# In yours the state comes first, [m, x]. The rows of K for x are above those for m.
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """The state before the input."""
    z_i, z_j, z_f, z_o = np.split(np.concatenate([m, x], axis=-1) @ K + b, 4, axis=-1)
    c_new = sigmoid(z_f + 1 + w_f * c) * c + sigmoid(z_i + w_i * c) * np.tanh(z_j)
    return c_new, sigmoid(z_o + w_o * c_new) * np.tanh(c_new)


# %% mistake="peepholes"
# c_new is right. There is no tanh around c_new in your m_new.
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """m_new without a tanh."""
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    c_new = sigmoid(z_f + 1 + w_f * c) * c + sigmoid(z_i + w_i * c) * np.tanh(z_j)
    return c_new, sigmoid(z_o + w_o * c_new) * c_new


# %% mistake="peepholes"
# The candidate goes through σ in yours. It has a tanh.
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """The candidate through σ."""
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    c_new = sigmoid(z_f + 1 + w_f * c) * c + sigmoid(z_i + w_i * c) * sigmoid(z_j)
    return c_new, sigmoid(z_o + w_o * c_new) * np.tanh(c_new)


# %% mistake="peepholes"
# Yours sums w ∘ c over the units. Through its peephole each unit reads its own c only.
def peephole_step(x, c, m, K, b, w_f, w_i, w_o):
    """One number for a whole row: the product c w."""
    z_i, z_j, z_f, z_o = np.split(np.concatenate([x, m], axis=-1) @ K + b, 4, axis=-1)
    f = sigmoid(z_f + 1 + (c @ w_f)[:, None])
    c_new = f * c + sigmoid(z_i + (c @ w_i)[:, None]) * np.tanh(z_j)
    return c_new, sigmoid(z_o + (c_new @ w_o)[:, None]) * np.tanh(c_new)


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
K_, b_, w_f, w_i, w_o = cell.get_weights()


def right_step(*weights):
    """c_new and m_new by minigrad's cell, with given weights."""
    cell.set_weights(list(weights))
    _, new = cell(x_, mg.compat.v1.nn.rnn_cell.LSTMStateTuple(c=c_, h=m_))
    return new.c.numpy(), new.h.numpy()


expected = right_step(K_, b_, w_f, w_i, w_o)
wrong = {
    "the result without w_f": right_step(K_, b_, 0 * w_f, w_i, w_o),
    "the result without w_i": right_step(K_, b_, w_f, 0 * w_i, w_o),
    "the result without w_o": right_step(K_, b_, w_f, w_i, 0 * w_o),
    "the result without peepholes": right_step(K_, b_, 0 * w_f, 0 * w_i, 0 * w_o),
    "the result without b": right_step(K_, 0 * b_, w_f, w_i, w_o),
    "the result with w_f and w_i exchanged": right_step(K_, b_, w_i, w_f, w_o),
    "the other part of the answer": expected[::-1],
}
parts = ("c_new", "m_new")
given = (x_, c_, m_, K_, b_, w_f, w_i, w_o)
yours = ask(peephole_step, *given, parts=parts, shape=((5, 4), (5, 4)))
for k in (0, 1):
    others = {name: pair[k] for name, pair in wrong.items()}
    same(parts[k], yours[k], expected[k], axes="row unit", others=others)

# %% [markdown]
# ## What peepholes are for: keeping time
#
# When the output gate is shut, $m = 0$. Without peepholes, no gate can then know the value of $c$. With peepholes, a unit
# can be a clock. Here are three units without input, with $K = 0$. Each adds 0.1 to its $c$ at every step ($i = 1$,
# $g = 0.1$). As soon as $c$ is above a threshold $\theta$, the output gate opens. One step later the forget gate shuts, and
# the count begins again. Both gates see $c$ through their peepholes only:
#
# $$z_f + 1 = 200\,(\theta - c), \qquad z_o = 200\,(c_\text{new} - \theta) .$$

# %%
theta = np.array([0.45, 0.95, 1.45])
mg.compat.v1.reset_default_graph()
clock = mg.compat.v1.nn.rnn_cell.LSTMCell(3, use_peepholes=True, dtype="float64")
clock.build((None, 1))
b_i = np.full(3, 20.0)  # always open
b_j = np.full(3, np.arctanh(0.1))  # tanh of it is 0.1
b_f = 200 * theta - 1
b_o = -200 * theta
w_f, w_i, w_o = np.full(3, -200.0), np.zeros(3), np.full(3, 200.0)
K = np.zeros((4, 12))
clock.set_weights([K, np.concatenate([b_i, b_j, b_f, b_o]), w_f, w_i, w_o])
with mg.trace(clock) as ticking:
    mg.compat.v1.nn.dynamic_rnn(clock, np.zeros((1, 60, 1)), dtype="float64")
rows = []
for unit, threshold in enumerate(theta):
    ticks = np.flatnonzero(ticking.m[1:, 0, unit] > 0.3)
    rows.append([threshold, ", ".join(map(str, ticks[:4])) + " …", ticks[1] - ticks[0]])
table(["threshold", "ticks at steps", "period"], rows)


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
    "teeth that rise by 0.1 at each step and fall to 0.1 one step after they have passed 0.45, 0.95 or "
    "1.45. Below, their outputs: zero, except for a tick at the top of each tooth, every 5, 10 and 15 "
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
# Write `from_torch`, which returns $W$, $U$ and $b$ of the third generation. The check has 8 features and 2 units, so that one
# of the matrices is square: if you forget its transpose, no error is raised.


# %% exercise="from_torch"
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """W (features, 4 units), U (units, 4 units), b (4 units,)."""
    ### BEGIN SOLUTION
    return weight_ih.T, weight_hh.T, bias_ih + bias_hh
    ### END SOLUTION


# %% [markdown] hint="from_torch"
# A row of a batch is $x$ in $xW$, and a column in $W_\text{ih}\,x$. How are $W$ and $W_\text{ih}$ related? Which single $b$
# gives the same $z$ as the two biases?

# %% [markdown] hint="from_torch"
# $W = W_\text{ih}^\top$, $U = W_\text{hh}^\top$ and $b = b_\text{ih} + b_\text{hh}$. The order of the gates is the same.


# %% mistake="from_torch"
# W and U are right. b is only one of the two biases: z has both.
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """Only one of the biases."""
    return weight_ih.T, weight_hh.T, bias_ih


# %% mistake="from_torch"
# W is made to fit by a reshape, or left as it is. The shape is right, the places are not: it must
# be transposed.
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """A reshape in the place of a transpose."""
    return weight_ih.reshape(weight_ih.shape[::-1]), weight_hh.T, bias_ih + bias_hh


# %% mistake="from_torch"
# U is made to fit by a reshape. The shape is right, the places are not: it must be transposed.
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """A reshape of the other matrix."""
    return weight_ih.T, weight_hh.reshape(weight_hh.shape[::-1]), bias_ih + bias_hh


# %% mistake="from_torch"
# W and U are right. The forget bias has a 1 added. PyTorch adds nothing at call, and neither does
# the third generation.
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """A forget bias of 1 on top, as Keras has it."""
    extra = np.repeat([0.0, 1.0, 0.0, 0.0], len(bias_ih) // 4)
    return weight_ih.T, weight_hh.T, bias_ih + bias_hh + extra


# %% mistake="from_torch"
# The columns are in the order i, g, f, o. PyTorch and Keras have the same order, i, f, g, o.
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """The columns moved as for the first generation."""
    u = len(bias_ih) // 4
    order = np.r_[0:u, 2 * u : 3 * u, u : 2 * u, 3 * u : 4 * u]
    return weight_ih.T[:, order], weight_hh.T[:, order], (bias_ih + bias_hh)[order]


# %% variant="from_torch"
def from_torch(weight_ih, weight_hh, bias_ih, bias_hh):
    """In place; a list; single precision."""
    bias_hh += bias_ih
    return [np.transpose(a).astype("float32") for a in (weight_ih, weight_hh, bias_hh)]


# %% check="from_torch" points=2
draw = np.random.default_rng(5)
w_ih, w_hh, b_ih, b_hh = (draw.normal(size=s) for s in ((8, 8), (8, 2), (8,), (8,)))
state = {"weight_ih_l0": w_ih, "weight_hh_l0": w_hh, "bias_ih_l0": b_ih, "bias_hh_l0": b_hh}
target = mg.keras.layers.LSTM(2, dtype="float64")
target.build((None, None, 8))
convert.from_torch_state_dict(state, target)
parts = ("W", "U", "b")
shape = ((8, 8), (2, 8), (8,))
yours = ask(from_torch, w_ih, w_hh, b_ih, b_hh, parts=parts, shape=shape)
axes = {"W": "feature gates", "U": "unit gates", "b": "gates"}
terms = {"b": {"bias_ih": b_ih, "bias_hh": b_hh}}
same_parts(parts, yours, target.get_weights(), axes=axes, terms=terms)

target.set_weights(yours)
x_, h_, c_ = (draw.normal(size=(5, n)) for n in (8, 2, 2))
z = w_ih @ x_.T + b_ih[:, None] + w_hh @ h_.T + b_hh[:, None]  # PyTorch's formula
i, f, g, o = np.split(z.T, 4, axis=-1)
c_torch = c_ / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
_, (_, c_new) = target.cell(x_, [h_, c_])
same("c_new of your layer and by PyTorch's formula", c_new, c_torch, axes="row unit")

# %% [markdown]
# ## To think about
#
# 1. The forget bias *in the file* or *at call*: which is better if all weights are decayed towards 0 in training?
# 2. You have a file of the first generation, with trained weights. Can you tell from the file with which `forget_bias` the
#    net was trained?
# 3. A model was trained with the hard sigmoid. Must you keep it in all later versions? What would you try, and how would you
#    measure the cost?
# 4. Two biases add up to one. Yet a net with two trains differently from a net with one. Why? (What is the gradient of each?)
#
# ## Summary
#
# - There is one equation. Conventions differ: order of gates, arrangement of the matrices, where the forget bias is, which
#   σ, order of the state.
# - Order and arrangement change no number if they are respected. If they are not, nothing warns you: the shapes fit.
# - `hard_sigmoid` is another function. No arrangement of weights corrects that; set `recurrent_activation="sigmoid"`.
# - A difference is explained if only rounding remains when *all* its causes are put right.
#
# **Read:** Gers and Schmidhuber, "Recurrent nets that time and count", 2000, on peepholes; Sak, Senior and Beaufays, "Long
# short-term memory recurrent neural network architectures for large scale acoustic modeling", 2014, on the projection.
#
# **In the source:** [`minigrad/recurrent/lstmp.py`](../minigrad/recurrent/lstmp.py) is the first generation's step,
# [`minigrad/layers/lstm.py`](../minigrad/layers/lstm.py) the second's cell and the base of the third's, and
# [`minigrad/convert/layouts.py`](../minigrad/convert/layouts.py) the table of all arrangements.
