"""minigrad as a contender of `serve`; the variant is a backend's name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from minigrad.bench.workers.models_minigrad import Models
from minigrad.bench.workers.profiling import profile
from minigrad.bench.workers.serve import build
from minigrad.engine import functional, random
from minigrad.engine.creation import tensor
from minigrad.engine.errors import BackendUnavailableError
from minigrad.engine.registry import use, using
from minigrad.engine.tensor import Tensor
from minigrad.keras.layers import LSTM


def blas() -> str:
    """Return the library of NumPy's matrix products, its version and the processor that its kernels are for."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown (pip install threadpoolctl)"
    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    parts = [" ".join(str(one[k]) for k in ("internal_api", "version", "architecture") if one.get(k)) for one in found]
    return " and ".join(parts) or "unknown to threadpoolctl"


class Contender:
    """minigrad on one backend.

    Args:
        variant: the backend's name.
        threads: ignored; the threads of matrix products are set before the process starts.

    Attributes:
        versions: versions of minigrad and of the libraries of the backend, and the BLAS.
        path: the implementation that ran the recurrent layer.
    """

    def __init__(self, variant: str, threads: int) -> None:
        try:
            self._backend = use(variant)
        except BackendUnavailableError as error:
            raise ImportError(str(error)) from error
        loaded = {name: sys.modules[name] for name in ("minigrad", "numpy", variant) if name in sys.modules}
        self.versions = {name: module.__version__ for name, module in loaded.items()} | {"BLAS": blas()}
        self.path = ""
        self._last: Tensor | None = None
        random.seed(0)

    def lstm(self, B: int, T: int, I: int, H: int) -> Callable[[], None]:
        """Return forward and backward of the public layer, on (time, batch, features)."""
        lstm = LSTM(H, return_sequences=True, time_major=True)
        x, dy = random.normal((T, B, I)), random.normal((T, B, H))
        x.requires_grad = True

        def run() -> None:
            for leaf in (x, *lstm.trainable_weights):
                leaf.grad = None
            lstm(x).backward(dy)
            self._last, self.path = x.grad, lstm.path

        return run

    def model(self, name: str, *sizes: int) -> Callable[[], None]:
        """Return the function to time of a model of `minigrad.bench.models`."""
        made = getattr(Models(), name)(*sizes)

        def run() -> None:
            made()
            self.path = made.path

        return run

    def step(self, B: int, T: int, V: int, E: int, H: int) -> Callable[[], None]:
        """Return one training step of a character model, as in `minigrad.train`."""
        return self.model("characters", B, T, V, E, H)

    def operations(self) -> Any:
        """Return the argument of `operations`."""

        def leaf(values: list[float], shape: tuple[int, ...]) -> Tensor:
            x = functional.reshape(tensor(values), shape).detach()
            x.requires_grad = True
            return x

        return SimpleNamespace(tanh=functional.tanh, leaf=leaf)

    def profile(self, seconds: float, request: list[Any]) -> dict[str, float]:
        """Return the shares of the time of a request, measured for this many seconds, and the floor by NumPy's BLAS."""
        if not getattr(self._backend, "on_host", False):
            raise TypeError(f"the backend {self._backend.name} computes on a device, whose work is not recorded")

        def formula() -> Callable[[], Any]:
            with using("numpy"):
                run, _ = build(self, request)
            return using("numpy")(run)

        numpys_own = self._backend.name == "numpy"
        count = build(self, request)[1]
        shares = profile(lambda: build(self, request)[0], seconds, None if numpys_own else formula)
        return {name: share / count for name, share in shares.items()}

    def finish(self) -> None:
        """Wait until a device has finished."""
        if self._last is not None and not getattr(self._backend, "on_host", False):
            functional.sum(self._last).item()
