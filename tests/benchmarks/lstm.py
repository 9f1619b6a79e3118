"""LSTM forward + backward beside torch.nn.LSTM: ``python tests/benchmarks/lstm.py --torch-python PATH``.

`harness` says how it is measured. All gradients are computed (x, h_0 and c_0 where the contender has them, and the
weights), from a cotangent on the whole output; float32; arrays are (time, batch, features).

To add a contender, write one function that builds it and returns what is to be timed, and name it in CONTENDERS.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import harness

Size = tuple[int, int, int, int]

# (batch, time, features, units) → the ratio to torch.nn.LSTM that the NumPy backend is to reach
TARGETS: dict[Size, float] = {
    (1, 100, 8, 16): 3.5,
    (16, 50, 8, 32): 1.6,
    (32, 100, 64, 128): 1.6,
    (64, 256, 128, 256): 1.1,
    (128, 100, 512, 512): 1.2,
}
BATCH_SECONDS = 0.2  # a measurement repeats what it times for at least so long


# --- the contenders -----------------------------------------------------------------------------


def kernel(B: int, T: int, I: int, H: int) -> Callable[[], Any]:
    """The NumPy backend's fused kernel, called directly."""
    import numpy as np

    from minigrad_numpy import lstm

    rng, k = np.random.default_rng(0), H**-0.5
    x, dy, h0 = (rng.standard_normal(shape).astype("float32") for shape in [(T, B, I), (T, B, H), (B, H)])
    W, U, b = (rng.uniform(-k, k, shape).astype("float32") for shape in [(I, 4 * H), (H, 4 * H), (4 * H,)])  # as torch

    def step() -> None:
        _, _, _, kept = lstm.forward(x, h0, h0, W, U, b)
        lstm.backward(dy, None, None, kept, x, W, U)

    return step


def layer(B: int, T: int, I: int, H: int) -> Callable[[], Any]:
    """The layer that users call, tape and all."""
    import numpy as np

    import minigrad as mg

    draw = np.random.default_rng(0).standard_normal
    lstm = mg.keras.layers.LSTM(H, return_sequences=True, time_major=True)
    x = mg.tensor(draw((T, B, I)).astype("float32"), requires_grad=True)
    dy = mg.tensor(draw((T, B, H)).astype("float32"))

    def step() -> None:
        for tensor in (x, *lstm.trainable_weights):
            tensor.grad = None
        lstm(x).backward(dy)

    step()
    print("layer.path:", lstm.path, file=sys.stderr)
    return step


def pytorch(B: int, T: int, I: int, H: int) -> Callable[[], Any]:
    """torch.nn.LSTM."""
    import torch

    lstm = torch.nn.LSTM(I, H)
    x, dy = torch.randn(T, B, I, requires_grad=True), torch.randn(T, B, H)

    def step() -> None:
        for tensor in (x, *lstm.parameters()):
            tensor.grad = None
        lstm(x)[0].backward(dy)

    return step


CONTENDERS: dict[str, tuple[Callable[[int, int, int, int], Callable[[], Any]], tuple[str, ...]]] = {
    "kernel": (kernel, ("numpy",)),  # and the modules whose versions the header tells
    "layer": (layer, ("minigrad", "numpy")),
    "torch": (pytorch, ("torch",)),
}


def work(name: str, threads: int) -> None:
    """One contender in a process of its own."""
    build, modules = CONTENDERS[name]
    if name == "torch":
        import torch

        torch.set_num_threads(threads)
    versions = {module: __import__(module).__version__ for module in modules}
    harness.work(versions, lambda size: (build(*size), 1))


def main(arguments: list[str] | None = None) -> None:
    """Measures, prints a Markdown table, writes the numbers."""
    parser = harness.parser(__doc__, list(CONTENDERS), patience=60.0, threads=2)
    parser.add_argument("contender", nargs="?", default="kernel", choices=list(CONTENDERS), help="default: kernel")
    parser.add_argument("--sizes", default="12345", help="which rows of the table, for example 13; default: all")
    options = parser.parse_args(arguments)
    if options.worker:
        work(options.worker, options.threads)
        return
    one = harness.Worker(options.contender, __file__, threads=options.threads)
    other = harness.Worker("torch", __file__, options.torch_python, options.threads)
    told = harness.header([one, other], options.threads)
    columns = (f"{one.name}, ms", "torch, ms", "ratio", "middle half", "target", "quiet")
    print(harness.table_head("(batch, time, features, units)", *columns))
    rows = {}
    for size in [size for k, size in enumerate(TARGETS, 1) if str(k) in options.sizes]:
        found = harness.compare([one, other], size, options.rounds, options.patience, BATCH_SECONDS)
        rows[str(size)] = found
        print(harness.table_row(size, found, 1e-3, TARGETS[size]), flush=True)
    one.close(), other.close()
    harness.write(options.json, told, rows)


if __name__ == "__main__":
    main()
