# %% [markdown]
# # 13 · Backends
#
# Where the arithmetic is done: write a backend in thirty lines, count the calls that a layer makes, and follow a cell from its equations to the loop that a compiler gets.
#
# **Minutes:** 75 · **Needs:** lessons 2, 6 and 7; Python modules
#
# After this lesson you can
#
# 1. say what an array library must offer so that a whole autograd engine runs on it, and write such a module;
# 2. predict the multiplications of a training step by a formula, and say for which sizes another backend can be faster;
# 3. write a recurrent cell as equations with its gradient, and say what is made of them for each backend.

# %%
import inspect
import re
import types
from contextlib import nullcontext

import numpy as np

import minigrad as mg
import minigrad_numpy
from lesson_tools import ask, check, line, picture, same, same_parts, table
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import REQUIRED
from minigrad.recurrent import Equations, dphi, dsigma, phi, sigma
from minigrad.recurrent.compiler import describe
from minigrad.show import shown

# %% [markdown]
# ## The formula
#
# In minigrad no formula imports NumPy. Each is a function of `xp`: the array library, which is passed as its first argument.


# %%
class Tanh(Op):
    """y = tanh x"""

    def forward(xp, x):
        return xp.tanh(x)

    def backward(xp, dy, y, x):
        return dy * (1 - y * y)


# %% [markdown]
# So any module that has the functions that the formulas call *is* a backend. It may compute on the processor or on a graphics card, or
# only count. The functions are listed in one place, the **protocol**:

# %%
print(len(REQUIRED), "functions:")
for k in range(0, len(REQUIRED), 10):
    print("  ", *REQUIRED[k : k + 10])

# %% [markdown]
# Nearly all of them are NumPy's, with the same names. Besides, the arrays must have Python's operators, and broadcast. NumPy lacks a
# few of the functions, or has them with other arguments:
#
# | function | result | shapes |
# |---|---|---|
# | `asarray(data, dtype=None, copy=False)` | an array of the backend | |
# | `to_numpy(x)` | a NumPy array, always a *copy* | of x |
# | `unstack(x, axis=0)` | the slices along an axis, a tuple: the inverse of `stack` | `(n, …)` → n of `(…)` |
# | `split(x, sections, axis=0)` | equal parts along an axis, a tuple | `(n, …)` → `(n / sections, …)` each |
# | `setitem(x, index, values)` | a *copy* of x, with values at the index | of x |
# | `scatter_add(x, index, values)` | a *copy* of x, values added; twice where an index occurs twice | of x |
#
# The last two make copies because arrays on the tape must not change before the backward pass has read them. And `scatter_add` is the
# gradient of indexing: think of the word that occurs twice in lesson 2.
#
# ## An example for paper
#
# An LSTM, batch $B = 1$, $T = 3$ steps, $F = 2$ features, $U = 2$ units. A product of $(n, k)$ and $(k, m)$ takes $nkm$
# multiplications. Forward, $x W$ for all steps in one product: $3\cdot 2\cdot 8 = 48$. Then a product $h\,U$ in each step: $3$ times
# $1\cdot 2\cdot 8 = 16$. Together $4$ products and $96$ multiplications.
#
# Backward: $dz\,U^\top$ in each step, and after the loop *one* product each for $dW$, $dU$ and $dx$. How many products are these, and how
# many multiplications? (Exercise 2 asks for the formula.)
#
# ## Exercise 1: a backend
#
# Write `my_backend()`. It returns a module. `with_numpys("mine")` makes one with all functions for which NumPy's or minigrad's can be used;
# you add the six of the table. (A function is added by `module.split = split`.)


# %%
YOURS = ("asarray", "to_numpy", "unstack", "split", "setitem", "scatter_add")
REDUCTIONS = ("sum", "prod", "max", "min", "all", "any")
FROM_MINIGRAD = (
    "erf",
    "zeros",
    "ones",
    "full",
    "arange",
)  # NumPy lacks erf, and its others make float64


def by_keyword(function):
    """A reduction whose axis and keepdims may also come by position."""
    return lambda x, axis=None, keepdims=False: function(x, axis=axis, keepdims=keepdims)


def with_numpys(name):
    """A module with all functions of the protocol, except the six that are yours."""
    module = types.ModuleType(name, "A backend.")
    module.name = name
    for function in REQUIRED:
        if function not in YOURS and hasattr(np, function):
            setattr(module, function, getattr(np, function))
    for function in REDUCTIONS:
        setattr(module, function, by_keyword(getattr(np, function)))
    for function in FROM_MINIGRAD:
        setattr(module, function, getattr(minigrad_numpy, function))
    module.take = lambda x, indices, axis=0: np.take(x, indices, axis)
    module.astype = lambda x, dtype: x.astype(dtype)
    module.is_array = lambda x: isinstance(x, (np.ndarray, np.generic))
    module.getitem = lambda x, index: x[index]
    return module


print("missing:", *(name for name in REQUIRED if not hasattr(with_numpys("mine"), name)))


# %% exercise="backend"
def my_backend():
    """A backend: `with_numpys("mine")`, and the six functions that it lacks."""
    ### BEGIN SOLUTION
    module = with_numpys("mine")

    def asarray(data, dtype=None, copy=False):
        return np.array(data, dtype=dtype) if copy else np.asarray(data, dtype=dtype)

    def to_numpy(x):
        return np.array(x)

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

    module.asarray, module.to_numpy, module.unstack = asarray, to_numpy, unstack
    module.split, module.setitem, module.scatter_add = split, setitem, scatter_add
    return module
    ### END SOLUTION


# %% [markdown] hint="backend"
# Which functions of NumPy do nearly the same? `np.array` copies, `np.asarray` does not. How do you get the slices along *any* axis, if a
# loop over an array gives those along the first one? And what does `y[index] += values` do if an index occurs twice (lesson 2)?

# %% [markdown] hint="backend"
# For `unstack`, bring the axis to the front with `np.moveaxis`, and make a tuple of the result. `split` is a tuple of `np.split`. For the
# last two, copy $x$ first, change the copy and return it; `np.add.at(copy, index, values)` adds twice where an index occurs twice.


# %% mistake="backend"
# An index that occurs twice gets one of its two values only. It is the gradient of a word that occurs twice.
def my_backend():
    """One addition for an index that occurs twice."""
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
# Another operation on the tape may still need the old numbers: change a copy, and return it.
def my_backend():
    """A setitem that writes into x itself."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "unstack", "split", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))

    def setitem(x, index, values):
        x[index] = values
        return x

    module.setitem = setitem
    return module


# %% mistake="backend"
# These are the slices along the first axis, for every value of `axis`.
def my_backend():
    """Slices along the first axis."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "setitem", "split", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))
    module.unstack = lambda x, axis=0: tuple(x)
    return module


# %% mistake="backend"
# These are the parts along the first axis: np.split has an argument axis, too.
def my_backend():
    """A split along the first axis."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "unstack", "setitem", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))
    module.split = lambda x, sections, axis=0: tuple(np.split(x, sections))
    return module


# %% mistake="backend"
# np.asarray copies only if it has to. A caller who changes the result would change the backend's array.
def my_backend():
    """The array itself in the place of a copy."""
    module = with_numpys("mine")
    for name in ("asarray", "unstack", "split", "setitem", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))
    module.to_numpy = np.asarray
    return module


# %% mistake="backend"
# The argument dtype is not used.
def my_backend():
    """An asarray without dtype."""
    module = with_numpys("mine")
    for name in ("to_numpy", "unstack", "split", "setitem", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))
    module.asarray = lambda data, dtype=None, copy=False: np.array(data)
    return module


# %% mistake="backend"
# Add to a copy of x. Yours adds to zeros.
def my_backend():
    """A scatter_add that loses x."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "unstack", "split", "setitem"):
        setattr(module, name, getattr(minigrad_numpy, name))

    def scatter_add(x, index, values):
        y = np.zeros_like(x)
        np.add.at(y, index, values)
        return y

    module.scatter_add = scatter_add
    return module


# %% mistake="backend"
# unstack removes the axis: each slice has one axis less than x. split keeps it.
def my_backend():
    """An unstack that keeps the axis."""
    module = with_numpys("mine")
    for name in ("asarray", "to_numpy", "split", "setitem", "scatter_add"):
        setattr(module, name, getattr(minigrad_numpy, name))
    module.unstack = lambda x, axis=0: tuple(np.split(x, x.shape[axis], axis))
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


# %% [markdown]
# The check tries each of your six functions; then `check_backend`, which tries every function of the protocol; and at last an LSTM with
# its backward pass.


# %% check="backend" points=3
def check_the_six(module):
    """Compare each of the six functions with the numbers that it should return."""
    square = np.random.default_rng(1).normal(size=(3, 3))
    rows, columns = tuple(square), tuple(square.T)
    for name, asked in (("asarray", square.tolist()), ("to_numpy", square)):
        same(f"{name}: the array", ask(getattr(module, name), asked, called=name), square)
    single = ask(module.asarray, square, dtype="float32", called="asarray")
    kind = getattr(single, "dtype", None)
    check(
        kind == np.float32,
        f'asarray(…, dtype="float32") should have this dtype; yours has {kind}.',
    )
    ask(module.asarray, square, copy=True, called="asarray")
    for name, copy in (
        ("asarray(x, copy=True)", module.asarray(square, copy=True)),
        ("to_numpy(x)", module.to_numpy(square)),
    ):
        check(
            not np.shares_memory(copy, square),
            f"{name} should return a copy; yours is x itself.",
        )
    three = ("slice 0", "slice 1", "slice 2")
    for axis, expected in ((0, rows), (1, columns)):
        yours = ask(module.unstack, square, axis=axis, parts=three, called="unstack")
        names = [f"unstack, axis {axis}: {part}" for part in three]
        same_parts(names, yours, expected)
    for axis, expected in ((0, rows), (1, columns)):
        yours = ask(module.split, square, 3, axis=axis, parts=three, called="split")
        wanted = [np.expand_dims(part, axis) for part in expected]
        same_parts([f"split, axis {axis}: {part}" for part in three], yours, wanted)
    x, index, values = np.zeros(4), np.array([0, 2, 0]), np.array([1.0, 10.0, 100.0])
    keep = {"unchanged": True, "shape": (4,)}
    yours = ask(module.setitem, x, index[:2], values[:2], called="setitem", **keep)
    same("setitem, index [0, 2]", yours, [1, 0, 10, 0], axes="index")
    yours = ask(module.scatter_add, x + 1, index, values, called="scatter_add", **keep)
    same("scatter_add, index [0, 2, 0]", yours, [102, 1, 11, 1], axes="index")


def lstm_gradients(backend):
    """The output and the gradients of an LSTM of 4 units on a backend, as NumPy arrays."""
    with mg.using(backend):
        mg.random.seed(1)
        layer = mg.keras.layers.LSTM(4, dtype="float64")
        x = mg.tensor(np.random.default_rng(0).normal(size=(2, 6, 3)), requires_grad=True)
        y = layer(x)
        (y * y).sum().backward()
        gradients = [w.grad for w in layer.trainable_weights]
        return [one.numpy() for one in (y, x.grad, *gradients)]


mine = ask(my_backend)
missing = [name for name in YOURS if not callable(getattr(mine, name, None))]
says = f"my_backend should return a module with the functions {', '.join(YOURS)}"
check(not missing, f"{says}; in yours there is no {', no '.join(missing)}.")
check_the_six(mine)
try:
    mg.testing.check_backend(mine)
except mg.errors.BackendContractError as error:
    check(False, " ".join(str(error).split()))
names = [f"{name} of an LSTM" for name in ("h_T", "dx", "dW", "dU", "db")]
same_parts(names, lstm_gradients(mine), lstm_gradients("numpy"))

# %% [markdown]
# That was all: an LSTM and its backward pass now run on a module that minigrad did not know before. In a separate package, the module would
# be named under the entry-point group `minigrad.backends`, and `mg.use("mine")` would find it.
#
# ## A backend that counts
#
# A backend need not be faster. It may *watch*: each of its functions notes its name, and then does the same as NumPy's backend. (Here it
# is an object of a class; a backend is anything that has functions of the right names.)


# %%
class Watching(types.ModuleType):
    """NumPy's backend without its kernels; it notes the name of each call, and the shapes of each product."""

    name = "watching"

    def __init__(self):
        super().__init__("watching")
        self.seen = []

    def __getattr__(self, name):  # Python calls it for each name that is not found
        if name not in REQUIRED:
            raise AttributeError(name)

        def watched_function(*args, **kwargs):
            shapes = [a.shape for a in args] if name == "matmul" else None
            self.seen.append((name, shapes))
            return getattr(minigrad_numpy, name)(*args, **kwargs)

        return watched_function


def watched(B, T, F, U, on_tape=False):
    """The calls of an LSTM, forward and backward: two lists of (name, shapes)."""
    backend = Watching()
    layer = mg.keras.layers.LSTM(U)
    way = nullcontext()  # it changes nothing
    if on_tape:
        way = mg.testing.on_tape(layer)
    with mg.using(backend), way:
        layer.build((B, T, F))
        x = mg.tensor(np.ones((B, T, F), np.float32), requires_grad=True)
        backend.seen.clear()
        y = layer(x).sum()
        forward = list(backend.seen)
        y.backward()
        backward = backend.seen[len(forward) :]
    return forward, backward


# %% [markdown]
# ## What a layer asks for
#
# The same LSTM, 8 units, 10 steps, in two ways. By default it is one node on the tape, with the explicit loop of lesson 7 inside. Within
# `mg.testing.on_tape(layer)` each operation of each step is written onto the tape, which finds the gradient without such a loop. The calls
# of both:

# %%
asked = {
    "explicit loop": watched(4, 10, 3, 8),
    "tape, op by op": watched(4, 10, 3, 8, on_tape=True),
}
rows = []
for name, (forward, backward) in asked.items():
    products = [sum(call == "matmul" for call, _ in part) for part in (forward, backward)]
    rows.append([name, len(forward), len(backward), *products])
calls, products = (
    ("calls forward", "calls backward"),
    ("products forward", "products backward"),
)
table(["10 steps", *calls, *products], rows)


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
# The products explain the difference. Forward, the explicit loop makes $T + 1$ of them: all $x_t W$ in one, then one $h_{t-1}U$ in each
# step. Backward it makes $T + 3$: one $dz_t U^\top$ in each step, and *one* each for $dW$, $dU$ and $dx$ after the loop. The tape has no
# rule for loops. It makes two products in each step forward, and four in each step backward (except the first step, where $h_0$ needs no
# gradient).
#
# ## Exercise 2: multiplications
#
# Each call has a cost, and each multiplication. Write `multiplications(B, T, F, U)`: two numbers, the multiplications of all products
# of an LSTM forward and backward, for the explicit loop, including those for $dx$. Backward, count $dz_tU^\top$ for every step.


# %% exercise="multiplications"
def multiplications(B, T, F, U):
    """(forward, backward)."""
    ### BEGIN SOLUTION
    forward = B * T * (F + U) * 4 * U
    return forward, 2 * forward
    ### END SOLUTION


# %% [markdown] hint="multiplications"
# What are the shapes of the two factors of each product? A product of $(n, k)$ and $(k, m)$ takes $nkm$ multiplications. $x$ of all steps
# has $BT$ rows; $z$ has $4U$ columns.

# %% [markdown] hint="multiplications"
# Forward, $xW$ takes $BT\cdot F\cdot 4U$, and the $T$ products $hU$ take $T\cdot B\cdot U\cdot 4U$. Backward, $dx$ and $dW$ take as much as
# $xW$, each of them; the $dz_tU^\top$ together, and $dU$, take as much as all $hU$.


# %% mistake="multiplications"
# Backward there are two products for each one forward: a gradient for each of its two factors.
def multiplications(B, T, F, U):
    """As much backward as forward."""
    return B * T * (F + U) * 4 * U, B * T * (F + U) * 4 * U


# %% mistake="multiplications"
# That is one gate. W and U have 4 U columns.
def multiplications(B, T, F, U):
    """One gate only."""
    return B * T * (F + U) * U, 2 * B * T * (F + U) * U


# %% mistake="multiplications"
# The product h U is counted once. There is one in each step.
def multiplications(B, T, F, U):
    """One step of h U."""
    forward = B * T * F * 4 * U + B * U * 4 * U
    return forward, 2 * forward


# %% mistake="multiplications"
# That is one row. Each product has B rows.
def multiplications(B, T, F, U):
    """Without the batch."""
    forward = T * (F + U) * 4 * U
    return forward, 2 * forward


# %% mistake="multiplications"
# Forward is right. Backward one of the products with F is missing: those for dW and for dx.
def multiplications(B, T, F, U):
    """Without dx."""
    forward = B * T * (F + U) * 4 * U
    return forward, 2 * forward - B * T * F * 4 * U


# %% mistake="multiplications"
# These are the numbers of products, T + 1 and T + 3. Each product has many multiplications.
def multiplications(B, T, F, U):
    """Products in the place of multiplications."""
    return T + 1, T + 3


# %% mistake="multiplications"
# Backward, dz Uᵀ is made for every step, also for the first one: count T of them.
def multiplications(B, T, F, U):
    """Without the first step."""
    forward = B * T * (F + U) * 4 * U
    return forward, 2 * forward - B * U * 4 * U


# %% mistake="multiplications"
# Backward is in yours three times forward: that is a whole training step. The backward pass alone is asked for.
def multiplications(B, T, F, U):
    """Forward and backward together."""
    forward = B * T * (F + U) * 4 * U
    return forward, 3 * forward


# %% mistake="multiplications"
# x W and h U are two products. Their multiplications add up: F + U, not F times U.
def multiplications(B, T, F, U):
    """F times U."""
    forward = B * T * F * U * 4 * U
    return forward, 2 * forward


# %% mistake="multiplications"
# These are multiplications and additions together. Here the multiplications alone are counted.
def multiplications(B, T, F, U):
    """Operations in the place of multiplications."""
    forward = B * T * (F + U) * 4 * U
    return 2 * forward, 4 * forward


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


# %% [markdown]
# The check counts the multiplications that an LSTM makes on the watching backend, for three nets.


# %% check="multiplications" points=2
def shares(calls, part, F, U):
    """The multiplications of the products among the calls, for each kind of product."""
    found = {}
    for call, shapes in calls:
        if call == "matmul":
            first, second = shapes
            if part == "forward":
                kind = {F: "x W", U: "h U"}[second[0]]
            else:
                of_weights = {F: "dW (or dx)", U: "dU (or dz Uᵀ)"}.get(first[0])
                kind = {F: "dx (or dW)", U: "dz Uᵀ (or dU)", 4 * U: of_weights}[second[1]]
            found[kind] = found.get(kind, 0) + first[0] * first[1] * second[1]
    return found


parts = ("forward", "backward")
for sizes in ((5, 10, 3, 8), (2, 7, 5, 6), (1, 3, 2, 2)):
    yours = ask(multiplications, *sizes, parts=parts, shape=((), ()))
    for part, number, calls in zip(parts, yours, watched(*sizes), strict=True):
        terms = shares(calls, part, *sizes[2:])
        same(f"{part} for (B, T, F, U) = {sizes}", number, sum(terms.values()), terms=terms)

# %% [markdown]
# ## When is another backend faster?
#
# Each call has a fixed cost before anything is computed: about a microsecond for NumPy, several for a graphics card, to which the task
# has to be sent. Compare this with the time of the multiplications: a processor core does about $10^{10}$ of them in a second, a large card
# about $10^{13}$. So the important number is **how many multiplications come with each call**:


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
# Below a line the fixed cost is the larger part, and faster arithmetic changes almost nothing. (The lines are rough; measure on your machine.)
# There are two remedies:
#
# - **more work in each call**: larger batches, larger nets;
# - **fewer calls**: a **kernel**, one call for a whole sequence. A backend may have a function `compile`, which makes a kernel from a
#   cell's equations. Its numbers must be those of the formulas. The attribute `path` of a layer says which of the two it has used.

# %%
for name, backend in (("numpy", minigrad_numpy), ("watching", Watching())):
    with mg.using(backend):
        layer = mg.keras.layers.LSTM(8)
        layer(np.ones((4, 10, 3), np.float32))
    print(f"{name}: {layer.path}")

# %% [markdown]
# ## From the equation to the machine
#
# Where do the formulas come from, and the kernels? In minigrad a cell is a class of equations. Below is the LSTM of lessons 6 and 7, as it
# is written in [`lstm.py`](../minigrad/recurrent/lstm.py). `products` says which products a step makes. `forward` is the rest, number by
# number. `backward` gets the gradients of the new states, and by name any value that `forward` has computed. It returns one gradient for each
# argument of `forward`. `dsigma(dy, y)` is $dy\circ y\circ(1-y)$ of lesson 7, or the rule of another activation.


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
# These lines are *read*, as text, before any of them runs. They have no loop and no branch, so a short program can understand them. It
# finds out which values to cache: those that `backward` asks for; the old states are cached in any case. Then the lines are *printed*, once
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
# (`dc_2` is the second value of `dc`: each name has one value.) The one in the middle is what the watching backend has run: about fourteen
# calls of the array library in each step. The last one needs no array library. Put such lines into a loop over steps, rows and units, let a
# compiler translate it, and a whole sequence is *one* call. The function `compile` of a backend does this.
#
# Add `"numba"` to `FORMS` if Numba is installed, and `"cuda"` in any case: to print a kernel needs no graphics card. The same two lines
# are there inside a loop for the processor, or in a kernel, where each thread computes one unit of one row. In a shell,
# `python -m minigrad show lstm --as numba` prints all of it.
#
# An activation that mixes the units, such as softmax, does not fit into a loop over single numbers. Then the formulas of arrays run.
#
# ## Exercise 3: a cell of your own
#
# The LSTM chooses two numbers: how much to keep, and how much to let in. *Coupled gates* choose one. Where the old value is removed, the
# new one comes in, $i = 1 - f$, and a quarter of the weights is not needed:
#
# $$c_\text{new} = f\circ c + (1-f)\circ g .$$
#
# Write `forward` and, by hand, `backward`. It returns four gradients, in the order of `forward`'s arguments; you may change its own
# arguments after `dc`. (On paper first: in how many terms of $c_\text{new}$ is $f$?) `EquationCell(Coupled, units)` then makes a cell
# of it, with weights $W$, $U$, $b$, which a layer takes like any other.


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


# %% [markdown] hint="coupled"
# `forward` is that of the LSTM above, with another factor in the place of $i$. In `backward`, go through the lines of `forward` from the last to the
# first: which terms read $f$, and with which sign?

# %% [markdown] hint="coupled"
# $do$ and the sum $dc$ are as in the LSTM. $f$ is in two terms, so $df = dc\circ c - dc\circ g$; and $dg = dc\circ(1-f)$. Return
# $dz_f$, $dz_g$, $dz_o$ (by `dsigma`, `dphi`, `dsigma`) and $dc\circ f$.


# %% mistake="coupled"
# f is in two terms of c_new, f c and (1 − f) g. In your df there is only the first one.
class Coupled(Equations):
    """One of the two terms of df."""

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
# df has two terms, with opposite signs: f multiplies c, and 1 − f multiplies g.
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
# The new value is multiplied by f. With coupled gates it is 1 − f.
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
# dc has two parts: h_new depends on c_new as well. Complete the sum before you use it.
class Coupled(Equations):
    """An incomplete dc."""

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
# dsigma and dphi need the output of the activation, f and g, not its input z.
class Coupled(Equations):
    """Slopes at z."""

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
# forward has four arguments, so backward returns four gradients: the last one is that of the old c.
class Coupled(Equations):
    """Three gradients."""

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
# minigrad can derive the gradient from forward. Here it is yours to write.
class Coupled(Equations):
    """Let minigrad derive it."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        return o * phi(c_new), c_new


# %% mistake="coupled"
# The gradient of the old c is the whole dc. Only the part f of c is kept.
class Coupled(Equations):
    """The old c without the forget gate."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c):
        dc = dc + dphi(dh * o, a)
        return dsigma(dc * (c - g), f), dphi(dc * (1 - f), g), dsigma(dh * a, o), dc


# %% mistake="coupled"
# dz_f and dz_g are exchanged: the gradients have the order of the arguments of forward.
class Coupled(Equations):
    """Gradients in another order."""

    states = "h", "c"
    products = "z_f z_g z_o = x W + h U + b"

    def forward(z_f, z_g, z_o, c):
        f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
        c_new = f * c + (1 - f) * g
        a = phi(c_new)
        return o * a, c_new

    def backward(dh, dc, f, g, o, a, c):
        dc = dc + dphi(dh * o, a)
        return dphi(dc * (1 - f), g), dsigma(dc * (c - g), f), dsigma(dh * a, o), dc * f


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
# The check knows that $\sigma(-z) = 1 - \sigma(z)$: with coupled gates an LSTM has $z_i = -z_f$. First it compares your `forward` with such an
# LSTM. Then it compares the gradients of your `backward` with those that minigrad derives from your `forward`. At last your cell runs in a
# layer, and the gradients of its weights are compared with those of the LSTM.

# %% check="coupled" points=4
draw = np.random.default_rng(6)
z = dict(zip(("z_f", "z_g", "z_o", "c"), draw.normal(size=(4, 3, 5)), strict=True))
new_states = ("h_new", "c_new")
yours = ask(Coupled.forward, parts=new_states, tensors=True, called="forward", **z)
same_parts(new_states[::-1], yours[::-1], LSTM.forward(z_i=-z["z_f"], **z)[::-1])
is_there = Coupled.backward is not None
check(is_there, "backward is missing. minigrad can derive it, but here it is yours.")
arguments = list(inspect.signature(Coupled.forward).parameters)
of_backward = inspect.signature(Coupled.backward).parameters
some = {name: mg.tensor(draw.normal(size=(3, 5))) for name in of_backward}
gradients_of = [f"the gradient of {name}" for name in arguments]
ask(Coupled.backward, parts=gradients_of, called="backward", **some)


class Derived(Coupled):
    """Your forward, with the gradient that minigrad derives from it."""

    backward = None


def gradients_of_a_step(equations):
    """The gradients of z_f, z_g, z_o and the old c in one step of one row."""
    draw = np.random.default_rng(7)
    cell = mg.keras.layers.EquationCell(equations, 5, dtype="float64")
    cell.build((None, 2))
    cell.set_weights([draw.normal(size=w.shape) for w in cell.get_weights()])
    x, h, c = (mg.tensor(draw.normal(size=(1, n)), requires_grad=True) for n in (2, 5, 5))
    _, states = cell(x, [h, c])
    loss = sum((state * draw.normal(size=5)).sum() for state in states)
    db, dc = mg.grad(loss, [cell.trainable_weights[-1], c])
    return (*np.split(db.numpy(), 3), dc.numpy()[0])  # one row: db is dz


names = ("dz_f", "dz_g", "dz_o", "dc")
try:
    yours, derived = gradients_of_a_step(Coupled), gradients_of_a_step(Derived)
except mg.errors.MinigradError as error:
    # a message on an equation names the file of its cell, which has no meaning here
    check(False, re.sub(r", line \d+ of .*?: ", ": ", " ".join(str(error).split())))
same_parts(names, yours, derived, axes=dict.fromkeys(names, "unit"))

own = mg.keras.layers.RNN(
    mg.keras.layers.EquationCell(Coupled, 4, dtype="float64"), dtype="float64"
)
twin = mg.keras.layers.LSTM(4, dtype="float64")
sequence = draw.normal(size=(2, 6, 3))
own.build(sequence.shape)
twin.build(sequence.shape)
own.set_weights([draw.normal(size=w.shape) for w in own.get_weights()])
twin.set_weights([np.concatenate([-w[..., :4], w], axis=-1) for w in own.get_weights()])
for layer in (own, twin):
    (layer(sequence) ** 2).sum().backward()
expected = []
for weight in twin.trainable_weights:
    i, f, g, o = np.split(weight.grad.numpy(), 4, axis=-1)
    expected.append(np.concatenate([f - i, g, o], axis=-1))
names = [f"{name} of a layer" for name in ("dW", "dU", "db")]
same_parts(names, [weight.grad for weight in own.trainable_weights], expected)
print(own.path)

# %% [markdown]
# ## The same layer elsewhere
#
# minigrad has three backends: `numpy`; `numba`, whose loops are compiled for the processor; and `cupy`, for NVIDIA's cards. `mg.backends()`
# says which of them work on your machine, and for the others which part is missing. Those that work have to agree:


# %%
def everywhere(units=16):
    """h_T of one LSTM on each backend that works here."""
    x = np.random.default_rng(3).normal(size=(4, 20, 8)).astype(np.float32)
    found = {}
    for name, state in mg.backends().items():
        if state == "available":
            with mg.using(name):
                mg.random.seed(2)  # weights are drawn by NumPy: the same for every backend
                found[name] = mg.keras.layers.LSTM(units)(x).numpy()
    return found


answers = everywhere()
agree = all(np.allclose(h, answers["numpy"], atol=1e-5) for h in answers.values())
print("all backends that work here agree:", agree)

# %% [markdown]
# `list(answers)` says which these are. If there is another one than `numpy`, time `everywhere(units)` for several sizes (`%timeit`, after one
# call for warming up), and find the size from which it is faster. On a graphics card, note one more thing: to look at a number, the program
# has to wait for the card and to copy. Each such copy goes through `to_numpy`, so it can be counted:

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
print(f"copies to NumPy in a training step: {before}; with a look at the loss: {after}")

# %% [markdown]
# ## To think about
#
# 1. `setitem` and `scatter_add` copy. Which op of the engine would break if they did not, and would a test notice at once?
# 2. A kernel computes the sigmoid a little differently, and its results differ by $10^{-7}$. Is it wrong? How would you decide?
# 3. The explicit loop makes fewer products because it is waiting: $dW$ is computed after the loop. What does it have to keep for that?
# 4. Write a backend that computes in float16. Which lesson's checks would fail first?
# 5. Write other cells: a *minimal gated unit*, which has one gate, $h' = (1-f)\circ h + f\circ g$ with
#    $g = \varphi(xW_g + (f\circ h)\,U_g)$ (a product inside the step: see
#    [`gru_reset_before.py`](../minigrad/recurrent/gru_reset_before.py), and afterwards
#    [`mgu.py`](../minigrad/recurrent/mgu.py)); a GRU with peepholes, $\sigma(z + w\circ h)$, whose $w$ is one
#    more argument of `forward`. Which sum is $dw$?
# 6. The LSTM of 1997 has no forget gate, $c' = c + i\circ g$, and a truncated gradient: its product reads `x W + stop(h) U + b`. Which of
#    the five paths of lesson 7 are left? `check_cell` accepts it, `mg.testing.check_gradient` does not. Why are both right?
#
# ## Summary
#
# - A backend is a module with the protocol's functions. It does not depend on minigrad, and no formula depends on it.
# - The explicit loop makes $2T + 4$ products, the tape about $6T$. The multiplications are $4BTU(F+U)$ forward, and twice that backward.
# - A call has a fixed cost. Faster arithmetic helps where much of it comes with each call; a kernel makes the calls fewer.
# - A cell's equations are read once, as text. Array formulas, compiled loops and typeset mathematics are printed from the same lines.
# - Every copy to NumPy goes through `to_numpy`, and a training step needs none.
#
# **In the source:** [`minigrad/engine/protocol.py`](../minigrad/engine/protocol.py) is the list,
# [`minigrad/engine/registry.py`](../minigrad/engine/registry.py) finds a backend by its name,
# [`minigrad/testing/backends.py`](../minigrad/testing/backends.py) has `check_backend`,
# [`minigrad/recurrent/reader.py`](../minigrad/recurrent/reader.py) reads equations, and
# [`minigrad/recurrent/sequence.py`](../minigrad/recurrent/sequence.py) uses a kernel where there is one. [Write a cell](../docs/cells.md) lists
# all that equations may contain.
