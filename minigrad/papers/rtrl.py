"""Truncated real-time recurrent learning in NumPy, line by line as in the paper's appendix A.1.

It is slow and short. `minigrad.papers.layer` finds the same gradients by backpropagation through time, and
`minigrad.papers.kernel` finds them fast; tests hold the three together.
"""

from __future__ import annotations

import numpy as np

from minigrad.papers.net import Array, Net


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e^−z)"""
    return 1.0 / (1.0 + np.exp(-z))


class RTRL:
    """A net that runs step by step, and the truncated gradient of its weights.

    Args:
        net: its sizes; output gates and the truncated gradient are required.
        W: the hidden weights (rows, hidden), whose last row has the biases.
        V: the output weights (output rows, outputs).
    """

    def __init__(self, net: Net, W: Array, V: Array) -> None:
        self.net, self.W, self.V = net, W, V
        self.there = net.present()
        self.reset()

    def reset(self) -> None:
        """Begin a sequence."""
        net = self.net
        self.hidden = np.full(net.hidden, net.start)  # cells, input gates, output gates of the step before
        self.s = np.zeros(net.cells)
        self.ds_in, self.ds_c = np.zeros((2, net.rows, net.cells))  # ∂s_v/∂w of the input gate, of the cell

    def step(self, x: Array) -> Array:
        """Run one step on the inputs, and return the outputs."""
        net, block = self.net, np.arange(self.net.cells) // self.net.size
        of_in, of_c, of_out = net.columns
        self.y = np.concatenate([x, self.hidden[: net.recurrent] * (not net.silent), [1.0]])  # the sources y_m
        z = self.y @ self.W
        self.y_in, self.y_out, s_g = sigmoid(z[of_in])[block], sigmoid(z[of_out])[block], sigmoid(z[of_c])
        g = 2 * net.g_max * s_g - net.g_max
        self.s = self.s + self.y_in * g
        self.ds_in += np.outer(self.y, g * self.y_in * (1 - self.y_in))
        self.ds_c += np.outer(self.y, self.y_in * 2 * net.g_max * s_g * (1 - s_g))
        self.r = sigmoid(self.s)
        self.h = 2 * net.h_max * self.r - net.h_max
        y_c = self.y_out * self.h
        self.hidden = np.concatenate([y_c, self.y_in[:: net.size], self.y_out[:: net.size]])
        self.below = np.concatenate([y_c, x[: net.inputs * net.shortcuts], [1.0]])
        self.outputs = sigmoid(self.below @ self.V)
        return self.outputs

    def gradients(self, target: Array) -> tuple[Array, Array]:
        """Return the gradient of ½ Σ (y − t)² of this step, for W and V; weights that do not exist have 0."""
        net = self.net
        delta = (self.outputs - target) * self.outputs * (1 - self.outputs)
        dh = self.V[: net.cells] @ delta
        e_s = self.y_out * 2 * net.h_max * self.r * (1 - self.r) * dh
        e_out = self.y_out * (1 - self.y_out) * self.h * dh
        of_in, of_c, of_out = net.columns
        dW = np.zeros_like(self.W)
        dW[:, of_in] = (self.ds_in * e_s).reshape(net.rows, net.blocks, net.size).sum(-1)
        dW[:, of_c] = self.ds_c * e_s
        dW[:, of_out] = np.outer(self.y, e_out.reshape(net.blocks, net.size).sum(-1))
        return dW * self.there[0], np.outer(self.below, delta) * self.there[1]
