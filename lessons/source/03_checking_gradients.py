# %% [markdown]
# # 3 · Checking gradients
#
# How to know that a gradient is right: step sizes, float32 against float64, random directions, and the bugs that a weak check misses.
#
# **Minutes:** 75 · **Needs:** lessons 1 and 2; Taylor's formula
#
# After this lesson you can
#
# 1. choose the step of a finite difference, and say why float32 cannot be used for a gradient check;
# 2. check a gradient of a million numbers with a handful of function calls: random cotangents, random directions;
# 3. name bugs that the usual checks miss, and build the check that finds them all.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import ask, check, line, picture, same, table

# %% [markdown]
# A wrong gradient seldom stops a program. The loss may fall all the same (lesson 14 trains with sixteen wrong gradients),
# and nothing shows that it could fall further. So a gradient is not believed; it is *measured*.
#
# ## The formula
#
# Let $L(x)$ be a number that is computed from an array $x$, and $v$ any direction, an array of $x$'s shape. The derivative
# of $L$ along $v$ is $\langle dx, v\rangle = \sum_i dx_i v_i$, and Taylor says
#
# $$\frac{L(x + hv) - L(x)}{h} = \langle dx, v\rangle + O(h), \qquad
#   \frac{L(x + hv) - L(x - hv)}{2h} = \langle dx, v\rangle + O(h^2).$$
#
# The second, *central* difference needs one more evaluation, and its error is much smaller.
#
# ## An example for paper
#
# $L = x^3$ at $x = 2$, so $dx = 12$. With $h = 0.1$:
#
# - one side: $(2.1^3 - 2^3)/0.1 = (9.261 - 8)/0.1 = 12.61$, an error of $0.61$;
# - central: $(2.1^3 - 1.9^3)/0.2 = (9.261 - 6.859)/0.2 = 12.01$, an error of $0.01$.
#
# Expand $(2 \pm h)^3$ and see that the central error is exactly $h^2$.
#
# ## How small may h be?
#
# A smaller $h$ makes Taylor's error smaller and the rounding error larger: $L(x+hv)$ and $L(x-hv)$ agree in more of their
# digits, and these cancel. With a relative rounding error $u$ the result is uncertain by about $u\,|L|/h$. Together
#
# $$\text{error}(h) \;\approx\; \underbrace{C\,h^2}_{\text{Taylor}} + \underbrace{u\,|L|/h}_{\text{rounding}},
# \qquad \text{smallest near } h \approx u^{1/3},\ \text{where it is} \approx u^{2/3}.$$
#
# For float64, $u \approx 10^{-16}$, that is an error of about $10^{-11}$. For float32, $u \approx 6\cdot 10^{-8}$, it is
# $10^{-5}$ at best, and a thousand times worse if $h$ is chosen as for float64. Here is the measurement:

# %%
steps = np.logspace(-13, -0.5, 60)
start = 0.7


def errors(f, exact, dtype, central):
    """The relative error of the difference quotient for every step."""
    found = []
    for h in steps:
        right, left = start + h, start - h if central else start
        difference = float(f(dtype(right))) - float(f(dtype(left)))
        quotient = difference / (2 * h if central else h)
        found.append(abs(quotient - exact) / abs(exact))
    return np.maximum(found, 1e-17)


def wave(x):
    return np.exp(np.sin(x))


exact = np.cos(start) * wave(start)
curves = {
    "float64, one side": errors(wave, exact, np.float64, central=False),
    "float64, central": errors(wave, exact, np.float64, central=True),
    "float32, central": errors(wave, exact, np.float32, central=True),
    "complex step": np.maximum(
        [abs(wave(start + 1j * h).imag / h - exact) / exact for h in steps], 1e-17
    ),
}


# %%
def draw_errors(ax):
    for k, (name, error) in enumerate(curves.items()):
        ax.loglog(steps, error, label=name, **line(k))
    ax.set(xlabel="step h", ylabel="relative error of the derivative", ylim=(1e-17, 10))
    ax.legend(loc="lower right")


picture(
    draw_errors,
    alt="Relative error of a derivative against the step h, both logarithmic. Each "
    "difference quotient has the shape of a V. In float64 the one-sided one is best "
    "near h = 1e-8, with an error of about 1e-9; the central one near h = 1e-5, with "
    "about 1e-11. In float32 the central one is best near h = 1e-3, with about 1e-5, "
    "and useless below h = 1e-7. The complex step falls to 1e-16 and stays there.",
    size=(7, 4),
)

# %% [markdown]
# Left of each minimum the rounding error is the larger one, right of it Taylor's. The fourth curve is a beautiful trick:
# for functions that accept complex numbers, $\operatorname{Im} L(x + ihv)/h$ is the derivative *without any
# subtraction*, so $h$ can be very small. It needs complex arithmetic in every operation, which few systems offer.
#
# ## Exercise 1: the slope along a direction


# %% exercise="slope"
def slope(loss, x, v, h=1e-5):
    """The derivative of loss at x along v, by a central difference."""
    ### BEGIN SOLUTION
    return (loss(x + h * v) - loss(x - h * v)) / (2 * h)
    ### END SOLUTION


# %% [markdown] hint="slope"
# Which two points are at the same distance from $x$, on either side?

# %% [markdown] hint="slope"
# Evaluate the loss at $x + hv$ and at $x - hv$, subtract, and divide by the distance $2h$.


# %% mistake="slope"
# This is the one-sided difference: the loss at x − h v is not used.
def slope(loss, x, v, h=1e-5):
    return (loss(x + h * v) - loss(x)) / h


# %% mistake="slope"
# The two points are 2 h apart, so the difference is divided by 2 h.
def slope(loss, x, v, h=1e-5):
    return (loss(x + h * v) - loss(x - h * v)) / h


# %% variant="slope"
def slope(loss, x, v, h=1e-5):
    """In place."""
    x += h * v
    ahead = loss(x)
    x -= 2 * h * v
    return 0.5 * (ahead - loss(x)) / h


# %% [markdown]
# A central difference is exact for parabolas, with any $h$. For a cubic its error falls to a quarter if $h$ is halved.
# The check tests exactly this.

# %% check="slope" points=2
draw = np.random.default_rng(0)
A, x0, v0 = draw.normal(size=(4, 4)), draw.normal(size=4), draw.normal(size=4)
expected = (A + A.T) @ x0 @ v0
measured = ask(slope, lambda x: x @ A @ x, x0, v0, 0.5, shape=())
same("a parabola, h = 0.5", measured, expected)
expected = (3 * x0**2 * v0).sum()
wide, narrow = (
    ask(slope, lambda x: (x**3).sum(), x0, v0, h, shape=()) - expected for h in (0.4, 0.2)
)
same("a cubic: error at h over error at h/2", wide / narrow, 4.0, rtol=1e-3)

# %% [markdown]
# ## Two kinds of randomness
#
# **Directions.** To compare $dx$ entry by entry takes two evaluations for *each* entry. A single random $v$ takes two in
# all: if $dx$ is wrong by $e \ne 0$, the comparison is off by $\langle e, v\rangle$, which is zero for a random $v$ with
# probability zero. Compare entry by entry only to find *where* a gradient is wrong.
#
# **Cotangents.** A function with many outputs $y$ needs a loss. The simplest one is $L = \sum_k y_k$, but in a
# sum errors cancel, and for some functions no gradient is left. Take the softmax,
#
# $$y_k = \frac{e^{x_k}}{\sum_j e^{x_j}}, \qquad dx = y \circ (dy - \langle y, dy\rangle).$$
#
# Its outputs sum to 1. So $L = \sum_k y_k$ is *constant*, its gradient is 0, and a backward pass that returns only
# zeros passes the check:


# %%
def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def softmax_backward(dy, y):
    return y * (dy - (y * dy).sum())


x = np.array([0.3, -1.2, 0.8])
y = softmax(x)
ones = np.ones(3)
print("right:     ", softmax_backward(ones, y).round(6) + 0.0)
print("all zeros: ", np.zeros(3))

# %% [markdown]
# The remedy: give every output its own *random* weight $c_k$, $L = \sum_k c_k y_k$. Then $dy = c$, and the loss depends
# on each output in a different way.
#
# ## Exercise 2: the error of a backward pass
#
# Write `gradient_error(f, backward, x, draw)`, the relative error of a backward pass at one random cotangent $c$ and one
# random direction $v$:
#
# $$\frac{|\langle dx, v\rangle - s|}{\max(|\langle dx, v\rangle|,\ |s|)}, \qquad
#   dx = \text{backward}(c, f(x)), \quad s = \text{slope of } \langle c, f(x)\rangle \text{ along } v.$$
#
# `draw.normal(size=…)` draws; `slope` is yours.


# %% exercise="gradient_error"
def gradient_error(f, backward, x, draw):
    """The relative error of backward(dy, y), for random c and v."""
    ### BEGIN SOLUTION
    y = f(x)
    c, v = draw.normal(size=y.shape), draw.normal(size=x.shape)
    analytic = (backward(c, y) * v).sum()
    numeric = slope(lambda x: (c * f(x)).sum(), x, v)
    return abs(analytic - numeric) / max(abs(analytic), abs(numeric))
    ### END SOLUTION


# %% [markdown] hint="gradient_error"
# What is the loss here? It is one number, made of all outputs and their random weights $c$. Its
# gradient by $y$ is $c$.

# %% [markdown] hint="gradient_error"
# Draw $c$ in the shape of $y = f(x)$, and $v$ in the shape of $x$. The first number is the sum of
# `backward(c, y) * v`. The second is `slope` of the function $x \mapsto \sum c \circ f(x)$. Divide
# the size of their difference by the larger of their sizes.


# %% mistake="gradient_error"
# The loss is a plain sum of the outputs. For the softmax that sum is constant, so a
# backward pass of zeros passes. Give each output a random weight c.
def gradient_error(f, backward, x, draw):
    """A plain sum of the outputs."""
    y, v = f(x), draw.normal(size=x.shape)
    analytic = (backward(np.ones_like(y), y) * v).sum()
    numeric = slope(lambda x: f(x).sum(), x, v)
    return abs(analytic - numeric) / max(abs(analytic), abs(numeric), 1e-3)


# %% mistake="gradient_error"
# The difference is not relative: with outputs near 10⁶ a rounding error looks like a
# mistake. Divide by the larger of the two sizes.
def gradient_error(f, backward, x, draw):
    """The difference, not relative to anything."""
    y = f(x)
    c, v = draw.normal(size=y.shape), draw.normal(size=x.shape)
    return abs((backward(c, y) * v).sum() - slope(lambda x: (c * f(x)).sum(), x, v))


# %% variant="gradient_error"
def gradient_error(f, backward, x, draw):
    """Vectors laid flat, drawn in another order; the larger of the two from a list."""
    v, y = draw.normal(size=x.shape), f(x)
    c = draw.normal(size=y.size).reshape(y.shape)
    pair = [np.vdot(backward(c, y), v), slope(lambda x: np.vdot(c, f(x)), x, v)]
    return np.ptp(pair) / np.abs(pair).max()


# %% check="gradient_error" points=3
draw = np.random.default_rng(1)
point = draw.normal(size=6)
cases = {
    "softmax, right": (softmax, softmax_backward, True),
    "softmax, all zeros": (softmax, lambda dy, y: 0 * y, False),
    "softmax, without the sum": (softmax, lambda dy, y: y * dy, False),
    "softmax, 0.1 % too large": (
        softmax,
        lambda dy, y: 1.001 * softmax_backward(dy, y),
        False,
    ),
    "10⁶ tanh, right": (
        lambda x: 1e6 * np.tanh(x),
        lambda dy, y: dy * (1e6 - y * y / 1e6),
        True,
    ),
    "tanh / 10⁶, 1 + y²": (
        lambda x: 1e-6 * np.tanh(x),
        lambda dy, y: dy * (1e-6 + 1e6 * y * y),
        False,
    ),
}
for name, (f, backward, right) in cases.items():
    worst = max(ask(gradient_error, f, backward, point, draw, shape=()) for _ in range(3))
    print(f"{name:26} {worst:.1e}")
    check(np.isfinite(worst), f"{name}: your error is {worst}.")
    check(
        worst < 1e-6 or not right,
        f"{name}: this gradient is right, and your error is {worst:.1e}.",
    )
    check(
        worst > 1e-4 or right,
        f"{name}: this gradient is wrong, and your error is only {worst:.1e}.",
    )

# %% [markdown]
# ## A recurrent net, and ten bugs
#
# Here is a recurrent net in plain NumPy, with a mask: where the mask of a row is 0, the row keeps its state.
#
# | | shape |
# |---|---|
# | $x$ | `(time, batch, features)` |
# | $h_0$, and each $h_t$ | `(batch, units)` |
# | $W$, $U$, $b$ | `(features, units)`, `(units, units)`, `(units,)` |
# | mask $m$ | `(time, batch)` |
#
# $$h_t = m_t \tanh(x_t W + h_{t-1} U + b) + (1 - m_t)\,h_{t-1}$$
#
# Below it, its backward pass by hand; lesson 5 derives it. The argument `bug` adds a mistake. Most of the ten
# occurred in published code.


# %%
def rnn(x, h0, W, U, b, mask):
    """All h, (time, batch, units), and the last h."""
    h, outputs = h0, []
    for x_t, m_t in zip(x, mask[..., None], strict=True):
        h = m_t * np.tanh(x_t @ W + h @ U + b) + (1 - m_t) * h
        outputs.append(h)
    return np.stack(outputs), h


def rnn_backward(dy, dh_T, x, h0, W, U, b, mask, bug=None):
    """dx, dh0, dW, dU, db, from the gradients dy of the outputs and dh_T of the last state."""
    outputs, _ = rnn(x, h0, W, U, b, mask)
    before = [h0, *outputs[:-1]]
    dx, dW, dU, db = (np.zeros_like(a) for a in (x, W, U, b))
    dh = 0 * dh_T if bug == "dh_T is ignored" else dh_T
    for t in reversed(range(len(x))):
        m_t, dh = mask[t][:, None], dh + dy[t]
        y_t = np.tanh(x[t] @ W + before[t] @ U + b)
        dz = dh if bug == "no tanh′" else dh * (1 - y_t * y_t)
        dz = dz if bug == "a resting row leaks into the weights" else m_t * dz
        dx[t] = 0 * x[t] if bug == "no dx" else dz @ W.T
        dW += x[t].T @ dz
        dU += (outputs[t] if bug == "dU from h_t, not h_{t−1}" else before[t]).T @ dz
        db += dz.mean(0) if bug == "db averaged, not summed" else dz.sum(0)
        through = dz @ (U if bug == "U not transposed" else U.T)
        through = 0 * dh if bug == "nothing carried back" else through
        dh = through + (0 if bug == "a resting row stops dh" else (1 - m_t) * dh)
    return dx, 0 * dh if bug == "no dh_0" else dh, dW, dU, db


BUGS = [
    "no tanh′",
    "nothing carried back",
    "dU from h_t, not h_{t−1}",
    "db averaged, not summed",
    "U not transposed",
]
BUGS += [
    "no dh_0",
    "no dx",
    "dh_T is ignored",
    "a resting row stops dh",
    "a resting row leaks into the weights",
]

# %% [markdown]
# ## What a weak check misses
#
# Four styles of check that are in use. They differ in the loss, in the situation in which the net runs, and in the
# gradients that they compare:

# %%
NAMES = ("x", "h0", "W", "U", "b")


def situation(T, masked=False, zero_state=False, seed=1):
    """Inputs of a recurrent net: x, h0, W, U, b, and the mask."""
    rng = np.random.default_rng(seed)
    mask = np.ones((T, 3))
    if masked:
        mask[2, 0] = 0  # a hole in row 0
        mask[3:, 1] = 0  # an early end of row 1
        mask[:, 2] = 0  # row 2 is masked all the time
    shapes = ((T, 3, 2), (3, 4), (2, 4), (4, 4), (4,))
    point = [rng.normal(size=shape) for shape in shapes]
    if zero_state:
        point[1][:] = 0
    return point, mask


def finds(style, bug):
    """True if this style of check finds the bug."""
    T, masked, zero_state, cotangents, compared = STYLES[style]
    point, mask = situation(T, masked, zero_state)
    dy, dh_T = cotangents(T)
    analytic = rnn_backward(dy, dh_T, *point, mask, bug=bug)

    def loss(*point):
        outputs, h_T = rnn(*point, mask)
        return (dy * outputs).sum() + (dh_T * h_T).sum()

    for k, name in enumerate(NAMES):
        v = np.random.default_rng(7).normal(size=point[k].shape)
        more, less = list(point), list(point)
        more[k] = point[k] + 1e-5 * v
        less[k] = point[k] - 1e-5 * v
        numeric = (loss(*more) - loss(*less)) / 2e-5
        error = abs((analytic[k] * v).sum() - numeric)
        if name in compared and error > 1e-6 * max(1, abs(numeric)):
            return True
    return False


def plain_sum(T):
    return np.ones((T, 3, 4)), np.zeros((3, 4))


def last_only(T):
    return np.concatenate([np.zeros((T - 1, 3, 4)), np.ones((1, 3, 4))]), np.zeros((3, 4))


def at_random(T):
    rng = np.random.default_rng(5)
    return rng.normal(size=(T, 3, 4)), rng.normal(size=(3, 4))


STYLES = {  # steps, mask, zero initial state, cotangents, gradients compared
    "one step, sum of h, dW alone": (1, False, False, plain_sum, ("W",)),
    "13 steps, sum of all h, dW alone": (13, False, False, plain_sum, ("W",)),
    "5 steps, sum of the last h, all weights": (5, False, True, last_only, ("W", "U", "b")),
    "random cotangents, mask, all gradients": (6, True, False, at_random, NAMES),
}
found = {style: [finds(style, bug) for bug in BUGS] for style in STYLES}
table(
    ["bug", "1", "2", "3", "4"],
    [
        (bug, *("found" if found[s][k] else "—" for s in STYLES))
        for k, bug in enumerate(BUGS)
    ],
)
for style in STYLES:
    assert not finds(style, None)  # none of them rejects the right backward pass

# %% [markdown]
# minigrad's own tests do the same with sixteen bugs in an LSTM's backward pass. In the same four styles they find 4, 7, 10
# and 16 of 16. In one figure:

# %%
ten = [sum(found[style]) for style in STYLES]
sixteen = [4, 7, 10, 16]  # tests/recurrent/test_mutants.py


# %%
def draw_found(ax):
    at = np.arange(len(STYLES))
    for k, (name, share, total) in enumerate(
        (("this net, 10 bugs", ten, 10), ("LSTM, 16 bugs", sixteen, 16))
    ):
        look = {"color": line(k)["color"], "hatch": ("", "//")[k], "edgecolor": "white"}
        bars = ax.barh(
            at + 0.2 - 0.4 * k,
            [100 * s / total for s in share],
            height=0.38,
            label=name,
            **look,
        )
        ax.bar_label(bars, [f"{s} of {total}" for s in share], padding=3)
    ax.set_yticks(at, list(STYLES))
    ax.set(xlabel="bugs found (%)", xlim=(0, 118))
    ax.invert_yaxis()
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, frameon=False)


counts = "; ".join(
    f"{style}: {a} of 10 and {b} of 16"
    for style, a, b in zip(STYLES, ten, sixteen, strict=True)
)
picture(
    draw_found,
    alt=f"Bars: the share of bugs found by four styles of check, in this net and in an LSTM. {counts}.",
    size=(8, 3.6),
)

# %% [markdown]
# The table shows three things.
#
# - **A gradient that is not compared is not checked.** The gradients of the weights do not show that $dx$ is missing.
# - **A zero hides its factor.** With $h_0 = 0$ a wrong use of $h_0$ changes nothing; without a mask, nor does a wrong use
#   of the mask.
# - **Symmetric losses miss exchanges.** A cotangent of ones treats all rows in the same way.
#
# ## Exercise 3: the check that finds them all
#
# Write `caught(backward)`: True if `backward`, called as `rnn_backward` is called, returns anything wrong. `situation` may
# help; you choose the loss, the situation and the gradients to compare. It must find all ten bugs, and accept the
# right backward pass.


# %% exercise="caught"
def caught(backward):
    """True if backward(dy, dh_T, x, h0, W, U, b, mask) returns something wrong."""
    ### BEGIN SOLUTION
    point, mask = situation(6, masked=True)
    rng = np.random.default_rng(11)
    dy, dh_T = rng.normal(size=(6, 3, 4)), rng.normal(size=(3, 4))
    gradients = backward(dy, dh_T, *point, mask)
    for k, gradient in enumerate(gradients):

        def loss(changed, k=k):
            outputs, h_T = rnn(*point[:k], changed, *point[k + 1 :], mask)
            return (dy * outputs).sum() + (dh_T * h_T).sum()

        v = rng.normal(size=point[k].shape)
        analytic, numeric = (gradient * v).sum(), slope(loss, point[k], v)
        if abs(analytic - numeric) > 1e-6 * max(abs(analytic), abs(numeric)):
            return True
    return False
    ### END SOLUTION


# %% [markdown] hint="caught"
# The last style of the table finds all ten. What does it do that the others do not?

# %% [markdown] hint="caught"
# Take `situation(6, masked=True)` and random cotangents for the outputs *and* for the last state. For
# each of the five arrays: a random direction `v`, the `slope` of the loss if only that array moves
# along `v`, and the sum of gradient times `v`. Return True if a pair differs by more than $10^{-6}$
# of its size.


# %% mistake="caught"
# In your situation no row has a masked step, so that bugs of the mask make no difference.
# Use a mask with holes.
def caught(backward):
    """No mask."""
    point, mask = situation(6)
    dy, dh_T = at_random(6)
    gradients = backward(dy, dh_T, *point, mask)
    truth = rnn_backward(dy, dh_T, *point, mask)
    return not all(np.allclose(a, b) for a, b in zip(gradients, truth, strict=True))


# %% mistake="caught"
# It complains of the right backward pass too. A finite difference is right to about ten
# digits: allow for that, relative to the size of the numbers.
def caught(backward):
    """True every time: too strict for finite differences."""
    return True


# %% variant="caught"
def caught(backward):
    """A NumPy bool, from three situations; along all directions at once."""
    wrong = []
    for seed in range(3):
        point, mask = situation(5, masked=True, seed=seed)
        rng = np.random.default_rng(seed)
        dy, dh_T = rng.normal(size=(5, 3, 4)), rng.normal(size=(3, 4))
        vs = [rng.normal(size=a.shape) for a in point]
        for k, gradient in enumerate(backward(dy, dh_T, *point, mask)):
            ends = []
            for s in (1e-5, -1e-5):
                moved = [
                    a + s * v * (j == k)
                    for j, (a, v) in enumerate(zip(point, vs, strict=True))
                ]
                outputs, h_T = rnn(*moved, mask)
                ends.append(np.vdot(dy, outputs) + np.vdot(dh_T, h_T))
            numeric = (ends[0] - ends[1]) / 2e-5
            wrong.append(
                abs(np.vdot(gradient, vs[k]) - numeric) > 1e-6 * max(1, abs(numeric))
            )
    return np.any(wrong)


# %% check="caught" points=4
check(
    not ask(caught, rnn_backward, shape=()),
    "Your check complains of the right backward pass: is its tolerance too small?",
)
missed = []
for bug in BUGS:

    def with_a_bug(*arguments, bug=bug):
        return rnn_backward(*arguments, bug=bug)

    if not ask(caught, with_a_bug, shape=()):
        missed.append(bug)
check(not missed, f"{len(missed)} of 10 bugs get through: {'; '.join(missed)}.")
print("All ten found, and no false alarm.")

# %% [markdown]
# ## minigrad's checker
#
# `mg.testing.check_gradient(f, *inputs)` does all of this: random cotangents for every output, two random directions for
# every input, and single entries of small arrays, to name the place of an error. It uses a difference with four points, whose
# error is $O(h^4)$, and it rejects float32 with an explanation:

# %%
mg.testing.check_gradient(mg.tanh, mg.tensor([0.5, -1.0], dtype="float64"))
for name, f, dtype in (
    ("float32", mg.tanh, "float32"),
    ("half the gradient of x²", lambda x: x * x.detach(), "float64"),
):
    try:
        mg.testing.check_gradient(f, mg.tensor([0.5, -1.0], dtype=dtype))
    except (mg.errors.DTypeError, mg.errors.GradientCheckError) as error:
        print(f"{name}:\n  {error}\n")

# %% [markdown]
# ## To think about
#
# 1. Where a function has a kink, as `relu` at 0, what do $\langle dx, v\rangle$ and the central difference say? How
#    likely is that at a random point?
# 2. Your network uses dropout. What happens to a gradient check, and how can you repair it?
# 3. Derive $h \approx u^{1/3}$ from the formula for the error. What is it for the one-sided difference?
# 4. A friend checks gradients with `rtol=1e-2` "because of float32". Which of the ten bugs could it still miss?
#
# ## Summary
#
# - Central differences, float64, $h$ near $10^{-5}$: an error of about $10^{-11}$.
# - Random cotangents for every output, a random direction for every input, non-zero states, a mask with a hole.
# - Test a check: add bugs on purpose, and see that it finds them.
#
# **In the source:** [`minigrad/testing/gradients.py`](../minigrad/testing/gradients.py) is the checker, and
# [`tests/recurrent/test_mutants.py`](../tests/recurrent/test_mutants.py) the test of the tests, with its sixteen bugs in
# [`tests/recurrent/mutants.py`](../tests/recurrent/mutants.py).

# %% [markdown]
# ## Your net
#
# In [`mynet.py`](mynet.py), fill in the loss, `cross_entropy(scores, targets)`. With $p = \operatorname{softmax}(s)$, the loss is the mean
# of $-\log p_\text{target}$ over all $n$ targets. On paper its gradient becomes short:
#
# $$ds = \frac{dy}{n}\,(p - \text{one-hot}(\text{target})) .$$
#
# Check it with your `slope` of exercise 1 before you run the cell.

# %%
from lesson_net import your_net

your_net(3)
