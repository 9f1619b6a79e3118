# %% [markdown]
# # 13 · Backends
#
# Where the arithmetic is done: write a backend in thirty lines, count what a layer asks of it, and follow a cell from its equations to the loop that a compiler gets.
#
# **Minutes:** 75 · **Needs:** lessons 2, 6 and 7; Python modules
#
# After this lesson you can
#
# 1. say what an array library must offer so that a whole autograd engine runs on it, and write such a module;
# 2. predict the multiplications of a training step by a formula, and tell for which sizes another backend can be faster;
# 3. write a recurrent cell as equations with its gradient, and say what is made of them for each backend.

# %%
import inspect
import re
import types
from contextlib import nullcontext

import numpy as np

import minigrad as mg
import minigrad_numpy
from lesson_tools import ask, check, line, picture, same, table
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import REQUIRED
from minigrad.recurrent import Equations, dphi, dsigma, phi, sigma
from minigrad.recurrent.compiler import describe
from minigrad.show import shown

# %% [markdown]
# ## The formula
#
# In minigrad no formula imports NumPy. Each is a function of `xp`, the array library that it is handed:


# %%
class Tanh(Op):
    """y = tanh x"""

    def forward(xp, x):
        return xp.tanh(x)

    def backward(xp, dy, y, x):
        return dy * (1 - y * y)


# %% [markdown]
# So any module that offers the functions that the formulas ask for *is* a backend, be it for the processor, for a graphics
# card, or one that only counts. The functions are listed in one place, the **protocol**:

# %%
print(len(REQUIRED), "functions:")
for k in range(0, len(REQUIRED), 10):
    print("  ", *REQUIRED[k : k + 10])

# %% [markdown]
# Nearly all of them are NumPy's, name for name. Besides, the arrays must know Python's operators and broadcast. The few that NumPy
# has not, or has under another name:
#
# | function | what it does | shapes |
# |---|---|---|
# | `asarray(data, dtype=None, copy=False)` | the way in | |
# | `to_numpy(x)` | the one way out: a *copy* on the host | |
# | `unstack(x, axis=0)` | the slices along an axis, a tuple: the inverse of `stack` | `(n, …)` → n of `(…)` |
# | `split(x, sections, axis=0)` | cut into equal parts, a tuple | `(n, …)` → `(n / sections, …)` each |
# | `setitem(x, index, values)` | a *copy* of x, with values at the index | of x |
# | `scatter_add(x, index, values)` | a *copy* of x, values added; what is named twice is added twice | of x |
#
# The last two make copies because arrays on the tape must not change before the backward pass has read them. And `scatter_add` is the
# gradient of indexing: lesson 2's word that occurs twice.
#
# ## An example for paper
#
# An LSTM, batch $B = 1$, $T = 3$ steps, $F = 2$ features, $U = 2$ units. A product of $(n, k)$ and $(k, m)$ takes $nkm$
# multiplications. Forward, $x W$ for all steps in one product: $3\cdot 2\cdot 8 = 48$. Then a product $h\,U$ in each step: $3$ times
# $1\cdot 2\cdot 8 = 16$. Together $4$ products and $96$ multiplications.
#
# Backward: in each step $dz\,U^\top$, and after the loop *one* product each for $dW$, $dU$ and $dx$. How many products are these, and how
# many multiplications? (Exercise 2 will ask.)
#
# ## Exercise 1: a backend
#
# Write `my_backend()`. It returns a module that is given NumPy's functions already, wherever they will do; the six of the
# table are yours. `check_backend` tries every function of the protocol against numbers, and says which one differs.


# %%
def by_keyword(function):
    """A reduction whose axis and keepdims may come by position, as the protocol has them."""
    return lambda x, axis=None, keepdims=False: function(x, axis=axis, keepdims=keepdims)


def with_numpys(name):
    """A module with NumPy's functions for the protocol; six are missing."""
    module = types.ModuleType(name, "A backend.")
    module.name = name
    for function in REQUIRED:
        if hasattr(np, function):
            setattr(module, function, getattr(np, function))
    for function in ("sum", "prod", "max", "min", "all", "any"):
        setattr(module, function, by_keyword(getattr(np, function)))
    module.take = lambda x, indices, axis=0: np.take(x, indices, axis)
    module.astype = lambda x, dtype: x.astype(dtype)
    module.is_array = lambda x: isinstance(x, (np.ndarray, np.generic))
    module.getitem = lambda x, index: x[index]
    for function in (
        "erf",
        "zeros",
        "ones",
        "full",
        "arange",
    ):  # not in NumPy, or float64 there
        setattr(module, function, getattr(minigrad_numpy, function))
    for mine in {"asarray", "split", "unstack"} & set(
        vars(module)
    ):  # newer NumPys have unstack
        delattr(module, mine)
    return module


print("missing:", *(name for name in REQUIRED if not hasattr(with_numpys("mine"), name)))


# %% exercise="backend"
def my_backend():
    """A backend: `with_numpys("mine")`, and the six functions that it lacks."""
    ### BEGIN SOLUTION
    module = with_numpys("mine")

    def asarray(data, dtype=None, copy=False):
        return np.array(data, dtype=dtype) if copy else np.asarray(data, dtype=dtype)

    def unstack(x, axis=0):
        return tuple(np.moveaxis(x, axis, 0))

    def split(x, sections, axis=0):
        return tuple(np.split(x, sections, axis))

    def setitem(x, index, values):
        y = np.array(x)
        y[index] = values
        return y

    def scatter_add(x, index, values):
        y = np.array(x)
        np.add.at(y, index, values)
        return y

    module.asarray, module.to_numpy, module.unstack = asarray, np.array, unstack
    module.split, module.setitem, module.scatter_add = split, setitem, scatter_add
    return module
    ### END SOLUTION


# %% mistake="backend"
def my_backend():
    """What is named twice is added once."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "unstack", "split", "setitem"):
        setattr(module, name, getattr(minigrad_numpy, name))

    def scatter_add(x, index, values):
        y = np.array(x)
        y[index] += values
        return y

    module.scatter_add = scatter_add
    return module


# %% mistake="backend"
def my_backend():
    """setitem writes into x itself."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "unstack", "split", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))

    def setitem(x, index, values):
        x[index] = values
        return x

    module.setitem = setitem
    return module


# %% mistake="backend"
def my_backend():
    """Unstacks along the first axis, whatever was asked for."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "setitem", "split", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))
    module.unstack = lambda x, axis=0: tuple(x)
    return module


# %% variant="backend"
def my_backend():
    """One entry at a time; a class as a namespace for the six."""
    module = with_numpys("mine")

    class Mine:
        asarray = staticmethod(minigrad_numpy.asarray)
        to_numpy = staticmethod(lambda x: np.asarray(x).copy())
        unstack = staticmethod(
            lambda x, axis=0: tuple(x.take(k, axis) for k in range(x.shape[axis]))
        )
        split = staticmethod(
            lambda x, sections, axis=0: tuple(np.array_split(x, sections, axis))
        )

        @staticmethod
        def setitem(x, index, values):
            y = x.copy()
            np.asarray(y)[index] = values
            return y

        @staticmethod
        def scatter_add(x, index, values):
            change = np.zeros_like(x)
            np.add.at(change, index, values)
            return x + change

    for name in ("asarray", "to_numpy", "unstack", "split", "setitem", "scatter_add"):
        setattr(module, name, getattr(Mine, name))
    return module


# %% check="backend" points=3
mine = ask(my_backend)
mg.testing.check_backend(mine)
original = np.zeros(3)
mine.setitem(original, 0, 1.0)
mine.scatter_add(original, 0, 1.0)
same("an array that was handed to setitem and scatter_add", original, np.zeros(3))


def lstm_gradients(backend):
    """The output and the gradients of an LSTM of 4 units on a backend, as NumPy arrays."""
    with mg.using(backend):
        mg.random.seed(1)
        layer = mg.keras.layers.LSTM(4, dtype="float64")
        x = mg.tensor(np.random.default_rng(0).normal(size=(2, 6, 3)), requires_grad=True)
        y = layer(x)
        (y * y).sum().backward()
        return [
            y.numpy(),
            x.grad.numpy(),
            *(w.grad.numpy() for w in layer.trainable_weights),
        ]


for name, a, b in zip(
    ("h_T", "dx", "dW", "dU", "db"),
    lstm_gradients(mine),
    lstm_gradients("numpy"),
    strict=True,
):
    same(f"{name} of an LSTM on your backend", a, b)

# %% [markdown]
# That was all: an LSTM and its backward pass now run on a module that minigrad has never heard of. In a package of its own, the module would
# be named under the entry-point group `minigrad.backends`, and `mg.use("mine")` would find it.
#
# ## A backend that counts
#
# A backend need not compute faster. It may *watch*: each of its functions notes down its name, and does what NumPy's does. (A
# class instead of a module; anything with the right names will do.)


# %%
class Watching(types.ModuleType):
    """NumPy's backend without its kernels; notes down the name of each call and the shapes of each product."""

    name = "watching"

    def __init__(self):
        super().__init__("watching")
        self.seen = []

    def __getattr__(self, name):
        if name not in REQUIRED:
            raise AttributeError(name)

        def watched(*args, **kwargs):
            shapes = [a.shape for a in args] if name == "matmul" else None
            self.seen.append((name, shapes))
            return getattr(minigrad_numpy, name)(*args, **kwargs)

        return watched


def watched(B, T, F, U, on_tape=False):
    """What an LSTM asks for, forward and backward: two lists of (name, shapes)."""
    backend = Watching()
    layer = mg.keras.layers.LSTM(U)
    road = mg.testing.on_tape(layer) if on_tape else nullcontext()
    with mg.using(backend), road:
        layer.build((B, T, F))
        x = mg.tensor(np.ones((B, T, F), np.float32), requires_grad=True)
        backend.seen.clear()
        y = layer(x).sum()
        forward = list(backend.seen)
        y.backward()
        return forward, backend.seen[len(forward) :]


# %% [markdown]
# ## What a layer asks for
#
# The same LSTM, 8 units, 10 steps, run in two ways. By default it is one node on the tape, with the explicit loop of lesson 7
# inside. Within `mg.testing.on_tape(layer)` every operation of every step is written onto the tape, which finds the gradient by
# itself. Counted with such a backend:

# %%
WAYS = {"explicit loop": False, "tape, op by op": True}
asked = {name: watched(4, 10, 3, 8, on_tape) for name, on_tape in WAYS.items()}
rows = []
for name, (forward, backward) in asked.items():
    products = [sum(call == "matmul" for call, _ in part) for part in (forward, backward)]
    rows.append((name, len(forward), len(backward), *products))
table(
    [
        "10 steps",
        "calls forward",
        "calls backward",
        "products forward",
        "products backward",
    ],
    rows,
)


# %%
def draw_calls(ax):
    kinds = {
        "products": ("matmul",),
        "tanh and sigmoid": ("tanh", "exp", "abs", "where", "sign"),
        "cutting and joining": (
            "split",
            "getitem",
            "unstack",
            "stack",
            "concat",
            "transpose",
            "reshape",
        ),
    }
    places, left = range(4), np.zeros(4)
    parts = [(name, part) for name in asked for part in (0, 1)]
    for k, (kind, names) in enumerate(kinds.items()):
        many = np.array(
            [sum(c in names for c, _ in asked[name][part]) for name, part in parts]
        )
        ax.barh(
            places,
            many,
            left=left,
            label=kind,
            color=line(k)["color"],
            hatch=("", "//", "..")[k],
            edgecolor="white",
        )
        left += many
    ax.set_yticks(
        places, [f"{name}, {('forward', 'backward')[part]}" for name, part in parts]
    )
    ax.invert_yaxis()
    ax.set(xlabel="calls of the backend in 10 steps", xlim=(0, 240))
    ax.legend(loc="center right")


picture(
    draw_calls,
    alt="Stacked bars: how often an LSTM calls the backend in 10 steps. Explicit loop, forward: 11 "
    "products, 110 calls for tanh and sigmoid, 16 for cutting and joining. Explicit loop, "
    "backward: 13 products, no tanh or sigmoid, 35 for cutting and joining. Tape, forward: 20 "
    "products, 110, and 43. Tape, backward: 39 products, none, and 62.",
    size=(8, 3),
)

# %% [markdown]
# The products tell it all. Forward, the explicit loop makes $T + 1$: all $x_t W$ in one, then one $h_{t-1}U$ a step. Backward $T + 3$: one
# $dz_t U^\top$ a step, and *one* each for $dW$, $dU$ and $dx$ when the loop is over. The tape, which knows nothing of loops, makes
# two a step forward and four a step backward (but for the first, whose $h_0$ needs no gradient).
#
# ## Exercise 2: multiplications
#
# The number of calls is one price, the number of multiplications another. Write `multiplications(B, T, F, U)`: how many the
# products of an LSTM take, a pair, forward and backward, for the explicit loop, with `dx` wanted. Backward, count $dz_tU^\top$ for every step.


# %% exercise="multiplications"
def multiplications(B, T, F, U):
    """(forward, backward)."""
    ### BEGIN SOLUTION
    forward = B * T * (F + U) * 4 * U
    return forward, 2 * forward
    ### END SOLUTION


# %% mistake="multiplications"
def multiplications(B, T, F, U):
    """As much backward as forward."""
    return B * T * (F + U) * 4 * U, B * T * (F + U) * 4 * U


# %% mistake="multiplications"
def multiplications(B, T, F, U):
    """One gate only."""
    return B * T * (F + U) * U, 2 * B * T * (F + U) * U


# %% variant="multiplications"
def multiplications(B, T, F, U):
    """Product by product, as a list of floats."""
    forward = sum([1.0 * B * T * F * 4 * U, *(B * U * 4 * U for _ in range(T))])
    dx, dW, dh, dU = (
        B * T * 4 * U * F,
        F * B * T * 4 * U,
        T * B * 4 * U * U,
        U * B * T * 4 * U,
    )
    return [forward, dx + dW + dh + dU]


# %% check="multiplications" points=2
def measured(part):
    """The multiplications of the products in a list of what was asked for."""
    return sum(
        int(np.prod(a)) * b[-1]
        for name, (a, b) in ((n, s or [(), ()]) for n, s in part)
        if name == "matmul"
    )


for sizes in ((1, 3, 2, 2), (4, 10, 3, 8), (2, 7, 5, 6)):
    counted = [measured(part) for part in watched(*sizes)]
    same(
        "forward, backward for (B, T, F, U) = " + str(sizes),
        ask(multiplications, *sizes),
        counted,
    )

# %% [markdown]
# ## When is another backend faster?
#
# Each call has a fixed price, before anything is computed: a microsecond or so for NumPy, several for a graphics card, which has to be
# told what to do. Against that stand the multiplications, of which a processor core does some $10^{10}$ in a second and a
# large card some $10^{13}$. So what counts is **how many multiplications come with each call**:


# %%
def draw_work(ax):
    sizes = np.array([8, 16, 32, 64, 128, 256, 512, 1024])
    calls_a_step = len(asked["explicit loop"][0]) / 10
    for k, B in enumerate((1, 32, 256)):
        work = B * (sizes + sizes) * 4 * sizes / calls_a_step
        ax.loglog(sizes, work, label=f"batch {B}", **line(k, marker=True))
    for price, name, at in (
        (1e4, "1 µs of a core", 350),
        (1e8, "10 µs of a large card", 8),
    ):
        ax.axhline(price, color="0.4", linewidth=0.8)
        ax.text(at, price * 1.2, name, color="0.3")
    ax.set(xlabel="units, as many features", ylabel="multiplications per call")
    ax.legend(loc="lower right")


picture(
    draw_work,
    alt="Multiplications per call of the backend, against the units of an LSTM with as many "
    "features, both logarithmic, for batches of 1, 32 and 256: parallel rising lines. Level lines "
    "mark what a core multiplies in 1 µs, 10⁴, and what a large card multiplies in 10 µs, 10⁸. "
    "Batch 1 reaches the lower one at 128 units, batch 32 at some 24, batch 256 at 8. The "
    "upper one is reached by batch 256 alone, near 800 units.",
)

# %% [markdown]
# Below a line, the fixed price rules, and a faster unit of arithmetic changes nothing. (The lines are rough: for your machine, measure.) There are two ways out:
#
# - **more work a call**: larger batches, larger nets;
# - **fewer calls**: a **kernel**, one call for a whole sequence. A backend may offer a function `compile`, which makes one of a
#   cell's equations. Its numbers must be those of the formulas; a layer says in `path` which way it went.

# %%
for name, backend in (("numpy", minigrad_numpy), ("watching", Watching())):
    with mg.using(backend):
        layer = mg.keras.layers.LSTM(8)
        layer(np.ones((4, 10, 3), np.float32))
    print(f"{name}: {layer.path}")

# %% [markdown]
# ## From the equation to the machine
#
# Where do the formulas come from, and the kernels? In minigrad a cell is a class of equations. This is the LSTM of lessons 6
# and 7, as it stands in [`lstm.py`](../minigrad/recurrent/lstm.py). `products` says what a step multiplies, `forward` is the rest, number
# by number. `backward` gets the gradients of the new states, and whatever `forward` knew, by name; it returns one gradient for each
# argument of `forward`. `dsigma(dy, y)` is lesson 7's $dy\circ y\circ(1-y)$, or the rule of another activation.


# %%
class LSTM(Equations):
    states = "h", "c"
    products = "z_i z_f z_g z_o = x W + h U + b"

    def forward(z_i, z_f, z_g, z_o, c):
        i, f, g, o = sigma(z_i), sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + i * g
        a = phi(c_new)
        h_new = o * a
        return h_new, c_new

    def backward(dh, dc, i, f, g, o, a, c):
        do = dh * a
        dc = dc + dphi(dh * o, a)
        di, df, dg = dc * g, dc * c, dc * i
        dz_i, dz_f, dz_g, dz_o = dsigma(di, i), dsigma(df, f), dphi(dg, g), dsigma(do, o)
        return dz_i, dz_f, dz_g, dz_o, dc * f


def lines_of(cell):
    """The lines of a cell, each as (name, expression)."""
    read = describe(cell)
    return [(one.name, one.text) for one in (*read.forward, *read.backward)]


print("the lines of minigrad's own LSTM:", lines_of(LSTM) == lines_of(mg.recurrent.LSTM))
print("kept for the backward pass:", *describe(LSTM).cache)

# %% [markdown]
# These lines are *read*, as text, before any of them runs: no loop, no branch, so a short program understands all of it. It knows
# what has to be kept, namely what `backward` asks for; the old states are at hand anyway. Then the lines are *printed*, once
# for each kind of machine. Follow two of them:

# %%
FORMS = {
    "outline": "as they were read",
    "python": "of arrays, for any backend's functions",
    "js": "of single numbers, for a browser",
}
for form, what in FORMS.items():
    print(f"{form}: {what}")
    for printed in shown(LSTM, form).splitlines():
        if re.search(r"\b(c_new|df) = ", printed):
            print("   ", printed.strip())

# %% [markdown]
# (`dc_2` is the second value of `dc`: a name stands for one value.) The middle one is what `watching` has run: some fourteen calls of the
# array library a step. The last one needs no array library. Put such lines into a loop over steps, rows and units, let a compiler
# translate it, and a whole sequence is *one* call. That is what a backend's `compile` does.
#
# Add `"numba"` to `FORMS` if Numba is installed, and `"cuda"` in any case: to print a kernel needs no graphics card. The same two
# lines stand in a loop for the processor, or in a kernel each of whose threads computes one unit of one row. In a shell,
# `python -m minigrad show lstm --as numba` prints all of it.
#
# An activation that mixes the units, such as softmax, fits no loop of single numbers. Then the formulas of arrays run.
#
# ## Exercise 3: a cell of your own
#
# The LSTM chooses two numbers, how much to keep and how much to let in. *Coupled gates* choose one: what is forgotten makes room for
# what comes in, $i = 1 - f$, and a quarter of the weights is gone. Write `forward` and, by hand, `backward`. It returns four
# gradients, in the order of `forward`'s arguments; its own arguments after `dc` are yours to choose. (On paper first: in how
# many terms of $c_\text{new}$ does $f$ stand?) `EquationCell(Coupled, units)` then makes a cell of it, with weights $W$, $U$, $b$, that a
# layer takes like any other.


# %% exercise="coupled"
class Coupled(Equations):
    """The LSTM with coupled gates, i = 1 − f."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        ### BEGIN SOLUTION
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        h_new = o * a
        return h_new, c_new
        ### END SOLUTION

    def backward(dh, dc, f, g, o, a, c):
        ### BEGIN SOLUTION
        do = dh * a
        dc = dc + dphi(dh * o, a)
        df, dg = dc * (c - g), dc * (1 - f)
        return dsigma(df, f), dphi(dg, g), dsigma(do, o), dc * f
        ### END SOLUTION


# %% mistake="coupled"
class Coupled(Equations):
    """f is thought to stand in one term."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c):
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * c, f), dphi(dc * (1 - f), g), dsigma(dh * a, o), dc * f


# %% mistake="coupled"
class Coupled(Equations):
    """Both terms of df with the same sign."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c):
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * (c + g), f), dphi(dc * (1 - f), g), dsigma(dh * a, o), dc * f


# %% mistake="coupled"
class Coupled(Equations):
    """i = f; its gradient is right for that."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + f * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c):
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * (c + g), f), dphi(dc * f, g), dsigma(dh * a, o), dc * f


# %% mistake="coupled"
class Coupled(Equations):
    """dc is handed on before it is complete."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c):
        return dsigma(dc * (c - g), f), dphi(dc * (1 - f), g), dsigma(dh * a, o), dc * f


# %% mistake="coupled"
class Coupled(Equations):
    """The slopes are taken at z."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c, z_f, z_g, z_o):
        dc = dc + dphi(dh * o, a)
        df, dg = dc * (c - g), dc * (1 - f)
        return dsigma(df, z_f), dphi(dg, z_g), dsigma(dh * a, z_o), dc * f


# %% mistake="coupled"
class Coupled(Equations):
    """The gradient of c is forgotten."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c):
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * (c - g), f), dphi(dc * (1 - f), g), dsigma(dh * a, o)


# %% mistake="coupled"
class Coupled(Equations):
    """Let minigrad derive it."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        return o * phi(c_new), c_new


# %% variant="coupled"
class Coupled(Equations):
    """i by name, and df in two steps."""

    states = ("h", "c")
    products = ("z_f z_g z_o = x W + h U + b",)

    def forward(z_f, z_g, z_o, c):
        f = sigma(z_f)
        i = 1 - f
        g = phi(z_g)
        o = sigma(z_o)
        c_new = f * c + i * g
        return o * phi(c_new), c_new

    def backward(dh, dc, f, i, g, o, c_new, c):
        a = phi(c_new)
        dc += dphi(dh * o, a)
        df = dc * c
        df -= dc * g
        return (dsigma(df, f), dphi(dc * i, g), dsigma(dh * a, o), f * dc)


# %% variant="coupled"
class Coupled(Equations):
    """A mixture, written as what is missing to c; other arguments, other letters, everything in one line."""

    states = "h", "c"
    products = "z_f z_g z_o = x A + h B + d"

    def forward(c, z_o, z_g, z_f):
        keep, new = sigma(z_f), phi(z_g)
        cell = new + keep * (c - new)
        shown_of_it = phi(cell)
        return sigma(z_o) * shown_of_it, cell

    def backward(dout, dcell, keep, new, shown_of_it, c, z_o):
        out = sigma(z_o)
        total = dcell + dphi(dout * out, shown_of_it)
        return (
            total * keep,
            dsigma(dout * shown_of_it, out),
            dphi(total - total * keep, new),
            dsigma(total * (c - new), keep),
        )


# %% [markdown]
# The check knows that $\sigma(-z) = 1 - \sigma(z)$: coupled gates are an LSTM with $z_i = -z_f$. Then `mg.testing.check_cell` compares your
# `backward` with one that is derived from your `forward`, argument by argument. At last your cell runs in a layer, and the gradient
# of its weights is held to that of an LSTM whose columns $i$ are those of $f$ with another sign.

# %% check="coupled" points=4
draw = np.random.default_rng(6)
z = dict(zip(("z_f", "z_g", "z_o", "c"), draw.normal(size=(4, 3, 5)), strict=True))
yours = ask(Coupled.forward, parts=("h_new", "c_new"), tensors=True, **z)
for name, mine, expected in zip(
    ("h_new", "c_new"), yours, LSTM.forward(z_i=-z["z_f"], **z), strict=True
):
    same(name, mine, expected)
check(
    Coupled.backward, "backward is missing. minigrad can derive it, but here it is yours."
)
of_backward = inspect.signature(Coupled.backward).parameters
gradients_of = [f"d{name}" for name in inspect.signature(Coupled.forward).parameters]
some = {name: mg.tensor(draw.normal(size=(3, 5))) for name in of_backward}
ask(Coupled.backward, parts=gradients_of, **some)
mg.testing.check_cell(Coupled)
print("backward: as derived from your forward")

own = mg.keras.layers.RNN(
    mg.keras.layers.EquationCell(Coupled, 4, dtype="float64"), dtype="float64"
)
twin = mg.keras.layers.LSTM(4, dtype="float64")
sequence = draw.normal(size=(2, 6, 3))
own.build(sequence.shape), twin.build(sequence.shape)
own.set_weights([draw.normal(size=w.shape) for w in own.get_weights()])
twin.set_weights([np.concatenate([-w[..., :4], w], -1) for w in own.get_weights()])
for layer in (own, twin):
    (layer(sequence) ** 2).sum().backward()
for name, mine, other in zip(
    ("dW", "dU", "db"), own.trainable_weights, twin.trainable_weights, strict=True
):
    i, f, *rest = np.split(other.grad.numpy(), 4, -1)
    same(f"{name} of a layer", mine.grad, np.concatenate([f - i, *rest], -1))
print(own.path)

# %% [markdown]
# ## The same layer elsewhere
#
# minigrad brings three backends: `numpy`; `numba`, whose loops are compiled for the processor; and `cupy`, for NVIDIA's cards. `mg.backends()` says
# which of them answer on your machine, and for the others what is missing. Those that answer have to agree:


# %%
def everywhere(units=16):
    """h_T of one LSTM on each backend that answers here."""
    found = {}
    for name, state in mg.backends().items():
        if state == "available":
            with mg.using(name):
                mg.random.seed(2)  # weights are drawn on the host: the same ones everywhere
                layer = mg.keras.layers.LSTM(units)
                h = layer(
                    np.random.default_rng(3).normal(size=(4, 20, 8)).astype(np.float32)
                )
                found[name] = h.numpy()
    return found


answers = everywhere()
agree = all(np.allclose(h, answers["numpy"], atol=1e-5) for h in answers.values())
print("all backends that answer here agree:", agree)

# %% [markdown]
# Ask for `list(answers)` to see who was there. With a backend other than `numpy` at hand, time `everywhere(units)` for several sizes (`%timeit`, once for warming up), and
# find the size from which it pays. On a graphics card, mind one thing more: **the way out**. To look at a number is to wait for
# the card and to copy. All of it goes through `to_numpy`, so it can be counted:

# %%
spy = Watching()
with mg.using(spy):
    net = mg.keras.Sequential([mg.keras.layers.LSTM(8), mg.keras.layers.Dense(1)])
    data, wanted = np.ones((4, 10, 3), np.float32), np.zeros((4, 1), np.float32)
    optimizer = mg.keras.optimizers.Adam(0.01)
    for _ in range(3):
        spy.seen.clear()
        loss = ((net(data) - wanted) ** 2).mean()
        gradients = mg.grad(loss, net.trainable_weights)
        optimizer.apply_gradients(zip(gradients, net.trainable_weights, strict=True))
    before = sum(name == "to_numpy" for name, _ in spy.seen)
    loss.item()
    after = sum(name == "to_numpy" for name, _ in spy.seen)
print(f"ways out in a training step: {before}; with a look at the loss: {after}")

# %% [markdown]
# ## To think about
#
# 1. `setitem` and `scatter_add` copy. Which op of the engine would break if they did not, and would a test notice at once?
# 2. A kernel computes the sigmoid a little differently, and its results differ by $10^{-7}$. Is it wrong? How would you decide?
# 3. The explicit loop saves products by waiting: $dW$ is computed after the loop. What does it have to keep for that?
# 4. Write a backend that computes in float16. Which lesson's checks would fail first?
# 5. Write other cells: a *minimal gated unit*, which has one gate, $h' = (1-f)\circ h + f\circ g$ with
#    $g = \varphi(xW_g + (f\circ h)\,U_g)$ (a product inside the step: see
#    [`gru_reset_before.py`](../minigrad/recurrent/gru_reset_before.py), and afterwards
#    [`mgu.py`](../minigrad/recurrent/mgu.py)); a GRU with peepholes, $\sigma(z + w\circ h)$, whose $w$ is one
#    more argument of `forward`. Of which sum is $dw$ made?
# 6. The LSTM of 1997 has no forget gate, $c' = c + i\circ g$, and a truncated gradient: its product reads `x W + stop(h) U + b`. Which of
#    the five ways of lesson 7 are left? `check_cell` lets it pass, `mg.testing.check_gradient` does not. Why are both right?
#
# ## Summary
#
# - A backend is a module with the protocol's functions. It knows nothing of minigrad, and no formula knows it.
# - The explicit loop asks for $2T + 4$ products, the tape for about $6T$. Multiplications are $4BTU(F+U)$ forward, and twice that back.
# - A call has a fixed price. Faster arithmetic pays where much of it comes with each call; a kernel makes the calls fewer.
# - A cell's equations are read once, as text. Array formulas, compiled loops and typeset mathematics are printed from the same lines.
# - All roads out lead through `to_numpy`, and a training step needs none.
#
# **In the source:** [`minigrad/engine/protocol.py`](../minigrad/engine/protocol.py) is the list,
# [`minigrad/engine/registry.py`](../minigrad/engine/registry.py) the one door,
# [`minigrad/testing/backends.py`](../minigrad/testing/backends.py) has `check_backend`,
# [`minigrad/recurrent/reader.py`](../minigrad/recurrent/reader.py) reads equations, and
# [`minigrad/recurrent/sequence.py`](../minigrad/recurrent/sequence.py) is where a kernel takes over. [Write a cell](../docs/cells.md) has
# all that equations may say.
