# %% [markdown] question="a store" lesson=6 goal=2 points=4
# One unit of an LSTM over eight steps. (a) At which step is a value stored, and about which value of $z_g$ was that?
# (b) What happens at step 5? (c) What will $c$ be after 100 more steps like the last one?
#
# «shown»
# %%
unit = lstm_of([[0.0, 0, 1, 0], [12.0, 0, 0, 0], [0, -12.0, 0, 0]], [-6.0, 6, 0, 6])
v = np.array([0.3, -0.8, 0.9, 0.1, -0.4, 0.6, -0.2, 0.5])
store, drop = np.eye(8)[2], np.eye(8)[5]
seen = traced(unit, np.stack([v, store, drop], axis=-1)[None])
shown = columns(seen, "ifgo", "c")
kept = float(seen.c[3, 0, 0])
z = float(v[2])
f = float(seen.f[-1, 0, 0])
left = f**100
# %% [markdown] answer="a store"
# (a) At step 2: the input gate is open there and shut elsewhere. $c$ becomes «kept:.2f», so $z_g$ is about «z:.1f».
# (b) The forget gate shuts and the input gate stays shut: the memory is cleared. (c) Still near 0: nothing is let in. (Had
# it not been cleared, $f^{100} = «f:.4f»^{100} = «left:.2f»$ of it would be left.)

# %% [markdown] question="a counter" lesson=6 goal=2 points=4
# The cell state of a unit with a constant candidate $g = 1$. (a) At which steps did it see a 1? (b) When was it set back, and
# did it see a 1 at that step? (c) Its output is $h = \tanh c$. Between which two counts can the net hardly tell any more?
#
# «shown»
# %%
unit = lstm_of([[40.0, 0, 0, 0], [0.0, -40, 0, 0]], [-20.0, 20, 10, 10])
ones, again = np.array([1.0, 0, 1, 1, 0, 1, 1, 0]), np.eye(8)[5]
seen = traced(unit, np.stack([ones, again], axis=-1)[None])
shown = columns(seen, "if", "c", "h")
seen_at = ", ".join(map(str, np.flatnonzero(seen.i[:, 0, 0] > 0.5)))
two, three, four = (float(np.tanh(k)) for k in (2, 3, 4))
# %% [markdown] answer="a counter"
# (a) Where the input gate is open: «seen_at». (b) At step 5, where the forget gate is shut. The input gate is open there, so the
# new count begins with 1. (c) $\tanh 2 = «two:.3f»$, $\tanh 3 = «three:.3f»$, $\tanh 4 = «four:.3f»$: between 3 and 4,
# and from there on all counts look the same from outside.

# %% [markdown] question="forget biases" lesson=6 goal=3 points=4
# Three untrained LSTMs of 32 units with forget biases of 0, 1 and 3; the table shows the mean of the forget gates, and the mean of
# what is left of $c$ after 20 steps. Which is which, and for which of them would a dependency over 20 steps be hopeless at
# the start? What would $\sigma(b)$ to the power of 20 be in each case?
#
# «shown»
# %%
inputs = np.random.default_rng(3).normal(size=(8, 20, 4))


def born(bias):
    mg.random.seed(5)
    lstm = mg.keras.layers.LSTM(32, dtype="float64")
    lstm.build(inputs.shape)
    W, U, b = lstm.get_weights()
    b[32:64] = bias
    lstm.set_weights([W, U, b])
    return traced(lstm, inputs)


nets = {name: born(bias) for name, bias in (("A", 1.0), ("B", 3.0), ("C", 0.0))}
shown = markdown_table(
    ["net", "mean of f", "left after 20 steps"],
    [[name, f"{t.f.mean():.3f}", f"{t.forget_product()[0].mean():.2g}"] for name, t in nets.items()],
)
p_0, p_1, p_3 = (float((1 / (1 + np.exp(-b))) ** 20) for b in (0.0, 1.0, 3.0))
# %% [markdown] answer="forget biases"
# A has 1, B has 3, C has 0: the means lie near $\sigma(1) = 0.73$, $\sigma(3) = 0.95$, $\sigma(0) = 0.5$. $\sigma(b)^{20}$ is
# «p_1:.2g», «p_3:.2g» and «p_0:.2g». For C it is hopeless: of the gradient along the carousel a millionth is left. A is bad, B is
# good.

# %% [markdown] question="saturation" lesson=6 goal=2 points=4
# For four units, the share of steps at which a gate is nearly shut (below 0.1) and nearly open (above 0.9). (a) Which unit keeps what
# it has, and takes in little? (b) Which one shows nothing to the outside? (c) Which one works as a "dial"? (d) In which of
# them does the forget gate learn fastest?
#
# «shown»
# %%
bias = np.array([[-3.5, 0.0, 3.0, 0.0], [3.5, 0.0, 0.0, 3.0], [2.0, 0.0, 3.0, -4.0]])  # i, f, o of four units
b = np.concatenate([bias[0], bias[1], np.zeros(4), bias[2]])
lstm = mg.keras.layers.LSTM(4, dtype="float64")
lstm.build((None, None, 2))
lstm.set_weights([0.4 * np.random.default_rng(1).normal(size=(2, 16)), np.zeros((4, 16)), b])
seen = traced(lstm, np.random.default_rng(2).normal(size=(20, 30, 2)))


def ends(gate, k):
    return f"{(gate[..., k] < 0.1).mean():.2f} / {(gate[..., k] > 0.9).mean():.2f}"


shown = markdown_table(
    ["unit", "i: shut / open", "f: shut / open", "o: shut / open"],
    [[k, *(ends(g, k) for g in (seen.i, seen.f, seen.o))] for k in range(4)],
)
slopes = (seen.f * (1 - seen.f)).mean((0, 1))
s_0, s_1, s_2, s_3 = slopes.tolist()
# %% [markdown] answer="saturation"
# (a) Unit 0: its forget gate is open and its input gate shut nearly always. (b) Unit 3: its output gate is shut. (c) Unit 1: no
# gate is ever at an end of its range. (d) In units 1 and 2, whose forget gates are not saturated: the mean of
# $f(1-f)$ is «s_0:.2f», «s_1:.2f», «s_2:.2f» and «s_3:.2f» for units 0 to 3.

# %% [markdown] question="ledger" lesson=7 goal=3 points=5
# The gradient ledger of an untrained LSTM (forget bias 3, the loss reads the last $h$ only): the mean size of what each step sends
# back by each way. (a) Which way carries the gradient far? (b) The loss touches only $h$. Why is
# the carousel's entry at the last step, $t = 19$, not 0? (c) Why is the forget gate's way exactly 0 at $t = 0$?
#
# «shown»
# %%
x = np.random.default_rng(2).normal(size=(4, 20, 6))
mg.random.seed(7)
lstm = mg.keras.layers.LSTM(16, dtype="float64")
lstm.build(x.shape)
W, U, b = lstm.get_weights()
b[16:32] = 3.0
lstm.set_weights([W, U, b])
with mg.trace(lstm) as seen:
    (lstm(x) * np.random.default_rng(3).normal(size=16)).sum().backward()
STEPS = (19, 18, 10, 0)
WAYS = (("carousel", "c"), ("i", "h"), ("f", "h"), ("g", "h"), ("o", "h"))
size = {way: [float(np.abs(seen.ledger[state][way][t]).mean()) for t in STEPS] for way, state in WAYS}
shown = markdown_table(
    ["way", *(f"t = {t}" for t in STEPS)], [[way, *(f"{v:.2g}" for v in found)] for way, found in size.items()]
)
at_zero = size["f"][-1]
kept = size["carousel"][-1] / size["carousel"][1]
# %% [markdown] answer="ledger"
# (a) The carousel: of what it sends back at $t = 18$, «kept:.0%» is there at $t = 0$, and it is the largest way at each of these
# steps. (b) $c_\text{new}$ is read by $a$ as well: $dh\circ o\circ(1 - a^2)$ is added to its gradient *before* that is
# multiplied by $f$ and sent back. (c) $df = dc_\text{new}\circ c$, and the old $c$ is 0 at the first step: «at_zero:g».

# %% [markdown] question="masked steps" lesson=9 goal=1 points=4
# State and gradient of one unit of a masked recurrent net; the loss reads the last $h$ only, and $h_0 = 0$. (a) Which steps were
# masked? (b) Which of the inputs $x_1 \dots x_8$ have a gradient of exactly 0? (c) How do you tell a mask from an input of 0?
#
# «shown»
# %%
mg.random.seed(2)
rnn = mg.keras.layers.SimpleRNN(1, return_sequences=True, dtype="float64")
rnn.build((None, None, 1))
rnn.set_weights([np.ones((1, 1)), np.full((1, 1), 0.8), np.zeros(1)])
valid = np.array([[True, True, False, False, False, True, True, True]])
x = mg.tensor(np.array([0.5, -0.9, 3, 3, 3, 0.0, 0.4, -0.2]).reshape(1, 8, 1), requires_grad=True)
with mg.trace(rnn) as seen:
    rnn(x, mask=valid)[:, -1].sum().backward()
shown = markdown_table(
    ["t", *range(1, 9)],
    [[name, *(number(v, 3) for v in values[1:, 0, 0])] for name, values in (("h", seen.h), ("dh", seen.dh))],
)
masked = ", ".join(str(t + 1) for t in np.flatnonzero(~valid[0]))
zero = ", ".join(str(t + 1) for t in np.flatnonzero(seen.dx[:, 0, 0] == 0))
# %% [markdown] answer="masked steps"
# (a) Where $h_t = h_{t-1}$ and $dh_{t-1} = dh_t$, exactly: steps «masked». (b) Those of the masked steps: «zero». (c) With an input of
# 0, as at step 6, the state still changes ($h_6 = \tanh 0.8h_5$), and the gradient is multiplied by something other than 1.

# %% [markdown] question="a band" lesson=10 goal=1 points=5
# For a truncated backward pass over ten steps: which loss $L_t$ (row) has a gradient for which input $x_u$ (column)? (a) What are
# $k_1$ and $k_2$? (b) How many steps back does it take in all, and how many states have to be kept at one time? (c) Which
# lag is never learnt, at any step?
#
# «shown»
# %%
mg.random.seed(1)
lstm = mg.keras.layers.LSTM(3, return_sequences=True, tbptt=(3, 5), dtype="float64")
lstm.build((None, None, 2))
heard = input_gradients(lstm, np.random.default_rng(0).normal(size=(1, 10, 2))) > 0
shown = markdown_table(
    ["", *(f"u = {u}" for u in range(10))],
    [[f"t = {t}", *("×" if v else "·" for v in row)] for t, row in enumerate(heard)],
)
walks = [stop - earliest for _, stop, earliest in windows(10, (3, 5))]
steps, states, walks = sum(walks), max(walks), ", ".join(map(str, walks))
# %% [markdown] answer="a band"
# (a) The left edge jumps after every three rows, so $k_1 = 3$. The last row of a window reaches five steps, counted with its own, so
# $k_2 = 5$. (b) Windows that end at 3, 6, 9 and 10 walk «walks» steps, together «steps»; «states» states are kept. (c) A lag
# of 5 or more: the longest reach is from a window's last step to four steps before.

# %% [markdown] question="adding" lesson=12 goal=2 points=5
# A small LSTM was trained to add the two *marked* numbers of a sequence of ten. For one sequence: the mean of its input and forget gates, and the
# saliency, the norm of the derivative of the answer by the input of each step. (a) Which two steps were marked? (b) What does the
# forget gate do, and why? (c) Which derivative would you expect at a marked step, and which elsewhere?
#
# «shown»
# %%
options = Adding.options_type(steps=250, learning_rate=0.02, seed=0, length=10, units=16, memory=10.0, batch=32)
trainer = Trainer(Adding(options), options)
for _ in range(250):
    trainer.advance()
one = trainer.task.draw(np.random.default_rng(3), 1)
with mg.trace(trainer.model) as seen:
    answer, _ = trainer.model(mg.tensor(one.inputs, requires_grad=True))
    answer[0, -1, 0].backward()
marked = np.flatnonzero(one.inputs[0, :, 1])
saliency = seen.saliency()[:, 0]
shown = markdown_table(
    ["t", *range(10)],
    [
        [name, *(f"{v:.2f}" for v in values)]
        for name, values in (
            ("input gate", seen.i.mean((1, 2))),
            ("forget gate", seen.f.mean((1, 2))),
            ("saliency", saliency),
        )
    ],
)
first, second = map(int, marked)
largest = sorted(np.argsort(-saliency)[:2].tolist())
opened = sorted(np.argsort(-seen.i.mean((1, 2)))[:2].tolist())
assert largest == opened == [first, second]
f_mean = float(seen.f.mean())
# %% [markdown] answer="adding"
# (a) Steps «first» and «second»: there the input gate is widest open, and the saliency is largest. (b) It stays near «f_mean:.2f»:
# what is in $c$ has to be kept to the end. (c) The derivative of a sum by one of its parts is 1, by any other number 0. The
# table holds also the derivative by the marker, so it is not quite that.
