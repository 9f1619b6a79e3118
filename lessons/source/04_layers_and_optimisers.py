# %% [markdown]
# # 4 · Layers, initialisation, optimisers
#
# Layers and their weights: how to initialise them, and how an optimiser changes them.
#
# **Minutes:** 75 · **Needs:** lessons 1 to 3; mean and variance
#
# After this lesson you can
#
# 1. write a layer with its own weights, and prove it right with a gradient check;
# 2. predict how the size of signals and gradients changes from layer to layer, and choose initial weights that keep it;
# 3. find the learning rates that diverge for a given curvature, and write Adam from its formula.

# %%
import numpy as np

import minigrad as mg
from lesson_tools import (
    ask,
    attempt,
    check,
    check_gradients,
    line,
    medians,
    picture,
    returned,
    same,
    scaled,
    table,
)  # fmt: skip

# %% [markdown]
# ## A layer
#
# A layer is a function with weights, which it can list. In minigrad, as in Keras, the weights are made when the shape of
# the first input is known:
#
# - `build(input_shape)` makes them, with `self.add_weight(name, shape, initializer=…)`;
# - `call(inputs)` computes the output, with operations that the tape records.
#
# A dense layer, for $x$ of shape `(batch, features)`, $W$ `(features, units)` and $b$ `(units,)`:
#
# $$y = \varphi(x\,W + b)$$

# %%
mg.random.seed(0)
dense = mg.keras.layers.Dense(2, activation="tanh")
y = dense(np.ones((4, 3), "float32"))
table(["weight", "shape"], [(w.name, w.shape) for w in dense.trainable_weights])
print("output", y.shape)

# %% [markdown]
# ## Exercise 1: a gated layer
#
# Write a layer that minigrad does not have, the *gated linear unit*: one half of it decides how much of the other half
# passes. (In lesson 6, three such gates make an LSTM.)
#
# $$y = (x\,W + b) \circ \sigma(x\,V + a)$$
#
# $W$ and $V$ are `(features, units)` and start from `"glorot_uniform"`; $b$ and $a$ are `(units,)` and start from zeros.
# Call the weights `"W"`, `"V"`, `"b"`, `"a"`. The sigmoid is `mg.functional.sigmoid`.


# %% exercise="gated"
class Gated(mg.keras.layers.Layer):
    """y = (x W + b) ∘ σ(x V + a)"""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        ### BEGIN SOLUTION
        shape = (input_shape[-1], self.units)
        self.W = self.add_weight("W", shape, initializer="glorot_uniform")
        self.V = self.add_weight("V", shape, initializer="glorot_uniform")
        self.b = self.add_weight("b", (self.units,), initializer="zeros")
        self.a = self.add_weight("a", (self.units,), initializer="zeros")
        ### END SOLUTION

    def call(self, inputs):
        ### BEGIN SOLUTION
        return (inputs @ self.W + self.b) * mg.functional.sigmoid(inputs @ self.V + self.a)
        ### END SOLUTION


# %% [markdown] hint="gated"
# Which of the two parts says *how much*, and so lies between 0 and 1?

# %% [markdown] hint="gated"
# `build`: four calls of `self.add_weight`, two with the shape `(features, units)`, two with
# `(units,)`; `features` is the last number of `input_shape`. `call`: one part is $xW + b$, the other
# `mg.functional.sigmoid` of $xV + a$; return their product.


# %% mistake="gated"
# One weight is cut off from the tape: the output is right, but no gradient arrives at this
# weight.
class Gated(mg.keras.layers.Layer):
    """Right in its numbers, but one weight is cut off from the tape."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.W, self.V = (
            self.add_weight(n, shape, initializer="glorot_uniform") for n in "WV"
        )
        self.b, self.a = (
            self.add_weight(n, (self.units,), initializer="zeros") for n in "ba"
        )

    def call(self, inputs):
        return (inputs @ self.W + self.b) * mg.functional.sigmoid(
            inputs @ self.V.detach() + self.a
        )


# %% mistake="gated"
# Gate and content are exchanged: the sigmoid belongs to V and a.
class Gated(mg.keras.layers.Layer):
    """Gate and content exchanged."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        shape = (input_shape[-1], self.units)
        self.W, self.V = (
            self.add_weight(n, shape, initializer="glorot_uniform") for n in "WV"
        )
        self.b, self.a = (
            self.add_weight(n, (self.units,), initializer="zeros") for n in "ba"
        )

    def call(self, inputs):
        return (inputs @ self.V + self.a) * mg.functional.sigmoid(inputs @ self.W + self.b)


# %% variant="gated"
class Gated(mg.keras.layers.Layer):
    """Weights in another order; the sigmoid from tanh; the sum first."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.a, self.b = (
            self.add_weight(n, [self.units], initializer="zeros") for n in "ab"
        )
        n = int(input_shape[-1])
        self.V = self.add_weight("V", [n, self.units], initializer="glorot_uniform")
        self.W = self.add_weight("W", [n, self.units], initializer="glorot_uniform")

    def call(self, inputs):
        gate = 0.5 + 0.5 * mg.tanh(0.5 * (self.a + mg.matmul(inputs, self.V)))
        return gate * (self.b + mg.matmul(inputs, self.W))


# %% [markdown]
# Lesson 3's checker takes a layer's weights too, as `weights=`. The second half of the check is an invariant: with a
# closed gate the output is 0, and with an open gate the layer is a dense layer.

# %% check="gated" points=3
draw = np.random.default_rng(0)
layer, x = Gated(3, dtype="float64"), mg.tensor(draw.normal(size=(4, 5)))
returned("Gated.call", attempt(layer, x), shape=(4, 3))
weights = {}
for w in layer.trainable_weights:
    name = w.name.split("/")[-1].split(":")[0]  # "gated/W:0" → "W"
    weights[name] = w
check(
    set(weights) == {"W", "V", "b", "a"},
    f"the weights should be W, V, b, a; yours are {sorted(weights)}.",
)
for name in "WVba":
    weights[name].array = draw.normal(size=weights[name].shape)
check_gradients("Gated", layer, x, weights=[weights[name] for name in "WVba"])
dense = mg.keras.layers.Dense(3, dtype="float64")
dense.build((4, 5))
dense.set_weights([weights["W"].numpy(), np.arange(3.0)])
for a, name, expected in ((-50.0, "closed", 0 * dense(x)), (50.0, "open", dense(x))):
    for key, value in (
        ("V", np.zeros((5, 3))),
        ("b", np.arange(3.0)),
        ("a", np.full(3, a)),
    ):
        weights[key].array = value
    same(f"gate {name}: y", layer(x), expected, axes="row unit")

# %% [markdown]
# ## How to initialise weights
#
# **Not from zeros.** If all units of a layer start equal, they get equal gradients and stay equal: a hundred units that
# act as one. The numbers must be random. But how large?
#
# ### The formula
#
# Let the $n$ entries of $x$ be independent, with mean 0 and variance $\operatorname{Var}x$; likewise the weights. Then
# $y_k = \sum_{i=1}^n x_i W_{ik}$ is a sum of $n$ products, and variances of independent terms add up:
#
# $$\operatorname{Var} y = n_\text{in}\,\operatorname{Var}W\,\operatorname{Var}x,
# \qquad\text{and backwards, from } dx = dy\,W^\top:\quad
# \operatorname{Var} dx = n_\text{out}\,\operatorname{Var}W\,\operatorname{Var}dy .$$
#
# Every layer multiplies by such a factor, so $L$ layers multiply by its $L$-th power. To keep the size, the factor must
# be 1: $\operatorname{Var} W = 1/n_\text{in}$ for the signal (LeCun), $1/n_\text{out}$ for the gradient, and
# $2/(n_\text{in} + n_\text{out})$ as a compromise (Glorot). A `relu` sets half of the signal to zero;
# $2/n_\text{in}$ compensates for it (He).
#
# ### An example for paper
#
# Four inputs, each $\pm 1$, so $\operatorname{Var} x = 1$. Weights $\pm\frac12$ at random: $\operatorname{Var} W = \frac14$,
# and $\operatorname{Var} y = 4\cdot\frac14\cdot 1 = 1$. After ten layers: still 1. Now weights $\pm\frac14$: the factor is
# $4\cdot\frac1{16} = \frac14$, and after ten layers $4^{-10} \approx 10^{-6}$. Weights $\pm1$: a factor of 4, and a million
# after ten layers. In both cases the *function* is a valid one, but it cannot be trained.
#
# ### Thirty layers


# %%
def signals(gain, depth=30, n=100, activation=mg.tanh):
    """Standard deviations of the signal after each layer, and of the gradient there. W has std gain / √n."""
    draw = np.random.default_rng(0)
    h = mg.tensor(draw.normal(size=(50, n)), requires_grad=True)
    hs = [h]
    for _ in range(depth):
        W = draw.normal(size=(n, n)) * gain / np.sqrt(n)
        hs.append(activation(hs[-1] @ W))
    dhs = mg.grad(hs[-1], hs, draw.normal(size=(50, n)))
    return [h.numpy().std() for h in hs], [dh.numpy().std() for dh in dhs]


GAINS = {"0.5 / √n: too small": 0.5, "1 / √n": 1.0, "2 / √n: too large": 2.0}
seen = {name: signals(gain) for name, gain in GAINS.items()}


# %%
def draw_signals(left, right):
    for ax, which, label in (
        (left, 0, "std of the signal h"),
        (right, 1, "std of the gradient dh"),
    ):
        for k, name in enumerate(GAINS):
            ax.semilogy(seen[name][which], label=name, **line(k))
        ax.set(xlabel="layer", ylabel=label)
    left.legend(title="std of the weights")


picture(
    draw_signals,
    alt="Thirty tanh layers, with weights of three sizes; logarithmic axes. Left, the "
    "signal: with 0.5/√n it falls on a straight line to 1e-9, with 1/√n it falls "
    "slowly to about 0.1, with 2/√n it stays near 0.7. Right, the gradient, from "
    "layer 30 on the right back to layer 0: with 0.5/√n it falls to 1e-9, with 1/√n "
    "to about 0.15, with 2/√n it grows to about 80.",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# With a gain of 2 the signal looks right, for a tanh cannot exceed 1; but the gradient explodes. Always look at both. And
# remember this figure: in lesson 5 the "layers" are time steps, *with the same W in each of them*, and no initialisation
# helps for long.
#
# ## Exercise 2: He's initialisation
#
# Write `he_normal(n_in, n_out, draw)` for layers with `relu`: a normal draw, `draw.normal(size=…)`, of the variance that
# keeps $\operatorname{E} h^2$ from layer to layer.


# %% exercise="he_normal"
def he_normal(n_in, n_out, draw):
    """W, (n_in, n_out), such that relu layers keep the mean square of the signal."""
    ### BEGIN SOLUTION
    return draw.normal(size=(n_in, n_out)) * np.sqrt(2 / n_in)
    ### END SOLUTION


# %% [markdown] hint="he_normal"
# A `relu` sets half of the numbers to zero. By which factor does that change the mean of the squares?

# %% [markdown] hint="he_normal"
# The variance is $2/n_\text{in}$. A draw with variance 1 gets the variance $s^2$ if it is multiplied
# by $s$.


# %% mistake="he_normal"
# The variance is made from n_out. A sum over n_in products gives each output, so n_in
# counts.
def he_normal(n_in, n_out, draw):
    return draw.normal(size=(n_in, n_out)) * np.sqrt(2 / n_out)


# %% mistake="he_normal"
# 2/n_in is the variance. Multiply a draw of variance 1 by the standard deviation.
def he_normal(n_in, n_out, draw):
    return draw.normal(size=(n_in, n_out)) * 2 / n_in


# %% variant="he_normal"
def he_normal(n_in, n_out, draw):
    """In place, in single precision, drawn the other way round."""
    W = draw.normal(size=(n_out, n_in)).astype("float32").T
    W *= (2 / n_in) ** 0.5
    return W


# %% check="he_normal" points=2
draw = np.random.default_rng(0)
h = draw.normal(size=(200, 64))
squares = [(h**2).mean()]
for n_in, n_out in ((64, 256), (256, 64)) * 5:
    W = ask(he_normal, n_in, n_out, draw, shape=(n_in, n_out))
    h = np.maximum(h @ W, 0)
    squares.append((h**2).mean())
print("mean square, layer by layer:", *(f"{s:.2f}" for s in squares))
for n, m in ((64, 256), (256, 64)):
    same(
        f"variance of a {n} × {m} matrix, times {n}",
        ask(he_normal, n, m, draw, shape=(n, m)).var() * n,
        2.0,
        rtol=0.1,
    )
check(
    0.1 < squares[-1] < 10,
    f"after ten layers the mean square went from {squares[0]:.2g} to {squares[-1]:.2g}.",
)

# %% [markdown]
# ## How an optimiser changes weights
#
# **Gradient descent**, $w \leftarrow w - \eta\,dw$, has one number to choose, the learning rate $\eta$. Take a loss that is
# a parabola along each axis, $L = \frac12\sum_i \lambda_i w_i^2$; near a minimum every smooth loss is close to one. Then $dw_i = \lambda_i w_i$ and
#
# $$w_i \leftarrow (1 - \eta\lambda_i)\,w_i .$$
#
# It converges if $|1-\eta\lambda_i| < 1$ for *every* $i$: if $\eta < 2/\lambda_\text{max}$. On paper: $\lambda = (1, 25)$
# and $\eta = 0.1$ make the factors $0.9$ and $-1.5$. The second axis explodes. With $\eta = 0.07$ they are $0.93$ and
# $-0.75$, and now the *flat* axis is slow. This is the problem of a ravine, and momentum and Adam are two answers.
#
# **Momentum** keeps a velocity, in which steps of one direction add up and steps of opposite directions cancel:
#
# $$v \leftarrow \mu v + \eta\,dw, \qquad w \leftarrow w - v .$$
#
# **Adam** divides each weight's gradient by its own recent size, so that the steep and the flat axis get steps of the same
# length. $m$ and $v$ start from 0, and at step $t = 1, 2, \dots$
#
# $$m \leftarrow \beta_1 m + (1-\beta_1)\,dw, \qquad v \leftarrow \beta_2 v + (1-\beta_2)\,dw^2, \qquad
# w \leftarrow w - \eta\,\frac{\hat m}{\sqrt{\hat v} + \varepsilon}, \quad
# \hat m = \frac{m}{1-\beta_1^t},\ \hat v = \frac{v}{1-\beta_2^t} .$$
#
# The hats correct the start from zero: at $t=1$ they give $\hat m = dw$ and $\hat v = dw^2$, so that the first step has
# length $\eta$ for a gradient of any size.

# %%
curvature = np.array([1.0, 25.0])


def descend(optimizer, steps=40, start=(-4.0, 1.0)):
    """The path of an optimizer through the ravine."""
    w = mg.tensor(start, dtype="float64", requires_grad=True)
    path = [w.numpy()]
    for _ in range(steps):
        loss = 0.5 * (curvature * w * w).sum()
        optimizer.apply_gradients([(mg.grad(loss, w)[0], w)])
        path.append(w.numpy())
    return np.array(path)


SGD, Adam = mg.keras.optimizers.SGD, mg.keras.optimizers.Adam
paths = {
    "SGD, η = 0.07": descend(SGD(0.07)),
    "momentum 0.8, η = 0.03": descend(SGD(0.03, momentum=0.8)),
    "Adam, η = 0.4": descend(Adam(0.4)),
}


# %%
def draw_paths(left, right):
    x, y = np.meshgrid(np.linspace(-4.6, 2.2, 80), np.linspace(-1.3, 1.3, 80))
    left.contour(
        x,
        y,
        0.5 * (x**2 + 25 * y**2),
        levels=[0.3, 1, 3, 6, 10, 15, 20],
        colors="0.8",
        linewidths=0.8,
    )
    for k, (name, path) in enumerate(paths.items()):
        left.plot(*path[:25].T, **line(k, marker=True) | {"markersize": 3}, label=name)
        right.semilogy(0.5 * (curvature * path**2).sum(1), label=name, **line(k))
    left.set(xlabel="w₁, curvature 1", ylabel="w₂, curvature 25")
    left.grid(False)
    right.set(xlabel="step", ylabel="loss", ylim=(1e-4, 50))
    right.legend()


picture(
    draw_paths,
    alt="A ravine, flat along w₁ and steep along w₂, and three paths through it. Left, "
    "from above: SGD jumps from wall to wall and creeps along the floor; momentum "
    "swings from side to side in smaller and smaller waves; Adam goes straight to the "
    "floor, passes the minimum and turns back. Right, the loss against the step, "
    "logarithmic: after 40 steps momentum is at about 0.002, SGD at 0.02, and Adam, "
    "which still circles, at 0.2.",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# SGD is as fast as the ravine allows. Momentum is faster. Adam is *first* at the minimum and then circles around it: its
# steps keep their length $\eta$ even if the gradient is small. So $\eta$ is usually lowered towards the end of a
# training. One start proves little, so here are the same three from seven starts around the minimum:

# %%
around = [(4 * np.cos(a), np.sin(a)) for a in 2 * np.pi * (np.arange(7) + 0.5) / 7]
RULES = {
    "SGD, η = 0.07": lambda: SGD(0.07),
    "momentum 0.8, η = 0.03": lambda: SGD(0.03, momentum=0.8),
    "Adam, η = 0.4": lambda: Adam(0.4),
}
from_around = {
    name: np.array([descend(rule(), start=start) for start in around])
    for name, rule in RULES.items()
}  # (starts, steps + 1, 2)
arrival = {
    name: (np.abs(path[:, :, 0]) < 0.3).argmax(axis=1) for name, path in from_around.items()
}
left_over = {
    name: 0.5 * (curvature * path[:, -1] ** 2).sum(-1) for name, path in from_around.items()
}
table(
    [
        "from seven starts",
        "first |w₁| < 0.3 at step: median (range)",
        "loss after 40: median (range)",
    ],
    [
        (
            name,
            f"{np.median(arrival[name]):.0f} ({arrival[name].min()} to {arrival[name].max()})",
            f"{np.median(left_over[name]):.0e} ({left_over[name].min():.0e} to {left_over[name].max():.0e})",
        )
        for name in RULES
    ],
)

# %% [markdown]
# ## Exercise 3: Adam
#
# One step, as a pure function of arrays. It should not write into its arguments; if it does, the check says so.


# %% exercise="adam"
def adam(w, dw, m, v, t, eta=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """The new w, m, v after step t = 1, 2, …"""
    ### BEGIN SOLUTION
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw * dw
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - eta * m_hat / (np.sqrt(v_hat) + epsilon), m, v
    ### END SOLUTION


# %% [markdown] hint="adam"
# Write out $m$ after two steps. Which of the two, $m$ or $\hat m$, does the second step need?

# %% [markdown] hint="adam"
# Four lines: the new $m$; the new $v$, with `dw * dw`; $\hat m$ and $\hat v$, divided by $1 -
# \beta^t$; the new $w$. Return the new $w$ and the $m$ and $v$ *without* hats.


# %% mistake="adam"
# The hats are missing: the first steps are too short or too long, for m and v start from
# zero.
def adam(w, dw, m, v, t, eta=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Without the hats."""
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw * dw
    return w - eta * m / (np.sqrt(v) + epsilon), m, v


# %% mistake="adam"
# The first step is right, and then the hatted numbers are remembered. Return the plain m
# and v; the hats are for the step alone.
def adam(w, dw, m, v, t, eta=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Hatted numbers remembered instead of the plain ones."""
    m = (beta_1 * m + (1 - beta_1) * dw) / (1 - beta_1**t)
    v = (beta_2 * v + (1 - beta_2) * dw * dw) / (1 - beta_2**t)
    return w - eta * m / (np.sqrt(v) + epsilon), m, v


# %% mistake="adam"
# The root of v is missing.
def adam(w, dw, m, v, t, eta=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """No root."""
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw * dw
    return w - eta * (m / (1 - beta_1**t)) / (v / (1 - beta_2**t) + epsilon), m, v


# %% variant="adam"
def adam(w, dw, m, v, t, eta=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """In place, all of it; a list."""
    m *= beta_1
    m += (1 - beta_1) * dw
    v *= beta_2
    dw *= dw
    v += (1 - beta_2) * dw
    w -= eta * (m / (1 - beta_1**t)) / ((v / (1 - beta_2**t)) ** 0.5 + epsilon)
    return [w, m, v]


# %% variant="adam"
def adam(w, dw, m, v, t, eta=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Steps towards the new numbers, in single precision; the hats folded into the step."""
    m, v = (
        np.asarray(a, "float32")
        for a in (m + (1 - beta_1) * (dw - m), v + (1 - beta_2) * (dw**2 - v))
    )
    root = np.sqrt(1 - beta_2**t)
    return w - eta * root / (1 - beta_1**t) * m / (np.sqrt(v) + root * epsilon), m, v


# %% [markdown]
# Two checks: agreement with `mg.keras.optimizers.Adam` over several steps, and an invariant. Multiply all gradients by
# 1000, and Adam takes the same steps. (Would SGD?)

# %% check="adam" points=3
gradients = np.random.default_rng(3).normal(size=(6, 4))


def steps_of(scale):
    w, m, v = np.ones(4), np.zeros(4), np.zeros(4)
    for t, dw in enumerate(gradients, 1):
        w, m, v = ask(adam, w, scale * dw, m, v, t, eta=0.1, parts=("w", "m", "v"))
    return w


w, optimizer = mg.tensor(np.ones(4), requires_grad=True), Adam(0.1)
for dw in gradients:
    optimizer.apply_gradients([(mg.tensor(dw), w)])
same(
    "w after one step",
    ask(adam, np.ones(4), gradients[0], *np.zeros((2, 4)), 1, 0.1, parts=("w", "m", "v"))[
        0
    ],
    1 - 0.1 * np.sign(gradients[0]),
    rtol=1e-5,
)
same("w after six steps", steps_of(1.0), w, rtol=1e-4)
same("w with gradients 1000 times as large", steps_of(1000.0), w, rtol=1e-4)

# %% [markdown]
# ## All of it together
#
# A net with two hidden layers learns one and a half periods of a sine. Five seeds for the weights, and for each of them
# three optimisers:

# %%
x = np.linspace(-1, 1, 64)[:, None]
y = np.sin(4.5 * x)


def trained(optimizer, steps, seed):
    """The losses while a small net learns y from x."""
    mg.random.seed(seed)
    layers = [
        mg.keras.layers.Dense(n, activation=a, dtype="float64")
        for n, a in ((32, "tanh"), (32, "tanh"), (1, None))
    ]
    net = mg.keras.Sequential(layers)
    net.compile(optimizer, "mse")
    return [net.train_on_batch(x, y) for _ in range(steps)]


SEEDS = range(scaled(5, 1))
OPTIMISERS = {
    "SGD, η = 0.1": lambda: SGD(0.1),
    "momentum 0.9, η = 0.05": lambda: SGD(0.05, momentum=0.9),
    "Adam, η = 0.01": lambda: Adam(0.01),
}
runs = {
    name: np.array([trained(make(), scaled(400, 40), seed) for seed in SEEDS])
    for name, make in OPTIMISERS.items()
}  # (seeds, steps)
plateau = {name: (losses < 0.25).argmax(axis=1) for name, losses in runs.items()}
at_last = {name: np.median(losses[:, -20:], axis=1) for name, losses in runs.items()}
table(
    [
        "median (range) over the seeds",
        "steps until the loss is halved",
        "loss of the last 20 steps",
    ],
    [
        (
            name,
            f"{np.median(plateau[name]):.0f} ({plateau[name].min()} to {plateau[name].max()})",
            f"{np.median(at_last[name]):.0e} ({at_last[name].min():.0e} to {at_last[name].max():.0e})",
        )
        for name in runs
    ],
)


# %%
def draw_runs(left, right):
    for k, (name, losses) in enumerate(runs.items()):
        left.semilogy(np.median(losses, axis=0), label=name, **line(k))
        for one in losses:
            left.semilogy(one, color=line(k)["color"], linewidth=0.4, alpha=0.5)
        medians(right, [k], plateau[name][:, None], name, k)
        right.plot([k - 0.25, k + 0.25], [np.median(plateau[name])] * 2, color="0.2")
    left.set(xlabel="step", ylabel="mean square error")
    left.legend()
    right.set_xticks(range(len(runs)), [name.partition(",")[0] for name in runs])
    right.set(ylabel="steps until the loss is halved", ylim=(0, None), xlim=(-0.5, 2.5))


said = "; ".join(
    f"{name}: {np.median(plateau[name]):.0f}, from {plateau[name].min()} to {plateau[name].max()}"
    for name in runs
)
picture(
    draw_runs,
    alt="Left, the loss of a small net against the steps of training, logarithmic, for three optimisers: thin lines for "
    "single seeds, thick ones for the median. All start near 0.5 and stay there for a while, SGD by far the longest; SGD "
    "has spikes late, with some seeds. Right, for each seed a point: the steps until the loss is halved. Medians and "
    f"ranges: {said}.",
    columns=2,
    size=(9.5, 3.6),
)

# %% [markdown]
# On the long plateau at the start the net predicts nearly 0 everywhere, and its gradient is small. SGD crosses it slowly,
# with every seed. Only the step is too small there. Between momentum and Adam the seeds do not decide: with some seeds
# the one is ahead, with some the other.
#
# ## To think about
#
# 1. With gain 1, the signal in the thirty layers still falls, slowly. Why? (Look at $\tanh'$ away from 0.)
# 2. Biases start from zeros. Why is that no problem, when weights must not?
# 3. In the ravine, which $\eta$ makes both factors of gradient descent equally large? What is that factor, and what does it
#    become for curvatures $1$ and $2500$?
# 4. Adam's first step has length $\eta$ along every axis, even where the gradient is $10^{-6}$. When is that bad?
#
# ## Summary
#
# - A layer makes its weights in `build` and computes in `call`; the tape computes the gradients, and `check_gradient`
#   checks them.
# - Each layer multiplies variances by $n \operatorname{Var} W$. With many layers this factor must be 1.
# - Gradient descent needs $\eta < 2/\lambda_\text{max}$; momentum and Adam help where curvatures differ.
#
# **In the source:** [`minigrad/layers/layer.py`](../minigrad/layers/layer.py),
# [`minigrad/layers/initializers.py`](../minigrad/layers/initializers.py),
# [`minigrad/keras/optimizers/sgd.py`](../minigrad/keras/optimizers/sgd.py) and
# [`minigrad/keras/optimizers/adam.py`](../minigrad/keras/optimizers/adam.py), where Adam's two divisions are folded into one
# number.

# %% [markdown]
# ## Your net
#
# In [`mynet.py`](mynet.py), fill in two gaps:
#
# - `Dense.__call__(x)` is one line, with the two operations of lesson 2.
# - `adam(…)` is exercise 3, in the form that Keras uses. Its docstring has the formula. The two hats are one number there, so $\varepsilon$ is
#   added to another root, and the last digits differ. The class `Adam` calls it for each weight.

# %%
from lesson_net import your_net

your_net(4)
