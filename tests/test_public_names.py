"""Public modules show their own names: none that they import from typing, the standard library or NumPy."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import minigrad as mg
from minigrad.engine.aliases import resolve

OURS = "minigrad"
APART = {"mg.functional": {"as_tensors"}}  # the tape looks it up there


def public_modules(module: ModuleType, name: str) -> dict[str, ModuleType]:
    """The module and all that its public names lead to, by address."""
    found = {name: module}
    for part in getattr(module, "__all__", ()):
        value = getattr(module, part)
        if isinstance(value, ModuleType) and value.__name__.startswith(OURS):
            found |= public_modules(value, f"{name}.{part}")
    return found


MODULES = public_modules(mg, "mg")
TOOLS = ["convert", "plot", "recurrent", "show", "testing", "tracing", "train"]
MODULES |= {f"mg.{name}": __import__(f"minigrad.{name}", fromlist=["_"]) for name in TOOLS}


def home(value: Any) -> str:
    """The module that defines a value, or that it is; ours for a plain value."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name if isinstance(name, str) else OURS


def foreign(names: Any, module: ModuleType) -> list[str]:
    values = {name: getattr(module, name) for name in names if not name.startswith("_")}
    return [name for name, value in values.items() if home(value).partition(".")[0] != OURS]


def test_the_modules_that_users_import_from_are_found() -> None:
    assert {"mg", "mg.keras.utils", "mg.keras.optimizers.schedules", "mg.compat.v1.nn.rnn_cell"} <= MODULES.keys()
    assert len(MODULES) >= 30


@pytest.mark.parametrize("address", MODULES)
def test_dir_lists_no_imported_names(address: str) -> None:
    assert foreign(dir(MODULES[address]), MODULES[address]) == []


def surplus(module: ModuleType) -> list[str]:
    """Attributes that are neither public names, underscored, nor modules inside the package."""
    listed = getattr(module, "__all__", None) or dir(module)  # the latter by `list_own_names`
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and name not in listed
        and not (isinstance(value, ModuleType) and value.__name__ in inside(module, name))
    ]


def inside(module: ModuleType, name: str) -> tuple[str, str | None]:
    """Return the addresses of a module inside another: today's, and that of an earlier address."""
    return f"{module.__name__}.{name}", resolve(f"{module.__name__}.{name}")


@pytest.mark.parametrize("address", MODULES)
def test_no_imported_name_is_an_attribute(address: str) -> None:
    assert set(surplus(MODULES[address])) <= APART.get(address, set())


@pytest.mark.parametrize("address", MODULES)
def test_dir_lists_all_public_names(address: str) -> None:
    module = MODULES[address]
    assert set(getattr(module, "__all__", ())) <= set(dir(module))


def test_names_of_keras_lead_to_no_other_thing() -> None:
    for name in ("Mapping", "Any", "Callable"):
        with pytest.raises(AttributeError):
            getattr(mg.keras.utils, name)
    assert import_module("minigrad.errors") is mg.errors


def test_a_leak_is_found() -> None:
    leaky = ModuleType("minigrad.leaky")
    exec("from collections.abc import Sequence\nimport os\nfrom minigrad import Tensor\nx = 1", vars(leaky))
    assert foreign(dir(leaky), leaky) == ["Sequence", "os"]
    leaky.__all__ = ["x"]
    assert surplus(leaky) == ["Sequence", "os", "Tensor"]
