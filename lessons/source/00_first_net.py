# %% [markdown]
# # 0 · A net that learns to write
#
# Train a recurrent net on a text of your choice, let it write, and look at one of its gates. All of it in the first twenty minutes.
#
# **Minutes:** 20 · **Needs:** nothing; every cell is ready to run
#
# After this lesson you can
#
# 1. say what a recurrent net does when it writes: guess one character, read its own guess, and guess again;
# 2. measure how well it guesses, in bits per character;
# 3. point at one gate, and say at which characters it opens or closes.

# %% [markdown]
# Run the cells one after the other, with *Shift* and *Enter*. There is nothing to solve here.

# %%
import numpy as np

import minigrad as mg
from lesson_text import Written, class_text, share_of_words
from lesson_tools import line, picture, scaled, table

# %% [markdown]
# ## A text
#
# Six old tales are built in, in simple words with many repetitions. A short text with repetitions is learnt quickly. Bring your own if you like, in any
# language: `class_text("our_song.txt")` reads a file next to this notebook, and `class_text("""…""")` takes what you paste
# between the quotes. A page is enough.

# %%
text = class_text()
print(text[:260])

# %% [markdown]
# The net sees numbers. Each different character gets one:

# %%
characters = sorted(set(text))
number = {character: k for k, character in enumerate(characters)}
numbers = np.array([number[character] for character in text])
print(len(text), "characters,", len(characters), "different ones")
print("'the' is", numbers[text.find("the") :][:3])

# %% [markdown]
# ## The idea
#
# The net reads character after character. After each, it gives every possible *next* character a probability. That is all
# it ever does. To write, let it guess, and give it its own guess to read.
#
# **How good is a guess?** If the net gave the right character the probability $p$, it is *surprised* by $-\log_2 p$ bits.
#
# **For paper:** certainty, $p = 1$, costs 0 bits. A coin, $p = \frac12$, costs 1 bit, and $p = \frac1{32}$ costs 5 bits. A net without
# any knowledge gives each of 48 characters $p = \frac1{48}$. That costs $\log_2 48 = 5.6$ bits.
#
# ## The net
#
# Two layers. The first is a *memory* of 64 units, an LSTM. At each step it reads one character and changes its state. The second
# layer turns the state into a score for each next character.

# %%
UNITS = 64


class Net:
    """A net that reads characters and scores the next one."""

    def __init__(self, seed):
        mg.random.seed(seed)
        self.memory = mg.keras.layers.LSTM(UNITS, return_sequences=True, return_state=True)
        self.guess = mg.keras.layers.Dense(len(characters))
        self.one_hot = np.eye(len(characters), dtype="float32")

    def __call__(self, x, state=None):
        """Scores for the character after each of x, and the state at the end."""
        h, *state = self.memory(self.one_hot[x], initial_state=state)
        return self.guess(h), state


# %% [markdown]
# To write, draw the next character from the probabilities. The *temperature* makes the net bold (large) or careful (small).


# %%
def write(net, length, temperature=0.6, seed=0):
    """A text that the net makes up, character by character."""
    draw, state = np.random.default_rng(seed), None
    k, written = number["\n"], ""
    with mg.no_grad():
        for _ in range(length):
            scores, state = net([[k]], state)
            s = scores.numpy()[0, 0].astype("float64")
            p = np.exp((s - s.max()) / temperature)
            k = draw.choice(len(p), p=p / p.sum())
            written += characters[k]
    return written


# %% [markdown]
# ## Training
#
# Again and again: take 32 pieces of the text, let the net guess each next character, measure the surprise, and change all
# weights a little, so that the same pieces would surprise it less. The two lines that work out *how* to change them are
# `mg.grad` and `apply_gradients`. They are what this course is about.

# %%
WINDOW = 32  # characters of a piece
STEPS = scaled(600, 30)
surprise = mg.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train(net, seed, show_at=()):
    """Bits per character at each step, and what the net writes at some of them."""
    draw, optimizer = np.random.default_rng(seed), mg.keras.optimizers.Adam(0.02)
    bits, diary = [], []
    for step in range(STEPS):
        start = draw.integers(len(numbers) - WINDOW, size=32)
        pieces = numbers[start[:, None] + np.arange(WINDOW + 1)]
        scores, _ = net(pieces[:, :-1])
        loss = surprise(pieces[:, 1:], scores)
        if step in show_at:
            diary.append(f"--- step {step} ---\n{write(net, 150)}\n")
        weights = net.memory.trainable_weights + net.guess.trainable_weights
        optimizer.apply_gradients(zip(mg.grad(loss, weights), weights, strict=True))
        bits.append(loss.item() / np.log(2))
    return bits, diary


# %% [markdown]
# Now train one. It takes a few seconds. Then read what it wrote on the way: noise, then letters and spaces in the right
# proportion, then short words, then phrases.

# %%
net = Net(seed=0)
bits, diary = train(net, seed=0, show_at=(0, 20, 60, 150, STEPS - 1))
Written(*diary)

# %% [markdown]
# ## Was it luck?
#
# Another start might end elsewhere. So train four more, each from other weights and with other pieces. (This takes four times as
# long. Continue to read while they run.) In this course, a sentence about training rests on several trainings, never on one.

# %%
runs = [(net, bits)]
for seed in range(1, scaled(5, 2)):
    another = Net(seed)
    runs.append((another, train(another, seed)[0]))

ends = np.array([np.mean(one[-20:]) for _, one in runs])
shares = np.array([share_of_words(write(one, 600, seed=1), text) for one, _ in runs])
untrained = share_of_words(write(Net(seed=0), 600, seed=1), text)
table(
    ["", "bits, first step", "bits, last 20 steps", "written words that are words of the text"],
    [(f"net {k}", f"{one[0]:.2f}", f"{ends[k]:.2f}", f"{shares[k]:.0%}") for k, (_, one) in enumerate(runs)],
)  # fmt: skip
print(f"An untrained net: {untrained:.0%} of its words.")


# %%
def draw_learning(ax):
    for k, (_, one) in enumerate(runs):
        ax.plot(np.convolve(one, np.ones(10) / 10, "valid"), label=f"net {k}", **line(k))
    ax.axhline(np.log2(len(characters)), color="0.4", linewidth=0.9)
    ax.text(0.98, np.log2(len(characters)), "without knowledge ", ha="right", va="bottom",
            transform=ax.get_yaxis_transform())  # fmt: skip
    ax.set(xlabel="step of training", ylabel="surprise, bits per character", ylim=(0, None))
    ax.legend()


picture(
    draw_learning,
    alt=f"Surprise in bits per character against the step of training, for {len(runs)} nets, each curve a mean over ten "
    f"steps. All start near {np.log2(len(characters)):.1f} bits, the surprise of a net without knowledge, fall "
    f"steeply in the first steps and slowly later, and end between {ends.min():.2f} and {ends.max():.2f} bits.",
)

# %% [markdown]
# On the tales, all five nets go from 5.6 bits to less than 1 bit: the next character is then less of a surprise than a coin. At
# least eight in ten of the words that each of them writes are words of the tales. Of the words of the untrained net, at most one in five is.
#
# ## One gate
#
# How does it know where a word ends? Look inside. Each of the 64 units keeps a number. Before it writes a new one, its *forget gate* decides
# how much of the old number stays: 1 keeps all of it, 0 wipes it out. The net computes the gate again at each character.
#
# Which of the 64 gates has another value at spaces than at all other characters? For each net, search in one half of a page, and look at the
# gate found in the *other* half: a search always finds something, and it might be chance. For comparison, the same search in a net before
# its training.

# %%
space = max(characters, key=text.count)  # the most frequent character: mostly, the space
half = min(2000, len(text) // 2)


def forget_gates(net, some):
    """The forget gates while a net reads a text, (characters, units)."""
    with mg.trace(net.memory) as seen:
        net(np.array([[number[character] for character in some]]))
    return seen.f[:, 0]


def at_spaces(net, some):
    """For each unit: the mean of its forget gate at spaces, minus the mean elsewhere."""
    f, here = forget_gates(net, some), np.array([character == space for character in some])
    return f[here].mean(axis=0) - f[~here].mean(axis=0)


def search(net):
    """The unit whose gate differs most in the first half, and its difference in the other."""
    unit = np.abs(at_spaces(net, text[:half])).argmax()
    return unit, at_spaces(net, text[half : 2 * half])[unit]


found = [search(one) for one, _ in runs]
opening = np.array([difference for _, difference in found])
before = search(Net(seed=0))[1]
table(
    ["", "forget gate at spaces, minus elsewhere"],
    [
        *((f"net {k}", f"{d:+.2f}") for k, d in enumerate(opening)),
        ("untrained", f"{before:+.2f}"),
    ],
)

# %% [markdown]
# And this gate along the beginning of a line, for each net:

# %%
start = text.find(next((one for one in text.split("\n") if len(one) > 40), text))
shown = text[start : start + 48]
gates = [
    forget_gates(one, shown)[:, unit]
    for (one, _), (unit, _) in zip(runs, found, strict=True)
]


# %%
def draw_gates(top, bottom):
    top.bar(
        range(len(shown)), gates[0], color=[line(int(c == space))["color"] for c in shown]
    )
    top.set(ylabel="forget gate, net 0", ylim=(0, 1), xlim=(-0.5, len(shown) - 0.5))
    bottom.imshow(gates, aspect="auto", vmin=0, vmax=1, cmap="Blues")
    bottom.set(
        ylabel="net (blue: open)",
        yticks=range(len(gates)),
        xlabel="the character that was read",
    )
    bottom.grid(False)
    for ax in (top, bottom):
        ax.set_xticks(
            range(len(shown)), ["␣" if c == " " else c for c in shown], fontsize=8
        )


at = np.array([character == space for character in shown])
picture(
    draw_gates,
    alt=f"Above, the forget gate of one unit of net 0 along the first {len(shown)} characters of a line, as bars: "
    f"{gates[0][at].mean():.2f} on the mean at the spaces, in another colour, and {gates[0][~at].mean():.2f} elsewhere. "
    f"Below, the same for one unit of each of the {len(gates)} nets, a row each, blue where the gate is open. Over "
    f"the text, it is more open at spaces than elsewhere in the nets {[k for k, d in enumerate(opening) if d > 0]}, and "
    f"less open in the nets {[k for k, d in enumerate(opening) if d < 0]}.",
    rows=2,
    size=(10, 5),
)

# %% [markdown]
# The training data do not say what a word is. Yet each net has such a unit, and in the untrained net the search finds almost nothing.
# In some nets its gate opens at the space, in others it closes: all nets find the spaces, but they encode them in different ways. Lesson 12 reads gates with more care.
#
# ## Change and watch
#
# 1. **Temperature.** Run the next cell with 0.1, 0.6 and 1.5. When does the net repeat itself, and when does it invent words?
# 2. **Your text.** Change the line `text = class_text()` and run all cells again. Which part is learnt first: letters, spaces, words, line ends?

# %%
Written(write(net, 300, temperature=0.6, seed=2))

# %% [markdown]
# ## What comes next
#
# Today `minigrad` did the work. By lesson 7 you will have written every line of this:
#
# | here | you write it in |
# |---|---|
# | `mg.grad`: which way to change each weight | lesson 1, for numbers; lesson 2, for arrays |
# | `surprise`, and a proof that its gradient is right | lesson 3 |
# | `Dense`, and `Adam`, which takes the step | lesson 4 |
# | why a memory is hard to train | lesson 5 |
# | `LSTM`, forward: the gates | lesson 6 |
# | `LSTM`, backward through time | lesson 7 |
#
# ## Your net
#
# Next to this notebook is a file with gaps, [`mynet.py`](mynet.py): the net of this lesson, without minigrad, for you to write. It grows with the
# lessons, by some ten lines each time. At the end your net trains next to minigrad's, and the two are compared number for
# number. These are its parts, with their lessons:

# %%
from lesson_net import your_net

your_net(7)

# %% [markdown]
# ## To think about
#
# 1. The net has seen each piece of the tales many times. Has it learnt to write, or has it learnt the tales by heart? Which experiment would tell?
# 2. A piece has 32 characters, and each piece starts with an empty memory. What can the net not learn about a quotation that is longer?
# 3. We *searched* for the unit that differs most at the space, and then looked at it in another half of the page. Why there? And what does the search say
#    about the other 63?
#
# ## Summary
#
# - A net that writes guesses the next character, again and again. Its surprise is measured in bits per character.
# - Training repeats four lines: pieces, guesses, surprise, and a small change of all weights.
# - A gate is a number between 0 and 1 that the net computes at each step. Some of them follow the words.
# - One training shows what can happen; five show what you can rely on.
#
# **In the source:** [`minigrad/recurrent/lstm.py`](../minigrad/recurrent/lstm.py) holds the gates' equations, and
# [`minigrad/train/tasks/text.py`](../minigrad/train/tasks/text.py) a larger model of text, for `python -m minigrad train text`.
