# %% [markdown]
# # 12 · Reading the gates of trained models
#
# Four small LSTMs, trained before your eyes, and looked into: what their gates do, where the memory sits, and how far one can trust such pictures.
#
# **Minutes:** 75 · **Needs:** lessons 6 and 7; least squares
#
# After this lesson you can
#
# 1. take a cell state apart into what each step has put into it, and check that the parts sum to the whole;
# 2. read gate traces, saturation and saliency, and say for each which question it answers and which it does not;
# 3. tell a memory that sits in one unit from one that is spread over many, with a linear probe.

# %%
import tempfile
from pathlib import Path

import numpy as np

import minigrad as mg
import minigrad.plot as mp
from lesson_tools import check, line, picture, returned, same, scaled, table
from minigrad.train.tasks import Adding, Reber, TemporalOrder, Text
from minigrad.train.trainer import Trainer

# %% [markdown]
# ## The formula
#
# The state of an LSTM, written out over time instead of step by step. From $c_t = f_t\circ c_{t-1} + i_t\circ g_t$ it follows
# that
#
# $$c_T \;=\; \underbrace{\Bigl(\prod_{s=1}^{T} f_s\Bigr)\circ c_0}_{\text{from before}} \;+\;
#   \sum_{t=1}^{T}\ \underbrace{\Bigl(\prod_{s=t+1}^{T} f_s\Bigr)}_{\text{what is left}}\circ
#   \underbrace{i_t\circ g_t}_{\text{what was written}} .$$
#
# So a state is a *sum*, with one term for each step of the past: what the step wrote, times all forget gates since. That is
# exact, in every trained model. All that follows are ways to look at these terms.
#
# | | shape |
# |---|---|
# | $i_t, f_t, g_t, o_t$ in a trace | `(time, batch, units)` |
# | $c$ in a trace, $c_0$ first | `(time + 1, batch, units)` |
# | the terms of $c_T$ | `(time, batch, units)` |
#
# ## An example for paper
#
# One unit, $c_0 = 0$, four steps:
#
# | step | 1 | 2 | 3 | 4 |
# |---|---|---|---|---|
# | $f$ | 1 | 1/2 | 1 | 1/2 |
# | $i\,g$ | 4 | 0 | −1 | 1 |
# | what is left of it | $\tfrac12\cdot 1\cdot\tfrac12$ | $1\cdot\tfrac12$ | $\tfrac12$ | $1$ |
# | term | **1** | **0** | **−½** | **1** |
#
# The sum is $c_4 = 1\tfrac12$. Step by step: $4,\ 2,\ 1,\ 1\tfrac12$. The same.
#
# ## Four models
#
# Each learns a task for which something has to be kept. They are `python -m minigrad train`'s tasks, made small:
#
# - **adding**: twenty pairs (number, marker), two of them marked; at the end, the sum of the marked numbers;
# - **temporal order**: letters, among them two that are X or Y; at the end, which two, and in which order;
# - **Reber**: strings of a grammar. The last letter but one repeats the second, the rest is local;
# - **text**: one to three letters in round brackets, in square ones, or in none, character by character. The closing bracket has to fit.


# %%
def bracketed(length, seed):
    """A text of letters, some of them in brackets."""
    draw, text = np.random.default_rng(seed), ""
    while len(text) < length:
        some = " ".join(draw.choice(list("abcd")) for _ in range(draw.integers(1, 4)))
        text += ["{} ", "({}) ", "[{}] "][draw.integers(3)].format(some)
    return text[:length]


def trained(kind, steps, **options):
    """A trainer with a trained model."""
    chosen = kind.options_type(steps=steps, learning_rate=0.02, **options)
    trainer = Trainer(kind(chosen), chosen)
    for _ in range(steps):
        trainer.advance()
    return trainer


with tempfile.TemporaryDirectory() as folder:
    file = Path(folder, "text.txt")
    file.write_text(bracketed(30_000, seed=0))
    models = {
        "adding": trained(
            Adding, scaled(500, 200), length=20, units=16, memory=20.0, batch=32
        ),
        "temporal order": trained(
            TemporalOrder, scaled(250, 120), length=20, units=16, memory=20.0
        ),
        "Reber": trained(Reber, scaled(300, 150), units=16),
        "text": trained(
            Text,
            scaled(300, 150),
            units=24,
            memory=20.0,
            batch=16,
            file=str(file),
            window=32,
            embedding=0,
        ),
    }
print(bracketed(70, seed=1))


# %%
def worth(trainer):
    """What counts in the task, its value, and that of somebody without memory."""
    task = trainer.task
    return (
        task.metric.replace("_", " "),
        trainer.evaluate()[task.metric],
        task.baseline().value,
    )


table(
    ["task", "measure", "trained", "without memory"],
    [
        (name, measure, f"{value:.2f}", f"{baseline:.2f}")
        for name, (measure, value, baseline) in zip(
            models, map(worth, models.values()), strict=True
        )
    ],
)

# %% [markdown]
# ("Without memory" is for the text a table of what follows two letters.)
#
# ## Adding: which steps are let in?
#
# One sequence. Left, the gates, as the mean over the units; the two marked steps have a vertical line. Right, the *saliency*: the
# norm of the derivative of the answer by the input of each step.

# %%
adder = models["adding"]
sequence = adder.task.draw(np.random.default_rng(3), 1)
marked = np.flatnonzero(sequence.inputs[0, :, 1])
with mg.trace(adder.model) as seen:
    answer, _ = adder.model(mg.tensor(sequence.inputs, requires_grad=True))
    answer[0, -1, 0].backward()
a, b = sequence.inputs[0, marked, 0]
print(
    f"marked: steps {marked[0]} and {marked[1]}.  {a:.2f} + {b:.2f} = {a + b:.2f};", end=" "
)
print(f"the model says {answer.numpy()[0, -1, 0]:.1f}")


# %%
def draw_adding(left, right):
    mp.gates(seen, ["i", "f", "o"], ax=left)
    mp.saliency(seen, ax=right)
    for ax in (left, right):
        for t in marked:
            ax.axvline(t, color="0.3", linewidth=0.9, zorder=0)


picture(
    draw_adding,
    alt="Left, the mean of the gates of the adding model over twenty steps. The input gate is at 0.14 "
    "but for the two marked steps, 4 and 13, at which it jumps to 0.28. The forget gate stays near "
    "0.86, the output gate near 0.52 with small bumps at the marked steps. Right, the saliency "
    "of the inputs as bars: about 1 at the two marked steps, 0.26 or less at all others.",
    columns=2,
    size=(10, 3.6),
)

# %% [markdown]
# At the marked steps the input gate opens, and the forget gate hardly moves: it holds what it has. The saliency says the same of the
# answer. The derivative of a sum by its parts is 1, and 1 is what the bars at the marked steps show, nearly; the others should be 0, and
# are not quite: they also hold the derivative by the *marker*, "what if this number had been marked a little?" And a mean over units is a
# first glance, no more: different units do different work.
#
# ## Exercise 1: what the state is made of
#
# Write `terms(f, i, g)`: from the gates of a trace, `(time, batch, units)` each, the terms of $c_T$ as in the formula,
# `(time, batch, units)`. (Mind the product: the forget gate of step $t$ itself is not in it.) The check sums them up, for all
# four models.


# %% exercise="terms"
def terms(f, i, g):
    """What is left at the end of what each step wrote, (time, batch, units)."""
    ### BEGIN SOLUTION
    left = np.cumprod(f[::-1], axis=0)[::-1]  # f_t … f_T
    left = np.concatenate([left[1:], np.ones_like(f[:1])])
    return left * i * g
    ### END SOLUTION


# %% mistake="terms"
def terms(f, i, g):
    """The step's own forget gate is in the product."""
    return np.cumprod(f[::-1], axis=0)[::-1] * i * g


# %% mistake="terms"
def terms(f, i, g):
    """The product of the gates before, not after."""
    return np.cumprod(f, axis=0) * i * g


# %% mistake="terms"
def terms(f, i, g):
    """What was written, and nothing forgotten."""
    return i * g


# %% check="terms" points=3
small = np.array([1, 0.5, 1, 0.5])[:, None, None], np.array([4.0, 0, -1, 1])[:, None, None]
same(
    "the terms of the paper example",
    returned("terms", terms(*small, np.ones((4, 1, 1))), shape=(4, 1, 1))[:, 0, 0],
    [1, 0, -0.5, 1],
)
for name, trainer in models.items():
    batch = trainer.task.batch(np.random.default_rng(4), 0)
    with mg.trace(trainer.model) as run:
        trainer.model(batch.inputs)
    made = np.asarray(terms(run.f, run.i, run.g))
    check(made.shape == run.f.shape, f"the terms should have shape {run.f.shape}.")
    same(f"{name}: the sum of the terms, c_T", made.sum(axis=0), run.c[-1], rtol=1e-4)

# %% [markdown]
# Look at your terms, once the check is content: `np.linalg.norm(terms(seen.f, seen.i, seen.g)[:, 0], axis=-1)` for the adding
# model. Which steps are largest? Compare with the saliency. They do not answer the same question: a term is what a step *put in*; the saliency is
# what the answer would *notice* if the input changed.
#
# ## Temporal order: a latch
#
# Four sequences, the same in everything but the two letters. The unit whose state at the end differs most between them:

# %%
latch = models["temporal order"]
one = latch.task.draw(np.random.default_rng(5), 1)
first, second = np.flatnonzero(one.inputs[0] >= 6)
orders = np.repeat(one.inputs, 4, axis=0)
orders[:, first], orders[:, second] = (6, 6, 7, 7), (6, 7, 6, 7)
NAMES = ("X … X", "X … Y", "Y … X", "Y … Y")
with mg.trace(latch.model) as order:
    latch.model(orders)
end = int(one.weights[0].argmax()) + 1
apart = np.ptp(order.c[end], axis=0)
units = np.argsort(-apart)[:2]
print(f"X or Y at steps {first} and {second}, the question at step {end - 1}")


# %%
def draw_latch(*axes):
    for ax, unit in zip(axes, units, strict=True):
        for k, name in enumerate(NAMES):
            ax.plot(order.c[1 : end + 1, k, unit], label=name, **line(k, marker=True))
        for t in (first, second):
            ax.axvline(t, color="0.3", linewidth=0.9, zorder=0)
        ax.set(
            xlabel="time step t", ylabel="cell state c after the step", title=f"unit {unit}"
        )
    axes[0].legend()


picture(
    draw_latch,
    alt="The cell state of two units over 22 steps, for the four orders of X and Y; vertical lines "
    "at the two letters, steps 2 and 10. Left: the four curves are one until step 2, then part "
    "slowly, upwards where the first letter was X and downwards where it was Y; after step 10 "
    "each pair parts again. Right, another unit, with the same pattern and other "
    "values. At the end all four are apart, and the differences still grow.",
    columns=2,
    size=(10, 3.6),
)

# %% [markdown]
# Until the first letter all four are one curve; then there are two; after the second there are four, and they stay apart although
# noise goes on coming in. A letter leaves a mark, and a wide open forget gate holds it. Here it does more than hold: the units go on *counting* in
# the direction in which the letter has sent them, and $c$, which nothing bounds, grows. An example of what one learns from looking: the
# textbook's latch is not what the training has found.
#
# ## Reber: where is the second letter kept?
#
# Two strings with the same inside, one in T … T, the other in P … P. At each step, how far apart are the two states?

# %%
reber = models["Reber"]
alphabet, inside = reber.task.alphabet, "BTSSXXVPXVV"
pair = [f"B{outer}{inside}E{outer}" for outer in "TP"]
numbers = np.array([[alphabet.index(k) for k in string] for string in pair])
with mg.trace(reber.model) as strings:
    scores, _ = reber.model(numbers)
gap = {
    k: np.linalg.norm(np.diff(states, axis=1)[1:, 0], axis=-1)
    for k, states in (("c", strings.c), ("h", strings.h))
}
T, P = alphabet.index("T"), alphabet.index("P")
print(
    f"before the end, T minus P: {[round(float(s[-2, T] - s[-2, P])) for s in scores.numpy()]}"
)


# %%
def draw_reber(ax):
    for k, (name, distance) in enumerate(gap.items()):
        ax.semilogy(distance, label=f"between the two {name}", **line(k, marker=True))
    ax.set(xlabel="the letter that was read", ylabel="distance of the two states")
    ax.set_xticks(
        range(len(pair[0])),
        [f"{a}\n{b}" if a != b else a for a, b in zip(*pair, strict=True)],
    )
    ax.legend()


picture(
    draw_reber,
    alt="Two Reber strings that differ only in the second and the last letter: the distance of "
    "their states after each letter, logarithmic. Before the second letter it is 0. From there on "
    "the distance of c stays between 2.4 and 5, until the last letter, which differs too, takes it "
    "above 7. That of h goes up and down between 0.4 and 2.4, and is largest before the last letter, "
    "when the answer is asked for.",
    size=(7.5, 3.4),
)

# %% [markdown]
# $c$ keeps the difference all the way. $h$, which the output reads, shows less of it while it is of no use, and most when it is asked for:
# that is the output gate's work, to keep a memory from talking out of turn.
#
# ## Saturation
#
# How often is a gate nearly closed (below 0.1) or nearly open (above 0.9)? One mark for each unit and gate:


# %%
def look(trainer, seed=6):
    """A trace of a trained model on a batch."""
    with mg.trace(trainer.model) as run:
        trainer.model(trainer.task.batch(np.random.default_rng(seed), 0).inputs)
    return run


runs = {name: look(models[name]) for name in ("temporal order", "text")}


# %%
def draw_saturation(*axes):
    for ax, (name, run) in zip(axes, runs.items(), strict=True):
        mp.saturation(run, ["i", "f", "o"], ax=ax)
        ax.set_title(name)


picture(draw_saturation, columns=2, size=(10, 4))

# %% [markdown]
# Read it as a map: on the left edge, gates that are never closed; at the top left, gates that are always open. Forget gates at the
# top left are the ones that hold; a gate at the origin is never at an end of its range and works as a *dial*, not as a switch.
#
# ## Exercise 2: saturation
#
# Write `saturated(gate, mask, low, high)`: for a gate `(time, batch, units)` and a mask `(time, batch)` of bools, two arrays `(units,)`:
# the fraction of steps *that count* at which it is below `low`, and above `high`.


# %% exercise="saturated"
def saturated(gate, mask, low=0.1, high=0.9):
    """(fraction below low, fraction above high), (units,) each, masked steps left out."""
    ### BEGIN SOLUTION
    awake = gate[mask]
    return (awake < low).mean(axis=0), (awake > high).mean(axis=0)
    ### END SOLUTION


# %% mistake="saturated"
def saturated(gate, mask, low=0.1, high=0.9):
    """Masked steps count, as steps at which nothing was saturated."""
    counts = mask[..., None]
    return ((gate < low) & counts).mean(axis=(0, 1)), ((gate > high) & counts).mean(
        axis=(0, 1)
    )


# %% mistake="saturated"
def saturated(gate, mask, low=0.1, high=0.9):
    """The mean of the gate is looked at."""
    mean = gate[mask].mean(axis=0)
    return (mean < low) * 1.0, (mean > high) * 1.0


# %% check="saturated" points=2
draw = np.random.default_rng(7)
mask = draw.random((30, 8)) < 0.6
closed, opened = np.array([0.0, 0.25, 0.5]), np.array([0.5, 0.25, 0.0])
gate = draw.uniform(0.2, 0.8, size=(30, 8, 3))
where = np.argwhere(mask)
for k in range(3):
    order_of = draw.permutation(len(where))
    few, many = (round(share[k] * len(where)) for share in (closed, opened))
    for n, value in [(order_of[:few], 0.05), (order_of[few : few + many], 0.95)]:
        gate[where[n, 0], where[n, 1], k] = value
gate[~mask] = draw.choice([0.0, 1.0], size=gate[~mask].shape)  # whatever stands there
left, right = returned("saturated", saturated(gate, mask), "below", "above")
same("share below", left, closed, rtol=0.01)
same("share above", right, opened, rtol=0.01)

# %% [markdown]
# ## Text: is there a bracket unit?
#
# It is tempting to look for *the* unit that knows whether we are in a bracket. For each unit, the correlation of its state with
# the truth (+1 in round brackets, −1 in square ones, 0 outside):

# %%
reader = models["text"]


def read(seed, length=600):
    """A text, the states c after each letter (letters, units), and in which bracket one is."""
    text, inside, labels = bracketed(length, seed), 0, []
    with mg.trace(reader.model) as run:
        reader.model(reader.task.vocabulary.encode(text)[None])
    for letter in text:
        inside = {"(": 1, "[": -1, ")": 0, "]": 0}.get(letter, inside)
        labels.append(inside)
    return text, run.c[1:, 0], np.array(labels, float)


text, c, labels = read(seed=8)
correlations = np.array([np.corrcoef(c[:, k], labels)[0, 1] for k in range(c.shape[1])])
best = np.abs(correlations).argmax()
print("the best single unit: |correlation| =", f"{abs(correlations[best]):.1f}")

# %% [markdown]
# High, and yet not one: that unit does other things besides, and other units know of brackets too. Nothing forces a net to give each fact a unit of its own: any
# *direction* in the space of $c$ will do. So ask for the best direction, a **linear probe**: the least squares
# fit of the labels by the states.
#
# ## Exercise 3: a linear probe
#
# Write `probe(c, labels)`: $w$ `(units,)` and $b$ that minimise $\sum_t (c_t\cdot w + b - \text{label}_t)^2$. The check tries the optimality
# conditions, and then the probe on a text that it has not seen.


# %% exercise="probe"
def probe(c, labels):
    """w (units,) and b of the best linear fit."""
    ### BEGIN SOLUTION
    with_one = np.column_stack([c, np.ones(len(c))])
    *w, b = np.linalg.lstsq(with_one, labels, rcond=None)[0]
    return np.array(w), b
    ### END SOLUTION


# %% mistake="probe"
def probe(c, labels):
    """Without a constant."""
    return np.linalg.lstsq(c, labels, rcond=None)[0], 0.0


# %% mistake="probe"
def probe(c, labels):
    """The correlations, each unit for itself."""
    return (c - c.mean(axis=0)).T @ (labels - labels.mean()) / len(c), labels.mean()


# %% check="probe" points=2
states = c.astype(np.float64)
w, b = returned("probe", probe(states, labels), "w", "b")
rest = states @ w + b - labels
same("the mean of what is left", rest.mean(), 0.0, atol=1e-6)
same(
    "what is left, along each unit", rest @ states / len(rest), np.zeros(len(w)), atol=1e-5
)
_, c_new, labels_new = read(seed=9)
right = (np.round(np.clip(c_new @ w + b, -1, 1)) == labels_new).mean()
one_unit = np.polyfit(c[:, best], labels, 1)
alone = (np.round(np.polyval(one_unit, c_new[:, best])) == labels_new).mean()
print(
    f"on a new text the probe is right at {right:.0%} of the letters, the best unit alone at {alone:.0%}"
)
squares = ((np.polyval(one_unit, c[:, best]) - labels) ** 2).sum()
check((rest**2).sum() < squares, "the probe should fit better than the best unit alone.")

# %% [markdown]
# A probe that succeeds says that the information is *there*, in a linear form. It does not say that the model *uses* it: for that
# one has to intervene, and push $c$ along $w$ to see whether the other bracket comes out.
#
# And what does the reader look at, when it is about to close a bracket? The saliency of that one score:

# %%
close = text.index("]", 300)
piece = text[text.rindex("[", 0, close) - 16 : close]
numbers = reader.task.vocabulary.encode(piece)
one_hot = np.eye(len(reader.task.alphabet), dtype=np.float32)[numbers][None]
(layer,) = reader.model.recurrent
fitting, other = (int(reader.task.vocabulary.encode(k)[0]) for k in "])")
with mg.trace(layer) as closing:
    h, *_ = layer(mg.tensor(one_hot, requires_grad=True))
    scores = reader.model.dense(h)[0, -1]
    (scores[fitting] - scores[other]).backward()
print(
    f"read: {piece!r}; the better fit is", "]" if scores[fitting] > scores[other] else ")"
)


# %%
def draw_closing(ax):
    mp.saliency(closing, tokens=list(piece), ax=ax)


picture(draw_closing, size=(9, 1.9))

# %% [markdown]
# ## How far does it carry?
#
# The same task, temporal order, stretched: sequences of 10 to 80 letters, 200 steps of training each, for three nets of 16 units. "Time
# scales" is an LSTM whose forget biases start spread out, so that its units keep their state for 2 up to $T$ steps.

# %%
LENGTHS = (10, 20, 40, 80) if scaled(1, 0) else (10, 20)
KINDS = {
    "LSTM, time scales": lambda length: {"cell": "lstm", "memory": float(length)},
    "LSTM, forget bias 1": lambda length: {"cell": "lstm", "memory": None},
    "simple net": lambda length: {"cell": "simple_rnn"},
}
solved = {
    name: [
        trained(
            TemporalOrder, scaled(200, 20), length=n, units=16, **options(n)
        ).evaluate()["accuracy"]
        for n in LENGTHS
    ]
    for name, options in KINDS.items()
}


# %%
def draw_solved(ax):
    for k, (name, found) in enumerate(solved.items()):
        ax.plot(LENGTHS, found, label=name, **line(k, marker=True))
    ax.axhline(0.25, color="0.4", linewidth=0.8)
    ax.set(
        xlabel="length of the sequences, in steps",
        ylabel="share of sequences right",
        ylim=(0, 1.04),
    )
    ax.legend()


picture(
    draw_solved,
    alt="The share of sequences right after 200 steps of training, against their length, 10 to 80 "
    "steps. The LSTM with time scales is right everywhere. The LSTM with forget bias 1 is right up "
    "to length 20 and guesses, at 0.25, from 40 on. The simple net is right up to 20, at 0.7 for "
    "40, and guesses at 80.",
)

# %% [markdown]
# A surprise: with the usual start the LSTM is *worse* than the simple net at length 40. Gates alone are no memory: a forget gate that
# starts at $\sigma(1) = 0.73$ leaves $0.73^{30} \approx 10^{-4}$ of the gradient after thirty steps, and nobody tells it to open. The simple net with its
# orthogonal $U$ starts nearer to 1. With gates that start open the LSTM carries all the way. (One seed, 200 steps: with
# more training the curves move to the right. Try it.)
#
# ## To think about
#
# 1. A forget gate of 0.99 at every step: is that a memory? For how long? Find the half-life.
# 2. The gradient of a saturated gate is nearly 0. So how did the gates of these models ever get there, and can they come back?
# 3. A paper shows a unit that "detects quotation marks", the best of 2000. What would you ask for before you believe it?
# 4. Saliency is a derivative, at one point. Give a model for which an input matters very much and its saliency is 0.
#
# ## Summary
#
# - $c_T$ is a sum over steps: what was written, times all forget gates since. The terms are exact.
# - Gate traces say what was let in; saliency says what the answer would notice; saturation says whether gates act as switches or as
#   dials. None of them says why.
# - A memory may sit in one unit, or in a direction across many. A linear probe finds the latter; only an intervention shows that it is used.
# - What carries far is gates that *start* open, on several time scales, and not the word LSTM.
#
# **Read:** Karpathy, Johnson and Fei-Fei, "Visualizing and understanding recurrent networks", 2015, from which the saturation plot comes;
# Hochreiter and Schmidhuber, "Long short-term memory", 1997, for three of the tasks.
#
# **In the source:** [`minigrad/tracing/trace.py`](../minigrad/tracing/trace.py), what a trace holds;
# [`minigrad/plot/forward.py`](../minigrad/plot/forward.py) draws gates and saturation;
# [`minigrad/train/tasks`](../minigrad/train/tasks) are the tasks, and `python -m minigrad trace` makes such a report of any run.
