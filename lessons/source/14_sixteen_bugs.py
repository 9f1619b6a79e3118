# %% [markdown]
# # 14 · Capstone: find the sixteen bugs
#
# Sixteen backward passes of an LSTM, each with one line wrong. With all of them the loss falls. Build the test that lets none of them through.
#
# **Minutes:** 90 · **Needs:** lessons 3, 7 and 9
#
# After this lesson you can
#
# 1. check a recurrent backward pass against an independent road to the same numbers;
# 2. design the *situation* of a test, so that every line of the code has to be right for it to pass;
# 3. tell from which gradients are wrong which line is to blame.

# %%
import codecs

import numpy as np

import minigrad as mg
from lesson_tools import ask, check, picture, same, scaled, table

# %% [markdown]
# ## The formula
#
# The LSTM of lesson 7, with the mask of lesson 9. Where a row is masked, it keeps its state and repeats its output. On the way
# back, with $dh, dc$ the gradients that arrive at the state after a step:
#
# $$\begin{aligned}
# do &= dh\circ a, \qquad dc \mathrel{+}= dh\circ o\circ(1-a\circ a), \qquad df = dc\circ c, \quad di = dc\circ g, \quad dg = dc\circ i,\\
# dz &= [\,di\circ i(1-i),\ \ df\circ f(1-f),\ \ dg\circ(1-g^2),\ \ do\circ o(1-o)\,],\\
# dh &\leftarrow dz\,U^\top, \qquad dc\leftarrow dc\circ f .
# \end{aligned}$$
#
# | | shape |
# |---|---|
# | $x$, $dx$ | `(time, batch, features)` |
# | `mask` | `(time, batch)`, bools |
# | $h, c$ at the start; $dh, dc$ for the end | `(batch, units)` |
# | $dy$ | `(time, batch, units)` |
# | $W$, $U$, $b$ | `(features, 4 units)`, `(units, 4 units)`, `(4 units,)` |
#
# ## The code
#
# Some forty lines, and right. It is a text, so that we can put bugs into it.

# %%
CODE = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def forward(x, mask, h, c, W, U, b):
    kept, ys, y = [], [], 0 * h
    for x_t, row in zip(x, mask):
        i, f, g, o = np.split(x_t @ W + h @ U + b, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c_new = f * c + i * g
        a = np.tanh(c_new)
        kept.append((i, f, g, o, a, h, c))
        m = row[:, None]
        y, h, c = np.where(m, o * a, y), np.where(m, o * a, h), np.where(m, c_new, c)
        ys.append(y)
    return np.array(ys), h, c, kept

def backward(dy, dh_T, dc_T, x, mask, kept, W, U):
    dW, dU, db, dx = 0 * W, 0 * U, 0 * W[0], 0 * x
    dh, dc = 0 + dh_T, 0 + dc_T
    repeated = 0 * dh_T
    for t in reversed(range(len(x))):
        i, f, g, o, a, h, c = kept[t]
        m = mask[t][:, None]
        d = dy[t] + repeated
        repeated = np.where(m, 0.0, d)
        skip_h, skip_c = np.where(m, 0.0, dh), np.where(m, 0.0, dc)
        dh = np.where(m, dh + d, 0.0)
        dc = np.where(m, dc, 0.0)
        do = dh * a
        dc = dc + dh * o * (1 - a * a)
        df, di, dg = dc * c, dc * g, dc * i
        dz_i, dz_f = di * i * (1 - i), df * f * (1 - f)
        dz_g, dz_o = dg * (1 - g * g), do * o * (1 - o)
        dz = np.concatenate([dz_i, dz_f, dz_g, dz_o], axis=1)
        dW += x[t].T @ dz
        dU += h.T @ dz
        db += dz.sum(0)
        dx[t] = dz @ W.T
        dh = dz @ U.T + skip_h
        dc = dc * f + skip_c
    return {"x": dx, "h": dh, "c": dc, "W": dW, "U": dU, "b": db}
"""

# %% [markdown]
# Below are sixteen changes of that text, "what stood there => what stands there now", each written with the letters of the alphabet moved on
# by thirteen so that you do not read them by accident. **Do not decode them; find them.**

# %%
SUSPECTS = """\
qs * s * (1 - s) => qs
[qm_v, qm_s, qm_t, qm_b] => [qm_s, qm_v, qm_t, qm_b]
0 + qp_G => 0 * qp_G
qH += u.G @ qm => qH += (b * n).G @ qm
qp = qp + qu * b => qp = qu * b
qo += qm.fhz(0) => qo += qm.zrna(0)
ac.jurer(z, 0.0, qu), ac.jurer(z, 0.0, qp) => 0 * qu, 0 * qp
qu = qm @ H.G + fxvc_u => qu = fxvc_u
qk[g] = qm @ J.G => qk[g] = 0 * k[g]
 * (1 - n * n) =>  * 1
ac.jurer(z, qp, 0.0) => 1.0 * qp
0 + qu_G => 0 * qu_G
qo += qm.fhz(0) => qo += ac.gvyr(qm_v.fhz(0), 4)
qp = qp * s + fxvc_p => qp = fxvc_p
"u": qu, "p": qp => "u": 0 * qu, "p": 0 * qp
qs, qv, qt = qp * p, => qs, qv, qt = qp * (s * p + v * t),
"""


def engine(number=None):
    """The functions of CODE; with a number from 0 to 15, with one line wrong."""
    code = CODE
    if number is not None:
        change = codecs.decode(SUSPECTS.splitlines()[number], "rot13")
        was, _, now = change.partition(" => ")
        assert code.count(was) == 1
        code = code.replace(was, now)
    names = {"np": np}
    exec(code, names)  # noqa: S102  (the text above)
    return names


ALL = range(len(SUSPECTS.splitlines()))
print(len(ALL), "suspects")

# %% [markdown]
# ## They train
#
# A bug in a backward pass that stopped the training would be found soon. These do not. A small task: at each step, say what the first
# feature was at the step before. A hundred steps of Adam with the wrong gradients, five seeds for each suspect, and what is left of the
# loss in the end. (Which suspect is which stays untold: the suspects are sorted by what is left.)


# %%
STEPS = scaled(100, 20)


def left_of_the_loss(number, seed, T=8, rows=32, F=2, units=4):
    """The loss in the end over the loss in the beginning, trained with the gradients of an engine."""
    functions, draw = engine(number), np.random.default_rng(seed)
    weights = [0.5 * draw.normal(size=s) for s in ((F, 4 * units), (units, 4 * units))]
    weights.append(np.repeat([0.0, 1.0, 0.0, 0.0], units))
    m, v, losses, zero = [0.0] * 3, [0.0] * 3, [], np.zeros((rows, units))
    for step in range(1, STEPS + 1):
        x, mask = draw.normal(size=(T, rows, F)), np.ones((T, rows), bool)
        mask[5:, :8] = False  # some rows end early
        ys, *_, kept = functions["forward"](x, mask, zero, zero, *weights)
        error = (ys[1:, :, 0] - np.tanh(x[:-1, :, 0])) * mask[1:]
        losses.append((error**2).sum() / mask[1:].sum())
        dy = np.zeros_like(ys)
        dy[1:, :, 0] = 2 * error / mask[1:].sum()
        found = functions["backward"](dy, zero, zero, x, mask, kept, *weights[:2])
        for k, name in enumerate("WUb"):
            m[k] = 0.9 * m[k] + 0.1 * found[name]
            v[k] = 0.99 * v[k] + 0.01 * found[name] ** 2
            hats = m[k] / (1 - 0.9**step), v[k] / (1 - 0.99**step)
            weights[k] = weights[k] - 0.03 * hats[0] / (np.sqrt(hats[1]) + 1e-8)
    return np.mean(losses[-10:]) / np.mean(losses[:5])


remains = np.array(
    [[left_of_the_loss(n, seed) for seed in range(scaled(5, 1))] for n in (None, *ALL)]
)
middle = np.median(remains, axis=1)
print(f"the right engine: {middle[0]:.2f} of the loss is left (median of the seeds)")
print("the sixteen, sorted:", *(f"{value:.2f}" for value in np.sort(middle[1:])))
print(f"the worst single run of all: {remains[1:].max():.2f}")


# %% [markdown]
# With every suspect and every seed the loss falls, and with most of them as far as with the right gradients. A falling loss proves nothing.
#
# ## An example for paper
#
# One unit, one step, no mask, and numbers that are easy: $i = f = o = \tfrac12$, $g = 0$, $c = 0$, so $c_{new} = 0$ and $a = 0$; and $dh = 1$, $dc = 0$.
# Go through the formula: $do = 0$, $dc = \tfrac12$, $df = 0$, $di = 0$, $dg = \tfrac14$, $dz = (0, 0, \tfrac14, 0)$.
#
# Three of four entries of $dz$ are 0, whatever the derivatives of the gates are. A wrong $\sigma'$ of the forget gate would never show here,
# for it is multiplied by $c = 0$. **A zero in the test hides the line that it is multiplied with.** That is the key to all that follows.
#
# ## What a situation is
#
# A test is a backward pass *in a situation*: an input, a mask, a state at the start, and cotangents: $dy$ for the outputs, $dh_T$ and $dc_T$ for
# the final states. Another road to the same numbers is minigrad's autograd. In these situations, of the kind that one meets in test suites, how
# many suspects are caught?

# %%
B, F, UNITS = 3, 2, 4
draw = np.random.default_rng(0)
W, U, b = (
    draw.normal(size=(F, 4 * UNITS)),
    draw.normal(size=(UNITS, 4 * UNITS)),
    draw.normal(size=4 * UNITS),
)


def plain(T):
    """A situation as it is often met: zero states, no mask, the loss is the sum of all outputs."""
    zero = np.zeros((B, UNITS))
    return {
        "x": np.random.default_rng(T).normal(size=(T, B, F)),
        "mask": np.ones((T, B), bool),
        "h": zero,
        "c": zero,
        "dy": np.ones((T, B, UNITS)),
        "dh": zero,
        "dc": zero,
    }


def gradients(functions, s):
    """All six gradients, by the functions of an engine, in a situation."""
    *_, kept = functions["forward"](s["x"], s["mask"], s["h"], s["c"], W, U, b)
    return functions["backward"](s["dy"], s["dh"], s["dc"], s["x"], s["mask"], kept, W, U)


def truth(s):
    """The same by minigrad's autograd, every operation on the tape."""
    layer = mg.keras.layers.LSTM(
        UNITS,
        return_sequences=True,
        return_state=True,
        time_major=True,
        dtype="float64",
    )
    layer.build((None, B, F))
    layer.set_weights([W, U, b])
    x, h, c = (mg.tensor(s[k], requires_grad=True) for k in "xhc")
    with mg.testing.on_tape(layer):
        y, h_T, c_T = layer(x, mask=s["mask"], initial_state=[h, c])
    loss = (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()
    found = mg.grad(loss, [x, h, c, *layer.trainable_weights])
    return {k: g.numpy() for k, g in zip("xhcWUb", found, strict=True)}


def caught(s, looked_at="xhcWUb"):
    """For each suspect: is one of the gradients that are looked at wrong in this situation?"""
    right = truth(s)
    assert all(np.allclose(a, right[k]) for k, a in gradients(engine(), s).items())
    return np.array(
        [
            any(not np.allclose(gradients(engine(n), s)[k], right[k]) for k in looked_at)
            for n in ALL
        ]
    )


STYLES = {
    "1 step, the gradient of W": caught(plain(1), "W"),
    "6 steps, the gradient of W": caught(plain(6), "W"),
    "6 steps, all weights": caught(plain(6), "WUb"),
    "6 steps, all gradients": caught(plain(6)),
}
table(
    ["the sum of all outputs, zero states, no mask", "caught"],
    [(k, int(v.sum())) for k, v in STYLES.items()],
)


# %%
def draw_caught(ax):
    ax.imshow(np.array(list(STYLES.values())), cmap="Greys", aspect="auto", vmin=0, vmax=3)
    for k, row in enumerate(STYLES.values()):
        for n in ALL:
            ax.text(n, k, "✓" if row[n] else "–", ha="center", va="center")
    ax.set_yticks(range(len(STYLES)), list(STYLES))
    ax.set_xticks(list(ALL))
    ax.set(xlabel="suspect")
    ax.grid(False)


picture(
    draw_caught,
    alt="A table of four ways to test by sixteen suspects, a tick on grey where a suspect is caught, a dash where it is not. "
    "One step and the gradient of W alone catch 3, six steps 7, all weights 10, all gradients 12 of 16. "
    "Suspects 2, 6, 10 and 11 are caught by none of the four.",
    size=(9, 2.4),
)

# %% [markdown]
# ## Exercise 1: an independent road
#
# autograd and the code above were written by the same people. Write `numeric(functions, s, k, h=1e-5)`: the gradient of the loss
# $\langle y, dy\rangle + \langle h_T, dh\rangle + \langle c_T, dc\rangle$ by the input `k`, which is `"x"`, `"h"` or `"c"`, by central differences, from `functions["forward"]` alone.


# %% exercise="numeric"
def numeric(functions, s, k, h=1e-5):
    """∂loss/∂s[k], an array of the shape of s[k]."""

    ### BEGIN SOLUTION
    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            now["x"], now["mask"], now["h"], now["c"], W, U, b
        )
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found
    ### END SOLUTION


# %% mistake="numeric"
def numeric(functions, s, k, h=1e-5):
    """The final states are forgotten."""

    def loss(value):
        now = {**s, k: value}
        y, *_ = functions["forward"](now["x"], now["mask"], now["h"], now["c"], W, U, b)
        return (y * s["dy"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found


# %% variant="numeric"
def numeric(functions, s, k, h=1e-5):
    """In place; four points."""

    def loss():
        y, h_T, c_T, _ = functions["forward"](s["x"], s["mask"], s["h"], s["c"], W, U, b)
        return np.vdot(y, s["dy"]) + np.vdot(h_T, s["dh"]) + np.vdot(c_T, s["dc"])

    found = []
    for at in np.ndindex(s[k].shape):
        was, total = s[k][at], 0
        for steps, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
            s[k][at] = was + steps * 100 * h
            total += weight * loss()
        s[k][at] = was
        found.append(total / (1200 * h))
    return np.reshape(found, s[k].shape)


# %% check="numeric" points=2
draw = np.random.default_rng(1)
loud = plain(3)
loud.update({k: draw.normal(size=loud[k].shape) for k in ("h", "c", "dy", "dh", "dc")})
for k in "xhc":
    right = truth(loud)[k]
    same(f"d{k} by differences", ask(numeric, engine(), loud, k), right)

# %% [markdown]
# ## Exercise 2: let none through
#
# Write `situation()`: a situation, a dictionary like `plain`'s, in which every suspect is caught when all gradients are looked at. The batch is `B`, the
# features are `F`, the units `UNITS`. For each entry ask: what would a zero, a one, or a symmetry hide? (And for the mask: what must a
# row look like for the gradient to have to find its way *around* a step?)


# %% exercise="situation"
def situation():
    """A situation that lets none through."""
    ### BEGIN SOLUTION
    draw = np.random.default_rng(2)
    s = {"x": draw.normal(size=(6, B, F)), "dy": draw.normal(size=(6, B, UNITS))}
    s |= {k: draw.normal(size=(B, UNITS)) for k in ("h", "c", "dh", "dc")}
    mask = np.ones((6, B), bool)
    mask[2, 0] = mask[4:, 1] = mask[:, 2] = (
        False  # a hole, an early end, a row that rests throughout
    )
    return {**s, "mask": mask}
    ### END SOLUTION


# %% mistake="situation"
def situation():
    """No mask."""
    draw = np.random.default_rng(2)
    s = {
        "x": draw.normal(size=(6, B, F)),
        "dy": draw.normal(size=(6, B, UNITS)),
        "mask": np.ones((6, B), bool),
    }
    return s | {k: draw.normal(size=(B, UNITS)) for k in ("h", "c", "dh", "dc")}


# %% mistake="situation"
def situation():
    """Nothing of the final states."""
    draw = np.random.default_rng(2)
    s = {
        "x": draw.normal(size=(6, B, F)),
        "dy": draw.normal(size=(6, B, UNITS)),
        "mask": draw.random((6, B)) < 0.6,
    }
    s |= {k: draw.normal(size=(B, UNITS)) for k in ("h", "c")}
    return s | {k: np.zeros((B, UNITS)) for k in ("dh", "dc")}


# %% variant="situation"
def situation():
    """Uniform numbers, a mask drawn with holes; entries in another order."""
    draw = np.random.default_rng(9)
    mask = draw.random((7, B)) < 0.6
    mask[0] = True
    last = {k: draw.uniform(0.2, 1, (B, UNITS)) for k in ("dc", "dh", "c", "h")}
    return {
        **last,
        "mask": mask,
        "dy": draw.uniform(-1, 1, (7, B, UNITS)),
        "x": draw.uniform(-1, 1, (7, B, F)),
    }


# %% check="situation" points=4
mine = {key: np.asarray(value) for key, value in ask(situation).items()}
check(set(mine) == set(plain(2)), f"a situation has the entries {sorted(plain(2))}.")
slip = [n for n, found in zip(ALL, caught(mine), strict=True) if not found]
check(not slip, f"{len(slip)} of {len(ALL)} slip through: suspects {slip}.")
print("all caught")

# %% [markdown]
# ## Exercise 3: fingerprints
#
# That a backward pass is wrong is the smaller half of the work. *Where?* Write `fingerprint(functions, s)`: a text of the names of those gradients
# that are wrong, in the order `"xhcWUb"`: `"b"` alone, for example, if only $db$ is.


# %% exercise="fingerprint"
def fingerprint(functions, s):
    """Which gradients are wrong, such as "xhU"."""
    ### BEGIN SOLUTION
    right, found = truth(s), gradients(functions, s)
    return "".join(
        k for k in "xhcWUb" if not np.allclose(found[k], right[k], rtol=1e-6, atol=1e-9)
    )
    ### END SOLUTION


# %% mistake="fingerprint"
def fingerprint(functions, s):
    """Sums are compared."""
    right, found = truth(s), gradients(functions, s)
    return "".join(
        k for k in "xhcWUb" if not np.isclose(found[k].sum(), right[k].sum(), rtol=0.5)
    )


# %% variant="fingerprint"
def fingerprint(functions, s):
    """By the largest difference; letters collected in a list."""
    right, wrong = truth(s), []
    for k, found in gradients(functions, s).items():
        found -= right[k]
        if np.abs(found).max() > 1e-8:
            wrong.append(k)
    return "".join(sorted(wrong, key="xhcWUb".index))


# %% check="fingerprint" points=2
draw = np.random.default_rng(3)
spoilt = plain(4)
check(ask(fingerprint, engine(), spoilt) == "", "the right engine has no wrong gradients.")
for names in ("x", "W", "cU", "xhcWUb"):
    bad = engine()
    inner = bad["backward"]

    def wrong(*arguments, inner=inner, names=names):
        found = inner(*arguments)
        for k in names:  # one number, a little off
            found[k].flat[draw.integers(found[k].size)] += 1e-3
        return found

    bad["backward"] = wrong
    yours = ask(fingerprint, bad, spoilt)
    check(
        yours == names,
        f"with a wrong {names!r} the fingerprint should be {names!r}; yours is {yours!r}.",
    )
print("every fingerprint right")

# %% [markdown]
# Now take your situation and write down the fingerprint of every suspect. Some are told at once: if only $db$ is wrong, one line of the code
# remains. Others need a second look, in a situation made for the purpose: a single step; a single unit; no mask; $dc_T$ alone. **Hand in** a list: for each suspect the line, what is wrong with it, and the
# situation that convicted it. Then decode, and compare.
#
# ## To think about
#
# 1. Which suspects does *training* hide best? Put two of them into a loop and see how far the loss falls.
# 2. Two suspects have the same fingerprint. Give a situation that tells them apart.
# 3. Is there a bug that your situation would let through? Invent a seventeenth. (Two errors that cancel? A wrong constant that is right in float32?)
# 4. Who tests the test? What would you change in the check of exercise 2 so that it could not pass by accident?
#
# ## Summary
#
# - A wrong gradient seldom crashes, and the loss falls with all of these. It has to be measured, by an independent road.
# - What a test finds is decided by its situation. Each zero, each one and each symmetry hides a line.
# - Random cotangents on *every* output, states that are not zero, a mask with a hole and a row that rests, and *all* gradients looked at: so
#   none of the sixteen gets through.
# - Which gradients are wrong says where to look.
#
# **In the source:** [`minigrad/recurrent/lstm.py`](../minigrad/recurrent/lstm.py) and
# [`minigrad/recurrent/bptt.py`](../minigrad/recurrent/bptt.py) are what you have tested, and
# [`minigrad/testing/gradients.py`](../minigrad/testing/gradients.py) is the check that minigrad ships.

# %% [markdown]
# ## Your net
#
# The last test is for [`mynet.py`](mynet.py), which you have written since lesson 1. Your net and minigrad's start from the same weights and read
# the same pieces of the tales of lesson 0, twenty steps long, in float64. The losses are compared number for number. After
# twenty steps the loss depends on every function that you wrote, so that a wrong one would show.

# %%
from lesson_net import compare_with_minigrad, your_net_writes

compare_with_minigrad()

# %% [markdown]
# And now let it learn to write, without minigrad. Six hundred steps take some seconds.

# %%
your_net_writes(steps=scaled(600, 5))
