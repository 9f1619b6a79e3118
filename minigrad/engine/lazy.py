"""Names of modules: those of a package that are imported at first use, and those that `dir()` lists."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any


def lazy_getattr(
    package: str,
    names: Sequence[str],
    *modules: str,
    missing: Callable[[str, str, Sequence[str]], str] | None = None,
) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package, whose `dir()` lists all its names from then on.

    Args:
        package: its name.
        names: the public names.
        modules: modules inside the package: public names themselves, or those that define names not yet imported.
        missing: the message for another name, a function of the package, the name and the public names.

    Source: PEP 562, "Module __getattr__".
    """
    vars(sys.modules[package])["__dir__"] = lambda: sorted(names)

    def find(name: str) -> Any:
        if name not in names:
            if missing is not None and name[0] != "_":
                raise AttributeError(missing(package, name, names))
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if name in modules:
            found = import_module(f"{package}.{name}")
        else:
            found = next(vars(m)[name] for m in map(import_module, _within(package, modules)) if name in vars(m))
        setattr(sys.modules[package], name, found)
        return found

    return find


def list_own_names(module: str) -> None:
    """Let `dir()` of a module list the public names that it defines, and none that it imports; called at its end."""
    names = vars(sys.modules[module])
    own = [name for name, value in names.items() if getattr(value, "__module__", None) == module and name[0] != "_"]
    names["__dir__"] = lambda: sorted(own)


def _within(package: str, modules: Sequence[str]) -> list[str]:
    return [f"{package}.{module}" for module in modules]
