"""The process of a contender: ``python serve.py FILE VARIANT THREADS``.

FILE defines a class ``Contender(variant, threads)``, whose constructor imports the library:

- ``versions`` holds the versions found;
- ``lstm(batch, time, features, units)`` returns the function to time, as does
  ``step(batch, time, vocabulary, embedding, units)``;
- ``operations()`` returns the argument of `operations`;
- ``profile(seconds, request)`` returns the shares of the time of another request, minigrad alone;
- ``finish()`` waits for a device.

The first line of output holds the versions, or the reason why the library is missing. Each line of input is then a
request, ``[["lstm", 1, 100, 8, 16], repeats]``, and is answered with a line of JSON.
"""

from __future__ import annotations

import json
import os
import platform
import runpy
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

TimedFunction = tuple[Callable[[], Any], int]
"""The function to time, and the number of operations in it."""

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MEMORY_RUNS = 3  # includes memory that one run leaves to the next


def serve(contender: Any, requests: Iterable[str], out: TextIO) -> None:
    """Answer each request with its seconds, or with the reason of its failure."""
    _write_line(out, {"versions": {"python": platform.python_version(), **contender.versions}})
    built: dict[str, TimedFunction] = {}
    for line in requests:
        request, repeats = json.loads(line)
        try:
            if request[0] == "memory":
                answer = memory(contender, request[1:])
            elif request[0] == "profile":
                answer = contender.profile(request[1], request[2:])
            else:
                answer = timed(contender, request, repeats, built)
            _write_line(out, {**answer, "path": getattr(contender, "path", "")})
        except Exception as error:  # noqa: BLE001 (any fault of a library is an answer: the others continue)
            built.clear()
            _write_line(out, {"failed": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"})


def timed(contender: Any, request: list[Any], repeats: int, built: dict[str, TimedFunction]) -> dict[str, float]:
    """Run a request several times.

    Args:
        contender: the contender.
        request: the request.
        repeats: the number of successive runs.
        built: cache of the function of the last request; it is emptied before another function is built.

    Returns:
        seconds: of one operation; wall and used: seconds of all, on the clock and of the processor.
    """
    key = json.dumps(request)
    if key not in built:
        built.clear()
        built[key] = build(contender, request)
    run, count = built[key]
    start, used = time.perf_counter(), time.process_time()
    for _ in range(repeats):
        run()
    contender.finish()
    wall = time.perf_counter() - start
    return {"seconds": wall / repeats / count, "wall": wall, "used": time.process_time() - used}


def build(contender: Any, request: list[Any]) -> TimedFunction:
    """Return the function for a request: ``["lstm", …]``, ``["step", …]`` or ``["operation", name]``."""
    kind, *arguments = request
    if kind == "operation":
        measures = runpy.run_path(str(Path(__file__).with_name("operations.py")))["MEASURES"]
        timed_function: TimedFunction = measures[arguments[0]](contender.operations())
        return timed_function
    return getattr(contender, kind)(*arguments), 1


def memory(contender: Any, request: list[Any]) -> dict[str, float]:
    """Run a request a few times and measure memory.

    Returns:
        more: the largest growth of the process in bytes; peak: its largest size in bytes.
    """
    before = _resident("VmRSS")
    if CLEAR.exists():
        CLEAR.write_text("5")  # Linux: reset the peak to the current size
    run, _ = build(contender, request)
    for _ in range(MEMORY_RUNS):
        run()
    contender.finish()
    peak = _resident("VmHWM")
    return {"more": float(peak - before), "peak": float(peak)}


def _resident(entry: str) -> int:
    """Return the memory of this process in bytes: current (VmRSS) or peak (VmHWM); outside of Linux always the peak."""
    if STATUS.exists():
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(entry))
        return int(line.split()[1]) * 1024
    if resource is None:
        raise OSError("this system does not report the memory of a process")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _write_line(out: TextIO, values: dict[str, Any]) -> None:
    print(json.dumps(values), file=out, flush=True)


def main(file: str, variant: str, threads: str) -> None:
    """Serve standard input, the answers on standard output; output of a library goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        contender = runpy.run_path(file)["Contender"](variant, int(threads))
    except ImportError as error:
        _write_line(out, {"missing": str(error)})
        return
    serve(contender, sys.stdin, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
