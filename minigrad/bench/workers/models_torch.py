"""The models of `minigrad.bench.models` in PyTorch. Each method returns the function to time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Training:
    """A training step: forward pass, loss, all gradients, Adam.

    Args:
        torch: the library.
        modules: the modules with weights.
        forward: the outputs for x.
        loss: the loss of the outputs and y.
        x: the inputs.
        y: the targets.
        clip: the largest norm of the gradients, or None.
        fused: whether Adam runs in one compiled pass.
    """

    def __init__(
        self, torch: Any, modules: Sequence[Any], forward: Callable[[Any], Any], loss: Callable[..., Any], x: Any,
        y: Any, clip: float | None, fused: bool,
    ) -> None:  # fmt: skip
        self._torch, self._forward, self._loss, self._clip = torch, forward, loss, clip
        self.modules, self.x, self.y = modules, x, y
        self.weights = [w for module in modules for w in module.parameters()]
        self._adam = torch.optim.Adam(self.weights, 1e-3, **({"fused": True} if fused else {}))

    def loss(self) -> Any:
        """Return the loss of the current weights."""
        return self._loss(self._forward(self.x), self.y)

    def __call__(self) -> float:
        """Update the weights and return the loss, which training reports."""
        self._adam.zero_grad()
        loss = self.loss()
        loss.backward()
        if self._clip is not None:
            self._torch.nn.utils.clip_grad_norm_(self.weights, self._clip)
        self._adam.step()
        return float(loss.item())


class Generation:
    """Symbols one by one, each drawn from the probabilities of the model and fed back.

    `nn.LSTMCell` takes a third of the time of `nn.LSTM` on sequences of one step.

    Args:
        torch: the library.
        symbols: the number of symbols to generate.
        vocabulary: the number of kinds of symbols.
        embedding: the size of a symbol's vector.
        units: the units of the LSTM.
        best: whether `torch.inference_mode` replaces `torch.no_grad`.
    """

    def __init__(self, torch: Any, symbols: int, vocabulary: int, embedding: int, units: int, best: bool) -> None:
        nn = torch.nn
        self._torch, self._symbols = torch, symbols
        self._no_gradients = torch.inference_mode if best else torch.no_grad
        self.modules = nn.Embedding(vocabulary, embedding), nn.LSTMCell(embedding, units), nn.Linear(units, vocabulary)

    def probabilities(self, symbol: Any, states: Any) -> tuple[Any, Any]:
        """Return softmax of the model's output for a symbol (1,), and the states after it."""
        embedding, cell, dense = self.modules
        states = cell(embedding(symbol), states)
        return self._torch.softmax(dense(states[0]), -1), states

    def __call__(self) -> list[int]:
        """Return the symbols drawn."""
        symbol, states, drawn = self._torch.zeros(1, dtype=self._torch.long), None, []
        with self._no_gradients():
            for _ in range(self._symbols):
                p, states = self.probabilities(symbol, states)
                symbol = self._torch.multinomial(p, 1)[0]
                drawn.append(int(symbol))
        return drawn


class Models:
    """The models, by the names of `minigrad.bench.models`. B, T, I, H: batch, time steps, features, units.

    Args:
        torch: the library.
        best: whether to take the faster of two ways: `torch.inference_mode` and fused Adam, instead of `torch.no_grad`
            and Adam as it is by default.
    """

    def __init__(self, torch: Any, best: bool) -> None:
        self._torch, self._best = torch, best

    def generate(self, N: int, V: int, E: int, H: int) -> Generation:
        """Generate N symbols of V kinds, with an embedding of E numbers."""
        return Generation(self._torch, N, V, E, H, self._best)

    def loop(self, B: int, T: int, I: int, H: int) -> Training:
        """Train an LSTMCell in a loop of Python's."""
        cell = self._torch.nn.LSTMCell(I, H)

        def last(x: Any) -> Any:
            states: Any = None
            for x_t in x.unbind(0):
                states = cell(x_t, states)
            return states[0]

        return self._regression(cell, last, B, T, I, H)

    def adding(self, B: int, T: int, I: int, H: int) -> Training:
        """Train an LSTM on the adding problem."""
        lstm = self._torch.nn.LSTM(I, H)
        return self._regression(lstm, lambda x: lstm(x)[0][-1], B, T, I, H)

    def classify(self, B: int, T: int, V: int, E: int, H: int) -> Training:
        """Train a bidirectional LSTM to classify sequences of V kinds of symbols in two classes."""
        nn, torch = self._torch.nn, self._torch
        embedding, lstm, dense = nn.Embedding(V, E), nn.LSTM(E, H, bidirectional=True), nn.Linear(2 * H, 2)

        def forward(x: Any) -> Any:
            h = lstm(embedding(x))[1][0]
            return dense(torch.cat([h[0], h[1]], -1))

        x, y = torch.randint(V, (T, B)), torch.randint(2, (B,))
        return self._training([embedding, lstm, dense], forward, nn.functional.cross_entropy, x, y)

    def gru(self, B: int, T: int, I: int, H: int) -> Training:
        """Train a GRU."""
        gru = self._torch.nn.GRU(I, H)
        return self._regression(gru, lambda x: gru(x)[0][-1], B, T, I, H)

    def stack(self, B: int, T: int, I: int, H: int) -> Training:
        """Train two stacked LSTMs."""
        lstm = self._torch.nn.LSTM(I, H, num_layers=2)
        return self._regression(lstm, lambda x: lstm(x)[0][-1], B, T, I, H)

    def characters(self, B: int, T: int, V: int, E: int, H: int) -> Training:
        """Train a character model, as `minigrad.train` does."""
        nn, torch = self._torch.nn, self._torch
        embedding, lstm, dense = nn.Embedding(V, E), nn.LSTM(E, H), nn.Linear(H, V)

        def loss(logits: Any, y: Any) -> Any:
            return nn.functional.cross_entropy(logits.reshape(T * B, V), y.reshape(T * B))

        x, y = torch.randint(V, (T, B)), torch.randint(V, (T, B))
        return self._training([embedding, lstm, dense], lambda x: dense(lstm(embedding(x))[0]), loss, x, y, clip=1.0)

    def _regression(self, module: Any, last: Callable[[Any], Any], B: int, T: int, I: int, H: int) -> Training:
        """Return training of a module and a dense one to output a number for each sequence, by its square error."""
        torch = self._torch
        dense = torch.nn.Linear(H, 1)
        x, y = torch.randn(T, B, I), torch.randn(B, 1)
        return self._training([module, dense], lambda x: dense(last(x)), torch.nn.functional.mse_loss, x, y)

    def _training(
        self, modules: Sequence[Any], forward: Callable[[Any], Any], loss: Callable[..., Any], x: Any, y: Any,
        clip: float | None = None,
    ) -> Training:  # fmt: skip
        return Training(self._torch, modules, forward, loss, x, y, clip, self._best)
