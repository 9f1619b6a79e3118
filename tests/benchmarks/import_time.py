"""What `import minigrad` costs beside `import numpy`: ``python tests/benchmarks/import_time.py [ROUNDS]``.

Each round starts two fresh processes, one after the other, so that whatever else the machine does falls on both. The
time is taken inside the process, from before to after the import: the start of the interpreter is not counted. The
figure to read is the median of the rounds' ratios; the target is at most 1.5.

Both are imported from compiled files, as they are after an installation, wherever Python was told not to write any.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile

CODE = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
TARGET = 1.5


def seconds(module: str, cache: str) -> float:
    """The time of one import in a process of its own, with compiled files in the folder `cache`."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = cache
    command = [sys.executable, "-c", CODE.format(module)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def main(rounds: int = 21) -> None:
    """Prints the medians of both times and of their ratio."""
    with tempfile.TemporaryDirectory() as cache:
        seconds("numpy", cache), seconds("minigrad", cache)  # these two compile
        pairs = [(seconds("numpy", cache), seconds("minigrad", cache)) for _ in range(rounds)]
    numpy, minigrad = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    ratios = sorted(b / a for a, b in pairs)
    print(f"import numpy     {numpy:7.1f} ms")
    print(f"import minigrad  {minigrad:7.1f} ms")
    low, middle, high = ratios[rounds // 4], statistics.median(ratios), ratios[-1 - rounds // 4]
    print(f"ratio            {middle:7.2f}     (middle half {low:.2f} to {high:.2f}; target ≤ {TARGET})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
