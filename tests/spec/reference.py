"""The pages' formulas in NumPy, and layers to compare with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from oracle.reader import resolve
from spec.pages import Page

Array = Any
BATCH, TIME, FEATURES, UNITS = 3, 5, 4, 2
numbers = np.random.default_rng(0)
X = numbers.standard_normal((BATCH, TIME, FEATURES))
H, C = numbers.standard_normal((2, BATCH, UNITS))
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]], dtype=bool)


def class_of(page: Page) -> Any:
    return resolve(page.address, mg)


def is_layer(page: Page) -> bool:
    return page.title.endswith(".LSTM")


def shape_of_inputs(page: Page) -> tuple[int, ...]:
    return (BATCH, TIME, FEATURES) if is_layer(page) else (BATCH, FEATURES)


def built(page: Page, **options: Any) -> Any:
    """A layer or cell with weights drawn at random, in float64."""
    layer = class_of(page)(UNITS, **{"dtype": "float64", **options})
    layer.build(shape_of_inputs(page))
    rng = np.random.default_rng(1)
    layer.set_weights([rng.uniform(-1.0, 1.0, w.shape) for w in layer.weights])
    return layer


def cell_of(layer: Any) -> Any:
    return getattr(layer, "cell", layer)


def run(page: Page, layer: Any, x: Array = X, h: Array = H, c: Array = C, **call: Any) -> Array:
    """The output after one step, of a layer after a sequence of one step."""
    if is_layer(page):
        return layer(x[:, :1], initial_state=[h, c], **call).numpy()
    return layer(x[:, 0], [h, c], **call)[0].numpy()


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def hard_sigmoid(x: Array) -> Array:
    return np.clip(0.2 * x + 0.5, 0.0, 1.0)


def gates_of(page: Page) -> Callable[[Array], Array]:
    """The page's default σ."""
    return {"sigmoid": sigmoid, "hard_sigmoid": hard_sigmoid}[page.arguments["recurrent_activation"]]


def keras_step(
    layer: Any, σ: Any, φ: Any = np.tanh, x: Array = X[:, 0], h: Array = H, c: Array = C, x_masks: Any = (1.0,) * 4
) -> tuple[Array, Array]:
    """One step of the second and third generation: h_new and c_new."""
    W, U, b = layer.get_weights()
    gates = zip(np.split(W, 4, 1), np.split(U, 4, 1), np.split(b, 4), x_masks, strict=True)
    i, f, g, o = ((x * mask) @ W_k + h @ U_k + b_k for W_k, U_k, b_k, mask in gates)
    c_new = σ(f) * c + σ(i) * φ(g)
    return σ(o) * φ(c_new), c_new


def first_step(cell: Any, φ: Any = np.tanh, x: Array = X[:, 0], c: Array = C, m: Array = H, forget_bias: float = 1.0,
               cell_clip: float = np.inf, proj_clip: float = np.inf) -> tuple[Array, Array]:  # fmt: skip
    """One step of the first generation: m_new and c_new."""
    K, b, *rest = cell.get_weights()
    P = rest.pop() if rest and rest[-1].ndim == 2 else np.eye(UNITS)
    w_f, w_i, w_o = rest or np.zeros((3, UNITS))
    i, j, f, o = np.split(np.concatenate([x, m], 1) @ K + b, 4, 1)
    c_new = sigmoid(f + forget_bias + w_f * c) * c + sigmoid(i + w_i * c) * φ(j)
    c_new = np.clip(c_new, -cell_clip, cell_clip)
    return np.clip((sigmoid(o + w_o * c_new) * φ(c_new)) @ P, -proj_clip, proj_clip), c_new


def close(mine: Any, expected: Array) -> None:
    mine = mine.numpy() if hasattr(mine, "numpy") else mine
    np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-12)


def differ(one: Array, other: Array) -> bool:
    return not np.allclose(one, other, rtol=0, atol=1e-6)
