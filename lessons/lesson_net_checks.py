"""The checks of the growing project `mynet.py`: one for each part, which all measure and compare with minigrad."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import minigrad as mg
from lesson_checks import ask, attempt, check, same, same_parts
from lesson_text import class_text

Check = Callable[[Any], None]


# --- lesson 1 ---------------------------------------------------------------------------------------------------------


def _graphs(net: Any) -> Iterator[Any]:
    """Yield the roots of graphs in which Tensors are read more than once."""
    for seed in range(10):
        draw = np.random.default_rng(seed)
        tensors = [net.Tensor(1.0) for _ in range(3)]
        for _ in range(12):
            pair = [tensors[-1 - k] for k in draw.integers(4 if len(tensors) > 3 else 3, size=2)]
            tensors.append(net.Tensor(1.0, pair, lambda dy: (dy, dy)))
        yield tensors[-1]


def _order(net: Any) -> None:
    for root in _graphs(net):
        found = attempt(net.order, root)
        check(isinstance(found, (list, tuple)) and found and found[0] is root, "the list should begin with root.")
        place = {id(one): k for k, one in enumerate(found)}
        check(len(place) == len(found), "a Tensor is in the list twice.")
        for k, one in enumerate(found):
            check(all(id(x) in place for x in one.inputs), "an input is missing from the list.")
            check(all(place[id(x)] > k for x in one.inputs), "a Tensor comes before one that reads it.")
    last = net.Tensor(1.0)
    for _ in range(20_000):
        last = net.Tensor(1.0, (last,), lambda dy: (dy,))
    check(len(attempt(net.order, last)) == 20_001, "in a chain of 20,000 operations some are missing.")


def _backward(net: Any) -> None:
    x = net.Tensor([1.0, -2.0])
    y = net.Tensor(x.data + x.data, (x, x), lambda dy: (dy, dy))
    z = net.Tensor(y.data * y.data, (y, y), lambda dz: (dz * y.data, dz * y.data))
    loss = net.Tensor(z.data.sum(), (z,), lambda dy: (dy * np.ones(2),))
    for calls in (1, 2):
        attempt(net.backward, loss)
        check(x.grad is not None, "the leaf has no grad after the call.")
        same(f"dx after {calls} call{'s' * (calls - 1)}", x.grad, calls * 8 * x.data)
    check(y.grad is None and z.grad is None and loss.grad is None, "only leaves keep a grad.")


# --- lessons 2 and 3 --------------------------------------------------------------------------------------------------


def _unbroadcast(net: Any) -> None:
    draw = np.random.default_rng(0)
    for shape, to in (
        ((3,), (2, 3)),
        ((2, 1), (2, 3)),
        ((1, 3), (4, 2, 3)),
        ((), (2, 3)),
        ((2, 3), (2, 3)),
        ((1,), (1,)),
    ):
        dy, x = draw.normal(size=to), mg.tensor(np.zeros(shape), requires_grad=True)
        (want,) = mg.grad(((x + np.zeros(to)) * dy).sum(), [x])
        same(f"the gradient of {shape}, broadcast to {to}", ask(net.unbroadcast, dy, shape), want)


def _operation(
    net: Any,
    name: str,
    arrays: Sequence[Any],
    names: Sequence[str],
    expected: Callable[..., Any],
    *more: Any,
    times: str = "",
) -> None:
    """Check an operation: its value, its inputs, and the rule on a random dy.

    Args:
        net: the module.
        name: of the operation.
        arrays: the inputs.
        names: of the inputs.
        expected: the same operation on Tensors of minigrad.
        *more: further arguments.
        times: the name of the value times the size of the last of `more`, for which yours may be taken.
    """
    inputs = [net.Tensor(a) for a in arrays]
    y = attempt(getattr(net, name), *inputs, *more)
    check(isinstance(y, net.Tensor), f"{name} should return a Tensor; yours is {type(y).__name__}.")
    leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
    want = expected(*leaves)
    same(name, y.data, want, others={times: want.numpy() * more[-1].size} if times else {})
    found = [*y.inputs]
    check(
        len(found) == len(inputs) and all(x is mine for x, mine in zip(found, inputs, strict=True)),
        f"the inputs of the Tensor should be the arguments {', '.join(names)}, in this order.",
    )
    check(callable(y.rule), "the Tensor should have a rule, a function of dy.")

    @functools.wraps(y.rule)
    def rule(dy: Any) -> Any:
        return y.rule(dy)

    rule.__name__ = f"the rule of {name}"
    dy = np.random.default_rng(1).normal(size=want.shape)
    gradients = ask(rule, dy, parts=[f"d{x}" for x in names])
    same_parts([f"d{x}" for x in names], gradients, mg.grad((want * dy).sum(), leaves))


def _add(net: Any) -> None:
    draw = np.random.default_rng(0)
    _operation(net, "add", (draw.normal(size=(2, 3)), draw.normal(size=3)), "xy", lambda x, y: x + y)
    _operation(net, "add", (draw.normal(size=(2, 1)), draw.normal(size=(4, 1, 3))), "xy", lambda x, y: x + y)


def _matmul(net: Any) -> None:
    draw = np.random.default_rng(0)
    for front in ((5,), (2, 5)):
        _operation(net, "matmul", (draw.normal(size=(*front, 3)), draw.normal(size=(3, 4))), "xw", mg.matmul)


def _cross_entropy(net: Any) -> None:
    draw = np.random.default_rng(0)
    targets = draw.integers(5, size=(3, 4))
    loss = mg.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for size in (1, 1000):
        scores = size * draw.normal(size=(3, 4, 5))
        _operation(
            net,
            "cross_entropy",
            [scores],
            ["scores"],
            lambda s: loss(targets, s),
            targets,
            times="the sum, not the mean",
        )


# --- lesson 4 ---------------------------------------------------------------------------------------------------------


def _dense(net: Any) -> None:
    draw = np.random.default_rng(0)
    x, V, a, k = (draw.normal(size=shape) for shape in ((3, 2, 4), (4, 5), (5,), (3, 2, 5)))
    layer, mine = net.Dense(V, a), net.Tensor(x)
    y = attempt(layer, mine)
    check(isinstance(y, net.Tensor), f"Dense should return a Tensor; yours is {type(y).__name__}.")
    leaves = [mg.tensor(one, requires_grad=True) for one in (x, V, a)]
    want = leaves[0] @ leaves[1] + leaves[2]
    same("y", y.data, want)
    net.backward(net.Tensor((y.data * k).sum(), (y,), lambda dy: (dy * k,)))
    names = ("dx", "dV", "da")
    same_parts(names, [one.grad for one in (mine, layer.V, layer.a)], mg.grad((want * k).sum(), leaves))


def _adam(net: Any) -> None:
    draw, epsilon, eta = np.random.default_rng(3), 1e-2, 0.1
    w, m, v = np.ones(4), np.zeros(4), np.zeros(4)
    want, optimizer = mg.tensor(w, requires_grad=True), mg.keras.optimizers.Adam(eta, epsilon=epsilon)
    hatted, m_, v_ = w, m, v
    for t in range(1, 7):
        dw = draw.normal(size=4)
        w, m, v = ask(net.adam, w, dw, m, v, t, eta, epsilon=epsilon, parts=("w", "m", "v"))
        optimizer.apply_gradients([(mg.tensor(dw), want)])
        m_, v_ = 0.9 * m_ + 0.1 * dw, 0.999 * v_ + 0.001 * dw * dw
        hatted = hatted - eta * m_ / (1 - 0.9**t) / (np.sqrt(v_ / (1 - 0.999**t)) + epsilon)
        lesson_4 = {"lesson 4's form, in which ε is added to √v̂": hatted}
        same(f"w after step {t}", w, want, 1e-12, 1e-12, others=lesson_4)


# --- lessons 6 and 7 --------------------------------------------------------------------------------------------------


def _layer(seed: int, features: int = 3, units: int = 4) -> Any:
    """Return an LSTM of minigrad with random weights."""
    draw = np.random.default_rng(seed)
    lstm = mg.keras.layers.LSTM(units, return_sequences=True, dtype="float64")
    lstm.build((None, None, features))
    lstm.set_weights([draw.normal(size=w.shape) for w in lstm.get_weights()])
    return lstm


def _traced(lstm: Any, xs: Any, h: Any, c: Any) -> tuple[Any, list[tuple[Any, ...]]]:
    """Return the trace of a run, and the caches of its steps."""
    with mg.trace(lstm) as seen:
        lstm(xs.swapaxes(0, 1), initial_state=[h, c])
    return seen, list(zip(seen.i, seen.f, seen.g, seen.o, seen.a, strict=True))


def _sequence(time: int) -> tuple[Any, Any, Any]:
    """Return inputs and a state: five rows, three features, four units."""
    draw = np.random.default_rng(2)
    return draw.normal(size=(time, 5, 3)), *draw.normal(size=(2, 5, 4))


def _lstm_step(net: Any) -> None:
    lstm, (xs, h, c) = _layer(0), _sequence(1)
    seen, caches = _traced(lstm, xs, h, c)
    names = ("h_new", "c_new", "cache")
    yours = ask(net.lstm_step, xs[0], h, c, *lstm.get_weights(), parts=names)
    same_parts(names, yours, (seen.h[1], seen.c[1], np.array(caches[0])), axes={"cache": "part row unit"})


def _lstm_forward(net: Any) -> None:
    lstm, (xs, h, c) = _layer(1), _sequence(6)
    seen, caches = _traced(lstm, xs, h, c)
    names = ("hs", "cs", "caches")
    yours = ask(net.lstm_forward, xs, h, c, *lstm.get_weights(), parts=names)
    words = {"hs": "step row unit", "cs": "step row unit"}
    same_parts(names, yours, (seen.h, seen.c, np.array(caches)), axes=words)


def _step_backward(net: Any) -> None:
    """Compare with the tape; W is the identity, so that the gradient of x is dz."""
    draw, units = np.random.default_rng(4), 3
    U = draw.normal(size=(units, 4 * units))
    cell = mg.keras.layers.LSTM(units, return_state=True, dtype="float64")
    cell.build((None, None, 4 * units))
    cell.set_weights([np.eye(4 * units), U, np.zeros(4 * units)])
    z, h, c = draw.normal(size=(1, 5, 4 * units)), *draw.normal(size=(2, 5, units))
    dh_new, dc_new = draw.normal(size=(2, 5, units))
    leaves = [mg.tensor(a, requires_grad=True) for a in (z.swapaxes(0, 1), h, c)]
    _, h_new, c_new = cell(leaves[0], initial_state=leaves[1:])
    dz, dh, dc = mg.grad((h_new * dh_new).sum() + (c_new * dc_new).sum(), leaves)
    _, caches = _traced(cell, z, h, c)
    yours = ask(net.step_backward, dh_new, dc_new, caches[0], c, U, parts=("dz", "dh", "dc"))
    same_parts(("dz", "dh", "dc"), yours, (dz.numpy()[:, 0], dh, dc), axes={"dz": "row gates", "dh": "row unit"})


def _lstm_backward(net: Any) -> None:
    lstm, (xs, h, c) = _layer(5), _sequence(6)
    seen, caches = _traced(lstm, xs, h, c)
    dhs = np.random.default_rng(6).normal(size=(6, 5, 4))
    y = lstm(xs.swapaxes(0, 1), initial_state=[h, c])
    want = mg.grad((y * dhs.swapaxes(0, 1)).sum(), lstm.trainable_weights)
    given = (dhs, xs, np.array(seen.h), np.array(seen.c), caches, lstm.get_weights()[1])
    yours = ask(net.lstm_backward, *given, parts=("dW", "dU", "db"))
    same_parts(("dW", "dU", "db"), yours, want, axes={"dW": "row gates", "dU": "row gates", "db": "gates"})


def _train_step(net: Any) -> None:
    losses, yours, theirs = side_by_side(net, steps=3, units=6)
    for step, (mine, want) in enumerate(losses, 1):
        same(f"the loss of step {step}", mine, want)
    for name, mine, want in zip(("W", "U", "b", "V", "a"), yours, theirs, strict=True):
        same(f"{name} after three steps", mine, want)


def side_by_side(net: Any, steps: int = 20, units: int = 64) -> tuple[Any, list[Any], list[Any]]:
    """Train the net of lesson 0 twice, by `mynet.py` and by minigrad: the same weights, the same pieces of the tales.

    Returns:
        The losses, (steps, 2), yours first; the weights W, U, b, V, a of yours and of minigrad's net at the end.
    """
    text = class_text()
    characters = sorted(set(text))
    numbers = np.array([characters.index(character) for character in text])
    start = net.first_weights(len(characters), units)
    yours = net.Net(*start)
    optimizer = net.Adam(yours.weights)
    memory = mg.keras.layers.LSTM(units, return_sequences=True, dtype="float64")
    guess = mg.keras.layers.Dense(len(characters), dtype="float64")
    memory.build((None, None, len(characters)))
    guess.build((None, None, units))
    memory.set_weights(start[:3])
    guess.set_weights(start[3:])
    weights = memory.trainable_weights + guess.trainable_weights
    surprise, adam = mg.keras.losses.SparseCategoricalCrossentropy(from_logits=True), mg.keras.optimizers.Adam(0.02)
    losses = []
    for at in np.random.default_rng(0).integers(len(numbers) - 32, size=(steps, 32)):
        pieces = numbers[at[:, None] + np.arange(33)]
        mine = attempt(net.train_step, yours, optimizer, pieces.T)
        loss = surprise(pieces[:, 1:], guess(memory(np.eye(len(characters))[pieces[:, :-1]])))
        adam.apply_gradients(zip(mg.grad(loss, weights), weights, strict=True))
        check(mine is not None, "train_step returned None. Is there a `return` at its end?")
        losses.append((float(mine), loss.item()))
    return np.array(losses), [w.data for w in yours.weights], [w.numpy() for w in weights]


PARTS: list[tuple[int, str, Check]] = [
    (1, "order", _order), (1, "backward", _backward),
    (2, "unbroadcast", _unbroadcast), (2, "add", _add), (2, "matmul", _matmul),
    (3, "cross_entropy", _cross_entropy),
    (4, "Dense", _dense), (4, "adam", _adam),
    (6, "lstm_step", _lstm_step), (6, "lstm_forward", _lstm_forward),
    (7, "step_backward", _step_backward), (7, "lstm_backward", _lstm_backward), (7, "train_step", _train_step),
]  # fmt: skip
