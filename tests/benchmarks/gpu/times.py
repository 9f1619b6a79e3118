"""Time the kernels, the formulas on the same backend, and PyTorch, cuDNN's layers on a GPU.

All contenders are warm before anything counts: kernels are compiled and launches recorded. In each round they are
measured one after the other, in alternating order, each run so often that the measurement takes BATCH_SECONDS; the
device has finished before the clock is read. A time is the median of the rounds, a ratio the median of the rounds'
ratios.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, Protocol

import minigrad as mg
from benchmarks.gpu.roads import formulas_alone, resolved
from benchmarks.gpu.torch_process import TorchProcess

Row = dict[str, Any]
Request = tuple[str, str, Sequence[int]]

KERNELS, FORMULAS = "kernels", "formulas"
BATCH_SECONDS, WARM_RUNS, MOST_ROUNDS, MOST_REPEATS = 0.05, 3, 15, 500
LEAST_SECONDS = 1.0  # of a row, independent of the remaining time

SIZES = [(1, 100, 8, 16), (16, 50, 8, 32), (32, 100, 64, 128), (64, 256, 128, 256), (128, 100, 512, 512)]
CHARACTER_MODEL = (32, 64, 96, 32, 128)  # batch, time, vocabulary, embedding, units
REQUESTS: list[Request] = [
    *(("layer", "LSTM", size) for size in SIZES),
    ("step", "LSTM", CHARACTER_MODEL),
    *(("layer", kind, size) for kind in ("GRU", "SimpleRNN") for size in SIZES),
]


class Contender(Protocol):
    """A library, or a way to run one."""

    name: str
    path: str

    def seconds(self, request: Request, repeats: int) -> float:
        """Return the seconds of one run, of this number in a row."""


class Ours:
    """minigrad on one backend.

    Args:
        name: its name in the report.
        backend: with kernels or without.
    """

    def __init__(self, name: str, backend: ModuleType) -> None:
        self.name, self.path, self._backend = name, "", backend
        self._made: tuple[Request | None, Callable[[], str]] = (None, str)

    def seconds(self, request: Request, repeats: int) -> float:
        """Return the seconds of one run, of this number in a row."""
        with mg.using(self._backend):
            if self._made[0] != request:
                self._made = request, (layer_run if request[0] == "layer" else step_run)(request[1], request[2])
            run = self._made[1]
            synchronize()
            start = time.perf_counter()
            for _ in range(repeats):
                self.path = run()
            synchronize()
            return (time.perf_counter() - start) / repeats


def synchronize() -> None:
    """Wait until the GPU has finished its work."""
    if "cupy" in sys.modules:
        sys.modules["cupy"].cuda.Device().synchronize()


def layer_run(kind: str, size: Sequence[int]) -> Callable[[], str]:
    """Return a function that runs a layer forward and backward, all gradients, and returns its path."""
    B, T, I, H = size
    layer = getattr(mg.keras.layers, kind)(H, return_sequences=True, time_major=True)
    x, dy = mg.random.normal((T, B, I)), mg.random.normal((T, B, H))
    x.requires_grad = True

    def run() -> str:
        y = layer(x)
        mg.grad([y], [x, *layer.trainable_weights], [dy])
        return str(layer.path)

    return run


def step_run(kind: str, size: Sequence[int]) -> Callable[[], str]:
    """Return a function that makes one training step of a character model, and returns the layer's path."""
    B, T, V, E, H = size
    layers = mg.keras.layers
    layer = getattr(layers, kind)(H, return_sequences=True)
    model = mg.keras.Sequential([layers.Embedding(V, E), layer, layers.Dense(V)])
    symbols, targets = mg.random.integers(0, V, (B, T)), mg.random.integers(0, V, (B, T))
    adam = mg.keras.optimizers.Adam(1e-3, global_clipnorm=1.0)
    cross_entropy = mg.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def run() -> str:
        loss = cross_entropy(targets, model(symbols))
        weights = model.trainable_weights
        adam.apply_gradients(zip(mg.grad([loss], weights), weights, strict=True))
        return str(layer.path)

    return run


def rows(
    backend: str | ModuleType,
    seconds: float,
    torch_python: str = sys.executable,
    requests: Sequence[Request] = tuple(REQUESTS),
) -> Iterator[Row]:
    """Yield a row for each request, until the time is up.

    Args:
        backend: the one whose kernels are timed.
        seconds: for all rows together; each gets an equal part of what is left.
        torch_python: an interpreter that has PyTorch.
        requests: what to time.
    """
    deadline = time.monotonic() + seconds
    module = resolved(backend)
    with TorchProcess(torch_python, "cuda" if module.name == "cupy" else "cpu") as torch:
        yield {"note": torch.found or f"without PyTorch: {torch.missing}"}
        contenders: list[Contender] = [Ours(KERNELS, module), Ours(FORMULAS, formulas_alone(module))]
        contenders += [torch] if torch.found else []
        for number, request in enumerate(requests):
            left = deadline - time.monotonic()
            if left < LEAST_SECONDS:
                yield {"early": f"time is up after {number} of {len(requests)} rows"}
                return
            yield timed(contenders, request, left / (len(requests) - number))


def timed(contenders: Sequence[Contender], request: Request, seconds: float) -> Row:
    """Measure all contenders in turn for some seconds, and return medians and the kernels' ratios to the others.

    A contender that fails is left out, and the row says why.
    """
    deadline = time.monotonic() + seconds
    repeats: dict[str, int] = {}
    failed: dict[str, str] = {}
    for contender in contenders:
        try:
            repeats[contender.name] = warmed(contender, request)
        except Exception as error:  # noqa: BLE001  (any error of a library is a result)
            failed[contender.name] = str(error).partition("\n")[0] or type(error).__name__
    active = [contender for contender in contenders if contender.name in repeats]
    rounds: list[dict[str, float]] = []
    while active and len(rounds) < MOST_ROUNDS and (not rounds or time.monotonic() < deadline):
        order = active if len(rounds) % 2 == 0 else active[::-1]
        try:
            rounds.append({c.name: c.seconds(request, repeats[c.name]) for c in order})
        except Exception as error:  # noqa: BLE001
            failed["a round"] = str(error).partition("\n")[0]
            break
    return {
        "what": described(request),
        "ms": {c.name: 1000 * statistics.median(r[c.name] for r in rounds) for c in active if rounds},
        "ratios": {c.name: ratio(rounds, KERNELS, c.name) for c in active if c.name != KERNELS and KERNELS in repeats},
        "rounds": len(rounds),
        "paths": {c.name: c.path for c in active if c.path},
        "failed": failed,
    }


def warmed(contender: Contender, request: Request) -> int:
    """Run a contender until it is warm, and return how many runs fill a measurement."""
    for _ in range(WARM_RUNS):
        contender.seconds(request, 1)
    one = contender.seconds(request, 1)
    return max(1, min(MOST_REPEATS, math.ceil(BATCH_SECONDS / max(one, 1e-7))))


def ratio(rounds: Sequence[dict[str, float]], name: str, other: str) -> list[float]:
    """Return the lower quartile, the median and the upper quartile of the rounds' ratios."""
    ratios = [each[name] / each[other] for each in rounds]
    return statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3


def described(request: Request) -> str:
    """Return a request in words.

    >>> described(("layer", "GRU", (1, 100, 8, 16)))
    'GRU (1, 100, 8, 16)'
    """
    kind, name, size = request
    return f"{name} {tuple(size)}" if kind == "layer" else f"step of a character model {tuple(size)}"
