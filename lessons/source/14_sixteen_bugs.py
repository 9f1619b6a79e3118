# %% [markdown]
# # 14 · Capstone: find the sixteen bugs
#
# Sixteen backward passes of an LSTM, each with one line wrong. With all of them the loss falls. Build the test that lets none of them through.
#
# **Minutes:** 90 · **Needs:** lessons 3, 7 and 9
#
# After this lesson you can
#
# 1. check a recurrent backward pass against the same numbers, computed in another way;
# 2. design the *situation* of a test so that the test passes only if every line of the code is right;
# 3. find the wrong line from the list of the gradients that are wrong.

# %%
import codecs

import numpy as np

import minigrad as mg
from lesson_tools import ask, check, picture, returned, same, scaled, table

# %% [markdown]
# ## The formula
#
# The LSTM of lesson 7, with the mask of lesson 9. A masked row keeps its state and repeats its output. The backward pass of one
# step begins with $dh$ and $dc$, the gradients of the state after the step:
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
# About fifty lines, without a bug. They are a text, so that we can put bugs into it.

# %%
CODE = """
def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def forward(x, mask, h, c, W, U, b):
    kept, ys = [], []
    y = 0 * h
    for t in range(len(x)):
        z_i, z_f, z_g, z_o = np.split(x[t] @ W + h @ U + b, 4, axis=1)
        i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
        c_new = f * c + i * g
        a = np.tanh(c_new)
        h_new = o * a
        kept.append((i, f, g, o, a, h, c))
        # a masked row repeats its output and keeps its state
        m = mask[t][:, None]
        y = np.where(m, h_new, y)
        h = np.where(m, h_new, h)
        c = np.where(m, c_new, c)
        ys.append(y)
    return np.array(ys), h, c, kept

def backward(dy, dh_T, dc_T, x, mask, kept, W, U):
    dW, dU, db, dx = 0 * W, 0 * U, 0 * W[0], 0 * x
    dh, dc = 0 + dh_T, 0 + dc_T
    repeated = 0 * dh_T
    for t in reversed(range(len(x))):
        i, f, g, o, a, h, c = kept[t]
        # the output of a masked row comes from an earlier step, so its gradient waits
        m = mask[t][:, None]
        d = dy[t] + repeated
        repeated = np.where(m, 0.0, d)
        # the state of a masked row has not changed, so its gradient skips the step
        skip_h, skip_c = np.where(m, 0.0, dh), np.where(m, 0.0, dc)
        dh = np.where(m, dh + d, 0.0)
        dc = np.where(m, dc, 0.0)
        # the step of lesson 7
        do = dh * a
        dc = dc + dh * o * (1 - a * a)
        df = dc * c
        di = dc * g
        dg = dc * i
        dz_i = di * i * (1 - i)
        dz_f = df * f * (1 - f)
        dz_g = dg * (1 - g * g)
        dz_o = do * o * (1 - o)
        dz = np.concatenate([dz_i, dz_f, dz_g, dz_o], axis=1)
        # the gradients of everything that the step has read
        dW += x[t].T @ dz
        dU += h.T @ dz
        db += dz.sum(0)
        dx[t] = dz @ W.T
        dh = dz @ U.T + skip_h
        dc = dc * f + skip_c
    return {"x": dx, "h": dh, "c": dc, "W": dW, "U": dU, "b": db}
"""

# %% [markdown]
# Below are sixteen changes of that text, in the form "the right line => the wrong line". Each is written in a simple code: every letter
# is replaced by the letter thirteen places further in the alphabet. So you cannot read them by accident. **Do not decode them; find them.**

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
qs = qp * p => qs = qp * (s * p + v * t)
"""


def engine(number=None):
    """The functions of CODE, by their names; with a number from 0 to 15, with one line wrong."""
    code = CODE
    if number is not None:
        change = codecs.decode(SUSPECTS.splitlines()[number], "rot13")
        right_line, _, wrong_line = change.partition(" => ")
        assert code.count(right_line) == 1
        code = code.replace(right_line, wrong_line)
    names = {"np": np}
    exec(code, names)  # noqa: S102  (this defines the functions of the text above)
    return names


ALL = range(len(SUSPECTS.splitlines()))
print(len(ALL), "suspects")

# %% [markdown]
# ## They train
#
# A bug that stops the training is found soon. These do not stop it. A small task: at each step, say what the first feature was at the
# step before. Train with the wrong gradients, a hundred steps of Adam, five seeds for each suspect. How much of the loss is left at the
# end? (The suspects are sorted by the result, so that you do not see which is which.)


# %%
STEPS = scaled(100, 20)


def left_of_the_loss(number, seed, T=8, rows=32, features=2, units=4):
    """The last loss divided by the first one, in a training with the gradients of an engine."""
    functions = engine(number)
    draw = np.random.default_rng(seed)
    W = 0.5 * draw.normal(size=(features, 4 * units))
    U = 0.5 * draw.normal(size=(units, 4 * units))
    b = np.repeat([0.0, 1.0, 0.0, 0.0], units)  # a forget bias of 1
    weights = [W, U, b]
    first, second = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]  # Adam's two moments of each weight
    zero = np.zeros((rows, units))
    losses = []
    for step in range(1, STEPS + 1):
        x = draw.normal(size=(T, rows, features))
        mask = np.ones((T, rows), bool)
        mask[5:, :8] = False  # eight rows end early
        ys, *_, kept = functions["forward"](x, mask, zero, zero, *weights)
        target = np.tanh(x[:-1, :, 0])  # of the steps 1, 2, …
        error = (ys[1:, :, 0] - target) * mask[1:]
        count = mask[1:].sum()
        losses.append((error**2).sum() / count)
        dy = np.zeros_like(ys)
        dy[1:, :, 0] = 2 * error / count
        found = functions["backward"](dy, zero, zero, x, mask, kept, *weights[:2])
        for k, name in enumerate("WUb"):
            first[k] = 0.9 * first[k] + 0.1 * found[name]
            second[k] = 0.99 * second[k] + 0.01 * found[name] ** 2
            m_hat = first[k] / (1 - 0.9**step)
            v_hat = second[k] / (1 - 0.99**step)
            weights[k] = weights[k] - 0.03 * m_hat / (np.sqrt(v_hat) + 1e-8)
    return np.mean(losses[-10:]) / np.mean(losses[:5])


SEEDS = range(scaled(5, 1))
remains = np.array([[left_of_the_loss(n, seed) for seed in SEEDS] for n in (None, *ALL)])
middle = np.median(remains, axis=1)
print(f"the right engine: {middle[0]:.2f} of the loss is left (median of the seeds)")
print("the sixteen, sorted:", *(f"{value:.2f}" for value in np.sort(middle[1:])))
print(f"the worst single run of all: {remains[1:].max():.2f}")


# %% [markdown]
# With every suspect and every seed the loss falls, and with most of them as far as with the right gradients. A falling loss proves nothing.
#
# ## An example for paper
#
# One unit, one step, no mask, and easy numbers: $i = f = o = \tfrac12$, $g = 0$, $c = 0$, so $c_\text{new} = 0$ and $a = 0$;
# and $dh = 1$, $dc = 0$. Go through the formula: $do = 0$, $dc = \tfrac12$, $df = 0$, $di = 0$, $dg = \tfrac14$, and
# $dz = (0, 0, \tfrac14, 0)$.
#
# Three of the four entries of $dz$ are 0, with right and with wrong derivatives of the gates. A wrong $\sigma'$ of the forget gate
# would not show here, because it is multiplied by $c = 0$. **A zero in the test hides the line that it is multiplied with.** The
# rest of this lesson follows from that sentence.
#
# ## The situation of a test
#
# A test is a backward pass *in a situation*: an input, a mask, a state at the start, and cotangents: $dy$ for the outputs, $dh_T$ and
# $dc_T$ for the last state. We compare its results with the gradients that minigrad's autograd finds. The table shows four
# situations that are common in test suites. How many suspects does each of them catch?

# %%
B, F, UNITS = 3, 2, 4  # rows in the batch, features, units
draw = np.random.default_rng(0)
W = draw.normal(size=(F, 4 * UNITS))
U = draw.normal(size=(UNITS, 4 * UNITS))
b = draw.normal(size=4 * UNITS)


def plain(T):
    """A common situation: the states are zero, no step is masked, the loss is the sum of all outputs."""
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
    """All six gradients in a situation, by the functions of an engine."""
    *_, kept = functions["forward"](s["x"], s["mask"], s["h"], s["c"], W, U, b)
    return functions["backward"](s["dy"], s["dh"], s["dc"], s["x"], s["mask"], kept, W, U)


layer = mg.keras.layers.LSTM(
    UNITS,
    return_sequences=True,
    return_state=True,
    time_major=True,
    dtype="float64",
)
layer.build((None, B, F))
layer.set_weights([W, U, b])


def truth(s):
    """The same six gradients by minigrad's autograd: every operation of the layer is on the tape."""
    x, h, c = (mg.tensor(s[k], requires_grad=True) for k in "xhc")
    with mg.testing.on_tape(layer):
        y, h_T, c_T = layer(x, mask=s["mask"], initial_state=[h, c])
    loss = (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()
    found = mg.grad(loss, [x, h, c, *layer.trainable_weights])
    return {k: g.numpy() for k, g in zip("xhcWUb", found, strict=True)}


def caught(s, compared="xhcWUb"):
    """True for each suspect with a wrong gradient in this situation, among the gradients that are compared."""
    right = truth(s)
    for k, gradient in gradients(engine(), s).items():
        assert np.allclose(gradient, right[k])  # the engine without a bug agrees
    found = []
    for n in ALL:
        yours = gradients(engine(n), s)
        found.append(any(not np.allclose(yours[k], right[k]) for k in compared))
    return np.array(found)


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
    alt="A table with a row for each of four tests and a column for each of sixteen suspects: a tick on grey where a suspect is caught, a dash where it is not. "
    "One step and the gradient of W alone catch 3, six steps 7, all weights 10, all gradients 12 of 16. "
    "Suspects 2, 6, 10 and 11 are caught by none of the four.",
    size=(9, 2.4),
)

# %% [markdown]
# ## Exercise 1: an independent road
#
# The same people wrote the autograd and the code above, so both may have the same bug. Finite differences do not need a backward
# pass at all. Write `numeric(functions, s, k, h=1e-5)`: the gradient of the loss
#
# $$L = \langle y, dy\rangle + \langle h_T, dh\rangle + \langle c_T, dc\rangle$$
#
# with respect to the input `s[k]`, where `k` is `"x"`, `"h"` or `"c"`, by central differences of step `h`. Use
# `functions["forward"]` alone. ($\langle a, b\rangle$ is the sum of all $a_j b_j$.)


# %% exercise="numeric"
def numeric(functions, s, k, h=1e-5):
    """∂loss/∂s[k], an array of the shape of s[k]."""

    ### BEGIN SOLUTION
    def loss(value):
        now = {**s, k: value}
        states = now["h"], now["c"]
        y, h_T, c_T, _ = functions["forward"](now["x"], now["mask"], *states, W, U, b)
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found
    ### END SOLUTION


# %% [markdown] hint="numeric"
# Which number of the result belongs to one entry of `s[k]`? What does `forward` return, and which
# three sums make the loss of it?

# %% [markdown] hint="numeric"
# First write a function of one array: the loss with that array in the place of `s[k]`. `{**s, k:
# value}` is `s` with another entry. Then, for each index of `np.ndindex(s[k].shape)`: a step is an
# array of zeros with $h$ at that index, and the number there is $(L(s_k + \text{step}) - L(s_k -
# \text{step}))/2h$.


# %% mistake="numeric"
# The loss has three parts. Yours has the outputs y, and not the last states h_T and c_T.
def numeric(functions, s, k, h=1e-5):
    """Without the final states."""

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


# %% mistake="numeric"
# These are one-sided differences: L(s + step) − L(s), divided by h. Their error is as large as
# h; that of central differences as h².
def numeric(functions, s, k, h=1e-5):
    """One-sided differences."""

    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            *(now[n] for n in ("x", "mask", "h", "c")), W, U, b
        )
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k])) / h
    return found


# %% mistake="numeric"
# Between s + step and s − step there are two steps, so the difference is divided by 2h.
def numeric(functions, s, k, h=1e-5):
    """Divided by h."""

    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            *(now[n] for n in ("x", "mask", "h", "c")), W, U, b
        )
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / h
    return found


# %% mistake="numeric"
# The sums of y, h_T and c_T are differentiated, without their cotangents dy, dh and dc.
def numeric(functions, s, k, h=1e-5):
    """Without cotangents."""

    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            *(now[n] for n in ("x", "mask", "h", "c")), W, U, b
        )
        return y.sum() + h_T.sum() + c_T.sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found


# %% mistake="numeric"
# The step is made once, before the loop, and never set back to zero: each number includes all
# numbers before it.
def numeric(functions, s, k, h=1e-5):
    """The steps pile up."""

    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            *(now[n] for n in ("x", "mask", "h", "c")), W, U, b
        )
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()

    found = np.zeros_like(s[k])
    step = np.zeros_like(found)
    for at in np.ndindex(found.shape):
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found


# %% mistake="numeric"
# The three parts of the loss are sums. In yours they are means.
def numeric(functions, s, k, h=1e-5):
    """Means."""

    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            now["x"], now["mask"], now["h"], now["c"], W, U, b
        )
        return (y * s["dy"]).mean() + (h_T * s["dh"]).mean() + (c_T * s["dc"]).mean()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found


# %% mistake="numeric"
# The cotangent of c_T is dc. Yours uses dh twice.
def numeric(functions, s, k, h=1e-5):
    """One cotangent twice."""

    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            now["x"], now["mask"], now["h"], now["c"], W, U, b
        )
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dh"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found


# %% mistake="numeric"
# The mask of the situation is not used.
def numeric(functions, s, k, h=1e-5):
    """Without the mask."""

    def loss(value):
        now = {**s, k: value}
        y, h_T, c_T, _ = functions["forward"](
            now["x"], np.ones_like(s["mask"]), now["h"], now["c"], W, U, b
        )
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[at] = h
        found[at] = (loss(s[k] + step) - loss(s[k] - step)) / (2 * h)
    return found


# %% mistake="numeric"
# After a number is changed by a step, it has to get its old value back.
def numeric(functions, s, k, h=1e-5):
    """A step that stays."""

    def loss():
        y, h_T, c_T, _ = functions["forward"](s["x"], s["mask"], s["h"], s["c"], W, U, b)
        return (y * s["dy"]).sum() + (h_T * s["dh"]).sum() + (c_T * s["dc"]).sum()

    found = np.zeros_like(s[k])
    for at in np.ndindex(found.shape):
        s[k][at] += h
        above = loss()
        s[k][at] -= 2 * h
        found[at] = (above - loss()) / (2 * h)
    return found


# %% mistake="numeric"
# The backward pass is under test. Here you get the forward pass alone.
def numeric(functions, s, k, h=1e-5):
    """The backward pass itself."""
    return gradients(functions, s)[k]


# %% mistake="numeric"
# These are the gradients of the lesson's own engine. At the end the check gives another forward
# pass: only differences of functions["forward"] are right for both.
def numeric(functions, s, k, h=1e-5):
    """Autograd's gradients."""
    return truth(s)[k]


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
            s[k][at] = was + steps * h
            total += weight * loss()
        s[k][at] = was
        found.append(total / (12 * h))
    return np.reshape(found, s[k].shape)


# %% [markdown]
# The check draws every entry of a situation at random, and masks one step of one row. It gives your function the forward pass
# alone: first that of the engine, then another one, which doubles its input.

# %% check="numeric" points=2
draw = np.random.default_rng(1)
drawn = plain(3)
for k in ("h", "c", "dy", "dh", "dc"):
    drawn[k] = draw.normal(size=drawn[k].shape)
drawn["mask"][1, 0] = False
right = truth(drawn)
PARTS = {"⟨y, dy⟩": ("dh", "dc"), "⟨h_T, dh⟩": ("dy", "dc"), "⟨c_T, dc⟩": ("dy", "dh")}
parts = {}  # the gradients of each part of the loss alone
for name, others in PARTS.items():
    parts[name] = truth({**drawn, **{k: 0 * drawn[k] for k in others}})
AXES = {"x": "step row feature", "h": "row unit", "c": "row unit"}
forward_alone = {"forward": engine()["forward"]}
for k, axes in AXES.items():
    yours = ask(numeric, forward_alone, drawn, k, h=1e-3, shape=drawn[k].shape)
    terms = {f"from {name}": found[k] for name, found in parts.items()}
    same(f"d{k} by differences", yours, right[k], atol=1e-5, axes=axes, terms=terms)


def doubled(x, *others):
    """The outputs and states for an input that is twice as large."""
    return forward_alone["forward"](2 * x, *others)


yours = ask(numeric, {"forward": doubled}, drawn, "x", h=1e-3, shape=drawn["x"].shape)
expected = 2 * truth({**drawn, "x": 2 * drawn["x"]})["x"]
same("dx of another forward pass", yours, expected, atol=1e-5, axes=AXES["x"])

# %% [markdown]
# ## Exercise 2: let none through
#
# Write `situation()`. It returns a situation, a dictionary like that of `plain`, in which every suspect is caught when all
# gradients are compared. The batch has `B` rows, `x` has `F` features, the states have `UNITS` units; the number of steps is yours to
# choose. For each entry ask: what would a zero, a one, or a symmetry hide? And for the mask: in which row does the gradient have to go
# *around* a step?


# %% exercise="situation"
def situation():
    """A situation that lets no suspect through."""
    ### BEGIN SOLUTION
    draw = np.random.default_rng(2)
    s = {"x": draw.normal(size=(6, B, F)), "dy": draw.normal(size=(6, B, UNITS))}
    for k in ("h", "c", "dh", "dc"):
        s[k] = draw.normal(size=(B, UNITS))
    s["mask"] = np.ones((6, B), bool)
    s["mask"][2, 0] = False  # a hole
    s["mask"][4:, 1] = False  # an early end
    s["mask"][:, 2] = False  # masked at every step
    return s
    ### END SOLUTION


# %% [markdown] hint="situation"
# Begin with `plain(6)`. Which of its entries are zero, and which lines of `backward` read them? Which
# lines do nothing as long as no step is masked?

# %% [markdown] hint="situation"
# Draw $x$, $dy$, the first state ($h$, $c$) and the cotangents of the last one ($dh$, $dc$) from a normal distribution. In
# the mask, let one row have a masked step between two others, let one row end early, and mask one row at all steps.


# %% mistake="situation"
# The lines that carry a gradient around a masked step are not tested.
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
# Your loss does not depend on the last state, so a gradient that arrives there may be lost.
def situation():
    """Without the final states."""
    draw = np.random.default_rng(2)
    s = {
        "x": draw.normal(size=(6, B, F)),
        "dy": draw.normal(size=(6, B, UNITS)),
        "mask": draw.random((6, B)) < 0.6,
    }
    s |= {k: draw.normal(size=(B, UNITS)) for k in ("h", "c")}
    return s | {k: np.zeros((B, UNITS)) for k in ("dh", "dc")}


# %% mistake="situation"
# This is still the common situation: more steps do not help, other entries do.
def situation():
    """The common situation, with more steps."""
    return plain(30)


# %% mistake="situation"
# In each row the mask is all True or all False. A row is tested well if it has both.
def situation():
    """A mask that hides every step."""
    draw = np.random.default_rng(2)
    s = {"x": draw.normal(size=(6, B, F)), "dy": draw.normal(size=(6, B, UNITS))}
    s |= {k: draw.normal(size=(B, UNITS)) for k in ("h", "c", "dh", "dc")}
    return {**s, "mask": np.zeros((6, B), bool)}


# %% mistake="situation"
# The axes are in the order (row, step). In this lesson time comes first, as in the code above.
def situation():
    """Rows first."""
    draw = np.random.default_rng(2)
    s = {"x": draw.normal(size=(B, 6, F)), "dy": draw.normal(size=(B, 6, UNITS))}
    s |= {k: draw.normal(size=(B, UNITS)) for k in ("h", "c", "dh", "dc")}
    return {**s, "mask": draw.random((B, 6)) < 0.6}


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


# %% variant="situation"
def situation():
    """Two steps; a mask of whole numbers; a NumPy array in a dictionary of another kind."""
    from collections import OrderedDict

    draw = np.random.default_rng(4)
    s = OrderedDict(mask=np.array([[1, 0, 1], [0, 1, 1]]))
    for k in ("h", "c", "dh", "dc"):
        s[k] = draw.normal(size=(B, UNITS))
    s["x"], s["dy"] = draw.normal(size=(2, B, F)), draw.normal(size=(2, B, UNITS))
    return s


# %% [markdown]
# The check says how many suspects are not caught, and what your situation may hide.

# %% check="situation" points=4
STATES = ("h", "c", "dh", "dc")


def in_form(s):
    """Your situation, if each entry has the right shape; the mask as True and False."""
    form = f"situation should return a dictionary with the entries {', '.join(plain(1))}"
    check(isinstance(s, dict), f"{form}; yours is of type {type(s).__name__}.")
    check(set(s) == set(plain(1)), f"{form}; yours has {', '.join(map(str, s))}.")
    s = {k: np.asarray(value) for k, value in s.items()}
    for k in STATES:
        returned(f'the entry "{k}"', s[k], shape=(B, UNITS))
    form = f"x should have the shape (steps, {B}, {F}): the step comes before the row"
    fits = s["x"].ndim == 3 and len(s["x"]) and s["x"].shape[1:] == (B, F)
    check(fits, f"{form}. Yours has the shape {s['x'].shape}.")
    T = len(s["x"])
    for k, shape in {"x": (T, B, F), "mask": (T, B), "dy": (T, B, UNITS)}.items():
        returned(f'the entry "{k}"', s[k], shape=shape)
    zeros_and_ones = np.isin(s["mask"], (0, 1)).all()
    check(zeros_and_ones, "mask should be True or False for each step and row.")
    return {**s, "mask": s["mask"].astype(bool)}


def can_hide(s):
    """The zeros of a situation, in words."""
    found = [f"{k} is 0 everywhere." for k in ("x", "dy", *STATES) if not s[k].any()]
    if s["mask"].all():
        found.append("No step is masked.")
    elif not s["mask"].any():
        found.append("Every step is masked.")
    return " ".join(["In yours:", *found]) if found else ""


yours = in_form(ask(situation))
finite = all(np.isfinite(gradient).all() for gradient in truth(yours).values())
check(finite, "The right gradients of your situation are infinite. Use smaller numbers.")
free = [n for n, found in zip(ALL, caught(yours), strict=True) if not found]
check(not free, f"{len(free)} of {len(ALL)} are not caught: {free}. {can_hide(yours)}")
print("all caught")

# %% [markdown]
# ## Exercise 3: fingerprints
#
# That a backward pass is wrong is less than half of the result. *Where* is it wrong? Write `fingerprint(functions, s)`: a text
# with the letters of all wrong gradients, in the order `"xhcWUb"`. If $dh$ and $dU$ are wrong, for example, it is `"hU"`; if all are
# right, it is `""`. A gradient is wrong if one number differs by more than rounding explains: by 0.001, for example.


# %% exercise="fingerprint"
def fingerprint(functions, s):
    """The letters of the wrong gradients, such as "xhU"."""
    ### BEGIN SOLUTION
    right = truth(s)
    found = gradients(functions, s)
    wrong = ""
    for k in "xhcWUb":
        if not np.allclose(found[k], right[k], rtol=1e-6, atol=1e-9):
            wrong += k
    return wrong
    ### END SOLUTION


# %% [markdown] hint="fingerprint"
# Which function of this lesson gives the right gradients in a situation, and which one those of an engine? Are two floats equal if
# they were computed in two ways?

# %% [markdown] hint="fingerprint"
# `truth(s)` has the right gradients, `gradients(functions, s)` those of the engine; both are dictionaries with the keys
# `"x"`, `"h"`, … Go through the letters of `"xhcWUb"`, and add to the text each letter for which `np.allclose` of the
# two arrays is False.


# %% mistake="fingerprint"
# Two errors of opposite sign cancel in a sum. Compare number by number.
def fingerprint(functions, s):
    """A comparison of sums."""
    right, found = truth(s), gradients(functions, s)
    return "".join(k for k in "xhcWUb" if not np.isclose(found[k].sum(), right[k].sum()))


# %% mistake="fingerprint"
# The tolerance is too large: an error of 0.001 gets through.
def fingerprint(functions, s):
    """A tolerance of a hundredth."""
    right, found = truth(s), gradients(functions, s)
    return "".join(k for k in "xhcWUb" if not np.allclose(found[k], right[k], atol=0.01))


# %% mistake="fingerprint"
# Two floats that were computed in different ways are seldom equal: allow for rounding.
def fingerprint(functions, s):
    """Exact equality."""
    right, found = truth(s), gradients(functions, s)
    return "".join(k for k in "xhcWUb" if (found[k] != right[k]).any())


# %% mistake="fingerprint"
# Only the gradients of the weights are compared. Those of x, h and c can be wrong, too.
def fingerprint(functions, s):
    """The weights, without the inputs."""
    right, found = truth(s), gradients(functions, s)
    return "".join(k for k in "WUb" if not np.allclose(found[k], right[k]))


# %% mistake="fingerprint"
# The letters of the right gradients are returned, in the place of the wrong ones.
def fingerprint(functions, s):
    """Right ones for wrong ones."""
    right, found = truth(s), gradients(functions, s)
    return "".join(k for k in "xhcWUb" if np.allclose(found[k], right[k]))


# %% mistake="fingerprint"
# Only the first wrong gradient is named. Go on to the last letter.
def fingerprint(functions, s):
    """The first wrong gradient."""
    right, found = truth(s), gradients(functions, s)
    for k in "xhcWUb":
        if not np.allclose(found[k], right[k]):
            return k
    return ""


# %% mistake="fingerprint"
# The letters alone: without spaces or commas between them.
def fingerprint(functions, s):
    """With spaces."""
    right, found = truth(s), gradients(functions, s)
    return " ".join(k for k in "xhcWUb" if not np.allclose(found[k], right[k]))


# %% mistake="fingerprint"
# The letters alone: without a d before each of them.
def fingerprint(functions, s):
    """With the names of the gradients."""
    right, found = truth(s), gradients(functions, s)
    return "".join(f"d{k}" for k in "xhcWUb" if not np.allclose(found[k], right[k]))


# %% mistake="fingerprint"
# The argument s is not used. The gradients are wrong in that situation, and may be right in another one.
def fingerprint(functions, s):
    """Another situation."""
    s = plain(1)
    right, found = truth(s), gradients(functions, s)
    return "".join(k for k in "xhcWUb" if not np.allclose(found[k], right[k]))


# %% variant="fingerprint"
def fingerprint(functions, s):
    """By the largest difference; letters collected in a list."""
    right, wrong = truth(s), []
    for k, found in gradients(functions, s).items():
        found -= right[k]
        if np.abs(found).max() > 1e-8:
            wrong.append(k)
    return "".join(sorted(wrong, key="xhcWUb".index))


# %% variant="fingerprint"
def fingerprint(functions, s):
    """Against the engine without a bug."""
    right, found = gradients(engine(), s), gradients(functions, s)
    return "".join(k for k in right if (np.abs(found[k] - right[k]) > 1e-7).any())


# %% [markdown]
# The check gives your function the right engine, and engines with small errors in known places.

# %% check="fingerprint" points=2
draw = np.random.default_rng(3)
quiet = plain(4)


def spoilt(names, change, steps=range(100)):
    """The right engine; two numbers are changed in some of its gradients, for some numbers of steps."""
    functions = engine()
    right_backward = functions["backward"]

    def backward(*arguments):
        found = right_backward(*arguments)
        for k in names if len(arguments[0]) in steps else "":
            two = draw.choice(found[k].size, 2, replace=False)
            found[k].flat[two] += change
        return found

    return functions | {"backward": backward}


def check_fingerprint(engine, names, engine_in_words):
    """Compare your fingerprint of an engine with the names of its wrong gradients."""
    yours = ask(fingerprint, engine, quiet)
    form = 'fingerprint should return a text, such as "xhU"'
    check(isinstance(yours, str), f"{form}; yours is of type {type(yours).__name__}.")
    says = f"{engine_in_words} the fingerprint should be {names!r}; yours is "
    if not names:
        says += "not empty."
    elif yours != names and sorted(yours) == sorted(names):
        says += f"{yours!r}. The letters are right; their order should be that of 'xhcWUb'."
    else:
        says += f"{yours!r}."
    check(yours == names, says)


check_fingerprint(
    spoilt("xhcWUb", 1), "xhcWUb", "With 1 added to two numbers of each gradient,"
)
check_fingerprint(engine(), "", "For the right engine")
at_four = "With 1 added to two numbers of dW where there are four steps, as here,"
check_fingerprint(spoilt("W", 1, steps=[4]), "W", at_four)
for names in ("W", "x", "cU"):
    gradients_named = " and ".join(f"d{k}" for k in names)
    small = f"With 0.001 added to a number of {gradients_named},"
    check_fingerprint(spoilt(names, np.array([0.001, 0])), names, small)
opposite = "With 1 added to a number of dh and of dW, and subtracted from another one,"
check_fingerprint(spoilt("hW", np.array([1, -1])), "hW", opposite)
print("every fingerprint right")

# %% [markdown]
# Now take your situation and write down the fingerprint of every suspect. Some are found at once: if only $db$ is wrong, one line of
# the code remains. Others need a second test, in a situation made for them: one step; one unit; no mask; $dc_T$ alone. **Hand in** a
# list: for each suspect the line, the mistake in it, and the situation in which you found it. Then decode the suspects, and compare.
#
# ## To think about
#
# 1. Which suspects does *training* hide best? Put two of them into a loop and see how far the loss falls.
# 2. Two suspects have the same fingerprint. Give a situation in which they differ.
# 3. Is there a bug that your situation would let through? Invent a seventeenth. (Two errors that cancel? A wrong constant that is right in float32?)
# 4. Who tests the test? What would you change in the check of exercise 2 so that it could not pass by accident?
#
# ## Summary
#
# - A wrong gradient seldom stops a program, and the loss falls with all sixteen of these. Gradients have to be measured, in an independent way.
# - A test finds what its situation shows. Each zero, each one and each symmetry hides a line.
# - None of the sixteen gets through if there are random cotangents for *every* output, states that are not zero, a mask with a hole and a
#   row that is masked at every step, and if *all* gradients are compared.
# - The list of the wrong gradients shows where to look.
#
# **In the source:** [`minigrad/recurrent/lstm.py`](../minigrad/recurrent/lstm.py) and
# [`minigrad/recurrent/bptt.py`](../minigrad/recurrent/bptt.py) do in minigrad what you have
# tested here, and [`minigrad/testing/gradients.py`](../minigrad/testing/gradients.py) is minigrad's own check.

# %% [markdown]
# ## Your net
#
# The last test is for [`mynet.py`](mynet.py), which you have written since lesson 1. Your net and minigrad's start with the same
# weights and read the same pieces of the tales of lesson 0, twenty steps long, in float64. The losses are compared number for number.
# After twenty steps the loss depends on every function that you wrote, so that a wrong one would show.

# %%
from lesson_net import compare_with_minigrad, your_net_writes

compare_with_minigrad()

# %% [markdown]
# And now let it learn to write, without minigrad. Six hundred steps take some seconds.

# %%
your_net_writes(steps=scaled(600, 5))
