"""A contender in a process of its own: ``python serve.py FILE VARIANT THREADS``.

FILE defines a class ``Contender(variant, threads)``: its constructor imports the library; ``versions`` tells what it
found; ``lstm(batch, time, features, units)`` and ``step(batch, time, vocabulary, embedding, units)`` build what is to
be timed and return it; ``operations()`` returns what `operations` needs; ``finish()`` waits for a device.

The first line written tells the versions, or why the library is missing. Each line read then is a request,
``[["lstm", 1, 100, 8, 16], repeats]``, and is answered with a line of JSON.
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

Built = tuple[Callable[[], Any], int]
"""What is to be timed, and how many operations it is."""

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MEMORY_RUNS = 3  # so that what one run leaves to the next is counted too


def serve(contender: Any, requests: Iterable[str], out: TextIO) -> None:
    """Answer each request with its seconds, or with what went wrong."""
    _tell(out, {"versions": {"python": platform.python_version(), **contender.versions}})
    built: dict[str, Built] = {}
    for line in requests:
        request, repeats = json.loads(line)
        try:
            if request[0] == "memory":
                answer = memory(contender, request[1:])
            else:
                answer = timed(contender, request, repeats, built)
            _tell(out, {**answer, "path": getattr(contender, "path", "")})
        except Exception as error:  # noqa: BLE001 (any fault of a library is an answer: the others go on)
            built.clear()
            _tell(out, {"failed": f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"})


def timed(contender: Any, request: list[Any], repeats: int, built: dict[str, Built]) -> dict[str, float]:
    """Run so many times what a request asks for.

    Args:
        contender: who.
        request: what.
        repeats: how many runs, one after the other.
        built: keeps what was built until another request comes; the memory of the one before goes first.

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


def build(contender: Any, request: list[Any]) -> Built:
    """Make what a request asks for: ``["lstm", …]``, ``["step", …]`` or ``["operation", name]``."""
    kind, *arguments = request
    if kind == "operation":
        measures = runpy.run_path(str(Path(__file__).with_name("operations.py")))["MEASURES"]
        made: Built = measures[arguments[0]](contender.operations())
        return made
    return getattr(contender, kind)(*arguments), 1


def memory(contender: Any, request: list[Any]) -> dict[str, float]:
    """Run a few times what a request asks for.

    Returns:
        more: by how many bytes the process grew at most; peak: how large it was then.
    """
    before = _resident("VmRSS")
    if CLEAR.exists():
        CLEAR.write_text("5")  # Linux: the peak starts again from what there is
    run, _ = build(contender, request)
    for _ in range(MEMORY_RUNS):
        run()
    contender.finish()
    peak = _resident("VmHWM")
    return {"more": float(peak - before), "peak": float(peak)}


def _resident(entry: str) -> int:
    """Bytes of this process in memory: now (VmRSS) or at most (VmHWM); elsewhere than on Linux, always at most."""
    if STATUS.exists():
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(entry))
        return int(line.split()[1]) * 1024
    if resource is None:
        raise OSError("this system does not tell how much memory a process has used")
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _tell(out: TextIO, what: dict[str, Any]) -> None:
    print(json.dumps(what), file=out, flush=True)


def main(file: str, variant: str, threads: str) -> None:
    """Serve standard input, the answers on standard output; what a library prints goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        contender = runpy.run_path(file)["Contender"](variant, int(threads))
    except ImportError as error:
        _tell(out, {"missing": str(error)})
        return
    serve(contender, sys.stdin, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
