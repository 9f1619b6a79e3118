"""Modules that need more than NumPy and pytest, for tests of which only some need them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import pytest


class Missing(ModuleType):
    """Stand-in for a module that cannot be imported; its first use skips the test, or the module, with the reason."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # read by pytest while it collects tests
            raise AttributeError(name)
        pytest.skip(str(self.__doc__), allow_module_level=True)


def needed(module: str) -> ModuleType:
    """Return a module, or its stand-in if the module, or a package that it imports, is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        return Missing(module, f"needs {error.name}: pip install -e '.[test]'")
