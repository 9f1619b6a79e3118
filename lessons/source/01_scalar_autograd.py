# %% [markdown]
# # 1 · The chain rule as a program
#
# Scalar autograd: local derivatives, the order in which to combine them, and why the order matters.
#
# **Minutes:** 60 · **Needs:** Python functions and classes; the chain rule of calculus
#
# After this lesson you can
#
# 1. write the derivative of an operation as a *local* fact, and combine such facts into the gradient of any expression;
# 2. show by a counter-example why a node must wait for everything that reads it;
# 3. write a scalar autograd in forty lines whose numbers agree with minigrad's tape, on chains of any length.

# %%
import math
import random

import minigrad as mg
from lesson_tools import ask, attempt, check, line, picture, same, scaled, table

# %% [markdown]
# ## The formula
#
# We write $dx$ for $\partial L/\partial x$: how much the loss $L$ changes when $x$ changes by a little. All lessons write
# it so. Let $y_1, y_2, \dots$ be all the quantities that are computed *directly* from $x$. A small change of $x$ changes
# each of them, and through each of them the loss. So
#
# $$dx \;=\; \sum_{k} dy_k\,\frac{\partial y_k}{\partial x}, \qquad dL = 1 .$$
#
# That is all of backpropagation. Note two things:
#
# - $\partial y_k/\partial x$ is **local**. It depends on one operation and its inputs, and on nothing else.
# - The sum is over **all readers** of $x$. As long as one of them is missing, $dx$ is not known.
#
# ## An example for paper
#
# Take $a = 2,\; b = -3$ and compute, in this order, $c = a\,b$, then $d = c + a$, then $L = d^2$. Forward:
# $c = -6,\ d = -4,\ L = 16$. Now backwards, one line for each quantity, from the last to the first:
#
# | quantity | read by | $dx$ |
# |---|---|---|
# | $L$ | – | $1$ |
# | $d$ | $L = d^2$ | $1\cdot 2d = -8$ |
# | $c$ | $d = c + a$ | $-8\cdot 1 = -8$ |
# | $b$ | $c = a\,b$ | $-8\cdot a = -16$ |
# | $a$ | $d = c + a$ **and** $c = a\,b$ | $-8\cdot 1 + (-8)\cdot b = 16$ |
#
# Do this once with a pencil before you continue. minigrad agrees:

# %%
a = mg.tensor(2.0, requires_grad=True)
b = mg.tensor(-3.0, requires_grad=True)
c = a * b
d = c + a
L = d * d
L.backward()
print("L  =", L.item())
print("da =", a.grad.item())
print("db =", b.grad.item())


# %%
def draw_graph(ax):
    places = {"a": (0, 1), "b": (0, 0), "c": (1.2, 0), "d": (2.4, 0.5), "L": (3.6, 0.5)}
    says = {"a": "a = 2\nda = 16", "b": "b = −3\ndb = −16", "c": "c = a b = −6\ndc = −8"}
    says |= {"d": "d = c + a = −4\ndd = −8", "L": "L = d² = 16\ndL = 1"}
    arrows = [
        ("a", "c", "×b"),
        ("b", "c", "×a"),
        ("c", "d", "×1"),
        ("a", "d", "×1"),
        ("d", "L", "×2d"),
    ]
    boxes = {}
    for name, (x, y) in places.items():
        box = {"boxstyle": "round", "fc": "white", "ec": line(0)["color"]}
        boxes[name] = ax.text(
            x, y, says[name], ha="center", va="center", bbox=box
        ).get_bbox_patch()
    for source, target, partial in arrows:
        (x0, y0), (x1, y1) = places[source], places[target]
        ends = {
            "patchA": boxes[source],
            "patchB": boxes[target],
            "shrinkA": 3,
            "shrinkB": 3,
        }
        ax.annotate(
            "", (x1, y1), (x0, y0), arrowprops={"arrowstyle": "->", "color": "0.3", **ends}
        )
        ax.text(
            (x0 + x1) / 2,
            (y0 + y1) / 2 + 0.06,
            partial,
            ha="center",
            color=line(1)["color"],
        )
    ax.set(xlim=(-0.5, 4.1), ylim=(-0.35, 1.35))
    ax.axis("off")


picture(
    draw_graph,
    alt="The graph of the example, from left to right: a and b lead to c, c and a lead to "
    "d, d leads to L. Each box holds a value and its gradient: a = 2 and 16, b = −3 "
    "and −16, c = −6 and −8, d = −4 and −8, L = 16 and 1. Each arrow carries its "
    "local derivative: b and a into c, 1 and 1 into d, 2d into L.",
    size=(7.5, 2.8),
)

# %% [markdown]
# ## A number that remembers
#
# To follow the arrows backwards, a number must know from which numbers it was computed. This class holds what the
# formula needs: the number itself, its `inputs`, and the `partials`, one local derivative for each input. `grad` is
# the place for the gradient.


# %%
class Value:
    """A number that remembers what it was computed from."""

    def __init__(self, data, inputs=(), partials=()):
        self.data = float(data)
        self.inputs = tuple(inputs)  # Values
        self.partials = tuple(partials)  # ∂self/∂input, one float for each
        self.grad = 0.0

    def __repr__(self):
        return f"Value({self.data:.4g})"


# %% [markdown]
# ## Exercise 1: local derivatives
#
# Write three operations. Each returns a new `Value` with its inputs and partials; the loss plays no part yet.
# Remember that $\tanh' x = 1 - \tanh^2 x$.


# %% exercise="local_rules"
def add(x, y):
    """x + y"""
    ### BEGIN SOLUTION
    return Value(x.data + y.data, (x, y), (1.0, 1.0))
    ### END SOLUTION


def mul(x, y):
    """x y"""
    ### BEGIN SOLUTION
    return Value(x.data * y.data, (x, y), (y.data, x.data))
    ### END SOLUTION


def tanh(x):
    """tanh x"""
    ### BEGIN SOLUTION
    t = math.tanh(x.data)
    return Value(t, (x,), (1.0 - t * t,))
    ### END SOLUTION


# %% [markdown] hint="local_rules"
# Let only $x$ grow by a little. By how many times as much does $x + y$ grow? And $x\,y$?

# %% [markdown] hint="local_rules"
# The partials of `add` are 1 and 1, those of `mul` are $y$ and $x$, in this order. For `tanh`,
# compute $t = \tanh x$ once; the partial is $1 - t^2$.


# %% mistake="local_rules"
# The two partials of mul are exchanged: if x grows by a little, x y grows by y times as
# much.
def mul(x, y):
    return Value(x.data * y.data, (x, y), (x.data, y.data))


# %% mistake="local_rules"
# tanh′ needs the square of the output, tanh x. Yours takes the square of the input x.
def mul(x, y):
    return Value(x.data * y.data, (x, y), (y.data, x.data))


def tanh(x):
    return Value(math.tanh(x.data), (x,), (1.0 - x.data**2,))


# %% variant="local_rules"
def add(x, y):
    """Lists, and whole numbers."""
    return Value(y.data + x.data, [x, y], [1, 1])


def mul(x, y):
    return Value(y.data * x.data, [x, y], [y.data, x.data])


def tanh(x):
    e = math.exp(-2 * x.data)
    return Value((1 - e) / (1 + e), [x], [4 * e / (1 + e) ** 2])


# %% [markdown]
# The check has no stored answers. It changes each input by $\pm\varepsilon$ and calls your own function again.

# %% check="local_rules" points=2
for operation, numbers in ((add, (2.0, -3.0)), (mul, (2.0, -3.0)), (tanh, (0.7,))):
    name = operation.__name__
    y = ask(operation, *map(Value, numbers))
    check(isinstance(y, Value), f"{name} should return a Value, and returned {y!r}.")
    check(
        len(y.inputs) == len(y.partials) == len(numbers),
        f"{name}: one input and one partial for each argument.",
    )
    for k in range(len(numbers)):
        more, less = list(numbers), list(numbers)
        more[k] += 1e-5
        less[k] -= 1e-5
        rise = operation(*map(Value, more)).data - operation(*map(Value, less)).data
        same(f"∂{name}{numbers}/∂(input {k})", y.partials[k], rise / 2e-5, rtol=1e-6)

# %% [markdown]
# ## The order matters
#
# Now the sum over all readers. The first idea is a recursion: give each input its share, then do the same for each
# input.
#
# ```
# def wrong(y):
#     for x, partial in zip(y.inputs, y.partials):
#         x.grad += y.grad * partial
#     for x in y.inputs:
#         wrong(x)
# ```
#
# It looks right, and for many expressions it is. Here is the smallest one for which it fails: $a = 1,\ b = a + a,\ c = b + b$.
# Since $c = 4a$, we want $da = 4$. But $c$ reads $b$ *twice*, so the recursion calls `wrong(b)` twice, and each time $b$
# passes on all that it has received so far:


# %%
def wrong(y):
    for x, partial in zip(y.inputs, y.partials, strict=True):
        x.grad += y.grad * partial
    for x in y.inputs:
        wrong(x)


def doubled_twice():
    """a and c, where b = a + a and c = b + b."""
    a = Value(1.0)
    b = Value(2.0, (a, a), (1.0, 1.0))
    return a, Value(4.0, (b, b), (1.0, 1.0))


a, c = doubled_twice()
c.grad = 1.0
wrong(c)
print("da should be 4, and is", a.grad)

# %% [markdown]
# One repair is to pass on each *contribution* alone instead of the sum so far. Then the program follows every path from
# $c$ to $a$ once, and the answer is right. But how many paths are there? If a number is added to itself $n$ times,
# $x \leftarrow x + x$, there are $2^n$. Let us count:


# %%
def visits(n, by_paths):
    """Number of nodes that a backward pass through n doublings visits."""
    if not by_paths or n == 0:
        return n + 1
    return 1 + 2 * visits(n - 1, by_paths)


doublings = range(0, 19, 2)


# %%
def draw_visits(ax):
    ax.semilogy(
        doublings,
        [visits(n, True) for n in doublings],
        label="every path separately",
        **line(1, marker=True),
    )
    ax.semilogy(
        doublings,
        [visits(n, False) for n in doublings],
        label="every node once, in order",
        **line(0, marker=True),
    )
    ax.set(xlabel="doublings n", ylabel="nodes visited backwards", xticks=doublings)
    ax.legend()


picture(
    draw_visits,
    alt="Nodes visited backwards against the number of doublings n from 0 to 18, on "
    "a logarithmic axis. Every path separately is a straight line that climbs to "
    "about 500,000 visits; every node once stays below 20.",
)

# %% [markdown]
# So: every node once, and **only after all of its readers**. Such an order is called a *topological order* (of the
# graph read backwards). Our counter-example has only one, $c, b, a$. The example on paper has more; in each of them $a$
# comes after $d$ *and* after $c$.
#
# ## Exercise 2: a topological order
#
# Write `order(root)`: a list of all Values from which `root` was computed, and `root` itself. Each comes once, and each
# comes *before* its own inputs. Two remarks:
#
# - Go depth first, and write a Value down when *all its inputs are done*: this gives the order in reverse.
# - Use a list as a stack, and no recursion. Python stops at about a thousand nested calls, and the graphs of a recurrent
#   net are longer.


# %% exercise="order"
def order(root):
    """All Values from which root was computed, each before its inputs."""
    ### BEGIN SOLUTION
    finished, seen, stack = [], set(), [(root, False)]
    while stack:
        value, inputs_done = stack.pop()
        if inputs_done:
            finished.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            stack.append((value, True))
            stack.extend((x, False) for x in value.inputs)
    return finished[::-1]
    ### END SOLUTION


# %% [markdown] hint="order"
# When is a Value *done with all its inputs*? Write `found.append(value)` at that moment, and look at
# the list for $b = a + a$.

# %% [markdown] hint="order"
# Put pairs on the stack: a Value, and whether its inputs are done. Take a pair. If they are done,
# append the Value to the result. If not, and the Value is new: put it back with the mark *done*, and
# on top of it each of its inputs with the mark *not done*. At the end, reverse the result.


# %% mistake="order"
# Breadth first lists a Value when its first reader is found. Another reader may come later
# in the list.
def order(root):
    """Breadth first: an input may come before another of its readers."""
    found = [root]
    for value in found:
        found.extend(x for x in value.inputs if not any(x is y for y in found))
    return found


# %% mistake="order"
# Each level of a recursion takes a place on Python's stack, and there are about a thousand.
# Keep the Values that wait in a list.
def order(root):
    """Recursion: right, until the graph is deep."""
    finished, seen = [], set()

    def visit(value):
        if id(value) not in seen:
            seen.add(id(value))
            for x in value.inputs:
                visit(x)
            finished.append(value)

    visit(root)
    return finished[::-1]


# %% variant="order"
def order(root):
    """Count the readers first, then take Values without a reader left."""
    readers, stack, seen = {}, [root], {id(root)}
    while stack:
        for x in stack.pop().inputs:
            readers[id(x)] = readers.get(id(x), 0) + 1
            if id(x) not in seen:
                seen.add(id(x))
                stack.append(x)
    found, ready = [], [root]
    while ready:
        found.append(ready.pop())
        for x in found[-1].inputs:
            readers[id(x)] -= 1
            if readers[id(x)] == 0:
                ready.append(x)
    return found


# %% [markdown]
# Such a list can be verified without knowing it: no Value is missing, none comes twice, and none comes before one of
# its readers.


# %%
def random_graph(n, seed):
    """A Value computed from others at random, in n steps."""
    draw = random.Random(seed)
    values = [Value(1.0) for _ in range(3)]
    for _ in range(n):
        inputs = [draw.choice(values[-4:]) for _ in range(2)]
        values.append(Value(0.0, inputs, (1.0, 1.0)))
    return values[-1]


def chain(n):
    x = Value(1.0)
    for _ in range(n):
        x = Value(1.0, (x,), (1.0,))
    return x


# %% check="order" points=3
for name, root in (
    ("c = b + b", doubled_twice()[1]),
    *((f"random graph {s}", random_graph(12, s)) for s in range(20)),
):
    found = ask(order, root)
    check(isinstance(found, (list, tuple)), f"order should return a list, not {found!r}.")
    check(all(isinstance(v, Value) for v in found), "order should return a list of Values.")
    check(found and found[0] is root, f"{name}: the list should begin with the root.")
    position = {id(value): k for k, value in enumerate(found)}
    check(len(position) == len(found), f"{name}: some Value comes twice.")
    for value in found:
        for x in value.inputs:
            check(id(x) in position, f"{name}: an input is missing from the list.")
            here, there = position[id(x)], position[id(value)]
            check(
                here > there,
                f"{name}: place {here} of your list is an input of place {there}, which comes later.",
            )
length = len(ask(order, chain(20_000)))
check(length == 20_001, f"A chain of 20,000 operations has 20,001 Values, not {length}.")
print("In order: 21 graphs, and a chain of 20,000 operations.")

# %% [markdown]
# ## Exercise 3: backward
#
# Now combine the two. `backward(root)` starts with $d\,\text{root} = 1$, goes through `order(root)`, and sends
# `dy * partial` to each input. One more rule, which minigrad and most systems share:
#
# - A **leaf** (a Value without inputs) *adds* its gradient to its `.grad`, so that several losses may be summed.
# - All other Values keep nothing. Hold their sums in a dictionary, by `id`.


# %% exercise="backward"
def backward(root):
    """Add ∂root/∂leaf to the grad of every leaf."""
    ### BEGIN SOLUTION
    arrived = {id(root): 1.0}
    for y in order(root):
        dy = arrived.pop(id(y))
        if not y.inputs:
            y.grad += dy
        for x, partial in zip(y.inputs, y.partials, strict=True):
            arrived[id(x)] = arrived.get(id(x), 0.0) + dy * partial
    ### END SOLUTION


# %% [markdown] hint="backward"
# Which number must be complete before `y` may send anything? The order of exercise 2 takes care of
# that.

# %% [markdown] hint="backward"
# Start with `arrived = {id(root): 1.0}`. For each `y` of the order, take its `dy` out of the
# dictionary. A leaf adds `dy` to its `.grad`. For each input `x`, *add* `dy * partial` to the entry
# of `id(x)`, which starts from 0.


# %% mistake="backward"
# The share of one reader replaces the share of another. Shares for the same Value are
# added.
def backward(root):
    """The gradient of one reader replaces that of another."""
    arrived = {id(root): 1.0}
    for y in order(root):
        dy = arrived.pop(id(y))
        if not y.inputs:
            y.grad += dy
        for x, partial in zip(y.inputs, y.partials, strict=True):
            arrived[id(x)] = dy * partial


# %% mistake="backward"
# Values in the middle keep their grad, and the second call passes it on again. Keep these
# sums in a dictionary that ends with the call.
def backward(root):
    """Intermediate values keep what arrived, and a second call passes it on again."""
    root.grad = 1.0
    for y in order(root):
        for x, partial in zip(y.inputs, y.partials, strict=True):
            x.grad += y.grad * partial


# %% variant="backward"
def backward(root):
    """Numbers in a list, in the places of the order."""
    found = order(root)
    place = {id(y): k for k, y in enumerate(found)}
    arrived = [0] * len(found)
    arrived[0] = 1
    for y, dy in zip(found, arrived, strict=True):
        for x, partial in zip(y.inputs, y.partials, strict=True):
            arrived[place[id(x)]] += partial * dy
    for y, dy in zip(found, arrived, strict=True):
        if not y.inputs:
            y.grad = y.grad + dy


# %% [markdown]
# The check computes one expression with your forty lines and on minigrad's tape, and compares. Then it computes the
# gradient a second time.

# %% check="backward" points=3
a, c = doubled_twice()
attempt(backward, c)
same("da of c = b + b, b = a + a", a.grad, 4.0)


def expression(x, y, plus, times, squash):
    """tanh(x y + x) · (x y) + tanh(y), with x y computed once and used twice."""
    xy = times(x, y)
    return plus(times(squash(plus(xy, x)), xy), squash(y))


x, y = Value(0.8), Value(-0.6)
result = expression(x, y, add, mul, tanh)
attempt(backward, result)
tx, ty = (mg.tensor(n, dtype="float64", requires_grad=True) for n in (0.8, -0.6))
expression(tx, ty, mg.add, mg.multiply, mg.tanh).backward()
same("dx", x.grad, tx.grad)
same("dy", y.grad, ty.grad)
check(
    all(v.grad == 0 for v in result.inputs),
    "Only leaves keep a gradient: .grad of a Value in the middle is not 0.",
)
attempt(backward, result)
same("dx after a second call", x.grad, 2 * tx.grad)
attempt(backward, chain(20_000))
print("Your autograd agrees with minigrad's tape.")

# %% [markdown]
# ## How minigrad does it
#
# minigrad never sorts. Every operation, as it runs, writes a *node* with the next number: 0, −1, −2, … A result that is
# computed later has a lower number, and an operation can read only what is computed already. So **the lowest number
# first** is always a topological order, at no cost. In the backward pass a heap holds the nodes that have received a
# gradient.

# %%
a = mg.tensor(1.0, requires_grad=True)
b = a + a
c = b + b
rows = [
    (name, t.node.op.__name__, t.node.serial - b.node.serial)
    for name, t in (("b", b), ("c", c))
]
table(["tensor", "made by", "number, counted from b's"], rows)
c.backward()
print("da =", a.grad.item(), "  db =", b.grad, "(not a leaf, keeps nothing)")

# %% [markdown]
# It frees the graph during the backward pass. So a second `backward()` without a new forward pass is an error:

# %%
try:
    c.backward()
except mg.errors.GradientError as error:
    print(error)

# %% [markdown]
# Long chains work too: a hundred thousand operations, under Python's default recursion limit.

# %%
n = scaled(100_000, 10_000)
x = mg.tensor(1.0, dtype="float64", requires_grad=True)
y = x
for _ in range(n):
    y = y * (1 - 1 / n)
y.backward()
print(f"dx = {x.grad.item():.5f}, and (1 − 1/n)ⁿ is {(1 - 1 / n) ** n:.5f}")

# %% [markdown]
# ## To think about
#
# 1. In the example on paper, write down *all* topological orders. How many are there for $n$ numbers that are added
#    pairwise in a balanced tree?
# 2. The forward computation runs in an order, too. What must be kept if derivatives are computed *forwards*, from $a$ to
#    $L$? When is that cheaper?
# 3. A `Value` stores its partials when it is computed. minigrad stores the input arrays and computes the partials in
#    the backward pass. What does each choice cost in memory? And if no gradient is needed?
# 4. `wrong` gives the right answer for some graphs. For which, exactly?
#
# ## Summary
#
# - $dx = \sum_k dy_k\,\partial y_k/\partial x$: local derivatives, summed over all readers.
# - Every node once, after all of its readers: a topological order. A recursion without it is wrong; path by path is right
#   and takes exponential time.
# - Leaves accumulate; intermediates keep nothing.
#
# **In the source:** your forty lines, for arrays, are [`minigrad/engine/tape.py`](../minigrad/engine/tape.py): `Node` is your `Value`,
# `Cotangents` the dictionary and the heap, `propagate` your `backward`. The local rules are in
# [`minigrad/engine/ops/arithmetic.py`](../minigrad/engine/ops/arithmetic.py) and
# [`minigrad/engine/ops/pointwise.py`](../minigrad/engine/ops/pointwise.py).

# %% [markdown]
# ## Your net
#
# Open [`mynet.py`](mynet.py) next to this notebook, in JupyterLab. It is the net of lesson 0, with gaps. Fill in the first two:
#
# - `order(root)` is exercise 2.
# - `backward(loss)` is exercise 3, with two changes. A `Tensor` holds an array and a `rule` instead of partials:
#   `y.rule(dy)` returns a tuple with one gradient for each input. And `grad` is `None` until the first gradient arrives.
#
# Save the file and run this cell. It says what is right so far.

# %%
from lesson_net import your_net

your_net(1)
