"""Contenders: minigrad on each backend, two implementations of PyTorch, TensorFlow."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WORKERS = Path(__file__).with_name("workers")
LSTM, LSTM_CELL, LSTM_CUDA = "torch.nn.LSTM", "torch.nn.LSTMCell, a loop", "torch.nn.LSTM, CUDA"
KERAS, TORCH, TENSORFLOW = "tf.keras.layers.LSTM", "torch", "tensorflow"
TORCH_BEST = "torch, fused Adam, inference mode"
OURS = "minigrad, "
ON_GPU = ("cupy",)  # backends compared with PyTorch on the GPU


@dataclass(frozen=True)
class Contender:
    """One library, or one variant of it.

    Args:
        name: its name in the tables.
        file: the file in `workers` that its process runs.
        variant: the argument of that file's class.
        python: the interpreter.
    """

    name: str
    file: str
    variant: str
    python: str = sys.executable

    @property
    def backend(self) -> str:
        """Name of minigrad's backend; empty for another library."""
        return self.variant if self.name.startswith(OURS) else ""


@dataclass(frozen=True)
class Contenders:
    """All contenders of a benchmark.

    Args:
        backends: names of minigrad's backends.
        torch_python: an interpreter with PyTorch.
        tf_python: an interpreter with TensorFlow.
        parts: the parts of the benchmark.
    """

    backends: Sequence[str]
    torch_python: str = sys.executable
    tf_python: str = sys.executable
    parts: Sequence[str] = ("lstm", "ops", "models")

    def ours(self) -> list[Contender]:
        """Return minigrad on each backend."""
        return [Contender(OURS + name, "with_minigrad.py", name) for name in self.backends]

    def recurrent(self) -> list[Contender]:
        """Return the contenders with an LSTM; PyTorch on the GPU only if a backend runs there too."""
        file, python = "with_torch.py", self.torch_python
        cuda = [Contender(LSTM_CUDA, file, "cuda", python)] if set(ON_GPU) & set(self.backends) else []
        torch = [Contender(LSTM, file, "lstm", python), *cuda, Contender(LSTM_CELL, file, "cell", python)]
        return [*self.ours(), *torch, Contender(KERAS, "with_tensorflow.py", "lstm", self.tf_python)]

    def with_a_tape(self) -> list[Contender]:
        """Return the contenders with a tape of small operations."""
        return [*self.ours(), Contender(TORCH, "with_torch.py", "lstm", self.torch_python)]

    def with_models(self) -> list[Contender]:
        """Return the contenders that train and run whole models; PyTorch in two ways."""
        best = Contender(TORCH_BEST, "with_torch.py", "best", self.torch_python)
        return [*self.with_a_tape(), best, Contender(TENSORFLOW, "with_tensorflow.py", "models", self.tf_python)]

    def all(self) -> list[Contender]:
        """Return every contender of the parts."""
        of_part = {"ops": self.with_a_tape, "models": self.with_models, "import": self.ours}
        return list(dict.fromkeys(one for part in self.parts for one in of_part.get(part, self.recurrent)()))


def reference(contender: str, present: Mapping[str, object] | Sequence[str]) -> str | None:
    """Return the contender to compare with: PyTorch on the same device, or else minigrad's first backend.

    Args:
        contender: the name of the contender.
        present: the names of all measured contenders, in order.

    Returns:
        A name, or None for the reference itself.
    """
    on_gpu = contender.removeprefix(OURS) in ON_GPU
    others = [LSTM_CUDA] * on_gpu + [LSTM, TORCH, *(name for name in present if name.startswith(OURS))]
    found = next((name for name in others if name in present), contender)
    return None if found == contender or contender == LSTM_CUDA else found
