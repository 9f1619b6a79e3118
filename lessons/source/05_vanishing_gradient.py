# %% [markdown]
# # 5 · The recurrent net and its vanishing gradient
#
# One net, used again at every time step: how a gradient travels back through time, why it dies or explodes, and what clipping can do.
#
# **Minutes:** 75 · **Needs:** lessons 1 to 4; eigenvalues, the norm of a matrix
#
# After this lesson you can
#
# 1. derive backpropagation through time for the simple recurrent net, and say which matrices the gradient is multiplied by;
# 2. measure $\lVert\partial h_T/\partial h_t\rVert$, and predict from $U$ whether it vanishes or explodes;
# 3. explain the error cliff, and write the clipping that gets a training run past it.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import line, picture, same, scaled, table

# %% [markdown]
# ## The net
#
# A sequence $x_1, \dots, x_T$ comes in, one vector at each time step. The net has a state $h_t$, its memory, and one rule
# for how it changes:
#
# $$h_t = \tanh(s_t), \qquad s_t = x_t W + h_{t-1} U + b .$$
#
# | | shape |
# |---|---|
# | $x_t$ | `(batch, features)` |
# | $h_t$, $s_t$ | `(batch, units)` |
# | $W$ | `(features, units)` |
# | $U$ | `(units, units)` |
# | $b$ | `(units,)` |
#
# Written out for all steps it is a deep net with $T$ layers, of which each has **the same weights** and an input of its own.


# %%
def draw_unrolled(ax):
    blue, orange = line(0)["color"], line(1)["color"]

    def box(x, y, text, color):
        return ax.text(
            x, y, text, ha="center", va="center", bbox={"boxstyle": "round,pad=0.4", "fc": "white", "ec": color}
        )

    def arrow(start, end, text, color="0.3", back=False):
        style = {"arrowstyle": "->", "color": color, "linestyle": "--" if back else "-"}
        ax.annotate("", end, start, arrowprops=style)
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        ax.text(x, y + (-0.16 if back else 0.09), text, ha="center", va="center", color=color)

    for t in range(1, 5):
        box(2 * t, 1, f"$h_{t}$" if t < 4 else "$h_T$", blue)
        box(2 * t, 0, f"$x_{t}$" if t < 4 else "$x_T$", "0.5")
        arrow((2 * t, 0.2), (2 * t, 0.78), "")
        ax.text(2 * t + 0.15, 0.48, "W", color="0.3")
        arrow((2 * t - 1.65, 1.04), (2 * t - 0.35, 1.04), "U")
        arrow((2 * t - 0.35, 0.92), (2 * t - 1.65, 0.92), "", orange, back=True)
        ax.text(2 * t - 0.8, 0.76, f"$dh_{t if t < 4 else 'T'}$", color=orange, ha="center")
    box(0, 1, "$h_0$", blue)
    box(8, 1.8, "loss", "0.2")
    arrow((7.96, 1.2), (7.96, 1.62), "")
    arrow((8.06, 1.62), (8.06, 1.2), "", orange, back=True)
    ax.set(xlim=(-0.5, 8.8), ylim=(-0.3, 2.1))
    ax.axis("off")


picture(
    draw_unrolled,
    alt="The unrolled net. States h₀, h₁, h₂, h₃ … h_T in a row, joined by arrows to the right that all carry the same matrix U. "
    "Below each state its input x_t, joined by an arrow with the same matrix W. A loss sits above the last state. Dashed arrows "
    "go back from the loss through every state to the left: the gradients dh_t.",
    size=(8, 2.6),
)

# %% [markdown]
# ## Back through time
#
# Lesson 1's rule, applied from the last step to the first. $h_t$ is read by the loss, if it depends on it directly (that
# share arrives as $dy_t$), and by $s_{t+1}$:
#
# $$\begin{aligned}
# dh_t &= dy_t + ds_{t+1}\,U^\top \\
# ds_t &= dh_t \circ (1 - h_t \circ h_t) \\
# dW = \sum_t x_t^\top\, ds_t, \qquad dU &= \sum_t h_{t-1}^\top\, ds_t, \qquad db = \sum_t \sum_\text{batch} ds_t
# \end{aligned}$$
#
# The sums over $t$ are there because the weights are *copied* to every step, and a copy backwards is a sum (lesson 2). The
# loop is called backpropagation through time, BPTT. That is all; you have seen it in lesson 3 in a dozen lines of NumPy.
#
# ## The product of Jacobians
#
# Suppose the loss looks at $h_T$ only. What does it know of step $t$? Put a small change $\delta$ on $h_t$. One step on, it
# has become $J_{t+1}\,\delta$, with the Jacobian
#
# $$J_t = \frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t\circ h_t)\,U^\top,
# \qquad\text{and at the end}\quad
# \frac{\partial h_T}{\partial h_t} = J_T\,J_{T-1}\cdots J_{t+1} .$$
#
# $T - t$ factors, each a diagonal matrix with entries between 0 and 1, times **the same** $U^\top$. So
#
# $$\left\lVert\frac{\partial h_T}{\partial h_t}\right\rVert \;\le\; \lVert U\rVert^{\,T-t}.$$
#
# If $\lVert U\rVert < 1$ the gradient *must* vanish, exponentially in the distance. If it is larger than 1 it *may* explode.
#
# ## An example for paper
#
# One unit, no input, $h_t = \tanh(u\,h_{t-1})$, so $J_t = u\,(1-h_t^2)$, and $h_0 = 0.5$. With a pocket calculator, three steps:
#
# | | $h_1$ | $h_2$ | $h_3$ | $J_1$ | $J_2$ | $J_3$ | $\partial h_3/\partial h_0$ |
# |---|---|---|---|---|---|---|---|
# | $u = 0.5$ | 0.245 | 0.122 | 0.061 | 0.470 | 0.493 | 0.498 | **0.115** |
# | $u = 2$ | 0.762 | 0.909 | 0.949 | 0.840 | 0.346 | 0.199 | **0.058** |
#
# A surprise: with the *larger* $u$ the gradient vanishes *faster*. The unit saturates, $1-h^2$ is tiny, and the state sits
# in an attractor in which it forgets where it came from. Let us see a few more steps.


# %%
def orbit(u, b, h, T):
    """h_0 … h_T and J_1 … J_T of one unit."""
    hs, Js = [h], []
    for _ in range(T):
        hs.append(np.tanh(u * hs[-1] + b))
        Js.append(u * (1 - hs[-1] ** 2))
    return np.array(hs), np.array(Js)


for u in (0.5, 2.0):
    hs, Js = orbit(u, 0.0, 0.5, 3)
    print(
        f"u = {u}:  h =",
        *(f"{h:.3f}" for h in hs[1:]),
        "  J =",
        *(f"{J:.3f}" for J in Js),
        f"  product {Js.prod():.3f}",
    )


# %%
def draw_orbits(left, right):
    for ax, u in ((left, 0.5), (right, 2.0)):
        for start in np.linspace(-1, 1, 10):
            rising = start > 0
            ax.plot(orbit(u, 0.0, start, 12)[0], **line(0 if rising else 1, marker=True))
        ax.set(xlabel="step t", ylabel="h", title=f"u = {u:g}", ylim=(-1.05, 1.05))


picture(
    draw_orbits,
    alt="The state of one unit over 12 steps, from ten different starts. Left, u = 0.5: all run into 0 within six steps. Right, "
    "u = 2: the positive starts run into +0.96, the negative ones into −0.96. Within an attractor all starts become the same.",
    columns=2,
)

# %% [markdown]
# With one attractor (left) everything is forgotten. With two (right) *one bit* is kept for ever, on which side we started,
# but a small change of the start makes no difference, so the gradient is 0 there too. Remember this pair: **to hold on to
# a bit in an attractor is to lose the gradient.**
#
# ## Measuring it
#
# `mg.trace` looks on while a recurrent layer runs, and works the product of Jacobians out exactly. Below, nets of 32 units
# whose $U$ is an orthogonal matrix times a gain $g$, so that $\lVert U^k\rVert = g^k$:

# %%
T = scaled(60, 30)
x = 0.1 * np.random.default_rng(0).normal(size=(1, T, 8))


def looked_at(gain, x=x):
    """A trace of a recurrent net, and ‖∂h_T/∂h_t‖ for t = 0 … T."""
    mg.random.seed(3)
    U = mg.keras.initializers.Orthogonal(gain=gain)
    rnn = mg.keras.layers.SimpleRNN(32, recurrent_initializer=U, dtype="float64")
    with mg.trace(rnn) as trace:
        h_T = rnn(mg.tensor(x, requires_grad=True))
        (h_T**2).sum().backward()
    return rnn, trace, trace.jacobian_norms()[:, 0]


GAINS = (0.6, 0.9, 1.0, 1.1, 1.6)
norms = {gain: looked_at(gain)[2] for gain in GAINS}
lags = np.arange(T + 1)[::-1]


def draw_norms(ax):
    for k, gain in enumerate(GAINS):
        ax.semilogy(lags, norms[gain], label=f"g = {gain}", **line(k))
        ax.semilogy(lags, float(gain) ** lags, color=line(k)["color"], linewidth=0.5, alpha=0.6)
    ax.set(xlabel="lag T − t, in steps", ylabel="‖∂h_T / ∂h_t‖", ylim=(1e-14, 1e9))
    ax.legend(title="thin: the bound gᵏ", ncols=2)


picture(
    draw_norms,
    alt="The norm of ∂h_T/∂h_t against the lag T − t, logarithmic, for recurrent matrices of gain g. For g = 0.6 it falls on a "
    "straight line to 1e-13 at a lag of 60, for 0.9 to about 1e-3; for 1.0 it falls slowly, to about a tenth; for 1.1 it is "
    "almost level; for 1.6 it grows, to some hundreds or more, and stays far below its bound. Thin lines show the bound g to "
    "the power of the lag.",
    size=(7, 4),
)

# %% [markdown]
# For small gains the curve hugs its bound. For $g > 1$ it stays below: the state grows until the tanh saturates, and
# $1 - h^2$ takes away what $U$ puts in. Between the two there is no gain that is level for long.
#
# ## Exercise 1: the norms, by hand
#
# Write `norms_by_hand(hs, U)`: from the states $h_0 \dots h_T$ of one sequence, `(T + 1, units)`, and $U$, the spectral norms
# of $\partial h_T/\partial h_t$ for $t = 0, \dots, T$. Start at the end, where the matrix is the identity, and multiply by one
# $J_t$ at a time. `np.linalg.norm(M, 2)` is the spectral norm.


# %% exercise="norms"
def norms_by_hand(hs, U):
    """‖∂h_T/∂h_t‖ for t = 0 … T, an array of T + 1 numbers."""
    ### BEGIN SOLUTION
    M = np.eye(len(U))
    found = [1.0]
    for h_t in hs[:0:-1]:
        J_t = (1 - h_t * h_t)[:, None] * U.T
        M = M @ J_t
        found.append(np.linalg.norm(M, 2))
    return np.array(found[::-1])
    ### END SOLUTION


# %% mistake="norms"
def norms_by_hand(hs, U):
    """The derivative of tanh is taken at the state before the step."""
    M, found = np.eye(len(U)), [1.0]
    for h_t in hs[-2::-1]:
        M = M @ ((1 - h_t * h_t)[:, None] * U.T)
        found.append(np.linalg.norm(M, 2))
    return np.array(found[::-1])


# %% mistake="norms"
def norms_by_hand(hs, U):
    """The product of the norms, which is a bound only."""
    each = [np.linalg.norm((1 - h_t * h_t)[:, None] * U.T, 2) for h_t in hs[1:]]
    return np.append(np.cumprod(each[::-1])[::-1], 1.0)


# %% mistake="norms"
def norms_by_hand(hs, U):
    """U in place of its transpose."""
    M, found = np.eye(len(U)), [1.0]
    for h_t in hs[:0:-1]:
        M = M @ ((1 - h_t * h_t)[:, None] * U)
        found.append(np.linalg.norm(M, 2))
    return np.array(found[::-1])


# %% check="norms" points=4
for gain in (0.9, 1.6):
    rnn, trace, expected = looked_at(gain, 5 * x[:, :20])
    U = rnn.get_weights()[1]
    same(f"norms for g = {gain}", np.log(norms_by_hand(trace.h[:, 0], U)), np.log(expected), rtol=1e-9)

# %% [markdown]
# ## Which gradient has vanished?
#
# Print the norm of $dU$ while such a net trains, and it looks healthy. The gradient that vanishes is not $dU$: it is the
# *share* of the early steps in it, $dU = \sum_t h_{t-1}^\top ds_t$. The trace has all that is needed:

# %%
rnn, trace, _ = looked_at(0.9, 5 * x)
shares = np.array([np.linalg.norm(np.outer(trace.h[t, 0], trace.dz_h_new[t, 0])) for t in range(T)])
total = np.linalg.norm(sum(np.outer(trace.h[t, 0], trace.dz_h_new[t, 0]) for t in range(T)))
same("dU, summed from the trace", total, np.linalg.norm(rnn.trainable_weights[1].grad.numpy()))
table(
    ["", "norm"],
    [
        ("dU", f"{total:.2f}"),
        ("the last ten steps' share", f"{shares[-10:].sum():.2f}"),
        ("the first ten steps' share", f"{shares[:10].sum():.1e}"),
    ],
)


# %%
def draw_shares(ax):
    ax.semilogy(np.arange(1, T + 1), shares, label="share of step t in dU", **line(0))
    ax.axhline(total, label="‖dU‖", color=line(1)["color"], linestyle=line(1)["linestyle"])
    ax.semilogy(np.arange(1, T + 1), trace.saliency()[:, 0], label="‖dx_t‖: does the loss see this input?", **line(2))
    ax.set(xlabel="step t", ylabel="norm")
    ax.legend()


picture(
    draw_shares,
    alt="For g = 0.9, logarithmic, against the step t: the share of each step in dU rises exponentially from left to right, over "
    "several powers of ten, and the norm of dx_t with it. A level dashed line, the norm of dU, lies near the share of the "
    "last few steps: they make it up alone.",
)

# %% [markdown]
# The net *does* learn, from the last few steps. What happened long ago is not noisy, or slow to be learnt: for the
# optimiser it hardly exists. This is why people believed for years that their recurrent nets worked.
#
# ## Exercise 2: a spectral radius to order
#
# In a linear net, $h_t = h_{t-1} U$, the growth over many steps is set by the **eigenvalues** of $U$: for large $k$,
# $\lVert U^k\rVert^{1/k}$ tends to the largest $|\lambda|$, the *spectral radius*. It is not the norm: a matrix may stretch a
# vector tenfold at the first step and still kill it in the end. Write `with_radius(U, radius)`, a multiple of $U$ with a
# given spectral radius.


# %% exercise="with_radius"
def with_radius(U, radius):
    """A multiple of U whose largest |eigenvalue| is radius."""
    ### BEGIN SOLUTION
    return U * (radius / np.abs(np.linalg.eigvals(U)).max())
    ### END SOLUTION


# %% mistake="with_radius"
def with_radius(U, radius):
    return U * (radius / np.linalg.norm(U, 2))


# %% mistake="with_radius"
def with_radius(U, radius):
    return U * (radius / np.linalg.eigvals(U).real.max())


# %% check="with_radius" points=2
draw = np.random.default_rng(1)
rotation = np.array([[0.0, -3.0], [3.0, 0.0]])  # turns by a right angle: its eigenvalues are ±3i
for name, U in (
    ("a rotation", rotation),
    ("a random matrix", draw.normal(size=(20, 20))),
    ("a shear", np.array([[1.0, 9.0], [0.0, 1.0]])),
):
    for radius in (0.9, 1.1):
        V = with_radius(U, radius)
        k = 2000
        sign, growth = 1.0, 0.0
        M = np.eye(len(V))
        for _ in range(k):
            M = M @ V
            size = np.linalg.norm(M, 2)
            M, growth = M / size, growth + np.log(size)
        same(f"{name}: growth per step over {k} steps", np.exp(growth / k), radius, rtol=0.01)

# %% [markdown]
# ## The error cliff
#
# What exploding gradients look like from above. One unit, no input, $h_t = \tanh(u\,h_{t-1} + b)$ from $h_0 = 0$, and the loss
# $(h_T - 0.2)^2$ after $T = 25$ steps, as a function of $u$ and $b$. For $u > 1$ there are two attractors, and $b$ decides
# into which of them the state falls. Where the decision tips, at $b = 0$, a tiny change of $b$ changes everything: a wall.


# %%
def unit_loss(u, b, steps=25):
    """(h_T − 0.2)², of arrays or of Tensors."""
    h = 0.0 * b
    for _ in range(steps):
        h = mg.tanh(u * h + b) if isinstance(h, mg.Tensor) else np.tanh(u * h + b)
    return (h - 0.2) ** 2


def descend(longest=None, steps=40, eta=0.1):
    """Gradient descent on the cliff, from the plain; with clipping, if `longest` is given."""
    point = np.array([1.35, 0.35])  # u, b
    path, lengths = [point], []
    for _ in range(steps):
        u, b = (mg.tensor(p, requires_grad=True) for p in point)
        g = np.array([d.item() for d in mg.grad(unit_loss(u, b), [u, b])])
        lengths.append(np.linalg.norm(g))
        if longest is not None and lengths[-1] > longest:
            g *= longest / lengths[-1]
        point = point - eta * g
        path.append(point)
    return np.array(path), np.array(lengths)


free, free_lengths = descend(steps=60)
clipped, clipped_lengths = descend(longest=0.5, steps=60)
table(
    ["", "longest gradient", "farthest from the start", "loss at the end"],
    [
        (
            name,
            f"{lengths.max():.1f}",
            f"{np.linalg.norm(path - path[0], axis=1).max():.2f}",
            f"{unit_loss(*path[-1]):.4f}",
        )
        for name, path, lengths in (("free", free, free_lengths), ("clipped to 0.5", clipped, clipped_lengths))
    ],
)
