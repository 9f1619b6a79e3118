"""Find out what the numbers were measured on: hardware, driver, versions, commit."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from benchmarks.gpu.torch_process import TorchProcess

Row = dict[str, Any]

ROOT = Path(__file__).resolve().parents[3]
QUERY = "name,driver_version,memory.total,memory.used,utilization.gpu,clocks.max.sm,power.limit"


def rows(backend: str, seconds: float, torch_python: str = sys.executable) -> Iterator[Row]:
    """Yield what was found, one fact in a row; or, in one row, why the backend is not available.

    Args:
        backend: a name that `mg.backends()` lists.
        seconds: not needed, as nothing here takes long.
        torch_python: an interpreter that has PyTorch.
    """
    states = mg.backends()
    state = states.get(backend, f"there is no backend {backend!r}; there are {', '.join(states)}")
    if state != "available":
        yield {"unavailable": state}
        return
    facts: dict[str, Callable[[], str]] = {
        "commit": commit,
        "backend": lambda: backend,
        "GPU, driver, memory, in use, busy, clock, power": lambda: said(
            "nvidia-smi", f"--query-gpu={QUERY}", "--format=csv,noheader"
        ),
        "CuPy": cupy,
        "PyTorch": lambda: pytorch(torch_python, "cuda" if backend == "cupy" else "cpu"),
        "host": lambda: f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores",
        "Python, NumPy, minigrad": lambda: f"{platform.python_version()}, {np.__version__}, {mg.__version__}",
    }
    for name, fact in facts.items():
        try:
            yield {"fact": name, "value": fact()}
        except Exception as error:  # noqa: BLE001  (a fact that cannot be found out must not cost the rest)
            yield {"fact": name, "value": f"not found out: {type(error).__name__}: {error}".splitlines()[0]}


def commit() -> str:
    """Return the commit of the source, and whether tracked files differ from it."""
    changed = said("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
    return said("git", "-C", str(ROOT), "log", "-1", "--format=%h, %cs, %s") + ", with changes" * bool(changed)


def cupy() -> str:
    """Return CuPy's version and those of the CUDA libraries it found."""
    if "cupy" not in sys.modules:
        return "not in use"
    module = sys.modules["cupy"]
    runtime = module.cuda.runtime
    device = runtime.getDeviceProperties(module.cuda.Device().id)
    return (
        f"{module.__version__}, CUDA runtime {runtime.runtimeGetVersion()}, driver {runtime.driverGetVersion()}; "
        f"{device['name'].decode()}, compute capability {device['major']}.{device['minor']}, "
        f"{device['multiProcessorCount']} multiprocessors, {device['totalGlobalMem'] / 2**30:.1f} GiB"
    )


def pytorch(python: str, device: str) -> str:
    """Return PyTorch's version, or why it cannot take part."""
    with TorchProcess(python, device) as torch:
        return torch.found or torch.missing


def said(program: str, *arguments: str) -> str:
    """Return what a program prints, on one line.

    Raises:
        FileNotFoundError: there is no such program.
        OSError: it fails.
    """
    found = shutil.which(program)
    if found is None:
        raise FileNotFoundError(program)
    done = subprocess.run([found, *arguments], capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        raise OSError((done.stderr or done.stdout).strip().partition("\n")[0])
    return "; ".join(done.stdout.strip().splitlines())
