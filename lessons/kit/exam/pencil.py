# %% [markdown] question="chain rule" lesson=1 goal=1 points=4
# Let $a = 3$, $b = -2$, then $c = a\,b$, $d = c + a$ and $L = c\,d$. Compute $L$, and by hand, one line for each
# quantity, $dd$, $dc$, $da$ and $db$.
# %%
a, b = (mg.tensor(v, dtype="float64", requires_grad=True) for v in (3.0, -2.0))
c = a * b
d = c + a
L = c * d
dd, dc, da, db = (g.item() for g in mg.grad(L, [d, c, a, b]))
L = L.item()
# %% [markdown] answer="chain rule"
# $c = -6$, $d = -3$, $L = «L:g»$. Backwards: $dd = c = «dd:g»$. $c$ is read twice, by $L$ and by $d$:
# $dc = d + dd = «dc:g»$. $a$ is read twice as well: $da = dd + dc\cdot b = «da:g»$. $db = dc\cdot a = «db:g»$.
# (One point for each gradient. Half of the points if a second reader is forgotten and the rest follows from that.)

# %% [markdown] question="broadcast" lesson=2 goal=2 points=4
# $x$ has shape `(2, 1)`, $w$ has shape `(3,)`, and $y = x + 2w$:
# $$x = \begin{pmatrix}1\\-1\end{pmatrix},\quad w = (1,\ 2,\ 3),\quad
#   dy = \begin{pmatrix}1&0&2\\3&1&-1\end{pmatrix}.$$
# What is the shape of $y$? Compute $dx$ and $dw$.
# %%
x = mg.tensor([[1.0], [-1.0]], requires_grad=True)
w = mg.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x + 2 * w
y.backward(np.array([[1.0, 0.0, 2.0], [3.0, 1.0, -1.0]], "float32"))
shape = y.shape
(dx_1,), (dx_2,) = x.grad.numpy().tolist()
dw_1, dw_2, dw_3 = w.grad.numpy().tolist()
# %% [markdown] answer="broadcast"
# $y$ has shape `«shape»`. $x$ was copied along the columns, so $dx$ is the sum of each row:
# $dx = («dx_1:g»,\ «dx_2:g»)^\top$, of shape `(2, 1)`. $w$ was copied along the rows and multiplied by 2:
# $dw = («dw_1:g»,\ «dw_2:g»,\ «dw_3:g»)$, of shape `(3,)`.

# %% [markdown] question="differences" lesson=3 goal=1 points=3
# $L = x^4$ at $x = 1$, and $h = 0.1$. Compute the one-sided and the central difference quotient, and the error of each.
# ($1.1^4 = 1.4641$, $0.9^4 = 0.6561$.) By about which factor does each error fall if $h$ is halved?
# %%
x = mg.tensor(1.0, dtype="float64", requires_grad=True)
exact = mg.grad(x**4, x)[0].item()


def one_side(h):
    return ((1 + h) ** 4 - 1) / h


def central(h):
    return ((1 + h) ** 4 - (1 - h) ** 4) / (2 * h)


one, two = one_side(0.1), central(0.1)
error_one, error_two = one - exact, two - exact
factor_one = error_one / (one_side(0.05) - exact)
factor_two = error_two / (central(0.05) - exact)
# %% [markdown] answer="differences"
# The derivative is «exact:g». One-sided: «one:.3f», an error of «error_one:.3f». Central: «two:.3f», an error of
# «error_two:.3f». Halving $h$ divides the first error by about 2 (here «factor_one:.2f») and the second by 4 (here
# «factor_two:.2f»).

# %% [markdown] question="ravine" lesson=4 goal=3 points=4
# $L = \frac12(2 w_1^2 + 50 w_2^2)$. (a) Below which learning rate does gradient descent converge? (b) By which factors are
# $w_1$ and $w_2$ multiplied in each step with $\eta = 0.03$? (c) From $w = (1, 1)$, where does the *first* step of Adam
# lead, with $\eta = 0.1$?
# %%
limit = 2 / 50
w = mg.tensor([1.0, 1.0], dtype="float64", requires_grad=True)


def gradient():
    return mg.grad(0.5 * (np.array([2.0, 50.0]) * w * w).sum(), w)[0]


factor_1, factor_2 = (1 - 0.03 * gradient().numpy()).tolist()
mg.keras.optimizers.Adam(0.1).apply_gradients([(gradient(), w)])
after_1, after_2 = w.numpy().tolist()
# %% [markdown] answer="ravine"
# (a) $\eta < 2/50 = «limit:g»$. (b) $1 - 0.03\cdot 2 = «factor_1:.2f»$ and $1 - 0.03\cdot 50 = «factor_2:.2f»$.
# (c) Adam's first step has the length $\eta$ along each axis, against the sign of the gradient:
# $(«after_1:.2f»,\ «after_2:.2f»)$.

# %% [markdown] question="one unit" lesson=5 goal=1 points=4
# One unit without input, $h_t = \tanh(1.5\,h_{t-1})$, starts from $h_0 = 0.5$. Use $\tanh 0.75 = 0.635$,
# $\tanh 0.953 = 0.741$ and $\tanh 1.111 = 0.804$. Compute $J_1$, $J_2$, $J_3$ and $\partial h_3/\partial h_0$. The factor
# 1.5 is larger than 1: why does the gradient still become smaller?
# %%
state = mg.tensor(0.5, dtype="float64", requires_grad=True)
last, J = state, []
for _ in range(3):
    last = mg.tanh(1.5 * last)
    J.append(1.5 * (1 - last.item() ** 2))
J_1, J_2, J_3 = J
product = mg.grad(last, state)[0].item()
rounded = float(np.prod([1.5 * (1 - h**2) for h in (0.635, 0.741, 0.804)]))
# %% [markdown] answer="one unit"
# $J_t = 1.5\,(1 - h_t^2)$: «J_1:.3f», «J_2:.3f», «J_3:.3f», and the product is «product:.3f» («rounded:.3f» with the
# rounded values). The unit runs towards its attractor and saturates: $1 - h^2$ takes away more than 1.5 puts in.

# %% [markdown] question="clipping" lesson=5 goal=3 points=3
# A net has the gradients $dW = (3, 4)$ and $db = (12)$. They are clipped to a common length of 6.5. What are they
# afterwards? What would be wrong with clipping each array to 6.5 by itself?
# %%
ws = [mg.tensor(np.zeros(n), requires_grad=True) for n in (2, 1)]
gs = [mg.tensor(np.array(g)) for g in ([3.0, 4.0], [12.0])]
mg.keras.optimizers.SGD(1.0, global_clipnorm=6.5).apply_gradients(zip(gs, ws, strict=True))
(dW_1, dW_2), (db,) = ((-w.numpy()).tolist() for w in ws)
length = float(np.sqrt(9 + 16 + 144))
# %% [markdown] answer="clipping"
# The common length is $\sqrt{9 + 16 + 144} = «length:g»$, so everything is multiplied by ½: $dW = («dW_1:g», «dW_2:g»)$,
# $db = («db:g»)$. One by one, $dW$ (length 5) would stay and $db$ would become 6.5: the direction of the whole gradient
# would change.

# %% [markdown] question="lstm step" lesson=6 goal=1 points=5
# One unit of an LSTM has $c = 2$, and its pre-activations are $z_i = 0$, $z_f = 2$, $z_g = -1$, $z_o = 0$. Use
# $\sigma(2) = 0.881$, $\tanh 1 = 0.762$, $\tanh 1.381 = 0.881$. Compute $i, f, g, o$, then $c_\text{new}$, $a$ and
# $h_\text{new}$. Which share of $c$ would be left after ten such steps?
# %%
cell = mg.keras.layers.LSTMCell(1, dtype="float64")
cell.build((None, 1))
cell.set_weights([np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 2.0, -1.0, 0.0])])
_, (h_new, c_new) = cell(np.zeros((1, 1)), [np.zeros((1, 1)), np.full((1, 1), 2.0)])
h_new, c_new = h_new.item(), c_new.item()
f, g, a = float(1 / (1 + np.exp(-2.0))), float(np.tanh(-1.0)), float(np.tanh(c_new))
ten = f**10
# %% [markdown] answer="lstm step"
# $i = o = 0.5$, $f = «f:.3f»$, $g = «g:.3f»$. $c_\text{new} = f\cdot 2 + i\,g = «c_new:.3f»$, $a = «a:.3f»$,
# $h_\text{new} = o\,a = «h_new:.3f»$. After ten steps $f^{10} = «ten:.2f»$ of $c$ would be left.

# %% [markdown] question="lstm step backward" lesson=7 goal=1 points=6
# In a step of an LSTM with one unit $i = 0.5$, $f = 0.9$, $g = 0.6$, $o = 0.8$, $c = 1$, $a = 0.8$. From the right come
# $dh_\text{new} = 1$ and $dc_\text{new} = 0.2$. Compute $do$, the complete $dc_\text{new}$, then $df$, $di$, $dg$, then
# $dz_i, dz_f, dz_g, dz_o$, and $dc$ for the step before.
# %%
dh, dc, c = 1.0, 0.2, 1.0
i, f, g, o, a = 0.5, 0.9, 0.6, 0.8, 0.8
do, whole = dh * a, dc + dh * o * (1 - a * a)
df, di, dg = whole * c, whole * g, whole * i
dz_i, dz_f, dz_g, dz_o, dc_before = (
    float(v) for v in LSTM.backward(*(np.float64(v) for v in (dh, dc, i, f, g, o, a, c)))
)
# %% [markdown] answer="lstm step backward"
# $do = dh_\text{new}\,a = «do:g»$. $dc_\text{new} = 0.2 + 1\cdot 0.8\,(1 - 0.64) = «whole:.3f»$. $df = «df:.3f»$,
# $di = «di:.4f»$, $dg = «dg:.3f»$. $dz_i = di\,i(1-i) = «dz_i:.4f»$, $dz_f = df\,f(1-f) = «dz_f:.4f»$,
# $dz_g = dg\,(1-g^2) = «dz_g:.4f»$, $dz_o = do\,o(1-o) = «dz_o:.4f»$. $dc = dc_\text{new}\,f = «dc_before:.4f»$.
# (Two points for the complete $dc_\text{new}$: without the 0.2 all that follows is too small.)

# %% [markdown] question="generations" lesson=8 goal=2 points=5
# A cell of the third generation has one unit, one feature and, in the order $i, f, g, o$, $W = (1, 2, 3, 4)$,
# $U = (5, 6, 7, 8)$, $b = (0, 1, 0, 0.5)$. (a) Write down the kernel and the bias for the first generation's cell
# (order $i, j, f, o$, forget bias 1 added at call). (b) A gate has $z = 1$. Which value has it in the third, and
# which in the second generation, with the hard sigmoid?
# %%
weights = {
    "kernel": np.array([[1.0, 2, 3, 4]]),
    "recurrent_kernel": np.array([[5.0, 6, 7, 8]]),
    "bias": np.array([0.0, 1, 0, 0.5]),
}
K, bias = convert.relayout(weights, "keras", "tf1").values()
row_x, row_h, bias = (", ".join(f"{v:g}" for v in row) for row in (*K, bias))
one = mg.tensor(1.0, dtype="float64")
soft, hard = mg.keras.activations.sigmoid(one).item(), mg.keras.activations.hard_sigmoid(one).item()
# %% [markdown] answer="generations"
# (a) The row of $x$ is above that of $h$, and the columns of $f$ and $g$ change places: $(«row_x»)$ and $(«row_h»)$. The bias
# is $(«bias»)$: the 1 is added by the cell, so the file must hold 0. (b) $\sigma(1) = «soft:.3f»$, and
# $0.2\cdot 1 + 0.5 = «hard:.1f»$.

# %% [markdown] question="mask" lesson=9 goal=1 points=5
# $h_t = \tanh(x_t + h_{t-1})$ from $h_0 = 0$, three steps with $x = (0.5,\ 7,\ 0)$ and the mask $(1, 0, 1)$. The loss is
# $h_3$. Use $\tanh 0.5 = 0.462$ and $\tanh 0.462 = 0.432$. Compute all $h_t$, all $dh_t$ and all $dx_t$.
# %%
rnn = mg.keras.layers.SimpleRNN(1, return_sequences=True, dtype="float64")
rnn.build((None, None, 1))
rnn.set_weights([np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)])
x = mg.tensor(np.array([[[0.5], [7.0], [0.0]]]), requires_grad=True)
with mg.trace(rnn) as seen:
    rnn(x, mask=np.array([[True, False, True]]))[:, -1].sum().backward()
h_1, h_2, h_3 = seen.h[1:, 0, 0].tolist()
dh_1, dh_2, dh_3 = seen.dh[1:, 0, 0].tolist()
dx_1, dx_2, dx_3 = seen.dx[:, 0, 0].tolist()
# %% [markdown] answer="mask"
# $h = («h_1:.3f»,\ «h_2:.3f»,\ «h_3:.3f»)$: the second step rests. $dh_3 = «dh_3:g»$,
# $dx_3 = 1 - h_3^2 = «dx_3:.3f»$, $dh_2 = «dh_2:.3f»$, and through the hole unchanged $dh_1 = «dh_1:.3f»$.
# $dx_2 = «dx_2:g»$, $dx_1 = dh_1\,(1 - h_1^2) = «dx_1:.3f»$.


# %% [markdown] question="truncation" lesson=10 goal=1 points=5
# $h_t = u\,h_{t-1} + x_t$ with $u = 0.5$, $h_0 = 0$, the input $1, 1, 0$, and the loss $L = h_3$. (a) Write $h_3$ in terms of
# $u$, and compute $dL/du$. (b) Compute the share of each step. (c) What is left of $dL/du$ with $k_2 = 1$ and with $k_2 = 2$?
# %%
def left(k2):
    unit = mg.keras.layers.SimpleRNN(1, activation="linear", use_bias=False, tbptt=(1, k2), dtype="float64")
    unit.build((1, 3, 1))
    unit.set_weights([np.ones((1, 1)), np.full((1, 1), 0.5)])
    unit(np.array([1.0, 1, 0]).reshape(1, 3, 1)).sum().backward()
    return unit.trainable_weights[1].grad.item()


k2_1, k2_2, whole = left(1), left(2), left(3)
share_1, share_2, share_3 = whole - k2_2, k2_2 - k2_1, k2_1
# %% [markdown] answer="truncation"
# (a) $h_1 = 1$, $h_2 = u + 1$, $h_3 = u^2 + u$, so $dL/du = 2u + 1 = «whole:g»$. (b) Step $t$ has the share
# $u^{3-t}\,h_{t-1}$: «share_1:g», «share_2:g», «share_3:g». (c) $k_2 = 1$ leaves «k2_1:g», $k_2 = 2$ leaves «k2_2:g».

# %% [markdown] question="dropout" lesson=11 goal=1 points=4
# $x = (3, 1)$, $w = (1, 2)$, dropout with $p = \frac12$. List the sums $\sum m_i x_i w_i$ for all four masks, and compute
# their mean and variance. Compare with the formula.
# %%
x, w = np.array([3.0, 1.0]), np.array([1.0, 2.0])
sums = [float((np.array(m) / 0.5 * x) @ w) for m in ((1, 1), (1, 0), (0, 1), (0, 0))]
s_1, s_2, s_3, s_4 = sums
mean, variance = float(np.mean(sums)), float(np.var(sums))
formula = float(0.5 / 0.5 * (x**2 * w**2).sum())
# %% [markdown] answer="dropout"
# «s_1:g», «s_2:g», «s_3:g», «s_4:g». The mean is «mean:g», which is the sum without dropout. The variance is «variance:g», and
# the formula says $\frac{p}{1-p}\sum x_i^2w_i^2 = 9\cdot 1 + 1\cdot 4 = «formula:g»$.
