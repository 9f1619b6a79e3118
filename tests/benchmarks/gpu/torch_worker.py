"""PyTorch in a separate process, in an interpreter that has it: ``python torch_worker.py cuda``.

The first line written says what was found, or why PyTorch cannot take part. Each line read is a request in JSON,
``["layer", "LSTM", [1, 100, 8, 16], 20]`` or ``["step", "LSTM", [32, 64, 96, 32, 128], 20]``, and is answered with the
seconds of one of 20 runs. This file does not import the others: it runs where minigrad is not installed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

KINDS = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}


def layer(torch: Any, device: str, kind: str, size: Sequence[int]) -> Callable[[], Any]:
    """Return a function that runs a layer over (time, batch, features), forward and backward."""
    B, T, I, H = size
    rnn = getattr(torch.nn, KINDS[kind])(I, H, device=device)
    x, dy = torch.randn(T, B, I, device=device, requires_grad=True), torch.randn(T, B, H, device=device)
    leaves = [x, *rnn.parameters()]
    return lambda: torch.autograd.grad(rnn(x)[0], leaves, dy)


def step(torch: Any, device: str, kind: str, size: Sequence[int]) -> Callable[[], Any]:
    """Return a function that makes one training step of a character model."""
    B, T, V, E, H = size
    rnn = getattr(torch.nn, KINDS[kind])(E, H, device=device)
    embedding, dense = torch.nn.Embedding(V, E, device=device), torch.nn.Linear(H, V, device=device)
    symbols, targets = torch.randint(V, (T, B), device=device), torch.randint(V, (T * B,), device=device)
    weights = [*embedding.parameters(), *rnn.parameters(), *dense.parameters()]
    adam = torch.optim.Adam(weights, 1e-3)

    def run() -> None:
        adam.zero_grad()
        logits = dense(rnn(embedding(symbols))[0]).reshape(T * B, V)
        torch.nn.functional.cross_entropy(logits, targets).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        adam.step()

    return run


MAKERS = {"layer": layer, "step": step}


def serve(torch: Any, device: str, tell: Callable[[Any], None]) -> None:
    """Answer each request."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    made: tuple[Any, Callable[[], Any]] = (None, lambda: None)
    for line in sys.stdin:
        *request, repeats = json.loads(line)
        try:
            if made[0] != request:
                made = request, MAKERS[request[0]](torch, device, *request[1:])
            wait()
            start = time.perf_counter()
            for _ in range(repeats):
                made[1]()
            wait()
            tell({"seconds": (time.perf_counter() - start) / repeats})
        except Exception as error:  # noqa: BLE001  (the benchmark goes on without PyTorch, and says why)
            made = (None, lambda: None)
            tell({"failed": f"{type(error).__name__}: {error}".splitlines()[0]})


def main(device: str) -> None:
    """Serve standard input; what a library prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def tell(answer: Any) -> None:
        print(json.dumps(answer), file=out, flush=True)

    try:
        import torch
    except ImportError as error:
        return tell({"missing": f"PyTorch is not installed in {sys.executable} ({error})"})
    if device == "cuda" and not torch.cuda.is_available():
        return tell({"missing": f"PyTorch {torch.__version__} finds no CUDA device"})
    # cuDNN's recurrent layers would round float32 to TF32 by default.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    cudnn = f", cuDNN {torch.backends.cudnn.version()}, TF32 off" if device == "cuda" else ", CPU"
    tell({"found": f"PyTorch {torch.__version__}{cudnn}"})
    return serve(torch, device, tell)


if __name__ == "__main__":
    main(sys.argv[1])
