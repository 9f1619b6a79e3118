"""The check that a GPU works, and explanations of the errors of CuPy and CUDA.

A machine can fail at several layers, and each failure hides the next: no driver, a driver without a device, a wheel for
another major version of CUDA, a wheel without the libraries it calls. So `probe` uses each layer once: memory, a kernel
compiled at run time (NVRTC), a matrix product (cuBLAS), random numbers (cuRAND).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import cupy as cp

from minigrad_cupy.workspace import Workspace


class _Trial(NamedTuple):
    what: str
    run: Callable[[], Any]
    needs: str  # the library that it uses


_TRIALS = (
    _Trial("allocate memory", lambda: cp.empty(8, "float32"), "the CUDA driver"),
    _Trial("compile and run a kernel", lambda: cp.tanh(cp.ones(8, "float32")) + 1.0, "NVRTC and the CUDA headers"),
    _Trial("multiply matrices", lambda: cp.ones((2, 2), "float32") @ cp.ones((2, 2), "float32"), "cuBLAS"),
    _Trial("draw random numbers", lambda: cp.random.standard_normal(8), "cuRAND"),
)


def probe() -> str | None:
    """Return None if a GPU works; else the reason, and the command that repairs it."""
    for trial in _TRIALS:
        try:
            trial.run()
            cp.cuda.Device().synchronize()
        except Exception as error:  # noqa: BLE001  (each layer raises errors of other classes)
            return f"it cannot {trial.what}: {_reason(error, trial.needs)}"
    return None


def _reason(error: Exception, needs: str) -> str:
    """Return an explanation of an error of CUDA, with the remedy."""
    text = f"{type(error).__name__}: {error}".splitlines()[0]
    if "cudaErrorInsufficientDriver" in text:
        if _driver_version() == 0:
            return "this machine has no NVIDIA driver. Install the driver, or use a backend that needs no GPU."
        return (
            f"the NVIDIA driver supports CUDA {_version(_driver_version())} and this CuPy was built for "
            f"{_version(_runtime_version())}. Update the driver, or install the CuPy for CUDA "
            f"{_driver_version() // 1000}: {_pip(_driver_version() // 1000)}"
        )
    if "cudaErrorNoDevice" in text:
        return "the driver finds no GPU. Check CUDA_VISIBLE_DEVICES; `nvidia-smi` lists the GPUs."
    if "cudaErrorMemoryAllocation" in text or isinstance(error, cp.cuda.memory.OutOfMemoryError):
        return "the GPU's memory is full. `nvidia-smi` lists the processes that use it."
    if isinstance(error, (ImportError, OSError)) or "DynamicLibNotFound" in text or "lib" in text.lower():
        major = _runtime_version() // 1000
        return f"{needs} cannot be loaded ({text}). Install NVIDIA's libraries: {_pip(major, '[ctk]')}"
    return f"{needs} failed ({text})."


def _pip(cuda_major: int, extra: str = "") -> str:
    return f"pip install 'cupy-cuda{cuda_major}x{extra}'"


def _version(number: int) -> str:
    """Return a version number as text: 12040 as 12.4."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _driver_version() -> int:
    return int(cp.cuda.runtime.driverGetVersion())


def _runtime_version() -> int:
    return int(cp.cuda.runtime.runtimeGetVersion())


def shortage(error: MemoryError) -> tuple[int, int, int] | None:
    """Return the bytes requested, in use and available in total; None if the error is not the GPU's.

    The memory of unused workspaces is freed before it is counted.
    """
    if not isinstance(error, cp.cuda.memory.OutOfMemoryError):
        return None
    Workspace.clear_pool()
    pool = cp.get_default_memory_pool()
    used = int(pool.used_bytes())
    room = used + int(pool.free_bytes()) + int(cp.cuda.runtime.memGetInfo()[0])
    limit = int(pool.get_limit())  # 0 if there is none
    asked = re.search(r"allocating ([\d,]+) bytes", str(error))
    return int(asked[1].replace(",", "")) if asked else 0, used, min(room, limit or room)
