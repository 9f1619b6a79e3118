"""What a small operation costs on the tape beside PyTorch: ``python tests/benchmarks/op_overhead.py --torch-python P``.

On arrays of sixteen numbers the arithmetic is nothing, and the time is that of recording an operation and going back
through it. The same lines run on minigrad and on torch, one thread each; `harness` says how it is measured. The target
is a ratio of at most 1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness

TARGET = 1.5
BATCH_SECONDS = 0.05  # a measurement repeats what it times for at least so long
CHAIN = 1000
Build = Callable[[Any], harness.Built]  # from a library, what is to be run, and how many operations it is


# --- what is measured, in the words that minigrad and torch share -----------------------------------------------------


def chain(link: Callable[[Any, Any, Any], Any], around: float = 1.0) -> Build:
    """A thousand small operations one after the other, forward and backward; counted for each."""

    def build(m: Any) -> harness.Built:
        x, w = leaf(m, 4, 4), leaf(m, 4, 4, around=around)

        def run() -> None:
            y = x
            for _ in range(CHAIN):
                y = link(m, y, w)
            y.sum().backward()
            x.grad = w.grad = None

        return run, CHAIN

    return build


def one(loss: Callable[[Any, Any], Any]) -> Build:
    """One operation and its backward call, with nothing to share what a call costs."""

    def build(m: Any) -> harness.Built:
        x = leaf(m, 4, 4)

        def run() -> None:
            loss(m, x).backward()
            x.grad = None

        return run, 1

    return build


def mlp(m: Any) -> harness.Built:
    """One step of gradient descent on a perceptron with a hidden layer: (32, 16) → 32 → 4."""
    x, target = leaf(m, 32, 16).detach(), leaf(m, 32, 4).detach()
    weights = [leaf(m, 16, 32), leaf(m, 32), leaf(m, 32, 4), leaf(m, 4)]

    def run() -> None:
        W1, b1, W2, b2 = weights
        y = m.tanh(x @ W1 + b1) @ W2 + b2
        ((y - target) * (y - target)).mean().backward()
        for w in weights:
            w.grad = None

    return run, 1


def leaf(m: Any, *shape: int, around: float = 1.0) -> Any:
    """Numbers near another that require a gradient."""
    count = 1
    for n in shape:
        count *= n
    return (
        m.reshape(m.tensor([around * (0.999 + 0.002 * k / count) for k in range(count)]), shape)
        .detach()
        .requires_grad_()
    )


MEASURES: dict[str, Build] = {
    "1000 × tanh(y), each": chain(lambda m, y, w: m.tanh(y)),
    "1000 × y · w, each": chain(lambda m, y, w: y * w),
    "1000 × y + 1.0, each": chain(lambda m, y, w: y + 1.0),
    "1000 × y @ w, each": chain(lambda m, y, w: y @ w, around=0.25),
    "x.sum(), backward": one(lambda m, x: x.sum()),
    "tanh(x).sum(), backward": one(lambda m, x: m.tanh(x).sum()),
    "perceptron, step": mlp,
}


def work(name: str) -> None:
    """One contender in a process of its own."""
    m = __import__(name)
    if name == "torch":
        m.set_num_threads(1)
    else:
        m.Tensor.requires_grad_ = lambda self: setattr(self, "requires_grad", True) or self
    harness.work({name: m.__version__}, lambda measure: MEASURES[measure](m))


def main() -> None:
    """Measures, prints a Markdown table, writes the numbers."""
    options = harness.parser(__doc__, ["minigrad", "torch"], patience=20.0, threads=1).parse_args()
    if options.worker:
        work(options.worker)
        return
    workers = [harness.Worker("minigrad", __file__), harness.Worker("torch", __file__, options.torch_python)]
    told = harness.header(workers, threads=1)
    columns = ("minigrad, µs", "torch, µs", f"ratio (≤ {TARGET})", "middle half", "quiet")
    print(harness.table_head("forward and backward", *columns))
    rows = {}
    for measure in MEASURES:
        rows[measure] = harness.compare(workers, measure, options.rounds, options.patience, BATCH_SECONDS)
        print(harness.table_row(measure, rows[measure], 1e-6), flush=True)
    for worker in workers:
        worker.close()
    harness.write(options.json, told, rows)


if __name__ == "__main__":
    main()
