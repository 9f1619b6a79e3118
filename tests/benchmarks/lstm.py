"""LSTM forward + backward beside torch.nn.LSTM: ``python tests/benchmarks/lstm.py --torch-python PATH``.

Each contender runs in a process of its own that lives as long as the benchmark, is handed the same number of threads,
and is warm before anything counts. In each round one measures after the other, in alternating order; the figure to read
is the median of the rounds' ratios, and the middle half says how far to trust it. Threads of a product that wait for
each other suffer out of proportion when another process wants a core, so a round in which others were at work is
measured again, as long as ``--patience`` lasts (on Linux, where the system says who used the processor).

All gradients are computed (x, h_0 and c_0 where the contender has them, and the weights), from a cotangent on the whole
output; float32; arrays are (time, batch, features).

To add a contender, write one function that builds it and returns what is to be timed, and name it in CONTENDERS.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

Size = tuple[int, int, int, int]

# (batch, time, features, units) → the ratio to torch.nn.LSTM that the NumPy backend is to reach
TARGETS: dict[Size, float] = {
    (1, 100, 8, 16): 3.5,
    (16, 50, 8, 32): 1.6,
    (32, 100, 64, 128): 1.6,
    (64, 256, 128, 256): 1.1,
    (128, 100, 512, 512): 1.2,
}
STAT = Path("/proc/stat")
BATCH_SECONDS = 0.2  # a measurement repeats what it times for at least so long
PAUSE_SECONDS = 0.1  # between measurements: the threads of the other's products go on spinning for a while
DISTURBED = 0.1  # of one core, taken by processes that are not measured
TICKS = 0.03  # seconds: the system counts in hundredths


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


# --- a worker: one contender in a process of its own ---------------------------------------------


def work(name: str, threads: int) -> None:
    """Answers each line of standard input, [size, repeats], with the seconds of one run and those of all cores."""
    build, modules = CONTENDERS[name]
    if name == "torch":
        import torch

        torch.set_num_threads(threads)
    versions = {module: __import__(module).__version__ for module in modules}
    print(json.dumps({"python": platform.python_version(), **versions}), flush=True)
    steps: dict[tuple[int, ...], Callable[[], Any]] = {}
    for line in sys.stdin:
        size, repeats = json.loads(line)
        if tuple(size) not in steps:
            steps = {tuple(size): build(*size)}  # the size before is done with: its memory goes
        step = steps[tuple(size)]
        start, used = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            step()
        print(json.dumps([(time.perf_counter() - start) / repeats, time.process_time() - used]), flush=True)


class Worker:
    """The other end of `work`."""

    def __init__(self, name: str, python: str, threads: int) -> None:
        """Starts the process and reads its versions."""
        counts = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "OPENBLAS", "MKL")}
        command = [python, __file__, "--worker", name, "--threads", str(threads)]
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **counts}
        )
        self.versions = self._answer()

    def seconds(self, size: Size, repeats: int) -> tuple[float, bool]:
        """The mean time of one run, of so many one after the other; and were other processes at work meanwhile?"""
        time.sleep(PAUSE_SECONDS)
        assert self.process.stdin is not None
        start, used_by_all = time.perf_counter(), processor_seconds()
        print(json.dumps([size, repeats]), file=self.process.stdin, flush=True)
        seconds, used = self._answer()
        others = processor_seconds() - used_by_all - used
        return seconds, others > max(TICKS, DISTURBED * (time.perf_counter() - start))

    def close(self) -> None:
        """Ends the process."""
        self.process.communicate()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"benchmark: the worker of {self.name!r} ended; its message stands above.")
        return json.loads(line)


# --- the measurement ----------------------------------------------------------------------------


def processor_seconds() -> float:
    """What all processes together have used of all cores; always 0 where the system does not tell."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _idle, _iowait, *rest = map(int, STAT.read_text().partition("\n")[0].split()[1:])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def compare(one: Worker, other: Worker, size: Size, rounds: int, patience: float) -> dict[str, Any]:
    """Interleaved measurements of two workers at one size."""
    repeats = {}
    for worker in (one, other):
        worker.seconds(size, 2)
        repeats[worker] = max(2, math.ceil(BATCH_SECONDS / worker.seconds(size, 2)[0]))
    pairs: list[tuple[float, float]] = []
    disturbed: list[tuple[float, float]] = []
    deadline = time.monotonic() + patience
    while len(pairs) < rounds and (time.monotonic() < deadline or len(pairs) + len(disturbed) < rounds):
        order = (one, other) if len(pairs + disturbed) % 2 else (other, one)
        found = {worker: worker.seconds(size, repeats[worker]) for worker in order}
        seconds, noise = zip(found[one], found[other], strict=True)
        (disturbed if any(noise) else pairs).append(seconds)
        if any(noise):
            time.sleep(PAUSE_SECONDS * 10)
    quiet = len(pairs)
    pairs = pairs if quiet > 1 else pairs + disturbed
    low, ratio, high = statistics.quantiles([a / b for a, b in pairs], n=4, method="inclusive")
    medians = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    ms = dict(zip((one.name, other.name), medians, strict=True))
    return {
        "size": size,
        "ms": ms,
        "ratio": ratio,
        "middle_half": [low, high],
        "target": TARGETS.get(size),
        "rounds": len(pairs),
        "quiet": quiet,
    }


def machine(threads: int) -> str:
    """One line about where the numbers come from."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {threads} threads; {platform.system()}; {datetime.now(UTC):%Y-%m-%d}"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("contender", nargs="?", default="kernel", choices=list(CONTENDERS), help="default: kernel")
    parser.add_argument("--torch-python", default=sys.executable, metavar="PATH", help="an interpreter that has torch")
    parser.add_argument("--sizes", default="12345", help="which rows of the table, for example 13; default: all")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--patience", type=float, default=60.0, metavar="SECONDS", help="for each size; default: 60")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here too")
    parser.add_argument("--worker", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> None:
    """Measures, prints a Markdown table, writes the numbers."""
    options = parse(arguments)
    if options.worker:
        work(options.worker, options.threads)
        return
    one = Worker(options.contender, sys.executable, options.threads)
    other = Worker("torch", options.torch_python, options.threads)
    versions = {worker.name: worker.versions for worker in (one, other)}
    print(machine(options.threads), *(f"{name}: {told}" for name, told in versions.items()), sep="\n", end="\n\n")
    print(f"| (batch, time, features, units) | {one.name}, ms | torch, ms | ratio | middle half | target | quiet |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for size in [size for k, size in enumerate(TARGETS, 1) if str(k) in options.sizes]:
        row = compare(one, other, size, options.rounds, options.patience)
        rows.append(row)
        a, b = row["ms"].values()
        low, high = row["middle_half"]
        told = f"{a:.2f} | {b:.2f} | **{row['ratio']:.2f}** | {low:.2f} … {high:.2f} | {row['target']}"
        print(f"| {size} | {told} | {row['quiet']} of {row['rounds']} |", flush=True)
    one.close(), other.close()
    if options.json:
        told = {"machine": machine(options.threads), "versions": versions, "rounds": options.rounds, "rows": rows}
        options.json.write_text(json.dumps(told, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
