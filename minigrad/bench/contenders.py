"""Who takes part: minigrad on each backend, PyTorch's two ways, TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WORKERS = Path(__file__).with_name("workers")
LSTM, LSTM_CELL, LSTM_CUDA = "torch.nn.LSTM", "torch.nn.LSTMCell, a loop", "torch.nn.LSTM, CUDA"
KERAS, TORCH = "tf.keras.layers.LSTM", "torch"
OURS = "minigrad, "
ON_GPU = ("cupy",)  # the backends that are measured beside PyTorch on the GPU


@dataclass(frozen=True)
class Contender:
    """One who takes part.

    Args:
        name: as it stands in the table.
        file: what its process runs, in `workers`.
        variant: what it is told there.
        python: the interpreter.
    """

    name: str
    file: str
    variant: str
    python: str = sys.executable

    @property
    def backend(self) -> str:
        """The name of minigrad's backend, or nothing."""
        return self.variant if self.name.startswith(OURS) else ""


@dataclass(frozen=True)
class Field:
    """All who are asked to take part.

    Args:
        backends: names of minigrad's.
        torch_python: an interpreter that has PyTorch.
        tf_python: one that has TensorFlow.
    """

    backends: Sequence[str]
    torch_python: str = sys.executable
    tf_python: str = sys.executable

    def ours(self) -> list[Contender]:
        """minigrad on each backend."""
        return [Contender(OURS + name, "with_minigrad.py", name) for name in self.backends]

    def recurrent(self) -> list[Contender]:
        """Who has an LSTM; PyTorch on the GPU only beside a backend that is there too."""
        file, python = "with_torch.py", self.torch_python
        cuda = [Contender(LSTM_CUDA, file, "cuda", python)] if set(ON_GPU) & set(self.backends) else []
        torch = [Contender(LSTM, file, "lstm", python), *cuda, Contender(LSTM_CELL, file, "cell", python)]
        return [*self.ours(), *torch, Contender(KERAS, "with_tensorflow.py", "lstm", self.tf_python)]

    def with_a_tape(self) -> list[Contender]:
        """Who records small operations and goes back through them."""
        return [*self.ours(), Contender(TORCH, "with_torch.py", "lstm", self.torch_python)]

    def everybody(self) -> list[Contender]:
        """Who takes part in anything."""
        return list(dict.fromkeys([*self.recurrent(), *self.with_a_tape()]))


def reference(contender: str, present: Mapping[str, object] | Sequence[str]) -> str | None:
    """With whom a contender is compared: PyTorch, on the GPU if it is there itself; without PyTorch, our first backend.

    Args:
        contender: its name.
        present: the names of all who were measured, in order.

    Returns:
        A name, or None for the one with whom the others are compared.
    """
    on_gpu = contender.removeprefix(OURS) in ON_GPU
    others = [LSTM_CUDA] * on_gpu + [LSTM, TORCH, *(name for name in present if name.startswith(OURS))]
    found = next((name for name in others if name in present), contender)
    return None if found == contender or contender == LSTM_CUDA else found
