# %% [markdown]
# # 7 · The LSTM, backward by hand
#
# The gradient of one step, line by line, then gate by gate, then in one function that runs inside a real layer; and the paths of the gradient.
#
# **Minutes:** 90 · **Needs:** lessons 1 to 6
#
# After this lesson you can
#
# 1. derive every line of the LSTM's backward pass, and name its line of the forward pass;
# 2. write the backward pass of a step from the cached numbers, and prove it right with finite differences;
# 3. read a gradient ledger: the paths of a gradient, and why the path along $c$ is longer than the others.

# %%
from typing import NamedTuple

import numpy as np

import minigrad as mg
from lesson_tools import ask, check_gradients, line, picture, same_parts, table
from minigrad import plot
from minigrad.recurrent import LSTM, Formulas

# %% [markdown]
# ## Read upwards
#
# The chain rule as a program (lesson 1): go through the forward pass from its last line to its first. At each line, each input
# gets the gradient of the output times the local derivative. If a letter has two readers, add the two shares.
#
# | forward | backward, from bottom to top |
# |---|---|
# | $z = xW + hU + b$ | $dh = dz\,U^\top$, $\quad dx = dz\,W^\top$ |
# | $i = \sigma(z_i)$ | $dz_i = di\circ i\circ(1-i)$ |
# | $f = \sigma(z_f)$ | $dz_f = df\circ f\circ(1-f)$ |
# | $g = \tanh(z_g)$ | $dz_g = dg\circ(1-g\circ g)$ |
# | $o = \sigma(z_o)$ | $dz_o = do\circ o\circ(1-o)$ |
# | $c_\text{new} = f\circ c + i\circ g$ | $df = dc_\text{new}\circ c$, $\ di = dc_\text{new}\circ g$, $\ dg = dc_\text{new}\circ i$, $\quad dc = dc_\text{new}\circ f$ |
# | $a = \tanh(c_\text{new})$ | $dc_\text{new} \mathrel{+}= da\circ(1-a\circ a)$ |
# | $h_\text{new} = o\circ a$ | $do = dh_\text{new}\circ a$, $\quad da = dh_\text{new}\circ o$ |
#
# $dx$ is always $\partial\text{loss}/\partial x$ and has the shape of $x$. Two gradients come from the right:
# $dh_\text{new}$ and $dc_\text{new}$, from the step after (and from the loss, if it depends on $h_\text{new}$ directly).
# Two go to the left, $dh$ and $dc$, for the step before.
#
# **Mind the `+=`.** $c_\text{new}$ has two readers: the next step, whose share is the given $dc_\text{new}$, and $a$.
# Add the share of $a$ first. Only then is $dc_\text{new}$ complete, and ready for $f$, $i$, $g$ and $c$.
#
# | | shape |
# |---|---|
# | $dh_\text{new}$, $dc_\text{new}$, $di$, $df$, $dg$, $do$, $dz_i$, … | `(batch, units)` |
# | $dz$ | `(batch, 4 units)`, in the order $i, f, g, o$ |
# | $U$ | `(units, 4 units)` |
#
# The backward pass does not need $z$, for the derivatives of σ and tanh follow from their *outputs*. It needs the old $c$;
# $x$ and $h$ are needed after the loop only, in the gradients of the weights. So the forward pass caches, in addition to
# the inputs and the states, five numbers for each unit: $i, f, g, o, a$.
#
# ## An example for paper
#
# The one of lesson 6: $i = o = 0.731$, $f = 0.622$, $g = 0.462$, $c = 1$, $a = 0.744$, and $U = (1, 1, -1, 2)$. Let the loss be
# $h_\text{new}$ itself: $dh_\text{new} = 1$, and $dc_\text{new} = 0$ from the right. From bottom to top,
# computed with all digits and written with three:
#
# - $do = 0.744$, and $dc_\text{new} = 0 + 1\cdot 0.731\cdot(1 - 0.744^2) = 0.326$;
# - $df = 0.326\cdot 1 = 0.326$, $\ di = 0.326\cdot 0.462 = 0.151$, $\ dg = 0.326\cdot 0.731 = 0.238$;
# - $dz_i = 0.151\cdot 0.731\cdot 0.269 = 0.0296$, $\ dz_f = 0.0766$, $\ dz_g = 0.238\,(1-0.462^2) = 0.187$, $\ dz_o = 0.146$;
# - $dh = 0.0296 + 0.0766 - 0.187 + 2\cdot 0.146 = 0.212$, $\quad dc = 0.326\cdot 0.622 = 0.203$.
#
# The same from a trace. The drawing shows the backward pass, from right to left: each arrow carries a gradient. Where
# arrows meet, the gradients are added; where an arrow leaves a box, it is multiplied by the local derivative.

# %%
paper_weights = [
    np.array([[0.5, -1.0, 1.0, 0.0]]),
    np.array([[1.0, 1.0, -1.0, 2.0]]),
    np.array([0.0, 1.0, 0.0, 0.0]),
]
lstm = mg.keras.layers.LSTM(1, dtype="float64", name="lstm")
lstm.build((None, None, 1))
lstm.set_weights(paper_weights)
with mg.trace(lstm) as paper:
    lstm(
        np.ones((1, 1, 1)), initial_state=[np.full((1, 1), 0.5), np.ones((1, 1))]
    ).sum().backward()
found = {
    "dh_new": paper.dh[1],
    "dc_new": paper.dc[1],
    "dz_i": paper.dz_i[0],
    "dz_f": paper.dz_f[0],
    "dz_g": paper.dz_g[0],
    "dz_o": paper.dz_o[0],
    "dh": paper.dh[0],
    "dc": paper.dc[0],
}
numbers = {name: f"{array[0, 0]:.3g}" for name, array in found.items()}  # row 0, unit 0
table(list(numbers), [list(numbers.values())])


# %%
def draw_backward(ax):
    boxes = {
        "×f": (3, 4, "×"), "+": (5.6, 4, "+"), "c_new": (8.8, 4, "c_new"), "tanh a": (8.8, 2.9, "tanh"), "×o": (8.8, 1.8, "×"),
        "×ig": (5.6, 2.7, "×"), "f": (3, 0.9, "σ  f"), "i": (4.8, 0.9, "σ  i"), "g": (6.4, 0.9, "tanh  g"),
        "o": (7.8, 0.9, "σ  o"), "h_new": (12, 1.8, "h_new"), "right": (12, 4, "c_new"), "c": (0, 4, "c"), "h": (0, -0.6, "h"),
    }  # fmt: skip
    arrows = [  # from, to, text, its share of the arrow, and its offset
        ("right", "c_new", "dc_new = 0", 0.5, (0, 0.22)), ("h_new", "×o", "dh_new = 1", 0.5, (0, 0.22)),
        ("×o", "o", "do = 0.744", 0.5, (-0.75, 0.12)), ("×o", "tanh a", "da = 0.731", 0.5, (0.8, 0)),
        ("tanh a", "c_new", "0.326", 0.5, (0.45, 0)), ("c_new", "+", "dc_new = 0.326", 0.5, (0, 0.22)),
        ("+", "×f", "0.326", 0.5, (0, 0.22)), ("×f", "c", f"dc = {numbers['dc']}", 0.5, (0, 0.22)),
        ("×f", "f", "df = 0.326", 0.45, (-0.75, 0)), ("+", "×ig", "0.326", 0.5, (0.45, 0)),
        ("×ig", "i", "di = 0.151", 0.5, (-0.85, 0)), ("×ig", "g", "dg = 0.238", 0.5, (0.85, 0)),
    ]  # fmt: skip
    U_of = {"f": "1", "i": "1", "g": "−1", "o": "2"}
    orange = line(1)["color"]
    frame = {"boxstyle": "round,pad=0.3", "fc": "white", "ec": line(0)["color"]}
    patches = {}
    for name, (x, y, text) in boxes.items():
        patches[name] = ax.text(
            x, y, text, ha="center", va="center", bbox=frame
        ).get_bbox_patch()
    style = {"arrowstyle": "-|>", "color": orange, "shrinkA": 1, "shrinkB": 1}
    for start, end, text, share, (right, up) in arrows:
        (x0, y0, _), (x1, y1, _) = boxes[start], boxes[end]
        ends = {"patchA": patches[start], "patchB": patches[end]}
        ax.annotate("", (x1, y1), (x0, y0), arrowprops=style | ends)
        x, y = x0 + share * (x1 - x0) + right, y0 + share * (y1 - y0) + up
        ax.text(x, y, text, ha="center", va="center", color=orange, fontsize=9)
    for gate, weight in U_of.items():
        x, y, _ = boxes[gate]
        ax.annotate("", (x, -0.6), (x, y), arrowprops=style | {"patchA": patches[gate]})
        ax.text(
            x + 0.1,
            0.28,
            f"dz_{gate} = {numbers['dz_' + gate]}",
            color=orange,
            fontsize=9,
            va="center",
        )
        ax.text(
            x + 0.1,
            -0.15,
            f"times U_{gate} = {weight}",
            color="0.3",
            fontsize=8,
            va="center",
        )
    ax.annotate("", (0, -0.6), (7.8, -0.6), arrowprops=style | {"patchB": patches["h"]})
    ax.text(1.4, -0.38, f"dh = {numbers['dh']}", ha="center", color=orange, fontsize=9)
    ax.set(xlim=(-0.6, 12.8), ylim=(-1, 4.5))
    ax.axis("off")


picture(
    draw_backward,
    alt="The backward pass of the example, as arrows from right to left. dh_new = 1 comes to the "
    "product of h_new: do = 0.744 goes to the output gate, da = 0.731 through the tanh, which leaves "
    "0.326. With dc_new = 0 from the right this makes the complete dc_new = 0.326. From there 0.326 "
    "goes along the carousel, times f, to dc = 0.203; df = 0.326 to the forget gate; di = 0.151 to the "
    "input gate; dg = 0.238 to the candidate. Below the gates dz_f = 0.0766, dz_i = 0.0296, dz_g = "
    "0.187 and dz_o = 0.146, times their entries of U, 1, 1, −1 and 2, sum to dh = 0.212.",
    size=(11, 5),
)

# %% [markdown]
# ## A step to take apart
#
# `LSTM` is minigrad's file of equations ([`lstm.py`](../minigrad/recurrent/lstm.py), which holds the solutions too: read it
# afterwards). `Formulas` makes functions from them that run with any array library. With NumPy they compute with arrays.
# With `mg.functional` they compute with Tensors, so that the *tape* has the gradient of each intermediate number. The
# checks compare your lines with these gradients.


# %%
class Kept(NamedTuple):
    """The cached numbers of a step, each (batch, units)."""

    i: np.ndarray
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    a: np.ndarray


draw = np.random.default_rng(0)
BATCH, FEATURES, UNITS = 3, 2, 4
h, c, dh_new, dc_new = (draw.normal(size=(BATCH, UNITS)) for _ in range(4))
W, U = (0.5 * draw.normal(size=(n, 4 * UNITS)) for n in (FEATURES, UNITS))
formulas = Formulas(LSTM)
weights = formulas.Weights(W, U, draw.normal(size=4 * UNITS))
z = formulas.project(np, draw.normal(size=(BATCH, FEATURES)), weights)  # x W + b

_, everything = formulas.step(np, z, (h, c), weights)  # here h U comes on top
kept = Kept(*everything)


def on_the_tape(*wanted):
    """∂loss/∂(letter) for letters such as "o", "c_new", "z", with the loss ⟨dh_new, h_new⟩ + ⟨dc_new, c_new⟩."""
    t = {"z": mg.tensor(z, requires_grad=True), "h": mg.tensor(h, requires_grad=True)}
    t["c"] = mg.tensor(c, requires_grad=True)
    on_tensors = formulas.Weights(*(w if w is None else mg.tensor(w) for w in weights))
    new, gates = formulas.step(mg.functional, t["z"], (t["h"], t["c"]), on_tensors)
    t |= {"h_new": new[0], "c_new": new[1], **gates._asdict()}
    loss = (dh_new * t["h_new"]).sum() + (dc_new * t["c_new"]).sum()
    return [d.numpy() for d in mg.grad(loss, [t[letter] for letter in wanted])]


# %% [markdown]
# ## Exercise 1: each intermediate
#
# From the given gradients, $dh_\text{new}$ and $dc_\text{new}$, to those of the gates: return $do$, the **complete**
# $dc_\text{new}$, and $df$, $di$, $dg$. `kept` has the attributes `i, f, g, o, a`; `c` is the *old* cell state.


# %% exercise="intermediates"
def intermediates(dh_new, dc_new, kept, c):
    """do, dc_new, df, di, dg, each (batch, units)."""
    ### BEGIN SOLUTION
    do = dh_new * kept.a
    dc_new = dc_new + dh_new * kept.o * (1 - kept.a * kept.a)
    return do, dc_new, dc_new * c, dc_new * kept.g, dc_new * kept.i
    ### END SOLUTION


# %% [markdown] hint="intermediates"
# Which lines of the forward pass read $c_\text{new}$? There are two. Add both shares before you use
# $dc_\text{new}$.

# %% [markdown] hint="intermediates"
# From the last two lines of the table: $do = dh_\text{new}\circ a$ and $da = dh_\text{new}\circ o$.
# The complete $dc_\text{new}$ is the one that comes in plus $da\circ(1-a\circ a)$. Then $df$, $di$,
# $dg$ are this number times $c$, $g$, $i$.


# %% mistake="intermediates"
# The share that comes through h_new is missing in dc_new: c_new has two readers.
def intermediates(dh_new, dc_new, kept, c):
    """Without the share through h_new."""
    return dh_new * kept.a, dc_new, dc_new * c, dc_new * kept.g, dc_new * kept.i


# %% mistake="intermediates"
# dc_new is right, but df, di and dg are made from the number before the share through h_new
# was added.
def intermediates(dh_new, dc_new, kept, c):
    """dc_new used before it is complete."""
    complete = dc_new + dh_new * kept.o * (1 - kept.a**2)
    return dh_new * kept.a, complete, dc_new * c, dc_new * kept.g, dc_new * kept.i


# %% mistake="intermediates"
# df is dc_new times the *new* c. The forget gate multiplies the old one.
def intermediates(dh_new, dc_new, kept, c):
    """df from the new c."""
    dc_new = dc_new + dh_new * kept.o * (1 - kept.a**2)
    c_new = kept.f * c + kept.i * kept.g
    return dh_new * kept.a, dc_new, dc_new * c_new, dc_new * kept.g, dc_new * kept.i


# %% mistake="intermediates"
# di and dg are exchanged: each of the two gets the *other* factor of i ∘ g.
def intermediates(dh_new, dc_new, kept, c):
    """i and g exchanged."""
    dc_new = dc_new + dh_new * kept.o * (1 - kept.a**2)
    return dh_new * kept.a, dc_new, dc_new * c, dc_new * kept.i, dc_new * kept.g


# %% variant="intermediates"
def intermediates(dh_new, dc_new, kept, c):
    """In place, as the `+=` of the table has it."""
    do = dh_new * kept.a
    da = dh_new * kept.o
    dc_new += da * (1 - kept.a**2)
    return do, dc_new, dc_new * c, dc_new * kept.g, dc_new * kept.i


# %% variant="intermediates"
def intermediates(dh_new, dc_new, kept, c):
    """In place in every array; single precision; a list."""
    i, _, g, o, a = kept
    o *= dh_new
    dh_new *= a
    a *= -a
    a += 1
    o *= a
    dc_new += o
    c *= dc_new
    g *= dc_new
    i *= dc_new
    return [part.astype("float32") for part in (dh_new, dc_new, c, g, i)]


# %% check="intermediates" points=3
parts = ("do", "dc_new", "df", "di", "dg")
right = on_the_tape("o", "c_new", "f", "i", "g")
yours = ask(intermediates, dh_new, dc_new, kept, c, parts=parts)
shares = {"from the step after": dc_new, "through h_new": right[1] - dc_new}
same_parts(
    parts, yours, right, terms={"dc_new": shares}, axes=dict.fromkeys(parts, "row unit")
)

# %% [markdown]
# ## Exercise 2: through the gates
#
# Now from the gates to their pre-activations, one after the other. Each derivative comes from the output alone:
# $\sigma' = \sigma(1-\sigma)$ and $\tanh' = 1-\tanh^2$.


# %% exercise="gates"
def through_the_gates(di, df, dg, do, kept):
    """dz_i, dz_f, dz_g, dz_o, each (batch, units)."""
    ### BEGIN SOLUTION
    dz_i = di * kept.i * (1 - kept.i)
    dz_f = df * kept.f * (1 - kept.f)
    dz_g = dg * (1 - kept.g * kept.g)
    dz_o = do * kept.o * (1 - kept.o)
    return dz_i, dz_f, dz_g, dz_o
    ### END SOLUTION


# %% [markdown] hint="gates"
# Which of the four is the output of a tanh?

# %% [markdown] hint="gates"
# Three times $d\circ k\circ(1-k)$, for $k = i, f, o$; once $dg\circ(1-g\circ g)$. Return them in the
# order $i, f, g, o$.


# %% mistake="gates"
# The candidate goes through the slope of σ. g comes from a tanh.
def through_the_gates(di, df, dg, do, kept):
    """The candidate like a gate."""
    pairs = zip((di, df, dg, do), kept[:4], strict=True)
    return tuple(d * k * (1 - k) for d, k in pairs)


# %% mistake="gates"
# The gates go through the slope of tanh. i, f and o come from σ.
def through_the_gates(di, df, dg, do, kept):
    """The gates like the candidate."""
    pairs = zip((di, df, dg, do), kept[:4], strict=True)
    return tuple(d * (1 - k * k) for d, k in pairs)


# %% mistake="gates"
# The slope of σ is taken at i, f, o as if they were z. They are outputs of σ already.
def through_the_gates(di, df, dg, do, kept):
    """σ′ of what is σ already."""

    def slope(k):
        return np.exp(-k) / (1 + np.exp(-k)) ** 2

    i, f, g, o, _ = kept
    return di * slope(i), df * slope(f), dg * (1 - g * g), do * slope(o)


# %% variant="gates"
def through_the_gates(di, df, dg, do, kept):
    """In place; k − k² for k (1 − k); one array of four."""
    for d, k in ((di, kept.i), (df, kept.f), (do, kept.o)):
        d *= k - k**2
    dg -= dg * kept.g**2
    return np.stack([di, df, dg, do])


# %% check="gates" points=2
do_, di_, df_, dg_, dz_expected = on_the_tape("o", "i", "f", "g", "z")
parts = ("dz_i", "dz_f", "dz_g", "dz_o")
yours = ask(through_the_gates, di_, df_, dg_, do_, kept, parts=parts)
right = np.split(dz_expected, 4, axis=-1)
same_parts(parts, yours, right, axes=dict.fromkeys(parts, "row unit"))

# %% [markdown]
# ## Exercise 3: the step, fused
#
# Put it together: one function, from $(dh_\text{new}, dc_\text{new})$ to $dz$, `(batch, 4 units)`, and $(dh, dc)$ for the step
# before. It is only a few lines. Write it without a call of the two above, as in a library:
# `np.concatenate([...], axis=-1)` puts the four parts side by side. (The arrays are NumPy's here.)


# %% exercise="step_backward"
def step_backward(dh_new, dc_new, kept, c, U):
    """dz (batch, 4 units), dh and dc (batch, units)."""
    ### BEGIN SOLUTION
    i, f, g, o, a = kept[:5]
    do = dh_new * a
    dc_new = dc_new + dh_new * o * (1 - a * a)
    dz = [dc_new * g * i * (1 - i), dc_new * c * f * (1 - f)]
    dz += [dc_new * i * (1 - g * g), do * o * (1 - o)]
    dz = np.concatenate(dz, axis=-1)
    return dz, dz @ U.T, dc_new * f
    ### END SOLUTION


# %% [markdown] hint="step_backward"
# Do exercises 1 and 2 in one go, without naming each part. Then $dh = dz\,U^\top$ and $dc
# = dc_\text{new}\circ f$. Which $dc_\text{new}$ is meant?

# %% [markdown] hint="step_backward"
# First the complete $dc_\text{new}$. Then a list of four arrays, in the order of the columns:
# $dc_\text{new}\,g\,i(1-i)$, $\;dc_\text{new}\,c\,f(1-f)$, $\;dc_\text{new}\,i(1-g^2)$,
# $\;dh_\text{new}\,a\,o(1-o)$. Concatenate them to $dz$. Return $dz$, $dz\,U^\top$ and
# $dc_\text{new}\circ f$.


# %% mistake="step_backward"
# dz and dh are right. dc is made from the dc_new that came in: the share through h_new is
# missing.
def step_backward(dh_new, dc_new, kept, c, U):
    """dc without the share through h_new."""
    i, f, g, o, a = kept[:5]
    total = dc_new + dh_new * o * (1 - a * a)
    dz = [total * g * i * (1 - i), total * c * f * (1 - f)]
    dz = np.concatenate([*dz, total * i * (1 - g * g), dh_new * a * o * (1 - o)], axis=-1)
    return dz, dz @ U.T, dc_new * f


# %% mistake="step_backward"
# dz and dh are right. dc is not multiplied by f.
def step_backward(dh_new, dc_new, kept, c, U):
    """dc without the factor f."""
    i, f, g, o, a = kept[:5]
    total = dc_new + dh_new * o * (1 - a * a)
    dz = [total * g * i * (1 - i), total * c * f * (1 - f)]
    dz = np.concatenate([*dz, total * i * (1 - g * g), dh_new * a * o * (1 - o)], axis=-1)
    return dz, dz @ U.T, total


# %% mistake="step_backward"
# The parts of dz are in the order f, i, g, o. The columns of U have the order i, f, g, o.
def step_backward(dh_new, dc_new, kept, c, U):
    """The parts of dz in another order than the columns of U."""
    i, f, g, o, a = kept[:5]
    total = dc_new + dh_new * o * (1 - a * a)
    dz = [total * c * f * (1 - f), total * g * i * (1 - i)]
    dz = np.concatenate([*dz, total * i * (1 - g * g), dh_new * a * o * (1 - o)], axis=-1)
    return dz, dz @ U.T, total * f


# %% mistake="step_backward"
# The columns of o are zero: the output gate gets its gradient from dh_new.
def step_backward(dh_new, dc_new, kept, c, U):
    """No gradient through the output gate."""
    i, f, g, o, a = kept[:5]
    total = dc_new + dh_new * o * (1 - a * a)
    dz = [total * g * i * (1 - i), total * c * f * (1 - f)]
    dz = np.concatenate([*dz, total * i * (1 - g * g), 0 * o], axis=-1)
    return dz, dz @ U.T, total * f


# %% variant="step_backward"
def step_backward(dh_new, dc_new, kept, c, U):
    """In place, into an array of zeros; dh as a sum over the gates."""
    i, f, g, o, a = kept
    u = dh_new.shape[1]
    dz = np.zeros((len(dh_new), 4 * u))
    dz[:, 3 * u :] = dh_new * a * o * (1 - o)
    dh_new *= o * (1 - a**2)
    dc_new += dh_new
    dz[:, :u] = dc_new * g * (i - i**2)
    dz[:, u : 2 * u] = dc_new * c * (f - f**2)
    dz[:, 2 * u : 3 * u] = dc_new * i * (1 - g**2)
    dh = sum(dz[:, k * u : (k + 1) * u] @ U[:, k * u : (k + 1) * u].T for k in range(4))
    dc_new *= f
    return [dz, dh, dc_new]


# %% [markdown]
# The check is a hard one. First it compares your function with `LSTM.backward`, minigrad's own lines, which run on plain
# arrays too. Then a *layer* uses your function in the place of these lines, and its gradients are compared with finite
# differences: random cotangents for the sequence and for both last states, six steps, initial states that are not zero, a
# mask; all inputs, all weights.

# %% check="step_backward" points=4
*dz, dc = LSTM.backward(dh_new, dc_new, *kept, c)
dz = np.concatenate(dz, axis=-1)
parts = ("dz", "dh", "dc")
yours = ask(step_backward, dh_new, dc_new, kept, c, U, parts=parts)
ways = {}  # the four terms of dh, one for each gate
for k, dz_k, U_k in zip(
    "ifgo", np.split(dz, 4, axis=-1), np.split(U, 4, axis=-1), strict=True
):
    ways[f"dz_{k} U_{k}ᵀ"] = dz_k @ U_k.T
axes = {"dz": "row gates", "dh": "row unit", "dc": "row unit"}
same_parts(parts, yours, (dz, dz @ U.T, dc), axes=axes, terms={"dh": ways})


class YourStep(Formulas):
    """minigrad's step forward, yours backward."""

    def step_backward(self, xp, dstate, kept, state, weights):
        given = (*dstate, Kept(*kept), state[1], weights[1])
        dz, *before = ask(step_backward, *given, parts=("dz", "dh", "dc"))
        return (dz,), tuple(before)


class YourCell(mg.keras.layers.LSTMCell):
    yours = YourStep(LSTM)  # made once: it is compiled from the text of the equations

    def formulas(self):
        return self.yours


layer = mg.keras.layers.RNN(
    YourCell(3, dtype="float64"), return_sequences=True, return_state=True, dtype="float64"
)
layer.build((None, None, 2))
draw = np.random.default_rng(1)
mask = np.array([[1, 1, 0, 1, 1, 1], [0, 1, 1, 1, 0, 0]], bool)
with mg.using("numpy"):
    check_gradients(
        "your step in a layer: x, h₀, c₀, W, U, b",
        lambda x, h, c: layer(x, mask=mask, initial_state=[h, c]),
        draw.normal(size=(2, 6, 2)),
        *draw.normal(size=(2, 2, 3)),
        weights=layer.trainable_weights,
        rtol=1e-4,
        atol=1e-6,
    )

# %% [markdown]
# ## The loop, and what is gathered after it
#
# The rest is as in lesson 5: go back from $t = T$ to $1$; before each step add to $dh$ the direct share of the loss. The
# gradients of the weights need not be computed in the loop. Keep all $dz_t$, and after the loop
#
# $$dW = \sum_t x_t^\top\,dz_t, \qquad dU = \sum_t h_{t-1}^\top\,dz_t, \qquad db = \sum_t\sum_\text{batch} dz_t, \qquad dx_t = dz_t W^\top .$$
#
# With time and batch as *one* long axis each of the sums is **one** matrix product. That is where the speed of an
# explicit backward pass comes from: $2T$ small products become two large ones.
#
# ## Exercise 4: gather
#
# `xs` is `(time, batch, features)`, `hs` `(time + 1, batch, units)`, with $h_0$ first and $h_T$ last, `dzs` `(time, batch, 4 units)`.


# %% exercise="gather"
def gather(xs, hs, dzs):
    """dW, dU, db."""
    ### BEGIN SOLUTION
    dz = dzs.reshape(-1, dzs.shape[-1])
    x = xs.reshape(len(dz), -1)
    h_before = hs[:-1].reshape(len(dz), -1)
    return x.T @ dz, h_before.T @ dz, dz.sum(axis=0)
    ### END SOLUTION


# %% [markdown] hint="gather"
# `dzs.reshape(-1, dzs.shape[-1])` has one row for each step and each row of the batch. What is the
# matching reshape of `xs`? Which states were read, the first $T$ or the last $T$?

# %% [markdown] hint="gather"
# With $X$, $H$ and $D$ of `time · batch` rows, made from `xs`, from `hs` without its last state, and
# from `dzs`: $dW = X^\top D$, $dU = H^\top D$, and $db$ is the sum of the rows of $D$.


# %% mistake="gather"
# dW and db are right. dU is made with the state after each step; h U reads the state before
# it.
def gather(xs, hs, dzs):
    """dU from the state after the step."""
    dz = dzs.reshape(-1, dzs.shape[-1])
    x, h = (a.reshape(len(dz), -1) for a in (xs, hs[1:]))
    return x.T @ dz, h.T @ dz, dz.sum(axis=0)


# %% mistake="gather"
# Yours is a mean over the batch. The rows of a batch add up.
def gather(xs, hs, dzs):
    """The mean over the batch."""
    dz = dzs.reshape(-1, dzs.shape[-1])
    x, h = (a.reshape(len(dz), -1) for a in (xs, hs[:-1]))
    n = xs.shape[1]
    return x.T @ dz / n, h.T @ dz / n, dz.sum(axis=0) / n


# %% mistake="gather"
# Only the last step is there. The weights are copied to every step, so the steps add up.
def gather(xs, hs, dzs):
    """The last step only."""
    return xs[-1].T @ dzs[-1], hs[-2].T @ dzs[-1], dzs[-1].sum(axis=0)


# %% variant="gather"
def gather(xs, hs, dzs):
    """Step by step, from the last; in place."""
    dW, dU, db = (
        np.zeros((xs.shape[2], dzs.shape[2])),
        np.zeros((hs.shape[2], dzs.shape[2])),
        0,
    )
    for x, h, dz in zip(xs[::-1], hs[-2::-1], dzs[::-1], strict=True):
        dW += x.T @ dz
        dU += h.T @ dz
        db += dz.sum(0)
    return dW, dU, db


# %% check="gather" points=2
mg.random.seed(1)
seen_layer = mg.keras.layers.LSTM(5, return_sequences=True, dtype="float64")
draw = np.random.default_rng(4)
xs, weight_of = draw.normal(size=(3, 7, 2)), draw.normal(size=(3, 7, 5))
with mg.trace(seen_layer) as seen:
    (seen_layer(xs) * weight_of).sum().backward()
dzs = np.concatenate([getattr(seen, f"dz_{k}") for k in "ifgo"], axis=-1)
parts = ("dW", "dU", "db")
yours = ask(gather, xs.transpose(1, 0, 2), seen.h, dzs, parts=parts)
right = [w.grad for w in seen_layer.trainable_weights]
axes = {"dW": "feature gates", "dU": "unit gates", "db": "gates"}
same_parts(parts, yours, right, axes=axes)

# %% [markdown]
# ## Which path did it take?
#
# Here are the gradients for the step before, with the sum over the gates written out:
#
# $$dc = \underbrace{dc_\text{new}\circ f}_{\text{carousel}}, \qquad
#   dh = \underbrace{dz_i U_i^\top}_{\text{input gate}} + \underbrace{dz_f U_f^\top}_{\text{forget gate}}
#      + \underbrace{dz_g U_g^\top}_{\text{candidate}} + \underbrace{dz_o U_o^\top}_{\text{output gate}} .$$
#
# Five paths lead back through a step. A trace records them separately: this is the **gradient ledger**. Its parts sum to
# the gradient that the engine computes. Two untrained nets, one with a forget bias of 0 and one of 3; the loss depends on
# the last $h$ only.

# %%
T = 40
x = np.random.default_rng(2).normal(size=(4, T, 6))


def traced(forget_bias):
    """The trace of an untrained LSTM; the loss is a random sum of the last h."""
    mg.random.seed(7)
    lstm = mg.keras.layers.LSTM(24, dtype="float64", name=f"forget bias {forget_bias}")
    lstm.build(x.shape)
    W, U, b = lstm.get_weights()
    b[24:48] = forget_bias
    lstm.set_weights([W, U, b])
    with mg.trace(lstm) as trace:
        (lstm(x) * np.random.default_rng(3).normal(size=24)).sum().backward()
    return trace


short, long = traced(0), traced(3)
for trace in (short, long):
    for state in "hc":
        parts = sum(trace.ledger[state].values())
        assert np.abs(parts - trace.arrived[state]).max() < 1e-12


def size(a):
    return np.abs(a).mean()


PATHS = (("c", "carousel"), ("h", "i"), ("h", "f"), ("h", "g"), ("h", "o"))
rows = []
for bias, trace in ((0, short), (3, long)):
    for state, path in PATHS:
        sizes = [size(trace.ledger[state][path][t]) for t in (39, 29, 19, 0)]
        rows.append([f"bias {bias}: {path} → {state}", *(f"{s:.1e}" for s in sizes)])
table(["mean |gradient| sent back", "t = 39", "t = 29", "t = 19", "t = 0"], rows)


# %%
def draw_ledgers(top, bottom):
    plot.gradient_ledger(short, ax=top)
    plot.gradient_ledger(long, ax=bottom)


picture(draw_ledgers, rows=2, size=(9, 6))

# %% [markdown]
# At the last step ($t = 39$, counted from 0) no gradient comes along $c$ yet: the loss depends on $h$ alone. From there the
# gradient passes to $c$, and the carousel carries most of it. With a bias of 0 the detours, above all the one through the
# candidate, carry more than a third on the mean; with a bias of 3 about a quarter. The shares look similar, but the table
# shows their sizes: with a bias of 0 the whole gradient shrinks to about six tenths at each step, with a bias of 3 it
# keeps its size. (Why is nothing sent back through the forget gate at $t = 0$? Look at $df$.)
#
# ## When it vanishes, and when not
#
# If only the carousel is counted, the Jacobian of $c_T$ is a *diagonal* matrix, a product of forget gates:
#
# $$\frac{\partial c_T}{\partial c_t}\bigg|_\text{carousel} = \operatorname{diag}(f_T\circ f_{T-1}\circ\dots\circ f_{t+1}) .$$
#
# No matrix, no tanh′. Compare with lesson 5: $\prod\operatorname{diag}(1-h^2)\,U^\top$. And the net *computes* each $f$: it
# can keep the gate open for as long as necessary. But how large are the detours? `mg.trace` also computes the whole
# Jacobian, with the detours and without approximation:

# %%
rows = []
for bias, trace in ((0, short), (3, long)):
    exact = trace.jacobian_norms("c")[0].mean()  # the mean of the rows
    product = trace.forget_product()[0].max(axis=-1).mean()
    rows.append([f"forget bias {bias}", f"{exact:.1e}", f"{product:.1e}"])
table(["40 steps back", "‖∂c_T/∂c_0‖", "largest product of forget gates"], rows)


# %%
def draw_norms(ax):
    plot.jacobian_norms({"forget bias 0": short, "forget bias 3": long}, ax=ax)


picture(draw_norms, size=(8, 4.2))

# %% [markdown]
# The products show which net remembers. But they are not all: a gradient on a detour returns to $c$ one step earlier and
# adds to the gradient on the carousel. Over forty steps this makes a factor of a thousand with a bias of 0. With a bias of
# 3 the sum of all paths even *grows* a little: nothing vanishes here, and along the detours an LSTM's gradient can explode.
#
# Compare with the simple recurrent net of lesson 5. Its $U$ is orthogonal, its best case. The figure shows the gradient of
# the same loss against the lag.

# %%
mg.random.seed(7)
rnn = mg.keras.layers.SimpleRNN(24, dtype="float64", name="simple")
with mg.trace(rnn) as simple:
    (rnn(x) * np.random.default_rng(3).normal(size=24)).sum().backward()
flows = {
    "LSTM, forget bias 3: dc": long.dc,
    "LSTM, forget bias 3: dh": long.dh,
    "LSTM, forget bias 0: dc": short.dc,
    "simple recurrent net: dh": simple.dh,
}
rows = []
for name, d in flows.items():
    norms = [np.linalg.norm(d[T - lag], axis=-1).mean() for lag in (1, 40)]
    rows.append([name, *(f"{norm:.1e}" for norm in norms)])
table(["norm of the gradient", "lag 1", "lag 40"], rows)


# %%
def draw_flow(ax):
    plot.gradient_flow(flows, ax=ax)
    ax.set_ylabel("‖∂loss / ∂state at T − lag‖")


picture(
    draw_flow,
    alt="The norm of the gradient against the lag, logarithmic, for one loss on the last h. For "
    "the LSTM with a forget bias of 3, dc stays level, between 1.4 and 2.6 over 40 steps, and dh "
    "drops from 5.8 to 0.6 at the first step and stays there. The simple recurrent net starts at "
    "5.8 and falls on a straight line to 1e-5. The LSTM with a forget bias of 0 falls faster, to "
    "2e-9.",
    size=(8.5, 4.2),
)

# %% [markdown]
# Note: the figure does *not* show that an LSTM cannot lose a gradient. With a bias of 0 it loses it faster than the simple
# net. But it has a *path* along which a gradient can keep its size, and a gate that can open this path.
#
# ## To think about
#
# 1. The cell state's own gradient can *explode* only through the detours. Why not along the carousel?
# 2. Cut the detours: treat $h$ as a constant when the gates are computed, so that $dh = 0$. This was the algorithm of 1997.
#    What is the Jacobian of $c$ then? What can the net not learn?
# 3. Which of $i, f, g, o, a$ could be computed again in the backward pass instead of being cached? At which cost, and with
#    which saving?
# 4. Where does a *saturated* gate appear in the backward formulas? Which of the five paths does it close, and which does it leave open?
#
# ## Summary
#
# - The backward pass is the forward pass, read upwards; $c_\text{new}$ has two readers, so its gradient is a sum. Complete the
#   sum before you use it.
# - Five numbers for each unit are cached; derivatives come from outputs. The weights' gradients are gathered after the loop,
#   one product each.
# - Gradients go back along five paths. Four pass the matrix $U$ and a slope; on the carousel there is only the factor $f$.
# - A derivation is right if finite differences agree, with random cotangents for every output and no zeros in the states.
#
# **Read:** Gers, Schmidhuber and Cummins, "Learning to forget", 1999; Graves and Schmidhuber, "Framewise phoneme classification
# with bidirectional LSTM", 2005, the first to use the whole gradient; Greff and others, "LSTM: a search space odyssey", 2017.
#
# **In the source:** `backward` in [`minigrad/recurrent/lstm.py`](../minigrad/recurrent/lstm.py) is exercise 3 in minigrad, below
# its derivation (lesson 13 shows its further use), [`minigrad/recurrent/bptt.py`](../minigrad/recurrent/bptt.py) the loop around it,
# [`minigrad/tracing/ledger.py`](../minigrad/tracing/ledger.py) the ledger, and
# [`minigrad/testing/gradients.py`](../minigrad/testing/gradients.py) the check.

# %% [markdown]
# ## Your net
#
# In [`mynet.py`](mynet.py), fill in the last three functions:
#
# - `step_backward(dh_new, dc_new, cache, c, U)` is exercise 3.
# - `lstm_backward(dhs, xs, hs, cs, caches, U)` is the loop of lesson 5, from the last step to the first. After it comes exercise 4.
# - `train_step(net, optimizer, pieces)` is four lines: scores, loss, gradients, and a step of the optimizer.
#
# Then your net is complete: every line of lesson 0 is yours. Lesson 14 lets it train next to minigrad's.

# %%
from lesson_net import your_net

your_net(7)
