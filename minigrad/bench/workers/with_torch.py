"""PyTorch as a contender of `serve`; the variants are ``lstm``, ``cell``, ``cuda`` and ``best``."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class Contender:
    """`torch.nn.LSTM`, or a loop over `torch.nn.LSTMCell`.

    Args:
        variant: ``"lstm"``, ``"cell"`` (the loop), or ``"cuda"``: `torch.nn.LSTM` on the GPU; ``"best"``: whole models
            with the faster of PyTorch's own ways.
        threads: the number of threads of an operation.

    Attributes:
        versions: the version of PyTorch, and the instructions that its kernels are for.
    """

    def __init__(self, variant: str, threads: int) -> None:
        import torch

        if variant == "cuda" and not torch.cuda.is_available():
            raise ImportError(f"PyTorch {torch.__version__} finds no CUDA device")
        self._torch, self._loop, self._best = torch, variant == "cell", variant == "best"
        self._device = "cuda" if variant == "cuda" else "cpu"
        self.versions = {"torch": torch.__version__, "kernels": torch.backends.cpu.get_cpu_capability()}
        torch.set_num_threads(threads)
        torch.manual_seed(0)

    def lstm(self, B: int, T: int, I: int, H: int) -> Callable[[], None]:
        """Return forward and backward, on (time, batch, features)."""
        torch = self._torch
        lstm = self._recurrent(I, H)
        x = torch.randn(T, B, I, device=self._device, requires_grad=True)
        dy = torch.randn(T, B, H, device=self._device)

        def run() -> None:
            for leaf in (x, *lstm.parameters()):
                leaf.grad = None
            self._sequence(lstm, x).backward(dy)

        return run

    def step(self, B: int, T: int, V: int, E: int, H: int) -> Callable[[], None]:
        """Return one training step of a character model."""
        torch, device = self._torch, self._device
        lstm = self._recurrent(E, H)
        embedding, dense = torch.nn.Embedding(V, E, device=device), torch.nn.Linear(H, V, device=device)
        symbols, targets = torch.randint(V, (T, B), device=device), torch.randint(V, (T, B), device=device)
        weights = [*embedding.parameters(), *lstm.parameters(), *dense.parameters()]
        adam = torch.optim.Adam(weights, 1e-3)

        def run() -> None:
            adam.zero_grad()
            logits = dense(self._sequence(lstm, embedding(symbols)))
            loss = torch.nn.functional.cross_entropy(logits.reshape(T * B, V), targets.reshape(T * B))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, 1.0)
            adam.step()
            loss.item()  # training reports it

        return run

    def model(self, name: str, *sizes: int) -> Callable[[], Any]:
        """Return the function to time of a model of `minigrad.bench.models`."""
        models = runpy.run_path(str(Path(__file__).with_name("models_torch.py")))["Models"](self._torch, self._best)
        run: Callable[[], Any] = getattr(models, name)(*sizes)
        return run

    def operations(self) -> Any:
        """Return the argument of `operations`."""
        torch = self._torch

        def leaf(values: list[float], shape: tuple[int, ...]) -> Any:
            return torch.tensor(values).reshape(shape).requires_grad_()

        return SimpleNamespace(tanh=torch.tanh, leaf=leaf)

    def finish(self) -> None:
        """Wait until a device has finished."""
        if self._device == "cuda":
            self._torch.cuda.synchronize()

    def _recurrent(self, I: int, H: int) -> Any:
        nn = self._torch.nn
        return (nn.LSTMCell if self._loop else nn.LSTM)(I, H, device=self._device)

    def _sequence(self, lstm: Any, x: Any) -> Any:
        """Return the outputs of all steps, (time, batch, units)."""
        if not self._loop:
            return lstm(x)[0]
        states, outputs = None, []
        for x_t in x.unbind(0):
            states = lstm(x_t, states)
            outputs.append(states[0])
        return self._torch.stack(outputs)
