# %% [markdown] question="tanh backward" lesson=1 goal=1 points=3
# The backward rule of $y = \tanh x$. What is wrong? For which $x$ would a check with a single number miss it?
# %% bug=true
def tanh_backward(dy, y, x):
    return dy * (1 - x * x)


# %% fix=true
def tanh_backward(dy, y, x):
    return dy * (1 - y * y)


# %% proof=true
compare(np.tanh, lambda dy, x: tanh_backward(dy, np.tanh(x), x), draw.normal(size=5))
# %% [markdown] answer="tanh backward"
# $\tanh' x = 1 - \tanh^2 x$, and $\tanh x$ is $y$, the *output*. At $x = 0$ both are 1, so a check at 0 finds nothing.


# %% [markdown] question="bias of a batch" lesson=2 goal=3 points=3
# The backward pass of a dense layer, $y = xW + b$, for a batch. What is wrong, and in which situation does no test notice?
# %% bug=true
def dense_backward(dy, x, W, b):
    return dy @ W.T, x.T @ dy, dy.mean(axis=0)


# %% fix=true
def dense_backward(dy, x, W, b):
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


# %% proof=true
compare(lambda x, W, b: x @ W + b, dense_backward, *normals((4, 3), (3, 2), (2,)))
# %% [markdown] answer="bias of a batch"
# $b$ is copied to every row, and a copy backwards is a *sum*. With one row in the batch mean and sum are the same.


# %% [markdown] question="embedding" lesson=2 goal=3 points=3
# The backward pass of a lookup in a table, $y_k = E_{i_k}$. With which indices is the result wrong, and why?
# %% bug=true
def embedding_backward(dy, E, i):
    dE = np.zeros_like(E)
    dE[i] += dy
    return dE


# %% fix=true
def embedding_backward(dy, E, i):
    dE = np.zeros_like(E)
    np.add.at(dE, i, dy)
    return dE


# %% proof=true
i = np.array([0, 3, 3, 1])
compare(lambda E: E[i], lambda dy, E: embedding_backward(dy, E, i), *normals((4, 2)))
# %% [markdown] answer="embedding"
# With an index that occurs twice. `dE[i] += dy` computes all right-hand sides first and then writes one over the other, so
# only the last contribution is left. `np.add.at` adds them one after another.


# %% [markdown] question="softmax" lesson=3 goal=3 points=4
# The backward pass of the softmax, $y_k = e^{x_k}/\sum_j e^{x_j}$. What is missing? What does the *right* one return for
# $dy = (1, 1, \dots, 1)$, and what follows for tests that use `y.sum()` as their loss?
# %% bug=true
def softmax_backward(dy, y):
    return y * dy


# %% fix=true
def softmax_backward(dy, y):
    return y * (dy - (y * dy).sum())


# %% proof=true
def softmax(x):
    return np.exp(x) / np.exp(x).sum()


compare(softmax, lambda dy, x: softmax_backward(dy, softmax(x)), draw.normal(size=5))
# %% [markdown] answer="softmax"
# All outputs share a denominator, so each $x_k$ acts on all of them: $-\langle y, dy\rangle$ is missing. For
# $dy = 1$ the right one returns zeros, because the sum of the outputs is always 1. A test with `y.sum()` lets a backward pass of
# nothing but zeros through.


# %% [markdown] question="gated unit" lesson=4 goal=1 points=4
# The backward pass of $y = u\circ\sigma(v)$. One of the two gradients is wrong. Which, and how do you see it in the shape of
# the formula, without numbers?
# %% bug=true
def gated_backward(dy, u, v):
    s = 1 / (1 + np.exp(-v))
    du = dy * s
    dv = dy * s * (1 - s)
    return du, dv


# %% fix=true
def gated_backward(dy, u, v):
    s = 1 / (1 + np.exp(-v))
    du = dy * s
    dv = dy * u * s * (1 - s)
    return du, dv


# %% proof=true
compare(lambda u, v: u / (1 + np.exp(-v)), gated_backward, *normals((3, 4), (3, 4)))
# %% [markdown] answer="gated unit"
# $dv$: a factor of a product gets the *other* factor, so it has to contain $u$. If $u = 0$, moving the gate changes nothing,
# and $dv$ must be 0.


# %% [markdown] question="recurrent weights" lesson=5 goal=1 points=4
# BPTT for $h_t = \tanh(h_{t-1}U + x_t)$; `hs` holds $h_0, h_1, \dots, h_T$, one row each, and `dy` the gradients of
# $h_1 \dots h_T$. Which line is wrong? Which tests would not notice it?
# %% bug=true
def backward(dy, hs, U):
    dU, dh = np.zeros_like(U), np.zeros(len(U))
    for t in reversed(range(len(dy))):
        dh = dh + dy[t]
        ds = dh * (1 - hs[t + 1] ** 2)
        dU += np.outer(hs[t + 1], ds)
        dh = ds @ U.T
    return dU


# %% fix=true
def backward(dy, hs, U):
    dU, dh = np.zeros_like(U), np.zeros(len(U))
    for t in reversed(range(len(dy))):
        dh = dh + dy[t]
        ds = dh * (1 - hs[t + 1] ** 2)
        dU += np.outer(hs[t], ds)
        dh = ds @ U.T
    return dU


# %% proof=true
x, h_0 = normals((5, 3), (3,))


def run(U):
    hs = [h_0]
    for x_t in x:
        hs.append(np.tanh(hs[-1] @ U + x_t))
    return np.array(hs)


compare(lambda U: run(U)[1:], lambda dy, U: backward(dy, run(U), U), *normals((3, 3)))
# %% [markdown] answer="recurrent weights"
# $dU = \sum_t h_{t-1}^\top ds_t$: the state that was *multiplied* by $U$, so `hs[t]`. A test that does not look at $dU$ (only at
# the gradient of $h_0$) passes it.


# %% [markdown] question="incomplete dc" lesson=7 goal=1 points=5
# One step of the LSTM backward, from the kept numbers. Which line is in the wrong place? Which gradients are wrong by
# that, and which are right all the same?
# %% bug=true
def step_backward(dh, dc, i, f, g, o, a, c):
    do = dh * a
    df, di, dg = dc * c, dc * g, dc * i
    dc = dc + dh * o * (1 - a * a)
    dz_i, dz_f = di * i * (1 - i), df * f * (1 - f)
    dz_g, dz_o = dg * (1 - g * g), do * o * (1 - o)
    return dz_i, dz_f, dz_g, dz_o, dc * f


# %% fix=true
def step_backward(dh, dc, i, f, g, o, a, c):
    do = dh * a
    dc = dc + dh * o * (1 - a * a)
    df, di, dg = dc * c, dc * g, dc * i
    dz_i, dz_f = di * i * (1 - i), df * f * (1 - f)
    dz_g, dz_o = dg * (1 - g * g), do * o * (1 - o)
    return dz_i, dz_f, dz_g, dz_o, dc * f


# %% proof=true
def step(z_i, z_f, z_g, z_o, c):
    h_new, c_new = LSTM.forward(z_i, z_f, z_g, z_o, c)
    return np.stack([h_new, c_new])


def back(d, z_i, z_f, z_g, z_o, c):
    i, f, o = (1 / (1 + np.exp(-z)) for z in (z_i, z_f, z_o))
    g = np.tanh(z_g)
    return step_backward(d[0], d[1], i, f, g, o, np.tanh(f * c + i * g), c)


compare(step, back, *normals(*[(2, 3)] * 5))
# %% [markdown] answer="incomplete dc"
# $c_\text{new}$ is read twice, and its gradient must be complete before it is passed to $f$, $i$ and $g$: the third line has to
# come before the second. $dz_i$, $dz_f$ and $dz_g$ are wrong; $dz_o$ and the gradient of $c$ are right.


# %% [markdown] question="peephole" lesson=8 goal=1 points=5
# The output gate of the first generation sees the new state: $m = \sigma(z_o + w_o\circ c_\text{new})\circ\tanh c_\text{new}$.
# Here is what its backward pass says about $c_\text{new}$. What has been forgotten? When is the gradient right all the same?
# %% bug=true
def output_backward(dm, z_o, w_o, c_new):
    o, a = 1 / (1 + np.exp(-(z_o + w_o * c_new))), np.tanh(c_new)
    dz_o = dm * a * o * (1 - o)
    dc_new = dm * o * (1 - a * a)
    return dz_o, dz_o * c_new, dc_new


# %% fix=true
def output_backward(dm, z_o, w_o, c_new):
    o, a = 1 / (1 + np.exp(-(z_o + w_o * c_new))), np.tanh(c_new)
    dz_o = dm * a * o * (1 - o)
    dc_new = dm * o * (1 - a * a) + dz_o * w_o
    return dz_o, dz_o * c_new, dc_new


# %% proof=true
def output(z_o, w_o, c_new):
    return np.tanh(c_new) / (1 + np.exp(-(z_o + w_o * c_new)))


compare(output, output_backward, *normals((4,), (4,), (4,)))
# %% [markdown] answer="peephole"
# $c_\text{new}$ is read twice here, by the tanh and by the gate's peephole: $dz_o\circ w_o$ is missing. Without peepholes
# ($w_o = 0$) the gradient is right, and so it is where the gate is saturated.


# %% [markdown] question="masked step" lesson=9 goal=1 points=4
# One masked step backward: rows with $m = 0$ have kept their state, $h_t = m\,\hat h_t + (1-m)\,h_{t-1}$. What happens to the
# gradient of a row with a hole, and which line must change?
# %% bug=true
def masked_back(dh, m, h_hat, U):
    ds = m * dh * (1 - h_hat * h_hat)
    return ds @ U.T


# %% fix=true
def masked_back(dh, m, h_hat, U):
    ds = m * dh * (1 - h_hat * h_hat)
    return ds @ U.T + (1 - m) * dh


# %% proof=true
m = np.array([[1.0], [0.0], [1.0]])
(U,) = normals((4, 4))


def step(h):
    return m * np.tanh(h @ U) + (1 - m) * h


compare(step, lambda dh, h: masked_back(dh, m, np.tanh(h @ U), U), *normals((3, 4)))
# %% [markdown] answer="masked step"
# The gradient of that row ends at the hole: everything before it learns nothing. A masked step passes $dh$ on unchanged, so
# $(1-m)\,dh$ has to be added to what is returned.


# %% [markdown] question="dropout mask" lesson=11 goal=1 points=4
# Dropout, forward and backward. What is wrong with the second function? Would a test notice that compares *means* over many
# draws?
# %% bug=true
def forward(x, mask, p):
    return x * mask / (1 - p)


def backward(dy, mask, p):
    return dy * mask


# %% fix=true
def forward(x, mask, p):
    return x * mask / (1 - p)


def backward(dy, mask, p):
    return dy * mask / (1 - p)


# %% proof=true
mask = np.array([1.0, 0.0, 1.0, 1.0])
compare(lambda x: forward(x, mask, 0.25), lambda dy, x: backward(dy, mask, 0.25), *normals((4,)))
# %% [markdown] answer="dropout mask"
# The gradient passes through the same *scaled* mask, so $1/(1-p)$ is missing. The mean of the outputs is right, and a test of the
# forward pass notices nothing; a gradient check with the mask held fixed does. (Training works too: with a smaller learning
# rate for that layer.)
