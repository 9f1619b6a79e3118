"""Two ways to run one recurrent layer on one backend: in its kernels, and by the formulas alone."""

from __future__ import annotations

from types import ModuleType

import minigrad as mg

COMPILED = ("kernels", "compile")  # the parts of a backend that replace the formulas


def formulas_alone(backend: ModuleType) -> ModuleType:
    """Return a backend with the same array functions and without recurrent kernels."""
    plain = ModuleType(f"{backend.__name__}_without_kernels")
    vars(plain).update({name: value for name, value in vars(backend).items() if not name.startswith("__")})
    for name in COMPILED:
        vars(plain).pop(name, None)
    plain.name = f"{backend.name} (formulas alone)"
    return plain


def ran_in_a_kernel(path: str) -> bool:
    """Return whether `layer.path` names a kernel."""
    return not any(word in path for word in ("formulas", "tape"))


def resolved(backend: str | ModuleType) -> ModuleType:
    """Return the module of a backend."""
    with mg.using(backend) as module:
        return module
