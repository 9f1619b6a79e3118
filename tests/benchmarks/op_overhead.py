"""What a small operation costs on the tape beside PyTorch: ``python tests/benchmarks/op_overhead.py --torch-python P``.

On arrays of sixteen numbers the arithmetic is nothing, and the time is that of recording an operation and going back
through it. The same lines run on minigrad and on torch, each in a process of its own that lives as long as the
benchmark, one thread each. In each round one measures after the other, in alternating order; the figure to read is the
median of the rounds' ratios, target at most 1.5, and the middle half says how far to trust it. A round in which others
used the processor is measured again, as long as ``--patience`` lasts (on Linux, where the system tells).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TARGET = 1.5
STAT = Path("/proc/stat")
BATCH_SECONDS = 0.05  # a measurement repeats what it times for at least so long
DISTURBED = 0.1  # of one core, taken by processes that are not measured
CHAIN = 1000
Build = Callable[
    [Any], tuple[Callable[[], Any], int]
]  # from a library, what is to be run, and how many operations it is


# --- what is measured, in the words that minigrad and torch share -----------------------------------------------------


def chain(link: Callable[[Any, Any, Any], Any], around: float = 1.0) -> Build:
    """A thousand small operations one after the other, forward and backward; counted for each."""

    def build(m: Any) -> tuple[Callable[[], Any], int]:
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

    def build(m: Any) -> tuple[Callable[[], Any], int]:
        x = leaf(m, 4, 4)

        def run() -> None:
            loss(m, x).backward()
            x.grad = None

        return run, 1

    return build


def mlp(m: Any) -> tuple[Callable[[], Any], int]:
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


# --- a worker: one contender in a process of its own ------------------------------------------------------------------


def work(name: str) -> None:
    """Answers each line of standard input, [measure, repeats], with the seconds of one operation and those used."""
    m = __import__(name)
    if name == "torch":
        m.set_num_threads(1)
    else:
        m.Tensor.requires_grad_ = lambda self: setattr(self, "requires_grad", True) or self
    print(json.dumps(f"{name} {m.__version__}, Python {platform.python_version()}"), flush=True)
    built = {measure: build(m) for measure, build in MEASURES.items()}
    for line in sys.stdin:
        measure, repeats = json.loads(line)
        run, count = built[measure]
        start, used = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            run()
        print(json.dumps([(time.perf_counter() - start) / repeats / count, time.process_time() - used]), flush=True)


class Worker:
    """The other end of `work`."""

    def __init__(self, name: str, python: str) -> None:
        """Starts the process and reads what it is."""
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
        self.process = subprocess.Popen(
            [python, __file__, "--worker", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **threads},
        )
        self.told = self._answer()

    def seconds(self, measure: str, repeats: int) -> tuple[float, bool]:
        """The mean time of one operation; and were other processes at work meanwhile?"""
        start, used_by_all = time.perf_counter(), processor_seconds()
        print(json.dumps([measure, repeats]), file=self.process.stdin, flush=True)
        seconds, used = self._answer()
        others = processor_seconds() - used_by_all - used
        return seconds, others > max(0.02, DISTURBED * (time.perf_counter() - start))

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate()

    def _answer(self) -> Any:
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            sys.exit("benchmark: a worker ended; its message stands above.")
        return json.loads(line)


def processor_seconds() -> float:
    """What all processes together have used of all cores; always 0 where the system does not tell."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _idle, _iowait, *rest = map(int, STAT.read_text().partition("\n")[0].split()[1:])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def compare(ours: Worker, theirs: Worker, measure: str, rounds: int, patience: float) -> str:
    """Interleaved measurements of one thing: a row of the table."""
    repeats = {}
    for worker in (ours, theirs):
        worker.seconds(measure, 3)
        start = time.perf_counter()
        worker.seconds(measure, 3)
        repeats[worker] = max(3, int(3 * BATCH_SECONDS / (time.perf_counter() - start)))
    pairs, disturbed = [], []
    deadline = time.monotonic() + patience
    while len(pairs) < rounds and (time.monotonic() < deadline or len(pairs) + len(disturbed) < rounds):
        order = (ours, theirs) if len(pairs + disturbed) % 2 else (theirs, ours)
        found = {worker: worker.seconds(measure, repeats[worker]) for worker in order}
        seconds, noise = zip(found[ours], found[theirs], strict=True)
        (disturbed if any(noise) else pairs).append(seconds)
    quiet = len(pairs)
    pairs = pairs if quiet > 1 else pairs + disturbed
    low, ratio, high = statistics.quantiles([a / b for a, b in pairs], n=4, method="inclusive")
    a, b = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    return f"| {measure} | {a:.2f} | {b:.2f} | **{ratio:.2f}** | {low:.2f} … {high:.2f} | {quiet} of {len(pairs)} |"


def main() -> None:
    """Measures and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", default=sys.executable, metavar="PATH", help="an interpreter that has torch")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--patience", type=float, default=20.0, metavar="SECONDS", help="for each measure; default: 20")
    parser.add_argument("--worker", choices=["minigrad", "torch"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return
    ours, theirs = Worker("minigrad", sys.executable), Worker("torch", options.torch_python)
    print(ours.told, theirs.told, sep="\n", end="\n\n")
    print(f"| forward and backward | minigrad, µs | torch, µs | ratio (≤ {TARGET}) | middle half | quiet |")
    print("|---|---|---|---|---|---|")
    for measure in MEASURES:
        print(compare(ours, theirs, measure, options.rounds, options.patience), flush=True)
    ours.close(), theirs.close()


if __name__ == "__main__":
    main()
