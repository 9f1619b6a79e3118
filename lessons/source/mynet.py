"""Your net: a recurrent net that learns to write, with NumPy alone.

Lesson 0 trains such a net with minigrad. You write one here, lesson by lesson. Lessons 1, 2, 3,
4, 6 and 7 end with a section "Your net", which says what to add to this file and checks it. After
lesson 14 your net trains next to minigrad's, from the same weights and on the same pieces of
text, and the two are compared number for number.

Arrays are float64. Sequences have the shape (time, batch, …): the steps come first.
"""

import numpy as np

# --- lesson 1: the tape ---------------------------------------------------------------------------


class Tensor:
    """An array that remembers what it was computed from.

    Attributes:
        data: the array.
        inputs: the Tensors that it was computed from; a leaf has none.
        rule: a function from dy to a tuple with one gradient for each input.
        grad: the gradient of a leaf, after `backward`; None before.
    """

    def __init__(self, data, inputs=(), rule=None):
        self.data = np.asarray(data, "float64")
        self.inputs = tuple(inputs)
        self.rule = rule
        self.grad = None


def order(root):
    """Return root and all Tensors that it was computed from: each once, each before its own inputs."""
    ### BEGIN SOLUTION
    finished, seen, stack = [], set(), [(root, False)]
    while stack:
        tensor, inputs_done = stack.pop()
        if inputs_done:
            finished.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((x, False) for x in tensor.inputs)
    return finished[::-1]
    ### END SOLUTION


def backward(loss):
    """Add ∂loss/∂leaf to the `grad` of every leaf. All other Tensors keep None."""
    ### BEGIN SOLUTION
    arrived = {id(loss): np.ones_like(loss.data)}
    for y in order(loss):
        dy = arrived.pop(id(y))
        if not y.inputs:
            y.grad = dy if y.grad is None else y.grad + dy
            continue
        for x, dx in zip(y.inputs, y.rule(dy), strict=True):
            arrived[id(x)] = arrived[id(x)] + dx if id(x) in arrived else dx
    ### END SOLUTION


# --- lesson 2: operations on arrays ---------------------------------------------------------------


def tanh(x):
    """y = tanh x. An example: every operation of this file has this form."""
    y = np.tanh(x.data)
    return Tensor(y, (x,), lambda dy: (dy * (1 - y * y),))


def unbroadcast(dy, shape):
    """Return the gradient of an array of this shape that was broadcast to the shape of dy."""
    ### BEGIN SOLUTION
    dy = dy.sum(axis=tuple(range(dy.ndim - len(shape))))
    copied = tuple(k for k, n in enumerate(shape) if n == 1 and dy.shape[k] != 1)
    return dy.sum(axis=copied, keepdims=True)
    ### END SOLUTION


def add(x, y):
    """x + y, with broadcasting."""
    ### BEGIN SOLUTION
    shapes = x.data.shape, y.data.shape
    return Tensor(
        x.data + y.data,
        (x, y),
        lambda dz: tuple(unbroadcast(dz, shape) for shape in shapes),
    )
    ### END SOLUTION


def matmul(x, w):
    """x w, for x of shape (…, n) with any number of axes in front, and w of shape (n, m)."""
    ### BEGIN SOLUTION
    n, m = w.data.shape

    def rule(dy):
        return dy @ w.data.T, x.data.reshape(-1, n).T @ dy.reshape(-1, m)

    return Tensor(x.data @ w.data, (x, w), rule)
    ### END SOLUTION


# --- lesson 3: the loss ---------------------------------------------------------------------------


def cross_entropy(scores, targets):
    """Return the mean of −log p, where p is the probability that softmax(scores) gives to the target.

    Args:
        scores: a Tensor, (…, classes). Large scores must not overflow: subtract the largest first.
        targets: an array of class numbers, (…).
    """
    ### BEGIN SOLUTION
    s = scores.data - scores.data.max(axis=-1, keepdims=True)
    log_p = s - np.log(np.exp(s).sum(axis=-1, keepdims=True))
    is_target = np.arange(s.shape[-1]) == targets[..., None]

    def rule(dy):
        return (dy * (np.exp(log_p) - is_target) / targets.size,)

    return Tensor(-log_p[is_target].mean(), (scores,), rule)
    ### END SOLUTION


# --- lesson 4: a layer and an optimizer -----------------------------------------------------------


class Dense:
    """The layer y = x V + a."""

    def __init__(self, V, a):
        self.V, self.a = Tensor(V), Tensor(a)

    def __call__(self, x):
        """Return y for a Tensor x."""
        ### BEGIN SOLUTION
        return add(matmul(x, self.V), self.a)
        ### END SOLUTION


def adam(w, dw, m, v, t, eta, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Return the new w, m, v after step t = 1, 2, …

    m and v are as in lesson 4. The two hats are folded into one number, as Keras does:

        η_t = η √(1 − β₂ᵗ) / (1 − β₁ᵗ),   w ← w − η_t m / (√v + ε)
    """
    ### BEGIN SOLUTION
    m = beta_1 * m + (1 - beta_1) * dw
    v = beta_2 * v + (1 - beta_2) * dw * dw
    eta_t = eta * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - eta_t * m / (np.sqrt(v) + epsilon), m, v
    ### END SOLUTION


class Adam:
    """The optimizer: m and v of each weight, and the number of steps."""

    def __init__(self, weights, eta=0.02):
        self.weights, self.eta, self.t = weights, eta, 0
        self.slots = [(np.zeros_like(w.data), np.zeros_like(w.data)) for w in weights]

    def step(self):
        """Change all weights by their gradients, and clear these."""
        self.t += 1
        for k, w in enumerate(self.weights):
            w.data, *self.slots[k] = adam(w.data, w.grad, *self.slots[k], self.t, self.eta)
            w.grad = None


# --- lesson 6: the LSTM, forward ------------------------------------------------------------------


def lstm_step(x, h, c, W, U, b):
    """Return h_new, c_new and the cache (i, f, g, o, a) of one step; columns in the order i, f, g, o."""
    ### BEGIN SOLUTION
    z_i, z_f, z_g, z_o = np.split(x @ W + h @ U + b, 4, axis=-1)
    i, f, o = (1 / (1 + np.exp(-z)) for z in (z_i, z_f, z_o))
    g = np.tanh(z_g)
    c_new = f * c + i * g
    a = np.tanh(c_new)
    return o * a, c_new, (i, f, g, o, a)
    ### END SOLUTION


def lstm_forward(xs, h, c, W, U, b):
    """Run all steps; return hs and cs, (time + 1, batch, units), the first state first, and a list of the caches."""
    ### BEGIN SOLUTION
    hs, cs, caches = [h], [c], []
    for x in xs:
        h, c, cache = lstm_step(x, h, c, W, U, b)
        hs.append(h)
        cs.append(c)
        caches.append(cache)
    return np.array(hs), np.array(cs), caches
    ### END SOLUTION


# --- lesson 7: the LSTM, backward through time, and the training ----------------------------------


def step_backward(dh_new, dc_new, cache, c, U):
    """Return dz (batch, 4 units), dh and dc of one step."""
    ### BEGIN SOLUTION
    i, f, g, o, a = cache
    do = dh_new * a
    dc_new = dc_new + dh_new * o * (1 - a * a)
    dz = [
        dc_new * g * i * (1 - i),
        dc_new * c * f * (1 - f),
        dc_new * i * (1 - g * g),
        do * o * (1 - o),
    ]
    dz = np.concatenate(dz, axis=-1)
    return dz, dz @ U.T, dc_new * f
    ### END SOLUTION


def lstm_backward(dhs, xs, hs, cs, caches, U):
    """Go back from the last step to the first; return dW, dU, db.

    Args:
        dhs: what the loss says of each h directly, (time, batch, units).
        xs: the inputs, (time, batch, features).
        hs: as `lstm_forward` returns them.
        cs: as `lstm_forward` returns them.
        caches: as `lstm_forward` returns them.
        U: the recurrent weights.
    """
    ### BEGIN SOLUTION
    dh, dc = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    dzs = [None] * len(xs)
    for t in reversed(range(len(xs))):
        dzs[t], dh, dc = step_backward(dh + dhs[t], dc, caches[t], cs[t], U)
    dz = np.concatenate(dzs)
    x, h_before = xs.reshape(len(dz), -1), hs[:-1].reshape(len(dz), -1)
    return x.T @ dz, h_before.T @ dz, dz.sum(axis=0)
    ### END SOLUTION


class LSTM:
    """The layer: all steps are one operation on the tape, and its rule is backpropagation through time."""

    def __init__(self, W, U, b):
        self.weights = Tensor(W), Tensor(U), Tensor(b)

    def __call__(self, xs, state=None):
        """Return h of all steps as a Tensor, and the last state; xs is an array and gets no gradient."""
        W, U, b = (w.data for w in self.weights)
        h, c = state or np.zeros((2, xs.shape[1], len(U)))
        hs, cs, caches = lstm_forward(xs, h, c, W, U, b)
        h = Tensor(
            hs[1:], self.weights, lambda dhs: lstm_backward(dhs, xs, hs, cs, caches, U)
        )
        return h, (hs[-1], cs[-1])


class Net:
    """A net that reads characters and scores the next one."""

    def __init__(self, W, U, b, V, a):
        self.memory, self.guess = LSTM(W, U, b), Dense(V, a)
        self.weights = [*self.memory.weights, self.guess.V, self.guess.a]

    def __call__(self, numbers, state=None):
        """Return the scores for the character after each of `numbers`, (time, batch), and the last state."""
        one_hot = np.eye(len(self.guess.a.data))[numbers]
        h, state = self.memory(one_hot, state)
        return self.guess(h), state


def train_step(net, optimizer, pieces):
    """Change all weights once, and return the loss before as a float.

    Args:
        net: a Net.
        optimizer: an Adam with the net's weights.
        pieces: numbers of characters, (time + 1, batch): all but the last are read, all but the first are guessed.
    """
    ### BEGIN SOLUTION
    scores, _ = net(pieces[:-1])
    loss = cross_entropy(scores, pieces[1:])
    backward(loss)
    optimizer.step()
    return float(loss.data)
    ### END SOLUTION


# --- ready to use ---------------------------------------------------------------------------------


def first_weights(characters, units, seed=0):
    """Return W, U, b, V, a to start from: as Keras does, with a forget bias of 1."""
    draw = np.random.default_rng(seed)

    def glorot(n, m):
        return draw.uniform(-1, 1, (n, m)) * np.sqrt(6 / (n + m))

    U, _ = np.linalg.qr(draw.normal(size=(4 * units, units)))
    b = np.repeat([0.0, 1.0, 0.0, 0.0], units)
    return (
        glorot(characters, 4 * units),
        U.T,
        b,
        glorot(units, characters),
        np.zeros(characters),
    )


def write(net, characters, length, temperature=0.6, seed=0):
    """Return a text that the net makes up; `characters` is its alphabet, a list with the line end."""
    draw, state, k, written = np.random.default_rng(seed), None, characters.index("\n"), ""
    for _ in range(length):
        scores, state = net(np.array([[k]]), state)
        s = scores.data[0, 0]
        p = np.exp((s - s.max()) / temperature)
        k = draw.choice(len(p), p=p / p.sum())
        written += characters[k]
    return written
