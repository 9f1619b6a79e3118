"""`check_backend`: every function of a backend against NumPy's numbers."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from minigrad.engine import registry
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import BackendContractError
from minigrad.testing.backend_cases import backend_cases


def check_backend(module: ModuleType | str) -> None:
    """Compare every function that `minigrad.engine.protocol` requires of a backend with NumPy's numbers.

    Args:
        module: the backend, or its name.

    Raises:
        BackendContractError: functions are missing, or results differ; one message lists all of them.

    >>> check_backend("numpy")
    """
    xp = registry.resolve(module)
    faults = [fault for case in backend_cases() if (fault := _fault(xp, *case))]
    if faults:
        raise BackendContractError(
            f"check_backend: {len(faults)} results differ from those that minigrad.engine.protocol requires:\n"
            + "\n".join(f"- {each}" for each in faults)
        )


def _fault(xp: Any, name: str, on_backend: Callable[[Any], Any], expected: Any) -> str:
    """Return the difference between a backend's answer and the expected one as a line, or an empty string."""
    try:
        answer = on_backend(xp)
        pairs = list(zip(answer, expected, strict=True)) if isinstance(expected, tuple) else [(answer, expected)]
        hosts = [(xp.to_numpy(got), np.asarray(want), dtype_name(got.dtype)) for got, want in pairs]
    except Exception as error:  # noqa: BLE001  (any error of the backend is a finding)
        return f"{name}: raised {type(error).__name__}: {error}"
    for got, want, dtype in hosts:
        if not isinstance(got, np.ndarray) or got.shape != want.shape:
            return f"{name}: expected shape {want.shape}, got {getattr(got, 'shape', type(got).__name__)}"
        if got.dtype.kind != want.dtype.kind or (got.dtype.kind == "f" and dtype != want.dtype.name):
            return f"{name}: expected dtype {want.dtype}, got {dtype}"
        if not np.allclose(got, want, rtol=1e-5, atol=1e-6, equal_nan=True):
            return f"{name}: expected {want.tolist()}, got {got.tolist()}"
    return ""
