"""Truncated real-time recurrent learning of a net of 2000 in NumPy, line by line as in the paper's section 3.

It is slow and short. `minigrad.papers.gers00.layer` finds the same gradients by backpropagation through time, and
`minigrad.papers.gers00.trainer` finds them fast; tests hold the three together.
"""

from __future__ import annotations

import numpy as np

from minigrad.papers.gers00.net import BLOCKS, CELLS, ROWS, SIZE, Array, Net2000
from minigrad.papers.rtrl import sigmoid

BLOCK = np.arange(CELLS) // SIZE  # of each cell


class RTRL2000:
    """A net that runs step by step, and the truncated gradient of its weights.

    Args:
        net: the net.
        W: the hidden weights (rows, hidden), whose last row has the biases.
        V: the output weights (output rows, outputs), likewise.
    """

    def __init__(self, net: Net2000, W: Array, V: Array) -> None:
        self.net, self.W, self.V = net, W, V
        self.reset()

    def reset(self) -> None:
        """Begin a stream."""
        self.h, self.s = np.zeros((2, CELLS))
        self.ds = {name: np.zeros((ROWS, CELLS)) for name in self.net.columns if name != "z_out"}

    def step(self, x: Array) -> Array:
        """Run one step on the inputs, and return the outputs."""
        self.y = np.concatenate([x, self.h, [1.0]])
        z = {name: (self.y @ self.W)[columns] for name, columns in self.net.columns.items()}
        self.y_in, self.y_out = sigmoid(z["z_in"])[BLOCK], sigmoid(z["z_out"])[BLOCK]
        self.y_f = sigmoid(z["z_f"])[BLOCK] if self.net.forget else np.full(CELLS, self.net.decay)
        s_g, old = sigmoid(z["z_g"]), self.s
        g = 4 * s_g - 2
        self.s = self.y_f * old + self.y_in * g
        slopes = {"z_in": g * self.y_in * (1 - self.y_in), "z_g": self.y_in * 4 * s_g * (1 - s_g)}
        if self.net.forget:
            slopes["z_f"] = old * self.y_f * (1 - self.y_f)
        for name, slope in slopes.items():
            self.ds[name] = self.y_f * self.ds[name] + np.outer(self.y, slope)
        self.r = sigmoid(self.s)
        self.a = 2 * self.r - 1
        self.h = self.y_out * self.a
        self.below = np.concatenate([self.h, x, [1.0]])
        self.outputs = sigmoid(self.below @ self.V)
        return self.outputs

    def gradients(self, target: Array) -> tuple[Array, Array]:
        """Return the gradient of ½ Σ (y − t)² of this step, for W and V; weights that do not exist have 0."""
        delta = (self.outputs - target) * self.outputs * (1 - self.outputs)
        dh = self.V[:CELLS] @ delta
        e_s = self.y_out * 2 * self.r * (1 - self.r) * dh
        parts = {name: ds * e_s for name, ds in self.ds.items()}
        parts["z_out"] = np.outer(self.y, self.y_out * (1 - self.y_out) * self.a * dh)
        dW = np.zeros_like(self.W)
        for name, columns in self.net.columns.items():
            part = parts[name]
            dW[:, columns] = part if name == "z_g" else part.reshape(ROWS, BLOCKS, SIZE).sum(-1)
        return dW * self.net.present(), np.outer(self.below, delta)
