# %% [markdown]
# # 5 · The recurrent net and its vanishing gradient
#
# One net, used again at every time step: how a gradient goes back through time, why it vanishes or explodes, and how clipping helps.
#
# **Minutes:** 75 · **Needs:** lessons 1 to 4; eigenvalues, the norm of a matrix
#
# After this lesson you can
#
# 1. derive backpropagation through time for the simple recurrent net, and name the matrices that multiply the gradient;
# 2. measure $\lVert\partial h_T/\partial h_t\rVert$, and predict from $U$ whether it vanishes or explodes;
# 3. explain the error cliff, and write the clipping that brings a training past it.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, line, picture, same, scaled, table

# %% [markdown]
# ## The net
#
# The input is a sequence $x_1, \dots, x_T$, one vector at each time step. The net has a state $h_t$, its memory, and one
# rule to update it:
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
# Written out for all steps it is a deep net with $T$ layers. All layers have **the same weights**, and each has its own
# input.


# %%
def draw_unrolled(ax):
    blue, orange = line(0)["color"], line(1)["color"]

    def box(x, y, text, color):
        return ax.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            bbox={"boxstyle": "round,pad=0.4", "fc": "white", "ec": color},
        )

    def arrow(start, end, text, color="0.3", back=False):
        style = {"arrowstyle": "->", "color": color, "linestyle": "--" if back else "-"}
        ax.annotate("", end, start, arrowprops=style)
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        ax.text(
            x, y + (-0.16 if back else 0.09), text, ha="center", va="center", color=color
        )

    for t in range(1, 5):
        box(2 * t, 1, f"$h_{t}$" if t < 4 else "$h_T$", blue)
        box(2 * t, 0, f"$x_{t}$" if t < 4 else "$x_T$", "0.5")
        arrow((2 * t, 0.2), (2 * t, 0.78), "")
        ax.text(2 * t + 0.15, 0.48, "W", color="0.3")
        arrow((2 * t - 1.65, 1.05), (2 * t - 0.35, 1.05), "U" if t < 4 else "U …")
        arrow(
            (2 * t - 0.35, 0.92),
            (2 * t - 1.65, 0.92),
            f"$ds_{t if t < 4 else 'T'}\\,U^T$",
            orange,
            back=True,
        )
    box(0, 1, "$h_0$", blue)
    box(8, 1.8, "loss", "0.2")
    arrow((7.96, 1.2), (7.96, 1.62), "")
    arrow((8.06, 1.62), (8.06, 1.2), "", orange, back=True)
    ax.set(xlim=(-0.5, 8.8), ylim=(-0.3, 2.1))
    ax.axis("off")


picture(
    draw_unrolled,
    alt="The unrolled net. States h₀, h₁, h₂, h₃ … h_T in a row, joined by arrows to the "
    "right that all carry the same matrix U. Below each state its input x_t, joined "
    "by an arrow with the same matrix W. A loss sits above the last state. Dashed "
    "arrows go back from the loss through every state to the left, each labelled ds_t "
    "Uᵀ: the gradient, multiplied by the same matrix again and again.",
    size=(8, 2.6),
)

# %% [markdown]
# ## Back through time
#
# Apply lesson 1's rule from the last step to the first. $h_t$ has two readers: the loss, if it depends on $h_t$ directly
# (this share is $dy_t$), and $s_{t+1}$:
#
# $$\begin{aligned}
# dh_t &= dy_t + ds_{t+1}\,U^\top \\
# ds_t &= dh_t \circ (1 - h_t \circ h_t) \\
# dW = \sum_t x_t^\top\, ds_t, \qquad dU &= \sum_t h_{t-1}^\top\, ds_t, \qquad db = \sum_t \sum_\text{batch} ds_t
# \end{aligned}$$
#
# The sums over $t$ are there because the weights are *copied* to every step, and a copy backwards is a sum (lesson 2). The
# loop is called backpropagation through time, BPTT. Lesson 3 has it in a dozen lines of NumPy.
#
# ## The product of Jacobians
#
# Suppose the loss depends on $h_T$ only. How does it depend on step $t$? Add a small change $\delta$ to $h_t$. One step
# later the change is $J_{t+1}\,\delta$, with the Jacobian
#
# $$J_t = \frac{\partial h_t}{\partial h_{t-1}} = \operatorname{diag}(1 - h_t\circ h_t)\,U^\top,
# \qquad\text{and at the end}\quad
# \frac{\partial h_T}{\partial h_t} = J_T\,J_{T-1}\cdots J_{t+1} .$$
#
# $T - t$ factors, each a diagonal matrix with entries between 0 and 1, times **the same** $U^\top$. So
#
# $$\left\lVert\frac{\partial h_T}{\partial h_t}\right\rVert \;\le\; \lVert U\rVert^{\,T-t}.$$
#
# If $\lVert U\rVert < 1$ the gradient *must* vanish, exponentially in the distance. If it is larger than 1, the bound does not
# decide: the gradient *may* explode, or grow for some steps and then vanish (exercise 2).
#
# ## An example for paper
#
# One unit, no input, $h_t = \tanh(u\,h_{t-1})$, so $J_t = u\,(1-h_t^2)$, and $h_0 = 0.5$. With a pocket calculator, three steps:
#
# | | $h_1$ | $h_2$ | $h_3$ | $J_1$ | $J_2$ | $J_3$ | $\partial h_3/\partial h_0$ |
# |---|---|---|---|---|---|---|---|
# | $u = 0.5$ | 0.245 | 0.122 | 0.061 | 0.470 | 0.493 | 0.498 | **0.115** |
# | $u = 2$ | 0.762 | 0.909 | 0.949 | 0.840 | 0.347 | 0.200 | **0.058** |
#
# A surprise: with the *larger* $u$ the gradient vanishes *faster*. The unit saturates, $1-h^2$ is very small, and the state
# is in an attractor, where it forgets its start. Here are more steps.


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
            colour = line(0 if start > 0 else 1, marker=True)
            ax.plot(orbit(u, 0.0, start, 12)[0], **colour)
        ax.set(xlabel="step t", ylabel="h", title=f"u = {u:g}", ylim=(-1.05, 1.05))


picture(
    draw_orbits,
    alt="The state of one unit over 12 steps, from ten different starts. Left, u = 0.5: "
    "all reach 0 within six steps. Right, u = 2: the positive starts reach "
    "+0.96, the negative ones −0.96. Within an attractor all starts become the same.",
    columns=2,
)

# %% [markdown]
# With one attractor (left) everything is forgotten. With two (right) *one bit* is kept: the side of the start. But a small
# change of the start makes no difference, so the gradient is 0 there too. Remember: **an attractor keeps a bit and loses
# the gradient.**
#
# ## Measuring it
#
# `mg.trace` records a recurrent layer while it runs, and computes the product of Jacobians exactly. Below are nets of 32
# units whose $U$ is an orthogonal matrix times a gain $g$, so that $\lVert U^k\rVert = g^k$:

# %%
T = scaled(60, 30)
x = 0.1 * np.random.default_rng(0).normal(size=(1, T, 8))


def recorded(gain, x=x):
    """A trace of a recurrent net, and ‖∂h_T/∂h_t‖ for t = 0 … T."""
    mg.random.seed(3)
    U = mg.keras.initializers.Orthogonal(gain=gain)
    rnn = mg.keras.layers.SimpleRNN(32, recurrent_initializer=U, dtype="float64")
    with mg.trace(rnn) as trace:
        h_T = rnn(mg.tensor(x, requires_grad=True))
        (h_T**2).sum().backward()
    return rnn, trace, trace.jacobian_norms()[:, 0]


GAINS = (0.6, 0.9, 1.0, 1.1, 1.6)
norms = {gain: recorded(gain)[2] for gain in GAINS}
lags = np.arange(T + 1)[::-1]


# %%
def draw_norms(ax):
    for k, gain in enumerate(GAINS):
        ax.semilogy(lags, norms[gain], label=f"g = {gain}", **line(k))
        ax.semilogy(
            lags, float(gain) ** lags, color=line(k)["color"], linewidth=0.5, alpha=0.6
        )
    ax.set(xlabel="lag T − t, in steps", ylabel="‖∂h_T / ∂h_t‖", ylim=(1e-14, 1e9))
    ax.legend(title="thin: the bound gᵏ", ncols=2)


picture(
    draw_norms,
    alt="The norm of ∂h_T/∂h_t against the lag T − t, logarithmic, for recurrent matrices "
    "of gain g. For g = 0.6 it falls on a straight line to about 1e-13 at a lag of "
    "60, for 0.9 to about 1e-3; for 1.0 it falls slowly, to about 0.3; for 1.1 it "
    "rises slowly, to about 5; for 1.6 it grows to some thousands, and stays far below "
    "its bound. Thin lines show the bound, g to the power of the lag.",
    size=(7, 4),
)

# %% [markdown]
# For small gains the curve is close to its bound. For $g > 1$ it stays below: the state grows until the tanh saturates,
# and the factor $1 - h^2$ cancels the growth by $U$. Between the two, a curve may be level for some steps, but a small
# change of the gain ends that.
#
# ## Exercise 1: the norms, by your own code
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


# %% [markdown] hint="norms"
# For $t = T$ the matrix is the identity. Which factor comes next: $J_T$ or $J_1$? And on which side?

# %% [markdown] hint="norms"
# Start with the identity $M$. For $t = T, T-1, \dots, 1$: $M \leftarrow M\,J_t$ with $J_t =
# \operatorname{diag}(1 - h_t\circ h_t)\,U^\top$, and note its norm. In NumPy a diagonal matrix times
# $U^\top$ is a column of factors times `U.T`. At the end reverse the list.


# %% mistake="norms"
# The slope of tanh is taken at the state before the step. J_t has 1 − h_t², with the state
# after it.
def norms_by_hand(hs, U):
    """tanh′ at the state before the step."""
    M, found = np.eye(len(U)), [1.0]
    for h_t in hs[-2::-1]:
        M = M @ ((1 - h_t * h_t)[:, None] * U.T)
        found.append(np.linalg.norm(M, 2))
    return np.array(found[::-1])


# %% mistake="norms"
# This is the product of the norms, a bound. Multiply the matrices first, and take the norm
# of the product.
def norms_by_hand(hs, U):
    """The product of the norms, which is a bound only."""
    each = [np.linalg.norm((1 - h_t * h_t)[:, None] * U.T, 2) for h_t in hs[1:]]
    return np.append(np.cumprod(each[::-1])[::-1], 1.0)


# %% mistake="norms"
# U is not transposed in J_t.
def norms_by_hand(hs, U):
    """U in place of its transpose."""
    M, found = np.eye(len(U)), [1.0]
    for h_t in hs[:0:-1]:
        M = M @ ((1 - h_t * h_t)[:, None] * U)
        found.append(np.linalg.norm(M, 2))
    return np.array(found[::-1])


# %% variant="norms"
def norms_by_hand(hs, U):
    """From the left, each product from its start; the largest singular value; a list of floats."""
    found = []
    for t in range(len(hs)):
        M = np.eye(len(U))
        for h in hs[t + 1 :]:
            M = np.diag(1 - h**2) @ U.T @ M
        found.append(float(np.linalg.svd(M)[1][0]))
    return found


# %% check="norms" points=4
for gain in (0.9, 1.6):
    rnn, trace, expected = recorded(gain, 5 * x[:, :20])
    U = rnn.get_weights()[1]
    yours = ask(norms_by_hand, trace.h[:, 0], U, shape=expected.shape)
    name = f"norms for g = {gain}, logarithms"
    same(name, np.log(yours), np.log(expected), atol=1e-5, axes="step")

# %% [markdown]
# ## Which gradient has vanished?
#
# The norm of $dU$ of such a net looks normal. It is not $dU$ that vanishes, but the *share* of the early steps in it:
# $dU = \sum_t h_{t-1}^\top ds_t$. The trace holds all factors:

# %%
rnn, trace, _ = recorded(0.9, 5 * x)
terms = [np.outer(trace.h[t, 0], trace.dz_h_new[t, 0]) for t in range(T)]  # h_{t−1}ᵀ ds_t
shares = np.array([np.linalg.norm(term) for term in terms])
total = np.linalg.norm(sum(terms))
from_tape = np.linalg.norm(rnn.trainable_weights[1].grad.numpy())
assert np.isclose(total, from_tape)  # the trace agrees with the tape
table(
    ["", "norm"],
    [
        ("dU", f"{total:.2f}"),
        ("the last step's share", f"{shares[-1]:.2f}"),
        ("the share of 10 steps before", f"{shares[-11]:.1e}"),
        ("the share of 20 steps before", f"{shares[-21]:.1e}"),
    ],
)


# %%
def draw_shares(ax):
    ax.semilogy(np.arange(2, T + 1), shares[1:], label="share of step t in dU", **line(0))
    ax.axhline(total, label="‖dU‖", color=line(1)["color"], linestyle=line(1)["linestyle"])
    ax.semilogy(
        np.arange(1, T + 1),
        trace.saliency()[:, 0],
        label="‖dx_t‖: how the loss depends on this input",
        **line(2),
    )
    ax.set(xlabel="step t", ylabel="norm")
    ax.legend()


picture(
    draw_shares,
    alt="For g = 0.9, logarithmic, against the step t: the share of each step in dU rises "
    "exponentially from left to right, over several powers of ten, and the norm of "
    "dx_t with it. A level dashed line, the norm of dU, lies near the share of the "
    "last few steps: they alone determine it.",
)

# %% [markdown]
# So what does such a net learn? Let it add two of forty numbers: the last one, and an earlier one. Train it with five seeds
# for each distance, with 200 steps of Adam. Then fit its answers by $\text{answer} \approx \alpha\cdot\text{last} +
# \beta\cdot\text{earlier}$. A net that has learnt the task has $\alpha = \beta = 1$:

# %%
SEEDS, STEPS = range(scaled(5, 1)), scaled(200, 20)


def taught(distance, seed, steps=STEPS, T=40):
    """α, β and the mean squared error of a trained net; the numbers have variance 1."""
    draw = np.random.default_rng(seed)
    mg.random.seed(seed)
    U = mg.keras.initializers.Orthogonal(gain=0.9)
    rnn = mg.keras.layers.SimpleRNN(32, recurrent_initializer=U)
    net = mg.keras.Sequential([rnn, mg.keras.layers.Dense(1)])
    adam = mg.keras.optimizers.Adam(0.01)
    for step in range(steps + 1):
        numbers = draw.normal(size=(64 if step < steps else 2000, T, 1)).astype("float32")
        pair = numbers[:, [-1, -1 - distance], 0]
        answer = net(numbers)
        if step < steps:
            loss = ((answer - pair.sum(axis=1, keepdims=True)) ** 2).mean()
            weights = net.trainable_weights
            adam.apply_gradients(zip(mg.grad(loss, weights), weights, strict=True))
    answer = answer.numpy()[:, 0]
    alpha, beta = np.linalg.lstsq(pair, answer, rcond=None)[0]
    return alpha, beta, ((answer - pair.sum(axis=1)) ** 2).mean()


learnt = {
    distance: np.array([taught(distance, seed) for seed in SEEDS]) for distance in (5, 20)
}
table(
    [
        "median (range) over the seeds",
        "α, the last one",
        "β, the earlier one",
        "mean squared error",
    ],
    [
        (
            f"{k} steps apart",
            *(
                f"{np.median(v):.2f} ({v.min():.2f} to {v.max():.2f})"
                for v in found.T + 0.0
            ),
        )
        for k, found in learnt.items()
    ],
)

# %% [markdown]
# With a distance of twenty steps the net *does* learn, but only the last number. The earlier number has no part in its
# answer, with any seed. The loss falls from 2 to 1, by the last number alone, and stays there: the gradient of the rest is
# too small.
#
# ## Exercise 2: a given spectral radius
#
# In a linear net, $h_t = h_{t-1} U$, the growth over many steps is set by the **eigenvalues** of $U$: for large $k$,
# $\lVert U^k\rVert^{1/k}$ tends to the largest $|\lambda|$, the *spectral radius*. It is not the norm: a matrix may make a
# vector ten times as long at the first step, and yet the vector may vanish in the end. Write `with_radius(U, radius)`, a multiple of $U$ with a
# given spectral radius.


# %% exercise="with_radius"
def with_radius(U, radius):
    """A multiple of U whose largest |eigenvalue| is radius."""
    ### BEGIN SOLUTION
    return U * (radius / np.abs(np.linalg.eigvals(U)).max())
    ### END SOLUTION


# %% [markdown] hint="with_radius"
# If a matrix is multiplied by a number, what happens to its eigenvalues?

# %% [markdown] hint="with_radius"
# `np.linalg.eigvals` gives the eigenvalues, which may be complex; `np.abs` their sizes. Multiply $U$
# by `radius` over the largest of them.


# %% mistake="with_radius"
# Yours is scaled by the norm of U. The spectral radius is the largest size of an
# eigenvalue.
def with_radius(U, radius):
    return U * (radius / np.linalg.norm(U, 2))


# %% mistake="with_radius"
# Yours is scaled by the determinant, which knows only the product of the eigenvalues. The
# largest of them counts.
def with_radius(U, radius):
    """From the determinant."""
    return U * radius / np.abs(np.linalg.det(U)) ** (1 / len(U))


# %% variant="with_radius"
def with_radius(U, radius):
    """In place."""
    U /= max(abs(np.linalg.eig(U).eigenvalues))
    U *= radius
    return U


# %% check="with_radius" points=2
draw = np.random.default_rng(1)
rotation = np.array(
    [[0.0, -3.0], [3.0, 0.0]]
)  # turns by a right angle: its eigenvalues are ±3i
for name, U in (
    ("a rotation", rotation),
    ("a random matrix", draw.normal(size=(20, 20))),
    ("a shear", np.array([[1.0, 9.0], [0.0, 1.0]])),
):
    for radius in (0.9, 1.1):
        V = ask(with_radius, U, radius, shape=U.shape)
        k = 2000
        M, growth = np.eye(len(V)), 0.0
        for _ in range(k):
            M = M @ V
            size = np.abs(M).max()
            M, growth = M / size, growth + np.log(size)
        same(
            f"{name}: growth per step over {k} steps", np.exp(growth / k), radius, rtol=0.01
        )

# %% [markdown]
# ## The error cliff
#
# This section shows exploding gradients on the surface of a loss. One unit, no input, $h_t = \tanh(u\,h_{t-1} + b)$ from $h_0 = 0$, and the loss
# $(h_T - 0.2)^2$ after $T = 25$ steps, as a function of $u$ and $b$. For $u > 1$ there are two attractors, and $b$ decides
# into which of them the state falls. At the border between them, $b = 0$, a tiny change of $b$ changes everything: the
# loss has a wall.


# %%
def unit_loss(u, b, steps=25):
    """(h_T − 0.2)², of arrays or of Tensors."""
    h = 0.0 * b
    for _ in range(steps):
        h = mg.tanh(u * h + b) if isinstance(h, mg.Tensor) else np.tanh(u * h + b)
    return (h - 0.2) ** 2


def descend(starts, steps, eta, longest=np.inf):
    """Gradient descent from many starts (n, 2) at once, no gradient longer than `longest`.

    Return the paths (steps + 1, n, 2) and the lengths of the gradients before they are shortened, (steps, n).
    """
    path, lengths = [starts], []
    for _ in range(steps):
        u, b = (mg.tensor(path[-1][:, k].copy(), requires_grad=True) for k in range(2))
        g = np.stack([d.numpy() for d in mg.grad(unit_loss(u, b).sum(), [u, b])], axis=-1)
        lengths.append(np.linalg.norm(g, axis=-1))
        path.append(path[-1] - eta * g * np.minimum(1, longest / lengths[-1])[:, None])
    return np.array(path), np.array(lengths)


start = np.array([[1.5, 0.4]])
free, free_lengths = (a[:, 0] for a in descend(start, 60, eta=0.1))
clipped, _ = (a[:, 0] for a in descend(start, 60, eta=0.1, longest=0.5))
thrown = free_lengths.argmax()
print(
    f"free:    after {thrown} steps the gradient is {free_lengths[thrown]:.0f} long, and b jumps",
    end=" ",
)
print(
    f"from {free[thrown, 1]:.3f} to {free[thrown + 1, 1]:.2f}. Loss in the end: {unit_loss(*free[-1]):.2f}"
)
print(f"clipped: loss in the end: {unit_loss(*clipped[-1]):.4f}")


# %%
def draw_cliff(left, right):
    b = np.linspace(-0.4, 0.6, 400)
    for k, u in enumerate((0.8, 1.15, 1.5)):
        left.plot(b, unit_loss(u, b), label=f"u = {u}", **line(k))
    left.set(xlabel="b", ylabel="loss", title="across the wall")
    left.legend()
    u, b = np.meshgrid(np.linspace(0.6, 1.7, 120), np.linspace(-0.15, 0.6, 240))
    right.contourf(u, b, unit_loss(u, b), levels=12, cmap="Greys", alpha=0.6)
    right.plot(*free.T, **line(1, marker=True), label="free")
    right.plot(
        *clipped.T, **line(0, marker=True) | {"markersize": 3}, label="clipped to 0.5"
    )
    right.set(
        xlabel="u",
        ylabel="b",
        title="from above (grey: high)",
        xlim=(0.6, 1.7),
        ylim=(-0.15, 0.6),
    )
    right.annotate("to b = 5.2", (1.09, 0.585), (1.15, 0.5), color=line(1)["color"])
    right.legend(loc="upper left")
    right.grid(False)


picture(
    draw_cliff,
    alt="The error cliff. Left, the loss against b for three values of u. For u = 0.8 it "
    "is a smooth valley with its floor at b = 0.04. For u = 1.15 and u = 1.5 it falls "
    "slowly where b is negative, drops at b = 0 like a wall, for u = 1.5 from 1.1 to "
    "0.45, and rises gently to a plain on the right. Right, the same from above, with "
    "two paths of gradient descent that come down from the plain together. At the "
    "wall the free one leaves the picture, to b = 5.2. The clipped one turns, and "
    "goes in zigzags along the foot of the wall to the valley.",
    columns=2,
    size=(9.5, 3.8),
)

# %% [markdown]
# On the wall the gradient is very long, and one step destroys all that was learnt: at $b = 5.2$ the unit is saturated, the
# gradient is 0, and the training has ended. In a training curve, the loss suddenly jumps up and never falls again.
#
# The *direction* of the gradient is right even there. So keep it, and limit the length: with all gradients of all weights
# as **one** long vector $g$, and a longest length $\ell$,
#
# $$g \;\leftarrow\; g\cdot\min\!\left(1,\ \frac{\ell}{\lVert g\rVert}\right).$$
#
# Sixty starts on the plain, with $\eta = 0.05$, each with and without clipping. The starts are random, so there are five
# times sixty:


# %%
def sixty(seed, longest):
    """Of sixty starts, the number that jump farther than 1, and that end with a loss below 0.02."""
    draw = np.random.default_rng(seed)
    starts = np.stack([draw.uniform(1.2, 2.0, 60), draw.uniform(0.1, 0.5, 60)], axis=-1)
    path, _ = descend(starts, scaled(150, 30), 0.05, longest)
    jumps = np.linalg.norm(np.diff(path, axis=0), axis=-1).max(0)
    return (jumps > 1).sum(), (unit_loss(*path[-1].T) < 0.02).sum()


fates = {
    name: np.array([sixty(seed, longest) for seed in range(5)])
    for name, longest in (("free", np.inf), ("clipped to 1", 1.0))
}
table(
    ["of 60 starts: median (range)", "jump farther than 1", "loss below 0.02 in the end"],
    [
        (name, *(f"{np.median(v):.0f} ({v.min()} to {v.max()})" for v in found.T))
        for name, found in fates.items()
    ],
)

# %% [markdown]
# ## Exercise 3: clipping
#
# Write `clipped_to(gradients, longest)` for a *list* of arrays of any shapes, the gradients of all weights of a net. It
# returns a new list. Their common length is the root of the sum of all squares.


# %% exercise="clipping"
def clipped_to(gradients, longest):
    """The same gradients, shortened together if their common length is larger than `longest`."""
    ### BEGIN SOLUTION
    length = np.sqrt(sum((g * g).sum() for g in gradients))
    return [g * (longest / length) if length > longest else g for g in gradients]
    ### END SOLUTION


# %% [markdown] hint="clipping"
# How long is the gradient if all arrays are laid out as one long vector?

# %% [markdown] hint="clipping"
# The common length is the root of the sum of all squares in all arrays. If it is larger than
# `longest`, multiply *every* array by `longest / length`; if not, return them as they are.


# %% mistake="clipping"
# Each array is shortened separately. That changes the direction of the whole gradient: use
# one length and one factor for all.
def clipped_to(gradients, longest):
    """Each array separately: that turns the whole."""
    return [g * min(1.0, longest / np.linalg.norm(g)) for g in gradients]


# %% mistake="clipping"
# Each number is cut off separately. That changes the direction: use one factor for all.
def clipped_to(gradients, longest):
    """Number by number."""
    return [np.clip(g, -longest, longest) for g in gradients]


# %% mistake="clipping"
# Short gradients are made longer. A gradient that is short enough stays as it is.
def clipped_to(gradients, longest):
    """Short ones made longer."""
    length = np.sqrt(sum((g * g).sum() for g in gradients))
    return [g * (longest / length) for g in gradients]


# %% variant="clipping"
def clipped_to(gradients, longest):
    """In place, in a tuple."""
    length = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    for g in gradients:
        g *= min(1, longest / length)
    return tuple(gradients)


# %% [markdown]
# The check tests three properties. Short gradients stay as they are. Long ones get the required length, and keep their
# direction. And the result agrees with `global_clipnorm` of minigrad's optimisers.

# %% check="clipping" points=3
draw = np.random.default_rng(2)
gs = [draw.normal(size=shape) for shape in ((3, 4), (4,), (2, 2))]
flat = np.concatenate([g.ravel() for g in gs])
for longest in (100.0, 1.0):
    shapes = [g.shape for g in gs]
    answer = ask(clipped_to, gs, longest, parts=("dW", "db", "dU"), shape=shapes)
    mine = np.concatenate([np.ravel(a) for a in answer])
    same(
        f"longest = {longest:g}: the length",
        np.linalg.norm(mine),
        min(longest, np.linalg.norm(flat)),
    )
    same(
        "the cosine with what it was",
        mine @ flat / np.linalg.norm(mine) / np.linalg.norm(flat),
        1.0,
    )
ws = [mg.tensor(np.zeros_like(g), requires_grad=True) for g in gs]
mg.keras.optimizers.SGD(1.0, global_clipnorm=1.0).apply_gradients(
    [(mg.tensor(g), w) for g, w in zip(gs, ws, strict=True)]
)
for k, (a, w) in enumerate(zip(ask(clipped_to, gs, 1.0), ws, strict=True)):
    same(f"array {k}, as in minigrad", a, -w.numpy())

# %% [markdown]
# ## The limits of clipping
#
# Clipping stops an explosion. It cannot restore a gradient that has vanished: no factor makes $10^{-13}$ into a signal. For
# that, the *net* must change, so that the backward pass is no longer a product of the same matrix. Lesson 6 adds a second
# state to $h$: it is *added to* and not multiplied by $U$, and three gates control it.
#
# ## To think about
#
# 1. Show that $\lVert\partial h_T/\partial h_t\rVert \le \lVert U\rVert^{T-t}$, and find a $U$ with spectral radius below 1 for
#    which the norm *grows* during the first ten steps.
# 2. With `relu` in place of `tanh` the diagonal matrices contain only zeros and ones. How does the paper example change?
# 3. In the figure of the shares, what would the curve look like if the loss were a sum over *all* $h_t$?
# 4. Clipping changes $\lVert g\rVert$, so it is no longer the gradient of the loss. Why is descent still possible? Can you think
#    of a minimum that clipped descent cannot reach, and that free descent can?
#
# ## Summary
#
# - The recurrent net is a deep net with one shared layer: $\partial h_T/\partial h_t$ is a product of $T-t$ Jacobians
#   $\operatorname{diag}(1-h^2)\,U^\top$.
# - It vanishes if $\lVert U\rVert<1$. Where the spectral radius is below 1 and the norm above, $\rho(U) < 1 < \lVert U\rVert$, it may
#   grow for some steps; in a linear net it vanishes in the end. If $\rho(U) > 1$ it may explode, or vanish by saturation.
# - Attractors keep bits and lose gradients.
# - $dU$ may look normal while the early steps have no share in it.
# - Exploding gradients make cliffs; clipping by the global norm helps. Vanishing gradients need another net.
#
# **Read:** Bengio, Simard and Frasconi, "Learning long-term dependencies with gradient descent is difficult", 1994; Pascanu,
# Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013, from which the cliff comes.
#
# **In the source:** [`minigrad/recurrent/simple_rnn.py`](../minigrad/recurrent/simple_rnn.py) is one step and its
# gradient, [`minigrad/recurrent/bptt.py`](../minigrad/recurrent/bptt.py) the loop, and
# [`minigrad/tracing/jacobian.py`](../minigrad/tracing/jacobian.py) the product of Jacobians.
