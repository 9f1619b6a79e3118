# %% [markdown]
# # 12 · Reading the gates of trained models
#
# Four small tasks, five LSTMs trained on each before your eyes, and looked into: what their gates do, where the memory sits, and how far one can trust such pictures.
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
from lesson_tools import ask, check, line, medians, picture, same, scaled, table
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
# ## Four tasks, twenty models
#
# In each task something has to be kept. They are `python -m minigrad train`'s tasks, made small:
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


SEEDS = range(scaled(5, 1))
TASKS = {
    "adding": (
        Adding,
        scaled(500, 200),
        {"length": 20, "units": 16, "memory": 20.0, "batch": 32},
    ),
    "temporal order": (
        TemporalOrder,
        scaled(250, 120),
        {"length": 20, "units": 16, "memory": 20.0},
    ),
    "Reber": (Reber, scaled(600, 150), {"units": 16}),
    "text": (
        Text,
        scaled(300, 150),
        {"units": 24, "memory": 20.0, "batch": 16, "window": 32, "embedding": 0},
    ),
}
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder, "text.txt")
    file.write_text(bracketed(30_000, seed=0))
    five = {}
    for name, (kind, steps, options) in TASKS.items():
        options = {**options, "file": str(file)} if kind is Text else options
        five[name] = [trained(kind, steps, seed=seed, **options) for seed in SEEDS]
models = {
    name: trainers[0] for name, trainers in five.items()
}  # the one of each task that is drawn
print(bracketed(70, seed=1))


# %% [markdown]
# Each task is learnt five times, from five seeds: other first weights, other sequences. One run shows what *can* happen. What is said
# below of a task holds in all five, or the text says in how many.


# %%
def over_seeds(values, form=".2f"):
    """The median of a few numbers, and the smallest and the largest of them, as a text."""
    return f"{np.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


rows = []
for name, trainers in five.items():
    task = trainers[0].task
    reached = [trainer.evaluate()[task.metric] for trainer in trainers]
    rows.append(
        (
            name,
            task.metric.replace("_", " "),
            over_seeds(reached),
            f"{task.baseline().value:.2f}",
        )
    )
table(["task", "measure", "trained: median (range)", "without memory"], rows)

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
# One sequence and one model. The same over 32 sequences, for the models of all five seeds:


# %%
def adding_in_numbers(trainer):
    """The mean of i, of f and of the saliency at the marked steps, and at the others."""
    batch = trainer.task.draw(np.random.default_rng(3), 32)
    with mg.trace(trainer.model) as run:
        scores, _ = trainer.model(mg.tensor(batch.inputs, requires_grad=True))
        scores[:, -1, 0].sum().backward()
    at = batch.inputs[:, :, 1].T > 0  # (time, batch), as in the trace
    found = (run.i.mean(-1), run.f.mean(-1), run.saliency())
    return {True: [v[at].mean() for v in found], False: [v[~at].mean() for v in found]}


added = [adding_in_numbers(trainer) for trainer in five["adding"]]
table(
    ["median (range) over the seeds", "input gate", "forget gate", "saliency"],
    [
        (where, *(over_seeds([one[at][k] for one in added]) for k in range(3)))
        for where, at in (("at a marked step", True), ("elsewhere", False))
    ],
)

# %% [markdown]
# At the marked steps the input gate opens, to about twice what it is elsewhere. The forget gate hardly moves: it holds what it has. The
# saliency says the same of the answer. The derivative of a sum by its parts is 1, and about 1 is what the marked steps show; the others
# should be 0, and are not quite: they also hold the derivative by the *marker*, "what if this number had been marked a little?" And a
# mean over units is a first glance, no more: different units do different work.
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


# %% variant="terms"
def terms(f, i, g):
    """In place, step by step from the end, in a list."""
    left, found = np.ones(f.shape[1:], int), []
    for t in range(len(f) - 1, -1, -1):
        i[t] *= g[t]
        found.insert(0, left * i[t])
        left = left * f[t]
    return found


# %% check="terms" points=3
small = np.array([1, 0.5, 1, 0.5])[:, None, None], np.array([4.0, 0, -1, 1])[:, None, None]
same(
    "the terms of the paper example",
    ask(terms, *small, np.ones((4, 1, 1)), shape=(4, 1, 1))[:, 0, 0],
    [1, 0, -0.5, 1],
)
for name, trainer in models.items():
    batch = trainer.task.batch(np.random.default_rng(4), 0)
    with mg.trace(trainer.model) as run:
        trainer.model(batch.inputs)
    made = ask(terms, run.f, run.i, run.g, shape=run.f.shape)
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
# noise goes on coming in. A letter leaves a mark, and a wide open forget gate holds it. Does it only hold? How far apart are the states of
# X … X and Y … Y, over all units:


# %%
def distances(trainer):
    """‖c(X … X) − c(Y … Y)‖ after the first letter, after the second, and at the end."""
    with mg.trace(trainer.model) as run:
        trainer.model(orders)
    gap = np.linalg.norm(run.c[:, 0] - run.c[:, 3], axis=-1)
    return gap[[first + 1, second + 1, end]]


held = [distances(trainer) for trainer in five["temporal order"]]
table(
    ["‖Δc‖", "after the first letter", "after the second", "at the end"],
    [
        (f"seed {seed}", *(f"{d:.1f}" for d in gap))
        for seed, gap in zip(SEEDS, held, strict=True)
    ],
)

# %% [markdown]
# It does more than hold, with every seed: the units go on *counting* in the direction in which the letter has sent them, and $c$, which
# nothing bounds, grows. An example of what one learns from looking: the textbook's latch is not what these trainings have found.
#
# ## Reber: where is the second letter kept?
#
# Two strings with the same inside, one in T … T, the other in P … P. At each step, how far apart are the two states? $c$ has to keep the
# difference all the way; $h = o\circ\tanh c$, which the output reads, needs it only at the end, when the last letter is due.
#
# A tempting story: the output gate hides the memory until it is asked for. To test it, take the gate's movement away: put the mean over
# the steps, unit by unit, in the gate's place, $\bar o\circ\tanh c$. If the gate does it all, the peak at the end must go.

# %%
INSIDES = ("BTSSXXVPXVV", "BTSXXTVV", "BPTTVPXTVPS", "BPVPXTTTVV", "BPVV")
ASKED = -2  # the E: after it the last letter is due


def two_strings(trainer, inside):
    """The scores and a trace for the strings BT…ET and BP…EP."""
    alphabet = trainer.task.alphabet
    numbers = [[alphabet.index(k) for k in f"B{outer}{inside}E{outer}"] for outer in "TP"]
    with mg.trace(trainer.model) as run:
        scores, _ = trainer.model(np.array(numbers))
    return scores.numpy(), run


def apart(run):
    """How far apart the two strings are after each letter: in h, in h with the gate frozen, in tanh c and in c."""
    squashed = np.tanh(run.c[1:])
    frozen = run.o.mean(axis=(0, 1)) * squashed
    return {
        name: np.linalg.norm(states[:, 0] - states[:, 1], axis=-1)
        for name, states in (
            ("h", run.h[1:]),
            ("h, gate frozen", frozen),
            ("tanh c", squashed),
            ("c", run.c[1:]),
        )
    }


def opened(run):
    """The output gate after each letter, each unit counted by how far its tanh c is apart."""
    weight = np.abs(np.diff(np.tanh(run.c[1:]), axis=1))[:, 0]
    return (run.o.mean(axis=1) * weight).sum(axis=-1) / np.maximum(
        weight.sum(axis=-1), 1e-9
    )


def at_the_end(trainer):
    """Each of the distances when the last letter is due, over its median inside; and the gate: inside, then."""
    runs = [two_strings(trainer, inside)[1] for inside in INSIDES]
    found = {
        name: np.median(
            [apart(r)[name][ASKED] / np.median(apart(r)[name][2:ASKED]) for r in runs]
        )
        for name in ("h", "h, gate frozen", "tanh c")
    }
    gates = [opened(run) for run in runs]
    return found, np.median(
        [(np.median(gate[2:ASKED]), gate[ASKED]) for gate in gates], axis=0
    )


peaks = [at_the_end(trainer) for trainer in five["Reber"]]
scores, strings = two_strings(models["Reber"], INSIDES[0])
gap, gate = apart(strings), opened(strings)
table(
    [
        "when the last letter is due, over inside",
        *(f"seed {seed}" for seed in SEEDS),
        "median",
    ],
    [
        (f"distance of {name}", *(f"{v:.1f}" for v in values), f"{np.median(values):.1f}")
        for name in ("h", "h, gate frozen", "tanh c")
        for values in [[found[name] for found, _ in peaks]]
    ],
)
print("the output gate, inside → then:", *(f"{a:.2f} → {b:.2f}" for _, (a, b) in peaks))


# %%
def draw_reber(left, middle, right):
    for k, name in enumerate(("c", "h", "h, gate frozen")):
        left.semilogy(np.maximum(gap[name], 1e-2), label=name, **line(k, marker=True))
    left.set(
        xlabel="the letter that was read",
        ylabel="distance of the two states",
        ylim=(0.1, 15),
    )
    middle.plot(np.arange(1, len(gate)), gate[1:], **line(3, marker=True))
    middle.set(
        xlabel="the letter that was read",
        ylabel="output gate of the units that differ",
        ylim=(0, 1.04),
    )
    letters = [
        f"{a}\n{b}" if a != b else a
        for a, b in zip(*(f"B{k}{INSIDES[0]}E{k}" for k in "TP"), strict=True)
    ]
    for ax in (left, middle):
        ax.axvline(len(letters) - 2, color="0.3", linewidth=0.9, zorder=0)
        ax.set_xticks(range(len(letters)), letters)
    left.legend()
    for k, name in enumerate(("h", "h, gate frozen", "tanh c")):
        values = [found[name] for found, _ in peaks]
        right.plot(
            [k] * len(values),
            values,
            alpha=0.6,
            **line(k, marker=True) | {"linestyle": "none"},
        )
        right.plot([k - 0.25, k + 0.25], [np.median(values)] * 2, color="0.2")
    right.axhline(1, color="0.4", linewidth=0.8)
    right.set_xticks(range(3), ["h", "h, gate\nfrozen", "tanh c"])
    right.set(
        ylabel="distance when asked for, over inside", xlim=(-0.5, 2.5), ylim=(0, None)
    )


said = "; ".join(
    f"{name}: {over_seeds([found[name] for found, _ in peaks], '.1f')}"
    for name in ("h", "h, gate frozen", "tanh c")
)
picture(
    draw_reber,
    alt="Two Reber strings that differ only in the second and the last letter. Left, for one model, the distance of their "
    f"states after each letter, logarithmic: when the last letter is due it is {gap['c'][ASKED]:.1f} in c, {gap['h'][ASKED]:.1f} "
    f"in h, and {gap['h, gate frozen'][ASKED]:.1f} in h with the gate frozen; inside the string the medians are "
    f"{np.median(gap['c'][2:ASKED]):.1f}, {np.median(gap['h'][2:ASKED]):.1f} and {np.median(gap['h, gate frozen'][2:ASKED]):.1f}. "
    f"Middle, the output gate of the units that differ: it moves between {gate[1:].min():.2f} and {gate[1:].max():.2f}, and is at "
    f"{gate[ASKED]:.2f} when the last letter is due. Right, for every seed a point: by how much the distance grows when it is "
    f"asked for. Median and range: {said}.",
    columns=3,
    size=(13, 3.8),
)

# %% [markdown]
# What is so: in all five $c$ keeps the difference, and $h$ shows more of it when it is asked for than inside the string. In four of five
# the output gate of the units that carry it stands wider open at that step; in the fifth it does not, and the peak is there all the
# same. With the gate frozen the peak *stays*, in all five, for $\tanh c$ itself is farther apart by then: the memory is not only
# uncovered, it is made larger. So the story is half true. A picture of a gate that opens does not prove that the gate does it; to
# freeze the gate is the test.
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
# Read it as a map of one model each: on the left edge, gates that are never closed; at the top left, gates that are always open. Forget gates at the
# top left are the ones that hold; a gate at the origin is never at an end of its range and works as a *dial*, not as a switch.
# How much of it is the training's work? The same models once more, as they were born:


# %%
def ends_of_range(trainer):
    """The share of steps at which a gate is below 0.1 or above 0.9: i, f and o, over all units."""
    run = look(trainer)
    return [float(((gate < 0.1) | (gate > 0.9)).mean()) for gate in (run.i, run.f, run.o)]


untrained = [
    Trainer(trainer.task, trainer.task.options) for trainer in five["temporal order"]
]
ends = {
    "untrained": [ends_of_range(t) for t in untrained],
    "trained": [ends_of_range(t) for t in five["temporal order"]],
}
table(
    [
        "temporal order: share at an end of the range",
        "input gate",
        "forget gate",
        "output gate",
    ],
    [
        (name, *(over_seeds(column) for column in zip(*found, strict=True)))
        for name, found in ends.items()
    ],
)

# %% [markdown]
# In all five the forget and the output gates are at the ends of their range more often than before: the training has moved them outwards.
# With the input gates it is the other way round: `memory=20` draws the biases so that units begin with an open forget gate and a shut input
# gate, and the training had to open some of those. So "a trained gate is a switch" is no law; compare with the net as it was born.
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


# %% variant="saturated"
def saturated(gate, mask, low=0.1, high=0.9):
    """In place, by counting; a list."""
    gate[~mask] = (low + high) / 2
    return [
        np.count_nonzero(far, axis=(0, 1)) / mask.sum() for far in (gate < low, gate > high)
    ]


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
left, right = ask(saturated, gate, mask, parts=("below", "above"))
same("share below", left, closed, rtol=0.01)
same("share above", right, opened, rtol=0.01)

# %% [markdown]
# ## Text: is there a bracket unit?
#
# It is tempting to look for *the* unit that knows whether we are in a bracket. For each unit, the correlation of its state with
# the truth (+1 in round brackets, −1 in square ones, 0 outside):

# %%
reader = models["text"]


def read(seed, length=2000, reader=reader):
    """A text, the states c after each letter (letters, units), and in which bracket one is."""
    text, inside, labels = bracketed(length, seed), 0, []
    with mg.trace(reader.model) as run:
        reader.model(reader.task.vocabulary.encode(text)[None])
    for letter in text:
        inside = {"(": 1, "[": -1, ")": 0, "]": 0}.get(letter, inside)
        labels.append(inside)
    return text, run.c[1:, 0], np.array(labels, float)


def best_unit(c, labels):
    """The unit whose state follows the labels most closely, and its |correlation| with them."""
    all_units = np.abs([np.corrcoef(c[:, k], labels)[0, 1] for k in range(c.shape[1])])
    return all_units.argmax(), all_units.max()


text, c, labels = read(seed=8)
best, correlation = best_unit(c, labels)
highest = [best_unit(*read(8, reader=one)[1:])[1] for one in five["text"]]
print("the best single unit, |correlation|, median (range):", over_seeds(highest))

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


# %% variant="probe"
def probe(c, labels):
    """In place: centred, then the normal equations; single precision; a list."""
    mean = c.mean(axis=0)
    c -= mean
    w = np.linalg.solve(c.T @ c + 1e-9 * np.eye(c.shape[1]), c.T @ (labels - labels.mean()))
    return [w.astype("float32"), np.float32(labels.mean() - mean @ w)]


# %% check="probe" points=2
states = c.astype(np.float64)
w, b = ask(probe, states, labels, parts=("w", "b"))
rest = states @ w + b - labels
same("the mean of what is left", rest.mean(), 0.0, atol=1e-5)
lengths = np.linalg.norm(states, axis=0) * np.linalg.norm(labels)
same(
    "the cosine of what is left with each unit",
    rest @ states / lengths,
    np.zeros(len(w)),
    atol=1e-4,
)
_, c_new, labels_new = read(seed=9)
right = (np.round(np.clip(c_new @ w + b, -1, 1)) == labels_new).mean()
one_unit = np.polyfit(c[:, best], labels, 1)
alone = (np.round(np.polyval(one_unit, c_new[:, best])) == labels_new).mean()
print(
    f"on a new text your probe is right at {right:.0%} of the letters, the best unit at {alone:.0%}"
)
squares = ((np.polyval(one_unit, c[:, best]) - labels) ** 2).sum()
check((rest**2).sum() < squares, "the probe should fit better than the best unit alone.")

# %% [markdown]
# With the models of all five seeds, on the new text: the probe (NumPy's least squares) against the best unit.


# %%
def right_on_a_new_text(reader):
    """The share of letters at which the rounded fit says the bracket: all units, the best unit."""
    _, c, labels = read(8, reader=reader)
    _, c_new, labels_new = read(9, reader=reader)
    unit, _ = best_unit(c, labels)
    shares = []
    for columns in (slice(None), [unit]):
        *_, c_1, new_1 = (
            labels,
            *(np.column_stack([a[:, columns], np.ones(len(a))]) for a in (c, c_new)),
        )
        fit = new_1 @ np.linalg.lstsq(c_1, labels, rcond=None)[0]
        shares.append(float((np.round(np.clip(fit, -1, 1)) == labels_new).mean()))
    return shares


probed = [right_on_a_new_text(one) for one in five["text"]]
table(
    ["right on a new text", *(f"seed {seed}" for seed in SEEDS)],
    [
        (name, *(f"{v:.0%}" for v in found))
        for name, found in zip(
            ("all units", "best unit"), zip(*probed, strict=True), strict=True
        )
    ],
)

# %% [markdown]
# A probe that succeeds says that the information is *there*, in a linear form. It does not say that the model *uses* it: for that
# one has to intervene, and push $c$ along $w$ to see whether the other bracket comes out.
#
# And what does the reader look at, when it is about to close a bracket? The saliency of that one score:

# %%
close = text.index("]", 300)
piece = text[text.rindex("[", 0, close) - 16 : close]


def about_to_close(reader):
    """A trace of the piece, sent back from score(fitting bracket) − score(other); is the difference above 0?"""
    encode, (layer,) = reader.task.vocabulary.encode, reader.model.recurrent
    one_hot = np.eye(len(reader.task.alphabet), dtype=np.float32)[encode(piece)][None]
    fitting, other = (int(encode(k)[0]) for k in "])")
    with mg.trace(layer) as run:
        h, *_ = layer(mg.tensor(one_hot, requires_grad=True))
        scores = reader.model.dense(h)[0, -1]
        (scores[fitting] - scores[other]).backward()
    return run, (scores[fitting] - scores[other]).item() > 0


closing, _ = about_to_close(reader)
looks = [about_to_close(one) for one in five["text"]]
strongest = [int(run.saliency()[:, 0].argmax()) - len(piece) for run, _ in looks]
print(
    f"read: {piece!r}; the better fit is ] with",
    sum(fits for _, fits in looks),
    "of",
    len(SEEDS),
    "seeds",
)
print(
    "steps from the end of the largest saliency, seed by seed:",
    *strongest,
    " the [ is at",
    piece.rindex("[") - len(piece),
)


# %%
def draw_closing(ax):
    mp.saliency(closing, tokens=list(piece), ax=ax)


picture(draw_closing, size=(9, 1.9))

# %% [markdown]
# The bracket is right each time, but the largest bar need not stand at it, and does not stand at the same step with each seed. A
# saliency is a derivative: where a gate is saturated, what decided long ago has hardly a slope now.
#
# ## How far does it carry?
#
# The same task, temporal order, stretched: sequences of 20, 40 and 80 letters, 200 steps of training each, for three nets of 16 units.
# "Time scales" is an LSTM whose forget biases start spread out, so that its units keep their state for 2 up to $T$ steps. From one seed
# one could tell any story here, so there are five for each: 45 trainings, half a minute.

# %%
LENGTHS = (20, 40, 80) if scaled(1, 0) else (10, 20)
KINDS = {
    "LSTM, time scales": lambda length: {"cell": "lstm", "memory": float(length)},
    "LSTM, forget bias 1": lambda length: {"cell": "lstm", "memory": None},
    "simple net": lambda length: {"cell": "simple_rnn"},
}


def share_right(seed, length, options):
    """The share of sequences right after the training."""
    trainer = trained(
        TemporalOrder,
        scaled(200, 20),
        length=length,
        units=16,
        batch=16,
        seed=seed,
        **options,
    )
    return trainer.evaluate()["accuracy"]


solved = {
    name: np.array([[share_right(seed, n, options(n)) for n in LENGTHS] for seed in SEEDS])
    for name, options in KINDS.items()
}
table(
    ["share right: median (range)", *(f"length {n}" for n in LENGTHS)],
    [(name, *(over_seeds(column) for column in found.T)) for name, found in solved.items()],
)


# %%
def draw_solved(ax):
    for k, (name, found) in enumerate(solved.items()):
        medians(ax, LENGTHS, found, name, k)
    ax.axhline(0.25, color="0.4", linewidth=0.8)
    ax.set(
        xlabel="length of the sequences, in steps",
        ylabel="share of sequences right",
        ylim=(0, 1.04),
        xticks=LENGTHS,
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))


picture(
    draw_solved,
    alt="The share of sequences right after 200 steps of training, against their length, for three nets: five points, one "
    "for each seed, and a line through their medians. Medians and ranges, at lengths "
    + ", ".join(map(str, LENGTHS))
    + ": "
    + "; ".join(
        f"{name} {', '.join(over_seeds(column) for column in found.T)}"
        for name, found in solved.items()
    )
    + ". A level line at 0.25 marks guessing.",
    size=(8.5, 3.6),
)

# %% [markdown]
# At length 20 all three learn it. At 40 the simple net guesses; the LSTM with the usual start learns it with most seeds, and with some it
# does not. At 80 that LSTM guesses too, and the one with time scales still learns it. Gates alone are no memory: a forget gate that starts
# at $\sigma(1) = 0.73$ leaves $0.73^{60} \approx 10^{-8}$ of the gradient after sixty steps, and nobody tells it to open. With gates that
# start open the LSTM carries all the way.
#
# Look at the single points at 40 before you look at the median. With the seed that fails, the LSTM is no better than the simple net, and
# whoever has run that one alone writes a paper on it. (200 steps: with more training the curves move to the right. Try it.)
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
