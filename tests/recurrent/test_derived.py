"""The derived backward of each operator, against finite differences of the forward body in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.keras import layers as L
from minigrad.recurrent import (
    GRU,
    LSTM,
    LSTMP,
    Equations,
    EquationsError,
    GRUResetBefore,
    SimpleRNN,
    clip,
    phi,
    sigma,
    stop,
)
from minigrad.recurrent.compiler.checked import bodies
from minigrad.testing import check_cell

# Returned expressions of forward for the one new state, of the columns a and b, the state c and the option tau.
BODIES = {
    "a name": "return a",
    "a sum": "return a + b + c",
    "a difference": "return a - b - c",
    "a negative": "return -a - (-b)",
    "a plus sign": "return +a * (+b)",
    "a product": "return a * b * c",
    "a product with itself": "return a * a",
    "a square": "return (a + b) ** 2",
    "a quotient": "return a / (2 + b * b)",
    "a number over": "return 3 / (2 + a * a)",
    "numbers": "return 2 * a - 0.5 * b + 3",
    "an option": "return tau * a + b / tau - tau",
    "σ": "return sigma(a)",
    "φ": "return phi(a)",
    "σ of an expression": "return sigma(a * b + c)",
    "σ inside": "return b * sigma(a) - c / (1 + sigma(c))",
    "φ of σ": "return phi(sigma(a) * b)",
    "a value read three times": "d = sigma(a)\nreturn d * b + d * d - d",
    "a name given twice": "d = a * b\nd = d + phi(d)\nreturn d",
    "a clip": "return clip(a, 0.5) + clip(b * c, 0.3)",
    "a clip of a clip": "d = clip(a, 0.8)\nreturn clip(d + b, 0.5)",
    "a value that is not read": "d = a * b\ne = d * c\nreturn d",
    "an inner product": "return phi(a @ P) + b",
    "an inner product of an expression": "return (sigma(a) * c) @ P - (b * c) @ Q",
    "brackets": "return a - (b - (c - a)) / (1 + (a * b) ** 2)",
}


def cell(tmp_path: Any, body: str) -> type[Equations]:
    """A cell from a file, since a body is read from its text."""
    matrices = "".join(f", {m}" for m in "PQ" if f"@ {m}" in body)
    lines = "\n        ".join(body.splitlines())
    file = tmp_path / "cell.py"
    file.write_text(
        "class My(Equations):\n"
        "    states = 'c'\n"
        "    products = 'a b = x W + c U + bias'\n\n"
        f"    def forward(a, b, c, *, tau=1.5{matrices}):\n        {lines}\n"
    )
    space: dict[str, Any] = {"Equations": Equations, "__name__": f"of_{tmp_path.name}"}
    exec(compile(file.read_text(), file, "exec"), space)
    return space["My"]


def forward(body: str, values: dict[str, Any]) -> Any:
    """The body in plain NumPy, run as the Python that it is."""
    words = {
        "sigma": lambda z: 1 / (1 + np.exp(-z)), "phi": np.tanh, "clip": lambda v, limit: np.clip(v, -limit, limit),
    }  # fmt: skip
    space: dict[str, Any] = {}
    arguments = ", ".join(values)
    exec(f"def run({arguments}):\n    " + "\n    ".join(body.splitlines()), words, space)
    return space["run"](**values)


def derived(equations: type[Equations], values: dict[str, Any], upstream: Any) -> dict[str, Any]:
    """The derived backward in plain NumPy, from the text of its lines."""
    import ast

    read, back = bodies(equations, ())
    words = {
        "sigma": lambda z: 1 / (1 + np.exp(-z)), "phi": np.tanh, "clip": lambda v, limit: np.clip(v, -limit, limit),
        "dsigma": lambda dy, y: dy * y * (1 - y), "dphi": lambda dy, y: dy * (1 - y * y),
        "dclip": lambda dy, y, limit: np.where(np.abs(y) < limit, dy, 0.0),
    }  # fmt: skip
    known = dict(values)
    for line in read.lines:
        known[line.name] = eval(ast.unparse(ast.fix_missing_locations(line.value)), words, known)
    known[back.arguments[0]] = upstream
    for line in back.lines:
        known[line.name] = eval(ast.unparse(ast.fix_missing_locations(line.value)), words, known)
    found = (eval(ast.unparse(ast.fix_missing_locations(e)), words, known) for e in back.returns)
    return dict(zip(read.arguments, found, strict=True))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_each_operator(body: str, tmp_path: Any) -> None:
    rng = np.random.default_rng(len(body))
    values: dict[str, Any] = {name: rng.uniform(-1, 1, (3, 2)) for name in "abc"} | {"tau": 1.5}
    values |= {m: rng.standard_normal((2, 2)) for m in "PQ" if f"@ {m}" in body}
    upstream = rng.standard_normal((3, 2))
    found = derived(cell(tmp_path, body), values, upstream)
    for name in "abc":
        numeric = np.zeros((3, 2))
        for at in np.ndindex(3, 2):
            sides = []
            for step in (1e-6, -1e-6):
                moved = values[name].copy()
                moved[at] += step
                sides.append((forward(body, values | {name: moved}) * upstream).sum())
            numeric[at] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(found[name] * np.ones((3, 2)), numeric, rtol=1e-7, atol=1e-8, err_msg=name)


@pytest.mark.parametrize("equations", [LSTM, LSTMP, GRU, GRUResetBefore, SimpleRNN], ids=lambda e: e.__name__)
@pytest.mark.parametrize("activation", ["tanh", "softsign", "swish", "softmax", "gelu"])
def test_it_is_the_built_in_cells_backward(equations: type[Equations], activation: str) -> None:
    check_cell(equations, activation)


def test_names_are_free(tmp_path: Any) -> None:
    """A user's value named dh, distinct from the derived gradient of that name."""
    found = cell(tmp_path, "dc_new = a * b\nda = dc_new + c\nreturn da * dc_new")
    read, back = bodies(found, ())
    assert back.arguments[0] not in {line.name for line in read.lines}
    made = [line.name for line in back.lines]
    assert len({*made, *(line.name for line in read.lines)}) == len(made) + len(read.lines)


@pytest.mark.parametrize("word", ["dsigma(a, b)", "dphi(a, b)", "dclip(a, b, 0.5)"])
def test_a_derivative_in_forward_cannot_be_differentiated(word: str, tmp_path: Any) -> None:
    with pytest.raises(EquationsError, match=r"line \d+ of .*: .* cannot be differentiated. Write `backward` by hand"):
        bodies(cell(tmp_path, f"d = {word}\nreturn d + c"), ())


class Weights(Equations):
    """A cell whose weights have the names that gradients would get."""

    states = "h", "dz_2"
    products = "z g = x dg + h dz + dz_2 dh_new + dh", "k = x h_new + stop(h) dk"

    def forward(z, g, k, h):
        return clip(z * g, 0.4) * k * k + h, g * sigma(z) * k


class Unread(Equations):
    """Columns that lead nowhere, of both widths, and a first state of another width than a column."""

    states = "s:blocks", "h"
    products = "z:blocks g dh:blocks = x W + h U + b", "e:blocks r = x V + s Q"

    def forward(z, g, dh, h, s, e, r):
        e = stop(r) * h
        return sigma(z) + s, phi(g) * s + e


@pytest.mark.parametrize("equations", [Weights, Unread], ids=lambda e: e.__name__)
def test_it_is_the_tapes(equations: type[Equations]) -> None:
    widths = {"blocks": 2} if equations is Unread else {}
    layer = L.RNN(L.EquationCell(equations, 4, dtype="float64", **widths), return_state=True, dtype="float64")
    x = mg.tensor(np.random.default_rng(0).standard_normal((4, 3, 4)), requires_grad=True)  # as many rows as units

    def gradients() -> list[np.ndarray]:
        loss = sum((y**2).sum() for y in layer(x))
        found = mg.grad(loss, [x, *layer.trainable_weights])
        return [np.zeros(1) if g is None else g.numpy() for g in found]

    by_hand = gradients()
    with mg.testing.on_tape(layer):
        by_tape = gradients()
    for one, other in zip(by_hand, by_tape, strict=True):
        np.testing.assert_allclose(*np.broadcast_arrays(one, other), rtol=1e-11, atol=1e-13)
