# %% [markdown]
# # 2 · Tensors, broadcasting and its undoing
#
# From numbers to arrays: why the gradient of a copy is a sum, and what that does to shapes.
#
# **Minutes:** 60 · **Needs:** lesson 1; NumPy arrays, `sum(axis)`, the matrix product
#
# After this lesson you can
#
# 1. predict the shape of any broadcast expression, and spot the one that silently ruins a loss;
# 2. undo a broadcast: bring a gradient back to the shape before the broadcast, and prove it right with one inner product;
# 3. write the backward pass of a dense layer and of an embedding lookup, for inputs with any number of axes.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, check, line, picture, same, same_parts, scaled, table

# %% [markdown]
# ## One rule about shapes
#
# For arrays the formula of lesson 1 holds for each entry, and one convention makes it easy to use:
#
# > $dx = \partial L/\partial x$ **has the shape of** $x$, always. Entry $dx_i$ says how the loss changes with $x_i$.
#
# So an elementwise operation is simple: $y = \tanh x$ has $dx = dy \circ (1 - y \circ y)$, where $\circ$ multiplies
# entry by entry. New are operations between arrays of different shapes.
#
# ## Broadcasting
#
# NumPy and minigrad accept `(4, 3) + (3,)`, by two rules:
#
# 1. write the shapes below each other, aligned at the **right**, and put 1 where one of them has no axis;
# 2. along an axis where one has size 1, it is **copied** to the size of the other. Other sizes must agree.

# %%
rows = []
for left, right in (
    ((4, 3), (3,)),
    ((4, 3), (4, 1)),
    ((4, 1), (3,)),
    ((2, 1, 3), (4, 1)),
    ((4, 3), (4,)),
):
    try:
        shape = np.broadcast_shapes(left, right)
    except ValueError:
        shape = "does not fit: 3 against 4"
    rows.append((left, right, shape))
table(["left", "right", "together"], rows)

# %% [markdown]
# ## A copy backwards is a sum
#
# Let $x$ be copied $n$ times, $X_k = x$. Each copy has its own reader, and lesson 1's sum is over all of them:
#
# $$dx = \sum_{k=1}^{n} dX_k .$$
#
# That is all. **Forward: copy along an axis. Backward: sum along that axis.** A bias that is added to
# every row of a batch gets the sum of the gradients of all rows.
#
# ## An example for paper
#
# $x$ of shape `(2, 1)`, $w$ of shape `(3,)`, $y = x\,w$ of shape `(2, 3)`, and a given gradient
# $dy$:
#
# $$x = \begin{pmatrix}1\\2\end{pmatrix},\quad w = (1,\ 0,\ -1),\quad
#   y = \begin{pmatrix}1&0&-1\\2&0&-2\end{pmatrix},\quad
#   dy = \begin{pmatrix}1&2&3\\4&5&6\end{pmatrix}$$
#
# In the product, each entry of $y$ is made from one copy of $x$ and one copy of $w$: the copies' gradients are
# $dy \circ w$ and $dy \circ x$, both `(2, 3)`. Then sum over the copies:
#
# $$dx = \begin{pmatrix}1\cdot 1+2\cdot 0-3\cdot 1\\4\cdot 1+5\cdot 0-6\cdot 1\end{pmatrix}
#      = \begin{pmatrix}-2\\-2\end{pmatrix},\qquad
#   dw = (1\cdot 1+4\cdot 2,\ \ 2\cdot 1+5\cdot 2,\ \ 3\cdot 1+6\cdot 2) = (9,\ 12,\ 15).$$

# %%
x = mg.tensor([[1.0], [2.0]], requires_grad=True)
w = mg.tensor([1.0, 0.0, -1.0], requires_grad=True)
dy = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")
(x * w).backward(dy)
print("dx =", x.grad.numpy().tolist())
print("dw =", w.grad.numpy().tolist())


# %%
def draw_sums(left, middle, right):
    through_x, through_w = dy * w.numpy(), dy * x.numpy()
    panels = (
        (left, through_x, "dy ∘ w, for the copies of x"),
        (right, through_w, "dy ∘ x, for the copies of w"),
    )
    grid(middle, dy, "dy")
    for ax, values, title in panels:
        grid(ax, values, title)
    for k, total in enumerate(through_x.sum(1)):
        left.text(
            3.1,
            k,
            f"→ {total:g}".replace("-", "−"),
            va="center",
            color=line(1)["color"],
            fontweight="bold",
        )
    for k, total in enumerate(through_w.sum(0)):
        right.text(
            k,
            2.0,
            f"↓\n{total:g}",
            ha="center",
            va="center",
            color=line(1)["color"],
            fontweight="bold",
        )


def grid(ax, values, title):
    """An array drawn as a table of numbers."""
    n, m = values.shape
    ax.imshow(
        np.zeros((n, m)),
        cmap="Greys",
        vmin=0,
        vmax=10,
        extent=(-0.5, m - 0.5, n - 0.5, -0.5),
    )
    ax.set_xticks(np.arange(m + 1) - 0.5, [])
    ax.set_yticks(np.arange(n + 1) - 0.5, [])
    ax.tick_params(length=0)
    for k in range(n):
        for j in range(m):
            ax.text(j, k, f"{values[k, j]:g}".replace("-", "−"), ha="center", va="center")
    ax.set_title(title, loc="left")
    ax.set(xlim=(-0.5, 4.2), ylim=(2.6, -0.6))
    for side in ax.spines.values():
        side.set_visible(False)
    ax.grid(False)
    for k in range(n + 1):
        ax.plot([-0.5, m - 0.5], [k - 0.5, k - 0.5], color="0.6", linewidth=0.8)
    for j in range(m + 1):
        ax.plot([j - 0.5, j - 0.5], [-0.5, n - 0.5], color="0.6", linewidth=0.8)


picture(
    draw_sums,
    alt="Three tables of two rows and three columns. In the middle dy: 1 2 3 and 4 5 6. "
    "On the left dy times w: 1 0 −3 and 4 0 −6, with arrows that sum each row, to −2 "
    "and −2: that is dx. On the right dy times x: 1 2 3 and 8 10 12, with arrows that "
    "sum each column, to 9, 12 and 15: that is dw.",
    columns=3,
    size=(9.5, 2.6),
)

# %% [markdown]
# ## Exercise 1: undo a broadcast
#
# Something of shape `shape` was broadcast to the shape of `d`; bring `d` back. Axes that were *put in front* disappear;
# axes of size 1 that were *stretched* are summed and keep their size 1.


# %% exercise="unbroadcast"
def unbroadcast(d, shape):
    """Sum d over the axes along which an array of this shape was copied."""
    ### BEGIN SOLUTION
    extra = d.ndim - len(shape)
    d = d.sum(axis=tuple(range(extra)))
    stretched = tuple(k for k, n in enumerate(shape) if n == 1)
    return d.sum(axis=stretched, keepdims=True)
    ### END SOLUTION


# %% [markdown] hint="unbroadcast"
# Write the two shapes below each other, aligned at the right. Along which axes was the array copied?
# There are two kinds.

# %% [markdown] hint="unbroadcast"
# First sum over the `d.ndim - len(shape)` axes in front; they disappear. Then sum over every axis $k$
# with `shape[k] == 1`, with `keepdims=True`.


# %% mistake="unbroadcast"
# The axes in front are summed. An axis of size 1 was copied too: it is summed as well, and
# stays as an axis of size 1.
def unbroadcast(d, shape):
    """Without the axes of size 1."""
    return d.sum(axis=tuple(range(d.ndim - len(shape))))


# %% mistake="unbroadcast"
# Backwards, a copy is a sum. Yours is the mean of the copies' gradients.
def unbroadcast(d, shape):
    """The mean of the copies' gradients."""
    extra = d.ndim - len(shape)
    d = d.mean(axis=tuple(range(extra)))
    return d.mean(axis=tuple(k for k, n in enumerate(shape) if n == 1), keepdims=True)


# %% mistake="unbroadcast"
# Yours takes the gradient of one copy. The gradients of all copies count.
def unbroadcast(d, shape):
    """Right in shape, but with one copy only."""
    for _ in range(d.ndim - len(shape)):
        d = d[0]
    for k, n in enumerate(shape):
        d = d.take([0], axis=k) if n == 1 else d
    return d


# %% variant="unbroadcast"
def unbroadcast(d, shape):
    """One axis at a time, from the left."""
    while d.ndim > len(shape):
        d = np.add.reduce(d)
    for k in range(d.ndim):
        if shape[k] == 1:
            d = np.expand_dims(d.sum(k), k)
    return d


# %% variant="unbroadcast"
def unbroadcast(d, shape):
    """Entry by entry, into an array of zeros."""
    back = np.zeros(shape)
    one = (1,) * (d.ndim - len(shape)) + tuple(shape)
    for at in np.ndindex(d.shape):
        here = tuple(k if n > 1 else 0 for k, n in zip(at, one, strict=True))
        back[here[d.ndim - len(shape) :]] += d[at]
    return back


# %% [markdown]
# The check uses the property that *defines* a backward pass of a linear operation. Broadcasting is linear, so it is a
# large matrix $B$ of zeros and ones. Its backward pass is $B^\top$, and for all $x$ and $d$
#
# $$\langle B x,\, d\rangle = \langle x,\, B^\top d\rangle .$$
#
# With random $x$ and $d$ the two sides agree only if `unbroadcast` is right. The matrix $B$ itself is not needed.

# %% check="unbroadcast" points=3
draw = np.random.default_rng(0)
for shape, big in (
    ((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 3), (4, 3)), ((1, 1), (4, 3)), ((), (2, 3)), ((2, 3), (2, 3)),
    ((3, 1), (5, 2, 3, 4)), ((1,), (1,)), ((4, 1, 2), (4, 3, 2)),
):  # fmt: skip
    x0, d = draw.normal(size=shape), draw.normal(size=big)
    expected = (np.broadcast_to(x0, big) * d).sum()
    back = ask(unbroadcast, d, shape, shape=shape)
    same(f"{shape!s:9} → {big!s:12} ⟨x, Bᵀd⟩", (x0 * back).sum(), expected, atol=1e-5)

# %% [markdown]
# ## Transposes everywhere
#
# The same argument works for every linear operation. It gives a table to remember, which can be read in both directions:
#
# | forward | backward |
# |---|---|
# | copy along an axis (broadcast) | sum along that axis |
# | sum along an axis | copy along that axis |
# | reshape, transpose | reshape back, transpose back |
# | concatenate | split |
# | pick entries, $y_k = x_{i_k}$ | *add* into those entries, $dx_{i_k} \mathrel{+}= dy_k$ |
# | $y = x\,W$ | $dx = dy\,W^\top$ |
#
# ## Exercise 2: a dense layer with any number of axes
#
# $y = x\,W + b$ with $x$ of shape `(…, features)`, $W$ `(features, units)`, $b$ `(units,)`. The dots may be `(batch,)`,
# or `(batch, time)`, or nothing. Each row of $x$ is multiplied by the *same* $W$: that is a copy, so $dW$ is a sum over
# all rows. Write it with `reshape` and matrix products, not with loops.


# %% exercise="dense_backward"
def dense_backward(dy, x, W):
    """dx, dW, db of y = x W + b."""
    ### BEGIN SOLUTION
    rows, drows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    dx = dy @ W.T
    dW = rows.T @ drows
    db = drows.sum(axis=0)
    return dx, dW, db
    ### END SOLUTION


# %% [markdown] hint="dense_backward"
# With two axes, $dx = dy\,W^\top$, $dW = x^\top dy$, and $db$ is the sum of the rows of $dy$. Which
# of the three is right for any number of axes?

# %% [markdown] hint="dense_backward"
# `x.reshape(-1, features)` makes one row for each position; do the same with `dy`. Use these two in
# $dW$ and $db$. $dx$ needs no reshape.


# %% mistake="dense_backward"
# db is a mean over the rows. Each row has its own copy of b, so the gradients of the copies
# are summed.
def dense_backward(dy, x, W):
    """A mean for the bias."""
    rows, drows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, dy.shape[-1])
    return dy @ W.T, rows.T @ drows, drows.mean(axis=0)


# %% mistake="dense_backward"
# This is right for two axes only. Bring x and dy to two axes first: one row for each
# position.
def dense_backward(dy, x, W):
    """Two axes only."""
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


# %% variant="dense_backward"
def dense_backward(dy, x, W):
    """einsum; a list of three."""
    dW, db = np.zeros(W.shape), np.zeros(W.shape[1])
    for at in np.ndindex(x.shape[:-1]):
        dW += np.outer(x[at], dy[at])
        db += dy[at]
    return [np.einsum("...u,fu->...f", dy, W), dW, db]


# %% check="dense_backward" points=3
draw = np.random.default_rng(1)
for shape in ((4, 3), (3,), (2, 5, 3)):
    x0, W0, b0, c = (draw.normal(size=s) for s in (shape, (3, 2), (2,), (*shape[:-1], 2)))
    x, W, b = (mg.tensor(a, requires_grad=True) for a in (x0, W0, b0))
    (x @ W + b).backward(c)
    print(f"x of shape {shape}")
    parts = ("dx", "dW", "db")
    yours = ask(dense_backward, c, x0, W0, parts=parts)
    same_parts(parts, yours, (x.grad, W.grad, b.grad))

# %% [markdown]
# ## Exercise 3: an embedding
#
# An embedding is a table $E$ `(words, features)`; a text is an array of indices $i$; the layer looks up $y_k = E_{i_k}$.
# Write its backward pass. Mind a word that occurs **twice**: NumPy's `dE[i] += dy` computes all right-hand sides first;
# then one overwrites the other. `np.add.at(dE, i, dy)` adds them one after another.


# %% exercise="embedding_backward"
def embedding_backward(dy, i, words):
    """dE of y = E[i], where E has that many words."""
    ### BEGIN SOLUTION
    dE = np.zeros((words, dy.shape[-1]))
    np.add.at(dE, i, dy)
    return dE
    ### END SOLUTION


# %% [markdown] hint="embedding_backward"
# What does the entry of a word get that occurs three times?

# %% [markdown] hint="embedding_backward"
# Start with zeros of shape `(words, features)`, and let `np.add.at` add each `dy` at its index.


# %% mistake="embedding_backward"
# A word that occurs twice has the gradient of one of its places only: the last one
# overwrites the others.
def embedding_backward(dy, i, words):
    dE = np.zeros((words, dy.shape[-1]))
    dE[i] += dy
    return dE


# %% variant="embedding_backward"
def embedding_backward(dy, i, words):
    """A loop, in single precision."""
    dE = np.zeros((words, dy.shape[-1]), np.float32)
    for at in np.ndindex(i.shape):
        dE[i[at]] += dy[at]
    return dE


# %% variant="embedding_backward"
def embedding_backward(dy, i, words):
    """A product with one-hot rows."""
    rows = np.eye(words, dtype=int)[i.reshape(-1)]
    return rows.T @ dy.reshape(len(rows), -1)


# %% check="embedding_backward" points=2
draw = np.random.default_rng(2)
E0, c, i = (
    draw.normal(size=(5, 2)),
    draw.normal(size=(2, 4, 2)),
    np.array([[0, 3, 3, 1], [3, 0, 2, 2]]),
)
E = mg.tensor(E0, requires_grad=True)
E[i].backward(c)
dE = ask(embedding_backward, c, i, 5, shape=E0.shape)
same("dE", dE, E.grad, axes="word feature")
check(not dE[4].any(), "word 4 does not occur: its gradient is 0.")

# %% [markdown]
# ## The most expensive broadcast
#
# Broadcasting raises no error if two shapes fit *by chance*. A network with one output unit predicts an array of shape
# `(n, 1)`; the targets were read from a file as `(n,)`. Then `prediction - target` has shape `(n, n)`: every prediction
# against every target. The mean of its squares is a number, it has a gradient, and the loss falls. What is learnt? Five times,
# with different noise in the data:

# %%
n, SEEDS = 24, range(5)
inputs = np.linspace(-1, 1, n)[:, None]
targets = [
    2 * inputs[:, 0] + 0.5 + 0.2 * np.random.default_rng(seed).normal(size=n)
    for seed in SEEDS
]


def fitted(target, steps):
    """Slope and intercept of a line that gradient descent fits to the target."""
    slope, intercept = (
        mg.tensor(0.0, dtype="float64", requires_grad=True) for _ in range(2)
    )
    for _ in range(steps):
        prediction = inputs * slope + intercept  # (n, 1)
        loss = ((prediction - target) ** 2).mean()
        d_slope, d_intercept = mg.grad(loss, [slope, intercept])
        slope, intercept = (
            mg.tensor(p.numpy() - 0.3 * d.numpy(), requires_grad=True)
            for p, d in ((slope, d_slope), (intercept, d_intercept))
        )
    return round(slope.item(), 3) + 0.0, round(intercept.item(), 3)


right = [fitted(target[:, None], scaled(100, 30)) for target in targets]  # (n, 1) − (n, 1)
wrong = [
    fitted(target, scaled(100, 30)) for target in targets
]  # (n, 1) − (n,): a table (n, n)
table(
    [
        "noise",
        "slope, (n, 1) − (n, 1)",
        "slope, (n, 1) − (n,)",
        "intercept",
        "mean of the data",
    ],
    [
        (
            f"seed {seed}",
            f"{good[0]:.2f}",
            f"{bad[0]:.2f}",
            f"{bad[1]:.2f}",
            f"{target.mean():.2f}",
        )
        for seed, good, bad, target in zip(SEEDS, right, wrong, targets, strict=True)
    ],
)


# %%
def draw_fit(ax):
    ax.plot(
        inputs[:, 0], targets[0], "o", color="0.5", markersize=4, label="data of seed 0"
    )
    for k, (name, (slope, intercept)) in enumerate(
        (("(n, 1) − (n, 1)", right[0]), ("(n, 1) − (n,)", wrong[0]))
    ):
        ax.plot(inputs[:, 0], slope * inputs[:, 0] + intercept, label=name, **line(k))
    ax.set(xlabel="x", ylabel="target and prediction")
    ax.legend()


picture(
    draw_fit,
    alt="Noisy data on a rising line, and two fits. The fit with matching shapes (n, 1) "
    "and (n, 1) is a solid line through the data. The fit with shapes (n, 1) and (n,) "
    "is a dashed, flat line at the mean of the data: it does not depend on x.",
)

# %% [markdown]
# It learns the *mean*, each time, for each prediction is compared with all targets at once. The losses of `mg.keras`
# add the missing axis, or raise an error; a hand-written `((a - b) ** 2).mean()` does neither. Print shapes.
#
# ## To think about
#
# 1. Show with the inner product that the backward pass of $y = x\,W$, as a function of $W$, is $dW = x^\top dy$.
# 2. `mean` is a sum and a division. What is its backward pass? Which of copy and sum does it contain?
# 3. A Python number, as in `2.0 * x`, is broadcast to the shape of `x`. Why does nothing sum a gradient for it?
# 4. In the flat fit, work out the loss as a function of the slope. Why is 0 its minimum?
#
# ## Summary
#
# - $dx$ has the shape of $x$.
# - A copy backwards is a sum, and a sum backwards is a copy; the backward pass of a linear operation is its transpose.
# - $\langle Bx, d\rangle = \langle x, B^\top d\rangle$ checks a backward pass without knowing the answer.
# - Shapes that fit by chance are the most common silent mistake in the field.
#
# **In the source:** `_unbroadcast` at the end of [`minigrad/engine/tape.py`](../minigrad/engine/tape.py) is exercise 1, seven lines long;
# [`minigrad/engine/ops/arithmetic.py`](../minigrad/engine/ops/arithmetic.py) has the matrix product,
# [`minigrad/engine/ops/shape.py`](../minigrad/engine/ops/shape.py), [`minigrad/engine/ops/reduction.py`](../minigrad/engine/ops/reduction.py) and
# [`minigrad/engine/ops/indexing.py`](../minigrad/engine/ops/indexing.py) the rest of the table.

# %% [markdown]
# ## Your net
#
# In [`mynet.py`](mynet.py), fill in three functions. `tanh` shows the form: compute the array, and return a `Tensor` with its inputs
# and its rule.
#
# - `unbroadcast(dy, shape)` is exercise 1.
# - `add(x, y)`: its rule sends `dy` to both inputs, each in its own shape.
# - `matmul(x, w)`: its rule returns `dx` and `dw`, as in exercise 2, for any number of axes in front.

# %%
from lesson_net import your_net

your_net(2)
